"""The timed workloads as one chart: each library's time of a step over PyTorch's, from one run (matplotlib)."""
from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable

from .harness import Row, ratio

# Library -> its marker and colour; our own are filled and stand out, the floor is a bar.
MARKS = {"ours, captured": ("D", "#1a7f37"), "ours, eager": ("o", "#0969da"), "NumPy by hand": ("|", "#24292f"),
         "torch": ("s", "#cf222e"), "micrograd": ("^", "#8250df"), "scikit-learn": ("v", "#bc4c00"),
         "mygrad": ("<", "#6e7781"), "autograd": (">", "#6e7781"), "a bare tape": ("x", "#6e7781"),
         "our Tensor": ("o", "#8cc4ff")}

NAMES = {"A1": "A1 micrograd's moons, one node a number", "B1": "B1 tanh(x w + b) of ten numbers",
         "B2 sigmoid sgd": "B2 784-100-10, sigmoid, SGD", "B2 relu adam": "B2 784-100-10, ReLU, Adam",
         "B3 relu adam": "B3 784-512-512-10, ReLU, Adam", "B8 unary": "B8 a chain of 10,000 tanh",
         "B8 affine": "B8 a chain of 3,333 tanh(h w + b)"}


def relative(rows: Iterable[Row]) -> dict[str, dict[str, float]]:
    """Workload -> library -> its time over PyTorch's, of the workloads that PyTorch took part in."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        if row.workload in NAMES and row.theirs is not None and row.eager is not None:
            times = found.setdefault(row.workload, {"ours, eager": row.eager})
            if row.captured is not None:
                times["ours, captured"] = row.captured
            times[row.peer.removesuffix(", on tensors")] = row.theirs
    return {name: {peer: t / times["torch"] for peer, t in times.items()}
            for name, times in found.items() if "torch" in times}


def draw(rows: Iterable[Row], circumstances: str, path: str | os.PathLike) -> None:
    """Write the chart as SVG."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    lines = relative(rows)
    with rc_context({"svg.hashsalt": "benchmarks", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure = Figure(figsize=(9, 1.9 + 0.52 * len(lines)), layout="constrained")
        axes = figure.add_subplot()
        for peer, (marker, colour) in MARKS.items():
            points = [(times[peer], place) for place, times in enumerate(lines.values()) if peer in times]
            if points:
                own = peer.startswith("ours")
                axes.plot(*zip(*points, strict=True), linestyle="", marker=marker, color=colour, label=peer,
                          markersize=9 if own else 7, markeredgewidth=2 if marker == "|" else 1, zorder=3 if own else 2,
                          fillstyle="full" if own else "none")
        for place, times in enumerate(lines.values()):
            for peer, above in (("ours, eager", 9), ("ours, captured", -15)):
                if peer in times:
                    axes.annotate(ratio(times[peer]), (times[peer], place), (0, above), textcoords="offset points",
                                  ha="center", fontsize=8, color=MARKS[peer][1])
        axes.axvline(1, color=MARKS["torch"][1], linewidth=0.8, zorder=1)
        axes.set(xscale="log", xlabel="time of a step over PyTorch's, logarithmic: left of the line is faster",
                 yticks=range(len(lines)), ylim=(len(lines) - 0.5, -0.5),
                 yticklabels=[NAMES[name] for name in lines])
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
        axes.grid(axis="x", color="#d0d7de", linewidth=0.6)
        axes.tick_params(axis="y", length=0)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        figure.legend(loc="outside upper center", ncols=5, frameon=False, fontsize=9)
        figure.supxlabel("\n".join(textwrap.wrap(circumstances, 150)), fontsize=6.5, color="#57606a")
        figure.savefig(path, format="svg", metadata={"Date": None})
