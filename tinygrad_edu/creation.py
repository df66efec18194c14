"""Tensors from data and from shapes, and the dtypes, with PyTorch's defaults."""
from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .defaults import Default, device, on_cpu
from .errors import message
from .graph import Node
from .mode import capturing, constant, derived
from .tensor import Tensor

__all__ = ["arange", "as_tensor", "asarray", "can_cast", "device", "double", "empty", "empty_like", "eye", "finfo",
           "float16",
           "float32", "float64", "from_numpy", "full", "full_like", "get_default_dtype", "half", "iinfo", "int16",
           "int32",
           "int64", "int8", "is_tensor", "linspace", "logspace", "long", "ones", "ones_like", "promote_types",
           "result_type", "set_default_dtype", "short", "tensor", "tril_indices", "triu_indices", "uint8", "zeros",
           "zeros_like"]

float16, float32, float64 = np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)
int8, int16, int32, int64 = np.dtype(np.int8), np.dtype(np.int16), np.dtype(np.int32), np.dtype(np.int64)
uint8, bool_ = np.dtype(np.uint8), np.dtype(np.bool_)
half, double, short, long = float16, float64, int16, int64
DTYPES = {float16, float32, float64, int8, int16, int32, int64, uint8, bool_}
CATEGORY = {"b": 0, "i": 1, "u": 1, "f": 2}           # bool < int < float


# ---- dtypes and devices ---------------------------------------------------------------------------------------------
def get_default_dtype() -> np.dtype:
    """The dtype that Python floats become: float32 unless set otherwise."""
    return Default.dtype


def set_default_dtype(d: Any) -> None:
    """Let Python floats become float32 or float64 (or float16)."""
    if np.dtype(d).kind != "f":
        raise TypeError(message("only floating-point types are supported as the default type", op="set_default_dtype",
                                instead="tg.set_default_dtype(tg.float64)"))
    Default.dtype = np.dtype(d)


def promote_types(type1: Any, type2: Any) -> np.dtype:
    """The dtype of an operation on tensors of these two: the higher of bool < int < float decides.

    >>> tg.promote_types(tg.int64, tg.float32)
    dtype('float32')
    """
    a, b = np.dtype(type1), np.dtype(type2)
    if CATEGORY[a.kind] != CATEGORY[b.kind]:
        return max(a, b, key=lambda d: CATEGORY[d.kind])
    return np.promote_types(a, b)


def result_type(tensor1: Any, tensor2: Any) -> np.dtype:
    """The dtype of an operation on these two tensors or numbers: a tensor with dimensions wins over one without,
    and that over a number, unless the weaker one is of a higher category.

    >>> tg.result_type(tg.ones(2), 1.5), tg.result_type(tg.tensor([1]), 1.5)
    (dtype('float32'), dtype('float32'))
    """
    def rank(x: Any) -> tuple[int, np.dtype]:
        if isinstance(x, Tensor):
            return (2 if x.ndim else 1), x.dtype
        return 0, bool_ if isinstance(x, bool) else int64 if isinstance(x, int) else Default.dtype

    (low, weak), (high, strong) = sorted((rank(tensor1), rank(tensor2)), key=lambda pair: pair[0])
    if low == high:
        return promote_types(weak, strong)
    return weak if CATEGORY[weak.kind] > CATEGORY[strong.kind] else strong


def can_cast(from_: Any, to: Any) -> bool:
    """Whether the cast stays in the same category of bool < int < float, or goes up."""
    return CATEGORY[np.dtype(from_).kind] <= CATEGORY[np.dtype(to).kind]


class finfo:
    """The limits of a floating-point dtype as Python floats: eps, max, min, tiny, bits (torch.finfo)."""

    def __init__(self, dtype: Any = None):
        info = np.finfo(Default.dtype if dtype is None else dtype)
        self.bits, self.dtype = info.bits, info.dtype.name
        self.eps, self.max, self.min = float(info.eps), float(info.max), float(info.min)
        self.tiny = self.smallest_normal = float(info.tiny)
        self.resolution = float(info.resolution)


iinfo = np.iinfo


def is_tensor(obj: Any) -> bool:
    """Whether this is a Tensor."""
    return isinstance(obj, Tensor)


# ---- from data ------------------------------------------------------------------------------------------------------
def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor with a copy of ``data``: a number, nested lists, or an array.

    Python floats become the default dtype, whole numbers int64, True and False bool; arrays keep their dtype.

    >>> tg.tensor([[1, 2], [3, 4]]).dtype, tg.tensor([1.5]).dtype
    (dtype('int64'), dtype('float32'))
    """
    on_cpu(device)
    if isinstance(data, Tensor):
        warnings.warn("To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
                      "sourceTensor.detach().clone().requires_grad_(True), rather than tensor(sourceTensor).",
                      UserWarning, stacklevel=2)
    array = plain(data, dtype)
    return Tensor._leaf(derived(np.array(array), array), requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """``data`` as a tensor, without a copy where possible: a tensor stays itself, an array shares its memory."""
    on_cpu(device)
    if isinstance(data, Tensor):
        return data if dtype is None or data.dtype == np.dtype(dtype) else data.to(dtype)
    return Tensor._leaf(plain(data, dtype))


def asarray(obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None,
            requires_grad: bool = False) -> Tensor:
    """``obj`` as a tensor; with ``copy=True`` in memory of its own."""
    t = as_tensor(obj, dtype, device)
    t = t.clone() if copy and t.payload is getattr(obj, "payload", obj) else t
    return t.detach().requires_grad_() if requires_grad else t


def from_numpy(ndarray: np.ndarray) -> Tensor:
    """A tensor that shares the memory of the array: a change of one is seen in the other.

    >>> a = np.zeros(2)
    >>> t = tg.from_numpy(a)
    >>> a[0] = 5
    >>> t.tolist()
    [5.0, 0.0]
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(message(f"expected np.ndarray (got {type(ndarray).__name__})", instead="tg.tensor(data)"))
    return Tensor._leaf(plain(ndarray, None))


def plain(data: Any, dtype: Any) -> np.ndarray:
    """The data as an array in PyTorch's dtype for it; the array itself where it fits already."""
    if isinstance(data, (np.ndarray, np.generic, Tensor)):
        array = np.asarray(getattr(data, "payload", data))
        if array.dtype not in DTYPES:
            raise TypeError(message(f"can't convert np.ndarray of type {array.dtype}. The only supported types are: "
                                    + ", ".join(sorted(map(str, DTYPES))), instead="x.astype(np.float32)"))
        return derived(array if dtype is None else array.astype(dtype, copy=False), data)
    data = list(data) if isinstance(data, range) else data
    if watcher := capturing():
        data = watcher.fixed_list(data)
    first = data
    while isinstance(first, (list, tuple)) and first:
        first = first[0]
    if isinstance(first, (Node, np.generic, np.ndarray)):
        data = numbers(data)
    try:
        array = np.array(data)
    except ValueError:
        raise ragged(data) from None
    kind = array.dtype.kind
    if array.size == 0 and isinstance(first, (list, tuple)):
        return constant(array.astype(Default.dtype if dtype is None else dtype))
    if isinstance(first, str):
        raise (TypeError if isinstance(data, str) else ValueError)(message(
            "new(): invalid data type 'str'", op="tensor", instead="numbers, or lists of numbers"))
    if isinstance(first, int) and kind in "Ou":
        raise ValueError(message("Overflow when unpacking long: a whole number needs more than 64 bits", op="tensor",
                                 instead="dtype float64, by writing the number with a decimal point"))
    if kind not in CATEGORY:
        raise RuntimeError(message(f"Could not infer dtype of {type(first).__name__}", op="tensor",
                                   instead="numbers, or nested lists of numbers"))
    if dtype is None:
        own = getattr(first, "dtype", None)           # NumPy's numbers, arrays and Tensors bring theirs
        own = own if own is not None and own.kind == kind else Default.dtype if kind == "f" else array.dtype
        return constant(array.astype(own, copy=False))
    cast = array.astype(dtype, copy=False)
    if kind == "i" and cast.dtype.kind in "iu" and np.any(cast != array):
        raise RuntimeError(message(f"value cannot be converted to type {cast.dtype} without overflow", op="tensor",
                                   instead="dtype=tg.int64, or a number that the dtype holds"))
    return constant(cast)


def numbers(data: Any) -> Any:
    """Nested lists with each Tensor or Value of one element replaced by its number."""
    if isinstance(data, (list, tuple)):
        return [numbers(x) for x in data]
    if isinstance(data, Tensor) and data.numel() != 1:
        raise ValueError(message("only one element tensors can be converted to Python scalars", op="tensor",
                                 inputs=(data,), instead="tg.stack([...]), which keeps the graph too"))
    return number(data)


def number(x: Any) -> Any:
    """A Tensor or Value of one element as its number; anything else as it is."""
    if watcher := capturing():
        x = watcher.fixed_list(x)
    return x.payload.item() if isinstance(x, Tensor) else x.payload if isinstance(x, Node) else x


def ragged(data: Any) -> Exception:
    """The error that PyTorch raises for nested lists that are not a box, with the place where they differ."""
    level, first, dim = [data], data, 0
    while isinstance(first, (list, tuple)) and first:
        for x in level:
            if not isinstance(x, (list, tuple)):
                return TypeError(message(f"not a sequence: {x!r} beside lists at dim {dim}", op="tensor",
                                         instead="lists of equal depth"))
            if len(x) != len(first):
                return ValueError(message(f"expected sequence of length {len(first)} at dim {dim} (got {len(x)})",
                                          op="tensor", instead="lists of equal length, padded for instance with zeros"))
        level, first, dim = [e for x in level for e in x], first[0], dim + 1
    return TypeError(message(f"a list beside numbers at dim {dim}", op="tensor", instead="lists of equal depth"))


# ---- from a shape ---------------------------------------------------------------------------------------------------
def size_of(size: Sequence[Any], name: str) -> tuple[int, ...]:
    """The shape in ``zeros(2, 3)``, ``zeros((2, 3))`` or ``zeros([2, 3])``."""
    if len(size) == 1 and isinstance(size[0], (tuple, list)):
        size = size[0]
    try:
        shape = tuple(operator.index(n) for n in size)
    except TypeError:
        raise TypeError(message(f"{name}(): argument 'size' must be tuple of ints, not {size}", op=name,
                                instead=f"tg.{name}(2, 3)")) from None
    if any(n < 0 for n in shape):
        raise RuntimeError(message(f"{name}: Dimension size must be non-negative, not {shape}", op=name,
                                   instead=f"tg.{name}{tuple(map(abs, shape))}"))
    return shape


def written(array: np.ndarray, requires_grad: bool = False) -> Tensor:
    """A leaf with numbers that depend on nothing but the code and plain numbers: a captured program keeps it."""
    return constant(Tensor._leaf(array, requires_grad))


def filled(size: Sequence[Any], name: str, value: Any, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    """A tensor of this shape with the same number everywhere."""
    on_cpu(device)
    return written(np.full(size_of(size, name), value, Default.dtype if dtype is None else dtype), requires_grad)


def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of this shape.

    >>> tg.zeros(2, 3).shape
    (2, 3)
    """
    return filled(size, "zeros", 0, dtype, device, requires_grad)


def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of this shape."""
    return filled(size, "ones", 1, dtype, device, requires_grad)


def empty(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of this shape whose numbers are whatever the memory holds."""
    on_cpu(device)
    return written(np.empty(size_of(size, "empty"), Default.dtype if dtype is None else dtype), requires_grad)


def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """The same number everywhere; its kind decides the dtype: True bool, 1 int64, 1.0 the default.

    >>> tg.full((2,), 7).tolist()
    [7, 7]
    """
    value = number(fill_value)
    if not isinstance(value, (int, float, np.generic)) or isinstance(size, int):
        what = "'size' must be tuple of ints" if isinstance(size, int) else "'fill_value' must be Number"
        raise TypeError(message(f"full(): argument {what}, not {type(size if 'size' in what else value).__name__}",
                                op="full", instead="tg.full((2, 3), 1.0)"))
    return filled((size,), "full", value, result_type(value, value) if dtype is None else dtype, device, requires_grad)


def zeros_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros in the shape and dtype of ``input``."""
    return filled(input.shape, "zeros", 0, dtype or input.dtype, device, requires_grad)


def ones_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones in the shape and dtype of ``input``."""
    return filled(input.shape, "ones", 1, dtype or input.dtype, device, requires_grad)


def empty_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Memory in the shape and dtype of ``input``."""
    return empty(input.shape, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def full_like(input: Tensor, fill_value: Any, *, dtype: Any = None, device: Any = None,
              requires_grad: bool = False) -> Tensor:
    """The same number everywhere, in the shape and dtype of ``input``."""
    return full(input.shape, fill_value, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def eye(n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """The identity matrix, n by n or n by m."""
    on_cpu(device)
    n, m = size_of((n, n if m is None else m), "eye")
    return written(np.eye(n, m, dtype=Default.dtype if dtype is None else dtype), requires_grad)


def arange(start: Any = 0, end: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None,
           requires_grad: bool = False) -> Tensor:
    """start, start + step, ... as long as below end (above it, for a negative step).

    >>> tg.arange(4).tolist(), tg.arange(0, 1, 0.25).tolist()
    ([0, 1, 2, 3], [0.0, 0.25, 0.5, 0.75])
    """
    on_cpu(device)
    start, end = (0, start) if end is None else (start, end)
    start, end, step = number(start), number(end), number(step)
    if step == 0:
        raise RuntimeError(message("step must be nonzero", op="arange",
                                   instead=f"tg.arange({start}, {end}), whose step is 1"))
    count = math.ceil((end - start) / step)
    if count < 0:
        raise RuntimeError(message("upper bound and lower bound inconsistent with step sign", op="arange",
                                   instead=f"tg.arange({start}, {end}, {-step})"))
    if dtype is None:
        dtype = int64 if all(isinstance(x, (int, np.integer)) for x in (start, end, step)) else Default.dtype
    return written((start + step * np.arange(count)).astype(dtype, copy=False), requires_grad)


def linspace(start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None,
             requires_grad: bool = False) -> Tensor:
    """``steps`` numbers from start to end, both included, at equal distances.

    >>> tg.linspace(0, 1, 3).tolist()
    [0.0, 0.5, 1.0]
    """
    on_cpu(device)
    start, end, steps = float(start), float(end), operator.index(steps)
    if steps < 0:
        raise RuntimeError(message("number of steps must be non-negative", op="linspace",
                                   instead=f"tg.linspace({start}, {end}, {-steps})"))
    return written(np.linspace(start, end, steps).astype(Default.dtype if dtype is None else dtype), requires_grad)


def logspace(start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None, device: Any = None,
             requires_grad: bool = False) -> Tensor:
    """``steps`` numbers from base^start to base^end, both included, at equal ratios."""
    exponents = linspace(start, end, steps, dtype=float64, device=device)
    return written(np.power(float(base), exponents.payload).astype(Default.dtype if dtype is None else dtype),
                   requires_grad)


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = int64, device: Any = None) -> Tensor:
    """The rows and columns of the lower triangle of a row by col matrix, as a tensor with two rows."""
    on_cpu(device)
    row, col, offset = map(operator.index, (row, col, offset))
    return written(np.array(np.tril_indices(row, offset, col), dtype))


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = int64, device: Any = None) -> Tensor:
    """The rows and columns of the upper triangle of a row by col matrix, as a tensor with two rows."""
    on_cpu(device)
    row, col, offset = map(operator.index, (row, col, offset))
    return written(np.array(np.triu_indices(row, offset, col), dtype))
