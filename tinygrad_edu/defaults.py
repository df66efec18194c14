"""What holds where nothing is said: the dtype of Python floats, and the one device."""
from __future__ import annotations

from typing import Any

import numpy as np

from .errors import message


class Default:
    """The dtype that Python floats become."""

    dtype = np.dtype(np.float32)


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
