"""Backpropagation as a dynamic program, in the open: raced, tabulated, explained, printed as a program.

``race(loss)``         the same gradient three ways, with the work of each
``memo_table(loss)``   the table that a sweep fills, row by row, with symbols and numbers
``explain(loss, w)``   one gradient, path by path
``revolve(l, c)``      which c states of a chain of l steps to keep, so that the fewest steps run again
``source(loss)``       forward and backward as a straight-line NumPy program

All of them print as text and show as HTML in Jupyter, for any graph of Values or Tensors, that of a gradient included.
"""
from __future__ import annotations

import importlib
from typing import Any

from .ablations import ablations
from .chains import bracketing, jacobians
from .counts import counted_paths, counted_recursion
from .explain import explain
from .race import race
from .revolve import revolve
from .rules import rule_text
from .semiring import most_influential, semiring, tangent
from .semiring import number_of_paths as paths
from .table import memo_table
from .twice import gradient_graph
from .ways import by_paths, by_recursion, by_sweep

__all__ = ["ablations", "bracketing", "by_paths", "by_recursion", "by_sweep", "counted_paths", "counted_recursion",
           "explain", "gradient_graph", "jacobians", "memo_table", "most_influential", "paths", "race", "revolve",
           "rule_text", "semiring", "source", "tangent"]


def __getattr__(name: str) -> Any:
    """``source`` needs the tape, and is loaded when first used."""
    if name == "source":
        globals()[name] = importlib.import_module("..tape.source", __name__).source
        return globals()[name]
    raise AttributeError(f"module 'tinygrad_edu.dp' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
