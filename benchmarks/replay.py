"""The captured variant of the workloads, and the memory that a replay takes.

``python -m benchmarks.replay`` prints a table: A2's million scalar nodes replayed, and peak memory, which is how far
above an idle process with the same library the resident memory rises while steps are repeated, each library in a
process of its own, its recording or first steps done before the peak is reset.
"""
from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module

from .harness import Row, Step, judge, table

NETS = {"B2": ((784, 100, 10), 50, "relu", "adam"), "B3": ((784, 512, 512, 10), 128, "relu", "adam")}


def captured(make: Callable[[], Step]) -> Step:
    """The step of ``make``, recorded and replayed."""
    import tinygrad_edu
    return tinygrad_edu.compile(make())


def chain(package: str, kind: str) -> Step:
    """B8's chain as one step: ``h.tanh()`` or ``(h * w + b).tanh()``."""
    from .b8 import LENGTH, B, H, W
    torch = import_module(package)
    x, w, b = (torch.tensor(a, requires_grad=True) for a in (H, W, B))

    def step():
        x.grad = w.grad = b.grad = None
        h = x
        for _ in range(LENGTH if kind == "unary" else LENGTH // 3):
            h = h.tanh() if kind == "unary" else (h * w + b).tanh()
        loss = h.sum()
        loss.backward()
        return loss
    return step


def workload(name: str, package: str, replayed: bool) -> Step:
    """The step of a memory workload."""
    from . import mlp
    if name in NETS:
        return mlp.torch_api(package, mlp.Net(*NETS[name]), replayed)
    step = partial(chain, package, name.split()[1])
    return captured(step) if replayed else step()


def resident(kind: str) -> int:
    """Resident memory of this process in bytes: now ("VmRSS"), or its peak since it was last reset ("VmHWM")."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(kind))


def peak(name: str, package: str, replayed: bool) -> int:
    """Bytes above the idle process at the height of some steps; runs in a process of its own."""
    import ctypes
    import gc
    import_module(package)
    import_module("benchmarks.mlp")
    if package == "torch":
        import torch
        torch.set_num_threads(1)
        (torch.ones(8, 8, requires_grad=True) @ torch.ones(8, 8)).sum().backward()    # what it loads at first use
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


def memory() -> list[Row]:
    """Peak memory of a replayed step against torch's, and against the same step run as it is."""
    rows = []
    for name in (*NETS, "B8 unary", "B8 affine"):
        def child(package: str, replayed: bool, name: str = name) -> int:
            code = f"from benchmarks.replay import peak; print(peak({name!r}, {package!r}, {replayed}))"
            return int(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)
        ours, eager, theirs = child("tinygrad_edu", True), child("tinygrad_edu", False), child("torch", False)
        for peer, bytes_, bar in (("torch", theirs, judge(ours / theirs, 1.0)), ("ours, eager", eager, ("", ""))):
            rows.append(Row(f"{name}, peak memory, captured", f"{ours / 1e6:.1f} MB", peer, f"{bytes_ / 1e6:.1f} MB",
                            f"{ours / bytes_:.2f}", *bar))
    return rows


def scalars(length: int = 1_000_000) -> Row:
    """A2 replayed: one chain of a million scalar nodes ``total + x * w``, forward and backward."""
    import statistics
    import time

    from tinygrad_edu import Value
    x, w = Value(0.5), Value(1.5)

    def run():
        total = x
        for _ in range(length // 2):
            total = total + x * w
        x.grad = w.grad = 0.0
        total.backward()
        return total
    step, times = captured(lambda: run), []
    for _ in range(12):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    if abs(x.grad - (1 + 1.5 * (length // 2))) > 1e-6 * length:
        raise AssertionError(f"d total / d x is {x.grad}")
    nanoseconds = statistics.median(times[2:]) / length * 1e9
    first = f"{times[0] / length * 1e9:.0f} ns a node"
    return Row("A2, captured", f"{nanoseconds:.1f} ns a node", "recording it", first,
               "", *judge(nanoseconds, 2.0, form=".1f"))


if __name__ == "__main__":
    print(table([scalars(), *memory()]))
