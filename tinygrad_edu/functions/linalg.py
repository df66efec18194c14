"""Norms, determinants, solving and factorisations of matrices in the last two dimensions: torch.linalg."""
from __future__ import annotations

import math
from collections import namedtuple
from typing import Any

import numpy as np

from ..errors import message
from ..mode import assumed, constant, is_grad_enabled, opaque
from ..ops import elementwise as ew
from ..ops import factor
from ..ops import linalg as la
from ..ops.linalg import det, inv
from .join import cat
from .layout import array, like, movedim
from .reduce import amax, amin
from .reduce import norm as norm_of

__all__ = ["cholesky", "det", "inverse", "logdet", "matrix_power", "pinverse", "qr", "slogdet"]
SignLog = namedtuple("slogdet", "sign logabsdet")
Eigh = namedtuple("linalg_eigh", "eigenvalues eigenvectors")
SVD = namedtuple("linalg_svd", "U S Vh")
QR = namedtuple("linalg_qr", "Q R")
LstSq = namedtuple("linalg_lstsq", "solution residuals rank singular_values")


# ---- norms ----------------------------------------------------------------------------------------------------------
def vector_norm(x: Any, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """(sum |x_i|^p)^(1/p); for p = inf the largest |x_i|, for 0 how many are not 0. Over all of x without ``dim``.

    >>> tg.linalg.vector_norm(tg.tensor([3., -4.])).item()
    5.0
    """
    return norm_of(x if dtype is None else x.to(dtype), ord, dim, keepdim)


def matrix_norm(A: Any, ord: Any = "fro", dim: tuple[int, int] = (-2, -1), keepdim: bool = False, *,
                dtype: Any = None) -> Any:
    """A norm of each matrix: "fro" of its elements, "nuc" (sum) or 2 (largest) of its singular values, 1 of its columns
    and inf of its rows (largest sum of sizes); -1, -2 and -inf take the smallest.

    >>> tg.linalg.matrix_norm(tg.tensor([[1., -2.], [3., 4.]]), 1).item()
    6.0
    """
    A = A if dtype is None else A.to(dtype)
    if ord == "fro":
        return norm_of(A, 2, dim, keepdim)
    A = movedim(A, dim, (-2, -1))
    if ord == "nuc":
        y = svdvals(A).sum(-1)
    elif ord in (2, -2):
        y = (amax if ord > 0 else amin)(svdvals(A), -1)
    elif ord in (1, -1, math.inf, -math.inf):
        y = (amax if ord > 0 else amin)(ew.abs(A).sum(-2 if ord in (1, -1) else -1), -1)
    else:
        raise RuntimeError(message(f"linalg.matrix_norm: Order {ord} not supported.", op="matrix_norm", inputs=(A,),
                                   instead="'fro', 'nuc', 1, -1, 2, -2, inf or -inf"))
    return movedim(y[..., None, None], (-2, -1), dim) if keepdim else y


def norm(A: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The vector norm, or the matrix norm where ``ord`` is given and two dimensions are meant.

    >>> tg.linalg.norm(tg.tensor([[3., 0.], [0., 4.]])).item()
    5.0
    """
    if ord is None or isinstance(dim, int) or (dim is None and A.ndim == 1) or (dim is not None and len(dim) == 1):
        return vector_norm(A, 2 if ord is None else ord, dim, keepdim, dtype=dtype)
    if dim is None and A.ndim != 2:
        raise RuntimeError(message("linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. "
                                   f"Got {A.ndim}D.", op="norm", inputs=(A,), instead="dim=..."))
    return matrix_norm(A, ord, (0, 1) if dim is None else tuple(dim), keepdim, dtype=dtype)


# ---- determinants and powers ----------------------------------------------------------------------------------------
def slogdet(A: Any) -> SignLog:                       # noqa: N803  (PyTorch's name)
    """The sign of the determinant and the logarithm of its size, which neither overflows nor underflows."""
    y = la.slogdet(A)
    return SignLog(y[..., 0].detach(), y[..., 1])


def logdet(A: Any) -> Any:                            # noqa: N803
    """log det A; nan where the determinant is negative."""
    sign, size = slogdet(A)
    return ew.where(sign < 0, math.nan, size)


def matrix_power(input: Any, n: int) -> Any:
    """A^n by repeated squaring; A^-1 for n < 0, the identity for n = 0.

    >>> tg.matrix_power(tg.tensor([[1., 1.], [1., 0.]]), 10).tolist()      # Fibonacci
    [[89.0, 55.0], [55.0, 34.0]]
    """
    if n < 0:
        return matrix_power(la.inv(input), -n)
    if n == 0:
        return input * 0 + constant(np.eye(input.shape[-1], dtype=input.dtype))
    half = matrix_power(input, n // 2) if n > 1 else None
    return input if half is None else half @ half if n % 2 == 0 else half @ half @ input


# ---- solving --------------------------------------------------------------------------------------------------------
def solve(A: Any, B: Any, *, left: bool = True) -> Any:
    """X with A X = B (X A = B when not ``left``); B is a matrix, or a vector for each matrix of A.

    >>> tg.linalg.solve(tg.tensor([[2., 0.], [0., 4.]]), tg.tensor([2., 2.])).tolist()
    [1.0, 0.5]
    """
    if B.ndim == 1 or (B.ndim == A.ndim - 1 and B.shape == A.shape[:-1]):
        return (la.solve(A, B[..., None]) if left else la.solve(la.mT(A), B[..., None]))[..., 0]
    return la.solve(A, B) if left else la.mT(la.solve(la.mT(A), la.mT(B)))


def solve_triangular(A: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Any:
    """X with A X = B, where only one triangle of A is read (its diagonal as ones when ``unitriangular``)."""
    n = A.shape[-1]
    keep = np.tri(n, k=-1 if unitriangular else 0, dtype=A.dtype)
    A = A * constant(keep.T.copy() if upper else keep)
    return solve(A + constant(np.eye(n, dtype=A.dtype)) if unitriangular else A, B, left=left)


def pinv(A: Any, rtol: float | None = None, *, hermitian: bool = False) -> Any:
    """The inverse of Moore and Penrose; singular values below ``rtol`` times the largest count as 0."""
    rtol = max(A.shape[-2:]) * np.finfo(A.dtype).eps if rtol is None else rtol
    return factor.pinv(A, rtol=rtol)


def matrix_rank(A: Any, *, rtol: float | None = None) -> Any:
    """How many singular values exceed ``rtol`` times the largest."""
    return like(A, ranks(array(A), rtol))


@opaque
def ranks(a: np.ndarray, rtol: float | None) -> np.ndarray:
    """The ranks of arrays of matrices."""
    return np.asarray(np.linalg.matrix_rank(a, rtol=rtol), np.int64)


def lstsq(A: Any, B: Any) -> LstSq:
    """X that makes the squared error |A X - B|^2 least, the errors of its columns, the rank and singular values of A.

    >>> x = tg.linalg.lstsq(tg.tensor([[1., 0.], [1., 1.], [1., 2.]]), tg.tensor([[1.], [3.], [5.]])).solution
    >>> x.flatten().round().tolist()      # the line 1 + 2 t
    [1.0, 2.0]
    """
    X, rank = pinv(A) @ B, matrix_rank(A)
    full = A.shape[-2] > A.shape[-1] and assumed(all_are, array(rank), A.shape[-1])
    residuals = ((A @ X - B) ** 2).sum(-2) if full else constant(like(A, np.empty(0, A.dtype)))
    return LstSq(X, residuals, rank, svdvals(A))


def all_are(ranks: np.ndarray, n: int) -> bool:
    """Whether all ranks are n."""
    return bool((ranks == n).all())


# ---- factorisations -------------------------------------------------------------------------------------------------
def cholesky(A: Any, *, upper: bool = False) -> Any:
    """The lower triangular L with L L^T = A, for a symmetric positive definite A (U = L^T with U^T U = A if ``upper``).

    >>> tg.linalg.cholesky(tg.tensor([[4., 2.], [2., 5.]])).tolist()
    [[2.0, 0.0], [1.0, 2.0]]
    """
    L = factor.cholesky(A)
    return la.mT(L) if upper else L


def eigh(A: Any, UPLO: str = "L") -> Eigh:
    """Eigenvalues in ascending order and eigenvectors, as columns, of a symmetric matrix: A = V diag(w) V^T.

    The symmetric part of A is read, so ``UPLO`` makes no difference. The gradient exists where the loss does not depend
    on the signs of the eigenvectors, and for the vectors only where the eigenvalues differ.

    >>> tg.linalg.eigh(tg.tensor([[2., 1.], [1., 2.]])).eigenvalues.tolist()
    [1.0, 3.0]
    """
    y = factor.eigh(A)
    return Eigh(y[..., 0, :], y[..., 1:, :])


def eigvalsh(A: Any, UPLO: str = "L") -> Any:
    """The eigenvalues of a symmetric matrix in ascending order."""
    return eigh(A, UPLO).eigenvalues


def svd(A: Any, full_matrices: bool = True) -> SVD:
    """A = U diag(S) Vh with orthonormal columns of U and rows of Vh, and singular values S in descending order.

    With ``full_matrices`` U and Vh are completed to square matrices by vectors that no gradient flows to. The gradient
    exists where the loss does not depend on the signs, and for U and Vh only where the singular values differ.

    >>> tg.linalg.svd(tg.tensor([[3., 0.], [0., 4.]])).S.tolist()
    [4.0, 3.0]
    """
    y, m = factor.svd(A), A.shape[-2]
    S, U, V = y[..., 0, :], y[..., 1:m + 1, :], y[..., m + 1:, :]
    if full_matrices:
        U, V = completed(U), completed(V)
    return SVD(U, S, la.mT(V))


def completed(Q: Any) -> Any:
    """Orthonormal columns completed to a square matrix, by constants."""
    m, k = Q.shape[-2:]
    return Q if m == k else cat([Q, like(Q, complete(array(Q), 0, k))], -1)


@opaque
def complete(a: np.ndarray, part: int, first: int = 0) -> np.ndarray:
    """The square Q, or the R, of matrices with no more columns than rows, from a column on."""
    return np.linalg.qr(a, "complete")[part][..., first:]


def svdvals(A: Any) -> Any:
    """The singular values in descending order."""
    return factor.svd(A)[..., 0, :]


def qr(A: Any, mode: str = "reduced") -> QR:
    """A = Q R with orthonormal columns of Q and an upper triangular R; "r" leaves out Q, "complete" makes Q square.

    >>> Q, R = tg.linalg.qr(tg.tensor([[3., 1.], [4., 1.]]))
    >>> tg.allclose(Q @ R, tg.tensor([[3., 1.], [4., 1.]]), atol=1e-6)
    True
    """
    m, n = A.shape[-2:]
    if mode == "complete" and m > n:
        if A.requires_grad and is_grad_enabled():
            raise RuntimeError(message("linalg.qr: the derivative of mode 'complete' needs no more rows than columns: "
                                       "the rest of Q is arbitrary", op="qr", inputs=(A,), instead="mode='reduced'"))
        return QR(*(like(A, complete(array(A), part)) for part in (0, 1)))
    y = factor.qr(A[..., :m])
    Q, R = y[..., :m, :], la.mT(y[..., m:, :])
    R = cat([R, la.mT(Q) @ A[..., m:]], -1) if n > m else R
    return QR(constant(like(A, np.empty(0, A.dtype))) if mode == "r" else Q, R)


inverse, pinverse = inv, pinv
