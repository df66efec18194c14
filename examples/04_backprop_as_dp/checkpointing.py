"""Checkpointing: a deep network trained in little memory, along a schedule that a dynamic program finds.

The sweep back needs the state before each layer. With memory for c of l states the others are computed again, from the
nearest one kept; revolve (Griewank and Walther, 2000) says which to keep so that the fewest layers run again. That plan
is drawn here, and carried out on a network with dropout: work counted, peak memory measured, gradients compared.
"""
from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import tinygrad_edu as tg
from tinygrad_edu import nn
from tinygrad_edu.dp import revolve
from tinygrad_edu.utils.checkpoint import checkpoint_schedule

LAYERS, BATCH, WIDTH = 64, 512, 16
BUDGETS = (63, 16, 8, 4, 2, 1)


class Layer(nn.Module):
    """Linear, tanh and dropout; counts how often it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.dropout = nn.Linear(WIDTH, WIDTH), nn.Dropout(0.1)
        self.register_buffer("runs", tg.tensor(0))

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        self.runs += 1                                     # a buffer, so a compiled step counts too
        return self.dropout(tg.tanh(self.linear(x)))


class Step:
    """One training step of the same network from the same seed: its gradients, layer runs and peak of memory."""

    def __init__(self, forward: Callable[[nn.Sequential, tg.Tensor], tg.Tensor]):
        tg.manual_seed(0)
        net = nn.Sequential(*[Layer() for _ in range(LAYERS)])
        x = tg.randn(BATCH, WIDTH)
        tracemalloc.start()                                # NumPy reports every array to it
        try:
            loss = forward(net, x).square().mean()
            loss.backward()
            self.peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        self.loss, self.gradients = loss.item(), [p.grad for p in net.parameters()]
        self.runs = sum(layer.runs.item() for layer in net)
        self.state = x.nbytes

    def equals(self, other: Step) -> bool:
        """Whether loss and gradients are the same, bit for bit."""
        pairs = zip(self.gradients, other.gradients, strict=True)
        return self.loss == other.loss and all(tg.equal(a, b) for a, b in pairs)


def main(picture: str | None = None) -> None:
    print(revolve(10, 3))
    plain = Step(lambda net, x: net(x))
    print(f"\n{LAYERS} layers, a state of {plain.state / 1e3:.0f} kB between any two; one training step:\n")
    print("states kept  forward steps  layer runs  peak memory  of plain  gradients")
    print(f"        all              0  {plain.runs:10,}  {plain.peak / 1e6:8.1f} MB      100%")
    for memory in BUDGETS:
        plan = revolve(LAYERS, memory)
        step = Step(lambda net, x, plan=plan: checkpoint_schedule(net, plan, x))
        print(f"{plan.peak:11}  {plan.forward_steps:13,}  {step.runs:10,}  {step.peak / 1e6:8.1f} MB  "
              f"{step.peak / plain.peak:8.0%}  {'equal' if step.equals(plain) else 'NOT equal'}")
    if picture:
        Path(picture).write_text(revolve(LAYERS, 4).svg(), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:2])                                   # python checkpointing.py plan.svg draws it for 64 layers
