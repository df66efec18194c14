"""Tensor: what PyTorch's users rely on beyond single functions."""
from __future__ import annotations

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch
from parity import both, same

import tinygrad_edu as tg


def test_data_shares_memory_and_assigning_it_replaces():
    for lib in (tg, torch):
        w = lib.ones(3, requires_grad=True)
        w.data[0] = 5.0
        assert w.tolist() == [5.0, 1.0, 1.0] and w.is_leaf
        w.data -= 1.0
        assert w.tolist() == [4.0, 0.0, 0.0]
        w.data = lib.zeros(3)
        assert w.tolist() == [0.0] * 3 and w.requires_grad


def test_in_place_update_under_no_grad_keeps_the_leaf_and_views_see_it():
    for lib in (tg, torch):
        w = lib.ones(2, 2, requires_grad=True)
        row = w.detach()[0]
        same_w = w
        with lib.no_grad():
            w -= 0.5
        assert w is same_w and w.is_leaf and row.tolist() == [0.5, 0.5]
        (w * w).sum().backward()
        assert w.grad.tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_augmented_assignment_while_recording():
    both(lambda lib, x: iadd(x * 1, x), np.array([1.0, 2.0]))


def iadd(h, x):
    h += x
    h *= x
    h -= 1
    h /= 2
    return h


def test_gradients_add_up_until_zeroed():
    for lib in (tg, torch):
        w = lib.ones(2, requires_grad=True)
        for _ in range(2):
            (w * 3).sum().backward()
        assert w.grad.tolist() == [6.0, 6.0]
        w.grad.zero_()
        assert w.grad.tolist() == [0.0, 0.0]
        w.grad = None
        (w * w.detach()).sum().backward()
        assert w.grad.tolist() == [1.0, 1.0]


def test_gradients_of_two_leaves_do_not_share_memory():
    a, b = tg.ones(3, requires_grad=True), tg.ones(3, requires_grad=True)
    (a + b).sum().backward()
    a.grad.mul_(0)
    assert b.grad.tolist() == [1.0] * 3
    x = tg.ones(3, requires_grad=True)
    seed = tg.ones(3)
    x.backward(seed)
    x.grad.mul_(0)
    assert seed.tolist() == [1.0] * 3
    m, n = tg.ones(2, 2, requires_grad=True), tg.ones(2, 2, requires_grad=True)
    tg.cat([m, n]).backward(g := tg.ones(4, 2))
    m.grad.mul_(0)
    assert n.grad.sum() == 4 and g.sum() == 8


def test_retain_grad_hooks_and_grad_of_non_leaves():
    for lib in (tg, torch):
        x = lib.ones(2, requires_grad=True)
        h = x * 3
        h.retain_grad()
        seen = []
        handle = h.register_hook(lambda g, seen=seen: seen.append(g.tolist()))
        x.register_hook(lambda g: g * 10)
        (h * h).sum().backward()
        assert h.grad.tolist() == [6.0, 6.0] and seen == [[6.0, 6.0]] and x.grad.tolist() == [180.0, 180.0]
        handle.remove()
        assert h.retains_grad
        with pytest.warns(UserWarning, match="not a leaf"):
            assert (x * 2).grad is None


def test_create_graph_and_second_derivatives():
    def program(lib, x):
        y = (x.tanh() * x).sum()
        (g,) = lib.autograd.grad(y, x, create_graph=True)
        return (g * g).sum()
    both(program, np.array([0.3, -0.7]))
    for lib in (tg, torch):
        x = lib.tensor([2.0], requires_grad=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            (x ** 3).sum().backward(create_graph=True)
        g = x.grad
        x.grad = None
        g.sum().backward()
        assert x.grad.tolist() == [12.0]


def test_item_assignment_by_every_kind_of_index():
    def program(lib, x, v):
        y = x * 1
        y[0] = v
        y[1, 1:3] = 7.0
        y[:, 0] = y[:, 1] * 2
        y[lib.tensor([2, 0]), lib.tensor([3, 3])] = v[:2]
        y[y.detach() < -1] = 0.5
        y[..., -1] += 1
        return y
    rng = np.random.default_rng(0)
    both(program, rng.normal(size=(3, 4)), rng.normal(size=4))


def test_in_place_on_views_without_recording():
    for lib in (tg, torch):
        x = lib.zeros(3, 4)
        x[0].add_(1)
        x[:, 1].fill_(5)
        x.view(-1)[-1] = 9
        x.t()[2].copy_(lib.tensor([7.0, 8.0, 9.0]))
        assert x.tolist() == [[1, 5, 7, 1], [0, 5, 8, 0], [0, 5, 9, 9]]


def test_deepcopy_and_pickle():
    w = tg.ones(3, requires_grad=True)
    (w * 2).sum().backward()
    for twin in (copy.deepcopy(w), pickle.loads(pickle.dumps(w))):
        assert twin.tolist() == w.tolist() and twin.requires_grad
        with tg.no_grad():
            twin.add_(1)
        assert w.tolist() == [1.0] * 3
    assert copy.deepcopy(w).grad.tolist() == [2.0] * 3
    with pytest.raises(RuntimeError, match="graph leaves"):
        copy.deepcopy(w * 2)


@pytest.mark.parametrize("make", [lambda lib: lib.tensor([1.0, 2.5]), lambda lib: lib.tensor([[1, 2], [3, 4]]), lambda lib: lib.tensor(3),
                                  lambda lib: lib.tensor([True, False]), lambda lib: lib.tensor([1.0], requires_grad=True), lambda lib: lib.tensor([]),
                                  lambda lib: lib.tensor([1.5, 2.0], dtype=lib.float64).float(), lambda lib: lib.tensor([0.1234567, 12.5])])
def test_repr_is_pytorchs(make):
    assert repr(make(tg)) == repr(make(torch))


def test_conversions():
    for lib in (tg, torch):
        x = lib.tensor(2.5)
        assert float(x) == 2.5 and int(x) == 2 and bool(x) and f"{x:.2f}" == "2.50" and x.item() == 2.5
        assert [10, 20, 30][lib.tensor(1)] == 20
        assert lib.tensor([1, 2]).tolist() == [1, 2] and 2 in lib.tensor([1, 2])
        assert np.asarray(lib.ones(2)).dtype == np.float32
        assert list(map(float, lib.tensor([1.0, 2.0]))) == [1.0, 2.0]
        a, b = lib.tensor([3.0, 4.0])
        assert (a * b).item() == 12.0


def test_numpy_shares_memory_and_from_numpy_too():
    for lib in (tg, torch):
        a = np.zeros(3, np.float32)
        x = lib.from_numpy(a)
        x[0] = 1.0
        assert a[0] == 1.0
        x.numpy()[1] = 2.0
        assert x.tolist() == [1.0, 2.0, 0.0]
        copied = lib.tensor(a)
        a[2] = 9.0
        assert copied.tolist() == [1.0, 2.0, 0.0]


def test_no_gradient_through_detach_comparison_and_whole_numbers():
    x = tg.tensor([1.5, 2.5], requires_grad=True)
    for y in (x.detach(), x > 2, x.long(), x.argmax(), x.isnan()):
        assert not y.requires_grad and y.is_leaf
    same(x.round(), torch.tensor([1.5, 2.5]).round())


def test_stride_size_and_storage():
    for lib in (tg, torch):
        x = lib.zeros(2, 3)
        assert x.stride() == (3, 1) and x.t().stride() == (1, 3) and x.stride(0) == 3
        assert x.is_contiguous() and not x.t().is_contiguous()
        assert x.element_size() == 4 and x.itemsize == 4 and x.nbytes == 24
        assert x.data_ptr() == x.view(-1).data_ptr()


def test_a_tensor_in_jupyter():
    html = tg.ones(2, 2)._repr_html_()
    assert "<table" in html and "Tensor" in html


def test_the_old_constructor():
    for lib in (tg, torch):
        assert lib.Tensor([2, 3]).tolist() == [2.0, 3.0] and lib.Tensor([[1.5]]).dtype == lib.float32
        assert tuple(lib.Tensor(2, 3).shape) == (2, 3) and tuple(lib.Tensor(4).shape) == (4,) and lib.Tensor().numel() == 0
