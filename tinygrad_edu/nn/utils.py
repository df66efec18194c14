"""nn.utils: the gradients and values of many parameters as one: clipping, and one long vector."""
from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from ..errors import message
from ..functions import shape as sh
from ..mode import no_grad, opaque
from ..tensor import Tensor

__all__ = ["clip_grad_norm_", "clip_grad_value_", "get_total_norm", "parameters_to_vector", "vector_to_parameters"]


def gradients(parameters: Tensor | Iterable[Tensor]) -> list[np.ndarray]:
    """The arrays of the gradients that there are."""
    parameters = [parameters] if isinstance(parameters, Tensor) else parameters
    if not hasattr(parameters, "__iter__"):
        raise TypeError(message(f"'{type(parameters).__name__}' object is not iterable, as parameters are",
                                instead="net.parameters(), with its brackets"))
    return [p._grad.payload for p in parameters if p._grad is not None]


def get_total_norm(tensors: Tensor | Iterable[Tensor], norm_type: float = 2.0,
                   error_if_nonfinite: bool = False) -> Tensor:
    """The norm of all tensors as if they were one vector."""
    return total([t.payload for t in ([tensors] if isinstance(tensors, Tensor) else tensors)], norm_type,
                 error_if_nonfinite)


def total(arrays: list[np.ndarray], norm_type: float, error_if_nonfinite: bool) -> Tensor:
    """The norm of all arrays as if they were one vector, as a Tensor."""
    p = float(norm_type)
    if p == math.inf:
        norms = [np.abs(a).max() for a in arrays if a.size]
        norm = max(norms, default=0.0)
    else:
        norm = sum(float((np.abs(a) ** p).sum()) if p != 2 else float(np.vdot(a, a)) for a in arrays) ** (1 / p)
    if error_if_nonfinite and not math.isfinite(norm):
        raise RuntimeError(message(f"The total norm of order {p} for gradients from `parameters` is non-finite, so it "
                                   "cannot be clipped.", op="clip_grad_norm_",
                                   instead="error_if_nonfinite=False scales them all the same"))
    return Tensor._leaf(np.asarray(norm, arrays[0].dtype if arrays else np.float32))


@opaque
def clip_grad_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0,
                    error_if_nonfinite: bool = False, foreach: bool | None = None) -> Tensor:
    """Scale all gradients by max_norm / norm where their common norm is larger; returns the norm before.

    >>> w = nn.Parameter(tensor([3., 4.]))
    >>> (w * w).sum().backward()
    >>> nn.utils.clip_grad_norm_([w], max_norm=1.0).item(), round(w.grad.norm().item(), 4)
    (10.0, 1.0)
    """
    grads = gradients(parameters)
    norm = total(grads, norm_type, error_if_nonfinite)
    scale = max_norm / (norm.item() + 1e-6)
    if not scale >= 1.0:                              # also where it is nan
        for g in grads:
            g *= scale
    return norm


@opaque
def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Bring every element of every gradient into [-clip_value, clip_value]."""
    for g in gradients(parameters):
        np.clip(g, -clip_value, clip_value, out=g)


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters one after the other as one vector; gradients flow through it."""
    return sh.cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Write one long vector into the parameters, one after the other."""
    if not isinstance(vec, Tensor):
        raise TypeError(message(f"expected torch.Tensor, but got: {type(vec).__name__}", op="vector_to_parameters",
                                instead="tg.tensor(vector)"))
    params, start = list(parameters), 0
    if vec.numel() < sum(p.numel() for p in params):
        raise RuntimeError(message(f"the vector has {vec.numel()} elements, the parameters have "
                                   f"{sum(p.numel() for p in params)}", op="vector_to_parameters", inputs=(vec,),
                                   instead="the vector that parameters_to_vector gave for these parameters"))
    for p in params:
        with no_grad():
            p.copy_(vec[start:start + p.numel()].reshape(p.shape))
        start += p.numel()
