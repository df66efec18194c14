"""Programs that take ``compile`` and show numbers: run as they are, compiled, and compiled without optimisation."""
from __future__ import annotations

import math
import random

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import Value
from tinygrad_edu.tape import CaptureError


class Programs(dict):
    """Programs by their names in words; a decorator."""

    def __call__(self, program):
        self[program.__name__.replace("_", " ")] = program


def plain(x):
    """Numbers and text in lists, as they are at this moment."""
    if isinstance(x, tg.Tensor):
        return plain(x.detach().tolist())
    if isinstance(x, Value):
        return [plain(x.data), plain(x.grad)]
    if isinstance(x, dict):
        return [[plain(key), plain(value)] for key, value in x.items()]
    return [plain(item) for item in x] if isinstance(x, (list, tuple)) else x


def shown(program, compile):  # noqa: A002
    """What a program shows, from the same seeds."""
    tg.manual_seed(0)
    random.seed(0)
    np.random.seed(0)                                 # noqa: NPY002  (the programs draw from it)
    seen = []
    try:
        program(compile, lambda *xs: seen.append(plain(xs)))
    finally:
        tg.set_grad_enabled(True)
    return seen


def close(a, b, rtol) -> bool:
    """Whether nested lists are the same, numbers to a relative difference."""
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(close(x, y, rtol) for x, y in zip(a, b, strict=True))
    if isinstance(a, float) and not math.isnan(a):
        return type(b) is float and math.isclose(a, b, rel_tol=rtol, abs_tol=rtol)
    return type(a) is type(b) and (a == b or a != a and b != b)


def agrees(program, optimise: bool) -> None:
    """Compiled it shows what it shows as it is."""
    eager, found = shown(program, lambda fn: fn), shown(program, lambda fn: tg.compile(fn, optimise=optimise))
    assert close(eager, found, 1e-12), (eager, found)


def is_refused(program, optimise: bool) -> None:
    """It is refused, with words on what to write instead."""
    with pytest.raises(CaptureError, match="instead:"):
        shown(program, lambda fn: tg.compile(fn, optimise=optimise))
