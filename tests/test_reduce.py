"""Reductions and what runs along a dimension, against PyTorch: values, first and second derivatives, dtypes, errors."""
from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from parity import both, same
from samples_reduce import CUBE, MATRIX, NUMBER, ONE_ZERO, STRIDED, ZEROS

import tinygrad_edu as tg

TIES = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
GONE = np.where(MATRIX > 1, np.nan, MATRIX)
WHOLE = np.array([[3, 1, 2], [0, 5, 4]])
ROUND = np.array([[True, False, True], [True, True, True]])

REDUCTIONS = {
    "sum": lambda lib, x, *a, **k: x.sum(*a, **k),
    "mean": lambda lib, x, *a, **k: lib.mean(x, *a, **k),
    "var": lambda lib, x, *a, **k: lib.var(x, *a, **k),
    "std": lambda lib, x, *a, **k: x.std(*a, **k),
    "amax": lambda lib, x, *a, **k: x.amax(*a, **k),
    "amin": lambda lib, x, *a, **k: lib.amin(x, *a, **k),
    "logsumexp": lambda lib, x, *a, **k: lib.logsumexp(x, *(a or (tuple(range(x.ndim)),) if not k else ()), **k),
    "nansum": lambda lib, x, *a, **k: lib.nansum(x, *a, **k),
    "nanmean": lambda lib, x, *a, **k: lib.nanmean(x, *a, **k),
    "any": lambda lib, x, *a, **k: (x > 0.3).any(*a, **k),
    "all": lambda lib, x, *a, **k: lib.all(x < 1.5, *a, **k),
}
SPREADS = [((), {}), ((False,), {}), ((0,), {}), ((0, False), {}), ((1, True, True), {}),
           (((0, 1),), {"keepdim": True}),
           ((), {"dim": 1, "correction": 0}), ((), {"dim": 0, "unbiased": False}), ((None,), {"correction": 2}),
           ((), {"axis": 1, "keepdims": True})]


def twice(program):
    """The gradient of a program, made differentiable: its own gradient is the second derivative."""
    def gradient(lib, *xs):
        y = program(lib, *xs)
        weight = lib.tensor(np.sin(np.arange(y.numel()) + 1.0).reshape(tuple(y.shape)))
        return lib.autograd.grad((y * y * weight).sum(), xs, create_graph=True)
    return gradient


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("array", [MATRIX, STRIDED, TIES], ids=["matrix", "strided", "ties"])
def test_reduction(name, array):
    f = REDUCTIONS[name]
    calls = [((), {}), ((0,), {}), ((-1,), {}), ((1, True) if name not in ("var", "std") else ((1,), True, True), {}),
             ((), {"dim": (0, 1)}), ((), {"dim": 0, "keepdim": True}), ((), {"axis": 1, "keepdims": True})]
    for args, options in calls:
        if name in ("nansum", "nanmean") and "axis" in options:
            continue

        def program(lib, x, args=args, options=options):
            return f(lib, x, *args, **options)
        both(program, array)
        if name not in ("any", "all"):
            both(twice(program), array, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reduction_of_a_number_a_cube_and_nothing(name):
    f = REDUCTIONS[name]
    both(lambda lib, x: f(lib, x, dim=(0, 2)), CUBE)
    both(lambda lib, x: f(lib, x, dim=(2, -2), keepdim=True), CUBE)
    if name not in ("var", "std"):                    # of one element they are 0 / 0
        both(lambda lib, x: f(lib, x), NUMBER)
        both(lambda lib, x: f(lib, x, dim=0), NUMBER)
        both(lambda lib, x: f(lib, x, dim=1), MATRIX[:0])
    if name not in ("amax", "amin", "var", "std", "nanmean"):
        both(lambda lib, x: f(lib, x, dim=0), MATRIX[:0].copy(), grad=name != "logsumexp")


@pytest.mark.parametrize("args, options", SPREADS)
@pytest.mark.parametrize("name", ["var", "std", "var_mean", "std_mean"])
def test_var_and_std(name, args, options):
    if name.endswith("mean") and ("axis" in options or args[:1] == (None,)):
        options = {"dim": 0}
        args = ()
    both(lambda lib, x: getattr(lib, name)(x, *args, **options), MATRIX)


def test_std_of_equal_numbers_has_gradient_zero():
    both(lambda lib, x: lib.std(x, 1), np.array([[2.0, 2.0, 2.0], [1.0, 2.0, 3.0]]))


@pytest.mark.filterwarnings("ignore:(var|std).*degrees of freedom", "ignore:.*encountered")
def test_var_of_one_number_is_not_a_number():
    both(lambda lib, x: lib.var(x), np.array([1.5]), grad=False)


@pytest.mark.parametrize("p", ["fro", 2, 1, 3, 1.5, 0.5, 0, float("inf"), -float("inf"), -1])
def test_norm(p):
    for array in (MATRIX, np.abs(STRIDED)):
        both(lambda lib, x: lib.norm(x, p), array, rtol=1e-9)
        both(lambda lib, x: x.norm(p, dim=1, keepdim=True), array, rtol=1e-9)
        both(lambda lib, x: lib.norm(x, p, dim=(0, 1)), array, rtol=1e-9)
        if p not in (0,):
            both(twice(lambda lib, x: lib.norm(x, p, dim=0)), array, rtol=1e-8)


@pytest.mark.parametrize("p", ["fro", 1, 3, float("inf")])
def test_norm_at_zero_has_gradient_zero(p):
    x = np.array([[0.0, 0.0], [0.0, 2.0]])
    both(lambda lib, x: lib.norm(x, p, dim=1), x)
    both(lambda lib, x: lib.norm(x, p), np.zeros(3))


def test_logsumexp_of_large_and_infinite_numbers():
    both(lambda lib, x: lib.logsumexp(x, 1), np.array([[1000.0, 1001.0], [-1000.0, -1001.0], [-np.inf, 1.0]]))
    both(lambda lib, x: lib.logsumexp(x, 0), np.array([[-np.inf, np.inf], [1.0, 1.0]]), grad=False)


@pytest.mark.parametrize("name", ["max", "min"])
def test_max_and_min(name):
    for array in (MATRIX, STRIDED, TIES):
        both(lambda lib, x: getattr(lib, name)(x), array)
        for dim in (0, 1, -1):
            if array is not TIES:                     # which of the equal ones PyTorch takes is not said
                both(lambda lib, x, dim=dim: tuple(getattr(x, name)(dim)), array)
                both(lambda lib, x, dim=dim: tuple(getattr(lib, name)(x, dim=dim, keepdim=True)), array)
                both(twice(lambda lib, x, dim=dim: getattr(lib, name)(x, dim).values), array)
    both(lambda lib, a, b: getattr(lib, name)(a, b), MATRIX, STRIDED)
    both(lambda lib, a, b: getattr(a, name)(other=b), MATRIX, STRIDED)
    both(lambda lib, x: tuple(getattr(lib, name)(x, 0)), NUMBER)
    both(lambda lib, x: getattr(lib, name)(x, 1).indices, MATRIX[:0])
    both(lambda lib, x: getattr(lib, name)(x), np.array([1.0, np.nan, 2.0]), grad=False)
    both(lambda lib, x: getattr(lib, name)(x), WHOLE)


def test_the_pair_has_names():
    pair = tg.tensor(MATRIX).max(1)
    assert pair._fields == ("values", "indices")
    values, indices = pair
    assert values is pair.values and indices is pair.indices


@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_arg(name):
    for array in (MATRIX, STRIDED, CUBE, TIES, WHOLE):
        both(lambda lib, x: getattr(lib, name)(x), array)
        both(lambda lib, x: getattr(x, name)(dim=1), array)
        both(lambda lib, x: getattr(x, name)(-1, keepdim=True), array)
    both(lambda lib, x: getattr(lib, name)(x, 0), NUMBER)


def test_aminmax():
    both(lambda lib, x: tuple(lib.aminmax(x)), MATRIX)
    both(lambda lib, x: tuple(lib.aminmax(x, dim=1, keepdim=True)), MATRIX)


def test_median():
    for array in (MATRIX, STRIDED, CUBE, MATRIX[:, :3]):
        both(lambda lib, x: lib.median(x), array)
        for dim in (0, 1, -1):
            both(lambda lib, x, dim=dim: tuple(x.median(dim)), array)
            both(lambda lib, x, dim=dim: tuple(lib.median(x, dim, keepdim=True)), array)
    both(lambda lib, x: lib.median(x), TIES)
    both(lambda lib, x: lib.median(x), GONE, grad=False)
    both(lambda lib, x: lib.median(x, 1).values, GONE, grad=False)
    both(lambda lib, x: lib.median(x), NUMBER)
    both(lambda lib, x: lib.median(x), np.empty(0), grad=False)


@pytest.mark.parametrize("descending", [False, True])
def test_sort(descending):
    for array in (MATRIX, STRIDED, CUBE, MATRIX[:0], WHOLE):
        for dim in (0, 1, -1):
            both(lambda lib, x, dim=dim: tuple(lib.sort(x, dim, descending)), array)
            both(lambda lib, x, dim=dim: x.argsort(dim, descending), array)
    both(lambda lib, x: tuple(x.sort(descending=descending, stable=True)), TIES)
    both(lambda lib, x: tuple(lib.sort(x, stable=True, descending=descending)), np.array([True, False, True]))
    both(lambda lib, x: tuple(lib.sort(x, descending=descending)), NUMBER)
    both(lambda lib, x: lib.sort(x, descending=descending)[0], np.array([1.0, np.nan, -np.inf, np.inf]), grad=False)
    both(twice(lambda lib, x: lib.sort(x, 1, descending).values), MATRIX)


def test_topk():
    for array in (MATRIX, STRIDED, CUBE):
        both(lambda lib, x: tuple(lib.topk(x, 2)), array)
        both(lambda lib, x: tuple(x.topk(1, dim=0, largest=False)), array)
        both(lambda lib, x: tuple(x.topk(0)), array)
    both(lambda lib, x: tuple(x.topk(1)), NUMBER)


@pytest.mark.parametrize("array", [MATRIX, STRIDED, ONE_ZERO, ZEROS, np.zeros((2, 3)), MATRIX[:1], MATRIX[:0]],
                         ids=["matrix", "strided", "one zero", "two zeros", "all zeros", "one row", "empty"])
def test_products_and_cumulative(array):
    both(lambda lib, x: lib.prod(x), array)
    for dim in (0, 1):
        both(lambda lib, x, dim=dim: lib.prod(x, dim), array)
        both(lambda lib, x, dim=dim: x.prod(dim, keepdim=True), array)
        for name in ("cumsum", "cumprod", "logcumsumexp"):
            both(lambda lib, x, dim=dim, name=name: getattr(lib, name)(x, dim), array)
            if name != "logcumsumexp" or array.all(): # PyTorch's second derivative is wrong where what flows in is 0
                both(twice(lambda lib, x, dim=dim, name=name: getattr(lib, name)(x, dim)), array, rtol=1e-9, atol=1e-9)
        both(twice(lambda lib, x, dim=dim: lib.prod(x, dim)), array, rtol=1e-9, atol=1e-9)
    both(twice(lambda lib, x: lib.prod(x)), array, rtol=1e-9, atol=1e-9)


def test_cumulative_of_numbers():
    for name in ("cumsum", "cumprod", "logcumsumexp"):
        both(lambda lib, x, name=name: getattr(lib, name)(x, 0), NUMBER)
    for name in ("cumsum", "cumprod"):
        for array in (WHOLE, WHOLE.astype(np.int32), ROUND):
            both(lambda lib, x, name=name: getattr(lib, name)(x, 1), array)


def test_third_derivative_of_a_product_with_zeros():
    """prod is x y z: its third derivative is 1 also where one or two of them are 0."""
    for array in ([0.0, 2.0, 3.0], [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]):
        x = tg.tensor(array, dtype=tg.float64, requires_grad=True)
        d = tg.prod(x)
        for k in range(3):
            d = tg.autograd.grad(d, x, create_graph=True)[0][k]
        assert d.item() == 1


def test_dtypes_of_whole_numbers_and_booleans():
    for array in (WHOLE, WHOLE.astype(np.int32), ROUND):
        for name in ("sum", "prod", "count_nonzero", "any", "all", "argmax"):
            if name == "argmax" and array is ROUND:
                continue                              # not implemented for bool in PyTorch
            both(lambda lib, x, name=name: getattr(lib, name)(x), array)
            both(lambda lib, x, name=name: getattr(lib, name)(x, 1), array)
        both(lambda lib, x: x.sum(dtype=lib.float32), array)
        both(lambda lib, x: lib.mean(x, dtype=lib.float64), array)
        both(lambda lib, x: lib.cumsum(x, 0, dtype=lib.float32), array)
    both(lambda lib, x: lib.count_nonzero(x, dim=0), ONE_ZERO)


@pytest.mark.parametrize("name", ["sum", "mean", "var", "std", "prod", "amax", "logsumexp", "cumsum", "cumprod", "norm",
                                  "median", "sort", "max"])
def test_float32_stays_float32(name):
    call = {"logsumexp": (0,), "cumsum": (0,), "cumprod": (0,), "sort": (1,)}.get(name, ())
    first = (lambda y: y[0]) if name == "sort" else (lambda y: y)
    both(lambda lib, x: first(getattr(lib, name)(x, *call)), MATRIX.astype(np.float32))


MALFORMED = {
    "sum over a dimension out of range": lambda lib, x: x.sum(5),
    "sum over a dimension twice": lambda lib, x: x.sum((0, 0)),
    "mean over a dimension out of range": lambda lib, x: lib.mean(x, -3),
    "mean of whole numbers": lambda lib, x: lib.tensor([1, 2]).mean(),
    "var of whole numbers": lambda lib, x: lib.tensor([1, 2]).var(),
    "norm of whole numbers": lambda lib, x: lib.tensor([1, 2]).norm(),
    "max of nothing": lambda lib, x: x[:0].max(),
    "max over nothing": lambda lib, x: x[:0].max(0),
    "amax of nothing": lambda lib, x: x[:0].amax(),
    "amin over nothing": lambda lib, x: lib.amin(x[:0], 0),
    "argmax of nothing": lambda lib, x: x[:0].argmax(),
    "argmin over nothing": lambda lib, x: x[:0].argmin(0),
    "median over nothing": lambda lib, x: x[:0].median(0),
    "prod over two dimensions": lambda lib, x: x.prod((0, 1)),
    "cumsum out of range": lambda lib, x: x.cumsum(2),
    "too many of topk": lambda lib, x: x.topk(9),
    "sort out of range": lambda lib, x: x.sort(3),
    "argmax out of range": lambda lib, x: x.argmax(-3),
    "logsumexp out of range": lambda lib, x: lib.logsumexp(x, 2),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_errors_are_those_of_pytorch(what):
    kinds = []
    for lib in (tg, torch):
        x = lib.tensor(MATRIX)
        with pytest.raises(Exception) as caught:
            MALFORMED[what](lib, x)
        kinds.append(caught.type)
    assert issubclass(*kinds)


def test_a_dimension_out_of_range_is_named():
    with pytest.raises(IndexError, match=r"Dimension out of range \(expected to be in range of \[-2, 1\], but got 5\)"):
        tg.ones(2, 3).sum(5)


def test_numpy_names():
    x = tg.tensor(MATRIX, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for ours, plain in [(np.sum(x, axis=0), np.sum(MATRIX, axis=0)), (np.var(x), np.var(MATRIX)),
                            (np.std(x, axis=1, ddof=1), np.std(MATRIX, axis=1, ddof=1)),
                            (np.max(x, axis=1, keepdims=True), np.max(MATRIX, axis=1, keepdims=True)),
                            (np.add.reduce(x), np.add.reduce(MATRIX)), (np.cumsum(x), np.cumsum(MATRIX)),
                            (np.prod(x, axis=-1), np.prod(MATRIX, axis=-1)),
                            (np.sort(x, axis=0), np.sort(MATRIX, axis=0)),
                            (np.maximum.reduce(x, axis=1), MATRIX.max(1)), (np.mean(x, (0, 1)), MATRIX.mean())]:
            assert isinstance(ours, tg.Tensor) and ours.requires_grad
            same(ours, torch.tensor(plain))
    with pytest.raises(TypeError, match="out="):
        np.sum(x, out=np.empty(()))
