"""The graph: order, sweep, memory, modes."""
from __future__ import annotations

import gc
import sys
import threading
import weakref

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import Value
from tinygrad_edu.graph import BY_FUNCTION, REGISTRY, elementwise, order, primitive, sweep
from tinygrad_edu.mode import local, watch


def ladder(n: int) -> tuple[Value, Value]:
    """x -> x + x -> ... n times: 2^n paths, n + 1 nodes."""
    x = y = Value(1.0)
    for _ in range(n):
        y = y + y
    return x, y


def test_a_chain_of_a_million_nodes_is_swept_and_freed_without_recursion():
    x = Value(1.0)
    y = x
    for _ in range(1_000_000):
        y = y + x
    y.backward()
    assert x.grad == 1_000_001
    del y                                             # would overflow the C stack if it recursed


def test_a_chain_of_tensors_is_freed_without_recursion():
    x = tg.ones(2, requires_grad=True)
    y = x
    for _ in range(50_000):
        y = y + x
    y.sum().backward()
    assert x.grad.tolist() == [50_001.0] * 2
    z = x
    for _ in range(50_000):
        z = z * 1.0
    del z


def test_a_ladder_is_swept_in_linear_work():
    x, y = ladder(200)                                # 2^200 paths
    steps = sum(1 for _ in sweep([y], [1.0]))
    assert steps == 201
    y.backward()
    assert x.grad == 2.0 ** 200


def test_wide_fan_in():
    x = Value(3.0)
    y = sum([x * i for i in range(10_000)])
    y.backward()
    assert x.grad == sum(range(10_000))


def test_order_is_topological():
    rng = np.random.default_rng(0)
    nodes = [Value(float(i)) for i in range(5)]
    for _ in range(300):
        a, b = rng.integers(0, len(nodes), 2)
        nodes.append(nodes[a] * nodes[b] if rng.random() < 0.5 else nodes[a] + nodes[b])
    place = {node: i for i, node in enumerate(order([nodes[-1]]))}
    assert all(place[x] < place[node] for node in place for x in node.inputs)


def test_the_sweep_yields_each_node_once_after_all_its_users():
    x, y = ladder(6)
    seen = []
    for node, _ in sweep([y], [1.0]):
        assert all(user not in node.inputs for user in seen if isinstance(user, Value) and user is node)
        seen.append(node)
    assert [n.born for n in seen] == sorted({n.born for n in seen}, reverse=True)


@pytest.mark.parametrize("make", [lambda: Value(2.0), lambda: tg.ones(3, requires_grad=True)], ids=["Value", "Tensor"])
def test_nodes_are_freed_by_reference_counting_alone(make):
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        x = make()
        y = x
        for _ in range(100):
            y = (y * x).tanh() + x
        (y if isinstance(y, Value) else y.sum()).backward()
        del x, y
        assert len(gc.get_objects()) <= before + 5    # the list of objects itself and the like
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_backward_frees_intermediates_as_it_passes():
    x = tg.ones(3, requires_grad=True)
    y = x.exp()
    alive = weakref.ref(y)
    loss = y.sum()
    del y
    loss.backward()
    assert alive() is None
    assert loss.grad_fn is not None


def test_second_backward_is_refused_and_retain_graph_allows_it():
    x = tg.ones(3, requires_grad=True)
    loss = (x * x).sum()
    loss.backward(retain_graph=True)
    loss.backward()
    assert x.grad.tolist() == [4.0] * 3
    with pytest.raises(RuntimeError, match="second time.*\n.*operation: sum(.|\n)*retain_graph=True"):
        loss.backward()
    assert x.grad.tolist() == [4.0] * 3


def test_a_value_overwritten_after_use_is_reported_only_where_a_rule_reads_it():
    x = tg.ones(3, requires_grad=True)
    h = x * 2
    y = h * h                                         # reads h
    h[0] = 5.0
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
    x = tg.ones(3, requires_grad=True)
    h = x * 2
    y = h + 1                                         # reads nothing
    h[0] = 5.0
    (y.sum() + h.sum()).backward()
    assert x.grad.tolist() == [2.0, 4.0, 4.0]


def test_an_output_overwritten_is_reported():
    x = tg.ones(3, requires_grad=True)
    y = x.exp()
    y[0] = 2.0
    with pytest.raises(RuntimeError, match="its own output was changed after exp"):
        y.sum().backward()


def test_recorded_in_place_arithmetic_keeps_what_the_rules_need():
    x = tg.ones(3, requires_grad=True)
    h = x * 3
    y = h * h
    h.mul_(x)                                         # y still knows the h that it was made of
    (y.sum() + h.sum()).backward()
    assert x.grad.tolist() == [18.0 + 6.0] * 3


def test_a_parameter_updated_between_forward_and_backward_is_reported():
    w = tg.ones(3, requires_grad=True)
    loss = (w * w).sum()
    with tg.no_grad():
        w -= 0.1
    with pytest.raises(RuntimeError, match="inplace operation"):
        loss.backward()


def test_filling_in_a_loop_gives_the_right_gradient():
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    out = tg.zeros(4, 2)
    h = w
    used = []
    for t in range(4):
        h = h * w
        out[t] = h
        used.append(out.sum())                        # uses a version that is then rebuilt
    (out.sum() + used[1]).backward()
    powers = [2, 3, 4, 5, 2, 3]
    assert np.allclose(w.grad.numpy(), [sum(p * v ** (p - 1) for p in powers) for v in (1.0, 2.0)])


def test_in_place_on_a_view_while_recording_is_refused():
    w = tg.ones(2, requires_grad=True)
    x = tg.ones(2, 2)
    with pytest.raises(RuntimeError, match="view"):
        x[0].mul_(w)
    assert x.tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_a_view_taken_before_a_recorded_change_is_reported_when_used_after_it():
    w = tg.ones(2, requires_grad=True)
    out = w * 1
    view = out[0]
    out[0] = w[1] * 5
    loss = view * 3
    with pytest.raises(RuntimeError, match="history is out of date"):
        loss.backward()


def test_views_see_changes_that_are_not_recorded():
    w = tg.zeros(2, 3, requires_grad=True)
    row = w.detach()[1]
    with tg.no_grad():
        w += 1
    assert row.tolist() == [1.0, 1.0, 1.0]


def test_a_leaf_that_needs_a_gradient_is_not_changed_in_place_while_recording():
    w = tg.ones(2, requires_grad=True)
    for change in (lambda: w.add_(1), lambda: w.__setitem__(0, 5.0), lambda: w.__iadd__(1)):
        with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
            change()
    assert w.tolist() == [1.0, 1.0] and w.is_leaf


def test_threads_have_their_own_no_grad():
    seen = {}
    inside, done = threading.Event(), threading.Event()

    def other():
        inside.wait()
        seen["other"] = tg.is_grad_enabled()
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with tg.no_grad():
        inside.set()
        done.wait()
        assert not tg.is_grad_enabled()
    thread.join()
    assert seen["other"] is True and tg.is_grad_enabled()


def test_no_grad_as_decorator_and_nested_enable_grad():
    @tg.no_grad()
    def plain(x):
        assert not tg.is_grad_enabled()
        with tg.enable_grad():
            assert (x * x).requires_grad
        return x * x

    x = tg.ones(1, requires_grad=True)
    assert not plain(x).requires_grad and tg.is_grad_enabled()
    tg.set_grad_enabled(False)
    assert not tg.is_grad_enabled()
    tg.set_grad_enabled(True)


def test_no_grad_is_left_after_an_error():
    with pytest.raises(ZeroDivisionError), tg.no_grad():
        1 / 0                                         # noqa: B018
    assert tg.is_grad_enabled()


def test_watch_sees_every_operation_and_every_contribution():
    class Watcher:
        def __init__(self):
            self.ops, self.flows = [], 0

        def made(self, node, op, inputs, params):
            self.ops.append(op.name)

        def flowed(self, node, x, c):
            self.flows += 1

    x = Value(2.0)
    with watch(Watcher()) as w:
        y = x * x + 1
        y.backward()
    assert w.ops == ["*", "+"] and w.flows == 3
    assert local.mode.watch is None


def test_recursion_limit_is_never_needed():
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(150)
    try:
        x, y = ladder(1000)
        y = y * 0.0 + x
        y.backward()
    finally:
        sys.setrecursionlimit(limit)
    assert x.grad == 1.0


@pytest.fixture
def registry():
    before = dict(REGISTRY), dict(BY_FUNCTION)
    yield
    for table, was in zip((REGISTRY, BY_FUNCTION), before, strict=True):
        table.clear()
        table.update(was)


@pytest.mark.parametrize("rule, words", [(lambda g, y, x: g[:2], r"shape \(2,\) for an input of shape \(3,\)"),
                                         (lambda g, y, x: None, "returned None"),
                                         (lambda g, y, x: g.reshape(1, 3, 1), "shape")])
def test_a_rule_that_does_not_fit_is_reported(registry, rule, words):
    bell = elementwise("bell", lambda x: np.exp(-x * x), rule)
    x = tg.zeros(3, requires_grad=True)
    with pytest.raises(RuntimeError, match=words) as error:
        bell(x).sum().backward()
    assert x.grad is None and "bell" in "".join(error.value.__notes__) + str(error.value)


def test_a_rule_that_raises_is_named(registry):
    bell = elementwise("bell", lambda x: np.exp(-x * x), lambda g, y, x: 1 / 0)
    with pytest.raises(ZeroDivisionError) as error:
        bell(tg.zeros(3, requires_grad=True)).sum().backward()
    assert "operation: bell" in "".join(error.value.__notes__)


def test_ones_own_primitive_may_be_declared_again_but_not_the_packages(registry):
    elementwise("bell", lambda x: x * 1.0, lambda g, y, x: g * 1.0)
    bell = elementwise("bell", lambda x: x * 2.0, lambda g, y, x: g * 2.0)
    x = tg.ones(1, requires_grad=True)
    bell(x).sum().backward()
    assert x.grad.item() == 2.0
    with pytest.raises(ValueError, match="registered already"):
        elementwise("tanh", np.tanh, lambda g, y, x: g)


def test_rules_with_constants_as_further_inputs():
    """One rule, or two, and an input more than there are rules: a number that the rules read."""
    scaled = primitive("scaled", lambda x, k: x * k, lambda g, y, x, k: g * k, register=False)
    mixed = primitive("mixed", lambda x, z, k: x * z * k, lambda g, y, x, z, k: g * z * k,
                      lambda g, y, x, z, k: g * x * k, register=False)
    x, z = tg.tensor([1.0, 2.0], requires_grad=True), tg.tensor([3.0, 4.0], requires_grad=True)
    (scaled(x, 5.0) + mixed(x, z, 2.0)).sum().backward()
    assert x.grad.tolist() == [5.0 + 6.0, 5.0 + 8.0] and z.grad.tolist() == [2.0, 4.0]
    v = Value(2.0)
    scaled(v, 5.0).backward()
    assert v.grad == 5.0
