"""Losses: values, gradients and refusals against torch."""
from __future__ import annotations

import inspect
import itertools
import warnings

import numpy as np
import pytest
import torch
from parity import both, same

import tinygrad_edu as tg

rng = np.random.default_rng(2)
X, Y = rng.normal(size=(6, 4)) * 2, rng.normal(size=(6, 4)) * 2
P, T = rng.uniform(0.01, 0.99, (6, 4)), rng.uniform(0, 1, (6, 4))
LABELS = np.array([0, 3, 1, 1, 2, 0])
WEIGHT = np.array([0.5, 2.0, 1.0, 0.25])
SOFT = rng.dirichlet(np.ones(4), 6)
REDUCTIONS = ["mean", "sum", "none"]

PAIRS = {                                             # function, module, arguments, input, target
    "mse": ("mse_loss", "MSELoss", {}, X, Y), "l1": ("l1_loss", "L1Loss", {}, X, Y),
    "huber": ("huber_loss", "HuberLoss", {"delta": 0.7}, X, Y), "smooth l1": ("smooth_l1_loss", "SmoothL1Loss",
                                                                              {"beta": 0.7}, X, Y),
    "smooth l1 0": ("smooth_l1_loss", "SmoothL1Loss", {"beta": 0.0}, X, Y),
    "bce": ("binary_cross_entropy", "BCELoss", {}, P, T),
    "bce hard": ("binary_cross_entropy", "BCELoss", {}, P, np.round(T)),
    "bce certain": ("binary_cross_entropy", "BCELoss", {}, np.array([0.0, 1.0, 0.0, 1.0]),
                    np.array([1.0, 0.0, 0.0, 1.0])),
    "bce logits": ("binary_cross_entropy_with_logits", "BCEWithLogitsLoss", {}, X, T),
    "bce logits large": ("binary_cross_entropy_with_logits", "BCEWithLogitsLoss", {}, X * 300, np.round(T)),
    "soft margin": ("soft_margin_loss", "SoftMarginLoss", {}, X, np.sign(Y).astype(int)),
    "hinge": ("hinge_embedding_loss", "HingeEmbeddingLoss", {"margin": 1.5}, X, np.sign(Y).astype(int)),
    "kl": ("kl_div", "KLDivLoss", {}, np.log(P), SOFT), "kl log": ("kl_div", "KLDivLoss", {"log_target": True},
                                                                   np.log(P), np.log(SOFT)),
    "nll": ("nll_loss", "NLLLoss", {}, np.log(P), LABELS), "nll ignore": ("nll_loss", "NLLLoss", {"ignore_index": 1},
                                                                          np.log(P), LABELS),
    "ce": ("cross_entropy", "CrossEntropyLoss", {}, X, LABELS), "ce large": ("cross_entropy", "CrossEntropyLoss", {},
                                                                             X * 300, LABELS),
    "ce ignore": ("cross_entropy", "CrossEntropyLoss", {"ignore_index": 1}, X, LABELS),
    "ce ignore -100": ("cross_entropy", "CrossEntropyLoss", {}, X, np.where(LABELS == 0, -100, LABELS)),
    "ce smooth": ("cross_entropy", "CrossEntropyLoss", {"label_smoothing": 0.2}, X, LABELS),
    "ce smooth ignore": ("cross_entropy", "CrossEntropyLoss", {"label_smoothing": 0.2, "ignore_index": 1}, X, LABELS),
    "ce soft": ("cross_entropy", "CrossEntropyLoss", {}, X, SOFT),
    "ce soft smooth": ("cross_entropy", "CrossEntropyLoss", {"label_smoothing": 0.2}, X, SOFT),
    "ce uint8": ("cross_entropy", "CrossEntropyLoss", {}, X, LABELS.astype(np.uint8)),
    "ce images": ("cross_entropy", "CrossEntropyLoss", {}, rng.normal(size=(2, 4, 3, 2)),
                  rng.integers(0, 4, (2, 3, 2))),
    "ce sequence smooth": ("cross_entropy", "CrossEntropyLoss", {"label_smoothing": 0.1, "ignore_index": 2},
                           rng.normal(size=(2, 4, 3)), rng.integers(0, 4, (2, 3))),
    "ce soft sequence": ("cross_entropy", "CrossEntropyLoss", {}, rng.normal(size=(2, 4, 3)),
                         rng.uniform(size=(2, 4, 3))),
    "ce one sample": ("cross_entropy", "CrossEntropyLoss", {}, X[0], np.array(2)),
    "ce one soft sample": ("cross_entropy", "CrossEntropyLoss", {}, X[0], SOFT[0]),
    "nll sequence": ("nll_loss", "NLLLoss", {}, rng.normal(size=(2, 4, 3)), rng.integers(0, 4, (2, 3))),
    "nll one sample": ("nll_loss", "NLLLoss", {}, X[0], np.array(2)),
}


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", PAIRS)
def test_loss(name, reduction, dtype):
    function, module, options, x, t = PAIRS[name]
    x, t = x.astype(dtype), t.astype(dtype) if t.dtype.kind == "f" else t
    options = {"reduction": reduction, **options}
    both(lambda lib, x, t: getattr(lib.nn.functional, function)(x, t, **options), x, t)
    both(lambda lib, x, t: getattr(lib.nn, module)(**options)(x, t), x, t)
    assert repr(getattr(tg.nn, module)(**options)) == repr(getattr(torch.nn, module)(**options))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["nll", "nll ignore", "ce", "ce ignore", "ce ignore -100", "ce smooth",
                                  "ce smooth ignore",
                                  "ce soft", "ce soft smooth", "ce images", "ce sequence smooth", "ce soft sequence",
                                  "nll sequence",
                                  "ce one sample", "ce one soft sample"])
def test_class_weights(name, reduction):
    function, module, options, x, t = PAIRS[name]
    weight = WEIGHT.copy()
    for weight[3] in (0.25, 0.0):
        both(lambda lib, x, t: getattr(lib.nn.functional, function)(
            x, t, weight=lib.tensor(weight), reduction=reduction, **options), x, t)
    layer = getattr(tg.nn, module)(weight=tg.tensor(WEIGHT), **options)
    assert list(layer.state_dict()) == ["weight"]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
def test_weights_of_differences(name, reduction):
    w = rng.uniform(0.5, 2, (6, 4))
    both(lambda lib, x, t: getattr(lib.nn.functional, name)(x, t, weight=lib.tensor(w), reduction=reduction), X, Y)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_weights_of_elements(reduction):
    w = rng.uniform(0.5, 2, (6, 4))
    both(lambda lib, x, t: lib.nn.functional.binary_cross_entropy(x, t, lib.tensor(w), reduction=reduction), P, T)
    both(lambda lib, x, t: lib.nn.functional.binary_cross_entropy(x, t, lib.tensor(w[0]), reduction=reduction), P, T)
    both(lambda lib, x, t: lib.nn.functional.binary_cross_entropy_with_logits(
        x, t, lib.tensor(w), pos_weight=lib.tensor(w[0]), reduction=reduction), X, T)
    both(lambda lib, x, t: lib.nn.BCEWithLogitsLoss(pos_weight=lib.tensor(w[0]), reduction=reduction)(x, t), X * 100, T)


@pytest.mark.parametrize("log_target", [False, True])
def test_kl_batchmean_and_zero_probabilities(log_target):
    t = SOFT.copy()
    if not log_target:
        t[0] = [0, 0, 1, 0]
        both(lambda lib, x: lib.nn.functional.kl_div(x, lib.tensor(t), reduction="batchmean"), np.log(P))
    both(lambda lib, x, t: lib.nn.functional.kl_div(x, t, reduction="batchmean", log_target=log_target), np.log(P),
         np.log(SOFT) if log_target else SOFT)
    with pytest.warns(UserWarning, match="batchmean"):
        tg.nn.functional.kl_div(tg.tensor(np.log(P)), tg.tensor(SOFT))


def test_second_derivatives():
    for call, x in ((lambda lib, x: lib.nn.functional.cross_entropy(x, lib.tensor(LABELS)), X),
                    (lambda lib, x: lib.nn.functional.cross_entropy(x, lib.tensor(LABELS), label_smoothing=0.1), X),
                    (lambda lib, x: lib.nn.functional.binary_cross_entropy_with_logits(x, lib.tensor(T)), X),
                    (lambda lib, x: lib.nn.functional.huber_loss(x, lib.tensor(Y)), X)):
        def curvature(lib, x):
            g, = lib.autograd.grad(call(lib, x), x, create_graph=True)  # noqa: B023
            return (g * g).sum()
        both(curvature, x)


# ---- what is warned of ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
def test_a_column_against_a_row_warns_with_the_remedy(name):
    x, t = rng.normal(size=(4, 1)), rng.normal(size=4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        both(lambda lib, x, t: getattr(lib.nn.functional, name)(x, t), x, t)
    with pytest.warns(UserWarning, match=r"target size \(\(4,\)\).*input size \(\(4, 1\)\)") as found:
        getattr(tg.nn.functional, name)(tg.tensor(x), tg.tensor(t))
    assert "squeeze(-1)" in str(found[0].message) and found[0].filename == __file__


@pytest.mark.parametrize("name", ["mse", "l1", "huber", "bce", "bce logits", "ce", "nll", "ce soft", "ce smooth"])
def test_an_empty_batch_gives_nan_as_in_torch_and_says_so(name):
    function, _, options, x, t = PAIRS[name]
    with pytest.warns(UserWarning, match="batch is empty"):
        loss = getattr(tg.nn.functional, function)(tg.tensor(x[:0]), tg.tensor(t[:0]), **options)
    same(loss, getattr(torch.nn.functional, function)(torch.tensor(x[:0]), torch.tensor(t[:0]), **options))
    both(lambda lib, x, t: getattr(lib.nn.functional, function)(x, t, reduction="sum", **options), x[:0], t[:0])
    both(lambda lib, x, t: getattr(lib.nn.functional, function)(x, t, reduction="none", **options), x[:0], t[:0])


def test_ignoring_every_label_gives_nan_without_noise():
    both(lambda lib, x, t: lib.nn.functional.cross_entropy(x, t), X, np.full(6, -100))
    both(lambda lib, x, t: lib.nn.functional.cross_entropy(x, t, reduction="sum"), X, np.full(6, -100))


# ---- what is refused ------------------------------------------------------------------------------------------------
def ce(x, t, **options):
    return lambda lib: lib.nn.functional.cross_entropy(lib.tensor(x), lib.tensor(t), **options)


def bce(x, t, logits=False):
    return lambda lib: getattr(lib.nn.functional, "binary_cross_entropy" + "_with_logits" * logits)(lib.tensor(x),
                                                                                                    lib.tensor(t))


BAD = {
    "label too large": (ce(X[:2], [0, 4]), ["Target 4 is out of bounds.", "from 0 to 3"]),
    "labels from 1": (ce(X[:2], [1, 4]), ["Target 4 is out of bounds.", "target - 1"]),
    "label negative": (ce(X[:2], [0, -1]), ["Target -1 is out of bounds."]),
    "label ignored but another wrong": (ce(X[:2], [-100, 9]), ["Target 9"]),
    "batches differ": (ce(X[:3], [0, 1]), ["Expected input batch_size (3) to match target batch_size (2)."]),
    "0-d label": (ce(X[:3], 1), ["(3)"]),
    "column of labels": (ce(X[:2], [[0], [1]]), ["multi-target not supported", "squeeze(-1)"]),
    "one-hot ints": (ce(X[:2], [[0, 1, 0, 0], [1, 0, 0, 0]]), ["class probabilities", "float()"]),
    "float labels": (ce(X[:2], [0.0, 1.0]), ["float64", "long()"]),
    "nan labels": (ce(X[:2], [0.0, float("nan")]), ["1 of 2 labels are nan"]),
    "int32 labels": (ce(X[:2], np.array([0, 1], np.int32)), ["int32", "long()"]),
    "bool labels": (ce(X[:2], [True, False]), ["bool"]),
    "sequence lengths": (ce(rng.normal(size=(2, 3, 5)), np.zeros((2, 4), int)),
                         ["Expected target size [2, 5], got [2, 4]"]),
    "sequence batches": (ce(rng.normal(size=(2, 3, 5)), np.zeros((3, 5), int)), ["(2)", "(3)"]),
    "image sizes": (ce(rng.normal(size=(2, 3, 5, 6)), np.zeros((2, 5, 5), int)), ["[2, 5, 5]"]),
    "two labels for one": (ce(X[0], [1, 2]), ["2"]),
    "integer scores": (ce([[1, 2]], [0]), ["float()"]),
    "smoothing": (ce(X[:1], [0], label_smoothing=2.0), ["between 0.0 and 1.0", "2.0"]),
    "ignore soft": (ce(X, SOFT, ignore_index=1), ["ignore_index"]),
    "ce reduction": (ce(X[:1], [0], reduction="avg"), ["avg", "'mean'"]),
    "few weights": (lambda lib: ce(X[:1], [0], weight=lib.ones(3).double())(lib), ["4 classes", "[3]"]),
    "weight dtype": (lambda lib: ce(X[:1], [0], weight=lib.ones(4))(lib), ["float64", "float32"]),
    "list of labels": (lambda lib: lib.nn.functional.cross_entropy(lib.tensor(X[:2]), [0, 1]),
                       ["must be Tensor, not list"]),
    "nll float": (lambda lib: lib.nn.functional.nll_loss(lib.tensor(X[:1]), lib.tensor([0.0])), ["long()"]),
    "nll range": (lambda lib: lib.nn.functional.nll_loss(lib.tensor(X[:1]), lib.tensor([7])), ["Target 7"]),
    "nll column": (lambda lib: lib.nn.functional.nll_loss(lib.tensor(X[:1]), lib.tensor([[0]])), ["multi-target"]),
    "bce range": (bce([1.5, 0.5], [1.0, 0.0]), ["all elements of input should be between 0 and 1", "[0.5, 1.5]",
                                                "with_logits"]),
    "bce nan": (bce([float("nan"), 0.5], [1.0, 0.0]), ["1 of 2 are nan"]),
    "bce nan label": (bce([0.5], [float("nan")]), ["all elements of target", "nan"]),
    "bce label range": (bce([0.5], [3.0]), ["all elements of target"]),
    "bce ints": (bce([0.5], [1]), ["int64", "float()"]),
    "bce shapes": (bce(np.ones((3, 1)), np.ones(3)), ["(3,)", "(3, 1)", "squeeze(-1)"]),
    "logits shapes": (bce(np.ones((3, 1)), np.ones(3), True), ["(3,)", "(3, 1)"]),
    "logits ints": (bce([0.5], [1], True), ["float()"]),
    "huber delta": (lambda lib: lib.nn.functional.huber_loss(lib.ones(1), lib.ones(1), delta=0), ["non-positive"]),
    "smooth beta": (lambda lib: lib.nn.functional.smooth_l1_loss(lib.ones(1), lib.ones(1), beta=-1), ["negative"]),
    "mse reduction": (lambda lib: lib.nn.functional.mse_loss(lib.ones(1), lib.ones(1), reduction="avg"), ["avg"]),
    "mse weight": (lambda lib: lib.nn.functional.mse_loss(lib.ones(2), lib.ones(2), weight=lib.ones(1)), ["same size"]),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_call(name):
    call, words = BAD[name]
    with pytest.raises(Exception) as theirs:          # noqa: B017  (whichever type torch raises is the expected one)
        call(torch)
    with pytest.raises(theirs.type) as ours:
        call(tg)
    for word in words:
        assert word in str(ours.value)


def test_the_layer_is_named():
    class Net(tg.nn.Module):
        def __init__(self):
            super().__init__()
            self.criterion = tg.nn.CrossEntropyLoss()

        def forward(self, x):
            return self.criterion(x, tg.tensor([7]))

    with pytest.raises(IndexError, match=r"(?s)Target 7 is out of bounds.*layer: *Net\.criterion"):
        Net()(tg.ones(1, 3))


def test_every_argument_name_is_torchs():
    names = [n for n, f in vars(tg.nn.functional).items() if inspect.isfunction(f)]
    kinds = [n for n in tg.nn.__all__ if isinstance(getattr(tg.nn, n), type)]
    for ours, theirs in itertools.chain(((getattr(tg.nn.functional, n),
                                          getattr(torch.nn.functional, n)) for n in names),
                                        ((getattr(tg.nn, n), getattr(torch.nn, n)) for n in kinds)):
        try:
            known = inspect.signature(theirs).parameters
        except ValueError:                            # built in: it does not say
            continue
        for name, p in inspect.signature(ours).parameters.items():
            if p.kind is not p.VAR_POSITIONAL and p.kind is not p.VAR_KEYWORD and name in known:
                assert known[name].default == p.default or ours.__qualname__.startswith("Module"), (ours, name)
