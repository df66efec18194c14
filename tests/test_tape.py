"""Compiled steps of Tensors: replay against the same code run as it is."""
from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_edu as tg
from tinygrad_edu import nn, optim
from tinygrad_edu.nn import functional as F  # noqa: N812
from tinygrad_edu.tape import CaptureError, compile  # noqa: A004


def close(a, b, dtype=np.float32) -> None:
    """Equal to the rounding of sums in another order, which the alignment of memory alone may cause in a BLAS."""
    rtol, atol = (1e-12, 1e-14) if dtype == np.float64 else (1e-5, 1e-6)
    np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


class Twins:
    """The same model, optimiser and step twice, from the same seeds: one runs as it is, the other compiled."""

    def __init__(self, model, optimiser, step, scheduler=None, dtype=np.float32):
        self.dtype, self.models, self.optimisers, self.schedulers, self.steps = dtype, [], [], [], []
        for compiled in (False, True):
            tg.manual_seed(0)
            net = model()
            if dtype == np.float64:
                net.double()
            rule = optimiser(net.parameters())
            run = step(net, rule)
            self.models.append(net)
            self.optimisers.append(rule)
            self.schedulers.append(scheduler(rule) if scheduler else None)
            self.steps.append(compile(run) if compiled else run)

    def step(self, seed: int, *args) -> None:
        results = []
        for run, scheduler in zip(self.steps, self.schedulers, strict=True):
            tg.manual_seed(seed)
            results.append(run(*args))
            if scheduler:
                scheduler.step()
        self.compare(*results)

    def compare(self, a, b) -> None:
        close(a.detach().numpy(), b.detach().numpy(), self.dtype)
        for (name, p), q in zip(self.models[0].named_parameters(), self.models[1].parameters(), strict=True):
            close(p.detach().numpy(), q.detach().numpy(), self.dtype)
            assert (p.grad is None) == (q.grad is None), name
            if p.grad is not None:
                close(p.grad.numpy(), q.grad.numpy(), self.dtype)
        for p, q in zip(self.models[0].buffers(), self.models[1].buffers(), strict=True):
            close(p.numpy(), q.numpy(), self.dtype)

    @property
    def info(self):
        return self.steps[1].cache_info()


def batch(n, features=6, classes=3, seed=0, dtype=np.float32):
    rng = np.random.default_rng((seed, n))
    return tg.tensor(rng.normal(size=(n, features)).astype(dtype)), tg.tensor(rng.integers(0, classes, n))


def classify(net, rule):
    def step(x, y):
        rule.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        rule.step()
        return loss
    return step


def mlp(*middle):
    return lambda: nn.Sequential(nn.Linear(6, 8), *(m() for m in middle), nn.Linear(8, 3))


NETWORKS = {
    "tanh": mlp(nn.Tanh), "sigmoid": mlp(nn.Sigmoid), "relu": mlp(nn.ReLU), "gelu": mlp(nn.GELU), "silu": mlp(nn.SiLU),
    "softplus": mlp(nn.Softplus), "elu": mlp(nn.ELU), "leaky": mlp(nn.LeakyReLU),
    "dropout": mlp(nn.ReLU, lambda: nn.Dropout(0.4)), "batch norm": mlp(lambda: nn.BatchNorm1d(8), nn.ReLU),
    "layer norm": mlp(lambda: nn.LayerNorm(8), nn.Tanh), "deep": mlp(nn.Tanh, lambda: nn.Linear(8, 8), nn.ReLU),
    "no bias": lambda: nn.Linear(6, 3, bias=False),
}
RULES = {
    "sgd": lambda ps: optim.SGD(ps, 0.1), "momentum": lambda ps: optim.SGD(ps, 0.1, momentum=0.9, weight_decay=1e-3),
    "adam": lambda ps: optim.Adam(ps, 1e-2), "adamw": lambda ps: optim.AdamW(ps, 1e-2),
    "rmsprop": lambda ps: optim.RMSprop(ps, 1e-2),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("network", NETWORKS)
def test_networks_train_the_same(network, dtype):
    twins = Twins(NETWORKS[network], RULES["adam"], classify, dtype=dtype)
    for k, n in enumerate([8, 8, 8, 5, 8, 5]):
        twins.step(k, *batch(n, seed=k, dtype=dtype))
    assert twins.info == (4, 2, 2)


@pytest.mark.parametrize("rule", RULES)
def test_optimisers_and_a_schedule(rule):
    twins = Twins(NETWORKS["tanh"], RULES[rule], classify, scheduler=lambda o: optim.lr_scheduler.StepLR(o, 2, 0.5))
    for k in range(6):
        twins.step(k, *batch(8, seed=k))
    assert twins.info.recordings == 1


def test_gradients_add_up_where_they_are_not_zeroed():
    def accumulate(net, rule):
        def step(x, y):
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            return loss
        return step
    twins = Twins(NETWORKS["tanh"], RULES["sgd"], accumulate)
    for k in range(5):
        twins.step(k, *batch(8, seed=k))
        if k == 2:
            for rule in twins.optimisers:
                rule.step()
                rule.zero_grad()
    assert twins.info == (3, 2, 2)                    # with and without a gradient at the start


@pytest.mark.parametrize("zero", [
    lambda net, rule: rule.zero_grad(set_to_none=False), lambda net, rule: net.zero_grad(),
    lambda net, rule: net.zero_grad(set_to_none=False)])
def test_other_ways_to_forget_gradients(zero):
    def build(net, rule):
        def step(x, y):
            zero(net, rule)
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            rule.step()
            return loss
        return step
    twins = Twins(NETWORKS["tanh"], RULES["momentum"], build)
    for k in range(5):
        twins.step(k, *batch(8, seed=k))


def test_clipping_a_schedule_inside_and_an_optimiser_that_calls_back():
    def build(net, rule):
        schedule = optim.lr_scheduler.ExponentialLR(rule, 0.8)

        def step(x, y):
            def closure():
                rule.zero_grad()
                loss = F.cross_entropy(net(x), y)
                loss.backward()
                nn.utils.clip_grad_norm_(net.parameters(), 0.1)
                return loss
            loss = rule.step(closure)
            schedule.step()
            return loss
        return step
    twins = Twins(NETWORKS["relu"], RULES["momentum"], build)
    for k in range(5):
        twins.step(k, *batch(8, seed=k))
    assert twins.optimisers[0].param_groups[0]["lr"] == twins.optimisers[1].param_groups[0]["lr"]


def test_what_changes_outside_is_seen():
    twins = Twins(NETWORKS["dropout"], RULES["sgd"], classify)
    twins.step(0, *batch(8))
    for net, rule in zip(twins.models, twins.optimisers, strict=True):
        net[0].weight.data = net[0].weight.data * 0.5            # another array
        with tg.no_grad():
            net[0].bias.fill_(0.25)                   # the same array
        rule.param_groups[0]["lr"] = 0.7
    twins.step(1, *batch(8))
    for net in twins.models:
        net[0].weight.requires_grad_(False)           # frozen
        net[0].weight.grad = None
    twins.step(2, *batch(8))
    for net in twins.models:
        net.eval()                                    # no dropout any more
    twins.step(3, *batch(8))
    twins.step(4, *batch(8))
    for net in twins.models:
        net.train()
        net[0].weight.requires_grad_(True)
    twins.step(5, *batch(8))
    assert twins.info.recordings == 3


def test_a_name_that_stands_for_another_tensor_is_noticed():
    w = tg.ones(3, requires_grad=True)
    factor = 2.0

    def f(x):
        return (w * x * factor).sum().detach()
    step = compile(f)
    x = tg.ones(3)
    assert step(x).item() == step(x).item() == 6.0
    w = tg.full((3,), 2.0, requires_grad=True)
    assert step(x).item() == 12.0
    factor = 3.0
    assert step(x).item() == 18.0
    assert step.cache_info() == (1, 3, 3)


def test_numbers_passed_as_arguments_are_read_live():
    w = tg.tensor([1.0, 2.0], requires_grad=True)

    @compile
    def step(x, rate, power=2):
        w.grad = None
        loss = ((w * x) ** power).sum() * (rate + 1)
        loss.backward()
        with tg.no_grad():
            w.sub_(w.grad, alpha=rate)
        return loss, rate * 2
    v = np.array([1.0, 2.0], np.float32)
    x = tg.tensor([0.5, 0.25])
    for rate in (0.1, 0.2, 0.4):
        loss, twice = step(x, rate)
        assert loss.item() == pytest.approx(((v * x.numpy()) ** 2).sum() * (rate + 1), rel=1e-6) and twice == rate * 2
        v -= rate * (rate + 1) * 2 * v * x.numpy() ** 2
        close(w.detach().numpy(), v)
    assert step.cache_info().recordings == 1


def test_a_branch_is_recorded_both_ways_and_random_numbers_are_not_lost():
    def f(x):
        noise = tg.randn(3)
        y = x + noise
        if y.sum() > 0:
            return y * 2
        return -y
    step = compile(f)
    for k in range(12):
        x = tg.full((3,), 1.5 * (-1) ** (k // 2))
        tg.manual_seed(k)
        expected = f(x), tg.rand(1)
        tg.manual_seed(k)
        result = step(x), tg.rand(1)
        for a, b in zip(expected, result, strict=True):
            close(a.numpy(), b.numpy())
    assert step.cache_info().recordings == 2


def test_the_number_of_a_tensor_may_be_returned_but_not_used():
    w = tg.tensor([1.0, 2.0])
    assert [compile(lambda: (w.sum().item(), w))()[0] for _ in range(2)] == [3.0, 3.0]
    step = compile(lambda x: {"loss": (x * w).sum().item(), "both": [x + w, (1, "text")]})
    for k in (1.0, 2.0):
        out = step(tg.full((2,), k))
        assert out["loss"] == 3 * k and out["both"][1] == (1, "text")
        close(out["both"][0].numpy(), w.numpy() + k)


OUTSIDE = np.ones(3, np.float32)


@pytest.mark.parametrize("use", [
    lambda x: x * float(x.sum()),                                             # part 0
    lambda x: x * x.numpy().max(),                                            # part 1
    lambda x: x * max(x.tolist()),                                            # part 2
    lambda x: (x, f"{x.sum().item():.2f}")[0],                                # part 3
    lambda x: x * math.exp(x.sum().item()),                                   # part 4
    lambda x: x * np.sqrt(np.arange(3, dtype=np.float32)),                    # part 5
    lambda x: (x, str(x))[0],                                                 # part 6
    lambda x: x[: int(x.sum())],                                              # part 7
])
def test_what_cannot_be_replayed_is_refused_with_its_line(use):
    with pytest.raises(CaptureError, match="part [0-9]"):
        compile(use)(tg.ones(3))


def test_arrays_that_live_outside_are_read_live():
    step = compile(lambda x: x * OUTSIDE)
    x = tg.ones(3)
    assert step(x).sum().item() == 3.0
    OUTSIDE[:] = 2.0
    assert step(x).sum().item() == 6.0
    OUTSIDE[:] = 1.0
    assert step.cache_info().replays == 1


def test_a_branch_after_an_update_is_refused():
    w = tg.ones(3)

    @compile
    def step():
        w.mul_(2)
        return w + 1 if w.sum() > 4 else w
    with pytest.raises(CaptureError, match="after something outside has changed"):
        step()


def test_what_was_returned_and_the_gradients_that_are_held_stay_as_they_are():
    w = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)

    @compile
    def step(x):
        w.grad = None
        y = (w * x).tanh()
        y.sum().backward()
        return y
    kept = []
    for k in range(4):
        y = step(tg.full((3,), float(k)))
        y = y.detach()
        kept.append((y, y.numpy().copy(), w.grad, w.grad.numpy().copy(), w.grad[1:], w.grad.numpy()[1:].copy()))
    for y, was, g, g_was, part, part_was in kept:
        close(y.numpy(), was)
        close(g.numpy(), g_was)
        close(part.numpy(), part_was)
    del kept, g, part, y
    step(tg.ones(3))
    first = w.grad.data_ptr()
    step(tg.ones(3))
    assert w.grad.data_ptr() == first                 # nobody else held it, so its memory was written again


def test_in_place_changes_and_views():
    state = tg.zeros(4)
    buffer = tg.zeros(2, 3)

    @compile
    def step(x):
        state.mul_(0.5).add_(x)
        row = buffer[1]
        row += x[:3]
        buffer[0] = row * 2
        out = tg.zeros(3, 4)
        out[1] = x
        out[:, 0] += 1
        return out.sum() + state.sum(), out
    s, b = np.zeros(4, np.float32), np.zeros((2, 3), np.float32)
    for k in range(4):
        x = tg.tensor([1.0, 2.0, 3.0, k])
        total, out = step(x)
        s = s * 0.5 + x.numpy()
        b[1] += x.numpy()[:3]
        b[0] = b[1] * 2
        o = np.zeros((3, 4), np.float32)
        o[1] = x.numpy()
        o[:, 0] += 1
        close(state.numpy(), s)
        close(buffer.numpy(), b)
        close(out.numpy(), o)
        close(total.item(), o.sum() + s.sum())
    assert step.cache_info() == (3, 1, 1)


def test_recorded_changes_in_place():
    w = tg.tensor([0.5, -1.0, 2.0], requires_grad=True)

    def f(x):
        w.grad = None
        y = w * x
        y.mul_(y.detach() + w)
        y[0] = w[1] * 2
        y.tanh_()
        y.sum().backward()
        return y, w.grad
    step = compile(f)
    for k in range(4):
        x = tg.tensor([1.0, k, 0.3])
        for a, b in zip(step(x), f(x), strict=True):
            close(a.detach().numpy(), b.detach().numpy())
    assert step.cache_info() == (3, 1, 1)


def test_indices_are_read_live():
    table = tg.tensor(np.random.default_rng(0).normal(size=(5, 2)), requires_grad=True)

    def f(i, mask):
        table.grad = None
        loss = (table[i] ** 2).sum() + tg.where(mask, table[i][:, 0], 0.0).sum() + F.embedding(i, table).sum()
        loss.backward()
        return loss, table.grad
    step = compile(f)
    for k in range(4):
        rng = np.random.default_rng(k)
        i, mask = tg.tensor(rng.integers(0, 5, 6)), tg.tensor(rng.integers(0, 2, 6) > 0)
        for a, b in zip(step(i, mask), f(i, mask), strict=True):
            close(a.detach().numpy(), b.detach().numpy(), np.float64)
    assert step.cache_info() == (3, 1, 1)


def test_gradients_by_autograd_and_second_derivatives():
    x0 = np.array([0.3, -0.7, 1.1])

    def f(x):
        y = (x * x).tanh().sum()
        g, = tg.autograd.grad(y, x, create_graph=True)
        h, = tg.autograd.grad((g * g).sum(), x)
        plain, = tg.autograd.grad((x ** 3).sum(), x)
        return y.detach(), g.detach(), h, plain
    x = tg.tensor(x0, requires_grad=True)
    step = compile(lambda: f(x))
    for _ in range(3):
        for a, b in zip(step(), f(x), strict=True):
            close(a.detach().numpy(), b.detach().numpy(), np.float64)
    assert step.cache_info().recordings == 1


def test_labels_out_of_range_are_refused_at_a_replay_too():
    step = compile(lambda x, y: F.cross_entropy(x, y))
    x = tg.zeros(2, 3)
    assert step(x, tg.tensor([0, 1])).item() == pytest.approx(math.log(3))
    with pytest.raises(IndexError, match="out of bounds"):
        step(x, tg.tensor([0, 3]))
    assert step(x, tg.tensor([2, 1])).item() == pytest.approx(math.log(3))


def test_as_a_method_and_inside_another_capture():
    class Model:
        def __init__(self):
            self.w = tg.ones(2)

        @compile
        def double(self, x):
            return self.w * x * 2
    model = Model()
    outer = compile(lambda x: model.double(x) + 1)
    for k in (1.0, 2.0, 3.0):
        assert model.double(tg.full((2,), k)).sum().item() == 4 * k
        assert outer(tg.full((2,), k)).sum().item() == 4 * k + 2


def test_errors_leave_no_trace():
    step = compile(lambda x: x @ tg.ones(3))
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        step(tg.ones(2, 2))
    assert step(tg.ones(2, 3)).tolist() == [3.0, 3.0]
    with pytest.raises(RuntimeError, match="has not been called"):
        compile(lambda: 1).source()


def test_a_function_that_never_fits_is_run_as_it_is():
    step = compile(lambda n: tg.ones(int(n)).sum())
    with pytest.warns(RuntimeWarning, match="runs as it is"):
        for n in range(100):
            assert step(n).item() == n


def test_the_source_that_is_printed_is_the_program_that_runs():
    twins = Twins(NETWORKS["tanh"], RULES["sgd"], classify)
    x, y = batch(8)
    twins.step(0, x, y)
    text = twins.steps[1].source()
    assert "np.tanh(" in text and ".step()" in text and "net_0_weight" in text and "return leaf(loss)" in text
    recording = twins.steps[1].recent()
    space = {**recording.run.__globals__}
    exec(text, space)
    close(space["step"](x.numpy(), y.numpy()).item(), twins.steps[0](x, y).item())


UNARY = ["tanh", "exp", "sigmoid", "relu", "neg", "abs", "sum0", "mean1", "t", "reshape", "slice", "softmax", "square",
         "one"]
BINARY = ["add", "sub", "mul", "div", "matmul", "maximum", "where", "cat"]


def apply(kind, a, b):
    """A binary or unary operation on n x n matrices that gives an n x n matrix."""
    return {
        "tanh": lambda: a.tanh(), "exp": lambda: a.tanh().exp(), "sigmoid": lambda: a.sigmoid(),
        "relu": lambda: a.relu(), "neg": lambda: -a, "abs": lambda: a.abs(), "sum0": lambda: a * a.sum(0),
        "mean1": lambda: a - a.mean(1, keepdim=True), "one": lambda: 1 * a ** 1,
        "t": lambda: a.t(), "reshape": lambda: a.reshape(-1).reshape(len(a), len(a)), "softmax": lambda: a.softmax(-1),
        "slice": lambda: tg.cat([a[2:], b[:2]]), "square": lambda: a.tanh() ** 2, "add": lambda: a + b,
        "sub": lambda: a - b, "mul": lambda: a.tanh() * b, "div": lambda: a / (b * b + 1),
        "matmul": lambda: a.tanh() @ b.tanh(),
        "maximum": lambda: tg.maximum(a, b), "where": lambda: tg.where(a > b, a, b * 0.5),
        "cat": lambda: tg.stack([a, b]).mean(0),
    }[kind]()


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(UNARY + BINARY), st.integers(0, 99), st.integers(0, 99)), min_size=1,
                max_size=25), st.integers(0, 99), st.sampled_from([np.float32, np.float64]))
def test_random_programs(steps, seed, dtype):
    start = np.random.default_rng(seed).uniform(-1, 1, (3, 4, 4)).astype(dtype)
    sets = [[tg.tensor(a, requires_grad=True) for a in start] for _ in range(2)]

    def build(ps):
        def run(x, rate):
            nodes = [*(p[:len(x), :len(x)] for p in ps), x]
            for kind, i, j in steps:
                nodes.append(apply(kind, nodes[i % len(nodes)], nodes[j % len(nodes)]))
            loss = sum(n.tanh().mean() for n in nodes[-3:])
            for p in ps:
                p.grad = None
            if loss.requires_grad:
                loss.backward()
            with tg.no_grad():
                for p in ps:
                    if p.grad is not None:
                        p -= rate * p.grad
            return loss
        return run
    runs = build(sets[0]), compile(build(sets[1]))
    for k, n in enumerate((4, 4, 3, 4, 3)):           # another shape, and back; a parameter changed outside between
        if k == 3:
            for ps in sets:
                ps[0].data = ps[0].data * 0.5
        x = tg.tensor(np.random.default_rng((seed, k)).normal(size=(n, n)).astype(dtype))
        losses = [run(x, 0.1 / (k + 1)) for run in runs]
        close(losses[0].item(), losses[1].item(), dtype)
        for p, q in zip(*sets, strict=True):
            close(p.detach().numpy(), q.detach().numpy(), dtype)
            assert (p.grad is None) == (q.grad is None)
            if p.grad is not None:
                close(p.grad.numpy(), q.grad.numpy(), dtype)
    assert runs[1].cache_info() == (3, 2, 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_elementwise_programs_agree_bit_for_bit(dtype):
    """Where no sum is involved, no order can change: not a bit may differ."""
    rng = np.random.default_rng(0)
    a, b = (tg.tensor(rng.normal(size=(5, 7)).astype(dtype), requires_grad=True) for _ in range(2))

    def f(x):
        a.grad = b.grad = None
        y = ((a * x).tanh() + (b / (1 + x * x)).sigmoid()) * a.exp() - b.relu() ** 2
        y.backward(x)
        return y, a.grad, b.grad
    step = compile(f)
    for _ in range(4):
        x = tg.tensor(rng.normal(size=(5, 7)).astype(dtype))
        for u, v in zip(f(x), step(x), strict=True):
            np.testing.assert_array_equal(u.detach().numpy(), v.detach().numpy())


def test_a_mask_that_picks_another_number_of_elements_is_recorded_again():
    x = tg.tensor([1.0, -2.0, 3.0, -4.0])
    step = compile(lambda x: (x[x > 0].mean(), x.masked_select(x < 0).sum()))
    for values in ([1.0, -2.0, 3.0, -4.0], [-1.0, 2.0, 3.0, -4.0], [5.0, 2.0, 3.0, -4.0]):
        x = tg.tensor(values)
        mean, total = step(x)
        assert mean.item() == pytest.approx(np.mean([v for v in values if v > 0]))
        assert total.item() == pytest.approx(sum(v for v in values if v < 0))
    assert step.cache_info() == (1, 2, 2)


def test_functions_of_labels_are_called_as_a_whole():
    step = compile(lambda y: F.one_hot(y, 4).float().sum(0))
    for labels in ([0, 1, 1], [2, 3, 3]):
        close(step(tg.tensor(labels)).numpy(), np.bincount(labels, minlength=4))
    assert step.cache_info().replays == 1
    with pytest.raises(CaptureError, match="nonzero"):
        compile(lambda x: x.nonzero())(tg.ones(2))


@pytest.mark.parametrize("make", [
    lambda a: tg.tensor(a / 2), lambda a: tg.from_numpy(a * 2),
    lambda a: tg.as_tensor(np.random.default_rng().normal(size=3)),
    lambda a: tg.tensor([a.mean(), a.max()]), lambda a: tg.tensor(np.float64(a.sum())),
])
def test_tensors_of_what_numpy_computes_inside_are_refused(make):
    with pytest.raises(CaptureError):
        compile(lambda a: make(a).sum() * 2)(np.ones(3))


def test_tensors_of_arrays_that_are_arguments_are_made_anew():
    step = compile(lambda a, scale: (tg.tensor(a) * scale + tg.from_numpy(a) + tg.tensor([scale, 1.0, 2.0])).sum())
    for k in (1.0, 2.0, 3.0):
        assert step(np.full(3, k, np.float32), 2.0).item() == 3 * (2 * k + k) + 5
    assert step(np.full(3, 1.0, np.float32), 3.0).item() == 3 * 4 + 6
    assert step.cache_info() == (2, 2, 2)


def test_what_is_stored_outside_is_not_written_over_afterwards():
    w = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    state = tg.zeros(3)
    rule = optim.SGD([w], 0.5)

    def f(x):
        rule.zero_grad()
        (w * x).exp().sum().backward()
        rule.step()
        norm = (w.grad * w.grad).sqrt() * 2 + 1       # after the gradient was stored
        state.data = x * 3
        return (state * 2 + 1).tanh(), norm
    step = compile(f)
    v = np.array([1.0, 2.0, 3.0])
    for k in range(4):
        x = np.array([0.1, -0.2, 0.3 - 0.2 * k])
        outs = step(tg.tensor(x, dtype=tg.float32))
        g = x * np.exp(v * x)
        v = v - 0.5 * g
        close(w.grad.numpy(), g)
        close(w.detach().numpy(), v)
        close(state.numpy(), 3 * x)
        close(outs[0].numpy(), np.tanh(6 * x + 1))
        close(outs[1].numpy(), 2 * np.abs(g) + 1)
    assert step.cache_info().recordings == 1


def test_a_compiled_model_trains_as_it_is_and_is_replayed_without_gradients():
    tg.manual_seed(0)
    net = mlp(nn.Tanh)()
    model = compile(net, mode="default", fullgraph=True)
    rule = optim.SGD(model.parameters(), 0.1)
    x, y = batch(8)
    losses = []
    for _ in range(3):
        rule.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        rule.step()
        losses.append(loss.item())
    assert losses[2] < losses[0] and model.cache_info().replays == 0
    with tg.no_grad():
        for k in range(3):
            x, _ = batch(8, seed=k)
            close(model(x).numpy(), net(x).numpy())
    assert model.cache_info() == (2, 1, 1)
    model.eval()
    assert not net.training
    with tg.no_grad():
        close(model(x).numpy(), net(x).numpy())
    assert compile(net, disable=True) is net
    with pytest.raises(TypeError, match="unexpected keyword"):
        compile(net, speed=11)


def test_the_network_of_the_digits_example():
    from examples import digits

    def build(net, rule):
        def step(x, y):
            rule.zero_grad()
            loss = digits.objective(net, x, y)
            loss.backward()
            rule.step()
            return loss
        return step
    twins = Twins(digits.network, lambda ps: optim.Adam(ps, 0.001), build)
    for k in range(4):
        twins.step(k, *batch(40, 64, 10, seed=k))
    twins.step(4, *batch(17, 64, 10))                 # a last batch that is smaller
    assert twins.info == (3, 2, 2)


def test_what_is_put_away_outside_is_refused():
    class State:
        hidden = tg.zeros(3)
    kept = []

    def remember(x):
        State.hidden = (State.hidden + x).tanh()
        return State.hidden * 2

    def collect(x):
        kept.append(x.sum())
        return x * 2
    for f in (remember, collect):
        with pytest.raises(CaptureError, match="the function changes"):
            compile(f)(tg.ones(3))
    step = compile(lambda x: (x.exp().t(), x.exp().detach(), [x[0].sum()]))    # views and parts of the result are not
    assert [len(step(tg.ones(2, 2))) for _ in range(2)] == [3, 3]


@pytest.mark.parametrize(("draw", "what"), [
    (lambda: random.random(), "random numbers from elsewhere"),
    (lambda: np.random.uniform(), "random numbers from elsewhere"),        # noqa: NPY002
    (lambda: tg.manual_seed(3) and 1.0, "a new seed of a generator")])
def test_random_numbers_from_elsewhere_are_refused(draw, what):
    with pytest.raises(CaptureError, match=what):
        compile(lambda x: x * draw())(tg.ones(3))


def test_what_clipping_changes_is_not_taken_for_the_same():
    w = tg.tensor([3.0, 4.0], requires_grad=True)

    def f(x):
        w.grad = None
        (w * w * x).sum().backward()
        before = w.grad * 2
        nn.utils.clip_grad_norm_([w], 1.0)
        return before, w.grad * 2
    step = compile(f)
    for k in (1.0, 2.0, 3.0):
        x = tg.full((2,), k)
        for a, b in zip(step(x), f(x), strict=True):
            close(a.numpy(), b.numpy())
    assert step.cache_info() == (2, 1, 1)


def test_buffers_are_read_where_they_live():
    net = nn.BatchNorm1d(3)
    x = tg.tensor(np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32))
    step = compile(lambda x: net(x).detach())
    step(x)
    net.running_mean.data = tg.zeros(3)               # another array from now on
    net.running_var.data = tg.ones(3)
    step(x)
    close(net.running_mean.numpy(), 0.1 * x.numpy().mean(0))
    close(net.running_var.numpy(), 0.9 + 0.1 * x.numpy().var(0, ddof=1))
