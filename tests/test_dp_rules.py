"""The text of a rule is the rule: run as code it gives what the rule gives, and read on paper it is short."""
from __future__ import annotations

import ast
import importlib
import linecache

import numpy as np
import pytest

from tinygrad_edu import graph
from tinygrad_edu.dp.reading import read
from tinygrad_edu.dp.rules import expression, rule_text, tidied
from tinygrad_edu.graph import REGISTRY, elementwise

LAMBDAS = [(name, i) for name, op in REGISTRY.items() for i, rule in enumerate(op.rules)
           if getattr(rule, "__name__", "") == "<lambda>"]


def ran(found, values, params):
    """The value of an expression found in the source."""
    scope = {"float32": "float32", "float64": "float64", **found.scope, **found.defaults, **params,
             **dict(zip(found.arguments, values, strict=False))}
    if found.rest:
        scope[found.rest] = values[len(found.arguments):]
    tree = ast.fix_missing_locations(ast.Expression(found.body))
    return eval(compile(tree, "<test>", "eval"), scope)


@pytest.mark.parametrize(("name", "i"), LAMBDAS)
def test_every_rule_that_is_a_lambda_is_found(name, i):
    assert rule_text(REGISTRY[name], i)


def elementwise_rules():
    for name, op in REGISTRY.items():
        if op.family == "elementwise":
            for i in range(len(op.rules)):
                yield name, i


@pytest.mark.parametrize(("name", "i"), list(elementwise_rules()))
def test_the_text_computes_what_the_rule_computes(name, i):
    op = REGISTRY[name]
    rule = op.rules[i]
    rng = np.random.default_rng(0)
    inputs = [rng.uniform(0.1, 0.9, 5) + (name == "acosh") for _ in op.rules]
    params = {"clamp": {"min": 0.2, "max": 0.8}, "leaky_relu": {"slope": 0.1}}.get(name, {})
    y, g = rng.uniform(0.1, 0.9, 5), rng.normal(size=5)
    values = (g, y, *inputs)
    want = rule(*values, **params)
    assert np.array_equal(ran(expression(rule), values, params), want)
    assert np.array_equal(ran(expression(rule, values, params), values, params), want)
    assert np.array_equal(ran(read(rule, values, params), values, params), want)


def test_known_rules():
    texts = {("+", 1): "g", ("-", 1): "-g", ("*", 0): "g * b", ("tanh", 0): "g * (1 - y * y)", ("exp", 0): "g * y",
             ("sin", 0): "g * cos(x)", ("log", 0): "g / x", ("**", 0): "g * (b * a ** (b - 1))",
             ("relu", 0): "g * (y > 0)", ("sigmoid", 0): "g * (y * (1 - y))"}
    for (name, i), text in texts.items():
        assert rule_text(REGISTRY[name], i) == text
    assert rule_text(REGISTRY["*"], 1, {"g": "∂z", "a": "w"}) == "∂z * w"
    assert rule_text(REGISTRY["tanh"], 1) is None


def test_a_branch_is_the_one_that_the_values_take():
    product = REGISTRY["@"]
    a, b, v = np.ones((2, 3)), np.ones((3, 4)), np.ones(3)
    assert rule_text(product, 0, values=(a @ b, a @ b, a, b)) == "g @ b.mT"
    assert rule_text(product, 1, values=(a @ b, a @ b, a, b)) == "a.mT @ g"
    assert rule_text(product, 0, values=(a @ v, a @ v, a, v)) == "g[..., None] * b"
    assert rule_text(product, 0) is None              # without values nobody knows


def test_shapes_are_worked_out_and_helpers_put_in():
    x = np.ones((3, 4))
    found = read(REGISTRY["mean"].rules[0], (np.float64(1), np.float64(1), x), {"dim": None, "keepdim": False})
    assert ast.unparse(tidied(found)) == "expand(g / 12, shape=(3, 4))"
    found = read(REGISTRY["sum"].rules[0], (np.ones(3), np.ones(3), x), {"dim": (1,), "keepdim": False})
    assert ast.unparse(tidied(found)) == "expand(reshape(g, shape=(3, 1)), shape=(3, 4))"
    found = read(REGISTRY["permute"].rules[0], (x.T, x.T, x), {"dims": (1, 0)})
    assert ast.unparse(tidied(found)) == "g.T"
    params = {"dim": (1,), "correction": 1, "keepdim": False}
    found = read(REGISTRY["std"].rules[0], (np.ones(3), np.ones(3), x), params)
    assert ast.unparse(found.body).endswith("y, x, dim=(1,), correction=1, keepdim=False)")


# ---- finding the source ---------------------------------------------------------------------------------------------

first, second = (lambda g, y, a: g * 2), (lambda g, y, a: g * 3)
same, again = (lambda g, y, a: (lambda g, y, a: g + 5)(g, y, a)), (lambda g, y, a: (
    g
    / (a * a)
))
CHOICE = lambda g, y, a: g if y is None else (g * a if a is not None else -g)      # noqa: E731


def test_several_on_a_line_one_in_another_and_over_many_lines():
    assert [ast.unparse(expression(f).body) for f in (first, second)] == ["g * 2", "g * 3"]
    assert ast.unparse(expression(same).body) == "(lambda g, y, a: g + 5)(g, y, a)"
    assert ast.unparse(expression(again).body) == "g / (a * a)"
    inner = (lambda g, y, a: lambda g, y, a: g + 5)(1, 2, 3)
    assert ast.unparse(expression(inner).body) == "g + 5"


def test_equal_arguments_and_equal_shape_of_code_are_told_apart():
    pair = [lambda g, y: g * y, lambda g, y: y * g]
    assert [ast.unparse(expression(f).body) for f in pair] == ["g * y", "y * g"]


def test_choices_are_decided_by_values_where_given():
    assert ast.unparse(expression(CHOICE).body).startswith("g if y is None")
    assert ast.unparse(expression(CHOICE, (1.0, None, 2.0)).body) == "g"
    assert ast.unparse(expression(CHOICE, (1.0, 2.0, 2.0)).body) == "g * a"


def test_a_def_with_local_names():
    def rule(g, y, a, *, k=2):
        """With a docstring."""
        half, (twice, thrice) = a / k, (a * 2, a * 3)
        return g * half * twice * thrice

    assert expression(rule) is None                   # (twice, thrice) is nested deeper than is followed

    def plainer(g, y, a, *, k=2):
        """With a docstring."""
        half, twice = a / k, a * 2
        if k > 1:
            half = half + twice
        return g * half

    assert expression(plainer) is None                # which branch?
    assert ast.unparse(expression(plainer, (1.0, 1.0, 1.0)).body) == "g * (a / k + a * 2)"
    assert expression(plainer, (1.0, 1.0, 1.0)).defaults == {"k": 2}


def test_what_a_closure_holds_is_known():
    slope = 0.25
    found = expression(lambda g, y, x: g * slope)
    assert found.scope["slope"] == 0.25 and ran(found, (2.0, 0, 0), {}) == 0.5


def test_no_source_no_text():
    made = eval("lambda g, y, x: g * 2")
    for function in (made, np.exp, len, 3, None, type("F", (), {"__call__": lambda self: 0})()):
        assert expression(function) is None


def test_a_cell_with_a_magic_is_no_python(monkeypatch):
    source = "%matplotlib inline\nrule = lambda g, y, x: g * 2\n"
    name = "<ipython-input-1>"
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    scope = {}
    exec(compile("\nrule = lambda g, y, x: g * 2\n", name, "exec"), scope)
    try:
        assert expression(scope["rule"]) is None
    finally:
        del linecache.cache[name]


def test_a_students_own_primitive():
    before = dict(graph.REGISTRY), dict(graph.BY_FUNCTION)
    try:
        mish = elementwise("test_cube", lambda x: x * x * x, lambda g, y, x: g * 3 * x * x, doc="x^3")
        assert rule_text(mish, 0, {"x": "h", "g": "∂y"}) == "∂y * 3 * h * h"
    finally:
        for table, known in zip((graph.REGISTRY, graph.BY_FUNCTION), before, strict=True):
            table.clear()
            table.update(known)


# ---- every primitive ------------------------------------------------------------------------------------------------

SAMPLES = {name: samples for module in ("elementwise", "reduce", "shape", "linalg", "fused")
           for name, samples in importlib.import_module(f"samples_{module}").SAMPLES.items()}


@pytest.mark.parametrize(("name", "i"), [(name, i) for name in SAMPLES for i in range(len(REGISTRY[name].rules))])
def test_what_is_read_computes_what_the_rule_computes(name, i):
    """On every sample of every primitive: with shapes worked out, helpers put in and parameters handed on by name."""
    op, rng, found = REGISTRY[name], np.random.default_rng(0), 0
    for inputs, params in SAMPLES[name]:
        if i >= len(inputs) or not isinstance(inputs[i], np.ndarray):
            continue
        y = np.asarray(op.fn(*inputs, **params))
        g = rng.normal(size=y.shape)
        text = read(op.rules[i], (g, y, *inputs), params)
        if text is None:
            assert name in ("svd", "qr")              # more than one expression: the tables say the chain rule
            return
        assert "**" not in ast.unparse(text.body).replace(" ** ", "")
        with np.errstate(all="ignore"):
            want, got = op.rules[i](g, y, *inputs, **params), ran(text, (g, y, *inputs), params)
        assert np.allclose(got, want, equal_nan=True)
        found += 1
    assert found
