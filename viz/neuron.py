"""One neuron, o = tanh(x1 w1 + x2 w2 + b), with every value and its gradient: micrograd's first picture."""
from pathlib import Path

from tinygrad_edu import Value
from tinygrad_edu.viz import Drawing, draw


def picture() -> Drawing:
    x1, x2 = Value(2.0, label="x1"), Value(0.0, label="x2")
    w1, w2, b = Value(-3.0, label="w1"), Value(1.0, label="w2"), Value(6.8813735870195432, label="b")
    n = x1 * w1 + x2 * w2 + b
    n.label = "n"
    o = n.tanh()
    o.label = "o"
    o.backward()
    return draw(o)


if __name__ == "__main__":
    picture().save(Path(__file__).with_suffix(".svg"))
