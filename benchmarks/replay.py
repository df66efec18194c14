"""The captured variant of a workload, and what a replay takes of memory and of a floor that does not depend on the machine."""
from __future__ import annotations

from collections.abc import Callable

from .harness import Step


def captured(make: Callable[[], Step]) -> Step:
    """The step of ``make``, recorded and replayed."""
    import tinygrad_edu
    return tinygrad_edu.compile(make())
