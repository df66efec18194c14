"""Factorisations of a matrix: Cholesky, eigenvalues, singular values, QR.

A factorisation has several results and a primitive has one. So its results, which all have the same number of columns,
are written below each other as the rows of one array, and ``linalg.eigh``, ``svd`` and ``qr`` cut that array apart.
The cuts are recorded operations as any other: they bring the adjoints of the results together in the same layout, the
rule reads the results back from ``y``, and derivatives of every order share one factorisation, computed once.

The rules are those of Giles (2008) and of Seeger et al., Auto-differentiating linear algebra (2017).
"""
from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import primitive
from .linalg import floating, inv, mT, square

pinv = primitive("pinv", lambda a, rtol: np.linalg.pinv(floating(a, "pinv"), rtol),
                 lambda g, y, a, rtol: mT(y) @ (y @ (mT(g) - mT(g) @ y @ a)) + ((mT(g) - a @ (y @ mT(g))) @ y) @ mT(y)
                 - mT(y) @ g @ mT(y), doc="the inverse of Moore and Penrose, at constant rank (Golub, Pereyra)")


def cholesky_rule(g: Any, y: Any, a: Any) -> Any:
    """L^-T phi(L^T g) L^-1, symmetric part; phi takes the lower triangle and half of the diagonal."""
    n = a.shape[-1]
    half = np.tril(np.ones((n, n), a.dtype)) - np.eye(n, dtype=a.dtype) / 2
    c = mT(inv(y)) @ (mT(y) @ g * half) @ inv(y)
    return (c + mT(c)) / 2


# As in JAX these read the symmetric part of A, so that the derivative is that of the function itself.
cholesky = primitive("cholesky", lambda a: np.linalg.cholesky((square(a, "cholesky") + mT(a)) / 2), cholesky_rule,
                     doc="the lower triangular L with L L^T = A")


def over_gaps(x: Any, w: Any) -> Any:
    """(x - x^T)_ij / (w_j - w_i), with 0 / 0 = 0: on the diagonal, and where equal w are not told apart by x."""
    skew, gap = x - mT(x), w[..., None, :] - w[..., :, None]
    return skew / (gap + (gap == 0) * (skew == 0))


def eigh_of(a: Any) -> Any:
    """Rows: the eigenvalues in ascending order, then the matrix whose columns are the eigenvectors."""
    w, v = np.linalg.eigh((square(a, "eigh") + mT(a)) / 2)
    return np.concatenate([w[..., None, :], v], -2)


def eigh_rule(g: Any, y: Any, a: Any) -> Any:
    """V (diag(gw) + (V^T gV - gV^T V) / (2 gaps)) V^T."""
    v, gw, gv = y[..., 1:, :], g[..., 0, :, None], g[..., 1:, :]
    return v @ (gw * mT(v) + over_gaps(mT(v) @ gv, y[..., 0, :]) / 2 @ mT(v))


def svd_of(a: Any) -> Any:
    """Rows: the singular values in descending order, then U, then V."""
    u, s, vh = np.linalg.svd(floating(a, "svd"), full_matrices=False)
    return np.concatenate([s[..., None, :], u, mT(vh)], -2)


def svd_rule(g: Any, y: Any, a: Any) -> Any:
    """U (gs + [U^T gU] S + S [V^T gV]) V^T with [x] = (x - x^T) / gaps of s^2, and the parts outside of U and V."""
    (m, n), cut = a.shape[-2:], a.shape[-2] + 1
    s, u, v = y[..., 0, :], y[..., 1:cut, :], y[..., cut:, :]
    gs, gu, gv = g[..., 0, :], g[..., 1:cut, :], g[..., cut:, :]
    nu, nv, row = mT(u) @ gu, mT(v) @ gv, s[..., None, :]
    core = over_gaps(nu, s * s) * row + s[..., :, None] * over_gaps(nv, s * s)
    c = u @ (core @ mT(v) + gs[..., :, None] * mT(v))
    if m > n:
        c = c + (gu - u @ nu) / row @ mT(v)
    return c if m >= n else c + u @ mT((gv - v @ nv) / row)


def qr_of(a: Any) -> Any:
    """Rows: Q, then R^T, for a matrix with no more columns than rows."""
    q, r = np.linalg.qr(floating(a, "qr"))
    return np.concatenate([q, mT(r)], -2)


def qr_rule(g: Any, y: Any, a: Any) -> Any:
    """(gQ + Q sym(R gR^T - gQ^T Q)) R^-T, where sym mirrors the lower triangle."""
    m, n = a.shape[-2:]
    q, rt, gq, grt = y[..., :m, :], y[..., m:, :], g[..., :m, :], g[..., m:, :]
    x, low = mT(rt) @ grt - mT(gq) @ q, np.tril(np.ones((n, n), a.dtype))
    return (gq + q @ (x * low + mT(x * (low - np.eye(n, dtype=a.dtype))))) @ inv(rt)


eigh = primitive("eigh", eigh_of, eigh_rule, doc="eigenvalues and -vectors of a symmetric matrix, as rows of one array")
svd = primitive("svd", svd_of, svd_rule, doc="singular values and vectors, as rows of one array")
qr = primitive("qr", qr_of, qr_rule, doc="A = Q R with orthonormal Q and upper triangular R, as rows of one array")
