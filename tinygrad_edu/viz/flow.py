"""What flows back: the adjoint of every node and every edge's contribution to it, for a drawing that shows both."""
from __future__ import annotations

from typing import Any

from ..graph import Node, sweep
from ..mode import watch


class Flow:
    """Keeps what a sweep sends along each edge: ``(node, i)`` -> what flows from ``node`` to its input number ``i``."""

    def __init__(self) -> None:
        self.edges: dict[Any, Any] = {}
        self.last: tuple[Node | None, int] = (None, -1)

    def made(self, *step: Any) -> None:
        """A rule that is computed on nodes; not a part of the flow."""

    def flowed(self, node: Node, x: Node, c: Any) -> None:
        """One contribution; the sweep takes the inputs of a node in their order."""
        i = self.last[1] if self.last[0] is node else -1
        i = next(k for k in range(i + 1, len(node.inputs)) if node.inputs[k] is x)
        self.last = node, i
        self.edges[node, i] = c


def adjoints(root: Node) -> dict[Any, Any]:
    """d root / d node for each node below ``root``, and under ``(node, i)`` what flows back to the node's input i.

    The sweep that ``backward()`` runs, which leaves every ``grad`` and the graph as they are: for ``draw(adjoints=)``.

    >>> x = Value(3.0)
    >>> y = x * x
    >>> flows = adjoints(y)
    >>> flows[x], flows[y, 0], flows[y, 1]
    (6.0, 3.0, 3.0)
    """
    flow = Flow()
    seed = 1.0 if root.scalar else root.payload * 0 + 1
    with watch(flow):
        found: dict[Any, Any] = dict(sweep([root], [seed], retain_graph=True))
    return found | flow.edges
