"""Errors that teach: what happened, on which operation, in which layer, at which line of the user's own code."""
from __future__ import annotations

import linecache
import os
import sys
from typing import Any

PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def user_line() -> str:
    """The innermost line outside this package and NumPy, as ``file.py:12: y = x @ w``; empty where there is none."""
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(PACKAGE) and f"{os.sep}numpy{os.sep}" not in file and not file.startswith("<frozen"):
            text = linecache.getline(file, frame.f_lineno).strip()
            return f"{os.path.basename(file)}:{frame.f_lineno}" + (f": {text}" if text else "")
        frame = frame.f_back
    return ""


def describe(x: object) -> str:
    """How an operand is named in a message: an array by shape and dtype, a number by itself, the rest by type."""
    payload = getattr(x, "payload", x)
    if hasattr(payload, "shape") and hasattr(payload, "dtype"):
        return f"{tuple(payload.shape)} {payload.dtype}"
    if isinstance(payload, (int, float)):
        return f"{payload!r}"
    return type(payload).__name__


def message(what: str, *, op: str = "", inputs: tuple = (), layer: str = "", instead: str = "") -> str:
    """One message: what happened, the operation and its operands, the layer, the line, what to write instead."""
    lines = [what]
    if op:
        lines.append(f"  operation: {op}" + (f"({', '.join(map(describe, inputs))})" if inputs else ""))
    if layer:
        lines.append(f"  layer:     {layer}")
    if line := user_line():
        lines.append(f"  your line: {line}")
    if instead:
        lines.append(f"  instead:   {instead}")
    return "\n".join(lines)


def translated(error: Exception, op: str, inputs: tuple, layer: str) -> Exception:
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
        kind = TypeError
    what = str(error)
    instead = ""
    if isinstance(error, (OverflowError, ZeroDivisionError)) or "math domain" in what:
        kind, what = type(error), f"{what}: {op} is not defined, or not finite, at this value"
    elif "could not be broadcast" in what or "mismatch in its core dimension" in what:
        shapes = [tuple(p.shape) for p in (getattr(x, "payload", x) for x in inputs) if hasattr(p, "shape")]
        what, instead = shape_advice(op, shapes, what)
    return kind(message(what, op=op, inputs=inputs, layer=layer, instead=instead))


def shape_advice(op: str, shapes: list[tuple], what: str) -> tuple[str, str]:
    """The sentence and the remedy for operands whose shapes do not fit together."""
    if op == "@" and len(shapes) == 2:
        a, b = shapes
        inner = f"{a[-1] if a else '()'} and {b[-2] if len(b) > 1 else b[-1] if b else '()'}"
        what = f"mat1 and mat2 shapes cannot be multiplied: {a} @ {b}, the inner sizes {inner} differ"
        if len(b) > 1 and a and a[-1] == b[-1]:
            return what, "transpose the second: a @ b.mT"
        return what, "the last size of the first must equal the second-last size of the second"
    if op == "linear" and len(shapes) > 1:
        x, w = shapes[0], shapes[1][::-1]
        return (f"mat1 and mat2 shapes cannot be multiplied ({'x'.join(map(str, x))} and {'x'.join(map(str, w))}): the "
                f"layer takes {w[0]} features, the input has {x[-1] if x else 'no dimension'}",
                f"give it an input of shape (..., {w[0]}), or make the layer Linear({x[-1] if x else 1}, {w[1]})")
    text = " and ".join(map(str, shapes)) or what
    return (f"The shapes {text} do not fit: counted from the right, two sizes must be equal or one of them 1",
            "insert a dimension of size 1 with unsqueeze, or bring one to the other's shape with reshape")


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
    return kind(message(str(error), op=f"{op.name}, in place", inputs=(x, *others), layer=layer,
                        instead="x = x + y makes a new tensor of the common shape and dtype"))
