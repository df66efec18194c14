"""B8: a chain of 10,000 operations on 1,000 elements: time of a step, backward against forward, peak of memory.

Two chains: of ``h.tanh()``, where every library must keep every value, and of ``(h * w + b).tanh()``, as in a
recurrent network, where PyTorch keeps only the one value in three that its rules read.
Peak memory is measured in processes of their own: how much higher the peak of resident memory is after a chain of
40,000 than after one of 20,000, halved, so that what an import takes does not count.
"""
from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module

import numpy as np

from .harness import Bar, Row, Step, Workload, judge, race
from .replay import captured
from .replay import chain as repeated

LENGTH = 10_000
H, W, B = np.random.default_rng(0).normal(size=(3, 1000)).astype(np.float32)
Split = list[tuple[float, float]]                     # times of forward and of backward
clock = time.perf_counter


def torch_api(package: str, chain: str, split: Split, length: int = LENGTH) -> Step:
    """The program for PyTorch; for ours the import is all that changes."""
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


def peak() -> int:
    """The process's highest resident memory in bytes."""
    try:
        with open("/proc/self/status") as file:       # ru_maxrss would count the parent's, which Linux carries over
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def memory(package: str, chain: str) -> float:
    """Bytes that 10,000 operations more add to the peak, in a process of their own."""
    code = ("from benchmarks import b8; "
            f"step = b8.torch_api({package!r}, {chain!r}, [], {{}}); step(); print(b8.peak())")
    low, high = (int(subprocess.run([sys.executable, "-c", code.format(n)], check=True, capture_output=True,
                                    text=True).stdout) for n in (2 * LENGTH, 4 * LENGTH))
    return (high - low) / 2


def run(budget: float, say: Callable[[str], None]) -> list[Row]:
    rows = []
    for chain in ("unary", "affine"):
        split: Split = []
        peers = {"ours": partial(torch_api, "tinygrad_edu", chain, split),
                 "captured": partial(captured, partial(repeated, "tinygrad_edu", chain)),
                 "torch": partial(torch_api, "torch", chain, []), "autograd": partial(autograd, chain),
                 "NumPy by hand": partial(by_hand, chain)}
        found = race(Workload(f"B8 {chain}", peers, (Bar("torch", 0.6),)), budget / 2, say)
        ratio = statistics.median(backward / forward for forward, backward in split)
        rows += [*found, Row(f"B8 {chain}, backward / forward", ratio=f"{ratio:.2f}",
                             bar=(verdict := judge(ratio, 1.5))[0], reached=verdict[1])]
        ours = memory("tinygrad_edu", chain)
        if any(row.peer == "torch" for row in found):
            theirs = memory("torch", chain)
            rows.append(Row(f"B8 {chain}, peak memory", f"{ours / 1e6:.1f} MB", "torch", f"{theirs / 1e6:.1f} MB",
                            f"{ours / theirs:.2f}", *judge(ours / theirs, 1.3)))
    return rows
