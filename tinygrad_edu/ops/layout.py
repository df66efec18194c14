"""Primitives that move numbers about and leave them as they are: all are linear, and the rule of each is its adjoint
(expand and sum_to, a permutation and its inverse).

Dimensions are counted from the front; ``views=True`` marks a primitive whose result may share the memory of its input.
"""
from __future__ import annotations

import math

import numpy as np

from ..graph import linear

# ---- the same numbers in another shape or order ---------------------------------------------------------------------
reshape = linear("reshape", lambda x, shape: x.reshape(shape),
                 lambda g, y, x, shape: reshape(g, shape=x.shape), views=True, doc="the same numbers, another shape")
permute = linear("permute", lambda x, dims: x.transpose(dims),
                 lambda g, y, x, dims: permute(g, dims=tuple([dims.index(d) for d in range(len(dims))])),
                 views=True, doc="the dimensions in another order")
transpose = linear("transpose", lambda x, dim0, dim1: x.swapaxes(dim0, dim1),
                   lambda g, y, x, dim0, dim1: transpose(g, dim0=dim0, dim1=dim1), views=True,
                   doc="two dimensions exchanged")
flip = linear("flip", lambda x, dims: np.flip(x, dims).copy(), lambda g, y, x, dims: flip(g, dims=dims),
              doc="the order along some dimensions reversed")
roll = linear("roll", lambda x, shifts, dims: np.roll(x, shifts, dims),
              lambda g, y, x, shifts, dims: roll(g, shifts=tuple([-s for s in shifts]), dims=dims),
              doc="numbers shifted along some dimensions, what leaves at one end enters at the other")
cast = linear("cast", lambda x, dtype: x.astype(dtype), lambda g, y, x, dtype: cast(g, dtype=x.dtype),
              doc="the same numbers in another dtype")
clone = linear("clone", lambda x: np.array(x), lambda g, y, x: g, doc="a copy, which passes the gradient on")
contiguous = linear("contiguous", lambda x: np.ascontiguousarray(x), lambda g, y, x: g, doc="a copy in C order")


# ---- numbers used many times, and the sum over their uses -----------------------------------------------------------
def expanded(x: np.ndarray, shape: tuple) -> np.ndarray:
    """x broadcast to the shape, in memory of its own."""
    y = np.empty(shape, x.dtype)                      # several times faster than np.broadcast_to on small arrays
    y[...] = x
    return y


def summed(x: np.ndarray, shape: tuple) -> np.ndarray:
    """x summed over leading dimensions, and over those where the shape has size 1."""
    extra = x.ndim - len(shape)
    if extra > 0:
        rest = x.shape[extra:]
        if x.size > 8192 and rest and x.dtype.kind == "f" and x.flags.c_contiguous:
            n = math.prod(x.shape[:extra])            # a matrix product is several times faster than a sum over rows
            x = (np.ones(n, x.dtype) @ x.reshape(n, -1)).reshape(rest)
        else:
            x = np.add.reduce(x, tuple(range(extra)) if shape else None)
    elif extra < 0:
        return x.reshape(shape)
    ones = tuple([d for d, n in enumerate(shape) if n == 1 != x.shape[d]])
    return np.add.reduce(x, ones, None, None, True) if ones else x


expand = linear("expand", expanded, lambda g, y, x, shape: sum_to(g, shape=x.shape), doc="x repeated to a shape")
sum_to = linear("sum_to", summed, lambda g, y, x, shape: expand(g, shape=x.shape),
                doc="x summed to a smaller shape that broadcasts to its own")
