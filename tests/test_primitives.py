"""Every primitive of the registry, on its samples: values and gradients against PyTorch, gradients against differences,
second derivatives, forward mode against reverse mode, adjoint pairs; the samples take many forms (empty, 0-d, broadcast,
not contiguous)."""
from __future__ import annotations

import importlib

import numpy as np
import pytest
from parity import same
from torch_twins import ELSEWHERE, TWINS

import tinygrad_edu as tg
import tinygrad_edu.nn  # noqa: F401  (registers the fused primitives)
from tinygrad_edu.graph import REGISTRY

torch = pytest.importorskip("torch")

SAMPLES: dict = {}
for module in ("samples_elementwise", "samples_reduce", "samples_shape", "samples_linalg", "samples_fused"):
    SAMPLES.update(importlib.import_module(module).SAMPLES)

OURS = {name: p for name, p in REGISTRY.items() if getattr(p.fn, "__module__", "") != "test_primitives"}
CASES = [pytest.param(name, sample, id=f"{name}-{i}") for name, samples in SAMPLES.items() for i, sample in enumerate(samples)]
DIFFERENTIABLE = [c for c in CASES if c.values[0] in REGISTRY and REGISTRY[c.values[0]].differentiable]


def test_every_primitive_has_samples():
    assert sorted(set(OURS) - set(SAMPLES)) == []


def test_every_sample_is_of_a_primitive():
    assert sorted(set(SAMPLES) - set(REGISTRY)) == []


def test_every_primitive_says_its_mathematics():
    assert [name for name, p in OURS.items() if not p.__doc__] == []


def floats(x) -> bool:
    return isinstance(x, (np.ndarray, np.floating)) and np.asarray(x).dtype.kind == "f"


def tensors(sample):
    return [tg.tensor(np.asarray(x), requires_grad=True) if floats(x) else tg.tensor(x) if isinstance(x, np.ndarray) else x
            for x in sample.inputs]


def function(name, sample):
    """The primitive as a function of its float inputs alone, and those inputs."""
    args = tensors(sample)
    places = [i for i, x in enumerate(args) if isinstance(x, tg.Tensor) and x.requires_grad]

    def f(*inputs):
        full = list(args)
        for i, x in zip(places, inputs, strict=True):
            full[i] = x
        return REGISTRY[name](*full, **sample.params)
    return f, [args[i] for i in places]


@pytest.mark.parametrize("name, sample", CASES)
def test_value_is_that_of_the_plain_function(name, sample):
    plain = REGISTRY[name].fn(*sample.inputs, **sample.params)
    ours = REGISTRY[name](*tensors(sample), **sample.params)
    np.testing.assert_array_equal(np.asarray(ours.detach()), plain)


def test_every_primitive_is_compared_with_torch():
    assert sorted(set(OURS) - set(TWINS) - ELSEWHERE) == []


def in_torch(x):
    if not isinstance(x, (np.ndarray, np.generic)):
        return x
    return torch.tensor(np.array(x)).requires_grad_(floats(x))


@pytest.mark.filterwarnings("ignore:var\\(\\):UserWarning", "ignore:std\\(\\):UserWarning")
@pytest.mark.parametrize("name, sample", [c for c in CASES if c.values[0] not in ELSEWHERE])
def test_value_and_gradients_are_torchs(name, sample):
    ours, theirs = tensors(sample), [in_torch(x) for x in sample.inputs]
    y, t = REGISTRY[name](*ours, **sample.params), TWINS[name](*theirs, **sample.params)
    same(y, t, rtol=1e-9, atol=1e-11)
    if not t.requires_grad or not y.requires_grad:
        assert not y.requires_grad or name == "cast"
        return
    u = np.random.default_rng(5).normal(size=y.shape)
    y.backward(tg.tensor(u))
    t.backward(torch.tensor(u))
    for a, b in zip(ours, theirs, strict=True):
        if isinstance(b, torch.Tensor) and b.requires_grad:
            have = np.zeros(a.shape) if a.grad is None else a.grad.numpy()
            want = np.zeros(a.shape) if b.grad is None else b.grad.numpy()
            np.testing.assert_allclose(have, want, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name, sample", [c for c in DIFFERENTIABLE if REGISTRY[c.values[0]].family == "linear"
                                          and len(c.values[1].inputs) == 1])
def test_the_rule_of_a_linear_primitive_is_its_adjoint(name, sample):
    """<A x, y> = <x, A^T y>, where A^T is the rule itself, applied to plain arrays."""
    x = np.asarray(sample.inputs[0])
    ax = np.asarray(REGISTRY[name].fn(x, **sample.params))
    y = np.random.default_rng(4).normal(size=ax.shape)
    back = np.asarray(REGISTRY[name].rules[0](y, ax, x, **sample.params)) if REGISTRY[name].joint is None else np.asarray(
        REGISTRY[name].joint(y, ax, x, needs=[True], **sample.params)[0])
    np.testing.assert_allclose((ax * y).sum(), (x * back).sum(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name, sample", DIFFERENTIABLE)
def test_gradcheck(name, sample):
    f, inputs = function(name, sample)
    assert tg.autograd.gradcheck(f, inputs)


@pytest.mark.parametrize("name, sample", DIFFERENTIABLE)
def test_gradgradcheck(name, sample):
    f, inputs = function(name, sample)
    if sum(x.numel() for x in inputs) > 40:
        rng = np.random.default_rng(1)                # large: along one random direction instead of every element
        y = f(*inputs)
        u = tg.tensor(rng.normal(size=y.shape), requires_grad=True)

        def along(*xs):
            out = f(*xs)
            return sum((g * tg.tensor(np.cos(np.arange(g.numel()).reshape(g.shape)))).sum()
                       for g in tg.autograd.grad(out, xs, u, create_graph=True))
        assert tg.autograd.gradcheck(along, inputs)
    else:
        assert tg.autograd.gradgradcheck(f, inputs)


@pytest.mark.parametrize("name, sample", DIFFERENTIABLE)
def test_forward_mode_agrees_with_reverse_mode(name, sample):
    """<u, J v> = <J^T u, v>; for linear primitives and their adjoints this is <A x, y> = <x, A^T y>."""
    f, inputs = function(name, sample)
    rng = np.random.default_rng(2)
    v = [tg.tensor(rng.normal(size=x.shape)) for x in inputs]
    y, jv = tg.autograd.jvp(f, tuple(inputs), tuple(v))
    u = tg.tensor(rng.normal(size=y.shape))
    back = tg.autograd.grad(f(*inputs), inputs, u, allow_unused=True, materialize_grads=True)
    left = float((u * jv).sum())
    right = sum(float((a * b).sum()) for a, b in zip(back, v, strict=True))
    assert left == pytest.approx(right, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name, sample", DIFFERENTIABLE)
def test_gradients_have_the_shape_and_dtype_of_their_input(name, sample):
    for dtype in (np.float32, np.float64):
        inputs = [np.asarray(x, dtype) if floats(x) else x for x in sample.inputs]
        args = tensors(type(sample)(tuple(inputs), sample.params))
        y = REGISTRY[name](*args, **sample.params)
        if not y.requires_grad:
            continue
        y.backward(tg.ones_like(y))
        for x in args:
            if isinstance(x, tg.Tensor) and x.requires_grad:
                assert x.grad is None or (x.grad.shape == x.shape and x.grad.dtype == x.dtype)
