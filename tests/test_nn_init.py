"""Initialisers: the distributions that their names promise, fans and gains as torch computes them; nn.utils."""
from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from parity import both, same

import tinygrad_edu as tg

init = tg.nn.init
LIBS = pytest.mark.parametrize("lib", [tg, torch], ids=["ours", "torch"])
SHAPE = (200, 300)


def drawn(name, *args, shape=SHAPE, **options):
    """The values that our initialiser draws; it returns the tensor itself and records nothing."""
    w = tg.nn.Parameter(tg.empty(*shape))
    assert getattr(init, name)(w, *args, **options) is w and w.is_leaf and w.dtype == tg.float32
    return w.detach().numpy()


def within(x, low, high, var):
    """x fills [low, high] and has variance var."""
    assert low <= x.min() < low + 0.01 * (high - low) and high - 0.01 * (high - low) < x.max() <= high
    assert x.var() == pytest.approx(var, rel=0.03)


@pytest.mark.parametrize("name, options, bound", [
    ("uniform_", {"a": -2.0, "b": 3.0}, None), ("xavier_uniform_", {"gain": 2.0}, 2 * math.sqrt(6 / 500)),
    ("kaiming_uniform_", {}, math.sqrt(6 / 300)), ("kaiming_uniform_", {"a": math.sqrt(5)}, 1 / math.sqrt(300)),
    ("kaiming_uniform_", {"mode": "fan_out", "nonlinearity": "tanh"}, 5 / 3 * math.sqrt(3 / 200))])
def test_uniform(name, options, bound):
    low, high = (-2.0, 3.0) if bound is None else (-bound, bound)
    within(drawn(name, **options), low, high, (high - low) ** 2 / 12)


@pytest.mark.parametrize("name, options, mean, std", [
    ("normal_", {"mean": 1.0, "std": 0.5}, 1.0, 0.5), ("xavier_normal_", {}, 0.0, math.sqrt(2 / 500)),
    ("kaiming_normal_", {"nonlinearity": "relu"}, 0.0, math.sqrt(2 / 300)),
    ("kaiming_normal_", {"mode": "fan_out", "nonlinearity": "linear"}, 0.0, math.sqrt(1 / 200))])
def test_normal(name, options, mean, std):
    x = drawn(name, **options)
    assert x.mean() == pytest.approx(mean, abs=4 * std / math.sqrt(x.size)) and x.std() == pytest.approx(std, rel=0.02)
    assert ((x - mean) ** 4).mean() / x.var() ** 2 == pytest.approx(3.0, rel=0.05)       # a normal's fourth moment


def test_truncated_normal():
    x = drawn("trunc_normal_", std=2.0, a=-2.0, b=4.0)
    theirs = torch.nn.init.trunc_normal_(torch.empty(*SHAPE), std=2.0, a=-2.0, b=4.0).numpy()
    assert x.min() >= -2 and x.max() <= 4
    assert x.mean() == pytest.approx(theirs.mean(), abs=0.03) and x.std() == pytest.approx(theirs.std(), rel=0.02)
    tail = drawn("trunc_normal_", a=1.5, b=3.0)
    theirs = torch.nn.init.trunc_normal_(torch.empty(*SHAPE), a=1.5, b=3.0).numpy()
    assert tail.min() >= 1.5 and tail.mean() == pytest.approx(theirs.mean(), abs=0.01)
    with pytest.warns(UserWarning, match="more than 2 std"):
        init.trunc_normal_(tg.empty(2), mean=9.0, a=-1.0, b=1.0)


def test_constants_and_structure():
    assert (drawn("constant_", 0.3) == np.float32(0.3)).all() and drawn("ones_").all() and not drawn("zeros_").any()
    np.testing.assert_array_equal(drawn("eye_", shape=(3, 4)), np.eye(3, 4))
    for shape, groups in (((4, 2, 3), 1), ((4, 3, 3, 3), 2)):
        same(init.dirac_(tg.empty(*shape), groups), torch.nn.init.dirac_(torch.empty(*shape), groups))
    for shape in ((5, 3), (3, 5), (4, 2, 3)):
        q = drawn("orthogonal_", gain=2.0, shape=shape).reshape(shape[0], -1)
        small = q @ q.T if q.shape[0] <= q.shape[1] else q.T @ q
        np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-5)
    x = drawn("sparse_", 0.25, std=1.0)
    np.testing.assert_array_equal((x == 0).sum(0), np.full(300, 50))


@LIBS
def test_gains(lib):
    gain = lib.nn.init.calculate_gain
    assert [gain(n) for n in ("linear", "conv2d", "sigmoid", "tanh", "relu", "selu")] == [
        1, 1, 1, 5 / 3, math.sqrt(2), 0.75]
    assert gain("leaky_relu") == math.sqrt(2 / (1 + 0.01 ** 2)) and gain("leaky_relu", 0.3) == math.sqrt(2 / 1.09)


@LIBS
def test_refusals(lib):
    f = lib.nn.init
    for bad in (lambda: f.xavier_uniform_(lib.empty(3)), lambda: f.kaiming_normal_(lib.empty(3)),
                lambda: f.eye_(lib.empty(3)),
                lambda: f.dirac_(lib.empty(3, 3)), lambda: f.orthogonal_(lib.empty(3)),
                lambda: f.sparse_(lib.empty(3), 0.1),
                lambda: f.kaiming_uniform_(lib.empty(3, 3), mode="fan"), lambda: f.calculate_gain("gelu"),
                lambda: f.calculate_gain("leaky_relu", "0.1")):
        with pytest.raises(ValueError):
            bad()
    assert f._calculate_fan_in_and_fan_out(lib.empty(4, 3, 2, 5)) == (30, 40)
    with pytest.warns(UserWarning, match="zero-element"):
        f.kaiming_uniform_(lib.empty(0, 3))


def test_the_generator_decides():
    g = tg.Generator()
    for name, args in (("uniform_", ()), ("normal_", ()), ("xavier_normal_", ()), ("kaiming_uniform_", ()),
                       ("orthogonal_", ()),
                       ("trunc_normal_", ()), ("sparse_", (0.5,))):
        a = drawn(name, *args, generator=g.manual_seed(1), shape=(4, 4)).copy()
        b = drawn(name, *args, generator=g.manual_seed(1), shape=(4, 4))
        np.testing.assert_array_equal(a, b)


# ---- nn.utils -------------------------------------------------------------------------------------------------------
def with_gradients(lib, dtype="float32"):
    rng = np.random.default_rng(0)
    params = [lib.nn.Parameter(lib.tensor(rng.normal(size=s).astype(dtype))) for s in ((3, 2), (4,), ())]
    for p in params[:2]:
        p.grad = lib.tensor(rng.normal(size=tuple(p.shape)).astype(dtype) * 3)
    return params


@pytest.mark.parametrize("norm", [2.0, 1.0, 3.0, math.inf])
@pytest.mark.parametrize("limit", [0.5, 100.0])
def test_clip_grad_norm(norm, limit):
    ours, theirs = with_gradients(tg), with_gradients(torch)
    same(tg.nn.utils.clip_grad_norm_(iter(ours), limit, norm), torch.nn.utils.clip_grad_norm_(iter(theirs), limit,
                                                                                              norm))
    for p, q in zip(ours[:2], theirs[:2], strict=True):
        same(p.grad, q.grad)
    same(tg.nn.utils.clip_grad_norm_(ours[0], 0.1), torch.nn.utils.clip_grad_norm_(theirs[0], 0.1))
    same(tg.nn.utils.get_total_norm([p.grad for p in ours[:2]], norm),
         torch.nn.utils.get_total_norm([p.grad for p in theirs[:2]], norm))


@LIBS
def test_clip_of_infinite_gradients(lib):
    p = with_gradients(lib)[0]
    p.grad[0, 0] = math.inf
    with pytest.raises(RuntimeError, match="non-finite"):
        lib.nn.utils.clip_grad_norm_(p, 1.0, error_if_nonfinite=True)


def test_clip_grad_value():
    ours, theirs = with_gradients(tg), with_gradients(torch)
    tg.nn.utils.clip_grad_value_(ours, 0.7)
    torch.nn.utils.clip_grad_value_(theirs, 0.7)
    for p, q in zip(ours[:2], theirs[:2], strict=True):
        same(p.grad, q.grad)


def test_parameters_as_one_vector():
    both(lambda lib, a, b: lib.nn.utils.parameters_to_vector([a, b]), np.ones((2, 3)), np.arange(2.0))
    ours, theirs = with_gradients(tg), with_gradients(torch)
    v = np.arange(11, dtype=np.float32)
    tg.nn.utils.vector_to_parameters(tg.tensor(v), ours)
    torch.nn.utils.vector_to_parameters(torch.tensor(v), theirs)
    for p, q in zip(ours, theirs, strict=True):
        same(p, q)
    assert ours[0].requires_grad and ours[0].is_leaf
    with pytest.raises(RuntimeError, match="11"):
        tg.nn.utils.vector_to_parameters(tg.ones(3), ours)
