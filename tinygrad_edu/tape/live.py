"""Live: a Python number of a step that is being captured, known by where it comes from and not by what it is."""
from __future__ import annotations

from typing import Any

from ..arithmetic import Arithmetic
from ..graph import Node, Primitive, tick
from ..mode import local


class Live(Arithmetic):
    """A number that is read anew at each replay: an argument, ``loss.item()``, ``p.grad`` of a Value.

    Arithmetic with it is captured. Using it as a plain float (``math.sqrt(lr)``, ``range(n)``, formatting) is reported
    to the recorder, which either lets the program depend on this very number or refuses.
    """

    __slots__ = ("inputs", "left", "right", "_grad", "var", "recorder", "__weakref__")
    scalar = None                                     # takes part in operations of Values and Tensors as a number does
    requires_grad = False
    kind = "number"

    def __init__(self, payload: Any, recorder: Any, var: Any):
        self.payload, self.op, self.inputs, self.born, self.note = payload, None, (), tick(), local.mode.note
        self.left, self.right, self._grad = None, None, 0.0        # as a Value has, in whose graph it may stand
        self.recorder, self.var = recorder, var

    @staticmethod
    def _record(op: Primitive, inputs: tuple, params: dict, y: Any, recorded: bool) -> Any:
        recorder = next(x.recorder for x in inputs if isinstance(x, Live))
        return recorder.computed(op, inputs, params, y)

    @staticmethod
    def _fit(c: Any, x: Node, g: Any = None) -> Any:
        return c

    def __float__(self) -> float: return float(self.recorder.fixed(self, "float()"))
    def __int__(self) -> int: return int(self.recorder.fixed(self, "int()"))
    def __index__(self) -> int: return self.recorder.fixed(self, "a whole number").__index__()
    def __bool__(self) -> bool: return self.recorder.branched(self)
    def __round__(self, digits: int | None = None) -> Any: return round(self.recorder.fixed(self, "round()"), digits)
    def __repr__(self) -> str: return repr(self.recorder.fixed(self, "text"))
    def __format__(self, spec: str) -> str: return format(self.recorder.fixed(self, "text"), spec)
    def __divmod__(self, other: Any) -> Any: return self // other, self % other
    def __array__(self, dtype: Any = None, copy: Any = None) -> Any: return self.recorder.arrayed(self, dtype)
    def item(self) -> Live: return self
