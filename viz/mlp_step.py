"""One training step of an MLP on digits, folded by layer: shapes, parameters and the length of their gradients."""
from pathlib import Path

import tinygrad_edu as tg
from tinygrad_edu import nn
from tinygrad_edu.viz import Drawing, draw


def picture() -> Drawing:
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 30), nn.Sigmoid(), nn.Linear(30, 30), nn.Sigmoid(), nn.Linear(30, 10))
    images, digits = tg.randn(32, 64), tg.randint(0, 10, (32,))
    loss = nn.functional.cross_entropy(model(images), digits)
    loss.backward(retain_graph=True)
    return draw(loss, fold=True, direction="TB", names={"images": images, "digits": digits, "loss": loss})


if __name__ == "__main__":
    picture().save(Path(__file__).with_suffix(".svg"))
