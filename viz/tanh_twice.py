"""Gradients of gradients: y = tanh(x), dy/dx = 1 - y² and d²y/dx² = -2 y (1 - y²), each made by the one before it."""
from pathlib import Path

import tinygrad_edu as tg
from tinygrad_edu.dp import gradient_graph
from tinygrad_edu.mode import scope
from tinygrad_edu.viz import Drawing, draw


def picture() -> Drawing:
    x = tg.tensor(0.5, requires_grad=True)
    with scope("forward"):
        y = x.tanh()
    with scope("backward"):
        slope = gradient_graph(y, x)
    _, rest = slope.inputs                            # the rule of tanh is g * (1 - y * y): g and the rest
    _, square = rest.inputs
    names = {"x": x, "y": y, "y²": square, "1 - y²": rest, "dy/dx": slope}
    with scope("backward again"):
        names["d²y/dx²"] = bend = gradient_graph(slope, x, names)
    return draw([slope, bend], names=names)


if __name__ == "__main__":
    picture().save(Path(__file__).with_suffix(".svg"))
