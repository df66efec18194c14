"""What flows back: the adjoint of every node and every edge's contribution to it, for a drawing that shows both."""
from __future__ import annotations

from typing import Any

from ..dp.steps import Flow
from ..errors import message
from ..graph import Node, sweep
from ..mode import watch


def adjoints(root: Node) -> dict[Any, Any]:
    """d root / d node for each node below ``root``, and under ``(node, i)`` what flows back to the node's input i.

    The sweep that ``backward()`` runs, which leaves every ``grad`` and the graph as they are: for ``draw(adjoints=)``.
    Of a root with several elements, the adjoints of their sum.

    >>> x = Value(3.0)
    >>> y = x * x
    >>> flows = adjoints(y)
    >>> flows[x], flows[y, 0], flows[y, 1]
    (6.0, 3.0, 3.0)
    """
    if not isinstance(root, Node):
        raise TypeError(message(f"a {type(root).__name__} has no graph", inputs=(root,),
                                instead="a Value, or a Tensor computed from one with requires_grad=True"))
    flow = Flow()
    seed = 1.0 if root.scalar else root.payload * 0 + 1
    with watch(flow):
        found: dict[Any, Any] = dict(sweep([root], [seed], retain_graph=True))
    return found | flow.edges
