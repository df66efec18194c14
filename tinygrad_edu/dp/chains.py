"""Jacobian chains: in which order to multiply the Jacobians of layers, and what forward and reverse mode cost.

The derivative of a chain of layers is the product of their Jacobians, and a product of matrices may be bracketed in any
way: from the input on (forward mode), from the output on (reverse mode), or as is cheapest, which dynamic programming
finds (Griewank and Naumann, Accumulating Jacobians as chained sparse matrix products, 2003; for dense Jacobians).
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import message
from ..graph import sweep
from ..tensor import Tensor
from .chart import GREY, sheet, words
from .text import Table, far

COLUMN, ROW = 75, 84                                  # of the picture: from one Jacobian, from one product to the next
Tree = Any                                            # the number of a layer, or a pair (left factor, right factor)


@dataclass(eq=False)
class Way:
    """One bracketing: its tree, the multiplications of numbers that it takes, and how many were made when executed."""

    name: str
    tree: Tree
    cost: int
    made: int | None = None
    product: np.ndarray | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return brackets(self.tree)


@dataclass(eq=False, repr=False)
class Chain(Table):
    """A chain of layers with ``sizes[0]`` inputs and ``sizes[k]`` outputs of layer k, and three ways to bracket it.

    >>> chain = bracketing([10, 100, 5, 50])
    >>> [way.cost for way in chain.ways]              # forward J3 (J2 J1), reverse (J3 J2) J1, optimal
    [7500, 75000, 7500]
    """

    sizes: list[int]
    ways: list[Way]

    head = ("way", "bracketing", "multiplications", "made", "relative")
    numeric = "multiplications made relative"

    def cells(self) -> list[list[str]]:
        """The ways as text."""
        best = min(way.cost for way in self.ways)
        return [[way.name, str(way), f"{way.cost:,}", "" if way.made is None else f"{way.made:,}",
                 f"{way.cost / best:.2f}" if best else ""] for way in self.ways]

    def rows(self) -> list[dict[str, Any]]:
        """One dictionary for each way, for pandas."""
        return [{"way": way.name, "bracketing": str(way), "multiplications": way.cost, "made": way.made}
                for way in self.ways]

    def title(self) -> str:
        """The layers in a line."""
        return f"{len(self.sizes) - 1} layers of sizes {' -> '.join(map(str, self.sizes))}"

    def _repr_html_(self) -> str:
        return super()._repr_html_() + self.svg()

    def execute(self, matrices: Sequence[Any]) -> Chain:
        """Multiply the Jacobians (``matrices[0]`` of the first layer) in each way, count, and check that all agree."""
        arrays = [np.asarray(getattr(m, "payload", m)) for m in matrices]
        wanted = list(zip(self.sizes[1:], self.sizes, strict=False))
        if [a.shape for a in arrays] != wanted:
            raise RuntimeError(message(f"the Jacobians have the shapes {[a.shape for a in arrays]}, not {wanted}",
                                       instead="one for each layer, outputs times inputs, the first layer first"))
        for way in self.ways:
            way.product, way.made = multiplied(way.tree, arrays)
        if (worst := max(far(way.product, self.ways[0].product) for way in self.ways)) > 1e-4:
            raise ArithmeticError(f"the products differ by {worst:.1g}: the Jacobians are too large for their dtype")
        return self

    def svg(self) -> str:
        """The picture: for each way the Jacobians in a row, last layer first, and below them each product with its
        shape and the multiplications that it takes; all matrices to scale."""
        n, best = len(self.sizes) - 1, min(way.cost for way in self.ways)
        width = max([COLUMN * n + 10, 250, *(20 + 6.2 * len(f"{way}, {way.cost / max(1, best):.1f} times the work")
                                             for way in self.ways)])
        height = max(134, 36 + ROW * max(levels(way.tree) for way in self.ways))
        panels = [drawn(way, self.sizes, 10 + k * (width + 10), width, best) for k, way in enumerate(self.ways)]
        return sheet(panels, (width + 10) * len(panels) + 10, height, f"Bracketings of the Jacobians of {self.title()}")


def bracketing(sizes: Sequence[int]) -> Chain:
    """The cost of forward mode, of reverse mode and of the cheapest bracketing, for a chain of layers.

    ``sizes``: inputs of the first layer, then the outputs of each. The cheapest product of layers i to j is the
    cheapest over all k of (k+1 .. j) times (i .. k): overlapping subproblems, each solved once, shortest first.
    """
    sizes = [int(n) for n in sizes]
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(message("a chain has at least one layer, with at least one input and output",
                                 instead="bracketing([inputs, outputs of layer 1, outputs of layer 2, ...])"))
    n = len(sizes) - 1
    best: dict[tuple[int, int], tuple[int, Tree]] = {(i, i): (0, i) for i in range(1, n + 1)}
    for length in range(2, n + 1):
        for i in range(1, n - length + 2):
            j = i + length - 1
            best[i, j] = min(((best[k + 1, j][0] + best[i, k][0] + sizes[j] * sizes[k] * sizes[i - 1],
                               (best[k + 1, j][1], best[i, k][1])) for k in range(i, j)), key=lambda found: found[0])
    forward: Tree = 1
    for k in range(2, n + 1):
        forward = (k, forward)
    reverse: Tree = n
    for k in range(n - 1, 0, -1):
        reverse = (reverse, k)
    return Chain(sizes, [Way("forward", forward, cost(forward, sizes)), Way("reverse", reverse, cost(reverse, sizes)),
                         Way("optimal", best[1, n][1], best[1, n][0])])


def jacobians(layers: Sequence[Callable], x: Tensor) -> list[np.ndarray]:
    """The Jacobian of each layer at the value that reaches it, outputs times inputs; row by row, one sweep for each.

    >>> [J.shape for J in jacobians([tg.exp, lambda h: h.sum()[None]], tg.ones(3))]
    [(3, 3), (1, 3)]
    """
    found = []
    for layer in layers:
        x = x.detach().requires_grad_()
        y = layer(x)
        rows = np.zeros((y.payload.size, x.payload.size), x.dtype)
        for k in range(y.payload.size):
            unit = np.zeros(y.shape, y.dtype)
            unit.flat[k] = 1
            for node, g in sweep([y], [unit], targets=[x]):
                if node is x:
                    rows[k] = g.ravel()
        found.append(rows)
        x = y
    return found


def cost(tree: Tree, sizes: Sequence[int]) -> int:
    """Multiplications of numbers that a bracketing takes: an (a, b) matrix times a (b, c) matrix takes a b c."""
    if isinstance(tree, int):
        return 0
    (left, right), (first, last) = tree, span(tree)
    return cost(left, sizes) + cost(right, sizes) + sizes[last] * sizes[span(right)[1]] * sizes[first - 1]


def span(tree: Tree) -> tuple[int, int]:
    """The first and the last layer in a product."""
    return (tree, tree) if isinstance(tree, int) else (span(tree[1])[0], span(tree[0])[1])


def multiplied(tree: Tree, arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, int]:
    """The product, and how many multiplications of numbers were made."""
    if isinstance(tree, int):
        return arrays[tree - 1], 0
    (a, left), (b, right) = multiplied(tree[0], arrays), multiplied(tree[1], arrays)
    return a @ b, left + right + a.shape[0] * a.shape[1] * b.shape[1]


def levels(tree: Tree) -> int:
    """The longest way through a tree, its leaf among it."""
    return 1 if isinstance(tree, int) else 1 + max(map(levels, tree))


def brackets(tree: Tree) -> str:
    """A bracketing as text.

    >>> brackets(((4, 3), (2, 1)))
    '(J4 J3) (J2 J1)'
    """
    return f"J{tree}" if isinstance(tree, int) else " ".join(
        brackets(part) if isinstance(part, int) else f"({brackets(part)})" for part in tree)


def drawn(way: Way, sizes: Sequence[int], shift: float, width: float, best: int) -> str:
    """One bracketing as a tree: the Jacobians above, the whole derivative below; the cheapest in green."""
    n, unit = len(sizes) - 1, 40 / max(sizes)
    tint = ("#d9efe6", "#00795a") if way.cost == best else ("#fbe6b8", "#a86a00")
    more = "" if way.cost == best else f", {way.cost / best:.1f} times the work"
    out = [f"<g transform='translate({shift:g} 0)'>",
           words(width / 2, 18, f"{way.name}: {way.cost:,}", "middle", "bold"),
           words(width / 2, 36, f"{way}{more}", "middle")]

    def put(tree: Tree) -> tuple[float, float, float]:
        """Draw a product; its centre, and where a line leaves it."""
        first, last = span(tree)
        rows, columns = max(2.0, unit * sizes[last]), max(2.0, unit * sizes[first - 1])
        shape, look = f"{sizes[last]}×{sizes[first - 1]}", tint
        if isinstance(tree, int):
            x, y, below, look = width / 2 + COLUMN * ((n + 1) / 2 - tree), 86.0, 131.0, ("#d5e9f7", "#0072b2")
            out.extend([words(x, 60, f"J{tree}", "middle", "bold"), words(x, 123, shape, "middle")])
        else:
            (ax, ay, a_below), (bx, by, b_below) = put(tree[0]), put(tree[1])
            x, y = (ax + bx) / 2, max(ay, by) + ROW
            top, below, beside = y - rows / 2 - 3, y + rows / 2 + 3, x + columns / 2 + 8
            work = f"{sizes[last] * sizes[span(tree[1])[1]] * sizes[first - 1]:,}"
            out.append(f"<path d='M{ax:g} {a_below:g}L{x:g} {top:g}L{bx:g} {b_below:g}' fill='none' stroke='{GREY}'/>")
            out.extend([words(beside, y - 2, work, weight="bold"), words(beside, y + 11, shape)])
        out.append(f"<rect x='{x - columns / 2:g}' y='{y - rows / 2:g}' width='{columns:g}' height='{rows:g}' rx='1.5' "
                   f"fill='{look[0]}' stroke='{look[1]}' stroke-width='1.5'/>")
        return x, y, below

    put(way.tree)
    return "\n".join([*out, "</g>"])
