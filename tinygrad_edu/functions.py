"""PyTorch's top-level functions that are neither primitives nor reductions: questions about tensors, short products."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from .ops import elementwise as ew
from .ops import fused as fu
from .ops import linalg as la
from .ops import shape as sh
from .tensor import Tensor

__all__ = ["addcdiv", "addcmul", "addmm", "allclose", "argwhere", "bincount", "clip", "cuda", "e", "equal", "inf",
           "inner", "is_floating_point", "is_nonzero", "log_softmax", "nan", "newaxis", "nonzero", "numel", "pi",
           "softmax", "unique"]

pi, e, inf, nan, newaxis = math.pi, math.e, math.inf, math.nan, None
clip = ew.clamp


class cuda:                                           # noqa: N801  (PyTorch's name)
    """There is no GPU here: ``"cuda" if torch.cuda.is_available() else "cpu"`` chooses the CPU."""

    @staticmethod
    def is_available() -> bool:
        """False."""
        return False

    @staticmethod
    def device_count() -> int:
        """0."""
        return 0

    @staticmethod
    def manual_seed_all(seed: int) -> None:
        """Nothing: there is no GPU to seed."""


def equal(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors have the same shape and the same elements.

    >>> equal(tensor([1., 2.]), tensor([1., 2.]))
    True
    """
    return bool(np.array_equal(sh.array(a), sh.array(b)))


def allclose(a: Tensor, b: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether |a - b| <= atol + rtol |b| holds for all elements.

    >>> allclose(tensor([1.]), tensor([1. + 1e-9]))
    True
    """
    return bool(np.allclose(sh.array(a), sh.array(b), rtol, atol, equal_nan))


def numel(x: Tensor) -> int:
    """The number of elements."""
    return x.numel()


def is_floating_point(x: Tensor) -> bool:
    """Whether the elements are floating-point numbers."""
    return x.is_floating_point()


def is_nonzero(x: Tensor) -> bool:
    """Whether the one element is not 0."""
    return bool(x)


def nonzero(x: Tensor, *, as_tuple: bool = False) -> Any:
    """The indices of the elements that are not 0: one row each, or one tensor for each dimension.

    >>> nonzero(tensor([0, 3, 0, 4])).tolist()
    [[1], [3]]
    """
    found = np.nonzero(np.atleast_1d(sh.array(x)))
    return tuple(map(Tensor._leaf, found)) if as_tuple else Tensor._leaf(np.stack(found, 1))


argwhere = nonzero


def unique(x: Tensor, return_inverse: bool = False, return_counts: bool = False) -> Any:
    """The different elements, sorted; where each went, and how often each occurs.

    >>> unique(tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    found = np.unique(sh.array(x), return_inverse=return_inverse, return_counts=return_counts)
    return tuple(map(Tensor._leaf, found)) if isinstance(found, tuple) else Tensor._leaf(found)


def bincount(x: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each whole number 0, 1, 2, ... occurs.

    >>> bincount(tensor([0, 2, 2])).tolist()
    [1, 0, 2]
    """
    return Tensor._leaf(np.bincount(sh.array(x), None if weights is None else sh.array(weights), minlength))


def softmax(x: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """e^x / sum e^x along ``dim``.

    >>> softmax(tensor([0., 0.]), 0)
    tensor([0.5000, 0.5000])
    """
    return fu.softmax(x if dtype is None else x.to(dtype), dim=sh.axis(dim, x.ndim))


def log_softmax(x: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """x - log sum e^x along ``dim``."""
    return fu.log_softmax(x if dtype is None else x.to(dtype), dim=sh.axis(dim, x.ndim))


def addmm(x: Tensor, a: Tensor, b: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta x + alpha a b."""
    return beta * x + alpha * la.mm(a, b)


def addcmul(x: Tensor, a: Tensor, b: Tensor, *, value: float = 1) -> Tensor:
    """x + value a b, element by element."""
    return x + value * a * b


def addcdiv(x: Tensor, a: Tensor, b: Tensor, *, value: float = 1) -> Tensor:
    """x + value a / b, element by element."""
    return x + value * (a / b)


def inner(a: Any, b: Any) -> Any:
    """The products of a's and b's vectors along the last dimension of each."""
    return a @ b.T if getattr(b, "ndim", 0) > 1 else a @ b
