"""The same sweep, other questions: semirings.

A gradient is a sum over all paths of the product along each. The sweep is right for any (plus, times) of which times
distributes over plus, so the same few lines count paths, find what depends on what, find the path that matters most,
and, turned around, run forward mode.
"""
from __future__ import annotations

import operator

from tinygrad_edu import Value
from tinygrad_edu.dp import most_influential, semiring
from tinygrad_edu.dp.semiring import gradient, longest, number_of_paths, reachable, tangent


def graph() -> dict[str, Value]:
    """y = tanh(a b) + a b sin(a), and c, which only one part of it reads."""
    v = {"a": Value(0.8), "b": Value(-1.5), "c": Value(0.3)}
    v["ab"] = v["a"] * v["b"]
    v["t"] = v["ab"].tanh()
    v["s"] = v["ab"] * v["a"].sin()
    v["u"] = v["t"] + v["c"]
    v["y"] = v["u"] + v["s"]
    for name, node in v.items():
        node.label = name
    return v


def main() -> None:
    v = graph()
    y = v["y"]
    counts, far, best, slopes = number_of_paths(y), longest(y), most_influential(y), gradient(y)
    rows = [["node", "paths (+, x)", "longest (max, +)", "gradient (+, x)", "most influential path (larger, x)"]]
    for name in ("u", "t", "s", "ab", "a", "b", "c"):
        node = v[name]
        route = " <- ".join([y.label, *[(n.inputs[i].label or n.inputs[i].op.name) for n, i in best[node].edges]])
        numbers = [f"{counts[node]}", f"{far[node]}", f"{slopes[node]:.6f}", f"{best[node].product:.6f}  {route}"]
        rows.append([name, *numbers])
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, (5, 13, 17, 16, 60), strict=True)).rstrip())
    depends = [name for name, node in v.items() if node in reachable(v["c"], y)]
    print(f"\nreachable from c (or, and): {', '.join(depends)}")
    forward = tangent(v["a"], y)
    print("forward mode from a (+, x, upwards): " + ", ".join(
        f"d{name}/da = {forward[node]:.6f}" for name, node in v.items() if node in forward))
    fewest = semiring(y, lambda node, i: 1, min, operator.add, 0)
    print(f"one of your own, fewest steps from y to a (min, +): {fewest[v['a']]}")


if __name__ == "__main__":
    main()
