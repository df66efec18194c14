"""The benchmarks: every workload computes the same in all hands, and what is measured is told as it was measured."""
from __future__ import annotations

import sys

import numpy as np
import pytest

import tinygrad_edu as tg
from benchmarks import a1, b1, b8, chart, harness, mlp
from benchmarks.bare import Bare


@pytest.mark.parametrize("make", [
    pytest.param(lambda: (a1.arrays("tinygrad_edu"), a1.by_hand(), a1.arrays("torch")), id="A1"),
    pytest.param(lambda: (b1.torch_api("tinygrad_edu"), b1.by_hand(), b1.tape()), id="B1"),
    *(pytest.param(lambda net=net: (mlp.torch_api("tinygrad_edu", net), mlp.by_hand(net),
                                    mlp.torch_api("tinygrad_edu", net, compiled=True)), id=f"{net.activation}")
      for net in (mlp.SIGMOID, mlp.RELU)),
    pytest.param(lambda: (b8.torch_api("tinygrad_edu", "affine"), b8.by_hand("affine")), id="B8")])
def test_each_peer_computes_the_same_losses(make):
    first, *others = [[harness.number(step()) for _ in range(3)] for step in make()]
    for losses in others:
        np.testing.assert_allclose(losses, first, rtol=1e-3)


def test_one_node_a_number_or_tensors_the_moons_are_learnt_alike():
    losses = [[harness.number(step()) for _ in range(2)] for step in (
        a1.scalars("tinygrad_edu"), harness.captured(lambda: a1.scalars("tinygrad_edu")), a1.by_hand())]
    np.testing.assert_allclose(losses[0], losses[2], rtol=1e-12)
    np.testing.assert_allclose(losses[1], losses[2], rtol=1e-12)


def test_the_bare_tape_is_right():
    x, w = Bare(np.array([1.0, 2.0])), Bare(np.array([0.5, -1.0]))
    ((x * w + x).tanh() * x).sum().backward()
    u = tg.tensor(x.payload, requires_grad=True)
    v = tg.tensor(w.payload, requires_grad=True)
    ((u * v + u).tanh() * u).sum().backward()
    np.testing.assert_allclose(x.grad, u.grad.numpy())
    np.testing.assert_allclose(w.grad, v.grad.numpy())


def test_a_race_compares_both_variants_with_every_peer():
    said = []
    peers = {"ours": lambda: lambda: 1.0, "captured": lambda: lambda: 1.0, "torch": lambda: lambda: 1.0,
             "absent": lambda: __import__("no_such_library")}
    bars = (harness.Bar("torch", 1e9), harness.Bar("torch", 1e-9, variant="captured"))
    rows = harness.race(harness.Workload("B1", peers, bars), 0.01, said.append)
    assert [row.peer for row in rows] == ["torch"] and "absent" in said[0]
    text = harness.table(rows)
    assert text.count("|") == 3 * 10 and "reached" in text and "**missed**" in text
    assert set(chart.relative(rows)["B1"]) == {"ours, eager", "ours, captured", "torch"}


def test_a_peer_that_computes_something_else_is_not_timed():
    peers = {"ours": lambda: lambda: 1.0, "torch": lambda: lambda: 1.1}
    with pytest.raises(AssertionError, match="computes something else"):
        harness.race(harness.Workload("B1", peers), 0.01, print)


@pytest.mark.parametrize("figure, words", [(0.3, "≤ 0.40 reached"), (0.41, "≤ 0.40 **missed**"),
                                           (0.1, "≤ 0.40 reached, and its stretch 0.20")])
def test_verdicts(figure, words):
    assert harness.judge(figure, 0.4, 0.2) == words


def test_the_chart_says_where_it_was_measured(tmp_path):
    rows = [harness.Row("B1", "torch", 3e-5, 1e-5, 1 / 3, "", 3e-6, 0.1),
            harness.Row("B1", "NumPy by hand", 2e-6, 1e-5)]
    chart.draw(rows, harness.circumstances(), tmp_path / "chart.svg")
    text = (tmp_path / "chart.svg").read_text(encoding="utf8")
    for told in ("ours, captured", "NumPy by hand", ">0.33<", ">0.10<", "garbage collector on", "BLAS kernel"):
        assert told in text


def calls(step, times=20):
    """Python functions entered and C functions called by one step, which no other load on the machine changes."""
    count = 0

    def seen(frame, event, arg):
        nonlocal count
        count += event in ("call", "c_call")
    step()
    sys.setprofile(seen)
    try:
        for _ in range(times):
            step()
    finally:
        sys.setprofile(None)
    return count / times


def test_an_eager_step_makes_few_calls_more_than_a_bare_tape():
    """The guard against a slower core: B1 has nothing but bookkeeping, and calls are counted, not timed."""
    assert calls(b1.torch_api("tinygrad_edu")) <= 2.5 * calls(b1.tape())
