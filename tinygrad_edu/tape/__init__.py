"""The tape: a recorded graph is a program. Captured once, forward and backward are a flat list of NumPy calls, which can be
printed, optimised and replayed without building a graph."""
from __future__ import annotations

from .capture import CaptureError
from .replay import Compiled, compile  # noqa: A004

__all__ = ["CaptureError", "Compiled", "compile"]
