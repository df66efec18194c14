"""Each optimisation pass by itself: what it takes away, what it must leave, and that the program computes the same."""
from __future__ import annotations

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import nn, optim
from tinygrad_edu.nn import functional as F  # noqa: N812
from tinygrad_edu.tape import compile, passes, replay  # noqa: A004
from tinygrad_edu.tape.program import Memory
from tinygrad_edu.tape.text import rendered


def recorded(fn, *args, monkeypatch):
    """The program of a function before any pass, and a way to run programs on the same arguments."""
    found = []
    monkeypatch.setattr(replay, "optimised", lambda program: found.append(program) or iter(()))
    compile(fn)(*args)
    program, = found

    def run(p):
        text, space = rendered(p)
        space["memory"] = [np.empty(x.shape, x.dtype) for x in space.get("memory", ())]
        exec(text, space)
        out = space[p.name](*[a.numpy() if isinstance(a, tg.Tensor) else a for a in args])
        return [x.numpy() for x in (out if isinstance(out, tuple) else (out,))]
    return program, run


def same(run, before, after) -> None:
    for a, b in zip(run(before), run(after), strict=True):
        np.testing.assert_array_equal(a, b)


X = tg.tensor(np.random.default_rng(0).normal(size=(4, 5)))


@pytest.mark.parametrize("dtype", [tg.float32, tg.float64])
def test_numbers_become_arrays_of_the_dtype_of_their_neighbour(dtype, monkeypatch):
    def f(x):
        return 1 - x * 0.1, x * 0.0, x * -0.0, 2.5 * (x - 3), x.sum() * 0.3, x > 0.5, x ** 3, x.long() + 1
    before, run = recorded(f, X.to(dtype), monkeypatch=monkeypatch)
    after = passes.numbers_as_arrays(before)
    same(run, before, after)
    assert [np.signbit(a).tolist() for a in run(before)] == [np.signbit(a).tolist() for a in run(after)]
    numbers = [x for line in after.lines for x in line.inputs if isinstance(x, (int, float))]
    assert numbers == [0.3, 0.5, 3, 1]                # beside a number, in a comparison, as a power, whole numbers
    assert all(v.dtype == line.out.dtype for line in after.lines for v in line.reads if v.constant)


def test_unneeded_lines_go_and_effects_stay(monkeypatch):
    def f(x):
        x.exp().sum()                                 # nobody asks for it
        tg.rand(3)                                    # but the generator moves on
        return x * 2
    before, run = recorded(f, X, monkeypatch=monkeypatch)
    after = passes.unneeded(before)
    assert before.calls == 4 and after.calls == 2 and "exp" in str(before) and "exp" not in str(after)
    assert "uniform" in str(after)
    same(run, before, after)


def test_constants_are_computed_once_and_units_vanish(monkeypatch):
    def f(x):
        scale = tg.arange(5).double() * 2 + 1         # known
        return (x * 1) ** 1 * scale * tg.ones(4, 5, dtype=tg.float64)
    before, run = recorded(f, X, monkeypatch=monkeypatch)
    after = passes.constants(before)
    assert after.calls == 1                           # x times the known row
    same(run, before, after)


def test_constants_that_are_changed_or_handed_out_are_made_anew(monkeypatch):
    def f(x):
        out = tg.zeros(4, 5, dtype=tg.float64)
        out[0] = x[0]
        return out, tg.ones(2)
    before, run = recorded(f, X, monkeypatch=monkeypatch)
    after = passes.constants(before)
    first = run(after)
    np.testing.assert_array_equal(first[0][1:], 0)
    assert str(after).count("np.array(") == 2
    same(run, before, after)


def test_the_same_is_not_computed_twice_unless_something_changed_between(monkeypatch):
    state = tg.ones(4, 5, dtype=tg.float64)

    def f(x):
        a = x.exp() * state
        b = x.exp() * state                           # the same
        state.mul_(2)
        return a + b, x.exp() * state                 # another state
    before, run = recorded(f, X, monkeypatch=monkeypatch)
    after = passes.same_twice(before)
    assert str(before).count("np.exp") == 3 and str(after).count("np.exp") == 1
    assert before.calls - after.calls == 3
    total, last = run(after)
    np.testing.assert_array_equal(total, last)        # twice the one, and once the one of a state that doubled


def test_what_is_handed_out_twice_is_two_arrays(monkeypatch):
    before, run = recorded(lambda x: (x * 2, x * 2, 1 * x), X, monkeypatch=monkeypatch)
    for after in (passes.same_twice(before), passes.constants(before)):
        arrays = run(after)
        assert len({a.ctypes.data for a in arrays}) == 3
        same(run, before, after)


def test_views_of_what_was_merged_are_views_of_what_is_left():
    """The second tanh is the first, so its transpose is a view of the first, whose memory is not free yet."""
    a = tg.tensor(np.random.default_rng(3).normal(size=(4, 4)), requires_grad=True)

    def f(x):
        a.grad = None
        ((a.tanh() @ a.tanh()).tanh() * x + a.tanh().tanh()).sum().backward()
        return a.grad * 1
    step, x = compile(f), X[:, :4]
    for _ in range(3):
        np.testing.assert_allclose(step(x).numpy(), f(x).numpy(), rtol=1e-12)


def test_compound_functions_are_taken_apart(monkeypatch):
    w = tg.tensor(np.random.default_rng(1).normal(size=(3, 5)))
    b = tg.tensor(np.random.default_rng(2).normal(size=3))
    before, run = recorded(lambda x: F.linear(x, w, b).sigmoid(), X, monkeypatch=monkeypatch)
    after = passes.apart(before)
    assert len(before.lines) == 2 and len(after.lines) == 3 + 4  # transpose, product, sum; times, tanh, times, plus
    assert before.calls == after.calls == 7          # none is saved: a compound function makes as many
    same(run, before, after)


def test_a_copy_of_what_nobody_else_reads_is_not_made(monkeypatch):
    w = tg.ones(5, 2, dtype=tg.float64, requires_grad=True)

    def f(x):
        w.grad = None
        (x @ w).sum().backward()
        return w.grad * 2
    before, run = recorded(f, X, monkeypatch=monkeypatch)
    after = passes.copies(before)
    assert before.calls - after.calls == 1
    same(run, before, after)
    w, a = (tg.ones(5, dtype=tg.float64, requires_grad=True) for _ in range(2))

    def shared(x):
        w.grad = a.grad = None
        (x * (w + a)).sum().backward()
        w.grad.mul_(2)                                # the other one is not to notice
        return a.grad, w.grad
    before, run = recorded(shared, X, monkeypatch=monkeypatch)
    after = passes.in_place(passes.copies(before))
    one, two = run(after)
    np.testing.assert_array_equal(2 * one, two)


def test_results_are_written_over_what_nobody_reads_any_more(monkeypatch):
    before, run = recorded(lambda x: ((x + 1).tanh() * x).exp() - x, X, monkeypatch=monkeypatch)
    size = before.fresh_bytes
    after = passes.in_place(before)
    assert size == 5 * X.nbytes and sum(line.into is not None for line in after.lines) == 4
    same(run, before, after)


@pytest.mark.parametrize("f", [
    lambda x: (y := x + 1, y * 2)[1] + y,                                     # read again later
    lambda x: (y := x + 1, z := y.t(), y * 2, z * 1.5)[3],                    # a view of it is read again
    lambda x: (y := x.exp(), y.sum(0) + y)[1],                                # another shape
    lambda x: x.exp().t()[:4, :4] + x[:, :4],                                 # a view itself
    lambda x: x[:, :4].exp() + x[:, :4].exp().t(),                            # a transposed view of the same memory
    lambda x: (x.exp() > 0).double() + x,                                     # another dtype
])
def test_in_place_leaves_what_is_still_needed(f, monkeypatch):
    before, run = recorded(f, X, monkeypatch=monkeypatch)
    expected = run(before)
    after = passes.memory_kept(passes.in_place(before))
    for a, b in zip(expected, run(after), strict=True):
        np.testing.assert_array_equal(a, b)


def test_memory_is_kept_and_shared_but_results_are_new(monkeypatch):
    w = tg.ones(5, 5, dtype=tg.float64)

    def f(x):
        for _ in range(6):
            x = (x @ w).tanh() + x.sum(1, keepdim=True)
        return x
    before, run = recorded(f, X, monkeypatch=monkeypatch)
    after = passes.memory_kept(passes.in_place(before))
    buffers = {id(line.into) for line in after.lines if isinstance(line.into, Memory)}
    assert 1 <= len(buffers) <= 3                     # twelve results, of which never more than three live at a time
    first, second = run(after), run(after)
    same(run, before, after)
    assert not np.shares_memory(first[0], second[0])


def test_exponentials_of_a_loss_are_computed_once(monkeypatch):
    w = tg.zeros(5, 3, dtype=tg.float64, requires_grad=True)
    y = tg.tensor([0, 1, 2, 1])

    def f(x):
        w.grad = None
        loss = F.cross_entropy(x @ w, y)
        loss.backward()
        return loss, w.grad
    before, run = recorded(f, X, monkeypatch=monkeypatch)
    after = passes.exponentials_once(before)
    assert str(after).count("exps(") == 1 and "parts=" in str(after)
    same(run, before, after)


def test_short_sums_are_products(monkeypatch):
    before, run = recorded(lambda x: x.reshape(-1).sum(), X, monkeypatch=monkeypatch)
    after = passes.sums_as_products(before)
    assert ".dot(ones)" in str(after)
    np.testing.assert_allclose(run(after)[0], run(before)[0], rtol=1e-13)


def test_a_training_step_makes_no_more_calls_than_one_written_by_hand():
    """The guard against regressions: calls are counted, not timed."""
    tg.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))
    rule = optim.SGD(net.parameters(), 0.1)

    @compile
    def step(x, y):
        rule.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        rule.step()
        return loss
    step(tg.ones(4, 6), tg.tensor([0, 1, 2, 0]))
    after = step.recent().passes[-1]
    by_hand = 3 * 3 + 2 + 4 + 3 * 3 + 2 + 2 * 2       # affine maps, relus, loss, gradients of w and b, of h, masks
    assert after.calls <= by_hand
    assert after.fresh_bytes <= 4 * 3 * 8 * 2         # only what the loss makes: a few rows of three
    text = step.explain()
    assert "in place" in text and "memory kept" in text
    assert "np.matmul" in step.profile(tg.ones(4, 6), tg.tensor([0, 1, 2, 0]))


def test_without_optimisation_the_recorded_lines_run():
    step = compile(lambda x: x.exp() * 1, optimise=False)
    assert step(X).tolist() == step(X).tolist() == X.exp().tolist()
    assert "* 1" in step.source()


def test_each_pass_shows_what_it_changed():
    @compile(keep=True)
    def f(x):
        return (x * 2 + 1).exp() * (x * 2 + 1)
    f(X)
    text = f.explain("same twice")
    assert sum(line.startswith("- ") for line in text.split("\n")) == 3 and "+     t6 = t3 * t2" in text
    assert "nothing of it here" in f.explain("exponentials once")
    for name in dict.fromkeys(after.name for after in f.recent().passes[1:]):
        assert f.explain(name).startswith(f"{name}: ")
    with pytest.raises(ValueError, match="no pass 'magic'.*\n.*\n.*\n.*one of constants, same twice"):
        f.explain("magic")
    g = compile(f.fn)
    g(X)
    with pytest.raises(RuntimeError, match="keep=True"):
        g.explain("in place")
