"""One gradient's derivation: every path from the loss down to a variable, each product, and their sum.

For numbers a path is the product of its local derivatives. For tensors it is a chain of Jacobians, applied one after
the other to what comes down: none of them is ever formed.
"""
from __future__ import annotations

import ast
import heapq
import math
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

import numpy as np

from ..errors import message
from ..graph import Node, sweep
from .chart import printed, short
from .formula import arguments, bare, contribution_text, names_show, neat, numbers_show, quantity, rule
from .latex import derivative, latex, number, symbol
from .names import Names, names_of
from .rules import Renamed, tidied
from .semiring import Edge, number_of_paths, semiring, slope
from .steps import below, contribution, edges, seed
from .text import apart, figure, norm, plain, shape

ALL, ALL_TENSORS = 2_000, 200                         # so many paths are followed one by one to prove their sum
FIRST, LAST, DOTS = 24, 8, "..."                      # of a long path so much is shown at each end


@dataclass(eq=False)
class Path:
    """One path from the loss down to the variable: its edges (a node, which of its inputs), the product of what they
    multiply by, and the nodes on the way, the loss first."""

    edges: list[Edge]
    product: Any
    nodes: list[Node]


@dataclass(repr=False, eq=False)
class Explanation:
    """Why the gradient of ``loss`` with respect to ``w`` is what it is. Prints as text; ``latex()`` for a page.

    ``paths`` holds the largest paths, ``number`` counts all of them, ``total`` is the sum over all of them, added up
    without the sweep, ``gradient`` what the sweep gives, ``scale`` the sum of the sizes of what ``total`` adds up.
    """

    loss: Node
    w: Node
    names: Names
    paths: list[Path]
    number: int
    total: Any
    gradient: Any
    scale: float
    digits: int

    @property
    def scalar(self) -> bool:
        """Whether all values on the way are single numbers."""
        return all(isinstance(path.product, float) for path in self.paths)

    @property
    def difference(self) -> float:
        """How far the sum over the paths is from the gradient, relative to the sum of the sizes of what is added."""
        away = apart(self.total, self.gradient)
        return away / self.scale if self.scale else away

    def __post_init__(self) -> None:
        """What is shown is written now: the graph may be freed, and the weights change, before it is."""
        self._text, self._formulas = self.text(), self.derived()

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__

    def formulas(self) -> list[str]:
        """The derivation as LaTeX formulas without dollar signs; matplotlib's mathtext understands each."""
        return self._formulas

    def latex(self) -> str:
        """The derivation as LaTeX, one formula a paragraph."""
        return "\n\n".join(f"${formula}$" for formula in self._formulas) + "\n"

    def svg(self) -> str:
        """The text as a picture."""
        return printed(self._text)

    def _repr_latex_(self) -> str:
        lines = r" \\ ".join(f"& {formula}" for formula in self._formulas)
        return rf"$\displaystyle \begin{{aligned}} {lines} \end{{aligned}}$"

    # ---- text --------------------------------------------------------------------------------------------------------
    def text(self) -> str:
        """The derivation in lines."""
        loss, w = self.names[self.loss], self.names[self.w]
        way = "1 path" if self.number == 1 else f"{short(self.number)} paths"
        most = f"{len(self.paths)} " if len(self.paths) > 1 else ""
        title = f"d{loss}/d{w} = {figure(self.gradient, self.digits)}: the sum over {way} from {loss} down to {w}"
        out = [title + ("" if len(self.paths) == self.number else f", the {most}largest first")]
        for k, path in enumerate(self.paths, 1):
            route = [DOTS if step is None else step for step in ends(self.route(path))]
            out += ["", f"path {k}: {' <- '.join(route)}",
                    *(self.scalar_lines(path) if self.scalar else self.tensor_lines(path))]
        return "\n".join([*out, "", *self.conclusion()])

    def route(self, path: Path) -> list[str]:
        """The nodes on the way; where one uses the next several times, which of its inputs the path takes."""
        out = [self.names[self.loss]]
        for run in self.runs(path) if self.scalar else [[edge] for edge in path.edges]:
            node, i = run[-1]
            x = node.inputs[i]
            out += [f"({len(run) - 1} between)"] * (len(run) > 1)
            out.append(self.names[x] + f" (input {i + 1})" * (sum(other is x for other in node.inputs) > 1))
        return out

    def runs(self, path: Path) -> list[list[Edge]]:
        """The edges of a path; where it is long, those in a row that pass on what they get stand together."""
        out: list[list[Edge]] = []
        before = False
        for edge in path.edges:
            same = (len(path.edges) > FIRST and slope(*edge) == 1
                    and local_text(*edge, names_show(self.names, self.digits)) == "1")
            if same and before:
                out[-1].append(edge)
            else:
                out.append([edge])
            before = same
        return out

    def scalar_lines(self, path: Path) -> list[str]:
        """The local derivatives of a path, and their product."""
        lines: list[tuple[str, ...]] = []
        factors = []
        parts = self.runs(path)
        for run in ends(parts):
            if run is None:
                lines.append((DOTS, f"{sum(map(len, parts[FIRST:-LAST])):,} more factors"))
                factors.append(DOTS)
                continue
            node, i = run[-1]
            if len(run) > 1:
                lines.append((f"{self.names[run[0][0]]} <- {self.names[node.inputs[i]]}", f"1, {len(run):,} times"))
                continue
            symbols = local_text(node, i, names_show(self.names, self.digits))
            numbers = bare(local_text(node, i, numbers_show(self.digits)))
            d = slope(node, i)
            factors.append(quantity(d, self.digits))
            lines.append((f"d{self.names[node]}/d{self.names[node.inputs[i]]}",
                          *dict.fromkeys([symbols, numbers, figure(d, self.digits)])))
        width = max([len("product"), *(len(line[0]) for line in lines)])
        said, product = " * ".join(factors) or "1", figure(path.product, self.digits)
        return [f"  {line[0]:{width}} = {' = '.join(line[1:])}" for line in lines] + [
            f"  {'product':{width}} = {said}" + (f" = {product}" if said != product else "")]

    def tensor_lines(self, path: Path) -> list[str]:
        """The chain of Jacobians of a path, and what each makes of the adjoint that comes down."""
        pairs = ends(list(zip(path.nodes, path.nodes[1:], strict=False)))
        chain = " ".join(DOTS if p is None else f"J[{self.names[p[0]]}, {self.names[p[1]]}]" for p in pairs)
        sizes = " ".join(DOTS if p is None else f"({elements(p[0]):,} x {elements(p[1]):,})" for p in pairs)
        lines = [f"  {chain}, of {sizes}: never formed" if chain else "  1", f"  g0 = 1  {shape(self.loss)}"]
        g, shown = seed(self.loss), set(filter(None, ends(path.edges)))
        for k, (node, i) in enumerate(path.edges, 1):
            before, g = g, contribution(node, i, g)
            if (node, i) in shown:
                said = contribution_text(node, i, f"g{k - 1}", names_show(self.names), rule(node, i, before),
                                         self.names[node.inputs[i]])
                lines.append(f"  g{k} = {said}  {shape(g)} norm {figure(norm(g), self.digits)}")
            elif lines[-1] != f"  {DOTS}":
                lines.append(f"  {DOTS}")
        return lines

    def conclusion(self) -> list[str]:
        """The sum of all products beside the gradient."""
        shown = "sum of the products" if len(self.paths) == self.number else f"sum over all {short(self.number)} paths"
        more = []
        if 1 < len(self.paths) < self.number:
            part = sum((path.product for path in self.paths[1:]), self.paths[0].product)
            more = [f"sum of the {len(self.paths)} paths above = {figure(part, self.digits)}"]
        equal = "equal" if self.difference < 1e-5 else "NOT equal"
        return [*more, f"{shown} = {figure(self.total, self.digits)}",
                f"gradient by one sweep = {figure(self.gradient, self.digits)}: {equal} "
                f"(relative difference {self.difference:.1g})"]

    # ---- LaTeX -------------------------------------------------------------------------------------------------------
    def derived(self) -> list[str]:
        """The derivation in formulas."""
        whole = derivative(self.names[self.loss], self.names[self.w])
        if self.number == 1:
            return [" = ".join(dict.fromkeys([whole, *self.chain(self.paths[0])]))]
        terms = [f"p_{{{k}}}" for k in range(1, len(self.paths) + 1)] + [r"\ldots"] * (len(self.paths) < self.number)
        said = [whole, " + ".join(terms)]
        if self.scalar:
            products = [bracketed(number(figure(path.product, self.digits))) for path in self.paths]
            said += [" + ".join(products + terms[len(products):]), number(figure(self.gradient, self.digits))]
        return [" = ".join(said), *[" = ".join(dict.fromkeys([term, *self.chain(path)]))
                                    for term, path in zip(terms, self.paths, strict=False)]]

    def chain(self, path: Path) -> list[str]:
        """What a path multiplies: derivatives, the same as formulas, as numbers, and the result."""
        times, dots = r" \cdot ", r"\cdots"
        pairs, edges_ = ends(list(zip(path.nodes, path.nodes[1:], strict=False))), ends(path.edges)
        chain = [dots if p is None else derivative(self.names[p[0]], self.names[p[1]]) for p in pairs]
        if not self.scalar:
            sizes = ["" if p is None else rf"_{{{elements(p[0])} \times {elements(p[1])}}}" for p in pairs]
            return [times.join(rf"\left({d}\right){s}" if s else d for d, s in zip(chain, sizes, strict=True)) or "1"]
        symbols = [dots if e is None else local_latex(e[0], e[1], self.names, self.digits) for e in edges_]
        numbers = [dots if e is None else bracketed(number(figure(slope(e[0], e[1]), self.digits))) for e in edges_]
        return [*filter(None, map(times.join, (chain, symbols, numbers))), number(figure(path.product, self.digits))]


def ends(items: list) -> list:
    """A list, with None in place of its middle where it is long."""
    return items if len(items) <= FIRST + LAST else [*items[:FIRST], None, *items[-LAST:]]


def elements(node: Node) -> int:
    """How many numbers a node holds."""
    return int(np.size(plain(node)))


def explain(loss: Node, w: Node, *, most: int = 8, names: Any = None, digits: int = 6) -> Explanation:
    """Derive d loss / d w by the chain rule: the ``most`` largest paths one by one, the sum over all, the gradient.

    RuntimeError where ``w`` is not in the graph of ``loss``, or ``loss`` is not a single number, or has no graph.

    >>> w, x = Value(-3.0, label="w"), Value(2.0, label="x")
    >>> y = w * x; y.label = "y"
    >>> print(explain(y, w))
    dy/dw = 2: the sum over 1 path from y down to w
    <BLANKLINE>
    path 1: y <- w
      dy/dw   = x = 2
      product = 2
    <BLANKLINE>
    sum of the products = 2
    gradient by one sweep = 2: equal (relative difference 0)
    """
    if not isinstance(w, Node):
        raise TypeError(message(f"a gradient is taken with respect to a Value or a Tensor, not a {type(w).__name__}",
                                op="explain", inputs=(w,), instead="explain(loss, w)"))
    nodes = below(loss)
    if not w.requires_grad:
        raise RuntimeError(message("One of the differentiated Tensors does not require grad", op="explain", inputs=(w,),
                                   instead="w.requires_grad_() before the loss is computed"))
    number_of = number_of_paths(loss)
    if w not in number_of:
        raise RuntimeError(message("One of the differentiated Tensors appears to not have been used in the graph",
                                   op="explain", inputs=(w,), instead="explain(loss, w), where loss was made from w"))
    called = names_of(nodes, loss, names)
    gradient = next(g for node, g in sweep([loss], [seed(loss)], targets=[w]) if node is w)
    most, n = max(1, most), number_of[w]
    between = semiring(w, lambda node, i: True, operator.or_, operator.and_, True, loss)
    if all(np.size(node.payload) == 1 for node in between):
        best = islice(largest(loss, w, slope), n if n <= ALL else most)
        found = [walked(loss, route, product) for product, route in best]
        if n <= ALL:
            total = math.fsum(path.product for path in found)
        else:                                         # too many to follow: the same sum, one addition for each edge
            total = semiring(w, slope, one=1.0, up_to=loss)[loss]
        scale = semiring(w, lambda node, i: abs(slope(node, i)), one=1.0, up_to=loss)[loss]
        return Explanation(loss, w, called, found[:most], n, total, gradient, scale, digits)
    adjoint = dict(sweep([loss], [seed(loss)]))

    def gain(node: Node, i: int) -> float:
        g = norm(adjoint[node])
        return norm(contribution(node, i, adjoint[node])) / g if g else 0.0

    routes = [route for _, route in islice(largest(loss, w, gain), n if n <= ALL_TENSORS else most)]
    found = [walked(loss, route, brought_down(loss, route)) for route in routes]
    found.sort(key=lambda path: -norm(path.product))
    if n <= ALL_TENSORS:
        parts = [path.product for path in found]
    else:                                             # the last steps of all paths at once, one for each use of w
        parts = [contribution(node, i, adjoint[node]) for node in between for i, x in edges(node) if x is w]
    return Explanation(loss, w, called, found[:most], n, sum(parts), gradient, sum(map(norm, parts)), digits)


def largest(loss: Node, w: Node, weight: Callable[[Node, int], float]) -> Iterator[tuple[float, list[Edge]]]:
    """The paths from ``loss`` down to ``w``, the one whose product of weights is largest in size first.

    ``bound`` is the best that can still come below a node (the semiring of max and times), so that the search never
    looks at a path before its turn.
    """
    weights: dict[Edge, float] = {}
    bound = {w: 1.0}
    for node in below(loss):
        for i, x in edges(node):
            if x in bound:
                weights[node, i] = d = weight(node, i)
                bound[node] = max(bound.get(node, 0.0), size(d) * bound[x])
    turn = count()
    heap: list[tuple[float, int, float, Node, Any]] = [(-bound[loss], next(turn), 1.0, loss, None)]
    while heap:
        _, _, product, node, link = heapq.heappop(heap)
        if node is w:
            route = []
            while link is not None:
                link, edge = link
                route.append(edge)
            yield product, route[::-1]
            continue
        for i, x in reversed(edges(node)):            # of paths that are equally large the first input's comes first
            if (node, i) in weights:
                p = product * weights[node, i]
                heapq.heappush(heap, (-size(p) * bound[x], -next(turn), p, x, (link, (node, i))))


def size(x: float) -> float:
    """|x|; where that is not a number, more than anything."""
    return abs(x) if x == x else math.inf


def walked(loss: Node, route: list[Edge], product: Any) -> Path:
    """A path with the nodes on its way."""
    return Path(route, product, [loss, *[node.inputs[i] for node, i in route]])


def brought_down(loss: Node, route: list[Edge]) -> Any:
    """What one path alone brings down to its end."""
    g = seed(loss)
    for node, i in route:
        g = contribution(node, i, g)
    return g


# ---- local derivatives ----------------------------------------------------------------------------------------------

def local_text(node: Node, i: int, show: Any) -> str:
    """The local derivative as text: the rule for an adjoint of 1, without the ones."""
    found = rule(node, i)
    if found is None:
        return figure(slope(node, i))
    return neat(ast.unparse(Renamed(arguments(node, "1", show, found)).visit(of_one(found))))


def local_latex(node: Node, i: int, names: Names, digits: int) -> str:
    """The local derivative as LaTeX."""
    found = rule(node, i)
    if found is None:
        return number(figure(slope(node, i), digits))

    def show(x: Any) -> str:
        name = names.of(x)
        return symbol(name) if name else bracketed(number(figure(x, digits)))

    return neat(latex(of_one(found), arguments(node, "1", show, found), 2))


def bracketed(text: str) -> str:
    """A number below 0 in brackets."""
    return rf"\left({text}\right)" if text.startswith("-") else text


def of_one(found: Any) -> ast.expr:
    """The rule with 1 for the adjoint, and the products with 1 written out."""
    return ast.parse(ast.unparse(One(found.arguments[0]).visit(tidied(found))), mode="eval").body


class One(ast.NodeTransformer):
    """Puts 1 in the place of a name and drops what multiplies by it."""

    def __init__(self, name: str):
        self.name = name

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(1) if node.id == self.name else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        a, b = node.left, node.right
        if isinstance(node.op, ast.Mult) and is_one(a):
            return b
        if isinstance(node.op, (ast.Mult, ast.Div)) and is_one(b):
            return a
        if isinstance(node.op, ast.Mult) and isinstance(a, ast.UnaryOp) and is_one(a.operand):
            return ast.UnaryOp(a.op, b)
        return node


def is_one(node: ast.expr) -> bool:
    """Whether an expression is the number 1."""
    return isinstance(node, ast.Constant) and node.value == 1


__all__ = ["Explanation", "Path", "explain"]
