"""Reductions: many numbers become few, along the dimensions ``dim``, a tuple of ints counted from the front or None for
all. And what runs along one dimension, an int: cumulative sums and products, sorting.
"""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..graph import linear, primitive
from .elementwise import where
from .index import at, getitem
from .join import cat
from .layout import expand, flip, reshape, roll


# ---- pieces of the rules --------------------------------------------------------------------------------------------
def kept(g: Any, x: Any, dim: Any, keepdim: bool) -> Any:
    """``g`` with size 1 where dimensions of x were reduced, so that it broadcasts against x."""
    if dim is None or keepdim or dim == tuple(range(len(dim))):
        return g
    return reshape(g, shape=tuple([1 if d in dim else n for d, n in enumerate(x.shape)]))


def count(x: Any, dim: Any) -> int:
    """How many numbers are reduced to one."""
    return math.prod(x.shape if dim is None else [x.shape[d] for d in dim])


def ratio(g: Any, y: Any) -> Any:
    """g / y, and 0 where y is 0: PyTorch's subgradient where a root has an infinite slope."""
    return g * (y != 0) / (y + (y == 0))


def evenly(g: Any, y: Any, x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """g to the elements of x that equal the result y, in equal shares."""
    chosen = x == kept(y, x, dim, keepdim)
    return kept(g / sum(chosen, dim=dim, keepdim=keepdim), x, dim, keepdim) * chosen


# ---- sums and means -------------------------------------------------------------------------------------------------
def centred(x: Any, dim: Any) -> Any:
    """x - mean(x)."""
    return x - mean(x, dim=dim, keepdim=True)


def variance(x: np.ndarray, dim: Any, keepdim: bool, correction: float) -> Any:
    """The sum of squared distances from the mean, divided by their number less the correction."""
    d = centred(x, dim)
    free = count(x, dim) - correction
    return np.add.reduce(d * d, dim, None, None, keepdim) / (free if free > 0 else x.dtype.type(0))


def variance_rule(g: Any, y: Any, x: Any, dim: Any, keepdim: bool, correction: float) -> Any:
    """2 (x - mean) / (n - correction) for each element."""
    return kept(g * (2 / (count(x, dim) - correction or math.nan)), x, dim, keepdim) * centred(x, dim)


sum = linear("sum", lambda x, dim, keepdim: np.add.reduce(x, dim, None, None, keepdim),
             lambda g, y, x, dim, keepdim: expand(kept(g, x, dim, keepdim), shape=x.shape), doc="sum")
mean = linear("mean", lambda x, dim, keepdim: np.add.reduce(x, dim, None, None, keepdim) / (count(x, dim) or math.nan),
              lambda g, y, x, dim, keepdim: expand(kept(g / (count(x, dim) or 1), x, dim, keepdim), shape=x.shape),
              doc="sum divided by the number of elements")
var = primitive("var", variance, variance_rule, doc="sum (x - mean)^2 / (n - correction)")
std = primitive("std", lambda x, **params: np.sqrt(variance(x, **params)),
                lambda g, y, x, **params: variance_rule(ratio(g, 2 * y), y, x, **params), doc="sqrt(var)")


# ---- norms and soft maxima ------------------------------------------------------------------------------------------
def power_norm(x: np.ndarray, p: float, dim: Any, keepdim: bool) -> Any:
    """(sum |x|^p)^(1/p)."""
    if p == 2:
        return np.sqrt(np.add.reduce(x * x, dim, None, None, keepdim))
    return np.add.reduce(np.abs(x) ** p, dim, None, None, keepdim) ** (1 / p)


def norm_rule(g: Any, y: Any, x: Any, p: float, dim: Any, keepdim: bool) -> Any:
    """sign(x) (|x| / y)^(p - 1), and 0 where y is 0."""
    if p == 2:
        return kept(ratio(g, y), x, dim, keepdim) * x
    size = np.abs(x) + (x == 0)
    return kept(ratio(g, y ** (p - 1)), x, dim, keepdim) * np.sign(x) * size ** (p - 1)


def log_sum(x: np.ndarray, dim: Any, keepdim: bool) -> Any:
    """log sum e^x, with the largest x taken out of the sum so that nothing overflows."""
    top = np.maximum.reduce(x, dim, None, None, True, -math.inf)
    top = np.where(np.isfinite(top), top, x.dtype.type(0))
    y = np.add.reduce(np.exp(x - top), dim, None, None, keepdim)
    with np.errstate(divide="ignore"):                # the sum of nothing, or of e^-inf, is 0
        return np.log(y) + top.reshape(y.shape)


norm = primitive("norm", power_norm, norm_rule, doc="(sum |x|^p)^(1/p), slope 0 at 0")
logsumexp = primitive("logsumexp", log_sum,
                      lambda g, y, x, dim, keepdim: kept(g, x, dim, keepdim) * np.exp(
                          x - kept(where(y == -math.inf, 0.0, y), x, dim, keepdim)), doc="log sum e^x")

# ---- extremes -------------------------------------------------------------------------------------------------------
amax = primitive("amax", lambda x, dim, keepdim: np.maximum.reduce(x, dim, None, None, keepdim), evenly,
                 doc="the largest; equal ones share the gradient")
amin = primitive("amin", lambda x, dim, keepdim: np.minimum.reduce(x, dim, None, None, keepdim), evenly,
                 doc="the smallest; equal ones share the gradient")
median = primitive("median", lambda x: middle(np.sort(x, None)), lambda g, y, x: evenly(g, y, x),
                   doc="the lower of the middle elements; equal ones share the gradient")
argmax = primitive("argmax", lambda x, dim, keepdim: x.argmax(dim, keepdims=keepdim), doc="where the largest is")
argmin = primitive("argmin", lambda x, dim, keepdim: x.argmin(dim, keepdims=keepdim), doc="where the smallest is")


def middle(x: np.ndarray) -> Any:
    """The lower middle element of sorted numbers; nan, which is sorted to the end, if there is one."""
    return x.dtype.type(math.nan) if not x.size else x[-1] if np.isnan(x[-1]) else x[(x.size - 1) // 2]


# ---- order ----------------------------------------------------------------------------------------------------------
def ordered(x: np.ndarray, dim: int, descending: bool) -> np.ndarray:
    """The indices that sort x; equal elements keep their order, in both directions."""
    if not descending:
        return x.argsort(dim, kind="stable")
    return np.flip(x.shape[dim] - 1 - np.flip(x, dim).argsort(dim, kind="stable"), dim).copy()


argsort = primitive("argsort", ordered, doc="the indices that sort x")


# ---- along one dimension --------------------------------------------------------------------------------------------
def scan(a: np.ndarray, b: np.ndarray, dim: int) -> np.ndarray:
    """h[k] = a[k] h[k - 1] + b[k]: each round doubles the number of steps that every element stands for."""
    a, h = np.moveaxis(a, dim, 0).copy(), np.moveaxis(b, dim, 0).copy()
    s = 1
    while s < len(h):
        h[s:] += a[s:] * h[:-s]
        a[s:] = a[s:] * a[:-s]
        s *= 2
    return np.moveaxis(h, 0, dim)


def before(y: Any, dim: int, first: float) -> Any:
    """y moved on by one place along dim: y[k - 1] at k, and ``first`` at 0."""
    edge = np.full(tuple([n if d != dim else int(n > 0) for d, n in enumerate(y.shape)]), first, y.dtype)
    return cat(edge, getitem(y, index=at(dim, slice(None, -1))), dim=dim)


def adjoint(g: Any, a: Any, dim: int) -> Any:
    """l[k] = g[k] + a[k + 1] l[k + 1]: what flows into each step of a recurrence from all later ones."""
    back = roll(flip(a, dims=(dim,)), shifts=(1,), dims=(dim,))
    return flip(recurrence(back, flip(g, dims=(dim,)), dim=dim), dims=(dim,))


recurrence = primitive("recurrence", scan, lambda g, y, a, b, dim: adjoint(g, a, dim) * before(y, dim, 0),
                       lambda g, y, a, b, dim: adjoint(g, a, dim), doc="h[k] = a[k] h[k - 1] + b[k]")
cumsum = linear("cumsum", lambda x, dim: np.add.accumulate(x, dim),
                lambda g, y, x, dim: flip(cumsum(flip(g, dims=(dim,)), dim=dim), dims=(dim,)),
                doc="y[k] = x[0] + ... + x[k]")
cumprod = primitive("cumprod", lambda x, dim: np.multiply.accumulate(x, dim),
                    lambda g, y, x, dim: adjoint(g, x, dim) * before(y, dim, 1),       # right where an x is 0 too
                    doc="y[k] = x[0] ... x[k]")
prod = primitive("prod", lambda x, dim, keepdim: np.multiply.reduce(x, dim, None, None, keepdim),
                 lambda g, y, x, dim, keepdim: kept(g, x, (dim,), keepdim) * others(x, dim), doc="the product")
logcumsumexp = primitive("logcumsumexp", lambda x, dim: np.logaddexp.accumulate(x, dim),
                         lambda g, y, x, dim: adjoint(g, np.exp(before(y, dim, -math.inf) - y), dim) * np.exp(x - y),
                         doc="y[k] = log(e^x[0] + ... + e^x[k])")


def others(x: Any, dim: int) -> Any:
    """For each element the product of all others along dim: of those before it times those after it."""
    after = before(cumprod(flip(x, dims=(dim,)), dim=dim), dim, 1)
    return before(cumprod(x, dim=dim), dim, 1) * flip(after, dims=(dim,))


# ---- questions ------------------------------------------------------------------------------------------------------
any = primitive("any", lambda x, dim, keepdim: np.logical_or.reduce(x, dim, None, None, keepdim), doc="one is not 0")
all = primitive("all", lambda x, dim, keepdim: np.logical_and.reduce(x, dim, None, None, keepdim), doc="none is 0")
