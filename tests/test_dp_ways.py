"""The same gradient three ways: equal, and with the exact work that mathematics says."""
from __future__ import annotations

import math
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu as tg
from tinygrad_edu import Value, nn
from tinygrad_edu.dp import (
    ablations,
    by_paths,
    by_recursion,
    by_sweep,
    counted_paths,
    counted_recursion,
    paths,
    race,
)
from tinygrad_edu.dp.race import (
    FIBONACCI_CALLS,
    counted_fibonacci,
    fibonacci,
    fibonacci_by_recursion,
    fibonacci_by_sweep,
)
from tinygrad_edu.graph import order


def ladder(n):
    """x -> x + x, n times: n + 1 nodes, 2^n paths to x."""
    x = y = Value(1.0)
    for _ in range(n):
        y = y + y
    return x, y


def diamonds(n):
    """h -> tanh(h) * sin(h), n times: 3 n + 1 nodes, 2^n paths to x."""
    x = h = Value(0.7)
    for _ in range(n):
        h = h.tanh() * h.sin()
    return x, h


def work(w):
    return w.calls, w.rules, w.additions


# ---- exact counts ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("n", [0, 1, 2, 5, 10])
def test_ladder(n):
    x, y = ladder(n)
    naive, memo, sweep = by_paths(y), by_recursion(y), by_sweep(y)
    assert work(naive) == (2 ** (n + 1) - 1, 2 ** (n + 1) - 2, 2 ** (n + 1) - 1 - (n + 1))
    assert work(memo) == (2 * n + 1, 2 * n, n) and (memo.reads, memo.hits) == (2 * n + 1, n)
    assert work(sweep) == (n + 1, 2 * n, n) and (sweep.reads, sweep.hits) == (3 * n + 1, 2 * n + 1)
    assert naive.adjoints[x] == memo.adjoints[x] == sweep.adjoints[x] == 2 ** n


@pytest.mark.parametrize("n", [1, 2, 6])
def test_diamond_chain(n):
    """Paths double with each diamond: 1 + (1 + 1) 2 + ... : after k diamonds 2^k to the bottom, 2^k to each middle."""
    x, y = diamonds(n)
    total = sum(2 ** k for k in range(n + 1)) + sum(2 * 2 ** k for k in range(n))
    naive, memo, sweep = by_paths(y), by_recursion(y), by_sweep(y)
    assert work(naive) == (total, total - 1, total - (3 * n + 1))
    assert work(memo) == (4 * n + 1, 4 * n, n) and memo.hits == n
    assert work(sweep) == (3 * n + 1, 4 * n, n)
    assert paths(y)[x] == 2 ** n


@pytest.mark.parametrize("n", [1, 4, 8])
def test_the_recursion_without_memo_solves_again_what_it_solved(n):
    _, y = ladder(n)
    assert by_recursion(y, memo=False).calls == 2 ** (n + 1) - 1
    _, y = diamonds(n)                                # asking from x: 1 + 2 (1 + a) where a is what the top costs
    cost = 1
    for _ in range(n):
        cost = 1 + 2 * (1 + cost)
    naive = by_recursion(y, memo=False)
    assert naive.calls == cost
    assert (naive.reads, naive.hits) == (0, 0)


def test_counts_are_those_of_the_work_done():
    for _, y in (ladder(7), diamonds(5), (None, network([3, 4, 4, 1], [0.1, 0.2, 0.3]))):
        assert work(counted_paths(y)) == work(by_paths(y))
        assert work(counted_recursion(y)) == work(by_recursion(y, memo=False))
        assert counted_paths(y).adjoints is None


def network(sizes, inputs):
    """The output of micrograd's MLP(sizes[0], sizes[1:]), built as it builds it: a neuron is sum(w_i x_i, start=b)."""
    rng = np.random.default_rng(0)
    x = [Value(v) for v in inputs]
    for layer, m in enumerate(sizes[1:]):
        acts = []
        for _ in range(m):
            act = Value(0.0)                          # the bias
            for xi in x:
                act = act + Value(rng.uniform(-1, 1)) * xi
            acts.append(act if layer == len(sizes) - 2 else act.relu())
        x = acts
    return x[0]


def test_the_paths_of_microgads_network():
    """Its output, every weight and bias, and the two inputs, which the first layer's neurons share; a path to each node
    counts, that of no step to the output itself included: as many calls as the naive way would make."""
    y = network([2] + [16] * 6 + [1], [2.0, 3.0])
    number = paths(y)
    assert len(number) == 4_179
    assert sum(number.values()) == 223_696_209
    with pytest.raises(RuntimeError, match="223,696,209 paths.*limit of 1,000,000(.|\n)*by_sweep"):
        by_paths(y)
    with pytest.raises(RuntimeError, match="more than the limit"):
        by_recursion(y, memo=False)
    r = race(y)
    assert [w.calls for w in r.ways][::2] == [223_696_209, 4_179]
    assert r.ways[0].adjoints is None and "counted, not run" in str(r)
    edges = sum(len(node.inputs) for node in order([y]))
    leaves = sum(node.op is None for node in order([y]))
    assert work(r.ways[1]) == (edges + leaves, edges, edges - 4_178)
    assert r.difference == 0


def test_whole_numbers_of_any_size():
    x, y = ladder(300)
    assert counted_paths(y).calls == 2 ** 301 - 1
    r = race(y)
    assert r.ways[0].calls == 2 ** 301 - 1 and "4.0e+90" in str(r)
    assert r.ways[2].adjoints[x] == 2.0 ** 300
    assert r.svg().count("<polyline") == 6


# ---- equal gradients ------------------------------------------------------------------------------------------------

OPS = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "tanh": lambda a, b: a.tanh(),
       "sin": lambda a, b: a.sin(), "exp": lambda a, b: (a * 0.1).exp(), "half": lambda a, b: 0.5 * a,
       "square": lambda a, b: a ** 2}
places = st.integers(0, 30)
steps = st.lists(st.tuples(st.sampled_from(sorted(OPS)), places, places), min_size=1, max_size=9)


def grown(leaves, program):
    """A random graph: each step takes two of the values so far."""
    made = list(leaves)
    for name, i, j in program:
        made.append(OPS[name](made[i % len(made)], made[j % len(made)]))
    return made[-1]


@given(program=steps)
def test_all_ways_agree_on_random_graphs_of_values(program):
    leaves = [Value(0.3), Value(-0.8), Value(1.1)]
    twins = [torch.tensor(v.data, dtype=torch.float64, requires_grad=True) for v in leaves]
    y, t = grown(leaves, program), grown(twins, program)
    t.backward()
    for way in (by_paths, by_recursion, by_sweep, lambda y: by_recursion(y, memo=False)):
        found = way(y).adjoints
        for leaf, twin in zip(leaves, twins, strict=True):
            want = twin.grad.item() if twin.grad is not None else None
            assert (leaf in found) == (want is not None)
            assert want is None or found[leaf] == pytest.approx(want, rel=1e-9, abs=1e-12)
    assert all(v.grad == 0 for v in leaves), "studying a graph leaves the gradients alone"


@given(program=steps)
def test_all_ways_agree_on_random_graphs_of_tensors(program):
    arrays = [np.linspace(-1, 1, 6).reshape(2, 3), np.array([0.5, -0.5, 0.25]), np.array(0.7)]     # they broadcast
    leaves = [tg.tensor(a, requires_grad=True) for a in arrays]
    twins = [torch.tensor(a, requires_grad=True) for a in arrays]
    y, t = grown(leaves, program).sum(), grown(twins, program).sum()
    t.backward()
    r = race(y)
    assert r.difference < 1e-9
    for way in r.ways:
        for leaf, twin in zip(leaves, twins, strict=True):
            if twin.grad is not None:
                assert np.allclose(way.adjoints[leaf], twin.grad.numpy(), rtol=1e-9, atol=1e-12)


def test_a_modules_training_step():
    net = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    x, target = tg.randn(6, 4), tg.tensor([0, 1, 2, 0, 1, 2])
    loss = nn.functional.cross_entropy(net(x), target)
    r = race(loss)
    assert r.difference < 1e-6 and len(r.ways[0].adjoints) == r.nodes
    loss.backward()
    for p in net.parameters():
        assert np.allclose(r.ways[1].adjoints[p], p.grad.numpy(), atol=1e-6)


def test_joint_rules_and_tensors_in_place():
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    out = tg.zeros(2, 2)
    out[0] = w * w
    out[1] = tg.cat([w[:1], w[1:] * 3])
    loss = (out * out).sum()
    r = race(loss)
    assert r.difference == 0
    loss.backward()
    assert np.allclose(r.ways[0].adjoints[w], w.grad.numpy())


def test_the_gradients_own_graph():
    x = Value(0.4)
    y = (x * x).tanh() * x
    y.backward(create_graph=True)
    r = race(x.grad)
    assert r.difference < 1e-12
    t = torch.tensor(0.4, dtype=torch.float64, requires_grad=True)
    (g,) = torch.autograd.grad((t * t).tanh() * t, t, create_graph=True)
    (h,) = torch.autograd.grad(g, t)
    assert r.ways[0].adjoints[x] == pytest.approx(h.item())


def test_depth_has_no_limit():
    """A chain of 20,000 nodes: the recursion does not use Python's stack."""
    y = Value(1.0)
    for _ in range(20_000):
        y = y * 1.0
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    try:
        assert by_paths(y).calls == by_sweep(y).calls == by_recursion(y).calls == 20_001
        assert by_recursion(y, memo=False).calls == 20_001
    finally:
        sys.setrecursionlimit(before)


def test_hooks():
    """A hook sees the whole adjoint: recursion and sweep call it, no single path can."""
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    h = w * 3
    h.register_hook(lambda g: g * 10)
    loss = (h * h).sum()
    with pytest.raises(RuntimeError, match="hook(.|\n)*by_recursion"):
        by_paths(loss)
    assert by_recursion(loss).adjoints[w].tolist() == by_sweep(loss).adjoints[w].tolist() == [180.0, 360.0]
    assert race(loss).ways[0].adjoints is None


# ---- bad input ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("way", [by_paths, by_recursion, by_sweep, race, counted_paths, paths, ablations])
class TestBadInput:
    def test_not_a_node(self, way):
        with pytest.raises(TypeError, match="a list has no graph"):
            way([1.0])

    def test_several_elements(self, way):
        with pytest.raises(RuntimeError, match="grad can be implicitly created only for scalar outputs"):
            way(tg.ones(3, requires_grad=True) * 2)

    def test_no_gradient(self, way):
        with pytest.raises(RuntimeError, match="does not require grad"):
            way(tg.ones(3).sum())

    def test_freed(self, way):
        loss = (tg.ones(3, requires_grad=True) ** 2).sum()
        loss.backward()
        with pytest.raises(RuntimeError, match="second time(.|\n)*retain_graph=True"):
            way(loss)

    def test_changed_in_place(self, way):
        x = tg.ones(3, requires_grad=True)
        h = x * 2
        loss = (h * h).sum()
        with tg.no_grad():
            h.add_(1)                                 # recorded, the version before would be kept
        if way in (counted_paths, paths):
            way(loss)                                 # counting reads no values
        else:
            with pytest.raises(RuntimeError, match="modified by an inplace operation"):
                way(loss)


# ---- Fibonacci ------------------------------------------------------------------------------------------------------

def test_fibonacci_three_ways():
    for n in range(16):
        works = [fibonacci_by_recursion(n, memo=False), fibonacci_by_recursion(n), fibonacci_by_sweep(n)]
        assert all(w.adjoints[n] == fibonacci(n) for w in works)
        assert [w.calls for w in works] == [f(n) for f in FIBONACCI_CALLS.values()]
        assert work(works[0]) == work(counted_fibonacci(n))
    phi = (1 + math.sqrt(5)) / 2
    assert fibonacci(40) == round(phi ** 40 / math.sqrt(5))        # Binet
    assert FIBONACCI_CALLS["by paths"](20) == 2 * 10_946 - 1       # F(21) = 10,946


def test_naive_fibonacci_calls_are_the_paths_of_its_graph():
    """The recursion tree of fib(n) is the naive walk over the graph f_n = f_(n-1) + f_(n-2)."""
    f = [Value(0.0), Value(1.0)]
    for n in range(2, 25):
        f.append(f[-1] + f[-2])
        assert counted_paths(f[-1]).calls == FIBONACCI_CALLS["by paths"](n)


# ---- the table and the picture --------------------------------------------------------------------------------------

def test_race_prints_the_same_words_for_both():
    x = Value(0.5)
    loss = diamonds(3)[1] + x
    r = race(loss, n=10)
    text = str(r)
    assert text.count("by paths") == text.count("by memoised recursion") == text.count("by one sweep") == 2
    assert "The gradient of loss: 12 nodes" in text and "the same gradient" in text and "fib(10)" in text
    assert f"{counted_paths(loss).calls}" in text
    assert r.markdown().count("| by one sweep |") == 2
    assert r._repr_html_().count("<tr>") == 7 and "<svg" in r._repr_html_()
    rows = r.rows()
    assert len(rows) == 6 and rows[0]["calls"] == counted_paths(loss).calls and rows[3]["of"] == "fib(10)"


def test_the_picture_is_svg_and_ends_at_the_totals():
    _, y = ladder(12)
    r = race(y)
    image = ElementTree.fromstring(r.svg())
    assert image.tag.endswith("svg") and image.find("{http://www.w3.org/2000/svg}title").text
    for (_, points), way in zip(r.depths, r.ways, strict=True):
        assert points[-1] == (12, way.calls)
        assert [d for d, _ in points] == list(range(13))
        assert all(a <= b for (_, a), (_, b) in zip(points, points[1:], strict=False))
    assert r.depths[0][1] == [(d, 2 ** (d + 1) - 1) for d in range(13)]


def test_a_hostile_name_stays_text_in_the_picture():
    x = Value(1.0)
    y = x * x
    y.label = "<script>&'\""
    ElementTree.fromstring(race(y).svg())
    assert "<script>" not in race(y)._repr_html_()


# ---- ablations ------------------------------------------------------------------------------------------------------

def test_the_smallest_example_needs_every_part():
    """L = h + h^2 with h = 2 x at x = 3: dL/dh = 1 + 2 h = 13."""
    rows = ablations().rows
    assert [row.part for row in rows] == ["memo", "order", "+=", "fresh table"]
    assert [row.name for row in rows] == ["y", "h", "h", "y"]
    order_, plus, stale = rows[1:]
    assert (order_.right, order_.wrong) == (13, 1)    # passed on before h h had sent its part
    assert (plus.right, plus.wrong) == (13, 6)        # only the last contribution, h
    assert (stale.right, stale.wrong) == (1, 2)       # counted again
    assert "solved 2 times" in str(ablations())
    assert ablations()._repr_html_().startswith("<div")


def test_a_chain_needs_no_part_but_the_fresh_table():
    x = Value(2.0)
    rows = ablations(x.tanh().exp().sin()).rows
    assert [row.node is None for row in rows] == [True, True, True, False]
    assert "none here" in str(ablations(x.tanh().exp().sin()))


def test_wrong_order_is_about_a_reused_node_that_is_no_leaf():
    x = Value(3.0, label="x")
    loss = x + x * x                                  # x is reused, but it passes nothing on
    assert ablations(loss).rows[1].node is None
    assert ablations(loss).rows[2].name == "x"


def test_ablations_of_tensors():
    w = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    h = w @ w
    loss = (h * h + h).sum()
    rows = ablations(loss).rows
    assert rows[2].node is h and not np.allclose(rows[2].right, rows[2].wrong)
    assert np.allclose(rows[2].right, 2 * h.detach().numpy() + 1)


def test_ablations_of_a_graph_with_a_hook_and_of_a_leaf_alone():
    """h = 2 x, L = sum h h, and a hook that triples the adjoint of h: no order is wrong in a chain."""
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    h = x * 2
    h.register_hook(lambda g: 3 * g)
    order, assigned = ablations((h * h).sum(), names={"h": h}).rows[1:3]
    assert order.node is None and assigned.name == "h"
    assert assigned.right.tolist() == [12, 24] and assigned.wrong.tolist() == [6, 12]
    assert all(row.node is None for row in ablations(Value(3.0)).rows)


def test_ablations_say_a_huge_number_in_few_characters():
    y = Value(0.1)
    for _ in range(300):
        y = y + y
    memo = ablations(y).rows[0]
    assert len(memo.wrong) < 30 and len(memo.lesson) < 80
