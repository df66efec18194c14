"""Random programs: expressions of 1 to 30 operations on tensors of random shapes, against PyTorch."""
from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_edu as tg

SHAPES = [(), (1,), (3,), (4,), (2, 3), (3, 1), (1, 4), (3, 4), (2, 3, 4), (2, 1, 4), (1, 3, 1)]


def fits(a: tuple, b: tuple) -> bool:
    return all(m == n or 1 in (m, n) for m, n in zip(a[::-1], b[::-1], strict=False))


UNARY = {
    "tanh": lambda lib, x: x.tanh(), "sigmoid": lambda lib, x: x.sigmoid(), "exp": lambda lib, x: (x.tanh()).exp(),
    "log": lambda lib, x: (x * x + 1).log(), "sqrt": lambda lib, x: (x * x + 0.5).sqrt(), "sin": lambda lib, x: x.sin(),
    "relu": lambda lib, x: lib.relu(x), "abs": lambda lib, x: x.abs(), "neg": lambda lib, x: -x, "square": lambda lib, x: x.tanh() ** 2,
    "sum": lambda lib, x: x.sum() / max(x.numel(), 1), "mean0": lambda lib, x: x.mean(0) if x.ndim else x,
    "sumk": lambda lib, x: x.sum(-1, keepdim=True) * 0.3 if x.ndim else x, "amax": lambda lib, x: x.amax(-1) if x.ndim else x,
    "softmax": lambda lib, x: x.softmax(-1) if x.ndim else x, "cumsum": lambda lib, x: x.cumsum(0) * 0.5 if x.ndim else x,
    "T": lambda lib, x: x.permute(*range(x.ndim)[::-1]) if x.ndim else x, "flat": lambda lib, x: x.reshape(-1),
    "flip": lambda lib, x: x.flip(0) if x.ndim else x, "first": lambda lib, x: x[0] if x.ndim else x,
    "slice": lambda lib, x: x[..., ::2] if x.ndim else x, "pick": lambda lib, x: x[[0, -1, 0]] if x.ndim else x,
    "unsqueeze": lambda lib, x: x.unsqueeze(0) if x.ndim < 4 else x, "clamp": lambda lib, x: x.clamp(-0.9, 0.9),
    "logsumexp": lambda lib, x: x.logsumexp(-1) if x.ndim else x, "std": lambda lib, x: (x * x + x).var(0, correction=0) if x.ndim else x,
    "inplace": lambda lib, x: (x + 0).add_(1).mul_(0.5), "setitem": lambda lib, x: fill(x), "detach": lambda lib, x: x * x.detach(),
    "tril": lambda lib, x: x.tril() if x.ndim > 1 else x, "norm": lambda lib, x: (x + 3).norm() * 0.1,
}
BINARY = {
    "+": lambda lib, a, b: a + b, "-": lambda lib, a, b: a - b, "*": lambda lib, a, b: a * b.tanh(),
    "/": lambda lib, a, b: a / (b * b + 1), "max": lambda lib, a, b: lib.maximum(a, b), "min": lambda lib, a, b: lib.minimum(a, b + 0.1),
    "where": lambda lib, a, b: lib.where(a > b, a, b * 2), "pow": lambda lib, a, b: (a * a + 0.5) ** b.tanh(),
    "stack": lambda lib, a, b: lib.stack([a, b]) if a.shape == b.shape and a.ndim < 4 else a,
    "cat": lambda lib, a, b: lib.cat([a, b, a]) if a.shape == b.shape and a.ndim else a,
    "@": lambda lib, a, b: a @ b if a.ndim and b.ndim and a.shape[-1] == b.shape[-2 if b.ndim > 1 else -1]
    and fits(tuple(a.shape[:-2]), tuple(b.shape[:-2])) else a,
    "@T": lambda lib, a, b: a @ b.mT if a.ndim > 1 and b.ndim > 1 and a.shape[-1] == b.shape[-1]
    and fits(tuple(a.shape[:-2]), tuple(b.shape[:-2])) else b,
}


def fill(x):
    """Fill row after row in place, each from the one before."""
    y = x * 1
    if y.ndim:
        for i in range(1, y.shape[0]):
            y[i] = y[i - 1].detach() * 0.5 + x[i] * x[i]
    return y


def run(lib, arrays, steps):
    leaves = [lib.tensor(a).requires_grad_() for a in arrays]
    values = list(leaves)
    for name, i, j in steps:
        a, b = values[i % len(values)], values[j % len(values)]
        if name in UNARY:
            values.append(UNARY[name](lib, a))
        elif fits(tuple(a.shape), tuple(b.shape)) or name in ("@", "@T", "stack", "cat"):
            values.append(BINARY[name](lib, a, b))
        if values[-1].numel() > 4000:
            values[-1] = values[-1].reshape(-1)[:50]
    loss = values[-1].sum() + sum(v.tanh().sum() for v in values[len(leaves):])
    loss.backward()
    return loss, leaves


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3),
       st.lists(st.tuples(st.sampled_from([*UNARY, *BINARY]), st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=30),
       st.integers(0, 2**32 - 1))
def test_random_programs_agree_with_torch(shapes, steps, seed):
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=s) for s in shapes]
    (ours, mine), (theirs, torchs) = run(tg, arrays, steps), run(torch, arrays, steps)
    assert float(ours) == np.float64(theirs.item()) or abs(float(ours) - theirs.item()) <= 1e-9 * max(1, abs(theirs.item()))
    for a, b in zip(mine, torchs, strict=True):
        if b.grad is None:
            assert a.grad is None
        else:
            scale = max(1.0, float(b.grad.abs().max()) if b.numel() else 1.0)
            np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-7, atol=1e-8 * scale)
