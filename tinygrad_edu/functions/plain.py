"""What each fused primitive stands for, composed of simple operations; the tests hold the two equal."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..ops.elementwise import erf, sigmoid
from ..ops.fused import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    elu,
    gelu,
    gelu_tanh,
    leaky_relu,
    linear,
    log_softmax,
    residual,
    rows,
    silu,
    softmax,
    standardize,
)


def plain_cross_entropy(x: Any, target: np.ndarray, share: Any = None) -> Any:
    """cross_entropy in simple operations: the logarithm of a softmax, its entry at the label, the weighted sum."""
    losses = -PLAIN[log_softmax](x, -1)[rows(len(x)), target]
    return losses if share is None else (losses * share).sum()


PLAIN: dict[Any, Any] = {
    linear: lambda x, w, b=0.0: x @ w.T + b,
    softmax: lambda x, dim: np.exp(x) / np.sum(np.exp(x), dim, keepdims=True),
    log_softmax: lambda x, dim: x - np.log(np.sum(np.exp(x), dim, keepdims=True)),
    residual: lambda x, target: PLAIN[softmax](x, -1) - (target[:, None] == rows(x.shape[-1])),
    cross_entropy: plain_cross_entropy,
    standardize: lambda x, dim, eps: (x - np.mean(x, dim, keepdims=True)) / np.sqrt(
        np.mean(np.square(x - np.mean(x, dim, keepdims=True)), dim, keepdims=True) + eps),
    binary_cross_entropy: lambda p, t: -(t * np.log(p) + (1 - t) * np.log(1 - p)),
    binary_cross_entropy_with_logits: lambda x, t: -(t * np.log(sigmoid(x)) + (1 - t) * np.log(1 - sigmoid(x))),
    leaky_relu: lambda x, slope: np.maximum(x, 0) + slope * np.minimum(x, 0),
    elu: lambda x, alpha=1.0, scale=1.0, inner=1.0:
        scale * (np.maximum(x, 0) + alpha * (np.exp(inner * np.minimum(x, 0)) - 1)),
    silu: lambda x: x / (1 + np.exp(-x)),
    gelu: lambda x: 0.5 * x * (1 + erf(x / math.sqrt(2.0))),
    gelu_tanh: lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x))),
}
