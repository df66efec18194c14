"""Losses: how wrong is wrong. Each as a function (torch.nn.functional) and below as a Module (torch.nn)."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..functions import elementwise as ew
from ..mode import assumed, capturing, constant, opaque
from ..ops import fused
from ..tensor import Tensor
from .formula import Formula
from .layers import contains
from .notice import must_be_tensors, notice, refusal

__all__ = [                                           # the functions; nn lists the Modules
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "hinge_embedding_loss", "huber_loss",
    "kl_div", "l1_loss", "mse_loss", "nll_loss", "smooth_l1_loss", "soft_margin_loss",
]
I64 = np.dtype(np.int64)


# ---- what all losses share ------------------------------------------------------------------------------------------
def reduced(losses: Any, reduction: str) -> Any:
    """The mean, the sum, or all of the losses."""
    if reduction == "mean":
        if losses.payload.size == 0:
            empty(reduction)
        return losses.mean()
    if reduction == "sum":
        return losses.sum()
    if reduction == "none":
        return losses
    raise wrong_reduction(reduction)


def wrong_reduction(reduction: Any) -> Exception:
    """The refusal of a reduction that there is not."""
    return refusal(ValueError, f"{reduction} is not a valid value for reduction", "loss",
                   instead="reduction='mean', 'sum' or 'none'")


def empty(reduction: str) -> None:
    """Say that the mean of nothing is not a number."""
    notice("the batch is empty, so the mean of its losses is 0 / 0 = nan",
           instead="skip empty batches, or reduction='sum', which is 0")


def compare(op: str, input: Tensor, target: Tensor) -> None:
    """Warn where two shapes broadcast in a loss: (N, 1) against (N) makes an N x N table of differences."""
    if input.__class__ is not Tensor or target.__class__ is not Tensor:
        must_be_tensors(op, input=input, target=target)
    if input.payload.shape != target.payload.shape:
        notice(f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). This will "
               "likely lead to incorrect results due to broadcasting. Please ensure they have the same size.", op=op,
               inputs=(input, target),
               instead="prediction.squeeze(-1), or target.unsqueeze(-1), so that each prediction meets its own target")


def weighted(losses: Any, weight: Tensor | None, input: Tensor) -> Any:
    """The losses times their weights, of the same size."""
    if weight is None:
        return losses
    if weight.shape != input.shape:
        raise refusal(ValueError, "Weights and input must have the same size.", "loss", weight, input,
                      instead="one weight for each element of the prediction")
    return losses * weight


def mean_of(losses: Any, weight: Tensor | None, input: Tensor, reduction: str) -> Any:
    """``reduced``, but the mean with weights is sum w l / sum w."""
    losses = weighted(losses, weight, input)
    return losses.sum() / weight.sum() if weight is not None and reduction == "mean" else reduced(losses, reduction)


# ---- regression -----------------------------------------------------------------------------------------------------
def mse_loss(input: Tensor, target: Tensor, *, reduction: str = "mean", weight: Tensor | None = None) -> Tensor:
    """mean (x - t)^2, or the sum, or each; with ``weight``, sum w (x - t)^2 / sum w.

    >>> F.mse_loss(tensor([1., 3.]), tensor([1., 1.])).item()
    2.0
    """
    compare("mse_loss", input, target)
    return mean_of(ew.square(input - target), weight, input, reduction)


def l1_loss(input: Tensor, target: Tensor, *, reduction: str = "mean", weight: Tensor | None = None) -> Tensor:
    """mean |x - t|, or the sum, or each; with ``weight``, sum w |x - t| / sum w."""
    compare("l1_loss", input, target)
    return mean_of(ew.abs(input - target), weight, input, reduction)


def huber_loss(input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0,
               weight: Tensor | None = None) -> Tensor:
    """(x - t)^2 / 2 where |x - t| < delta, else delta (|x - t| - delta / 2) (Huber 1964)."""
    if delta <= 0:
        raise refusal(RuntimeError, f"huber_loss does not support non-positive values for delta, such as {delta}.",
                      "huber_loss", instead="delta=1.0, or l1_loss")
    compare("huber_loss", input, target)
    d = ew.abs(input - target)
    losses = ew.where(d < delta, ew.square(d) * 0.5, delta * (d - 0.5 * delta))
    return reduced(weighted(losses, weight, input), reduction)


def smooth_l1_loss(input: Tensor, target: Tensor, *, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """(x - t)^2 / (2 beta) where |x - t| < beta, else |x - t| - beta / 2: Huber's loss divided by beta."""
    if beta < 0:
        raise refusal(RuntimeError, f"smooth_l1_loss does not support negative values for beta, such as {beta}.",
                      "smooth_l1_loss", instead="beta=1.0")
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    compare("smooth_l1_loss", input, target)
    d = ew.abs(input - target)
    return reduced(ew.where(d < beta, ew.square(d) * (0.5 / beta), d - 0.5 * beta), reduction)


# ---- two classes ----------------------------------------------------------------------------------------------------
SAME_SHAPE = "prediction.squeeze(-1), or target.unsqueeze(-1)"


def binary_cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, *,
                         reduction: str = "mean") -> Tensor:
    """mean -t log p - (1 - t) log(1 - p) of probabilities p; each logarithm is at least -100.

    RuntimeError where p or t is not between 0 and 1 (nan is not); ValueError where the shapes differ.
    """
    op = "binary_cross_entropy"
    must_be_tensors(op, input=input, target=target)
    if target.shape != input.shape:
        raise refusal(ValueError, f"Using a target size ({target.shape}) that is different to the input size "
                      f"({input.shape}) is deprecated. Please ensure they have the same size.", op, input, target,
                      instead=SAME_SHAPE)
    if target.dtype.kind != "f":
        raise refusal(RuntimeError, f"Found dtype {target.dtype} but expected {input.dtype}", op, input, target,
                      instead="target.float()")
    for name, x, instead in (
            ("input", input, "binary_cross_entropy_with_logits takes any real numbers as input"),
            ("target", target, "labels 0 or 1, or probabilities between")):
        p = x.payload
        if p.size and not (p.min() >= 0 and p.max() <= 1):
            n = int(np.isnan(p).sum())
            where = f"; {n} of {p.size} are nan" if n else f", but they lie in [{p.min():.6g}, {p.max():.6g}]"
            raise refusal(RuntimeError, f"all elements of {name} should be between 0 and 1{where}", op, input, target,
                          instead=instead)
    losses = fused.binary_cross_entropy(input, target)
    return reduced(losses if weight is None else losses * weight, reduction)


def binary_cross_entropy_with_logits(input: Tensor, target: Tensor, weight: Tensor | None = None, *,
                                     reduction: str = "mean", pos_weight: Tensor | None = None) -> Tensor:
    """binary_cross_entropy(sigmoid(x), t) without overflow; ``pos_weight`` multiplies the part of t = 1."""
    op = "binary_cross_entropy_with_logits"
    must_be_tensors(op, input=input, target=target)
    if target.shape != input.shape:
        raise refusal(ValueError, f"Target size ({target.shape}) must be the same as input size ({input.shape})", op,
                      input, target, instead=SAME_SHAPE)
    if target.dtype.kind != "f":
        raise refusal(RuntimeError, f"result type {input.dtype} can't be cast to the desired output type "
                      f"{target.dtype}", op, input, target, instead="target.float()")
    if pos_weight is None:
        losses = fused.binary_cross_entropy_with_logits(input, target)
    else:
        losses = (1 - target) * input + (1 + (pos_weight - 1) * target) * ew.softplus(-input)
    return reduced(losses if weight is None else losses * weight, reduction)


def soft_margin_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """mean log(1 + e^(-t x)) for labels t of -1 and 1."""
    compare("soft_margin_loss", input, target)
    return reduced(ew.softplus(-target * input), reduction)


def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, *, reduction: str = "mean") -> Tensor:
    """x where t = 1, max(0, margin - x) where t = -1."""
    compare("hinge_embedding_loss", input, target)
    return reduced(ew.where(target == 1, input, 0.0) + ew.where(target == -1, ew.relu(margin - input), 0.0), reduction)


# ---- many classes ---------------------------------------------------------------------------------------------------
def class_rows(op: str, x: Tensor, target: Tensor) -> tuple[Tensor, np.ndarray]:
    """Scores as a matrix (rows, classes) and one label a row, from (C), (N, C) or (N, C, d1, ...): the classes are in
    dimension 1. Raises PyTorch's errors where labels are no whole numbers or do not match."""
    t = target.payload
    if x.payload.ndim == 2 and t.dtype is I64 and t.ndim == 1 and len(t) == len(x.payload):
        return x, t

    def refuse(kind: type[Exception], what: str, instead: str) -> None:
        raise refusal(kind, what, op, x, target, instead=instead)

    if t.dtype.kind == "f" or t.dtype not in (np.int64, np.uint8):
        n = int(np.isnan(t).sum()) if t.dtype.kind == "f" else 0
        refuse(RuntimeError, f"expected target dtype to be int64 or uint8, but got {t.dtype}"
               + (f" ({n} of {t.size} labels are nan)" if n else ""),
               "target.long(): labels are whole numbers from 0 to classes - 1"
               + (", after the samples without a label are dropped" if n else ""))
    if x.ndim == 0:
        refuse(RuntimeError, "scores have one dimension of classes at least", "scores of shape (batch, classes)")
    if x.ndim == 1:
        if t.size != 1:
            refuse(ValueError, f"For 1D input, 1D target must have size 1, but got target size: {t.size}",
                   "scores of shape (batch, classes) for a batch of labels")
        return x.unsqueeze(0), t.reshape(1)
    if (t.shape[0] if t.ndim else 0) != x.shape[0]:
        refuse(ValueError, f"Expected input batch_size ({x.shape[0]}) to match target batch_size "
               f"({t.shape[0] if t.ndim else 0}).", "one label for each row of scores")
    if x.ndim == 2 and t.ndim > 1:
        refuse(RuntimeError, "0D or 1D target tensor expected, multi-target not supported",
               "target.squeeze(-1) where labels are a column, target.argmax(1) or target.float() where they are "
               "one-hot")
    if t.shape != (x.shape[0], *x.shape[2:]):
        refuse(RuntimeError, f"Expected target size {[x.shape[0], *x.shape[2:]]}, got {list(t.shape)}",
               "scores of shape (N, classes, d1, ...) and labels of shape (N, d1, ...): classes are dimension 1")
    return (x, t) if x.ndim == 2 else (x.movedim(1, -1).reshape(t.size, x.shape[1]), t.reshape(-1))


def outside(t: np.ndarray, classes: int) -> bool:
    """Whether some label is not one of 0, ..., classes - 1 (a negative one is a huge one without its sign)."""
    return bool(np.maximum.reduce(t.view(np.uint64), axis=None) >= classes)


def stray(t: np.ndarray, classes: int, ignored: int) -> bool:
    """Whether some label that counts is not one of 0, ..., classes - 1."""
    return bool(((t != ignored) & ((t < 0) | (t >= classes))).any())


def label_weights(op: str, x: Tensor, t: np.ndarray, weight: Tensor | None,
                  ignore_index: int) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Labels within range, the weight of each row, and which rows count; None where all are 1, or all count."""
    classes = x.payload.shape[1]
    if weight is not None and weight.shape != (classes,):
        raise refusal(RuntimeError, f"weight tensor should be defined either for all {classes} classes or no classes "
                      f"but got weight tensor of shape: {list(weight.shape)}", op, x, weight,
                      instead=f"weight = tg.ones({classes}), one number for each column of scores")
    if weight is not None and weight.dtype != x.dtype:
        raise refusal(RuntimeError, f"expected scalar type {x.dtype} but found {weight.dtype}", op, x, weight,
                      instead=f"weight.to({x.dtype})")
    keep = None
    if ignore_index >= 0 or t.size and (t.dtype is not I64 or assumed(outside, t, classes)):
        t = t if t.dtype is I64 else kept(t, None)
        if assumed(stray, t, classes, ignore_index):
            wrong = t[(t != ignore_index) & ((t < 0) | (t >= classes))]
            raise refusal(IndexError, f"Target {wrong[0]} is out of bounds.", op, x, t,
                          instead=f"labels from 0 to {classes - 1}, since there are {classes} columns of scores"
                          + ("; labels that start at 1 need target - 1" if t.min() == 1 else ""))
        if assumed(contains, t, ignore_index):
            keep, t = counted(t, ignore_index, x.payload.dtype), kept(t, ignore_index)
    return t, keep if weight is None else weighed(weight.detach(), t, keep), keep


@opaque
def counted(t: np.ndarray, ignored: int, dtype: np.dtype) -> np.ndarray:
    """1 for each row that counts, else 0."""
    return (t != ignored).astype(dtype)


@opaque
def kept(t: np.ndarray, ignored: int | None) -> np.ndarray:
    """The labels as whole numbers, 0 where they do not count."""
    return np.where(t == ignored, 0, t).astype(np.int64) if ignored is not None else t.astype(np.int64)


@opaque
def weighed(weight: Tensor, t: np.ndarray, keep: np.ndarray | None) -> np.ndarray:
    """The weight of each row."""
    return weight.payload[t] if keep is None else weight.payload[t] * keep


@opaque
def parts(w: np.ndarray) -> np.ndarray:
    """The weights over their sum, where that is not 0."""
    return w / (w.sum() or 1)


@opaque
def nothing(w: np.ndarray) -> np.ndarray:
    """nan where the weights add up to 0, else 0."""
    return np.asarray(0.0 if w.sum() else math.nan, w.dtype)


@opaque
def total(w: np.ndarray) -> np.ndarray:
    """The sum of the weights."""
    return np.asarray(w.sum())


def shares(t: np.ndarray, w: np.ndarray | None, reduction: str) -> tuple[Any, float]:
    """By what each row's loss is multiplied before they are added (None where they are not), and what is added: nan
    where the mean is over nothing."""
    if reduction == "none":
        return None, 0.0
    if reduction == "sum":
        return 1.0 if w is None else w, 0.0
    if reduction != "mean":
        raise wrong_reduction(reduction)
    if t.size == 0:
        empty(reduction)
        return 0.0, math.nan
    if w is None:
        return 1.0 / t.size, 0.0
    return parts(w), nothing(w) if capturing() else 0.0 if w.sum() else math.nan


def cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, *, ignore_index: int = -100,
                  reduction: str = "mean", label_smoothing: float = 0.0) -> Tensor:
    """mean -log softmax(x)[t]: scores x of shape (N, C) or (N, C, d1, ...), labels t of shape (N) or (N, d1, ...).

    Labels of a floating dtype and of the shape of x are probabilities: mean -sum_c t_c log softmax(x)_c. ``weight``
    (C) weighs the classes, ``ignore_index`` is a label that does not count, ``label_smoothing`` e mixes the labels
    with e / C for every class. IndexError for a label out of range.

    >>> round(F.cross_entropy(tensor([[1., 1.]]), tensor([1])).exp().item(), 4)
    2.0
    """
    op = "cross_entropy"
    if input.__class__ is not Tensor or target.__class__ is not Tensor:
        must_be_tensors(op, input=input, target=target)
    if not 0.0 <= label_smoothing <= 1.0:
        raise refusal(RuntimeError, f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}", op,
                      instead="label_smoothing=0.1")
    if input.payload.dtype.kind != "f":
        raise refusal(NotImplementedError, f'"log_softmax" not implemented for {input.dtype}', op, input, target,
                      instead="input.float()")
    if input.payload.shape == target.payload.shape and input.ndim:
        return soft_cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)
    x, t = class_rows(op, input, target)
    t, w, keep = label_weights(op, x, t, weight, ignore_index)
    if label_smoothing:
        losses = smoothed(x, t, weight, w, keep, reduction, label_smoothing)
        return losses.reshape(target.shape) if reduction == "none" else losses
    share, offset = shares(t, w, reduction)
    if share is not None:
        loss = fused.cross_entropy(x, target=t, share=share)
        return loss if offset.__class__ is float and not offset else loss + offset
    losses = fused.cross_entropy(x, target=t) if w is None else fused.cross_entropy(x, target=t) * w
    return losses if losses.shape == target.shape else losses.reshape(target.shape)


def smoothed(x: Tensor, t: np.ndarray, weight: Tensor | None, w: np.ndarray | None, keep: np.ndarray | None,
             reduction: str, e: float) -> Tensor:
    """(1 - e) of the loss of the label and e / C of the loss of every class (Szegedy et al. 2016)."""
    logp = fused.log_softmax(x, dim=-1)
    of_label = -logp[constant(fused.rows(len(t))), t]
    of_all = -(logp if weight is None else logp * weight.detach()).sum(-1)
    if w is not None:
        of_label = of_label * w
    if keep is not None:
        of_all = of_all * keep
    losses = of_label * (1 - e) + of_all * (e / x.shape[1])
    if reduction != "mean" or t.size == 0:
        return reduced(losses, reduction)
    return losses.sum() / (float(t.size) if w is None else total(w))


def soft_cross_entropy(x: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str,
                       e: float) -> Tensor:
    """cross_entropy with probabilities as labels; classes in dimension 1, or 0 of a single sample."""
    if target.dtype.kind != "f":
        raise refusal(RuntimeError, f"Expected floating point type for target with class probabilities, got "
                      f"{target.dtype}", "cross_entropy", x, target,
                      instead="target.float() for one-hot labels, or labels of shape (N) with the number of the class")
    if ignore_index >= 0:
        raise refusal(RuntimeError, "ignore_index is not supported for floating point target", "cross_entropy", x,
                      target, instead="rows of zeros for samples that do not count")
    dim = 0 if x.ndim == 1 else 1
    t = target * (1 - e) + e / x.shape[dim] if e else target
    logp = fused.log_softmax(x, dim=dim)
    if weight is not None:
        t = t * weight.reshape([-1 if i == dim else 1 for i in range(x.ndim)])
    losses = -(logp * t).sum(dim)
    return losses.sum() / losses.numel() if reduction == "mean" and losses.numel() else reduced(losses, reduction)


def nll_loss(input: Tensor, target: Tensor, weight: Tensor | None = None, *, ignore_index: int = -100,
             reduction: str = "mean") -> Tensor:
    """mean -x[t] for logarithms of probabilities x, as log_softmax gives; shapes as in cross_entropy."""
    must_be_tensors("nll_loss", input=input, target=target)
    x, t = class_rows("nll_loss", input, target)
    t, w, _ = label_weights("nll_loss", x, t, weight, ignore_index)
    share, offset = shares(t, w, reduction)
    picked = -x[constant(fused.rows(len(t))), t]
    if share is None:
        return (picked if w is None else picked * w).reshape(target.shape)
    loss = (picked * share).sum()
    return loss if offset.__class__ is float and not offset else loss + offset


def kl_div(input: Tensor, target: Tensor, *, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """t (log t - x) for logarithms of probabilities x: the divergence KL(t || e^x); 'batchmean' is its definition."""
    must_be_tensors("kl_div", input=input, target=target)
    if log_target:
        losses = ew.exp(target) * (target - input)
    else:
        losses = ew.xlogy(target, target) - target * input
    if reduction == "batchmean":
        return losses.sum() / input.shape[0] if input.ndim else losses.sum()
    if reduction == "mean":
        notice("reduction: 'mean' divides the total loss by both the batch size and the support size. 'batchmean' "
               "divides only by the batch size, and aligns with the KL div math definition.", op="kl_div",
               inputs=(input, target), instead="reduction='batchmean'")
    return reduced(losses, reduction)


# ---- as modules -----------------------------------------------------------------------------------------------------
class Loss(Formula):
    """A loss as a Module: called with the prediction and the target."""

    inputs = 2
    shown = False


class MSELoss(Loss, of=mse_loss, without=("weight",)):
    """mean (x - t)^2: nn.functional.mse_loss as a Module."""


class L1Loss(Loss, of=l1_loss, without=("weight",)):
    """mean |x - t|: nn.functional.l1_loss as a Module."""


class HuberLoss(Loss, of=huber_loss, without=("weight",)):
    """Quadratic near 0, linear beyond delta: nn.functional.huber_loss as a Module."""


class SmoothL1Loss(Loss, of=smooth_l1_loss):
    """Huber's loss divided by beta: nn.functional.smooth_l1_loss as a Module."""


class BCELoss(Loss, of=binary_cross_entropy):
    """Binary cross-entropy of probabilities: nn.functional.binary_cross_entropy as a Module."""


class BCEWithLogitsLoss(Loss, of=binary_cross_entropy_with_logits):
    """Sigmoid and binary cross-entropy in one: nn.functional.binary_cross_entropy_with_logits as a Module."""


class NLLLoss(Loss, of=nll_loss):
    """-x[t] of logarithms of probabilities: nn.functional.nll_loss as a Module."""


class CrossEntropyLoss(Loss, of=cross_entropy):
    """-log softmax(x)[t] of scores: nn.functional.cross_entropy as a Module.

    >>> nn.CrossEntropyLoss()(tensor([[9., -9.], [-9., 9.]]), tensor([0, 1])).item() < 1e-6
    True
    """


class KLDivLoss(Loss, of=kl_div):
    """The divergence of e^x from the probabilities t: nn.functional.kl_div as a Module."""


class SoftMarginLoss(Loss, of=soft_margin_loss):
    """log(1 + e^(-t x)) for labels of -1 and 1: nn.functional.soft_margin_loss as a Module."""


class HingeEmbeddingLoss(Loss, of=hinge_embedding_loss):
    """x where t = 1, max(0, margin - x) where t = -1: nn.functional.hinge_embedding_loss as a Module."""
