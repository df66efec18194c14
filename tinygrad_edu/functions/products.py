"""Products of vectors and matrices, with PyTorch's names and arguments."""
from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from string import ascii_letters
from typing import Any

import numpy as np

from ..errors import message
from ..ops import linalg as la

__all__ = ["bmm", "chain_matmul", "cross", "dot", "einsum", "kron", "matmul", "mm", "mv", "outer", "tensordot", "trace"]
trace = la.trace


def matmul(input: Any, other: Any) -> Any:
    """The matrix product a b: a vector or matrix on either side, batches broadcast (torch.matmul, the operator @).

    >>> tg.matmul(tg.ones(2, 3), tg.ones(3)).tolist()
    [3.0, 3.0]
    """
    if not hasattr(other, "dtype") or not hasattr(input, "dtype"):
        raise TypeError(message("@ multiplies two tensors", op="@", inputs=(input, other), instead="a * b"))
    if input.dtype != other.dtype:
        what = f"expected m1 and m2 to have the same dtype, but got: {input.dtype} != {other.dtype}"
        raise RuntimeError(message(what, op="@", inputs=(input, other), instead="a @ b.to(a.dtype)"))
    return la.matmul(input, other)


def ranked(name: str, a: Any, b: Any, *ranks: int) -> Any:
    """a b of operands that must have these numbers of dimensions, without broadcasting."""
    if (a.ndim, b.ndim) != ranks or (ranks == (3, 3) and len(a) != len(b)):
        what = f"{name}: {ranks[0]}D and {ranks[1]}D tensors (of equal batch) expected, but got {a.ndim}D and {b.ndim}D"
        raise RuntimeError(message(what, op=name, inputs=(a, b), instead="a @ b, which takes all ranks and broadcasts"))
    if ranks == (1, 1) and len(a) != len(b):
        what = (f"inconsistent tensor size, expected tensor [{len(a)}] and src [{len(b)}] to have the same number of "
                f"elements, but got {len(a)} and {len(b)} elements respectively")
        raise RuntimeError(message(what, op=name, inputs=(a, b), instead="vectors of equal length"))
    return matmul(a, b)


def dot(input: Any, tensor: Any) -> Any:
    """sum_i a_i b_i of two vectors."""
    return ranked("dot", input, tensor, 1, 1)


def mv(input: Any, vec: Any) -> Any:
    """Matrix times vector."""
    return ranked("mv", input, vec, 2, 1)


def mm(input: Any, mat2: Any) -> Any:
    """Matrix times matrix."""
    return ranked("mm", input, mat2, 2, 2)


def bmm(input: Any, mat2: Any) -> Any:
    """A batch of matrices times a batch of matrices."""
    return ranked("bmm", input, mat2, 3, 3)


def outer(input: Any, vec2: Any) -> Any:
    """a_i b_j of two vectors."""
    if input.ndim != 1 or vec2.ndim != 1:
        what = f"outer: Expected 1-D arguments, but got {input.ndim}-D and {vec2.ndim}-D"
        raise RuntimeError(message(what, op="outer", inputs=(input, vec2), instead="a[..., None] * b[..., None, :]"))
    return input[:, None] * vec2


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
    return la.einsum(*operands, equation=plain)


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
            raise RuntimeError(message(f"contracted dimensions need to match, {what}", op="tensordot", inputs=(a, b),
                                       instead="dims=([...], [...]), pairs of dimensions of equal size"))
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


def cross(input: Any, other: Any, dim: int | None = None) -> Any:
    """The vector product a x b of vectors of size 3 along ``dim``, by default the first dimension of that size."""
    if dim is None:
        dim = next((d for d, n in enumerate(input.shape) if n == 3), -1)
    if input.ndim != other.ndim or input.shape[dim] != 3 or other.shape[dim] != 3:
        what = f"linalg.cross: inputs must have the same number of dimensions, and dimension {dim} must have length 3"
        raise RuntimeError(message(what, op="cross", inputs=(input, other),
                                   instead="dim=d, along which both have size 3"))
    return la.cross(input, other, dim=dim)


def chain_matmul(*matrices: Any) -> Any:
    """The product of several matrices."""
    return multi_dot(matrices)


def multi_dot(tensors: Any) -> Any:
    """The product of several matrices; the first and the last may be vectors."""
    return reduce(matmul, tensors)


def vecdot(x: Any, y: Any, *, dim: int = -1) -> Any:
    """sum x_i y_i along ``dim``."""
    return (x * y).sum(dim)
