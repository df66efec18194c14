"""Numbers and tables as text, Markdown and HTML."""
from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Node

FEW = 6                                               # so many elements of an array are written out
CSS = "border-collapse:collapse;font:13px/1.5 ui-monospace,Menlo,Consolas,monospace"


def plain(x: Any) -> Any:
    """The number or array of a node, or a plain one itself."""
    return x.payload if isinstance(x, Node) else x


def figure(x: Any, digits: int = 6) -> str:
    """A number with so many significant digits, a small array in full, a large one as its shape and Euclidean norm.

    >>> figure(0.0821670405642), figure(np.ones(2)), figure(np.ones((3, 4)))
    ('0.082167', '[1, 1]', '(3, 4) norm 3.4641')
    """
    x = plain(x)
    if isinstance(x, np.generic):
        x = x.item()
    if not isinstance(x, np.ndarray):
        return f"{x:.{digits}g}" if isinstance(x, float) else f"{x:,}" if type(x) is int else str(x)
    if x.ndim == 0:
        return figure(x.item(), digits)
    if x.size <= FEW and x.ndim <= 2:
        return "[" + ", ".join(figure(part, digits) for part in x) + "]"
    return f"{shape(x)} norm {figure(norm(x), digits)}"


def shape(x: Any) -> str:
    """The shape of an array, () for a number."""
    size = getattr(plain(x), "shape", ())
    return f"({', '.join(map(str, size))}{',' if len(size) == 1 else ''})"


def norm(x: Any) -> float:
    """The Euclidean norm, of a number its absolute value."""
    x = plain(x)
    return abs(float(x)) if not isinstance(x, np.ndarray) else math.sqrt(float(np.sum(np.square(x, dtype=float))))


def apart(a: Any, b: Any) -> float:
    """The largest difference of two numbers or arrays; equal infinities, and nan and nan, do not differ."""
    a, b = np.asarray(plain(a), float), np.asarray(plain(b), float)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return float(np.max(np.abs(np.where(same, 0.0, a) - np.where(same, 0.0, b)), initial=0.0))


def far(a: Any, b: Any) -> float:
    """The largest difference, relative to the largest element where that exceeds 1."""
    size = np.abs(np.asarray(plain(b), float))
    return apart(a, b) / max(1.0, float(np.max(size, initial=0.0, where=np.isfinite(size))))


def cut(text: str, limit: int) -> str:
    """At most ``limit`` characters."""
    return text if len(text) <= limit else text[:limit - 1] + "…"


def grid(head: Sequence[str], rows: Sequence[Sequence[str]], right: str = "", limit: int = 72) -> str:
    """A table of aligned columns; the columns named in ``right`` (separated by blanks) are flush right."""
    numeric = [name in right.split() for name in head]
    lines = [list(head), *[[cut(cell, limit) for cell in row] for row in rows]]
    width = [max(len(line[k]) for line in lines) for k in range(len(head))]
    out = ["  ".join(cell.rjust(w) if flush else cell.ljust(w)
                     for cell, w, flush in zip(line, width, numeric, strict=True)).rstrip() for line in lines]
    return "\n".join([out[0], "  ".join("-" * w for w in width), *out[1:]])


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]], right: str = "") -> str:
    """The same table in Markdown."""
    def line(cells: Sequence[str]) -> str:
        safe = [cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ") for cell in cells]
        return f"| {' | '.join(safe)} |"

    return "\n".join([line(head), line(["--:" if name in right.split() else "---" for name in head]), *map(line, rows)])


def html_table(head: Sequence[str], rows: Sequence[Sequence[str]], right: str = "", caption: str = "",
               marked: Sequence[str] = ()) -> str:
    """The same table in HTML; the words in ``marked`` are highlighted wherever they stand."""
    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(
            f'<{tag} style="text-align:{"right" if head[k] in right.split() else "left"};padding:1px 10px;'
            f'border-bottom:1px solid #80808040;white-space:pre">{highlighted(cell, marked)}</{tag}>'
            for k, cell in enumerate(cells)) + "</tr>"

    title = f'<caption style="caption-side:top;text-align:left">{html.escape(caption)}</caption>' if caption else ""
    return (f'<div style="overflow-x:auto"><table style="{CSS}">{title}<thead>{line(head, "th")}</thead>'
            f'<tbody>{"".join(line(row, "td") for row in rows)}</tbody></table></div>')


def highlighted(cell: str, marked: Sequence[str]) -> str:
    """A cell as HTML with the words in ``marked`` highlighted, longest first."""
    out, rest = "", cell
    while marked and rest:
        found = [(at, -len(word), word) for word in marked if (at := rest.find(word)) >= 0]
        if not found:
            break
        at, _, word = min(found)
        out += f'{html.escape(rest[:at])}<mark style="background:#e69f0055;color:inherit">{html.escape(word)}</mark>'
        rest = rest[at + len(word):]
    return out + html.escape(rest)
