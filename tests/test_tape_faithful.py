"""What a step may do that a replay could get wrong in silence: it gives the eager numbers, or it is refused.

Each program takes ``compile`` and shows numbers; it is run as it is, compiled, and compiled without optimisation.
"""
from __future__ import annotations

import collections
import copy
import math
import random

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import Value, nn, optim
from tinygrad_edu.nn import functional as F  # noqa: N812
from tinygrad_edu.tape import CaptureError

FAITHFUL, REFUSED = {}, {}


def faithful(program):
    FAITHFUL[program.__name__.replace("_", " ")] = program


def refused(program):
    REFUSED[program.__name__.replace("_", " ")] = program


def X(*shape, seed=0):  # noqa: N802
    return tg.tensor(np.random.default_rng(seed).normal(size=shape))


def plain(x):
    """Numbers and text in lists, as they are at this moment."""
    if isinstance(x, tg.Tensor):
        return plain(x.detach().tolist())
    if isinstance(x, Value):
        return [plain(x.data), plain(x.grad)]
    if isinstance(x, dict):
        return [[plain(key), plain(value)] for key, value in x.items()]
    return [plain(item) for item in x] if isinstance(x, (list, tuple)) else x


def shown(program, compile):  # noqa: A002
    tg.manual_seed(0)
    random.seed(0)
    np.random.seed(0)                                 # noqa: NPY002  (the programs draw from it)
    seen = []
    try:
        program(compile, lambda *xs: seen.append(plain(xs)))
    finally:
        tg.set_grad_enabled(True)
    return seen


def close(a, b, rtol) -> bool:
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(close(x, y, rtol) for x, y in zip(a, b, strict=True))
    if isinstance(a, float) and not math.isnan(a):
        return type(b) is float and math.isclose(a, b, rel_tol=rtol, abs_tol=rtol)
    return type(a) is type(b) and (a == b or a != a and b != b)


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


@refused
def errors_that_are_caught(compile, show):
    w = Value(0.5)
    @compile
    def f(x):
        try:
            y = (w * x).log()
        except ValueError:
            y = w * 0.0
        w.grad = 0.0
        y.backward()
        return y
    @compile
    def precision(tp, fp):
        try:
            p = tp / (tp + fp)
        except ZeroDivisionError:
            p = 0.0
        return (w * p).data
    for x in (0.0, 1.0, 2.0):
        show(f(x), w.grad)
    for tp, fp in ((0, 0), (1, 2), (3, 1)):
        show(precision(tp, fp))


@refused
def a_refusal_that_is_caught(compile, show):
    w = Value(2.0)
    @compile
    def f(x):
        y = w * x
        try:
            s = math.log(y.data)
        except Exception:
            s = 0.0
        z = y * s
        z.backward()
        return z
    for x in (1.0, 2.0, 3.0):
        show(f(x))


@refused
def a_state_among_the_arguments(compile, show):
    w = Value(1.0)
    @compile
    def adam(x, state):
        y = (w * x) ** 2
        w.grad = 0.0
        y.backward()
        state["t"] += 1
        state["m"] = 0.9 * state["m"] + 0.1 * w.grad
        w.data -= 0.1 * state["m"] / (1 - 0.9 ** state["t"])
        return y
    state = {"t": 0, "m": 0.0}
    for k in range(3):
        show(adam(1.0 + k, state))
    show(state)


@refused
def a_list_among_the_arguments(compile, show):
    w, losses = Value(1.0), []
    @compile
    def f(x, losses):
        y = (w * x) ** 2
        y.backward()
        losses.append(y.data)
    for k in range(3):
        f(1.0 + k, losses)
    show(losses)


@faithful
def values_made_and_assigned_inside(compile, show):
    @compile
    def argmin(a):
        x, seen = Value(0.0), []
        for _ in range(5):
            x.grad = 0.0
            y = (x - a) ** 2
            y.backward()
            x.data -= 0.3 * x.grad
            seen.append(y.data)
        return x.data, seen
    for a in (1.0, 2.0, 3.0):
        show(argmin(a))


@faithful
def a_value_of_an_argument_that_decides(compile, show):
    w, table = Value(1.0), [10.0, 20.0, 30.0]
    @compile
    def f(i):
        y = w * table[i] + Value(i)
        y.backward()
        return y
    @compile
    def g(n):
        return (sum(w * k for k in range(n)) / Value(n)).data
    for i in (0, 1, 2):
        show(f(i))
    for n in (3, 5, 4):
        show(g(n))


@refused
def numbers_as_text(compile, show):
    w = Value(1.234)
    @compile
    def f():
        y = w * 2
        y.backward()
        return y, round(y, 1), f"{y}", str(y.data > 0)
    for v in (1.234, 5.678):
        w.data = v
        show(f())


@faithful
def a_sweep_outside_after_one_inside(compile, show):
    w, v = Value(0.5), Value(0.25)
    @compile
    def f(x):
        w.grad = v.grad = 0.0
        a, b = (w * x).tanh(), (v * x).exp()
        a.backward()
        return a, b
    for k in range(3):
        a, b = f(0.5 + k)
        b.backward()
        show(w.grad, v.grad)


@faithful
def gradients_of_returned_values(compile, show):
    w = Value(0.5)
    @compile
    def f(x):
        h = (w * x).tanh()
        loss = (h - 1) ** 2
        w.grad = 0.0
        loss.backward()
        return loss, h
    for k in range(3):
        loss, h = f(0.5 + k)
        show(loss.grad, h.grad)


@faithful
def data_assigned_before_they_are_read(compile, show):
    w, x = Value(0.5), Value(0.0)
    @compile
    def f(number):
        x.data = number
        y = (x * w).tanh()
        y.backward()
        return y
    for k in range(3):
        f(0.3 + k)
        show(x.data, x.grad, w.grad)


@refused
def gaussians_of_numpy(compile, show):
    w = Value(1.0)
    np.random.seed(0)                                 # noqa: NPY002
    np.random.randn()                                 # noqa: NPY002
    @compile
    def f():
        y = w * np.random.randn()                     # noqa: NPY002
        y.backward()
        return y
    for _ in range(3):
        show(f())
    @compile
    def g():
        return (w * float(np.random.rand(312)[0])).data  # noqa: NPY002
    for _ in range(3):
        show(g())


@faithful
def the_class_of_an_argument(compile, show):
    w = Value(1.0)
    @compile
    def f(x):
        scale = 2.0 if isinstance(x, (int, float)) else 1.0
        y = w * x * scale
        y.backward()
        return y
    for x in (1.0, 2.0):
        show(f(x))
    @compile
    def g(x):
        if isinstance(x, (int, float)):
            x = Value(x)
        y = w * x
        y.backward()
        return x.grad
    for x in (1.0, 2.0):
        show(g(x))


@faithful
def arguments_in_sets_and_dicts(compile, show):
    w, special, table = Value(1.0), {1, 2}, {0: 0.5, 1: 1.5}
    f = compile(lambda i: (w * (2.0 if i in special else 1.0)).data)
    g = compile(lambda i: (w * table[i]).data)
    for i in (0, 1, 0):
        show(f(i))
    for i in (0, 1, 0):
        show(g(i))


@faithful
def arguments_as_keys_of_results(compile, show):
    w = Value(0.5)
    @compile
    def f(n):
        y = w * n
        y.backward()
        return {n: y}
    for n in (1, 2):
        r = f(n)
        show([type(k).__name__ for k in r], list(r.values()))


@faithful
def infinite_arguments(compile, show):
    w = Value(2.0)
    @compile
    def f(bound):
        return (w * (1.0 if math.isinf(bound) else bound)).data
    for b in (math.inf, 1.0, math.inf):
        show(f(b))


@faithful
def lists_times_arguments(compile, show):
    w = Value(1.0)
    @compile
    def f(n):
        h = [Value(0.0)] * n
        for i in range(n):
            h[i] = w * i
        y = sum(h)
        y.backward()
        return y
    for n in (3, 4, 3):
        show(f(n))


@faithful
def other_kinds_of_dicts(compile, show):
    w = Value(1.0)
    @compile
    def f(d):
        return (w * d["a"]).data
    for n in (3.0, 4.0):
        show(f(collections.OrderedDict(a=n)))
    for n in (3.0, 4.0):
        show(f(collections.defaultdict(float, a=n)))


@faithful
def arguments_compared_with_text(compile, show):
    w = Value(1.0)
    @compile
    def f(k):
        return (w * (3.0 if k == "auto" else k)).data
    for k in (0.5, 1.0, "auto"):
        show(f(k))


@faithful
def bits_of_arguments(compile, show):
    w = Value(1.0)
    f = compile(lambda i: (w * (2.0 if i & 1 else 1.0)).data)
    g = compile(lambda x: (w * (2.0 if x.is_integer() else 1.0)).data)
    for i in (0, 1, 2):
        show(f(i))
    for x in (0.5, 1.0):
        show(g(x))


@faithful
def whole_numbers_in_results(compile, show):
    w = Value(1.0)
    @compile
    def f(n):
        y = w * n
        y.backward()
        return y, n, n + 1, n // 2
    for n in (3, 4):
        show(f(n))


@faithful
def values_of_data(compile, show):
    w = Value(2.0)
    @compile
    def f(x):
        h = (w * x).tanh()
        y = Value(h.data) * w
        w.grad = 0.0
        y.backward()
        return y
    for x in (1.0, 2.0):
        show(f(x), w.grad)


@faithful
def arithmetic_of_arguments_as_indices(compile, show):
    w, data = Value(1.0), [float(k) for k in range(20)]
    @compile
    def f(i, n):
        y = sum(w * x for x in data[i * n:(i + 1) * n])
        y.backward()
        return y
    for i in (0, 1, 2):
        show(f(i, 4))


@faithful
def arrays_of_values_times_arguments(compile, show):
    w = Value(0.5)
    @compile
    def f(x):
        y = (w * np.array([1.0, 2.0]) * x).sum()
        y.backward()
        return y
    for k in range(2):
        show(f(1.0 + k))


@faithful
def powers_of_negative_values(compile, show):
    a = Value(-1.5)
    @compile
    def f(n):
        y = a ** n
        y.backward()
        return y
    show(f(2))
    show(f(3))


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


@pytest.mark.parametrize("optimise", [True, False])
@pytest.mark.parametrize("name", FAITHFUL)
def test_what_gives_the_eager_numbers(name, optimise):
    eager = shown(FAITHFUL[name], lambda fn: fn)
    found = shown(FAITHFUL[name], lambda fn: tg.compile(fn, optimise=optimise))
    assert close(eager, found, 1e-12), (eager, found)


@pytest.mark.parametrize("optimise", [True, False])
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name, optimise):
    with pytest.raises(CaptureError, match="instead:"):
        shown(REFUSED[name], lambda fn: tg.compile(fn, optimise=optimise))
