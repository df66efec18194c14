"""Samples for the elementwise primitives: inputs away from kinks and poles, in float64."""
from __future__ import annotations

import numpy as np
from sample import Sample

rng = np.random.default_rng(7)
ANY = rng.uniform(-2, 2, (3, 4)) + 0.013
POSITIVE = rng.uniform(0.3, 2.5, (3, 4))
UNIT = rng.uniform(-0.9, 0.9, (3, 4))
ABOVE_ONE = rng.uniform(1.2, 3.0, (3, 4))
OTHER = rng.uniform(-2, 2, (3, 4)) + 0.021
FAR = np.where(OTHER > 0, OTHER + 0.5, OTHER - 0.5)   # away from 0
ROW = rng.uniform(0.5, 2, (4,))
COLUMN = rng.uniform(0.5, 2, (3, 1))
WIDE = rng.uniform(0.5, 2, (4, 6))[:, ::2].T          # (3, 4), not contiguous


def unary(x: np.ndarray) -> list[Sample]:
    """One input: plain, 0-d, empty, not contiguous."""
    wide = np.empty((8, 3), x.dtype)
    wide[::2] = x.T
    return [Sample((x,), {}), Sample((x[0, 0],), {}), Sample((x[:0],), {}), Sample((wide[::2].T,), {})]


def binary(a: np.ndarray, b: np.ndarray) -> list[Sample]:
    """Two inputs: plain, broadcast both ways, against a number in both orders, 0-d, empty, not contiguous."""
    return [Sample((a, b), {}), Sample((a, np.abs(b[0]) + 0.3), {}), Sample((np.abs(a[:, :1]) + 0.3, np.abs(b[:1]) + 0.3), {}),
            Sample((a, 1.7), {}), Sample((2.3, np.abs(b) + 0.3), {}), Sample((a[0, 0], b[0, 0]), {}),
            Sample((a[:0], b[:0]), {}), Sample((a.T.copy().T, b), {})]


SAMPLES = {
    **{name: unary(ANY) for name in (
        "neg", "square", "exp", "exp2", "expm1", "sin", "cos", "tanh", "sinh", "cosh", "asinh", "atan", "sigmoid", "relu",
        "softplus", "erf", "erfc", "abs", "floor", "ceil", "trunc", "round", "sign", "isnan", "isinf", "isfinite",
        "signbit", "logical_not")},
    **{name: unary(UNIT) for name in ("tan", "asin", "acos", "atanh")},
    **{name: unary(POSITIVE) for name in ("log", "log2", "log10", "log1p", "sqrt", "rsqrt", "reciprocal")},
    "acosh": unary(ABOVE_ONE),
    **{name: binary(ANY, OTHER) for name in ("+", "-", "*", "logaddexp", "maximum", "minimum", "<", "<=", ">", ">=", "==",
                                              "!=", "logical_and", "logical_or", "logical_xor")},
    **{name: binary(FAR, FAR[::-1] * 0.77) for name in ("/", "%", "fmod", "atan2", "hypot", "//")},
    "**": binary(POSITIVE, OTHER) + [Sample((ANY, 2), {}), Sample((ANY, 3.0), {}), Sample((ANY, 0), {}), Sample((ANY, 1), {})],
    "where": [Sample((ANY > 0, ANY, OTHER), {}), Sample((ANY > 0, ROW, COLUMN), {}), Sample((ANY > 0, ANY, 0.5), {}),
              Sample((ANY[:0] > 0, ANY[:0], OTHER[:0]), {})],
    "clamp": [Sample((ANY,), {"min": -1, "max": 1}), Sample((ANY,), {"min": None, "max": 0.5}),
              Sample((ANY[0, 0],), {"min": 0.0, "max": None}), Sample((WIDE,), {"min": 0.7, "max": 1.1})],
    **{name: [Sample((ANY > 0, OTHER > 0), {}), Sample((np.arange(6), np.arange(6)[::-1].copy()), {}),
              Sample((ANY[:0] > 0, OTHER[0] > 0), {})] for name in ("&", "|", "^")},
    "~": [Sample((ANY > 0,), {}), Sample((np.arange(6),), {})],
}
