"""How much work the naive ways would be: exact whole numbers for any graph, counted and not walked.

The number of paths is itself a dynamic program: paths to a node = sum of the paths to its users, the sweep with 1 in
the place of each derivative.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..errors import message
from ..graph import Node
from .semiring import number_of_paths
from .steps import targets, uses

LIMIT = 1_000_000                                     # calls that the naive ways make before they refuse


@dataclass(eq=False)
class Work:
    """What one way did: ``calls`` for the adjoint of a node, ``rules`` applied, ``additions``, ``reads`` of the table,
    ``hits`` (reads that found an entry). ``adjoints`` is the result; None where the way was counted and not run."""

    way: str
    calls: int = 0
    rules: int = 0
    additions: int = 0
    reads: int = 0
    hits: int = 0
    adjoints: dict[Node, Any] | None = field(default=None, repr=False)


def counted_paths(loss: Node) -> Work:
    """The work of ``by_paths``, counted and not done: a call for each path, a rule for its last step, and an addition
    for each but the first to reach a node."""
    number = number_of_paths(loss)
    total = sum(number.values())
    return Work("by paths", calls=total, rules=total - 1, additions=total - len(number))


def counted_recursion(loss: Node) -> Work:
    """The work of ``by_recursion(memo=False)``, counted and not done."""
    asked = asks(loss)
    rules = sum(asked[node] * len(above) for node, above in uses(loss).items())
    waste = sum(asked[node] * (len(above) - 1) for node, above in uses(loss).items() if node is not loss)
    return Work("by recursion, no memo", calls=sum(asked.values()), rules=rules, additions=waste)


def asks(loss: Node) -> dict[Node, int]:
    """How often a recursion without memo solves each node: a leaf once, a node as often as the nodes that it made."""
    users = uses(loss)
    number = dict.fromkeys(users, 0)
    for x in targets(users):
        number[x] += 1
    for x in users:                                   # oldest first
        for user, _ in users[x]:
            number[user] += number[x]
    return number


def refuse_above(limit: int, calls: int, what: str, loss: Node) -> None:
    """The polite refusal of work that would take until tomorrow, or until the sun goes out."""
    if calls > limit:
        raise RuntimeError(message(f"the naive way would take {calls:,} {what}, more than the limit of {limit:,}",
                                   layer=loss.note.layer, instead=f"by_sweep(loss), or limit={calls} if you have time"))
