"""Reverse mode, J^T u: the recorded graph is swept from the results down to the inputs."""
from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..errors import message
from ..functions.join import stack
from ..graph import Node, order, sweep, tick
from ..mode import capturing, constant, derived, enable_grad, set_grad_enabled
from ..ops import elementwise as ew
from ..tensor import Tensor, accumulate, seed_of
from ..value import Value


def several(x: Any) -> tuple:
    """One thing, or a sequence of things, as a tuple."""
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def leaf(x: Node, number: Any, requires_grad: bool = False) -> Any:
    """A new leaf of the kind, shape and dtype of ``x``, with this number (or array) in it."""
    if x.scalar:
        return Value(number)
    payload = np.full_like(x.payload, number, subok=False)
    return Tensor._leaf((derived(payload, number) if hasattr(number, "dtype") else constant(payload)), requires_grad)


def detached(x: Any) -> Any:
    """The same numbers without history."""
    return Value(x.payload) if x.scalar else x.detach()


def adjoints(roots: Sequence[Node], seeds: Sequence[Any], targets: Sequence[Node], create_graph: bool = False,
             retain_graph: bool = True) -> list:
    """The adjoint of each target in a sweep from the roots: an array or number, a node under ``create_graph``; None
    where no root depends on it."""
    found: dict = dict.fromkeys(targets)
    nodes = create_graph or captured(roots)
    with set_grad_enabled(create_graph):
        for node, g in sweep(roots, as_nodes(seeds, nodes), targets=targets, create_graph=nodes,
                             retain_graph=retain_graph):
            if node in found:
                found[node] = g
    return [found[x] for x in targets]


def captured(roots: Sequence[Node]) -> bool:
    """Whether the sweep is captured as part of a program: then its rules are applied to nodes, to be seen."""
    watcher = capturing()
    if watcher is not None and roots[0].scalar:
        watcher.refused("autograd's functions on Values", "value.backward(), or Tensors")
    return watcher is not None


def as_nodes(seeds: Sequence[Any], nodes: bool) -> list:
    """The seeds of a sweep, as tensors when it works on nodes."""
    return [Tensor._leaf(g) if nodes and isinstance(g, np.ndarray) else g for g in seeds]


def wrapped(g: Any, x: Node) -> Any:
    """An adjoint as it is handed out: a Tensor with memory of its own for a Tensor, a number for a Value."""
    return g if x.scalar or isinstance(g, Node) else Tensor._leaf(np.array(g))


def seeds_for(roots: Sequence[Any], given: Any, create_graph: bool) -> list:
    """What a sweep starts from at each root: what was given, or 1 for a single element."""
    given = (None,) * len(roots) if given is None else several(given)
    if len(given) != len(roots):
        raise RuntimeError(message(f"got {len(roots)} tensors and {len(given)} gradients", op="grad",
                                   instead="one gradient, or None, for each output"))
    seeds = []
    for y, g in zip(roots, given, strict=True):
        if not y.scalar:
            seeds.append(seed_of(y, g, create_graph or capturing() is not None))
        elif create_graph:
            seeds.append(g if isinstance(g, Node) else Value(1.0 if g is None else g))
        else:
            seeds.append(1.0 if g is None else float(g))
    return seeds


def backward(tensors: Any, grad_tensors: Any = None, retain_graph: bool | None = None, create_graph: bool = False,
             grad_variables: Any = None, inputs: Any = None) -> None:
    """Add the gradients of all ``tensors`` together to the ``grad`` of the leaves below, or only to that of ``inputs``.

    >>> x = tg.tensor([1., 2.], requires_grad=True)
    >>> tg.autograd.backward([x.sum(), (x * x).sum()])
    >>> x.grad
    tensor([3., 5.])
    """
    grad_tensors = grad_variables if grad_tensors is None else grad_tensors           # the older name
    roots, targets = several(tensors), None if inputs is None else set(several(inputs))
    seeds = seeds_for(roots, grad_tensors, create_graph)
    keep = create_graph or roots[0].scalar if retain_graph is None else retain_graph
    if not create_graph and captured(roots):
        with set_grad_enabled(False):
            collect(sweep(roots, as_nodes(seeds, True), targets=targets, create_graph=True, retain_graph=keep), targets)
    else:
        collect(sweep(roots, seeds, targets=targets, create_graph=create_graph, retain_graph=keep), targets)


def collect(solved: Iterable, targets: set | None) -> None:
    """Add each adjoint to the grad of its node, where that keeps one."""
    for node, g in solved:
        if targets is not None and node not in targets:
            continue
        if node.scalar:
            node.grad = node.grad + g
        elif targets is not None or node.op is None or node.note.retain:
            accumulate(node, g)


def grad(outputs: Any, inputs: Any = None, grad_outputs: Any = None, retain_graph: bool | None = None,
         create_graph: bool = False, only_inputs: bool = True, allow_unused: bool | None = None,
         is_grads_batched: bool = False, materialize_grads: bool = False, *, argnums: Any = 0) -> Any:
    """sum_k (d outputs_k / d input)^T grad_outputs_k for each input (torch.autograd.grad).

    Given a function instead of outputs: the function that computes its gradient with respect to argument number
    ``argnums`` (or each of several). Its arguments may be Tensors, Values, arrays or plain numbers.

    >>> x = tg.tensor(3., requires_grad=True)
    >>> tg.autograd.grad(x ** 2, x)
    (tensor(6.),)
    >>> grad = tg.autograd.grad
    >>> grad(lambda x: x ** 3)(2.0), grad(grad(lambda x: x ** 3))(2.0)
    (12.0, 12.0)
    """
    if callable(outputs) and not isinstance(outputs, Node):
        both = value_and_grad(outputs, argnums if inputs is None else inputs)
        return functools.wraps(outputs)(lambda *args, **kwargs: both(*args, **kwargs)[1])
    if inputs is None:
        raise TypeError(message("grad() needs the inputs to differentiate with respect to", op="grad",
                                instead="grad(loss, list(model.parameters())), or grad(f) of a function f"))
    roots, targets = several(outputs), several(inputs)
    if not all(isinstance(x, Node) for x in (*roots, *targets)):
        raise TypeError(message("grad() differentiates Tensors and Values with respect to Tensors and Values",
                                op="grad", inputs=(*roots, *targets), instead="autograd.grad(f)(x), f a function"))
    if not all(x.requires_grad for x in targets):
        raise RuntimeError(message("One of the differentiated Tensors does not require grad", op="grad", inputs=targets,
                                   instead="requires_grad=True where it is made"))
    keep = create_graph or roots[0].scalar if retain_graph is None else retain_graph       # Values keep their graph
    if is_grads_batched:                              # one sweep for each row of the grad_outputs
        rows = list(zip(*several(grad_outputs), strict=True))
        found = [grad(roots, targets, us, keep or k < len(rows) - 1, create_graph, only_inputs, allow_unused, False,
                      materialize_grads) for k, us in enumerate(rows)]
        return tuple(None if parts[0] is None else stack(parts) for parts in zip(*found, strict=True))
    found = adjoints(roots, seeds_for(roots, grad_outputs, create_graph), targets, create_graph, keep)
    if any(g is None for g in found) and not (allow_unused or materialize_grads):
        raise RuntimeError(message("One of the differentiated Tensors appears to not have been used in the graph. Set "
                                   "allow_unused=True if this is the desired behavior.", op="grad", inputs=targets,
                                   instead="allow_unused=True gives None for it, materialize_grads=True zeros"))
    return tuple(wrapped(g, x) if g is not None else leaf(x, 0) if materialize_grads else None
                 for g, x in zip(found, targets, strict=True))


def value_and_grad(f: Callable, argnums: Any = 0) -> Callable:
    """The function that returns f(x) and its gradient with respect to the argument, or arguments, ``argnums``.

    >>> tg.autograd.value_and_grad(lambda x, y: x * y, argnums=(0, 1))(2.0, 5.0)
    (10.0, (5.0, 2.0))
    """
    @functools.wraps(f)
    def both(*args: Any, **kwargs: Any) -> tuple:
        start = tick()
        with enable_grad():
            xs = {i: tracked(args[i]) for i in several(argnums)}
            y = f(*[xs.get(i, a) for i, a in enumerate(args)], **kwargs)
            y = Value(y) if isinstance(y, (int, float)) else y                # it does not depend on its arguments
            if not isinstance(y, Node) or np.size(y.payload) != 1:
                raise TypeError(message("a gradient is that of a function whose result is a single number", op="grad",
                                        inputs=(y,), instead="reduce it, as in f(x).sum(), or use autograd.jacobian"))
            # a leaf that was there before belongs to a derivative around this one, or to parameters
            outer = y.requires_grad and any(n.op is None and n.born < start for n in order([y]))
            found = [leaf(x, 0) for x in xs.values()]
            if y.requires_grad:
                found = list(grad(y, list(xs.values()), create_graph=outer, materialize_grads=True))
        found = [like_given(g, args[i]) for i, g in zip(xs, found, strict=True)]
        value = like_given(y if outer else detached(y), args[next(iter(xs))])
        return value, tuple(found) if isinstance(argnums, (tuple, list)) else found[0]
    return both


def tracked(x: Any) -> Any:
    """The argument as a node to differentiate with respect to. One that an outer derivative follows stays connected
    with it, by a step that changes nothing, so that the two derivatives are told apart."""
    if isinstance(x, Node) and x.requires_grad:
        return ew.mul(x, 1)
    if isinstance(x, Tensor):
        return x.detach().requires_grad_()
    return Tensor._leaf(derived(x, x), True) if isinstance(x, np.ndarray) else Value(x)


def like_given(y: Any, given: Any) -> Any:
    """A result in the kind of the argument: a number for a number, an array for an array, else a node; but a node that
    an outer derivative follows stays one."""
    if isinstance(given, Node):
        return y if isinstance(y, Node) else Value(y)
    if not isinstance(y, (Tensor, Value)) or y.op is not None:
        return y
    return y.item() if np.ndim(y.payload) == 0 else y.payload
