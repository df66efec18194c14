"""save and load: tensors in lists, tuples and dicts, as a file whose reading never runs code.

The file is a zip archive without compression, as NumPy's .npz: ``content.json`` says what stands where, and
``arrays/0.npy``, ``arrays/1.npy`` ... hold the numbers, each readable by ``np.load``. In the JSON a number, a string,
true, false and null are themselves; anything else is an object with one key that names its kind::

    {"dict": [[key, value], ...]}        also "OrderedDict" and "Counter"
    {"list": [value, ...]}               also "tuple"
    {"tensor": [i, requires_grad]}       also "parameter"; the numbers are arrays/i.npy
    {"array": i}, {"number": i}          an array and a number of NumPy's
    {"dtype": "float32"}, {"float": "nan"}

No name in the file is looked up, imported or called. Sizes are believed only where they agree with the bytes there are,
so that a small file cannot ask for much memory.
"""
from __future__ import annotations

import io
import json
import math
import os
import struct
import zipfile
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from .creation import DTYPES
from .defaults import on_cpu
from .errors import message
from .files import write
from .nn.parameter import Parameter
from .tensor import Tensor

FORMAT = {"format": "tinygrad_edu", "version": 1}
CONTENT = "content.json"
DEEP = 100                                            # containers within each other; JSON and Python stop not far above
DTYPE = {str(d): d for d in DTYPES}
PLAIN = (type(None), bool, int, str)
SEQUENCES: dict[str, Callable] = {"list": list, "tuple": tuple}
MAPPINGS: dict[str, Callable] = {"dict": dict, "OrderedDict": OrderedDict,
                                 "Counter": lambda pairs: Counter(dict(pairs))}
BRING = ('in a program with PyTorch: np.savez("weights.npz", **{k: v.numpy() for k, v in torch.load(path).items()}); '
         'then here: net.load_state_dict(dict(np.load("weights.npz")))')


# ---- save -----------------------------------------------------------------------------------------------------------
def save(obj: Any, f: str | os.PathLike | BinaryIO) -> None:
    """Write tensors, and lists, tuples and dicts of them, to a path or to a file open for bytes (torch.save).

    Kept are Tensors and Parameters with their dtype and ``requires_grad``, NumPy's arrays and numbers, dtypes, numbers,
    strings, None, and dicts with such keys: so the state of modules, optimisers and schedulers. Tensors that have one
    array in common have one again when loaded; graphs, gradients, hooks and names are not kept. A file at the path is
    replaced only when the new one is complete. TypeError for anything else.

    >>> net = nn.Linear(2, 1)
    >>> tg.save({"net": net.state_dict(), "epoch": 3}, "checkpoint.pt")
    >>> tg.load("checkpoint.pt")["epoch"]
    3
    """
    writer = Writer()
    content = json.dumps({**FORMAT, "content": writer.told(obj, "obj", 0)}, allow_nan=False).encode()

    def fill(file: BinaryIO) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(zipfile.ZipInfo(CONTENT), content)
            for i, array in enumerate(writer.arrays):
                large = array.nbytes > 1 << 30
                with archive.open(zipfile.ZipInfo(member(i)), "w", force_zip64=large) as entry:
                    np.lib.format.write_array(entry, array, allow_pickle=False)

    if hasattr(f, "write"):
        whole = io.BytesIO()
        fill(whole)
        f.write(whole.getvalue())
    else:
        write(f, fill)


def member(i: int) -> str:
    """The name of an array in the archive."""
    return f"arrays/{i}.npy"


class Writer:
    """Turns an object into what JSON can say, and collects the arrays."""

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []
        self.given: list[np.ndarray] = []             # kept, so that no other array gets the same id
        self.places: dict[int, int] = {}

    def told(self, x: Any, path: str, depth: int) -> Any:
        """x as JSON; ``path`` is where it stands in what the user gave, for errors."""
        kind: Any = type(x)
        if depth > DEEP:
            raise ValueError(message(f"{path[:60]}... lies in more than {DEEP} lists and dicts, or in itself",
                                     op="save", instead="a flat dict"))
        if kind in PLAIN:
            return x
        if kind is float:
            return x if math.isfinite(x) else {"float": str(x)}
        if isinstance(x, Tensor):
            x._escapes("a file")
            return {"parameter" if isinstance(x, Parameter) else "tensor": [self.place(x.payload, path),
                                                                            bool(x.requires_grad)]}
        if kind is np.ndarray:
            return {"array": self.place(x, path)}
        if isinstance(x, np.generic):
            return {"number": self.place(np.asarray(x), path)}
        if isinstance(x, np.dtype) and x in DTYPES:
            return {"dtype": str(x)}
        if kind.__name__ in SEQUENCES and kind in (list, tuple):
            return {kind.__name__: [self.told(v, f"{path}[{i}]", depth + 1) for i, v in enumerate(x)]}
        if kind.__name__ in MAPPINGS and kind in (dict, OrderedDict, Counter):
            return {kind.__name__: [[self.key(k, path), self.told(v, f"{path}[{k!r}]", depth + 1)]
                                    for k, v in x.items()]}
        raise TypeError(message(f"{path} is a {kind.__name__}, and files hold numbers, not code", op="save",
                                inputs=(x,), instead=remedy(x)))

    def key(self, k: Any, path: str) -> Any:
        """A key of a dict as JSON."""
        if isinstance(k, tuple):
            return {"tuple": [self.key(part, path) for part in k]}
        if type(k) in PLAIN or type(k) is float:
            return self.told(k, path, 0)
        raise TypeError(message(f"{path} has the key {k!r}: keys in files are strings, numbers and tuples of them",
                                op="save", inputs=(k,), instead="the dict with a name for each entry"))

    def place(self, array: np.ndarray, path: str) -> int:
        """The number under which the array is written, the same one each time."""
        if array.dtype.newbyteorder("=") not in DTYPES:
            raise TypeError(message(f"{path} is an array of {array.dtype}, which is no dtype of tensors", op="save",
                                    inputs=(array,), instead="x.astype(np.float32), or a list of strings"))
        if id(array) not in self.places:
            self.places[id(array)] = len(self.arrays)
            self.given.append(array)
            self.arrays.append(array.astype(array.dtype.newbyteorder("<"), copy=False))
        return self.places[id(array)]


def remedy(x: Any) -> str:
    """What to save instead of an object that cannot be."""
    if hasattr(x, "state_dict"):
        return "tg.save(x.state_dict(), path), and to load: x.load_state_dict(tg.load(path))"
    for plain in (dict, list, tuple, int, float, str):
        if isinstance(x, plain):
            return f"{plain.__name__}(x)"
    if isinstance(x, np.ndarray):
        return "np.asarray(x)"
    return "x.data, its number" if hasattr(x, "data") else "its numbers, in lists, dicts and Tensors"


# ---- load -----------------------------------------------------------------------------------------------------------
def load(f: str | os.PathLike | BinaryIO, map_location: Any = None, *, weights_only: bool = True,
         mmap: bool | None = None) -> Any:
    """What ``save`` wrote, from a path or a file open for bytes (torch.load). Never runs code that the file brings.

    Everything is loaded to the CPU. RuntimeError where the file is damaged or of another kind, such as one of
    PyTorch's; the message says how its weights are brought over.

    >>> tg.save([tg.ones(2), (None, 1.5)], "some.pt")
    >>> tg.load("some.pt")
    [tensor([1., 1.]), (None, 1.5)]
    """
    if not callable(map_location) and not isinstance(map_location, dict):
        on_cpu(map_location)
    if hasattr(f, "read"):
        data = f.read()
        if not isinstance(data, bytes):
            raise TypeError(message("the file is open for text", op="load", instead='open(path, "rb")'))
        return read(io.BytesIO(data), "the file")
    with open(f, "rb") as file:
        return read(file, os.fspath(f))


def read(file: BinaryIO, name: Any) -> Any:
    """The object in an open file, or a RuntimeError that says what is wrong with it."""
    start = file.read(8)
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            if CONTENT not in names:
                raise other(name, names, start)
            return Reader(archive, names, size).content()
    except zipfile.BadZipFile as error:
        if not start.startswith(b"PK"):
            raise other(name, (), start) from None
        raise damaged(str(error)) from None
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError, EOFError,
            SyntaxError, NotImplementedError, OSError, struct.error) as error:
        raise damaged(str(error) or type(error).__name__) from None


def damaged(why: str) -> RuntimeError:
    """The error for a file that save did not leave like this."""
    return RuntimeError(message(f"the file is damaged, or made by hand: {why}", op="load",
                                instead="a whole copy of the file, as tg.save wrote it"))


def other(name: Any, members: Any, start: bytes) -> RuntimeError:
    """The error for a file that something else wrote."""
    if any(m.endswith("data.pkl") for m in members) or start[:1] == b"\x80":
        return RuntimeError(message(f"{name} is a pickle, as torch.save writes: reading one may run any code, so it is "
                                    "not read here", op="load", instead=BRING))
    if start.startswith(b"\x93NUMPY") or (members and all(m.endswith(".npy") for m in members)):
        return RuntimeError(message(f"{name} is a file of NumPy's", op="load",
                                    instead="np.load(path); net.load_state_dict(dict(np.load(path))) for weights"))
    what = "is empty" if not start else "is not a file that tg.save wrote"
    return RuntimeError(message(f"{name} {what}", op="load", instead="the path that tg.save was given"))


class Reader:
    """Turns the JSON of a file back into the object; believes nothing that it has not checked."""

    def __init__(self, archive: zipfile.ZipFile, names: list[str], size: int):
        entries = archive.infolist()
        expect(len(set(names)) == len(names), "a member occurs twice")
        expect(set(names) == {CONTENT, *map(member, range(len(names) - 1))}, "unexpected members")
        expect(all(e.compress_type == zipfile.ZIP_STORED and e.file_size == e.compress_size and not e.flag_bits & 1
                   for e in entries), "a member is compressed or encrypted")
        expect(sum(e.file_size for e in entries) <= size, "its members are larger than the file")
        self.archive = archive
        self.arrays: list[Any] = [None] * (len(names) - 1)

    def content(self) -> Any:
        """The object."""
        told = json.loads(self.archive.read(CONTENT), parse_constant=forbidden)
        expect(isinstance(told, dict) and told.get("format") == FORMAT["format"], "it does not say its format")
        expect(told["version"] == FORMAT["version"], f"its version is {told['version']!r}, and 1 is read here")
        return self.made(told["content"], 0)

    def made(self, told: Any, depth: int) -> Any:
        """The object that a piece of the JSON stands for."""
        expect(depth <= DEEP, "lists lie too deep in each other")
        if type(told) in PLAIN or type(told) is float:
            return told
        expect(type(told) is dict and len(told) == 1, f"{str(told)[:60]} is no value")
        (kind, inside), = told.items()
        if kind in SEQUENCES:
            expect(type(inside) is list, f"{kind} without a list")
            return SEQUENCES[kind]([self.made(v, depth + 1) for v in inside])
        if kind in MAPPINGS:
            pairs = [(self.made(k, depth + 1), self.made(v, depth + 1)) for k, v in inside]
            expect(len(pairs) == len(dict(pairs)), "a key occurs twice")
            return MAPPINGS[kind](pairs)
        if kind in ("tensor", "parameter"):
            i, needs = inside
            expect(type(needs) is bool, "requires_grad is neither true nor false")
            array = self.array(i)
            expect(not needs or array.dtype.kind == "f", f"array {i} is of {array.dtype}, which has no gradient")
            return (Parameter if kind == "parameter" else Tensor)._leaf(array, needs)
        if kind == "array":
            return self.array(inside)
        if kind == "number":
            return self.array(inside)[()]
        if kind == "dtype":
            expect(inside in DTYPE, f"no dtype is named {inside!r}")
            return DTYPE[inside]
        expect(kind == "float" and inside in ("nan", "inf", "-inf"), f"an unknown kind {kind!r}")
        return float(inside)

    def array(self, i: Any) -> np.ndarray:
        """Array number i, read once; its header must agree with the bytes that follow."""
        expect(type(i) is int and 0 <= i < len(self.arrays), f"there is no array {i!r}")
        if self.arrays[i] is None:
            data = io.BytesIO(self.archive.read(member(i)))       # as many bytes as the file has; their sum is checked
            version = np.lib.format.read_magic(data)
            header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
            shape, fortran, dtype = header(data)
            expect(dtype.newbyteorder("=") in DTYPES, f"array {i} has the dtype {dtype}")
            expect(all(type(n) is int and n >= 0 for n in shape) and len(shape) <= 64, f"array {i} has no shape")
            rest = data.getbuffer()[data.tell():]
            expect(math.prod(shape) * dtype.itemsize == len(rest), f"array {i} has a size that its bytes do not have")
            flat = np.frombuffer(rest, dtype).astype(dtype.newbyteorder("="))      # in memory of its own, as a copy
            self.arrays[i] = flat.reshape(shape, order="F" if fortran else "C")
        return self.arrays[i]


def expect(ok: bool, what: str) -> None:
    """ValueError ``what`` unless ``ok``."""
    if not ok:
        raise ValueError(what)


def forbidden(constant: str) -> Any:
    """JSON has no NaN and no Infinity."""
    raise ValueError(f"{constant} in its JSON")
