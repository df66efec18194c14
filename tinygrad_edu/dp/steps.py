"""What a graph offers to all that study it: its nodes, its edges, who uses a node, and one step of the recurrence."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..errors import message
from ..graph import Clock, Node, order, spoiled
from ..tensor import seed_of


def below(loss: Node) -> list[Node]:
    """All nodes that the gradient of ``loss`` reaches, oldest first."""
    seed(loss)
    return order([loss])


def seed(loss: Any) -> Any:
    """The adjoint of the loss itself: 1. PyTorch's errors for what is no single number or has no graph."""
    if not isinstance(loss, Node):
        raise TypeError(message(f"a {type(loss).__name__} has no graph", inputs=(loss,),
                                instead="a Value, or a Tensor computed from one with requires_grad=True"))
    return 1.0 if loss.scalar else seed_of(loss, None, False)


def edges(node: Node) -> list[tuple[int, Node]]:
    """The inputs of ``node`` to which a gradient flows, each with its position."""
    return [(i, x) for i, x in enumerate(node.inputs) if isinstance(x, Node) and x.requires_grad]


def uses(loss: Node) -> dict[Node, list[tuple[Node, int]]]:
    """For each node, oldest first, who uses it, and as which input; the newest user first."""
    nodes = below(loss)
    users: dict[Node, list[tuple[Node, int]]] = {node: [] for node in nodes}
    for node in reversed(nodes):
        for i, x in edges(node):
            users[x].append((node, i))
    return users


def targets(nodes: Iterable[Node]) -> list[Node]:
    """What is asked for: the gradients of the leaves."""
    return [x for x in nodes if x.op is None]


def contribution(node: Node, i: int, g: Any) -> Any:
    """What flows back to input ``i`` of ``node`` when the adjoint of ``node`` is ``g``: one step of the sweep."""
    op, y, x = node.op, node.payload, node.inputs[i]
    values: Any = [v.payload if isinstance(v, Node) else v for v in node.inputs]
    if Clock.changed > node.born:
        y, values = spoiled(node, y, values)
    if op.joint is not None:
        needs = [k == i for k in range(len(values))]
        c = op.joint(g, y, *values, needs=needs, **node.params)[i]
    else:
        c = op.rules[i](g, y, *values, **node.params)
    return c if c.__class__ is float else x._fit(c, x)


def hooked(x: Node, g: Any) -> Any:
    """The adjoint of ``x`` as its hooks leave it."""
    for hook in x.note.hooks:
        g = x._hooked(hook, g, False)
    return g


class Flow:
    """Watches a sweep: ``edges[node, i]`` is what it sent from ``node`` to its input number ``i``, ``before[node, i]``
    what the cell of that input held in the sweep's ``table``, which has to be this one."""

    def __init__(self) -> None:
        self.table: dict[Node, Any] = {}
        self.edges: dict[tuple[Node, int], Any] = {}
        self.before: dict[tuple[Node, int], Any] = {}
        self.node: Node | None = None
        self.last = -1

    def made(self, *step: Any) -> None:
        """Operations are no part of the flow."""

    def flowed(self, node: Node, x: Node, c: Any) -> None:
        """One contribution; the sweep takes the inputs of a node in their order."""
        self.last = next(i for i in range(self.last + 1 if node is self.node else 0, len(node.inputs))
                         if node.inputs[i] is x)
        self.node = node
        self.edges[node, self.last], self.before[node, self.last] = c, self.table.get(x)

    def so_far(self, node: Node, i: int) -> Any:
        """What the cell of input ``i`` held once ``node``, which was just passed, had sent to it there."""
        again = [k for k, x in edges(node) if k > i and x is node.inputs[i]]
        return self.before[node, again[0]] if again else self.table[node.inputs[i]]
