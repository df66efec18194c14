"""A node used twice: the contributions that flow back along both edges are added up in its adjoint."""
from pathlib import Path

from tinygrad_edu import Value
from tinygrad_edu.viz import Drawing, adjoints, draw


def picture() -> Drawing:
    a = Value(3.0, label="a")
    b = a * a
    b.label = "b"
    c = a + b
    c.label = "c"
    d = b * c
    d.label = "d"
    return draw(d, adjoints=adjoints(d), title="adjoint(b) = 12 + 9,  adjoint(a) = 9 + 3 × 21 + 3 × 21")


if __name__ == "__main__":
    picture().save(Path(__file__).with_suffix(".svg"))
