"""Random numbers: seeds and states, shapes and dtypes as in torch, and distributions by their moments."""
from __future__ import annotations

import numpy as np
import pytest
import torch
from parity import DTYPES

import tinygrad_edu as tg
from tinygrad_edu.random import gaussian, uniform

DRAWS = {
    "rand": lambda lib, **k: lib.rand(2, 3, **k), "randn": lambda lib, **k: lib.randn((2, 3), **k),
    "randint": lambda lib, **k: lib.randint(10, (2, 3), **k), "randint low": lambda lib, **k: lib.randint(-3, 10, [2],
                                                                                                          **k),
    "randperm": lambda lib, **k: lib.randperm(7, **k), "normal": lambda lib, **k: lib.normal(1.0, 2.0, (3,), **k),
    "normal of tensors": lambda lib, **k: lib.normal(lib.zeros(3), lib.ones(3), **k),
    "normal of a mean": lambda lib, **k: lib.normal(lib.zeros(3), 2.0, **k), "normal of a std": lambda lib,
    **k: lib.normal(0.0, lib.ones(3), **k),
    "bernoulli": lambda lib, **k: lib.bernoulli(lib.full((2, 3), 0.5), **k),
    "multinomial": lambda lib, **k: lib.multinomial(lib.ones(5), 3, **k),
    "multinomial rows": lambda lib, **k: lib.multinomial(lib.ones(2, 5), 4, replacement=True, **k)}


@pytest.mark.parametrize("name", DRAWS)
def test_shape_and_dtype_are_those_of_torch(name):
    ours, theirs = DRAWS[name](tg), DRAWS[name](torch)
    assert ours.shape == tuple(theirs.shape)
    assert DTYPES[ours.dtype] == theirs.dtype


@pytest.mark.parametrize("name", DRAWS)
def test_the_same_seed_gives_the_same_numbers(name):
    draw = DRAWS[name]
    first = (tg.manual_seed(3), draw(tg))[1]
    again = (tg.manual_seed(3), draw(tg))[1]
    assert first.tolist() == again.tolist()
    g = tg.Generator().manual_seed(5)
    first = draw(tg, generator=g)
    assert first.tolist() == draw(tg, generator=g.manual_seed(5)).tolist()


def test_like_and_dtypes():
    x = tg.ones(2, 3, dtype=tg.float64)
    for draw in (tg.rand_like, tg.randn_like):
        assert draw(x).shape == (2, 3) and draw(x).dtype == tg.float64 and draw(x, dtype=tg.float32).dtype == tg.float32
    assert tg.randint_like(x, 3).dtype == tg.float64 and tg.randint_like(x, 3, 5, dtype=tg.int64).dtype == tg.int64
    assert tg.rand(2, dtype=tg.float16).dtype == tg.float16 and tg.randperm(3, dtype=tg.int32).dtype == tg.int32
    assert tg.rand(()).shape == () and tg.randn(0, 2).shape == (0, 2) and tg.rand(2, requires_grad=True).requires_grad


def test_a_generator_has_a_seed_and_a_state():
    g = tg.Generator()
    assert g.manual_seed(7) is g and g.initial_seed() == 7
    tg.randint(0, 9, (3,), generator=g)               # leaves half of a draw in reserve
    state = g.get_state()
    assert state.dtype == tg.uint8
    a = tg.rand(4, generator=g)
    assert tg.rand(4, generator=tg.Generator().set_state(state)).tolist() == a.tolist()
    assert tg.rand(4, generator=g.set_state(state)).tolist() == a.tolist() and g.initial_seed() == 7
    assert tg.rand(4, generator=g.clone_state()).tolist() == tg.rand(4, generator=g).tolist()
    assert g.seed() == g.initial_seed() != 7
    with pytest.raises(TypeError, match="state"):
        g.set_state(tg.zeros(3))


def test_the_state_of_the_default_generator():
    tg.manual_seed(11)
    state = tg.get_rng_state()
    a = tg.randn(3)
    tg.set_rng_state(state)
    assert tg.randn(3).tolist() == a.tolist()
    assert tg.initial_seed() == 11 and tg.seed() == tg.initial_seed()


def test_negative_seeds_are_accepted():
    assert tg.manual_seed(-1) and tg.rand(1).shape == (1,)


# ---- distributions, by their moments: the bounds are 5 standard errors -----------------------------------------------
N = 40_000


def near(values, mean, std):
    assert abs(np.mean(values) - mean) < 5 * std / np.sqrt(N)


def test_uniform_and_normal():
    u, z = tg.rand(N).numpy().astype(float), tg.randn(N).numpy().astype(float)
    assert u.min() >= 0 and u.max() < 1
    near(u, 0.5, 12 ** -0.5)
    near(u ** 2, 1 / 3, (1 / 5 - 1 / 9) ** 0.5)
    near(z, 0, 1)
    near(z ** 2, 1, 2 ** 0.5)
    near(z ** 3, 0, 15 ** 0.5)
    near(tg.normal(2.0, 3.0, (N,)).numpy(), 2, 3)


def test_arrays_for_initialisers():
    u, z = uniform((N,), -2, 4), gaussian((N,), 1.0, 0.5)
    assert isinstance(u, np.ndarray) and u.dtype == z.dtype == np.float32 and u.min() >= -2 and u.max() <= 4
    near(u, 1, 3 ** 0.5)
    near(z, 1, 0.5)
    assert uniform((), 0, 1).shape == () and gaussian((2,), dtype=np.float64).dtype == np.float64


def test_whole_numbers():
    n = tg.randint(3, 7, (N,)).numpy()
    assert set(n.tolist()) == {3, 4, 5, 6}
    near(n, 4.5, 1.25 ** 0.5)
    assert sorted(tg.randperm(100).tolist()) == list(range(100))


def test_bernoulli():
    near(tg.bernoulli(tg.full((N,), 0.3)).numpy(), 0.3, 0.21 ** 0.5)
    near(tg.bernoulli(tg.zeros(N), 0.3).numpy(), 0.3, 0.21 ** 0.5)
    assert tg.bernoulli(tg.tensor([0.0, 1.0])).tolist() == [0, 1]


def test_numbers_in_place():
    x = tg.zeros(N)
    assert x.uniform_(2, 4) is x
    near(x.numpy(), 3, 2 / 12 ** 0.5)
    near(x.normal_(1, 2).numpy(), 1, 2)
    near(x.exponential_(4.0).numpy(), 0.25, 0.25)
    near(x.bernoulli_(0.3).numpy(), 0.3, 0.21 ** 0.5)
    near(x.bernoulli_(tg.full((N,), 0.3)).numpy(), 0.3, 0.21 ** 0.5)
    assert set(x.random_(3).tolist()) == {0, 1, 2} and set(x.random_(5, 7).tolist()) == {5, 6}
    assert 0 <= x.random_().min() and 2 ** 23 < x.max() < 2 ** 24
    assert tg.zeros(3, dtype=tg.int64).random_(10).dtype == tg.int64
    g = tg.Generator()
    assert tg.equal(tg.zeros(3).normal_(generator=g.manual_seed(1)), tg.zeros(3).normal_(generator=g.manual_seed(1)))


@pytest.mark.parametrize("program", [lambda lib: lib.ones(2, requires_grad=True).uniform_(), lambda lib: lib.ones(2).bernoulli_(2.0),
                                     lambda lib: lib.ones(2).random_(5, 3)])
def test_malformed_draws_in_place_raise_what_torch_raises(program):
    with pytest.raises(Exception) as theirs:          # noqa: PT011  (whatever torch raises is the expectation)
        program(torch)
    with pytest.raises(type(theirs.value)):
        program(tg)


def test_multinomial():
    p = tg.tensor([0.0, 1.0, 3.0, 0.0])
    drawn = tg.multinomial(p, N, replacement=True).numpy()
    assert set(drawn.tolist()) == {1, 2}
    near(drawn == 2, 0.75, 0.1875 ** 0.5)
    rows = tg.multinomial(tg.tensor([[0.0, 1, 1, 1], [1, 0, 1, 1]]).repeat(500, 1), 3)
    assert all(sorted(r) == sorted({0, 1, 2, 3} - {i % 2}) for i, r in enumerate(rows.tolist()))
    first = tg.multinomial(tg.tensor([[1.0, 3.0]]).repeat(N, 1), 1).numpy()
    near(first == 1, 0.75, 0.1875 ** 0.5)


@pytest.mark.parametrize("program", [
    lambda lib: lib.rand(2, dtype=lib.int64), lambda lib: lib.randint(5, 3, (2,)), lambda lib: lib.randint(0, (2,)),
    lambda lib: lib.randint(5),
    lambda lib: lib.randperm(-1), lambda lib: lib.bernoulli(lib.tensor([2.0])),
    lambda lib: lib.multinomial(lib.tensor([0.5, 0.5]), 3),
    lambda lib: lib.multinomial(lib.tensor([-0.5, 0.5]), 1), lambda lib: lib.multinomial(lib.tensor([0.0, 0.0]), 1),
    lambda lib: lib.multinomial(lib.ones(2, 2, 2), 1), lambda lib: lib.normal(0.0, -1.0, (2,)),
    lambda lib: lib.rand(-1), lambda lib: lib.rand(2.5)])
def test_malformed_calls_raise_what_torch_raises(program):
    with pytest.raises(Exception) as theirs:          # noqa: PT011  (whatever torch raises is the expectation)
        program(torch)
    with pytest.raises(type(theirs.value)):
        program(tg)
