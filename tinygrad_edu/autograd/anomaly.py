"""Anomaly detection: the first operation whose adjoint is not finite is named, with the line that computed it."""
from __future__ import annotations

from contextlib import ContextDecorator
from typing import Any

import numpy as np

from ..errors import message, user_line
from ..graph import Node, Primitive
from ..mode import capturing, local

REMEMBERED = 100_000                                  # lines; an operation older than that is named without its line


class Anomaly:
    """Watches every step: remembers the line of each operation, and refuses a contribution that is nan or infinite."""

    inside = True                                     # sweeps that a rule makes of its own (checkpoints) as well

    def __init__(self, check_nan: bool = True, other: Any = None):
        self.check_nan, self.other, self.lines = check_nan, other, dict[int, str]()

    def made(self, node: Node, op: Primitive, inputs: tuple, params: dict) -> None:
        """Remember which line of the user's code made this node."""
        if self.other is not None:
            self.other.made(node, op, inputs, params)
        if node.requires_grad:
            if len(self.lines) >= REMEMBERED:
                del self.lines[next(iter(self.lines))]
            self.lines[node.born] = user_line()

    def flowed(self, node: Node, x: Node, c: Any) -> None:
        """Look at what ``node`` sends to its input ``x``."""
        if self.other is not None:
            self.other.flowed(node, x, c)
        numbers = np.asarray(getattr(c, "payload", c))
        if self.check_nan and not np.isfinite(numbers).all():
            place = next(i for i, other in enumerate(node.inputs) if other is x)
            kind = "nan" if np.isnan(numbers).any() else "inf"
            raise RuntimeError(message(
                f"Function '{node.op.name}Backward' returned {kind} values in its {place}th output.", op=node.op.name,
                inputs=tuple(node.inputs), layer=node.note.layer,
                instead=f"look at the inputs of the operation of {self.lines.get(node.born) or 'an unknown line'}"))


class set_detect_anomaly(ContextDecorator):
    """Look at every adjoint, from now on or inside a ``with`` block, and raise at the first that is nan or infinite.

    >>> with tg.autograd.set_detect_anomaly(False):
    ...     pass
    """

    def __init__(self, mode: bool, check_nan: bool = True):
        mode_of_thread: Any = local.mode
        if watcher := capturing():
            watcher.refused("detect_anomaly()", "the function as it is, without compile, while you look for a nan")
        self.before = mode_of_thread.watch
        below = self.before.other if isinstance(self.before, Anomaly) else self.before
        mode_of_thread.watch = Anomaly(check_nan, below) if mode else below

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: Any) -> None:
        local.mode.watch = self.before


class detect_anomaly(set_detect_anomaly):
    """Inside the ``with`` block, raise at the first adjoint that is nan or infinite, and name its operation.

    >>> x = tg.tensor(0., requires_grad=True)
    >>> with tg.autograd.detect_anomaly(), np.errstate(all="ignore"):
    ...     (x.sqrt() * 0).backward()
    Traceback (most recent call last):
    RuntimeError: ...
    """

    def __init__(self, check_nan: bool = True):
        super().__init__(True, check_nan)
