"""What each part of backpropagation is for: take it away, and look at the first cell of the table that goes wrong.

Without the memo the gradient is right, but late. In a wrong order a node that is used twice passes on half of what it
should. With = in place of += it keeps only what the last user sent. And a second backward on the gradients that the
first left inside the graph counts them again.
"""
from __future__ import annotations

from tinygrad_edu import Value
from tinygrad_edu.dp import ablations, memo_table
from tinygrad_edu.dp.ablations import smallest


def neuron() -> Value:
    """A neuron with weight decay: its weight is used three times."""
    w, x, b, t = (Value(v, label=n) for n, v in {"w": 0.6, "x": 1.5, "b": -0.2, "t": 1.0}.items())
    y = (w * x + b).tanh()
    y.label = "y"
    loss = (y - t) ** 2 + 0.1 * (w * w)
    loss.label = "L"
    return loss


def main() -> None:
    for title, loss in (("The smallest example: L = h + h h with h = 2 x", smallest()),
                        ("A neuron with weight decay", neuron())):
        print(f"{title}\n\n{memo_table(loss)}\n\n{ablations(loss)}\n")


if __name__ == "__main__":
    main()
