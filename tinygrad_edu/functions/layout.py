"""The same numbers in another shape or order, with PyTorch's names and arguments; and how dimensions are read."""
from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import message
from ..graph import Node
from ..mode import capturing, constant, derived
from ..ops import layout as lo
from ..ops.layout import cast, clone, sum_to  # noqa: F401


# ---- dimensions and sizes -------------------------------------------------------------------------------------------
def axis(dim: int, ndim: int) -> int:
    """``dim`` counted from the front; IndexError where there is none such (a number counts as one dimension)."""
    n = ndim or 1
    if dim.__class__ is not int and (isinstance(dim, bool) or not hasattr(dim, "__index__")):
        raise TypeError(message(f"a dimension is a whole number, not {dim!r}",
                                instead=f"a dimension from {-n} to {n - 1}: {n - 1} and -1 are the last"))
    if -n <= dim < n:
        return dim.__index__() % n
    raise IndexError(message(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})",
                             instead=f"a dimension from {-n} to {n - 1}: {n - 1} and -1 are the last"))


def axes(dim: Any, ndim: int) -> tuple[int, ...] | None:
    """One or several dimensions counted from the front; None for all of them."""
    if dim is None:
        return None
    dims = tuple([axis(d, ndim) for d in (dim if isinstance(dim, (tuple, list)) else (dim,))])
    if len(set(dims)) < len(dims):
        raise RuntimeError(message(f"dim {max(dims, key=dims.count)} appears multiple times in the list of dims",
                                   instead=f"each dimension once: {tuple(dict.fromkeys(dims))}"))
    return dims if ndim and dims else None


def sizes(given: tuple, named: Any = None) -> tuple[int, ...]:
    """(2, 3) from f(2, 3), f((2, 3)) or f(shape=(2, 3))."""
    given = given if named is None else (named,)
    return tuple(given[0]) if len(given) == 1 and isinstance(given[0], (tuple, list)) else given


def array(x: Any) -> np.ndarray:
    """The data of a tensor, array, list or number."""
    return np.asarray(x if isinstance(x, (int, float)) else getattr(x, "payload", x))


def copied(x: Any, dtype: Any = None) -> np.ndarray:
    """The same in memory of its own; a captured program copies it anew, and keeps numbers that are written down."""
    if hasattr(x, "dtype"):
        return derived(np.array(array(x), dtype), x)
    if watcher := capturing():
        x = watcher.fixed_list(x)
    return constant(np.array(array(x), dtype))


def like(x: Any, numbers: np.ndarray) -> Any:
    """New numbers as what x is, a tensor without history or an array."""
    return x._of(numbers) if hasattr(x, "_of") else numbers


# ---- the same numbers in another shape or order ---------------------------------------------------------------------
def reshape(x: Any, *given: Any, shape: Any = None) -> Any:
    """The same numbers in another shape, in the same memory where possible; one size may be -1."""
    return lo.reshape(x, shape=sizes(given, shape))


def view(x: Any, *shape: Any) -> Any:
    """The same numbers in another shape and the same memory; RuntimeError where that cannot be."""
    y = lo.reshape(x, shape=sizes(shape))
    if isinstance(y, Node) and y.base is None:
        raise RuntimeError(message("view size is not compatible with input tensor's size and stride (at least one "
                                   "dimension spans across two contiguous subspaces)", op="view", inputs=(x,),
                                   instead="x.reshape(...), which copies where it must"))
    return y


def contiguous(x: Any) -> Any:
    """x itself where its numbers lie in memory in order, else a copy."""
    return x if array(x).flags.c_contiguous else lo.contiguous(x)


def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The dimensions from start_dim to end_dim as one."""
    first, last = axis(start_dim, x.ndim), axis(end_dim, x.ndim)
    if first > last:
        raise RuntimeError(message("flatten() has invalid args: start_dim cannot come after end_dim", inputs=(x,),
                                   instead=f"x.flatten({last}, {first})"))
    return lo.reshape(x, shape=(*x.shape[:first], math.prod(x.shape[first:last + 1]), *x.shape[last + 1:]))


def unflatten(x: Any, dim: int, sizes: Sequence[int]) -> Any:
    """One dimension as several; one of the sizes may be -1."""
    d = axis(dim, x.ndim)
    return lo.reshape(x, shape=(*x.shape[:d], *sizes, *x.shape[d + 1:]))


def squeeze(x: Any, dim: Any = None) -> Any:
    """x without its dimensions of size 1, or without those of ``dim`` that have size 1."""
    dims = range(x.ndim) if dim is None else axes(dim, x.ndim) or ()
    return lo.reshape(x, shape=tuple([n for d, n in enumerate(x.shape) if n != 1 or d not in dims]))


def unsqueeze(x: Any, dim: int) -> Any:
    """x with a new dimension of size 1 at ``dim``."""
    d = axis(dim, x.ndim + 1)
    return lo.reshape(x, shape=(*x.shape[:d], 1, *x.shape[d:]))


def permute(x: Any, *given: Any, dims: Any = None) -> Any:
    """The dimensions in another order: dimension i of the result is dims[i] of x."""
    dims = tuple([axis(d, x.ndim) for d in sizes(given, dims)])
    if sorted(dims) != list(range(x.ndim)):
        raise RuntimeError(message(f"permute(): {dims} does not name each of {x.ndim} dimensions once", inputs=(x,),
                                   instead=f"the dimensions in another order, for instance "
                                           f"x.permute{tuple(range(x.ndim))[::-1]}"))
    return lo.permute(x, dims=dims)


def transpose(x: Any, dim0: int, dim1: int) -> Any:
    """Two dimensions exchanged."""
    dim0, dim1 = axis(dim0, x.ndim), axis(dim1, x.ndim)
    return lo.transpose(x, dim0=dim0, dim1=dim1) if x.ndim else x


def t(x: Any) -> Any:
    """The transpose of a matrix; a vector or number as it is."""
    if x.ndim > 2:
        raise RuntimeError(message(f"t() expects a tensor with <= 2 dimensions, but self is {x.ndim}D", inputs=(x,),
                                   instead="x.mT, or x.transpose(dim0, dim1)"))
    return lo.transpose(x, dim0=0, dim1=1) if x.ndim == 2 else x


def movedim(x: Any, source: Any, destination: Any) -> Any:
    """Some dimensions moved to other places; the rest keep their order."""
    source, destination = axes(source, x.ndim) or (), axes(destination, x.ndim) or ()
    if len(source) != len(destination):
        raise RuntimeError(message(f"movedim: source {source} and destination {destination} differ in length",
                                   instead="as many places as dimensions: x.movedim((0, 1), (-2, -1))"))
    dims = [d for d in range(x.ndim) if d not in source]
    for to, d in sorted(zip(destination, source, strict=True)):
        dims.insert(to, d)
    return lo.permute(x, dims=tuple(dims))


def flip(x: Any, *given: Any, dims: Any = None) -> Any:
    """The order along some dimensions reversed."""
    if not given and dims is None:
        raise TypeError(message("flip() missing 1 required positional arguments: \"dims\"", op="flip", inputs=(x,),
                                instead="x.flip(0)"))
    return lo.flip(x, dims=axes(sizes(given, dims), x.ndim) or ())


def roll(x: Any, shifts: Any, dims: Any = None) -> Any:
    """Numbers shifted along some dimensions, round the ends; without ``dims`` along the flattened x."""
    if dims is None:
        return lo.reshape(roll(flatten(x), shifts, 0), shape=x.shape)
    shifts, dims = (tuple(n) if isinstance(n, (tuple, list)) else (operator.index(n),) for n in (shifts, dims))
    if len(shifts) != len(dims):
        what = f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}"
        raise RuntimeError(message(what, op="roll", inputs=(x,),
                                   instead="x.roll((1, 2), (0, 1)), a shift for each dimension"))
    return lo.roll(x, shifts=shifts, dims=tuple([axis(d, x.ndim) for d in dims]))


def atleast_1d(x: Any) -> Any:
    """A number as a vector of one element."""
    return x if x.ndim else lo.reshape(x, shape=(1,))


def atleast_2d(x: Any) -> Any:
    """A number as a 1 x 1 matrix, a vector as one row."""
    return x if x.ndim > 1 else lo.reshape(x, shape=(1, math.prod(x.shape)))


def atleast_3d(x: Any) -> Any:
    """A matrix with a last dimension of size 1; a vector as its row."""
    return x if x.ndim > 2 else unsqueeze(atleast_2d(x), -1)


# ---- numbers used many times ----------------------------------------------------------------------------------------
def expand(x: Any, *given: Any, size: Any = None, shape: Any = None) -> Any:
    """x repeated along dimensions of size 1 and new leading ones, in memory of its own; -1 keeps a size."""
    shape = sizes(given, size if shape is None else shape)
    new = len(shape) - x.ndim
    if new < 0:
        raise RuntimeError(message(f"the number of sizes provided ({len(shape)}) must be greater or equal to the "
                                   f"number of dimensions in the tensor ({x.ndim})", op="expand", inputs=(x,),
                                   instead="a size for each dimension; -1 keeps one as it is"))
    return lo.expand(x, shape=tuple([x.shape[d - new] if n == -1 and d >= new else n for d, n in enumerate(shape)]))


def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The shape that all are broadcast to."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise RuntimeError(message(f"Shape mismatch: {' and '.join(map(str, shapes))} cannot be broadcast to one shape",
                                   instead="counted from the right, sizes must be equal or one of them 1")) from None


def broadcast_tensors(*tensors: Any) -> tuple:
    """Each expanded to the shape that all are broadcast to."""
    shape = broadcast_shapes(*[x.shape for x in tensors])
    return tuple([lo.expand(x, shape=shape) for x in tensors])


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple:
    """Coordinates of a grid out of vectors: the i-th varies along dimension i ("xy": the first two exchanged)."""
    xs = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    if indexing not in ("ij", "xy") or any(np.ndim(array(x)) > 1 for x in xs):
        what = "Expected 0D or 1D tensors" if indexing in ("ij", "xy") else (
            f'indexing must be one of "xy" or "ij", but received: {indexing}')
        raise RuntimeError(message(f"torch.meshgrid: {what}", op="meshgrid", inputs=tuple(xs),
                                   instead='tg.meshgrid(x, y, indexing="ij"), of vectors'))
    grid = broadcast_tensors(*[reshape(x, (-1,) + (1,) * (len(xs) - d - 1)) for d, x in enumerate(xs)])
    return tuple([transpose(x, 0, 1) for x in grid]) if indexing == "xy" and len(xs) > 1 else grid


def repeat(x: Any, *given: Any, repeats: Any = None) -> Any:
    """x laid out so many times along each dimension, new leading ones included."""
    times = sizes(given, repeats)
    if len(times) < x.ndim:
        raise RuntimeError(message("Number of dimensions of repeat dims can not be smaller than number of "
                                   "dimensions of tensor", op="repeat", inputs=(x,),
                                   instead="a number for each dimension, or tile"))
    pairs = list(zip(times, (1,) * (len(times) - x.ndim) + tuple(x.shape), strict=True))
    x = lo.reshape(x, shape=tuple([n for _, size in pairs for n in (1, size)]))
    x = lo.expand(x, shape=tuple([n for pair in pairs for n in pair]))
    return lo.reshape(x, shape=tuple([r * n for r, n in pairs]))


def tile(x: Any, *given: Any, dims: Any = None) -> Any:
    """``repeat``, where missing leading numbers count as 1."""
    times = sizes(given, dims)
    return repeat(x, (1,) * (x.ndim - len(times)) + times)


ravel, broadcast_to, swapaxes, swapdims, moveaxis = flatten, expand, transpose, transpose, movedim
