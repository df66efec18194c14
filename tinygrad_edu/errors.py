"""Errors that teach: what happened, on which operation, in which layer, at which line of the user's own code."""
from __future__ import annotations

import linecache
import os
import re
import sys
from types import FrameType
from typing import Any

from .mode import local

PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep
FUNCTIONS = (f"{PACKAGE}functions{os.sep}", f"{PACKAGE}methods.py", f"{PACKAGE}nn{os.sep}")    # where PyTorch's stand
LAYERS = ("forward", "__call__")                      # methods there that call them
HELPERS = ("axis", "axes", "sizes")                   # functions there that users do not call
INTERNAL = {"share"}                                  # parameters of primitives that no call of a user's has
BETWEEN = re.compile(rf"^<frozen|{re.escape(os.sep)}numpy{re.escape(os.sep)}")    # files that are neither ours nor his


def user_line() -> str:
    """The innermost line outside this package and NumPy, as ``file.py:12: y = x @ w``; empty where there is none."""
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(PACKAGE) and not BETWEEN.search(file):
            text = linecache.getline(file, frame.f_lineno).strip()
            return f"{os.path.basename(file)}:{frame.f_lineno}" + (f": {text}" if text else "")
        frame = frame.f_back
    return ""


def called() -> tuple[str, tuple]:
    """The function of this package that the user's line called, and the arrays among its arguments; where a layer
    stands between, the one of PyTorch's functions that it called."""
    frame: FrameType | None = sys._getframe(2)
    found: FrameType | None = None
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(PACKAGE):
            inside = found and found.f_code.co_filename.startswith(FUNCTIONS) and found.f_code.co_name not in HELPERS
            if inside and (frame.f_code.co_name in LAYERS or not file.startswith(FUNCTIONS)):
                break
            found = frame if frame.f_code.co_name[0] != "<" else found
        elif not BETWEEN.search(file):
            break
        frame = frame.f_back
    if found is None:
        return "", ()
    code, given, name = found.f_code, found.f_locals, found.f_code.co_name
    names = code.co_varnames[:code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4)]
    values = [given.get(n) for n in names]
    inputs = [x for v in values for x in (v if isinstance(v, (list, tuple)) else (v,)) if is_array(x)]
    special = name.startswith("__") or name in LAYERS
    if (owner := type(given.get("self"))) is type(None) or hasattr(owner, "payload"):
        return name.strip("_") if special else name, tuple(inputs)
    return owner.__name__ if special else f"{owner.__name__}.{name}", tuple(inputs)


def is_array(x: object) -> bool:
    """Whether x is a Tensor or an array."""
    return hasattr(type(x), "shape") and hasattr(type(x), "dtype")


def describe(x: object) -> str:
    """How an operand is named in a message: an array by shape and dtype, a number by itself, the rest by type."""
    payload = getattr(x, "payload", x)
    if hasattr(payload, "shape") and hasattr(payload, "dtype"):
        return f"{tuple(payload.shape)} {payload.dtype}"
    if isinstance(payload, (int, float)) or payload is None or (isinstance(payload, str) and len(payload) < 40):
        return f"{payload!r}"
    if isinstance(payload, tuple):
        return f"({', '.join(map(describe, payload))}{',' * (len(payload) == 1)})"
    if isinstance(payload, slice):
        return ":".join("" if i is None else str(i) for i in (payload.start, payload.stop))
    return "..." if payload is Ellipsis else type(payload).__name__


def message(what: str, *, op: str | None = "", inputs: tuple = (), params: dict[str, Any] | None = None,
            layer: str = "", instead: str = "") -> str:
    """One message: what happened, the operation and its operands, the layer, the line, what to write instead.

    The operation, where it is not given, is what the user called (with None the message names none); the layer is the
    one that computes now.
    """
    if op == "":
        op, found = called()
        inputs = inputs or found
    operands = [*map(describe, inputs), *(f"{name}={describe(value)}" for name, value in (params or {}).items()
                                            if name not in INTERNAL)]
    lines = [what]
    if op:
        lines.append(f"  operation: {op}" + (f"({', '.join(operands)})" if operands else ""))
    if layer := layer or local.mode.note.layer:
        lines.append(f"  layer:     {layer}")
    if line := user_line():
        lines.append(f"  your line: {line}")
    if instead:
        lines.append(f"  instead:   {instead}")
    return "\n".join(lines)


def translated(error: Exception, op: str, inputs: tuple, layer: str, params: dict[str, Any]) -> Exception:
    """An error that NumPy or Python raised inside a primitive, as the exception that PyTorch raises there.

    A shape that does not fit is a RuntimeError, an axis out of range an IndexError, a wrong type a TypeError.
    """
    kind: type[Exception] = type(error)
    if "operation:" in str(error):                    # already explained further in
        return error
    if isinstance(error, IndexError):                 # includes numpy.exceptions.AxisError
        kind = IndexError
    elif type(error).__name__ == "LinAlgError":
        kind = LinAlgError
    elif isinstance(error, (ValueError, NotImplementedError)):
        kind = RuntimeError
    elif isinstance(error, TypeError):
        numbers = all(is_array(x) or isinstance(x, (int, float)) for x in inputs)
        kind = NotImplementedError if numbers and op != "~" and str(error).startswith("ufunc") else TypeError
    what, instead = advice(error, op, inputs, params)
    if isinstance(error, AttributeError) and (wrong := [i for i, x in enumerate(inputs) if not is_array(x)]):
        first = wrong[0]
        which = "'input' " if first == 0 else ""
        kind, what = TypeError, (f"{op}(): argument {which}(position {first + 1}) must be Tensor, not "
                                 f"{type(inputs[first]).__name__}")
        instead = "tg.tensor(...) of it"
    if isinstance(error, (OverflowError, ZeroDivisionError)) or "math domain" in what:
        kind = type(error)
    elif "with two bool tensors" in what or "on a bool tensor" in what:
        kind = RuntimeError
    return kind(message(what, op=op, inputs=inputs, params=params, layer=layer, instead=instead))


MADE_NEW = "x = x + y, which makes a new tensor of the common shape and dtype"
# What NumPy says -> PyTorch's first sentence for it (empty: NumPy's own), and what to write instead.
KNOWN = [(re.compile(said), what, instead) for said, what, instead in (
    (r"^index (\S+) is out of bounds for axis (\d+) with size (\d+)",
     r"index \1 is out of bounds for dimension \2 with size \3", r"an index i with -\3 <= i < \3"),
    (r"^too many indices for array: array is (\d+)-dim.*", r"too many indices for tensor of dimension \1",
     r"at most \1 of them, one for each dimension"),
    (r"^boolean index did not match.* axis (\d+); size of axis is (\d+) but size of .* boolean axis is (\d+)",
     r"The shape of the mask [\3] at index \1 does not match the shape of the indexed tensor [\2] at index \1",
     "a mask of the tensor's own shape, as in x[x > 0]"),
    (r"^shape mismatch: indexing arrays could not be broadcast together with shapes (.*)",
     r"shape mismatch: indexing tensors could not be broadcast together with shapes \1",
     "index tensors of one shape, or first the rows and then the columns: x[rows][:, columns]"),
    (r"^axis (\S+) is out of bounds for array of dimension (\d+)",
     r"Dimension out of range (there are \2 of them, but got \1)", r"a dimension d with -\2 <= d < \2"),
    (r"^can only specify one unknown dimension", "only one dimension can be inferred",
     "-1 for one size, and numbers for the others"),
    (r"must have same number of dimensions.*", "Tensors must have same number of dimensions",
     "x.unsqueeze(dim), which inserts a dimension of size 1"),
    (r"^Matrix is not positive definite", "linalg.cholesky: The factorization could not be completed because the input "
     "is not positive-definite", "a symmetric matrix with eigenvalues above 0, for instance a @ a.mT + tg.eye(n)"),
    (r"must be batches of square matrices", "", "tg.linalg.pinv(a), or tg.linalg.lstsq(a, b), which take any matrix"),
    (r"Expected a floating point tensor", "", "x.float()"),
    (r"expected a matrix", "", "x.diagonal(dim1=-2, dim2=-1).sum(-1) for many matrices"),
    (r"^Singular matrix", "", "tg.linalg.pinv(a), which exists for every matrix"),
    (r"zero-size array", "", "a tensor with elements; x.numel() counts them"),
    (r"negative integer powers", "", "x.float() ** y"),
    (r"negative dimensions", "", "sizes that are not negative"),
    (r"numpy boolean subtract.*", "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` "
     "or `logical_xor()` operator instead.", "x ^ y, or x.long() - y.long()"),
    (r".*numpy boolean negative.*", "Negation, the `-` operator, on a bool tensor is not supported. If you are trying "
     "to invert a mask, use the `~` or `logical_not()` operator instead.", "~x, or -x.long()"),
    (r"^Cannot cast ufunc .* output from dtype\('(\w+)'\) to dtype\('(\w+)'\) .*",
     r"result type \1 can't be cast to the desired output type \2", MADE_NEW),
    (r"^output with shape|^Cannot cast", "", MADE_NEW),
    (r"unsupported operand|not supported for the input types|did not contain a loop", "",
     "numbers, arrays or Tensors; x.bool(), x.long() and x.float() change the dtype"),
)]


def advice(error: Exception, op: str, inputs: tuple, params: dict[str, Any]) -> tuple[str, str]:
    """What happened, in PyTorch's words where it has some, and what to write instead."""
    what = str(error)
    shapes = [tuple(p.shape) for p in (getattr(x, "payload", x) for x in inputs) if hasattr(p, "shape")]
    if isinstance(error, (OverflowError, ZeroDivisionError)) or "math domain" in what:
        return f"{what}: {op} is not defined, or not finite, at this value", "a value at which it is"
    if "does not have enough dimensions" in what and len(shapes) == 2:
        return ("both arguments to matmul need to be at least 1D, but they are "
                f"{len(shapes[0])}D and {len(shapes[1])}D"), "a * b, where one of them is a single number"
    if what.startswith("cannot reshape array") and "shape" in params:
        size, wanted = re.findall(r"size (\d+)", what)[0], list(params["shape"])
        return f"shape '{wanted}' is invalid for input of size {size}", (
            f"sizes whose product is {size}, one of which may be -1")
    if "except for the concatenation axis" in what:
        where, _, first, number, other = re.findall(r"\d+", what)
        return (f"Sizes of tensors must match except in dimension {params.get('dim', 0)}. Expected size {first} but "
                f"got size {other} for tensor number {number} in the list."), (
            f"dim={where}, if they are to be joined along that one; else tensors of equal sizes")
    if what.startswith("could not broadcast input array"):
        return expansion(*[tuple(map(int, re.findall(r"\d+", shape))) for shape in re.findall(r"\(.*?\)", what)[:2]])
    if what.startswith("non-broadcastable output"):
        have, want = ([*map(int, re.findall(r"\d+", shape))] for shape in re.findall(r"\(.*?\)", what)[:2])
        return f"output with shape {have} doesn't match the broadcast shape {want}", MADE_NEW
    for said, ours, instead in KNOWN:
        if found := said.search(what):
            if what.startswith("ufunc"):
                given = [f"'{type(x).__name__}'" for x in inputs]
                if not all(is_array(x) or isinstance(x, (int, float)) for x in inputs):
                    return f"unsupported operand type(s) for {op}: {' and '.join(given)}", instead
                return f"{op} is not implemented for {' and '.join(map(describe, inputs))}", instead
            return found.expand(ours) if ours else what, found.expand(instead)
    if op == "einsum" and (said := subscripts(params.get("equation", ""), shapes)):
        return said, "one size for each subscript; another letter where the sizes differ"
    if "could not be broadcast" in what or "mismatch in its core dimension" in what:
        return shape_advice(op, shapes, what)
    return what, f"operands whose shapes and dtypes {op} takes; those given stand above"


def expansion(have: tuple, want: tuple) -> tuple[str, str]:
    """PyTorch's sentence for numbers of one shape that cannot fill another, and the remedy."""
    remedy = "only sizes of 1 expand, and new dimensions come first: x.unsqueeze(dim), or x.repeat(...)"
    for d in range(-1, -min(len(have), len(want)) - 1, -1):
        if have[d] not in (1, want[d]):
            return (f"The expanded size of the tensor ({want[d]}) must match the existing size ({have[d]}) at "
                    f"non-singleton dimension {d % len(want)}.  Target sizes: {list(want)}.  Tensor sizes: "
                    f"{list(have)}"), remedy
    return f"a tensor of shape {have} does not expand to {want}", remedy


def shape_advice(op: str, shapes: list[tuple], what: str) -> tuple[str, str]:
    """The sentence and the remedy for operands whose shapes do not fit together."""
    if op == "@" and len(shapes) == 2:
        a, b = shapes
        inner = a[-1], b[-2] if len(b) > 1 else b[-1]
        if inner[0] == inner[1]:
            return f"{unequal(a[:-2], b[:-2])}: the batches do not fit", (
                "batches of equal size, or one matrix for all: its batch is left out, or of size 1")
        what = (f"mat1 and mat2 shapes cannot be multiplied ({'x'.join(map(str, a))} and {'x'.join(map(str, b))}): the "
                f"inner sizes {inner[0]} and {inner[1]} differ")
        if len(b) > 1 and a and a[-1] == b[-1]:
            return what, "transpose the second: a @ b.mT"
        return what, "the last size of the first must equal the second-last size of the second"
    if op == "linear" and len(shapes) > 1:
        x, w = shapes[0], shapes[1][::-1]
        return (f"mat1 and mat2 shapes cannot be multiplied ({'x'.join(map(str, x))} and {'x'.join(map(str, w))}): the "
                f"layer takes {w[0]} features, the input has {x[-1] if x else 'no dimension'}",
                f"give it an input of shape (..., {w[0]}), or make the layer Linear({x[-1] if x else 1}, {w[1]})")
    text = next((said for i, a in enumerate(shapes) for b in shapes[i + 1:] if (said := unequal(a, b))), what)
    return (f"{text}: counted from the right, two sizes must be equal or one of them 1",
            "insert a dimension of size 1 with unsqueeze, or bring one to the other's shape with reshape")


def unequal(a: tuple, b: tuple) -> str:
    """PyTorch's sentence for two shapes that do not broadcast; empty where they do."""
    for d in range(-1, -min(len(a), len(b)) - 1, -1):
        if a[d] != b[d] and 1 not in (a[d], b[d]):
            return (f"The size of tensor a ({a[d]}) must match the size of tensor b ({b[d]}) at non-singleton "
                    f"dimension {d + max(len(a), len(b))}")
    return ""


def subscripts(equation: str, shapes: list[tuple]) -> str:
    """The subscript of an einsum that has two sizes, in PyTorch's words; empty where there is none."""
    seen: dict[str, int] = {}
    for i, (names, shape) in enumerate(zip(equation.split("->")[0].split(","), shapes, strict=False)):
        left, dots, right = names.partition("...")
        for name, n in [*zip(left, shape, strict=False), *zip(right[::-1], shape[::-1], strict=False)]:
            if n != 1 and seen.setdefault(name, n) != n:
                return (f"einsum(): subscript {name} has size {n} for operand {i} which does not broadcast with "
                        f"previously seen size {seen[name]}")
    return ""


class LinAlgError(RuntimeError):
    """A matrix that is singular, or not positive definite, where it must be (torch.linalg.LinAlgError)."""


def unregistered(func: Any, method: str, kwargs: dict) -> TypeError:
    """The refusal of a NumPy call that would silently drop the graph."""
    name = f"{getattr(func, '__module__', None) or 'numpy'}.{func.__name__}"
    name += "" if method == "__call__" else f".{method}"
    with_ = f" with {', '.join(kwargs)}=" if kwargs else ""
    return TypeError(message(f"{name}{with_} does not record gradients: no primitive is registered for it", op=name,
                             instead=f"compose it from registered functions, or call {name} on x.detach().numpy()"))


def freed(node: Any) -> RuntimeError:
    """The error of a second sweep through a graph whose history was given back."""
    return RuntimeError(message(
        "Trying to backward through the graph a second time: the first backward freed it as it passed",
        op=node.op.name if node.op else "", layer=node.note.layer,
        instead="loss.backward(retain_graph=True) the first time, or compute the loss again"))


class Spoiled:
    """Stands in the rules for a value that was changed in place after its use; asking more than its shape raises."""

    def __init__(self, x: Any, user: Any, value: Any):
        self._x, self._user, self._value = x, user, value

    def __getattr__(self, name: str) -> Any:
        if name in ("shape", "ndim", "dtype", "size"):
            return getattr(self._value, name)
        return self._refuse()

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        x, user = self._x, self._user
        who = f"{x.name or 'the input'}" if x is not user else "its own output"
        raise RuntimeError(message(
            "one of the variables needed for gradient computation has been modified by an inplace operation: "
            f"{who} was changed after {user.op.name if user.op else ''} used it",
            op=user.op.name if user.op else "", layer=user.note.layer,
            instead="change it after backward(), " + ("or make a new Value" if user.scalar else
                                                     "or work on a copy: x.clone(), x = x + 1 instead of x += 1")))

    __array_ufunc__ = __array_function__ = __array__ = __getitem__ = __float__ = __bool__ = __len__ = __iter__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse
    __pow__ = __rpow__ = __neg__ = __matmul__ = __rmatmul__ = __eq__ = __ne__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = __invert__ = __abs__ = _refuse


def broadcasts(shape: tuple, to: tuple) -> bool:
    """Whether an array of this shape broadcasts to the other."""
    return len(shape) <= len(to) and all(m in (1, n) for m, n in zip(shape[::-1], to[::-1], strict=False))


def misfit(c: Any, shape: tuple) -> Any:
    """The error of a rule whose result is not a gradient of its input."""
    got = "None" if c is None else f"shape {tuple(c.shape)}"
    raise RuntimeError(message(f"a derivative rule returned {got} for an input of shape {shape}",
                               op=None,
                               instead="one rule for each input, in their order, that gives an array of the shape of "
                                       "the output or of the input"))


def refuse_leaf(x: Any, op: Any) -> None:
    """PyTorch's error for changing a leaf that needs a gradient."""
    if x.op is None and x.requires_grad:
        raise RuntimeError(message("a leaf Variable that requires grad is being used in an in-place operation.",
                                   op=op.name, inputs=(x,), layer=x.note.layer,
                                   instead="with tg.no_grad(): x += ..., or x = x + ..."))


def refuse_view(x: Any, op: Any) -> None:
    """The error for a recorded change through a view."""
    if x.base is not None:
        raise RuntimeError(message("a recorded in-place operation on a view would leave the tensor that it views "
                                   "without this step in its history", op=op.name, inputs=(x,), layer=x.note.layer,
                                   instead="assign through the tensor itself: x[index] = ..., or work on x.clone()"))


def in_place_error(error: Exception, op: Any, x: Any, others: tuple, layer: str) -> Exception:
    """NumPy's refusal of an in-place operation as PyTorch's: a RuntimeError, or IndexError for an index."""
    kind = type(error) if isinstance(error, (IndexError, RuntimeError)) else RuntimeError
    if not all(is_array(y) or isinstance(y, (int, float)) for y in others):
        kind = TypeError
    what, instead = advice(error, op.name, (x, *others), {})
    return kind(message(what, op=f"{op.name}, in place", inputs=(x, *others), layer=layer, instead=instead))
