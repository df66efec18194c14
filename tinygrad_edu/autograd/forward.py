"""Forward mode, J v: the recorded graph is followed from the inputs up, by the same rules; there is no second table."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Node, order, spoiled
from ..mode import capturing, constant, enable_grad, set_grad_enabled
from ..ops.layout import cast, expand
from .reverse import adjoints, captured, leaf


def on_nodes(create_graph: bool) -> bool:
    """Whether the rules are applied to nodes: to be recorded, or to be captured as part of a program."""
    return create_graph or capturing() is not None


def pushed(outputs: Sequence[Any], tangents: dict, create_graph: bool = False) -> list:
    """The tangent of each output, its change for a step along the given tangents; None where nothing moves it.

    Subproblem: the tangent of a node. Order: oldest first. Recurrence: by the family of the node's primitive.
    """
    table = dict(tangents)
    captured(outputs)                                 # or refused there
    with set_grad_enabled(create_graph):
        node: Any
        for node in order([y for y in outputs if y.requires_grad]):
            moving = {i: table[x] for i, x in enumerate(node.inputs) if isinstance(x, Node) and x in table}
            if not moving or node in table:
                continue
            t = FAMILY[node.op.family](node, moving, create_graph)
            if not node.scalar:
                t = t if t.shape == node.shape else expand(t, shape=node.shape)
                t = t if t.dtype == node.dtype else cast(t, dtype=node.dtype)
            table[node] = t
    return [table.get(y) for y in outputs]


def read(node: Node, create_graph: bool) -> tuple[Any, list]:
    """The output and the inputs of a node as the rules want them: nodes under ``create_graph``, else their payloads;
    what was changed in place since refuses to be read."""
    if on_nodes(create_graph):
        return spoiled(node, node, node.inputs)
    return spoiled(node, node.payload, [x.payload if isinstance(x, Node) else x for x in node.inputs])


def diagonal(node: Any, moving: dict, create_graph: bool) -> Any:
    """An elementwise operation: its Jacobian is its own transpose, so the rules serve as they are."""
    y, values = read(node, create_graph)
    return sum([node.op.rules[i](t, y, *values, **node.params) for i, t in moving.items()])


def by_product(node: Any, moving: dict, create_graph: bool) -> Any:
    """Linear in each input: the sum over the inputs of the function with the tangent in place of that input."""
    _, values = read(node, create_graph)
    return sum([node.op(*values[:i], t, *values[i + 1:], **node.params) for i, t in moving.items()])


def by_function(node: Any, moving: dict, create_graph: bool) -> Any:
    """Linear in all inputs together: the function of the tangents."""
    still = [constant(np.zeros_like(getattr(x, "payload", x))) for x in node.inputs]
    return node.op(*[moving.get(i, zero) for i, zero in enumerate(still)], **node.params)


def transposed(node: Any, moving: dict, create_graph: bool) -> Any:
    """Any other operation: its rules g -> J^T g are linear in g, and the derivative of <J^T g, v> by g is J v."""
    op, (y, values) = node.op, read(node, create_graph)
    with enable_grad():
        g = leaf(node, 0, True)
        needs = [i in moving for i in range(len(values))]
        parts = op.joint(g, y, *values, needs=needs, **node.params) if op.joint is not None else {
            i: op.rules[i](g, y, *values, **node.params) for i in moving}
        pulled = {i: node.inputs[i]._fit(parts[i], node.inputs[i]) for i in moving}
    roots = {i: c for i, c in pulled.items() if isinstance(c, Node) and c.requires_grad}
    t = adjoints(list(roots.values()), [moving[i] for i in roots], [g], create_graph)[0] if roots else None
    return t if t is not None else leaf(node, 0) if on_nodes(create_graph) else leaf(node, 0).payload


FAMILY = {"elementwise": diagonal, "linear": by_product, "jointly linear": by_function, "general": transposed}
