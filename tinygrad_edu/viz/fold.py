"""A graph too large to read, folded: one box for each call of a layer, with what it does and what flows through it."""
from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import Any

from ..graph import Node
from .parts import constant, gradient, operation, port, value_box
from .sheet import CAPTION, GRADIENT, Sheet, markup, small
from .survey import Survey, common, is_parameter, number, payload, shape

PAGE = 60                                             # so many things fit on one page
LOOSE = 40                                            # operations outside all layers that are drawn one by one
CHUNKS = 12                                           # boxes for a graph that names no layers
LEAVES = 12                                           # leaves that are drawn one by one
LINES = 6                                             # parameters that a box lists
RUNS = 20                                             # boxes for a row of layers that is too long for a page


class Box:
    """Operations drawn as one thing: those of ``layer``, of the layers in it from one to another (``span``), or of no
    layer and so many steps ``deep``."""

    __slots__ = ("id", "layer", "deep", "span", "call", "calls", "ops", "leaves")

    def __init__(self, layer: str, deep: tuple[int, int] = (0, 0), span: tuple[str, str] | None = None):
        self.id, self.layer, self.deep, self.span, self.call, self.calls = "", layer, deep, span, 1, 0
        self.ops: list[Node] = []
        self.leaves: list[Node] = []                  # parameters and values that this box alone reads


def fold_by_layer(sheet: Sheet, survey: Survey, depth: int | None, digits: int) -> None:
    """Draw one box for each call of a layer, down to ``depth`` (None: the deepest that fits on a page)."""
    boxes, loose = plan(survey, depth)
    home: dict[Node, str] = {node: f"n{survey.number[node]}op" for node in loose}      # node -> what stands for it
    calls: Counter = Counter()
    for k, box in enumerate(boxes):
        calls[box.layer] += 1
        box.id, box.call = f"box{k}", calls[box.layer] if box.layer else 1
        home.update(dict.fromkeys(box.ops, box.id))
    stacks = settle(survey, boxes, home)
    for id, leaves in stacks.items():
        draw_leaves(sheet, survey, id, leaves, digits)
    for node in loose:
        operation(sheet, survey, node)
        for i, x in survey.constants(node):
            constant(sheet, survey, node, i, x, digits)
    layers = {box.layer for box in boxes}
    for box in boxes:
        around = box.span or any(path.startswith(box.layer + ".") for path in layers)     # beside the layers in it
        draw_box(sheet, survey, box, box.layer if around else box.layer.rpartition(".")[0], digits)
    alone = {node: home[node] for node in loose}
    for node, id in alone.items():                    # results that have a name show their value
        if survey.name(node) and not any(node is root for root in survey.roots):
            value_box(sheet, survey, node, {}, digits)
            home[node] = f"n{survey.number[node]}"
            sheet.edge(id, home[node])
    for root in survey.roots:                         # and so does what was asked for
        if root.op is not None:
            value_box(sheet, survey, root, {}, digits, None if root in alone else "")
            sheet.edge(home[root], f"n{survey.number[root]}")
    draw_edges(sheet, survey, home)
    if not sheet.title:
        sheet.title = caption(survey, boxes)


# ---- what goes into which box ---------------------------------------------------------------------------------------

def plan(survey: Survey, depth: int | None) -> tuple[list[Box], list[Node]]:
    """The boxes, and the operations that are drawn by themselves: as deep as fits on a page. Where layers are called
    so often that no depth fits, as deep as says more than one box, each layer once with all its calls. Of a long row
    of layers, each called once, several make a box."""
    ops = [node for node in survey.nodes if node.op is not None]
    deepest = max((node.note.layer.count(".") + 1 for node in ops), default=1)
    depths = range(deepest, 0, -1) if depth is None else [depth]
    cuts = [cut(survey, ops, d) for d in depths]
    rolled = [(merged(boxes), loose) for boxes, loose in cuts[::-1]]
    fit = [(boxes, loose) for boxes, loose in cuts + rolled if len(boxes) + len(loose) <= PAGE]
    boxes, loose = next((two for two in fit if len(two[0]) + len(two[1]) > 1), (fit or rolled)[0])
    every = cut(survey, ops, deepest, 0)[0]
    if depth is None and len(boxes) + len(loose) < 4 < RUNS < len(every) < 4 * len(merged(every)):
        return runs(every), []
    return boxes, loose


def cut(survey: Survey, ops: list[Node], depth: int, most: int = LOOSE) -> tuple[list[Box], list[Node]]:
    """The boxes at one depth. A layer's call is a run of operations in the order they were made, so boxes cut from
    that order never form a cycle, and a layer that is called three times shows as three boxes."""
    layers = [".".join(node.note.layer.split(".")[:depth]) for node in ops]
    outer = {path[:i] for path in set(layers) for i, c in enumerate(path) if c == "."} | {""}
    own = [node for node, layer in zip(ops, layers, strict=True) if layer in outer]    # between the layers inside it
    if not any(layers) and len(own) > LOOSE:
        return bands(survey, ops), []
    loose = own if len(own) <= most else []
    boxes: list[Box] = []
    box: Box | None = None
    for node, layer in zip(ops, layers, strict=True):
        if loose and layer in outer:
            box = None
            continue
        if box is None or box.layer != layer:
            boxes.append(box := Box(layer))
        box.ops.append(node)
    return boxes, loose


def bands(survey: Survey, ops: list[Node]) -> list[Box]:
    """Boxes for a graph in which no layer has a name: operations that are equally many steps away from the leaves."""
    depth: dict[Any, int] = {}
    levels: dict[int, list[Node]] = {}
    for node in ops:
        depth[node] = 1 + max((depth.get(x, 0) for x in survey.inputs[node] if isinstance(x, Node)), default=0)
        levels.setdefault(depth[node], []).append(node)
    boxes: list[Box] = []
    for level, nodes in sorted(levels.items()):
        if not boxes or len(boxes[-1].ops) >= len(ops) / CHUNKS:
            boxes.append(Box("", (level, level)))
        boxes[-1].ops += nodes
        boxes[-1].deep = boxes[-1].deep[0], level
    return boxes


def merged(boxes: list[Box]) -> list[Box]:
    """One box for each layer, however often it was called."""
    layers: dict[Any, Box] = {}
    for box in boxes:
        one = layers.setdefault(box.layer or box.deep, Box(box.layer, box.deep))
        one.ops += box.ops
        one.calls += 1
    return list(layers.values())


def runs(boxes: list[Box]) -> list[Box]:
    """A long row of boxes with several in each; what lies in no common layer stays apart."""
    out = []
    for _, same in groupby(boxes, lambda box: box.layer.partition(".")[0]):
        row = list(same)
        size = -(-len(row) // RUNS)
        for some in (row[k:k + size] for k in range(0, len(row), size)):
            layer = common([box.layer for box in some])
            inner = [box.layer.removeprefix(layer).lstrip(".") for box in some if box.layer != layer]
            out.append(Box(layer, span=(inner[0], inner[-1]) if inner else None))
            out[-1].ops = [node for box in some for node in box.ops]
    return out


def settle(survey: Survey, boxes: list[Box], home: dict[Node, str]) -> dict[str, list[Node]]:
    """Find a place for each leaf: parameters, and values when there are too many, live in the box that alone reads
    them; the others are drawn outside, together those with the same readers when there are too many. Returns these."""
    by_id = {box.id: box for box in boxes}
    leaves = [node for node in survey.nodes if node.op is None]
    readers = {node: tuple(dict.fromkeys(home[user] for user in survey.users[node])) for node in leaves}

    def lives_in(node: Node) -> Box | None:
        found = [by_id.get(reader) for reader in readers[node]]
        first = found[0] if found else None           # a layer's parameters are shown at its first call
        same = first is not None and all(box is not None and box.layer == first.layer for box in found)
        return first if len(found) == 1 or (same and is_parameter(node)) else None

    def belongs(node: Node) -> bool:
        box = lives_in(node)
        return box is not None and (is_parameter(node) or bool(box.layer and survey.place[node]))

    many = sum(not belongs(node) for node in leaves) > LEAVES
    still_many = sum(lives_in(node) is None for node in leaves) > LEAVES
    stacks: dict[Any, list[Node]] = {}
    for node in leaves:
        box = lives_in(node)
        if box is not None and (many or belongs(node)):
            box.leaves.append(node)
            home[node] = box.id
        else:
            stacks.setdefault(readers[node] if still_many else node, []).append(node)
    for stack in stacks.values():
        home.update(dict.fromkeys(stack, f"n{survey.number[stack[0]]}"))
    return {home[stack[0]]: stack for stack in stacks.values()}


# ---- drawing --------------------------------------------------------------------------------------------------------

def draw_leaves(sheet: Sheet, survey: Survey, id: str, leaves: list[Node], digits: int) -> None:
    """One leaf as itself, several as one box that counts them."""
    if len(leaves) == 1:
        value_box(sheet, survey, leaves[0], {}, digits)
    else:
        sheet.box(id, [[f"<B>{len(leaves):,}</B> {small('leaves')}"]], kind="leaf", layer=survey.place[leaves[0]],
                  tip=", ".join(filter(None, map(survey.name, leaves))))


def draw_box(sheet: Sheet, survey: Survey, box: Box, within: str, digits: int) -> None:
    """One layer: its name and class, its operations counted, the shapes in and out, its parameters."""
    inner = set(box.ops) | set(box.leaves)
    inputs = [x for node in box.ops for x in survey.inputs[node]
              if isinstance(x, Node) and x not in inner and not is_parameter(x)]
    outputs = [node for node in box.ops if not survey.users[node] or any(u not in inner for u in survey.users[node])]
    title = small("outside all layers")
    if box.layer:
        title = sheet.heading(box.layer, CAPTION)
    elif any(box.deep):
        title = f"<B>{' – '.join(f'{level:,}' for level in dict.fromkeys(box.deep))}</B> {small('steps deep')}"
    if box.span:
        title = f"<B>{markup(' – '.join(dict.fromkeys(box.span)))}</B>"
    elif within == box.layer != "":
        title += f" {small('itself')}"
    elif box.calls > 1 and box.layer:
        title += f" {small(f'called {box.calls} times')}"
    elif box.call > 1 and not any(map(is_parameter, box.leaves)):     # else another layer of the same name
        same = any(is_parameter(x) for node in box.ops for x in survey.inputs[node] if isinstance(x, Node))
        title += f" {small(f'call {box.call}' + same * ', same parameters')}"
    counts = Counter(node.op.name for node in box.ops if node.op is not None)
    rows = [[title], [markup("   ".join(name if n == 1 else f"{name} × {n}" for name, n in counts.items()), 64)]]
    rows.append([small(" → ".join(", ".join(kinds(nodes)) for nodes in (inputs, outputs)))])
    parameters = [node for node in box.leaves if is_parameter(node)]
    if 0 < len(parameters) <= LINES and not box.span:
        rows += [[parameter_line(survey, node, box.layer, digits)] for node in parameters]
    if len(parameters) > 1:
        rows.append([small(f"{sum(payload(node).size for node in parameters):,} parameters")])
    if values := len(box.leaves) - len(parameters):
        rows.append([small("1 leaf" if values == 1 else f"{values:,} leaves")])
    steps = [f"{node.op.name} {shape(node)}" for node in box.ops if node.op is not None]
    tip = "\n".join([box.layer, *steps[:30], *(["…"] if len(steps) > 30 else [])])
    sheet.box(box.id, rows, kind="layer", layer=within, tip=tip.strip())


def parameter_line(survey: Survey, node: Node, layer: str, digits: int) -> str:
    """Name and shape of a parameter, and how long its gradient is once there is one."""
    text = f"{markup(survey.name(node, layer) or 'parameter')} {small(shape(node))}"
    g = gradient(node)
    if g is not None:
        size = float((payload(g).astype("float64") ** 2).sum() ** 0.5)
        text += f" {small(f'|grad| {number(size, digits)}', GRADIENT)}"
    return text


def draw_edges(sheet: Sheet, survey: Survey, home: dict[Node, str]) -> None:
    """One edge for all that flows from one thing to another, with the shapes."""
    flows: dict[tuple[str, str], list[Node]] = {}
    for node in survey.nodes:
        for i, x in enumerate(survey.inputs[node]):
            if not isinstance(x, Node) or home[x] == home[node] or (x.op is None and home[x].startswith("box")):
                continue
            if home[node].startswith("box"):
                flows.setdefault((home[x], home[node]), []).append(x)
            else:
                sheet.edge(home[x], port(survey, node, i), shape(x))
    for (tail, head), nodes in flows.items():
        sheet.edge(tail, head, ", ".join(kinds(nodes)).removesuffix("1 value"))


def kinds(nodes: list[Node]) -> list[str]:
    """The shapes of ``nodes``, each once with how many there are; scalars are only counted."""
    counts = Counter(shape(node) for node in dict.fromkeys(nodes))
    said = [f"{n} × {size}" if n > 1 else size for size, n in counts.items() if size]
    if n := counts[""]:
        said.append("1 value" if n == 1 else f"{n:,} values")
    return said if len(said) < 4 else [*said[:3], "…"]


def caption(survey: Survey, boxes: list[Box]) -> str:
    """How the picture was folded, and how it is unfolded."""
    if not boxes:
        return ""
    how = "layer" if any(box.layer for box in boxes) else "depth, since no layer has a name"
    return f"{len(survey.nodes):,} nodes, folded by {how} (fold=False draws each)"
