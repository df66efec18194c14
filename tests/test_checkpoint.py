"""Checkpoints: the plan against all plans, gradients bit for bit, memory that falls as planned, torch's semantics."""
from __future__ import annotations

import contextlib
import gc
import heapq
import importlib.util
import inspect
import math
import tracemalloc
import weakref
import xml.etree.ElementTree as ElementTree
from collections import Counter
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.utils.checkpoint
from parity import both, same

import tinygrad_edu as tg
from tinygrad_edu import dp, nn, viz
from tinygrad_edu.dp.revolve import fewest, revolve
from tinygrad_edu.utils.checkpoint import CheckpointError, checkpoint, checkpoint_schedule, checkpoint_sequential

EXAMPLE = Path(__file__).parents[1] / "examples" / "04_backprop_as_dp" / "checkpointing.py"
SIZES = [(l, c) for l in (1, 2, 3, 4, 5, 7, 10, 15, 20, 21, 35, 64) for c in (1, 2, 3, 4, 6, 9, 70)]


# ---- the plan -------------------------------------------------------------------------------------------------------

def beta(s: int, t: int) -> int:
    """C(s + t, s): so many steps can be reversed with s checkpoints when none is run forward more than t times."""
    return math.comb(s + t, s) if t >= 0 else 0


def repetitions(steps: int, checkpoints: int) -> int:
    """The r with beta(c, r - 1) < l <= beta(c, r): how often a step is run forward at most."""
    return next(r for r in range(steps) if beta(checkpoints, r) >= steps)


def closed_form(steps: int, checkpoints: int) -> int:
    """t(l, c) = r l - beta(c + 1, r - 1), as Griewank and Walther state it: the fewest forward steps."""
    r = repetitions(steps, checkpoints)
    return r * steps - beta(checkpoints + 1, r - 1)


def test_the_table_is_the_binomial_closed_form():
    """t(l, c) = r l - beta(c + 1, r - 1), exactly, for every chain of up to 120 steps and 20 checkpoints."""
    table, _ = fewest(120, 20)
    for c in range(1, 21):
        for l in range(1, 121):
            r = repetitions(l, c)
            assert math.comb(c + r - 1, c) < l <= math.comb(c + r, c) or (l == 1 and r == 0)
            assert table[c, l] == r * l - math.comb(c + r, c + 1) == closed_form(l, c)


@pytest.mark.parametrize("c", [1, 2, 3, 4])
def test_no_plan_at_all_takes_fewer_steps(c):
    """The shortest way through every state of memory (which states are kept, where we stand, what is left)."""
    def shortest(l):
        todo, done, order = [(0, 0, ((0,), 0, l))], set(), 0
        while todo:
            cost, _, here = heapq.heappop(todo)
            if here in done:
                continue
            done.add(here)
            kept, at, end = here
            if end == 0:
                return cost
            moves = [(0, (kept, k, end)) for k in kept if k != at]
            moves += [(0, (tuple(j for j in kept if j != k), at, end)) for k in kept]
            if at is not None:
                if at == end - 1:
                    moves.append((0, (kept, None, at)))
                else:
                    moves.append((1, (kept, at + 1, end)))
                if at not in kept and len(kept) < c:
                    moves.append((0, (tuple(sorted((*kept, at))), at, end)))
            for step, there in moves:
                order += 1
                heapq.heappush(todo, (cost + step, order, there))
        return None

    for l in range(1, 9):
        assert revolve(l, c).forward_steps == shortest(l)


def test_among_the_shortest_plans_the_one_that_keeps_the_fewest_states():
    @cache
    def best(l, c):
        if l == 1:
            return 0, 0
        ways = [(l * (l - 1) // 2, 0)]                                # with the first state alone
        if c > 1:
            ways += [(m + best(l - m, c - 1)[0] + best(m, c)[0], 1 + best(l - m, c - 1)[1] + best(m, c)[1])
                     for m in range(1, l)]
        return min(ways)

    for l in range(1, 30):
        for c in range(1, 8):
            plan = revolve(l, c)
            assert (plan.forward_steps, plan.stores) == (best(l, c)[0], best(l, c)[1] + 1)


@pytest.mark.parametrize(("l", "c"), SIZES)
def test_a_plan_can_be_carried_out(l, c):
    kept, here, end, runs = set(), 0, l, Counter()
    for kind, at, to in revolve(l, c).actions:
        if kind == "store":
            assert here == at
            kept.add(at)
            assert len(kept) <= c
        elif kind == "free":
            kept.remove(at)
        elif kind == "restore":
            assert at in kept
            here = at
        elif kind == "advance":
            assert here == at < to < end
            runs.update(range(at, to))
            here = to
        else:
            assert here == at == end - 1
            here, end = None, at
    assert end == 0 and not kept
    assert max(runs.values(), default=0) <= repetitions(l, c) and runs.total() == closed_form(l, c)
    assert revolve(l, c).peak <= min(c, max(1, l - 1))


def test_as_long_as_a_chain_can_be():
    """beta(s, t) steps take s checkpoints with no step run more than t times, and one more step does not."""
    for s in range(1, 5):
        for t in range(1, 5):
            for l, most in ((beta(s, t), t), (beta(s, t) + 1, t + 1)):
                runs = Counter(k for a in revolve(l, s).actions if a.kind == "advance" for k in range(a.at, a.to))
                assert max(runs.values()) == most


@pytest.mark.parametrize(("l", "c"), [(1, 1), (4, 2), (20, 3), (120, 5)])
def test_a_plan_is_shown(l, c):
    plan = revolve(l, c)
    rows = plan.text().splitlines()[1:]
    assert sum(row.count("<") for row in rows) == l
    assert sum(row.count(">") for row in rows) == plan.forward_steps
    assert plan.title() in str(plan) and str(plan.forward_steps) in plan.title()
    assert len(plan.rows()) == len(plan.actions) == len(plan.table().splitlines()) - 2
    assert plan.rows()[-1]["kept"] == [] and plan.rows()[-1]["time"] == plan.forward_steps + l - 1
    assert plan.markdown().count("\n| ") == len(plan.actions) + 2 and "<svg" in plan._repr_html_()
    svg = "{http://www.w3.org/2000/svg}"
    titles = Counter(t.text.split()[0] for t in ElementTree.fromstring(plan.svg()).iter(svg + "title"))
    kinds = Counter(a.kind for a in plan.actions)
    assert titles["checkpoint"] == kinds["store"] == kinds["free"] and titles["turn"] == l
    assert titles["advance"] == kinds["advance"] and titles["restore"] == kinds["restore"]


@pytest.mark.parametrize("given", [(0, 1), (3, 0), (2.5, 1), (3, -1)])
def test_no_chain_and_no_memory_are_refused(given):
    with pytest.raises(ValueError, match="at least 1 step"):
        revolve(*given)


# ---- carried out ----------------------------------------------------------------------------------------------------

class Layer(nn.Module):
    """Linear, tanh, dropout; counts its runs and how many of the chain's states are alive at each."""

    def __init__(self, width, log):
        super().__init__()
        self.linear, self.drop, self.log = nn.Linear(width, width), nn.Dropout(0.2), log

    def forward(self, x):
        self.log.append((weakref.ref(x), sum(ref() is not None for ref in {id(r()): r for r, _ in self.log}.values())))
        return self.drop(tg.tanh(self.linear(x)))


def deep(layers, width=6, seed=3):
    tg.manual_seed(seed)
    log = []
    return nn.Sequential(*[Layer(width, log) for _ in range(layers)]), tg.randn(4, width, requires_grad=True), log


def step(forward, layers=100):
    """Loss, all gradients, and the next random number, of one training step."""
    net, x, log = deep(layers)
    tg.manual_seed(11)
    loss = (forward(net, x) ** 2).sum()
    between = tg.rand(3)
    loss.backward()
    return [loss.detach(), between, tg.rand(3), x.grad, *(p.grad for p in net.parameters())], len(log)


def identical(ours, theirs):
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@cache
def plainly():
    return step(lambda net, x: net(x))


@pytest.mark.parametrize("c", [1, 2, 3, 5, 9, 20, 50, 99, 100, 1000])
def test_a_deep_network_along_the_plan(c):
    """Gradients, dropout included, bit for bit; as many layer runs as planned; random numbers go on as without."""
    found, runs = step(lambda net, x: checkpoint_schedule(net, c, x))
    identical(found, plainly()[0])
    assert runs == closed_form(100, c) + 100 == revolve(100, c).forward_steps + 100


@pytest.mark.parametrize("forward", [checkpoint, lambda net, x: checkpoint_sequential(net, 7, x),
                                     lambda net, x: checkpoint_sequential(list(net), 100, x)])
def test_a_deep_network_in_pieces(forward):
    identical(step(forward)[0], plainly()[0])


@pytest.mark.parametrize("c", [1, 2, 4, 10])
def test_so_many_states_live_as_planned(c):
    """Whenever a layer runs: the kept states, and the one that it runs from."""
    net, x, log = deep(40)
    y = checkpoint_schedule(list(net), c, x)
    y.sum().backward()
    alive = [count for _, count in log]
    assert max(alive) <= revolve(40, c).peak + 1
    del y
    assert sum(ref() is not None for ref, _ in log) <= 40 + closed_form(40, c)
    assert {id(ref()) for ref, _ in log if ref() is not None} <= {id(x)}          # nothing is left but the input


def peak(forward, layers=48, shape=(1500, 4)):
    tg.manual_seed(0)
    net = nn.Sequential(*[nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Dropout(0.1)) for _ in range(layers)])
    x = tg.randn(*shape)
    forward(net, x).sum().backward()                                  # whatever is set up once
    net.zero_grad(set_to_none=False)
    tracemalloc.start()
    try:
        forward(net, x).sum().backward()
        return tracemalloc.get_traced_memory()[1] / x.nbytes
    finally:
        tracemalloc.stop()


def test_peak_memory_falls_as_planned():
    """Measured in states: one checkpoint less is one state less; and a graph of one layer is there at a time."""
    plain = peak(lambda net, x: net(x))
    least = peak(lambda net, x: checkpoint_schedule(net, 1, x))
    for c in (2, 4, 8, 16, 32):
        found = peak(lambda net, x, c=c: checkpoint_schedule(net, c, x))
        assert found - least == pytest.approx(revolve(48, c).peak - 1, abs=1.5)
    assert plain > 48 * 3                                             # a layer keeps at least its three results
    assert least < 48 / 2
    assert peak(lambda net, x: checkpoint_sequential(net, 7, x)) < plain / 3


def test_nothing_stays_alive_and_nothing_is_cyclic():
    seen = []

    def function(x):
        h = (x * 2).exp()
        seen.append(weakref.ref(h))
        return h.tanh()

    gc.collect()
    gc.disable()
    try:
        x = tg.randn(3, requires_grad=True)
        y, z = checkpoint(function, x), checkpoint_schedule([function] * 3, 2, x)
        assert not any(ref() is not None for ref in seen[:-1])        # of the chain's last function the graph waits
        loss = (y * z).sum()
        kept = weakref.ref(y.inputs[-1]), weakref.ref(z.inputs[-1])
        loss.backward()
        assert [ref() for ref in (*seen, *kept)] == [None] * (len(seen) + 2), "given back with the graph"
        ref = weakref.ref(checkpoint(function, x).inputs[-1])
        assert ref() is None, "or with the last name of the result"
    finally:
        gc.enable()


def test_a_retained_graph_is_swept_again():
    net, x, log = deep(9)
    y = checkpoint_schedule(net, 2, x).sum()
    y.backward(retain_graph=True)
    once = [p.grad.clone() for p in net.parameters()]
    runs = len(log)
    y.backward()
    identical([p.grad for p in net.parameters()], [2 * g for g in once])
    assert len(log) == runs + closed_form(9, 2) + 9                   # from the input on, once more
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


@pytest.mark.parametrize("c", [1, 2, 3, 9])
def test_a_chain_of_other_things(c):
    """Tied weights, an input without gradient, whole numbers, a layer that does nothing, one that cuts the gradient."""
    table, w, idle = nn.Embedding(7, 5), nn.Linear(5, 5), nn.Linear(5, 5)
    chain = [table, w, nn.Tanh(), w, nn.Identity(), nn.Flatten(), lambda h: h.reshape(6, 5), w, tg.relu]
    cut = [*chain[:3], lambda h: h.detach() * 2, idle, nn.Identity()]
    words = tg.tensor([1, 2, 3, 3, 0, 6])
    for steps in (chain, cut, [nn.Identity()], [nn.Identity(), w.weight.__matmul__]):
        x = words if steps[0] is table else tg.randn(5, 2, requires_grad=True)
        leaves, results = (*table.parameters(), *w.parameters(), *idle.parameters(), x), []
        for way in ("along a plan", "plainly"):
            y = x
            if way == "plainly":
                for function in steps:
                    y = function(y)
            else:
                y = checkpoint_schedule(steps, c, x)
            for p in leaves:
                p.grad = None
            (y * y).sum().backward()
            results.append([p.grad for p in leaves])
        for a, b in zip(*results, strict=True):
            assert (a is None) == (b is None)
            assert a is None or a.allclose(b, rtol=1e-5, atol=1e-6)


def relu_(x):
    return x.relu_()


def test_a_chain_without_gradients_is_run_and_no_more():
    net, x, log = deep(5)
    with tg.no_grad():
        y = checkpoint_schedule(net, 1, x)
    assert not y.requires_grad and len(log) == 5
    y = checkpoint_schedule([tg.exp, tg.sin], 1, tg.ones(2))
    assert not y.requires_grad and tg.equal(y, tg.ones(2).exp().sin())
    assert checkpoint_schedule([], 1, x) is x


def test_a_chain_says_what_it_cannot_do():
    x = tg.randn(3, requires_grad=True)
    with pytest.raises(ValueError, match="schedule is for 3 steps"):
        checkpoint_schedule([tg.exp], revolve(3, 1), x)
    with pytest.raises(TypeError, match="function 1 of a chain returned a tuple"):
        checkpoint_schedule([tg.exp, lambda h: (h, h)], 1, x)
    with pytest.raises(RuntimeError, match="leaf Variable"):
        checkpoint_schedule([tg.exp, relu_], 1, x)
    with pytest.raises(RuntimeError, match="inplace operation: .* changed by function 0"):
        checkpoint_schedule([relu_, nn.Linear(3, 3)], 1, x.detach())


# ---- checkpoint, under both libraries -------------------------------------------------------------------------------

def ckpt(lib, function, *args, **kwargs):
    kwargs.setdefault("use_reentrant", False)
    return lib.utils.checkpoint.checkpoint(function, *args, **kwargs)


PROGRAMS = {
    "one": lambda lib, x, w: ckpt(lib, lambda a, b: lib.tanh(a @ b), x, w),
    "closed over": lambda lib, x, w: ckpt(lib, lambda a: lib.tanh(a @ w) * x.sum(), x),
    "closed over, not a leaf": lambda lib, x, w: (lambda h: ckpt(lib, lambda a: a * h + lib.exp(h), x @ w) + h)(x @ w),
    "keywords": lambda lib, x, w: ckpt(lib, lambda a, *, by, k=1: a @ by ** k, x, by=w, k=2),
    "several": lambda lib, x, w: ckpt(lib, lambda a, b: (a @ b, lib.sin(a), 3, None), x, w)[:2],
    "one of several used": lambda lib, x, w: ckpt(lib, lambda a, b: (a @ b, lib.sqrt(a - a)), x, w)[0],
    "of two dtypes": lambda lib, x, w: list(ckpt(lib, lambda a, b: (a @ b, (a * 2).to(lib.float64)), x, w)),
    "nested": lambda lib, x, w: (lambda d: [d["sum"], *d["parts"]])(
        ckpt(lib, lambda d: {"sum": d["x"] @ d["w"][0], "parts": [d["x"] * 2, d["x"].exp()]}, {"x": x, "w": [w]})),
    "the same twice": lambda lib, x, w: ckpt(lib, lambda a: (lambda h: (h, h * 2, h))(lib.sin(a)), x),
    "handed on": lambda lib, x, w: ckpt(lib, lambda a, b: (a, a @ b), x, w),
    "a view": lambda lib, x, w: ckpt(lib, lambda a: a.reshape(-1)[2:], x * 1),
    "plain arguments": lambda lib, x, w: ckpt(lib, lambda a, n, f, s: f(a) * n if s == "y" else a, x, 3, lib.cos, "y"),
    "twice": lambda lib, x, w: ckpt(lib, lib.sin, ckpt(lib, lib.exp, x)) + ckpt(lib, lib.exp, x),
    "within": lambda lib, x, w: ckpt(lib, lambda a: ckpt(lib, lib.tanh, a @ w) * a, x),
    "of one argument": lambda lib, x, w: ckpt(lib, lambda a, b: a.detach() @ b, x, w),
    "of none": lambda lib, x, w: ckpt(lib, lambda a: a * 2, x.detach()) @ w,
    "without gradients inside": lambda lib, x, w: ckpt(lib, lambda a: quiet(lib, a) * a, x),
    "whole numbers": lambda lib, x, w: ckpt(lib, lambda a: (a.argmax(1), a.sin()), x),
    "reentrant": lambda lib, x, w: ckpt(lib, lambda a, b: (a @ b, lib.sin(a)), x, w, use_reentrant=True),
    "sequential": lambda lib, x, w: lib.utils.checkpoint.checkpoint_sequential(
        [lib.sin, lambda a: a @ w, lib.tanh, lib.exp, lambda a: a * w[0]], 2, x, use_reentrant=False),
    "in place, later": lambda lib, x, w: ckpt(lib, lambda a: a @ w, x).mul_(2),
    "in place, inside": lambda lib, x, w: ckpt(lib, lambda a: (a @ w).add_(1).sin(), x),
}


def quiet(lib, a):
    with lib.no_grad():
        return a.exp()


@pytest.mark.parametrize("name", PROGRAMS)
def test_under_both_libraries(name):
    rng = np.random.default_rng(0)
    both(PROGRAMS[name], rng.standard_normal((3, 3)), rng.standard_normal((3, 3)))


# torch refuses the first; in the second the unused result has an infinite derivative, which here counts as 0 * inf
@pytest.mark.parametrize("name", [n for n in PROGRAMS if n not in ("reentrant", "one of several used")])
def test_gradients_of_gradients(name):
    """The penalty |grad|^2, differentiated once more, as by torch."""
    rng = np.random.default_rng(1)

    def program(lib, x, w):
        out = PROGRAMS[name](lib, x, w)
        out = [y for y in (out if isinstance(out, (tuple, list)) else [out]) if y.requires_grad]
        loss = sum((y.to(lib.float64) ** 3).sum() for y in out)
        found = lib.autograd.grad(loss, (x, w), create_graph=True, allow_unused=True)
        return sum((g ** 2).sum() for g in found if g is not None)

    both(program, rng.standard_normal((3, 3)), rng.standard_normal((3, 3)), rtol=1e-9, atol=1e-9)


def test_the_signature_is_torchs():
    for name in ("checkpoint", "checkpoint_sequential"):
        theirs = inspect.signature(getattr(torch.utils.checkpoint, name)).parameters
        assert set(theirs) - {"function"} <= set(inspect.signature(getattr(tg.utils.checkpoint, name)).parameters)


def train(lib, use):
    """Three steps of a network with batch statistics: parameters, their gradients and the statistics at the end."""
    rng = np.random.default_rng(0)
    sizes = [4, 5, 5, 3]
    net = lib.nn.Sequential(*[lib.nn.Sequential(lib.nn.Linear(a, b), lib.nn.BatchNorm1d(b), lib.nn.Tanh())
                              for a, b in zip(sizes, sizes[1:], strict=False)])
    with lib.no_grad():
        for p in net.parameters():
            p.copy_(lib.tensor(rng.standard_normal(tuple(p.shape)).astype("float32")))
    optimizer = lib.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for _ in range(3):
        optimizer.zero_grad()
        y = use(lib, net, lib.tensor(rng.standard_normal((6, 4)).astype("float32")))
        (y ** 2).mean().backward()
        optimizer.step()
    return [*net.parameters(), *(p.grad for p in net.parameters()), *net.buffers()]


@pytest.mark.parametrize("use", [
    lambda lib, net, x: ckpt(lib, net, x),
    lambda lib, net, x: lib.utils.checkpoint.checkpoint_sequential(net, 2, x, use_reentrant=False),
    lambda lib, net, x: lib.utils.checkpoint.checkpoint_sequential(list(net), 3, x, use_reentrant=False,
                                                                   preserve_rng_state=False)])
def test_training_with_parameters_inside(use):
    """Running statistics see both runs, here as there."""
    same(train(tg, use), train(torch, use), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("lib", [tg, torch], ids=["ours", "torch"])
class TestSemantics:
    """What holds here and in PyTorch alike."""

    def test_without_recording(self, lib):
        x = lib.ones(2, requires_grad=True)
        with lib.no_grad():
            assert not ckpt(lib, lib.exp, x).requires_grad
        assert not ckpt(lib, lib.exp, x.detach()).requires_grad

    def test_what_was_there_is_handed_back_itself(self, lib):
        x = lib.ones(2, requires_grad=True)
        assert ckpt(lib, lambda a: a, x) is x

    def test_requires_grad_of_each_result(self, lib):
        x = lib.ones(2, requires_grad=True)
        a, b, c = ckpt(lib, lambda x: (x * 2, x.detach() * 2, x.argmax()), x)
        assert (a.requires_grad, b.requires_grad, c.requires_grad) == (True, False, False)

    def test_only_what_is_reached_gets_a_gradient(self, lib):
        x, w = lib.ones(2, requires_grad=True), lib.ones(2, requires_grad=True)
        ckpt(lib, lambda x: (x * 2, x * w)[0], x).sum().backward()
        assert x.grad.tolist() == [2, 2] and w.grad is None

    def test_the_function_runs_once_more_for_each_sweep(self, lib):
        runs = []
        x = lib.ones(2, requires_grad=True)
        y = ckpt(lib, lambda a: (runs.append(lib.is_grad_enabled()), a.exp())[1], x).sum()
        assert runs == [True]
        y.backward()
        assert runs == [True, True] and x.grad.tolist() == pytest.approx([math.e] * 2)

    def test_random_numbers(self, lib):
        drop = lib.nn.Dropout(0.5)
        masks = []
        x = lib.ones(50, requires_grad=True)

        def function(a):
            y = drop(a)
            masks.append(y.tolist())
            return y ** 2

        for preserve, equal in ((True, True), (False, False)):
            lib.manual_seed(1)
            masks.clear()
            y = ckpt(lib, function, x, preserve_rng_state=preserve).sum()
            before = lib.get_rng_state()
            y.backward()
            assert (masks[0] == masks[1]) is equal
            assert lib.equal(before, lib.get_rng_state()) is equal

    def test_contexts(self, lib):
        seen = []

        @contextlib.contextmanager
        def around(name):
            seen.append(name)
            yield

        x = lib.ones(2, requires_grad=True)
        ckpt(lib, lib.exp, x, context_fn=lambda: (around("first"), around("again"))).sum().backward()
        assert seen == ["first", "again"]

    def test_hooks_and_inputs_of_backward(self, lib):
        x, w, seen = lib.ones(2, requires_grad=True), lib.ones(2, requires_grad=True), []
        h = x * 3
        h.register_hook(lambda g: seen.append(g.tolist()) or g * 2)
        y = ckpt(lib, lambda a: a * w, h)
        y.retain_grad()
        y.sum().backward(inputs=[x]) if lib is torch else lib.autograd.backward(y.sum(), inputs=[x])
        assert seen == [[1, 1]] and x.grad.tolist() == [6, 6] and w.grad is None

    def test_refused(self, lib):
        x = lib.ones(2, requires_grad=True)
        sequential = lib.utils.checkpoint.checkpoint_sequential
        with pytest.raises(ValueError, match="Unexpected keyword arguments: k"):
            ckpt(lib, lambda a, k: a, x, k=1, use_reentrant=True)
        with pytest.raises(ValueError, match="context_fn"):
            ckpt(lib, lib.exp, x, context_fn=lambda: (1, 2), use_reentrant=True)
        with pytest.raises(ValueError, match="determinism_check"):
            ckpt(lib, lib.exp, x, determinism_check="maybe").sum().backward()
        with pytest.raises(ValueError, match="Unexpected keyword arguments: k"):
            sequential([lib.exp], 1, x, use_reentrant=False, k=1)
        with pytest.raises(ValueError):
            sequential([lib.exp], 2, x, use_reentrant=False)
        with pytest.warns(UserWarning, match="None of the inputs have requires_grad=True"):
            assert not ckpt(lib, lambda a: a * x, x.detach(), use_reentrant=True).requires_grad

    def test_another_shape_the_second_time(self, lib):
        sizes = iter([2, 3])
        x = lib.ones(3, requires_grad=True)
        y = ckpt(lib, lambda a: a[:next(sizes)].exp() * 1, x)
        with pytest.raises(lib.utils.checkpoint.CheckpointError, match="different metadata"):
            y.sum().backward()

    def test_swept_twice_is_refused(self, lib):
        y = ckpt(lib, lib.exp, lib.ones(2, requires_grad=True)).sum()
        y.backward()
        with pytest.raises(RuntimeError, match="second time"):
            y.backward()


def test_what_changes_in_place_is_refused():
    """Arguments as in PyTorch, and parameters too, which it lets pass."""
    x, w = tg.randn(3, requires_grad=True), tg.randn(3, requires_grad=True)
    data = tg.randn(3)
    for change in (lambda: w.data.mul_(2), lambda: data.add_(1)):
        for y in (checkpoint(lambda a: a * w, data), checkpoint_schedule([lambda a: a * w, tg.exp], 1, data)):
            with tg.no_grad():
                change()
            with pytest.raises(RuntimeError, match="inplace operation: .* changed before the sweep back"):
                y.sum().backward()
    with pytest.raises(RuntimeError, match="inplace operation: .* changed in the function itself"):
        checkpoint(lambda a: a.mul_(2) * w, data)
    h = x * 2
    with pytest.raises(RuntimeError, match="inplace operation: .* changed in the function itself"):
        checkpoint(relu_, h)


def test_other_tensors_the_second_time():
    x = tg.ones(2, requires_grad=True)
    choices = iter([tg.ones(2, requires_grad=True), tg.ones(2, requires_grad=True)])
    y = checkpoint(lambda a: a * next(choices), x)
    with pytest.raises(CheckpointError, match="read other tensors"):
        y.sum().backward()


# ---- with the rest of the package -----------------------------------------------------------------------------------

@pytest.fixture
def small():
    w, x = tg.randn(3, 3, dtype=tg.float64, requires_grad=True), tg.randn(2, 3, dtype=tg.float64, requires_grad=True)
    return w, x, lambda a: tg.tanh(a @ w)


WAYS = {"checkpoint": lambda f, x: checkpoint(lambda a: f(f(f(a))), x),
        "schedule": lambda f, x: checkpoint_schedule([f, f, f], 2, x)}


@pytest.mark.parametrize("way", WAYS)
def test_derivatives_of_every_kind(way, small):
    w, x, f = small
    use = WAYS[way]
    assert tg.autograd.gradcheck(lambda x, w: use(lambda a: tg.tanh(a @ w), x), (x, w))
    assert tg.autograd.gradgradcheck(lambda x, w: use(lambda a: tg.tanh(a @ w), x), (x, w))
    v = tg.randn(2, 3, dtype=tg.float64)
    for derivative in (lambda g: tg.autograd.jvp(g, x, v)[1], lambda g: tg.autograd.vjp(g, x, v)[1],
                       lambda g: tg.autograd.jacobian(g, x), lambda g: tg.autograd.hessian(lambda a: g(a).sum(), x)):
        ours, plain = derivative(lambda a: use(f, a)), derivative(lambda a: f(f(f(a))))
        np.testing.assert_allclose(ours.detach().numpy(), plain.detach().numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("way", WAYS)
def test_the_graph_is_shown_as_any_other(way, small, tmp_path):
    w, x, f = small
    loss = WAYS[way](f, x).sum()
    expected = tg.autograd.grad(f(f(f(x))).sum(), (x, w))
    assert "checkpoint" in viz.draw(loss).dot and "checkpoint" in str(dp.memo_table(loss))
    for work in (dp.by_paths(loss), dp.by_recursion(loss), dp.by_sweep(loss)):
        np.testing.assert_allclose(work.adjoints[w], expected[1].numpy())
    np.testing.assert_allclose(dp.explain(loss, x).gradient, expected[0].numpy())
    printed = dp.source(loss)
    space = printed.run()
    np.testing.assert_allclose(space[printed.gradients[w]], expected[1].numpy())
    np.testing.assert_allclose(space[printed.result], loss.item())
    viz.explore(loss, tmp_path / "page.html")


def test_inside_a_compiled_step():
    def training(compiled):
        tg.manual_seed(0)
        net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
        optimizer = tg.optim.SGD(net.parameters(), lr=0.1)

        def one(x):
            optimizer.zero_grad()
            loss = (checkpoint(net, x) ** 2).sum() + (checkpoint_schedule(net, 2, x) ** 2).sum()
            loss.backward()
            optimizer.step()
            return loss

        run = tg.compile(one) if compiled else one
        x = tg.randn(5, 3)
        return [run(x).item() for _ in range(4)]

    assert training(True) == pytest.approx(training(False), rel=1e-5)
    y = checkpoint(tg.exp, tg.ones(2, requires_grad=True)).sum()
    with pytest.raises(RuntimeError, match="compiled"):
        tg.compile(lambda: y.backward())()


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")
def test_reentrant_without_an_input_that_requires_a_gradient_is_the_same_compiled():
    """Then the function's own weights receive none; with one they do, and each is a recording of its own."""
    def shown(how):
        w, found = tg.ones(2).requires_grad_(), []

        @how
        def step(x):
            w.grad = None
            loss = checkpoint(lambda x: (w * x).sum(), x, use_reentrant=True) + (w * 3).sum()
            loss.backward()
            return loss
        for requires_grad in (False, False, True, True, False):
            x = (tg.ones(2) * 2).requires_grad_(requires_grad)
            found.append((step(x).item(), w.grad.tolist(), x.grad is None))
        return found
    assert shown(tg.compile) == shown(lambda f: f)
    assert [grad for _, grad, _ in shown(tg.compile)] == [[3, 3], [3, 3], [5, 5], [5, 5], [3, 3]]


@pytest.mark.parametrize("way", [checkpoint, lambda f, x, **options: checkpoint_schedule([f, f], 2, x, **options),
                                 lambda f, x, **options: checkpoint_sequential([f, f], 2, x, **options)])
def test_random_numbers_that_a_second_run_would_draw_anew_are_refused_compiled(way):
    w, own = tg.ones(8).requires_grad_(), tg.Generator().manual_seed(1)

    def step(draw, **options):
        w.grad = None
        way(lambda x: w * x * draw(), tg.ones(8), **options).sum().backward()
        return w.grad
    for draw, options in ((lambda: tg.rand(8), {"preserve_rng_state": False}),
                          (lambda: tg.rand(8, generator=own), {})):
        step(draw, **options)                         # as it is, two runs of it
        with pytest.raises(tg.tape.CaptureError, match="draws other random numbers when it is run again"):
            tg.compile(partial(step, draw, **options))()
    for draw, options in ((lambda: tg.rand(8), {}), (lambda: 2.0, {"preserve_rng_state": False}),
                          (lambda: tg.rand(8, generator=tg.default_generator), {})):
        found = []
        for how in (lambda f: f, tg.compile):
            tg.manual_seed(0)
            run = how(partial(step, draw, **options))
            found.append(np.array([run().tolist() for _ in range(3)]))
        assert found[0] == pytest.approx(found[1]) and run.cache_info().replays == 2


def test_errors_inside_name_their_place():
    x = tg.zeros(3, requires_grad=True)
    with tg.autograd.detect_anomaly(), np.errstate(all="ignore"), pytest.raises(RuntimeError, match="sqrtBackward"):
        checkpoint(lambda a: a.sqrt() * 0, x).sum().backward()
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(4, 4))
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        checkpoint(net, x)
    state = tg.get_rng_state()
    fails = iter([False, True])
    y = checkpoint(lambda a: (tg.rand(3), a.exp() if not next(fails) else 1 / 0)[1], x)
    state = tg.get_rng_state()
    with pytest.raises(ZeroDivisionError):
        y.sum().backward()
    assert tg.equal(state, tg.get_rng_state())                        # an error leaves them as they were


def test_layers_keep_their_names():
    """The second run happens in the layer of the first."""
    seen = []

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(2, 2)

        def forward(self, x):
            def part(a):
                y = self.inner(a)
                seen.append(y.note.layer)
                return y * 2
            return checkpoint(part, x)

    Net()(tg.ones(1, 2, requires_grad=True)).sum().backward()
    assert seen == ["Net.inner"] * 2


def test_the_example(tmp_path, capsys):
    spec = importlib.util.spec_from_file_location("checkpointing", EXAMPLE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    example.main(str(tmp_path / "plan.svg"))
    ElementTree.parse(tmp_path / "plan.svg")
    table = [line.split() for line in capsys.readouterr().out.split("gradients\n")[1].splitlines()]
    memory = [float(row[3]) for row in table]
    assert memory == sorted(memory, reverse=True) and all(row[-1] == "equal" for row in table[1:])
    for row, c in zip(table[1:], example.BUDGETS, strict=True):
        forward = closed_form(example.LAYERS, c)
        assert [int(cell.replace(",", "")) for cell in row[:3]] == [c, forward, forward + example.LAYERS]
