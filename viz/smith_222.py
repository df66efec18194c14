"""The 2-2-2 network of the SMITH deck with the adjoint of every value: dE/dw5 = 0.0822 and all the others."""
from pathlib import Path

from tinygrad_edu import Value
from tinygrad_edu.mode import scope
from tinygrad_edu.viz import Drawing, adjoints, draw


def picture() -> Drawing:
    i1, i2 = Value(0.05, label="i1"), Value(0.10, label="i2")
    with scope("hidden"):
        w1, w2, w3, w4 = (Value(w, label=f"w{k}") for k, w in enumerate((0.15, 0.20, 0.25, 0.30), 1))
        b1 = Value(0.35, label="b1")
        h1 = named("out_h1", named("net_h1", w1 * i1 + w2 * i2 + b1).sigmoid())
        h2 = named("out_h2", named("net_h2", w3 * i1 + w4 * i2 + b1).sigmoid())
    with scope("output"):
        w5, w6, w7, w8 = (Value(w, label=f"w{k}") for k, w in enumerate((0.40, 0.45, 0.50, 0.55), 5))
        b2 = Value(0.60, label="b2")
        o1 = named("out_o1", named("net_o1", w5 * h1 + w6 * h2 + b2).sigmoid())
        o2 = named("out_o2", named("net_o2", w7 * h1 + w8 * h2 + b2).sigmoid())
    with scope("cost"):
        cost = named("E", named("E_o1", (0.01 - o1) ** 2 / 2) + named("E_o2", (0.99 - o2) ** 2 / 2))
    return draw(cost, adjoints={x: g for x, g in adjoints(cost).items() if isinstance(x, Value)}, direction="TB")


def named(name: str, value: Value) -> Value:
    """The same value under a name of the deck's."""
    value.label = name
    return value


if __name__ == "__main__":
    picture().save(Path(__file__).with_suffix(".svg"))
