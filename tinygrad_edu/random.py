"""Random numbers: generators, and tensors drawn from them.

The generator is NumPy's PCG64 (O'Neill 2014): the same seed gives the same numbers everywhere, but not PyTorch's.
"""
from __future__ import annotations

import operator
from typing import Any

import numpy as np

from .creation import size_of
from .defaults import on_cpu
from .errors import message
from .generator import LOW64, Stream, coins, gaussian, integers, source, uniform
from .mode import opaque
from .tensor import Tensor

__all__ = ["Generator", "bernoulli", "default_generator", "get_rng_state", "initial_seed", "manual_seed", "multinomial",
           "normal", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm", "seed",
           "set_rng_state"]

STATE = np.dtype([("state", "<u8", 4), ("spare", "<u4", 2), ("seed", "<u8")])     # 48 bytes: PCG64's numbers, our seed


class Generator(Stream):
    """A source of random numbers with a seed and a state that can be saved (torch.Generator).

    >>> g = tg.Generator().manual_seed(1)
    >>> tg.equal(tg.rand(3, generator=g), tg.rand(3, generator=g.manual_seed(1)))
    True
    """

    def get_state(self) -> Tensor:
        """The state as a tensor of bytes."""
        self.outside("the state")
        now = self.numpy.bit_generator.state
        a, b = now["state"]["state"], now["state"]["inc"]
        halves = (a >> 64, a & LOW64, b >> 64, b & LOW64)
        row = np.array((halves, (now["has_uint32"], now["uinteger"]), self._seed), STATE)
        return Tensor._leaf(np.frombuffer(row.tobytes(), np.uint8).copy())

    def set_state(self, state: Tensor) -> Generator:
        """Go on from a state that ``get_state`` gave."""
        if not isinstance(state, Tensor) or state.dtype != np.uint8 or state.numel() != STATE.itemsize:
            raise TypeError(message(f"expected a state of {STATE.itemsize} bytes", op="set_state", inputs=(state,),
                                    instead="generator.set_state(other.get_state())"))
        row = np.frombuffer(state.payload.tobytes(), STATE)[0]
        a, b, c, d = (int(n) for n in row["state"])
        self.manual_seed(int(row["seed"]))
        self.numpy.bit_generator.state = {
            "bit_generator": "PCG64", "state": {"state": a << 64 | b, "inc": c << 64 | d},
            "has_uint32": int(row["spare"][0]), "uinteger": int(row["spare"][1])}
        return self

    def clone_state(self) -> Generator:
        """Another generator in the same state."""
        return Generator().set_state(self.get_state())


Stream.default = default_generator = Generator()
default_generator.seed()


def manual_seed(seed: int) -> Generator:
    """Start the default generator over from this seed.

    >>> a = tg.manual_seed(3) and tg.rand(2)
    >>> b = tg.manual_seed(3) and tg.rand(2)
    >>> tg.equal(a, b)
    True
    """
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Start the default generator over from a seed that the operating system gives; returns it."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default generator."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The state of the default generator."""
    return default_generator.get_state()


def set_rng_state(state: Tensor) -> None:
    """Put the default generator into this state."""
    default_generator.set_state(state)


# ---- tensors --------------------------------------------------------------------------------------------------------
def rand(*size: Any, generator: Generator | None = None, dtype: Any = None, device: Any = None,
         requires_grad: bool = False) -> Tensor:
    """Numbers uniform in [0, 1).

    >>> tg.rand(2, 3).shape
    (2, 3)
    """
    on_cpu(device)
    return Tensor._leaf(uniform(size_of(size, "rand"), generator=generator, dtype=dtype), requires_grad)


def randn(*size: Any, generator: Generator | None = None, dtype: Any = None, device: Any = None,
          requires_grad: bool = False) -> Tensor:
    """Normal numbers with mean 0 and variance 1.

    >>> tg.randn(2, 3).dtype
    dtype('float32')
    """
    on_cpu(device)
    return Tensor._leaf(gaussian(size_of(size, "randn"), generator=generator, dtype=dtype), requires_grad)


def rand_like(input: Tensor, *, generator: Generator | None = None, dtype: Any = None, device: Any = None,
              requires_grad: bool = False) -> Tensor:
    """Numbers uniform in [0, 1), in the shape and dtype of ``input``."""
    dtype = input.dtype if dtype is None else dtype
    return rand(input.shape, generator=generator, dtype=dtype, device=device, requires_grad=requires_grad)


def randn_like(input: Tensor, *, generator: Generator | None = None, dtype: Any = None, device: Any = None,
               requires_grad: bool = False) -> Tensor:
    """Normal numbers, in the shape and dtype of ``input``."""
    dtype = input.dtype if dtype is None else dtype
    return randn(input.shape, generator=generator, dtype=dtype, device=device, requires_grad=requires_grad)


@opaque
def randint(low: int = 0, high: Any = None, size: Any = None, *, generator: Generator | None = None, dtype: Any = None,
            device: Any = None, requires_grad: bool = False) -> Tensor:
    """Whole numbers uniform in [low, high): ``randint(high, size)`` or ``randint(low, high, size)``.

    >>> tg.randint(5, 6, (2,)).tolist()
    [5, 5]
    """
    on_cpu(device)
    if high is None or isinstance(high, (tuple, list)):
        low, high, size = 0, low, high if size is None else size
    if size is None:
        raise TypeError(message("randint() needs a size", op="randint", instead="tg.randint(0, 10, (3,))"))
    n = integers(size_of((size,), "randint"), int(low), int(high), generator=generator, dtype=dtype or np.int64)
    return Tensor._leaf(n, requires_grad)


def randint_like(input: Tensor, low: int, high: int | None = None, **options: Any) -> Tensor:
    """Whole numbers uniform in [low, high), in the shape and dtype of ``input``."""
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, input.shape, **{"dtype": input.dtype, **options})


@opaque
def randperm(n: int, *, generator: Generator | None = None, dtype: Any = None, device: Any = None) -> Tensor:
    """0, ..., n - 1 in random order.

    >>> sorted(tg.randperm(4).tolist())
    [0, 1, 2, 3]
    """
    on_cpu(device)
    n = operator.index(n)
    if n < 0:
        raise RuntimeError(message(f"n must be non-negative, got {n}", op="randperm",
                                   instead=f"tg.randperm({-n})"))
    return Tensor._leaf(source(generator).permutation(n).astype(np.int64 if dtype is None else dtype, copy=False))


@opaque
def normal(mean: Any = 0.0, std: Any = 1.0, size: Any = None, *, generator: Generator | None = None, dtype: Any = None,
           device: Any = None, requires_grad: bool = False) -> Tensor:
    """Normal numbers: one for each element of the tensors ``mean`` and ``std``, or ``size`` many.

    >>> tg.normal(0.0, 1.0, (2, 2)).shape
    (2, 2)
    """
    on_cpu(device)
    if np.any(getattr(std, "payload", std) < 0):
        raise RuntimeError(message(f"normal expects std >= 0.0, but found std {std}", op="normal",
                                   instead=f"tg.normal(mean, {-std})"))
    if size is not None:
        z = gaussian(size_of((size,), "normal"), mean, std, generator=generator, dtype=dtype)
        return Tensor._leaf(z, requires_grad)
    given = [x for x in (mean, std) if isinstance(x, Tensor)]
    if not given:
        raise TypeError(message("normal() needs a tensor or a size", op="normal", instead="tg.normal(0.0, 1.0, (3,))"))
    shape = np.broadcast_shapes(*(x.shape for x in given))
    z = gaussian(shape, generator=generator, dtype=given[0].dtype)
    return Tensor._leaf(np.asarray(getattr(mean, "payload", mean) + getattr(std, "payload", std) * z, z.dtype))


@opaque
def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that ``input`` (or ``p``) says, else 0; in the dtype of ``input``.

    >>> tg.bernoulli(tg.tensor([0., 1.])).tolist()
    [0.0, 1.0]
    """
    chance = np.asarray(input.payload if p is None else p)
    return Tensor._leaf(coins(input.shape, chance, generator=generator, dtype=input.dtype))


@opaque
def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *,
                generator: Generator | None = None) -> Tensor:
    """Indices drawn with chances proportional to ``input``, a vector or one vector in each row.

    Without replacement, the first of exponential clocks that run at those rates ring (Efraimidis, Spirakis 2006).

    >>> tg.multinomial(tg.tensor([0., 1., 0.]), 2, replacement=True).tolist()
    [1, 1]
    """
    p, rng = np.asarray(input.payload, np.float64), source(generator)
    if p.ndim not in (1, 2):
        raise RuntimeError(message("prob_dist must be 1 or 2 dim", op="multinomial", inputs=(input,),
                                   instead="p.reshape(-1, p.shape[-1]), one row for each distribution"))
    if not np.all(np.isfinite(p) & (p >= 0)):
        raise RuntimeError(message("probability tensor contains either `inf`, `nan` or element < 0", op="multinomial",
                                   inputs=(input,), instead="tg.multinomial(logits.softmax(-1), n)"))
    if np.any(p.sum(-1) <= 0):
        raise RuntimeError(message("invalid multinomial distribution (sum of probabilities <= 0)", op="multinomial",
                                   inputs=(input,), instead="tg.multinomial(logits.softmax(-1), n)"))
    if not replacement and num_samples > (p > 0).sum(-1).min():
        raise RuntimeError(message("cannot sample n_sample > prob_dist.size(-1) samples without replacement: "
                                   f"{num_samples} are more than have a chance above 0", op="multinomial",
                                   inputs=(input,), instead="replacement=True"))
    if replacement:
        ends = p.cumsum(-1)
        u = (1 - rng.random((*p.shape[:-1], num_samples))) * ends[..., -1:]    # in (0, sum]: never where p is 0
        picked = (ends[..., None, :] < u[..., None]).sum(-1)
    else:
        with np.errstate(divide="ignore"):
            picked = (rng.exponential(size=p.shape) / p).argsort(-1)[..., :num_samples]
    return Tensor._leaf(picked.astype(np.int64, copy=False))
