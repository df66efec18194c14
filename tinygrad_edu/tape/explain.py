"""What became of a recorded function: passes and what they saved, levels and their widths, and where the time goes."""
from __future__ import annotations

import builtins
import re
import time
from difflib import ndiff
from typing import Any

import numpy as np

from ..errors import message
from ..random import default_generator
from .replay import After
from .text import Branch

ERRORS: dict[str, Any] = {"divide": "raise", "over": "raise", "invalid": "raise"}      # as in a replay of Values
ATTEMPTS = 8                                          # of a profile, where steps take other and other branches


def explained(compiled: Any, name: str | None = None) -> str:
    """The report of ``compiled.explain()``; of one pass, by its name, the program before and after."""
    recording = compiled.recent()
    if name is not None:
        return before_and_after(recording, name)
    info = compiled.cache_info()
    head = f"{compiled.__name__}: {info.recordings} recorded, {info.replays} replayed, {info.kept} kept"
    if recording.levels is not None:
        return "\n".join([head, *levels(recording)])
    return "\n".join([head, *passes(recording.passes)])


def passes(found: list[After]) -> list[str]:
    """A table: after each pass the calls of NumPy that a run makes, and the bytes that it takes from memory."""
    def row(name: str, after: After, before: After) -> str:
        return (f"{name:<20}{after.calls:>6}{before.calls - after.calls:>7}{after.fresh_bytes:>12,}"
                f"{before.fresh_bytes - after.fresh_bytes:>12,}")
    rows = [f"{'pass':<20}{'calls':>6}{'saved':>7}{'new bytes':>12}{'saved':>12}   what it does"]
    useful = [(after, before) for before, after in zip([found[0], *found], found, strict=False)
              if after is found[0] or after[1:3] != before[1:3]]
    rows += [f"{row(after.name, after, before)}   {after.does}" for after, before in useful]
    rows.append(row("in all", found[-1], found[0]))
    idle = {after.name: None for after in found if after.name not in {used.name for used, _ in useful}}
    return [*rows, f"no calls or bytes saved by: {', '.join(idle)}"] if idle else rows


def before_and_after(recording: Any, name: str) -> str:
    """The program with the lines that a pass took away (-) and those that it put there (+)."""
    names = [after.name for after in recording.passes]
    if name not in names[1:]:
        raise ValueError(message(f"no pass {name!r} of this program", instead="one of " + ", ".join(
            dict.fromkeys(names[1:])) if names else "step.explain(): a function of Values has levels, and no passes"))
    shown = []
    for before, after in zip(recording.passes, recording.passes[1:], strict=False):
        if after.name == name:
            if not after.text:
                raise RuntimeError(message("the programs between the passes were not kept",
                                           instead="tg.compile(fn, keep=True)"))
            lines = [line for line in ndiff(plain(before.text), plain(after.text)) if line[0] != "?"]
            if any(line[0] != " " for line in lines):
                shown.append("\n".join([f"{name}: {after.does}", *lines]))
    return "\n\n".join(shown) or f"{name}: nothing of it here"


def plain(text: str) -> list[str]:
    """The lines of a program without the comments behind them, whose column moves."""
    return [line.partition("  #")[0].rstrip() for line in text.rstrip().split("\n")]


def levels(recording: Any) -> list[str]:
    """The levels as bars: depth is the length of the dynamic program, width is what runs at once."""
    groups = [(k, group) for k, phase in enumerate(recording.levels) for group in phase]
    depth = sum(max((group.level for group in phase), default=0) for phase in recording.levels)
    widest = max((len(group.nodes) for _, group in groups), default=1)
    lines = [f"{recording.nodes:,} nodes, depth {depth}, width up to {widest:,}, {len(groups)} groups: each is a call "
             "or two of NumPy forward, and as many backward"]
    for k, group in groups:
        bar = "#" * max(1, round(30 * len(group.nodes) / widest))
        after = f" (after backward {k})" if k else ""
        lines.append(f"level {group.level:<4}{len(group.nodes):>8} x {group.kind:<34}{bar}{after}")
    return lines


def profiled(compiled: Any, args: tuple, kwargs: dict) -> str:
    """Three more steps, the last with a clock after each line; the lines by the time that they took."""
    for _ in range(ATTEMPTS):
        compiled(*args, **kwargs)                     # so that there is a recording that fits
        numbers: list[Any] = []
        key, recording = compiled.numbers(args, kwargs, numbers), compiled.last
        try:
            if recording in compiled.recordings.get(key, ()):
                with np.errstate(**({} if recording.levels is None else ERRORS)):
                    return timed(compiled.__name__, recording, numbers)
        except Branch:                                # a step has led the next one elsewhere; nothing is changed yet
            continue
        except FloatingPointError:                    # then replay, too, leaves it to eager code
            pass
        raise RuntimeError(message(f"{compiled.__name__} runs as it is with these arguments: no line is replayed",
                                   instead="compile the whole step, or call it under no_grad"))
    raise RuntimeError(message(f"{compiled.__name__} took another branch in each of {ATTEMPTS} steps",
                               instead="profile it with arguments, or at weights, at which it stays on one"))


def timed(name: str, recording: Any, numbers: list[Any]) -> str:
    """Two runs of a recording, the second with a clock after each line."""
    head, _, body = recording.text.partition(f"def {recording.name}(")
    signature, *lines = body.rstrip().split("\n")
    space, times = recording.run.__globals__, []
    clocked = [f"def {recording.name}({signature}"]
    for line in lines:
        silent = line.strip().startswith(("#", "return")) or not line.strip()
        clocked += [line] if silent else [line, "    _times.append(_clock())"]
    local = {**space, "_times": times, "_clock": time.perf_counter}
    exec(builtins.compile("\n".join(clocked), "<profile>", "exec"), local)     # the text that replay runs, and clocks
    before = default_generator.numpy.bit_generator.state
    try:
        local[recording.name](*numbers)               # once before, so that the first lines find their caches filled
        times.clear()
        before = default_generator.numpy.bit_generator.state
        start = time.perf_counter()
        local[recording.name](*numbers)
    except Branch:
        default_generator.numpy.bit_generator.state = before
        raise
    statements = [line.strip() for line in lines if line.strip() and not line.strip().startswith(("#", "return"))]
    spent = [(now - before, text) for before, now, text in zip([start, *times], times, statements, strict=False)]
    total = sum(t for t, _ in spent) or 1.0
    kinds: dict[str, list[float]] = {}
    for t, text in spent:
        kinds.setdefault(kind(text), []).append(t)
    most = sorted(kinds.items(), key=lambda item: -sum(item[1]))[:8]
    return "\n".join([
        f"{name}: {total * 1e6:.0f} us in {len(spent)} lines; by kind:",
        *(f"{sum(ts) * 1e6:10.1f} us {100 * sum(ts) / total:5.1f} %  {what} ({len(ts)}x)" for what, ts in most),
        "the slowest lines:",
        *(f"{t * 1e6:10.1f} us {100 * t / total:5.1f} %  {text}" for t, text in sorted(spent, reverse=True)[:20])])


def kind(text: str) -> str:
    """What a line does: the function that it calls, or its operator."""
    text = text.partition("  #")[0]
    if text.endswith(".payload") or ".payload for " in text:
        return "reading what lives outside"
    if text.startswith("if "):
        return "asking whether the recording fits"
    if called := re.search(r"([A-Za-z_][\w.]*)\(", text):
        return called[1]
    operator = re.search(r" (\W+) ", text.replace(" = ", " ", 1))
    return operator[1] if operator else "views and stores"
