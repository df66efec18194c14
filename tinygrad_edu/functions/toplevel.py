"""PyTorch's top-level functions that are neither primitives nor reductions: questions about tensors, short products."""
from __future__ import annotations

import math
from collections import namedtuple
from typing import Any

import numpy as np

from ..errors import message
from ..mode import assumed, constant
from ..ops import elementwise as ew
from ..ops import fused as fu
from . import linalg
from .elementwise import clamp
from .layout import array, axis, like, transpose
from .products import mm

__all__ = ["addcdiv", "addcmul", "addmm", "allclose", "argwhere", "bincount", "clip", "cuda", "e", "equal", "inf",
           "inner", "is_floating_point", "is_nonzero", "log_softmax", "nan", "newaxis", "nonzero", "numel", "pi",
           "softmax", "svd", "unique", "where"]

SVD = namedtuple("svd", "U S V")
pi, e, inf, nan, newaxis = math.pi, math.e, math.inf, math.nan, None
clip = clamp


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


def read(x: Any, what: str) -> np.ndarray:
    """The numbers of x, which leave the graph here."""
    if hasattr(x, "_escapes"):
        x._escapes(what)
    return array(x)


def told(x: Any, found: np.ndarray) -> Any:
    """What was found out about numbers that were ``read``, as what x is."""
    return constant(like(x, found)) if hasattr(x, "_escapes") else found


def equal(a: Any, b: Any) -> bool:
    """Whether two tensors have the same shape and the same elements.

    >>> equal(tensor([1., 2.]), tensor([1., 2.]))
    True
    """
    return bool(assumed(np.array_equal, array(a), array(b)))


def allclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether |a - b| <= atol + rtol |b| holds for all elements.

    >>> allclose(tensor([1.]), tensor([1. + 1e-9]))
    True
    """
    return bool(assumed(np.allclose, array(a), array(b), rtol, atol, equal_nan))


def numel(x: Any) -> int:
    """The number of elements."""
    return x.numel()


def is_floating_point(x: Any) -> bool:
    """Whether the elements are floating-point numbers."""
    return x.is_floating_point()


def is_nonzero(x: Any) -> bool:
    """Whether the one element is not 0."""
    return bool(x)


def nonzero(x: Any, *, as_tuple: bool = False) -> Any:
    """The indices of the elements that are not 0: one row each, or one tensor for each dimension.

    >>> nonzero(tensor([0, 3, 0, 4])).tolist()
    [[1], [3]]
    """
    numbers = read(x, "nonzero()")
    found = np.nonzero(np.atleast_1d(numbers))
    if as_tuple:
        return tuple([told(x, i) for i in found])
    return told(x, np.stack(found, 1)[:, :numbers.ndim])


argwhere = nonzero


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """``input`` where the condition is true, else ``other``; without them the indices of what is true."""
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    if input is None or other is None:
        raise TypeError(message("where() takes a condition alone, or two values to choose from", op="where",
                                inputs=(condition, input, other), instead="tg.where(condition, a, b)"))
    if getattr(condition, "dtype", np.bool_) != np.bool_:
        raise RuntimeError(message("where expected condition to be a boolean tensor, but got a tensor with dtype "
                                   f"{condition.dtype}", op="where", inputs=(condition, input, other),
                                   instead="condition.bool(), or condition != 0"))
    return ew.where(condition, input, other)


def unique(x: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False,
           dim: int | None = None) -> Any:
    """The different elements (or slices along dim), always sorted; where each went, and how often each occurs.

    >>> unique(tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    found = np.unique(read(x, "unique()"), return_inverse=return_inverse, return_counts=return_counts,
                      axis=dim)
    return tuple([told(x, y) for y in found]) if isinstance(found, tuple) else told(x, found)


def bincount(x: Any, weights: Any | None = None, minlength: int = 0) -> Any:
    """How often each whole number 0, 1, 2, ... occurs.

    >>> bincount(tensor([0, 2, 2])).tolist()
    [1, 0, 2]
    """
    if x.dtype.kind not in "iu" or x.ndim != 1 or (array(x) < 0).any():
        raise (RuntimeError if x.dtype.kind in "iub" else NotImplementedError)(message(
            "bincount only supports 1-d non-negative integral inputs.", op="bincount", inputs=(x,),
            instead="x.flatten().long()"))
    given = None if weights is None else read(weights, "bincount()")
    return told(x, np.bincount(read(x, "bincount()"), given, minlength))


def softmax(x: Any, dim: int, dtype: Any = None) -> Any:
    """e^x / sum e^x along ``dim``.

    >>> softmax(tensor([0., 0.]), 0)
    tensor([0.5000, 0.5000])
    """
    return fu.softmax(floats(x, dtype, "softmax"), dim=axis(dim, x.ndim))


def log_softmax(x: Any, dim: int, dtype: Any = None) -> Any:
    """x - log sum e^x along ``dim``."""
    return fu.log_softmax(floats(x, dtype, "log_softmax"), dim=axis(dim, x.ndim))


def floats(x: Any, dtype: Any, op: str) -> Any:
    """x in the dtype; PyTorch's error where it does not hold floating-point numbers."""
    x = x if dtype is None else x.to(dtype)
    if x.dtype.kind != "f":
        raise NotImplementedError(message(f"{op} is not implemented for {x.dtype}", op=op, inputs=(x,),
                                          instead=f"x.float().{op}(dim)"))
    return x


def svd(A: Any, some: bool = True, compute_uv: bool = True) -> SVD:
    """A = U diag(S) V^T as torch.svd gives it: V and not its transpose, and square U and V only with some=False."""
    if not compute_uv:
        raise NotImplementedError(message("svd(): compute_uv=False is not implemented", op="svd", inputs=(A,),
                                          instead="tg.linalg.svdvals(A)"))
    U, S, Vh = linalg.svd(A, full_matrices=not some)
    return SVD(U, S, transpose(Vh, -2, -1))


def addmm(x: Any, a: Any, b: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """beta x + alpha a b."""
    return beta * x + alpha * mm(a, b)


def addcmul(x: Any, a: Any, b: Any, *, value: float = 1) -> Any:
    """x + value a b, element by element."""
    return x + value * a * b


def addcdiv(x: Any, a: Any, b: Any, *, value: float = 1) -> Any:
    """x + value a / b, element by element."""
    return x + value * (a / b)


def inner(a: Any, b: Any) -> Any:
    """The products of a's and b's vectors along the last dimension of each."""
    return a @ b.T if getattr(b, "ndim", 0) > 1 else a @ b
