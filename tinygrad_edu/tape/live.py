"""Live: a Python number of a step that is being captured, known by where it comes from and not by what it is."""
from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ..arithmetic import Arithmetic
from ..errors import PACKAGE
from ..graph import Node, Primitive, tick
from ..mode import local

ENGINE = tuple([f"{PACKAGE}{name}" for name in ("tape", "ops", "graph.py", "value.py", "arithmetic.py", "mode.py")])


class Live(Arithmetic):
    """A number that is read anew at each replay: an argument, ``loss.item()``, ``p.grad`` of a Value.

    Arithmetic with it is captured. Using it as a plain float (``math.sqrt(lr)``, ``range(n)``, formatting) is reported
    to the recorder, which either lets the program depend on this very number or refuses. ``of`` are the arguments, by
    place, that it is computed from, and nothing else; None where something else takes part.
    """

    __slots__ = ("inputs", "left", "right", "_grad", "var", "recorder", "of", "__weakref__")
    scalar = None                                     # takes part in operations of Values and Tensors as a number does
    requires_grad = False
    kind = "number"

    def __init__(self, payload: Any, recorder: Any, var: Any, of: dict[str, Any] | None = None):
        self.payload, self.op, self.inputs, self.born, self.note = payload, None, (), tick(), local.mode.note
        self.left, self.right, self._grad = None, None, 0.0        # as a Value has, in whose graph it may stand
        self.recorder, self.var, self.of = recorder, var, of

    @staticmethod
    def _record(op: Primitive, inputs: tuple, params: dict, y: Any, recorded: bool) -> Any:
        recorder = next(x.recorder for x in inputs if isinstance(x, Live))
        return recorder.computed(op, inputs, params, y)

    @staticmethod
    def _fit(c: Any, x: Node, g: Any = None) -> Any:
        return c

    # ---- to everybody else a number ----------------------------------------------------------------------------------
    @property                                         # type: ignore[misc]  # Python has it writable
    def __class__(self) -> Any:
        return type(self.payload) if outside() else Live

    def __hash__(self) -> int:
        return hash(self.recorder.fixed(self, "a key")) if outside() else object.__hash__(self)

    def __getattr__(self, name: str) -> Any:          # is_integer, real, bit_length
        if name.startswith("_") or not hasattr(self.payload, name):
            raise AttributeError(f"'{type(self.payload).__name__}' object has no attribute {name!r}")
        return getattr(self.recorder.fixed(self, name), name)

    def __sub__(self, other: Any) -> Any:             # a Tensor of masks refuses it
        return other.__rsub__(self) if getattr(other, "scalar", None) is False else super().__sub__(other)

    def __eq__(self, other: Any) -> Any: return number(other) and super().__eq__(other)
    def __ne__(self, other: Any) -> Any: return not number(other) or super().__ne__(other)

    def __mul__(self, other: Any) -> Any:
        return super().__mul__(other) if number(other) else other * self.recorder.fixed(self, "a whole number")

    def __rmul__(self, other: Any) -> Any:
        return super().__rmul__(other) if number(other) else other * self.recorder.fixed(self, "a whole number")

    def __pow__(self, other: Any, mod: Any = None) -> Any:
        if mod is None:
            return super().__pow__(other)
        base, power, modulus = (self.recorder.fixed(x, "pow()") if type(x) is Live else x for x in (self, other, mod))
        return pow(base, power, modulus)

    def __and__(self, other: Any) -> Any: return self.__index__() & other
    def __rand__(self, other: Any) -> Any: return other & self.__index__()
    def __or__(self, other: Any) -> Any: return self.__index__() | other
    def __ror__(self, other: Any) -> Any: return other | self.__index__()
    def __xor__(self, other: Any) -> Any: return self.__index__() ^ other
    def __rxor__(self, other: Any) -> Any: return other ^ self.__index__()
    def __lshift__(self, other: Any) -> Any: return self.__index__() << other
    def __rlshift__(self, other: Any) -> Any: return other << self.__index__()
    def __rshift__(self, other: Any) -> Any: return self.__index__() >> other
    def __rrshift__(self, other: Any) -> Any: return other >> self.__index__()
    def __invert__(self) -> Any: return ~self.__index__()
    def __float__(self) -> float: return float(self.recorder.fixed(self, "float()"))
    def __int__(self) -> int: return int(self.recorder.fixed(self, "int()"))
    def __index__(self) -> int: return self.recorder.fixed(self, "a whole number").__index__()
    def __bool__(self) -> bool: return self.recorder.branched(self)
    def __trunc__(self) -> int: return self.__int__()
    def __round__(self, digits: int | None = None) -> Any: return round(self.recorder.fixed(self, "round()"), digits)
    def __repr__(self) -> str: return repr(self.recorder.fixed(self, "text"))
    def __format__(self, spec: str) -> str: return format(self.recorder.fixed(self, "text"), spec)
    def __divmod__(self, other: Any) -> Any: return self // other, self % other
    def __copy__(self) -> Live: return self
    def __deepcopy__(self, memo: dict) -> Live: return self
    def __array__(self, dtype: Any = None, copy: Any = None) -> Any: return self.recorder.arrayed(self, dtype)
    def item(self) -> Live: return self


def outside() -> bool:
    """Whether who asks is not the engine: to the user's code, and to PyTorch's functions, a Live is the number that it
    holds."""
    return not sys._getframe(2).f_code.co_filename.startswith(ENGINE)


def number(x: Any) -> bool:
    """Whether arithmetic with ``x`` is arithmetic of numbers and arrays; text and lists have their own."""
    return isinstance(x, (Node, np.ndarray, np.generic, int, float, complex))
