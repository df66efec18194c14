"""Line charts and tables as SVG text, without a dependency. Greys and colours read on white and on black."""
from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence

from .text import cut, places, short

GREY = "#767676"
COLORS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7")  # Okabe and Ito: told apart by colour-blind readers
DASHES = ("", "7 3", "2 3", "9 3 2 3")                # nor is anything said by colour alone
FONT = "font-family='Helvetica,Arial,sans-serif' font-size='11'"
WIDTH, HEIGHT = 300, 280
STEP, LINE, MORE, GAP, LONG = 7.2, 24, 17, 14, 72     # tables: a letter, a row, its next line, between columns, a cell
PAPER = ("#f6c58a", "#a9d3ee", "#a5dcc6", "#e9bcd8", "#efe58a", "#c9c4ea")     # grounds that dark letters stand on
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 80, 40             # the legend stands above the plot

Curve = tuple[str, Sequence[tuple[int, int]]]         # a name and its points


def chart(title: str, x_name: str, y_name: str, curves: Sequence[Curve], shift: float = 0) -> str:
    """One panel: whole numbers of any size against whole numbers, the vertical axis logarithmic."""
    top = max((log10(y) for _, points in curves for _, y in points), default=1.0)
    top = max(1.0, math.ceil(top))
    last = max((x for _, points in curves for x, _ in points), default=1) or 1
    w, h = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def at(x: float, power: float) -> tuple[float, float]:
        return round(LEFT + w * x / last, 1), round(TOP + h * (1 - power / top), 1)

    out = [f"<g transform='translate({shift:g} 0)'>", words(LEFT, 16, title, weight="bold")]
    step = max(1, math.ceil(top / 6))
    for power in range(0, int(top) + 1, step):
        _, y = at(0, power)
        out.append(f"<path d='M{LEFT} {y}H{LEFT + w}' stroke='{GREY}' stroke-opacity='.3'/>")
        out.append(words(LEFT - 6, y + 4, tens(power), anchor="end"))
    for x in sorted({0, last // 2, last}):
        out.append(words(at(x, 0)[0], TOP + h + 15, str(x), anchor="middle"))
    out.append(words(LEFT + w / 2, HEIGHT - 8, x_name, anchor="middle"))
    out.append(f"<text transform='translate(12 {TOP + h / 2}) rotate(-90)' text-anchor='middle' {FONT} "
               f"fill='{GREY}'>{html.escape(y_name)}</text>")
    for k, (_, points) in enumerate(curves):
        line = " ".join(f"{x:g},{y:g}" for x, y in (at(x, log10(y)) for x, y in points))
        out.append(f"<polyline points='{line}' fill='none' stroke='{COLORS[k]}' stroke-width='2' "
                   f"stroke-dasharray='{DASHES[k]}'/>")
    for k, (name, points) in enumerate(curves):
        y = 31 + 15 * k
        out.append(f"<path d='M{LEFT} {y}h26' stroke='{COLORS[k]}' stroke-width='2' "
                   f"stroke-dasharray='{DASHES[k]}'/>")
        out.append(words(LEFT + 33, y + 4, f"{name}: {short(points[-1][1])}" if points else name))
    return "\n".join([*out, "</g>"])


def sheet(panels: Sequence[str], width: float, height: float, description: str) -> str:
    """Panels as one SVG document."""
    return (f"<svg xmlns='http://www.w3.org/2000/svg' width='{width:g}' height='{height:g}' "
            f"viewBox='0 0 {width:g} {height:g}' role='img'>\n<title>{html.escape(description)}</title>\n"
            + "\n".join(panels) + "\n</svg>\n")


def printed(text: str) -> str:
    """Text as it stands in a terminal, as a picture."""
    lines = text.split("\n")
    out = [typed(10 + STEP * (len(line) - len(line.lstrip())), 20 + 17 * k, line.strip())
           for k, line in enumerate(lines)]
    return sheet(out, 20 + STEP * max(map(len, lines)), 20 + 17 * len(lines), lines[0])


def tabular(head: Sequence[str], rows: Sequence[Sequence[str]], right: str = "", title: str = "", legend: str = "",
            marks: Sequence[Mapping[str, str]] = ()) -> str:
    """A table on white paper; a cell may have several lines, and the words of a row that are in its ``marks`` stand on
    a ground of their colour."""
    table = [[[cut(line, LONG) for line in cell.split("\n")] for cell in row] for row in [head, *rows]]
    sizes = [STEP * max(len(line) for row in table for line in row[k]) for k in range(len(head))]
    left = [GAP + sum(sizes[:k]) + GAP * k for k in range(len(head))]
    tall = [LINE + MORE * (max(map(len, row)) - 1) for row in table]
    y = 28 if title else 0
    wide, high, bottom = left[-1] + sizes[-1] + GAP, sum(tall), y + sum(tall)
    out = [typed(2, 16, title, GREY, "bold"),
           f"<rect x='.5' y='{y + .5}' width='{wide - 1:g}' height='{high}' rx='8' fill='#fdfdfb' stroke='{GREY}'/>",
           f"<path d='M.5 {y + LINE}v-16a7.5 7.5 0 0 1 7.5 -7.5H{wide - 8:g}a7.5 7.5 0 0 1 7.5 7.5v16z' "
           "fill='#56606b'/>"]
    for k, (row, marked) in enumerate(zip(table, [{}, *(marks or [{}] * len(rows))], strict=True)):
        if k % 2:
            out.append(f"<rect x='1' y='{y}' width='{wide - 2:g}' height='{tall[k]}' fill='#f1f1ec'/>")
        for name, cell, at, size in zip(head, row, left, sizes, strict=True):
            for n, line in enumerate(cell):
                x, below = at + (size - STEP * len(line)) * (name in right.split()), y + MORE * n
                out += [f"<rect x='{x + STEP * i - 2:.1f}' y='{below + 4}' rx='3' height='16' fill='{marked[word]}' "
                        f"width='{STEP * len(word.strip()) + 4:.1f}'/>" for i, word in places(line, marked)]
                out.append(typed(x, below + 16, line, *(("#1a1a1a",) if k else ("#ffffff", "bold"))))
        y += tall[k]
    lines = legend.split("\n") if legend else []
    out += [typed(2, bottom + 18 + MORE * k, line) for k, line in enumerate(lines)]
    size = max([wide, *(4 + STEP * len(line) for line in [title, *lines])])
    return sheet([part for part in out if part], size, bottom + 2 + MORE * len(lines) + 6 * bool(lines), title)


def typed(x: float, y: float, text: str, color: str = GREY, weight: str = "normal") -> str:
    """Letters of fixed width, as wide as they are counted whatever font the reader has."""
    return (f"<text x='{x:.1f}' y='{y:g}' textLength='{STEP * len(text):.1f}' lengthAdjust='spacingAndGlyphs' "
            f"xml:space='preserve' font-family='Menlo,Consolas,DejaVu Sans Mono,monospace' font-size='12' "
            f"font-weight='{weight}' fill='{color}'>{html.escape(text)}</text>") if text else ""


def words(x: float, y: float, text: str, anchor: str = "start", weight: str = "normal") -> str:
    """A piece of text."""
    return (f"<text x='{x:g}' y='{y:g}' text-anchor='{anchor}' font-weight='{weight}' {FONT} fill='{GREY}'>"
            f"{html.escape(text)}</text>")


def log10(y: int) -> float:
    """The logarithm of a whole number of any size; 0 where it is below 1."""
    return math.log10(y) if y > 0 else 0.0


def tens(power: int) -> str:
    """10 to a power, as an axis says it."""
    return f"{10 ** power:,}" if power < 4 else "10" + "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(c)] for c in str(power))


def thinned(points: Sequence[tuple[int, int]], most: int = 400) -> list[tuple[int, int]]:
    """Not more points than a screen can show, first and last among them."""
    step = max(1, -(-len(points) // most))
    return [*points[:-1:step], *points[-1:]]
