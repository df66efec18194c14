"""One gradient, path by path: each product, their sum, and the formulas."""
from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.mathtext import MathTextParser

import tinygrad_edu as tg
from tinygrad_edu import Value, nn
from tinygrad_edu.dp import explain, gradient_graph, paths
from tinygrad_edu.dp.latex import symbol
from tinygrad_edu.dp.semiring import slope
from tinygrad_edu.graph import REGISTRY
from tinygrad_edu.ops import elementwise as ew

compiles = MathTextParser("path").parse


def chain_of_smith():
    """The way down to w5 of the course's 2-2-2 network."""
    out_h1 = Value(0.593269992, label="out_h1")
    w5 = Value(0.40, label="w5")
    rest = Value(0.45 * 0.596884378 + 0.60, label="rest")
    net = w5 * out_h1 + rest
    out = net.sigmoid()
    E = 0.5 * (out - 0.01) ** 2
    for node, name in ((net, "net_o1"), (out, "out_o1"), (E, "E")):
        node.label = name
    return E, w5


# ---- the product of one path ----------------------------------------------------------------------------------------

def test_the_deck_derivation():
    """dE/dw5 = 0.74136507 x 0.186815602 x 0.593269992 = 0.082167041"""
    E, w5 = chain_of_smith()
    e = explain(E, w5, digits=8)
    (path,) = e.paths
    factors = [slope(node, i) for node, i in path.edges]
    assert [f for f in factors if f not in (1.0, 0.5)] == pytest.approx(
        [2 * 0.74136507, 0.186815602, 0.593269992], abs=5e-9)
    assert path.product == pytest.approx(0.082167041, abs=5e-9)
    text = str(e)
    assert text.startswith("dE/dw5 = 0.08216704")
    assert "∂out_o1/∂net_o1 = out_o1 * (1 - out_o1) = 0.751365" in text and "= 0.1868156" in text
    assert "= out_h1 = 0.59326999" in text
    assert "sum of the products = 0.08216704" in text and ": equal (relative difference" in text


def test_every_product_and_their_sum():
    x = Value(3.0, label="x")
    y = x * x + x
    y.label = "y"
    e = explain(y, x)
    assert e.number == 3 and [p.product for p in e.paths] == [3, 3, 1] and e.total == e.gradient == 7
    assert "p_{1} + p_{2} + p_{3} = 3 + 3 + 1 = 7" in e.formulas()[0]
    assert "the sum over 3 paths" in str(e) and "path 3: y <- x" in str(e)


def test_the_whole_derivative_and_those_by_one_input_are_told_apart():
    """y = x x: dy/dx = 6 at 3, by each of its two inputs alone 3."""
    x = Value(3.0, label="x")
    e = explain(x * x, x, names={"x": x})
    said = str(e)
    assert said.startswith("dL/dx = 6") and "∂L/∂x (input 1) = x = 3" in said and "∂L/∂x (input 2) = x = 3" in said
    assert e.formulas()[0].startswith(r"\frac{\mathrm{d} L}{\mathrm{d} x} = p_{1} + p_{2}")
    assert r"p_{2} = \left.\frac{\partial L}{\partial x}\right|_{2} = x = 3" == e.formulas()[2]
    assert all(compiles(f"${formula}$") for formula in e.formulas())


def test_equal_paths_stand_in_the_order_of_their_inputs():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    h = x * 2
    y = h + x
    ways = [[i for _, i in path.edges] for path in explain((y * y).sum(), x).paths]
    assert ways == [[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1], [0, 1, 1]]


def test_what_is_not_a_number_on_both_sides_is_equal():
    x = tg.tensor([0.0, math.nan], requires_grad=True)
    with np.errstate(all="ignore"):
        e = explain((x * x).log().sum(), x)
    assert e.difference == 0 and ": equal" in str(e)


@pytest.mark.parametrize("value", [math.inf, 1e160])
def test_paths_of_any_size_are_added_up(value):
    """Products that are infinite with both signs, or whose sum is too large for a float."""
    x = Value(value)
    y = x * x * x - x * x * x if math.isinf(value) else x * x * 1e140 + x * x * 1e140
    e = explain(y * 1e8, x)
    assert e.difference == 0 and ": equal" in str(e) and not math.isfinite(e.gradient)


def test_a_hook_is_named_as_the_reason():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    h = x * 2
    h.register_hook(lambda g: 3 * g)
    said = str(explain((h * h).sum(), x, names={"h": h}))
    assert "NOT equal" in said and "a hook on h changes its adjoint" in said


@pytest.mark.parametrize(("f", "text", "formula"), [
    (lambda x: x ** -0.5, "(-0.5) * x ** (-1.5) = (-0.5) * 4 ** (-1.5) = -0.0625",
     r"\left(-0.5\right) \cdot {x}^{-1.5} = -0.0625"),
    (lambda x: ew.log2(x), "1 / (x * log(2)) = 1 / (4 * log(2))", r"\frac{1}{x \cdot \ln\left(2\right)}"),
    (lambda x: ew.erf(x), "2 / sqrt(pi) * exp(-x * x)", r"\frac{2}{\sqrt{\pi}} \cdot e^{\left(-x\right) \cdot x}"),
    (lambda x: x.relu(), "(y > 0) = (4 > 0) = 1", r"\left[y > 0\right] = 1"),
])
def test_derivatives_as_one_writes_them(f, text, formula):
    x = Value(4.0)
    y = f(x)
    e = explain(y, x, names={"x": x, "y": y})
    assert f"∂y/∂x   = {text}" in str(e) and formula in e.formulas()[0] and compiles(f"${e.formulas()[0]}$")


def test_the_loss_itself_and_a_node_in_between():
    x = Value(2.0, label="x")
    h = x * x
    y = h.exp()
    assert explain(y, y).gradient == 1.0 and "product = 1" in str(explain(y, y))
    assert explain(y, h).gradient == pytest.approx(math.exp(4)) and explain(y, h).number == 1


# ---- many paths -----------------------------------------------------------------------------------------------------

def all_paths(loss, w):
    """Every path and its product, by brute force."""
    found, todo = [], [((loss,), 1.0)]
    while todo:
        route, product = todo.pop()
        if route[-1] is w:
            found.append(product)
            continue
        for i, x in enumerate(route[-1].inputs):
            if isinstance(x, Value):
                todo.append(((*route, x), product * slope(route[-1], i)))
    return found


OPS = [lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a - b, lambda a, b: a.tanh(), lambda a, b: a.sin() * 2,
       lambda a, b: b * -3, lambda a, b: b.relu()]
programs = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=9)


@given(program=programs, most=st.integers(1, 5))
def test_the_largest_paths_come_first_and_all_add_up(program, most):
    x = Value(0.8)
    made = [x, Value(-1.2)]
    for k, i, j in program:
        made.append(OPS[k](made[i % len(made)], made[j % len(made)]))
    y = made[-1]
    number = paths(y).get(x, 0)
    if not number:
        with pytest.raises(RuntimeError, match="not have been used"):
            explain(y, x)
        return
    e = explain(y, x, most=most)
    want = sorted(map(abs, all_paths(y, x)), reverse=True)
    assert e.number == number == len(want) and len(e.paths) == min(most, number)
    assert [abs(p.product) for p in e.paths] == pytest.approx(want[:most], rel=1e-12)
    y.backward()
    assert e.total == pytest.approx(x.grad, rel=1e-9, abs=1e-12) and e.difference < 1e-12
    for path in e.paths:
        assert math.prod(slope(node, i) for node, i in path.edges) == pytest.approx(path.product, rel=1e-12)
        assert all(b in a.inputs for a, b in pairwise(path.nodes))
    assert str(e) and all(compiles(f"${formula}$") for formula in e.formulas())


def test_more_paths_than_anybody_walks():
    """h -> 1.01 h + sin(h) / 3, forty times: 2^40 paths, their sum by the semiring, the largest two by search."""
    x = h = Value(2.0)
    for _ in range(40):
        h = h * 1.01 + h.sin() / 3
    t = u = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    for _ in range(40):
        u = u * 1.01 + u.sin() / 3
    u.backward()
    e = explain(h, x, most=2)
    assert e.number == 2 ** 40 and len(e.paths) == 2
    assert e.total == pytest.approx(t.grad.item(), rel=1e-9) and e.gradient == pytest.approx(t.grad.item(), rel=1e-9)
    text = str(e)
    assert "the 2 largest first" in text and "sum of the 2 paths above" in text and "equal" in text
    assert r"p_{1} + p_{2} + \ldots" in e.formulas()[0]


@pytest.mark.parametrize("start", [Value(0.5), tg.tensor([0.5, 0.25], requires_grad=True)], ids=["Value", "Tensor"])
def test_of_a_long_path_the_ends_are_shown(start):
    h = start
    for _ in range(500):
        h = h * 1.001
    e = explain(h if isinstance(h, Value) else h.sum(), start)
    text = str(e)
    assert "..." in text and len(text.splitlines()) < 50 and ": equal" in text and r"\cdots" in e.latex()
    assert np.allclose(e.gradient, 1.001 ** 500, rtol=1e-4)
    assert all(compiles(f"${formula}$") for formula in e.formulas())


def test_a_sum_that_is_not_the_gradient_says_so():
    """A hook changes what the sweep gives: the paths know nothing of it."""
    w = tg.tensor(2.0, requires_grad=True)
    h = w * 3
    h.register_hook(lambda g: g * 10)
    e = explain(h * h, w)
    assert float(e.total) == 36 and float(e.gradient) == 360 and "NOT equal" in str(e)


# ---- tensors --------------------------------------------------------------------------------------------------------

def test_jacobian_products_with_shapes():
    W, x = tg.ones(3, 4, requires_grad=True), tg.ones(5, 3)
    h = (x @ W).tanh()
    loss = (h * h).sum() + 0.1 * (W * W).sum()
    e = explain(loss, W)
    loss.backward()                                   # what was explained stays, though the graph is gone
    text = str(e)
    assert e.number == 4 and "(1 x 20) (20 x 20) (20 x 20) (20 x 12): never formed" in text
    assert "@ g" in text and "(3, 4) norm" in text and ": equal" in text
    assert np.allclose(e.total, W.grad.numpy()) and np.allclose(e.gradient, W.grad.numpy())
    sizes = [np.linalg.norm(path.product) for path in e.paths]
    assert sizes == sorted(sizes, reverse=True)
    assert r"_{20 \times 12}" in e.latex() and all(compiles(f"${formula}$") for formula in e.formulas())


def test_a_modules_training_step():
    net = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))
    loss = nn.functional.cross_entropy(net(tg.randn(6, 4)), tg.tensor([0, 1, 2, 0, 1, 2]))
    e = explain(loss, net[0].weight)
    assert "dloss/dnet.0.weight = (5, 4) norm" in str(e) and e.difference < 1e-6
    assert "g4 = g3.T @" in str(e)
    assert all(compiles(f"${formula}$") for formula in e.formulas())


TENSOR_OPS = [lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a.tanh(), lambda a, b: b @ a.mT @ a,
              lambda a, b: b.mean(0), lambda a, b: a - b[:1]]


@given(program=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=6))
def test_the_sum_over_all_paths_of_tensors_is_the_gradient(program):
    w = tg.tensor(np.linspace(-1, 1, 6).reshape(2, 3), requires_grad=True)
    made = [w]
    for k, i, j in program:
        a, b = made[i % len(made)], made[j % len(made)]
        if a.ndim == b.ndim == 2:
            made.append(TENSOR_OPS[k](a, b))
    loss = (made[-1] ** 2).sum()
    e = explain(loss, w, most=3)
    loss.backward()
    assert e.difference < 1e-9 and np.allclose(e.total, w.grad.numpy()) and str(e)


def test_many_paths_of_tensors():
    """h -> tanh(h) + 0.5 h, twelve times: 4,096 paths; the sum is that over the uses of w."""
    w = tg.tensor([0.3, -0.4], requires_grad=True)
    h = w
    for _ in range(12):
        h = h.tanh() + 0.5 * h
    loss = (h * h).sum()
    e = explain(loss, w, most=3)
    assert e.number == 2 * 4_096 and len(e.paths) == 3 and e.difference < 1e-6
    assert "8,192 paths from" in str(e) and "the 3 strongest, by their gains, first" in str(e)
    loss.backward()
    assert np.allclose(e.total, w.grad.numpy(), rtol=1e-5)
    assert [np.linalg.norm(p.product) for p in e.paths] == sorted(
        (np.linalg.norm(p.product) for p in e.paths), reverse=True)


def test_a_joint_rule():
    a, b = tg.ones(2, requires_grad=True), tg.ones(3, requires_grad=True)
    y = tg.cat([a, b])
    e = explain((y * y).sum(), a)
    assert "dy/da" in str(e) and np.allclose(e.total, [2, 2])


def test_the_gradients_own_graph():
    """d2/dx2 tanh(x) = -2 tanh(x) (1 - tanh(x)^2)"""
    x = Value(0.5, label="x")
    y = x.tanh()
    y.label = "y"
    g = gradient_graph(y, x)
    e = explain(g, x)
    assert e.gradient == pytest.approx(-2 * math.tanh(0.5) * (1 - math.tanh(0.5) ** 2)) and e.number == 2
    assert "grad_x <- " in str(e) and all(compiles(f"${formula}$") for formula in e.formulas())


# ---- LaTeX ----------------------------------------------------------------------------------------------------------

ARGUMENT = {"acosh": 1.5}


@pytest.mark.parametrize("name", [name for name, op in REGISTRY.items()
                                  if op.rules and op.family == "elementwise" and op.scalar is not op.fn])
def test_every_scalar_rule_compiles(name):
    op = REGISTRY[name]
    inputs = [Value(ARGUMENT.get(name, 0.3 + 0.2 * k), label=f"x{k}") for k in range(len(op.rules))]
    y = op(*inputs)
    e = explain(y, inputs[0])
    assert all(compiles(f"${formula}$") for formula in e.formulas())
    assert e.total == e.gradient


def test_hostile_names_compile():
    names = ["w_1", "out_h1", "a b", "net.0.weight", "xs[0]", "d['k']", "#$%&_{}^~\\", "θ", "theta", "x'", "w#2", "_x_",
             "a__b", "é"]
    for name in names:
        x = Value(2.0, label=name)
        y = x * x
        for formula in explain(y, x).formulas():
            compiles(f"${formula}$")
        assert symbol(name)
    assert symbol("w5") == "w_{5}" and symbol("theta_1") == r"\theta_{1}"


def test_latex_of_a_page_and_of_jupyter():
    x = Value(3.0, label="x")
    y = (x ** 3).tanh() / x.exp()
    e = explain(y, x)
    page = e.latex()
    assert page.count("$") == 2 * len(e.formulas()) and page.endswith("$\n")
    assert all(compiles(line) for line in page.split("\n\n") if line.strip())
    assert e._repr_latex_().startswith(r"$\displaystyle \begin{aligned} & \frac")
    ElementTree.fromstring(e.svg())
    assert r"\frac" in page and r"{x}^{2}" in page


def test_numbers_far_from_one():
    x = Value(1e-7, label="x")
    e = explain(x * 1e-9 * x, x)
    assert r"\cdot 10^{-16}" in e.latex() and all(compiles(f"${formula}$") for formula in e.formulas())


# ---- bad input ------------------------------------------------------------------------------------------------------

def test_bad_input():
    x, other = tg.ones(2, requires_grad=True), tg.ones(2, requires_grad=True)
    loss = (x * x).sum()
    with pytest.raises(RuntimeError, match="appears to not have been used in the graph"):
        explain(loss, other)
    with pytest.raises(RuntimeError, match="does not require grad"):
        explain(loss, tg.ones(2))
    with pytest.raises(RuntimeError, match="only for scalar outputs"):
        explain(x * x, x)
    with pytest.raises(RuntimeError, match="does not require grad"):
        explain(tg.ones(1).sum(), x)
    with pytest.raises(TypeError, match="not a str"):
        explain(loss, "x")
    with pytest.raises(TypeError, match="has no graph"):
        explain(3.0, x)
    loss.backward()
    with pytest.raises(RuntimeError, match="second time"):
        explain(loss, x)


def test_values_that_are_no_numbers():
    """inf - inf: said, and not hidden."""
    x = Value(1e200, label="x")
    e = explain(x * x - x * x, x)
    assert str(e)
    y = ew.mul(Value(math.nan, label="n"), x)
    assert "nan" in str(explain(y, x))
    v = tg.tensor([1.0, 2.0], requires_grad=True)
    with np.errstate(divide="ignore"):
        e = explain((v / 0).sum(), v)
    assert "[inf, inf]: equal" in str(e)


def test_paths_through_the_same_nodes_are_told_apart():
    x = Value(3.0, label="x")
    y = x * x
    said = str(explain(y, x))
    assert "path 1: y <- x (input 1)" in said and "path 2: y <- x (input 2)" in said


def test_a_single_path_of_many():
    x = Value(1.0, label="x")
    y = x
    for _ in range(100):
        y = y + y
    said = str(explain(y, x, most=1))
    assert "the sum over 1.2e+30 paths from y down to x, the largest first" in said and "sum of the 1" not in said


def test_a_long_path_is_told_in_brief():
    """Forty additions in a row pass on what they get; the one factor that is not 1 is to be found."""
    x, w = Value(2.0, label="x"), Value(5.0, label="w")
    y = w * x
    y.label = "y"
    z = y
    for _ in range(40):
        z = z + 1
    z.label = "z"
    said = str(explain(z, w))
    assert "path 1: z <- (39 between) <- y <- w\n" in said
    assert "  z <- y  = 1, 40 times\n  ∂y/∂w   = x = 2\n  product = 2\n" in said
