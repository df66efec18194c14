"""``python -m benchmarks [A1 B2 ...] [--seconds 20] [--chart FILE]``: the ratios as a Markdown table and as a chart."""
from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from . import a1, a2, b1, b7, b8, memory, mlp
from .chart import draw
from .harness import Row, circumstances, table

HEAD = """# Speed, measured side by side in one run

What is measured, how, and what limits it: [benchmarks](../benchmarks/README.md). A ratio below 1 is in our favour.
A bar is what we mean to reach."""
Run = Callable[[float, Callable[[str], None]], list[Row]]


def peak(name: str, bar: float | None, _: float, say: Callable[[str], None]) -> list[Row]:
    """The peak memory of a workload, which takes no time worth a budget."""
    return memory.run(name, say, bar)


WORKLOADS: dict[str, Sequence[Run]] = {
    "A1": [a1.run], "A2": [a2.run], "B1": [b1.run],
    "B2": [mlp.b2, partial(peak, "B2 relu adam", None)], "B3": [mlp.b3, partial(peak, "B3 relu adam", None)],
    "B7": [b7.run], "B8": [b8.run, partial(peak, "B8 unary", 1.3), partial(peak, "B8 affine", 1.3)]}


def say(line: str) -> None:
    """What happens meanwhile goes to standard error, so that the table can be redirected to a file."""
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Run the workloads asked for (all by default), print their table and draw their chart."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(WORKLOADS)}; all by default")
    parser.add_argument("--seconds", type=float, default=20.0, help="about how long to repeat each (default 20)")
    parser.add_argument("--chart", metavar="FILE", help="write the times over PyTorch's as an SVG")
    chosen = parser.parse_args()
    names = [name.upper() for name in chosen.workloads] or list(WORKLOADS)
    if unknown := [name for name in names if name not in WORKLOADS]:
        parser.error(f"no workload {', '.join(unknown)}; there are {', '.join(WORKLOADS)}")
    rows: list[Row] = []
    for name in names:
        say(f"{name} ...")
        for run in WORKLOADS[name]:
            rows += run(chosen.seconds, say)
    where = circumstances()
    chart = f"![Each library's time of a step over PyTorch's]({Path(chosen.chart).name})" if chosen.chart else ""
    print(*filter(None, (HEAD, where, chart, table(rows))), sep="\n\n")
    if chosen.chart:
        draw(rows, where, chosen.chart)


if __name__ == "__main__":
    main()
