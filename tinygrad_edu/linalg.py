"""torch.linalg: products, norms, solving and factorisations of matrices in the last two dimensions."""
from __future__ import annotations

from typing import Any

from .calls import dressed
from .errors import LinAlgError
from .functions.linalg import (
    cholesky,
    eigh,
    eigvalsh,
    logdet,
    lstsq,
    matrix_norm,
    matrix_power,
    matrix_rank,
    norm,
    pinv,
    qr,
    slogdet,
    solve,
    solve_triangular,
    svd,
    svdvals,
    vector_norm,
)
from .functions.linalg import det as determinant
from .functions.linalg import inv as inverse
from .functions.products import cross as crossed
from .functions.products import einsum, kron, matmul, multi_dot, tensordot, vecdot

__all__ = ["LinAlgError", "cholesky", "cross", "det", "eigh", "eigvalsh", "einsum", "inv", "kron", "logdet", "lstsq",
           "matmul", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet",
           "solve", "solve_triangular", "svd", "svdvals", "tensordot", "vecdot", "vector_norm"]

det, inv = dressed("linalg.det", determinant), dressed("linalg.inv", inverse)


def cross(input: Any, other: Any, *, dim: int = -1) -> Any:
    """The vector product a x b of vectors of size 3 along ``dim``.

    >>> tg.linalg.cross(tg.tensor([1, 0, 0]), tg.tensor([0, 1, 0])).tolist()
    [0, 0, 1]
    """
    return crossed(input, other, dim)
