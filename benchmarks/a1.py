"""A1: micrograd's own demonstration, one number at a time: two moons, MLP(2, [16, 16, 1]), hinge loss with L2.

One step is the whole batch of 100 points, forward, backward and update: 65,614 scalar nodes in micrograd. The same
network on whole arrays stands beside it, for what one node a number costs.
"""
from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from importlib import import_module

import numpy as np

from .harness import Bar, Row, Step, Workload, captured, judge, race

SIZES, RATE, ALPHA = (2, 16, 16, 1), 0.1, 1e-4


def moons(n: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Two interleaving half circles with a little noise, and their labels -1 and 1."""
    t, rng = np.linspace(0, np.pi, n // 2), np.random.default_rng(0)
    x = np.concatenate([np.stack([np.cos(t), np.sin(t)], 1), np.stack([1 - np.cos(t), 0.5 - np.sin(t)], 1)])
    return x + rng.normal(scale=0.1, size=x.shape), np.repeat([-1.0, 1.0], n // 2)


def weights() -> list[tuple[np.ndarray, np.ndarray]]:
    """W and b of each layer, in x @ W + b."""
    rng = np.random.default_rng(1)
    return [(rng.uniform(-1, 1, (m, n)), np.zeros(n)) for m, n in zip(SIZES, SIZES[1:], strict=False)]


def scalars(module: str) -> Step:
    """The demonstration's program, for whichever class ``Value`` the module has."""
    Value = import_module(module).Value               # noqa: N806 - it is a class
    layers = [[([Value(v) for v in column], Value(c)) for column, c in zip(w.T.tolist(), b.tolist(), strict=True)]
              for w, b in weights()]
    parameters = [p for layer in layers for w, b in layer for p in [*w, b]]
    x, y = (a.tolist() for a in moons())

    def score(point):
        h = list(map(Value, point))
        for layer in layers:
            h = [sum((wi * hi for wi, hi in zip(w, h, strict=True)), b) for w, b in layer]
            if layer is not layers[-1]:
                h = [v.relu() for v in h]
        return h[0]

    def step():
        losses = [(1 + -yi * score(xi)).relu() for xi, yi in zip(x, y, strict=True)]
        loss = sum(losses) * (1.0 / len(losses)) + ALPHA * sum(p * p for p in parameters)
        for p in parameters:
            p.grad = 0.0
        loss.backward()
        for p in parameters:
            p.data -= RATE * p.grad
        return loss
    return step


def arrays(package: str) -> Step:
    """The same network on tensors, in PyTorch's words."""
    torch = import_module(package)
    layers = [tuple(torch.tensor(p, requires_grad=True) for p in layer) for layer in weights()]
    parameters = [p for layer in layers for p in layer]
    x, y = (torch.tensor(a) for a in moons())

    def step():
        h = x
        for w, b in layers:
            h = (h if h is x else h.relu()) @ w + b
        loss = (1 - y * h[:, 0]).relu().mean() + ALPHA * sum((p * p).sum() for p in parameters)
        for p in parameters:
            p.grad = None
        loss.backward()
        with torch.no_grad():
            for p in parameters:
                p -= RATE * p.grad
        return loss
    return step


def by_hand() -> Step:
    """The floor, on arrays."""
    layers = [(w.copy(), b.copy()) for w, b in weights()]
    x, y = moons()
    ones = np.ones(len(x))

    def step():
        hs = [x]
        for w, b in layers:
            z = hs[-1] @ w
            z += b
            hs.append(np.maximum(z, 0, out=z) if len(hs) < len(layers) else z)
        margin = 1 - y * hs.pop()[:, 0]
        loss = np.maximum(margin, 0).sum() / len(x)
        d = (y * (margin > 0))[:, None] * (-1 / len(x))
        for (w, b), h in zip(layers[::-1], hs[::-1], strict=True):
            loss += ALPHA * (np.vdot(w, w) + np.vdot(b, b))
            dw, db = h.T @ d, ones @ d
            d = d @ w.T
            d *= h > 0
            for p, g in ((w, dw), (b, db)):
                g += 2 * ALPHA * p
                g *= RATE
                p -= g
        return loss
    return step


def run(budget: float, say: Callable[[str], None]) -> list[Row]:
    peers = {"ours": partial(scalars, "tinygrad_edu"), "captured": partial(captured, partial(scalars, "tinygrad_edu")),
             "micrograd": partial(scalars, "micrograd.engine"),
             "our Tensor": partial(arrays, "tinygrad_edu"), "torch, on tensors": partial(arrays, "torch"),
             "NumPy by hand": by_hand}
    bars = (Bar("micrograd", 1 / 15, 1 / 25), Bar("torch, on tensors", 1.3, variant="captured"))
    rows = race(Workload("A1", peers, bars), budget * 3 / 4, say)
    few = {peer: peers[peer] for peer in ("ours", "micrograd")}
    rows += race(Workload("A1, collector off", few, collector=False), budget / 4, say)
    start = time.perf_counter()
    captured(partial(scalars, "tinygrad_edu"))()
    took = time.perf_counter() - start
    return [*rows, Row("A1, recording, once", captured=took, captured_bar=judge(took, 0.4))]
