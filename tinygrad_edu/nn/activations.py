"""Activations: the bends between linear layers. Each as a function (torch.nn.functional), below as a Module (torch.nn).

``inplace`` is accepted where PyTorch has it, and printed; the result is always a new tensor.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from ..functions import elementwise as ew
from ..functions import shape as sh
from ..functions.toplevel import floats
from ..ops import fused
from ..tensor import Tensor
from .formula import Formula
from .module import Module
from .notice import notice, refusal
from .parameter import Parameter

__all__ = [                                           # the functions; nn lists the Modules
    "celu", "elu", "gelu", "glu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "log_softmax",
    "logsigmoid", "mish", "prelu", "relu", "relu6", "selu", "sigmoid", "silu", "softmax", "softmin", "softplus",
    "softshrink", "softsign", "tanh", "tanhshrink", "threshold",
]
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
        raise refusal(RuntimeError, "ZeroDivisionError: alpha cannot be 0 for CELU", "celu", input, instead="relu(x)")
    return fused.elu(input, alpha=alpha, inner=1 / alpha)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x Phi(x), Phi the normal distribution; 'tanh' for its usual approximation (Hendrycks and Gimpel 2016)."""
    if approximate not in ("none", "tanh"):
        raise refusal(RuntimeError, f"approximate argument must be either none or tanh, not {approximate!r}", "gelu",
                      input, instead="gelu(x), or gelu(x, approximate='tanh')")
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
        raise refusal(ValueError, f"min_val cannot be greater than max_val, but {min_val} > {max_val}", "hardtanh",
                      input, instead=f"hardtanh(x, {max_val}, {min_val})")
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
        raise refusal(RuntimeError, "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                      f"{weight.numel()} and channel size = {channels}.", "prelu", input, weight,
                      instead=f"PReLU({channels}), or PReLU() for one slope")
    w = weight if weight.numel() == 1 else weight.reshape(-1, *[1] * (input.ndim - 2))
    return ew.where(input > 0, input, w * input)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    return input - ew.tanh(input)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x brought lambda closer to 0, and 0 where |x| <= lambda."""
    if lambd < 0:
        raise refusal(RuntimeError, f"lambda must be in range [0, inf), but found {lambd}", "softshrink", input,
                      instead=f"softshrink(x, {abs(lambd)})")
    return ew.where(input > lambd, input - lambd, ew.where(input < -lambd, input + lambd, input * 0.0))


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x where |x| > lambda, else 0."""
    return ew.where((input >= -lambd) & (input <= lambd), 0.0, input)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a sigmoid(b), where a and b are the two halves of x along dim."""
    n = input.shape[sh.axis(dim, input.ndim)]
    if n % 2:
        raise refusal(RuntimeError, f"Halving dimension must be even, but dimension {dim % input.ndim} is size {n}",
                      "glu", input, instead=f"a layer before it with an even number of features, {n + 1} or {n - 1}")
    a, b = input.chunk(2, dim)
    return a * ew.sigmoid(b)


def softmax_dim(op: str, input: Tensor, dim: int | None, dtype: Any) -> tuple[Tensor, int]:
    """The input as floats and the dimension to sum over; the one that is guessed for None is said in a warning."""
    if dim is None:
        dim = 0 if input.ndim in (0, 1, 3) else 1
        notice(f"Implicit dimension choice for {op} has been deprecated. Change the call to include dim=X as an "
               f"argument: {dim} was taken", op=op, inputs=(input,), instead="dim=-1 for scores in rows")
    return floats(input, dtype, op), sh.axis(dim, input.ndim)


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
class Sigmoid(Formula, of=sigmoid):
    """1 / (1 + e^-x), between 0 and 1."""

    def forward(self, input: Tensor) -> Tensor:       # by the shortest way: these stand in every inner loop
        return ew.sigmoid(input)


class Tanh(Formula, of=tanh):
    """(e^2x - 1) / (e^2x + 1), between -1 and 1."""

    def forward(self, input: Tensor) -> Tensor:
        return ew.tanh(input)


class ReLU(Formula, of=relu):
    """max(0, x)."""

    def forward(self, input: Tensor) -> Tensor:
        return ew.relu(input)


class ReLU6(Formula, of=relu6):
    """min(max(0, x), 6)."""


class LeakyReLU(Formula, of=leaky_relu):
    """x where x > 0, else negative_slope x."""


class ELU(Formula, of=elu):
    """x where x > 0, else alpha (e^x - 1)."""


class CELU(Formula, of=celu):
    """x where x > 0, else alpha (e^(x / alpha) - 1)."""


class SELU(Formula, of=selu):
    """elu with the scale and alpha that keep mean 0 and variance 1 from layer to layer."""


class GELU(Formula, of=gelu):
    """x Phi(x), Phi the normal distribution; approximate='tanh' for its usual approximation."""


class SiLU(Formula, of=silu):
    """x sigmoid(x)."""


class Mish(Formula, of=mish):
    """x tanh(softplus(x))."""


class Softplus(Formula, of=softplus):
    """log(1 + e^(beta x)) / beta."""


class Softsign(Formula, of=softsign):
    """x / (1 + |x|)."""


class LogSigmoid(Formula, of=logsigmoid):
    """log sigmoid(x)."""


class Hardtanh(Formula, of=hardtanh):
    """x brought into [min_val, max_val]."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False):
        super().__init__(min_val, max_val, inplace)
        if max_val <= min_val:
            raise AssertionError("max_val must be larger than min_val")


class Hardsigmoid(Formula, of=hardsigmoid):
    """0 below -3, 1 above 3, x / 6 + 1/2 between."""

    shown = False


class Hardswish(Formula, of=hardswish):
    """x hardsigmoid(x)."""

    shown = False


class Threshold(Formula, of=threshold):
    """x where x > threshold, else value."""


class Tanhshrink(Formula, of=tanhshrink):
    """x - tanh(x)."""


class Softshrink(Formula, of=softshrink):
    """x brought lambda closer to 0, and 0 where |x| <= lambda."""

    def extra_repr(self) -> str:
        return str(self.lambd)


class Hardshrink(Formula, of=hardshrink):
    """x where |x| > lambda, else 0."""

    def extra_repr(self) -> str:
        return str(self.lambd)


class GLU(Formula, of=glu):
    """a sigmoid(b), where a and b are the two halves of x along dim."""


class Softmax(Formula, of=softmax, without=("dtype",)):
    """e^x / sum e^x along dim."""


class LogSoftmax(Formula, of=log_softmax, without=("dtype",)):
    """x - log sum e^x along dim."""


class Softmin(Formula, of=softmin, without=("dtype",)):
    """softmax(-x) along dim."""


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
