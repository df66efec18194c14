"""Functions applied to each element by itself, each with its derivative beside it: one rule a line, one for each input.

``g`` is the adjoint of the output, ``y`` the output, then the inputs. What flows back to an input that was broadcast
is summed to its shape by the sweep, so no rule mentions shapes.
"""
from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from .. import special
from ..graph import BY_FUNCTION, elementwise, primitive

LN2, LN10, ROOT_PI = math.log(2), math.log(10), math.sqrt(math.pi)

# ---- arithmetic -----------------------------------------------------------------------------------------------------
add = elementwise("+", np.add, lambda g, y, a, b: g,
                               lambda g, y, a, b: g, scalar=operator.add, doc="a + b")
sub = elementwise("-", np.subtract, lambda g, y, a, b: g,
                                    lambda g, y, a, b: -g, scalar=operator.sub, doc="a - b")
mul = elementwise("*", np.multiply, lambda g, y, a, b: g * b,
                                    lambda g, y, a, b: g * a, scalar=operator.mul, doc="a b")
div = elementwise("/", np.true_divide, lambda g, y, a, b: g / b,
                                       lambda g, y, a, b: -g * y / b, scalar=operator.truediv, doc="a / b")
neg = elementwise("neg", np.negative, lambda g, y, x: -g, scalar=operator.neg, doc="-x")
pow = elementwise("**", np.power,                     # noqa: A001  (the field's name)
                  lambda g, y, a, b: g * (b * np.power(a, one_less(b))),
                  lambda g, y, a, b: g * (y * np.log(nonzero(a))), scalar=operator.pow, doc="a to the power b")
square = elementwise("square", np.square, lambda g, y, x: g * (2 * x), scalar=lambda x: x * x, doc="x^2")
reciprocal = elementwise("reciprocal", lambda x: 1 / x, lambda g, y, x: -g * y * y, doc="1 / x")
remainder = elementwise("%", np.remainder, lambda g, y, a, b: g,
                                           lambda g, y, a, b: -g * np.floor(a / b),
                        scalar=operator.mod, doc="a - b floor(a / b), with the sign of b")
fmod = elementwise("fmod", np.fmod, lambda g, y, a, b: g,
                                    lambda g, y, a, b: -g * np.trunc(a / b), scalar=math.fmod,
                   doc="a - b trunc(a / b), with the sign of a")


def one_less(b: Any) -> Any:
    """b - 1 where b is not 0; there 1, so that b a^(b - 1) is 0 and not 0 times infinity."""
    return np.where(b == 0, 1, b - 1) if hasattr(b, "shape") else b - 1 if b else 1


def nonzero(a: Any) -> Any:
    """a where it is not 0; there 1: as a divisor of 0, or for its logarithm 0, the slope of a^b along b at a = 0."""
    return np.where(a == 0, 1, a) if hasattr(a, "shape") else a or 1


# ---- exponentials and logarithms ------------------------------------------------------------------------------------
exp = elementwise("exp", np.exp, lambda g, y, x: g * y, scalar=math.exp, doc="e^x")
exp2 = elementwise("exp2", np.exp2, lambda g, y, x: g * (y * LN2), doc="2^x")
expm1 = elementwise("expm1", np.expm1, lambda g, y, x: g * (y + 1), scalar=math.expm1, doc="e^x - 1, exact near 0")
log = elementwise("log", np.log, lambda g, y, x: g / x, scalar=math.log, doc="natural logarithm")
log2 = elementwise("log2", np.log2, lambda g, y, x: g / (x * LN2), scalar=math.log2, doc="logarithm to base 2")
log10 = elementwise("log10", np.log10, lambda g, y, x: g / (x * LN10), scalar=math.log10, doc="logarithm to base 10")
log1p = elementwise("log1p", np.log1p, lambda g, y, x: g / (x + 1), scalar=math.log1p, doc="log(1 + x), exact near 0")
sqrt = elementwise("sqrt", np.sqrt, lambda g, y, x: g * 0.5 / y, scalar=math.sqrt, doc="square root")
rsqrt = elementwise("rsqrt", lambda x: 1 / np.sqrt(x), lambda g, y, x: g * (-0.5 * y) / x, doc="1 / sqrt(x)")
logaddexp = elementwise("logaddexp", np.logaddexp, lambda g, y, a, b: g * np.exp(a - y),
                                                   lambda g, y, a, b: g * np.exp(b - y), doc="log(e^a + e^b)")

# ---- trigonometric and hyperbolic -----------------------------------------------------------------------------------
sin = elementwise("sin", np.sin, lambda g, y, x: g * np.cos(x), scalar=math.sin, doc="sine")
cos = elementwise("cos", np.cos, lambda g, y, x: -g * np.sin(x), scalar=math.cos, doc="cosine")
tan = elementwise("tan", np.tan, lambda g, y, x: g * (1 + y * y), scalar=math.tan, doc="tangent")
asin = elementwise("asin", np.arcsin, lambda g, y, x: g / np.sqrt(1 - x * x), scalar=math.asin, doc="arc sine")
acos = elementwise("acos", np.arccos, lambda g, y, x: -g / np.sqrt(1 - x * x), scalar=math.acos, doc="arc cosine")
atan = elementwise("atan", np.arctan, lambda g, y, x: g / (1 + x * x), scalar=math.atan, doc="arc tangent")
atan2 = elementwise("atan2", np.arctan2, lambda g, y, a, b: g * (b / nonzero(a * a + b * b)),
                                         lambda g, y, a, b: -g * (a / nonzero(a * a + b * b)), scalar=math.atan2,
                    doc="the angle of the point (b, a)")
hypot = elementwise("hypot", np.hypot, lambda g, y, a, b: g * (a / y),
                                       lambda g, y, a, b: g * (b / y), scalar=math.hypot, doc="sqrt(a^2 + b^2)")
sinh = elementwise("sinh", np.sinh, lambda g, y, x: g * np.cosh(x), scalar=math.sinh, doc="hyperbolic sine")
cosh = elementwise("cosh", np.cosh, lambda g, y, x: g * np.sinh(x), scalar=math.cosh, doc="hyperbolic cosine")
tanh = elementwise("tanh", np.tanh, lambda g, y, x: g * (1 - y * y), scalar=math.tanh, doc="hyperbolic tangent")
asinh = elementwise("asinh", np.arcsinh, lambda g, y, x: g / np.sqrt(x * x + 1), scalar=math.asinh, doc="inverse sinh")
acosh = elementwise("acosh", np.arccosh, lambda g, y, x: g / np.sqrt(x * x - 1), scalar=math.acosh, doc="inverse cosh")
atanh = elementwise("atanh", np.arctanh, lambda g, y, x: g / (1 - x * x), scalar=math.atanh, doc="inverse tanh")

# ---- what networks use ----------------------------------------------------------------------------------------------
sigmoid = elementwise("sigmoid", lambda x: np.tanh(x * 0.5) * 0.5 + 0.5,       # faster than exp, and cannot overflow
                      lambda g, y, x: g * (y * (1 - y)),
                      scalar=lambda x: math.tanh(x * 0.5) * 0.5 + 0.5, doc="1 / (1 + e^-x)")
relu = elementwise("relu", lambda x: np.maximum(x, 0), lambda g, y, x: g * (y > 0),
                   scalar=lambda x: x if x > 0 else 0.0, doc="max(0, x), with slope 0 at 0")
softplus = elementwise("softplus", lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
                       lambda g, y, x: g * sigmoid(x),
                       scalar=lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))), doc="log(1 + e^x)")
erf = elementwise("erf", special.erf, lambda g, y, x: g * (2 / ROOT_PI * np.exp(-x * x)),
                  scalar=math.erf, doc="the error function: 2 / sqrt(pi) times the integral of e^-t^2 from 0 to x")
erfc = elementwise("erfc", special.erfc, lambda g, y, x: g * (-2 / ROOT_PI * np.exp(-x * x)),
                   scalar=math.erfc, doc="1 - erf(x), exact for large x")

# ---- pieces: slopes jump where the pieces meet, and PyTorch's choice there is kept ----------------------------------
abs = elementwise("abs", np.abs, lambda g, y, x: g * np.sign(x), scalar=operator.abs, doc="|x|, slope 0 at 0")  # noqa: A001
maximum = elementwise("maximum", np.maximum, lambda g, y, a, b: g * ((a > b) + (a == b) * 0.5),
                                             lambda g, y, a, b: g * ((b > a) + (a == b) * 0.5), scalar=max,
                      doc="the larger; equal ones share the gradient")
minimum = elementwise("minimum", np.minimum, lambda g, y, a, b: g * ((a < b) + (a == b) * 0.5),
                                             lambda g, y, a, b: g * ((b < a) + (a == b) * 0.5), scalar=min,
                      doc="the smaller; equal ones share the gradient")
where = elementwise("where", np.where, lambda g, y, c, a, b: g * 0,
                                       lambda g, y, c, a, b: np.where(c, g, 0),
                                       lambda g, y, c, a, b: np.where(c, 0, g), doc="a where c is true, else b")
clip = elementwise("clamp", lambda x, min, max: np.clip(x, min, max),
                   lambda g, y, x, min, max: g * within(x, min, max),
                   doc="x brought into [min, max]; slope 1 inside and at the bounds, 0 outside")


def within(x: Any, low: Any, high: Any) -> Any:
    """Where low <= x <= high; a bound of None does not bind."""
    return x <= high if low is None else x >= low if high is None else (x >= low) * (x <= high)


floor = elementwise("floor", np.floor, lambda g, y, x: g * 0, scalar=math.floor, doc="largest whole number <= x")
ceil = elementwise("ceil", np.ceil, lambda g, y, x: g * 0, scalar=math.ceil, doc="smallest whole number >= x")
trunc = elementwise("trunc", np.trunc, lambda g, y, x: g * 0, scalar=math.trunc, doc="x without its fraction")
rint = elementwise("round", lambda x, decimals=0: np.round(x, decimals), lambda g, y, x, decimals=0: g * 0,
                   doc="nearest whole number, halves to the even one")
sign = elementwise("sign", np.sign, lambda g, y, x: g * 0, scalar=lambda x: (x > 0) - (x < 0), doc="-1, 0 or 1")

# ---- questions: answers are True or False, or whole numbers, and have no derivative ----------------------------------
lt = primitive("<", np.less, scalar=operator.lt, doc="a < b")
le = primitive("<=", np.less_equal, scalar=operator.le, doc="a <= b")
gt = primitive(">", np.greater, scalar=operator.gt, doc="a > b")
ge = primitive(">=", np.greater_equal, scalar=operator.ge, doc="a >= b")
eq = primitive("==", np.equal, scalar=operator.eq, doc="a == b")
ne = primitive("!=", np.not_equal, scalar=operator.ne, doc="a != b")
logical_and = primitive("logical_and", np.logical_and, doc="both are not 0")
logical_or = primitive("logical_or", np.logical_or, doc="one is not 0")
logical_xor = primitive("logical_xor", np.logical_xor, doc="exactly one is not 0")
logical_not = primitive("logical_not", np.logical_not, doc="is 0")
bitwise_and = primitive("&", np.bitwise_and, promotes=True, doc="bit by bit and; for bool, both")
bitwise_or = primitive("|", np.bitwise_or, promotes=True, doc="bit by bit or; for bool, either")
bitwise_xor = primitive("^", np.bitwise_xor, promotes=True, doc="bit by bit exclusive or; for bool, one of the two")
bitwise_not = primitive("~", np.invert, doc="bit by bit not; for bool, the opposite")
isnan = primitive("isnan", np.isnan, doc="is not a number")
isinf = primitive("isinf", np.isinf, doc="is inf or -inf")
isfinite = primitive("isfinite", np.isfinite, doc="is neither inf nor nan")
signbit = primitive("signbit", np.signbit, doc="has a minus sign")
floor_divide = elementwise("//", np.floor_divide, scalar=operator.floordiv, doc="floor(a / b)")
BY_FUNCTION[np.fabs] = abs
