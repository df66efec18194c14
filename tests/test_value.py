"""Value: micrograd's scalar, checked against PyTorch and against micrograd's own habits."""
from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_edu as tg
from tinygrad_edu import Value
from tinygrad_edu.graph import REGISTRY


def against_torch(f, *numbers: float) -> None:
    """f on Values and on torch's float64 scalars: value and gradients."""
    ours = [Value(x) for x in numbers]
    theirs = [torch.tensor(float(x), dtype=torch.float64, requires_grad=True) for x in numbers]
    y, t = f(*ours), f(*theirs)
    assert y.data == pytest.approx(t.item(), rel=1e-12, abs=1e-14)
    y.backward()
    t.backward()
    for a, b in zip(ours, theirs, strict=True):
        assert type(a.grad) is float
        assert a.grad == pytest.approx(b.grad.item() if b.grad is not None else 0.0, rel=1e-10, abs=1e-13)


def test_micrograds_sanity_check():
    def f(x):
        z = 2 * x + 2 + x
        q = z.relu() + z * x
        h = (z * z).relu()
        return h + q + q * x
    against_torch(f, -4.0)


def test_micrograds_more_operations():
    def f(a, b):
        c = a + b
        d = a * b + b ** 3
        c = c + c + 1
        c = c + 1 + c + (-a)
        d = d + d * 2 + (b + a).relu()
        d = d + 3 * d + (b - a).relu()
        e = c - d
        f = e ** 2
        g = f / 2.0
        return g + 10.0 / f
    against_torch(f, -4.0, 2.0)


@pytest.mark.parametrize("name, x", [("exp", 0.7), ("log", 0.7), ("sqrt", 0.7), ("sin", 0.7), ("cos", 0.7), ("tanh", 0.7),
                                     ("sigmoid", -3.2), ("sigmoid", 800.0), ("relu", 0.7), ("relu", -0.7), ("relu", 0.0), ("abs", -0.7)])
def test_functions(name, x):
    against_torch(lambda v: getattr(v, name)() * 1.5, x)


@pytest.mark.parametrize("x", [-800.0, -1.0, 0.0, 1.0, 30.0])
def test_softplus_does_not_overflow(x):
    v = Value(x)
    v.softplus().backward()
    assert v.softplus().data == pytest.approx(np.logaddexp(x, 0))
    assert v.grad == pytest.approx(1 / (1 + math.exp(-x)) if x > -700 else 0.0)


def test_operators_in_both_orders():
    for f in (lambda a: a + 2, lambda a: 2 + a, lambda a: a - 2, lambda a: 2 - a, lambda a: a * 2, lambda a: 2 * a, lambda a: a / 2,
              lambda a: 2 / a, lambda a: a ** 3, lambda a: a ** -2, lambda a: 2 ** a, lambda a: -a, lambda a: abs(a), lambda a: +a,
              lambda a: a % 0.7, lambda a: a ** 0, lambda a: a ** 0.5):
        against_torch(f, 1.7)


def test_power_of_two_values_and_at_zero():
    against_torch(lambda a, b: a ** b, 1.7, 2.3)
    against_torch(lambda a, b: a ** b, 0.0, 2.0)
    against_torch(lambda a: a ** 1, 0.0)
    against_torch(lambda a: a ** 2, 0.0)


def test_max_min_sum_of_values():
    against_torch(lambda a, b: max(a, b) * 2, 1.0, 3.0)
    against_torch(lambda a, b: min(a, b) * 2, 1.0, 3.0)
    against_torch(lambda a, b, c: sum([a * b, c, a]), 1.0, 3.0, 5.0)
    a, b = Value(2.0), Value(2.0)
    a.max(b).backward()
    assert (a.grad, b.grad) == (0.5, 0.5)


def test_comparisons_are_plain_answers():
    a, b = Value(1.0), Value(2.0)
    assert (a < b) is True and (a > b) is False and (a <= 1) is True and (a >= b) is False
    assert (a == 1.0) is True and (a != b) is True and (a == None) is False     # noqa: E711
    assert sorted([b, a])[0] is a
    assert len({a, b, a}) == 2


def test_grads_are_kept_on_every_node_and_add_up():
    x = Value(3.0)
    h = x * x
    y = h + h
    y.backward()
    assert (y.grad, h.grad, x.grad) == (1.0, 2.0, 12.0)
    y.backward()                                      # the graph is kept; a second pass adds the same again
    assert (h.grad, x.grad) == (4.0, 24.0)
    x.zero_grad()
    assert x.grad == 0.0


def test_data_can_be_assigned_and_stale_graphs_are_reported():
    w = Value(2.0)
    y = w * w
    w.data -= 0.5
    assert w.data == 1.5
    with pytest.raises(RuntimeError, match="inplace operation"):
        y.backward()
    (w * w).backward()
    assert w.grad == 3.0


def test_label_and_name_are_the_same():
    x = Value(1.0, label="x")
    assert x.label == x.name == "x"
    x.name = "z"
    assert x.label == "z" and "z" in repr(x)
    assert Value(1.0).label == ""


def test_no_grad_makes_leaves():
    x = Value(2.0)
    with tg.no_grad():
        y = x * x + x
    assert y.is_leaf and y.data == 6.0 and y.inputs == ()


def test_gradients_of_gradients():
    x = Value(0.7)
    y = x.tanh() * x ** 3
    (first,) = tg.autograd.grad(y, [x], create_graph=True)
    (second,) = tg.autograd.grad(first, [x], create_graph=True)
    (third,) = tg.autograd.grad(second, [x])
    t = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    u = t.tanh() * t ** 3
    for ours in (first, second, third):
        (u,) = torch.autograd.grad(u, t, create_graph=True)
        assert float(ours) == pytest.approx(u.item(), rel=1e-10)


@pytest.mark.parametrize("call, error", [
    (lambda: Value("two"), TypeError), (lambda: Value([1, 2]), TypeError), (lambda: Value(1.0) + "a", TypeError),
    (lambda: Value(-1.0).log(), ValueError), (lambda: Value(1.0) / 0, ZeroDivisionError), (lambda: Value(-8.0) ** 0.5, ValueError),
    (lambda: Value(1000.0).exp(), OverflowError), (lambda: Value(1.0) + tg.ones(2), TypeError), (lambda: Value(1.0) @ 2, TypeError)])
def test_bad_calls(call, error):
    with pytest.raises(error):
        call()


def test_the_fast_operators_record_what_the_primitive_records():
    a, b = Value(1.25), Value(-3.5)
    for name, fast in (("+", a + b), ("*", a * b)):
        slow = REGISTRY[name](a, b)
        assert (fast.payload, fast.op, fast.inputs, fast.note, fast.grad) == (slow.payload, slow.op, slow.inputs, slow.note, slow.grad)


def test_rules_that_use_numpy_leave_plain_floats():
    x = Value(0.3)
    y = np.sin(x) + np.cos(x) * np.float64(2.0)
    y.backward()
    assert type(y.data) is float and type(x.grad) is float


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("+-*/^t"), st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=30),
       st.lists(st.floats(-2, 2), min_size=3, max_size=3))
def test_random_programs(steps, start):
    def f(*inputs):
        nodes = list(inputs)
        for op, i, j in steps:
            a, b = nodes[i % len(nodes)], nodes[j % len(nodes)]
            nodes.append(a + b if op == "+" else a - b if op == "-" else (a * b).tanh() if op == "*" else a / (b * b + 1)
                         if op == "/" else (a * a + 0.5) ** (b.tanh()) if op == "^" else a.sigmoid())
        return nodes[-1] + sum(inputs)
    against_torch(f, *start)


def test_an_array_and_a_value_make_an_array_of_values():
    v = Value(3.0)
    for y, want in ((np.array([1.0, 2.0]) * v, [3, 6]), (v + np.array([[1.0], [2.0]]), [[4], [5]]), (np.array([2.0, 4.0]) - v, [-1, 1])):
        assert y.dtype == object and np.array_equal(np.vectorize(float)(y), want)
    sum(np.array([1.0, 2.0]) * v).backward()
    assert v.grad == 3.0


def test_what_micrograds_own_drawing_reads():
    a, b = Value(2.0), Value(3.0)
    y = a * b + 1.0
    assert y._op == "+" and {x._op for x in y._prev} == {"*"} and a._prev == set() and a._op == ""
    assert f"{y:.2f}" == "7.00" and f"{a}" == repr(a)
