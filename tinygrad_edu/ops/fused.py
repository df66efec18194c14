"""Steps that are always taken together, each as one primitive: an affine map, softmax with its loss, activations.

``functions.plain`` has, for each, the composition of simple operations that it stands for.
"""
from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from ..errors import message
from ..graph import elementwise, primitive
from ..mode import local
from .elementwise import erf, sigmoid, softplus

REMEDY = {"float32": "x.float()", "float64": "x.double()"}
SAFE = 60.0                                           # sums of e^x neither overflow nor vanish in float32 for |x| < 60


@lru_cache(maxsize=64)
def ones(n: int, dtype: np.dtype) -> np.ndarray:
    """n ones, made once; a product with them is the fastest sum."""
    y = np.ones(n, dtype)
    y.flags.writeable = False
    return y


@lru_cache(maxsize=64)
def rows(n: int) -> np.ndarray:
    """0, 1, ..., n - 1, made once."""
    y = np.arange(n)
    y.flags.writeable = False
    return y


# ---- affine map -----------------------------------------------------------------------------------------------------
def affine(x: np.ndarray, w: np.ndarray, b: np.ndarray | None = None) -> np.ndarray:
    """x w^T + b."""
    if x.dtype is not w.dtype and x.dtype != w.dtype:
        raise RuntimeError(message(f"mat1 and mat2 must have the same dtype, but got {x.dtype} and {w.dtype}",
                                   op="linear", inputs=(x, w), layer=local.mode.note.layer,
                                   instead=REMEDY.get(str(w.dtype), f"x.to(tg.{w.dtype})") + " for the input"
                                   + (f", or layer.to(tg.{x.dtype})" if x.dtype.kind == "f" else "")))
    y = np.matmul(x, w.T)
    if b is not None:
        y += b
    return y


def flat(x: Any) -> Any:
    """x as a matrix: all leading dimensions as one."""
    return x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


linear = primitive("linear", affine,
                   lambda g, y, x, w, b=None: g @ w,
                   lambda g, y, x, w, b=None: flat(g).T @ flat(x),
                   lambda g, y, x, w, b=None: ones(math.prod(g.shape[:-1]), g.dtype) @ flat(g),
                   doc="x w^T + b for any leading dimensions of x, w of shape (out, in), b of shape (out,)")


# ---- softmax and its loss -------------------------------------------------------------------------------------------
def exps(x: np.ndarray, dim: int) -> tuple[np.ndarray, np.ndarray, Any]:
    """e^(x - top) and its sums along ``dim``, and ``top``: the largest of each line, or None where 0 will do."""
    if x.size == 0 or -SAFE < np.minimum.reduce(x, axis=None) and np.maximum.reduce(x, axis=None) < SAFE:
        top, e = None, np.exp(x)
    else:
        top = np.maximum.reduce(x, axis=dim, keepdims=True)
        e = x - top
        np.exp(e, out=e)
    if dim == -1 or dim == x.ndim - 1:
        return e, e.dot(ones(x.shape[-1], x.dtype))[..., None], top
    return e, np.add.reduce(e, axis=dim, keepdims=True), top


def _softmax(x: np.ndarray, dim: int) -> np.ndarray:
    e, total, _ = exps(x, dim)
    e /= total
    return e


def _log_softmax(x: np.ndarray, dim: int) -> np.ndarray:
    _, total, top = exps(x, dim)
    return x - (np.log(total) if top is None else np.log(total) + top)


softmax = primitive("softmax", _softmax, lambda g, y, x, dim: y * (g - np.sum(g * y, dim, keepdims=True)),
                    doc="e^x / sum e^x along dim")
log_softmax = primitive("log_softmax", _log_softmax,
                        lambda g, y, x, dim: g - np.exp(y) * np.sum(g, dim, keepdims=True),
                        doc="x - log sum e^x along dim")


def _residual(x: np.ndarray, target: np.ndarray, parts: tuple | None = None) -> np.ndarray:
    p, total, _ = parts or exps(x, -1)                # parts: exps of x if known; the first is used up
    p /= total
    p[rows(len(p)), target] -= 1
    return p


def _cross_entropy(x: np.ndarray, target: np.ndarray, share: Any = None, parts: tuple | None = None) -> np.ndarray:
    _, total, top = parts or exps(x, -1)
    losses = np.log(total[:, 0]) - x[rows(len(x)), target]
    if top is not None:
        losses += top[:, 0]
    if share is None:
        return losses
    return np.add.reduce(losses) * share if isinstance(share, float) else losses.dot(share)


def column(g: Any, share: Any) -> Any:
    """The adjoint of each row's loss, as a column."""
    if share is None:
        return g[:, None]
    return g * share if isinstance(share, float) else g * share[:, None]


residual = primitive("softmax - onehot", _residual,
                     lambda g, y, x, target: softmax.rules[0](g, softmax(x, dim=-1), x, dim=-1),
                     doc="p - t: the probabilities softmax(x) of each row minus its label as a one-hot row")
cross_entropy = primitive("cross_entropy", _cross_entropy,
                          lambda g, y, x, target, share=None: column(g, share) * residual(x, target=target),
                          doc="-log softmax(x)[i, target_i] for each row i, or their sum weighted by share")

# ---- normalisation --------------------------------------------------------------------------------------------------
def spread(x: Any, dim: tuple[int, ...], eps: float) -> Any:
    """1 / sqrt(variance + eps) over the dimensions ``dim``."""
    centred = x - np.mean(x, dim, keepdims=True)
    return 1 / np.sqrt(np.mean(centred * centred, dim, keepdims=True) + eps)


def _standardize(x: np.ndarray, dim: tuple[int, ...], eps: float) -> np.ndarray:
    y = x - np.mean(x, dim, keepdims=True)
    y *= 1 / np.sqrt(np.mean(y * y, dim, keepdims=True) + eps)
    return y


standardize = primitive(
    "standardize", _standardize,
    lambda g, y, x, dim, eps:
        (g - np.mean(g, dim, keepdims=True) - y * np.mean(g * y, dim, keepdims=True)) * spread(x, dim, eps),
    doc="(x - mean) / sqrt(variance + eps) over the dimensions dim: the core of layer and batch normalisation")

# ---- losses on probabilities ----------------------------------------------------------------------------------------
def logs(p: Any) -> tuple[Any, Any]:
    """log p and log(1 - p)."""
    with np.errstate(divide="ignore"):
        return np.log(p), np.log1p(-p)


def nats(p: np.ndarray, t: np.ndarray) -> np.ndarray:
    """-t log p - (1 - t) log(1 - p); a certain and wrong prediction counts 100 (PyTorch's bound)."""
    yes, no = logs(p)
    return (t - 1) * np.maximum(no, -100) - t * np.maximum(yes, -100)


binary_cross_entropy = elementwise(
    "binary_cross_entropy", nats,
    lambda g, y, p, t: g * ((p - t) / np.maximum(p * (1 - p), 1e-12)),
    lambda g, y, p, t: g * (logs(p)[1] - logs(p)[0]),
    doc="-t log p - (1 - t) log(1 - p), logarithms at least -100")
binary_cross_entropy_with_logits = elementwise(
    "binary_cross_entropy_with_logits", lambda x, t: softplus(x) - x * t,
    lambda g, y, x, t: g * (sigmoid(x) - t),
    lambda g, y, x, t: -g * x,
    doc="-t log sigmoid(x) - (1 - t) log(1 - sigmoid(x)), without overflow")

# ---- activations in one step ----------------------------------------------------------------------------------------
leaky_relu = elementwise("leaky_relu", lambda x, slope: np.where(x > 0, x, x * slope),
                         lambda g, y, x, slope: np.where(x > 0, g, g * slope), doc="x where x > 0, else slope x")
elu = elementwise(
    "elu", lambda x, alpha=1.0, scale=1.0, inner=1.0:
        np.where(x > 0, x * scale, np.expm1(np.minimum(x, 0) * inner) * (alpha * scale)),
    lambda g, y, x, alpha=1.0, scale=1.0, inner=1.0:
        np.where(x > 0, g * scale, g * np.exp(np.minimum(x, 0) * inner) * (alpha * scale * inner)),
    doc="scale x where x > 0, else scale alpha (e^(inner x) - 1)")
silu = elementwise("silu", lambda x: x * sigmoid(x),
                   lambda g, y, x: g * (sigmoid(x) * (1 + x * (1 - sigmoid(x)))), doc="x sigmoid(x)")
gelu = elementwise("gelu", lambda x: x * 0.5 * (1 + erf(x * math.sqrt(0.5))),
                   lambda g, y, x: g * (0.5 * (1 + erf(x * math.sqrt(0.5)))
                                        + x * np.exp(x * x * -0.5) * math.sqrt(0.5 / math.pi)),
                   doc="x times the probability that a standard normal variable is below x")


def bend(x: Any) -> Any:
    """tanh of sqrt(2 / pi) (x + 0.044715 x^3)."""
    return np.tanh(x * (1 + x * x * 0.044715) * math.sqrt(2 / math.pi))


gelu_tanh = elementwise("gelu_tanh", lambda x: x * 0.5 * (1 + bend(x)),
                        lambda g, y, x: bent(g, x, bend(x)),
                        doc="x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), close to gelu")


def bent(g: Any, x: Any, t: Any) -> Any:
    """What flows back through gelu_tanh, where the tanh is t."""
    return g * (0.5 * (1 + t) + x * (1 - t * t) * (1 + x * x * (3 * 0.044715)) * (0.5 * math.sqrt(2 / math.pi)))
