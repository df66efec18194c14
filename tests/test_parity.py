"""Every public function and Tensor method with a PyTorch twin: the same line under both libraries, values, gradients,
dtypes and shapes compared. A completeness test holds the table to the public names."""
from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest
import torch
from parity import both, same
from test_elementwise import BINARY, UNARY

import tinygrad_edu as tg

rng = np.random.default_rng(3)
A = rng.normal(size=(3, 4))
B = rng.normal(size=(3, 4))
C = rng.normal(size=(2, 3, 4))
V = rng.normal(size=4)
W = rng.normal(size=4)
SQ = rng.normal(size=(3, 3)) + 3 * np.eye(3)
SPD = SQ @ SQ.T + np.eye(3)
P = rng.uniform(0.2, 2, (3, 4))
INT = rng.integers(0, 9, (3, 4))
BOOL = A > 0
ROWS = np.array([2, 0, 2, 1])
NAN = np.where(A > 1, np.nan, A)

# name -> (program of (lib, *inputs), inputs); the name is the function's, or "x.name" for a method
TABLE: dict[str, tuple] = {
    # reductions
    "sum": (lambda lib, x: [lib.sum(x), lib.sum(x, 1), x.sum((0, 2), keepdim=True), x.sum(-1, True), x.sum(dim=0), x.sum(axis=1)], C),
    "mean": (lambda lib, x: [lib.mean(x), lib.mean(x, 1), x.mean((0, 2), keepdim=True)], C),
    "var": (lambda lib, x: [lib.var(x), x.var(1), x.var((0, 2), keepdim=True), x.var(0, unbiased=False), x.var(1, correction=0)], C),
    "std": (lambda lib, x: [lib.std(x), x.std(1), x.std((0, 2), keepdim=True), x.std(0, unbiased=False)], C),
    "var_mean": (lambda lib, x: lib.var_mean(x, 1), C),
    "std_mean": (lambda lib, x: lib.std_mean(x, 1), C),
    "prod": (lambda lib, x: [lib.prod(x), x.prod(1), x.prod(-1, keepdim=True)], C),
    "max": (lambda lib, x, y: [lib.max(x), *lib.max(x, 1), *x.max(-1, keepdim=True), lib.max(x, y)], A, B),
    "min": (lambda lib, x, y: [lib.min(x), *lib.min(x, 1), *x.min(-1, keepdim=True), lib.min(x, y)], A, B),
    "amax": (lambda lib, x: [lib.amax(x), x.amax(1), x.amax((0, 2), keepdim=True)], C),
    "amin": (lambda lib, x: [lib.amin(x), x.amin(1), x.amin((0, 2), keepdim=True)], C),
    "aminmax": (lambda lib, x: [*lib.aminmax(x), *lib.aminmax(x, dim=1)], A),
    "argmax": (lambda lib, x: [lib.argmax(x), x.argmax(1), x.argmax(-1, keepdim=True)], C),
    "argmin": (lambda lib, x: [lib.argmin(x), x.argmin(1), x.argmin(-1, keepdim=True)], C),
    "logsumexp": (lambda lib, x: [lib.logsumexp(x, 1), x.logsumexp((0, 2), keepdim=True)], C),
    "norm": (lambda lib, x: [lib.norm(x), x.norm(dim=1), x.norm(1, dim=0), x.norm(p=3, dim=1, keepdim=True),
                             x.norm(float("inf")), lib.norm(x, 2)], A),
    "cumsum": (lambda lib, x: [lib.cumsum(x, 0), x.cumsum(-1)], C),
    "cumprod": (lambda lib, x: [lib.cumprod(x, 0), x.cumprod(-1)], C),
    "logcumsumexp": (lambda lib, x: lib.logcumsumexp(x, 1), C),
    "any": (lambda lib, x: [lib.any(x), x.any(1), x.any(0, keepdim=True)], BOOL),
    "all": (lambda lib, x: [lib.all(x), x.all(1), x.all(0, keepdim=True)], BOOL),
    "median": (lambda lib, x: [lib.median(x), *x.median(1), *x.median(0, keepdim=True)], A),
    "sort": (lambda lib, x: [*lib.sort(x), *x.sort(0, descending=True)], A),
    "argsort": (lambda lib, x: [lib.argsort(x), x.argsort(0, descending=True)], A),
    "topk": (lambda lib, x: [*lib.topk(x, 2), *x.topk(2, 0, largest=False)], A),
    "count_nonzero": (lambda lib, x: [lib.count_nonzero(x), x.count_nonzero(1)], INT),
    "nansum": (lambda lib, x: [lib.nansum(x), x.nansum(1)], NAN),
    "nanmean": (lambda lib, x: [lib.nanmean(x), x.nanmean(1)], NAN),
    # shape
    "reshape": (lambda lib, x: [lib.reshape(x, (4, 6)), x.reshape(-1), x.reshape(2, -1)], C),
    "x.view": (lambda lib, x: [x.view(4, 6), x.view(-1), x.view(2, 12)], C),
    "permute": (lambda lib, x: [lib.permute(x, (2, 0, 1)), x.permute(1, 0, 2)], C),
    "transpose": (lambda lib, x: [lib.transpose(x, 0, 2), x.transpose(-1, -2)], C),
    "swapaxes": (lambda lib, x: [lib.swapaxes(x, 0, 2), x.swapaxes(0, 1)], C),
    "swapdims": (lambda lib, x: x.swapdims(0, 1), C),
    "t": (lambda lib, x: [lib.t(x), x.t(), x.T, x.mT], A),
    "movedim": (lambda lib, x: [lib.movedim(x, 0, 2), x.movedim((0, 1), (2, 0))], C),
    "moveaxis": (lambda lib, x: [lib.moveaxis(x, 0, 2), x.moveaxis(0, -1)], C),
    "squeeze": (lambda lib, x: [lib.squeeze(x[:, :1]), x[:, :1].squeeze(1), x.squeeze(0)], C),
    "unsqueeze": (lambda lib, x: [lib.unsqueeze(x, 0), x.unsqueeze(-1)], A),
    "flatten": (lambda lib, x: [lib.flatten(x), x.flatten(1), x.flatten(0, 1)], C),
    "ravel": (lambda lib, x: [lib.ravel(x), x.ravel()], C),
    "unflatten": (lambda lib, x: x.unflatten(1, (2, 2)), A),
    "x.expand": (lambda lib, x: [x.expand(2, 3, 4), x[:, :1].expand(-1, 5)], A),
    "broadcast_to": (lambda lib, x: lib.broadcast_to(x, (2, 3, 4)), A),
    "broadcast_tensors": (lambda lib, x, y: lib.broadcast_tensors(x, y), A, V),
    "broadcast_shapes": (lambda lib, x: tuple(lib.broadcast_shapes((3, 1), (1, 4))), A),
    "meshgrid": (lambda lib, x, y: [*lib.meshgrid(x, y, indexing="ij"), *lib.meshgrid(x, y, indexing="xy")], V, W),
    "x.repeat": (lambda lib, x: [x.repeat(2, 1), x.repeat(2, 1, 3)], A),
    "tile": (lambda lib, x: [lib.tile(x, (2,)), x.tile(2, 1)], A),
    "repeat_interleave": (lambda lib, x: [lib.repeat_interleave(x, 2), x.repeat_interleave(3, dim=1)], A),
    "cat": (lambda lib, x, y: [lib.cat([x, y]), lib.cat((x, y), dim=1)], A, B),
    "concat": (lambda lib, x, y: lib.concat([x, y], -1), A, B),
    "concatenate": (lambda lib, x, y: lib.concatenate([x, y], 1), A, B),
    "stack": (lambda lib, x, y: [lib.stack([x, y]), lib.stack((x, y), dim=1), lib.stack([x, y], -1)], A, B),
    "hstack": (lambda lib, x, y: lib.hstack([x, y]), A, B),
    "vstack": (lambda lib, x, y: lib.vstack([x, y]), A, B),
    "split": (lambda lib, x: [*lib.split(x, 2, 1), *x.split([1, 3], dim=1)], A),
    "chunk": (lambda lib, x: [*lib.chunk(x, 2), *x.chunk(3, dim=1)], A),
    "unbind": (lambda lib, x: [*lib.unbind(x), *x.unbind(1)], A),
    "flip": (lambda lib, x: [lib.flip(x, (0,)), x.flip(0, 1)], A),
    "roll": (lambda lib, x: [lib.roll(x, 1), x.roll(1, 0), x.roll((1, 2), (0, 1))], A),
    "tril": (lambda lib, x: [lib.tril(x), x.tril(1)], A),
    "triu": (lambda lib, x: [lib.triu(x), x.triu(-1)], A),
    "diag": (lambda lib, x, v: [lib.diag(x), x.diag(1), lib.diag(v)], A, V),
    "diagonal": (lambda lib, x: [lib.diagonal(x), x.diagonal(1), x.diagonal(dim1=1, dim2=0)], A),
    "diag_embed": (lambda lib, x: lib.diag_embed(x), A),
    "gather": (lambda lib, x: [lib.gather(x, 1, lib.tensor([[0, 0], [1, 3]])), x.gather(0, lib.tensor([[2, 1, 2, 0]]))], A),
    "scatter": (lambda lib, x, y: [lib.scatter(x, 1, lib.tensor([[0, 2, 1, 3], [1, 3, 0, 2], [3, 0, 1, 2]]), y), x.scatter(0, lib.tensor([[1, 2, 0, 1]]), 5.0)], A, B),
    "scatter_add": (lambda lib, x, y: lib.scatter_add(x, 0, lib.tensor([[0, 0, 1, 2], [0, 1, 1, 2], [2, 2, 2, 2]]), y), A, B),
    "index_select": (lambda lib, x: [lib.index_select(x, 0, lib.tensor([0, 2, 0])), x.index_select(1, lib.tensor([3, 1]))], A),
    "masked_fill": (lambda lib, x: [x.masked_fill(x > 0, 2.0), lib.masked_fill(x, x > 1, float("-inf")).exp()], A),
    "masked_select": (lambda lib, x: [lib.masked_select(x, x > 0), x.masked_select(x < 0)], A),
    "take_along_dim": (lambda lib, x: lib.take_along_dim(x, lib.tensor([[0], [2], [1]]), 1), A),
    "take": (lambda lib, x: lib.take(x, lib.tensor([0, 5, 5])), A),
    "narrow": (lambda lib, x: [lib.narrow(x, 1, 1, 2), x.narrow(0, 0, 2)], A),
    "select": (lambda lib, x: [lib.select(x, 1, 2), x.select(0, -1)], A),
    "x.unfold": (lambda lib, x: [x.unfold(1, 2, 1), x.unfold(0, 2, 2)], A),
    "atleast_1d": (lambda lib, x: lib.atleast_1d(x), np.array(2.0)),
    "atleast_2d": (lambda lib, x: lib.atleast_2d(x), V),
    "atleast_3d": (lambda lib, x: lib.atleast_3d(x), A),
    "clone": (lambda lib, x: [lib.clone(x), x.clone()], A),
    "x.contiguous": (lambda lib, x: x.t().contiguous(), A),
    "x.indexing": (lambda lib, x: [x[0], x[:, 1], x[..., -1], x[0, 1, 2], x[None], x[:, None], x[1:, ::2], x[[1, 0]], x[:, [0, 2, 2]],
                                   x[[0, 1], [1, 2]], x[x > 0], x[0][x[0] > 0], x[:, lib.tensor([1, 1])], x[lib.tensor([True, False])],
                                   x[0, [0, 2]], x[[0, 1], :, [1, 2]], x[..., [0, 1]], x[-1, ..., None], x[:, :, 1:3]], C),
    "x.view_as": (lambda lib, x, y: [x.view_as(y.T.contiguous()), x.reshape_as(y.T), x[:1].expand_as(y)], A, B),
    # linear algebra
    "matmul": (lambda lib, x, y: [lib.matmul(x, y.T), x @ y[0], x[0] @ y.T, x[0] @ y[0], x[None] @ y.T, x @ y.T.unsqueeze(0).expand(2, 4, 3)], A, B),
    "mm": (lambda lib, x, y: lib.mm(x, y.T), A, B),
    "mv": (lambda lib, x, v: [lib.mv(x, v), x.mv(v)], A, V),
    "bmm": (lambda lib, x: lib.bmm(x, x.transpose(1, 2)), C),
    "dot": (lambda lib, v, w: [lib.dot(v, w), v.dot(w)], V, W),
    "outer": (lambda lib, v, w: [lib.outer(v, w), v.outer(w)], V, W),
    "inner": (lambda lib, x, v: [lib.inner(x, v), lib.inner(x, x)], A, V),
    "einsum": (lambda lib, x, y: [lib.einsum("ij,kj->ik", x, y), lib.einsum("ij->j", x), lib.einsum("ij,ij", x, y), lib.einsum("...j,j->...", x, y[0])], A, B),
    "tensordot": (lambda lib, x, y: lib.tensordot(x, y, dims=([1], [1])), A, B),
    "kron": (lambda lib, x, y: lib.kron(x, y), A, SQ),
    "cross": (lambda lib, x, y: lib.cross(x, y, dim=0), A, B),
    "trace": (lambda lib, x: lib.trace(x), SQ),
    "det": (lambda lib, x: [lib.det(x), x.det()], SQ),
    "logdet": (lambda lib, x: lib.logdet(x), SPD),
    "slogdet": (lambda lib, x: list(lib.slogdet(x)), SPD),
    "inverse": (lambda lib, x: [lib.inverse(x), x.inverse()], SQ),
    "pinverse": (lambda lib, x: lib.pinverse(x), A),
    "cholesky": (lambda lib, x: lib.cholesky(x), SPD),
    "matrix_power": (lambda lib, x: [lib.matrix_power(x, 3), lib.matrix_power(x, 0)], SQ),
    "chain_matmul": (lambda lib, x, y: lib.linalg.multi_dot([x, y.T, x]), A, B),
    "svd": (lambda lib, x: lib.svd(x)[1], A),
    "qr": (lambda lib, x: [v.abs() for v in lib.qr(x.T)], A),
    "addmm": (lambda lib, x, y, m: lib.addmm(m, x, y.T, beta=0.5, alpha=2), A, B, SQ),
    "addcmul": (lambda lib, x, y: lib.addcmul(x, y, y, value=0.5), A, B),
    "addcdiv": (lambda lib, x, p: lib.addcdiv(x, x, p, value=0.5), A, P),
    # the rest
    "softmax": (lambda lib, x: [lib.softmax(x, 1), x.softmax(0), lib.softmax(x, dim=-1)], C),
    "log_softmax": (lambda lib, x: [lib.log_softmax(x, 1), x.log_softmax(-1)], C),
    "where": (lambda lib, x, y: [lib.where(x > 0, x, y), lib.where(x > 0, x, 0.0)], A, B),
    "clamp": (lambda lib, x: [lib.clamp(x, -0.5, 0.5), x.clamp(max=0.2), lib.clip(x, min=0)], A),
    "clip": (lambda lib, x: [lib.clip(x, -1, 1), x.clip(0)], A),
    "lerp": (lambda lib, x, y: [lib.lerp(x, y, 0.3), lib.lerp(x, y, x)], A, B),
    "allclose": (lambda lib, x: lib.allclose(x, x + 1e-9), A),
    "equal": (lambda lib, x, y: [lib.equal(x, x), lib.equal(x, y)], A, B),
    "numel": (lambda lib, x: [lib.numel(x), x.numel(), x.nelement(), x.dim(), x.ndim, x.ndimension(), tuple(x.shape), tuple(x.size()), x.size(0), len(x)], A),
    "nonzero": (lambda lib, x: [lib.nonzero(x), *lib.nonzero(x, as_tuple=True)], INT),
    "argwhere": (lambda lib, x: lib.argwhere(x), INT),
    "unique": (lambda lib, x: [lib.unique(x), *lib.unique(x, return_inverse=True, return_counts=True)], INT),
    "bincount": (lambda lib, x: [lib.bincount(x), lib.bincount(x, minlength=7)], ROWS),
    "is_floating_point": (lambda lib, x: [lib.is_floating_point(x), x.is_floating_point(), lib.is_tensor(x)], A),
    "is_tensor": (lambda lib, x: [lib.is_tensor(x), lib.is_tensor(3)], A),
    "is_nonzero": (lambda lib, x: lib.is_nonzero(x[0, 0]), A),
    "arctan2": (lambda lib, x, y: lib.arctan2(x, y), A, B),
    "arccos": (lambda lib, x: [lib.arccos(x.tanh()), lib.arcsin(x.tanh()), lib.arctanh(x.tanh() * 0.9)], A),
    "arccosh": (lambda lib, x: [lib.arccosh(x + 2), lib.arcsinh(x)], P),
    "multiply": (lambda lib, x, y: [lib.multiply(x, y), lib.subtract(x, y), x.multiply(y), x.subtract(y)], A, B),
    "divide": (lambda lib, x, y: [lib.divide(x, y), lib.true_divide(x, y), x.divide(y)], A, P),
    "greater": (lambda lib, x, y: [lib.greater(x, y), lib.less(x, y), lib.greater_equal(x, y), lib.less_equal(x, y), lib.not_equal(x, y)], A, B),
    "remainder": (lambda lib, x: [lib.remainder(x, 0.7), x.remainder(0.7), lib.floor_divide(x.detach(), 0.7)], A),
    "bitwise_and": (lambda lib, x: [lib.bitwise_and(x, x), lib.bitwise_or(x, x), lib.bitwise_xor(x, x), lib.bitwise_not(x)], BOOL),
    # factories
    "zeros": (lambda lib, x: [lib.zeros(2, 3), lib.zeros((2,)), lib.zeros([]), lib.ones(2, dtype=lib.int64), lib.full((2,), 1.5), lib.full((2,), 3),
                              lib.zeros_like(x), lib.ones_like(x, dtype=lib.float32), lib.full_like(x, 7)], A),
    "eye": (lambda lib, x: [lib.eye(3), lib.eye(2, 3)], A),
    "arange": (lambda lib, x: [lib.arange(5), lib.arange(1, 5, 2), lib.arange(0, 1, 0.25), lib.arange(3.0), lib.arange(3, dtype=lib.float64)], A),
    "linspace": (lambda lib, x: [lib.linspace(0, 1, 5), lib.linspace(-1, 1, steps=4), lib.logspace(0, 2, 3)], A),
    "tensor": (lambda lib, x: [lib.tensor([1, 2]), lib.tensor([1.0, 2]), lib.tensor(3), lib.tensor(True), lib.tensor([[1], [2]], dtype=lib.float64),
                               lib.tensor([]), lib.as_tensor([1.5]), lib.from_numpy(np.arange(3.0)), lib.asarray([1, 2])], A),
    "tril_indices": (lambda lib, x: [lib.tril_indices(3, 4), lib.triu_indices(3, 3, 1)], A),
    "promote_types": (lambda lib, x: [lib.zeros(1, dtype=lib.promote_types(lib.int32, lib.float32)),
                                      lib.zeros(1, dtype=lib.result_type(lib.zeros(2), 1.5)), lib.can_cast(lib.float32, lib.int64)], A),
    "finfo": (lambda lib, x: [lib.finfo(lib.float32).eps, lib.finfo(lib.float64).max, lib.iinfo(lib.int32).max], A),
    "randperm": (lambda lib, x: [lib.randperm(5).sort()[0], lib.randint(3, 4, (2,)), lib.rand(2, 3) * 0, lib.randn(2) * 0, lib.rand_like(x.detach()) * 0,
                                 lib.randn_like(x.detach()) * 0, lib.randint_like(x.detach(), 1), lib.bernoulli(lib.ones(3)), lib.normal(0.0, 1.0, (2,)) * 0,
                                 lib.multinomial(lib.tensor([0.0, 1.0]), 1)], A),
    "get_default_dtype": (lambda lib, x: lib.zeros(1, dtype=lib.get_default_dtype()), A),
    # methods
    "x.to": (lambda lib, x: [x.to(lib.float32), x.to(lib.float64), x.float(), x.double(), x.long(), x.int(), x.bool(), x.to("cpu"), x.cpu(),
                             x.type_as(x.float())], A),
    "x.inplace": (lambda lib, x, y: [(x * 1).add_(y).mul_(2).sub_(1).div_(3).neg_(), (x * 1).tanh_(), (x * 1).exp_(), (x * x + 1).sqrt_(), x.is_cuda, (x * 1).relu_(),
                                     (x * 1).clamp_(-1, 1).abs_(), (x * x + 1).log_(), (x * 1).addcdiv_(y, y * y + 1, value=2), (x * x).pow_(2), (x * 1).zero_(), (x * 1).fill_(2.0), (x * 1).copy_(y),
                                     (x * 1).masked_fill_(x.detach() > 0, 0.5), (x * 1).sigmoid_(), (x * 1).add_(y, alpha=0.5), (x * 1).addcmul_(y, y, value=0.1)], A, B),
    "empty": (lambda lib, x: [lib.empty(2, 3).zero_(), lib.empty_like(x.detach()).zero_()], A),
    "x.scatter_": (lambda lib, x, y: [(x * 1).scatter_(1, lib.tensor([[0, 2, 1, 3], [1, 3, 0, 2], [3, 0, 1, 2]]), y), (x * 1).scatter_(0, lib.tensor([[1, 2, 0, 1]]), 5.0),
                                      (x * 1).scatter_add_(0, lib.tensor([[0, 0, 1, 2], [0, 1, 1, 2], [2, 2, 2, 2]]), y)], A, B),
    "x.linalg": (lambda lib, x: [x.slogdet()[1], x.logdet(), x.cholesky(), x.pinverse(), x.matrix_power(3), x.kron(x), x.qr()[1].abs(), x.svd().S,
                                 x.diag_embed(), x.take(lib.tensor([0, 5])), x.logcumsumexp(1), x.cross(x.T, 0), x.addmm(x, x, beta=2), x.addcmul(x, x, value=3),
                                 x.addcdiv(x, x, value=2), x.inner(x)], SPD),
    "x.device": (lambda lib, x: [x.device.type, x.to(x.device) is x, x.device == lib.device("cpu"), str(x.device), x.argwhere(), *x.nonzero(as_tuple=True)], A),
    "x.grad": (lambda lib, x: [x.detach().requires_grad_().requires_grad, x.new_empty(2) * 0, x.requires_grad, x.is_leaf, (x * 2).requires_grad, (x * 2).is_leaf, x.detach().requires_grad, x.grad is None], A),
    "x.methods": (lambda lib, x, y: [x.add(y), x.sub(y), x.mul(y), x.div(y * y + 1), x.pow(2), x.exp(), x.tanh(), x.eq(y), x.lt(y), x.maximum(y), x.matmul(y.T),
                                     x.where(y > 0, y), x.isnan(), x.logical_not(), x.square(), x.sign(), x.round(), x.allclose(x), x.new_zeros(2), x.new_ones((2, 3)),
                                     x.new_tensor([1.0]), x.new_full((2,), 3.0), x.equal(y), x.nonzero(), x.T.mm(y), x.sgn()], A, B),
}


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.filterwarnings("ignore:torch.cholesky:UserWarning", "ignore:torch.qr:UserWarning", "ignore:torch.chain_matmul")
def test_same_as_pytorch(name):
    program, *inputs = TABLE[name]
    both(program, *inputs)


@pytest.mark.parametrize("name", [n for n in TABLE if TABLE[n][1].dtype == np.float64 and n not in ("kron",)])
@pytest.mark.filterwarnings("ignore:torch.cholesky:UserWarning", "ignore:torch.qr:UserWarning", "ignore:torch.chain_matmul")
def test_same_as_pytorch_in_float32(name):
    program, *inputs = TABLE[name]
    both(program, *[x.astype(np.float32) if x.dtype == np.float64 else x for x in inputs], rtol=2e-4, atol=2e-5)


ELSEWHERE = {                                         # held against torch by tests of their own
    *UNARY, *BINARY, "nn", "optim", "utils", "autograd", "linalg", "random", "compile", "save", "load", "no_grad", "enable_grad", "set_grad_enabled",
    "is_grad_enabled", "inference_mode", "Tensor", "Value", "manual_seed", "seed", "initial_seed", "get_rng_state", "set_rng_state", "Generator",
    "default_generator", "cuda", "device", "dtype", "Size", "set_default_dtype", "pi", "e", "inf", "nan", "newaxis", "set_detect_anomaly"}


def test_every_public_name_with_a_twin_is_compared():
    source = Path(__file__).read_text()
    names = [n for n in dir(tg) if not n.startswith("_") and hasattr(torch, n) and not inspect.ismodule(getattr(tg, n, None))
             and not isinstance(getattr(tg, n), np.dtype)]
    missing = [n for n in names if n not in TABLE and n not in ELSEWHERE and f"lib.{n}(" not in source]
    assert missing == []


def test_every_tensor_method_with_a_twin_is_compared():
    source = "".join(Path(__file__).with_name(f"test_{k}.py").read_text() for k in ("parity", "call_forms", "elementwise", "graph", "tensor", "random"))
    names = [n for n in dir(tg.Tensor) if not n.startswith("_") and hasattr(torch.Tensor, n)]
    missing = [n for n in names if n not in TABLE and n not in ELSEWHERE and f".{n}(" not in source and f".{n}" not in source]
    assert missing == []


def test_grad_of_an_ordering_goes_where_torch_sends_it():
    ties = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    for f in (lambda lib, x: x.max(), lambda lib, x: x.amax(1), lambda lib, x: x.min(), lambda lib, x: x.amin(0), lambda lib, x: x.max(1)[0]):
        both(f, ties)


def test_products_with_zeros():
    for x in (np.array([2.0, 0.0, 3.0]), np.array([0.0, 0.0, 3.0]), np.array([[1.0, 0.0], [2.0, 4.0]])):
        both(lambda lib, x: [x.prod(), x.prod(0), x.cumprod(0)], x)


def test_empty_tensors():
    empty = np.zeros((0, 3))
    both(lambda lib, x: [x.sum(), x.sum(0), x.prod(), x.cumsum(0), x.exp(), x @ lib.ones(3, 2, dtype=lib.float64), lib.cat([x, x]), x.reshape(3, 0)], empty)
    same(tg.zeros(0).sum(), torch.zeros(0).sum())
