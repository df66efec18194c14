"""All that moves numbers and leaves them as they are, in one place: layout, indexing, joining and cutting."""
from __future__ import annotations

from .index import (ALL, assign, at, diag, diag_embed, diagonal, gather, getitem, index_select, masked_fill, masked_select,
                    plain, put, repeat_interleave, scatter, scatter_add, setitem, steps, take, take_along_dim, tril, triu,
                    unfold)
from .join import (cat, chunk, concat, concatenate, hstack, narrow, pad, select, split, stack, unbind, vstack)
from .layout import (array, atleast_1d, atleast_2d, atleast_3d, axes, axis, broadcast_shapes, broadcast_tensors,
                     broadcast_to, cast, clone, contiguous, expand, fit, flatten, flip, meshgrid, moveaxis, movedim, permute,
                     ravel, repeat, reshape, roll, sizes, squeeze, sum_to, swapaxes, swapdims, t, tile, transpose, unflatten,
                     unsqueeze, view)

ENGINE = (ALL, array, assign, at, axes, axis, cast, contiguous, expand, fit, getitem, pad, plain, put, repeat, setitem, sizes,
          steps, sum_to, unfold, view)                # for methods of Tensor, and inside the package

__all__ = ["atleast_1d", "atleast_2d", "atleast_3d", "broadcast_shapes", "broadcast_tensors", "broadcast_to", "cat", "chunk",
           "clone", "concat", "concatenate", "diag", "diag_embed", "diagonal", "flatten", "flip", "gather", "hstack",
           "index_select", "masked_fill", "masked_select", "meshgrid", "moveaxis", "movedim", "narrow", "permute", "ravel",
           "repeat_interleave", "reshape", "roll", "scatter", "scatter_add", "select", "split", "squeeze", "stack",
           "swapaxes", "swapdims", "t", "take", "take_along_dim", "tile", "transpose", "tril", "triu", "unbind",
           "unflatten", "unsqueeze", "vstack"]
