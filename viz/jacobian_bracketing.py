"""Three ways to multiply the Jacobians of four layers with a waist, all matrices drawn to scale: the cheapest is
neither forward nor reverse mode."""
from pathlib import Path

from tinygrad_edu.dp import bracketing
from tinygrad_edu.dp.chains import Chain


def picture() -> Chain:
    return bracketing([30, 40, 3, 40, 30])


if __name__ == "__main__":
    Path(__file__).with_suffix(".svg").write_text(picture().svg(), encoding="utf-8")
