"""What each part of backpropagation is there for: take it away, and see the first cell of the table that goes wrong."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..graph import Node
from ..value import Value
from .counts import asks, counted_recursion
from .names import names_of
from .steps import below, contribution, edges, hooked, seed
from .text import Table, counted, far, figure, plain, short
from .ways import by_recursion, by_sweep


class Ablation(NamedTuple):
    """One part taken away: ``node`` is the first whose cell is then wrong, or None where this graph does not need the
    part; ``right`` and ``wrong`` are what belongs there and what stands there."""

    part: str
    change: str
    node: Node | None
    name: str
    right: Any
    wrong: Any
    lesson: str


@dataclass(eq=False, repr=False)
class Ablations(Table):
    """What becomes of the gradient of ``loss`` without each part of backpropagation; prints as a table."""

    loss: Node
    rows: list[Ablation]

    head = ("part", "taken away", "first wrong cell", "right", "wrong", "lesson")
    numeric, limit = "right wrong", 100

    def cells(self) -> list[list[str]]:
        """The rows as text."""
        return [[r.part, r.change, f"∂{r.name}" if r.node is not None else "none here",
                 "" if r.node is None else figure(r.right), "" if r.node is None else figure(r.wrong), r.lesson]
                for r in self.rows]


def ablations(loss: Node | None = None, names: Any = None) -> Ablations:
    """Sweep the graph of ``loss`` without the memo, in a wrong order, with = for +=, and twice on stale gradients.

    Without a loss: the smallest graph that needs every part, L = h + h h with h = 2 x.

    >>> ablations().rows[2][3:6]                      # '=' for '+=': dL/dh should be 1 + 2 h = 13
    ('h', 13.0, 6.0)
    """
    if loss is None:
        loss = smallest()
    nodes, start = below(loss)[::-1], seed(loss)
    called = names_of(nodes[::-1], loss, names)
    right = by_sweep(loss).adjoints or {}

    def row(part: str, change: str, got: dict[Node, Any], lesson: str, belongs: dict[Node, Any] = right) -> Ablation:
        node = next((x for x in got if x is not loss and far(got[x], belongs[x]) > 1e-9), None)
        if node is None:
            return Ablation(part, change, None, "", None, None, lesson)
        return Ablation(part, change, node, called[node], plain(belongs[node]), plain(got[node]), lesson)

    once = altered(nodes, {loss: start})
    twice = altered(nodes, {**once, loss: start})
    again = {x: g + g if x.op is None else g for x, g in right.items()}
    return Ablations(loss, [
        no_memo(loss, called),
        row("order", "nearest the loss first", altered(breadth_first(loss), {loss: start}),
            "a node is solved before all its users are: what it passes on is only a part"),
        row("+=", "= in its place", altered(nodes, {loss: start}, add=False),
            "a node with several users keeps what the last one sent"),
        row("fresh table", "second backward on the first one's", twice,
            "intermediate adjoints are counted again, and again below them; only leaves may add up", again),
    ])


def no_memo(loss: Node, called: dict[Node, str]) -> Ablation:
    """The recursion without its table is right, and solves the same subproblems again."""
    times, work = asks(loss), counted_recursion(loss)
    memo = by_recursion(loss)
    node = next((x for x in reversed(times) if x is not loss and times[x] > 1), None)
    return Ablation("memo", "recursion alone", node, "" if node is None else called[node], "solved once",
                    "" if node is None else f"solved {counted(times[node], 'time')}",
                    f"the gradient is right, after {counted(work.calls, 'call')} in place of {short(memo.calls)}")


def altered(nodes: Iterable[Node], table: dict[Node, Any], add: bool = True) -> dict[Node, Any]:
    """The sweep in four lines, over ``nodes`` in whatever order, from whatever ``table``, with = for += if not ``add``:
    the adjoint that each node had when its turn came, and each leaf at the end."""
    table, solved = dict(table), {}
    for node in nodes:
        solved[node] = hooked(node, table[node])
        for i, x in edges(node):
            c = contribution(node, i, solved[node])
            table[x] = table[x] + c if add and x in table else c
    return {node: hooked(node, table[node]) if node.op is None else g for node, g in solved.items()}


def breadth_first(loss: Node) -> list[Node]:
    """The nodes in the order in which they are met: wrong, since a node may be met before its last user."""
    found = {loss: None}
    for node in (todo := [loss]):
        fresh = [x for x in dict.fromkeys(x for _, x in edges(node)) if x not in found]
        found.update(dict.fromkeys(fresh))
        todo += fresh
    return list(found)


def smallest() -> Value:
    """L = h + h h with h = 2 x at x = 3: a non-leaf that is used near the loss and again further away."""
    x = Value(3.0, label="x")
    h = x * 2
    h.label = "h"
    y = h * h
    y.label = "y"
    loss = h + y
    loss.label = "L"
    return loss
