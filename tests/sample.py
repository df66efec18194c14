"""One sample of a primitive: what it is applied to."""
from __future__ import annotations

from typing import Any, NamedTuple


class Sample(NamedTuple):
    """``inputs``: float64 arrays to differentiate by, other arrays and numbers as constants; ``params``."""

    inputs: tuple[Any, ...]
    params: dict[str, Any]
