"""B8: a chain of 10,000 operations on 1,000 elements: time of a step, and backward against forward.

Two chains: of ``h.tanh()``, where every library must keep every value, and of ``(h * w + b).tanh()``, as in a
recurrent network, where PyTorch keeps only the one value in three that its rules read.
"""
from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module

import numpy as np

from .harness import Bar, Row, Step, Workload, captured, judge, race

LENGTH = 10_000
H, W, B = np.random.default_rng(0).normal(size=(3, 1000)).astype(np.float32)
Split = list[tuple[float, float]]                     # times of forward and of backward
clock = time.perf_counter


def torch_api(package: str, chain: str, split: Split | None = None, length: int = LENGTH) -> Step:
    """The program for PyTorch; for ours the import is all that changes. ``split`` is given the times of its halves."""
    torch = import_module(package)
    x, w, b = (torch.tensor(a, requires_grad=True) for a in (H, W, B))

    def step():
        x.grad = w.grad = b.grad = None
        start, h = clock(), x
        if chain == "unary":
            for _ in range(length):
                h = h.tanh()
        else:
            for _ in range(length // 3):
                h = (h * w + b).tanh()
        loss = h.sum()
        middle = clock()
        loss.backward()
        if split is not None:
            split.append((middle - start, clock() - middle))
        return loss
    return step


def autograd(chain: str) -> Step:
    import autograd
    import autograd.numpy as anp

    def f(xwb):
        h, w, b = xwb
        for _ in range(LENGTH if chain == "unary" else LENGTH // 3):
            h = anp.tanh(h if chain == "unary" else h * w + b)
        return anp.sum(h)
    both = autograd.value_and_grad(f)
    return lambda: both((H, W, B))[0]


def by_hand(chain: str) -> Step:
    """The floor: the values kept in a list, the derivatives written out."""
    def step():
        h, kept = H, [H]
        for _ in range(LENGTH if chain == "unary" else LENGTH // 3):
            h = np.tanh(h if chain == "unary" else h * W + B)
            kept.append(h)
        g, dw, db = np.ones_like(h), np.zeros_like(W), np.zeros_like(B)
        while len(kept) > 1:
            y = kept.pop()
            g -= g * y * y
            if chain == "affine":
                db += g
                dw += g * kept[-1]
                g *= W
        return h.sum()
    return step


def run(budget: float, say: Callable[[str], None]) -> list[Row]:
    rows = []
    for chain in ("unary", "affine"):
        split: Split = []
        ours = partial(torch_api, "tinygrad_edu", chain)
        peers = {"ours": partial(ours, split), "captured": partial(captured, partial(ours, None)),
                 "torch": partial(torch_api, "torch", chain), "autograd": partial(autograd, chain),
                 "NumPy by hand": partial(by_hand, chain)}
        rows += race(Workload(f"B8 {chain}", peers, (Bar("torch", 0.6),)), budget / 2, say)
        ratio = statistics.median(backward / forward for forward, backward in split)
        rows.append(Row(f"B8 {chain}, backward against forward", eager_ratio=ratio, eager_bar=judge(ratio, 1.5)))
    return rows
