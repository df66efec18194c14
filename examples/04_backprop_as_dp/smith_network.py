"""The 2-2-2 network of the SMITH deck: forward, one gradient as a product of three factors, and all the new weights.

The deck stops before the hidden layer ("but wait"): there a weight reaches the error along two paths, and that is all
there is to it. The sweep needs no second rule.
"""
from __future__ import annotations

from tinygrad_edu import Value
from tinygrad_edu.dp import explain, memo_table

RATE = 0.5


def network() -> dict[str, Value]:
    """i = .05, .10; w1..w4 = .15 .20 .25 .30, b1 = .35; w5..w8 = .40 .45 .50 .55, b2 = .60; targets .01, .99."""
    v = {"i1": Value(0.05), "i2": Value(0.10), "b1": Value(0.35), "b2": Value(0.60)}
    for k, w in enumerate((0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55), 1):
        v[f"w{k}"] = Value(w)
    for unit, (a, b) in {"h1": (1, 2), "h2": (3, 4)}.items():
        v[f"net_{unit}"] = v[f"w{a}"] * v["i1"] + v[f"w{b}"] * v["i2"] + v["b1"]
        v[f"out_{unit}"] = v[f"net_{unit}"].sigmoid()
    for unit, (a, b), target in (("o1", (5, 6), 0.01), ("o2", (7, 8), 0.99)):
        v[f"net_{unit}"] = v[f"w{a}"] * v["out_h1"] + v[f"w{b}"] * v["out_h2"] + v["b2"]
        v[f"out_{unit}"] = v[f"net_{unit}"].sigmoid()
        v[f"E_{unit}"] = 0.5 * (v[f"out_{unit}"] - target) ** 2
    v["E"] = v["E_o1"] + v["E_o2"]
    for name, node in v.items():
        node.label = name
    return v


def by_hand(v: dict[str, Value]) -> tuple[float, float, float]:
    """The three factors of dE/dw5: (out - target), out (1 - out), out_h1."""
    out = v["out_o1"].data
    return out - 0.01, out * (1 - out), v["out_h1"].data


def new_weights(v: dict[str, Value]) -> dict[str, float]:
    """w - rate dE/dw for the eight weights."""
    v["E"].backward()
    return {f"w{k}": v[f"w{k}"].data - RATE * v[f"w{k}"].grad for k in range(1, 9)}


def main() -> None:
    v = network()
    for name in ("net_h1", "out_h1", "out_h2", "net_o1", "out_o1", "out_o2", "E_o1", "E_o2", "E"):
        print(f"{name:>6} = {v[name].data:.9f}")
    a, b, c = by_hand(v)
    print(f"\ndE/dw5 by hand: {a:.8f} x {b:.9f} x {c:.9f} = {a * b * c:.9f}\n")
    print(explain(v["E"], v["w5"], digits=9))
    print(f"\nBut wait: the hidden layer.\n\n{explain(v['E'], v['w1'], digits=9)}\n")
    print(memo_table(v["E"], digits=9))
    print()
    for name, w in new_weights(v).items():
        print(f"{name}+ = {w:.8f}")


if __name__ == "__main__":
    main()
