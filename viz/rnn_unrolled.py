"""A recurrent cell, h = tanh(w x + u h), unrolled over four steps: the same two weights are read at every step."""
import re
from pathlib import Path

from tinygrad_edu import Value
from tinygrad_edu.mode import scope
from tinygrad_edu.viz import Drawing, adjoints, draw


def cell(x: Value, h: Value, w: Value, u: Value) -> Value:
    return (w * x + u * h).tanh()


def picture() -> Drawing:
    w, u, h0 = Value(0.8, label="w"), Value(0.5, label="u"), Value(-0.6, label="h0")
    h = h0
    for t, number in enumerate((1.0, -0.5, 0.25, 2.0), 1):
        x = Value(number, label=f"x{t}")
        with scope(f"step {t}"):
            h = cell(x, h, w, u)
            h.label = f"h{t}"
    h.backward()
    back = [c for edge, c in adjoints(h).items() if isinstance(edge, tuple) and edge[0].inputs[edge[1]] is u]
    terms = " + ".join(f"{c:.5f}" if c >= 0 else f"({c:.5f})" for c in back)
    drawing = draw(h, fold=True, title=f"dh4/du = {terms} = {u.grad:.5f}: one term for each step, the last step first")
    drawing.dot = re.sub(r"(box\d -> \w+)", r"\1 [weight=20]", drawing.dot)   # the steps in a straight line
    return drawing


if __name__ == "__main__":
    picture().save(Path(__file__).with_suffix(".svg"))
