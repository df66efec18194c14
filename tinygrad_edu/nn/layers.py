"""Layers: linear maps, dropout, shapes, embeddings, normalisation. Functions first, then the Modules."""
from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from .. import random
from ..defaults import float_dtype, on_cpu
from ..functions import elementwise as ew
from ..functions import shape as sh
from ..mode import assumed, capturing, constant, opaque
from ..ops import fused
from ..tensor import Tensor
from . import init
from .module import Module
from .notice import refusal
from .parameter import Parameter

__all__ = [                                           # the functions; nn lists the Modules
    "batch_norm", "cosine_similarity", "dropout", "dropout1d", "dropout2d", "embedding", "layer_norm", "linear",
    "normalize", "one_hot", "pad",
]


def fresh(*shape: int, dtype: Any = None, device: Any = None) -> Parameter:
    """A parameter whose values are still to be set."""
    on_cpu(device)
    for n in shape:
        if not isinstance(n, (int, np.integer)):
            raise refusal(TypeError, f"empty(): argument 'size' must be tuple of ints, but got {type(n).__name__}",
                          "empty", n, instead="whole numbers of features")
        if n < 0:
            raise refusal(RuntimeError, f"Trying to create tensor with negative dimension {n}: {list(shape)}", "empty",
                          instead="a number of features that is not negative")
    return Parameter(Tensor._leaf(np.empty(shape, float_dtype(dtype))))


# ---- functions ------------------------------------------------------------------------------------------------------
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x w^T + b: x of shape (..., in), w of shape (out, in), b of shape (out,).

    >>> F.linear(tensor([1., 2.]), tensor([[3., 4.]]), tensor([5.])).tolist()
    [16.0]
    """
    return fused.linear(input, weight, bias)


def keep_some(input: Tensor, p: float, shape: tuple[int, ...]) -> Tensor:
    """input times a mask of this shape: 0 with probability p, else 1 / (1 - p), so that the mean stays."""
    if p == 1:
        return input * 0.0
    return input * mask(shape, p, input.dtype)


@opaque
def mask(shape: tuple[int, ...], p: float, dtype: np.dtype) -> np.ndarray:
    """0 with probability p, else 1 / (1 - p), for each element."""
    return (random.uniform(shape, dtype=dtype) >= p) * dtype.type(1 / (1 - p))


def check_probability(p: float) -> None:
    """ValueError where p is no probability."""
    if not 0.0 <= p <= 1.0:
        raise refusal(ValueError, f"dropout probability has to be between 0 and 1, but got {p}", "dropout",
                      instead="p=0.5, the part that is set to 0")


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training each element is 0 with probability p, else x / (1 - p) (Srivastava et al. 2014).

    The gradient of an element that was dropped is exactly 0.
    """
    check_probability(p)
    return keep_some(input, p, input.shape) if training and p else input


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """dropout of whole channels of (N, C, L) or (C, L)."""
    check_probability(p)
    if input.ndim not in (2, 3):
        raise refusal(RuntimeError, f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input",
                      "dropout1d", input, instead="dropout, or input of shape (N, C, L)")
    return keep_some(input, p, (*input.shape[:-1], 1)) if training and p else input


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """dropout of whole channels of (N, C, H, W)."""
    check_probability(p)
    return keep_some(input, p, (*input.shape[:2], *[1] * (input.ndim - 2))) if training and p else input


@opaque
def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Rows with a 1 at each label and 0 elsewhere, as int64.

    >>> F.one_hot(tensor([0, 2]), 3).tolist()
    [[1, 0, 0], [0, 0, 1]]
    """
    t = tensor.payload
    if t.dtype != np.int64:
        raise refusal(RuntimeError, "one_hot is only applicable to index tensor of type LongTensor.", "one_hot", tensor,
                      instead="labels.long()")
    if t.size and t.min() < 0:
        raise refusal(RuntimeError, "Class values must be non-negative.", "one_hot", tensor,
                      instead="labels from 0 to classes - 1")
    if num_classes == -1 and not t.size:
        raise refusal(RuntimeError, "Can not infer total number of classes from empty tensor.", "one_hot", tensor,
                      instead="one_hot(labels, num_classes)")
    largest = int(t.max()) if t.size else 0
    num_classes = largest + 1 if num_classes == -1 else num_classes
    if num_classes < 1:
        raise refusal(RuntimeError, f"num_classes should be positive, not {num_classes}", "one_hot", tensor,
                      instead=f"num_classes={largest + 1}")
    if t.size and largest >= num_classes:
        raise refusal(RuntimeError, "Class values must be smaller than num_classes.", "one_hot", tensor,
                      instead=f"num_classes={largest + 1}")
    return Tensor._leaf((t[..., None] == np.arange(num_classes)).astype(np.int64))


def outside(index: np.ndarray, n: int) -> bool:
    """Whether some index is not one of 0, ..., n - 1."""
    return not (index.min() >= 0 and index.max() < n)


def contains(index: np.ndarray, row: int) -> bool:
    """Whether some number is that of this row."""
    return bool((index == row).any())


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """The rows of ``weight`` that ``input`` numbers; no gradient reaches the row ``padding_idx``."""
    index = input.payload
    if watcher := capturing():
        watcher.resolve(input)                        # known as a tensor, before its numbers are asked about
    if index.dtype not in (np.int64, np.int32):
        raise refusal(RuntimeError, "Expected tensor for argument #1 'indices' to have one of the following scalar "
                      f"types: Long, Int; but got {index.dtype} instead", "embedding", input, weight,
                      instead="tokens.long()")
    if index.size and assumed(outside, index, len(weight.payload)):
        raise refusal(IndexError, f"index out of range in self: {index.min()} to {index.max()} for {len(weight)} rows",
                      "embedding", input, weight,
                      instead=f"Embedding({int(index.max()) + 1}, ...), or numbers from 0 to {len(weight) - 1}")
    rows = weight[input]
    if padding_idx is None or not assumed(contains, index, padding_idx % len(weight)):
        return rows
    return ew.where((input == padding_idx % len(weight)).unsqueeze(-1), rows.detach(), rows)


def layer_norm(input: Tensor, normalized_shape: list[int] | tuple[int, ...], weight: Tensor | None = None,
               bias: Tensor | None = None, eps: float = 1e-5) -> Tensor:
    """(x - mean) / sqrt(variance + eps) over the last dimensions, times weight plus bias (Ba et al. 2016)."""
    shape = tuple(normalized_shape)
    if input.shape[input.ndim - len(shape):] != shape or input.ndim < len(shape):
        raise refusal(RuntimeError, f"Given normalized_shape={list(shape)}, expected input with shape [*, "
                      f"{', '.join(map(str, shape))}], but got input of size {list(input.shape)}", "layer_norm", input,
                      instead=f"LayerNorm({input.shape[-1] if input.ndim else 1})")
    y = fused.standardize(input, dim=tuple(range(-len(shape), 0)), eps=eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def batch_norm(input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None = None,
               bias: Tensor | None = None, training: bool = False, momentum: Any = 0.1, eps: float = 1e-5) -> Tensor:
    """(x - mean) / sqrt(variance + eps) of each channel (dimension 1), times weight plus bias (Ioffe and Szegedy 2015).

    In training, mean and variance are the batch's and move the running ones by ``momentum``; else they are those.
    """
    dims = (0, *range(2, input.ndim))
    column = (-1, *[1] * (input.ndim - 2))
    if training:
        x, n = input.payload, input.numel() // max(input.shape[1], 1)
        if n <= 1:
            raise refusal(ValueError, f"Expected more than 1 value per channel when training, got input size "
                          f"{input.shape}", "batch_norm", input,
                          instead="a larger batch (drop_last=True), or net.eval()")
        y = fused.standardize(input, dim=dims, eps=eps)
        if running_mean is not None and running_var is not None:
            follow(running_mean.payload, running_var.payload, x, dims, momentum, n / (n - 1))
    else:
        scale = 1 / (running_var.detach() + eps).sqrt()
        y = (input - running_mean.detach().reshape(column)) * scale.reshape(column)
    y = y if weight is None else y * weight.reshape(column)
    return y if bias is None else y + bias.reshape(column)


@opaque
def follow(mean: np.ndarray, var: np.ndarray, x: np.ndarray, dims: tuple[int, ...], momentum: Any,
           unbiased: float) -> None:
    """Move the running mean and variance towards those of a batch, in place; the momentum is a number, or the array
    of how many batches there were, whose average they are."""
    momentum = 1 / float(momentum) if isinstance(momentum, np.ndarray) else momentum
    for running, now in ((mean, x.mean(dims)), (var, x.var(dims) * unbiased)):
        running *= 1 - momentum
        running += momentum * now


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """x / max(|x|, eps), with the p-norm along dim."""
    return input / ew.clamp(length(input, p, dim), eps)


def length(x: Tensor, p: float, dim: int) -> Tensor:
    """The p-norm along dim, which is kept."""
    return x.norm(p, dim, keepdim=True)


OUTSIDE = {                                           # which element stands at place i, where the last one is at m
    "reflect": lambda i, m: m - abs(m - abs(i)), "replicate": lambda i, m: np.clip(i, 0, m),
    "circular": lambda i, m: i % (m + 1)}


def pad(input: Tensor, pad: list[int] | tuple[int, ...], mode: str = "constant", value: float | None = None) -> Tensor:
    """x with elements of ``value`` around it: (before, after) of the last dimension, then of the one before, and so on.

    >>> F.pad(tensor([1., 2.]), (1, 2)).tolist()
    [0.0, 1.0, 2.0, 0.0, 0.0]
    """
    pad = [operator.index(width) for width in pad]
    n = len(pad) // 2
    if mode != "constant" and (mode not in OUTSIDE or input.ndim not in (n + 1, n + 2)):
        raise refusal(NotImplementedError, f"pad: {input.ndim} dimensions, {n} of them padded, with mode {mode!r}",
                      "pad", input, instead="mode 'constant', 'reflect', 'replicate' or 'circular'; the last three "
                      "with one or two dimensions (batch, channels) before those that are padded")
    if len(pad) % 2 or n > input.ndim:
        raise refusal(RuntimeError, "Padding length should be even and at most twice the number of dimensions of the "
                      f"input, but got {len(pad)} for {input.ndim} dimensions", "pad", input,
                      instead="(before, after) for each of the last dimensions")
    if min(pad, default=0) < 0:                       # a negative width cuts away
        cut = [slice(max(-pad[2 * i], 0), input.shape[-1 - i] - max(-pad[2 * i + 1], 0)) for i in range(n)]
        input = input[(..., *reversed(cut))]
    if mode != "constant":
        for i in range(n):
            low, high, size = max(pad[2 * i], 0), max(pad[2 * i + 1], 0), input.shape[-1 - i]
            if max(low, high) > size - (mode == "reflect") and mode != "replicate":
                raise refusal(RuntimeError, "Padding size should be less than the corresponding input dimension, but "
                              f"got: padding ({low}, {high}) of size {size}", "pad", input, instead="'replicate'")
            outside = OUTSIDE[mode](np.arange(-low, size + high), size - 1)
            input = sh.slices(input, input.ndim - 1 - i, constant(outside))
        return input
    widths = [(0, 0)] * (input.ndim - n) + [(max(pad[2 * i], 0), max(pad[2 * i + 1], 0)) for i in reversed(range(n))]
    return sh.pad(input, widths, value or 0)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x . y / (|x| |y|) along dim, each norm at least eps."""
    a, b = x1 / ew.clamp(length(x1, 2, dim), eps), x2 / ew.clamp(length(x2, 2, dim), eps)
    return (a * b).sum(dim)


# ---- modules --------------------------------------------------------------------------------------------------------
class Identity(Module):
    """x, whatever arguments it was made with."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input


class Linear(Module):
    """x w^T + b, with ``weight`` (out_features, in_features) and ``bias`` (out_features,).

    Both start uniform in +-1 / sqrt(in_features). RuntimeError where the input's last size is not in_features.

    >>> layer = nn.Linear(3, 2)
    >>> layer(tg.zeros(5, 3)).shape, layer
    ((5, 2), Linear(in_features=3, out_features=2, bias=True))
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None):
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = fresh(out_features, in_features, dtype=dtype, device=device)
        self.register_parameter("bias", fresh(out_features, dtype=dtype, device=device) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        return fused.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Flatten(Module):
    """All dimensions from start_dim to end_dim as one: (N, 1, 28, 28) becomes (N, 784)."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1):
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        sh.axis(self.start_dim, input.ndim)
        return sh.flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """One dimension as several: the reverse of Flatten."""

    def __init__(self, dim: int, unflattened_size: tuple[int, ...]):
        super().__init__()
        self.dim, self.unflattened_size = dim, unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        return sh.unflatten(input, self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class Dropout(Module):
    """In training each element is 0 with probability p, else x / (1 - p); x itself in eval()."""

    of = staticmethod(dropout)

    def __init__(self, p: float = 0.5, inplace: bool = False):
        super().__init__()
        check_probability(p)
        self.p, self.inplace = p, inplace

    def forward(self, input: Tensor) -> Tensor:
        return self.of(input, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout1d(Dropout):
    """Dropout of whole channels of (N, C, L)."""

    of = staticmethod(dropout1d)


class Dropout2d(Dropout):
    """Dropout of whole channels of (N, C, H, W)."""

    of = staticmethod(dropout2d)


class Embedding(Module):
    """A table of num_embeddings rows, looked up by number; the row ``padding_idx`` is 0 and stays so."""

    def __init__(self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None, *, device: Any = None,
                 dtype: Any = None):
        super().__init__()
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise refusal(AssertionError, "Padding_idx must be within num_embeddings", "Embedding", padding_idx,
                          instead=f"padding_idx from {-num_embeddings} to {num_embeddings - 1}")
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = fresh(num_embeddings, embedding_dim, dtype=dtype, device=device)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the table anew: normal, mean 0, variance 1."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.payload[self.padding_idx] = 0

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None) -> Embedding:
        """A table with these rows, frozen unless ``freeze=False``."""
        if embeddings.ndim != 2:
            raise refusal(AssertionError, "Embeddings parameter is expected to be 2-dimensional", "from_pretrained",
                          embeddings, instead="one row for each word: embeddings.reshape(words, -1)")
        layer = cls(embeddings.shape[0], embeddings.shape[1], padding_idx, dtype=embeddings.dtype)
        layer.weight = Parameter(embeddings, requires_grad=not freeze)
        return layer

    def forward(self, input: Tensor) -> Tensor:
        return embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


class _Affine(Module):
    """A normalisation with its ``weight``, 1 at first, and ``bias``, 0 at first, where it has them."""

    weight: Parameter | None
    bias: Parameter | None

    def _affine(self, shape: tuple[int, ...], weight: bool, bias: bool, dtype: Any, device: Any) -> None:
        self.register_parameter("weight", fresh(*shape, dtype=dtype, device=device) if weight else None)
        self.register_parameter("bias", fresh(*shape, dtype=dtype, device=device) if weight and bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """weight 1, bias 0, and what is known of earlier batches forgotten."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


class LayerNorm(_Affine):
    """(x - mean) / sqrt(variance + eps) over the last dimensions, times weight plus bias."""

    def __init__(self, normalized_shape: int | list[int] | tuple[int, ...], eps: float = 1e-5,
                 elementwise_affine: bool = True, bias: bool = True, device: Any = None, dtype: Any = None):
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self._affine(self.normalized_shape, elementwise_affine, bias, dtype, device)

    def forward(self, input: Tensor) -> Tensor:
        return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
                f"bias={self.bias is not None}")


class _BatchNorm(_Affine):
    """Batch normalisation for inputs of any of the ranks ``ranks``."""

    ranks: tuple[int, ...] = ()

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
                 track_running_stats: bool = True, device: Any = None, dtype: Any = None, *, bias: bool = True):
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        kind = float_dtype(dtype)
        for name, start in (("running_mean", np.zeros(num_features, kind)),
                            ("running_var", np.ones(num_features, kind)),
                            ("num_batches_tracked", np.zeros((), np.int64))):
            self.register_buffer(name, Tensor._leaf(start) if track_running_stats else None)
        self._affine((num_features,), affine, bias, dtype, device)

    def reset_running_stats(self) -> None:
        """Mean 0, variance 1, no batches."""
        for buffer, value in ((self.running_mean, 0), (self.running_var, 1), (self.num_batches_tracked, 0)):
            if buffer is not None:
                buffer.fill_(value)

    def reset_parameters(self) -> None:
        self.reset_running_stats()
        super().reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in self.ranks:
            ranks = " or ".join(f"{n}D" for n in self.ranks)
            raise refusal(ValueError, f"expected {ranks} input (got {input.ndim}D input)", "batch_norm", input,
                          instead="BatchNorm1d for (N, C) and (N, C, L), BatchNorm2d for (N, C, H, W)")
        if input.shape[1] != self.num_features:
            raise refusal(RuntimeError, f"running_mean should contain {input.shape[1]} elements not "
                          f"{self.num_features}", "batch_norm", input,
                          instead=f"{type(self).__name__}({input.shape[1]}): channels are dimension 1")
        momentum = self.momentum
        if self.training and self.track_running_stats:
            self.num_batches_tracked.add_(1)
            if momentum is None:                      # the plain average of all batches
                momentum = self.num_batches_tracked.payload
        return batch_norm(input, self.running_mean, self.running_var, self.weight, self.bias,
                          self.training or not self.track_running_stats, momentum, self.eps)

    def extra_repr(self) -> str:
        return (f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
                f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}")


class BatchNorm1d(_BatchNorm):
    """Each feature of (N, C) or (N, C, L) brought to mean 0 and variance 1 over the batch, times weight plus bias."""

    ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Each channel of (N, C, H, W) brought to mean 0 and variance 1 over the batch, times weight plus bias."""

    ranks = (4,)
