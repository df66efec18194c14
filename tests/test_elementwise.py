"""The elementwise family against PyTorch: values, gradients, dtypes; promotion; NumPy's ufuncs."""
from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from parity import DTYPES, both, same
from samples_elementwise import ABOVE_ONE, ANY, FAR, OTHER, POSITIVE, UNIT

import tinygrad_edu as tg

UNARY = {**dict.fromkeys(("neg square exp exp2 expm1 sin cos tanh sinh cosh asinh atan sigmoid relu erf erfc abs floor ceil "
                          "trunc round sign frac isnan isinf isfinite signbit logical_not negative absolute arctan").split(), ANY),
         **dict.fromkeys("tan asin acos atanh arcsin".split(), UNIT),
         **dict.fromkeys("log log2 log10 log1p sqrt rsqrt reciprocal".split(), POSITIVE),
         "acosh": ABOVE_ONE, "logit": POSITIVE / 3, "nan_to_num": np.array([np.nan, np.inf, -np.inf, 1.5])}
BINARY = {**dict.fromkeys("add sub mul logaddexp maximum minimum lt le gt ge eq ne logical_and logical_or logical_xor".split(),
                          (ANY, OTHER)),
          **dict.fromkeys("div fmod atan2 hypot".split(), (FAR, FAR[::-1] * 0.77)),
          "pow": (POSITIVE, OTHER), "xlogy": (POSITIVE, POSITIVE[::-1]), "isclose": (ANY, ANY + 1e-6)}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", UNARY)
def test_unary(name, dtype):
    for x in (UNARY[name].astype(dtype), np.asarray(UNARY[name].flat[0], dtype), UNARY[name][:0].astype(dtype)):
        both(lambda lib, x: getattr(lib, name)(x), x)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", BINARY)
def test_binary(name, dtype):
    a, b = (x.astype(dtype) for x in BINARY[name])
    for x, y in ((a, b), (a, b[0]), (a[:, :1], b[:1]), (a[:0], b[:0]), (np.asarray(a[0, 0]), b)):
        both(lambda lib, x, y: getattr(lib, name)(x, y), np.array(x), np.array(y))


@pytest.mark.parametrize("name", [n for n in UNARY if n not in ("nan_to_num", "logit", "frac", "atanh", "acosh", "acos", "asin",
                                                                "arcsin", "logical_not")])
@pytest.mark.parametrize("dtype", [np.int64, np.int32])
def test_whole_numbers_become_the_default_float(name, dtype):
    both(lambda lib, x: getattr(lib, name)(x), np.array([1, 2, 3], dtype))


KINDS = [np.array([1.5, 2], np.float32), np.array([1.5, 2], np.float64), np.array([1, 2]), np.array([3, 2], np.int32),
         np.array([True, True]), np.array(1.5, np.float32), np.array(1.5, np.float64), np.array(2), np.array(3, np.int32),
         np.array(True)]


@pytest.mark.parametrize("a, b", list(itertools.product(range(len(KINDS)), repeat=2)))
def test_promotion_of_two_tensors(a, b):
    for name in ("add", "mul", "div", "maximum", "lt"):
        both(lambda lib, x, y: getattr(lib, name)(x, y), KINDS[a], KINDS[b])


@pytest.mark.parametrize("a", range(len(KINDS)))
@pytest.mark.parametrize("number", [2, 2.5, True])
def test_promotion_with_a_number(a, number):
    for f in (lambda x: x + number, lambda x: number * x, lambda x: x / number, lambda x: number / (x + 1), lambda x: x > number,
              lambda x: x ** 2):
        both(lambda lib, x: f(x), KINDS[a])


def test_where_clamp_lerp_and_reverse_operators():
    both(lambda lib, a, b: lib.where(a > 0, a, b), ANY, OTHER)
    both(lambda lib, a: lib.where(a > 0, a, 0.0), ANY)
    both(lambda lib, a: a.clamp(-0.5, 0.5), ANY)
    both(lambda lib, a: a.clamp(min=0.1), ANY)
    both(lambda lib, a, b: lib.clamp(a, max=b), ANY, OTHER)
    both(lambda lib, a, b: lib.lerp(a, b, 0.3), ANY, OTHER)
    both(lambda lib, a: 2 - a, ANY)
    both(lambda lib, a: 2 / a, FAR)
    both(lambda lib, a: 2 ** a, ANY)
    both(lambda lib, a: a % 0.7, FAR)
    both(lambda lib, a: a.detach() // 0.7 + 5 % a.detach() + a.detach() // a.detach().flip(0), FAR)
    both(lambda lib, a: -a + +a, ANY)
    both(lambda lib, a: abs(a), ANY)
    both(lambda lib, a: a.round(decimals=2), ANY)
    both(lambda lib, a: (a > 0) & ~(a > 1) | (a < -1) ^ (a < 0), ANY)


def test_slopes_where_pieces_meet_are_pytorchs():
    zero = np.array([0.0, 1.0, 1.0])
    both(lambda lib, a: lib.relu(a), zero)
    both(lambda lib, a: lib.abs(a), zero)
    both(lambda lib, a: a.clamp(0, 1), zero)
    both(lambda lib, a, b: lib.maximum(a, b), zero, np.array([0.0, 1.0, 2.0]))
    both(lambda lib, a, b: lib.minimum(a, b), zero, np.array([0.0, 1.0, 2.0]))
    both(lambda lib, a: a ** 2, zero)
    both(lambda lib, a: a ** 0, zero)
    both(lambda lib, a: a ** 1, zero)
    both(lambda lib, a, b: a ** b, zero, np.array([2.0, 0.0, 3.0]))


UFUNCS = [np.exp, np.log, np.tanh, np.sqrt, np.sin, np.arctan, np.abs, np.negative, np.square, np.log1p, np.cosh]


@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda f: f.__name__)
def test_numpy_ufuncs_record_the_graph(ufunc):
    x = tg.tensor(POSITIVE, requires_grad=True)
    y = ufunc(x)
    assert y.requires_grad
    np.testing.assert_array_equal(y.detach().numpy(), ufunc(POSITIVE))


def test_ndarray_and_numpy_numbers_on_the_left_record_the_graph():
    x = tg.tensor(ANY, requires_grad=True)
    for y in (OTHER * x, OTHER + x, OTHER - x, OTHER / (x + 10), np.float64(2) * x, np.maximum(OTHER, x), OTHER.T @ x):
        assert isinstance(y, tg.Tensor) and y.requires_grad


def test_an_unregistered_numpy_function_is_refused_by_name():
    x = tg.ones(3, requires_grad=True)
    for call, name in ((lambda: np.cbrt(x), "cbrt"), (lambda: np.interp(x, x, x), "interp"), (lambda: np.add.accumulate(x), "add"),
                       (lambda: np.fft.fft(x), "fft")):
        with pytest.raises(TypeError, match=name):
            call()
    assert isinstance(np.asarray(x.detach()), np.ndarray)


def test_dtype_table_is_complete():
    assert {tg.float32, tg.float64, tg.int64, tg.int32, tg.bool} <= set(DTYPES)
    same(tg.tensor([1.0]), torch.tensor([1.0]))


@pytest.mark.parametrize("name", ["erf", "erfc"])
def test_the_error_function_is_exact(name):
    """Against the C library, over all three ranges of the approximation, up to where the result leaves float64."""
    x = np.concatenate([np.linspace(-6, 26, 20001), np.logspace(-300, 0, 500), -np.logspace(-300, 0, 500), [0.0, -0.0, 0.46875, 4.0]])
    expected = np.array([getattr(math, name)(v) for v in x])
    np.testing.assert_allclose(getattr(tg, name)(tg.tensor(x)).numpy(), expected, rtol=1e-15 if name == "erf" else 1e-14, atol=0)
    extreme = np.array([np.inf, -np.inf, np.nan, 1e300, -1e300])
    np.testing.assert_array_equal(getattr(tg, name)(tg.tensor(extreme)).numpy(), [getattr(math, name)(v) for v in extreme])
