"""Tensor: an ndarray that remembers what made it, with PyTorch's names and semantics."""
from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .arithmetic import Arithmetic
from .errors import message
from .functions import elementwise as ew
from .functions import linalg as la
from .functions import products as pr
from .functions import reduce as rd
from .functions import shape as sh
from .graph import Node, Primitive, stamp, sweep, tick
from .mode import capturing, derived, is_grad_enabled, local, no_grad
from .ops import fused as fu

ndarray = np.ndarray
new = object.__new__
F32, F64, I64 = np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.int64)
ONE = {F32: np.ones((), F32), F64: np.ones((), F64)}  # the usual seeds of a sweep


class Default:
    """The dtype that Python floats become."""

    dtype = F32


class Tensor(Arithmetic):
    """An array node: an ndarray, how it was made and, on leaves, the gradient that ``backward`` adds up.

    Methods that are not explained here are the functions of the same name.

    >>> w = tg.tensor([1., 2., 3.], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> w.grad
    tensor([2., 4., 6.])
    """

    __slots__ = ("inputs", "params", "base", "requires_grad", "_grad", "__weakref__")
    _grad: Tensor | None
    __array_priority__ = 1000
    kind = "Tensor"
    device = "cpu"
    is_cuda = False

    def __init__(self, data: Any = (), requires_grad: bool = False):
        self._set(np.array(data, Default.dtype), requires_grad)

    @classmethod
    def _leaf(cls, payload: ndarray, requires_grad: bool = False, base: Node | None = None) -> Tensor:
        """A leaf that holds ``payload`` itself."""
        t = new(cls)
        t._set(payload, requires_grad, base)
        return t

    @staticmethod
    def _of(numbers: ndarray) -> Tensor:
        """A plain tensor without history that holds these numbers."""
        return Tensor._leaf(numbers)

    def _set(self, payload: ndarray, requires_grad: bool, base: Node | None = None) -> None:
        if requires_grad and payload.dtype.kind not in "fc":
            raise RuntimeError(message("Only Tensors of floating point and complex dtype can require gradients",
                                       inputs=(payload,), op="requires_grad", instead="x.float().requires_grad_()"))
        self.payload, self.op, self.inputs, self.params, self.born = payload, None, (), {}, tick()
        self.note, self.base, self.requires_grad, self._grad = local.mode.note, base, requires_grad, None

    @staticmethod
    def _record(op: Primitive, inputs: tuple, params: dict, y: Any, recorded: bool) -> Tensor:
        if y.__class__ is not ndarray:                # NumPy gives scalars where a result is 0-d
            y = np.asarray(y)
        if op.promotes and y.dtype is not F32:
            y = promoted(y, inputs)
        mode = local.mode
        t = new(Tensor)
        t.payload, t.born, t.note, t.base, t._grad, t.params = y, tick(), mode.note, None, None, params
        if recorded and op.differentiable and y.dtype.kind == "f":
            t.op, t.inputs, t.requires_grad = op, inputs, True
        else:
            t.op, t.inputs, t.requires_grad = None, (), False
        if op.views and y.base is not None:
            t.base = viewed(y, inputs)
        if mode.watch is not None:
            mode.watch.made(t, op, inputs, params)
        return t

    @staticmethod
    def _fit(c: Any, x: Node, g: Any = None) -> Any:
        p = x.payload
        if c.shape != p.shape:
            c = sh.sum_to(c, shape=p.shape)
        if c.dtype is not p.dtype:
            c = sh.cast(c, dtype=p.dtype)
        if g is not None and x.op is None and c.__class__ is ndarray and (c is g or c.base is not None):
            c = c.copy()                              # a rule gives g, a view or a new array; a leaf keeps what it gets
        return c

    def _hooked(self, hook: Callable, g: Any, create_graph: bool) -> Any:
        out = hook(g if create_graph else Tensor._leaf(np.asarray(g)))
        return g if out is None else out if create_graph else out.payload

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

    @property
    def data(self) -> Tensor:
        """The same memory without history. Assigning it replaces the array."""
        return Tensor._leaf(self.payload, base=self if self.base is None else self.base)

    @data.setter
    def data(self, data: Any) -> None:
        self.payload = data.payload if isinstance(data, Tensor) else np.asarray(data)
        stamp(self)
        if watcher := capturing():
            watcher.replaced(self)

    @property
    def grad(self) -> Tensor | None:
        """What ``backward`` added up here: on leaves, and where ``retain_grad()`` asked for it."""
        if self._grad is None and self.op is not None and not self.note.retain:
            warnings.warn(message("The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its "
                                  ".grad attribute won't be populated during autograd.backward()", op=self.op.name,
                                  instead="x.retain_grad() before backward()"), UserWarning, stacklevel=2)
        if watcher := capturing():
            watcher.touched(self)
        return self._grad

    @grad.setter
    def grad(self, grad: Tensor | None) -> None:
        if grad is not None and not isinstance(grad, Tensor):
            raise TypeError(f"assigned grad expected to be a Tensor or None but got grad of type {type(grad).__name__}")
        if grad is not None and grad.shape != self.shape:
            raise RuntimeError(message(f"assigned grad has data of a different size: {grad.shape} for {self.shape}"))
        if watcher := capturing():
            watcher.touched(self, reads=False)
        self._grad = grad

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
        escapes(self, "tolist()")
        return self.payload.tolist()

    def numpy(self) -> ndarray:
        """The array itself, sharing memory."""
        if self.requires_grad:
            raise RuntimeError(message("Can't call numpy() on Tensor that requires grad.", op="numpy", inputs=(self,),
                                       instead="x.detach().numpy()"))
        escapes(self, "numpy()")
        return self.payload

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> ndarray:
        escapes(self, "an array")
        return np.array(self.payload, dtype, copy=copy)

    def detach(self) -> Tensor:
        """The same memory without history."""
        return Tensor._leaf(self.payload, base=self if self.base is None else self.base)

    def __float__(self) -> float: return float(self.item())
    def __int__(self) -> int: return int(self.item())
    def __bool__(self) -> bool:
        if self.payload.size != 1:
            raise RuntimeError(message("Boolean value of Tensor with more than one value is ambiguous", op="bool",
                                       inputs=(self,), instead="(...).any() or (...).all()"))
        if watcher := capturing():
            watcher.decided(self)
        return bool(self.payload.item())

    def __index__(self) -> int:
        if self.payload.dtype.kind not in "iub" or self.payload.size != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def __len__(self) -> int:
        if not self.payload.ndim:
            raise TypeError("len() of a 0-d tensor")
        return len(self.payload)

    def __iter__(self) -> Iterator[Tensor]:
        if not self.payload.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter(sh.unbind(self))

    def __contains__(self, x: Any) -> bool:
        escapes(self, "in")
        return bool((self.payload == getattr(x, "payload", x)).any())

    def __repr__(self) -> str:
        escapes(self, "its digits")
        p = self.payload
        whole = p.dtype.kind != "f" or not (np.isfinite(p) & (p != np.trunc(p))).any()
        body = np.array2string(p, precision=4, separator=", ", prefix="tensor(", threshold=1000,
                               floatmode="maxprec" if whole else "fixed")
        facts = [] if self.dtype in (Default.dtype, I64, np.bool_) else [f"dtype={self.dtype}"]
        if self.op is not None:
            facts.append(f"grad_fn=<{self.op.name}>")
        elif self.requires_grad:
            facts.append("requires_grad=True")
        return f"tensor({', '.join([body, *facts])})"

    def __format__(self, spec: str) -> str:
        if self.payload.ndim == 0:
            return format(self.item(), spec)
        return format(str(self), spec) if spec else repr(self)

    def __deepcopy__(self, memo: dict) -> Tensor:
        if self.op is not None:
            raise RuntimeError("Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
                               "protocol")
        t = type(self)._leaf(self.payload.copy(), self.requires_grad)
        t.note, t._grad = self.note.but(), None if self._grad is None else self._grad.clone()
        memo[id(self)] = t
        return t

    def __reduce__(self) -> Any:
        return _rebuilt, (type(self), self.payload, self.requires_grad)

    # ---- gradients ---------------------------------------------------------------------------------------------------
    def backward(self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False) -> None:
        """Add d self / d leaf to the ``grad`` of each leaf below (of retained nodes too); frees the graph on its way.

        ``gradient`` is the adjoint of self, needed when self has more than one element.
        """
        keep = create_graph if retain_graph is None else retain_graph
        if create_graph or capturing() is None:
            return self._flow(seed_of(self, gradient, create_graph), create_graph, keep)
        with no_grad():                               # captured: the rules are applied to nodes, so that they are seen
            self._flow(seed_of(self, gradient, True), True, keep)

    def _flow(self, seed: Any, create_graph: bool, retain_graph: bool) -> None:
        for node, g in sweep((self,), (seed,), create_graph=create_graph, retain_graph=retain_graph):
            if node.op is None or node.note.retain:
                accumulate(node, g)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Ask (or no longer ask) for gradients of this leaf; returns it."""
        if self.op is not None and not requires_grad:
            raise RuntimeError("you can only change requires_grad flags of leaf variables. If you want to use a "
                               "computed variable in a subgraph that doesn't require differentiation use "
                               "var_no_grad = var.detach().")
        if self.op is None and requires_grad and self.payload.dtype.kind != "f":
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
        self.requires_grad = requires_grad
        return self

    def retain_grad(self) -> None:
        """Keep ``grad`` on this tensor although it is not a leaf."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        self.note = self.note.but(retain=True)

    @property
    def retains_grad(self) -> bool:
        """Whether a non-leaf keeps its gradient."""
        return self.op is not None and self.note.retain

    def register_hook(self, hook: Callable) -> Hook:
        """Call ``hook(grad)`` when the adjoint of this tensor is solved; what it returns replaces it."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        return Hook(self, hook)

    # ---- in place ----------------------------------------------------------------------------------------------------
    def _in_place(self, op: Primitive, *others: Any, **params: Any) -> Tensor:
        """self = op(self, *others) in self's own memory. Recorded, self becomes the output of a new node whose input
        is the version before (a copy of it; but the memory itself for item assignment, whose rules read no numbers)."""
        recorded = is_grad_enabled() and any(isinstance(x, Node) and x.requires_grad for x in (self, *others))
        if recorded:
            refuse_leaf(self, op)
            refuse_view(self, op)
        if watcher := capturing():
            watcher.resolve(self)                     # what it holds before the change
        values = [x.payload if isinstance(x, Node) else x for x in others]
        p = self.payload
        held = derived(p.copy(), p) if recorded and op is not sh.setitem else p
        try:
            if op is sh.setitem:
                sh.assign(p, values[0], **params)
            elif isinstance(op.fn, np.ufunc):
                op.fn(p, *values, out=p, casting="same_kind")
            else:
                y = op.fn(p, *values, **params)
                if y.shape != p.shape:
                    raise ValueError(f"output with shape {p.shape} doesn't match the broadcast shape {y.shape}")
                np.copyto(p, y, casting="same_kind")
        except Exception as error:
            raise in_place_error(error, op, self, others) from None
        note = self.note.but()
        stamp(self)
        if recorded:
            before = new(Tensor)
            before.payload, before.op, before.inputs, before.params = held, self.op, self.inputs, self.params
            before.born, before.base, before.requires_grad, before._grad = self.born, None, self.requires_grad, None
            before.note = note
            self.op, self.inputs, self.params, self.born = op, (before, *others), params, tick()
            self.requires_grad = True
            if held is p:
                stamp(before)                         # its numbers are gone: a rule that reads them must not
        if local.mode.watch is not None:
            local.mode.watch.made(self, op, (self, *others), params)
        return self

    def __iadd__(self, other: Any) -> Tensor: return self._assign(ew.add, other)
    def __isub__(self, other: Any) -> Tensor: return self._assign(ew.sub, other)
    def __imul__(self, other: Any) -> Tensor: return self._assign(ew.mul, other)
    def __itruediv__(self, other: Any) -> Tensor: return self._assign(ew.div, other)
    def __ipow__(self, other: Any) -> Tensor: return self._assign(ew.pow, other)

    def _assign(self, op: Primitive, other: Any) -> Tensor:
        """``x += y``: in place where nothing is recorded; else a new node takes the name."""
        if is_grad_enabled() and (self.requires_grad or (isinstance(other, Node) and other.requires_grad)):
            refuse_leaf(self, op)
            return op(self, other)
        return self._in_place(op, other)

    def __setitem__(self, index: Any, value: Any) -> None:
        self._in_place(sh.setitem, value, index=sh.plain(index))

    def add_(self, other: Any, *, alpha: float = 1) -> Tensor:
        """self += alpha other, in place."""
        return self._in_place(ew.add, other if alpha == 1 else other * alpha)

    def sub_(self, other: Any, *, alpha: float = 1) -> Tensor:
        """self -= alpha other, in place."""
        return self._in_place(ew.sub, other if alpha == 1 else other * alpha)

    def mul_(self, other: Any) -> Tensor: return self._in_place(ew.mul, other)
    def div_(self, other: Any) -> Tensor: return self._in_place(ew.div, other)
    def pow_(self, exponent: Any) -> Tensor: return self._in_place(ew.pow, exponent)
    def neg_(self) -> Tensor: return self._in_place(ew.neg)
    def exp_(self) -> Tensor: return self._in_place(ew.exp)
    def log_(self) -> Tensor: return self._in_place(ew.log)
    def sqrt_(self) -> Tensor: return self._in_place(ew.sqrt)
    def tanh_(self) -> Tensor: return self._in_place(ew.tanh)
    def sigmoid_(self) -> Tensor: return self._in_place(ew.sigmoid)
    def relu_(self) -> Tensor: return self._in_place(ew.relu)
    def abs_(self) -> Tensor: return self._in_place(ew.abs)
    def clamp_(self, min: Any = None, max: Any = None) -> Tensor: return self._in_place(ew.clip, min=min, max=max)
    def fill_(self, value: Any) -> Tensor: return self._in_place(sh.setitem, value, index=(...,))
    def zero_(self) -> Tensor: return self._in_place(sh.setitem, 0, index=(...,))
    def copy_(self, source: Any) -> Tensor: return self._in_place(sh.setitem, source, index=(...,))

    def addcmul_(self, a: Any, b: Any, *, value: float = 1) -> Tensor:
        """self += value a b, in place."""
        return self._in_place(ew.add, a * b * value)

    def addcdiv_(self, a: Any, b: Any, *, value: float = 1) -> Tensor:
        """self += value a / b, in place."""
        return self._in_place(ew.add, a / b * value)

    def masked_fill_(self, mask: Tensor, value: Any) -> Tensor:
        """self[mask] = value, in place."""
        return self._in_place(sh.setitem, value, index=sh.plain(mask))

    # ---- elsewhere: dtypes and copies --------------------------------------------------------------------------------
    def to(self, *target: Any, dtype: Any = None, device: Any = None, copy: bool = False, **options: Any) -> Tensor:
        """This tensor with another dtype (or that of another tensor); the only device is the CPU."""
        for t in (*target, device):
            if isinstance(t, Tensor):
                dtype = t.dtype
            elif isinstance(t, str) and t.split(":")[0] != "cpu" or str(t).startswith("cuda"):
                raise RuntimeError(message(f"there is no device {t!s} here: everything runs on the CPU", op="to",
                                           instead='device = "cpu"'))
            elif t is not None and not isinstance(t, (str, bool)) and hasattr(t, "itemsize") or isinstance(t, type):
                dtype = t
        if dtype is None or np.dtype(dtype) == self.payload.dtype:
            return sh.clone(self) if copy else self
        return sh.cast(self, dtype=np.dtype(dtype))

    def type(self, dtype: Any = None) -> Any:
        """This tensor with another dtype; without one, the name of its own."""
        return f"torch.{self.dtype}" if dtype is None else self.to(dtype)

    def float(self) -> Tensor: return self.to(np.float32)
    def double(self) -> Tensor: return self.to(np.float64)
    def long(self) -> Tensor: return self.to(np.int64)
    def int(self) -> Tensor: return self.to(np.int32)
    def bool(self) -> Tensor: return self.to(np.bool_)
    def new_tensor(self, data: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
        """A new leaf with these numbers and, if not said otherwise, the dtype of this tensor."""
        return Tensor._leaf(np.array(sh.array(data), dtype or self.dtype), requires_grad)

    def new_full(self, size: Any, fill_value: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
        """A new leaf of this shape filled with one number, of the dtype of this tensor."""
        return Tensor._leaf(np.full(size, fill_value, dtype or self.dtype), requires_grad)

    def new_zeros(self, *size: Any, **options: Any) -> Tensor: return self.new_full(sh.sizes(size), 0, **options)
    def new_ones(self, *size: Any, **options: Any) -> Tensor: return self.new_full(sh.sizes(size), 1, **options)
    def new_empty(self, *size: Any, **options: Any) -> Tensor: return self.new_full(sh.sizes(size), 0, **options)
    def where(self, condition: Any, other: Any) -> Tensor: return ew.where(condition, self, other)
    def nonzero(self) -> Tensor:
        escapes(self, "nonzero()")
        return Tensor._leaf(np.stack(np.nonzero(np.atleast_1d(self.payload)), 1))

    def equal(self, other: Tensor) -> bool: return bool(np.array_equal(self.payload, other.payload))
    def allclose(self, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
        """Whether |self - other| <= atol + rtol |other| holds for all elements."""
        return bool(np.allclose(self.payload, other.payload, rtol, atol, equal_nan))

    def type_as(self, other: Tensor) -> Tensor: return self.to(other.dtype)
    def cpu(self) -> Tensor: return self
    def cuda(self, device: Any = None) -> Tensor: return self.to("cuda")

    # ---- operators that a Value does not have ------------------------------------------------------------------------
    def __matmul__(self, other: Any) -> Tensor: return pr.matmul(self, other)
    def __rmatmul__(self, other: Any) -> Tensor: return pr.matmul(other, self)
    def __and__(self, other: Any) -> Tensor: return ew.bitwise_and(self, other)
    def __or__(self, other: Any) -> Tensor: return ew.bitwise_or(self, other)
    def __xor__(self, other: Any) -> Tensor: return ew.bitwise_xor(self, other)
    def __invert__(self) -> Tensor: return ew.bitwise_not(self)
    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__
    def __getitem__(self, index: Any) -> Tensor: return sh.getitem(self, index=sh.plain(index))

    # ---- the functions of the same name ------------------------------------------------------------------------------
    add, sub, mul, div, neg, remainder, fmod = ew.add, ew.sub, ew.mul, ew.div, ew.neg, ew.remainder, ew.fmod
    subtract, multiply, divide, true_divide, negative, absolute = ew.sub, ew.mul, ew.div, ew.div, ew.neg, ew.abs
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

    matmul, dot, outer, mv, mm, bmm, trace = pr.matmul, pr.dot, pr.outer, pr.mv, pr.mm, pr.bmm, pr.trace
    det, inverse = la.det, la.inverse

    def view_as(self, other: Tensor) -> Tensor: return sh.view(self, other.shape)
    def reshape_as(self, other: Tensor) -> Tensor: return sh.reshape(self, other.shape)
    def expand_as(self, other: Tensor) -> Tensor: return sh.expand(self, other.shape)
    def softmax(self, dim: int) -> Tensor: return fu.softmax(self, dim=sh.axis(dim, self.ndim))
    def log_softmax(self, dim: int) -> Tensor: return fu.log_softmax(self, dim=sh.axis(dim, self.ndim))
    @property
    def T(self) -> Tensor:                            # noqa: N802  (PyTorch's name)
        """The dimensions in reverse order."""
        return sh.permute(self, tuple(range(self.ndim))[::-1])
    @property
    def mT(self) -> Tensor:                           # noqa: N802
        """The last two dimensions exchanged."""
        return sh.transpose(self, -2, -1)


class Hook:
    """What ``register_hook`` gives back: ``remove()`` takes the hook off again."""

    def __init__(self, tensor: Tensor, hook: Callable):
        self.tensor, self.hook = tensor, hook
        tensor.note = tensor.note.but(hooks=(*tensor.note.hooks, hook))

    def remove(self) -> None:
        """Take the hook off."""
        hooks = [h for h in self.tensor.note.hooks if h is not self.hook]
        self.tensor.note = self.tensor.note.but(hooks=tuple(hooks))


def promoted(y: ndarray, inputs: tuple) -> ndarray:
    """``y`` in the dtype that PyTorch gives: tensors with dimensions decide, a 0-d tensor or a number only where it is
    of a higher kind (bool < int < float); whole numbers that meet a float become the default float."""
    dims, zeros = [], []
    for x in inputs:
        p = x.payload if isinstance(x, Node) else x
        if isinstance(p, ndarray):
            (dims if p.ndim else zeros).append(p.dtype)
    if y.dtype.kind not in "fiu":
        return y
    if y.dtype is F64 and F64 in dims:
        return y
    of = {"b": 0, "i": 1, "u": 1, "f": 2}
    dtype = np.result_type(*dims) if dims else None
    if dims and {d.kind for d in dims} > {"f"}:       # ints among floats do not widen them
        dtype = np.result_type(*(d for d in dims if d.kind == "f"))
    for d in zeros:
        if dtype is None or of[d.kind] > of[dtype.kind]:
            dtype = d if dtype is None or d.kind != "f" or d in dims else d
        elif not dims and of[d.kind] == of[dtype.kind]:
            dtype = np.result_type(dtype, d)
    if dtype is None or of[y.dtype.kind] > of[dtype.kind]:
        dtype = Default.dtype if y.dtype.kind == "f" else I64
    return y if y.dtype is dtype else y.astype(dtype)


def viewed(y: ndarray, inputs: tuple) -> Node | None:
    """The tensor whose memory ``y``, the result of a viewing primitive, shares; None where it had to be copied."""
    for x in inputs:
        if isinstance(x, Node):
            p = x.payload
            if y.base is p or y.base is p.base and p.base is not None:
                return x if x.base is None else x.base
    return None


def seed_of(root: Any, gradient: Any, create_graph: bool) -> Any:
    """The adjoint that a sweep starts from: 1 for a single element, else what the user gave."""
    if not root.requires_grad:
        raise RuntimeError(message("element 0 of tensors does not require grad and does not have a grad_fn",
                                   op="backward", inputs=(root,), instead="make a leaf with requires_grad=True, "
                                   "compute outside no_grad(), and do not detach() on the way"))
    p = root.payload
    if gradient is None:
        if p.size != 1:
            raise RuntimeError(message("grad can be implicitly created only for scalar outputs", op="backward",
                                       inputs=(root,), instead="loss.sum().backward(), or backward(gradient)"))
        g: Any = ONE.get(p.dtype) if p.ndim == 0 else None
        g = np.ones(p.shape, p.dtype) if g is None or root.op is None else g
        return Tensor._leaf(g) if create_graph else g
    if tuple(gradient.shape) != p.shape:
        raise RuntimeError(message(f"Mismatch in shape: grad_output has a shape of {tuple(gradient.shape)} and output "
                                   f"has a shape of {p.shape}", op="backward", inputs=(root,)))
    if create_graph:
        return gradient if isinstance(gradient, Tensor) else Tensor._leaf(np.asarray(gradient, p.dtype))
    return np.array(gradient.payload if isinstance(gradient, Tensor) else gradient, p.dtype)


def accumulate(node: Tensor, g: Any) -> None:
    """node.grad += g. What a leaf receives is its own (see _fit); any other adjoint is copied the first time."""
    have = node._grad
    if isinstance(g, Tensor):
        if watcher := capturing():
            watcher.touched(node)
        if watcher is None or g.requires_grad:
            node._grad = g if have is None else have + g
        elif have is None:                            # captured, as in the other cases below
            node._grad = sh.clone(g)
        else:
            have._in_place(ew.add, g)
    elif have is None:
        node._grad = Tensor._leaf(g if node.op is None and g.__class__ is ndarray else np.array(g))
    else:
        np.add(have.payload, g, out=have.payload)


def escapes(x: Tensor, what: str) -> None:
    """Report that numbers leave the graph as ``what``: whatever is computed from them there, nobody records."""
    if watcher := capturing():
        watcher.escaped(x, what)


def refuse_leaf(x: Tensor, op: Primitive) -> None:
    """PyTorch's error for changing a leaf that needs a gradient."""
    if x.op is None and x.requires_grad:
        raise RuntimeError(message("a leaf Variable that requires grad is being used in an in-place operation.",
                                   op=op.name, inputs=(x,), layer=x.note.layer,
                                   instead="with tg.no_grad(): x += ..., or x = x + ..."))


def refuse_view(x: Tensor, op: Primitive) -> None:
    """The error for a recorded change through a view."""
    if x.base is not None:
        raise RuntimeError(message("a recorded in-place operation on a view would leave the tensor that it views "
                                   "without this step in its history", op=op.name, inputs=(x,), layer=x.note.layer,
                                   instead="assign through the tensor itself: x[index] = ..., or work on x.clone()"))


def in_place_error(error: Exception, op: Primitive, x: Tensor, others: tuple) -> Exception:
    """NumPy's refusal of an in-place operation as PyTorch's: a RuntimeError, or IndexError for an index."""
    kind = type(error) if isinstance(error, (IndexError, RuntimeError)) else RuntimeError
    return kind(message(str(error), op=f"{op.name}, in place", inputs=(x, *others), layer=local.mode.note.layer,
                        instead="x = x + y makes a new tensor of the common shape and dtype"))


def _rebuilt(kind: type[Tensor], payload: ndarray, requires_grad: bool) -> Tensor:
    """A tensor out of a pickle."""
    return kind._leaf(payload, requires_grad)
