"""The fused primitives against the plain composition that each stands for, gradients included."""
from __future__ import annotations

import numpy as np
import pytest
from samples_fused import SAMPLES

import tinygrad_edu as tg
import tinygrad_edu.nn  # noqa: F401
from tinygrad_edu.functions.plain import PLAIN
from tinygrad_edu.graph import REGISTRY

CASES = [pytest.param(name, sample, id=f"{name}-{i}") for name, samples in SAMPLES.items() for i,
         sample in enumerate(samples)]


def test_every_fused_primitive_has_a_plain_composition():
    assert {p.name for p in PLAIN} == set(SAMPLES)


def result(f, sample):
    args = [tg.tensor(np.asarray(x), requires_grad=True) if x is not None else None for x in sample.inputs]
    y = f(*[x for x in args if x is not None], **sample.params)
    if y.requires_grad:
        (y * tg.tensor(np.cos(np.arange(y.numel(), dtype=float)).reshape(y.shape))).sum().backward()
    return [y.detach().numpy()] + [x.grad.numpy() for x in args if x is not None and x.grad is not None]


@pytest.mark.parametrize("name, sample", CASES)
def test_equals_its_plain_composition(name, sample):
    fused = result(REGISTRY[name], sample)
    if np.abs(fused[0]).max(initial=0) > 50:          # far out only the fused form is finite: no log(0), no overflow
        assert np.isfinite(fused[0]).all()
        return
    plain = result(PLAIN[REGISTRY[name]], sample)
    for a, b in zip(fused, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
