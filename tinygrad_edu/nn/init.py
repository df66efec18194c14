"""Initial weights: PyTorch's initialisers, in place, drawn from this package's generator."""
from __future__ import annotations

import math

import numpy as np

from .. import random
from ..errors import message
from ..graph import stamp
from ..mode import capturing
from ..random import Generator
from ..tensor import Tensor
from .notice import notice

__all__ = [
    "calculate_gain", "constant_", "dirac_", "eye_", "kaiming_normal_", "kaiming_uniform_", "normal_", "ones_",
    "orthogonal_", "sparse_", "trunc_normal_", "uniform_", "xavier_normal_", "xavier_uniform_", "zeros_",
]
LINEAR = ("linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d")


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By what a layer followed by this activation should scale its weights to keep the variance.

    >>> nn.init.calculate_gain("tanh"), nn.init.calculate_gain("relu") ** 2
    (1.6666666666666667, 2.0000000000000004)
    """
    if nonlinearity in LINEAR or nonlinearity == "sigmoid":
        return 1.0
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        if isinstance(param, bool) or not isinstance(param, (int, float, type(None))):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise ValueError(message(f"Unsupported nonlinearity {nonlinearity}", op="calculate_gain",
                             instead="'linear', 'sigmoid', 'tanh', 'relu', 'leaky_relu' or 'selu'"))


def fans(tensor: Tensor) -> tuple[int, int]:
    """How many inputs each output has, and how many outputs each input: (in, out) times the size of the window."""
    if tensor.ndim < 2:
        raise ValueError(message("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions",
                                 op="init", inputs=(tensor,),
                                 instead="uniform_ or normal_ for a vector, zeros_ for a bias"))
    window = math.prod(tensor.shape[2:])
    return tensor.shape[1] * window, tensor.shape[0] * window


_calculate_fan_in_and_fan_out = fans


def fan(tensor: Tensor, mode: str) -> int:
    """The one of the two that ``mode`` names."""
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    return fans(tensor)[mode == "fan_out"]


_calculate_correct_fan = fan


def put(tensor: Tensor, values: np.ndarray | float) -> Tensor:
    """Write ``values`` into the tensor's memory; nothing is recorded."""
    if watcher := capturing():
        watcher.refused("nn.init", "initialise outside, or x.normal_(), which is captured")
    tensor.payload[...] = values
    stamp(tensor)
    return tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform in [a, b)."""
    return put(tensor, random.uniform(tensor.shape, a, b, generator=generator, dtype=tensor.dtype))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with this mean and standard deviation."""
    return put(tensor, random.gaussian(tensor.shape, mean, std, generator=generator, dtype=tensor.dtype))


def trunc_normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
                  generator: Generator | None = None) -> Tensor:
    """Normal, drawn again until within [a, b]; where that part is thin, uniform draws are kept with its density."""
    if mean < a - 2 * std or mean > b + 2 * std:
        notice("mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be "
               "incorrect.", op="trunc_normal_")
    inside = (math.erf((b - mean) / std / math.sqrt(2)) - math.erf((a - mean) / std / math.sqrt(2))) / 2
    peak = max(a, min(mean, b))
    values, todo = np.empty(tensor.shape, tensor.dtype), np.ones(tensor.shape, bool)
    while n := int(todo.sum()):
        if inside > 0.3:
            drawn = random.gaussian((n,), mean, std, generator=generator, dtype=tensor.dtype)
            fits = (drawn >= a) & (drawn <= b)
        else:
            drawn = random.uniform((n,), a, b, generator=generator, dtype=tensor.dtype)
            density = np.exp(((peak - mean) / std) ** 2 / 2 - np.square((drawn - mean) / std) / 2)
            fits = random.uniform((n,), generator=generator, dtype=tensor.dtype) < density
        values[todo] = drawn
        todo[todo] = ~fits
    return put(tensor, values)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """val everywhere."""
    return put(tensor, val)


def ones_(tensor: Tensor) -> Tensor:
    """1 everywhere."""
    return put(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """0 everywhere: right for biases; equal weights stay equal, since their gradients are."""
    return put(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix."""
    if tensor.ndim != 2:
        raise ValueError(message("Only tensors with 2 dimensions are supported", op="eye_", inputs=(tensor,),
                                 instead="a matrix, such as the weight of a Linear"))
    return put(tensor, np.eye(*tensor.shape))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Convolution weights that pass each channel on unchanged."""
    if tensor.ndim not in (3, 4, 5):
        raise ValueError(message("Only tensors with 3, 4, or 5 dimensions are supported", op="dirac_",
                                 inputs=(tensor,), instead="weights of shape (out, in, width)"))
    out = tensor.shape[0]
    if out % groups:
        raise ValueError(message("dim 0 must be divisible by groups", op="dirac_", inputs=(tensor,),
                                 instead=f"a number of groups that divides {out}"))
    put(tensor, 0.0)
    centre = tuple(n // 2 for n in tensor.shape[2:])
    for i in range(out):
        if i % (out // groups) < tensor.shape[1]:
            tensor.payload[(i, i % (out // groups), *centre)] = 1
    return tensor


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform in +-gain sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010), for sigmoid and tanh."""
    bound = gain * math.sqrt(6.0 / sum(fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with std gain sqrt(2 / (fan_in + fan_out))."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(fans(tensor))), generator)


def no_elements(tensor: Tensor) -> bool:
    """Whether there is nothing to initialise; says so."""
    if 0 in tensor.shape:
        notice("Initializing zero-element tensors is a no-op", op="init", inputs=(tensor,))
    return 0 in tensor.shape


def kaiming_uniform_(tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
                     generator: Generator | None = None) -> Tensor:
    """Uniform in +-gain sqrt(3 / fan) (He et al. 2015), for ReLU and its kin; ``a`` is a leaky ReLU's slope."""
    if no_elements(tensor):
        return tensor
    bound = calculate_gain(nonlinearity, a) * math.sqrt(3.0 / fan(tensor, mode))
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
                    generator: Generator | None = None) -> Tensor:
    """Normal with std gain / sqrt(fan)."""
    if no_elements(tensor):
        return tensor
    return normal_(tensor, 0.0, calculate_gain(nonlinearity, a) / math.sqrt(fan(tensor, mode)), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """gain times a matrix with orthonormal rows or columns (Saxe et al. 2014)."""
    if tensor.ndim < 2:
        raise ValueError(message("Only tensors with 2 or more dimensions are supported", op="orthogonal_",
                                 inputs=(tensor,), instead="a matrix, such as the weight of a Linear"))
    if not tensor.numel():
        return tensor
    rows, cols = tensor.shape[0], tensor.numel() // tensor.shape[0]
    q, r = np.linalg.qr(random.gaussian((max(rows, cols), min(rows, cols)), generator=generator, dtype=np.float64))
    q *= np.sign(np.diag(r))                          # so that every orthogonal matrix is equally likely
    return put(tensor, gain * (q.T if rows < cols else q).reshape(tensor.shape))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Normal, with the part ``sparsity`` of each column set to 0 (Martens 2010)."""
    if tensor.ndim != 2:
        raise ValueError(message("Only tensors with 2 dimensions are supported", op="sparse_", inputs=(tensor,),
                                 instead="a matrix, such as the weight of a Linear"))
    normal_(tensor, 0.0, std, generator)
    zeros = math.ceil(sparsity * tensor.shape[0])
    for column in range(tensor.shape[1]):
        tensor.payload[random.source(generator).permutation(tensor.shape[0])[:zeros], column] = 0
    return tensor
