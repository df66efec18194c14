"""How one step of a graph is written: the operation, and what flows back, with symbols and with numbers."""
from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..errors import INTERNAL
from ..graph import Node
from .names import Names
from .reading import read
from .rules import Expression, Renamed, tidied
from .text import FEW, figure, plain, shape

Show = Callable[[Any], str]


def operation(node: Node, name: Show) -> str:
    """What made ``node``, as in code: ``w * x``, ``tanh(n)``, ``sum(h, dim=1)``; empty for a leaf."""
    if node.op is None:
        return ""
    op, inputs = node.op.name, [name(x) for x in node.inputs]
    if len(inputs) == 2 and not op[0].isalpha() and not node.params:
        return f"{inputs[0]} {op} {inputs[1]}"
    if op == "neg":
        return f"-{inputs[0]}"
    if op == "permute" and node.params["dims"] == (1, 0):
        return f"{inputs[0]}.T"
    if op in ("getitem", "setitem"):
        index = [setting(part, name) for part in node.params["index"]]
        part = f"{inputs[0]}[{', '.join(index[:-1] if len(index) > 1 and index[-1] == '...' else index)}]"
        return " = ".join([part, *inputs[1:]])
    return f"{op}({', '.join(inputs + settings(node.params, name))})"


def settings(params: Mapping[str, Any], show: Show) -> list[str]:
    """The parameters of an operation that somebody chose, as in code.

    >>> settings({"dim": (0, 1), "keepdim": True, "dtype": None, "index": (slice(1, 4), ...)}, str)
    ['dim=(0, 1)', 'keepdim=True', 'index=(1:4, ...)']
    """
    return [f"{key}={setting(value, show)}" for key, value in params.items()
            if value is not None and value is not False and key not in INTERNAL]


def setting(value: Any, show: Show) -> str:
    """A parameter of an operation, as in code; ``show`` writes arrays."""
    if isinstance(value, np.ndarray):
        return show(value)
    if isinstance(value, str):
        return repr(value)
    if isinstance(value, float):
        return figure(value)
    if isinstance(value, tuple):
        return f"({', '.join(setting(part, show) for part in value)}{',' if len(value) == 1 else ''})"
    if isinstance(value, slice):
        bounds = (value.start, value.stop, value.step)[:3 if value.step else 2]
        return ":".join("" if k is None else str(k) for k in bounds)
    return "..." if value is Ellipsis else str(value)


def rule(node: Node, i: int, g: Any = None) -> Expression | None:
    """The rule that sends a contribution back to input ``i`` of ``node``, whose adjoint is ``g``."""
    op = node.op
    if op is None or i >= len(op.rules):              # joint rules have no text for one input
        return None
    y = plain(node)
    return read(op.rules[i], (y if g is None else plain(g), y, *map(plain, node.inputs)), node.params)


def contribution_text(node: Node, i: int, g: str, show: Show, found: Expression | None, x: str = "") -> str:
    """What flows back to input ``i``: the rule with ``g`` for the adjoint of ``node`` and ``show`` for what it reads.
    Where there is no text of the rule, the chain rule says it: adjoint times local derivative."""
    if found is None:
        return f"{g} * d{show(node)}/d{x}" if x else f"rule({g})"
    text = written_out(tidied(found), node, g, show, found)
    return f"fit({text})" if spread(node, i) else text


def written_out(tree: ast.expr, node: Node, g: str, show: Show, found: Expression) -> str:
    """A rule's expression as text, in which constants are put in first: what they settle is not left to be read."""
    nodes: list[Node] = []

    def sign(x: Any) -> str:
        if not isinstance(x, Node):
            return show(x)
        nodes.append(x)
        return f"\ue002{len(nodes) - 1}\ue003"        # no name can contain such signs

    text = neat(ast.unparse(Renamed(arguments(node, g, sign, found)).visit(tree)))
    text = re.sub("\ue002(\\d+)\ue003", lambda m: show(nodes[int(m[1])]), text)
    return re.sub(r"\((\(-[\d.e+-]+\))\)", r"\1", text)                 # sign((-2)) is sign(-2)


def arguments(node: Node, g: str, show: Show, found: Expression) -> dict[str, str]:
    """What to write for each argument and each named constant of a rule."""
    inputs = [show(x) for x in node.inputs]
    names = {key: setting(value, show) for key, value in found.defaults.items()}
    names.update(zip(found.arguments, [g, show(node), *inputs], strict=False))
    for key, value in node.params.items():
        if key in found.arguments:
            names[key] = setting(value, show)
    if found.rest:
        names[found.rest] = f"({', '.join(inputs)})"
    return names


def spread(node: Node, i: int) -> bool:
    """Whether input ``i`` was broadcast, so that what flows back to it is summed to its shape."""
    x = node.inputs[i]
    return (node.op is not None and node.op.family == "elementwise" and isinstance(x, Node)
            and getattr(x.payload, "shape", ()) != getattr(node.payload, "shape", ()))


def neat(text: str) -> str:
    """Exponents as one writes them: ``x ** (2 - 1)`` is x, in LaTeX as well.

    >>> neat("2 * x ** (2 - 1)"), neat("x ** ((-0.5) - 1)"), neat("3 x^{3 - 1}")
    ('2 * x', 'x ** (-1.5)', '3 x^{2}')
    """
    def less(m: re.Match) -> str:
        exponent = figure(float((m[1] or m[2] or m[3]).strip("()")) - 1)
        return f"({exponent})" if exponent.startswith("-") and m[1] else exponent

    text = re.sub(r"(?<=\*\* )\((\(-[\d.]+\)|[\d.]+) - 1\)|(?<=\^\{)([\d.]+) - 1(?=\})|"
                  r"(?<=\^\{)\\left\((-[\d.]+)\\right\) - 1(?=\})", less, text)
    return re.sub(r" \*\* 1\b(?!\.)|\^\{1\}", "", text)


def bare(text: str) -> str:
    """A text that is one negative number in brackets without them."""
    return text[1:-1] if re.fullmatch(r"\(-[\d.e+-]+\)", text) else text


def joined(parts: list[str]) -> str:
    """A sum of contributions."""
    out = parts[0] if parts else "0"
    for part in parts[1:]:
        out += f" - {part[1:]}" if part.startswith("-") else f" + {part}"
    return out


def names_show(names: Names, digits: int = 6) -> Show:
    """What has a name by its name, constants in figures."""
    return lambda x: names.of(x) or quantity(x, digits)


def numbers_show(digits: int = 6) -> Show:
    """Everything in figures."""
    return lambda x: quantity(x, digits)


def quantity(x: Any, digits: int) -> str:
    """A figure that can stand in a formula: a number below 0 in brackets, a large array as its shape."""
    array = plain(x)
    if isinstance(array, np.ndarray) and array.ndim and (array.size > FEW or array.ndim > 2):
        return shape(x)
    text = figure(x, digits)
    return f"({text})" if text.startswith("-") else text
