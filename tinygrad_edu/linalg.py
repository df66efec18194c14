"""torch.linalg: products, norms, solving and factorisations of matrices in the last two dimensions."""
from __future__ import annotations

import math
from collections import namedtuple
from collections.abc import Sequence
from functools import reduce
from string import ascii_letters
from typing import Any

import numpy as np

from .errors import LinAlgError, message
from .graph import BY_FUNCTION, is_grad_enabled
from .ops import factor
from .ops import reduce as rd
from .ops.elementwise import abs as magnitude
from .ops.elementwise import where
from .ops.join import cat
from .ops.linalg import det, einsum_of, inv, matmul, mT, sign_log, turn
from .ops.linalg import solve as solved
from .ops.shape import movedim
from .tensor import Tensor

__all__ = ["LinAlgError", "cholesky", "cross", "det", "eigh", "eigvalsh", "einsum", "inv", "kron", "logdet", "lstsq",
           "matmul", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet",
           "solve", "solve_triangular", "svd", "svdvals", "tensordot", "vecdot", "vector_norm"]
SignLog = namedtuple("slogdet", "sign logabsdet")
Eigh = namedtuple("linalg_eigh", "eigenvalues eigenvectors")
SVD = namedtuple("linalg_svd", "U S Vh")
QR = namedtuple("linalg_qr", "Q R")
LstSq = namedtuple("linalg_lstsq", "solution residuals rank singular_values")


# ---- products -------------------------------------------------------------------------------------------------------
def einsum(equation: Any, *operands: Any) -> Any:
    """The sum over products that the subscripts name: "ij,jk->ik" is the matrix product (torch.einsum).

    Takes repeated subscripts (a diagonal), an implied result, "..." and lists: ``einsum(a, [0, 1], [1, 0])``.

    >>> tg.einsum("ii", tg.eye(3)).item()
    3.0
    """
    if not isinstance(equation, str):                 # operands and lists of numbers in turn
        parts = (equation, *operands)
        names = ["".join(["..." if i is Ellipsis else ascii_letters[i] for i in s]) for s in parts[1::2]]
        operands, equation = parts[:2 * len(names):2], ",".join(names)
        if len(parts) % 2:
            equation += "->" + "".join(["..." if i is Ellipsis else ascii_letters[i] for i in parts[-1]])
    elif len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    try:
        plain = explicit(equation.replace(" ", ""), operands)
    except ValueError as error:
        raise RuntimeError(message(f"einsum(): {error}", op=f"einsum {equation!r}", inputs=operands,
                                   instead='one subscript for each dimension, as in "bij,bjk->bik"')) from None
    return einsum_of(*operands, equation=plain)


def explicit(equation: str, operands: Sequence[Any]) -> str:
    """The equation with its result, and with letters for the dimensions of each ellipsis."""
    left, arrow, out = equation.partition("->")
    terms, spare, dots = left.split(","), [c for c in ascii_letters if c not in equation], ""
    if len(terms) != len(operands):
        raise ValueError(f"the equation has {len(terms)} operands, but {len(operands)} were given")
    if len(kinds := {str(x.dtype) for x in operands}) > 1:
        raise ValueError(f"the operands must have the same dtype, but have {' and '.join(sorted(kinds))}")
    for i, (term, x) in enumerate(zip(terms, operands, strict=True)):
        extra = x.ndim - len(term.replace("...", ""))
        if extra < 0 or (extra and "..." not in term):
            raise ValueError(f"operand {i} has {x.ndim} dimensions, but its subscripts are {term!r}")
        if "..." in term:                             # ellipses broadcast from the right: they share their last letters
            terms[i] = term.replace("...", letters := "".join(spare[:extra][::-1]))
            dots = max(dots, letters, key=len)
    if not arrow:
        named = left.replace("...", "").replace(",", "")
        out = "..." + "".join(sorted([c for c in named if named.count(c) == 1]))
    out = out.replace("...", dots)
    if lost := [c for c in out if c not in "".join(terms)]:
        raise ValueError(f"output subscript {lost[0]} does not appear in the equation for any input operand")
    return ",".join(terms) + "->" + out


def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """The sum over products along pairs of dimensions: the last ``dims`` of a with the first of b, or two lists.

    >>> tg.tensordot(tg.ones(2, 3), tg.ones(3, 4), dims=1).shape
    (2, 4)
    """
    pairs = [range(a.ndim - dims, a.ndim), range(dims)] if isinstance(dims, int) else [np.ravel(d) for d in dims]
    of_a, of_b = list(ascii_letters[:a.ndim]), list(ascii_letters[a.ndim:a.ndim + b.ndim])
    for i, j in zip(*pairs, strict=True):
        if a.shape[i] != b.shape[j]:
            what = f"but first has size {a.shape[i]} in dim {i} and second has size {b.shape[j]} in dim {j}"
            raise RuntimeError(message(f"contracted dimensions need to match, {what}", op="tensordot", inputs=(a, b)))
        of_b[j] = of_a[i]
    out = [c for c in of_a if c not in of_b] + [c for c in of_b if c not in of_a]
    return einsum(f"{''.join(of_a)},{''.join(of_b)}->{''.join(out)}", a, b)


def kron(input: Any, other: Any) -> Any:
    """Each element of a times the whole of b, laid out as a grid of blocks.

    >>> tg.kron(tg.tensor([1, 10]), tg.tensor([1, 2])).tolist()
    [1, 2, 10, 20]
    """
    n = max(input.ndim, other.ndim)
    a, b = ((1,) * (n - x.ndim) + tuple(x.shape) for x in (input, other))
    left = input.reshape([size for pair in zip(a, (1,) * n, strict=True) for size in pair])
    right = other.reshape([size for pair in zip((1,) * n, b, strict=True) for size in pair])
    return (left * right).reshape([i * j for i, j in zip(a, b, strict=True)])


def cross(input: Any, other: Any, dim: int = -1) -> Any:
    """The vector product a x b of vectors of size 3 along ``dim``."""
    if input.ndim != other.ndim or input.shape[dim] != 3 or other.shape[dim] != 3:
        what = f"linalg.cross: inputs must have the same number of dimensions, and dimension {dim} must have length 3"
        raise RuntimeError(message(what, op="cross", inputs=(input, other)))
    return turn(input, other, dim=dim)


def chain_matmul(*matrices: Any) -> Tensor:
    """The product of several matrices."""
    return multi_dot(matrices)


def multi_dot(tensors: Any) -> Tensor:
    """The product of several matrices; the first and the last may be vectors."""
    return reduce(matmul, tensors)


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """sum x_i y_i along ``dim``."""
    return (x * y).sum(dim)


# ---- norms ----------------------------------------------------------------------------------------------------------
def vector_norm(x: Tensor, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """(sum |x_i|^p)^(1/p); for p = inf the largest |x_i|, for 0 how many are not 0. Over all of x without ``dim``.

    >>> tg.linalg.vector_norm(tg.tensor([3., -4.])).item()
    5.0
    """
    return rd.norm(x if dtype is None else x.to(dtype), ord, dim, keepdim)


def matrix_norm(A: Tensor, ord: Any = "fro", dim: tuple[int, int] = (-2, -1), keepdim: bool = False, *,
                dtype: Any = None) -> Tensor:
    """A norm of each matrix: "fro" of its elements, "nuc" (sum) or 2 (largest) of its singular values, 1 of its columns
    and inf of its rows (largest sum of sizes); -1, -2 and -inf take the smallest.

    >>> tg.linalg.matrix_norm(tg.tensor([[1., -2.], [3., 4.]]), 1).item()
    6.0
    """
    A = A if dtype is None else A.to(dtype)
    if ord == "fro":
        return rd.norm(A, 2, dim, keepdim)
    A = movedim(A, dim, (-2, -1))
    if ord == "nuc":
        y = svdvals(A).sum(-1)
    elif ord in (2, -2):
        y = (rd.amax if ord > 0 else rd.amin)(svdvals(A), -1)
    elif ord in (1, -1, math.inf, -math.inf):
        y = (rd.amax if ord > 0 else rd.amin)(magnitude(A).sum(-2 if ord in (1, -1) else -1), -1)
    else:
        raise RuntimeError(message(f"linalg.matrix_norm: Order {ord} not supported.", op="matrix_norm", inputs=(A,),
                                   instead="'fro', 'nuc', 1, -1, 2, -2, inf or -inf"))
    return movedim(y[..., None, None], (-2, -1), dim) if keepdim else y


def norm(A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
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
    y = sign_log(A)
    return SignLog(y[..., 0].detach(), y[..., 1])


def logdet(A: Any) -> Any:                            # noqa: N803
    """log det A; nan where the determinant is negative."""
    sign, size = slogdet(A)
    return where(sign < 0, math.nan, size)


def matrix_power(input: Any, n: int) -> Any:
    """A^n by repeated squaring; A^-1 for n < 0, the identity for n = 0.

    >>> tg.matrix_power(tg.tensor([[1., 1.], [1., 0.]]), 10).tolist()      # Fibonacci
    [[89.0, 55.0], [55.0, 34.0]]
    """
    if n < 0:
        return matrix_power(inv(input), -n)
    if n == 0:
        return input * 0 + np.eye(input.shape[-1], dtype=input.dtype)
    half = matrix_power(input, n // 2) if n > 1 else None
    return input if half is None else half @ half if n % 2 == 0 else half @ half @ input


# ---- solving --------------------------------------------------------------------------------------------------------
def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """X with A X = B (X A = B when not ``left``); B is a matrix, or a vector for each matrix of A.

    >>> tg.linalg.solve(tg.tensor([[2., 0.], [0., 4.]]), tg.tensor([2., 2.])).tolist()
    [1.0, 0.5]
    """
    if B.ndim == 1 or (B.ndim == A.ndim - 1 and B.shape == A.shape[:-1]):
        return (solved(A, B[..., None]) if left else solved(mT(A), B[..., None]))[..., 0]
    return solved(A, B) if left else mT(solved(mT(A), mT(B)))


def solve_triangular(A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Tensor:
    """X with A X = B, where only one triangle of A is read (its diagonal as ones when ``unitriangular``)."""
    n = A.shape[-1]
    keep = np.tri(n, k=-1 if unitriangular else 0, dtype=A.dtype)
    A = A * (keep.T if upper else keep)
    return solve(A + np.eye(n, dtype=A.dtype) if unitriangular else A, B, left=left)


def pinv(A: Tensor, rtol: float | None = None, *, hermitian: bool = False) -> Tensor:
    """The inverse of Moore and Penrose; singular values below ``rtol`` times the largest count as 0."""
    rtol = max(A.shape[-2:]) * np.finfo(A.dtype).eps if rtol is None else rtol
    return factor.pinv(A, rtol=rtol)


def matrix_rank(A: Tensor, *, rtol: float | None = None) -> Tensor:
    """How many singular values exceed ``rtol`` times the largest."""
    return Tensor._leaf(np.asarray(np.linalg.matrix_rank(A.payload, rtol=rtol), np.int64))


def lstsq(A: Tensor, B: Tensor) -> LstSq:
    """X that makes the squared error |A X - B|^2 least, the errors of its columns, the rank and singular values of A.

    >>> x = tg.linalg.lstsq(tg.tensor([[1., 0.], [1., 1.], [1., 2.]]), tg.tensor([[1.], [3.], [5.]])).solution
    >>> x.flatten().round().tolist()      # the line 1 + 2 t
    [1.0, 2.0]
    """
    X, rank = pinv(A) @ B, matrix_rank(A)
    full = A.shape[-2] > A.shape[-1] and np.all(rank.payload == A.shape[-1])
    residuals = ((A @ X - B) ** 2).sum(-2) if full else Tensor._leaf(np.empty(0, A.dtype))
    return LstSq(X, residuals, rank, svdvals(A))


# ---- factorisations -------------------------------------------------------------------------------------------------
def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """The lower triangular L with L L^T = A, for a symmetric positive definite A (U = L^T with U^T U = A if ``upper``).

    >>> tg.linalg.cholesky(tg.tensor([[4., 2.], [2., 5.]])).tolist()
    [[2.0, 0.0], [1.0, 2.0]]
    """
    L = factor.cholesky(A)
    return mT(L) if upper else L


def eigh(A: Tensor, UPLO: str = "L") -> Eigh:
    """Eigenvalues in ascending order and eigenvectors, as columns, of a symmetric matrix: A = V diag(w) V^T.

    The symmetric part of A is read, so ``UPLO`` makes no difference. The gradient exists where the loss does not depend
    on the signs of the eigenvectors, and for the vectors only where the eigenvalues differ.

    >>> tg.linalg.eigh(tg.tensor([[2., 1.], [1., 2.]])).eigenvalues.tolist()
    [1.0, 3.0]
    """
    y = factor.eigh(A)
    return Eigh(y[..., 0, :], y[..., 1:, :])


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of a symmetric matrix in ascending order."""
    return eigh(A, UPLO).eigenvalues


def svd(A: Tensor, full_matrices: bool = True) -> SVD:
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
    return SVD(U, S, mT(V))


def completed(Q: Tensor) -> Tensor:
    """Orthonormal columns completed to a square matrix, by constants."""
    m, k = Q.shape[-2:]
    return Q if m == k else cat([Q, Tensor._leaf(np.linalg.qr(Q.payload, "complete")[0][..., k:])], -1)


def svdvals(A: Tensor) -> Tensor:
    """The singular values in descending order."""
    return factor.svd(A)[..., 0, :]


def qr(A: Tensor, mode: str = "reduced") -> QR:
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
        return QR(*(Tensor._leaf(x) for x in np.linalg.qr(A.payload, "complete")))
    y = factor.qr(A[..., :m])
    Q, R = y[..., :m, :], mT(y[..., m:, :])
    R = cat([R, mT(Q) @ A[..., m:]], -1) if n > m else R
    return QR(Tensor._leaf(np.empty(0, A.dtype)) if mode == "r" else Q, R)


pinverse = pinv
BY_FUNCTION.update({
    np.einsum: lambda subscripts, *operands, optimize=True: einsum(subscripts, *operands), np.kron: kron,
    np.tensordot: lambda a, b, axes=2: tensordot(
        a, b, axes if isinstance(axes, int) else [np.atleast_1d(d).tolist() for d in axes]),
    np.cross: lambda a, b, axis=-1: cross(a, b, axis),
    np.linalg.norm: lambda x, ord=None, axis=None, keepdims=False: norm(x, ord, axis, keepdims),
    np.linalg.svd: lambda a, full_matrices=True: svd(a, full_matrices), np.linalg.qr: qr, np.linalg.eigh: eigh,
    np.linalg.eigvalsh: eigvalsh, np.linalg.cholesky: cholesky, np.linalg.inv: inv, np.linalg.pinv: pinv,
    np.linalg.solve: lambda a, b: solved(a, b[:, None])[..., 0] if b.ndim == 1 else solved(a, b), np.linalg.det: det,
    np.linalg.slogdet: slogdet, np.linalg.matrix_power: matrix_power, np.linalg.multi_dot: multi_dot})
