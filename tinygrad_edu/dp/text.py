"""Numbers and tables as text, Markdown and HTML."""
from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import Node

FEW = 6                                               # so many elements of an array are written out
CSS = "border-collapse:collapse;font:13px/1.5 ui-monospace,Menlo,Consolas,monospace"


def plain(x: Any) -> Any:
    """The number or array of a node, or a plain one itself."""
    return x.payload if isinstance(x, Node) else x


def lost(x: Any) -> str:
    """Why the numbers that an operation made are not there: overwritten in place since (``y[0] = 5``), or not kept by
    a checkpointed call with several results. Empty where they are."""
    if not isinstance(x, Node) or x.op is None:
        return ""
    owner = x if x.base is None else x.base
    if max(x.note.changed, owner.note.changed) > x.born:
        return "overwritten"
    return "not kept" if len(getattr((owner.inputs or [None])[-1], "made", ())) > 1 else ""


def figure(x: Any, digits: int = 6) -> str:
    """A number with so many significant digits, a small array in full, a large one as its shape and Euclidean norm.

    >>> figure(0.0821670405642), figure(np.ones(2)), figure(np.ones((3, 4)))
    ('0.082167', '[1, 1]', '(3, 4) norm 3.4641')
    """
    if gone := lost(x):
        return gone
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


def short(n: int) -> str:
    """A whole number in few characters.

    >>> short(4179), short(223696209), short(2 ** 200)
    ('4,179', '223,696,209', '1.6e+60')
    """
    if n < 10 ** 12:
        return f"{n:,}"
    power = len(str(n)) - 1 if n < 10 ** 300 else int(math.log10(n))
    return f"{n // 10 ** (power - 1) / 10:.1f}e+{power}"


def counted(n: int, what: str) -> str:
    """So many of something.

    >>> counted(1, "path"), counted(1_200, "path")
    ('1 path', '1,200 paths')
    """
    return f"{short(n)} {what}{'' if n == 1 else 's'}"


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
    """At most ``limit`` characters; a short result behind the last = is kept.

    >>> cut("1 + 2 + 3 + 4 + 5 + 6 = 21", 16)
    '1 + 2 + 3 … = 21'
    """
    if len(text) <= limit:
        return text
    end = text[text.rindex(" = "):] if " = " in text else ""
    end = end if len(end) <= limit // 2 else ""
    return text[:limit - 1 - len(end)] + "…" + end


def grid(head: Sequence[str], rows: Sequence[Sequence[str]], right: str = "", limit: int = 72) -> str:
    """A table of aligned columns; the columns named in ``right`` (separated by blanks) are flush right."""
    numeric = [name in right.split() for name in head]
    lines = [list(head), *[[cut(cell, limit) for cell in row] for row in rows]]
    width = [max(len(line[k]) for line in lines) for k in range(len(head))]
    out = ["  ".join(cell.rjust(w) if flush else cell.ljust(w)
                     for cell, w, flush in zip(line, width, numeric, strict=True)).rstrip() for line in lines]
    return "\n".join([out[0], "  ".join("-" * w for w in width).rstrip(), *out[1:]])


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]], right: str = "") -> str:
    """The same table in Markdown."""
    def line(cells: Sequence[str]) -> str:
        safe = [cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ") for cell in cells]
        return f"| {' | '.join(safe)} |"

    return "\n".join([line(head), line(["--:" if name in right.split() else "---" for name in head]), *map(line, rows)])


def html_table(head: Sequence[str], rows: Sequence[Sequence[str]], right: str = "", caption: str = "",
               marks: Sequence[Mapping[str, str]] = ()) -> str:
    """The same table in HTML; ``marks`` gives the words to highlight in each row, and their colours."""
    def line(cells: Sequence[str], tag: str, marked: Mapping[str, str]) -> str:
        return "<tr>" + "".join(
            f'<{tag} style="text-align:{"right" if head[k] in right.split() else "left"};padding:1px 10px;'
            f'border-bottom:1px solid #80808040;white-space:pre">{highlighted(cell, marked)}</{tag}>'
            for k, cell in enumerate(cells)) + "</tr>"

    body = "".join(line(row, "td", mark) for row, mark in zip(rows, marks or [{}] * len(rows), strict=True))
    title = f'<caption style="caption-side:top;text-align:left">{html.escape(caption)}</caption>' if caption else ""
    return (f'<div style="overflow-x:auto"><table style="{CSS}">{title}<thead>{line(head, "th", {})}</thead>'
            f'<tbody>{body}</tbody></table></div>')


def highlighted(cell: str, marked: Mapping[str, str]) -> str:
    """A cell as HTML with the words in ``marked`` on a ground of their colour."""
    out, end = "", 0
    for start, word in places(cell, marked):
        out += (f'{html.escape(cell[end:start])}<mark style="background:{marked[word]}88;color:inherit">'
                f'{html.escape(word.rstrip())}</mark>')
        end = start + len(word.rstrip())
    return out + html.escape(cell[end:])


def places(cell: str, marked: Iterable[str]) -> list[tuple[int, str]]:
    """Where the words in ``marked`` stand in a cell, from left to right; of two in one place the longer."""
    words = "|".join(re.escape(word) for word in sorted(marked, key=len, reverse=True))
    return [(found.start(), found[0]) for found in re.finditer(words, cell)] if words else []


class Table:
    """What is shown as a table: as text in a terminal, as HTML in Jupyter, in Markdown. A kind of table has a ``head``
    and gives its ``cells()``, where it needs them also a ``title()`` above and a ``legend()`` below."""

    head: Sequence[str] = ()
    numeric = ""                                      # the columns that are flush right
    limit = 72                                        # characters of a cell in a terminal

    def cells(self) -> list[list[str]]:
        """The rows as text."""
        raise NotImplementedError

    def title(self) -> str:
        """What stands above the table."""
        return ""

    def legend(self) -> str:
        """What the signs in it mean."""
        return ""

    def marks(self) -> Sequence[Mapping[str, str]]:
        """For each row the words to highlight, and their colours."""
        return ()

    def __str__(self) -> str:
        return stacked(self.title(), grid(self.head, self.cells(), self.numeric, self.limit), self.legend())

    def __repr__(self) -> str:
        return str(self)

    def markdown(self) -> str:
        """The table in Markdown."""
        return stacked(self.title(), markdown(self.head, self.cells(), self.numeric), self.legend())

    def _repr_html_(self) -> str:
        caption = ". ".join(filter(None, [self.title(), self.legend().replace("\n", " ")]))
        return html_table(self.head, self.cells(), self.numeric, caption, self.marks())


def stacked(*parts: str) -> str:
    """Paragraphs one below the other, without those that are empty."""
    return "\n\n".join(filter(None, parts))
