"""Indexing, as NumPy and PyTorch do it: ``getitem`` reads a part, ``put`` writes a part into zeros, and each is the
adjoint of the other; ``setitem`` is an array with a part replaced.

``index`` is a tuple of ints, slices, None, Ellipsis and arrays.
"""
from __future__ import annotations

import math
from itertools import takewhile
from typing import Any

import numpy as np

from ..graph import linear

ALL = slice(None)


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


def mesh(index: np.ndarray, dim: int) -> tuple:
    """The index that takes, along one dimension, elements of its own at each place of the others."""
    last = index.ndim - 1
    return tuple([index if d == dim else np.arange(n).reshape((-1,) + (1,) * (last - d))
                  for d, n in enumerate(index.shape)])


gather_along = linear("gather", lambda x, dim, index: x[mesh(index, dim)],
                      lambda g, y, x, dim, index: put(g, index=mesh(index, dim), shape=x.shape),
                      doc="y[i, j] = x[index[i, j], j] for dim = 0, and so on")
tril = linear("tril", lambda x, diagonal: np.tril(x, diagonal), lambda g, y, x, diagonal: tril(g, diagonal=diagonal),
              doc="matrices with what stands above a diagonal set to 0")
triu = linear("triu", lambda x, diagonal: np.triu(x, diagonal), lambda g, y, x, diagonal: triu(g, diagonal=diagonal),
              doc="matrices with what stands below a diagonal set to 0")
