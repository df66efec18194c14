"""B1: ``((x*w)+b).tanh().sum()`` on 10 elements, forward and backward: what is left is the bookkeeping."""
from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module

import numpy as np

from .bare import Bare
from .harness import Bar, Row, Step, Workload, captured, race

X, W, B = np.random.default_rng(1).normal(size=(3, 10)).astype(np.float32)


def torch_api(package: str) -> Step:
    """The program for PyTorch; for ours the import is all that changes."""
    torch = import_module(package)
    x, w, b = torch.tensor(X), torch.tensor(W, requires_grad=True), torch.tensor(B, requires_grad=True)

    def step():
        w.grad = b.grad = None
        y = ((x * w) + b).tanh().sum()
        y.backward()
        return y
    return step


def mygrad() -> Step:
    import mygrad as mg
    mg.turn_memory_guarding_off()                     # its documented switch for speed
    x, w, b = mg.tensor(X, constant=True), mg.tensor(W), mg.tensor(B)

    def step():
        y = mg.tanh((x * w) + b).sum()
        y.backward()
        return y
    return step


def autograd() -> Step:
    import autograd
    import autograd.numpy as anp

    def f(wb):
        return anp.sum(anp.tanh((X * wb[0]) + wb[1]))
    both = autograd.value_and_grad(f)
    return lambda: both((W, B))[0]


def tape() -> Step:
    """What a tape in Python costs at the least."""
    x, w, b = Bare(X, needed=False), Bare(W), Bare(B)

    def step():
        w.grad = b.grad = None
        y = ((x * w) + b).tanh().sum()
        y.backward()
        return y
    return step


def by_hand() -> Step:
    """The floor: nobody can do with fewer calls of NumPy."""
    def step():
        y = np.tanh((X * W) + B)
        total = np.add.reduce(y)
        db = 1.0 - y * y
        db * X                                        # dw
        return total
    return step


def run(budget: float, say: Callable[[str], None]) -> list[Row]:
    ours = partial(torch_api, "tinygrad_edu")
    peers = {"ours": ours, "captured": partial(captured, ours),
             "torch": partial(torch_api, "torch"), "mygrad": mygrad,
             "autograd": autograd, "a bare tape": tape, "NumPy by hand": by_hand}
    return race(Workload("B1", peers, (Bar("torch", 0.40), Bar("torch", 0.10, variant="captured"))), budget, say)
