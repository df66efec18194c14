"""torch.utils: data, checkpoint."""
from __future__ import annotations

import importlib
from typing import Any

from . import data

__all__ = ["checkpoint", "data"]


def __getattr__(name: str) -> Any:
    """``checkpoint`` is loaded when first used: data does without the planner and nn."""
    if name == "checkpoint":
        return importlib.import_module(".checkpoint", __name__)
    raise AttributeError(f"module 'tinygrad_edu.utils' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
