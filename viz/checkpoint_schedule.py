"""Revolve's schedule for 20 steps with 3 states in memory: what is kept when, run again when, and swept back when."""
from pathlib import Path

from tinygrad_edu.dp import revolve
from tinygrad_edu.dp.revolve import Schedule


def picture() -> Schedule:
    return revolve(20, 3)                             # beta(3, 3) = 20: as long as can be, no step run forward 4 times


if __name__ == "__main__":
    Path(__file__).with_suffix(".svg").write_text(picture().svg(), encoding="utf8")
