"""The operators that Value and Tensor share: each is the primitive of its name."""
from __future__ import annotations

from typing import Any

from .graph import Node
from .ops import elementwise as ew


class Arithmetic(Node):
    """Python's operators, in both orders of their operands."""

    __slots__ = ()
    __hash__ = object.__hash__                        # a node is itself, though == compares numbers

    def __add__(self, other: Any) -> Any: return ew.add(self, other)
    def __radd__(self, other: Any) -> Any: return ew.add(other, self)
    def __sub__(self, other: Any) -> Any: return ew.sub(self, other)
    def __rsub__(self, other: Any) -> Any: return ew.sub(other, self)
    def __mul__(self, other: Any) -> Any: return ew.mul(self, other)
    def __rmul__(self, other: Any) -> Any: return ew.mul(other, self)
    def __truediv__(self, other: Any) -> Any: return ew.div(self, other)
    def __rtruediv__(self, other: Any) -> Any: return ew.div(other, self)
    def __floordiv__(self, other: Any) -> Any: return ew.floor_divide(self, other)
    def __rfloordiv__(self, other: Any) -> Any: return ew.floor_divide(other, self)
    def __mod__(self, other: Any) -> Any: return ew.remainder(self, other)
    def __rmod__(self, other: Any) -> Any: return ew.remainder(other, self)
    def __pow__(self, other: Any) -> Any: return ew.pow(self, other)
    def __rpow__(self, other: Any) -> Any: return ew.pow(other, self)
    def __neg__(self) -> Any: return ew.neg(self)
    def __pos__(self) -> Any: return self
    def __abs__(self) -> Any: return ew.abs(self)
    def __lt__(self, other: Any) -> Any: return ew.lt(self, other)
    def __le__(self, other: Any) -> Any: return ew.le(self, other)
    def __gt__(self, other: Any) -> Any: return ew.gt(self, other)
    def __ge__(self, other: Any) -> Any: return ew.ge(self, other)
    def __eq__(self, other: Any) -> Any: return other is not None and ew.eq(self, other)
    def __ne__(self, other: Any) -> Any: return other is None or ew.ne(self, other)

    def _repr_html_(self) -> str:
        """The numbers as a small coloured table, for Jupyter."""
        from .notebook import table  # only there, so that importing the package does not pay for it
        return table(self)

    def exp(self) -> Any: return ew.exp(self)
    def log(self) -> Any: return ew.log(self)
    def sqrt(self) -> Any: return ew.sqrt(self)
    def sin(self) -> Any: return ew.sin(self)
    def cos(self) -> Any: return ew.cos(self)
    def tanh(self) -> Any: return ew.tanh(self)
    def sigmoid(self) -> Any: return ew.sigmoid(self)
    def relu(self) -> Any: return ew.relu(self)
    def softplus(self) -> Any: return ew.softplus(self)
    def abs(self) -> Any: return ew.abs(self)
    def pow(self, exponent: Any) -> Any: return ew.pow(self, exponent)
