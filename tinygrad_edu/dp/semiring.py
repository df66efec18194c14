"""The same sweep, other questions: with another (plus, times) than (+, x) the table answers something else."""
from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..errors import message
from ..graph import Node
from .steps import below, contribution, edges

Edge = tuple[Node, int]                               # a node, and which of its inputs


def semiring(start: Node, weight: Callable[[Node, int], Any], plus: Callable = operator.add,
             times: Callable = operator.mul, one: Any = 1, up_to: Node | None = None) -> dict[Node, Any]:
    """For each node the ``plus``, over all paths from ``start`` to it, of the ``times`` of the ``weight`` of each edge.

    Paths lead from ``start`` down to what it was made from; with ``up_to``, from ``start`` up to that result. They are
    not walked: times must distribute over plus, which is what makes the sweep right, for gradients as for all else.

    >>> x = Value(2.0)
    >>> y = x * x + x
    >>> semiring(y, lambda node, i: 1)[x]             # the number of paths
    3
    """
    nodes = below(start if up_to is None else up_to)
    if up_to is None:
        steps = [(node, x, (node, i)) for node in reversed(nodes) for i, x in edges(node)]
    else:
        steps = [(x, node, (node, i)) for node in nodes for i, x in edges(node)]
    table = {start: one}
    for a, b, edge in steps:                          # a is solved: all steps that end in it came before
        if a in table:
            c = times(table[a], weight(*edge))
            table[b] = plus(table[b], c) if b in table else c
    return table


# ---- questions ------------------------------------------------------------------------------------------------------

def number_of_paths(loss: Node) -> dict[Node, int]:
    """(+, x) on 1: how many paths lead from ``loss`` to each node, exact, and as fast as one sweep."""
    return semiring(loss, lambda node, i: 1)


def reachable(start: Node, up_to: Node) -> dict[Node, bool]:
    """(or, and) on True: the nodes below ``up_to`` that ``start`` reaches, all others are missing."""
    return semiring(start, lambda node, i: True, operator.or_, operator.and_, True, up_to)


def longest(loss: Node) -> dict[Node, int]:
    """(max, +) on 1: the steps of the longest path from ``loss`` to each node."""
    return semiring(loss, lambda node, i: 1, max, operator.add, 0)


def gradient(loss: Node) -> dict[Node, float]:
    """(+, x) on local derivatives: reverse mode."""
    return semiring(loss, slope, one=1.0)


def tangent(x: Node, loss: Node) -> dict[Node, float]:
    """(+, x) on local derivatives, upwards: forward mode, the derivative of every node with respect to ``x``.

    >>> x = Value(2.0)
    >>> y = x * x * x
    >>> tangent(x, y)[y]
    12.0
    """
    return semiring(x, slope, one=1.0, up_to=loss)


class Route(NamedTuple):
    """A path as the product of its local derivatives and its edges, newest first."""

    product: float
    edges: tuple[Edge, ...]


def most_influential(loss: Node) -> dict[Node, Route]:
    """(the larger in size, x) on local derivatives: for each node the path that carries most of its gradient.

    >>> x = Value(2.0)
    >>> y = x * x * x + x
    >>> route = most_influential(y)[x]
    >>> route.product, len(route.edges)
    (4.0, 2)
    """
    def further(route: Route, step: Route) -> Route:
        return Route(route.product * step.product, route.edges + step.edges)

    def larger(a: Route, b: Route) -> Route:
        return b if abs(b.product) > abs(a.product) else a

    return semiring(loss, lambda node, i: Route(slope(node, i), ((node, i),)), larger, further, Route(1.0, ()))


def slope(node: Node, i: int) -> float:
    """The local derivative d node / d its input i, a number: what its rule sends back for an adjoint of 1."""
    x, y = node.inputs[i], node.payload
    if node.scalar:
        return float(contribution(node, i, 1.0))
    if y.size != 1 or x.payload.size != 1:
        raise TypeError(message("the local derivative of tensors with several elements is a matrix, not a number",
                                op=node.op.name if node.op else "", inputs=node.inputs, layer=node.note.layer,
                                instead="autograd.jvp for forward mode, explain(loss, w) for the paths"))
    return float(contribution(node, i, np.ones_like(y)).item())
