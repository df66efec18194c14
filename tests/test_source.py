"""source(loss): the printed program, executed, gives the numbers of the graph that it prints."""
from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu as tg
from tinygrad_edu import Value, nn
from tinygrad_edu.dp import rule_text, source
from tinygrad_edu.graph import REGISTRY
from tinygrad_edu.nn import functional as F  # noqa: N812


def runs(loss) -> None:
    """Execute the text, and compare with the graph's own value and gradients."""
    text = source(loss)
    found = text.run()
    value = loss.data if isinstance(loss, Value) else loss.detach().numpy()
    np.testing.assert_array_equal(found[text.result], value)
    leaves = list(text.gradients)
    expected = tg.autograd.grad(loss, leaves, retain_graph=True)
    assert leaves
    for node, g in zip(leaves, expected, strict=True):
        np.testing.assert_allclose(found[text.gradients[node]], getattr(g, "payload", g), rtol=1e-12 if isinstance(
            loss, Value) or loss.dtype == np.float64 else 2e-6, atol=1e-12 if isinstance(loss, Value) else 1e-7)


def test_the_neuron_of_the_course_is_printed_as_on_the_blackboard():
    x1, x2, w1, w2 = Value(2.0), Value(0.0), Value(-3.0), Value(1.0)
    b = Value(6.8813735870195432)
    n = x1 * w1 + x2 * w2 + b
    o = n.tanh()
    text = source(o)
    assert "n = x1 * w1 + x2 * w2 + b" in text
    assert "o = math.tanh(n)" in text
    assert f"d_n = {rule_text(REGISTRY['tanh'], 0, {'g': 'd_o', 'y': 'o'})}\n" in text     # the rule as it is written
    assert "d_w1 = d_n * x1" in text and "d_b = d_n" in text
    found = text.run()
    assert found["d_x1"] == pytest.approx(-1.5) and found["d_w1"] == pytest.approx(1.0)     # the deck's numbers
    assert found["d_x2"] == pytest.approx(0.5) and found["d_w2"] == 0.0
    space: dict = {}
    exec(text, space)                                 # the text stands for itself where everything is written out
    assert space["o"] == o.data


def test_a_reused_node_collects_from_its_users():
    a = Value(3.0)
    b = a + a
    text = source(b)
    assert text.run()["d_a"] == 2.0
    runs((a * b + b * b).tanh())


KINDS = ["add", "sub", "mul", "div", "tanh", "relu", "exp", "pow", "sigmoid", "log", "max", "scale", "abs"]


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=25))
def test_random_graphs_of_values(steps):
    nodes = [Value(0.5), Value(-1.25), Value(2.0)]
    for kind, i, j in steps:
        a, b = nodes[i % len(nodes)], nodes[j % len(nodes)]
        nodes.append({"add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a.tanh() * b,
                      "div": lambda a, b: a / (b * b + 1.5), "tanh": lambda a, b: a.tanh(),
                      "relu": lambda a, b: a.relu(), "exp": lambda a, b: a.tanh().exp(),
                      "pow": lambda a, b: a.tanh() ** 3, "max": lambda a, b: a.max(b),
                      "sigmoid": lambda a, b: a.sigmoid(), "log": lambda a, b: (a * a + 1).log(),
                      "abs": lambda a, b: abs(a), "scale": lambda a, b: 2 * a - 1}[kind](a, b))
    runs(sum(nodes))


def mlp(activation=nn.Tanh, norm=None):
    layers = [nn.Linear(4, 6), *([norm(6)] if norm else []), activation(), nn.Linear(6, 3)]
    return nn.Sequential(*layers)


X, Y = np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32), np.random.default_rng(1).integers(0, 3, 7)


@pytest.mark.parametrize("loss", [
    lambda: F.cross_entropy(mlp()(tg.tensor(X)), tg.tensor(Y)),
    lambda: F.cross_entropy(mlp(nn.ReLU, nn.BatchNorm1d)(tg.tensor(X)), tg.tensor(Y)),
    lambda: F.cross_entropy(mlp(nn.GELU, nn.LayerNorm)(tg.tensor(X)), tg.tensor(Y), label_smoothing=0.1),
    lambda: F.mse_loss(mlp(nn.Sigmoid)(tg.tensor(X)).softmax(-1), tg.ones(7, 3)),
    lambda: mlp(nn.SiLU)(tg.tensor(X)).var(0).sum(),
    lambda: mlp(nn.Softplus)(tg.tensor(X)).max(1).values.sum(),
    lambda: (mlp()(tg.tensor(X))[1:5, [0, 2]].std() + mlp()(tg.tensor(X)).t().reshape(-1).cumsum(0).mean()),
    lambda: tg.cat([mlp()(tg.tensor(X)), mlp()(tg.tensor(X)) ** 2], 1).logsumexp(1).sum(),
    lambda: tg.einsum("ij,kj->ik", mlp()(tg.tensor(X)), mlp()(tg.tensor(X))).abs().mean(),
    lambda: tg.where(mlp()(tg.tensor(X)) > 0, mlp()(tg.tensor(X)), tg.tensor(0.5)).prod(1).sum(),
])
def test_networks(loss):
    runs(loss())


def test_float64_and_broadcasting():
    a = tg.tensor(np.random.default_rng(2).normal(size=(3, 1, 4)), requires_grad=True)
    b = tg.tensor(np.random.default_rng(3).normal(size=(5, 1)), requires_grad=True)
    runs(((a * b).exp() / (1 + b * b) - a).sum())


def test_dtypes_that_meet_are_cast_as_in_the_graph():
    a = tg.tensor([1, 2, 3])
    w = tg.tensor([0.5, 1.5, 2.5], requires_grad=True)
    k = tg.tensor(2.0, dtype=tg.float64)
    runs((a * w * k + a.float()).sum())


def test_the_gradients_own_graph_can_be_printed():
    x = tg.tensor([0.3, -0.2], requires_grad=True)
    g, = tg.autograd.grad((x * x).tanh().sum(), x, create_graph=True)
    runs((g * g).sum())
    v = Value(0.7)
    y = v.tanh() * v
    y.backward(create_graph=True)
    runs(v.grad * v.grad)


def test_names_that_are_no_identifiers_are_made_so_and_shapes_stand_as_comments():
    ws = [tg.ones(2, 3, requires_grad=True), tg.ones(3, requires_grad=True)]
    text = source((ws[0] * ws[1]).sum())
    assert "ws_0" in text and "2x3 float32" in text
    runs((ws[0] * ws[1]).sum())
    named = source((ws[0] * ws[1]).sum(), names={"scale": ws[1]})
    assert "d_scale" in named


def test_bad_input_is_explained():
    with pytest.raises(TypeError, match="source.. takes the node"):
        source(3.0)
    with pytest.raises(RuntimeError, match="does not require grad"):
        source(tg.ones(2).sum())
    w = tg.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="only for scalar outputs"):
        source(w * 2)
    loss = (w * w).sum()
    loss.backward()
    with pytest.raises(RuntimeError, match="second time"):
        source(loss)


def test_the_value_is_left_as_it_was():
    x = Value(0.5)
    y = x.tanh()
    y.backward()
    before = x.grad
    source(y)
    assert x.grad == before == 1 - math.tanh(0.5) ** 2
