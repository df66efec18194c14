"""Optimisation passes: each a function from a program to a program that computes the same."""
from __future__ import annotations

from collections.abc import Iterator

from .program import Program


def optimised(program: Program) -> Iterator[tuple[str, Program]]:
    """The passes in their order, each with the program that it leaves."""
    yield from ()
