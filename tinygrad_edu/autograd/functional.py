"""Derivatives of functions (torch.autograd.functional), composed of sweeps down and pushes up the recorded graph."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import message
from ..functions.join import stack
from ..graph import Node
from ..mode import constant, enable_grad
from ..tensor import Tensor
from .forward import on_nodes, pushed
from .reverse import adjoints, detached, leaf, several, tracked, wrapped


def called(func: Callable, inputs: Any, create_graph: bool) -> tuple[list, tuple]:
    """The inputs as nodes of their own, and the outputs of the function there."""
    xs = [tracked(x if create_graph or not isinstance(x, Node) else detached(x)) for x in several(inputs)]
    ys = several(func(*xs))
    if not all(isinstance(y, Node) for y in ys):
        raise TypeError(message(f"the function must return Tensors or Values, but it returned {type(ys[0]).__name__}",
                                instead="the result of operations on its arguments"))
    return xs, ys


def vectors(v: Any, ends: Sequence[Any], create_graph: bool) -> list:
    """One vector for each of ``ends``, checked; without ``v`` 1 for a single number."""
    if v is None and (len(ends) > 1 or np.size(ends[0].payload) != 1):
        raise RuntimeError(message("The vector v can only be None where it would have a single element",
                                   inputs=tuple(ends), instead="v with the same shapes"))
    found = []
    for u, x in zip((1.0,) if v is None else several(v), ends, strict=True):
        u = float(u) if isinstance(u, (int, float)) else u
        p = getattr(u, "payload", u)
        if v is not None and np.shape(p) != np.shape(x.payload):
            raise RuntimeError(message(f"v has invalid size: should be {np.shape(x.payload)} but got {np.shape(p)}",
                                       inputs=(x,), instead="v with the same shapes"))
        u = u if isinstance(u, Node) else leaf(x, p)
        found.append(u if on_nodes(create_graph) else u.payload)
    return found


def completed(parts: Sequence[Any], xs: Sequence[Any], strict: bool = False) -> list:
    """The derivatives as they are handed out, zero where there is none; with ``strict`` that is an error."""
    if strict and any(g is None for g in parts):
        raise RuntimeError(message("an output is independent of an input, which strict mode does not allow",
                                   inputs=tuple(xs), instead="strict=False, which gives zeros"))
    return [leaf(x, 0) if g is None else wrapped(g, x) for g, x in zip(parts, xs, strict=True)]


def pulled(ys: Sequence[Any], seeds: Sequence[Any], xs: Sequence[Any], create_graph: bool) -> list:
    """``adjoints`` from those outputs that depend on anything."""
    live = [(y, u) for y, u in zip(ys, seeds, strict=True) if y.requires_grad]
    return adjoints([y for y, _ in live], [u for _, u in live], xs, create_graph) if live else [None] * len(xs)


def as_given(parts: Sequence[Any], given: Any) -> Any:
    """A tuple where a tuple was given, else the one thing."""
    return tuple(parts) if isinstance(given, (tuple, list)) else parts[0]


def value_of(ys: Sequence[Any], create_graph: bool) -> Any:
    """The outputs of the function, without their history unless it was asked for."""
    out = tuple(y if create_graph else detached(y) for y in ys)
    return out[0] if len(out) == 1 else out


def vjp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """(f(x), J^T v): the vector-Jacobian product, by one sweep.

    >>> tg.autograd.vjp(lambda x: x ** 2, tg.tensor([1., 2.]), tg.tensor([1., 10.]))[1]
    tensor([ 2., 40.])
    """
    with enable_grad():
        xs, ys = called(func, inputs, create_graph)
        found = pulled(ys, vectors(v, ys, create_graph), xs, create_graph)
    return value_of(ys, create_graph), as_given(completed(found, xs, strict), inputs)


def jvp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """(f(x), J v): the Jacobian-vector product, by forward mode.

    >>> tg.autograd.jvp(lambda x: x ** 2, tg.tensor([1., 2.]), tg.tensor([1., 10.]))[1]
    tensor([ 2., 40.])
    """
    with enable_grad():
        xs, ys = called(func, inputs, create_graph)
        found = pushed(ys, dict(zip(xs, vectors(v, xs, create_graph), strict=True)), create_graph)
    found = completed(found, ys, strict)
    return value_of(ys, create_graph), found[0] if len(ys) == 1 else tuple(found)


def units(x: Any, create_graph: bool) -> Iterator[Any]:
    """The unit vectors of the space that ``x`` lives in."""
    for k in range(np.size(x.payload)):
        e = np.zeros(np.shape(x.payload), np.asarray(x.payload).dtype)
        e.flat[k] = 1
        yield leaf(x, constant(e)) if on_nodes(create_graph) else float(e) if x.scalar else e


def jacobian(func: Callable, inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
             strategy: str = "reverse-mode") -> Any:
    """d f_i / d x_j for each output and input, in the shape of the output followed by that of the input.

    "reverse-mode" sweeps once for each element of the output, "forward-mode" pushes once for each of the input.

    >>> tg.autograd.jacobian(lambda x: x ** 2, tg.tensor([1., 2.])).tolist()
    [[2.0, 0.0], [0.0, 4.0]]
    """
    with enable_grad():
        xs, ys = called(func, inputs, create_graph)
        if strategy == "forward-mode":
            columns = [[completed(pushed(ys, {x: e}, create_graph), ys, strict) for e in units(x, create_graph)]
                       for x in xs]
            blocks = [[block([c[i] for c in columns[j]], x, y, turned=True) for j, x in enumerate(xs)]
                      for i, y in enumerate(ys)]
        else:
            rows = [[completed(pulled([y], [e], xs, create_graph), xs, strict) for e in units(y, create_graph)]
                    for y in ys]
            blocks = [[block([r[j] for r in rows[i]], y, x) for j, x in enumerate(xs)] for i, y in enumerate(ys)]
    found = [as_given(row, inputs) for row in blocks]
    return found[0] if len(ys) == 1 else tuple(found)


def block(parts: list, first: Any, second: Any, turned: bool = False) -> Any:
    """One block of a Jacobian, out of its part along each element of ``first``; between two Values, the one number."""
    if first.scalar and second.scalar:
        return parts[0]
    parts = [p if isinstance(p, Tensor) else Tensor._leaf(np.asarray(float(p))) for p in parts]
    a, b = np.shape(first.payload), np.shape(second.payload)
    whole = stack(parts).reshape(*a, *b) if parts else constant(Tensor._leaf(np.empty((*a, *b), first.dtype)))
    return whole.permute(*range(len(a), len(a + b)), *range(len(a))) if turned else whole


def gradient(y: Any, xs: Sequence[Any]) -> list:
    """The gradient of a single number, with a graph of its own."""
    if not isinstance(y, Node) or np.size(y.payload) != 1:
        raise RuntimeError(message("the Hessian is that of a function whose result is a single number", inputs=(y,),
                                   instead="reduce it, as in f(x).sum()"))
    found = pulled([y], [leaf(y, 1)], xs, True)
    return [x * 0 if g is None else g for g, x in zip(found, xs, strict=True)]


def hessian(func: Callable, inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
            outer_jacobian_strategy: str = "reverse-mode") -> Any:
    """d^2 f / d x_i d x_j of a function whose result is a single number: the Jacobian of its gradient.

    >>> tg.autograd.hessian(lambda x: (x ** 3).sum(), tg.tensor([1., 2.])).tolist()
    [[6.0, 0.0], [0.0, 12.0]]
    """
    found = jacobian(lambda *xs: gradient(func(*xs), xs), several(inputs), create_graph, strict, vectorize,
                     outer_jacobian_strategy)
    found = found if len(several(inputs)) > 1 else (found,)
    return found if isinstance(inputs, (tuple, list)) else found[0][0]


def hvp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """(f(x), H v) without ever forming H: J v of the gradient, forward over reverse (Pearlmutter 1994).

    >>> tg.autograd.hvp(lambda x: (x ** 3).sum(), tg.tensor([1., 2.]), tg.tensor([1., 1.]))[1]
    tensor([ 6., 12.])
    """
    with enable_grad():
        xs, ys = called(func, inputs, create_graph)
        tangents = dict(zip(xs, vectors(v, xs, create_graph), strict=True))
        found = pushed(gradient(ys[0], xs), tangents, create_graph)
    return value_of(ys, create_graph), as_given(completed(found, xs, strict), inputs)


def vhp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """(f(x), v^T H): J^T v of the gradient, reverse over reverse. H is symmetric, so it equals ``hvp``."""
    with enable_grad():
        xs, ys = called(func, inputs, create_graph)
        found = pulled(gradient(ys[0], xs), vectors(v, xs, create_graph), xs, create_graph)
    return value_of(ys, create_graph), as_given(completed(found, xs, strict), inputs)
