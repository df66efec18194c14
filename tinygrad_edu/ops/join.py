"""Joining: the rule of a join gives each part its own piece of the adjoint."""
from __future__ import annotations

from itertools import accumulate
from typing import Any

import numpy as np

from ..graph import linear
from .index import at, getitem


def shares(g: Any, y: Any, *xs: Any, needs: list, dim: int) -> list:
    """What flows back through ``cat``: to each input its own part."""
    ends = accumulate([x.shape[dim] for x in xs])
    return [getitem(g, index=at(dim, slice(end - x.shape[dim], end))) if need else None
            for x, end, need in zip(xs, ends, needs, strict=True)]


cat = linear("cat", lambda *xs, dim: np.concatenate(xs, dim), joint=shares, jointly=True, promotes=True,
             doc="joined along a dimension")
stack = linear("stack", lambda *xs, dim: np.concatenate([x[at(dim, None)] for x in xs], dim),
               joint=lambda g, y, *xs, needs, dim: [getitem(g, index=at(dim, i)) for i in range(len(xs))],
               jointly=True, promotes=True, doc="joined along a new dimension")
