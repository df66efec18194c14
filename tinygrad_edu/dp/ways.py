"""The same gradient three ways, with the work of each: along every path, by memoised recursion, by one sweep.

A graph of n nodes can have 2^n paths. All three ways add up the same products of local derivatives: the first takes
every path by itself, the second solves the adjoint of each node once and looks it up ever after, the third solves them
in an order in which nothing has to be looked for. The second and the third are the two faces of dynamic programming.
"""
from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from ..errors import message
from ..graph import Node, sweep
from ..mode import watch
from .counts import LIMIT, Work, counted_paths, counted_recursion, refuse_above
from .steps import Flow, below, contribution, edges, hooked, seed, targets, uses


def by_paths(loss: Node, limit: int = LIMIT) -> Work:
    """Naive: the adjoint of a node is the sum, over all paths from the loss to it, of the product of the rules on the
    way. One call for each path; refuses above ``limit`` of them.

    >>> x = Value(1.0)
    >>> y = x + x; z = y + y
    >>> work = by_paths(z)
    >>> work.calls, work.adjoints[x]                  # z, 2 paths to y, 4 to x
    (7, 4.0)
    """
    adjoint: dict[Node, Any] = {}
    work = Work("by paths", adjoints=adjoint)
    refuse_above(limit, counted_paths(loss).calls, "paths", loss)
    if any(node.note.hooks for node in below(loss)):
        raise RuntimeError(message("a hook may change the adjoint of a tensor, and no single path knows the adjoint",
                                   instead="remove the hook, or by_recursion(loss)"))
    todo = [(loss, seed(loss))]
    while todo:                                       # a list in place of Python's stack: depth has no limit
        node, g = todo.pop()
        work.calls += 1
        work.additions += node in adjoint
        adjoint[node] = adjoint[node] + g if node in adjoint else g
        for i, x in edges(node):
            todo.append((x, contribution(node, i, g)))
            work.rules += 1
    return work


def by_recursion(loss: Node, memo: bool = True, limit: int = LIMIT) -> Work:
    """Memoised: the adjoint of a node asks for the adjoints of its users, each solved once and kept in a table.
    Without ``memo`` the very same recursion solves them again and again.

    >>> x = Value(1.0)
    >>> y = x + x; z = y + y
    >>> [(w.calls, w.hits) for w in (by_recursion(z), by_recursion(z, memo=False))]
    [(5, 2), (7, 0)]
    """
    users, work = uses(loss), Work("by memoised recursion" if memo else "by recursion, no memo", adjoints={})
    if not memo:
        refuse_above(limit, counted_recursion(loss).calls, "calls", loss)

    def adjoint(x: Node) -> Generator[Node, Any, Any]:
        total = seed(loss) if x is loss else None
        for user, i in users[x]:
            c = contribution(user, i, (yield user))   # yield user: what a recursion would write adjoint(user)
            work.rules += 1
            work.additions += total is not None
            total = c if total is None else total + c
        return hooked(x, total)

    for x in targets(users):
        solve(adjoint, x, work, memo)
    return work


def by_sweep(loss: Node) -> Work:
    """One sweep: newest node first, when every user of it is solved. This is ``graph.sweep``, which ``backward`` runs.

    >>> x = Value(1.0)
    >>> y = x + x; z = y + y
    >>> by_sweep(z)
    Work(way='by one sweep', calls=3, rules=4, additions=2, reads=7, hits=5)
    """
    table, work, flow = Ledger({loss: seed(loss)}), Work("by one sweep", adjoints={}), Flow()
    with watch(flow):
        for node, g in sweep([], [], table=table):    # the table holds the loss already
            work.adjoints[node] = g
            work.calls += 1
    work.rules, work.additions, work.reads, work.hits = len(flow.edges), table.again, table.reads, table.hits
    return work


# ---- what they need -------------------------------------------------------------------------------------------------

def solve(call: Callable[[Any], Generator], x: Any, work: Work, memo: bool = True) -> None:
    """A recursion whose calls are generators that yield their own calls: its stack is a list, as deep as need be.
    ``work`` counts, and its ``adjoints`` are the table; with ``memo`` a call looks there first."""
    table: Any = work.adjoints
    stack: list[tuple[Any, Generator]] = []
    answer: Any = None
    while True:
        work.calls += 1
        work.reads += memo
        if memo and x in table:
            work.hits += 1
            answer = table[x]
        else:
            stack.append((x, call(x)))
            answer = None                             # what a generator is sent first
        while stack:                                  # answers go up until a call asks for another
            asked, generator = stack[-1]
            try:
                x = generator.send(answer)
                break
            except StopIteration as done:
                stack.pop()
                answer = table[asked] = done.value
        else:
            return


class Ledger(dict):
    """A memo table that counts how often it is read."""

    reads = hits = again = 0                          # again: found by a contribution, which is then added

    def get(self, x: Any, default: Any = None) -> Any:
        found = x in self
        self.reads, self.hits, self.again = self.reads + 1, self.hits + found, self.again + found
        return super().get(x, default)

    def pop(self, *key: Any) -> Any:
        self.reads, self.hits = self.reads + 1, self.hits + (key[0] in self)
        return super().pop(*key)
