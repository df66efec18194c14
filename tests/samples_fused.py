"""Samples for the fused primitives, in float64."""
from __future__ import annotations

import numpy as np
from sample import Sample

rng = np.random.default_rng(11)
X = rng.normal(size=(4, 3))
W, B = rng.normal(size=(2, 3)), rng.normal(size=(2,))
WIDE = rng.normal(size=(3, 8))[:, ::2].T              # (4, 3), not contiguous
LABELS = np.array([2, 0, 1, 1])
SHARE = np.array([0.1, 0.0, 0.5, 0.4])
P, T = rng.uniform(0.1, 0.9, (4, 3)), rng.uniform(0.1, 0.9, (4, 3))
BENT = np.where(np.abs(X) < 0.1, 0.3, X)              # away from the bend at 0


def unary(x: np.ndarray, **params: float) -> list[Sample]:
    """One input: plain, 0-d, empty, not contiguous."""
    return [Sample((x,), params), Sample((x[0, 0],), params), Sample((x[:0],), params), Sample((WIDE,), params)]


def along(**params: object) -> list[Sample]:
    """A matrix along either dimension, its rows empty or far from 0, a vector, a cube."""
    return [Sample((X,), {"dim": 1, **params}), Sample((X,), {"dim": 0, **params}),
            Sample((X[:0],), {"dim": 1, **params}),
            Sample((X * 40,), {"dim": -1, **params}), Sample((X[0],), {"dim": 0, **params}),
            Sample((rng.normal(size=(2, 3, 2)),), {"dim": 1, **params}), Sample((WIDE,), {"dim": -1, **params})]


SAMPLES = {
    "linear": [Sample((X, W, B), {}), Sample((X, W), {}), Sample((X[0], W, B), {}), Sample((X[:0], W, B), {}),
               Sample((rng.normal(size=(2, 2, 3)), W, B), {}), Sample((WIDE, W, B), {}), Sample((X, W, None), {})],
    "softmax": along(),
    "log_softmax": along(),
    "softmax - onehot": [Sample((X,), {"target": LABELS}), Sample((X[:0],), {"target": LABELS[:0]}),
                         Sample((WIDE,), {"target": LABELS})],
    "cross_entropy": [Sample((X,), {"target": LABELS}), Sample((X,), {"target": LABELS, "share": 0.25}),
                      Sample((X,), {"target": LABELS, "share": SHARE}), Sample((X[:0],), {"target": LABELS[:0]}),
                      Sample((X * 40,), {"target": LABELS, "share": 1.0}), Sample((WIDE,), {"target": LABELS})],
    "standardize": [Sample((X,), {"dim": (1,), "eps": 1e-5}), Sample((X,), {"dim": (0,), "eps": 1e-3}),
                    Sample((rng.normal(size=(3, 2, 4)),), {"dim": (0, 2), "eps": 1e-5}),
                    Sample((WIDE,), {"dim": (-1,), "eps": 1e-5})],
    "binary_cross_entropy": [Sample((P, T), {}), Sample((P[0, 0], T[0, 0]), {}), Sample((P[:0], T[:0]), {})],
    "binary_cross_entropy_with_logits": [Sample((X, T), {}), Sample((X * 40, T), {}), Sample((X[:0], T[:0]), {})],
    "leaky_relu": unary(BENT, slope=0.01) + unary(BENT, slope=0.3),
    "elu": unary(BENT) + unary(BENT, alpha=0.5) + unary(BENT, alpha=1.6, scale=1.05) + unary(BENT, alpha=2.0,
                                                                                             inner=0.5),
    "silu": unary(X),
    "gelu": unary(X),
    "gelu_tanh": unary(X),
}
