"""Line charts as SVG text: a few curves, two axes, no dependency. Greys and colours read on white and on black."""
from __future__ import annotations

import html
import math
from collections.abc import Sequence

GREY = "#767676"
COLORS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7")  # Okabe and Ito: told apart by colour-blind readers
DASHES = ("", "7 3", "2 3", "9 3 2 3")                # nor is anything said by colour alone
FONT = "font-family='Helvetica,Arial,sans-serif' font-size='11'"
WIDTH, HEIGHT = 350, 290
STEP = 7.2                                            # width of a character of fixed width
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


def printed(text: str, marked: Sequence[str], description: str) -> str:
    """Text as it stands in a terminal, as a picture; the words in ``marked`` have a coloured ground."""
    lines = text.split("\n")
    out = []
    for k, line in enumerate(lines):
        y = 20 + 17 * k
        for word in sorted(set(marked)):
            at = line.find(word)
            while at >= 0:
                out.append(f"<rect x='{10 + STEP * at:.1f}' y='{y - 12}' width='{STEP * len(word):.1f}' height='16' "
                           f"fill='{COLORS[0]}' fill-opacity='.25'/>")
                at = line.find(word, at + len(word))
        if line.strip():
            blank = len(line) - len(line.lstrip())
            out.append(f"<text x='{10 + STEP * blank:.1f}' y='{y}' textLength='{STEP * (len(line) - blank):.1f}' "
                       f"lengthAdjust='spacingAndGlyphs' xml:space='preserve' font-family='Menlo,Consolas,"
                       f"DejaVu Sans Mono,monospace' font-size='12' fill='{GREY}'>{html.escape(line[blank:])}</text>")
    return sheet(out, 20 + STEP * max(map(len, lines)), 20 + 17 * len(lines), description)


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


def short(n: int) -> str:
    """A whole number in few characters.

    >>> short(4179), short(223696209), short(2 ** 200)
    ('4,179', '223,696,209', '1.6e+60')
    """
    if n < 10 ** 12:
        return f"{n:,}"
    power = len(str(n)) - 1 if n < 10 ** 300 else int(math.log10(n))
    return f"{n // 10 ** (power - 1) / 10:.1f}e+{power}"


def thinned(points: Sequence[tuple[int, int]], most: int = 400) -> list[tuple[int, int]]:
    """Not more points than a screen can show, first and last among them."""
    step = max(1, -(-len(points) // most))
    return [*points[:-1:step], *points[-1:]]
