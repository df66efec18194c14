"""The race: the work of the three ways to a gradient side by side, and Fibonacci three ways in the same words."""
from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from ..graph import Node
from .chart import HEIGHT, WIDTH, chart, sheet, thinned
from .counts import Work, counted_paths
from .names import names_of
from .semiring import longest, number_of_paths
from .steps import below, edges
from .text import Table, counted, cut, far, short
from .ways import by_paths, by_recursion, by_sweep, solve

RACE_LIMIT = 100_000                                  # naive calls that a race makes; above, they are counted


@dataclass(eq=False, repr=False)
class Race(Table):
    """The result of ``race``: ``ways`` and ``fibonacci`` are the work of each way; prints as a table, ``svg()`` is the
    picture of calls against depth, ``difference`` the largest relative difference between two ways' gradients."""

    name: str
    nodes: int
    ways: list[Work]
    difference: float
    depths: list[tuple[str, list[tuple[int, int]]]]
    n: int
    fibonacci: list[Work]

    head = ("of", "way", "calls", "rules", "additions", "reads", "hits", "")
    numeric = "calls rules additions reads hits"

    def rows(self) -> list[dict[str, Any]]:
        """One dictionary for each way, for pandas."""
        return [{"of": of, "way": w.way, "calls": w.calls, "rules": w.rules, "additions": w.additions, "reads": w.reads,
                 "hits": w.hits, "run": w.adjoints is not None}
                for of, works in ((self.name, self.ways), (f"fib({self.n})", self.fibonacci)) for w in works]

    def cells(self) -> list[list[str]]:
        """The ways as text."""
        return [[cut(row["of"], 40), row["way"], *(short(row[name]) for name in self.numeric.split()),
                 "" if row["run"] else "counted, not run"] for row in self.rows()]

    def title(self) -> str:
        """What was computed."""
        same = "the same gradient" if self.difference < 1e-6 else "DIFFERENT gradients"
        return (f"The gradient of {self.name}: {counted(self.nodes, 'node')}, {counted(self.ways[0].calls, 'path')}; "
                f"{same} (largest relative difference {self.difference:.1g}). Beside it fib({self.n})")

    def legend(self) -> str:
        """What is counted."""
        return ("A call asks for one answer, a rule makes one term of it; a hit is a read of the table that finds an "
                "entry.")

    def svg(self) -> str:
        """The picture: calls against depth for the three ways, and beside it the calls of Fibonacci three ways."""
        fib = [(way, [(k, f(k)) for k in range(self.n + 1)]) for way, f in FIBONACCI_CALLS.items()]
        return sheet([chart(f"Gradient of {cut(self.name, 30)}", "depth below the loss", "calls so far", self.depths),
                      chart("Fibonacci", "n", "calls for fib(n)", fib, WIDTH)], 2 * WIDTH, HEIGHT,
                     f"Calls of three ways to the gradient of {self.name}, against depth, beside Fibonacci three ways")

    def _repr_html_(self) -> str:
        return super()._repr_html_() + self.svg()


def race(loss: Node, limit: int = RACE_LIMIT, n: int = 20, names: Any = None) -> Race:
    """Run the three ways on the graph of ``loss``, compare their gradients, and count their work; beside it fib(n).

    The naive way is run up to ``limit`` calls, and counted exactly in any case.

    >>> x = Value(0.5)
    >>> y = x
    >>> for _ in range(30): y = y + y
    >>> [work.calls for work in race(y).ways]         # 2^31 - 1 paths, 31 nodes
    [2147483647, 61, 31]
    """
    nodes = below(loss)
    name = names_of([loss], loss, names)[loss]
    counted = counted_paths(loss)
    hooked = any(node.note.hooks for node in nodes)
    naive = by_paths(loss, limit) if counted.calls <= limit and not hooked else counted
    ways = [naive, by_recursion(loss), by_sweep(loss)]
    best = ways[-1].adjoints or {}
    difference = max((far(way.adjoints[x], best[x]) for way in ways[:2] if way.adjoints for x in best), default=0.0)
    fib = [fibonacci_by_recursion(n, memo=False) if FIBONACCI_CALLS["by paths"](n) <= limit else counted_fibonacci(n),
           fibonacci_by_recursion(n), fibonacci_by_sweep(n)]
    return Race(name, len(nodes), ways, difference, by_depth(loss, ways), n, fib)


def by_depth(loss: Node, ways: list[Work]) -> list[tuple[str, list[tuple[int, int]]]]:
    """For each way the calls made for nodes at most so many steps below the loss (counted along the longest path)."""
    depth, number = longest(loss), number_of_paths(loss)
    costs = [number, {x: len(edges(x)) + (x.op is None) for x in number}, dict.fromkeys(number, 1)]
    curves = []
    for way, cost in zip(ways, costs, strict=True):
        calls = [0] * (max(depth.values()) + 1)
        for x, d in depth.items():
            calls[d] += cost[x]
        curves.append((way.way, thinned(list(enumerate(accumulate(calls))))))
    return curves


# ---- Fibonacci three ways -------------------------------------------------------------------------------------------

def fibonacci(n: int) -> int:
    """The n-th Fibonacci number, from fib(0) = 0 and fib(1) = 1.

    >>> fibonacci(10), fibonacci(100)
    (55, 354224848179261915075)
    """
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


FIBONACCI_CALLS = {                                   # how many calls each way makes for fib(n)
    "by paths": lambda n: 2 * fibonacci(n + 1) - 1,
    "by memoised recursion": lambda n: 2 * n - 1 if n > 1 else 1,
    "by one sweep": lambda n: n + 1,
}


def fibonacci_by_recursion(n: int, memo: bool = True) -> Work:
    """fib(n) = fib(n - 1) + fib(n - 2), with a table of the answers or without."""
    work = Work("by memoised recursion" if memo else "by paths", adjoints={})

    def fib(n: Any) -> Any:
        if n < 2:
            return n
        a = yield n - 1
        b = yield n - 2
        work.rules, work.additions = work.rules + 1, work.additions + 1
        return a + b

    solve(fib, n, work, memo)
    return work


def fibonacci_by_sweep(n: int) -> Work:
    """fib(0), fib(1), fib(2), ... in an order in which both terms are always there."""
    work, table = Work("by one sweep"), {}
    for k in range(n + 1):
        work.calls += 1
        if k > 1:
            table[k] = table[k - 1] + table[k - 2]
            work.rules, work.additions = work.rules + 1, work.additions + 1
            work.reads, work.hits = work.reads + 2, work.hits + 2
        else:
            table[k] = k
    work.adjoints = table                             # type: ignore[assignment]
    return work


def counted_fibonacci(n: int) -> Work:
    """The work of the naive recursion, counted and not done: a call for each path through the graph of fib(n)."""
    calls = FIBONACCI_CALLS["by paths"](n)
    return Work("by paths", calls=calls, rules=calls // 2, additions=calls // 2)
