"""Tensor: an ndarray that remembers what made it, with PyTorch's names and semantics."""
from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from .defaults import Default, promoted
from .errors import broadcasts, in_place_error, message, misfit, refuse_leaf, refuse_view
from .functions.index import plain
from .functions.products import matmul
from .graph import Node, Primitive, stamp, sweep, tick
from .methods import TensorMethods
from .mode import capturing, constant, derived, is_grad_enabled, local, no_grad
from .ops import elementwise as ew
from .ops.index import assign, getitem, setitem
from .ops.layout import cast, clone, sum_to

ndarray = np.ndarray
new = object.__new__
F32, F64 = np.dtype(np.float32), np.dtype(np.float64)
ONE = {F32: np.ones((), F32), F64: np.ones((), F64)}  # the usual seeds of a sweep


class Tensor(TensorMethods):
    """An array node: an ndarray, how it was made and, on leaves, the gradient that ``backward`` adds up.

    Its methods beyond those here, in PyTorch's names, are those of ``TensorMethods``.

    >>> w = tg.tensor([1., 2., 3.], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> w.grad
    tensor([2., 4., 6.])
    """

    __slots__ = ("inputs", "params", "base", "requires_grad", "_grad", "__weakref__")
    _grad: Tensor | None
    __array_priority__ = 1000
    kind = "Tensor"

    def __init__(self, *data: Any, requires_grad: bool = False):
        sizes = bool(data) and all(isinstance(n, int) for n in data)       # Tensor(2, 3), or Tensor([2, 3])
        numbers = np.zeros(data) if sizes else data[0] if data else ()
        self._set(np.array(numbers, Default.dtype), requires_grad)

    @classmethod
    def _leaf(cls, payload: ndarray, requires_grad: bool = False, base: Node | None = None) -> Tensor:
        """A leaf that holds ``payload`` itself."""
        t = new(cls)
        t._set(payload, requires_grad, base)
        return t

    @staticmethod
    def _of(payload: ndarray, requires_grad: bool = False) -> Tensor:
        """A plain tensor without history, also where self is of a subclass."""
        return Tensor._leaf(payload, requires_grad)

    def _set(self, payload: ndarray, requires_grad: bool, base: Node | None = None) -> None:
        if requires_grad and payload.dtype.kind not in "fc":
            raise RuntimeError(message("Only Tensors of floating point and complex dtype can require gradients",
                                       inputs=(payload,), op="requires_grad", instead="x.float().requires_grad_()"))
        self.payload, self.op, self.inputs = payload, None, ()
        self.params, self.born, self.note = {}, tick(), local.mode.note
        self.base, self.requires_grad, self._grad = base, requires_grad, None

    @staticmethod
    def _record(op: Primitive, inputs: tuple, params: dict, y: Any, recorded: bool) -> Tensor:
        if y.__class__ is not ndarray:                # NumPy gives scalars where a result is 0-d
            y = np.asarray(y)
        if op.promotes and y.dtype is not F32:
            y = promoted(y, op, inputs, params)
        mode = local.mode
        t = new(Tensor)
        t.payload, t.born, t.note = y, tick(), mode.note                   # three at a time: more would make a tuple
        t.params, t.base, t._grad = params, None, None
        if recorded and op.differentiable and y.dtype.kind == "f":
            t.op, t.inputs, t.requires_grad = op, inputs, True
        else:
            t.op, t.inputs, t.requires_grad = None, (), False
        if op.views and y.base is not None:
            t.base = viewed(y, inputs)
        if mode.watch is not None:
            mode.watch.made(t, op, inputs, params)
        return t

    @staticmethod
    def _fit(c: Any, x: Node, g: Any = None) -> Any:
        p = x.payload
        if c is None or c.shape != p.shape:
            c = sum_to(c, shape=p.shape) if c is not None and broadcasts(p.shape, c.shape) else misfit(c, p.shape)
        if c.dtype is not p.dtype:
            c = cast(c, dtype=p.dtype)
        if g is not None and x.op is None and c.__class__ is ndarray and (c is g or c.base is not None):
            c = c.copy()                              # a rule gives g, a view or a new array; a leaf keeps what it gets
        return c

    def _hooked(self, hook: Callable, g: Any, create_graph: bool) -> Any:
        out = hook(g if create_graph else Tensor._leaf(np.asarray(g)))
        return g if out is None else out if create_graph else out.payload

    # ---- its numbers and its gradient -------------------------------------------------------------------------------
    @property
    def data(self) -> Tensor:
        """The same memory without history. Assigning it replaces the array."""
        return Tensor._leaf(self.payload, base=self if self.base is None else self.base)

    @data.setter
    def data(self, data: Any) -> None:
        if not hasattr(data, "dtype"):
            raise TypeError(message(f"Variable data has to be a tensor, but got {type(data).__name__}", op="data",
                                    inputs=(self, data), instead="x.data = tg.tensor(...), or x.fill_(number)"))
        self.payload = data.payload if isinstance(data, Tensor) else np.asarray(data)
        stamp(self)
        if watcher := capturing():
            watcher.replaced(self)

    @property
    def grad(self) -> Tensor | None:
        """What ``backward`` added up here: on leaves, and where ``retain_grad()`` asked for it."""
        if self._grad is None and self.op is not None and not self.note.retain:
            warnings.warn(message("The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its "
                                  ".grad attribute won't be populated during autograd.backward()", op=self.op.name,
                                  instead="x.retain_grad() before backward()"), UserWarning, stacklevel=2)
        if watcher := capturing():
            watcher.touched(self)
        return self._grad

    @grad.setter
    def grad(self, grad: Tensor | None) -> None:
        if grad is not None and not isinstance(grad, Tensor):
            raise TypeError(message(
                f"assigned grad expected to be a Tensor or None but got grad of type {type(grad).__name__}",
                op="grad", inputs=(self, grad), instead="x.grad = tg.full_like(x, 3.0), or None"))
        if grad is not None and grad.shape != self.shape:
            raise RuntimeError(message(f"assigned grad has data of a different size: {grad.shape} for {self.shape}",
                                       op="grad", inputs=(self, grad), instead="a gradient of x's own shape"))
        if watcher := capturing():
            watcher.touched(self, reads=False)
        self._grad = grad

    # ---- out of the graph --------------------------------------------------------------------------------------------
    def detach(self) -> Tensor:
        """The same memory without history."""
        return Tensor._leaf(self.payload, base=self if self.base is None else self.base)

    # ---- gradients ---------------------------------------------------------------------------------------------------
    def backward(self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False,
                 inputs: Any = None) -> None:
        """Add d self / d leaf to the ``grad`` of each leaf below (of retained nodes too); frees the graph on its way.

        ``gradient`` is the adjoint of self, needed when self has more than one element. ``inputs`` are the only ones
        to get a gradient, where they are given.
        """
        targets = None if inputs is None else {inputs} if isinstance(inputs, Tensor) else set(inputs)
        keep = create_graph if retain_graph is None else retain_graph
        if create_graph or capturing() is None:
            return self._flow(seed_of(self, gradient, create_graph), create_graph, keep, targets)
        with no_grad():                               # captured: the rules are applied to nodes, so that they are seen
            self._flow(seed_of(self, gradient, True), True, keep, targets)

    def _flow(self, seed: Any, create_graph: bool, retain_graph: bool, targets: set | None) -> None:
        for node, g in sweep((self,), (seed,), targets=targets, create_graph=create_graph, retain_graph=retain_graph):
            if node in targets if targets is not None else node.op is None or node.note.retain:
                accumulate(node, g)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Ask (or no longer ask) for gradients of this leaf; returns it."""
        if self.op is not None and not requires_grad:
            raise RuntimeError(message(
                "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in "
                "a subgraph that doesn't require differentiation use var_no_grad = var.detach().",
                op="requires_grad_", inputs=(self,), instead="y = x.detach(), which shares the memory of x"))
        if self.op is None and requires_grad and self.payload.dtype.kind != "f":
            raise RuntimeError(message("only Tensors of floating point dtype can require gradients",
                                       op="requires_grad_", inputs=(self,), instead="x.float().requires_grad_()"))
        self.requires_grad = requires_grad
        return self

    # ---- operators that a Value does not have ------------------------------------------------------------------------
    def __matmul__(self, other: Any) -> Tensor: return matmul(self, other)
    def __rmatmul__(self, other: Any) -> Tensor: return matmul(other, self)
    def __and__(self, other: Any) -> Tensor: return ew.bitwise_and(self, other)
    def __or__(self, other: Any) -> Tensor: return ew.bitwise_or(self, other)
    def __xor__(self, other: Any) -> Tensor: return ew.bitwise_xor(self, other)
    def __invert__(self) -> Tensor: return ew.bitwise_not(self)
    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__
    def __getitem__(self, index: Any) -> Tensor: return getitem(self, index=plain(index))

    # ---- in place ----------------------------------------------------------------------------------------------------
    def _in_place(self, op: Primitive, *others: Any, **params: Any) -> Tensor:
        """self = op(self, *others) in self's own memory. Recorded, self becomes the output of a new node whose input
        is the version before (a copy of it; but the memory itself for item assignment, whose rules read no numbers)."""
        mode = local.mode
        recorded = mode.recording and any(isinstance(x, Node) and x.requires_grad for x in (self, *others))
        recorded = recorded and self.payload.dtype.kind == "f"
        if recorded:
            refuse_leaf(self, op)
            refuse_view(self, op)
        if watcher := capturing():
            watcher.resolve(self)                     # what it holds before the change
        values = [x.payload if isinstance(x, Node) else x for x in others]
        p = self.payload
        held = derived(p.copy(), p) if recorded and op is not setitem else p
        try:
            if op is setitem:
                assign(p, values[0], **params)
            elif isinstance(op.fn, np.ufunc):
                op.fn(p, *values, out=p, casting="same_kind")
            else:
                y = op.fn(p, *values, **params)
                if y.shape != p.shape:
                    raise ValueError(f"output with shape {p.shape} doesn't match the broadcast shape {y.shape}")
                np.copyto(p, y, casting="same_kind")
        except Exception as error:
            raise in_place_error(error, op, self, others, mode.note.layer) from None
        note = self.note.but()
        stamp(self)
        if recorded:
            before = new(Tensor)
            before.payload, before.op, before.inputs, before.params = held, self.op, self.inputs, self.params
            before.born, before.base, before.requires_grad, before._grad = self.born, None, self.requires_grad, None
            before.note = note
            self.op, self.inputs, self.params, self.born = op, (before, *others), params, tick()
            self.requires_grad = True
            if held is p:
                stamp(before)                         # its numbers are gone: a rule that reads them must not
        if mode.watch is not None:
            mode.watch.made(self, op, (self, *others), params)
        return self

    def __iadd__(self, other: Any) -> Tensor: return self._assign(ew.add, other)
    def __isub__(self, other: Any) -> Tensor: return self._assign(ew.sub, other)
    def __imul__(self, other: Any) -> Tensor: return self._assign(ew.mul, other)
    def __itruediv__(self, other: Any) -> Tensor: return self._assign(ew.div, other)
    def __ipow__(self, other: Any) -> Tensor: return self._assign(ew.pow, other)

    def _assign(self, op: Primitive, other: Any) -> Tensor:
        """``x += y``: in place where nothing is recorded; else a new node takes the name."""
        if is_grad_enabled() and (self.requires_grad or (isinstance(other, Node) and other.requires_grad)):
            refuse_leaf(self, op)
            y, p = op(self, other), self.payload
            if y.payload.shape == p.shape and y.payload.dtype.kind == p.dtype.kind:
                return y if y.payload.dtype is p.dtype else cast(y, dtype=p.dtype)
        return self._in_place(op, other)              # or refused there

    def __setitem__(self, index: Any, value: Any) -> None:
        if not isinstance(value, (Tensor, int, float, np.generic)):
            raise TypeError(message(f"can't assign a {type(value).__name__} to a Tensor", op="setitem",
                                    inputs=(self, value), instead="x[i] = tg.tensor(...), or a number"))
        self._in_place(setitem, value, index=plain(index))


def viewed(y: ndarray, inputs: tuple) -> Node | None:
    """The tensor whose memory ``y``, the result of a viewing primitive, shares; None where it had to be copied."""
    for x in inputs:
        if isinstance(x, Node):
            p = x.payload
            if y.base is p or y.base is p.base and p.base is not None:
                return x if x.base is None else x.base
    return None


def seed_of(root: Any, gradient: Any, create_graph: bool) -> Any:
    """The adjoint that a sweep starts from: 1 for a single element, else what the user gave."""
    if not root.requires_grad:
        raise RuntimeError(message("element 0 of tensors does not require grad and does not have a grad_fn",
                                   op="backward", inputs=(root,), instead="make a leaf with requires_grad=True, "
                                   "compute outside no_grad(), and do not detach() on the way"))
    p = root.payload
    if gradient is None:
        if p.size != 1:
            raise RuntimeError(message("grad can be implicitly created only for scalar outputs", op="backward",
                                       inputs=(root,), instead="loss.sum().backward(), or backward(gradient)"))
        g: Any = ONE.get(p.dtype) if p.ndim == 0 else None
        g = np.ones(p.shape, p.dtype) if g is None or root.op is None else g
        return constant(Tensor._leaf(g)) if create_graph else g
    if not hasattr(gradient, "shape"):
        raise TypeError(message(f"gradients can be either Tensors or None, but got {type(gradient).__name__}",
                                op="backward", inputs=(root, gradient), instead="y.backward(tg.ones_like(y))"))
    if tuple(gradient.shape) != p.shape:
        raise RuntimeError(message(f"Mismatch in shape: grad_output has a shape of {tuple(gradient.shape)} and output "
                                   f"has a shape of {p.shape}", op="backward", inputs=(root, gradient),
                                   instead="a gradient of the output's own shape: y.backward(tg.ones_like(y))"))
    if create_graph:
        g = None if isinstance(gradient, Tensor) else derived(np.array(gradient, p.dtype), gradient)
        return gradient if g is None else Tensor._leaf(g)
    return np.array(gradient.payload if isinstance(gradient, Tensor) else gradient, p.dtype)


def accumulate(node: Tensor, g: Any) -> None:
    """node.grad += g. What a leaf receives is its own (see _fit); any other adjoint is copied the first time."""
    have = node._grad
    if isinstance(g, Tensor):
        if watcher := capturing():
            watcher.touched(node)
        if watcher is None or g.requires_grad:
            node._grad = g if have is None else have + g
        elif have is None:                            # captured, as in the other cases below
            node._grad = clone(g)
        else:
            have._in_place(ew.add, g)
    elif have is None:
        node._grad = Tensor._leaf(g if node.op is None and g.__class__ is ndarray else np.array(g))
    else:
        np.add(have.payload, g, out=have.payload)
