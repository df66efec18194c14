"""Errors that teach: what happened, on which operation, in which layer, at which line of the user's own code."""
from __future__ import annotations

import linecache
import os
import sys

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
    text = " and ".join(map(str, shapes)) or what
    return (f"The shapes {text} do not fit: counted from the right, two sizes must be equal or one of them 1",
            "insert a dimension of size 1 with unsqueeze, or bring one to the other's shape with reshape")


class LinAlgError(RuntimeError):
    """A matrix that is singular, or not positive definite, where it must be (torch.linalg.LinAlgError)."""
