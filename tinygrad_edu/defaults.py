"""What holds where nothing is said: the dtype of Python floats, and the one device."""
from __future__ import annotations

from typing import Any

import numpy as np

from .errors import message
from .functions.layout import array
from .graph import Node, Primitive

F16, F64, I64 = np.dtype(np.float16), np.dtype(np.float64), np.dtype(np.int64)


class Default:
    """The dtype that Python floats become."""

    dtype = np.dtype(np.float32)


def promoted(y: np.ndarray, op: Primitive, inputs: tuple, params: dict[str, Any]) -> np.ndarray:
    """``y`` in the dtype that PyTorch gives: tensors with dimensions decide, a 0-d tensor or a number only where it is
    of a higher kind (bool < int < float); whole numbers that meet a float become the default float."""
    dims, zeros = [], []
    for x in inputs:
        p = x.payload if isinstance(x, Node) else x
        if isinstance(p, np.ndarray):
            (dims if p.ndim else zeros).append(p.dtype)
        elif isinstance(p, (list, tuple)):
            raise TypeError(message(f"unsupported operand type(s) for {op.name}: "
                                    f"{' and '.join(repr(type(x).__name__) for x in inputs)}", op=op.name,
                                    inputs=inputs, instead="tg.tensor(...) of it"))
    if y.dtype is F16 and F16 not in (*dims, *zeros):     # NumPy computes with masks in half precision
        y = np.asarray(op.fn(*[array(x).astype(np.float32) for x in inputs], **params))
    if y.dtype.kind in "iu" and op.name in ("//", "%", "fmod") and not np.all(array(inputs[1])):
        raise RuntimeError(message("ZeroDivisionError: a whole number divided by 0", op=op.name, inputs=inputs,
                                   instead="a / b, which gives inf and nan, or a divisor without zeros"))
    if y.dtype.kind not in "fiu":
        return y
    if y.dtype is F64 and F64 in dims:
        return y
    of = {"b": 0, "i": 1, "u": 1, "f": 2}
    dtype = np.result_type(*dims) if dims else None
    if dims and {d.kind for d in dims} > {"f"}:       # ints among floats do not widen them
        dtype = np.result_type(*(d for d in dims if d.kind == "f"))
    weak = None                                       # that of the 0-d ones among themselves
    for d in zeros:
        if weak is None or of[d.kind] > of[weak.kind]:
            weak = d
        elif of[d.kind] == of[weak.kind]:
            weak = np.result_type(weak, d)
    if weak is not None and (dtype is None or of[weak.kind] > of[dtype.kind]):
        dtype = weak
    if dtype is None or of[y.dtype.kind] > of[dtype.kind]:
        dtype = Default.dtype if y.dtype.kind == "f" else I64
    return y if y.dtype is dtype else y.astype(dtype)


def float_dtype(dtype: Any) -> np.dtype:
    """The floating-point dtype asked for, or the default."""
    dtype = Default.dtype if dtype is None else np.dtype(dtype)
    if dtype.kind != "f":
        raise NotImplementedError(message(f"random floats are not implemented for {dtype}", instead="tg.randint(...)"))
    return dtype


class device:
    """Where a tensor lives: a ``type`` and perhaps an ``index``. Here that is the CPU; other names can be written down,
    but not used.

    >>> tg.device("cuda" if tg.cuda.is_available() else "cpu")
    device(type='cpu')
    """

    def __init__(self, type: Any, index: int | None = None):
        self.type, _, number = str(type).partition(":")
        self.index = int(number) if number else index

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return f"device(type={self.type!r}" + (")" if self.index is None else f", index={self.index})")

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


CPU = device("cpu")


def on_cpu(where: Any) -> None:
    """Refuse every device but the CPU."""
    if where is not None and str(where).split(":")[0] != "cpu":
        raise RuntimeError(message(f"there is no device {str(where)!r} here: everything runs on the CPU",
                                   instead='device="cpu"'))
