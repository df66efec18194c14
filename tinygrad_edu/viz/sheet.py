"""The sheet that a graph is drawn on: boxes, ellipses and edges as DOT, layers as nested clusters, one palette.

The colours read on white and on black alike, so a picture needs no second version for dark pages: filled boxes are
pale with dark text, whatever has no fill is mid-grey. They are tints of Okabe and Ito's palette, which colour-blind
readers can tell apart, and nothing is said by colour alone: leaves, results and constants differ in their borders.
"""
from __future__ import annotations

import html
from collections.abc import Iterable

FONT = "Arial"                                        # whose widths Graphviz knows even where it finds no fonts
GREY = "#767676"                                      # 4.5 : 1 against white and against black
INK, CAPTION, GRADIENT = "#1a1a1a", "#565656", "#bf5000"
SLATE, PALE = "#56606b", "#d8dde2"                    # operations and the small print on them
FILLS = {                                             # kind of box: fill, border, width of the border
    "parameter": ("#d5e9f7", "#0072b2", 1.5),
    "leaf": ("#efefef", GREY, 1),
    "constant": ("#efefef", GREY, 0),
    "result": ("#fdfdfb", GREY, 1),
    "root": ("#fbe6b8", "#a86a00", 2),
    "layer": ("#d9efe6", "#00795a", 1.5),
}
DIRECTIONS = ("LR", "RL", "TB", "BT")


def plain(text: object, limit: int = 48) -> str:
    """Text of the user's on one line: what cannot be printed is replaced, what is long is cut."""
    line = "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in str(text))
    return line if len(line) <= limit else line[:limit - 1] + "…"


def markup(text: object, limit: int = 48) -> str:
    """Text of the user's inside an HTML-like label, where Graphviz still reads \\N and its kind."""
    return html.escape(plain(text, limit)).replace("\\", "\\\\")


def quoted(text: object, limit: int = 400) -> str:
    """Text of the user's as a DOT string."""
    line = "\n".join(plain(part, limit) for part in str(text).split("\n"))
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;").replace("\n", "\\n") + '"'


def hover(text: object) -> str:
    """Text of the user's as a tooltip; backslashes as a sign that looks alike, since Graphviz reads them once on a
    cluster and twice on a node."""
    return quoted(str(text).replace("\\", "\N{SET MINUS}") or " ")


def small(text: object, color: str = CAPTION) -> str:
    """A caption: smaller and greyer than what it names."""
    return f'<FONT POINT-SIZE="9" COLOR="{color}">{markup(text)}</FONT>'


class Sheet:
    """Collects the statements of one drawing, by layer, and writes them as one DOT graph."""

    __slots__ = ("direction", "title", "classes", "layers", "homes", "edges")

    def __init__(self, direction: str = "LR", title: str = "", classes: dict[str, str] | None = None):
        if direction not in DIRECTIONS:
            raise ValueError(f"direction must be one of {', '.join(DIRECTIONS)}, not {direction!r}")
        self.direction, self.title, self.classes = direction, title, classes or {}
        self.layers: dict[str, list[str]] = {"": []}
        self.homes: dict[str, str] = {}               # the layer that each box and circle lies in
        self.edges: list[tuple[str, str, str]] = []

    def box(self, id: str, rows: Iterable[list[str]], *, kind: str, layer: str = "", tip: str = "") -> None:
        """A box of cells in rows, each cell ready markup; the cells of one row are divided by a line."""
        fill, border, width = FILLS[kind]
        cells = [[cell for cell in row if cell] for row in rows]
        span = max(2 * len(row) - 1 for row in cells)
        text = "".join("<TR>" + "<VR/>".join(f"<TD{spanned(row, span)}>{cell}</TD>" for cell in row) + "</TR>"
                       for row in cells if row)
        style = 'STYLE="ROUNDED" ' if width else ""
        self._put(id, layer, f'{id} [class={quoted(kind)} tooltip={hover(tip)} label=<'
                         f'<TABLE BORDER="{width}" COLOR="{border}" BGCOLOR="{fill}" {style}CELLBORDER="0" '
                         f'CELLSPACING="0" CELLPADDING="4">{text}</TABLE>>]')

    def operation(self, id: str, name: str, detail: str = "", *, ports: int = 0, layer: str = "",
                  tip: str = "") -> None:
        """An operation: a circle, wider where its name is long; with numbered ``ports`` where the order of what it
        reads matters."""
        text = f"<B>{markup(name)}</B>" if len(name) < 3 else markup(name)
        if detail:
            text += f'<BR/><FONT POINT-SIZE="9">{markup(detail, 32)}</FONT>'
        if ports:
            cells = [f'<TD PORT="p{i + 1}" CELLPADDING="1">{small(i + 1, PALE)}</TD>' for i in range(ports)]
            if self.direction in ("LR", "RL"):
                whole = f'<TD ROWSPAN="{ports}" CELLPADDING="3">{text}</TD>'
                first = cells[0] + whole if self.direction == "LR" else whole + cells[0]
                rows = [first, *cells[1:]]
            else:
                rows = ["".join(cells), f'<TD COLSPAN="{ports}" CELLPADDING="1">{text}</TD>']
                rows = rows if self.direction == "TB" else rows[::-1]
            text = (f'<TABLE BORDER="1" COLOR="{SLATE}" BGCOLOR="{SLATE}" STYLE="ROUNDED" CELLBORDER="0" '
                    f'CELLSPACING="0">{"".join(f"<TR>{row}</TR>" for row in rows)}</TABLE>')
            look = ""
        else:
            look = (f'shape=ellipse style=filled fillcolor="{SLATE}" color="{SLATE}" margin="0.04,0.02" '
                    'width=0.36 height=0.36 ')
        self._put(id, layer, f'{id} [class="op" {look}fontcolor="#ffffff" tooltip={hover(tip)} label=<{text}>]')

    def edge(self, tail: str, head: str, label: str = "", *, color: str = GREY) -> None:
        """An edge from what is read to who reads it."""
        self.edges.append((tail, head, f"label=<&#160;{small(label, color)}>" if label else ""))

    def _edge(self, tail: str, head: str, facts: str) -> str:
        # An edge into another layer is longer: then the leaves of that layer stand beside it and not beside its tail,
        # and the layers follow each other in a row instead of a staircase.
        if self.homes.get(tail) != self.homes.get(head.partition(":")[0]):
            facts = f"minlen=2 {facts}".rstrip()
        return f"{tail} -> {head}" + (f" [{facts}]" if facts else "")

    def _put(self, id: str, layer: str, statement: str) -> None:
        self.homes[id] = layer
        self.open(layer)
        self.layers[layer].append(statement)

    def open(self, layer: str) -> None:
        """Make room for a layer after those that are there; layers follow each other in this order."""
        while layer not in self.layers:               # the clusters around it come into being in order
            parts = layer.split(".")
            missing = next(p for i in range(len(parts)) if (p := ".".join(parts[:i + 1])) not in self.layers)
            self.layers[missing] = []

    def __str__(self) -> str:
        lines = ["digraph graph_of_values {",
                 f'  graph [rankdir={self.direction} newrank=true nodesep=0.18 ranksep=0.32 pad=0.1 '
                 f'bgcolor="transparent" fontname="{FONT}" fontsize=10 fontcolor="{GREY}" labelloc=b]',
                 f'  node [shape=plain fontname="{FONT}" fontsize=11 fontcolor="{INK}"]',
                 f'  edge [color="{GREY}" fontname="{FONT}" arrowsize=0.6 penwidth=1.1]']
        if self.title:
            lines.append(f"  label={quoted(self.title)}")
        numbers = {path: k for k, path in enumerate(self.layers)}
        lines += self._inside("", numbers, "  ")
        lines += [f"  {self._edge(*edge)}" for edge in self.edges]
        return "\n".join(lines) + "\n}\n"

    def _inside(self, layer: str, numbers: dict[str, int], indent: str) -> list[str]:
        lines = [indent + statement for statement in self.layers[layer]]
        for path in self.layers:
            if path and path.rpartition(".")[0] == layer:
                lines += [f"{indent}subgraph cluster_{numbers[path]} {{",
                          f"{indent}  label=<{self.heading(path)}> labelloc=t labeljust=l style=rounded "
                          f'color="#9a9a9a" bgcolor="#80808018" margin=10 tooltip={hover(path)}',
                          *self._inside(path, numbers, indent + "  "), indent + "}"]
        return lines

    def heading(self, path: str, color: str = GREY) -> str:
        """The name of a layer within the one around it, and its class where that is known."""
        name, kind = path.rpartition(".")[2], self.classes.get(path, "")
        return f"<B>{markup(name)}</B>" + (f" {small(kind, color)}" if kind not in ("", name) else "")


def spanned(row: list[str], span: int) -> str:
    """The attribute that makes the only cell of a row as wide as the box."""
    return f' COLSPAN="{span}"' if len(row) == 1 and span > 1 else ""
