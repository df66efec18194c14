"""Indexing, triangles and diagonals, choosing by index or mask, with PyTorch's names and arguments."""
from __future__ import annotations

import operator
import warnings
from typing import Any

import numpy as np

from ..errors import message
from ..mode import assumed, constant, derived
from ..ops import index as ix
from ..ops.elementwise import where
from ..ops.index import assign, getitem, put, setitem  # noqa: F401
from .layout import (
    array,
    axis,
    broadcast_shapes,
    broadcast_tensors,
    cast,
    copied,
    expand,
    flatten,
    like,
    movedim,
    reshape,
)


def plain(index: Any) -> tuple:
    """An index as a tuple of ints, slices, None, Ellipsis and arrays, which are copied: a later change of an index does
    not reach the rules. One without arrays has an Ellipsis, so that NumPy gives a view even of a single element. A list
    that holds more than numbers is read as a tuple, as PyTorch does: x[[[0, 1], [2, 3]]] is x[[0, 1], [2, 3]]."""
    if type(index) is int:
        return (index, ...)
    if type(index) is list and any(isinstance(i, (list, tuple, slice)) or i is None or i is Ellipsis
                                   or hasattr(i, "ndim") for i in index):
        warnings.warn(message("Using a non-tuple sequence for multidimensional indexing is deprecated", op="getitem",
                              instead="x[tuple(index)], or x[tg.tensor(index)]"), UserWarning, stacklevel=3)
        index = tuple(index)
    items: list = []
    arrays = False
    for i in index if isinstance(index, tuple) else (index,):
        if isinstance(i, slice):
            if i.step is not None and i.step <= 0:
                raise ValueError(message("step must be greater than zero", op="getitem", instead="x.flip(dim)"))
        elif not (type(i) is int or i is None or i is Ellipsis):
            given, i = i, copied(i)
            if i.dtype.kind not in "iub":
                if i.size or i.dtype.kind != "f" or hasattr(given, "payload"):
                    raise (IndexError if i.dtype.kind == "f" else TypeError)(message(
                        "tensors used as indices must be long, int, byte or bool tensors", op="getitem", inputs=(i,),
                        instead="index.long(), or a mask such as x > 0"))
                i = constant(i.astype(np.int64))      # an empty list
            if i.dtype == np.uint8:                   # PyTorch's older masks
                i = derived(i.astype(bool), i)
            if i.ndim == 0 and i.dtype != bool:       # a bool is a new dimension, kept by True and emptied by False
                i = given.__index__()
            arrays = arrays or isinstance(i, np.ndarray)
        items.append(i)
    return tuple(items) if arrays or any(i is Ellipsis for i in items) else (*items, Ellipsis)


# ---- triangles and diagonals ----------------------------------------------------------------------------------------
def tril(x: Any, diagonal: int = 0) -> Any:
    """Matrices with what stands above the diagonal set to 0; diagonal 1 is the first above the main one."""
    return ix.tril(at_least_a_matrix(x, "tril"), diagonal=diagonal)


def triu(x: Any, diagonal: int = 0) -> Any:
    """Matrices with what stands below the diagonal set to 0."""
    return ix.triu(at_least_a_matrix(x, "triu"), diagonal=diagonal)


def at_least_a_matrix(x: Any, op: str) -> Any:
    """x, or a RuntimeError where it has less than two dimensions."""
    if x.ndim < 2:
        raise RuntimeError(message(f"{op}: input tensor must have at least 2 dimensions", op=op, inputs=(x,),
                                   instead="x.unsqueeze(0), a matrix with one row"))
    return x


def on_diagonal(rows: int, columns: int, offset: int) -> tuple:
    """The index of a diagonal of matrices in the last two dimensions."""
    i = np.arange(max(-offset, 0), max(min(rows, columns - offset), max(-offset, 0)))
    return (..., constant(i), constant(i + offset))


def diagonal(x: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """A diagonal of the matrices in two dimensions, as a last dimension."""
    x = movedim(x, (dim1, dim2), (-2, -1))
    return ix.getitem(x, index=on_diagonal(x.shape[-2], x.shape[-1], offset))


def diag_embed(x: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Square matrices in two new dimensions with the last dimension of x on a diagonal, elsewhere 0."""
    n = x.shape[-1] + abs(offset)
    return movedim(ix.put(x, index=on_diagonal(n, n, offset), shape=(*x.shape[:-1], n, n)), (-2, -1), (dim1, dim2))


def diag(x: Any, diagonal: int = 0) -> Any:
    """The matrix with a vector on its diagonal, or the diagonal of a matrix."""
    if x.ndim not in (1, 2):
        raise RuntimeError(message(f"diag(): Supports 1D or 2D tensors. Got {x.ndim}D", inputs=(x,),
                                   instead="diagonal or diag_embed"))
    if x.ndim == 1:
        return diag_embed(x, diagonal)
    return ix.getitem(x, index=on_diagonal(x.shape[0], x.shape[1], diagonal))


# ---- choosing by index or mask --------------------------------------------------------------------------------------
def tensor(x: Any, name: str, op: str) -> Any:
    """x; PyTorch's error where it is a list or a number."""
    if not hasattr(x, "dtype"):
        raise TypeError(message(f"{op}(): argument '{name}' must be Tensor, not {type(x).__name__}", op=op, inputs=(x,),
                                instead="tg.tensor(...) of it"))
    return x


def whole(x: Any, dim: int, index: Any, op: str) -> np.ndarray:
    """A copy of the data of an index for each element: whole numbers that dimension ``dim`` of x has."""
    i = copied(tensor(index, "index", op))
    if i.dtype.kind not in "iu":
        raise RuntimeError(message(f"{op}(): Expected dtype int32/int64 for index", op=op, inputs=(x, index),
                                   instead="index.long()"))
    if i.ndim != x.ndim:
        raise RuntimeError(message("Index tensor must have the same number of dimensions as input tensor", op=op,
                                   inputs=(x, index), instead="index.unsqueeze(dim)"))
    if any(have > may for d, (have, may) in enumerate(zip(i.shape, x.shape, strict=True)) if d != dim):
        raise RuntimeError(message(f"Size does not match at dimension {dim}: expected index {list(i.shape)} to be no "
                                   f"larger than self {list(x.shape)} apart from dimension {dim}", op=op,
                                   inputs=(x, index), instead="an index that is cut to the size of x"))
    n = x.shape[dim] if x.ndim else 1
    if i.size and assumed(outside, i, n):
        raise RuntimeError(message(f"index {i.min() if i.min() < 0 else i.max()} is out of bounds for dimension {dim} "
                                   f"with size {n}", op=op, inputs=(x, index),
                                   instead=f"indices from 0 to {n - 1}" if n else "a dimension with elements"))
    return i


def outside(index: np.ndarray, n: int) -> bool:
    """Whether some index is not one of 0, ..., n - 1."""
    return not (index.min() >= 0 and index.max() < n)


def meshed(x: Any, dim: int, index: Any, op: str) -> tuple:
    """An index for each element, checked, and what it is for ``getitem``."""
    d = axis(dim, x.ndim)
    i = whole(x, d, index, op)
    return i, tuple([j if j is i else constant(j) for j in ix.mesh(i, d)])


def gather(x: Any, dim: int, index: Any) -> Any:
    """y[i][j] = x[index[i][j]][j] for dim = 0, y[i][j] = x[i][index[i][j]] for dim = 1."""
    d = axis(dim, x.ndim)
    return ix.gather_along(x, dim=d, index=whole(x, d, index, "gather"))


def scatter(x: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Any:
    """x with y[index[i][j]][j] = src[i][j] for dim = 0, and so on; src may be a number. reduce="add" adds to x."""
    i, where = meshed(x, dim, index, "scatter")
    src = part(x, value if src is None else src, i.shape, "scatter")
    if reduce == "add":
        src = src if hasattr(src, "shape") else like(x, constant(np.full(i.shape, array(src), x.dtype)))
        return x + ix.put(src, index=where, shape=x.shape)
    if reduce is not None:
        raise NotImplementedError(message(f"scatter: reduce={reduce!r} is not implemented", op="scatter", inputs=(x, i),
                                          instead='reduce="add", or scatter_add'))
    return ix.setitem(x, src, index=where)


def scatter_add(x: Any, dim: int, index: Any, src: Any) -> Any:
    """x with y[index[i][j]][j] += src[i][j] for dim = 0, and so on."""
    i, where = meshed(x, dim, index, "scatter_add")
    return x + ix.put(part(x, src, i.shape, "scatter_add"), index=where, shape=x.shape)


def part(x: Any, src: Any, shape: tuple, op: str) -> Any:
    """The first elements of a source of x's dtype, which may be larger than its index; or a number."""
    if isinstance(src, (int, float)) and op[:11] != "scatter_add":
        return src
    tensor(src, "src", op)
    if src.dtype != x.dtype:
        raise RuntimeError(message(f"{op}(): Expected self.dtype to be equal to src.dtype", op=op, inputs=(x, src),
                                   instead="src.to(x.dtype)"))
    if len(src.shape) != len(shape) or any(n > m for n, m in zip(shape, src.shape, strict=True)):
        raise RuntimeError(message(f"Expected index {list(shape)} to be no larger size than src {list(src.shape)}",
                                   op=op, inputs=(x, src), instead="a source with an element for each index"))
    return src if src.shape == shape else ix.getitem(src, index=(*map(slice, shape), ...))


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
    i = array(tensor(index, "index", "index_select"))
    if i.ndim > 1 or i.dtype.kind not in "iu":
        what = "Index is supposed to be a vector" if i.ndim > 1 else "Expected dtype int32 or int64 for index"
        raise (IndexError if i.ndim > 1 else RuntimeError)(message(
            f"index_select(): {what}", op="index_select", inputs=(x, index), instead="a vector of whole numbers"))
    return slices(x, axis(dim, x.ndim), reshape(index, -1))


def slices(x: Any, d: int, index: Any) -> Any:
    """x with an index of any shape along dimension d."""
    return ix.getitem(x, index=plain(ix.at(d, index))) if x.ndim else x


def take(x: Any, index: Any) -> Any:
    """Elements of the flattened x."""
    return ix.getitem(flatten(x), index=plain(index))


def masked_fill(x: Any, mask: Any, value: Any) -> Any:
    """x with the value where the mask is true."""
    if tensor(mask, "mask", "masked_fill").dtype != bool:
        raise RuntimeError(message(f"masked_fill only supports boolean masks, but got mask with dtype {mask.dtype}",
                                   op="masked_fill", inputs=(x, mask), instead="mask.bool()"))
    if not isinstance(value, (int, float)):
        tensor(value, "value", "masked_fill")
    if getattr(value, "ndim", 0):
        raise RuntimeError(message("masked_fill only supports a 0-dimensional value tensor, but got tensor with "
                                   f"{value.ndim} dimension(s).", op="masked_fill", inputs=(x, mask, value),
                                   instead="tg.where(mask, value, x)"))
    if x.dtype.kind != "f":                           # where would give the dtype of both
        value = cast(value, dtype=x.dtype) if hasattr(value, "dtype") else constant(np.asarray(value, x.dtype))
    return where(mask, value, x)


def masked_select(x: Any, mask: Any) -> Any:
    """The elements where the mask is true, as a vector."""
    if mask.dtype != bool:
        raise RuntimeError(message("masked_select: expected BoolTensor for mask", op="masked_select", inputs=(x, mask),
                                   instead="mask.bool(), or x[index] of whole numbers"))
    x, mask = broadcast_tensors(x, mask)
    return ix.getitem(x, index=plain(mask))


def unfold(x: Any, dimension: int, size: int, step: int) -> Any:
    """All windows of a size along a dimension, each ``step`` after the one before; they become the last dimension."""
    d, size, step = axis(dimension, x.ndim), operator.index(size), operator.index(step)
    if size > x.shape[d]:
        raise RuntimeError(message(f"maximum size for tensor at dimension {d} is {x.shape[d]} but size is {size}",
                                   op="unfold", inputs=(x,), instead=f"a size up to {x.shape[d]}"))
    starts = np.arange(0, x.shape[d] - size + 1, step)
    return movedim(slices(x, d, constant(starts[:, None] + np.arange(size))), d + 1, -1)


def repeat_interleave(x: Any, repeats: Any, dim: int | None = None) -> Any:
    """Each slice along ``dim`` so many times in a row; without ``dim`` x is flattened first."""
    x, d = (flatten(x), 0) if dim is None else (x, axis(dim, x.ndim))
    rows = np.repeat(np.arange(x.shape[d]), array(repeats))
    return slices(x, d, rows if hasattr(repeats, "dtype") else constant(rows))
