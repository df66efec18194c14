"""The tape: a recorded graph is a program. Captured once, forward and backward are a flat list of NumPy calls, which
can be printed, optimised and replayed without building a graph.

``compile(fn)``   records a step at its first call and replays it from then on
``source(loss)``  prints forward and backward of one graph as one would write them by hand (also as dp.source)
"""
from __future__ import annotations

from .capture import CaptureError
from .replay import Compiled, compile  # noqa: A004

__all__ = ["CaptureError", "Compiled", "compile"]
