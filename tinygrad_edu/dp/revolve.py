"""Revolve: which states of a chain to keep when memory holds only a few, so that the least is computed again.

A sweep back through l steps needs the state before each of them, last first. With all states kept that is one forward
run; with c of them, steps are run again from the nearest kept one. Where to keep them is a dynamic program of its own
(Griewank 1992; Griewank and Walther, Algorithm 799: revolve, ACM Transactions on Mathematical Software 26, 2000).
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..errors import message
from .chart import COLORS, GREY, sheet, words
from .text import Table, counted, grid

HINT = {"store": "keep the state before step {at}", "restore": "go back to the state before step {at}",
        "one": "run step {at}, nothing recorded", "advance": "run steps {at} to {last}, nothing recorded",
        "turn": "run step {at} recorded, and sweep it back",
        "free": "the state before step {at} is not needed again"}


class Action(NamedTuple):
    """One entry of a schedule: ``store``, ``restore`` or ``free`` the state before step ``at``; ``advance`` from there
    to the state before step ``to``; ``turn``: run step ``at`` recorded and sweep it back."""

    kind: str
    at: int
    to: int

    def __str__(self) -> str:
        one = self.kind == "advance" and self.to == self.at + 1
        return HINT["one" if one else self.kind].format(at=self.at, last=self.to - 1)


def fewest(steps: int, checkpoints: int) -> tuple[np.ndarray, np.ndarray]:
    """The tables of the dynamic program, each indexed ``[c, l]``: the fewest forward steps, and how many steps beyond
    the first kept state the next is kept (0: none is).

    t(l, c) = min over m of m + t(l - m, c - 1) + t(m, c): run m steps, keep that state, reverse the l - m steps beyond
    it with one checkpoint less, then the first m with all. Among equals the one that keeps the fewest states. In closed
    form r l - C(c + r, c + 1), where r, the smallest with C(c + r, c) >= l, is how often a step is run forward at most.

    >>> fewest(6, 3)[0][1:, 1:].tolist()
    [[0, 1, 3, 6, 10, 15], [0, 1, 2, 4, 6, 8], [0, 1, 2, 3, 5, 7]]
    """
    most = steps * steps + 1                          # above any number of states kept: one number orders both aims
    cost = np.zeros((checkpoints + 1, steps + 1), np.int64)
    split = np.zeros_like(cost)
    ahead = np.arange(steps + 1)
    cost[1] = most * (ahead * (ahead - 1) // 2)
    for c in range(2, checkpoints + 1):
        for l in range(2, steps + 1):
            found = most * ahead[1:l] + 1 + cost[c - 1, l - 1:0:-1] + cost[c, 1:l]
            m = int(found.argmin())
            alone = cost[c - 1, l]                    # one checkpoint more need not be of use
            cost[c, l], split[c, l] = (found[m], m + 1) if found[m] < alone else (alone, split[c - 1, l])
    return cost // most, split


@dataclass(frozen=True, repr=False)
class Schedule(Table):
    """In which order to run, keep and sweep the steps of a chain: what ``revolve`` plans.

    ``actions`` in order; ``forward_steps``, the steps run without being recorded, as few as can be; ``peak``, the most
    states kept at once, the input among them.
    """

    steps: int
    checkpoints: int
    actions: tuple[Action, ...]

    head = ("time", "action", "at", "to", "kept", "what")
    numeric = "time at to"

    @property
    def forward_steps(self) -> int:
        """How many steps are run without being recorded; besides, each step is run once recorded."""
        return sum(a.to - a.at for a in self.actions if a.kind == "advance")

    @property
    def peak(self) -> int:
        """The most states kept at once."""
        return max(len(kept) for _, _, kept in self.followed())

    @property
    def stores(self) -> int:
        """How many states are kept, over the whole sweep."""
        return sum(a.kind == "store" for a in self.actions)

    def followed(self) -> Iterator[tuple[int, Action, list[int]]]:
        """Each action with the time when it begins (a step takes 1) and the states that are kept once it is done."""
        time, kept = 0, []
        for a in self.actions:
            if a.kind == "store":
                kept.append(a.at)
            elif a.kind == "free":
                kept.remove(a.at)
            yield time, a, list(kept)
            time += {"advance": a.to - a.at, "turn": 1}.get(a.kind, 0)

    def title(self) -> str:
        """The plan in a line."""
        return (f"{counted(self.steps, 'step')} reversed with {counted(self.checkpoints, 'checkpoint')}: "
                f"{counted(self.forward_steps, 'forward step')}, at most {self.peak} kept at once")

    def cells(self) -> list[list[str]]:
        """The actions as text."""
        return [[str(time), a.kind, str(a.at), str(a.to) if a.kind == "advance" else "", " ".join(map(str, kept)),
                 str(a)] for time, a, kept in self.followed()]

    def rows(self) -> list[dict[str, Any]]:
        """One dictionary for each action, for pandas."""
        return [{"time": time, "action": a.kind, "at": a.at, "to": a.to, "kept": kept}
                for time, a, kept in self.followed()]

    def table(self) -> str:
        """The actions as a table."""
        return grid(self.head, self.cells(), self.numeric)

    def text(self) -> str:
        """The picture in letters: a row for each action that takes time, a column for each step. ``o`` is a kept state,
        ``>`` a step run forward, ``<`` one swept back, ``.`` one still to come.

        >>> print(revolve(4, 2).text())
        time  0123  kept
           0  >...  0
           1  o>>.  0 1
           3  oo.<  0 1
           4  o>.   0 1
           5  oo<   0 1
           6  o<    0
           7  <
        """
        out = [f"time  {''.join(str(k % 10) for k in range(self.steps))}  kept"]
        end = self.steps
        for time, a, kept in self.followed():
            if a.kind not in ("advance", "turn"):
                continue
            line = ["o" if k in kept else "." for k in range(end)] + [" "] * (self.steps - end)
            if a.kind == "turn":
                line[a.at], end = "<", a.at
            else:
                line[a.at:a.to] = ">" * (a.to - a.at)
            out.append(f"{time:4}  {''.join(line)}  {' '.join(map(str, kept))}".rstrip())
        return "\n".join(out)

    def __str__(self) -> str:
        return f"{self.title()}\n\n{self.text()}"

    def _repr_html_(self) -> str:
        return self.svg() + super()._repr_html_()

    def svg(self) -> str:
        """The picture: time runs down and the chain to the right; a vertical line is a state while it is kept."""
        return drawn(self)


def revolve(steps: int, checkpoints: int) -> Schedule:
    """The schedule that reverses a chain of ``steps`` steps with at most ``checkpoints`` of its states kept, its input
    among them, and the fewest steps run again; of such the one with the fewest states kept (Griewank, Walther 2000).

    >>> plan = revolve(10, 3)
    >>> plan.forward_steps, plan.peak
    (15, 3)
    """
    if int(steps) != steps or int(checkpoints) != checkpoints or steps < 1 or checkpoints < 1:
        raise ValueError(message(f"a chain has at least 1 step, and its input takes 1 checkpoint; got {steps} and "
                                 f"{checkpoints}", op="revolve", instead="revolve(64, 8)"))
    steps, checkpoints = int(steps), int(checkpoints)
    _, split = fewest(steps, min(checkpoints, steps))
    kept, end = [0], steps
    actions = [Action("store", 0, 0)]
    while kept:
        first = kept[-1]
        m = int(split[min(checkpoints - len(kept) + 1, steps), end - first])
        if m:                                         # a checkpoint between first and end
            kept.append(first + m)
            actions += [Action("advance", first, first + m), Action("store", first + m, first + m)]
            continue
        last = end - 1                                # else to the last step: it is reversed
        actions += [Action("advance", first, last)] if last > first else [Action("free", kept.pop(), first)]
        actions.append(Action("turn", last, last))
        end = last
        if kept:
            actions.append(Action("restore", kept[-1], kept[-1]))
    return Schedule(steps, checkpoints, tuple(actions))


# ---- the picture ----------------------------------------------------------------------------------------------------
LEFT, TOP = 44, 74
LOOKS = {"store": (COLORS[2], 3.0, "state kept"), "advance": (COLORS[1], 1.5, "run forward"),
         "turn": (COLORS[0], 2.5, "run recorded and swept back"), "restore": (GREY, 0.8, "")}


def drawn(plan: Schedule) -> str:
    """A schedule as SVG text; each mark says in its title what it is."""
    total = plan.forward_steps + plan.steps
    dx, dy = min(24.0, max(3.0, 560 / plan.steps)), min(11.0, max(1.5, 640 / total))
    width, height = max(LEFT + dx * plan.steps + 20, 470), TOP + dy * total + 24

    def mark(kind: str, title: str, *ends: tuple[int, int]) -> str:
        """A line from one step and time to another."""
        color, wide, _ = LOOKS[kind]
        (ax, ay), (bx, by) = [(LEFT + dx * k, TOP + dy * time) for k, time in ends]
        start = f"<circle cx='{ax:.1f}' cy='{ay:.1f}' r='4' fill='{color}'/>" if kind == "store" else ""
        dashes = "2 3" if kind == "restore" else ""
        return (f"<g class='{'node' if start else 'edge'}'><title>{title}</title><path d='M{ax:.1f} {ay:.1f}L{bx:.1f} "
                f"{by:.1f}' fill='none' stroke='{color}' stroke-width='{wide:g}' stroke-linecap='round' "
                f"stroke-dasharray='{dashes}'/></g>{start}")

    since: dict[int, int] = {}
    below, above, here = [], [], 0
    for time, a, _ in plan.followed():
        if a.kind == "store":
            since[a.at] = time
        elif a.kind == "free":
            begin = since.pop(a.at)
            below.append(mark("store", f"checkpoint {a.at}, time {begin} to {time}", (a.at, begin), (a.at, time)))
        elif a.kind == "advance":
            above.append(mark("advance", f"advance {a.at} to {a.to}, time {time}", (a.at, time),
                              (a.to, time + a.to - a.at)))
        elif a.kind == "turn":
            above.append(mark("turn", f"turn {a.at}, time {time}", (a.at + 1, time), (a.at, time + 1)))
        else:
            above.append(mark("restore", f"restore {a.at}, time {time}", (here, time), (a.at, time)))
        here = a.to
    axes = [words(LEFT + dx * k, TOP - 8, str(k), anchor="middle")
            for k in range(0, plan.steps + 1, tick_of(plan.steps))]
    axes += [words(LEFT - 10, TOP + dy * time + 4, str(time), anchor="end")
             for time in range(0, total + 1, tick_of(total))]
    said = (f"{counted(plan.steps, 'step')}, {counted(plan.checkpoints, 'checkpoint')}: "
            f"{counted(plan.forward_steps, 'forward step')}")
    legend = [words(8, 18, said, weight="bold"), words(8, TOP - 8, "time"), words(width - 12, 18, "chain →", "end")]
    x = 8.0
    for color, _, name in filter(lambda look: look[2], LOOKS.values()):
        legend += [f"<path d='M{x:g} 36h20' stroke='{color}' stroke-width='3'/>", words(x + 26, 40, name)]
        x += 48 + 6.2 * len(name)
    return sheet([*legend, *axes, *below, *above], width, height, plan.title())


def tick_of(total: int) -> int:
    """A round distance of the marks on an axis: 1, 2 or 5 times a power of ten, at most 13 marks."""
    return next(n * 10 ** k for k in range(9) for n in (1, 2, 5) if n * 10 ** k * 13 > total)
