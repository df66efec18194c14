"""Compiled functions of scalar Values: levelled replay against the same code run as it is."""
from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_edu as tg
from tinygrad_edu import Value
from tinygrad_edu.tape import CaptureError, compile  # noqa: A004

CLOSE = 1e-12


def same(a: float, b: float) -> bool:
    return a == b or math.isnan(a) and math.isnan(b) or abs(a - b) <= CLOSE * max(1.0, abs(a), abs(b))


def twins(build, count: int, seed: int = 0):
    """The same step on two sets of parameters: as it is, and compiled."""
    start = np.random.default_rng(seed).uniform(-1, 1, count).tolist()
    sets = [[Value(v) for v in start] for _ in range(2)]
    return sets, (build(sets[0]), compile(build(sets[1])))


def agree(sets, results) -> None:
    for a, b in zip(*sets, strict=True):
        assert same(a.data, b.data) and same(a.grad, b.grad)
    a, b = results
    assert same(float(getattr(a, "data", a)), float(getattr(b, "data", b)))


def mlp(parameters, sizes=(2, 5, 4, 1)):
    """micrograd's network with the parameters in one list."""
    def net(x):
        at = 0
        for depth, (m, n) in enumerate(zip(sizes, sizes[1:], strict=False)):
            out = []
            for _ in range(n):
                w, b = parameters[at:at + m], parameters[at + m]
                at += m + 1
                total = sum((wi * xi for wi, xi in zip(w, x, strict=True)), b)
                out.append(total.relu() if depth < len(sizes) - 2 else total)
            x = out
        return x[0]
    return net


POINTS = np.random.default_rng(3).normal(size=(12, 2)).tolist()
LABELS = [1.0 if x * y > 0 else -1.0 for x, y in POINTS]


def train(parameters):
    net = mlp(parameters)

    def step(rate=0.1):
        losses = [(1 + -y * net(list(map(Value, x)))).relu() for x, y in zip(POINTS, LABELS, strict=True)]
        loss = sum(losses) * (1.0 / len(losses)) + 1e-3 * sum(p * p for p in parameters)
        for p in parameters:
            p.grad = 0.0
        loss.backward()
        for p in parameters:
            p.data -= rate * p.grad
        return loss
    return step


def test_micrograds_network_trains_the_same_in_levels():
    sets, steps = twins(train, 15 + 24 + 5)
    for k in range(8):
        results = [step(0.1 / (k + 1)) for step in steps]
        agree(sets, results)
    assert steps[1].cache_info()[:2] == (7, 1)


def test_its_levels_are_few_and_wide():
    sets, (_, step) = twins(train, 44)
    step()
    groups = [group for phase in step.recent().levels for group in phase]
    widths = {group.kind: len(group.nodes) for group in groups if group.matrix is not None}
    assert widths["matrix product of 2 products + 1"] == 12 * 5 and widths["matrix product of 5 products + 1"] == 12 * 4
    assert max(group.level for group in step.recent().levels[0]) == 9    # 3 layers, 2 relus, margin, relu, mean, total
    assert "np.matmul" in step.source() and "level 9" in step.explain()


def test_gradients_add_up_when_they_are_not_zeroed():
    def build(ps):
        def step():
            loss = (ps[0] * ps[1] + ps[1].tanh()) * ps[2]
            loss.backward()
            return loss
        return step
    sets, steps = twins(build, 3)
    for _ in range(3):
        agree(sets, [step() for step in steps])
    for ps in sets:
        ps[1].grad = 5.0
    agree(sets, [step() for step in steps])


def test_two_backward_passes_and_a_gradient_of_something_inside():
    def build(ps):
        def step():
            for p in ps:
                p.zero_grad()
            h = ps[0] * ps[1]
            a, b = (h + ps[2]).exp(), h * h
            a.backward()
            b.backward()
            return h.grad + ps[0].grad
        return step
    sets, steps = twins(build, 3)
    for _ in range(3):
        agree(sets, [step() for step in steps])


def test_a_value_changed_within_the_step_is_read_anew():
    def build(ps):
        def step():
            before = ps[0] + ps[1]
            ps[0].data = ps[0].data * 0.5
            after = (ps[0] * 3.0 + ps[1]).tanh()
            total = before + after
            for p in ps:
                p.grad = 0.0
            total.backward()
            return total
        return step
    sets, steps = twins(build, 2)
    for _ in range(3):
        agree(sets, [step() for step in steps])


def test_data_assigned_from_outside_is_seen_and_an_older_graph_notices_the_update():
    sets, steps = twins(train, 44)
    for step in steps:
        step()
    for ps in sets:
        ps[3].data = 0.25
    agree(sets, [step() for step in steps])
    w = sets[1][0]
    old = w * w
    steps[1]()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        old.backward()


def test_a_branch_on_a_value_records_the_other_way_too():
    def build(ps):
        def step():
            y = ps[0] * ps[1]
            y = y.exp() if y > 0 else y * 3
            for p in ps:
                p.grad = 0.0
            y.backward()
            return y
        return step
    sets, steps = twins(build, 2)
    for sign in (1, 1, -1, -1, 1, -1):
        for ps in sets:
            ps[0].data, ps[1].data = 0.5, 0.5 * sign
        agree(sets, [step() for step in steps])
    assert steps[1].cache_info() == (4, 2, 2)


def test_branches_after_updates_are_taken_as_the_new_data_say():
    """What a replay writes it writes at the end, so that a branch can be taken back until then."""
    def build():
        ws = [Value(0.5), Value(-1.5), Value(2.0)]

        def step(x, most):
            for w in ws:
                w.grad = 0.0
            loss = sum((w * x * w for w in ws), Value(0.0))
            loss.backward()
            clipped = 0
            for w in ws:
                w.data -= 0.3 * w.grad
                if w > most:                          # clipped one by one
                    w.data = most
                    clipped += 1
                elif w < -most:
                    w.data = -most
            after = ws[1] * 3 if ws[1] * 2 > ws[2] else ws[2] * 5
            after.backward()
            return loss, after, clipped
        return ws, step
    (ours, eager), (theirs, step) = build(), build()
    replayed = compile(step)
    for k in range(12):
        x, most = (-1) ** k * 0.7 + 0.1 * k, 1.0 + 0.1 * (k % 3)
        a, b = eager(x, most), replayed(x, most)
        assert a[2] == b[2]
        np.testing.assert_allclose([(v.data, v.grad) for v in (*b[:2], *theirs)],
                                   [(v.data, v.grad) for v in (*a[:2], *ours)], rtol=1e-12, atol=1e-14)
    assert replayed.cache_info().replays >= 4


@pytest.mark.parametrize("use", [float, round, lambda x: f"{x:.2f}", lambda x: math.sqrt(x), lambda x: math.floor(x)])
def test_a_computed_number_used_as_a_plain_one_is_refused(use):
    w = Value(4.0)
    step = compile(lambda: use((w * 2).data))
    with pytest.raises(CaptureError, match="a replay would repeat this one"):
        step()


def test_an_argument_used_as_a_plain_number_is_part_of_the_recording():
    w = Value(4.0)
    step = compile(lambda n, scale: (sum([w * i for i in range(n)], Value(0.0)) * scale).data)
    assert [step(n, s) for n, s in ((3, 1.0), (3, 2.0), (5, 2.0), (3, 3.0))] == [12.0, 24.0, 80.0, 36.0]
    assert step.cache_info() == (2, 2, 2)


def test_what_eager_refuses_a_replay_refuses_too():
    x = Value(1.0)
    step = compile(lambda: (x + 0.0).log().data)
    assert step() == 0.0
    x.data = 0.0
    with pytest.raises(ValueError, match="log is not defined"):
        step()
    x.data = math.e
    assert same(step(), 1.0)
    assert step.cache_info().recordings == 1


def test_values_computed_outside_are_refused():
    x = Value(2.0)
    y = x * x
    with pytest.raises(CaptureError, match="computed outside"):
        compile(lambda: (y + 1).data)()


UNARY = ["tanh", "relu", "exp", "sigmoid", "neg", "abs", "square"]
BINARY = ["add", "sub", "mul", "div", "max", "chain", "constant"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(UNARY + BINARY), st.integers(0, 10 ** 6), st.integers(0, 10 ** 6)),
                min_size=3, max_size=40), st.integers(0, 99))
def test_random_programs(steps, seed):
    def build(ps):
        def run(rate):
            nodes = list(ps)
            for kind, i, j in steps:
                a, b = nodes[i % len(nodes)], nodes[j % len(nodes)]
                nodes.append({
                    "tanh": lambda a, b: a.tanh(), "relu": lambda a, b: a.relu(), "exp": lambda a, b: a.tanh().exp(),
                    "sigmoid": lambda a, b: a.sigmoid(), "neg": lambda a, b: -a, "abs": lambda a, b: abs(a),
                    "square": lambda a, b: a.tanh() ** 2, "add": lambda a, b: a + b, "sub": lambda a, b: a - b,
                    "mul": lambda a, b: a.tanh() * b.tanh(), "div": lambda a, b: a / (b * b + 1),
                    "max": lambda a, b: a.max(b),
                    "chain": lambda a, b: sum([a.tanh() * p for p in ps], b), "constant": lambda a, b: 2.0 * a + 1,
                }[kind](a, b))
            loss = sum(n.tanh() for n in nodes[-4:])
            for p in ps:
                p.grad = 0.0
            loss.backward()
            for p in ps:
                p.data -= rate * p.grad
            return loss
        return run
    sets, runs = twins(build, 4, seed)
    for k in range(3):
        agree(sets, [run(0.1 / (k + 1)) for run in runs])


def test_a_million_nodes_in_one_chain():
    x, w = Value(0.5), Value(1.5)

    def run():
        total = x
        for _ in range(20_000):
            total = total + x * w
        x.grad = w.grad = 0.0
        total.backward()
        return total
    step = compile(run)
    for _ in range(2):
        assert same(step().data, 0.5 + 20_000 * 0.75)
        assert same(x.grad, 1 + 20_000 * 1.5) and same(w.grad, 20_000 * 0.5)
    assert step.cache_info().replays == 1


def test_inside_no_grad_values_are_computed_too():
    x = Value(3.0)

    @compile
    def f():
        with tg.no_grad():
            return x * x + 1
    assert f().data == f().data == 10.0


def test_a_batch_passed_as_lists_of_numbers_is_read_live():
    def build(ps):
        net = mlp(ps)

        def step(points, labels):
            losses = [(1 + -y * net(list(map(Value, x)))).relu() for x, y in zip(points, labels, strict=True)]
            loss = sum(losses) * (1.0 / len(losses))
            for p in ps:
                p.grad = 0
            loss.backward()
            for p in ps:
                p.data -= 0.1 * p.grad
            return loss
        return step
    sets, steps = twins(build, 44)
    for k in range(4):
        part = slice(3 * (k % 3), 3 * (k % 3) + 3)
        agree(sets, [step(POINTS[part], LABELS[part]) for step in steps])
    assert steps[1].cache_info() == (3, 1, 1)
    agree(sets, [step(POINTS[:5], LABELS[:5]) for step in steps])             # another length
    assert steps[1].cache_info().recordings == 2


def test_powers_quotients_and_other_operations():
    def build(ps):
        a, b, c = ps

        def step(k):
            y = (a * a + 1) ** b + 2 ** c + a / (c * c + k) + (b % 0.7) + abs(a - c).sqrt()
            y = y + (a.max(b) * b.min(c)).sin()
            y = y + (a * a + 0.5).log() - k * b.cos() + a.softplus()
            for p in ps:
                p.grad = 0.0
            y.backward()
            for p in ps:
                p.data -= 0.01 * p.grad
            return y
        return step
    sets, steps = twins(build, 3, seed=5)
    for k in (1.0, 2.0, 3.0):
        agree(sets, [step(k) for step in steps])
    assert steps[1].cache_info() == (2, 1, 1)


def test_results_in_containers_and_numbers():
    w = Value(2.0)
    def f(x):
        with tg.no_grad():
            return {"square": w * x, "both": (w.data, [w * w]), "text": "as it is"}
    step = compile(f)
    for k in (1.0, 2.0, 3.0):
        out = step(k)
        assert out["square"].data == 2 * k and out["both"][0] == 2.0 and out["both"][1][0].data == 4.0
        assert out["text"] == "as it is"
    w.data = 5.0
    assert step(1.0)["both"][0] == 5.0
    assert step.cache_info() == (3, 1, 1)


def test_a_result_that_is_to_be_differentiated_outside_keeps_its_history():
    w = Value(2.0)
    f = compile(lambda x: w * w * x)
    for k in (1.0, 2.0, 3.0):
        w.grad = 0.0
        y = f(k)
        y.backward()
        assert y.data == 4 * k and w.grad == 4 * k
    assert f.cache_info() == (0, 0, 0)


def test_the_smith_network_of_the_course():
    """0.298371109 is the deck's error before the first step."""
    weights = (0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55)
    sets = [[Value(w) for w in weights] for _ in range(2)]

    def build(w):
        def step():
            h = [(w[2 * k] * 0.05 + w[2 * k + 1] * 0.10 + 0.35).sigmoid() for k in range(2)]
            o = [(w[4 + 2 * k] * h[0] + w[5 + 2 * k] * h[1] + 0.60).sigmoid() for k in range(2)]
            error = 0.5 * (o[0] - 0.01) ** 2 + 0.5 * (o[1] - 0.99) ** 2
            for p in w:
                p.grad = 0.0
            error.backward()
            for p in w:
                p.data -= 0.5 * p.grad
            return error
        return step
    runs = build(sets[0]), compile(build(sets[1]))
    errors = []
    for _ in range(100):
        results = [run() for run in runs]
        agree(sets, results)
        errors.append(results[1].data)
    assert errors[0] == pytest.approx(0.298371109, abs=1e-9) and errors[1] == pytest.approx(0.291027774, abs=1e-4)
    assert runs[1].cache_info() == (99, 1, 1)
