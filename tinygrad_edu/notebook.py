"""How a node shows itself in Jupyter: a small table of numbers with what it is above."""
from __future__ import annotations

import html
from typing import Any

import numpy as np

EDGE = 5                                              # rows and columns shown at each end of a large array
LARGE = 2 * EDGE + 2
CELL = "padding:.15em .6em;text-align:right;font-variant-numeric:tabular-nums"


def table(node: Any) -> str:
    """The numbers of a Value or Tensor as an HTML table, blue below 0 and orange above, the larger the stronger.

    >>> "<b>w</b>" in table(Value(2.0, label="w"))
    True
    """
    array = np.asarray(node.payload)
    facts = [f"<b>{html.escape(node.name)}</b>" if node.name else "", type(node).__name__]
    if not node.scalar:
        facts += [html.escape(str(tuple(array.shape))), str(array.dtype)]
    if node.op is not None:
        facts.append(f"made by {html.escape(node.op.name)}")
    elif node.requires_grad and not node.scalar:
        facts.append("requires grad")
    if node.scalar:
        grad = getattr(node.grad, "payload", node.grad)
        facts.append(f"grad {grad:.4g}")
    head = f'<div style="opacity:.75;font-size:90%">{" · ".join(filter(None, facts))}</div>'
    if array.ndim > 2 or array.size == 0:
        return f"{head}<pre>{html.escape(np.array2string(array, precision=4, threshold=60, edgeitems=2))}</pre>"
    rows = array.reshape(-1, array.shape[-1]) if array.ndim else array.reshape(1, 1)
    sizes = np.abs(rows[np.isfinite(rows)]) if rows.dtype.kind in "fiu" else rows[:0]
    strongest = float(sizes.max()) if sizes.size else 0.0
    body = "".join(f"<tr>{''.join(cell(rows, i, j, strongest) for j in shown(rows.shape[1]))}</tr>"
                   for i in shown(rows.shape[0]))
    return f'{head}<table style="border-collapse:collapse">{body}</table>'


def shown(n: int) -> list[int | None]:
    """Which of ``n`` rows or columns are shown; None where some are left out.

    >>> shown(3), len(shown(100))
    ([0, 1, 2], 11)
    """
    return list(range(n)) if n <= LARGE else [*range(EDGE), None, *range(n - EDGE, n)]


def cell(rows: np.ndarray, i: int | None, j: int | None, strongest: float) -> str:
    """One number, or the dots that stand for many."""
    if i is None or j is None:
        return f'<td style="{CELL}">…</td>'
    v = rows[i, j]
    color = ""
    if strongest and np.isfinite(v) and v:
        tint = "213,94,0" if v > 0 else "0,114,178"
        color = f";background:rgba({tint},{0.4 * abs(float(v)) / strongest:.2f})"
    text = f"{v:.4g}" if rows.dtype.kind == "f" else str(v)
    return f'<td style="{CELL}{color}">{html.escape(text)}</td>'
