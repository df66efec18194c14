"""Layers and activations: the same few lines under both libraries."""
from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from parity import both, same

import tinygrad_edu as tg

rng = np.random.default_rng(3)
LIBS = pytest.mark.parametrize("lib", [tg, torch], ids=["ours", "torch"])
X = np.concatenate([rng.normal(size=(5, 4)) * 3, np.linspace(-4, 4, 12).reshape(3, 4) + 0.01])
BIG = np.array([-1e4, -200.0, -90.0, -30.0, -8.0, -1e-3, 1e-3, 8.0, 30.0, 90.0, 200.0, 1e4])

# function, module that is the same, and the arguments of both
ACTIVATIONS = {
    "sigmoid": ("Sigmoid", {}), "tanh": ("Tanh", {}), "relu": ("ReLU", {}), "relu6": ("ReLU6", {}),
    "leaky_relu": ("LeakyReLU", {"negative_slope": 0.2}), "elu": ("ELU", {"alpha": 0.7}), "selu": ("SELU", {}),
    "celu": ("CELU", {"alpha": 0.7}), "gelu": ("GELU", {}), "gelu tanh": ("GELU", {"approximate": "tanh"}),
    "silu": ("SiLU", {}), "mish": ("Mish", {}), "softplus": ("Softplus", {}),
    "softplus beta": ("Softplus", {"beta": 2.0, "threshold": 3.0}), "softsign": ("Softsign", {}),
    "logsigmoid": ("LogSigmoid", {}), "hardtanh": ("Hardtanh", {}), "hardtanh 2": ("Hardtanh", {"min_val": -2.0,
                                                                                                "max_val": 0.5}),
    "hardsigmoid": ("Hardsigmoid", {}), "hardswish": ("Hardswish", {}), "threshold": ("Threshold", {"threshold": 0.5,
                                                                                                    "value": 7.0}),
    "tanhshrink": ("Tanhshrink", {}), "softshrink": ("Softshrink", {"lambd": 0.8}),
    "hardshrink": ("Hardshrink", {"lambd": 0.8}),
    "glu": ("GLU", {}), "glu 0": ("GLU", {"dim": 0}), "softmax": ("Softmax", {"dim": 1}),
    "softmax 0": ("Softmax", {"dim": 0}),
    "log_softmax": ("LogSoftmax", {"dim": -1}), "softmin": ("Softmin", {"dim": 1}),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation(name, dtype):
    kind, options = ACTIVATIONS[name]
    x = X.astype(dtype)
    both(lambda lib, x: getattr(lib.nn.functional, name.split()[0])(x, **options), x)
    both(lambda lib, x: getattr(lib.nn, kind)(**options)(x), x)
    assert repr(getattr(tg.nn, kind)(**options)) == repr(getattr(torch.nn, kind)(**options))


@pytest.mark.parametrize("name", [n for n in ACTIVATIONS if n not in ("glu", "glu 0")])
def test_activation_of_large_and_of_empty_input(name):
    kind, options = ACTIVATIONS[name]
    both(lambda lib, x: getattr(lib.nn, kind)(**options)(x), BIG.reshape(3, 4))
    both(lambda lib, x: getattr(lib.nn, kind)(**options)(x), BIG.reshape(3, 4)[:0])


@pytest.mark.parametrize("name", ["relu", "relu6", "leaky_relu", "elu", "selu", "celu", "hardtanh", "hardsigmoid",
                                  "hardswish",
                                  "threshold", "softshrink", "hardshrink", "softsign", "softplus"])
def test_slope_where_the_pieces_meet(name):
    options = ACTIVATIONS[name][1]
    kinks = np.array([-3.0, -1.0, -0.8, -0.5, 0.0, 0.5, 0.8, 1.0, 3.0, 6.0])
    both(lambda lib, x: getattr(lib.nn.functional, name)(x, **options), kinks)


@pytest.mark.parametrize("kind", ["ReLU", "ReLU6", "LeakyReLU", "ELU", "CELU", "SELU", "SiLU", "Mish", "Hardtanh",
                                  "Hardsigmoid",
                                  "Hardswish"])
def test_inplace_is_accepted_and_printed(kind):
    ours, theirs = getattr(tg.nn, kind)(inplace=True), getattr(torch.nn, kind)(inplace=True)
    assert repr(ours) == repr(theirs) and repr(getattr(tg.nn, kind)()) == repr(getattr(torch.nn, kind)())
    same(ours(tg.tensor(X)), theirs(torch.tensor(X)))


def test_softmax_of_other_shapes_dtypes_and_dims():
    for shape, dim in (((), 0), ((4,), 0), ((2, 3, 4), 1), ((2, 3, 4), -3), ((2, 3, 1, 2), 2)):
        x = np.random.default_rng(1).normal(size=shape)
        for name in ("softmax", "log_softmax", "softmin"):
            both(lambda lib, x: getattr(lib.nn.functional, name)(x, dim=dim), x)  # noqa: B023
    both(lambda lib, x: lib.nn.functional.softmax(x, dim=0, dtype=lib.float64), np.arange(3))
    both(lambda lib, x: lib.nn.functional.softmax(x, dim=1), np.array([[0.0, -math.inf, 1.0], [300.0, 1e30, 5.0]]))


def test_softmax_without_dim_is_warned_of():
    x = X.astype(np.float32)
    with pytest.warns(UserWarning, match="Implicit dimension choice"):
        both(lambda lib, x: lib.nn.functional.softmax(x), x)
    with pytest.warns(UserWarning, match="Implicit dimension choice"):
        same(tg.nn.LogSoftmax()(tg.tensor(x)), torch.nn.LogSoftmax()(torch.tensor(x)))


@pytest.mark.parametrize("n, shape", [(1, (5, 3)), (3, (5, 3)), (3, (2, 3, 4)), (1, (4,))])
def test_prelu(n, shape):
    both(lambda lib, x, w: lib.nn.functional.prelu(x, w), np.random.default_rng(1).normal(size=shape),
         np.linspace(0.1, 0.4, n))
    ours, theirs = tg.nn.PReLU(n), torch.nn.PReLU(n)
    assert repr(ours) == repr(theirs)
    same(ours.weight, theirs.weight)


# ---- layers ---------------------------------------------------------------------------------------------------------
LAYERS = {
    "linear": (lambda nn: nn.Linear(4, 3), (5, 4)), "linear no bias": (lambda nn: nn.Linear(4, 3, bias=False), (5, 4)),
    "linear vector": (lambda nn: nn.Linear(4, 3), (4,)), "linear cube": (lambda nn: nn.Linear(4, 3), (2, 5, 4)),
    "linear empty": (lambda nn: nn.Linear(4, 3), (0, 4)), "identity": (lambda nn: nn.Identity(54, unused=1), (5, 4)),
    "flatten": (lambda nn: nn.Flatten(), (2, 3, 4)), "flatten 0 1": (lambda nn: nn.Flatten(0, 1), (2, 3, 4)),
    "unflatten": (lambda nn: nn.Unflatten(1, (2, 3)), (5, 6)), "dropout off": (lambda nn: nn.Dropout(0.3).eval(),
                                                                               (5, 4)),
    "dropout 0": (lambda nn: nn.Dropout(0.0), (5, 4)), "dropout 1": (lambda nn: nn.Dropout(1.0), (5, 4)),
    "dropout2d off": (lambda nn: nn.Dropout2d(0.2).eval(), (2, 3, 4, 4)),
    "dropout1d off": (lambda nn: nn.Dropout1d(0.2).eval(), (2, 3, 4)),
    "layer norm": (lambda nn: nn.LayerNorm(4), (5, 4)), "layer norm 2": (lambda nn: nn.LayerNorm((3, 4), bias=False),
                                                                         (2, 3, 4)),
    "layer norm plain": (lambda nn: nn.LayerNorm(4, elementwise_affine=False, eps=1e-3), (5, 4)),
    "batch norm": (lambda nn: nn.BatchNorm1d(4), (5, 4)), "batch norm 3": (lambda nn: nn.BatchNorm1d(3), (2, 3, 4)),
    "batch norm eval": (lambda nn: nn.BatchNorm1d(4).eval(), (5, 4)),
    "batch norm average": (lambda nn: nn.BatchNorm1d(4, momentum=None), (5, 4)),
    "batch norm plain": (lambda nn: nn.BatchNorm1d(4, affine=False, track_running_stats=False), (5, 4)),
    "batch norm 2d": (lambda nn: nn.BatchNorm2d(3), (2, 3, 4, 4)),
    "prelu": (lambda nn: nn.PReLU(4, init=0.3), (5, 4)),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", LAYERS)
def test_layer(name, dtype):
    make, shape = LAYERS[name]
    ours, theirs = make(tg.nn), make(torch.nn)
    ours, theirs = (ours.double(), theirs.double()) if dtype == np.float64 else (ours, theirs)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for k, v in ours.state_dict().items():
        assert v.shape == tuple(theirs.state_dict()[k].shape)
    ours.load_state_dict(theirs.state_dict())
    x = np.random.default_rng(5).normal(size=shape).astype(dtype)
    for _ in range(2):                                # twice: running statistics move
        both(lambda lib, x: (ours if lib is tg else theirs)(x), x)
    for k, v in ours.state_dict().items():
        same(v, theirs.state_dict()[k])
    for (n, p), (_, q) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        same(p.grad, q.grad, rtol=1e-4, atol=1e-5) if dtype == np.float32 else same(p.grad, q.grad, atol=1e-12)
        assert n in ours.state_dict()


def test_linear_starts_within_its_bounds_and_nowhere_twice():
    layer = tg.nn.Linear(16, 200)
    assert 0.2 < layer.weight.detach().abs().max() <= 0.25 and layer.bias.detach().abs().max() <= 0.25
    tg.manual_seed(5)
    a = tg.nn.Linear(3, 3)
    tg.manual_seed(5)
    b = tg.nn.Linear(3, 3)
    assert (a.weight == b.weight).all() and not (tg.nn.Linear(3, 3).weight == b.weight).all()


def test_dropout_keeps_the_mean_and_drops_the_gradient():
    x = tg.ones(200, 200, requires_grad=True)
    y = tg.nn.Dropout(0.25)(x)
    y.sum().backward()
    values = np.unique(y.detach().numpy())
    np.testing.assert_allclose(values, [0, 1 / 0.75], rtol=1e-6)
    assert abs(float(y.mean()) - 1) < 0.02
    np.testing.assert_array_equal(x.grad.numpy(), y.detach().numpy())
    assert y.dtype == tg.float32
    z = tg.nn.functional.dropout2d(tg.ones(30, 20, 2, 2), 0.5)
    assert (z.numpy().reshape(600, 4).std(1) == 0).all() and 0.3 < (z.numpy() == 0).mean() < 0.7
    assert tg.nn.functional.dropout(x, 0.9, training=False) is x


def test_embedding():
    ours, theirs = tg.nn.Embedding(6, 3, padding_idx=-1), torch.nn.Embedding(6, 3, padding_idx=-1)
    assert repr(ours) == repr(theirs) and repr(tg.nn.Embedding(2, 3)) == repr(torch.nn.Embedding(2, 3))
    assert not ours.weight.detach().numpy()[5].any() and ours.weight.detach().numpy()[:5].all()
    ours.load_state_dict(theirs.state_dict())
    index = np.array([[0, 2, 2], [5, 5, 1]])
    both(lambda lib, i: (ours if lib is tg else theirs)(i), index)
    same(ours.weight.grad, theirs.weight.grad)
    assert not ours.weight.grad.numpy()[5].any()
    fixed = tg.nn.Embedding.from_pretrained(tg.ones(2, 3))
    assert not fixed.weight.requires_grad and fixed(tg.tensor([1])).tolist() == [[1.0, 1.0, 1.0]]
    for bad, kind in (([6], IndexError), ([-1], IndexError), ([1.0], RuntimeError)):
        for lib, layer in ((tg, ours), (torch, theirs)):
            with pytest.raises(kind):
                layer(lib.tensor(bad))


def test_functions_on_vectors():
    a, b = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    both(lambda lib, x: lib.nn.functional.normalize(x), a)
    both(lambda lib, x: lib.nn.functional.normalize(x, p=1.0, dim=0), a)
    both(lambda lib, x, y: lib.nn.functional.cosine_similarity(x, y), a, b)
    both(lambda lib, x, y: lib.nn.functional.cosine_similarity(x, y, dim=0), a, b)
    both(lambda lib, i: lib.nn.functional.one_hot(i, 4), np.array([[0, 3], [1, 1]]))
    both(lambda lib, i: lib.nn.functional.one_hot(i), np.array([0, 2]))
    both(lambda lib, x, w, b: lib.nn.functional.linear(x, w, b), a, rng.normal(size=(2, 4)), rng.normal(size=2))
    both(lambda lib, x, w: lib.nn.functional.linear(x, w), a, rng.normal(size=(2, 4)))
    both(lambda lib, x, w, b: lib.nn.functional.layer_norm(x, (4,), w, b), a, rng.normal(size=4), rng.normal(size=4))


@pytest.mark.parametrize("pad", [(1, 2), (0, 1, 2, 0), (-1, 1), (1, -2, 0, -1), (), (1, 1, 1, 1)], ids=str)
@pytest.mark.parametrize("value", [None, 0.0, 2.5])
def test_pad(pad, value):
    both(lambda lib, x: lib.nn.functional.pad(x, pad, value=value), rng.normal(size=(3, 4)))
    for lib in (tg, torch):
        with pytest.raises(RuntimeError):
            lib.nn.functional.pad(lib.ones(3), (1, 1, 1, 1))


BAD = {
    "linear width": (lambda lib: lib.nn.Linear(3, 4)(lib.ones(2, 5)), ["(2x5 and 3x4)", "Linear(5, 4)"]),
    "linear vector": (lambda lib: lib.nn.Linear(3, 4)(lib.ones(5)), ["3x4"]),
    "linear 0-d": (lambda lib: lib.nn.Linear(3, 4)(lib.tensor(1.0)), []),
    "linear dtype": (lambda lib: lib.nn.Linear(3, 4)(lib.ones(2, 3).double()),
                     ["same dtype", "float64", "x.float()"]),
    "linear ints": (lambda lib: lib.nn.Linear(3, 4)(lib.ones(2, 3).long()), ["same dtype"]),
    "linear negative": (lambda lib: lib.nn.Linear(-1, 2), ["-1"]),
    "linear float": (lambda lib: lib.nn.Linear(2.5, 2), ["float"]),
    "softmax dim": (lambda lib: lib.nn.functional.softmax(lib.ones(2, 3), 3), ["[-2, 1]"]),
    "softmax ints": (lambda lib: lib.nn.functional.softmax(lib.ones(2, 3).long(), 1), ["float()"]),
    "dropout": (lambda lib: lib.nn.functional.dropout(lib.ones(2), -0.1), ["-0.1"]),
    "dropout1d": (lambda lib: lib.nn.functional.dropout1d(lib.ones(2)), ["1D"]),
    "hardtanh": (lambda lib: lib.nn.functional.hardtanh(lib.ones(2), 1, -1), ["min_val"]),
    "softshrink": (lambda lib: lib.nn.functional.softshrink(lib.ones(2), -1), ["-1"]),
    "celu": (lambda lib: lib.nn.functional.celu(lib.ones(2), 0), ["alpha"]),
    "gelu": (lambda lib: lib.nn.functional.gelu(lib.ones(2), approximate="fast"), ["none or tanh"]),
    "glu": (lambda lib: lib.nn.functional.glu(lib.ones(2, 3)), ["even", "3"]),
    "prelu": (lambda lib: lib.nn.functional.prelu(lib.ones(2, 4), lib.ones(3)), ["3", "4"]),
    "one_hot range": (lambda lib: lib.nn.functional.one_hot(lib.tensor([5]), 3), ["num_classes"]),
    "one_hot negative": (lambda lib: lib.nn.functional.one_hot(lib.tensor([-1])), ["non-negative"]),
    "one_hot dtype": (lambda lib: lib.nn.functional.one_hot(lib.tensor([1.0])), ["long()"]),
    "layer norm": (lambda lib: lib.nn.LayerNorm(3)(lib.ones(2, 4)), ["[*, 3]", "[2, 4]"]),
    "batch norm channels": (lambda lib: lib.nn.BatchNorm1d(3)(lib.ones(2, 4)), ["4", "3"]),
    "batch norm single": (lambda lib: lib.nn.BatchNorm1d(4)(lib.ones(1, 4)), ["more than 1 value"]),
    "batch norm rank": (lambda lib: lib.nn.BatchNorm1d(4)(lib.ones(4)), ["1D"]),
    "flatten": (lambda lib: lib.nn.Flatten()(lib.ones(3)), ["[-1, 0]"]),
    "unflatten": (lambda lib: lib.nn.Unflatten(1, (2, 3))(lib.ones(2, 4)), ["4"]),
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
