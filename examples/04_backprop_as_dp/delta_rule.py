"""The delta rule by hand beside autodiff: dE/dw = (y - t) g' x (KONG), and -2 (t - o) sigmoid' o_j (LIU).

KONG's cost is half the square, so that the 2 cancels; LIU's is the square, so that it stays. The minus sign of LIU is
that of (t - o) = -(o - t): it is the same rule.
"""
from __future__ import annotations

import math

from tinygrad_edu import Value
from tinygrad_edu.dp import explain, memo_table

# KONG's perceptron before the first step: the weights of seed 1, the sample 111 (the first input is the bias), target 1
WEIGHTS, SAMPLE, TARGET, ALPHA = (-0.166, 0.441, -1.000, -0.395), (1.0, 1.0, 1.0, 1.0), 1.0, 1.0


def neuron(half: bool) -> tuple[Value, list[Value], Value]:
    """The error, the weights and the output of one logistic neuron; E = 1/2 (y - t)^2, or (t - o)^2."""
    w = [Value(v, label=f"w{k}") for k, v in enumerate(WEIGHTS)]
    x = [Value(v, label=f"x{k}") for k, v in enumerate(SAMPLE)]
    z = sum((a * b for a, b in zip(w[1:], x[1:], strict=True)), w[0] * x[0])
    z.label = "z"
    y = z.sigmoid()
    y.label = "y"
    error = 0.5 * (y - TARGET) ** 2 if half else (TARGET - y) ** 2
    error.label = "E"
    return error, w, y


def by_hand(half: bool) -> list[float]:
    """The rule as the decks write it."""
    z = sum(a * b for a, b in zip(WEIGHTS, SAMPLE, strict=True))
    y = 1 / (1 + math.exp(-z))
    slope = y * (1 - y)
    return [(y - TARGET) * slope * x if half else -2 * (TARGET - y) * slope * x for x in SAMPLE]


def main() -> None:
    for deck, half, rule in (("KONG", True, "dE/dw = (y - t) g' x"), ("LIU", False, "dE/dw = -2 (t - o) sigmoid' o_j")):
        error, w, y = neuron(half)
        error.backward()
        print(f"{deck}: {rule}\n\n weight    by hand   autodiff   new weight w - alpha dE/dw")
        for node, hand in zip(w, by_hand(half), strict=True):
            print(f"{node.label:>7} {hand:10.6f} {node.grad:10.6f} {node.data - ALPHA * node.grad:12.6f}")
        print(f"\n{explain(error, w[1])}\n")
    error, *_ = neuron(True)
    print(memo_table(error))


if __name__ == "__main__":
    main()
