"""Joining tensors and cutting them into parts, with PyTorch's names and arguments."""
from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from ..errors import message
from ..mode import constant
from ..ops import join as jo
from ..ops.index import at, getitem, put, setitem
from .layout import array, atleast_1d, atleast_2d, axes, axis


def cat(tensors: Sequence, dim: int = 0, *, axis: int | None = None) -> Any:
    """Tensors joined along a dimension; the other sizes must agree. Empty vectors are left out."""
    dim = dim if axis is None else axis
    if not len(listed(tensors, "cat")):
        raise ValueError(message("expected a non-empty list of Tensors", op="cat",
                                 instead="tg.cat([a, b]), a list with at least one Tensor"))
    try:
        xs = [x for x in tensors if len(x.shape) != 1 or x.shape[0]] or tensors[:1]
    except AttributeError:
        raise unlisted(tensors, "cat") from None
    return jo.cat(*xs, dim=axes(dim, len(xs[0].shape) or 1)[0])


def listed(tensors: Any, op: str) -> Any:
    """The tensors; PyTorch's error where they are not in a list or tuple."""
    if not isinstance(tensors, (list, tuple)):
        raise TypeError(message(f"{op}(): argument 'tensors' (position 1) must be tuple of Tensors, not "
                                f"{type(tensors).__name__}", op=op, inputs=(tensors,), instead=f"tg.{op}([a, b])"))
    return tensors


def unlisted(tensors: Any, op: str) -> TypeError:
    """PyTorch's error for a list with something else than tensors."""
    i, x = next(((i, x) for i, x in enumerate(tensors) if not hasattr(x, "shape")), (0, tensors))
    return TypeError(message(f"expected Tensor as element {i} in argument 0, but got {type(x).__name__}", op=op,
                             inputs=tuple(tensors), instead="tg.tensor(...) of each element"))


def stack(tensors: Sequence, dim: int = 0, *, axis: int | None = None) -> Any:
    """Tensors of one shape joined along a new dimension."""
    dim = dim if axis is None else axis
    if not len(listed(tensors, "stack")):
        raise RuntimeError(message("stack expects a non-empty TensorList", op="stack",
                                   instead="tg.stack([a, b]), a list with at least one Tensor"))
    try:
        shapes = [x.shape for x in tensors]
    except AttributeError:
        raise unlisted(tensors, "stack") from None
    for i, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise RuntimeError(message(f"stack expects each tensor to be equal size, but got {shapes[0]} at "
                                       f"entry 0 and {shape} at entry {i}", op="stack",
                                       inputs=tuple(tensors), instead="tensors of one shape, or tg.cat([...]), which "
                                       "joins along a dimension that they have"))
    return jo.stack(*tensors, dim=axes(dim, len(shapes[0]) + 1)[0])


def hstack(tensors: Sequence) -> Any:
    """Joined side by side: along dimension 1, vectors along their only one."""
    xs = [atleast_1d(x) for x in tensors]
    return cat(xs, 0 if xs and xs[0].ndim == 1 else 1)


def vstack(tensors: Sequence) -> Any:
    """Joined one below the other; vectors are rows."""
    return cat([atleast_2d(x) for x in tensors])


def narrow(x: Any, dim: int, start: int, length: int) -> Any:
    """x[start : start + length] along a dimension."""
    d, start, length = axis(dim, x.ndim), operator.index(start), operator.index(length)
    start = start + x.shape[d] if start < 0 else start
    if not 0 <= start <= start + length <= x.shape[d]:
        raise RuntimeError(message(f"start ({start}) + length ({length}) exceeds dimension size ({x.shape[d]}).",
                                   op="narrow", inputs=(x,), instead=f"start + length <= {x.shape[d]}"))
    return getitem(x, index=at(d, slice(start, start + length)))


def select(x: Any, dim: int, index: int) -> Any:
    """x[index] along a dimension, which is dropped."""
    return getitem(x, index=at(axis(dim, x.ndim), index.__index__()))


def unbind(x: Any, dim: int = 0) -> tuple:
    """The slices along a dimension, without it."""
    if not x.ndim:
        raise IndexError(message("Dimension specified as 0 but tensor has no dimensions", op="unbind", inputs=(x,),
                                 instead="x.item(), its one number"))
    d = axis(dim, x.ndim)
    return tuple([getitem(x, index=at(d, i)) for i in range(x.shape[d])])


def split(x: Any, split_size: Any, dim: int = 0) -> tuple:
    """Pieces of the given size along a dimension (the last may be smaller), or of the given sizes."""
    d = axis(dim, x.ndim)
    n = x.shape[d]
    if isinstance(split_size, int):
        split_size = operator.index(split_size)
        if split_size < 1 and (n or split_size):
            raise RuntimeError(message(f"split_size {split_size} is not positive; it can only be 0 if dimension size "
                                       f"is 0, but got dimension size of {n}", op="split", inputs=(x,),
                                       instead=f"x.split({max(n // 2, 1)}), pieces of so many elements each"))
        ends = [min(end, n) for end in range(split_size, n + split_size, split_size or 1)] or [n]
    else:
        ends = list(accumulate(split_size))
        if (ends or [0])[-1] != n:
            raise RuntimeError(message(f"split_with_sizes expects split_sizes to sum exactly to {n} (the size of "
                                       f"dimension {d}), but got {list(split_size)}", op="split", inputs=(x,),
                                       instead=f"sizes that add up to {n}, or x.split({max(n // 2, 1)})"))
    return tuple([getitem(x, index=at(d, slice(*ends_))) for ends_ in zip([0, *ends], ends, strict=False)])


def chunk(x: Any, chunks: int, dim: int = 0) -> tuple:
    """At most so many pieces of equal size along a dimension (the last may be smaller)."""
    if chunks < 1:
        raise RuntimeError(message(f"chunk expects `chunks` to be greater than 0, got: {chunks}", inputs=(x,),
                                   instead="x.chunk(2)"))
    n, chunks = x.shape[axis(dim, x.ndim)], operator.index(chunks)
    return split(x, -(-n // chunks) if n else [0] * chunks, dim)


def pad(x: Any, widths: Sequence, value: float = 0) -> Any:
    """x with (before, after) elements of the value added along each dimension, as np.pad."""
    index = tuple([slice(low, low + n) for (low, _), n in zip(widths, x.shape, strict=True)]) + (...,)
    shape = tuple([low + n + high for (low, high), n in zip(widths, x.shape, strict=True)])
    if not value:
        return put(x, index=index, shape=shape)
    return setitem(constant(np.full(shape, array(value), x.dtype)), x, index=index)


concat = concatenate = cat
