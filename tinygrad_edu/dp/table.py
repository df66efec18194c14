"""The memo table: one row for each subproblem of a sweep, in the order solved, with symbols and with numbers."""
from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..graph import Node, sweep
from .chart import PAPER, tabular
from .formula import Show, bare, contribution_text, joined, names_show, numbers_show, operation, rule
from .names import Names, names_of
from .steps import below, edges, seed, uses
from .text import Table, counted, figure, lost, norm, plain, shape

READABLE = 60                                         # rows; a longer table is folded unless fold=False
CHUNKS = 12                                           # rows for a graph that names no layers
HEAD: Sequence[str] = ("step", "node", "operation", "value", "recurrence", "with numbers", "users", "adjoint", "hits")
FOLDED: Sequence[str] = ("steps", "{}", "subproblems", "operations", "gradients of its leaves", "hits")
SIGNS = {"fit(": "fit sums to the shape of an input that was broadcast.",
         "expand(": "expand repeats a number or an array up to that shape.",
         "put(": "put writes into zeros of that shape, at that index.",
         " norm ": "A shape stands for an array of that shape; norm is its length, the root of the sum of squares."}
SHARED = "•"                                          # marks an adjoint that several rules read


@dataclass(eq=False)
class Row:
    """One subproblem: the adjoint of ``node``; ``users`` are the nodes whose adjoints it was made of (and as which
    input they use it), ``hits`` how often it was read again after the first time."""

    step: int
    node: Node
    name: str
    layer: str
    adjoint: Any
    users: list[tuple[Node, int]]
    hits: int


def copied(x: Any) -> Any:
    """The number, or the array that nobody else changes."""
    if lost(x):
        return figure(x)
    x = plain(x)
    return x.copy() if isinstance(x, np.ndarray) else x


@dataclass(repr=False, eq=False)
class MemoTable(Table):
    """The memo table of one sweep. Prints as text, shows as HTML in Jupyter; ``markdown()``, ``svg()``, ``rows()`` for
    pandas."""

    loss: Node
    entries: list[Row]
    names: Names
    adjoint: dict[Node, Any] = field(repr=False)
    fold: bool
    digits: int
    _rows: list[dict[str, Any]] | None = field(default=None, repr=False)
    _folded: list[list[str]] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        """What is shown is written now: the graph may be freed, and the weights change, before it is."""
        shared = [row.node for row in self.entries if row.hits]
        self.color = {node: PAPER[k % len(PAPER)] for k, node in enumerate(shared)}
        layers = any(row.layer for row in self.entries)
        self.head = [name.format("layer" if layers else "nodes") for name in FOLDED] if self.fold else HEAD
        if self.fold:
            self._folded = self.folded()
        else:
            self.rows()

    numeric = "step hits subproblems"

    # ---- the texts of one row ----------------------------------------------------------------------------------------
    def recurrence(self, row: Row) -> str:
        """The adjoint as a sum over users, with symbols: ``∂h = ∂y * w + ∂z``."""
        said = self.sum_of(row, names_show(self.names, self.digits), lambda user: self.symbol(user))
        return f"∂{row.name} = {said}"

    def with_numbers(self, row: Row) -> str:
        """The same with numbers put in; large arrays by their shapes."""
        show = numbers_show(self.digits)
        said = bare(self.sum_of(row, show, lambda user: show(self.adjoint[user])))
        result = figure(row.adjoint, self.digits)
        return result if said == result else f"{said} = {result}"

    def sum_of(self, row: Row, show: Show, adjoint: Show) -> str:
        """The contributions of all users."""
        parts = ["1"] if row.node is self.loss else []
        for user, i in row.users:
            found = rule(user, i, self.adjoint[user])
            if found is None:                         # a joint rule has no text for one input: the chain rule says it
                parts.append(f"{adjoint(user)} * d{self.names[user]}/d{row.name}")
            else:
                parts.append(contribution_text(user, i, adjoint(user), show, found))
        text = joined(parts)
        return f"hook({text})" if row.node.note.hooks else text

    def symbol(self, node: Node) -> str:
        """The adjoint of ``node``, marked where it is a factor that several rules share."""
        return f"∂{self.names[node]}{SHARED if node in self.color else ''}"

    # ---- the whole ---------------------------------------------------------------------------------------------------
    def rows(self) -> list[dict[str, Any]]:
        """One dictionary for each subproblem, never folded: ``pandas.DataFrame(table.rows())``."""
        if self._rows is None:
            below(self.loss)                          # refuses where the graph was freed meanwhile
            show = names_show(self.names, self.digits)
            self._rows = [{
                "step": row.step, "node": row.name, "layer": row.layer, "shape": shape(row.node),
                "operation": operation(row.node, show), "value": copied(row.node), "recurrence": self.recurrence(row),
                "with numbers": self.with_numbers(row), "users": [self.names[user] for user, _ in row.users],
                "adjoint": copied(row.adjoint), "hits": row.hits} for row in self.entries]
        return self._rows

    def cells(self) -> list[list[str]]:
        """The rows as text, folded or not."""
        return self._folded if self.fold else [
            [str(row["step"]), row["node"], row["operation"], figure(row["value"], self.digits), row["recurrence"],
             row["with numbers"], ", ".join(dict.fromkeys(row["users"])), figure(row["adjoint"], self.digits),
             str(row["hits"])] for row in self.rows()]

    def folded(self) -> list[list[str]]:
        """One row for each layer; where no layer has a name, one for each stretch of the sweep."""
        cells = []
        for layer, rows in self.groups().items():
            ops = Counter(row.node.op.name for row in rows if row.node.op is not None)
            leaves = [row for row in rows if row.node.op is None]
            said = [f"∂{row.name} {'' if row.node.scalar else 'norm '}{figure(norm(row.adjoint), 4)}" for row in leaves]
            if len(leaves) > 3:
                said = [f"{len(leaves)} leaves, norm {figure(sum(norm(row.adjoint) ** 2 for row in leaves) ** 0.5, 4)}"]
            steps = [row.step for row in rows]
            cells.append(["-".join(map(str, dict.fromkeys([min(steps), max(steps)]))), layer or "(no layer)",
                          f"{len(rows):,}",
                          ", ".join(f"{n} {op}" for op, n in ops.most_common(5)) + (", ..." if len(ops) > 5 else ""),
                          ", ".join(said), f"{sum(row.hits for row in rows):,}"])
        return cells

    def groups(self) -> dict[str, list[Row]]:
        """The rows by layer, at the greatest depth that fits on a page; of many layers in a row, several together."""
        finer: dict[str, list[Row]] = {}
        for depth in range(max(row.layer.count(".") + 1 for row in self.entries), 0, -1):
            groups: dict[str, list[Row]] = {}
            for row in self.entries:
                groups.setdefault(".".join(row.layer.split(".")[:depth]), []).append(row)
            if len(groups) <= READABLE and (len(groups) > 3 or not finer):
                break
            finer = finer or groups
        else:
            groups = finer
        if len(groups) == 1:                          # no layer has a name
            size = -(-len(self.entries) // CHUNKS)
            runs = [self.entries[k:k + size] for k in range(0, len(self.entries), size)]
            return {f"{run[0].name} to {run[-1].name}": run for run in runs}
        if len(groups) <= READABLE:
            return groups
        names, size = list(groups), -(-len(groups) // (READABLE // 2))
        parts = [names[k:k + size] for k in range(0, len(names), size)]
        ends = [" to ".join(name or "(no layer)" for name in dict.fromkeys([part[0], part[-1]])) for part in parts]
        return {end: [row for name in part for row in groups[name]] for end, part in zip(ends, parts, strict=True)}

    def title(self) -> str:
        """What stands above the table."""
        hits = sum(row.hits for row in self.entries)
        how = "by layer" if any(row.layer for row in self.entries) else "in the order solved"
        more = f"; folded {how}, fold=False shows each" if self.fold else ""
        return (f"Memo table of {self.names[self.loss]}: {counted(len(self.entries), 'subproblem')} in the order "
                f"solved, {counted(hits, 'hit')}{more}")

    def legend(self) -> str:
        """What the signs mean, of those that occur."""
        if self.fold:
            return ""
        said = [f"∂v is d{self.names[self.loss]}/dv, the adjoint of v."]
        if self.color:
            said.append(f"{SHARED} marks a shared factor: solved once, read by several rules; hits are reads after the "
                        "first.")
        text = "\n".join(cell for row in self.cells() for cell in row)
        return "\n".join([*said, *(meaning for sign, meaning in SIGNS.items() if sign in text)])

    def marks(self) -> list[dict[str, str]]:
        """The shared factors in each row's recurrence, where they are solved and where they are read."""
        if self.fold:
            return []
        return [{**({f"∂{row.name} ": self.color[row.node]} if row.node in self.color else {}),
                 **{self.symbol(user): self.color[user] for user, _ in row.users if user in self.color}}
                for row in self.entries]

    def svg(self) -> str:
        """The table as a picture, each shared factor in a colour of its own."""
        head, cells = list(self.head), self.cells()
        if not self.fold:                             # narrow: the users of a node stand in its recurrence as well
            head, *cells = ([*row[1:4], row[4] + f"\n{row[5]}" * (row[5] != row[7]), *row[7:]]
                            for row in [head, *cells])
            head[3] = "recurrence, with numbers"
        return tabular(head, cells, self.numeric, self.title(), self.legend(), self.marks())


def memo_table(loss: Node, *, names: Any = None, fold: bool | None = None, digits: int = 6) -> MemoTable:
    """The dynamic program that ``loss.backward()`` runs, as a table: what is solved when, from what, with which result.

    names: what nodes are called, ``{"w": w}``; otherwise their own names and labels, and the caller's variables.
    fold: True for one row for each layer, False for each subproblem; None folds above 60 rows.

    >>> w, x = Value(-3.0, label="w"), Value(2.0, label="x")
    >>> y = w * x
    >>> [row["recurrence"] for row in memo_table(y).rows()]
    ['∂y = 1', '∂x = ∂y• * w', '∂w = ∂y• * x']
    """
    nodes = below(loss)
    called = names_of(nodes, loss, names)
    adjoint, used = dict(sweep([loss], [seed(loss)])), uses(loss)
    entries: list[Row] = []
    place: dict[Node, str] = {}
    for step, (node, g) in enumerate(adjoint.items(), 1):
        users = used[node]
        layer = node.note.layer or (place[users[0][0]] if users and node.op is None else "")
        place[node] = layer                           # a weight belongs to the layer that uses it
        entries.append(Row(step, node, called[node], layer, g, users, max(0, len(edges(node)) - 1)))
    return MemoTable(loss, entries, called, adjoint, len(entries) > READABLE if fold is None else bool(fold), digits)
