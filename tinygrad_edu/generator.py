"""The source of random numbers, and arrays drawn from it.

It is NumPy's PCG64 (O'Neill 2014): the same seed gives the same numbers everywhere, but not PyTorch's.
"""
from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from .defaults import CPU, float_dtype, on_cpu
from .errors import message
from .mode import capturing, opaque

LOW64 = 2 ** 64 - 1


class Stream:
    """A source of random numbers with a seed."""

    default: Stream                                   # the one drawn from where none is given

    def __init__(self, device: Any = None):
        on_cpu(device)
        self.device = CPU
        self.manual_seed(0)

    def outside(self, what: str) -> None:
        """Refuse what a captured program would not do again: it goes on from where the generator is."""
        if watcher := capturing():
            watcher.refused(f"random numbers from elsewhere ({what} of a generator)",
                            "seed, save and restore outside, and pass generator=g")

    def manual_seed(self, seed: int) -> Any:
        """Start over from this seed; returns the generator."""
        self.outside("a new seed")
        self._seed: int = int(seed) & LOW64
        self._numpy: np.random.Generator | None = None
        return self

    @property
    def numpy(self) -> np.random.Generator:
        """NumPy's generator, made when first drawn from: numpy.random takes long to import."""
        if self._numpy is None:
            self._numpy = np.random.Generator(np.random.PCG64(self._seed))
        return self._numpy

    def seed(self) -> int:
        """Start over from a seed that the operating system gives; returns it."""
        return self.manual_seed(int.from_bytes(os.urandom(8), "little")).initial_seed()

    def initial_seed(self) -> int:
        """The seed that the generator started from."""
        self.outside("the seed")
        return self._seed


def source(generator: Stream | None) -> np.random.Generator:
    """NumPy's generator behind this one, or behind the default."""
    return (Stream.default if generator is None else generator).numpy


# ---- arrays --------------------------------------------------------------------------------------------------------
@opaque
def uniform(shape: Sequence[int], low: float = 0.0, high: float = 1.0, *, generator: Stream | None = None,
            dtype: Any = None) -> np.ndarray:
    """An array of numbers uniform in [low, high); float32 is drawn as float32."""
    dtype = float_dtype(dtype)
    u = source(generator).random(shape, np.float32 if dtype.itemsize < 8 else np.float64)
    if (low, high) != (0, 1):
        u *= high - low
        u += low
    return u.astype(dtype, copy=False) if isinstance(u, np.ndarray) else np.asarray(u, dtype)


@opaque
def gaussian(shape: Sequence[int], mean: float = 0.0, std: float = 1.0, *, generator: Stream | None = None,
             dtype: Any = None) -> np.ndarray:
    """An array of normal numbers with this mean and standard deviation; float32 is drawn as float32."""
    dtype = float_dtype(dtype)
    z = source(generator).standard_normal(shape, np.float32 if dtype.itemsize < 8 else np.float64)
    if (mean, std) != (0, 1):
        z *= std
        z += mean
    return z.astype(dtype, copy=False) if isinstance(z, np.ndarray) else np.asarray(z, dtype)


@opaque
def exponential(shape: Sequence[int], scale: float = 1.0, *, generator: Stream | None = None,
                dtype: Any = None) -> np.ndarray:
    """An array of numbers with density e^(-x / scale) / scale."""
    return np.asarray(source(generator).exponential(scale, shape), float_dtype(dtype))


@opaque
def integers(shape: Sequence[int], low: int, high: int, *, generator: Stream | None = None,
             dtype: Any = np.int64) -> np.ndarray:
    """An array of whole numbers uniform in [low, high)."""
    if low >= high:
        raise RuntimeError(message(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}",
                                   op="randint", instead="tg.randint(low, high, size) draws from low, ..., high - 1"))
    return np.asarray(source(generator).integers(low, high, shape), dtype)


@opaque
def coins(shape: Sequence[int], chance: np.ndarray, *, generator: Stream | None = None,
          dtype: Any = None) -> np.ndarray:
    """An array of 1 with this chance, a number or one for each element, else 0."""
    if not np.all((chance >= 0) & (chance <= 1)):
        raise RuntimeError(message("Expected p_in >= 0 && p_in <= 1 to be true: a probability lies between 0 and 1",
                                   op="bernoulli", inputs=(chance,), instead="tg.bernoulli(x.sigmoid())"))
    return np.asarray(source(generator).random(shape) < chance, dtype)
