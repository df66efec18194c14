"""source(loss): a recorded graph, forward and backward, as straight-line NumPy that a student would write by hand."""
from __future__ import annotations

import ast
import sys
from typing import Any

import numpy as np

from ..dp.formula import neat
from ..dp.names import names_of
from ..errors import message
from ..graph import REGISTRY, Node, Primitive, order, sweep
from ..mode import no_grad, watch
from ..tensor import seed_of
from ..value import Value
from .program import Line, Program, Var
from .text import Namer, atom, called, described

WIDTH = 88                                            # of an expression that may stand where it is read, if once
SMALL = 6                                             # arrays of so many elements are written out


class Source(str):
    """The text of a program. ``given`` are the arrays that it reads and does not write out; ``run()`` executes it."""

    given: dict[str, Any]
    result: str
    gradients: dict[Node, str]

    def run(self) -> dict[str, Any]:
        """Execute the text; every name that it assigns, with its number or array."""
        space = dict(self.given)
        exec(compile(self, "<source>", "exec"), space)            # the text printed is the text run
        return {name: x for name, x in space.items() if not name.startswith("__") and name not in ("np", "math")}

    def __repr__(self) -> str:
        return str(self)


def source(loss: Any, *, names: Any = None) -> Source:
    """Forward and backward of the graph below ``loss`` as straight-line NumPy, its names kept, shapes as comments.

    ``names`` (a dictionary name -> node; ``locals()`` will do) names what the caller's variables do not. The derivative
    of the loss with respect to ``w`` is called ``d_w``. Executing the text, as ``source(loss).run()`` does, gives the
    same numbers.

    >>> w, x = Value(-3.0, label="w"), Value(2.0, label="x")
    >>> print(tg.dp.source((w * x).exp()))
    import math
    <BLANKLINE>
    w = -3.0
    x = 2.0
    <BLANKLINE>
    # forward
    v1 = w * x
    L = math.exp(v1)
    <BLANKLINE>
    # backward
    d_L = 1.0
    d_v1 = d_L * L
    d_w = d_v1 * x
    d_x = d_v1 * w
    """
    if not isinstance(loss, Node):
        raise TypeError(message(f"source() takes the node whose graph is to be printed, not {type(loss).__name__}",
                                op="source", instead="source(loss), a Value or Tensor that operations made"))
    seed = Value(1.0) if loss.scalar else seed_of(loss, None, True)
    nodes = order([loss])
    called_ = names_of(nodes, loss, names)
    writer = Writer(called_)
    for node in nodes:
        writer.node(node)
    forward = len(writer.lines)
    with no_grad(), watch(writer):
        start = writer.seed(seed)
        for node, g in sweep([loss], [seed], create_graph=True):
            writer.adjoint(node, g)
    return writer.text(loss, nodes, forward, start)


class Writer:
    """Collects the lines of a program: the nodes of a graph, and what a sweep of nodes computes."""

    flowed = None

    def __init__(self, called_: Any):
        self.called = called_
        self.lines: list[Line] = []
        self.of: dict[Any, Var] = {}                  # node -> variable; id of an array -> variable
        self.kept: list[Any] = []
        self.leaves: list[Var] = []
        self.adjoints: dict[Node, Var] = {}
        self.dtypes: dict[Var, Any] = {}

    def var(self, x: Any, name: str = "", value: Any = None) -> Var:
        """A variable for a node or array."""
        p = x.payload if isinstance(x, Node) else x
        var = Var(getattr(p, "shape", ()), getattr(p, "dtype", None), name=name, value=value)
        self.kept.append((x, p))
        if isinstance(x, Node):
            self.of[x] = var
        if isinstance(p, np.ndarray):
            self.of.setdefault(id(p), var)
        return var

    def find(self, x: Any) -> Any:
        """``x`` with variables in place of nodes and arrays."""
        if isinstance(x, (Node, np.ndarray)):
            found = self.of.get(x) if isinstance(x, Node) else None
            p = x.payload if isinstance(x, Node) else x
            if found is None and isinstance(p, np.ndarray):
                found = self.of.get(id(p))
            if found is None:
                name = self.called.of(x) or ("" if isinstance(x, Node) and x.scalar else "c")
                if isinstance(x, Node) and x.scalar and not name:
                    return x.payload
                found = self.var(x, name, value=p)
                self.leaves.append(found)
            return found
        if isinstance(x, (tuple, list)):
            items = [self.find(item) for item in x]
            return tuple(items) if isinstance(x, tuple) else items
        if isinstance(x, dict):
            return {key: self.find(item) for key, item in x.items()}
        return x

    def node(self, node: Node) -> None:
        """One node of the graph, as it was made."""
        name = self.called.get(node, "")
        if node.op is None:
            self.leaves.append(self.var(node, name, value=node.payload))
            return
        inputs, params = self.find(node.inputs), self.find(node.params)
        self.line(self.var(node, name), node.op, inputs, params, node)

    def line(self, out: Var, op: Primitive, inputs: tuple, params: dict, node: Node) -> None:
        """A line, and one more where the result was cast to PyTorch's dtype."""
        self.lines.append(Line("call", out, op, inputs, params))
        if op.promotes and not node.scalar:
            dtypes = {v.dtype for v in inputs if isinstance(v, Var)}
            if not dtypes or None in dtypes or np.result_type(*dtypes) != out.dtype or out.dtype.kind != "f":
                self.dtypes[out] = out.dtype

    def made(self, node: Node, op: Primitive, inputs: tuple, params: dict) -> None:
        """A node that the sweep computes."""
        inputs, params = self.find(inputs), self.find(params)
        if not node.scalar and id(node.payload) in self.of:
            self.of[node] = self.of[id(node.payload)]
            return
        self.line(self.var(node), op, inputs, params, node)

    def seed(self, seed: Node) -> Var:
        """The variable of the first adjoint."""
        p = seed.payload
        return self.var(seed, value=p if seed.scalar else p.dtype.type(1) if p.ndim == 0 else p)

    def adjoint(self, node: Node, g: Any) -> None:
        """The adjoint of ``node`` is solved: it has a name from now on."""
        var = self.find(g)
        if not isinstance(var, Var):
            var = self.var(g, value=var)
        self.adjoints[node] = var
        if not var.name:
            var.name = f"d_{self.called.get(node, '')}"

    # ---- writing -----------------------------------------------------------------------------------------------------
    def text(self, loss: Node, nodes: list[Node], forward: int, start: Var) -> Source:
        """The whole program: what is given, forward, backward."""
        names = Namer(Program([], None, ""))
        for taken in ("leaf", "Branch"):
            names.taken.discard(taken)
            del names.space[taken]
        uses: dict[Var, int] = {}
        for line in self.lines:
            for v in line.reads:
                uses[v] = uses.get(v, 0) + 1
        leaf_lines, given = [], {}
        for v in dict.fromkeys(self.leaves):
            if not uses.get(v) and v not in self.adjoints.values() and not any(self.of.get(n) is v for n in nodes):
                continue
            name = names.of[v] = names.fresh(v.name or "c")
            p = v.value
            if not isinstance(p, np.ndarray):
                leaf_lines.append((f"{name} = {atom(float(p), names)}", ""))
            elif 0 < p.size <= SMALL and p.dtype.kind in "fiub" and np.isfinite(p).all():
                leaf_lines.append((f"{name} = np.array({p.tolist()!r}, '{p.dtype}')", described(v)))
            else:
                given[name] = p
                leaf_lines.append((f"# {name} is given", described(v)))
        names.of[start] = names.fresh(start.name)
        value = start.value
        seed = (f"np.ones({value.shape}, '{value.dtype}')" if isinstance(value, np.ndarray) else
                atom(float(value) if start.dtype is None else value, names))
        first = f"{names.of[start]} = {seed}"
        named = {self.of[n] for n in nodes if not generic(self.called.get(n, "")) or (
            n in self.adjoints and self.adjoints[n].name == f"d_{self.called[n]}")} | set(self.adjoints.values())
        blocks = [self.written(self.lines[:forward], names, uses, named | {self.of[loss]}),
                  [(first, ""), *self.written(self.lines[forward:], names, uses, named)]]
        gradients = {}
        for node in nodes:
            if node.op is None and node in self.adjoints:
                wish, have = f"d_{names.of[self.of[node]]}", names.var(self.adjoints[node])
                if have != wish:
                    fresh = names.fresh(wish)
                    blocks[1].append((f"{fresh} = {have}", ""))
                    have = fresh
                gradients[node] = have
        sections = [leaf_lines, [("# forward", ""), *blocks[0]], [("# backward", ""), *blocks[1]]]
        text = "\n\n".join("\n".join(aligned(section)) for section in sections if section)
        heads = [head for head, mark in (("import math", "math."), ("import numpy as np", "np.")) if mark in text]
        bound = {name: x for name, x in names.space.items() if name not in ("np", "math")}
        for name, x in bound.items():                 # functions of this package that have no one-line form
            if callable(x):
                heads.append(imported(name, x))
        result = Source("\n".join([*heads, "", text]) if heads else text)
        result.given = {**bound, **given}
        result.result = names.of[self.of[loss]]
        result.gradients = gradients
        return result

    def written(self, lines: list[Line], names: Namer, uses: dict[Var, int], named: set[Var]) -> list[tuple[str, str]]:
        """Statements for lines; what is read once, and has no name of its own, stands in its reader."""
        out: list[tuple[str, str]] = []
        for line in lines:
            right = called(line.op, line, names)
            if line.out in self.dtypes:
                right = f"np.asarray({right}).astype('{self.dtypes[line.out]}', copy=False)"
            right = neat(ast.unparse(ast.parse(right, mode="eval")))
            inline = line.out not in named and uses.get(line.out, 0) == 1 and len(right) < WIDTH * 2 // 3
            if inline and not isinstance(ast.parse(right, mode="eval").body, ast.Name):
                names.of[line.out] = right
            else:
                out.append((f"{names.var(line.out)} = {right}", described(line.out)))
        return out


def imported(name: str, function: Any) -> str:
    """The line that brings a function into a program: an import where it can be imported, else what it is."""
    module, own = getattr(function, "__module__", "") or "", getattr(function, "__name__", name)
    if getattr(sys.modules.get(module), own, None) is not function:
        op = next((op.name for op in REGISTRY.values() if op.fn is function), None)
        return f"# {name} is given: {own} of {module}" if op is None else \
            f"from tinygrad_edu.graph import REGISTRY\n{name} = REGISTRY[{op!r}].fn"
    if module == "builtins":
        return f"{name} = {own}"
    return f"from {module} import {own}" + (f" as {name}" if name != own else "")


def generic(name: str) -> bool:
    """Whether a name was only made up to have one."""
    return not name or name[0] == "v" and name[1:].isdigit()


def aligned(lines: list[tuple[str, str]]) -> list[str]:
    """Statements with their comments in one column."""
    width = max((len(text) for text, about in lines if about and len(text) <= WIDTH), default=0)
    return [f"{text:{width}}  # {about}".rstrip() if about and not text.startswith("#") else f"{text}  {about}".rstrip()
            for text, about in lines]
