"""Activations: the bends between linear layers. Each as a function (torch.nn.functional), below as a Module (torch.nn).

``inplace`` is accepted where PyTorch has it, and printed; the result is always a new tensor.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import message
from ..functions import elementwise as ew
from ..functions import shape as sh
from ..mode import local
from ..ops import fused
from ..tensor import Tensor
from .module import Module
from .notice import notice
from .parameter import Parameter

SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


# ---- functions ------------------------------------------------------------------------------------------------------
def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + e^-x)."""
    return ew.sigmoid(input)


def tanh(input: Tensor) -> Tensor:
    """(e^2x - 1) / (e^2x + 1)."""
    return ew.tanh(input)


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(0, x), with slope 0 at 0."""
    return ew.relu(input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, else negative_slope x."""
    return fused.leaky_relu(input, slope=negative_slope)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(0, x), 6)."""
    return hardtanh(input, 0.0, 6.0)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha (e^x - 1)."""
    return fused.elu(input, alpha=alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """elu with the scale and alpha that keep mean 0 and variance 1 from layer to layer (Klambauer et al. 2017)."""
    return fused.elu(input, alpha=SELU_ALPHA, scale=SELU_SCALE)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha (e^(x / alpha) - 1)."""
    if alpha == 0:
        raise RuntimeError(message("ZeroDivisionError: alpha cannot be 0 for CELU", op="celu", inputs=(input,)))
    return fused.elu(input, alpha=alpha, inner=1 / alpha)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x Phi(x), Phi the normal distribution; 'tanh' for its usual approximation (Hendrycks and Gimpel 2016)."""
    if approximate not in ("none", "tanh"):
        raise RuntimeError(message("approximate argument must be either none or tanh.", op="gelu", inputs=(input,)))
    return fused.gelu(input) if approximate == "none" else fused.gelu_tanh(input)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x sigmoid(x), also called swish."""
    return fused.silu(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x tanh(softplus(x))."""
    return input * ew.tanh(ew.softplus(input))


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + e^(beta x)) / beta; x itself where beta x > threshold."""
    y = ew.softplus(input) if beta == 1 else ew.softplus(input * beta) / beta
    return y if threshold >= 20 else ew.where(input * beta > threshold, input, y)    # beyond 20 they differ by e^-20


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    return input / (1 + ew.abs(input))


def logsigmoid(input: Tensor) -> Tensor:
    """log(1 / (1 + e^-x)), without overflow."""
    return -ew.softplus(-input)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """x brought into [min_val, max_val], with slope 0 at the bounds."""
    if min_val > max_val:
        raise ValueError(message("min_val cannot be greater than max_val", op="hardtanh", inputs=(input,)))
    return ew.where(input <= min_val, float(min_val), ew.where(input >= max_val, float(max_val), input))


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """0 below -3, 1 above 3, x / 6 + 1/2 between."""
    return hardtanh(input, -3.0, 3.0) / 6 + 0.5


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x hardsigmoid(x)."""
    return input * hardsigmoid(input)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, else value."""
    return ew.where(input > threshold, input, float(value))


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, else w x; ``weight`` holds one slope, or one for each channel (dimension 1)."""
    channels = input.shape[1] if input.ndim > 1 else 1
    if weight.numel() not in (1, channels):
        raise RuntimeError(message("Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                                   f"{weight.numel()} and channel size = {channels}.", op="prelu",
                                   inputs=(input, weight), layer=local.mode.note.layer,
                                   instead=f"PReLU({channels}), or PReLU() for one slope"))
    w = weight if weight.numel() == 1 else weight.reshape(-1, *[1] * (input.ndim - 2))
    return ew.where(input > 0, input, w * input)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    return input - ew.tanh(input)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x brought lambda closer to 0, and 0 where |x| <= lambda."""
    if lambd < 0:
        raise RuntimeError(message(f"lambda must be in range [0, inf), but found {lambd}", op="softshrink",
                                   inputs=(input,)))
    return ew.where(input > lambd, input - lambd, ew.where(input < -lambd, input + lambd, input * 0.0))


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x where |x| > lambda, else 0."""
    return ew.where((input >= -lambd) & (input <= lambd), 0.0, input)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a sigmoid(b), where a and b are the two halves of x along dim."""
    n = input.shape[sh.axis(dim, input.ndim)]
    if n % 2:
        raise RuntimeError(message(f"Halving dimension must be even, but dimension {dim % input.ndim} is size {n}",
                                   op="glu", inputs=(input,), layer=local.mode.note.layer))
    a, b = input.chunk(2, dim)
    return a * ew.sigmoid(b)


def softmax_dim(op: str, input: Tensor, dim: int | None, dtype: Any) -> tuple[Tensor, int]:
    """The input as floats and the dimension to sum over; the one that is guessed for None is said in a warning."""
    if dim is None:
        dim = 0 if input.ndim in (0, 1, 3) else 1
        notice(f"Implicit dimension choice for {op} has been deprecated. Change the call to include dim=X as an "
               f"argument: {dim} was taken", op=op, inputs=(input,), layer=local.mode.note.layer,
               instead="dim=-1 for scores in rows")
    if dtype is not None:
        input = input.to(dtype)
    if input.dtype.kind != "f":
        raise NotImplementedError(message(f'"{op}" not implemented for {input.dtype}', op=op, inputs=(input,),
                                          layer=local.mode.note.layer, instead="x.float()"))
    return input, sh.axis(dim, input.ndim)


def softmax(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """e^x / sum e^x along dim: positive, and the sum is 1.

    >>> F.softmax(tensor([0., 0., 0., 0.]), dim=0).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    input, dim = softmax_dim("softmax", input, dim, dtype)
    return fused.softmax(input, dim=dim) if input.ndim else input * 0 + 1


def log_softmax(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """x - log sum e^x along dim: the logarithm of softmax, exact where softmax is near 0."""
    input, dim = softmax_dim("log_softmax", input, dim, dtype)
    return fused.log_softmax(input, dim=dim) if input.ndim else input * 0


def softmin(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """softmax(-x)."""
    input, dim = softmax_dim("softmin", input, dim, dtype)
    return softmax(-input, dim)


# ---- modules --------------------------------------------------------------------------------------------------------
class _Inplace(Module):
    """An activation that PyTorch can compute in place."""

    def __init__(self, inplace: bool = False):
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Sigmoid(Module):
    """1 / (1 + e^-x), between 0 and 1."""

    def forward(self, input: Tensor) -> Tensor:
        return ew.sigmoid(input)


class Tanh(Module):
    """(e^2x - 1) / (e^2x + 1), between -1 and 1."""

    def forward(self, input: Tensor) -> Tensor:
        return ew.tanh(input)


class ReLU(_Inplace):
    """max(0, x)."""

    def forward(self, input: Tensor) -> Tensor:
        return ew.relu(input)


class LeakyReLU(Module):
    """x where x > 0, else negative_slope x."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False):
        super().__init__()
        self.negative_slope, self.inplace = negative_slope, inplace

    def forward(self, input: Tensor) -> Tensor:
        return leaky_relu(input, self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class ELU(Module):
    """x where x > 0, else alpha (e^x - 1)."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False):
        super().__init__()
        self.alpha, self.inplace = alpha, inplace

    def forward(self, input: Tensor) -> Tensor:
        return elu(input, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class CELU(ELU):
    """x where x > 0, else alpha (e^(x / alpha) - 1)."""

    def forward(self, input: Tensor) -> Tensor:
        return celu(input, self.alpha)


class SELU(_Inplace):
    """elu with the scale and alpha that keep mean 0 and variance 1 from layer to layer."""

    def forward(self, input: Tensor) -> Tensor:
        return selu(input)


class GELU(Module):
    """x Phi(x), Phi the normal distribution; approximate='tanh' for its usual approximation."""

    def __init__(self, approximate: str = "none"):
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return gelu(input, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(_Inplace):
    """x sigmoid(x)."""

    def forward(self, input: Tensor) -> Tensor:
        return fused.silu(input)


class Mish(_Inplace):
    """x tanh(softplus(x))."""

    def forward(self, input: Tensor) -> Tensor:
        return mish(input)


class Softplus(Module):
    """log(1 + e^(beta x)) / beta."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0):
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Tensor) -> Tensor:
        return softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, input: Tensor) -> Tensor:
        return softsign(input)


class LogSigmoid(Module):
    """log sigmoid(x)."""

    def forward(self, input: Tensor) -> Tensor:
        return logsigmoid(input)


class Hardtanh(Module):
    """x brought into [min_val, max_val]."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False):
        super().__init__()
        if max_val <= min_val:
            raise AssertionError("max_val must be larger than min_val")
        self.min_val, self.max_val, self.inplace = min_val, max_val, inplace

    def forward(self, input: Tensor) -> Tensor:
        return hardtanh(input, self.min_val, self.max_val)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}" + (", inplace=True" if self.inplace else "")


class ReLU6(Hardtanh):
    """min(max(0, x), 6)."""

    def __init__(self, inplace: bool = False):
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Hardsigmoid(Module):
    """0 below -3, 1 above 3, x / 6 + 1/2 between."""

    def __init__(self, inplace: bool = False):
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return hardsigmoid(input)


class Hardswish(Hardsigmoid):
    """x hardsigmoid(x)."""

    def forward(self, input: Tensor) -> Tensor:
        return hardswish(input)


class Threshold(Module):
    """x where x > threshold, else value."""

    def __init__(self, threshold: float, value: float, inplace: bool = False):
        super().__init__()
        self.threshold, self.value, self.inplace = threshold, value, inplace

    def forward(self, input: Tensor) -> Tensor:
        return threshold(input, self.threshold, self.value)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.value}" + (", inplace=True" if self.inplace else "")


class PReLU(Module):
    """x where x > 0, else w x, with trained slopes w that start at ``init``."""

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: Any = None):
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(Tensor._leaf(np.full(num_parameters, init, dtype or np.float32)))

    def forward(self, input: Tensor) -> Tensor:
        return prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class Tanhshrink(Module):
    """x - tanh(x)."""

    def forward(self, input: Tensor) -> Tensor:
        return tanhshrink(input)


class Softshrink(Module):
    """x brought lambda closer to 0, and 0 where |x| <= lambda."""

    def __init__(self, lambd: float = 0.5):
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


class Hardshrink(Softshrink):
    """x where |x| > lambda, else 0."""

    def forward(self, input: Tensor) -> Tensor:
        return hardshrink(input, self.lambd)


class GLU(Module):
    """a sigmoid(b), where a and b are the two halves of x along dim."""

    def __init__(self, dim: int = -1):
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(Module):
    """e^x / sum e^x along dim."""

    def __init__(self, dim: int | None = None):
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Softmax):
    """x - log sum e^x along dim."""

    def forward(self, input: Tensor) -> Tensor:
        return log_softmax(input, self.dim)


class Softmin(Softmax):
    """softmax(-x) along dim."""

    def forward(self, input: Tensor) -> Tensor:
        return softmin(input, self.dim)
