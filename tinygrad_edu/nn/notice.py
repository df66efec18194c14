"""Warnings that teach: PyTorch's category, our text, and the user's own line as the place."""
from __future__ import annotations

import sys
import warnings
from typing import Any

from ..errors import PACKAGE, message


def notice(what: str, **facts: Any) -> None:
    """Issue a UserWarning that says ``what`` and points at the innermost line outside this package."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message(what, **facts), UserWarning, stacklevel=level)
