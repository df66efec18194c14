"""Expressions as LaTeX, of the part that matplotlib's mathtext understands as well."""
from __future__ import annotations

import ast
import re
from collections.abc import Mapping

FUNCTIONS = {"sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "max", "min"}
OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: r"\cdot", ast.MatMult: r"\,", ast.FloorDiv: "//", ast.Mod: r"\%",
             ast.Lt: "<", ast.LtE: r"\leq", ast.Gt: ">", ast.GtE: r"\geq", ast.Eq: "=", ast.NotEq: r"\neq",
             ast.USub: "-", ast.UAdd: "+", ast.Invert: r"\sim "}
LEVEL = {ast.Compare: 0, ast.Add: 1, ast.Sub: 1, ast.Mult: 2, ast.MatMult: 2, ast.FloorDiv: 2, ast.Mod: 2}
GREEK = {"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda", "mu", "nu", "xi",
         "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega"}
SPECIAL = {c: "\\" + c for c in "#%{}_$ "} | {"&": "+", "^": r"\wedge ", "~": r"\sim ", "\\": r"\backslash "}


def symbol(name: str) -> str:
    """The name of a variable: its number becomes an index, several letters stand upright.

    >>> symbol("w5"), symbol("out_o1"), symbol("theta")
    ('w_{5}', '\\\\mathrm{out}_{\\\\mathrm{o1}}', '\\\\theta')
    """
    if found := re.fullmatch(r"([A-Za-z]+)_?(\d+)", name):
        return f"{symbol(found[1])}_{{{found[2]}}}"
    if found := re.fullmatch(r"([A-Za-z]+)_([A-Za-z0-9]+)", name):
        return f"{symbol(found[1])}_{{{upright(found[2])}}}"
    if name in GREEK:
        return "\\" + name
    return name if len(name) == 1 and name.isalpha() else upright(name)


def upright(text: str) -> str:
    """Text that is no formula."""
    return r"\mathrm{" + "".join(SPECIAL.get(c, c) for c in text) + "}"


def number(text: str) -> str:
    """A number as text in LaTeX: 1e-05 becomes a power of ten.

    >>> number("-1.5e-05")
    '-1.5 \\\\cdot 10^{-5}'
    """
    if found := re.fullmatch(r"(-?[\d.]+)e([+-]\d+)", text):
        return rf"{found[1]} \cdot 10^{{{int(found[2])}}}"
    return {"inf": r"\infty", "-inf": r"-\infty", "nan": upright("nan")}.get(text, text)


def derivative(y: str, x: str, d: str = r"\partial") -> str:
    """The fraction d y / d x of two names: partial, by one input alone, unless another ``d`` is given."""
    return rf"\frac{{{d} {symbol(y)}}}{{{d} {symbol(x)}}}"


def latex(node: ast.AST, names: Mapping[str, str], level: int = 0) -> str:
    """An expression; ``names`` gives LaTeX for its variables, ``level`` says how tightly what is around it binds."""
    match node:
        case ast.Name(id=name):
            return names.get(name) or symbol(name)
        case ast.Constant(value=value):
            return number(f"{value:g}" if isinstance(value, float) else str(value)) if isinstance(value, (int, float)) \
                else upright(repr(value))
        case ast.BinOp(left=a, op=ast.Div(), right=b):
            return rf"\frac{{{latex(a, names)}}}{{{latex(b, names)}}}"
        case ast.BinOp(left=a, op=ast.Pow(), right=b):
            return f"{{{latex(a, names, 4)}}}^{{{latex(b, names)}}}"
        case ast.BinOp(left=a, op=op, right=b) if type(op) in LEVEL:
            own = LEVEL[type(op)]
            text = f"{latex(a, names, own)} {OPERATORS[type(op)]} {latex(b, names, own + 1)}"
            return brackets(text) if own < level else text
        case ast.UnaryOp(op=op, operand=x) if type(op) in OPERATORS:
            text = f"{OPERATORS[type(op)]}{latex(x, names, 3)}"
            return brackets(text) if level > 1 else text
        case ast.Compare(left=a, ops=[op], comparators=[b]) if type(op) in OPERATORS:
            return rf"\left[{latex(a, names)} {OPERATORS[type(op)]} {latex(b, names)}\right]"     # Iverson: 1 or 0
        case ast.Call(func=ast.Name(id=name), args=[x], keywords=[]) if (text := function(name, x, names)):
            return text
        case ast.Call(func=f, args=args, keywords=keywords):
            inside = [latex(x, names) for x in args] + [
                f"{upright(k.arg)} = {latex(k.value, names)}" if k.arg else latex(k.value, names) for k in keywords]
            return f"{latex(f, names, 4)}{brackets(', '.join(inside))}"
        case ast.Attribute(value=x, attr="mT" | "T"):
            return rf"{{{latex(x, names, 4)}}}^{{\top}}"
        case ast.Attribute(value=x, attr=attr):
            return f"{latex(x, names, 4)}.{upright(attr)}"
        case ast.Subscript(value=x, slice=index):
            return f"{latex(x, names, 4)}_{{{upright('[' + ast.unparse(index) + ']')}}}"
        case ast.Tuple(elts=parts):
            return brackets(", ".join(latex(x, names) for x in parts))
        case _:
            return upright(ast.unparse(node))


def function(name: str, x: ast.AST, names: Mapping[str, str]) -> str:
    """A function of one argument that has a notation of its own, else nothing."""
    if name == "exp":
        return f"e^{{{latex(x, names)}}}"
    if name == "sqrt":
        return rf"\sqrt{{{latex(x, names)}}}"
    if name == "abs":
        return rf"\left|{latex(x, names)}\right|"
    if name == "log":
        return rf"\ln{brackets(latex(x, names))}"
    if name == "sigmoid":
        return rf"\sigma{brackets(latex(x, names))}"
    return rf"\{name}{brackets(latex(x, names))}" if name in FUNCTIONS else ""


def brackets(text: str) -> str:
    """Brackets that grow with what they hold."""
    return rf"\left({text}\right)"
