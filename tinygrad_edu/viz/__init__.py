"""Pictures of graphs: ``draw(x)`` shows one, ``to_dot(x)`` is its text, ``adjoints(x)`` what flows back through it;
``explore(loss)`` is a page to step through forward and backward, ``Recorder()`` keeps training steps for it."""
from __future__ import annotations

from .dot import to_dot
from .drawing import Drawing, draw
from .explore import Recorder, explore
from .flow import adjoints

__all__ = ["Drawing", "Recorder", "adjoints", "draw", "explore", "to_dot"]
