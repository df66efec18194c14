"""The chain rule: dz/dx, dz/dw and dz/du each share the earlier product (LEE).

z = tanh(s), s = w x + u. A student who differentiates three times multiplies by dz/ds three times over; the memo table
holds it once. Factors that several rules read are marked in it.
"""
from __future__ import annotations

from tinygrad_edu import Value
from tinygrad_edu.dp import explain, memo_table


def graph(x: float = 0.5, w: float = 2.0, u: float = -0.3) -> dict[str, Value]:
    """The inputs, the steps and the result, by name."""
    nodes = {"x": Value(x), "w": Value(w), "u": Value(u)}
    nodes["p"] = nodes["w"] * nodes["x"]
    nodes["s"] = nodes["p"] + nodes["u"]
    nodes["z"] = nodes["s"].tanh()
    for name, node in nodes.items():
        node.label = name
    return nodes


def main() -> None:
    nodes = graph()
    print(memo_table(nodes["z"]))
    for name in ("u", "w", "x"):
        print(f"\n{explain(nodes['z'], nodes[name])}")


if __name__ == "__main__":
    main()
