"""A 1-d convolution unrolled: the same three weights at every position, so their adjoint is a sum over positions."""
import re
from pathlib import Path

import tinygrad_edu as tg
from tinygrad_edu.viz import Drawing, adjoints, draw


def picture() -> Drawing:
    x = [0.0, 1.0, 3.0, 3.0, 2.0, 0.0]                # six samples: four windows of three
    w = tg.tensor([-1.0, 0.5, 1.0], requires_grad=True)
    g = tg.tensor([1.0, -1.0, 2.0, 1.0])              # what the rest of a network would send back
    names, outputs = {"w": w, "g": g}, []
    for j in range(4):
        window = tg.tensor(x[j:j + 3])
        outputs.append(window @ w)
        names |= {f"x{j + 1} x{j + 2} x{j + 3}": window, f"y{j + 1}": outputs[-1]}
    names["L"] = loss = tg.stack(outputs) @ g
    drawing = draw(loss, names=names, adjoints=adjoints(loss), direction="TB",
                   title="adjoint(w) = 1 × (0 1 3) - 1 × (1 3 3) + 2 × (3 3 2) + 1 × (3 2 0)")
    dot = re.sub(r"(n0 -> \S+) \[", r"\1 [minlen=2 ", drawing.dot)        # w on top, the positions from left to right
    drawing.dot = dot.removesuffix("}\n") + "  {rank=same; n3op -> n5op -> n7op -> n9op [style=invis]}\n}\n"
    return drawing


if __name__ == "__main__":
    picture().save(Path(__file__).with_suffix(".svg"))
