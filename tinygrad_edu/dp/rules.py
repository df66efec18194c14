"""The rules as they are written: the source of a primitive's rule, found once, with names or numbers put in.

A rule is one expression, such as ``g * (1 - y * y)``. Python keeps where in the source each piece of its compiled code
came from, so the expression is found exactly, also where several lambdas share a line or one goes on over many lines.
"""
from __future__ import annotations

import ast
import builtins
import inspect
import linecache
from collections.abc import Mapping
from functools import lru_cache
from types import FunctionType
from typing import Any, NamedTuple

from ..graph import Primitive

Place = tuple[int, int]                               # line and column


class Expression(NamedTuple):
    """A function as one expression of its arguments, in order, and of ``rest`` where it takes any number of them;
    ``defaults`` of arguments, and in ``scope`` what it reads besides."""

    arguments: list[str]
    body: ast.expr
    scope: Mapping[str, Any]
    defaults: Mapping[str, Any]
    rest: str = ""


def expression(function: Any, values: tuple = (), params: Mapping[str, Any] | None = None) -> Expression | None:
    """``function`` as one expression: of a lambda its body, of a ``def`` what it returns, its local names put in.

    Where it decides between several (``a.ndim > 1``): the branch that ``values`` and ``params`` take, else None.
    None as well where no source is known: a ufunc, a builtin, a function typed into the bare interpreter.
    """
    if not isinstance(function, FunctionType):
        return None
    found = definition(function)
    if found is None:
        return None
    known = known_to(function, values, params or {})
    body = found.body if isinstance(found, ast.Lambda) else returned(found.body, known if values else None)
    if body is None:
        return None
    names, rest = arguments_of(function)
    scope = {key: value for key, value in known_to(function).items() if key not in names}
    return Expression(names, Decided(known).visit(copied(body)) if values else body, scope, defaults_of(function), rest)


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


# ---- a function's own facts -----------------------------------------------------------------------------------------

def arguments_of(function: FunctionType) -> tuple[list[str], str]:
    """The names of the arguments in order, and of what collects the rest (``*xs``)."""
    code = function.__code__
    count = code.co_argcount + code.co_kwonlyargcount
    return list(code.co_varnames[:count]), code.co_varnames[count] if code.co_flags & inspect.CO_VARARGS else ""


def defaults_of(function: FunctionType) -> dict[str, Any]:
    """The defaults of the arguments that have one."""
    code, last = function.__code__, function.__defaults__ or ()
    first = code.co_argcount - len(last)
    return dict(zip(code.co_varnames[first:code.co_argcount], last, strict=True), **(function.__kwdefaults__ or {}))


def known_to(function: FunctionType, values: tuple = (), params: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What every name in the body of ``function`` stands for: its module's names, defaults, ``values``, ``params``."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    names, rest = arguments_of(function)
    more = {rest: values[len(names):]} if rest and values else {}
    return {**function.__globals__, **{name: cell.cell_contents for name, cell in cells}, **defaults_of(function),
            **dict(zip(names, values, strict=False)), **more, **(params or {})}


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
    arguments, _ = arguments_of(function)
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

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        chosen = evaluated(node.test, self.known)
        return self.generic_visit(node) if chosen is None else self.visit(node.body if chosen else node.orelse)


class Tidy(ast.NodeTransformer):
    """NumPy's functions by their short names, products and sums as operators."""

    constants = {"ROOT_PI": "sqrt(pi)", "LN2": "log(2)", "LN10": "log(10)"}
    operators = {"matmul": ast.MatMult, "multiply": ast.Mult, "add": ast.Add, "subtract": ast.Sub,
                 "power": ast.Pow}

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.parse(self.constants.get(node.id, node.id), mode="eval").body

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        return ast.Name(node.attr) if isinstance(node.value, ast.Name) and node.value.id in ("np", "math") else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        name = node.func.id.lstrip("_") if isinstance(node.func, ast.Name) else ""
        if name:
            node.func = ast.Name(name)
        if name in self.operators and len(node.args) == 2 and not node.keywords:
            return ast.BinOp(node.args[0], self.operators[name](), node.args[1])
        if name == "mT" and len(node.args) == 1:
            return ast.Attribute(node.args[0], "mT")
        dims = node.keywords[0].value if name == "permute" and len(node.keywords) == 1 else None
        if dims is not None and ast.unparse(dims) == "(1, 0)":
            return ast.Attribute(node.args[0], "T")
        if name == "one_less" and len(node.args) == 1:
            return ast.BinOp(node.args[0], ast.Sub(), ast.Constant(1))
        return node
