"""A formula typed by somebody, as Values: parsed, compared with a list of what is allowed, never run as Python."""
from __future__ import annotations

import ast
import keyword
import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from ..ops import elementwise as ew
from ..value import Value
from .text import counted

LENGTH = 2_000                                        # characters, so that nothing takes long
FUNCTIONS: dict[str, tuple[Any, int]] = {             # name: primitive, number of arguments
    **{op.name: (op, 1) for op in (ew.exp, ew.log, ew.log2, ew.log10, ew.log1p, ew.expm1, ew.sqrt, ew.square, ew.sin,
                                   ew.cos, ew.tan, ew.asin, ew.acos, ew.atan, ew.sinh, ew.cosh, ew.tanh, ew.asinh,
                                   ew.acosh, ew.atanh, ew.sigmoid, ew.relu, ew.softplus, ew.erf, ew.abs)},
    "pow": (ew.pow, 2), "max": (ew.maximum, 2), "min": (ew.minimum, 2), "maximum": (ew.maximum, 2),
    "minimum": (ew.minimum, 2), "atan2": (ew.atan2, 2), "hypot": (ew.hypot, 2)}
CONSTANTS = {"pi": math.pi, "e": math.e}
OPERATORS: dict[type, Any] = {ast.Add: ew.add, ast.Sub: ew.sub, ast.Mult: ew.mul, ast.Div: ew.div, ast.Pow: ew.pow,
                              ast.USub: ew.neg}


class BadFormula(ValueError):
    """A formula, or the value of a variable, that is not understood; says where and what is allowed."""


def formula(text: str, numbers: Mapping[str, float]) -> tuple[Value, dict[str, Value]]:
    """The result of a formula as a Value, and its variables. Steps may be named: ``h = w*x + b; tanh(h)``.

    >>> y, variables = formula("tanh(w*x + b)", {"w": -3, "x": 2, "b": 6})
    >>> round(y.data, 4), sorted(variables)
    (0.0, ['b', 'w', 'x'])
    """
    if len(text) > LENGTH:
        raise BadFormula(f"the formula has {len(text):,} characters; at most {LENGTH:,} are read")
    variables = {name: Value(number, label=checked(name)) for name, number in numbers.items()}
    known: dict[str, Any] = {**CONSTANTS, **variables}
    used: set[str] = set()
    result: Any = None
    for line in statements(text):
        name = ""
        if isinstance(line, ast.Assign):
            if len(line.targets) != 1 or not isinstance(line.targets[0], ast.Name):
                raise refused(text, line, "a step is written name = formula")
            name = checked(line.targets[0].id)
            if name in known and name not in CONSTANTS:
                raise refused(text, line, f"{name} has a value already")
        elif not isinstance(line, ast.Expr):
            raise refused(text, line, f"{type(line).__name__.lower()} is not part of a formula")
        result = value_of(line.value, known, used, text)
        if name:
            if isinstance(result, Value) and not result.name:
                result.label = name
            known[name] = result
    if idle := sorted(set(variables) - used):
        raise BadFormula(f"{', '.join(idle)} {'has a value but is' if len(idle) == 1 else 'have values but are'} not "
                         f"in the formula {text!r}")
    if not isinstance(result, Value):
        raise BadFormula(f"nothing in {text!r} varies: use a name, and give it a value as in x=2")
    return result, variables


def statements(text: str) -> list[ast.stmt]:
    """The steps of a formula as syntax trees."""
    try:
        with warnings.catch_warnings():               # of "1if x": not a warning's business, it is refused below
            warnings.simplefilter("ignore")
            lines = ast.parse(text.strip()).body
    except SyntaxError as error:
        line = text.strip().split("\n")[min(error.lineno or 1, text.strip().count("\n") + 1) - 1]
        raise BadFormula(pointed(line, max(error.offset or 1, 1) - 1, error.msg)) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise BadFormula(f"the formula cannot be read: {error or 'it is nested too deeply'}") from None
    if not lines:
        raise BadFormula("the formula is empty")
    return lines


def value_of(tree: ast.expr, known: Mapping[str, Any], used: set[str], text: str) -> Any:
    """The value of one expression: a Value, or a float where no variable is in it. A list in place of recursion."""
    done: list[Any] = []
    todo: list[tuple[ast.expr, bool]] = [(tree, False)]
    while todo:
        node, ready = todo.pop()
        if ready:
            apply(node, done, text)
            continue
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                done.append(finite(number, node, text))
            case ast.Name(id=name) if name in known:
                used.add(name)
                done.append(known[name])
            case ast.Name(id=name) if name in FUNCTIONS:
                raise refused(text, node, f"{name} is a function: write {name}(...)")
            case ast.Name(id=name):
                raise refused(text, node, f"{name} has no value: add {name}=1 behind the formula")
            case ast.BinOp(left=a, op=op, right=b) if type(op) in OPERATORS:
                todo += [(node, True), (b, False), (a, False)]
            case ast.BinOp(op=ast.BitXor()):
                raise refused(text, node, "a power is written x ** 2")
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=x):
                todo += [(node, True), (x, False)]
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
                if len(args) != FUNCTIONS[name][1] or any(isinstance(x, ast.Starred) for x in args):
                    raise refused(text, node, f"{name} takes {counted(FUNCTIONS[name][1], 'argument')}")
                todo += [(node, True), *((x, False) for x in reversed(args))]
            case ast.Call(func=ast.Name(id=name)):
                raise refused(text, node, f"there is no function {name} here; there are {', '.join(sorted(FUNCTIONS))}")
            case _:
                raise refused(text, node, f"{what(node)} is not part of a formula: numbers, names, + - * / ** and "
                                          "functions are")
    return done[0]


def apply(node: ast.expr, done: list[Any], text: str) -> None:
    """One operation on the values that were worked out last."""
    op: Any
    if isinstance(node, ast.UnaryOp):
        if isinstance(node.op, ast.UAdd):
            return
        op, count = ew.neg, 1
    elif isinstance(node, ast.BinOp):
        op, count = OPERATORS[type(node.op)], 2
    else:
        op, count = FUNCTIONS[node.func.id]           # type: ignore[attr-defined]
    arguments = done[-count:]
    del done[-count:]
    run: Callable = op if any(isinstance(x, Value) for x in arguments) else op.scalar
    try:
        result = run(*arguments)
    except OverflowError:
        raise refused(text, node, "the value is too large here") from None
    except (ArithmeticError, ValueError, TypeError) as error:
        raise refused(text, node, str(error).split("\n")[0]) from None
    done.append(finite(result, node, text))


def finite(result: Any, node: ast.expr, text: str) -> Any:
    """A value that is a finite real number, or an error that says where it is not."""
    try:
        number = result if isinstance(result, Value) else float(result)
        if math.isfinite(float(number)):
            return number
    except (OverflowError, TypeError):                # a number too large for a float; a complex one
        pass
    raise refused(text, node, "the value is not a finite real number here")


def checked(name: str) -> str:
    """A name that a variable may have."""
    if not name.isidentifier() or keyword.iskeyword(name) or name in FUNCTIONS:
        raise BadFormula(f"{name!r} cannot be the name of a variable" + (": it is a function" * (name in FUNCTIONS)))
    return name


def what(node: ast.AST) -> str:
    """What a piece of a formula is, in words."""
    kind = type(node)
    words: dict[type, str] = {
        ast.Attribute: "an attribute", ast.Subscript: "an index", ast.Lambda: "a lambda", ast.Compare: "a comparison",
        ast.Constant: "this constant", ast.Call: "this call", ast.IfExp: "a choice", ast.Starred: "a star",
        ast.BinOp: "this operator", ast.UnaryOp: "this operator", ast.BoolOp: "and, or", ast.List: "a list",
        ast.Tuple: "a tuple", ast.Dict: "a dictionary", ast.Set: "a set"}
    return words.get(kind, kind.__name__)


def refused(text: str, node: ast.AST, why: str) -> BadFormula:
    """The error that points to a place in the formula."""
    line = text.strip().split("\n")[getattr(node, "lineno", 1) - 1]
    before = line.encode(errors="replace")[:getattr(node, "col_offset", 0)]       # the tree counts bytes
    return BadFormula(pointed(line, len(before.decode(errors="replace")), why))


def pointed(line: str, column: int, why: str) -> str:
    """A message with a line of the formula and a mark below the column; of a long line the part around it."""
    start = max(0, column - 50)
    shown = "".join(c if c.isprintable() else "?" for c in line[start:start + 78])
    return f"{why}\n  {shown}\n  {' ' * (column - start)}^"
