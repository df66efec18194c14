"""One gradient's derivation: every path from the loss down to a variable, each product, and their sum.

For numbers a path is the product of its local derivatives. For tensors it is a chain of Jacobians, applied one after
the other to what comes down: none of them is ever formed.
"""
from __future__ import annotations

import ast
import heapq
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

import numpy as np

from ..errors import message
from ..graph import Node, sweep
from .chart import printed
from .formula import arguments, bare, contribution_text, names_show, neat, numbers_show, quantity, rule, written_out
from .latex import derivative, latex, number, symbol
from .names import Names, names_of
from .rules import tidied
from .semiring import Edge, number_of_paths, reachable, semiring, slope
from .steps import below, contribution, edges, seed
from .text import apart, counted, figure, norm, plain, shape

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
        return away / self.scale if self.scale and away else away

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
        most = f"{len(self.paths)} " if len(self.paths) > 1 else ""
        kind = "largest" if self.scalar or self.number <= ALL_TENSORS else "strongest, by their gains,"
        title = (f"d{loss}/d{w} = {figure(self.gradient, self.digits)}: "
                 f"the sum over {counted(self.number, 'path')} from {loss} down to {w}")
        out = [title + ("" if len(self.paths) == self.number else f", the {most}{kind} first")]
        for k, path in enumerate(self.paths, 1):
            out += ["", f"path {k}: {' <- '.join([loss, *self.route(path)])}",
                    *(self.scalar_lines(path) if self.scalar else self.tensor_lines(path))]
        return "\n".join([*out, "", *self.conclusion()])

    def factors(self, path: Path) -> list[Factor | None]:
        """What a path multiplies, None for the middle of a long one. There, edges in a row that pass on what they get
        stand together."""
        runs: list[list[Edge]] = []
        before = False
        for node, i in path.edges:
            same = (self.scalar and len(path.edges) > FIRST and slope(node, i) == 1
                    and local_text(node, i, names_show(self.names, self.digits)) == "1")
            if same and before:
                runs[-1].append((node, i))
            else:
                runs.append([(node, i)])
            before = same
        return [run and Factor(run, self.names) for run in ends(runs)]

    def route(self, path: Path) -> list[str]:
        """The nodes on the way; where one uses the next several times, which of its inputs the path takes."""
        out = []
        for factor in self.factors(path):
            out += [DOTS] if factor is None else [*factor.between, factor.x + factor.which]
        return out

    def scalar_lines(self, path: Path) -> list[str]:
        """The local derivatives of a path, and their product."""
        lines: list[tuple[str, ...]] = []
        said = []
        for factor in (factors := self.factors(path)):
            if factor is None:
                left = len(path.edges) - sum(len(f.run) for f in factors if f)
                lines.append((DOTS, f"{left:,} more factors"))
                said.append(DOTS)
            elif factor.between:
                lines.append((f"{factor.y} <- {factor.x}", f"1, {len(factor.run):,} times"))
            else:
                symbols = local_text(*factor.edge, names_show(self.names, self.digits))
                numbers = bare(local_text(*factor.edge, numbers_show(self.digits)))
                said.append(quantity(factor.slope, self.digits))
                lines.append((f"∂{factor.y}/∂{factor.x}{factor.which}",
                              *dict.fromkeys([symbols, numbers, figure(factor.slope, self.digits)])))
        lines.append(("product", *dict.fromkeys([" * ".join(said) or "1", figure(path.product, self.digits)])))
        width = max(len(line[0]) for line in lines)
        return [f"  {line[0]:{width}} = {' = '.join(line[1:])}" for line in lines]

    def tensor_lines(self, path: Path) -> list[str]:
        """The chain of Jacobians of a path, and what each makes of the adjoint that comes down."""
        factors = self.factors(path)
        chain = " ".join(DOTS if f is None else f"J[{f.y}, {f.x}]" for f in factors)
        sizes = " ".join(DOTS if f is None else "({:,} x {:,})".format(*f.size) for f in factors)
        lines = [f"  {chain}, of {sizes}: never formed" if chain else "  1", f"  g0 = 1  {shape(self.loss)}"]
        g, shown = seed(self.loss), {f.edge for f in factors if f}
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
        shown = "sum of the products" if len(self.paths) == self.number else \
            f"sum over all {counted(self.number, 'path')}"
        more = []
        if 1 < len(self.paths) < self.number:
            part = sum((path.product for path in self.paths[1:]), self.paths[0].product)
            more = [f"sum of the {len(self.paths)} paths above = {figure(part, self.digits)}"]
        equal = "equal" if self.difference < 1e-5 else "NOT equal"
        hooked = [self.names[x] for x in self.names if isinstance(x, Node) and x.note.hooks]
        return [*more, f"{shown} = {figure(self.total, self.digits)}",
                f"gradient by one sweep = {figure(self.gradient, self.digits)}: {equal} "
                f"(relative difference {self.difference:.1g})",
                *[f"a hook on {name} changes its adjoint, and no path by itself knows that" for name in hooked]]

    # ---- LaTeX -------------------------------------------------------------------------------------------------------
    def derived(self) -> list[str]:
        """The derivation in formulas."""
        whole = derivative(self.names[self.loss], self.names[self.w], r"\mathrm{d}")
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
        factors = self.factors(path)

        def product(said: Callable[[Factor], str]) -> str:
            return r" \cdot ".join(r"\cdots" if f is None else said(f) for f in factors)

        def figures(f: Factor) -> str:
            text = number(figure(f.slope, self.digits))
            return bracketed(text) if len(factors) > 1 else text

        if not self.scalar:
            return [product(lambda f: r"\left({}\right)_{{{} \times {}}}".format(f.latex, *f.size)) or "1"]
        return [*filter(None, [product(lambda f: f.latex),
                               product(lambda f: local_latex(*f.edge, self.names, self.digits)),
                               product(figures)]),
                number(figure(path.product, self.digits))]


@dataclass(eq=False)
class Factor:
    """One factor of a path: the local derivative along an edge, or 1 along several in a row that pass on what they
    get. ``y`` and ``x`` name its ends; where y uses x several times, ``which`` says by which of its inputs."""

    run: list[Edge]
    names: Names

    def __post_init__(self) -> None:
        self.edge = node, i = self.run[-1]
        self.y, self.x = self.names[self.run[0][0]], self.names[node.inputs[i]]
        self.several = sum(other is node.inputs[i] for other in node.inputs) > 1
        self.which = f" (input {i + 1})" if self.several else ""
        self.between = [f"({len(self.run) - 1:,} between)"] if len(self.run) > 1 else []
        self.size = elements(self.run[0][0]), elements(node.inputs[i])

    @property
    def slope(self) -> float:
        """The number that it multiplies by."""
        return slope(*self.edge)

    @property
    def latex(self) -> str:
        """The partial derivative; by one of several uses alone where there are several."""
        text = derivative(self.y, self.x)
        return rf"\left.{text}\right|_{{{self.edge[1] + 1}}}" if self.several else text


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
      ∂y/∂w   = x = 2
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
    between = reachable(w, loss)
    if all(np.size(node.payload) == 1 for node in between):
        best = islice(largest(loss, w, slope), n if n <= ALL else most)
        found = inorder(walked(loss, route, product) for product, route in best)
        if n <= ALL:
            products = [path.product for path in found]
            total = math.fsum(products) if math.isfinite(sum(map(abs, products))) else sum(products)
        else:                                         # too many to follow: the same sum, one addition for each edge
            total = semiring(w, slope, one=1.0, up_to=loss)[loss]
        scale = semiring(w, lambda node, i: abs(slope(node, i)), one=1.0, up_to=loss)[loss]
        return Explanation(loss, w, called, found[:most], n, total, gradient, scale, digits)
    adjoint = dict(sweep([loss], [seed(loss)]))

    def gain(node: Node, i: int) -> float:
        g = norm(adjoint[node])
        return norm(contribution(node, i, adjoint[node])) / g if g else 0.0

    routes = [route for _, route in islice(largest(loss, w, gain), n if n <= ALL_TENSORS else most)]
    found = inorder(walked(loss, route, brought_down(loss, route)) for route in routes)
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


def inorder(paths: Iterable[Path]) -> list[Path]:
    """The largest product first; of equal ones the path that takes an earlier input."""
    return sorted(paths, key=lambda path: (-size(norm(path.product)), [i for _, i in path.edges]))


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
    text = written_out(tree := of_one(found), node, "1", show, found)
    return f"({text})" if isinstance(tree, ast.Compare) else text


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
