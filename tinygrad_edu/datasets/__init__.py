"""Small real data sets that ship with the package, and generators of toy problems; licences beside the data."""
from __future__ import annotations

from .digits import Digits, load_digits
from .toy import make_blobs, make_circles, make_moons, make_spirals, make_xor

__all__ = ["Digits", "load_digits", "make_blobs", "make_circles", "make_moons", "make_spirals", "make_xor"]
