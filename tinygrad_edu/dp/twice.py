"""The gradient's own graph, with a name for each adjoint: to be drawn, tabulated and explained as any other."""
from __future__ import annotations

from typing import Any

from ..errors import message
from ..graph import Node, sweep, tick
from ..tensor import Tensor
from ..value import Value
from .names import names_of
from .steps import below, seed


def gradient_graph(loss: Node, w: Node, names: Any = None) -> Node:
    """d loss / d w as a node, made of nodes that are called grad_v where they are the adjoint of v.

    >>> x = Value(2.0, label="x")
    >>> y = x * x * x; y.label = "y"
    >>> g = gradient_graph(y, x)                      # 3 x^2; its own derivative is 6 x
    >>> g.data, gradient_graph(g, x).data
    (12.0, 12.0)
    """
    nodes, now = below(loss), tick()
    called = names_of(nodes, loss, names)
    start = Value(seed(loss)) if loss.scalar else Tensor._leaf(seed(loss))
    found = None
    for node, g in sweep([loss], [start], targets=[w], create_graph=True):
        if isinstance(g, Node) and g.born > now and not g.name:
            g.name = f"grad_{called[node]}"
        if node is w:
            found = g
    if found is None:
        raise RuntimeError(message("One of the differentiated Tensors appears to not have been used in the graph",
                                   op="gradient_graph", inputs=(w,), instead="gradient_graph(loss, w), w below loss"))
    return found
