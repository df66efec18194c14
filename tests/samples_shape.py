"""Samples for what moves numbers: views and copies, every kind of index, joining; contiguous or not, 0-d and empty."""
from __future__ import annotations

import numpy as np
from sample import Sample

rng = np.random.default_rng(13)
MATRIX = rng.normal(size=(3, 4))
CUBE = rng.normal(size=(2, 3, 4))
ROW = rng.normal(size=4)
NUMBER = np.array(0.7)
STRIDED = rng.normal(size=(4, 6))[:, ::2].T           # (3, 4), not contiguous
TALL = rng.normal(size=(4100, 3))                     # large enough for the sum by matrix product
ALL = slice(None)
MASK = MATRIX > 0
TWICE = np.array([2, 0, 2, 1, 2])                     # meets elements more than once
MANY = np.tile(np.arange(40), 30)


def indices() -> list[tuple[np.ndarray, tuple]]:
    """Arrays and plain indices: basic ones, integer arrays with repeats, masks, and mixtures."""
    return [
        (MATRIX, (0, ...)), (MATRIX, (-1, 2, ...)), (MATRIX, (slice(0, 2), ...)), (MATRIX, (..., slice(None, None, 2))),
        (MATRIX, (None, 1, ..., None)), (MATRIX, (slice(0, 0), ...)), (NUMBER, (...,)), (NUMBER, (None, ...)),
        (STRIDED, (1, slice(1, 3), ...)), (MATRIX[:0], (..., 1)),
        (MATRIX, (TWICE,)), (MATRIX, (np.array([-1, 0]),)), (MATRIX, (np.array([[0, 1], [2, 2]]),)),
        (MATRIX, (np.array([], np.int64),)), (MATRIX, (ALL, np.array([3, 3, 0]))),
        (MATRIX, (TWICE[:3], np.array([1, 1, 1]))),
        (STRIDED, (TWICE, slice(1, 3))), (ROW, (np.array([0, 0, 3]),)), (CUBE, (ALL, TWICE)), (CUBE, (..., TWICE)),
        (CUBE, (np.array([[0], [1]]), ALL, np.array([1, 1, 2]))), (CUBE, (None, np.array([1, 1]), slice(0, 2))),
        (CUBE, (0, ALL, np.array([1, 1, 2]))), (CUBE, (np.array([0, 1]), 2)), (CUBE, (ALL, 1, np.array([3, 0]))),
        (CUBE, (..., 1, np.array([3, 0]))), (MATRIX, (MASK,)), (CUBE, (ALL, MASK)), (CUBE, (1, MASK)),
        (MATRIX, (np.array([True, False, True]),)), (MATRIX, (np.array([True, False, True]), np.array([1, 1]))),
        (MATRIX, (np.zeros((3, 4), bool),)), (rng.normal(size=(40, 2)), (MANY,)), (TALL, (np.array([5, 5, 4000]),))]


def gathered() -> list[tuple[np.ndarray, dict]]:
    """Arrays with an index for each dimension."""
    rows, columns = rng.integers(0, 3, (5, 4)), rng.integers(0, 4, (2, 3))
    return [(MATRIX, {"dim": 0, "index": rows}), (STRIDED, {"dim": 1, "index": columns}),
            (ROW, {"dim": 0, "index": TWICE}),
            (CUBE, {"dim": 1, "index": rng.integers(0, 3, (2, 2, 4))}), (MATRIX, {"dim": 0, "index": rows[:0]}),
            (NUMBER, {"dim": 0, "index": np.array(0)})]


def is_array(i: object) -> bool:
    return isinstance(i, np.ndarray)


def new_part(x: np.ndarray, index: tuple) -> np.ndarray:
    """Numbers of the shape of x[index]."""
    return rng.normal(size=x[index].shape)


SET = [(MATRIX, (0, ...)), (MATRIX, (slice(0, 2), slice(1, None))), (MATRIX, (np.array([2, 0]),)), (MATRIX, (MASK,)),
       (STRIDED, (..., 1)), (CUBE, (ALL, np.array([1, 2]))), (MATRIX, (...,)), (NUMBER, (...,)),
       (MATRIX, (slice(0, 0), ...))]

SAMPLES = {
    "reshape": [Sample((x,), {"shape": shape}) for x, shape in (
        (MATRIX, (4, 3)), (MATRIX, (2, -1)), (STRIDED, (12,)), (CUBE, (2, 1, 12)), (NUMBER, (1, 1)),
        (MATRIX[:1, :1], ()),
        (MATRIX[:0], (0, 2)))],
    "permute": [Sample((x,), {"dims": dims}) for x, dims in (
        (MATRIX, (1, 0)), (CUBE, (2, 0, 1)), (STRIDED, (1, 0)), (NUMBER, ()), (CUBE[:, :0], (1, 2, 0)))],
    "transpose": [Sample((x,), {"dim0": a, "dim1": b}) for x, a, b in (
        (MATRIX, 0, 1), (CUBE, 2, 0), (STRIDED, 0, 1), (MATRIX, 1, 1), (CUBE[:0], 0, 2))],
    "flip": [Sample((x,), {"dims": dims}) for x, dims in (
        (MATRIX, (0,)), (CUBE, (0, 2)), (STRIDED, (1,)), (NUMBER, ()), (MATRIX[:0], (0,)))],
    "roll": [Sample((x,), {"shifts": shifts, "dims": dims}) for x, shifts, dims in (
        (MATRIX, (1,), (0,)), (CUBE, (2, -1), (1, 2)), (STRIDED, (5,), (1,)), (MATRIX[:0], (1,), (1,)))],
    "cast": [Sample((x,), {"dtype": np.dtype(np.float64)}) for x in (MATRIX, STRIDED, NUMBER, MATRIX[:0])],
    "clone": [Sample((x,), {}) for x in (MATRIX, STRIDED, NUMBER, MATRIX[:0])],
    "contiguous": [Sample((x,), {}) for x in (MATRIX, STRIDED, MATRIX[:0])],
    "expand": [Sample((x,), {"shape": shape}) for x, shape in (
        (ROW, (3, 4)), (MATRIX[:, :1], (3, 4)), (STRIDED[:1], (2, 3, 4)), (NUMBER, (2, 2)), (MATRIX, (3, 4)),
        (MATRIX[:0], (2, 0, 4)), (MATRIX[:1], (0, 4)), (NUMBER, ()))],
    "sum_to": [Sample((x,), {"shape": shape}) for x, shape in (
        (MATRIX, (4,)), (MATRIX, (3, 1)), (CUBE, (1, 3, 1)), (CUBE, (1, 4)), (STRIDED, ()), (MATRIX, (3, 4)),
        (MATRIX[:0], (4,)), (TALL, (3,)), (TALL.reshape(2, 2050, 3), (1, 3)), (MATRIX, (1, 3, 4)))],
    "getitem": [Sample((x,), {"index": index}) for x, index in indices()],
    "put": [Sample((rng.normal(size=x[index].shape),), {"index": index, "shape": x.shape})
            for x, index in indices() if not any(type(i) is int for i in index) or not any(map(is_array, index))] + [
        Sample((rng.normal(size=(3, 3)),), {"index": (0, ALL, np.array([1, 1, 2])), "shape": (2, 3, 4)})],
    "setitem": [Sample((x, new_part(x, index)), {"index": index}) for x, index in SET] + [
        Sample((MATRIX, ROW), {"index": (slice(0, 2), ...)}), Sample((MATRIX, NUMBER), {"index": (MASK,)}),
        Sample((MATRIX, 1.5), {"index": (0, ...)}), Sample((MATRIX, ROW[None, None]), {"index": (1, ...)}),
        Sample((CUBE, rng.normal(size=(3, 2))), {"index": (0, ALL, np.array([1, 2]))})],
    "gather": [Sample((x,), params) for x, params in gathered()],
    "cat": [Sample(xs, {"dim": dim}) for xs, dim in (
        ((MATRIX, STRIDED), 0), ((MATRIX, STRIDED[:, :2], MATRIX[:, :0]), 1), ((ROW,), 0), ((CUBE, CUBE[:, :1]), 1))],
    "stack": [Sample(xs, {"dim": dim}) for xs, dim in (
        ((MATRIX, STRIDED), 0), ((MATRIX, STRIDED), 1), ((MATRIX, STRIDED, MATRIX), 2), ((NUMBER, NUMBER), 0),
        ((MATRIX[:0], MATRIX[:0]), 0))],
    "tril": [Sample((x,), {"diagonal": k}) for x, k in (
        (MATRIX, 0), (MATRIX, 1), (CUBE, -1), (STRIDED, 0), (MATRIX[:0], 0))],
    "triu": [Sample((x,), {"diagonal": k}) for x, k in (
        (MATRIX, 0), (MATRIX, 1), (CUBE, -1), (STRIDED, 0), (MATRIX[:0], 0))],
}
