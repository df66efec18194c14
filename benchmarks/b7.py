"""B7: time to import, in fresh interpreters that alternate, and the size installed, dependencies not counted."""
from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from .harness import Row, judge

PACKAGES = {"NumPy": "numpy", "ours": "tinygrad_edu", "torch": "torch", "scikit-learn": "sklearn.neural_network",
            "mygrad": "mygrad", "autograd": "autograd", "micrograd": "micrograd.engine"}
SLOW = ("torch", "scikit-learn")
TIMED = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


def import_time(package: str) -> float:
    """Seconds that the import takes in a new interpreter (its own start not counted)."""
    done = subprocess.run([sys.executable, "-c", TIMED.format(package)], check=True, capture_output=True, text=True,
                          env={k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"})
    return float(done.stdout)


def installed(package: str) -> float:
    """Megabytes (10^6 bytes) of the package with its libraries; Python's bytecode, which each interpreter makes for
    itself, is not counted."""
    folder = Path(find_spec(package.split(".")[0]).origin).parent
    files = [*folder.rglob("*"), *folder.with_name(f"{folder.name}.libs").glob("*")]
    return sum(os.path.getsize(file) for file in files if file.is_file() and file.suffix != ".pyc") / 1e6


def run(budget: float, say: Callable[[str], None]) -> list[Row]:
    present = {}
    for peer, package in PACKAGES.items():
        if find_spec(package.split(".")[0]):
            present[peer] = package
        else:
            say(f"B7: {peer} skipped (not installed)")
    times: dict[str, list[float]] = {peer: [import_time(package)] for peer, package in present.items()}
    times = {peer: [] for peer in times}              # the first round only wrote the compiled files
    end, turn = time.perf_counter() + budget, 0
    while turn < 9 or time.perf_counter() < end:
        for peer, package in present.items():
            if peer not in SLOW or turn % 5 == 0:
                times[peer].append(import_time(package))
        turn += 1
    import_ = {peer: statistics.median(ts) for peer, ts in times.items()}
    more = 1e3 * statistics.median(a - b for a, b in zip(times["ours"], times["NumPy"], strict=True))
    size = {peer: installed(package) for peer, package in present.items()}
    rows = []
    for name, figures, bar, unit in (
            ("B7 import", import_, f"{more:+.1f} ms on NumPy's: {judge(more, 15, form='.0f')}", "s"),
            ("B7 size, without bytecode", size, judge(size["ours"], 2, form=".0f"), "MB")):
        ours = figures.pop("ours")
        rows += [Row(name, peer, theirs, ours, ours / theirs, bar if not i else "", unit=unit)
                 for i, (peer, theirs) in enumerate(figures.items())]
    return rows
