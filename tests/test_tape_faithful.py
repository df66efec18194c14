"""What a step on Tensors may do that a replay could get wrong in silence: it gives the eager numbers, or is refused."""
from __future__ import annotations

import copy
import math
import random

import numpy as np
import pytest
from faithful import Programs, agrees, is_refused

import tinygrad_edu as tg
from tinygrad_edu import nn, optim
from tinygrad_edu.nn import functional as F  # noqa: N812

faithful, refused = Programs(), Programs()


def X(*shape, seed=0):  # noqa: N802
    return tg.tensor(np.random.default_rng(seed).normal(size=shape))


@faithful
def results_laid_out_by_columns_are_kept(compile, show):
    kept = []
    @compile
    def features(x):
        return ((x.permute(0, 3, 1, 2) - 0.5) / 0.25).flatten(1)
    for k in range(4):
        kept.append(features(X(2, 2, 2, 2, seed=k)))
        show(*kept)


@faithful
def a_contiguous_copy_is_a_copy(compile, show):
    @compile
    def g(x):
        t = x.t() * 2
        c = t.contiguous()
        c.add_(1)
        return t + c
    for k in range(3):
        show(g(X(2, 3, seed=k)))


@faithful
def heads_of_attention_are_kept(compile, show):
    kept = []
    @compile
    @tg.no_grad()
    def attention(q, k, v):
        heads = lambda t: t.reshape(2, 3, 2, 2).transpose(1, 2)
        mixed = (heads(q) @ heads(k).mT).softmax(-1) @ heads(v)
        return mixed.transpose(1, 2).reshape(2, 3, 4), (q.transpose(1, 2) * 2).reshape(2, -1)
    for k in range(4):
        kept.append(attention(*(X(2, 3, 4, seed=k + j) for j in range(3))))
        show(*kept)


@faithful
def two_losses_of_the_same_scores(compile, show):
    w = X(4, 3).requires_grad_()
    @compile
    def mixup(x, y, z, lam):
        w.grad = None
        out = w * x
        loss = lam * F.cross_entropy(out, y) + (1 - lam) * F.cross_entropy(out, z)
        loss.backward()
        return loss.detach(), w.grad
    lam = tg.tensor(0.3).double()
    for k in range(3):
        show(*mixup(X(4, 3, seed=k), tg.tensor([0, 1, 2, 0]), tg.tensor([1, 1, 0, 2]), lam))


@refused
def chance_of_python_beside_dropout(compile, show):
    drop = nn.Dropout(0.1)
    @compile
    def step(x):
        y = drop(x)
        return y * 10 if random.random() < 0.5 else y
    for k in range(6):
        show(step(X(3, seed=k)))


@refused
def chance_of_numpy_beside_running_statistics(compile, show):
    rng = np.random.default_rng(0)
    bn = nn.BatchNorm1d(3).double()
    @compile
    def step(x):
        return bn(x).detach() + (100 if rng.random() < 0.5 else 0)
    for k in range(6):
        show(step(X(4, 3, seed=k)))


@refused
def chance_of_numpy_beside_clipping(compile, show):
    w = X(3).requires_grad_()
    @compile
    def step(x):
        w.grad = None
        (w * x).sum().backward()
        nn.utils.clip_grad_norm_([w], 1.0)
        return w.grad * float(np.random.uniform())  # noqa: NPY002
    for k in range(6):
        show(step(X(3, seed=k)))


@refused
def arguments_that_are_filled(compile, show):
    @compile
    def step(batch, log):
        batch["y"] = batch["x"] * 2
        log.append(batch["y"].sum().item())
        return batch["y"].sum()
    log = []
    for k in range(2):
        b = {"x": X(3, seed=k)}
        show(step(b, log), b, log)


@faithful
def a_branch_gives_back_what_it_drew(compile, show):
    g = tg.Generator().manual_seed(1)
    @compile
    def f(x):
        y = x + tg.randn(3, generator=g)
        return y * 2 if y.sum() > 0 else y - 1
    for k in range(8):
        show(f(X(3, seed=k)))


@faithful
def data_that_are_swapped(compile, show):
    a, b = X(3), X(3, seed=1)
    @compile
    def f(x):
        a.data, b.data = b.data, a.data
        return a * 2 + b
    for _ in range(4):
        show(f(X(3)), a, b)


@faithful
def data_that_become_shared(compile, show):
    a, b = X(3), X(3, seed=1)
    @compile
    def f(x):
        p = a * 2
        b.add_(x)
        return p + 10 * (a * 2)
    show(f(X(3)))
    b.data = a.data
    show(f(X(3)), a, b)


@refused
def a_parameter_frozen_inside(compile, show):
    w, v = X(3).requires_grad_(), X(3, seed=1).requires_grad_()
    @compile
    def f(x):
        w.grad = v.grad = None
        ((w * x).exp().sum() + (v * x).exp().sum()).backward()
        w.requires_grad_(False)
        return v.grad
    for k in range(3):
        show(f(X(3, seed=k)), w.grad is None)


@faithful
def one_tensor_as_two_arguments(compile, show):
    @compile
    def f(q, k):
        return q * 1 if q is k else q + k
    a, b = X(3), X(3, seed=1)
    show(f(a, b))
    show(f(a, a))


@faithful
def a_compiled_module_is_copied(compile, show):
    net = compile(nn.Linear(3, 2).double())
    ema = copy.deepcopy(net)
    show(ema(X(4, 3)))


@faithful
def a_module_with_a_compiled_method_is_copied(compile, show):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.l = nn.Linear(3, 2).double()
            self.fast = compile(self.forward)
        def forward(self, x):
            return self.l(x).detach()
    net = Net()
    show(net.fast(X(4, 3)))
    other = copy.deepcopy(net)
    with tg.no_grad():
        other.l.weight.zero_()
    show(other.fast(X(4, 3)), net.fast(X(4, 3)))


@faithful
def attributes_of_a_compiled_module(compile, show):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.k = 2.0
        def forward(self, x):
            return x * self.k
    net = compile(Net())
    show(net(X(3)))
    net.k = 5.0
    show(net(X(3)))


@refused
def a_hook_registered_inside(compile, show):
    w = X(3).requires_grad_()
    @compile
    def g(x):
        w.grad = None
        w.register_hook(lambda g: g * 2)
        (w * x).sum().backward()
        return w.grad
    for _ in range(3):
        show(g(X(3)))


@refused
def gradients_switched_off_inside(compile, show):
    @compile
    def f(x):
        tg.set_grad_enabled(False)
        return x * 2
    for _ in range(3):
        f(X(3))
        show(tg.is_grad_enabled())
        tg.set_grad_enabled(True)


@faithful
def a_number_in_what_is_detached(compile, show):
    w = X(3).requires_grad_()
    @compile
    def f(x, k):
        return (w * x * k).detach()
    for k in (0.5, 2.0):
        show(f(X(3), k))


@faithful
def branches_on_arguments_after_an_update(compile, show):
    w, avg = X(3).requires_grad_(), X(3)
    rule = optim.SGD([w], 0.1)
    @compile
    def f(x, decay, epoch):
        rule.zero_grad()
        loss = (w * x).exp().sum()
        loss.backward()
        rule.step()
        with tg.no_grad():
            avg.mul_(decay).add_(w, alpha=1 - decay)
        if epoch > 1:
            avg.zero_()
        return loss
    for k in range(4):
        show(f(X(3, seed=k), 0.9, k), avg)


@faithful
def a_local_recursion(compile, show):
    @compile
    def f(x):
        h = x * 2
        def rec(n):
            return h if n == 0 else rec(n - 1) + h
        return rec(3).sum()
    for k in range(2):
        show(f(X(3, seed=k)))


@faithful
def options_of_losses_and_activations(compile, show):
    loss, slope, scores = nn.CrossEntropyLoss(), nn.LeakyReLU(), X(4, 3)
    labels = tg.tensor([0, 1, 2, 0])
    f = compile(lambda x: loss(x, labels))
    g = compile(lambda x: slope(x).sum())
    show(f(scores), g(scores))
    loss.label_smoothing = 0.3
    slope.negative_slope = 0.5
    show(f(scores), g(scores))
    loss.reduction = "sum"
    show(f(scores))


@faithful
def the_order_of_layers(compile, show):
    layers = nn.ModuleDict({"a": nn.Tanh(), "b": nn.Softplus()})

    @compile
    def f(x):
        for layer in layers.values():
            x = layer(x)
        return x
    show(f(X(3)))
    layers["a"] = layers.pop("a")
    show(f(X(3)))


@faithful
def another_forward_of_a_layer(compile, show):
    net = nn.Sequential(nn.Tanh())
    f = compile(lambda x: net(x))
    show(f(X(3)))
    net[0].forward = lambda x: x * 7
    show(f(X(3)))


@faithful
def zeros_with_a_sign(compile, show):
    f = compile(lambda x, k: x * math.copysign(2.0, k))
    g = compile(lambda x, k: x * math.copysign(2.0, k))
    for k in (0.0, -0.0):
        show(f(X(3), k), g(X(3), np.float64(k)))


@faithful
def a_product_with_one_before_an_update(compile, show):
    seen = []
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    opt = optim.SGD([w], lr=0.1)
    scale = 1.0

    @compile
    def step(x):
        before = scale * w.detach()
        opt.zero_grad()
        (w * x).sum().backward()
        opt.step()
        return (w.detach() - before).norm()
    for _ in range(3):
        seen.append(step(tg.ones(2)).item())
    show(seen)


@faithful
def a_list_filled_by_a_model(compile, show):
    seen = []
    net, kept = nn.Linear(2, 1), []

    @compile
    def model(x, kept):
        h = net(x)
        kept.append(1)
        return h.tanh()
    for _ in range(3):
        model(tg.ones(1, 2), kept).sum().backward()
        seen.append(len(kept))
    show(seen)


@refused
def totals_in_a_dict_beside_the_mode(compile, show):
    seen = []
    net, total = nn.Linear(2, 1), {"loss": 0.0, "steps": 0}

    @compile
    def step(x, total):
        net.train()
        loss = net(x).pow(2).sum()
        total["loss"] += loss.item()
        total["steps"] += 1
        return loss.item()
    for _ in range(3):
        net.eval()
        seen.append((step(tg.ones(1, 2), total), dict(total)))
    show(seen)


@faithful
def a_list_filled_before_an_error(compile, show):
    seen = []
    errors = []

    @compile
    def f(x, errors):
        if x.sum() < 0:
            errors.append("negative")
            raise ValueError("negative")
        return x * 2
    for v in (1.0, -1.0):
        try:
            f(tg.tensor([v]), errors)
        except ValueError:
            pass
        seen.append(list(errors))
    show(seen)


@refused
def an_error_of_a_matrix_that_is_caught(compile, show):
    seen = []
    @compile
    def f(A):
        try:
            return tg.cholesky(A).sum()
        except Exception:
            return tg.cholesky(A + 0.5 * tg.eye(2)).sum()
    good, bad = tg.tensor([[2., 1.], [1., 2.]]), tg.tensor([[1., 1.], [1., 0.9]])
    for A in (bad, good):
        seen.append(f(A).item())
    show(seen)


@faithful
def an_error_to_be_caught_in_a_replay(compile, show):
    seen = []
    @compile
    def f(A):
        try:
            return tg.cholesky(A).sum()
        except Exception:
            return tg.cholesky(A + 0.5 * tg.eye(2)).sum()
    good, bad = tg.tensor([[2., 1.], [1., 2.]]), tg.tensor([[1., 1.], [1., 0.9]])
    for A in (good, bad):
        seen.append(f(A).item())
    show(seen)


@faithful
def a_division_to_be_caught_in_a_replay(compile, show):
    seen = []
    @compile
    def f(x, k):
        try:
            r = 1 / k
        except ZeroDivisionError:
            r = 0.0
        return x * r
    for k in (2.0, 0.0):
        seen.append(f(tg.ones(2), k).tolist())
    show(seen)


@faithful
def arithmetic_behind_a_branch(compile, show):
    seen = []
    @compile
    def f(x, n):
        if x.sum() > 0:
            return x * (1 / n)
        return x * 0
    for v, n in ((1.0, 2.0), (-1.0, 0.0)):
        seen.append(f(tg.tensor([v]), n).tolist())
    show(seen)


@faithful
def an_error_behind_an_update(compile, show):
    seen = []
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    opt = optim.SGD([w], lr=0.1)

    @compile
    def f(x, n):
        opt.zero_grad()
        (w * x).sum().backward()
        opt.step()
        return 1 / n
    for n in (2.0, 0.0):
        try:
            f(tg.ones(2), n)
        except ZeroDivisionError:
            pass
        seen.append(w.tolist())
    show(seen)


@faithful
def a_gradient_assigned_after_a_step(compile, show):
    seen = []
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    opt = optim.SGD([w], lr=0.1)
    w.grad = tg.zeros(2)

    @compile
    def step(x):                                      # each step follows the gradient of the one before
        g, = tg.autograd.grad((w * x).sum(), [w])
        opt.step()
        w.grad = g
    for k in range(1, 5):
        step(tg.ones(2) * k)
        seen.append(w.tolist())
    show(seen)


@faithful
def a_gradient_assigned_behind_a_branch(compile, show):
    seen = []
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    w.grad = tg.zeros(2)

    @compile
    def step(x):
        g, = tg.autograd.grad((w * w * x).sum(), [w])
        if g.abs().max() > 10:
            return g.max()                            # too large: w.grad stays as it is
        w.grad = g
        return g.max()
    for k in (1, 1, 20):
        step(tg.ones(2) * k)
        seen.append(w.grad.tolist())
    show(seen)


@faithful
def a_gradient_assigned_behind_an_error(compile, show):
    seen = []
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    w.grad = tg.zeros(2)

    @compile
    def step(A):
        g, = tg.autograd.grad((w * w * A.sum()).sum(), [w])
        B = tg.linalg.inv(A)
        w.grad = g
        return B
    for k in (1.0, 1.0, 0.0):
        try:
            step(tg.eye(2) * k)
        except Exception as error:
            seen.append(type(error).__name__)
        seen.append(w.grad.tolist())
    show(seen)


@faithful
def an_error_behind_zero_grad(compile, show):
    seen = []
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    opt = optim.SGD([w], lr=0.1)

    @compile
    def step(A):
        opt.zero_grad()
        (tg.linalg.inv(A) @ w).sum().backward()
    for k in (1.0, 1.0, 0.0):
        try:
            step(tg.eye(2) * k)
        except Exception as error:
            seen.append(type(error).__name__)
        seen.append(None if w.grad is None else w.grad.tolist())
    show(seen)


@faithful
def two_parameters_on_one_array(compile, show):
    seen = []
    emb, out = nn.Embedding(3, 2), nn.Linear(2, 3, bias=False)
    out.weight.data = emb.weight.data

    @compile
    def f(i):
        with tg.no_grad():
            return out(emb(i)).sum()
    for k in range(3):
        if k == 2:
            out.weight.data = tg.ones(3, 2)           # untied
        seen.append(f(tg.tensor([0, 1])).item())
    show(seen)


@refused
def tensors_of_arrays_that_numpy_computes(compile, show):
    seen = []
    @compile
    def f(a):
        return tg.from_numpy(a * 2), tg.from_numpy(a) * 1.5
    for k in range(3):
        seen.append([t.tolist() for t in f(np.array([float(k)]))])
    show(seen)


@faithful
def a_gradient_of_another_dtype(compile, show):
    seen = []
    w = tg.tensor([1.0, 2.0], requires_grad=True)

    @compile
    def step(x):
        w.grad = None
        (w * w * x).sum().backward()
    for k in range(3):
        step(tg.ones(2) / 3)
        seen.append((str(w.grad.dtype), w.grad.tolist()))
        if k:
            w.grad.data = w.grad.data.float()
    show(seen)


@faithful
def arrays_with_nan(compile, show):
    seen = []
    data = np.array([1.0, np.nan, 2.0])

    @compile
    def f(x):
        return x * sum(v for v in data.tolist() if v == v)
    for _ in range(2):
        seen.append(f(tg.ones(1)).item())
    show(seen)


@refused
def a_result_keyed_by_what_is_computed(compile, show):
    f = compile(lambda x: {x * 2: x.sum()})
    for k in range(2):
        show(f(X(3, seed=k)))


@pytest.mark.parametrize("optimise", [True, False])
@pytest.mark.parametrize("name", faithful)
def test_what_gives_the_eager_numbers(name, optimise):
    agrees(faithful[name], optimise)


@pytest.mark.parametrize("optimise", [True, False])
@pytest.mark.parametrize("name", refused)
def test_what_is_refused(name, optimise):
    is_refused(refused[name], optimise)
