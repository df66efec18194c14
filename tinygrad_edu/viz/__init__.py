"""Pictures of graphs: ``draw(x)`` shows one, ``to_dot(x)`` is its text, ``adjoints(x)`` what flows back through it."""
from __future__ import annotations

from .dot import to_dot
from .drawing import Drawing, draw
from .flow import adjoints

__all__ = ["Drawing", "adjoints", "draw", "to_dot"]
