"""Fibonacci three ways, and a network's gradient by the same three ways (LEE).

Naive recursion solves the same subproblem again and again. Written into a table it is solved once; in the right order
nothing has to be looked for. fib(n) and a gradient are the same story: backpropagation is dynamic programming.
"""
from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from tinygrad_edu import Value
from tinygrad_edu.dp import counted_paths, race


def mlp(sizes: list[int], inputs: list[float], seed: int = 0) -> Value:
    """The output of a network of Values: relu in the hidden layers, as micrograd builds it."""
    rng = np.random.default_rng(seed)
    x = [Value(v, label=f"x{k}") for k, v in enumerate(inputs, 1)]
    for layer, width in enumerate(sizes[1:], 1):
        neurons = [sum((Value(rng.uniform(-1, 1)) * v for v in x), Value(0.0)) for _ in range(width)]
        x = neurons if layer == len(sizes) - 1 else [n.relu() for n in neurons]
    return x[0]


def fibonacci_graph(n: int) -> Value:
    """f_n = f_(n-1) + f_(n-2) as a graph of Values."""
    f = [Value(0.0), Value(1.0)]
    while len(f) <= n:
        f.append(f[-1] + f[-2])
    return f[n]


def main(picture: str | None = None) -> None:
    small = mlp([2, 4, 4, 1], [2.0, 3.0])
    print(race(small))
    print("\nThe recursion tree of fib(20) is the naive walk over the graph of f_20: "
          f"{counted_paths(fibonacci_graph(20)).calls:,} calls, {counted_paths(fibonacci_graph(20)).calls:,} paths.\n")
    deep = race(mlp([2] + [16] * 6 + [1], [2.0, 3.0]))     # micrograd's MLP(2, [16]*6 + [1])
    print(deep)
    if picture:
        Path(picture).write_text(deep.svg(), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:2])                                   # python fibonacci.py race.svg draws the race
