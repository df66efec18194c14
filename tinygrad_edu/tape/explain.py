"""What became of a recorded function: passes and what they saved, levels and their widths, and where the time goes."""
from __future__ import annotations

import builtins
import time
from typing import Any

from .replay import After


def explained(compiled: Any) -> str:
    """The report of ``compiled.explain()``."""
    recording = compiled.recent()
    info = compiled.cache_info()
    head = f"{compiled.__name__}: {info.recordings} recorded, {info.replays} replayed, {info.kept} kept"
    if recording.levels is not None:
        return "\n".join([head, *levels(recording)])
    return "\n".join([head, *passes(recording.passes)])


def passes(found: list[After]) -> list[str]:
    """A table: after each pass the calls of NumPy that a run makes, and the bytes that it takes from memory."""
    rows, before = [f"{'pass':<26}{'calls':>8}{'saved':>8}{'new bytes':>14}{'saved':>14}"], found[0]
    for after in found:
        rows.append(f"{after.name:<26}{after.calls:>8}{before.calls - after.calls:>8}{after.fresh_bytes:>14,}"
                    f"{before.fresh_bytes - after.fresh_bytes:>14,}")
        before = after
    return rows


def levels(recording: Any) -> list[str]:
    """The levels as bars: depth is the length of the dynamic program, width is what runs at once."""
    groups = [(k, group) for k, phase in enumerate(recording.levels) for group in phase]
    depth = sum(max((group.level for group in phase), default=0) for phase in recording.levels)
    widest = max((len(group.nodes) for _, group in groups), default=1)
    lines = [f"{recording.nodes:,} nodes, depth {depth}, {len(groups)} groups: each is a call or two of NumPy forward, "
             "and as many backward"]
    for k, group in groups:
        bar = "#" * max(1, round(30 * len(group.nodes) / widest))
        after = f" (after backward {k})" if k else ""
        lines.append(f"level {group.level:<4}{len(group.nodes):>8} x {group.kind:<34}{bar}{after}")
    return lines


def profiled(compiled: Any, args: tuple, kwargs: dict) -> str:
    """One more step, with a clock after each line; the lines by the time that they took."""
    compiled(*args, **kwargs)                         # so that the recording fits
    recording = compiled.recent()
    head, _, body = recording.text.partition(f"\ndef {recording.name}(") if recording.levels is not None else (
        "", "", recording.text[len(f"def {recording.name}("):])
    signature, *lines = body.rstrip().split("\n")
    space, times = recording.run.__globals__, []
    timed = [f"def {recording.name}({signature}"]
    for line in lines:
        silent = line.strip().startswith(("#", "return")) or not line.strip()
        timed += [line] if silent else [line, "    _times.append(_clock())"]
    local = {**space, "_times": times, "_clock": time.perf_counter}
    exec(builtins.compile("\n".join(timed), "<profile>", "exec"), local)       # the text that replay runs, and clocks
    numbers: list[Any] = []
    compiled.numbers(args, kwargs, numbers)
    start = time.perf_counter()
    local[recording.name](*numbers)
    statements = [line.strip() for line in lines if line.strip() and not line.strip().startswith(("#", "return"))]
    spent = [(now - before, text) for before, now, text in zip([start, *times], times, statements, strict=False)]
    total = sum(t for t, _ in spent) or 1.0
    rows = [f"{t * 1e6:10.1f} us {100 * t / total:5.1f} %  {text}" for t, text in sorted(spent, reverse=True)[:20]]
    return "\n".join([f"{compiled.__name__}: {total * 1e6:.0f} us in {len(spent)} lines; the slowest:", *rows])
