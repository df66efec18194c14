"""The rules as they are written: the source of a primitive's rule, found once, with names or numbers put in.

A rule is one expression, such as ``g * (1 - y * y)``. Python keeps where in the source each piece of its compiled code
came from, so the expression is found exactly, also where several lambdas share a line or one goes on over many lines.
"""
from __future__ import annotations

import ast
import builtins
import linecache
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import FunctionType
from typing import Any, NamedTuple

from ..graph import Node, Primitive

Place = tuple[int, int]                               # line and column


class Expression(NamedTuple):
    """A function as one expression of its arguments, in order; ``scope`` holds the constants that it reads besides."""

    arguments: list[str]
    body: ast.expr
    scope: Mapping[str, Any]


def expression(function: Any, values: tuple = (), params: Mapping[str, Any] | None = None) -> Expression | None:
    """``function`` as one expression: of a lambda its body, of a ``def`` what it returns, with its local names put in.

    Where it decides between several (``a.ndim > 1``), the branch that ``values`` and ``params`` take; without them None.
    None as well where no source is known: a ufunc, a builtin, a function typed into the bare interpreter.
    """
    if not isinstance(function, FunctionType):
        return None
    code, found = function.__code__, definition(function)
    if found is None:
        return None
    names = list(code.co_varnames[:code.co_argcount + code.co_kwonlyargcount])
    scope = dict(function.__globals__)
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        scope[name] = cell.cell_contents
    known = dict(scope)
    known.update(function.__kwdefaults__ or {})
    defaults = function.__defaults__ or ()
    known.update(zip(code.co_varnames[code.co_argcount - len(defaults):code.co_argcount], defaults, strict=True))
    if values:
        known.update(zip(names, values, strict=False), **(params or {}))
    body = found.body if isinstance(found, ast.Lambda) else returned(found.body, known if values else None)
    if body is None:
        return None
    return Expression(names, Decided(known).visit(copied(body)) if values else body, scope)


def rule_text(primitive: Primitive, i: int, names: Mapping[str, str] | None = None, values: tuple = (),
              params: Mapping[str, Any] | None = None) -> str | None:
    """The rule of input ``i`` of ``primitive`` as text, each argument replaced by its name in ``names``.

    ``values`` (g, y and the inputs) decide where a rule has branches. None where there is no such text.

    >>> from tinygrad_edu.graph import REGISTRY
    >>> rule_text(REGISTRY["tanh"], 0, {"g": "dL/dy"})
    'dL/dy * (1 - y * y)'
    """
    if i >= len(primitive.rules):
        return None
    found = expression(primitive.rules[i], values, params)
    return None if found is None else written(found, names or {})


def written(expr: Expression, names: Mapping[str, str]) -> str:
    """``expr`` in Python's notation, its arguments by the names given."""
    return ast.unparse(Renamed(names).visit(tidied(expr)))


def tidied(expr: Expression) -> ast.expr:
    """The expression as one would write it on paper: exp for np.exp, a @ b for np.matmul(a, b)."""
    return Tidy().visit(copied(expr.body))


# ---- finding --------------------------------------------------------------------------------------------------------

@lru_cache(maxsize=64)
def parsed(source: str) -> ast.Module | None:
    """The syntax tree of a file; each file is parsed once."""
    try:
        return ast.parse(source) if source else None
    except (SyntaxError, ValueError):                 # a notebook's cell with a magic, or a file changed since
        return None


@lru_cache(maxsize=1024)
def definition(function: FunctionType) -> ast.Lambda | ast.FunctionDef | None:
    """The lambda or ``def`` that ``function`` was compiled from."""
    code = function.__code__
    tree = parsed("".join(linecache.getlines(code.co_filename, function.__globals__)))
    if tree is None:
        return None
    arguments = list(code.co_varnames[:code.co_argcount + code.co_kwonlyargcount])
    pieces = [((p[0], p[2]), (p[1], p[3])) for p in code.co_positions()
              if None not in p and p[:1] + p[2:3] != p[1:2] + p[3:]]
    best: tuple[Place, Any] | None = None
    for node in functions(tree):
        first = min([node.lineno, *[d.lineno for d in getattr(node, "decorator_list", ())]])
        spec = node.args
        if first != code.co_firstlineno or [a.arg for a in spec.posonlyargs + spec.args + spec.kwonlyargs] != arguments:
            continue
        if isinstance(node, ast.FunctionDef):
            if node.name == code.co_name:
                return node
            continue
        begin, end = place(node.body)
        if code.co_name == "<lambda>" and all(begin <= a and b <= end for a, b in pieces):
            if best is None or begin > best[0]:       # the innermost
                best = begin, node
    return None if best is None else best[1]


@lru_cache(maxsize=64)
def functions(tree: ast.Module) -> list[Any]:
    """All functions that a file defines."""
    return [node for node in ast.walk(tree) if isinstance(node, (ast.Lambda, ast.FunctionDef))]


def place(node: ast.expr) -> tuple[Place, Place]:
    """Where an expression begins and ends."""
    return (node.lineno, node.col_offset), (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)


def returned(statements: list[ast.stmt], known: Mapping[str, Any] | None) -> ast.expr | None:
    """What a function body returns, as one expression: assignments put in, branches decided by ``known``."""
    local: dict[str, ast.expr] = {}
    todo = list(statements)
    while todo:
        line = todo.pop(0)
        match line:
            case ast.Expr(value=ast.Constant()):      # the docstring
                continue
            case ast.Return(value=value) if value is not None:
                return Put(local).visit(copied(value))
            case ast.Assign(targets=[target], value=value):
                pairs = unpacked(target, Put(local).visit(copied(value)))
                if pairs is None:
                    return None
                local.update(pairs)
            case ast.If(test=test, body=then, orelse=otherwise) if known is not None:
                chosen = evaluated(Put(local).visit(copied(test)), known)
                if chosen is None:
                    return None
                todo = (then if chosen else otherwise) + todo
            case _:
                return None
    return None


def unpacked(target: ast.expr, value: ast.expr) -> dict[str, ast.expr] | None:
    """``a = x`` and ``a, b = x, y`` as names with expressions."""
    if isinstance(target, ast.Name):
        return {target.id: value}
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        if all(isinstance(t, ast.Name) for t in target.elts):
            return {t.id: v for t, v in zip(target.elts, value.elts, strict=True)}    # type: ignore[attr-defined]
    return None


def evaluated(test: ast.expr, known: Mapping[str, Any]) -> bool | None:
    """Whether a condition of the rule holds, asked of the very values; None where they do not tell."""
    tree = ast.fix_missing_locations(ast.Expression(body=copied(test)))
    try:
        return bool(eval(compile(tree, "<rule>", "eval"), {"__builtins__": builtins, **known}))    # the rule's own code
    except Exception:                                 # noqa: BLE001  (then the text is simply not decided)
        return None


def copied(tree: Any) -> Any:
    """The same expression, to be changed freely."""
    return ast.parse(ast.unparse(tree), mode="eval").body


# ---- rewriting ------------------------------------------------------------------------------------------------------

class Put(ast.NodeTransformer):
    """Names replaced by expressions."""

    def __init__(self, parts: Mapping[str, ast.expr]):
        self.parts = parts

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.parts.get(node.id, node)


class Renamed(ast.NodeTransformer):
    """Names replaced by text, which stays in one piece."""

    def __init__(self, names: Mapping[str, str]):
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(self.names.get(node.id, node.id))


class Decided(ast.NodeTransformer):
    """``a if test else b`` replaced by the one that applies."""

    def __init__(self, known: Mapping[str, Any]):
        self.known = known

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        chosen = evaluated(node.test, self.known)
        return self.generic_visit(node) if chosen is None else self.visit(node.body if chosen else node.orelse)


class Tidy(ast.NodeTransformer):
    """NumPy's functions by their short names, products and sums as operators."""

    operators = {"matmul": ast.MatMult, "multiply": ast.Mult, "add": ast.Add, "subtract": ast.Sub, "true_divide": ast.Div}

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        return ast.Name(node.attr) if isinstance(node.value, ast.Name) and node.value.id in ("np", "math") else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in self.operators and len(node.args) == 2 and not node.keywords:
            return ast.BinOp(node.args[0], self.operators[name](), node.args[1])
        if name == "mT" and len(node.args) == 1:
            return ast.Attribute(node.args[0], "mT")
        return node


def payloads(node: Node, g: Any) -> tuple:
    """The arguments of the rules of ``node``: its adjoint, its value, its inputs, as plain numbers and arrays."""
    return (g, node.payload, *[x.payload if isinstance(x, Node) else x for x in node.inputs])


def constants(expr: Expression, show: Callable[[Any], str]) -> dict[str, str]:
    """The numbers with names that an expression reads from the module around it (LN2, say), written by ``show``."""
    used = {n.id for n in ast.walk(expr.body) if isinstance(n, ast.Name)} - set(expr.arguments)
    return {name: show(expr.scope[name]) for name in used if isinstance(expr.scope.get(name), (int, float))}
