"""PyTorch's methods of a Tensor: each is the function of its name, in place where it ends in an underscore."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import generator as rng
from .arithmetic import Arithmetic
from .defaults import CPU, Default, on_cpu
from .defaults import device as device_type
from .errors import message
from .functions import elementwise as ew
from .functions import linalg as la
from .functions import products as pr
from .functions import reduce as rd
from .functions import shape as sh
from .functions import toplevel as top
from .graph import Primitive
from .mode import capturing, constant, derived
from .ops import elementwise as op

MASK = np.dtype(bool)


class TensorMethods(Arithmetic):
    """What a Tensor is asked, its conversions, and the functions as its methods."""

    __slots__ = ()
    _of: Any                                          # array -> Tensor
    _leaf: Any
    _in_place: Any
    _assign: Any
    requires_grad_: Any
    __getitem__: Any
    _grad: Any
    device = CPU
    is_cuda = False

    # ---- what it is --------------------------------------------------------------------------------------------------
    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the dimensions."""
        return self.payload.shape

    @property
    def dtype(self) -> np.dtype:
        """The type of the elements, a NumPy dtype."""
        return self.payload.dtype

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self.payload.ndim

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self.payload.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.payload.nbytes

    @property
    def grad_fn(self) -> Primitive | None:
        """The primitive that made this tensor; None for a leaf."""
        return self.op

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        return self.payload.shape if dim is None else self.payload.shape[sh.axis(dim, self.payload.ndim)]

    def dim(self) -> int:
        """The number of dimensions."""
        return self.payload.ndim

    def numel(self) -> int:
        """The number of elements."""
        return self.payload.size

    nelement, ndimension = numel, dim

    def is_floating_point(self) -> bool:
        """Whether the elements are floating-point numbers."""
        return self.payload.dtype.kind == "f"

    def is_contiguous(self) -> bool:
        """Whether the elements lie in memory in C order."""
        return self.payload.flags.c_contiguous

    def element_size(self) -> int:
        """Bytes of one element."""
        return self.payload.itemsize

    def stride(self, dim: int | None = None) -> Any:
        """Steps in elements from one index to the next, for each dimension."""
        steps = tuple(s // self.payload.itemsize for s in self.payload.strides)
        return steps if dim is None else steps[dim]

    def data_ptr(self) -> int:
        """The address of the first element."""
        return self.payload.ctypes.data

    def __len__(self) -> int:
        if not self.payload.ndim:
            raise TypeError(message("len() of a 0-d tensor", op="len", inputs=(self,), instead="x.numel(), which is 1"))
        return len(self.payload)

    def __iter__(self) -> Iterator:
        if not self.payload.ndim:
            raise TypeError(message("iteration over a 0-d tensor", op="iter", inputs=(self,), instead="x.item()"))
        return iter([self[i] for i in range(len(self))])

    def __repr__(self) -> str:
        self._escapes("its digits")
        p = self.payload
        whole = p.dtype.kind != "f" or not (np.isfinite(p) & (p != np.trunc(p))).any()
        body = np.array2string(p, precision=4, separator=", ", prefix="tensor(", threshold=1000,
                               floatmode="maxprec" if whole else "fixed")
        facts = [] if self.dtype in (Default.dtype, np.int64, np.bool_) else [f"dtype={self.dtype}"]
        if self.op is not None:
            facts.append(f"grad_fn=<{self.op.name}>")
        elif self.requires_grad:
            facts.append("requires_grad=True")
        return f"tensor({', '.join([body, *facts])})"

    # ---- out of the graph --------------------------------------------------------------------------------------------
    def item(self) -> Any:
        """The one element as a Python number."""
        if self.payload.size != 1:
            raise RuntimeError(message(f"a Tensor with {self.payload.size} elements cannot be converted to Scalar",
                                       op="item", inputs=(self,), instead="x.tolist(), or reduce it first: x.sum()"))
        watcher = capturing()
        return self.payload.item() if watcher is None else watcher.number(self)

    def tolist(self) -> Any:
        """Nested Python lists of numbers."""
        self._escapes("tolist()")
        return self.payload.tolist()

    def numpy(self) -> np.ndarray:
        """The array itself, sharing memory."""
        if self.requires_grad:
            raise RuntimeError(message("Can't call numpy() on Tensor that requires grad.", op="numpy", inputs=(self,),
                                       instead="x.detach().numpy()"))
        self._escapes("numpy()")
        return self.payload

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        self._escapes("an array")
        return np.array(self.payload, dtype, copy=copy)

    def __float__(self) -> float: return float(self._one("float"))
    def __int__(self) -> int: return int(self._one("int"))
    def _one(self, op: str) -> Any:
        """The one element as a number, for Python's conversions."""
        if self.payload.size != 1:
            raise ValueError(message("only one element tensors can be converted to Python scalars", op=op,
                                     inputs=(self,), instead="x.tolist(), or reduce it first: x.sum()"))
        return self.item()

    def __bool__(self) -> bool:
        if self.payload.size != 1:
            raise RuntimeError(message("Boolean value of Tensor with more than one value is ambiguous", op="bool",
                                       inputs=(self,), instead="(...).any() or (...).all()"))
        if watcher := capturing():
            watcher.decided(self)
        return bool(self.payload.item())

    def __index__(self) -> int:
        if self.payload.dtype.kind not in "iub" or self.payload.size != 1:
            raise TypeError(message("only integer tensors of a single element can be converted to an index",
                                    op="index", inputs=(self,), instead="int(x), for a tensor of one element"))
        return int(self.item())

    def __contains__(self, x: Any) -> bool:
        self._escapes("in")
        return bool((self.payload == getattr(x, "payload", x)).any())

    def __format__(self, spec: str) -> str:
        if self.payload.ndim == 0:
            return format(self.item(), spec)
        return format(str(self), spec) if spec else repr(self)

    def __deepcopy__(self, memo: dict) -> Any:
        if self.op is not None:
            raise RuntimeError(message("Only Tensors created explicitly by the user (graph leaves) support the "
                                       "deepcopy protocol", op="deepcopy", inputs=(self,),
                                       instead="x.detach().clone(), or x.clone(), which stays in the graph"))
        t = self.__class__._leaf(derived(self.payload.copy(), self.payload), self.requires_grad)
        t.note, t._grad = self.note.but(), None if self._grad is None else self._grad.clone()
        memo[id(self)] = t
        return t

    def __reduce__(self) -> Any:
        return rebuilt, (self.__class__, self.payload, self.requires_grad)

    def _escapes(self, what: str) -> None:
        """Report that numbers leave the graph as ``what``: whatever is computed from them there, nobody records."""
        if watcher := capturing():
            watcher.escaped(self, what)

    # ---- gradients ---------------------------------------------------------------------------------------------------
    def retain_grad(self) -> None:
        """Keep ``grad`` on this tensor although it is not a leaf."""
        if not self.requires_grad:
            raise RuntimeError(message("can't retain_grad on Tensor that has requires_grad=False", op="retain_grad",
                                       inputs=(self,), instead="make the leaf that it is computed from with "
                                                               "requires_grad=True"))
        self.note = self.note.but(retain=True)

    @property
    def retains_grad(self) -> bool:
        """Whether a non-leaf keeps its gradient."""
        return self.op is not None and self.note.retain

    def register_hook(self, hook: Callable) -> Hook:
        """Call ``hook(grad)`` when the adjoint of this tensor is solved; what it returns replaces it."""
        if not self.requires_grad:
            raise RuntimeError(message("cannot register a hook on a tensor that doesn't require gradient",
                                       op="register_hook", inputs=(self,), instead="x.requires_grad_() before"))
        return Hook(self, hook)

    # ---- elsewhere: dtypes and copies --------------------------------------------------------------------------------
    def to(self, *target: Any, dtype: Any = None, device: Any = None, copy: bool = False,
           non_blocking: bool = False, memory_format: Any = None) -> Any:
        """This tensor with another dtype (or that of another tensor); the only device is the CPU."""
        for t in (*target, device):
            if isinstance(t, TensorMethods):
                dtype = t.dtype
            elif isinstance(t, (str, device_type)):
                on_cpu(t)
            elif isinstance(t, (np.dtype, type)):
                dtype = t
            elif t is not None:
                raise TypeError(message(f"to() takes a dtype, a device or another tensor, not {type(t).__name__}",
                                        op="to", inputs=(self, t),
                                        instead='x.to(tg.float64), x.to("cpu") or x.to(other)'))
        if dtype is None or np.dtype(dtype) == self.payload.dtype:
            return sh.clone(self) if copy else self
        return sh.cast(self, dtype=np.dtype(dtype))

    def type(self, dtype: Any = None) -> Any:
        """This tensor with another dtype; without one, the name of its own."""
        return f"torch.{self.dtype}" if dtype is None else self.to(dtype)

    def float(self) -> Any: return self.to(np.float32)
    def double(self) -> Any: return self.to(np.float64)
    def long(self) -> Any: return self.to(np.int64)
    def int(self) -> Any: return self.to(np.int32)
    def bool(self) -> Any: return self.to(np.bool_)
    def detach_(self) -> Any:
        """Cut this tensor itself off from what it was computed from."""
        self.op, self.inputs = None, ()
        return self.requires_grad_(False)

    def new_tensor(self, data: Any, dtype: Any = None, requires_grad: bool = False) -> Any:
        """A new leaf with these numbers and, if not said otherwise, the dtype of this tensor."""
        return self._of(sh.copied(data, dtype or self.dtype), requires_grad)

    def new_full(self, size: Any, fill_value: Any, dtype: Any = None, device: Any = None,
                 requires_grad: bool = False) -> Any:
        """A new leaf of this shape filled with one number, of the dtype of this tensor."""
        on_cpu(device)
        if watcher := capturing():
            fill_value = watcher.fixed_list(fill_value)
        value = sh.array(fill_value)
        return constant(self._of(np.full(size, value, dtype or self.dtype), requires_grad))

    def new_zeros(self, *size: Any, **options: Any) -> Any: return self.new_full(sh.sizes(size), 0, **options)
    def new_ones(self, *size: Any, **options: Any) -> Any: return self.new_full(sh.sizes(size), 1, **options)
    def new_empty(self, *size: Any, **options: Any) -> Any: return self.new_full(sh.sizes(size), 0, **options)
    def where(self, condition: Any, other: Any) -> Any: return top.where(condition, self, other)
    def type_as(self, other: Any) -> Any: return self.to(other.dtype)
    def cpu(self) -> Any: return self
    def cuda(self, device: Any = None) -> Any: return self.to("cuda")

    def __sub__(self, other: Any) -> Any:
        if self.payload.dtype is MASK or (
                other.payload.dtype is MASK if isinstance(other, TensorMethods) else other is True):
            raise masked(self, other)
        return op.sub(self, other)

    def __rsub__(self, other: Any) -> Any:
        if self.payload.dtype is MASK:
            raise masked(other, self)
        return op.sub(other, self)

    # ---- in place ---------------------------------------------------------------------------------------------------
    def __imod__(self, other: Any) -> Any: return self._assign(op.remainder, other)
    def __ifloordiv__(self, other: Any) -> Any: return self._assign(op.floor_divide, other)
    def __iand__(self, other: Any) -> Any: return self._in_place(op.bitwise_and, other)
    def __ior__(self, other: Any) -> Any: return self._in_place(op.bitwise_or, other)
    def __ixor__(self, other: Any) -> Any: return self._in_place(op.bitwise_xor, other)
    def add_(self, other: Any, *, alpha: float = 1) -> Any:
        """self += alpha other, in place."""
        return self._in_place(op.add, other if alpha == 1 else other * alpha)

    def sub_(self, other: Any, *, alpha: float = 1) -> Any:
        """self -= alpha other, in place."""
        return self._in_place(op.sub, other if alpha == 1 else other * alpha)

    def mul_(self, other: Any) -> Any: return self._in_place(op.mul, other)
    def div_(self, other: Any) -> Any: return self._in_place(op.div, other)
    def pow_(self, exponent: Any) -> Any: return self._in_place(op.pow, exponent)
    def neg_(self) -> Any: return self._in_place(op.neg)
    def exp_(self) -> Any: return self._in_place(op.exp)
    def log_(self) -> Any: return self._in_place(op.log)
    def sqrt_(self) -> Any: return self._in_place(op.sqrt)
    def tanh_(self) -> Any: return self._in_place(op.tanh)
    def sigmoid_(self) -> Any: return self._in_place(op.sigmoid)
    def relu_(self) -> Any: return self._in_place(op.relu)
    def abs_(self) -> Any: return self._in_place(op.abs)
    def clamp_(self, min: Any = None, max: Any = None) -> Any: return self._in_place(op.clip, min=min, max=max)
    def fill_(self, value: Any) -> Any: return self._in_place(sh.setitem, value, index=(...,))
    def zero_(self) -> Any: return self._in_place(sh.setitem, 0, index=(...,))
    def copy_(self, source: Any) -> Any: return self._in_place(sh.setitem, source, index=(...,))

    def addcmul_(self, a: Any, b: Any, *, value: float = 1) -> Any:
        """self += value a b, in place."""
        return self._in_place(op.add, a * b * value)

    def addcdiv_(self, a: Any, b: Any, *, value: float = 1) -> Any:
        """self += value a / b, in place."""
        return self._in_place(op.add, a / b * value)

    def masked_fill_(self, mask: Any, value: Any) -> Any:
        """self[mask] = value, in place."""
        return self._in_place(sh.setitem, value, index=sh.plain(mask))

    def scatter_(self, dim: Any, index: Any, src: Any = None, *, value: Any = None, reduce: Any = None) -> Any:
        """self[index[i][j]][j] = src[i][j] for dim = 0, and so on, in place; src may be a number."""
        if reduce is not None:
            return self.copy_(sh.scatter(self, dim, index, src, value=value, reduce=reduce))
        i, where = sh.meshed(self, dim, index, "scatter_")
        src = sh.part(self, value if src is None else src, i.shape, "scatter_")
        return self._in_place(sh.setitem, src, index=where)

    def scatter_add_(self, dim: Any, index: Any, src: Any) -> Any:
        """self[index[i][j]][j] += src[i][j] for dim = 0, and so on, in place."""
        i, where = sh.meshed(self, dim, index, "scatter_add_")
        src = sh.part(self, src, i.shape, "scatter_add_")
        return self._in_place(op.add, sh.put(src, index=where, shape=self.shape))

    # ---- random numbers, in place ------------------------------------------------------------------------------------
    def uniform_(self, from_: Any = 0.0, to: Any = 1.0, *, generator: Any = None) -> Any:
        """Numbers uniform in [from, to)."""
        return self.copy_(rng.uniform(self.shape, from_, to, generator=generator, dtype=self.dtype))

    def normal_(self, mean: Any = 0.0, std: Any = 1.0, *, generator: Any = None) -> Any:
        """Normal numbers."""
        return self.copy_(rng.gaussian(self.shape, mean, std, generator=generator, dtype=self.dtype))

    def exponential_(self, lambd: Any = 1.0, *, generator: Any = None) -> Any:
        """Numbers with density lambd e^(-lambd x)."""
        return self.copy_(rng.exponential(self.shape, 1 / lambd, generator=generator, dtype=self.dtype))

    def bernoulli_(self, p: Any = 0.5, *, generator: Any = None) -> Any:
        """1 with probability p, a number or a tensor, else 0."""
        chance = p if isinstance(p, (int, float)) else sh.array(p)
        return self.copy_(rng.coins(self.shape, chance, generator=generator, dtype=self.dtype))

    def random_(self, from_: Any = 0, to: Any = None, *, generator: Any = None) -> Any:
        """Whole numbers uniform in [from, to): ``random_(to)``; without bounds all that the dtype holds exactly."""
        if to is None:
            whole = 2 ** (np.finfo(self.dtype).nmant + 1) if self.dtype.kind == "f" else np.iinfo(self.dtype).max
            from_, to = 0, from_ or whole
        return self.copy_(rng.integers(self.shape, from_, to, generator=generator, dtype=self.dtype))

    # ---- the functions of the same name ------------------------------------------------------------------------------
    add, sub, mul, div, neg, remainder, fmod = ew.add, ew.sub, ew.mul, ew.div, ew.neg, ew.remainder, ew.fmod
    subtract, multiply, divide, true_divide = ew.sub, ew.mul, ew.div, ew.div
    negative, absolute = ew.neg, ew.abs
    square, reciprocal, exp2, expm1 = ew.square, ew.reciprocal, ew.exp2, ew.expm1
    log2, log10, log1p = ew.log2, ew.log10, ew.log1p
    rsqrt, logaddexp, tan, asin, acos, atan, atan2 = ew.rsqrt, ew.logaddexp, ew.tan, ew.asin, ew.acos, ew.atan, ew.atan2
    arcsin, arccos, arctan, arctan2, hypot = ew.asin, ew.acos, ew.atan, ew.atan2, ew.hypot
    sinh, cosh, asinh, acosh, atanh, erf, erfc = ew.sinh, ew.cosh, ew.asinh, ew.acosh, ew.atanh, ew.erf, ew.erfc
    maximum, minimum, clamp, clip = ew.maximum, ew.minimum, ew.clamp, ew.clamp
    floor, ceil, trunc, round, frac, sign, sgn = ew.floor, ew.ceil, ew.trunc, ew.round, ew.frac, ew.sign, ew.sign
    lerp, logit, xlogy, nan_to_num, isclose = ew.lerp, ew.logit, ew.xlogy, ew.nan_to_num, ew.isclose
    lt, le, gt, ge, eq, ne = ew.lt, ew.le, ew.gt, ew.ge, ew.eq, ew.ne
    less, less_equal, greater, greater_equal, not_equal = ew.lt, ew.le, ew.gt, ew.ge, ew.ne
    logical_and, logical_or, logical_xor, logical_not = ew.logical_and, ew.logical_or, ew.logical_xor, ew.logical_not
    bitwise_and, bitwise_or, bitwise_xor, bitwise_not = ew.bitwise_and, ew.bitwise_or, ew.bitwise_xor, ew.bitwise_not
    isnan, isinf, isfinite, signbit, floor_divide = ew.isnan, ew.isinf, ew.isfinite, ew.signbit, ew.floor_divide

    sum, mean, var, std, prod = rd.sum, rd.mean, rd.var, rd.std, rd.prod
    max, min, amax, amin = rd.max, rd.min, rd.amax, rd.amin
    argmax, argmin, logsumexp, norm = rd.argmax, rd.argmin, rd.logsumexp, rd.norm
    cumsum, cumprod = rd.cumsum, rd.cumprod
    any, all, median, sort, argsort, topk = rd.any, rd.all, rd.median, rd.sort, rd.argsort, rd.topk
    count_nonzero, aminmax, nansum, nanmean = rd.count_nonzero, rd.aminmax, rd.nansum, rd.nanmean

    reshape, view, permute, transpose = sh.reshape, sh.view, sh.permute, sh.transpose
    movedim = moveaxis = sh.movedim
    swapaxes, swapdims, t, squeeze, unsqueeze = sh.transpose, sh.transpose, sh.t, sh.squeeze, sh.unsqueeze
    flatten, ravel, unflatten, expand, broadcast_to = sh.flatten, sh.ravel, sh.unflatten, sh.expand, sh.broadcast_to
    repeat, tile, repeat_interleave = sh.repeat, sh.tile, sh.repeat_interleave
    split, chunk, unbind = sh.split, sh.chunk, sh.unbind
    flip, roll, tril, triu, diag, diagonal = sh.flip, sh.roll, sh.tril, sh.triu, sh.diag, sh.diagonal
    gather, scatter, scatter_add, index_select = sh.gather, sh.scatter, sh.scatter_add, sh.index_select
    masked_fill, masked_select, take_along_dim = sh.masked_fill, sh.masked_select, sh.take_along_dim
    narrow, select, unfold, contiguous, clone = sh.narrow, sh.select, sh.unfold, sh.contiguous, sh.clone

    diag_embed, take, logcumsumexp = sh.diag_embed, sh.take, rd.logcumsumexp

    matmul, dot, outer, mv, mm, bmm, trace = pr.matmul, pr.dot, pr.outer, pr.mv, pr.mm, pr.bmm, pr.trace
    kron, cross, det, inverse, pinverse = pr.kron, pr.cross, la.det, la.inverse, la.pinverse
    slogdet, logdet, matrix_power = la.slogdet, la.logdet, la.matrix_power
    cholesky, qr, svd = la.cholesky, la.qr, top.svd

    nonzero, argwhere, unique, bincount = top.nonzero, top.argwhere, top.unique, top.bincount
    equal, allclose, is_nonzero = top.equal, top.allclose, top.is_nonzero
    softmax, log_softmax = top.softmax, top.log_softmax
    addmm, addcmul, addcdiv, inner = top.addmm, top.addcmul, top.addcdiv, top.inner

    def view_as(self, other: Any) -> Any: return sh.view(self, other.shape)
    def reshape_as(self, other: Any) -> Any: return sh.reshape(self, other.shape)
    def expand_as(self, other: Any) -> Any: return sh.expand(self, other.shape)
    @property
    def T(self) -> Any:                            # noqa: N802  (PyTorch's name)
        """The dimensions in reverse order."""
        return sh.permute(self, tuple(range(self.ndim))[::-1])
    @property
    def mT(self) -> Any:                           # noqa: N802
        """The last two dimensions exchanged."""
        return sh.transpose(self, -2, -1)


def masked(a: Any, b: Any) -> RuntimeError:
    """PyTorch's error where one of the two to be subtracted is a mask."""
    two = all(getattr(x, "dtype", None) == MASK for x in (a, b))
    rest = ("two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead." if two else
            "a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` "
            "operator instead.")
    return RuntimeError(message(f"Subtraction, the `-` operator, with {rest}", op="-", inputs=(a, b),
                                instead="x ^ y, or x.long() - y.long()" if two else "~mask, or mask.long() - 1"))


class Hook:
    """What ``register_hook`` gives back: ``remove()`` takes the hook off again."""

    def __init__(self, tensor: Any, hook: Callable):
        self.tensor, self.hook = tensor, hook
        tensor.note = tensor.note.but(hooks=(*tensor.note.hooks, hook))

    def remove(self) -> None:
        """Take the hook off."""
        hooks = [h for h in self.tensor.note.hooks if h is not self.hook]
        self.tensor.note = self.tensor.note.but(hooks=tuple(hooks))


def rebuilt(kind: Any, payload: np.ndarray, requires_grad: bool) -> Any:
    """A tensor out of a pickle."""
    return kind._leaf(payload, requires_grad)
