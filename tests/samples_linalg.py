"""Samples for the primitives of linear algebra: matrices well away from singular, in float64."""
from __future__ import annotations

import numpy as np
from sample import Sample

rng = np.random.default_rng(11)


def normal(*shape: int) -> np.ndarray:
    return rng.normal(size=shape)


def regular(*shape: int) -> np.ndarray:
    """Matrices near a multiple of the identity, with distinct eigenvalues and singular values."""
    return normal(*shape) * 0.3 + np.diag(np.arange(1.0, shape[-1] + 1.0))


def positive(*shape: int) -> np.ndarray:
    a = normal(*shape)
    return a @ a.swapaxes(-1, -2) + np.eye(shape[-1])


def strided(a: np.ndarray) -> np.ndarray:
    """The same numbers, not contiguous."""
    wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]))
    wide[..., ::2] = a
    return wide[..., ::2]


def einsum(equation: str, *shapes: tuple) -> Sample:
    return Sample(tuple(normal(*s) for s in shapes), {"equation": equation})


SAMPLES = {
    "@": [Sample((normal(*a), normal(*b)), {}) for a, b in [
        ((2, 3), (3, 4)), ((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 2, 3), (2, 3, 2)), ((2, 2, 3), (3, 2)),
        ((2, 3), (2, 3, 2)), ((2, 1, 2, 3), (1, 2, 3, 2)), ((3,), (2, 3, 2)), ((2, 2, 3), (3,)), ((0, 3), (3, 2)),
        ((2, 0), (0, 3)), ((0, 2, 3), (3, 2)), ((2, 2, 0), (0, 2))]]
    + [Sample((strided(normal(2, 3)), normal(2, 3).T), {})],
    "einsum": [
        einsum("ij,jk->ik", (2, 3), (3, 2)), einsum("bij,bjk->bik", (2, 2, 3), (2, 3, 2)), einsum("ii->", (3, 3)),
        einsum("ii->i", (3, 3)), einsum("ij->ji", (2, 3)), einsum("ij->j", (2, 3)), einsum("i,j->ij", (2,), (3,)),
        einsum("ij,ij->", (2, 3), (2, 3)), einsum("ijj->i", (2, 3, 3)), einsum("iii->i", (2, 2, 2)),
        einsum("ij,jk,kl->il", (2, 3), (3, 2), (2, 2)), einsum("i,i->", (1,), (3,)), einsum("ij,kj->", (2, 3), (2, 3)),
        einsum(",i->i", (), (3,)), einsum("ij,jk->ik", (0, 3), (3, 2)), einsum("ii,jj->ij", (2, 2), (3, 3)),
        Sample((normal(12, 14, 3), normal(12, 3, 14)), {"equation": "bij,bjk->bik"})],    # large enough to be planned
    "cross": [Sample((normal(2, 3), normal(2, 3)), {"dim": -1}), Sample((normal(3, 2), normal(3, 1)), {"dim": 0}),
              Sample((normal(3), normal(3)), {"dim": 0}), Sample((normal(2, 3), normal(1, 3)), {"dim": 1})],
    "trace": [Sample((normal(3, 3),), {}), Sample((normal(2, 4),), {}), Sample((normal(0, 0),), {})],
    "inv": [Sample((regular(3, 3),), {}), Sample((regular(2, 2, 2),), {}), Sample((strided(regular(3, 3)),), {}),
            Sample((normal(0, 0),), {})],
    "solve": [Sample((regular(3, 3), normal(3, 2)), {}), Sample((regular(2, 2, 2), normal(2, 2, 1)), {}),
              Sample((regular(2, 2), normal(3, 2, 1)), {}), Sample((regular(3, 2, 2), normal(2, 1)), {})],
    "det": [Sample((regular(3, 3),), {}), Sample((regular(2, 2, 2),), {}), Sample((normal(1, 1),), {}),
            Sample((strided(regular(2, 2)),), {})],
    "cofactor": [Sample((regular(3, 3),), {}), Sample((regular(2, 2, 2),), {})],
    "slogdet": [Sample((regular(3, 3),), {}), Sample((-regular(2, 3, 3),), {})],
    "pinv": [Sample((normal(4, 2),), {"rtol": 1e-12}), Sample((normal(2, 3),), {"rtol": 1e-12}),
             Sample((regular(2, 2, 2),), {"rtol": 1e-12})],
    "cholesky": [Sample((positive(3, 3),), {}), Sample((positive(2, 2, 2),), {}),
                 Sample((strided(positive(2, 2)),), {})],
    "eigh": [Sample((regular(3, 3),), {}), Sample((regular(2, 2, 2),), {}), Sample((strided(regular(2, 2)),), {})],
    "svd": [Sample((regular(3, 3),), {}), Sample((normal(4, 2),), {}), Sample((normal(2, 3),), {}),
            Sample((normal(2, 3, 2),), {}), Sample((strided(normal(2, 2)),), {})],
    "qr": [Sample((regular(3, 3),), {}), Sample((normal(4, 2),), {}), Sample((normal(2, 3, 2),), {})],
}
