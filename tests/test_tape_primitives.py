"""Every registered primitive in a program: recorded on its samples, replayed on other numbers, printed as source."""
from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu.dp import source
from tinygrad_edu.graph import REGISTRY
from tinygrad_edu.tape import compile  # noqa: A004

MODULES = [importlib.import_module(path.stem) for path in sorted(Path(__file__).parent.glob("samples_*.py"))]


def other(x):
    """Other numbers of the same kind: the same ones in another order, so that domains stay what they are."""
    return x[tuple(slice(None, None, -1) for _ in x.shape)].copy() if x.ndim and x.shape[-1] != x.shape[0] else x.copy()


def is_variable(x):
    return isinstance(x, np.ndarray) and x.dtype == np.float64


SAMPLES = [(name, k, sample) for module in MODULES for name, samples in module.SAMPLES.items()
           for k, sample in enumerate(samples) if any(map(is_variable, sample.inputs))]


@pytest.mark.parametrize(("name", "k", "sample"), SAMPLES, ids=[f"{name}-{k}" for name, k, _ in SAMPLES])
def test_recorded_replayed_and_printed(name, k, sample):
    op = REGISTRY[name]
    weights = np.random.default_rng(k)

    def run(*tensors):
        left = iter(tensors)
        inputs = [next(left) if is_variable(x) else x for x in sample.inputs]
        y = op(*inputs, **sample.params)
        if not y.requires_grad:
            return [y]
        for t in tensors:
            t.grad = None
        (y * y + y).sum().backward()
        return [y, *(t.grad for t in tensors)]
    variables = [x for x in sample.inputs if is_variable(x)]
    leaves = [tg.tensor(x, requires_grad=True) for x in variables]
    step = compile(run)
    step(*leaves)
    for leaf, x in zip(leaves, variables, strict=True):
        with tg.no_grad():
            leaf.copy_(tg.tensor(other(x)))
    try:
        expected = [None if t is None else t.detach().numpy().copy() for t in run(*leaves)]
    except (RuntimeError, np.linalg.LinAlgError):
        pytest.skip("the other numbers are outside its domain")
    for a, b in zip(expected, step(*leaves), strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(b.detach().numpy(), a, rtol=1e-9, atol=1e-11)
    assert step.cache_info().recordings <= 2
    y = op(*(next(it) if is_variable(x) else x for it in [iter(leaves)] for x in sample.inputs), **sample.params)
    if y.requires_grad and y.numel():
        loss = (y * weights.normal(size=y.shape)).sum()
        text = source(loss)
        found = text.run()
        np.testing.assert_allclose(found[text.result], loss.item(), rtol=1e-9, atol=1e-11)
        gradients = tg.autograd.grad(loss, list(text.gradients))
        for leaf, g in zip(text.gradients, gradients, strict=True):
            np.testing.assert_allclose(found[text.gradients[leaf]], g.detach().numpy(), rtol=1e-9, atol=1e-11)
