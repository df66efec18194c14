"""Interleaved timing: A B C, B C A, C A B, ... so that what slows the machine for a while slows every peer alike.

A figure is the median over all rounds; a ratio is the median over rounds of that round's two times. The cyclic
garbage collector is on, as it is for a user, unless a workload says otherwise. What existed before the first step is
frozen out of its reach (``gc.freeze``), so that one peer's modules are not walked on another's account. Before a peer's
turn the garbage of the others is collected, and one step goes unmeasured: it leaves the garbage and the caches that a
peer finds in a loop of its own.

A workload offers "ours" (eager) and may offer "captured" (the recorded step, replayed): both are compared with every
peer, each with its own bars.
"""
from __future__ import annotations

import gc
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

Step = Callable[[], Any]
VARIANTS = ("ours", "captured")


class Bar(NamedTuple):
    """What is to be reached: ``variant`` / ``peer`` at most ``ratio``; ``stretch`` is what would be better still."""

    peer: str
    ratio: float
    stretch: float | None = None
    variant: str = "ours"


class Row(NamedTuple):
    """One line of the table: our figure, eager and captured, beside one peer's, with ratios and bars."""

    workload: str
    peer: str = ""
    theirs: float | None = None
    eager: float | None = None
    eager_ratio: float | None = None
    eager_bar: str = ""
    captured: float | None = None
    captured_ratio: float | None = None
    captured_bar: str = ""
    unit: str = "s"


class Workload(NamedTuple):
    """One race: each peer builds the function to repeat, which does ``steps`` steps and returns the loss."""

    name: str
    peers: Mapping[str, Callable[[], Step]]
    bars: tuple[Bar, ...] = ()
    steps: int = 1
    collector: bool = True
    tolerance: float = 1e-4


def judge(figure: float, bar: float, stretch: float | None = None, *, most: bool = True, form: str = ".2f") -> str:
    """The bar in words, and whether ``figure`` reaches it."""
    def reaches(limit: float) -> bool:
        return figure <= limit if most else figure >= limit
    text = f"{'≤' if most else '≥'} {bar:{form}}"
    if stretch and reaches(stretch):
        return f"{text} reached, and its stretch {stretch:{form}}"
    return f"{text} reached" if reaches(bar) else f"{text} **missed**"


def captured(make: Callable[[], Step]) -> Step:
    """The step of ``make``, recorded and replayed."""
    import tinygrad_edu
    return tinygrad_edu.compile(make())


def number(loss: Any) -> float:
    """The loss of any peer as a float."""
    return float(loss.item() if hasattr(loss, "item") else getattr(loss, "data", loss))


def seconds(t: float) -> str:
    """A time with three digits and its unit."""
    return f"{t:.3g} s" if t >= 1 else f"{t * 1e3:.3g} ms" if t >= 1e-3 else f"{t * 1e6:.3g} us"


def build(workload: Workload, say: Callable[[str], None]) -> dict[str, Step]:
    """The steps of the peers that are installed; their first three losses are checked to be the same."""
    steps: dict[str, Step] = {}
    for peer, make in workload.peers.items():
        try:
            steps[peer] = make()
        except ModuleNotFoundError as error:
            if peer in VARIANTS:
                raise
            say(f"{workload.name}: {peer} skipped ({error})")
    losses = {peer: [number(step()) for _ in range(3)] for peer, step in steps.items()}
    first, expected = next(iter(losses.items()))
    for peer, path in losses.items():
        if any(abs(a - b) > workload.tolerance * max(1.0, abs(b)) for a, b in zip(path, expected, strict=True)):
            raise AssertionError(f"{workload.name}: {peer} computes something else: losses {path}, {first} {expected}")
    return steps


def interleave(steps: dict[str, Step], budget: float, collector: bool = True) -> dict[str, list[float]]:
    """Times of one call of each step, one entry for each round; about ``budget`` seconds in all, 3 rounds at least.

    A visit repeats a quick step for about 5 ms, so that the clock and the caches of the others do not count.
    """
    calls, clock = {}, time.perf_counter
    for peer, step in steps.items():
        start = clock()
        step()
        calls[peer] = max(1, round(5e-3 / (clock() - start)))
    times: dict[str, list[float]] = {peer: [] for peer in steps}
    peers = list(steps)
    gc.collect()
    gc.freeze()
    if not collector:
        gc.disable()
    try:
        end = clock() + budget
        while clock() < end or len(times[peers[0]]) < 3:
            for peer in peers:
                gc.collect()
                step, n = steps[peer], calls[peer]
                step()
                start = clock()
                for _ in range(n):
                    step()
                times[peer].append((clock() - start) / n)
            peers.append(peers.pop(0))
    finally:
        gc.enable()
        gc.unfreeze()
    return times


def race(workload: Workload, budget: float, say: Callable[[str], None]) -> list[Row]:
    """Run one workload: a row for each peer, with each variant of ours beside it."""
    steps = build(workload, say)
    times = interleave(steps, budget, workload.collector)
    figures = {peer: statistics.median(ts) / workload.steps for peer, ts in times.items()}

    def against(variant: str, peer: str) -> tuple[float | None, float | None, str]:
        if variant not in times:
            return None, None, ""
        ratio = statistics.median(a / b for a, b in zip(times[variant], times[peer], strict=True))
        bar = next((bar for bar in workload.bars if (bar.peer, bar.variant) == (peer, variant)), None)
        form = ".3f" if bar and bar.ratio < 0.1 else ".2f"
        return figures[variant], ratio, judge(ratio, bar.ratio, bar.stretch, form=form) if bar else ""
    return [Row(workload.name, peer, figures[peer], *against("ours", peer), *against("captured", peer))
            for peer in times if peer not in VARIANTS]


def table(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table; our own figures stand in the first row of each workload."""
    head = ["workload", "ours, eager", "ours, captured", "peer", "peer's", "eager / peer", "bar", "captured / peer",
            "bar"]
    lines, last = [head], ""
    for row in rows:
        def form(figure: float | None, row: Row = row) -> str:
            return "" if figure is None else amount(figure, row.unit)
        own = ["", "", ""] if row.workload == last else [row.workload, form(row.eager), form(row.captured)]
        lines.append([*own, row.peer, form(row.theirs), ratio(row.eager_ratio), row.eager_bar,
                      ratio(row.captured_ratio), row.captured_bar])
        last = row.workload
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    text = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |" for line in lines]
    return "\n".join([text[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *text[1:]])


def amount(figure: float, unit: str) -> str:
    """A figure with its unit."""
    return seconds(figure) if unit == "s" else f"{figure:.3g} {unit}"


def ratio(r: float | None) -> str:
    """A ratio with two digits that count, or nothing."""
    return "" if r is None else f"{r:.0f}" if r >= 100 else f"{r:.2f}" if r >= 0.1 else f"{r:.2g}"


def circumstances() -> str:
    """Where the figures hold: processor, Python, NumPy and its BLAS kernel, the peers' versions, threads."""
    found = []
    for name in ("numpy", "torch", "scikit-learn", "mygrad", "autograd", "micrograd"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} absent")
    return (f"{processor()}, {platform.system()}, {platform.python_implementation()} {platform.python_version()} "
            f"({platform.python_compiler()}); {', '.join(found)}. NumPy's BLAS kernel: {kernel()}. One thread "
            f"everywhere; garbage collector on (thresholds {gc.get_threshold()}) unless a line says otherwise.")


def processor() -> str:
    """The processor's name, as far as the system tells."""
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def kernel() -> str:
    """The kernel that NumPy's BLAS chose, if threadpoolctl is there; OPENBLAS_CORETYPE=Haswell chooses another."""
    import_module("numpy")                            # loads the BLAS that is asked about
    try:
        from threadpoolctl import threadpool_info
    except ModuleNotFoundError:
        return "unknown (pip install threadpoolctl to see it)"
    own = [lib for lib in threadpool_info() if lib["user_api"] == "blas" and "numpy" in lib["filepath"]]
    return ", ".join(f"{lib['internal_api']} {lib.get('architecture', '')}" for lib in own) or "not OpenBLAS"
