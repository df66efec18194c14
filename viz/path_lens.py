"""The gradient of one weight as the sum over its paths to the cost: a line is a path, the numbers along it multiply."""
from pathlib import Path

from tinygrad_edu import Value
from tinygrad_edu.dp import explain
from tinygrad_edu.dp.semiring import slope
from tinygrad_edu.viz import Drawing

COLORS = "#e06000", "#2f86c9", "#1a9e77", "#b565a0"    # the largest path first
WEIGHTS = ((0.4, -0.3), (0.7, 0.2)), ((0.9, -0.5), (-0.6, 0.8)), ((1.2, -0.7), (0.5, 1.1))

SHEET = """digraph path_lens {{
  graph [rankdir=LR nodesep=0.5 ranksep=0.75 pad=0.15 bgcolor="transparent" fontname="Arial" fontsize=12]
  node [shape=box style="rounded,filled" fillcolor="#fdfdfb" color="#767676" fontname="Arial" fontsize=12 height=0.4]
  edge [fontname="Arial" fontsize=12 fontcolor="#767676" penwidth=2.4 arrowsize=0.8]
  {graph}
  label=<<TABLE COLOR="#767676" BGCOLOR="#fdfdfb" STYLE="ROUNDED" CELLBORDER="0" CELLSPACING="3" CELLPADDING="2">
  {table}</TABLE>>
}}
"""


def network() -> tuple[Value, Value]:
    """The cost of a 2-2-2-2 network of tanh units, and one weight of its first layer."""
    x, w = [Value(0.8), Value(0.3)], None
    for layer, rows in zip("abo", WEIGHTS, strict=True):
        pairs = [(Value(u), Value(v)) for u, v in rows]
        w = w or pairs[0][0]
        x = [(u * x[0] + v * x[1]).tanh() for u, v in pairs]
        for k, unit in enumerate(x, 1):
            unit.label = f"{layer}{k}"
    cost = (x[0] - 0.9) ** 2 + (x[1] + 0.4) ** 2
    w.label, cost.label = "w", "E"
    return cost, w


def factors(path) -> list[tuple[Value, Value, float]]:
    """The steps of a path from the weight up, between values that have a name: from, to, and the derivative."""
    steps, user, factor = [], path.nodes[0], 1.0
    for edge, x in zip(path.edges, path.nodes[1:], strict=True):
        factor *= slope(*edge)
        if x.label:
            steps.append((x, user, factor))
            user, factor = x, 1.0
    return steps[::-1]


def row(color: str, words: str, product: str, result: str, bold: bool = False) -> str:
    """A line of the table below the graph."""
    words, result = (f"<B>{text}</B>" if bold else text for text in (words, result))
    ground = f' BGCOLOR="{color}"' if color else ""
    return (f'<TR><TD{ground}>&#160;&#160;</TD><TD ALIGN="LEFT">{words}</TD><TD ALIGN="LEFT">{product}</TD>'
            f'<TD ALIGN="RIGHT">{result}</TD></TR>')


def picture() -> Drawing:
    cost, w = network()
    found = explain(cost, w)
    lines: dict[tuple, list[str]] = {}                 # a step, and the colours of the paths that take it
    table = []
    for path, color in zip(found.paths, COLORS, strict=True):
        steps = factors(path)
        for step in steps:
            lines.setdefault(step, []).append(color)
        way = " → ".join(["w", *(user.label for _, user, _ in steps)])
        product = " × ".join(f"{d:.3f}" if d > 0 else f"({d:.3f})" for *_, d in steps)
        table.append(row(color, way, product, f"= {path.product:.4f}", bold=path is found.paths[0]))
    table.append(row("", "the sum over all paths", "", f"{found.total:.4f}"))
    table.append(row("", "dE/dw by one sweep", "", f"{found.gradient:.4f}"))
    graph = []
    for x in dict.fromkeys(x for *ends, _ in lines for x in ends):
        look = f' color="{COLORS[0]}" penwidth=2' if x in found.paths[0].nodes else ""
        graph.append(f"{x.label} [label=<<B>{x.label}</B> &#160;{x.data:.3f}>{look}]")
    for (x, user, d), colors in lines.items():         # the small blank keeps the number off the line
        label = f'<{d:.3f}<BR/><FONT POINT-SIZE="4"> </FONT>>'
        graph.append(f'{x.label} -> {user.label} [label={label} color="{":".join(colors)}"]')
    return Drawing(SHEET.format(graph="\n  ".join(graph), table="\n  ".join(table)), "path lens")


if __name__ == "__main__":
    picture().save(Path(__file__).with_suffix(".svg"))
