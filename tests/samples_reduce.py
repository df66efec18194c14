"""Samples for the reductions and what runs along a dimension: no ties, no kinks; products with and without 0."""
from __future__ import annotations

import numpy as np
from sample import Sample

rng = np.random.default_rng(11)
MATRIX = rng.permutation(np.linspace(-1.9, 2.1, 12)).reshape(3, 4)             # all different
CUBE = rng.permutation(np.linspace(-1.7, 1.9, 24)).reshape(2, 3, 4)
NUMBER = np.array(0.7)
STRIDED = rng.permutation(np.linspace(0.3, 1.7, 24)).reshape(4, 6)[:, ::2].T   # (3, 4), not contiguous
ONE_ZERO = np.where(MATRIX == MATRIX[1, 2], 0.0, MATRIX)
ZEROS = np.where((MATRIX == MATRIX[1, 2]) | (MATRIX == MATRIX[1, 0]), 0.0, MATRIX)       # two in one row
DIMS = [(None, False), (None, True), ((0,), False), ((1,), False), ((1,), True)]


def reduced(empty: bool = True, **more: object) -> list[Sample]:
    """All dimensions, one, several, kept or not; 0-d, empty along a dimension that stays and one that goes, strided."""
    samples = [Sample((MATRIX,), {"dim": dim, "keepdim": keepdim}) for dim, keepdim in DIMS]
    samples += [Sample((CUBE,), {"dim": (0, 2), "keepdim": False}), Sample((CUBE,), {"dim": (2, 1), "keepdim": True}),
                Sample((STRIDED,), {"dim": (1,), "keepdim": False}), Sample((NUMBER,), {"dim": None, "keepdim": False}),
                Sample((MATRIX[:0],), {"dim": (1,), "keepdim": False})]
    samples += [Sample((MATRIX[:0],), {"dim": (0,), "keepdim": False})] if empty else []
    return [Sample(s.inputs, {**more, **s.params}) for s in samples]


def several(samples: list[Sample]) -> list[Sample]:
    """Those where more than one number is reduced: a variance needs two."""
    return [s for s in samples if s.inputs[0].ndim and (s.inputs[0].size or s.params["dim"] == (1,))]


def one_at_a_time(*extra: np.ndarray, **params: object) -> list[Sample]:
    """Along each dimension of a few arrays, a line of one element and an empty one among them."""
    return [Sample((x,), {"dim": dim, **params}) for x in (MATRIX, CUBE, STRIDED, MATRIX[:1], MATRIX[:0], *extra)
            for dim in range(x.ndim)]


SAMPLES = {
    "sum": reduced(),
    "mean": reduced(empty=False),
    "var": several(reduced(correction=1)) + several(reduced(correction=0)),
    "std": several(reduced(correction=1)) + several(reduced(correction=0)),
    "norm": [s for p in (2, 3, 1.5) for s in reduced(empty=False, p=p)],
    "logsumexp": reduced(empty=False),
    "amax": reduced(empty=False),
    "amin": reduced(empty=False),
    "any": reduced(),
    "all": reduced(),
    "median": [Sample((MATRIX,), {}), Sample((CUBE[0],), {}), Sample((STRIDED,), {}), Sample((NUMBER,), {}),
               Sample((MATRIX[0, :3],), {})],
    **{name: [Sample((x,), {"dim": dim, "keepdim": keepdim}) for x in (MATRIX, CUBE, STRIDED) for dim in (None, 0, 1)
              for keepdim in (False, True)] for name in ("argmax", "argmin")},
    "argsort": one_at_a_time(descending=False) + one_at_a_time(descending=True),
    "prod": [Sample(s.inputs, {**s.params, "keepdim": keepdim}) for s in one_at_a_time(ONE_ZERO, ZEROS)
             for keepdim in (False, True)],
    "cumsum": one_at_a_time(),
    "cumprod": one_at_a_time(ONE_ZERO, ZEROS),
    "logcumsumexp": one_at_a_time(),
    "recurrence": [Sample((MATRIX, STRIDED), {"dim": 0}), Sample((MATRIX, STRIDED), {"dim": 1}),
                   Sample((ZEROS, MATRIX), {"dim": 1}), Sample((CUBE, CUBE[::-1]), {"dim": 2}),
                   Sample((MATRIX[:, :1], MATRIX[:, 1:2]), {"dim": 1}), Sample((MATRIX[:0], MATRIX[:0]), {"dim": 0})],
}
