"""Derivatives under torch.autograd's names, and the mathematics that they stand for.

``grad``, ``backward`` and ``vjp`` sweep the recorded graph from the result down (J^T u), ``jvp`` follows it upwards
(J v) with the same rules. ``jacobian``, ``hessian``, ``hvp`` and ``vhp`` are composed of the two. ``Function`` is an
operation with its own derivative; ``gradcheck`` compares derivatives with differences. Tensors and Values both work.
"""
from __future__ import annotations

from ..mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from ..tensor import Tensor
from . import functional
from .anomaly import detect_anomaly, set_detect_anomaly
from .function import Function, once_differentiable
from .functional import hessian, hvp, jacobian, jvp, vhp, vjp
from .gradcheck import GradcheckError, gradcheck, gradgradcheck
from .reverse import backward, grad, value_and_grad

__all__ = ["Function", "GradcheckError", "Variable", "backward", "detect_anomaly", "enable_grad", "functional", "grad",
           "gradcheck", "gradgradcheck", "hessian", "hvp", "inference_mode", "is_grad_enabled", "jacobian", "jvp",
           "no_grad", "once_differentiable", "set_detect_anomaly", "set_grad_enabled", "value_and_grad", "vhp", "vjp"]


class inference_mode(set_grad_enabled):
    """Do not record inside a ``with`` block or a decorated function; the same as no_grad here."""

    def __init__(self, mode: bool = True):
        super().__init__(not mode)


def Variable(data: Tensor, requires_grad: bool = False) -> Tensor:     # noqa: N802  (PyTorch's name)
    """The tensor itself; from the days when only Variables had gradients."""
    return data.requires_grad_() if requires_grad else data
