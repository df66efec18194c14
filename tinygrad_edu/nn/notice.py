"""Errors and warnings of layers and losses: PyTorch's types, and a text that also names the layer and what to do."""
from __future__ import annotations

import sys
import warnings
from typing import Any

from ..errors import PACKAGE, message
from ..mode import local
from ..tensor import Tensor


def refusal(kind: type[Exception], what: str, op: str, *inputs: Any, instead: str = "") -> Exception:
    """The error to raise: what happened, on which operands, in which layer, and what to write instead."""
    return kind(message(what, op=op, inputs=inputs, layer=local.mode.note.layer, instead=instead))


def must_be_tensors(op: str, **operands: Any) -> None:
    """TypeError where an operand is not a Tensor."""
    for i, (name, x) in enumerate(operands.items(), 1):
        if not isinstance(x, Tensor):
            raise refusal(TypeError, f"{op}(): argument '{name}' (position {i}) must be Tensor, not "
                          f"{type(x).__name__}", op, x, instead=f"{name} = tg.tensor({name})")


def notice(what: str, **facts: Any) -> None:
    """Issue a UserWarning that says ``what`` and points at the innermost line outside this package."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame, level = frame.f_back, level + 1
    facts.setdefault("layer", local.mode.note.layer)
    warnings.warn(message(what, **facts), UserWarning, stacklevel=level)
