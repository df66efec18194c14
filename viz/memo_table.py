"""The memo table of a neuron with weight decay, in the order solved: each colour is an adjoint that is solved once and
then read by several rules."""
import html
import re
from pathlib import Path

from tinygrad_edu import Value
from tinygrad_edu.dp import memo_table
from tinygrad_edu.dp.text import figure

COLUMNS = ("step", "node", "operation", "value", "recurrence", "with numbers", "hits")
LETTER, LINE, GAP = 7.3, 24, 22                        # width of a letter, height of a row, space between columns
COLORS = "#f6c58a", "#a9d3ee", "#a5dcc6", "#e9bcd8", "#efe58a", "#c9c4ea"
MONO = 'font-family="Menlo,Consolas,DejaVu Sans Mono,monospace" font-size="12" fill="#1a1a1a"'


def loss() -> Value:
    """(tanh(w x + b) - t)^2 + 0.1 w^2: the weight is used three times."""
    w, x, b, t = (Value(v, label=name) for name, v in {"w": 0.6, "x": 1.5, "b": -0.2, "t": 1.0}.items())
    p = w * x
    n = p + b
    y = n.tanh()
    e = y - t
    q = e * e
    s = w * w
    d = 0.1 * s
    L = q + d
    for name, node in {"p": p, "n": n, "y": y, "e": e, "q": q, "s": s, "d": d, "L": L}.items():
        node.label = name
    return L


def picture() -> str:
    table = memo_table(loss(), digits=4)
    rows = [[figure(row[name], 4) if name == "value" else str(row[name]) for name in COLUMNS] for row in table.rows()]
    color = dict(zip(sorted({s for row in rows for s in re.findall(r"∂\w+•", row[4])}), COLORS, strict=True))
    color |= {name.replace("•", " "): c for name, c in color.items()}             # where it is solved, and where read
    left = [GAP]
    for k in range(len(COLUMNS)):
        left.append(left[-1] + GAP + LETTER * max(len(row[k]) for row in [COLUMNS, *rows]))
    width, height = left[-1], LINE * (len(rows) + 1) + 1
    out = [f'<rect x=".5" y=".5" width="{width - 1:g}" height="{height - 1}" rx="8" fill="#fdfdfb" stroke="#767676"/>',
           f'<path d="M.5 {LINE}v-16a7.5 7.5 0 0 1 7.5 -7.5H{width - 8:g}a7.5 7.5 0 0 1 7.5 7.5v16z" fill="#56606b"/>']
    for k, row in enumerate([COLUMNS, *rows]):
        if k % 2:
            out.append(f'<rect x="1" y="{LINE * k}" width="{width - 2:g}" height="{LINE}" fill="#f1f1ec"/>')
        for j, cell in enumerate(row):
            for name in color if k and j == 4 else ():
                for found in re.finditer(re.escape(name), cell):
                    out.append(f'<rect x="{left[j] + LETTER * found.start() - 2:g}" y="{LINE * k + 4}" rx="3" '
                               f'width="{LETTER * len(name.strip()) + 4:g}" height="16" fill="{color[name]}"/>')
            look = MONO.replace("#1a1a1a", "#ffffff") + ' font-weight="bold"' if k == 0 else MONO
            out.append(f'<text x="{left[j]:g}" y="{LINE * k + 16}" {look} textLength="{LETTER * len(cell):.1f}" '
                       f'lengthAdjust="spacingAndGlyphs">{html.escape(cell)}</text>' if cell else "")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height}" role="img" '
            f'viewBox="0 0 {width:g} {height}">\n<title>{html.escape(table.title())}</title>\n'
            + "\n".join(filter(None, out)) + "\n</svg>\n")


if __name__ == "__main__":
    Path(__file__).with_suffix(".svg").write_text(picture(), encoding="utf-8")
