"""For each primitive of the registry the same function in PyTorch's words, taking the primitive's own inputs and params."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F


def index_of(index: tuple) -> tuple:
    """A plain index with torch's tensors for NumPy's arrays."""
    return tuple(torch.as_tensor(i) if isinstance(i, np.ndarray) else i for i in index)


def put(g: torch.Tensor, index: tuple, shape: tuple) -> torch.Tensor:
    """What flows back through x[index]."""
    x = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
    return torch.autograd.grad(x[index_of(index)], x, g, create_graph=True)[0]


def setitem(x: torch.Tensor, v: Any, index: tuple) -> torch.Tensor:
    y = x.clone()
    y[index_of(index)] = v
    return y


def sum_to(x: torch.Tensor, shape: tuple) -> torch.Tensor:
    return x.reshape((1,) * (len(shape) - x.ndim) + tuple(x.shape)).sum_to_size(shape)


def over(f: Callable, every: bool = True) -> Callable:
    """f(x, dim, keepdim) where dim None stands for all dimensions."""
    def reduced(x: torch.Tensor, dim: Any, keepdim: bool, **more: Any) -> torch.Tensor:
        dim = tuple(range(x.ndim)) if dim is None else dim
        return f(x, dim, keepdim=keepdim, **more) if dim != () or every else x
    return reduced


def recurrence(a: torch.Tensor, b: torch.Tensor, dim: int) -> torch.Tensor:
    """h[k] = a[k] h[k - 1] + b[k]."""
    rows, last = [], 0
    for u, v in zip(a.unbind(dim), b.unbind(dim), strict=True):
        last = u * last + v
        rows.append(last)
    return torch.stack(rows, dim) if rows else a * b


def cofactor(a: torch.Tensor) -> torch.Tensor:
    return torch.linalg.det(a)[..., None, None] * torch.linalg.inv(a).mT


def cross_entropy(x: torch.Tensor, target: np.ndarray, share: Any = None) -> torch.Tensor:
    losses = F.cross_entropy(x, torch.as_tensor(target), reduction="none")
    return losses if share is None else (losses * torch.as_tensor(share)).sum()


def standardize(x: torch.Tensor, dim: tuple, eps: float) -> torch.Tensor:
    return (x - x.mean(dim, keepdim=True)) / (x.var(dim, keepdim=True, correction=0) + eps).sqrt()


def rows_below(*parts: torch.Tensor) -> torch.Tensor:
    """Several results with the same number of columns as the rows of one."""
    return torch.cat([p[..., None, :] if p.ndim < parts[-1].ndim else p for p in parts], -2)


def number(f: Callable) -> Callable:
    """torch's functions of two tensors do not take Python numbers everywhere."""
    def of_tensors(*xs: Any) -> torch.Tensor:
        return f(*(x if isinstance(x, torch.Tensor) else torch.tensor(x, dtype=torch.float64) for x in xs))
    return of_tensors


TWINS: dict[str, Callable] = {
    "+": torch.add, "-": torch.sub, "*": torch.mul, "/": torch.div, "**": torch.pow, "where": torch.where,
    **{n: number(getattr(torch, n)) for n in ("fmod", "logaddexp", "atan2", "hypot", "maximum", "minimum", "logical_and", "logical_or", "logical_xor")},
    "%": lambda a, b: a - b * torch.floor(torch.as_tensor(a / b)).detach(),         # torch has no slope for the divisor
    "//": torch.floor_divide, "<": number(torch.lt), "<=": number(torch.le), ">": number(torch.gt), ">=": number(torch.ge), "==": number(torch.eq), "!=": number(torch.ne),
    "&": torch.bitwise_and, "|": torch.bitwise_or, "^": torch.bitwise_xor, "~": torch.bitwise_not, "softplus": F.softplus,
    **{n: getattr(torch, n) for n in (
        "neg square reciprocal exp exp2 expm1 log log2 log10 log1p sqrt rsqrt sin cos tan asin acos atan sinh cosh tanh asinh acosh "
        "atanh sigmoid relu erf erfc abs floor ceil trunc round sign isnan isinf isfinite signbit logical_not clone trace "
        "clamp logcumsumexp cumsum cumprod tril triu flip roll median einsum").split()},
    "getitem": lambda x, index: x[index_of(index)], "put": put, "setitem": setitem,
    "gather": lambda x, dim, index: torch.gather(x, dim, torch.as_tensor(index)),
    "reshape": torch.reshape, "permute": torch.permute, "transpose": torch.transpose, "contiguous": lambda x: x.contiguous(),
    "cast": lambda x, dtype: x.to(getattr(torch, np.dtype(dtype).name)), "expand": lambda x, shape: x.expand(shape), "sum_to": sum_to,
    "@": torch.matmul, "einsum": lambda *xs, equation: torch.einsum(equation, *xs), "cross": lambda a, b, dim: torch.linalg.cross(a, b, dim=dim),
    "inv": torch.linalg.inv, "solve": torch.linalg.solve, "det": torch.linalg.det, "cofactor": cofactor,
    "slogdet": lambda a: torch.stack(torch.linalg.slogdet(a), -1), "pinv": lambda a, rtol: torch.linalg.pinv(a, rtol=rtol),
    "cholesky": lambda a: torch.linalg.cholesky((a + a.mT) / 2),
    "cat": lambda *xs, dim: torch.cat(xs, dim), "stack": lambda *xs, dim: torch.stack(xs, dim),
    "sum": over(torch.sum), "mean": over(torch.mean), "var": over(torch.var), "std": over(torch.std),
    "logsumexp": over(torch.logsumexp), "amax": over(torch.amax), "amin": over(torch.amin),
    "norm": lambda x, p, dim, keepdim: torch.linalg.vector_norm(x, p, dim, keepdim),
    "argmax": lambda x, dim, keepdim: x.argmax(dim, keepdim=keepdim), "argmin": lambda x, dim, keepdim: x.argmin(dim, keepdim=keepdim),
    "argsort": lambda x, dim, descending: torch.argsort(x, dim=dim, descending=descending, stable=True),
    "any": over(torch.any), "all": over(torch.all), "prod": lambda x, dim, keepdim: torch.prod(x, dim, keepdim=keepdim),
    "recurrence": recurrence, "linear": F.linear, "softmax": torch.softmax, "log_softmax": torch.log_softmax,
    "softmax - onehot": lambda x, target: torch.softmax(x, -1) - F.one_hot(torch.as_tensor(target), x.shape[-1]),
    "cross_entropy": cross_entropy, "standardize": standardize,
    "binary_cross_entropy": lambda p, t: F.binary_cross_entropy(p, t, reduction="none"),
    "binary_cross_entropy_with_logits": lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="none"),
    "leaky_relu": lambda x, slope: F.leaky_relu(x, slope), "elu": lambda x, alpha=1.0, scale=1.0, inner=1.0:
    scale * torch.where(x > 0, x, alpha * torch.expm1(x * inner)), "silu": F.silu, "gelu": F.gelu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
}

# Several results in one array, defined up to signs: their parts are compared with torch in test_linalg.py.
ELSEWHERE = {"eigh", "svd", "qr"}
