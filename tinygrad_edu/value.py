"""Value: a Python float that remembers what made it."""
from __future__ import annotations

from typing import Any

import numpy as np

from .arithmetic import Arithmetic
from .errors import message
from .graph import Node, Primitive, stamp, sweep, tick
from .mode import capturing, local
from .ops import elementwise as ew

new: Any = object.__new__                             # without __init__, which users call


class Value(Arithmetic):
    """A scalar node: a float, how it was made, and its gradient d root / d self, kept on every node.

    ``data`` is the float and may be assigned; ``grad`` starts at 0; ``label`` is its name in drawings. Works with
    everything that micrograd's Value does (Karpathy, micrograd).

    >>> x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    >>> y = (x * w).tanh()
    >>> y.backward()
    >>> x.grad == -3 * (1 - y.data ** 2)
    True
    """

    __slots__ = ("left", "right", "_grad")             # two inputs without a tuple: half as much for the collector
    scalar = True
    kind = "Value"

    def __init__(self, data: Any, label: str = "", *, name: str = ""):
        try:
            self.payload = float(data.payload if isinstance(data, Node) and data.scalar is not False else data)
        except (TypeError, ValueError):
            raise TypeError(message(f"a Value holds one number, not {type(data).__name__}",
                                    instead="tensor(...) for arrays")) from None
        self.op = self.left = self.right = None
        self.born, self.note, self._grad = tick(), local.mode.note, 0.0
        if data.__class__ is not float and (watcher := capturing()):
            watcher.wrapped(self, data)
        if label or name:
            self.name = label or name

    @staticmethod
    def _record(op: Primitive, inputs: tuple, params: dict, y: Any, recorded: bool) -> Any:
        if y.__class__ is not float:
            if y is True or y is False:               # a comparison: a plain answer, to branch on
                if watcher := capturing():
                    watcher.compared(op, inputs, y)
                return y
            if isinstance(y, np.ndarray) and y.ndim:  # an array of numbers and a Value: an array of Values
                return each(op, inputs, y.shape)
            if isinstance(y, complex):
                raise ValueError(message(f"{op.name} of these numbers is not real", op=op.name, inputs=inputs,
                                         instead="keep the base positive where the exponent is not whole"))
            y = float(y)
        mode = local.mode
        v = new(Value)
        v.payload, v.born, v.note, v._grad = y, tick(), mode.note, 0.0
        v.op = v.left = v.right = None
        if recorded:
            if params or len(inputs) > 2:
                raise TypeError(message(f"{op.name} is not defined on Values", op=op.name, inputs=inputs,
                                        instead="a if condition else b, max(a, b), or Tensors"))
            v.op, v.left = op, inputs[0]
            if len(inputs) == 2:
                v.right = inputs[1]
        if mode.watch is not None:
            mode.watch.made(v, op, inputs, params)
        return v

    @property
    def inputs(self) -> tuple | None:
        """What it was made from; None once freed."""
        if self.op is None:
            return ()
        return None if self.left is None else (self.left,) if self.right is None else (self.left, self.right)

    @inputs.setter
    def inputs(self, inputs: tuple | None) -> None:
        self.left, self.right = (*(inputs or ()), None, None)[:2]

    @staticmethod
    def _fit(c: Any, x: Node, g: Any = None) -> Any:
        return c if c.__class__ is float or isinstance(c, Node) else float(c)

    # The three operations that a network of Values is made of, without the detour through Primitive.__call__: they
    # record the same node in half the time. Anything out of the ordinary takes the usual way.
    def __add__(self, other: Any) -> Any:
        mode = local.mode
        if other.__class__ is not Value or not mode.recording or mode.watch is not None:
            return ew.add(self, other)
        v = new(Value)
        v.payload, v.op, v.left, v.right = self.payload + other.payload, ew.add, self, other
        v.born, v.note, v._grad = tick(), mode.note, 0.0
        return v

    def __mul__(self, other: Any) -> Any:
        mode = local.mode
        if other.__class__ is not Value or not mode.recording or mode.watch is not None:
            return ew.mul(self, other)
        v = new(Value)
        v.payload, v.op, v.left, v.right = self.payload * other.payload, ew.mul, self, other
        v.born, v.note, v._grad = tick(), mode.note, 0.0
        return v

    @property
    def data(self) -> float:
        """The float; assigning it changes the value in place."""
        watcher = capturing()
        return self.payload if watcher is None else watcher.read(self)

    @data.setter
    def data(self, data: float) -> None:
        if watcher := capturing():
            data = watcher.written(self, data)
        self.payload = float(data)
        stamp(self)

    @property
    def grad(self) -> Any:
        """d result / d self, added up by ``backward``; 0 before."""
        watcher = capturing()
        return self._grad if watcher is None else watcher.read_grad(self)

    @grad.setter
    def grad(self, grad: Any) -> None:
        if watcher := capturing():
            grad = watcher.written_grad(self, grad)
        self._grad = grad

    @property
    def label(self) -> str:
        """The name in drawings and tables."""
        return self.note.name or ""

    @label.setter
    def label(self, label: str) -> None:
        self.name = label or None

    def item(self) -> float:
        """The plain float."""
        return self.data

    def __float__(self) -> float:
        return float(self.data)

    def __bool__(self) -> bool:
        return bool(self.data)

    def __repr__(self) -> str:
        grad = self._grad.payload if isinstance(self._grad, Node) else self._grad
        return f"Value(data={self.data:.6g}, grad={grad:.6g}{f', label={self.label!r}' if self.label else ''})"

    def backward(self, gradient: float = 1.0, retain_graph: bool = True, create_graph: bool = False) -> None:
        """Add d self / d node to the ``grad`` of every node below; the graph is kept, as in micrograd."""
        seed = Value(gradient) if create_graph else float(gradient)
        if watcher := capturing():
            watcher.swept(self, gradient, create_graph)
        for node, g in sweep([self], [seed], create_graph=create_graph, retain_graph=retain_graph):
            node._grad = node._grad + g

    def zero_grad(self) -> None:
        """Set ``grad`` back to 0."""
        self.grad = 0.0

    def max(self, other: Any) -> Any:
        """max(self, other); equal ones share the gradient."""
        return ew.maximum(self, other)

    def min(self, other: Any) -> Any:
        """min(self, other); equal ones share the gradient."""
        return ew.minimum(self, other)

    def __round__(self, digits: int | None = None) -> float:
        return round(self.data, digits) if digits is not None else round(self.data)

    def __format__(self, spec: str) -> str:
        return format(self.data, spec) if spec else repr(self)

    @property
    def _prev(self) -> set[Value]:
        """The Values that it was made from, under micrograd's name."""
        return {x for x in self.inputs or () if isinstance(x, Value)}

    @property
    def _op(self) -> str:
        """The name of the operation that made it, under micrograd's name."""
        return self.op.name if self.op else ""


def each(op: Primitive, inputs: tuple, shape: tuple) -> np.ndarray:
    """The operation on every element of the arrays among its inputs."""
    spread = [np.broadcast_to(x, shape) if isinstance(x, np.ndarray) else x for x in inputs]
    made = np.empty(shape, object)
    for i in np.ndindex(shape):
        made[i] = op(*(x[i].item() if isinstance(x, np.ndarray) else x for x in spread))
    return made
