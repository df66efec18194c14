"""A rule as one reads it at one node: small helpers put in, and what depends on shapes alone worked out.

``_expand(kept(g / count(x, dim), x, dim, keepdim), shape=x.shape)`` at a mean of twelve becomes
``expand(g / 12, shape=(3, 4))``.
"""
from __future__ import annotations

import ast
from collections.abc import Mapping
from types import FunctionType
from typing import Any

import numpy as np

from ..errors import PACKAGE
from .rules import Decided, Expression, Put, copied, definition, expression, known_to, returned

SHAPES = {"shape", "ndim", "dtype", "size"}           # what an array tells without its numbers
SHORT = 48                                            # a helper that is no longer than this is put in


def read(function: Any, values: tuple, params: Mapping[str, Any]) -> Expression | None:
    """``function`` as one expression for these very values, as short as can be."""
    found = expression(function, values, params)
    if found is None:
        return None
    known = known_to(function, values, params)
    live = {*found.arguments[:len(values)], found.rest}
    body = Settle(known, live).visit(Inline(known, live).visit(HandedOn(params).visit(copied(found.body))))
    return found._replace(body=ast.parse(ast.unparse(body), mode="eval").body)


class HandedOn(ast.NodeTransformer):
    """``f(x, **params)`` as ``f(x, dim=1)``: the parameters that a rule hands on, by their names."""

    def __init__(self, params: Mapping[str, Any]):
        self.params = params

    def visit_keyword(self, node: ast.keyword) -> Any:
        if node.arg is not None:
            return self.generic_visit(node)
        return [ast.keyword(name, ast.parse(repr(value), mode="eval").body) for name, value in self.params.items()]


class Settle(ast.NodeTransformer):
    """Replaces what depends on shapes and parameters alone by its value."""

    def __init__(self, known: Mapping[str, Any], live: set[str]):
        self.known, self.live = known, live

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):      # a or 1, where a is a number and not 0
            first = self.value(node.values[0])
            if isinstance(first, (int, float)) and first:
                return self.visit(node.values[0])
        if isinstance(node, ast.Starred):             # f(*x.shape) is f(3, 4)
            inside = self.visit(node.value)
            return inside.elts if isinstance(inside, ast.Tuple) else ast.Starred(inside)
        if isinstance(node, ast.expr) and not isinstance(node, (ast.Constant, ast.Name, ast.Slice)):
            text = worth_writing(self.value(node)) if self.settled(node) else None
            if text is not None:
                return ast.parse(text, mode="eval").body
        return super().visit(node)

    def settled(self, node: ast.AST) -> bool:
        """Whether no number of an array goes into ``node``, and something of this node's shapes or parameters does."""
        names = [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
        return (isinstance(node, ast.BoolOp) or any(n in self.known for n in names)) and not self.reads(node)

    def reads(self, node: ast.AST) -> bool:
        """Whether ``node`` reads the numbers of an array."""
        if isinstance(node, ast.Attribute) and node.attr in SHAPES and isinstance(node.value, ast.Name):
            return False
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            helper = self.known.get(node.func.id)
            if isinstance(helper, FunctionType) and helper.__annotations__.get("return") == "int":
                return False
        if isinstance(node, ast.Name) and node.id in self.live:
            return True
        return any(self.reads(child) for child in ast.iter_child_nodes(node))

    def value(self, node: ast.expr) -> Any:
        """The value of a settled expression; an object that nobody writes down where it has none."""
        tree = ast.fix_missing_locations(ast.Expression(body=copied(node)))
        try:
            return eval(compile(tree, "<rule>", "eval"), dict(self.known))     # the rule's own code, asked for shapes
        except Exception:                             # noqa: BLE001  (then it stays as it is written)
            return Settle


def worth_writing(value: Any) -> str | None:
    """A value as text where that is shorter than what it is made of: whole numbers, shapes, dtypes."""
    if value is None or isinstance(value, (bool, int)):
        return repr(value)
    if isinstance(value, tuple) and all(isinstance(n, int) for n in value):
        return repr(value)
    return str(value) if isinstance(value, np.dtype) else None


class Inline(ast.NodeTransformer):
    """Replaces a call of a small helper of this package by what the helper returns."""

    def __init__(self, known: Mapping[str, Any], live: set[str]):
        self.known, self.live = known, live

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        helper = self.known.get(node.func.id) if isinstance(node.func, ast.Name) else None
        if not isinstance(helper, FunctionType) or not helper.__code__.co_filename.startswith(PACKAGE) or node.keywords:
            return node
        if helper.__name__ == "mT":                   # has a notation of its own
            return node
        found, count = definition(helper), helper.__code__.co_argcount
        names = helper.__code__.co_varnames[:count]
        if not isinstance(found, ast.FunctionDef) or len(node.args) != count:
            return node
        given = dict(zip(names, node.args, strict=True))
        inner = {**helper.__globals__, **{name: self.known[arg.id] for name, arg in given.items()
                                          if isinstance(arg, ast.Name) and arg.id in self.known}}
        inner.update({name: arg.value for name, arg in given.items() if isinstance(arg, ast.Constant)})
        body = returned(found.body, inner)
        if body is None:
            return node
        body = Settle(inner, {name for name, arg in given.items() if self.reads(arg)}).visit(Decided(inner).visit(body))
        text = Put(given).visit(copied(body))
        return text if len(ast.unparse(text)) <= max(SHORT, len(ast.unparse(node)) - 10) else node

    def reads(self, node: ast.AST) -> bool:
        """Whether an argument is an array and not a parameter."""
        return any(isinstance(n, ast.Name) and n.id in self.live for n in ast.walk(node))
