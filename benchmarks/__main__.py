"""``python -m benchmarks [A1 B2 ...] [--seconds 20]``: the ratios as a Markdown table, on standard output."""
from __future__ import annotations

import argparse
import sys

from . import a1, a2, b1, b7, b8, mlp
from .harness import circumstances, table

WORKLOADS = {"A1": a1.run, "A2": a2.run, "B1": b1.run, "B2": mlp.b2, "B3": mlp.b3, "B7": b7.run, "B8": b8.run}


def say(line: str) -> None:
    """What happens meanwhile goes to standard error, so that the table can be redirected to a file."""
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Run the workloads asked for (all by default) and print their table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(WORKLOADS)}; all by default")
    parser.add_argument("--seconds", type=float, default=20.0, help="about how long to repeat each (default 20)")
    chosen = parser.parse_args()
    names = [name.upper() for name in chosen.workloads] or list(WORKLOADS)
    if unknown := [name for name in names if name not in WORKLOADS]:
        parser.error(f"no workload {', '.join(unknown)}; there are {', '.join(WORKLOADS)}")
    rows = []
    for name in names:
        say(f"{name} ...")
        rows += WORKLOADS[name](chosen.seconds, say)
    print(circumstances(), table(rows), sep="\n\n")


if __name__ == "__main__":
    main()
