"""The memo table of a neuron with weight decay, in the order solved: each colour is an adjoint that is solved once and
then read by several rules."""
from pathlib import Path

from tinygrad_edu import Value
from tinygrad_edu.dp import memo_table
from tinygrad_edu.dp.table import MemoTable


def picture() -> MemoTable:
    """(tanh(w x + b) - t)^2 + 0.1 w^2: the weight is used three times."""
    w, x, b, t = Value(0.6), Value(1.5), Value(-0.2), Value(1.0)
    p = w * x
    n = p + b
    y = n.tanh()
    e = y - t
    q = e * e
    s = w * w
    d = 0.1 * s
    L = q + d
    return memo_table(L, digits=3)


if __name__ == "__main__":
    Path(__file__).with_suffix(".svg").write_text(picture().svg(), encoding="utf-8")
