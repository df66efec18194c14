"""The parts that a drawn graph is made of: the box of a value, the circle of an operation, a constant."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..dp.formula import settings
from ..dp.text import lost
from ..graph import Node, Primitive
from .sheet import GRADIENT, Sheet, markup, plain, small
from .survey import FEW, Survey, described, is_parameter, numbers, payload, shape

GAP = "&#160;"                                        # browsers drop the plain space between two texts of an SVG
COMMUTE = {"+", "*", "maximum", "minimum", "logaddexp", "hypot", "total", "&", "|", "^"}      # the order is all one


def value_box(sheet: Sheet, survey: Survey, node: Node, adjoints: Mapping, digits: int,
              layer: str | None = None) -> None:
    """The box of one value: its name, its data, its gradient; in ``layer``, else where it belongs."""
    place = survey.place[node] if layer is None else layer
    kind = ("root" if node.op is not None and any(node is root for root in survey.roots) else
            "result" if node.op is not None else
            "parameter" if is_parameter(node) or (node.requires_grad and not node.scalar) else "leaf")
    name = survey.name(node, place)
    g, caption = (adjoints[node], "adjoint") if node in adjoints else (None if adjoints else gradient(node), "grad")
    cells = [f"<B>{markup(name)}</B>" if name else "", cell(node, "data", digits),
             "" if g is None else cell(g, caption, digits, GRADIENT)]
    if node.inputs is None:
        cells.append(small("history freed by backward()"))
    sheet.box(f"n{survey.number[node]}", [cells], kind=kind, layer=place, tip=about(node))


def cell(x: Any, caption: str, digits: int, color: str = "") -> str:
    """A caption with numbers where there are few, else with shape and dtype."""
    gone = lost(x)
    rows = None if gone else numbers(x, digits)
    text = small(gone or described(x)) if rows is None else figures(rows, color)
    return f"{small(caption)}{GAP}{text}" if rows is None or len(rows) == 1 else f"{small(caption)}<BR/>{text}"


def figures(rows: list[str], color: str = "") -> str:
    """Rows of numbers, one below the other."""
    text = "<BR/>".join(markup(row, 160).replace("  ", GAP + GAP) for row in rows)
    return f'<FONT COLOR="{color}">{text}</FONT>' if color else text


def in_brief(x: Any, digits: int) -> str:
    """The number or the few numbers, else the shape."""
    rows = numbers(x, digits)
    return shape(x) if rows is None else "; ".join(rows)


def gradient(node: Node) -> Any:
    """The gradient that backward left on ``node``, or None."""
    return node._grad if hasattr(node, "_grad") else getattr(node, "grad", None)      # a Tensor's warns on results


def operation(sheet: Sheet, survey: Survey, node: Node) -> None:
    """The circle of the operation that made ``node``."""
    op, inputs = node.op, survey.inputs[node]
    assert op is not None
    sheet.operation(f"n{survey.number[node]}op", op.name, said(node.params), layer=survey.place[node],
                    ports=len(inputs) if order_matters(op.name, inputs) else 0, tip=explained(op, node))


def order_matters(name: str, inputs: tuple) -> bool:
    """Whether the inputs of an operation are told apart by their order, so that a picture has to number them."""
    return 1 < len(inputs) <= FEW and name not in COMMUTE and any(x is not inputs[0] for x in inputs)


def port(survey: Survey, user: Node, i: int) -> str:
    """Where the edge from input number ``i`` of ``user`` ends."""
    inputs, id = survey.inputs[user], f"n{survey.number[user]}op"
    return f"{id}:p{i + 1}" if user.op is not None and order_matters(user.op.name, inputs) else id


def constant(sheet: Sheet, survey: Survey, user: Node, i: int, x: Any, digits: int) -> None:
    """A plain number or array that an operation read: no gradient flows to it."""
    if x is None:
        return
    rows, id, name = numbers(x, digits), f"n{survey.number[user]}c{i}", survey.name(x)
    text = small(described(x)) if rows is None else figures(rows)
    sheet.box(id, [[f"<B>{markup(name)}</B>" if name else "", text]], kind="constant", layer=survey.place[user],
              tip="constant")
    sheet.edge(id, port(survey, user, i))


def said(params: Mapping[str, Any]) -> str:
    """The parameters of an operation in a few words; large arrays by their shapes.

    >>> said({"index": (slice(1, 4), None, ...), "mask": np.zeros((9, 9))})
    'index=(1:4, None, ...), mask (9, 9)'
    """
    given = settings(params, lambda x: f" {shape(x)}" if x.size > FEW else plain(x.tolist(), 24))
    return ", ".join(given).replace("= ", " ")


def about(node: Node) -> str:
    """What hovering over a value says."""
    facts = [f"{type(node).__name__} {payload(node)!r}" if node.scalar else f"{type(node).__name__} {described(node)}"]
    if node.note.layer:
        facts.append(f"layer {node.note.layer}")
    if not node.requires_grad:
        facts.append("needs no gradient")
    return "\n".join(facts)


def explained(op: Primitive, node: Node) -> str:
    """What hovering over an operation says: the operation's own documentation."""
    return "\n".join(filter(None, [op.name, op.__doc__, said(node.params)]))
