"""The gradient's own graph: backpropagation builds a graph, which can be tabulated, explained and differentiated.

y = tanh(x): dy/dx = 1 - y^2, and d2y/dx2 = -2 y (1 - y^2). Nobody told the engine the second.
"""
from __future__ import annotations

from tinygrad_edu import Value
from tinygrad_edu.dp import explain, gradient_graph, memo_table


def graphs(at: float = 0.5) -> tuple[Value, Value, Value]:
    """x, tanh(x) and its gradient, all three as nodes."""
    x = Value(at, label="x")
    y = x.tanh()
    y.label = "y"
    return x, y, gradient_graph(y, x)


def main() -> None:
    x, y, slope = graphs()
    print(f"y = {y.data:.6f}   dy/dx = {slope.data:.6f}   1 - y^2 = {1 - y.data ** 2:.6f}\n")
    print(f"{memo_table(slope)}\n\n{explain(slope, x)}\n")
    print(f"-2 y (1 - y^2) = {-2 * y.data * (1 - y.data ** 2):.6f}")


if __name__ == "__main__":
    main()
