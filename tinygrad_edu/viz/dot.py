"""A graph of values as a DOT string: each value a box, each operation a circle, each layer a cluster."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import message
from ..graph import Node
from .fold import fold_by_layer
from .parts import constant, in_brief, operation, port, value_box
from .sheet import GRADIENT, Sheet
from .survey import Survey

READABLE = 150                                        # nodes; a larger graph is folded unless fold=False


def to_dot(x: Any, *, fold: bool | int | None = None, direction: str = "LR", names: Mapping | None = None,
           module: Any = None, adjoints: Mapping | None = None, digits: int = 4, title: str = "") -> str:
    """The graph below ``x`` (a Value, a Tensor or a list of them) as text in the DOT language; a pure function.

    fold: False draws each node, True one box for each layer, a whole number layers down to that depth; None folds
        what has more than 150 nodes. Where no layer has a name, boxes hold the operations that are equally deep.
    direction: LR, RL, TB or BT.
    names: what nodes are called, ``{"w": w}``; ``locals()`` will do. A node's own name and label count as well.
    module: names the parameters by their paths and the layers by their classes.
    adjoints: node -> value shown instead of ``grad``, and (node, i) -> what flows back along the edge to the node's
        input i; ``viz.adjoints(x)`` makes it.
    digits: significant digits of the numbers.

    >>> x = Value(3.0, label="x")
    >>> dot = to_dot(x * x)
    >>> dot.count("n0 -> n1op"), dot.count("op -> n1")
    (2, 1)
    """
    if not (fold is None or isinstance(fold, bool) or (isinstance(fold, int) and fold > 0)):
        raise ValueError(message(f"fold={fold!r} is not a way to fold", instead="True, False, a depth >= 1, or None"))
    survey = Survey(x, names=names, module=module)
    sheet = Sheet(direction, title, survey.classes)
    if fold is None:
        fold = len(survey.nodes) > READABLE
    for node in survey.nodes:                         # parameters are older than all operations: layers as they ran
        if node.op is not None and fold is False:
            sheet.open(node.note.layer)
    if fold is False:
        expanded(sheet, survey, adjoints or {}, digits)
    else:
        fold_by_layer(sheet, survey, None if fold is True else int(fold), digits)
    return str(sheet)


def expanded(sheet: Sheet, survey: Survey, adjoints: Mapping, digits: int) -> None:
    """Draw each value, each operation and each constant."""
    for node in survey.nodes:
        k = survey.number[node]
        value_box(sheet, survey, node, adjoints, digits)
        if node.op is None:
            continue
        operation(sheet, survey, node)
        sheet.edge(f"n{k}op", f"n{k}")
        for i, x in enumerate(survey.inputs[node]):
            if isinstance(x, Node):
                flow = adjoints.get((node, i))
                sheet.edge(f"n{survey.number[x]}", port(survey, node, i),
                           "" if flow is None else f"← {in_brief(flow, digits)}", color=GRADIENT)
            else:
                constant(sheet, survey, node, i, x, digits)
