"""Other questions to the same sweep, and in which order to multiply Jacobians."""
from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu as tg
from tinygrad_edu import Value, nn
from tinygrad_edu.dp import bracketing, jacobians, paths, semiring
from tinygrad_edu.dp.semiring import gradient, longest, most_influential, number_of_paths, reachable, slope, tangent

OPS = [lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a - b, lambda a, b: a.tanh(), lambda a, b: b * -3]
programs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=12)


def grown(program):
    made = [Value(0.8), Value(-1.2), Value(0.3)]
    for k, i, j in program:
        made.append(OPS[k](made[i % len(made)], made[j % len(made)]))
    return made


def routes(loss):
    """Every path from the loss down, as nodes and product, by brute force."""
    todo = [((loss,), 1.0)]
    while todo:
        route, product = todo.pop()
        yield route, product
        todo += [((*route, x), product * slope(route[-1], i)) for i, x in enumerate(route[-1].inputs)
                 if isinstance(x, Value)]


@given(program=programs)
def test_answers_are_those_of_walking_every_path(program):
    made = grown(program)
    loss = made[-1]
    if sum(paths(loss).values()) > 3000:
        return
    found = list(routes(loss))
    nodes = {route[-1] for route, _ in found}
    ends = {node: [(route, product) for route, product in found if route[-1] is node] for node in nodes}
    number, far, best, adjoint = number_of_paths(loss), longest(loss), most_influential(loss), gradient(loss)
    assert set(number) == nodes
    loss.backward()
    for node, its in ends.items():
        assert number[node] == len(its)
        assert far[node] == max(len(route) - 1 for route, _ in its)
        assert abs(best[node].product) == pytest.approx(max(abs(product) for _, product in its), rel=1e-12)
        assert adjoint[node] == pytest.approx(node.grad, rel=1e-9, abs=1e-12)
        assert tangent(node, loss)[loss] == pytest.approx(node.grad, rel=1e-9, abs=1e-12)
        assert all(x in reachable(node, loss) for route, _ in its for x in route)
    assert number == paths(loss)


def test_reachable_leaves_out_what_does_not_depend():
    x, w = Value(2.0), Value(3.0)
    a, b = x * 2, w * 2
    loss = a + b
    assert set(reachable(x, loss)) == {x, a, loss}


def test_forward_mode_gives_every_node_at_once():
    x = Value(2.0)
    h = x * x
    y = h * x
    t = tangent(x, y)
    assert (t[x], t[h], t[y]) == (1, 4, 12)


def test_the_path_itself():
    x = Value(2.0)
    h = x * x                                         # slope 2 twice
    y = h * 3 + x
    best = most_influential(y)[x]
    assert best.product == 6 and [node for node, _ in best.edges][-1] is h


def test_any_other_semiring():
    """(min, +): fewest steps; the free one, where plus joins and times strings together: all paths spelled out."""
    x = Value(1.0, label="x")
    h = x * 2
    y = h + x
    assert semiring(y, lambda node, i: 1, min, lambda a, b: a + b, 0)[x] == 1
    assert semiring(y, lambda node, i: str(i), lambda a, b: f"{a}|{b}", lambda a, b: a + b, "")[x] == "1|00"


def test_tensors_are_counted_but_have_no_single_slope():
    w = tg.ones(3, requires_grad=True)
    loss = (w * w).sum()
    assert number_of_paths(loss)[w] == 2 and longest(loss)[w] == 2
    with pytest.raises(TypeError, match="matrix, not a number(.|\n)*autograd.jvp"):
        tangent(w, loss)
    single = tg.tensor(3.0, requires_grad=True)
    assert gradient(single * single)[single] == 6


# ---- Jacobian chains ------------------------------------------------------------------------------------------------

def trees(first, last):
    """Every bracketing of the layers first..last."""
    if first == last:
        return [first]
    return [(a, b) for k in range(first, last) for a in trees(k + 1, last) for b in trees(first, k)]


@cache
def shape(tree, sizes):
    if isinstance(tree, int):
        return (sizes[tree], sizes[tree - 1]), 0
    (left, a), (right, b) = shape(tree[0], sizes), shape(tree[1], sizes)
    assert left[1] == right[0]
    return (left[0], right[1]), a + b + left[0] * left[1] * right[1]


@given(sizes=st.lists(st.integers(1, 40), min_size=2, max_size=7))
def test_the_optimum_is_that_of_trying_all(sizes):
    chain = bracketing(sizes)
    best = min(shape(tree, tuple(sizes))[1] for tree in trees(1, len(sizes) - 1))
    assert chain.ways[2].cost == best
    for way in chain.ways:
        assert shape(way.tree, tuple(sizes)) == ((sizes[-1], sizes[0]), way.cost)
    rng = np.random.default_rng(0)
    chain.execute([rng.normal(size=pair) for pair in zip(sizes[1:], sizes, strict=False)])
    assert all(way.made == way.cost for way in chain.ways)


def test_the_textbook_chain():
    """Cormen, Leiserson, Rivest, Stein: sizes 30, 35, 15, 5, 10, 20, 25 take 15,125 multiplications."""
    assert bracketing([30, 35, 15, 5, 10, 20, 25]).ways[2].cost == 15_125
    assert bracketing([25, 20, 10, 5, 15, 35, 30]).ways[2].cost == 15_125


def test_forward_wins_with_few_inputs_and_reverse_with_few_outputs():
    few_in, few_out = bracketing([1, 50, 50, 50]), bracketing([50, 50, 50, 1])
    assert few_in.ways[0].cost == few_in.ways[2].cost == 2 * 50 * 50 < few_in.ways[1].cost
    assert few_out.ways[1].cost == few_out.ways[2].cost == 2 * 50 * 50 < few_out.ways[0].cost
    waist = bracketing([50, 50, 2, 50, 50])           # neither does well past a waist
    assert waist.ways[2].cost < min(waist.ways[0].cost, waist.ways[1].cost)
    assert str(waist.ways[2]) == "(J4 J3) (J2 J1)"


def test_the_jacobians_of_a_network_multiplied_in_all_ways():
    tg.manual_seed(0)
    layers = [nn.Linear(6, 8), tg.tanh, nn.Linear(8, 3), tg.sigmoid, nn.Linear(3, 5)]
    x = tg.randn(6)
    matrices = jacobians(layers, x)
    chain = bracketing([6, 8, 8, 3, 3, 5]).execute(matrices)
    twin = torch.tensor(x.numpy())

    def net(t):
        for layer in layers:
            if isinstance(layer, nn.Linear):
                W, b = (torch.tensor(p.detach().numpy()) for p in (layer.weight, layer.bias))
                t = t @ W.T + b
            else:
                t = torch.tanh(t) if layer is tg.tanh else torch.sigmoid(t)
        return t

    want = torch.autograd.functional.jacobian(net, twin).numpy()
    for way in chain.ways:
        assert np.allclose(way.product, want, atol=1e-6) and way.made == way.cost


def test_table_and_drawing():
    chain = bracketing([10, 100, 5, 50])
    assert "3 layers of sizes 10 -> 100 -> 5 -> 50" in str(chain) and "J3 (J2 J1)" in str(chain)
    assert chain.markdown().count("\n") == 6 and len(chain.rows()) == 3
    image = ElementTree.fromstring(chain.svg())
    texts = [t.text for t in image.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count("J1") == 3 and "forward: 7,500" in texts and "50×10" in texts
    assert "<svg" in chain._repr_html_()


def test_one_layer():
    chain = bracketing([3, 2])
    assert [way.cost for way in chain.ways] == [0, 0, 0] and str(chain.ways[0]) == "J1"
    ElementTree.fromstring(chain.svg())


@pytest.mark.parametrize("sizes", [[], [3], [3, 0]])
def test_bad_chains(sizes):
    with pytest.raises(ValueError, match="at least one"):
        bracketing(sizes)


def test_jacobians_that_do_not_fit():
    with pytest.raises(RuntimeError, match="shapes"):
        bracketing([3, 2, 1]).execute([np.ones((2, 3)), np.ones((2, 1))])
