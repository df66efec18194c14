"""Reductions and what runs along one dimension, with PyTorch's names and arguments, and NumPy's."""
from __future__ import annotations

import math
import operator
from typing import Any, NamedTuple

import numpy as np

from ..errors import message
from ..graph import Node
from ..ops import layout as lo
from ..ops import reduce as rd
from ..ops.elementwise import isnan, maximum, minimum, where
from ..ops.index import gather_along
from .join import narrow
from .layout import array, axes, axis, cast, flatten

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


def over(x: Any, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False) -> dict[str, Any]:
    """The parameters of a reduction: dim and keepdim out of PyTorch's names for them or NumPy's."""
    return {"dim": axes(dim if axis is None else axis, x.ndim), "keepdim": keepdim or keepdims}


# ---- sums and means -------------------------------------------------------------------------------------------------
def sum(x: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, **numpy: Any) -> Any:
    """The sum along ``dim``, or of all elements; whole numbers and bools add up to int64."""
    how = over(x, dim, keepdim, **numpy)
    return rd.sum(x, **how) if dtype is None else typed(rd.sum, x, dtype, **how)


def typed(op: Any, x: Any, dtype: Any, **how: Any) -> Any:
    """A sum or product of numbers brought to a dtype, which the result has too."""
    y = op(x if dtype is None else cast(x, dtype=np.dtype(dtype)), **how)
    return y if dtype is None or y.dtype == dtype else cast(y, dtype=np.dtype(dtype))


def mean(x: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, **numpy: Any) -> Any:
    """The mean along ``dim``, or of all elements.

    >>> mean(tensor([[1., 2.], [3., 4.]]), 0)
    tensor([2., 3.])
    """
    x = floating(x if dtype is None else cast(x, dtype=np.dtype(dtype)), "mean")
    return rd.mean(x, **over(x, dim, keepdim, **numpy))


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
    return spread(rd.var, x, dim, unbiased, correction, keepdim=keepdim, **numpy)


def std(x: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *, correction: float | None = None,
        **numpy: Any) -> Any:
    """The square root of ``var``; where that is 0, so is the gradient."""
    return spread(rd.std, x, dim, unbiased, correction, keepdim=keepdim, **numpy)


def spread(op: Any, x: Any, dim: Any, unbiased: bool, correction: float | None, **how: Any) -> Any:
    """var or std with PyTorch's arguments: x.var(False) means unbiased=False."""
    unbiased, dim = (dim, None) if isinstance(dim, bool) else (unbiased, dim)
    correction = int(unbiased) if correction is None else correction
    return op(floating(x, op.name), correction=correction, **over(x, dim, **how))


def var_mean(x: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, **options: Any) -> tuple:
    """var and mean."""
    where = {name: options[name] for name in ("axis", "keepdims") if name in options}
    m = x.mean() if isinstance(dim, bool) else mean(x, dim, keepdim, **where)
    return var(x, dim, unbiased, keepdim, **options), m


def std_mean(x: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, **options: Any) -> tuple:
    """std and mean."""
    return std(x, dim, unbiased, keepdim, **options), var_mean(x, dim, unbiased, keepdim, **options)[1]


def nansum(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The sum of the elements that are numbers."""
    return sum(where(isnan(x), 0.0, x) if x.dtype.kind == "f" else x, dim, keepdim)


def nanmean(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The mean of the elements that are numbers."""
    return nansum(floating(x, "nanmean"), dim, keepdim) / sum(~isnan(x), dim, keepdim)


# ---- norms and soft maxima ------------------------------------------------------------------------------------------
def norm(x: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """(sum |x|^p)^(1/p); p may be inf, -inf, 0 (how many are not 0) or "fro" (2)."""
    x = floating(x if dtype is None else cast(x, dtype=np.dtype(dtype)), "norm")
    p = 2 if p is None or p == "fro" else p
    if p in (math.inf, -math.inf):
        return (amax if p > 0 else amin)(np.abs(x), dim, keepdim)
    if p in (0, 1):
        return sum(np.abs(x) if p else cast(x != 0, dtype=x.dtype), dim, keepdim)
    return rd.norm(x, p=p, dim=axes(dim, x.ndim), keepdim=keepdim)


def logsumexp(x: Any, dim: Any = None, keepdim: bool = False, **numpy: Any) -> Any:
    """log sum e^x along ``dim``, without overflow; its gradient is softmax(x)."""
    how = over(x, dim, keepdim, **numpy)
    return rd.logsumexp(x if x.dtype.kind == "f" else x / 1, **how)        # the default float


EMPTY = "a tensor with elements: ask x.numel() first, and see why none are left"


# ---- extremes -------------------------------------------------------------------------------------------------------
def nonempty(x: Any, dim: Any, op: str, error: type[Exception] = IndexError) -> Any:
    """x, or PyTorch's error where what is reduced to one of its elements has none."""
    if 0 in x.shape:
        if dim is None:
            raise error(message(f"{op}(): Expected reduction dim to be specified for input.numel() == 0.", op=op,
                                inputs=(x,), instead=EMPTY))
        for d in dim:
            if not x.shape[d]:
                raise IndexError(message(f"{op}(): Expected reduction dim {d} to have non-zero size.", inputs=(x,),
                                         instead=EMPTY))
    return x


def amax(x: Any, dim: Any = None, keepdim: bool = False, **numpy: Any) -> Any:
    """The largest element along ``dim``, or of all; equal ones share the gradient."""
    chosen = over(x, dim, keepdim, **numpy)
    return rd.amax(nonempty(x, chosen["dim"], "amax", RuntimeError), **chosen)


def amin(x: Any, dim: Any = None, keepdim: bool = False, **numpy: Any) -> Any:
    """The smallest element along ``dim``, or of all; equal ones share the gradient."""
    chosen = over(x, dim, keepdim, **numpy)
    return rd.amin(nonempty(x, chosen["dim"], "amin", RuntimeError), **chosen)


def aminmax(x: Any, *, dim: int | None = None, keepdim: bool = False) -> MinMax:
    """amin and amax."""
    return MinMax(amin(x, dim, keepdim), amax(x, dim, keepdim))


def argmax(x: Any, dim: int | None = None, keepdim: bool = False, **numpy: Any) -> Any:
    """Where the largest element stands along ``dim``, or in the flattened x; the first one if there are several."""
    return place(rd.argmax, x, **over(x, dim, keepdim, **numpy))


def argmin(x: Any, dim: int | None = None, keepdim: bool = False, **numpy: Any) -> Any:
    """Where the smallest element stands along ``dim``, or in the flattened x; the first one if there are several."""
    return place(rd.argmin, x, **over(x, dim, keepdim, **numpy))


def only(dims: tuple, op: str) -> int:
    """The one dimension; TypeError where there are several."""
    if len(dims) > 1:
        raise TypeError(message(f"{op}(): argument 'dim' (position 2) must be int, not tuple", op=op,
                                instead=f"x.flatten(0, 1).{op}(0): neighbouring dimensions made one"))
    return dims[0]


def place(op: Any, x: Any, dim: tuple | None, keepdim: bool) -> Any:
    """argmax or argmin, which run along one dimension, or over all."""
    return op(nonempty(x, dim, op.name), dim=None if dim is None else only(dim, op.name), keepdim=keepdim)


def max(x: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None, **numpy: Any) -> Any:
    """The largest element of all; with ``dim`` the pair (values, indices) along it; with a tensor, ``maximum``.

    >>> max(tensor([[1., 5.], [7., 3.]]), 1).indices
    tensor([1, 0])
    """
    return extreme(rd.argmax, rd.amax, maximum, x, dim, other, keepdim=keepdim, **numpy)


def min(x: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None, **numpy: Any) -> Any:
    """The smallest element of all; with ``dim`` the pair (values, indices) along it; with a tensor, ``minimum``."""
    return extreme(rd.argmin, rd.amin, minimum, x, dim, other, keepdim=keepdim, **numpy)


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
        values, indices = lo.reshape(values, shape=shape), lo.reshape(indices, shape=shape)
    return ValuesIndices(values, indices)


def median(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The lower of the two middle elements; with ``dim`` the pair (values, indices) along it."""
    if dim is None:
        return rd.median(x)
    d = axis(dim, x.ndim)
    order = argsort(nonempty(x, (d,), "median"), d)
    n = x.shape[d] if x.ndim else 1
    middle_one = narrow(order, d, (n - 1) // 2, 1) if x.ndim else order
    last = narrow(order, d, n - 1, 1) if x.ndim else order
    at_nan = isnan(gather_along(x, dim=d, index=array(last)))
    return picked(x, where(at_nan, last, middle_one), d, keepdim)


# ---- order ----------------------------------------------------------------------------------------------------------
def argsort(x: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """The indices that sort x along ``dim``; equal elements keep their order."""
    return along(rd.argsort, x, dim, descending=descending)


def sort(x: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> ValuesIndices:
    """The pair (values, indices) of x sorted along ``dim``; equal elements keep their order."""
    return picked(x, argsort(x, dim, descending), axis(dim, x.ndim), True)


def topk(x: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> ValuesIndices:
    """The pair (values, indices) of the k largest, or smallest, along ``dim``, in order."""
    d = axis(dim, x.ndim)
    if not isinstance(k, (int, np.integer)):
        raise TypeError(message(f"topk(): argument 'k' (position 1) must be int, not {type(k).__name__}", op="topk",
                                inputs=(x, k), instead="x.topk(3)"))
    k = operator.index(k)
    if not 0 <= k <= (x.shape[d] if x.ndim else 1):
        raise RuntimeError(message("selected index k out of range", op="topk", inputs=(x, k),
                                   instead=f"k from 0 to {x.shape[d] if x.ndim else 1}, the size of dimension {d}"))
    order = argsort(x, d, largest)
    return picked(x, narrow(order, d, 0, k) if x.ndim else order, d, True)


# ---- along one dimension --------------------------------------------------------------------------------------------
def along(op: Any, x: Any, dim: int, **params: Any) -> Any:
    """A primitive along one dimension; a number counts as a line of one element."""
    d = axis(dim, x.ndim)
    return op(x, dim=d, **params) if x.ndim else lo.reshape(op(lo.reshape(x, shape=(1,)), dim=d, **params), shape=())


def cumsum(x: Any, dim: int | None = None, *, dtype: Any = None, axis: int | None = None) -> Any:
    """y[k] = x[0] + ... + x[k] along ``dim``."""
    return along(rd.cumsum, x if dtype is None else cast(x, dtype=np.dtype(dtype)), dim if axis is None else axis)


def cumprod(x: Any, dim: int | None = None, *, dtype: Any = None, axis: int | None = None) -> Any:
    """y[k] = x[0] ... x[k] along ``dim``; the gradient is right where elements are 0 as well."""
    return along(rd.cumprod, x if dtype is None else cast(x, dtype=np.dtype(dtype)), dim if axis is None else axis)


def logcumsumexp(x: Any, dim: int) -> Any:
    """y[k] = log(e^x[0] + ... + e^x[k]) along ``dim``, without overflow."""
    return along(rd.logcumsumexp, x, dim)


def prod(x: Any, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None, **numpy: Any) -> Any:
    """The product along ``dim``, or of all elements; the gradient is right where elements are 0 as well."""
    chosen = over(x, dim, keepdim, **numpy)
    if chosen["dim"] is None:
        return typed(rd.prod, flatten(x), dtype, dim=0, keepdim=False)
    return typed(rd.prod, x, dtype, dim=only(chosen["dim"], "prod"), keepdim=chosen["keepdim"])


# ---- questions ------------------------------------------------------------------------------------------------------
def any(x: Any, dim: Any = None, keepdim: bool = False, **numpy: Any) -> Any:
    """Whether one element along ``dim``, or of all, is not 0."""
    return rd.any(x, **over(x, dim, keepdim, **numpy))


def all(x: Any, dim: Any = None, keepdim: bool = False, **numpy: Any) -> Any:
    """Whether no element along ``dim``, or of all, is 0."""
    return rd.all(x, **over(x, dim, keepdim, **numpy))


def count_nonzero(x: Any, dim: Any = None) -> Any:
    """How many elements along ``dim``, or of all, are not 0."""
    return sum(x != 0, dim)
