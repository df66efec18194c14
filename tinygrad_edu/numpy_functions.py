"""NumPy's functions on Tensors: ``np.sum(t, axis=0)`` is ours, with NumPy's names and meanings (ddof = 0, flattened
where no axis is given). What is not in these tables raises a TypeError that names it."""
from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from .errors import message
from .functions import elementwise as ew
from .functions import linalg as la
from .functions import products as pr
from .functions import reduce as rd
from .functions import shape as sh
from .functions import toplevel as tl
from .graph import BY_FUNCTION, REDUCTIONS
from .mode import constant
from .ops.linalg import matmul
from .ops.linalg import solve as solved


def reduced(f: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False,
            **options: Any) -> Any:
    """A reduction: ``f(x, dim, keepdim)`` of ours under NumPy's names."""
    return f(cast(a, dtype, out, f.__name__), axis, keepdims, **options)


def spread(f: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0,
           keepdims: bool = False) -> Any:
    """var and std: NumPy divides by n - ddof, with ddof = 0."""
    return f(cast(a, dtype, out, f.__name__), axis, correction=ddof, keepdim=keepdims)


def extreme(f: Any, a: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
    """max, min, argmax and argmin."""
    return f(cast(a, None, out, f.__name__), axis, keepdims)


def running(f: Any, a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
    """cumsum and cumprod: without an axis along the flattened array."""
    a = cast(a, dtype, out, f.__name__)
    return f(sh.flatten(a), 0) if axis is None else f(a, axis)


def reduction(f: Any, a: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Any:
    """``np.add.reduce(a)``, whose axis is 0 when not given."""
    return f(cast(a, dtype, out[0] if isinstance(out, tuple) else out, f.__name__), axis, keepdims)


def cast(a: Any, dtype: Any, out: Any, op: str) -> Any:
    """``a`` in the dtype that the sum is to be made in; a recorded result cannot be written into an array."""
    if out is not None:
        raise TypeError(message(f"numpy.{op} with out= does not record gradients", op=op, inputs=(a,),
                                instead=f"y = np.{op}(x, ...)"))
    return a if dtype is None else sh.cast(a, dtype=np.dtype(dtype))


def on_arrays(f: Any, arrays: Any, axis: int | None = 0, **options: Any) -> Any:
    """concatenate and stack, whose parts may be arrays and lists among tensors."""
    xs = [x if hasattr(x, "shape") else sh.copied(x) for x in arrays]
    return f([sh.flatten(x) for x in xs], 0, **options) if axis is None else f(xs, axis, **options)


def pieces(f: Any, ary: Any, indices_or_sections: Any, axis: int = 0) -> list:
    """split: so many equal pieces, or cuts before these indices."""
    n = ary.shape[sh.axis(axis, ary.ndim)]
    if isinstance(indices_or_sections, int):
        if f is np.split and n % indices_or_sections:
            raise ValueError("array split does not result in an equal division")
        small, more = divmod(n, indices_or_sections)
        widths = [small + (i < more) for i in range(indices_or_sections)]
    else:
        widths = np.diff([0, *indices_or_sections, n]).tolist()
    return list(sh.split(ary, widths, axis))


def ordered(f: Any, a: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    """sort and argsort."""
    y = f(sh.flatten(a), 0) if axis is None else f(a, axis)
    return y[0] if isinstance(y, tuple) else y


def expand_dims(a: Any, axis: Any) -> Any:
    """New dimensions of size 1."""
    for d in sorted(axis if isinstance(axis, tuple) else (axis,)):
        a = sh.unsqueeze(a, d)
    return a


def pad(array: Any, pad_width: Any, mode: str = "constant", constant_values: float = 0) -> Any:
    """Constants around an array."""
    if mode != "constant":
        raise TypeError(message(f"numpy.pad with mode={mode!r} does not record gradients", op="pad", inputs=(array,),
                                instead="nn.functional.pad"))
    return sh.pad(array, np.broadcast_to(pad_width, (array.ndim, 2)).tolist(), constant_values)


def take(a: Any, indices: Any, axis: int | None = None) -> Any:
    """Elements of the flattened array, or along an axis, by their numbers."""
    return sh.take(a, indices) if axis is None else sh.index_select(a, axis, indices)


def flip(m: Any, axis: Any = None) -> Any:
    """The order along all axes, or some, reversed."""
    return sh.flip(m, tuple(range(m.ndim)) if axis is None else axis)


def dot(a: Any, b: Any) -> Any:
    """np.dot: a product with a number; of vectors and matrices; of the last axis with the second-last of b."""
    if not (a.ndim and b.ndim):
        return a * b
    return matmul(a, b) if b.ndim <= 2 else pr.tensordot(a, b, ([-1], [-2]))


def inner(a: Any, b: Any) -> Any:
    """The sum over the last axes."""
    return pr.tensordot(a, b, ([-1], [-1])) if a.ndim and b.ndim else a * b


def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """Differences of neighbours, n times."""
    for _ in range(n):
        a = sh.narrow(a, axis, 1, a.shape[axis] - 1) - sh.narrow(a, axis, 0, a.shape[axis] - 1)
    return a


def repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each element, or slice along an axis, so many times in a row."""
    return sh.repeat_interleave(a, repeats, axis)


def clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """Brought into [a_min, a_max]."""
    return ew.clamp(cast(a, None, out, "clip"), min if a_min is None else a_min, max if a_max is None else a_max)


WHOLE: dict[Any, Any] = {
    np.add: rd.sum, np.multiply: rd.prod, np.maximum: rd.amax, np.minimum: rd.amin, np.logaddexp: rd.logsumexp,
    np.logical_or: rd.any, np.logical_and: rd.all}
REDUCTIONS.update({ufunc: partial(reduction, f) for ufunc, f in WHOLE.items()})

ALIKE: dict[Any, dict[str, Any]] = {                 # how NumPy calls it: {its name: ours}
    reduced: {"sum": rd.sum, "mean": rd.mean, "prod": rd.prod, "any": rd.any, "all": rd.all, "nansum": rd.nansum,
              "nanmean": rd.nanmean},
    spread: {"var": rd.var, "std": rd.std},
    extreme: {"max": rd.amax, "amax": rd.amax, "min": rd.amin, "amin": rd.amin, "argmax": rd.argmax,
              "argmin": rd.argmin},
    running: {"cumsum": rd.cumsum, "cumprod": rd.cumprod},
    ordered: {"sort": rd.sort, "argsort": rd.argsort},
    on_arrays: {"concatenate": sh.cat, "stack": sh.stack},
    pieces: {"split": np.split, "array_split": np.array_split},
}
BY_FUNCTION.update({getattr(np, name): partial(how, f) for how, names in ALIKE.items() for name, f in names.items()})

def where(condition: Any, *choices: Any) -> Any:
    """x where the condition holds, else y; of two plain numbers in their own dtypes, as NumPy has it."""
    known = choices and not any(hasattr(x, "dtype") for x in choices)
    return ew.where(condition, *(constant(np.asarray(x)) if known else x for x in choices))


OTHERS: dict[Any, Any] = {
    np.reshape: lambda a, shape, order="C": sh.reshape(a, shape), np.ravel: lambda a, order="C": sh.flatten(a),
    np.transpose: lambda a, axes=None: sh.permute(a, tuple(range(a.ndim))[::-1] if axes is None else axes),
    np.swapaxes: lambda a, axis1, axis2: sh.transpose(a, axis1, axis2), np.moveaxis: sh.movedim,
    np.squeeze: lambda a, axis=None: sh.squeeze(a, axis), np.expand_dims: expand_dims,
    np.broadcast_to: lambda array, shape: sh.expand(array, shape), np.broadcast_arrays: sh.broadcast_tensors,
    np.atleast_1d: sh.atleast_1d, np.atleast_2d: sh.atleast_2d, np.flip: flip, np.fliplr: lambda m: sh.flip(m, 1),
    np.flipud: lambda m: sh.flip(m, 0), np.roll: lambda a, shift, axis=None: sh.roll(a, shift, axis),
    np.tile: lambda A, reps: sh.tile(A, reps), np.repeat: repeat,
    np.vstack: lambda tup: sh.vstack(tup), np.hstack: lambda tup: sh.hstack(tup), np.pad: pad, np.take: take,
    np.tril: lambda m, k=0: sh.tril(m, k), np.triu: lambda m, k=0: sh.triu(m, k), np.diag: lambda v, k=0: sh.diag(v, k),
    np.diagonal: lambda a, offset=0, axis1=0, axis2=1: sh.diagonal(a, offset, axis1, axis2),
    np.take_along_axis: lambda arr, indices, axis=-1: sh.take_along_dim(arr, indices, axis),
    np.count_nonzero: lambda a, axis=None, keepdims=False: rd.sum(a != 0, axis, keepdims), np.where: where,
    np.clip: clip, np.nan_to_num: lambda x, copy=True, **new: ew.nan_to_num(x, **new), np.isclose: ew.isclose,
    **dict.fromkeys((np.round, np.around), lambda a, decimals=0: ew.round(a, decimals=decimals)),
    np.dot: dot, np.outer: lambda a, b: pr.outer(sh.flatten(a), sh.flatten(b)), np.trace: pr.trace,
    np.vdot: lambda a, b: pr.dot(sh.flatten(a), sh.flatten(b)),
    np.copy: lambda a: sh.clone(a), np.shape: lambda a: a.shape, np.ndim: lambda a: a.ndim,
    np.size: lambda a, axis=None: a.numel() if axis is None else a.shape[axis],
    np.zeros_like: lambda a, dtype=None: constant(np.zeros(a.shape, dtype or a.dtype)),
    np.ones_like: lambda a, dtype=None: constant(np.ones(a.shape, dtype or a.dtype)),
    np.matrix_transpose: lambda x: sh.transpose(x, -2, -1),
    np.meshgrid: lambda *xi, indexing="xy": sh.meshgrid(*xi, indexing=indexing), np.inner: inner, np.diff: diff,
    np.ptp: lambda a, axis=None, keepdims=False: rd.amax(a, axis, keepdims) - rd.amin(a, axis, keepdims)}
BY_FUNCTION.update(OTHERS)
BY_FUNCTION.update({np.allclose: tl.allclose, np.array_equal: tl.equal})
BY_FUNCTION.update({
    np.einsum: lambda subscripts, *operands, optimize=True: pr.einsum(subscripts, *operands), np.kron: pr.kron,
    np.tensordot: lambda a, b, axes=2: pr.tensordot(
        a, b, axes if isinstance(axes, int) else [np.atleast_1d(d).tolist() for d in axes]),
    np.cross: lambda a, b, axis=-1: pr.cross(a, b, axis),
    np.linalg.norm: lambda x, ord=None, axis=None, keepdims=False: la.norm(x, ord, axis, keepdims),
    np.linalg.svd: lambda a, full_matrices=True: la.svd(a, full_matrices), np.linalg.qr: la.qr, np.linalg.eigh: la.eigh,
    np.linalg.eigvalsh: la.eigvalsh, np.linalg.cholesky: la.cholesky, np.linalg.inv: la.inv, np.linalg.pinv: la.pinv,
    np.linalg.solve: lambda a, b: solved(a, b[:, None])[..., 0] if b.ndim == 1 else solved(a, b), np.linalg.det: la.det,
    np.linalg.slogdet: la.slogdet, np.linalg.matrix_power: la.matrix_power, np.linalg.multi_dot: pr.multi_dot})
