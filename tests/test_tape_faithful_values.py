"""What a step on Values may do that a replay could get wrong in silence: it gives the eager numbers, or is refused."""
from __future__ import annotations

import collections
import math

import numpy as np
import pytest
from faithful import Programs, agrees, is_refused

from tinygrad_edu import Value

faithful, refused = Programs(), Programs()


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


@pytest.mark.parametrize("optimise", [True, False])
@pytest.mark.parametrize("name", faithful)
def test_what_gives_the_eager_numbers(name, optimise):
    agrees(faithful[name], optimise)


@pytest.mark.parametrize("optimise", [True, False])
@pytest.mark.parametrize("name", refused)
def test_what_is_refused(name, optimise):
    is_refused(refused[name], optimise)
