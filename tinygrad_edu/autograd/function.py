"""Function: an operation with a derivative written by the user, as in torch.autograd.Function."""
from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import message
from ..graph import Node, Primitive
from ..mode import constant, is_grad_enabled, no_grad, set_grad_enabled
from ..tensor import Tensor


class Context:
    """What ``forward`` leaves for ``backward``: saved tensors, and any attributes of the user's own.

    A saved input or output is not kept itself: ``backward`` gets it from the sweep, as every rule does. So it can be
    differentiated through again, a change in place is noticed, and nothing refers to itself.
    """

    needs_input_grad: tuple[bool, ...] = ()
    _saved: tuple = ()
    _constant: tuple = ()
    _read: Callable

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep these for ``backward``, where ``ctx.saved_tensors`` gives them back."""
        self._saved = tensors

    save_for_forward = save_for_backward

    @property
    def saved_tensors(self) -> tuple:
        """What ``save_for_backward`` kept."""
        return tuple(self._read(x) if isinstance(x, tuple) else x for x in self._saved)

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """Say that these outputs have no derivative; whole numbers never have one."""
        self._constant = outputs

    def mark_dirty(self, *inputs: Tensor) -> None:
        """Refused: a Function here may not change its inputs in place."""
        raise RuntimeError(message("a Function that changes its input in place is not supported", op="mark_dirty",
                                   instead="return a new tensor from forward"))

    def set_materialize_grads(self, value: bool) -> None:
        """Accepted; the gradient of an unused output is always given as zeros."""


class Custom(Primitive):
    """The primitive of one call of a Function: its function runs ``forward``, its joint rule ``backward``.

    Several outputs travel as one flat array, which ordinary recorded operations cut apart: see ops/factor.py.
    """

    def __init__(self, function: type[Function], args: tuple):
        super().__init__(function.__name__, self.run, (), "general", joint=self.run_back, doc=function.__doc__ or "",
                         register=False)
        self.function, self.ctx, self.tensors = function, Context(), [isinstance(x, Tensor) for x in args]
        self.ctx.needs_input_grad = tuple(isinstance(x, Tensor) and x.requires_grad for x in args)
        self.args: tuple | None = args                # only while the first forward runs

    def run(self, *values: Any) -> np.ndarray:
        """Run the forward, without recording; note the shapes of the outputs and which saved tensor is which."""
        function, ctx = self.function, self.ctx
        args = self.args or tuple(Tensor._leaf(v) if t else v for v, t in zip(values, self.tensors, strict=True))
        with no_grad():
            if function.setup_context is Function.setup_context:
                out = function.forward(ctx, *args)
            else:
                out = function.forward(*args)
                function.setup_context(ctx, args, out)
        self.single, self.outputs = not isinstance(out, tuple), out if isinstance(out, tuple) else (out,)
        self.live = [i for i, y in enumerate(self.outputs) if isinstance(y, Tensor) and y.is_floating_point()
                     and not any(y is c for c in ctx._constant)]
        self.shapes = [y.shape if isinstance(y, Tensor) else None for y in self.outputs]
        ctx._saved = tuple(self.place(x, args) for x in ctx._saved)
        parts = [self.outputs[i].payload for i in self.live]
        if len(parts) != 1:
            return np.concatenate([p.ravel() for p in parts]) if parts else np.zeros(0)
        return parts[0].copy() if any(parts[0] is v for v in values) else parts[0]

    def place(self, x: Any, args: tuple) -> Any:
        """Where the sweep has a saved tensor: (0, i) for input i, (1, j) for output j; others are kept themselves."""
        for k, group in enumerate((args, [self.outputs[i] for i in self.live])):
            for i, other in enumerate(group):
                if x is other and isinstance(x, Tensor):
                    return k, i
        return x

    def cut(self, y: Any) -> list:
        """The differentiable outputs, or their adjoints, out of the array that carries them."""
        if len(self.live) == 1:
            return [y]
        ends = np.cumsum([0, *[int(np.prod(self.shapes[i])) for i in self.live]]).tolist()
        return [y[a:b].reshape(self.shapes[i]) for i, a, b in zip(self.live, ends, ends[1:], strict=False)]

    def run_back(self, g: Any, y: Any, *values: Any, needs: list, **params: Any) -> list:
        """Run the backward on Tensors: recorded under create_graph, else not."""
        def read(place: tuple) -> Any:
            x = self.cut(y)[place[1]] if place[0] else values[place[1]]
            return Tensor._leaf(x) if isinstance(x, np.ndarray) else x

        recorded = isinstance(g, Node)
        self.ctx._read = read
        with set_grad_enabled(recorded):
            parts = iter(self.cut(g if recorded else Tensor._leaf(np.asarray(g))))
            grads = [next(parts) if i in self.live else None if s is None else constant(Tensor._leaf(np.zeros(s)))
                     for i, s in enumerate(self.shapes)]
            out = self.function.backward(self.ctx, *grads)
        del self.ctx._read
        out = list(out) if isinstance(out, (tuple, list)) else [out]
        if len(out) < len(values) or any(c is not None for c in out[len(values):]):
            what = f"returned an incorrect number of gradients (expected {len(values)}, got {len(out)})"
            raise RuntimeError(message(f"function {self.name}Backward {what}", op=self.name,
                                       instead="one for each argument of forward after ctx, None where there is none"))
        out = [self.checked(i, out[i], values[i]) if need else None for i, need in enumerate(needs)]
        return [c.payload if isinstance(c, Node) and not recorded else c for c in out]

    def checked(self, i: int, c: Any, x: Any) -> Any:
        """The gradient for input i, zeros for None, in a shape that can be summed to that of the input."""
        if c is None:
            return constant(Tensor._leaf(np.zeros(x.shape, x.dtype)))
        if c.shape != x.shape:
            extra = len(c.shape) - len(x.shape)
            if extra < 0 or any(n not in (1, m) for n, m in zip(x.shape, c.shape[extra:], strict=True)):
                what = f"at index {i} - got {list(c.shape)} but expected shape compatible with {list(x.shape)}"
                raise RuntimeError(message(f"Function {self.name}Backward returned an invalid gradient {what}",
                                           op=self.name, instead=f"a gradient in the shape of argument {i} of forward"))
        return c


class Function:
    """An operation that brings its own derivative: subclass it and give ``forward`` and ``backward``.

    ``backward`` receives the gradient of each output and returns one for each argument of ``forward``. When it is
    written with Tensor operations it can be differentiated again.

    >>> class Cube(tg.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x ** 3
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         x, = ctx.saved_tensors
    ...         return g * 3 * x ** 2
    >>> x = tg.tensor(2., requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        """The outputs; without ``ctx`` when there is a ``setup_context``."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Any) -> None:
        """Save what ``backward`` needs, apart from ``forward``."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradients of the arguments, from those of the outputs."""
        raise NotImplementedError("You must implement the backward function for your custom autograd.Function.")

    vjp = backward

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """The outputs of ``forward`` at these arguments, recorded."""
        op = Custom(cls, args)
        payload = op.run(*[x.payload if isinstance(x, Tensor) else x for x in args])    # its errors stay as they are
        op.args = None
        y = Tensor._record(op, args, {}, payload, is_grad_enabled() and any(op.ctx.needs_input_grad))
        parts = dict(zip(op.live, op.cut(y), strict=True)) if op.live else {}
        out = tuple(parts.get(i, given) for i, given in enumerate(op.outputs))
        del op.outputs                                # they would refer to themselves through ctx
        return out[0] if op.single else out


class Once(Function):
    """x, where the gradient must not be differentiated again."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """x."""
        return x

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        """The refusal."""
        raise RuntimeError(message("trying to differentiate twice a function that was marked with @once_differentiable",
                                   instead="write its backward with Tensor operations, without the decorator"))


def once_differentiable(backward: Callable) -> Callable:
    """Mark a ``backward`` that computes outside the graph (with NumPy, say): differentiating it again is an error."""
    @functools.wraps(backward)
    def wrapper(ctx: Any, *grads: Any) -> Any:
        with no_grad():
            out = backward(ctx, *grads)
        out = out if isinstance(out, tuple) else (out,)
        return tuple(Once.apply(x.detach().requires_grad_()) if isinstance(x, Tensor) else x for x in out)
    return wrapper
