"""Jacobian chains: the derivative of a stack of layers is a product of matrices, and products may be bracketed.

Forward mode multiplies from the input on, reverse mode from the output on; which is cheaper depends on the sizes, and
neither need be the cheapest. Dynamic programming finds that (Griewank and Naumann 2003). All three are executed.
"""
from __future__ import annotations

import sys
from pathlib import Path

import tinygrad_edu as tg
from tinygrad_edu import nn
from tinygrad_edu.dp import bracketing, jacobians
from tinygrad_edu.dp.chains import Chain

SHAPES = {"one input": [1, 30, 30, 30, 30], "one output": [30, 30, 30, 30, 1], "a waist": [30, 40, 3, 40, 30]}


def executed(sizes: list[int]) -> Chain:
    """The chain of a network of these sizes (each Linear followed by tanh), its Jacobians multiplied in each way."""
    tg.manual_seed(0)
    layers = [nn.Sequential(nn.Linear(n, m), nn.Tanh()) for n, m in zip(sizes, sizes[1:], strict=False)]
    return bracketing(sizes).execute(jacobians(layers, tg.randn(sizes[0])))


def main(picture: str | None = None) -> None:
    for name, sizes in SHAPES.items():
        chain = executed(sizes)
        print(f"{name}: {chain}\n")
    if picture:
        Path(picture).write_text(chain.svg(), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:2])                                   # python jacobian_chains.py chain.svg draws the last one
