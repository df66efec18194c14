"""A 1-d convolution unrolled: the same three weights at every position, so their adjoint is a sum over positions."""
from pathlib import Path

import tinygrad_edu as tg
from tinygrad_edu.viz import Drawing, adjoints

COLORS = "#e06000", "#2f86c9", "#1a9e77", "#b565a0"    # one for each position
SHEET = """digraph conv_shared {{
  graph [rankdir=LR nodesep=0.2 ranksep=1.7 pad=0.1 bgcolor="transparent" fontname="Arial" fontsize=12]
  node [shape=box style="rounded,filled" fillcolor="#fdfdfb" fontname="Arial" fontsize=12 height=0.4 penwidth=2]
  edge [fontname="Arial" fontsize=12 penwidth=2.2 arrowsize=0.7 dir=back]
  {graph}
  label=<<TABLE COLOR="#767676" BGCOLOR="#fdfdfb" STYLE="ROUNDED" CELLBORDER="0" CELLSPACING="3" CELLPADDING="2">
  {table}</TABLE>>
}}
"""


def numbers(tensor: tg.Tensor) -> str:
    """A few numbers in a row."""
    return " ".join(f"{v:g}" for v in tensor.reshape(-1).tolist())


def row(color: str, words: str, result: str) -> str:
    """A line of the table below the graph."""
    ground = f' BGCOLOR="{color}"' if color else ""
    return (f'<TR><TD{ground}>&#160;&#160;</TD><TD ALIGN="LEFT">{words}</TD>'
            f'<TD ALIGN="LEFT">= {result}</TD></TR>')


def picture() -> Drawing:
    x = [0.0, 1.0, 3.0, 3.0, 2.0, 0.0]                # six samples: four windows of three
    w = tg.tensor([-1.0, 0.5, 1.0], requires_grad=True)
    windows = [tg.tensor(x[j:j + 3]) for j in range(4)]
    outputs = [window @ w for window in windows]
    loss = tg.stack(outputs) @ tg.tensor([1.0, -1.0, 2.0, 1.0])       # what the rest of a network would send back
    sent = adjoints(loss)
    graph = [f'w [label=<<B>w</B>&#160;= {numbers(w)}<BR/><B>∂w</B>&#160;= {numbers(sent[w])}> fillcolor="#d5e9f7" '
             'color="#0072b2"]']
    table = []
    for j, (window, y, color) in enumerate(zip(windows, outputs, COLORS, strict=True), 1):
        samples, flow = numbers(window), numbers(sent[y, 1])
        graph += [f'y{j} [label=<<B>y{j}</B>&#160;= ({samples}) · w = {y.item():g}> color="{color}"]',
                  f'w -> y{j} [color="{color}" fontcolor="{color}" label=<{flow}>]']
        table.append(row(color, f"∂y{j} × ({samples}) = {numbers(sent[y])} × ({samples})", flow))
    table.append(row("", "<B>∂w</B>, the sum over all positions", f"<B>{numbers(sent[w])}</B>"))
    return Drawing(SHEET.format(graph="\n  ".join(graph), table="\n  ".join(table)), "convolution")


if __name__ == "__main__":
    picture().save(Path(__file__).with_suffix(".svg"))
