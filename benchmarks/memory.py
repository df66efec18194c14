"""Peak memory of a training step: how far the resident memory rises above that of an idle process with the library.

Each library stands in a process of its own; its recording or first steps are done before the peak is reset (Linux).
"""
from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from . import b8, mlp
from .harness import Row, Step, captured, judge

STEPS = {"B2 relu adam": mlp.RELU, "B3 relu adam": mlp.LARGE, "B8 unary": "unary", "B8 affine": "affine"}


def workload(name: str, package: str, replayed: bool, small: bool = False) -> Step:
    """The step of a memory workload; a ``small`` one loads the same code and takes next to no memory."""
    if isinstance(kind := STEPS[name], str):
        step = partial(b8.torch_api, package, kind, None, 3 if small else b8.LENGTH)
        return captured(step) if replayed else step()
    return mlp.torch_api(package, kind._replace(sizes=(8, 8, 10), batch=2) if small else kind, replayed)


def resident(kind: str) -> int:
    """Resident memory of this process in bytes: now ("VmRSS"), or its peak since it was last reset ("VmHWM")."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(kind))


def peak(name: str, package: str, replayed: bool) -> int:
    """Bytes above the idle process at the height of some steps; runs in a process of its own."""
    import ctypes
    import gc
    if package == "torch":
        import_module(package).set_num_threads(1)
    workload(name, package, replayed, small=True)()   # what is loaded at first use
    gc.collect()
    idle = resident("VmRSS")
    step = workload(name, package, replayed)
    for _ in range(2):
        step()
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")                               # forget the peak so far
    for _ in range(3):
        step()
    return resident("VmHWM") - idle


def run(name: str, say: Callable[[str], None], bar: float | None = None) -> list[Row]:
    """Our peak, eager and captured, against torch's; ``bar`` is that of the eager step, a replay's is 1."""
    if not Path("/proc/self/clear_refs").exists() or not find_spec("torch"):
        say(f"{name}: peak memory skipped (it needs Linux and torch)")
        return []

    def child(package: str, replayed: bool) -> float:
        code = f"from benchmarks.memory import peak; print(peak({name!r}, {package!r}, {replayed}))"
        return statistics.median(
            int(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)
            for _ in range(5))
    eager, replay, theirs = (child(*which) / 1e6 for which in (("tinygrad_edu", False), ("tinygrad_edu", True),
                                                               ("torch", False)))
    return [Row(f"{name}, peak memory", "torch", theirs, eager, eager / theirs,
                judge(eager / theirs, bar) if bar else "", replay, replay / theirs, judge(replay / theirs, 1.0),
                "MB")]
