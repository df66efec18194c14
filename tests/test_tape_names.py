"""Names and numbers in the text of a recorded program: whatever the user calls things, it is Python, and runs as the
function does."""
from __future__ import annotations

import builtins
import copy
import linecache
import math
from types import FunctionType

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import Value
from tinygrad_edu.graph import REGISTRY
from tinygrad_edu.tape.text import RESERVED

inf, nan = float("inf"), float("nan")
NAMES = ["V", "D", "D0", "D1", "I", "np", "math", "leaf", "Branch", "p", "zip", "written", "replayed", "taken", "bool",
         "float", "int", "len", "max", "sum", "range", "tuple", "slice", "round", "memory", "kept", "rule", "known",
         "inputs", "answers", "t", "c", "w1", "x2", "a0", "_", "__", "_1", "w̄", "α", "print", "match"]
LABELS = [*NAMES, "w₁", "x²", "x̂", "∂w", "w\nraise", "1st", "class", "None", "ﬁ", "𝑤", "½", "", " ", "·",
          "a b", "w#", "'"]


def twice(text: str, name: str, **given):
    """The function ``name`` that a text defines, as it is and compiled, each with parameters of its own."""
    found = []
    for k, how in enumerate((lambda f: f, tg.compile)):
        space = {"tg": tg, "__name__": "program", **copy.deepcopy(given)}
        file = f"<{name} {k}>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        exec(compile(text, file, "exec"), space)
        space["f"] = how(space[name])
        found.append(space)
    return found


def numbers(x):
    return x.tolist() if isinstance(x, tg.Tensor) else x.data if isinstance(x, Value) else x


@pytest.mark.parametrize("name", NAMES)
def test_functions_and_arguments_of_values_with_the_names_that_the_text_needs(name):
    """Two sweeps, a comparison and an adjoint that is read: everything that the text has names for."""
    text = f"""
def {name}(other_, w):
    a, b = (w_ * other_) ** 2, (w_ * w).tanh() * u_
    w_.grad = u_.grad = 0.0
    a.backward()
    b.backward()
    if b > 100: return a, b
    w_.data -= 0.1 * w_.grad
    return a, b
"""
    for source in (text, text.replace("other_", name).replace(f"def {name}", "def f", 1)):
        of = name if f"def {name}(" in source else "f"
        eager, compiled = twice(source, of, w_=Value(2.0), u_=Value(-1.5))
        for k in range(3):
            expected, got = (numbers(list(space["f"](0.5 + k, 0.25))) for space in (eager, compiled))
            assert [v.data for v in got] == pytest.approx([v.data for v in expected], rel=1e-12)
            assert compiled["w_"].data == pytest.approx(eager["w_"].data, rel=1e-12)
        assert compiled["f"].cache_info().replays == 2
        assert "lines; by kind" in compiled["f"].profile(1.0, 0.25)


@pytest.mark.parametrize("name", NAMES)
def test_functions_and_arguments_of_tensors_with_the_names_that_the_text_needs(name):
    text = f"""
def {name}(other_):
    w_.grad = None
    y = (w_ * other_).exp() + u_[1:, 0]
    loss = y.sum() + (w_ * tg.tensor([1.0, 1e999]).minimum(other_)).mean()
    loss.backward()
    return loss, w_.grad
"""
    for source in (text, text.replace("other_", name).replace(f"def {name}", "def f", 1)):
        of = name if f"def {name}(" in source else "f"
        eager, compiled = twice(source, of, w_=tg.tensor([2.0, 3.0], requires_grad=True), u_=tg.ones(3, 2))
        for k in range(3):
            x = tg.tensor([0.5, 0.1 * k])
            expected, got = ([numbers(y) for y in space["f"](x)] for space in (eager, compiled))
            assert got[0] == pytest.approx(expected[0]) and got[1] == pytest.approx(expected[1])
        assert compiled["f"].cache_info().replays == 2
        assert "lines; by kind" in compiled["f"].profile(x)


@pytest.mark.parametrize("label", LABELS)
def test_labels_of_values_and_keys_of_dicts_that_are_no_names(label):
    w, other = Value(2.0, label=label), Value(3.0, label="w1")

    @tg.compile
    def f(x):
        loss = (w * x[label]) ** 2 + other
        w.grad = 0.0
        loss.backward()
        return loss
    for k in range(3):
        assert f({label: float(k)}).data == 4.0 * k * k + 3.0
        assert w.grad == 4.0 * 2 * k * k / 2
    assert f.cache_info().replays == 2

    @tg.compile
    def g(x):
        return x[label] * 2
    for k in range(3):
        assert g({label: tg.ones(2) * k}).tolist() == [2.0 * k] * 2
    assert g.cache_info().replays == 2


@pytest.mark.parametrize("label", LABELS)
def test_names_of_tensors_that_are_no_names(label):
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    w.name = label

    def f(x):
        w.grad = None
        loss = (w * x).sum()
        loss.backward()
        return loss
    f.__name__ = label
    step = tg.compile(f)
    for k in range(3):
        assert step(tg.ones(2) * k).item() == 3.0 * k
        assert w.grad.tolist() == [k, k]
    assert step.cache_info().replays == 2


def test_the_builtins_that_the_text_of_a_rule_calls_are_names_of_nothing_else():
    called = set()
    for op in REGISTRY.values():
        for fn in (op.fn, op.scalar, op.joint, *op.rules):
            if isinstance(fn, FunctionType) and fn.__name__ == "<lambda>":
                called |= {name for name in fn.__code__.co_names if name not in fn.__globals__}
    called &= set(dir(builtins))
    assert called and called <= RESERVED


@pytest.mark.parametrize("number", [inf, -inf, nan, 1e300, -0.0, 0.0, 0.1, 1e6, 5, True])
def test_known_numbers_of_every_kind_among_values(number):
    ws = [Value(0.3), Value(-2.0)]

    def f(k):
        out = [(w * k).max(number) + (w * number) * k for w in ws] + [ws[0] * number * 0.0 * k]
        for w in ws:
            w.grad = 0.0
        out[0].backward()
        return [y.data for y in out] + [w.grad for w in ws]
    compiled = tg.compile(f)
    for k in (1.0, -2.0, 3.0):
        np.testing.assert_array_equal(compiled(k), f(k))
        assert [math.copysign(1, x) for x in compiled(k)] == [math.copysign(1, x) for x in f(k)]


@pytest.mark.parametrize("seed", [inf, -inf, 2, -0.5])
def test_a_sweep_of_values_begins_at_any_number(seed):
    w = Value(0.5)

    def f(k):
        w.grad = 0.0
        (w * k).backward(seed)
        return w.grad
    compiled = tg.compile(f)
    for k in (1.0, 2.0):
        assert compiled(k) == f(k)


@pytest.mark.parametrize(("text", "numbers"), [
    ("x * copy.deepcopy({'a': [k]})['a'][0]", (1.5, 2.5, 3.5)), ("x * copy.copy(k)", (1.5, 2.5, 3.5)),
    ("x * math.trunc(k)", (1.5, 2.5, -1.5)), ("x * math.floor(k) * math.ceil(k)", (1.5, 2.5, -1.5)),
    ("x * pow(k, 2, 5)", (3, 4, 7)), ("x * pow(k, 3, 5) * pow(k, k, k + 1)", (3, 4, 7)), ("x * pow(k, 2)", (3, 4, 7)),
    ("x * pow(k, 2, 5)", (0.5,))])
def test_what_python_does_with_numbers_is_done_with_those_of_a_capture(text, numbers):
    space = {"math": math, "copy": copy}
    f = eval(f"lambda x, k: {text}", space)
    compiled = tg.compile(f)
    for k in numbers:
        for _ in range(2):
            found = []
            for how in (f, compiled):
                try:
                    found.append(how(tg.ones(2), k).tolist())
                except TypeError:
                    found.append("TypeError")
            assert found[0] == found[1]
