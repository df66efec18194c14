"""A2: a million scalar nodes built and swept: nodes a second, bytes a node, and how deep a chain may be."""
from __future__ import annotations

import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable
from importlib import import_module
from typing import Any

from .harness import Row, captured, judge

LONG = 1_000_000
SHORT = 100_000                                       # for the slower ones, which keep the same nodes a second
PIECE = 200                                           # micrograd recurses: its graph is many short chains, added up


def graph(number: Callable[[float], Any], nodes: int, piece: int) -> tuple[Any, Any]:
    """About ``nodes`` products and sums ``total + x * w``, in chains of ``piece``; gives x and the end."""
    x, w, end = number(0.5), number(1.5), None
    for _ in range(nodes // piece):
        total = x
        for _ in range(piece // 2):
            total = total + x * w
        end = total if end is None else end + total
    return x, end


def values(module: str) -> Callable[[float], Any]:
    return import_module(module).Value


def torch() -> Callable[[float], Any]:
    import torch
    return lambda v: torch.tensor(v, dtype=torch.float64, requires_grad=True)


def once(number: Callable[[float], Any], nodes: int, piece: int) -> float:
    """Nodes a second, built, swept and given back; the derivative is checked."""
    start = time.perf_counter()
    x, end = graph(number, nodes, piece)
    end.backward()
    grad = float(x.grad)
    del end
    took = time.perf_counter() - start
    expected = (1 + 1.5 * (piece // 2)) * (nodes // piece)
    if abs(grad - expected) > 1e-9 * expected:
        raise AssertionError(f"d end / d x is {grad}, not {expected}")
    return nodes / took


def size(number: Callable[[float], Any], nodes: int = 20_000) -> tuple[float, float]:
    """Bytes a node by tracemalloc, of the graph once built and at the height of the sweep."""
    gc.collect()
    tracemalloc.start()
    x, end = graph(number, nodes, PIECE)
    built = tracemalloc.get_traced_memory()[0]
    end.backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return built / nodes, peak / nodes


def run(budget: float, say: Callable[[str], None]) -> list[Row]:
    makers = {"ours": lambda: values("tinygrad_edu"), "micrograd": lambda: values("micrograd.engine"), "torch": torch}
    numbers = {}
    for peer, make in makers.items():
        try:
            numbers[peer] = make()
        except ModuleNotFoundError as error:
            say(f"A2: {peer} skipped ({error})")
    sizes = {peer: (LONG, LONG) if peer == "ours" else (SHORT, PIECE) for peer in numbers}
    rows = []
    gc.collect()
    gc.freeze()
    for collector in (True, False):
        rates: dict[str, list[float]] = {peer: [] for peer in numbers}
        end = time.perf_counter() + budget / 2
        while len(rates["ours"]) < 3 or time.perf_counter() < end:
            for peer in numbers:
                gc.collect()
                (gc.enable if collector else gc.disable)()
                rates[peer].append(once(numbers[peer], *sizes[peer]))
                gc.enable()
        millions = {peer: statistics.median(rate) / 1e6 for peer, rate in rates.items()}
        again = replayed() if collector else None
        rows += compare(f"A2 nodes/s, collector {'on' if collector else 'off'}", millions, "M/s",
                        judge(millions["ours"], 1.0, 1.9, most=False, form=".3g"), again)
    gc.unfreeze()
    memory = {peer: size(numbers[peer]) for peer in numbers if peer != "torch"}       # torch's is not Python's to trace
    built, peak = ({peer: sizes[k] for peer, sizes in memory.items()} for k in (0, 1))
    rows += compare("A2 a node, built", built, "bytes", judge(built["ours"], 220, 130, form=".0f"))
    rows += compare("A2 a node, peak of the sweep", peak, "bytes")
    return [*rows, Row("A2 chain of a million", eager_bar="works" if deep(numbers["ours"]) else "**fails**")]


def deep(number: Callable[[float], Any]) -> bool:
    """Whether a chain of a million nodes is built, swept and freed."""
    x = y = number(1.0)
    for _ in range(LONG):
        y = y * 1.0
    y.backward()
    return x.grad == 1.0


def replayed(calls: int = 12) -> float:
    """Millions of nodes a second when the chain of a million is replayed; the recording does not count."""
    number = values("tinygrad_edu")
    x, w = number(0.5), number(1.5)

    def make() -> Callable[[], Any]:
        def run() -> Any:
            total = x
            for _ in range(LONG // 2):
                total = total + x * w
            x.grad = w.grad = 0.0
            total.backward()
            return total
        return run
    step, times = captured(make), []
    for _ in range(calls):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    if abs(x.grad - (1 + 1.5 * (LONG // 2))) > 1e-6 * LONG:
        raise AssertionError(f"d total / d x is {x.grad}")
    return LONG / statistics.median(times[2:]) / 1e6


def compare(name: str, figures: dict[str, float], unit: str, bar: str = "",
            replay: float | None = None) -> list[Row]:
    """Ours against each peer, with a bar that is a figure of ours and no ratio (on the first row)."""
    ours, rows = figures["ours"], []
    for peer in [peer for peer in figures if peer != "ours"] or [""]:
        theirs, again = figures.get(peer), "" if replay is None or rows else judge(replay, 500, most=False, form=".0f")
        rows.append(Row(name, peer, theirs, ours, ours / theirs if theirs else None, "" if rows else bar, replay,
                        replay / theirs if replay and theirs else None, again, unit))
    return rows
