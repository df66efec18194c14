"""What moves numbers, against PyTorch: layout, indexing, joining, choosing; views, second derivatives, errors."""
from __future__ import annotations

import numpy as np
import pytest
import torch
from parity import both, same
from samples_shape import CUBE, MATRIX, NUMBER, ROW, STRIDED

import tinygrad_edu as tg

WIDE = np.random.default_rng(3).normal(size=(1, 3, 1, 2))
BOX = np.random.default_rng(4).normal(size=(3, 3, 4))

LAYOUT = {
    "reshape": [(MATRIX, lambda lib, x: x.reshape(4, 3)), (MATRIX, lambda lib, x: lib.reshape(x, (2, -1))),
                (STRIDED, lambda lib, x: x.reshape(-1)), (NUMBER, lambda lib, x: x.reshape(1, 1)),
                (MATRIX[:1, :1], lambda lib, x: x.reshape(())), (MATRIX[:0], lambda lib, x: x.reshape(2, 0))],
    "view": [(MATRIX, lambda lib, x: x.view(2, 6)), (CUBE, lambda lib, x: x.view(-1, 4)),
             (MATRIX, lambda lib, x: x.view_as(lib.zeros(12))), (MATRIX, lambda lib, x: x[:, :2].view(3, 2, 1))],
    "permute": [(CUBE, lambda lib, x: x.permute(2, 0, 1)), (CUBE, lambda lib, x: lib.permute(x, (1, -1, 0))),
                (CUBE, lambda lib, x: x.permute(dims=(0, 2, 1))), (NUMBER, lambda lib, x: x.permute(()))],
    "transpose": [(CUBE, lambda lib, x: x.transpose(0, -1)), (MATRIX, lambda lib, x: lib.transpose(x, 0, 1)),
                  (MATRIX, lambda lib, x: lib.swapaxes(x, 0, 1)), (CUBE, lambda lib, x: lib.swapdims(x, 1, 2)),
                  (MATRIX, lambda lib, x: x.t()), (ROW, lambda lib, x: lib.t(x)), (MATRIX, lambda lib, x: x.T),
                  (CUBE, lambda lib, x: x.mT), (NUMBER, lambda lib, x: x.transpose(0, 0))],
    "movedim": [(CUBE, lambda lib, x: lib.movedim(x, 0, 2)), (CUBE, lambda lib, x: x.movedim((0, 1), (-1, 0))),
                (CUBE, lambda lib, x: lib.moveaxis(x, 2, 0)), (WIDE, lambda lib, x: x.movedim((3, 0), (0, 1)))],
    "squeeze": [(WIDE, lambda lib, x: x.squeeze()), (WIDE, lambda lib, x: lib.squeeze(x, 0)),
                (WIDE, lambda lib, x: x.squeeze(1)), (WIDE, lambda lib, x: x.squeeze((0, -2))),
                (NUMBER, lambda lib, x: x.squeeze()), (NUMBER, lambda lib, x: x.squeeze(0))],
    "unsqueeze": [(MATRIX, lambda lib, x: x.unsqueeze(1)), (STRIDED, lambda lib, x: lib.unsqueeze(x, -1)),
                  (NUMBER, lambda lib, x: x.unsqueeze(0))],
    "flatten": [(CUBE, lambda lib, x: x.flatten()), (CUBE, lambda lib, x: lib.flatten(x, 1)),
                (WIDE, lambda lib, x: x.flatten(1, -2)), (NUMBER, lambda lib, x: x.flatten()),
                (STRIDED, lambda lib, x: lib.ravel(x)), (CUBE[:, :0], lambda lib, x: x.flatten(1))],
    "unflatten": [(MATRIX, lambda lib, x: x.unflatten(1, (2, 2))),
                  (MATRIX, lambda lib, x: lib.unflatten(x, -1, (2, -1)))],
    "expand": [(ROW, lambda lib, x: x.expand(3, 4)), (MATRIX[:, :1], lambda lib, x: x.expand(-1, 5)),
               (MATRIX, lambda lib, x: x.expand(2, -1, -1)), (NUMBER, lambda lib, x: x.expand(2, 2)),
               (STRIDED[:1], lambda lib, x: lib.broadcast_to(x, (2, 3, 4))),
               (ROW, lambda lib, x: x.expand_as(lib.zeros(2, 4))),
               (MATRIX[:, :1], lambda lib, x: x.expand(size=(3, 0)) if lib is torch else x.expand(3, 0))],
    "repeat": [(MATRIX, lambda lib, x: x.repeat(2, 3)), (ROW, lambda lib, x: x.repeat(2, 1, 2)),
               (MATRIX, lambda lib, x: x.repeat((1, 0))), (NUMBER, lambda lib, x: x.repeat(3)),
               (MATRIX, lambda lib, x: lib.tile(x, (2,))), (ROW, lambda lib, x: x.tile(2, 2)),
               (MATRIX, lambda lib, x: lib.repeat_interleave(x, 2)),
               (MATRIX, lambda lib, x: x.repeat_interleave(2, dim=1)),
               (MATRIX, lambda lib, x: x.repeat_interleave(lib.tensor([1, 0, 2]), 0))],
    "flip": [(MATRIX, lambda lib, x: x.flip(0)), (CUBE, lambda lib, x: lib.flip(x, (0, -1))),
             (CUBE, lambda lib, x: x.flip(1, 2)), (MATRIX, lambda lib, x: lib.flip(x, dims=[1]))],
    "roll": [(MATRIX, lambda lib, x: x.roll(1)), (MATRIX, lambda lib, x: lib.roll(x, -2, 1)),
             (CUBE, lambda lib, x: x.roll((1, 2), (0, 2))), (CUBE, lambda lib, x: lib.roll(x, shifts=5, dims=-1))],
    "atleast": [(NUMBER, lambda lib, x: lib.atleast_1d(x)), (ROW, lambda lib, x: lib.atleast_2d(x)),
                (ROW, lambda lib, x: lib.atleast_3d(x)), (MATRIX, lambda lib, x: lib.atleast_3d(x)),
                (CUBE, lambda lib, x: lib.atleast_3d(x))],
    "copy": [(STRIDED, lambda lib, x: x.clone()), (STRIDED, lambda lib, x: x.contiguous()),
             (MATRIX, lambda lib, x: x.to(lib.float32)), (MATRIX, lambda lib, x: x.float().double())],
}
PARTS = {
    "cat": [(MATRIX, lambda lib, x: lib.cat([x, x * 2])), (MATRIX, lambda lib, x: lib.cat((x, x[:, :1], x[:, :0]), 1)),
            (MATRIX, lambda lib, x: lib.cat([x, x], dim=-1)), (MATRIX, lambda lib, x: lib.concat([lib.empty(0), x])),
            (MATRIX, lambda lib, x: lib.cat([x, x.float()])),
            (MATRIX, lambda lib, x: lib.cat([x, lib.ones(1, 4).long()]))],
    "stack": [(MATRIX, lambda lib, x: lib.stack([x, x * 2])), (MATRIX, lambda lib, x: lib.stack((x, x, x), -1)),
              (NUMBER, lambda lib, x: lib.stack([x, x])), (MATRIX, lambda lib, x: lib.stack([x, x], dim=1)),
              (MATRIX, lambda lib, x: lib.hstack([x, x])), (ROW, lambda lib, x: lib.hstack([x, x])),
              (ROW, lambda lib, x: lib.vstack([x, x])), (MATRIX, lambda lib, x: lib.vstack([x, x[:1]]))],
    "split": [(MATRIX, lambda lib, x: x.split(2)), (MATRIX, lambda lib, x: lib.split(x, [1, 3], dim=1)),
              (MATRIX, lambda lib, x: x.split(5)), (MATRIX, lambda lib, x: x.chunk(2, 1)),
              (ROW, lambda lib, x: x.chunk(3)),
              (ROW, lambda lib, x: lib.chunk(x, 9)), (MATRIX, lambda lib, x: x.unbind()),
              (CUBE, lambda lib, x: lib.unbind(x, -1)),
              (CUBE, lambda lib, x: tuple(x)), (MATRIX[:0], lambda lib, x: x.split(2)),
              (MATRIX[:, :2], lambda lib, x: x[:, 0]),
              (MATRIX[:0], lambda lib, x: x.chunk(2))],
    "narrow": [(MATRIX, lambda lib, x: x.narrow(1, 1, 2)), (MATRIX, lambda lib, x: lib.narrow(x, 0, -2, 2)),
               (CUBE, lambda lib, x: x.select(1, -1)), (MATRIX, lambda lib, x: lib.select(x, 0, 1))],
    "triangles": [(MATRIX, lambda lib, x: x.tril()), (MATRIX, lambda lib, x: lib.tril(x, 1)),
                  (CUBE, lambda lib, x: x.triu(-1)), (CUBE, lambda lib, x: lib.triu(x, diagonal=2))],
    "diagonals": [(MATRIX, lambda lib, x: x.diag()), (ROW, lambda lib, x: lib.diag(x)),
                  (ROW, lambda lib, x: lib.diag(x, -2)),
                  (MATRIX, lambda lib, x: lib.diag(x, 2)), (CUBE, lambda lib, x: lib.diagonal(x, 1, 1, 2)),
                  (CUBE, lambda lib, x: x.diagonal()), (CUBE, lambda lib, x: lib.diagonal(x, -1, 2, 0)),
                  (MATRIX, lambda lib, x: lib.diag(x, 7)), (MATRIX, lambda lib, x: lib.diag_embed(x)),
                  (MATRIX, lambda lib, x: lib.diag_embed(x, 1, 0, 2)), (MATRIX, lambda lib, x: lib.diag_embed(x, -1))],
    "gather": [(MATRIX, lambda lib, x: x.gather(0, lib.tensor([[0, 2, 2, 1], [2, 2, 0, 0]]))),
               (MATRIX, lambda lib, x: lib.gather(x, -1, lib.tensor([[3, 3, 0], [1, 1, 1]]))),
               (ROW, lambda lib, x: lib.gather(x, 0, lib.tensor([3, 3]))),
               (MATRIX, lambda lib, x: lib.take_along_dim(x, lib.tensor([[0], [3], [1]]), 1)),
               (MATRIX, lambda lib, x: lib.take_along_dim(x, lib.tensor([[2, 1, 0, 0]]), dim=0)),
               (MATRIX, lambda lib, x: lib.take_along_dim(x, lib.tensor([11, 0, 0]))),
               (MATRIX, lambda lib, x: lib.take(x, lib.tensor([[11, 0], [5, 5]])))],
    "scatter": [(MATRIX, lambda lib, x: (x * 0).scatter(0, lib.tensor([[0, 1, 2, 0], [2, 2, 0, 1]]), x[:2])),
                (MATRIX, lambda lib, x: x.scatter(1, lib.tensor([[1], [0], [3]]), 9.0)),
                (MATRIX, lambda lib, x: lib.scatter(x, 1, lib.tensor([[1], [0], [3]]), value=2.0)),
                (MATRIX, lambda lib, x: lib.scatter(x, 1, lib.tensor([[1], [0], [3]]), x[:, :1] * 3)),
                (MATRIX, lambda lib, x: x.scatter_add(0, lib.tensor([[0, 0, 2, 0], [0, 2, 0, 1]]), x[1:] * x[:2])),
                (MATRIX, lambda lib, x: lib.scatter_add(x, 1, lib.tensor([[1, 1, 1]]), x[:1, :3]))],
    "select by index": [(MATRIX, lambda lib, x: x.index_select(0, lib.tensor([2, 0, 2]))),
                        (CUBE, lambda lib, x: lib.index_select(x, 1, lib.tensor([1, 1]))),
                        (CUBE, lambda lib, x: x.index_select(-1, lib.tensor([3])))],
    "masks": [(MATRIX, lambda lib, x: x.masked_fill(x > 0, 0.0)),
              (MATRIX, lambda lib, x: lib.masked_fill(x, x[0] > 0, -7)),
              (MATRIX, lambda lib, x: x.masked_fill(x < 0, x.sum())),
              (MATRIX, lambda lib, x: lib.masked_select(x, x > 0)),
              (MATRIX, lambda lib, x: x.masked_select(lib.tensor([True, False, True, False])))],
    "windows": [(ROW, lambda lib, x: x.unfold(0, 2, 1)), (MATRIX, lambda lib, x: x.unfold(1, 3, 1)),
                (CUBE, lambda lib, x: x.unfold(1, 2, 1)), (MATRIX, lambda lib, x: x.unfold(-1, 2, 2))],
    "grids": [(ROW, lambda lib, x: lib.meshgrid(x, x[:2], indexing="ij")),
              (ROW, lambda lib, x: lib.meshgrid(x, x[:2], x[:3], indexing="xy")),
              (ROW, lambda lib, x: lib.broadcast_tensors(x, x[:1], x.reshape(4, 1)))],
}
INDICES = [
    0, -1, slice(1, 3), slice(None, None, 2), None, Ellipsis, (0, 1), (slice(None), 2), (..., 0),
    (None, slice(0, 1), None),
    (slice(2, 0),), [0, 1, 1], ([1, 0, 1], [2, 2, 2]), (slice(None), [0, 0, 2]), (0, [1, 1]), ([1, 0], 2),
    (0, slice(1, 3), [0, 3]),
    (slice(None), 1, [3, 0]), ([0, 1], slice(None), 1), (0, None, [1, 2]), (..., [0, 1], 1),
    ([[0, 1], [1, 1]], [[2, 0], [1, 2]]),
    ([0, 1], slice(1, None), [1, 2]), [], True, False, (0, True), (slice(0, 1), [True, False, True]),
    ([True, False, True], [0, 1]),
    np.array([1, 0]), (np.int64(1), np.array(2)), (slice(0, 2), 1, None, [0, 3]),
]


def run(cases):
    return [pytest.param(*case, id=f"{name}-{i}") for name, group in cases.items() for i, case in enumerate(group)]


def twice(program):
    """The gradient of a program, made differentiable: its own gradient is the second derivative."""
    def gradient(lib, *xs):
        out = program(lib, *xs)
        y = sum(((k + 1) * (o * o).sin()).sum() for k, o in enumerate(out if isinstance(out, tuple) else (out,)))
        return lib.autograd.grad(y, xs, create_graph=True)
    return gradient


@pytest.mark.parametrize("array, program", run({**LAYOUT, **PARTS}))
def test_program(array, program):
    both(program, array)
    both(twice(program), array, rtol=1e-5)


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_index(index):
    both(lambda lib, x: x[index], BOX)
    both(twice(lambda lib, x: x[index]), BOX)
    both(lambda lib, x: x.transpose(0, 1)[index], BOX)


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_item_assignment(index):
    def program(lib, x, v):
        y = x * 2
        y[index] = v * 3
        y[0] = y[1].clone() * v
        return y * x
    both(program, BOX, NUMBER)
    both(twice(program), BOX, NUMBER)

    def parts(lib, x):
        y = lib.zeros(3, 3, 4).double()
        y[index] = x[index] * x[index]
        return y
    if "1, 1" not in str(index) and "0, 0" not in str(index):    # which of two values stays is not said
        both(parts, BOX)


def test_index_by_tensors():
    for index in ([2, 0, 2], [[0, 1], [2, 2]], [True, False, True]):
        both(lambda lib, x, index=index: x[lib.tensor(index)], MATRIX)
        both(lambda lib, x, index=index: x[lib.tensor(index), 1:], MATRIX)
    both(lambda lib, x: x[x > 0], MATRIX)
    both(lambda lib, x: x[lib.tensor(1)], MATRIX)
    both(lambda lib, x: x[lib.tensor(1), :, lib.tensor([0, 1])], CUBE)
    both(lambda lib, x: x[lib.arange(3), lib.tensor([0, 3, 3])], MATRIX)
    with pytest.warns(UserWarning, match="non-tuple sequence"):
        both(lambda lib, x: x[[lib.tensor(1), lib.tensor(0)]], MATRIX)


def test_gradients_of_many_equal_indices():
    """Small and large tables, rows of one and of many elements: each way of adding rows."""
    rng = np.random.default_rng(5)
    for n, width, m in ((4, 3, 10), (50, 1, 300), (300, 8, 900), (5000, 4, 100), (3, 2, 0)):
        table, index = rng.normal(size=(n, width)), rng.integers(-n, n, m)
        both(lambda lib, x, index=index: x[lib.tensor(index)], table)
        both(lambda lib, x, index=index: x[lib.tensor(index), 0], table)
        both(lambda lib, x, index=index: x[:, lib.tensor(index)], table.T.copy())
        both(lambda lib, x, index=index: x[lib.tensor(index)], table.astype(np.float32))


def test_an_infinite_gradient_stays_in_its_row():
    x = tg.ones(4, 3, requires_grad=True)
    (x[[1, 2, 2]] * tg.tensor([[np.inf], [1.0], [1.0]])).sum().backward()
    assert x.grad.tolist() == [[0, 0, 0], [np.inf] * 3, [2, 2, 2], [0, 0, 0]]


def test_filling_in_a_loop():
    def program(lib, x):
        out = lib.zeros(5, 4).double()
        h = x
        for k in range(5):
            h = (h * x).tanh()
            out[k] = h
        return out
    both(program, ROW)
    both(twice(program), ROW)


def test_an_index_that_changes_afterwards_does_not_change_the_gradient():
    x, index = tg.tensor(MATRIX, requires_grad=True), tg.tensor([0, 2])
    y = x[index]
    index[0] = 1
    y.sum().backward()
    same(x.grad, torch.tensor([[1.0] * 4, [0.0] * 4, [1.0] * 4], dtype=torch.float64))


VIEWS = [lambda x: x.view(4, 3), lambda x: x.reshape(12), lambda x: x.T, lambda x: x[1], lambda x: x[1, 2],
         lambda x: x[:, ::2],
         lambda x: x.unsqueeze(0), lambda x: x.permute(1, 0), lambda x: x.flatten(), lambda x: x[None, ..., 1:],
         lambda x: x.split(2)[1], lambda x: x.unbind(1)[0], lambda x: x.narrow(1, 0, 2), lambda x: x.select(0, 2)]
COPIES = [lambda x: x[[0, 1]], lambda x: x[x > -9], lambda x: x.T.reshape(12), lambda x: x.clone(), lambda x: x.flip(0),
          lambda x: x.roll(1, 0), lambda x: x.tril(), lambda x: x.T.contiguous(), lambda x: x.repeat(1, 1)]


@pytest.mark.parametrize("k", range(len(VIEWS)))
def test_views_share_memory(k):
    for lib in (tg, torch):
        x = lib.tensor(MATRIX.copy())
        VIEWS[k](x).fill_(7)
        assert (x == 7).any(), lib.__name__
        x.zero_()
        assert not VIEWS[k](x).any()


@pytest.mark.parametrize("k", range(len(COPIES)))
def test_copies_do_not(k):
    for lib in (tg, torch):
        x = lib.tensor(MATRIX.copy())
        COPIES[k](x).fill_(7)
        assert not (x == 7).any(), lib.__name__


MALFORMED = {
    "reshape to another size": lambda lib, x: x.reshape(5),
    "two sizes of -1": lambda lib, x: x.reshape(-1, -1),
    "view of what is not contiguous": lambda lib, x: x.T.view(-1),
    "permute too few": lambda lib, x: x.permute(0),
    "permute twice": lambda lib, x: x.permute(0, 0),
    "permute out of range": lambda lib, x: x.permute(0, 2),
    "transpose out of range": lambda lib, x: x.transpose(0, 2),
    "t of a cube": lambda lib, x: x[None].t(),
    "unsqueeze out of range": lambda lib, x: x.unsqueeze(4),
    "squeeze out of range": lambda lib, x: x.squeeze(2),
    "flatten backwards": lambda lib, x: x.flatten(1, 0),
    "unflatten that does not fit": lambda lib, x: x.unflatten(1, (3, 2)),
    "movedim of unequal lengths": lambda lib, x: lib.movedim(x, (0, 1), (0,)),
    "expand that does not fit": lambda lib, x: x.expand(3, 5),
    "expand to fewer": lambda lib, x: x.expand(4),
    "broadcast that does not fit": lambda lib, x: lib.broadcast_tensors(x, x[:, :3]),
    "repeat too few": lambda lib, x: x.repeat(2),
    "flip out of range": lambda lib, x: x.flip(2),
    "roll out of range": lambda lib, x: x.roll(1, 2),
    "cat of nothing": lambda lib, x: lib.cat([]),
    "cat of other sizes": lambda lib, x: lib.cat([x, x[:, :2]]),
    "cat of other ranks": lambda lib, x: lib.cat([x, x[None]]),
    "cat of numbers": lambda lib, x: lib.cat([x[0, 0], x[0, 0]]),
    "cat out of range": lambda lib, x: lib.cat([x, x], 2),
    "stack of nothing": lambda lib, x: lib.stack([]),
    "stack of other sizes": lambda lib, x: lib.stack([x, x[:2]]),
    "stack out of range": lambda lib, x: lib.stack([x, x], 3),
    "split that does not add up": lambda lib, x: x.split([1, 1]),
    "split in nothing": lambda lib, x: x.split(0),
    "split backwards": lambda lib, x: x.split(-1),
    "chunk in nothing": lambda lib, x: x.chunk(0),
    "unbind of a number": lambda lib, x: x[0, 0].unbind(),
    "narrow too far": lambda lib, x: x.narrow(0, 2, 2),
    "select too far": lambda lib, x: x.select(0, 3),
    "tril of a vector": lambda lib, x: x[0].tril(),
    "diag of a cube": lambda lib, x: lib.diag(x[None]),
    "diagonal of a vector": lambda lib, x: x[0].diagonal(),
    "gather with another rank": lambda lib, x: x.gather(0, lib.tensor([0, 1])),
    "gather by floats": lambda lib, x: x.gather(0, x),
    "gather too far": lambda lib, x: x.gather(0, lib.tensor([[7]])),
    "scatter by floats": lambda lib, x: x.scatter(0, x, 1.0),
    "scatter too far": lambda lib, x: x.scatter(0, lib.tensor([[7]]), 1.0),
    "index_select too far": lambda lib, x: x.index_select(0, lib.tensor([7])),
    "masked_fill without a mask": lambda lib, x: x.masked_fill(lib.ones(4), 1.0),
    "masked_fill that does not fit": lambda lib, x: x.masked_fill(lib.ones(3).bool(), 1.0),
    "masked_select that does not fit": lambda lib, x: x.masked_select(lib.ones(3).bool()),
    "an index too far": lambda lib, x: x[3],
    "an index too far back": lambda lib, x: x[0, -5],
    "too many indices": lambda lib, x: x[0, 0, 0],
    "a list too far": lambda lib, x: x[[0, 3]],
    "a step backwards": lambda lib, x: x[::-1],
    "a float index": lambda lib, x: x[1.5],
    "a tensor of floats": lambda lib, x: x[lib.tensor([0.5])],
    "a mask of another size": lambda lib, x: x[lib.tensor([True, False])],
    "an index by name": lambda lib, x: x["a"],
    "assignment too far": lambda lib, x: x.__setitem__(5, 1.0),
    "assignment that does not fit": lambda lib, x: x.__setitem__(0, lib.ones(3)),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_errors_are_those_of_pytorch(what):
    kinds, before = [], MATRIX.copy()
    for lib in (tg, torch):
        x = lib.tensor(MATRIX)
        with pytest.raises(Exception) as caught:
            MALFORMED[what](lib, x)
        kinds.append(caught.type)
        assert (x.numpy() == before).all()            # nothing is left half changed
    assert issubclass(*kinds)


def test_broadcast_shapes():
    assert tg.broadcast_shapes((2, 1), (3,), (1, 1)) == (2, 3)
    with pytest.raises(RuntimeError, match="cannot be broadcast"):
        tg.broadcast_shapes((2,), (3,))


def test_numpy_names():
    x = tg.tensor(MATRIX, requires_grad=True)
    for ours, plain in [(np.transpose(x), MATRIX.T), (np.concatenate([x, MATRIX], axis=1),
                        np.concatenate([MATRIX, MATRIX], 1)),
                        (np.stack([x, x], axis=-1), np.stack([MATRIX, MATRIX], -1)),
                        (np.expand_dims(x, (0, -1)), MATRIX[None, ..., None]),
                        (np.broadcast_to(x, (2, 3, 4)), np.broadcast_to(MATRIX, (2, 3, 4))),
                        (np.tril(x), np.tril(MATRIX)),
                        (np.repeat(x, 2, axis=1), np.repeat(MATRIX, 2, 1)),
                        (np.pad(x, ((1, 0), (0, 2))), np.pad(MATRIX, ((1, 0), (0, 2)))),
                        (np.flip(x, axis=0), MATRIX[::-1].copy()), (np.roll(x, 1, axis=1), np.roll(MATRIX, 1, 1)),
                        (np.take_along_axis(x, np.array([[1], [0], [2]]), 1),
                        np.take_along_axis(MATRIX, np.array([[1], [0], [2]]), 1)),
                        (np.array_split(x, 3, axis=1)[0], np.array_split(MATRIX, 3, 1)[0]),
                        (np.diff(x), np.diff(MATRIX)),
                        (np.meshgrid(x[0], x[1])[0], np.meshgrid(MATRIX[0], MATRIX[1])[0]),
                        (np.squeeze(x[None], axis=0), MATRIX),
                        (np.pad(x, 1, constant_values=5), np.pad(MATRIX, 1, constant_values=5))]:
        assert isinstance(ours, tg.Tensor) and ours.requires_grad
        same(ours, torch.tensor(plain))
