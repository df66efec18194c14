"""Indexing, as NumPy and PyTorch do it: ``getitem`` reads a part, ``put`` writes a part into zeros, and each is the
adjoint of the other; ``setitem`` is an array with a part replaced.

``index`` is plain: a tuple of ints, slices, None, Ellipsis and arrays, as ``plain`` makes it out of what a user writes.
"""
from __future__ import annotations

import math
from itertools import takewhile
from typing import Any

import numpy as np

from ..errors import message
from ..graph import derived, linear
from .elementwise import where
from .layout import array, axis, broadcast_shapes, broadcast_tensors, expand, flatten, movedim

ALL = slice(None)


def plain(index: Any) -> tuple:
    """An index as a tuple of ints, slices, None, Ellipsis and arrays, which are copied: a later change of an index does
    not reach the rules. One without arrays has an Ellipsis, so that NumPy gives a view even of a single element."""
    if type(index) is int:
        return (index, ...)
    items: list = []
    arrays = False
    for i in index if isinstance(index, tuple) else (index,):
        if isinstance(i, slice):
            if i.step is not None and i.step <= 0:
                raise ValueError(message("step must be greater than zero", op="getitem", instead="x.flip(dim)"))
        elif not (type(i) is int or i is None or i is Ellipsis):
            given, i = i, derived(np.array(getattr(i, "payload", i)), i)
            if i.dtype.kind not in "iub":
                if i.size or i.dtype.kind != "f":
                    raise (IndexError if i.dtype.kind == "f" else TypeError)(message(
                        "tensors used as indices must be long, int, byte or bool tensors", op="getitem", inputs=(i,)))
                i = i.astype(np.int64)                # an empty list
            if i.ndim == 0 and i.dtype != bool:       # a bool is a new dimension, kept by True and emptied by False
                i = given.__index__()
            arrays = arrays or isinstance(i, np.ndarray)
        items.append(i)
    return tuple(items) if arrays or any(i is Ellipsis for i in items) else (*items, Ellipsis)


def steps(index: tuple) -> list[tuple]:
    """A plain index as what NumPy takes at once; as two steps where it has both ints and arrays, since NumPy would
    treat the ints as arrays too, and may then order the dimensions of the result in another way than PyTorch."""
    arrays = [isinstance(i, np.ndarray) for i in index]
    if not any(arrays) or not any(isinstance(i, int) for i in index):
        return [index]
    first = [j for i, is_array in zip(index, arrays, strict=True)
             for j in ([ALL] * (i.ndim if i.dtype == bool else 1) if is_array else [i])]
    then = [i if is_array or i is Ellipsis else ALL
            for i, is_array in zip(index, arrays, strict=True) if not isinstance(i, int)]
    return [tuple(first), tuple(then)]


def got(x: np.ndarray, index: tuple) -> np.ndarray:
    """x[index]."""
    for step in steps(index):
        x = x[step]
    return x


def assign(x: np.ndarray, v: Any, index: tuple) -> np.ndarray:
    """x[index] = v, in the memory of x."""
    *first, last = steps(index)
    (x[first[0]] if first else x)[last] = v
    return x


def placed(g: np.ndarray, index: tuple, shape: tuple) -> np.ndarray:
    """z = zeros(shape); z[index] += g, where an element that is met several times receives the sum."""
    *first, last = steps(index)
    arrays = [i for i in last if isinstance(i, np.ndarray)]
    if arrays and (len(arrays) > 1 or arrays[0].dtype != bool):
        if not first:
            return total(g, last, shape)
        g, last = total(g, last, np.broadcast_to(np.False_, shape)[first[0]].shape), (...,)
    z = np.zeros(shape, g.dtype)
    (z[first[0]] if first else z)[last] = g
    return z


def total(g: np.ndarray, index: tuple, shape: tuple) -> np.ndarray:
    """``placed`` for integer arrays, without np.add.at, which is several times slower. Seen as rows, as coarse as the
    index allows: row number rows[i] of the result receives g[i]."""
    lead = tuple(takewhile(lambda i: isinstance(i, np.ndarray), index))
    depth = sum([i.ndim if i.dtype == bool else 1 for i in lead])
    if not all(i is Ellipsis or (isinstance(i, slice) and i == ALL) for i in index[len(lead):]):
        lead, depth = index, len(shape)               # slices before arrays: rows of one element
    n, width = math.prod(shape[:depth]), math.prod(shape[depth:])
    rows = np.arange(n).reshape(shape[:depth])[lead].ravel()
    g = g.reshape(len(rows), width)
    if width == 1:
        z = np.bincount(rows, g[:, 0], n).astype(g.dtype)
    elif n * len(rows) <= 2**15 and np.isfinite(g).all():                        # 0 times inf would spread
        z = (rows == np.arange(n)[:, None]).astype(g.dtype) @ g
    else:
        by_row = np.argsort(rows, kind="stable")
        rows = rows[by_row]
        starts = np.flatnonzero(np.diff(rows, prepend=-1))
        z = np.zeros((n, width), g.dtype)
        z[rows[starts]] = np.add.reduceat(g[by_row], starts)
    return z.reshape(shape)


def replaced(g: Any, y: Any, x: Any, v: Any, index: tuple) -> Any:
    """What flows back to the new part in ``setitem``, which may have more leading dimensions of size 1."""
    c = getitem(g, index=index)
    return c if c.ndim >= len(v.shape) else c.reshape((1,) * (len(v.shape) - c.ndim) + c.shape)


getitem = linear("getitem", got, lambda g, y, x, index: put(g, index=index, shape=x.shape), views=True,
                  doc="the part of x at the index")
put = linear("put", placed, lambda g, y, x, index, shape: getitem(g, index=index),
             doc="x placed at the index into zeros; what meets is added")
setitem = linear("setitem", lambda x, v, index: assign(np.array(x), v, index),
                 lambda g, y, x, v, index: setitem(g, 0, index=index), replaced, jointly=True,
                 doc="x with its part at the index replaced by v")


def at(dim: int, i: Any) -> tuple:
    """The index that takes ``i`` along one dimension."""
    return (ALL,) * dim + (i, ...)


# ---- triangles and diagonals ----------------------------------------------------------------------------------------
_tril = linear("tril", lambda x, diagonal: np.tril(x, diagonal), lambda g, y, x, diagonal: _tril(g, diagonal=diagonal),
               doc="matrices with what stands above a diagonal set to 0")
_triu = linear("triu", lambda x, diagonal: np.triu(x, diagonal), lambda g, y, x, diagonal: _triu(g, diagonal=diagonal),
               doc="matrices with what stands below a diagonal set to 0")


def tril(x: Any, diagonal: int = 0) -> Any:
    """Matrices with what stands above the diagonal set to 0; diagonal 1 is the first above the main one."""
    return _tril(at_least_a_matrix(x, "tril"), diagonal=diagonal)


def triu(x: Any, diagonal: int = 0) -> Any:
    """Matrices with what stands below the diagonal set to 0."""
    return _triu(at_least_a_matrix(x, "triu"), diagonal=diagonal)


def at_least_a_matrix(x: Any, op: str) -> Any:
    """x, or a RuntimeError where it has less than two dimensions."""
    if x.ndim < 2:
        raise RuntimeError(message(f"{op}: input tensor must have at least 2 dimensions", op=op, inputs=(x,)))
    return x


def on_diagonal(rows: int, columns: int, offset: int) -> tuple:
    """The index of a diagonal of matrices in the last two dimensions."""
    i = np.arange(max(-offset, 0), max(min(rows, columns - offset), max(-offset, 0)))
    return (..., i, i + offset)


def diagonal(x: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """A diagonal of the matrices in two dimensions, as a last dimension."""
    x = movedim(x, (dim1, dim2), (-2, -1))
    return getitem(x, index=on_diagonal(x.shape[-2], x.shape[-1], offset))


def diag_embed(x: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Square matrices in two new dimensions with the last dimension of x on a diagonal, elsewhere 0."""
    n = x.shape[-1] + abs(offset)
    return movedim(put(x, index=on_diagonal(n, n, offset), shape=(*x.shape[:-1], n, n)), (-2, -1), (dim1, dim2))


def diag(x: Any, diagonal: int = 0) -> Any:
    """The matrix with a vector on its diagonal, or the diagonal of a matrix."""
    if x.ndim not in (1, 2):
        raise RuntimeError(message(f"diag(): Supports 1D or 2D tensors. Got {x.ndim}D", inputs=(x,),
                                   instead="diagonal or diag_embed"))
    if x.ndim == 1:
        return diag_embed(x, diagonal)
    return getitem(x, index=on_diagonal(x.shape[0], x.shape[1], diagonal))


# ---- choosing by index or mask --------------------------------------------------------------------------------------
def mesh(index: np.ndarray, dim: int) -> tuple:
    """The index that takes, along one dimension, elements of its own at each place of the others."""
    last = index.ndim - 1
    return tuple([index if d == dim else np.arange(n).reshape((-1,) + (1,) * (last - d))
                  for d, n in enumerate(index.shape)])


gather_along = linear("gather", lambda x, dim, index: x[mesh(index, dim)],
                 lambda g, y, x, dim, index: put(g, index=mesh(index, dim), shape=x.shape),
                 doc="y[i, j] = x[index[i, j], j] for dim = 0, and so on")


def whole(x: Any, dim: int, index: Any, op: str) -> np.ndarray:
    """A copy of the data of an index for each element: whole numbers that dimension ``dim`` of x has."""
    i = derived(np.array(getattr(index, "payload", index)), index)
    if i.dtype.kind not in "iu":
        raise RuntimeError(message(f"{op}(): Expected dtype int32/int64 for index", op=op, inputs=(x, index)))
    if i.ndim != x.ndim:
        raise RuntimeError(message("Index tensor must have the same number of dimensions as input tensor", op=op,
                                   inputs=(x, index), instead="index.unsqueeze(dim)"))
    n = x.shape[dim] if x.ndim else 1
    if i.size and not 0 <= i.min() <= i.max() < n:
        raise RuntimeError(message(f"index {i.min() if i.min() < 0 else i.max()} is out of bounds for dimension {dim} "
                                   f"with size {n}", op=op, inputs=(x, index)))
    return i


def gather(x: Any, dim: int, index: Any) -> Any:
    """y[i][j] = x[index[i][j]][j] for dim = 0, y[i][j] = x[i][index[i][j]] for dim = 1."""
    d = axis(dim, x.ndim)
    return gather_along(x, dim=d, index=whole(x, d, index, "gather"))


def scatter(x: Any, dim: int, index: Any, src: Any = None, *, value: Any = None) -> Any:
    """x with y[index[i][j]][j] = src[i][j] for dim = 0, and so on; src may be a number."""
    d = axis(dim, x.ndim)
    i = whole(x, d, index, "scatter")
    return setitem(x, part(value if src is None else src, i.shape), index=mesh(i, d))


def scatter_add(x: Any, dim: int, index: Any, src: Any) -> Any:
    """x with y[index[i][j]][j] += src[i][j] for dim = 0, and so on."""
    d = axis(dim, x.ndim)
    i = whole(x, d, index, "scatter_add")
    return x + put(part(src, i.shape), index=mesh(i, d), shape=x.shape)


def part(src: Any, shape: tuple) -> Any:
    """The first elements of a source that may be larger than its index."""
    return src if not hasattr(src, "shape") or src.shape == shape else getitem(src, index=(*map(slice, shape), ...))


def take_along_dim(x: Any, indices: Any, dim: int | None = None) -> Any:
    """``gather`` where the other dimensions are broadcast; without ``dim`` both are flattened."""
    if dim is None:
        return gather(flatten(x), 0, flatten(indices))
    d = axis(dim, x.ndim)
    shape = broadcast_shapes(x.shape[:d] + x.shape[d + 1:], indices.shape[:d] + indices.shape[d + 1:])
    x, i = (expand(v, (*shape[:d], v.shape[d], *shape[d:])) for v in (x, indices))
    return gather(x, d, i)


def index_select(x: Any, dim: int, index: Any) -> Any:
    """The slices of x along a dimension with these numbers."""
    return getitem(x, index=plain(at(axis(dim, x.ndim), index)))


def take(x: Any, index: Any) -> Any:
    """Elements of the flattened x."""
    return getitem(flatten(x), index=plain(index))


def masked_fill(x: Any, mask: Any, value: Any) -> Any:
    """x with the value where the mask is true."""
    if mask.dtype != bool:
        raise RuntimeError(message(f"masked_fill only supports boolean masks, but got mask with dtype {mask.dtype}",
                                   op="masked_fill", inputs=(x, mask), instead="mask.bool()"))
    return where(mask, value, x)


def masked_select(x: Any, mask: Any) -> Any:
    """The elements where the mask is true, as a vector."""
    x, mask = broadcast_tensors(x, mask)
    return getitem(x, index=plain(mask))


def unfold(x: Any, dimension: int, size: int, step: int) -> Any:
    """All windows of a size along a dimension, each ``step`` after the one before; they become the last dimension."""
    d = axis(dimension, x.ndim)
    starts = np.arange(0, x.shape[d] - size + 1, step)
    return movedim(index_select(x, d, starts[:, None] + np.arange(size)), d + 1, -1)


def repeat_interleave(x: Any, repeats: Any, dim: int | None = None) -> Any:
    """Each slice along ``dim`` so many times in a row; without ``dim`` x is flattened first."""
    x, d = (flatten(x), 0) if dim is None else (x, axis(dim, x.ndim))
    return index_select(x, d, np.repeat(np.arange(x.shape[d]), array(repeats)))
