"""Reductions: many numbers become few, along the dimensions ``dim``, with PyTorch's names and arguments (NumPy's
``axis`` and ``keepdims`` as well). And what runs along one dimension: cumulative sums and products, sorting.

Primitives take ``dim`` counted from the front, as a tuple of ints or None for all dimensions, and ``keepdim``.
"""
from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..errors import message
from ..graph import Node, linear, primitive
from .elementwise import isnan, maximum, minimum, where
from .index import at, gather_along, getitem
from .join import _cat, narrow
from .layout import _expand, _flip, _reshape, _roll, array, axes, axis, cast, flatten

__all__ = ["all", "amax", "amin", "aminmax", "any", "argmax", "argmin", "argsort", "count_nonzero", "cumprod", "cumsum",
           "logcumsumexp", "logsumexp", "max", "mean", "median", "min", "nanmean", "nansum", "norm", "prod", "sort",
           "std", "std_mean", "sum", "topk", "var", "var_mean"]


class ValuesIndices(NamedTuple):
    """What max(dim), sort and the like give: the values, and where they stood along the dimension."""

    values: Any
    indices: Any


class MinMax(NamedTuple):
    """What aminmax gives."""

    min: Any
    max: Any


# ---- pieces of the rules --------------------------------------------------------------------------------------------
def kept(g: Any, x: Any, dim: Any, keepdim: bool) -> Any:
    """``g`` with size 1 where dimensions of x were reduced, so that it broadcasts against x."""
    if dim is None or keepdim or dim == tuple(range(len(dim))):
        return g
    return _reshape(g, shape=tuple([1 if d in dim else n for d, n in enumerate(x.shape)]))


def over(x: Any, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False) -> dict[str, Any]:
    """The parameters of a reduction: dim and keepdim out of PyTorch's names for them or NumPy's."""
    return {"dim": axes(dim if axis is None else axis, x.ndim), "keepdim": keepdim or keepdims}


def count(x: Any, dim: Any) -> int:
    """How many numbers are reduced to one."""
    return math.prod(x.shape if dim is None else [x.shape[d] for d in dim])


def ratio(g: Any, y: Any) -> Any:
    """g / y, and 0 where y is 0: PyTorch's subgradient where a root has an infinite slope."""
    return g * (y != 0) / (y + (y == 0))


def evenly(g: Any, y: Any, x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """g to the elements of x that equal the result y, in equal shares."""
    chosen = x == kept(y, x, dim, keepdim)
    return kept(g / _sum(chosen, dim=dim, keepdim=keepdim), x, dim, keepdim) * chosen


# ---- sums and means -------------------------------------------------------------------------------------------------
def centred(x: Any, dim: Any) -> Any:
    """x - mean(x)."""
    return x - _mean(x, dim=dim, keepdim=True)


def variance(x: np.ndarray, dim: Any, keepdim: bool, correction: float) -> Any:
    """The sum of squared distances from the mean, divided by their number less the correction."""
    d = centred(x, dim)
    free = count(x, dim) - correction
    return np.add.reduce(d * d, dim, None, None, keepdim) / (free if free > 0 else x.dtype.type(0))


def variance_rule(g: Any, y: Any, x: Any, dim: Any, keepdim: bool, correction: float) -> Any:
    """2 (x - mean) / (n - correction) for each element."""
    return kept(g * (2 / (count(x, dim) - correction or math.nan)), x, dim, keepdim) * centred(x, dim)


_sum = linear("sum", lambda x, dim, keepdim: np.add.reduce(x, dim, None, None, keepdim),
              lambda g, y, x, dim, keepdim: _expand(kept(g, x, dim, keepdim), shape=x.shape), doc="sum")
_mean = linear("mean", lambda x, dim, keepdim: np.add.reduce(x, dim, None, None, keepdim) / (count(x, dim) or math.nan),
               lambda g, y, x, dim, keepdim: _expand(kept(g / (count(x, dim) or 1), x, dim, keepdim), shape=x.shape),
               doc="sum divided by the number of elements")
_var = primitive("var", variance, variance_rule, doc="sum (x - mean)^2 / (n - correction)")
_std = primitive("std", lambda x, **params: np.sqrt(variance(x, **params)),
                 lambda g, y, x, **params: variance_rule(ratio(g, 2 * y), y, x, **params), doc="sqrt(var)")


def sum(x: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, **numpy: Any) -> Any:
    """The sum along ``dim``, or of all elements; whole numbers and bools add up to int64."""
    return _sum(x if dtype is None else cast(x, dtype=np.dtype(dtype)), **over(x, dim, keepdim, **numpy))


def mean(x: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, **numpy: Any) -> Any:
    """The mean along ``dim``, or of all elements.

    >>> mean(tensor([[1., 2.], [3., 4.]]), 0)
    tensor([2., 3.])
    """
    x = floating(x if dtype is None else cast(x, dtype=np.dtype(dtype)), "mean")
    return _mean(x, **over(x, dim, keepdim, **numpy))


def floating(x: Any, op: str) -> Any:
    """x, or a RuntimeError where it does not hold floating-point numbers."""
    if x.dtype.kind not in "fc":
        raise RuntimeError(message(f"{op}(): could not infer output dtype. Input dtype must be either a floating "
                                   f"point or complex dtype. Got: {x.dtype}", op=op, inputs=(x,),
                                   instead=f"x.float().{op}()"))
    return x


def var(x: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *, correction: float | None = None,
        **numpy: Any) -> Any:
    """sum (x - mean)^2 / (n - correction); the correction is 1, and 0 with unbiased=False."""
    return spread(_var, x, dim, unbiased, correction, keepdim=keepdim, **numpy)


def std(x: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *, correction: float | None = None,
        **numpy: Any) -> Any:
    """The square root of ``var``; where that is 0, so is the gradient."""
    return spread(_std, x, dim, unbiased, correction, keepdim=keepdim, **numpy)


def spread(op: Any, x: Any, dim: Any, unbiased: bool, correction: float | None, **how: Any) -> Any:
    """var or std with PyTorch's arguments: x.var(False) means unbiased=False."""
    unbiased, dim = (dim, None) if isinstance(dim, bool) else (unbiased, dim)
    correction = int(unbiased) if correction is None else correction
    return op(floating(x, op.name), correction=correction, **over(x, dim, **how))


def var_mean(x: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, **options: Any) -> tuple:
    """var and mean."""
    m = x.mean() if isinstance(dim, bool) else mean(x, dim, keepdim)
    return var(x, dim, unbiased, keepdim, **options), m


def std_mean(x: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, **options: Any) -> tuple:
    """std and mean."""
    return std(x, dim, unbiased, keepdim, **options), var_mean(x, dim, unbiased, keepdim, **options)[1]


def nansum(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The sum of the elements that are numbers."""
    return sum(where(isnan(x), 0.0, x), dim, keepdim)


def nanmean(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The mean of the elements that are numbers."""
    return nansum(x, dim, keepdim) / sum(~isnan(x), dim, keepdim)


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


_norm = primitive("norm", power_norm, norm_rule, doc="(sum |x|^p)^(1/p), slope 0 at 0")
_logsumexp = primitive("logsumexp", log_sum,
                       lambda g, y, x, dim, keepdim: kept(g, x, dim, keepdim) * np.exp(
                           x - kept(where(y == -math.inf, 0.0, y), x, dim, keepdim)), doc="log sum e^x")


def norm(x: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """(sum |x|^p)^(1/p); p may be inf, -inf, 0 (how many are not 0) or "fro" (2)."""
    x = floating(x if dtype is None else cast(x, dtype=np.dtype(dtype)), "norm")
    p = 2 if p is None or p == "fro" else p
    if p in (math.inf, -math.inf):
        return (amax if p > 0 else amin)(np.abs(x), dim, keepdim)
    if p in (0, 1):
        return sum(np.abs(x) if p else cast(x != 0, dtype=x.dtype), dim, keepdim)
    return _norm(x, p=p, dim=axes(dim, x.ndim), keepdim=keepdim)


def logsumexp(x: Any, dim: Any = None, keepdim: bool = False, **numpy: Any) -> Any:
    """log sum e^x along ``dim``, without overflow; its gradient is softmax(x)."""
    return _logsumexp(x, **over(x, dim, keepdim, **numpy))


# ---- extremes -------------------------------------------------------------------------------------------------------
_amax = primitive("amax", lambda x, dim, keepdim: np.maximum.reduce(x, dim, None, None, keepdim), evenly,
                  doc="the largest; equal ones share the gradient")
_amin = primitive("amin", lambda x, dim, keepdim: np.minimum.reduce(x, dim, None, None, keepdim), evenly,
                  doc="the smallest; equal ones share the gradient")
_median = primitive("median", lambda x: middle(np.sort(x, None)), lambda g, y, x: evenly(g, y, x),
                    doc="the lower of the middle elements; equal ones share the gradient")
_argmax = primitive("argmax", lambda x, dim, keepdim: x.argmax(dim, keepdims=keepdim), doc="where the largest is")
_argmin = primitive("argmin", lambda x, dim, keepdim: x.argmin(dim, keepdims=keepdim), doc="where the smallest is")


def middle(x: np.ndarray) -> Any:
    """The lower middle element of sorted numbers; nan, which is sorted to the end, if there is one."""
    return x.dtype.type(math.nan) if not x.size else x[-1] if np.isnan(x[-1]) else x[(x.size - 1) // 2]


def nonempty(x: Any, dim: Any, op: str, error: type[Exception] = IndexError) -> Any:
    """x, or PyTorch's error where what is reduced to one of its elements has none."""
    if 0 in x.shape:
        if dim is None:
            raise error(message(f"{op}(): Expected reduction dim to be specified for input.numel() == 0.", op=op,
                                inputs=(x,)))
        for d in dim:
            if not x.shape[d]:
                raise IndexError(message(f"{op}(): Expected reduction dim {d} to have non-zero size.", inputs=(x,)))
    return x


def amax(x: Any, dim: Any = None, keepdim: bool = False, **numpy: Any) -> Any:
    """The largest element along ``dim``, or of all; equal ones share the gradient."""
    chosen = over(x, dim, keepdim, **numpy)
    return _amax(nonempty(x, chosen["dim"], "amax", RuntimeError), **chosen)


def amin(x: Any, dim: Any = None, keepdim: bool = False, **numpy: Any) -> Any:
    """The smallest element along ``dim``, or of all; equal ones share the gradient."""
    chosen = over(x, dim, keepdim, **numpy)
    return _amin(nonempty(x, chosen["dim"], "amin", RuntimeError), **chosen)


def aminmax(x: Any, *, dim: int | None = None, keepdim: bool = False) -> MinMax:
    """amin and amax."""
    return MinMax(amin(x, dim, keepdim), amax(x, dim, keepdim))


def argmax(x: Any, dim: int | None = None, keepdim: bool = False, **numpy: Any) -> Any:
    """Where the largest element stands along ``dim``, or in the flattened x; the first one if there are several."""
    return place(_argmax, x, **over(x, dim, keepdim, **numpy))


def argmin(x: Any, dim: int | None = None, keepdim: bool = False, **numpy: Any) -> Any:
    """Where the smallest element stands along ``dim``, or in the flattened x; the first one if there are several."""
    return place(_argmin, x, **over(x, dim, keepdim, **numpy))


def place(op: Any, x: Any, dim: tuple | None, keepdim: bool) -> Any:
    """argmax or argmin, which run along one dimension, or over all."""
    return op(nonempty(x, dim, op.name), dim=None if dim is None else dim[0], keepdim=keepdim)


def max(x: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None, **numpy: Any) -> Any:
    """The largest element of all; with ``dim`` the pair (values, indices) along it; with a tensor, ``maximum``.

    >>> max(tensor([[1., 5.], [7., 3.]]), 1).indices
    tensor([1, 0])
    """
    return extreme(_argmax, _amax, maximum, x, dim, other, keepdim=keepdim, **numpy)


def min(x: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None, **numpy: Any) -> Any:
    """The smallest element of all; with ``dim`` the pair (values, indices) along it; with a tensor, ``minimum``."""
    return extreme(_argmin, _amin, minimum, x, dim, other, keepdim=keepdim, **numpy)


def extreme(arg: Any, whole: Any, pairwise: Any, x: Any, dim: Any, other: Any, **how: Any) -> Any:
    """The three meanings of max and min. With ``dim``, the gradient goes to the element that the index names."""
    if other is not None or isinstance(dim, Node):
        return pairwise(x, dim if other is None else other)
    chosen = over(x, dim, **how)
    nonempty(x, chosen["dim"], arg.name[3:], RuntimeError)
    if dim is None and "axis" not in how:
        return whole(x, **chosen)
    if isinstance(dim, (tuple, list)):
        raise TypeError(message(f"{arg.name[3:]}() takes one dimension", inputs=(x,), instead=f"x.{whole.name}(dims)"))
    d = chosen["dim"][0] if x.ndim else 0
    return picked(x, arg(x, dim=d, keepdim=True), d, chosen["keepdim"])


def picked(x: Any, indices: Any, d: int, keepdim: bool) -> ValuesIndices:
    """The elements that the indices, of size 1 along dimension d, name; and the indices."""
    values = gather_along(x, dim=d, index=array(indices))
    if not keepdim and x.ndim:
        shape = x.shape[:d] + x.shape[d + 1:]
        values, indices = _reshape(values, shape=shape), _reshape(indices, shape=shape)
    return ValuesIndices(values, indices)


def median(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The lower of the two middle elements; with ``dim`` the pair (values, indices) along it."""
    if dim is None:
        return _median(x)
    d = axis(dim, x.ndim)
    order = argsort(nonempty(x, (d,), "median"), d)
    n = x.shape[d] if x.ndim else 1
    middle_one = narrow(order, d, (n - 1) // 2, 1) if x.ndim else order
    last = narrow(order, d, n - 1, 1) if x.ndim else order
    at_nan = isnan(gather_along(x, dim=d, index=array(last)))
    return picked(x, where(at_nan, last, middle_one), d, keepdim)


# ---- order ----------------------------------------------------------------------------------------------------------
def ordered(x: np.ndarray, dim: int, descending: bool) -> np.ndarray:
    """The indices that sort x; equal elements keep their order, in both directions."""
    if not descending:
        return x.argsort(dim, kind="stable")
    return np.flip(x.shape[dim] - 1 - np.flip(x, dim).argsort(dim, kind="stable"), dim).copy()


_argsort = primitive("argsort", ordered, doc="the indices that sort x")


def argsort(x: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """The indices that sort x along ``dim``; equal elements keep their order."""
    return along(_argsort, x, dim, descending=descending)


def sort(x: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> ValuesIndices:
    """The pair (values, indices) of x sorted along ``dim``; equal elements keep their order."""
    return picked(x, argsort(x, dim, descending), axis(dim, x.ndim), True)


def topk(x: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> ValuesIndices:
    """The pair (values, indices) of the k largest, or smallest, along ``dim``, in order."""
    d = axis(dim, x.ndim)
    if not 0 <= k <= (x.shape[d] if x.ndim else 1):
        raise RuntimeError(message("selected index k out of range", op="topk", inputs=(x, k)))
    order = argsort(x, d, largest)
    return picked(x, narrow(order, d, 0, k) if x.ndim else order, d, True)


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
    return _cat(edge, getitem(y, index=at(dim, slice(None, -1))), dim=dim)


def adjoint(g: Any, a: Any, dim: int) -> Any:
    """l[k] = g[k] + a[k + 1] l[k + 1]: what flows into each step of a recurrence from all later ones."""
    back = _roll(_flip(a, dims=(dim,)), shifts=(1,), dims=(dim,))
    return _flip(recurrence(back, _flip(g, dims=(dim,)), dim=dim), dims=(dim,))


recurrence = primitive("recurrence", scan, lambda g, y, a, b, dim: adjoint(g, a, dim) * before(y, dim, 0),
                       lambda g, y, a, b, dim: adjoint(g, a, dim), doc="h[k] = a[k] h[k - 1] + b[k]")
_cumsum = linear("cumsum", lambda x, dim: np.add.accumulate(x, dim),
                 lambda g, y, x, dim: _flip(_cumsum(_flip(g, dims=(dim,)), dim=dim), dims=(dim,)),
                 doc="y[k] = x[0] + ... + x[k]")
_cumprod = primitive("cumprod", lambda x, dim: np.multiply.accumulate(x, dim),
                     lambda g, y, x, dim: adjoint(g, x, dim) * before(y, dim, 1),       # right where an x is 0 too
                     doc="y[k] = x[0] ... x[k]")
_prod = primitive("prod", lambda x, dim, keepdim: np.multiply.reduce(x, dim, None, None, keepdim),
                  lambda g, y, x, dim, keepdim: kept(g, x, (dim,), keepdim) * others(x, dim), doc="the product")
_logcumsumexp = primitive("logcumsumexp", lambda x, dim: np.logaddexp.accumulate(x, dim),
                          lambda g, y, x, dim: adjoint(g, np.exp(before(y, dim, -math.inf) - y), dim) * np.exp(x - y),
                          doc="y[k] = log(e^x[0] + ... + e^x[k])")


def others(x: Any, dim: int) -> Any:
    """For each element the product of all others along dim: of those before it times those after it."""
    after = before(_cumprod(_flip(x, dims=(dim,)), dim=dim), dim, 1)
    return before(_cumprod(x, dim=dim), dim, 1) * _flip(after, dims=(dim,))


def along(op: Any, x: Any, dim: int, **params: Any) -> Any:
    """A primitive along one dimension; a number counts as a line of one element."""
    d = axis(dim, x.ndim)
    return op(x, dim=d, **params) if x.ndim else _reshape(op(_reshape(x, shape=(1,)), dim=d, **params), shape=())


def cumsum(x: Any, dim: int | None = None, *, dtype: Any = None, axis: int | None = None) -> Any:
    """y[k] = x[0] + ... + x[k] along ``dim``."""
    return along(_cumsum, x if dtype is None else cast(x, dtype=np.dtype(dtype)), dim if axis is None else axis)


def cumprod(x: Any, dim: int | None = None, *, dtype: Any = None, axis: int | None = None) -> Any:
    """y[k] = x[0] ... x[k] along ``dim``; the gradient is right where elements are 0 as well."""
    return along(_cumprod, x if dtype is None else cast(x, dtype=np.dtype(dtype)), dim if axis is None else axis)


def logcumsumexp(x: Any, dim: int) -> Any:
    """y[k] = log(e^x[0] + ... + e^x[k]) along ``dim``, without overflow."""
    return along(_logcumsumexp, x, dim)


def prod(x: Any, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None, **numpy: Any) -> Any:
    """The product along ``dim``, or of all elements; the gradient is right where elements are 0 as well."""
    x = x if dtype is None else cast(x, dtype=np.dtype(dtype))
    chosen = over(x, dim if dim is None else int(dim), keepdim, **numpy)
    if chosen["dim"] is None:
        return _prod(flatten(x), dim=0, keepdim=False)
    return _prod(x, dim=chosen["dim"][0], keepdim=chosen["keepdim"])


# ---- questions ------------------------------------------------------------------------------------------------------
_any = primitive("any", lambda x, dim, keepdim: np.logical_or.reduce(x, dim, None, None, keepdim), doc="one is not 0")
_all = primitive("all", lambda x, dim, keepdim: np.logical_and.reduce(x, dim, None, None, keepdim), doc="none is 0")


def any(x: Any, dim: Any = None, keepdim: bool = False, **numpy: Any) -> Any:
    """Whether one element along ``dim``, or of all, is not 0."""
    return _any(x, **over(x, dim, keepdim, **numpy))


def all(x: Any, dim: Any = None, keepdim: bool = False, **numpy: Any) -> Any:
    """Whether no element along ``dim``, or of all, is 0."""
    return _all(x, **over(x, dim, keepdim, **numpy))


def count_nonzero(x: Any, dim: Any = None) -> Any:
    """How many elements along ``dim``, or of all, are not 0."""
    return sum(x != 0, dim)
