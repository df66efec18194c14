"""Making tensors under both libraries: data, shapes, dtypes, defaults, and what is refused."""
from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch
from parity import same

import tinygrad_edu as tg

LIBS = (tg, torch)


def agree(program) -> None:
    """The same result, or list of results, under both libraries."""
    same(program(tg), program(torch))


# ---- from data ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("data", [
    1, 1.5, True, [1, 2], [1.0, 2], [True, False], [True, 2], [True, 1.5], [[1, 2], [3, 4]], [], [[],
                                                                                                  []], [[[]]], ((1, 2),
                                                                                                                [3, 4]),
    range(4), [[1.5]], math.pi, [math.inf, -math.inf], np.float64(1.5), np.float32(1.5), np.int32(3), [np.float64(1.5)],
    [np.float32(1.5), 2.5], np.arange(3), np.arange(3, dtype=np.int32), np.ones((2, 2)), np.ones(2, np.float32),
    np.array(True),
    np.array(5.0), np.zeros((0, 3)), [np.array([1.0, 2.0]), np.array([3.0, 4.0])], 2**62, -(2**63)])
def test_tensor_of_data(data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")               # torch finds lists of arrays slow
        agree(lambda lib: lib.tensor(data))
        agree(lambda lib: lib.as_tensor(data))
        agree(lambda lib: lib.tensor(data, dtype=lib.float64))
        agree(lambda lib: lib.asarray(data))


@pytest.mark.parametrize("name", ["float32", "float64", "int64", "int32", "int16", "int8", "uint8", "bool", "float16",
                                  "double", "long", "half",
                                  "short", "float", "int"])
def test_tensor_with_a_dtype(name):
    for data in ([0, 1, 2], [0.0, 1.0, 2.0], [True, False]):
        ours, theirs = (lib.tensor(data, dtype=getattr(lib, name)) for lib in LIBS)
        assert str(theirs.dtype) == f"torch.{ours.dtype}"
        assert ours.tolist() == theirs.tolist()


def test_tensor_of_tensors():
    agree(lambda lib: lib.tensor([lib.tensor(1.0), lib.tensor(2.0)]))
    agree(lambda lib: lib.tensor([lib.tensor([1.0]), lib.tensor([2.0])]))
    agree(lambda lib: lib.tensor([lib.tensor(1.0, dtype=lib.float64), 2.0]))
    agree(lambda lib: lib.tensor([[lib.tensor(1), 2], [3, lib.tensor(4)]]))
    with pytest.warns(UserWarning, match="detach"):
        same(tg.tensor(tg.ones(2)), torch.ones(2))


def test_tensor_of_values():
    assert tg.tensor([tg.Value(1.0), tg.Value(2.5)]).tolist() == [1.0, 2.5]
    assert tg.tensor(tg.Value(1.5)).item() == 1.5


def test_tensor_copies_and_as_tensor_shares():
    a = np.zeros(2)
    copied, shared, shared_too = tg.tensor(a), tg.as_tensor(a), tg.from_numpy(a)
    a[0] = 5
    assert copied.tolist() == [0, 0] and shared.tolist() == shared_too.tolist() == tg.asarray(a).tolist() == [5, 0]
    shared[1] = 7
    assert a.tolist() == [5, 7]
    assert tg.asarray(a, copy=True).numpy() is not a
    t = tg.ones(2)
    assert tg.as_tensor(t) is t and tg.as_tensor(t, dtype=tg.float32) is t
    assert tg.as_tensor(t, dtype=tg.float64).dtype == tg.float64


def test_as_tensor_keeps_the_graph_when_it_casts():
    x = tg.ones(2, requires_grad=True)
    assert tg.as_tensor(x, dtype=tg.float64).requires_grad


def test_requires_grad():
    for make in (lambda **k: tg.tensor([1.0], **k), lambda **k: tg.zeros(2, **k), lambda **k: tg.ones((2,), **k),
                 lambda **k: tg.eye(2, **k),
                 lambda **k: tg.full((2,), 1.5, **k), lambda **k: tg.linspace(0, 1, 3, **k),
                 lambda **k: tg.zeros_like(tg.ones(2), **k),
                 lambda **k: tg.empty(2, **k), lambda **k: tg.arange(2.0, **k)):
        assert make(requires_grad=True).requires_grad and not make().requires_grad
        assert make(requires_grad=True).is_leaf
    assert tg.tensor(1.0, requires_grad=True, device="cpu").device == "cpu"


# ---- from a shape ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", [(2, 3), ((2, 3),), ([2, 3],), (0,), ((),), (2, 0, 3), (np.int64(2), 3)])
def test_zeros_ones_and_empty(size):
    agree(lambda lib: [lib.zeros(*size), lib.ones(*size), lib.zeros(*size, dtype=lib.int32),
                       lib.ones(*size, dtype=lib.bool)])
    assert tg.empty(*size).shape == tuple(torch.empty(*size).shape)


def test_full_infers_its_dtype():
    agree(lambda lib: [lib.full((2,), 3), lib.full((2,), 3.5), lib.full((2,), True),
                       lib.full([2, 1], 3, dtype=lib.float64),
                       lib.full((), 2.0), lib.full((2,), math.inf)])


def test_like():
    agree(lambda lib: [f(x) for x in (lib.ones(2, 3), lib.ones(2, dtype=lib.float64), lib.arange(3)) for f in (
        lib.zeros_like, lib.ones_like, lambda y: lib.full_like(y, 3), lambda y: lib.zeros_like(y, dtype=lib.bool),
        lambda y: lib.ones_like(y, dtype=lib.float64))])
    assert tg.empty_like(tg.ones(2, 3)).shape == (2, 3)


def test_eye():
    agree(lambda lib: [lib.eye(3), lib.eye(2, 3), lib.eye(3, 2), lib.eye(0), lib.eye(2, dtype=lib.int64),
                       lib.eye(2, m=4)])


@pytest.mark.parametrize("args", [(5,), (0,), (2, 5), (5, 2, -1), (0, 1, 0.25), (0.0, 1.0), (1, 10, 3), (0, 1, 0.1),
                                  (-3, 3, 0.5), (5.0,), (3, 3),
                                  (1, 2.5), (0, 2, 0.3), (2**40, 2**40 + 3)])
def test_arange(args):
    agree(lambda lib: [lib.arange(*args), lib.arange(*args, dtype=lib.float64)])


def test_arange_of_tensors():
    agree(lambda lib: lib.arange(lib.tensor(4)))


@pytest.mark.parametrize("args", [(0, 1, 5), (1, 0, 4), (-2, 3.5, 7), (0, 1, 1), (0, 1, 0), (3, 3, 2)])
def test_linspace_and_logspace(args):
    agree(lambda lib: [lib.linspace(*args), lib.logspace(*args), lib.logspace(*args, base=2.0),
                       lib.linspace(*args, dtype=lib.float64)])


@pytest.mark.parametrize("row, col, offset", [(3, 3, 0), (3, 4, 1), (4, 3, -1), (2, 2, -5), (2, 2, 5), (0, 3, 0)])
def test_triangle_indices(row, col, offset):
    agree(lambda lib: [lib.tril_indices(row, col, offset), lib.triu_indices(row, col, offset=offset)])


# ---- dtypes ---------------------------------------------------------------------------------------------------------
NAMES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]


@pytest.mark.parametrize("a", NAMES)
@pytest.mark.parametrize("b", NAMES)
def test_promotion(a, b):
    ours, theirs = (lib.promote_types(getattr(lib, a), getattr(lib, b)) for lib in LIBS)
    assert f"torch.{ours}" == str(theirs)
    for shapes in (((2,), (2,)), ((2,), ()), ((), (2,)), ((), ())):
        ours, theirs = (lib.result_type(*(lib.ones(s, dtype=getattr(lib, d)) for s,
                                          d in zip(shapes, (a, b), strict=True))) for lib in LIBS)
        assert f"torch.{ours}" == str(theirs)
    for number in (True, 2, 2.5):
        ours, theirs = (lib.result_type(lib.ones(2, dtype=getattr(lib, a)), number) for lib in LIBS)
        assert f"torch.{ours}" == str(theirs)
    ours, theirs = (lib.can_cast(getattr(lib, a), getattr(lib, b)) for lib in LIBS)
    assert ours == theirs or b == "uint8"             # torch refuses signed to unsigned there


def test_limits():
    for name in ("float32", "float64", "float16"):
        ours, theirs = (lib.finfo(getattr(lib, name)) for lib in LIBS)
        for fact in ("eps", "max", "min", "tiny", "bits", "smallest_normal", "dtype"):
            assert getattr(ours, fact) == getattr(theirs, fact)
    assert tg.finfo().eps == torch.finfo().eps
    for name in ("int8", "int64", "uint8"):
        ours, theirs = (lib.iinfo(getattr(lib, name)) for lib in LIBS)
        assert (ours.min, ours.max, ours.bits) == (theirs.min, theirs.max, theirs.bits)


def test_the_default_dtype():
    try:
        for lib in LIBS:
            assert lib.get_default_dtype() == lib.float32
            lib.set_default_dtype(lib.float64)
            assert lib.get_default_dtype() == lib.float64
        agree(lambda lib: [lib.tensor(1.5), lib.zeros(2), lib.tensor([]), lib.arange(1.0), lib.eye(2),
                           lib.linspace(0, 1, 3), lib.full((2,), 1.5),
                           lib.tensor(np.float32(1)), lib.tensor(1)])
        assert tg.rand(2).dtype == tg.randn(2).dtype == tg.float64
    finally:
        for lib in LIBS:
            lib.set_default_dtype(lib.float32)


def test_devices_are_names():
    assert tg.device("cpu") == "cpu" and tg.device("cuda:1").type == "cuda" and tg.device("cuda:1").index == 1
    assert tg.device("cpu").index is None and tg.device("cuda", 1) == tg.device("cuda:1") != "cpu"
    for name in ("cpu", "cuda:1"):
        assert (repr(tg.device(name)), str(tg.device(name))) == (repr(torch.device(name)), str(torch.device(name)))
    assert len({tg.device("cpu"), tg.device("cpu")}) == 1
    assert tg.zeros(2, device=tg.device("cpu")).shape == (2,)


def test_is_tensor():
    assert tg.is_tensor(tg.ones(1)) and not tg.is_tensor(np.ones(1)) and not tg.is_tensor(tg.Value(1.0))


# ---- what is refused ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("program", [
    lambda lib: lib.tensor([[1, 2], [1]]), lambda lib: lib.tensor([[1, 2],
                                                                   [1, 2,
                                                                    3]]), lambda lib: lib.tensor([[[1], [2]],
                                                                                                  [[1], [2, 3]]]),
    lambda lib: lib.tensor([[1, 2], 1]), lambda lib: lib.tensor([1, [1]]), lambda lib: lib.tensor("a"),
    lambda lib: lib.tensor(None),
    lambda lib: lib.tensor({1: 2}), lambda lib: lib.tensor(2**70), lambda lib: lib.tensor([1, 2], requires_grad=True),
    lambda lib: lib.tensor([lib.ones(2),
                            lib.ones(2)]), lambda lib: lib.tensor(np.array(["a"])), lambda lib: lib.from_numpy([1]),
    lambda lib: lib.from_numpy(np.array(["a"])), lambda lib: lib.zeros(-1), lambda lib: lib.zeros(2.5),
    lambda lib: lib.zeros((2, 2.5)),
    lambda lib: lib.eye(-1), lambda lib: lib.arange(0, 1, -1), lambda lib: lib.arange(0, 1, 0),
    lambda lib: lib.linspace(0, 1, -1),
    lambda lib: lib.set_default_dtype(lib.int64), lambda lib: lib.zeros(2, device="nowhere"),
    lambda lib: lib.tensor(300, dtype=lib.uint8),
    lambda lib: lib.ones(2, dtype=lib.int64, requires_grad=True)])
def test_malformed_calls_raise_what_torch_raises(program):
    with pytest.raises(Exception) as theirs:          # noqa: PT011  (whatever torch raises is the expectation)
        program(torch)
    with pytest.raises(type(theirs.value)):
        program(tg)


@pytest.mark.parametrize("make", [lambda: tg.tensor(1.0, device="cuda"), lambda: tg.zeros(2, device="cuda:0"),
                                  lambda: tg.rand(2, device="mps"),
                                  lambda: tg.Generator(device="cuda"), lambda: tg.arange(3, device=tg.device("cuda"))])
def test_other_devices_are_refused(make):
    with pytest.raises(RuntimeError, match="everything runs on the CPU"):
        make()


def test_ragged_lists_are_located():
    with pytest.raises(ValueError, match=r"expected sequence of length 2 at dim 2 \(got 1\)"):
        tg.tensor([[[1, 2], [3, 4]], [[1, 2], [3]]])
