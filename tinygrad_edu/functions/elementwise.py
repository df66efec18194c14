"""Functions applied to each element by itself: the primitives, and what is composed of them in PyTorch's manner."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import message
from ..graph import Node
from ..ops import elementwise as ew
from ..ops.elementwise import *  # noqa: F403

__all__ = """add sub mul div neg pow square reciprocal remainder fmod exp exp2 expm1 log log2 log10 log1p sqrt rsqrt
logaddexp sin cos tan asin acos atan atan2 hypot sinh cosh tanh asinh acosh atanh sigmoid relu erf erfc abs
maximum minimum clamp floor ceil trunc sign round frac lerp logit xlogy nan_to_num lt le gt ge eq ne
logical_and logical_or logical_xor logical_not bitwise_and bitwise_or bitwise_xor bitwise_not isnan isinf
isfinite signbit floor_divide isclose arcsin arccos arctan arctan2 arcsinh arccosh arctanh multiply subtract
divide true_divide negative absolute greater greater_equal less less_equal not_equal""".split()


def add(x: Any, other: Any, *, alpha: float = 1) -> Any:  # type: ignore[no-redef]  # for the primitive
    """x + alpha other."""
    return ew.add(x, other if alpha == 1 else other * alpha)


def sub(x: Any, other: Any, *, alpha: float = 1) -> Any:  # type: ignore[no-redef]  # for the primitive
    """x - alpha other."""
    return x - (other if alpha == 1 else other * alpha)


def div(x: Any, other: Any, *, rounding_mode: str | None = None) -> Any:  # type: ignore[no-redef]  # for the primitive
    """x / other, rounded down with "floor" and towards 0 with "trunc"; whole numbers then stay whole."""
    if rounding_mode not in (None, "floor", "trunc"):
        raise RuntimeError(message("div expected rounding_mode to be one of None, 'trunc', or 'floor' but found "
                                   f"'{rounding_mode}'", op="div", inputs=(x, other), instead="one of the three"))
    if rounding_mode == "floor":
        return ew.floor_divide(x, other)
    y = ew.div(x, other)
    if rounding_mode is None:
        return y
    whole = ew.floor_divide(x, other)                 # its dtype; one more where it went down past a fraction below 0
    return whole + (whole * other != x) * (y < 0) if whole.dtype.kind in "iu" else ew.trunc(y)


arcsin, arccos, arctan, arctan2 = ew.asin, ew.acos, ew.atan, ew.atan2
arcsinh, arccosh, arctanh = ew.asinh, ew.acosh, ew.atanh
multiply, subtract, divide, true_divide, negative, absolute = ew.mul, sub, div, div, ew.neg, ew.abs
greater, greater_equal, less, less_equal, not_equal = ew.gt, ew.ge, ew.lt, ew.le, ew.ne


def clamp(x: Any, min: Any = None, max: Any = None) -> Any:
    """x brought into [min, max]; the bounds are numbers or tensors, either may be None."""
    if min is None and max is None:
        raise RuntimeError(message("torch.clamp: At least one of 'min' or 'max' must not be None", op="clamp",
                                   inputs=(x,), instead="x.clamp(min=0), x.clamp(max=1) or x.clamp(0, 1)"))
    if hasattr(x, "shape") and not any(isinstance(bound, Node) or hasattr(bound, "shape") for bound in (min, max)):
        return ew.clip(x, min=min, max=max)
    x = x if min is None else ew.where(x < min, min, x)            # where the two are equal, x has the gradient
    return x if max is None else ew.where(x > max, max, x)


def round(x: Any, *, decimals: int = 0) -> Any:     # noqa: A001
    """The nearest number with so many decimals; halves go to the even one. The slope is 0."""
    return ew.rint(x, decimals=decimals) if decimals else ew.rint(x)


def frac(x: Any) -> Any:
    """x - trunc(x)."""
    return x - ew.trunc(x)


def lerp(start: Any, end: Any, weight: Any) -> Any:
    """start + weight (end - start)."""
    return start + weight * (end - start)


def logit(x: Any, eps: float | None = None) -> Any:
    """log(x / (1 - x)), the inverse of sigmoid; x is first brought into [eps, 1 - eps] when eps is given."""
    x = x if eps is None else clamp(x, eps, 1 - eps)
    return ew.log(x / (1 - x))


def xlogy(x: Any, y: Any) -> Any:
    """x log(y), and 0 where x is 0."""
    return ew.where(x == 0, 0.0, x * ew.log(ew.where(x == 0, 1.0, y)))


def nan_to_num(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """x with nan, inf and -inf replaced: by 0 and the largest and smallest finite number of its dtype."""
    if x.dtype.kind != "f":
        return x
    info = np.finfo(x.dtype)
    x = ew.where(ew.isnan(x), nan, x)
    x = ew.where(x == math.inf, float(info.max) if posinf is None else posinf, x)
    return ew.where(x == -math.inf, float(info.min) if neginf is None else neginf, x)


def isclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """|a - b| <= atol + rtol |b|, element by element."""
    close = (a == b) | (ew.isfinite(b) & (ew.abs(a - b) <= atol + rtol * ew.abs(b)))
    return close | (ew.isnan(a) & ew.isnan(b)) if equal_nan else close
