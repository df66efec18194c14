"""The memo table: rows in the order solved, numbers of the course, recurrences that compute what they say."""
from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu as tg
from tinygrad_edu import Value, nn
from tinygrad_edu.dp import by_recursion, gradient_graph, memo_table
from tinygrad_edu.dp.names import names_of
from tinygrad_edu.graph import order, sweep
from tinygrad_edu.ops import elementwise as ew
from tinygrad_edu.utils.checkpoint import checkpoint


def neuron():
    w, x, b = Value(-3.0, label="w"), Value(2.0, label="x"), Value(6.8813735870195432, label="b")
    y = (w * x + b).tanh()
    y.label = "y"
    return w, x, b, y


def by_name(table):
    return {row["node"]: row for row in table.rows()}


# ---- one neuron -----------------------------------------------------------------------------------------------------

def test_a_neuron():
    """tanh(b + w x) = 1 / sqrt 2, so that dy/dn = 1 - 1/2 (Karpathy's example)."""
    *_, y = neuron()
    table = memo_table(y)
    rows = table.rows()
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [row["node"] for row in rows] == ["y", "v2", "v1", "b", "x", "w"]           # newest first
    assert [row["operation"] for row in rows] == ["tanh(v2)", "v1 + b", "w * x", "", "", ""]
    assert [row["recurrence"] for row in rows] == [
        "∂y = 1", "∂v2 = ∂y * (1 - y * y)", "∂v1 = ∂v2•", "∂b = ∂v2•", "∂x = ∂v1• * w", "∂w = ∂v1• * x"]
    assert [row["adjoint"] for row in rows] == pytest.approx([1, 0.5, 0.5, 0.5, -1.5, 1])
    assert rows[4]["with numbers"] == "0.5 * (-3) = -1.5"
    assert rows[4]["users"] == ["v1"] and [row["hits"] for row in rows] == [0, 1, 1, 0, 0, 0]


def test_shared_factors_are_marked():
    """z = f(w x + u): dz/dx, dz/dw and dz/du share the earlier product."""
    x, w, u = Value(0.5, label="x"), Value(2.0, label="w"), Value(0.1, label="u")
    p = w * x
    p.label = "p"
    s = p + u
    s.label = "s"
    z = s.sigmoid()
    rows = by_name(memo_table(z))
    assert rows["u"]["recurrence"] == "∂u = ∂s•" and rows["p"]["recurrence"] == "∂p = ∂s•"
    assert rows["x"]["recurrence"] == "∂x = ∂p• * w" and rows["w"]["recurrence"] == "∂w = ∂p• * x"
    assert "∂s = ∂z * (z * (1 - z))" == rows["s"]["recurrence"]                        # asked for once: not shared
    page = memo_table(z)._repr_html_()
    assert page.count("<mark") == 6 and "∂s•</mark>" in page       # two where they are solved, four where they are read


def test_several_users_are_a_sum():
    x = Value(2.0, label="x")
    h = x * 3
    y = h * h - h
    rows = by_name(memo_table(y))
    assert rows["h"]["recurrence"] == "∂h = -∂y• + ∂v1• * h + ∂v1• * h"                # newest user first
    assert rows["h"]["users"] == ["y", "v1", "v1"]
    assert rows["h"]["adjoint"] == 2 * 6 - 1
    assert rows["h"]["with numbers"] == "-1 + 1 * 6 + 1 * 6 = 11"


# ---- the course's network (Smith) -----------------------------------------------------------------------------------

def smith():
    """2-2-2 with sigmoids: inputs .05, .10; targets .01, .99."""
    i = [Value(0.05, label="i1"), Value(0.10, label="i2")]
    w = {k: Value(0.10 + 0.05 * (k + (k > 4)), label=f"w{k}") for k in range(1, 9)}
    b = [Value(0.35, label="b1"), Value(0.60, label="b2")]
    made = {}
    for k, (a, c) in {1: (1, 2), 2: (3, 4)}.items():
        made[f"net_h{k}"] = w[a] * i[0] + w[c] * i[1] + b[0]
        made[f"out_h{k}"] = made[f"net_h{k}"].sigmoid()
    for k, (a, c) in {1: (5, 6), 2: (7, 8)}.items():
        made[f"net_o{k}"] = w[a] * made["out_h1"] + w[c] * made["out_h2"] + b[1]
        made[f"out_o{k}"] = made[f"net_o{k}"].sigmoid()
        made[f"E_o{k}"] = 0.5 * ([0.01, 0.99][k - 1] - made[f"out_o{k}"]) ** 2
    made["E"] = made["E_o1"] + made["E_o2"]
    for name, node in made.items():
        node.label = name
    return made, w


def test_the_numbers_of_the_deck():
    made, w = smith()
    rows = by_name(memo_table(made["E"]))
    for name, value in {"net_h1": 0.3775, "out_h1": 0.593269992, "out_h2": 0.596884378, "net_o1": 1.105905967,
                        "out_o1": 0.75136507, "out_o2": 0.77292847, "E_o1": 0.274811083, "E_o2": 0.023560026,
                        "E": 0.298371109}.items():
        assert rows[name]["value"] == pytest.approx(value, abs=5e-9)
    assert rows["out_o1"]["adjoint"] == pytest.approx(0.74136507, abs=5e-9)
    assert rows["net_o1"]["adjoint"] == pytest.approx(0.74136507 * 0.186815602, abs=5e-9)
    assert rows["w5"]["adjoint"] == pytest.approx(0.082167041, abs=5e-9)
    after = {5: 0.35891648, 6: 0.40866619, 7: 0.51130127, 8: 0.56137012, 1: 0.14978072, 2: 0.19956143,
             3: 0.24975114, 4: 0.29950229}
    for k, value in after.items():
        assert w[k].data - 0.5 * rows[f"w{k}"]["adjoint"] == pytest.approx(value, abs=5e-9)


# ---- recurrences compute --------------------------------------------------------------------------------------------

MORE = {name: getattr(ew, name) for name in ("exp", "log1p", "sqrt", "sin", "cos", "tanh", "sigmoid", "relu",
                                             "softplus", "abs", "square", "neg", "reciprocal", "atan")}
TWO = {"add": ew.add, "sub": ew.sub, "mul": ew.mul, "div": ew.div, "max": ew.maximum, "hypot": ew.hypot}
programs = st.lists(st.tuples(st.sampled_from(sorted([*MORE, *TWO])), st.integers(0, 30), st.integers(0, 30)),
                    min_size=1, max_size=12)


@given(program=programs)
def test_each_recurrence_computes_the_adjoint_that_stands_beside_it(program):
    made = [Value(0.7), Value(1.3)]
    for name, i, j in program:
        a, b = made[i % len(made)], made[j % len(made)]
        try:
            new = MORE[name](a) if name in MORE else TWO[name](a, b)
        except (ValueError, ZeroDivisionError, OverflowError):
            continue
        if not 1e-3 < abs(new.data) < 1e3:
            continue
        made.append(new)
    table = memo_table(made[-1], fold=False, names={f"n{k}": node for k, node in enumerate(made)})
    scope = {name: getattr(np, name) for name in ("exp", "cos", "sin", "sign", "sqrt", "log")}
    scope["sigmoid"] = lambda x: 1 / (1 + math.exp(-x))
    rows = table.rows()
    scope.update({row["node"]: row["value"] for row in rows}, **{"d" + row["node"]: row["adjoint"] for row in rows})
    for row in rows:
        left, right = row["recurrence"].replace("∂", "d").replace("•", "").split(" = ", 1)
        assert eval(right, scope) == pytest.approx(row["adjoint"], rel=1e-9, abs=1e-12), (left, right)
        if " = " in row["with numbers"]:
            sums, result = row["with numbers"].rsplit(" = ", 1)
            assert eval(sums, scope) == pytest.approx(float(result), rel=1e-3, abs=1e-3)
    assert sum(row["hits"] for row in rows) == by_recursion(made[-1]).hits


# ---- tensors and modules --------------------------------------------------------------------------------------------

def test_tensors_show_shapes_and_norms_where_they_are_large():
    x, W = tg.ones(5, 3), tg.ones(3, 4, requires_grad=True)
    b = tg.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    h = x @ W + b
    loss = (h * h).mean()
    rows = by_name(memo_table(loss))
    assert rows["W"]["shape"] == "(3, 4)" and rows["W"]["recurrence"] == "∂W = x.mT @ ∂v1"
    assert rows["W"]["with numbers"].startswith("(5, 3).mT @ (5, 4) = (3, 4) norm ")
    assert rows["b"]["recurrence"] == "∂b = fit(∂h•)"
    assert rows["v2"]["recurrence"] == "∂v2 = expand(∂loss / 20, shape=(5, 4))"
    loss.backward()
    assert np.allclose(rows["b"]["adjoint"], b.grad.numpy()) and np.allclose(rows["W"]["adjoint"], W.grad.numpy())
    assert "[1, 2, 3, 4]" in str(memo_table((b * b).sum()))        # few numbers are written out


def test_a_modules_training_step():
    net = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))
    x, target = tg.randn(6, 4), tg.tensor([0, 1, 2, 0, 1, 2])
    loss = nn.functional.cross_entropy(net(x), target)
    rows = by_name(memo_table(loss))
    assert {"net.0.weight", "net.0.bias", "net.2.weight", "net.2.bias", "loss"} <= set(rows)
    assert rows["net.0.weight"]["recurrence"] == "∂net.0.weight = ∂v1•.T @ x"
    assert rows["net.2.weight"]["layer"] == rows["v3"]["layer"] != ""
    assert "target=target" in rows["loss"]["operation"]
    loss.backward()
    for name, p in net.named_parameters():
        assert np.allclose(rows[f"net.{name}"]["adjoint"], p.grad.numpy())


def test_a_joint_rule_says_the_chain_rule():
    a, b = tg.ones(2, requires_grad=True), tg.ones(3, requires_grad=True)
    y = tg.cat([a, b])
    rows = by_name(memo_table((y * y).sum()))
    assert rows["a"]["recurrence"] == "∂a = ∂y• * dy/da"
    assert rows["a"]["with numbers"] == "[2, 2, 2, 2, 2] * dy/da = [2, 2]"


def test_hooks_are_named():
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    h = w * 3
    h.register_hook(lambda g: g * 10)
    rows = by_name(memo_table((h * h).sum()))
    assert rows["h"]["recurrence"].startswith("∂h = hook(") and rows["w"]["adjoint"].tolist() == [180.0, 360.0]


# ---- folded ---------------------------------------------------------------------------------------------------------

def test_long_tables_fold_by_layer():
    net = nn.Sequential(*[layer for _ in range(16) for layer in (nn.Linear(3, 3), nn.Tanh())])
    loss = (net(tg.ones(2, 3)) ** 2).sum()
    table = memo_table(loss)
    nodes = len(order([loss]))
    text = str(table)
    assert table.fold and "folded by layer" in text and "tanh" in text
    assert len(text.splitlines()) < 40
    counts = [int(row[2].replace(",", "")) for row in table.cells()]
    assert sum(counts) == nodes == len(table.rows())
    assert len(memo_table(loss, fold=False).cells()) == nodes
    assert len(memo_table(loss, fold=True).cells()) == 33          # 32 layers and the loss
    layers = [row[1] for row in table.cells()]
    assert layers[0] == "(no layer)" and layers[1].endswith("31") and layers[-1].endswith("0")
    assert "∂net.0.weight norm" in text


def test_very_many_layers_are_folded_several_to_a_row():
    net = nn.Sequential(*[nn.Linear(2, 2) for _ in range(100)])
    table = memo_table(net(tg.ones(1, 2)).sum())
    rows = table.cells()
    assert 10 < len(rows) <= 60 and sum(int(row[2]) for row in rows) == len(table.rows())
    assert " to " in rows[1][1]


def test_a_graph_without_layers_folds_by_steps():
    x = y = Value(1.0)
    for _ in range(500):
        y = y * 1.01
    table = memo_table(y)
    assert table.fold and len(table.cells()) == 12 and "42 *" in str(table)
    assert table.cells()[0][:2] == ["1-42", "y to v459"] and table.head[1] == "nodes" and x.grad == 0


# ---- names ----------------------------------------------------------------------------------------------------------

class Student:
    """A network as a student writes it: plain Python objects that hold Values."""

    def __init__(self):
        self.layers = [{"w": [Value(1.0), Value(2.0)], "b": Value(0.5)}]

    def __call__(self, x):
        (layer,) = self.layers
        return sum((w * v for w, v in zip(layer["w"], x, strict=True)), layer["b"])


def test_names_come_from_the_users_variables():
    model, xs = Student(), [Value(3.0), Value(4.0)]
    out = model(xs)
    names = {row["node"] for row in memo_table(out).rows()}
    assert {"out", "xs[0]", "xs[1]", "model.layers[0]['w'][0]", "model.layers[0]['b']"} <= names


def test_a_label_wins_over_a_variable_and_names_over_both():
    a = Value(1.0, label="from label")
    b = a * 2
    assert {row["node"] for row in memo_table(b).rows()} == {"from label", "b"}
    assert {row["node"] for row in memo_table(b, names={"given": a}).rows()} == {"given", "b"}
    with pytest.raises(TypeError, match="names="):
        memo_table(b, names=["a"])


def test_no_two_nodes_have_the_same_name():
    nodes = [Value(1.0, label="h") for _ in range(3)]
    y = nodes[0] * nodes[1] + nodes[2]
    names = [row["node"] for row in memo_table(y).rows()]
    assert len(set(names)) == len(names) and {"h", "h#2", "h#3"} <= set(names)


def test_names_inside_a_comprehension_and_a_lambda():
    weight = Value(2.0)
    out = weight * 3
    for table in [memo_table(out) for _ in range(2)] + [(lambda: memo_table(out))()]:
        assert {row["node"] for row in table.rows()} == {"out", "weight"}


def test_looking_for_names_calls_nothing():
    class Trap:
        def __getattr__(self, name):
            raise AssertionError("called")

        __iter__ = __len__ = __eq__ = __getitem__ = __getattr__

    trap = Trap()
    cycle = [trap]
    cycle.append(cycle)
    y = Value(1.0) * 2
    assert "y" in names_of(order([y]), y).values() and cycle


# ---- forms ----------------------------------------------------------------------------------------------------------

def test_text_html_markdown_and_pandas():
    *_, y = neuron()
    table = memo_table(y)
    assert str(table) == repr(table) and str(table).startswith("Memo table of y: 6 subproblems")
    lines = str(table).splitlines()
    assert lines[2].split()[:4] == ["step", "node", "operation", "value"] and len(lines) == 4 + 6 + 3
    assert table.markdown().count("| ∂") == 6
    frame = pandas.DataFrame(table.rows())
    assert list(frame["node"]) == ["y", "v2", "v1", "b", "x", "w"] and frame["adjoint"].sum() == pytest.approx(2.0)
    page = table._repr_html_()
    assert page.count("<tr>") == 7 and "<mark" in page


def test_the_table_as_a_picture():
    *_, y = neuron()
    table = memo_table(y)
    image = ElementTree.fromstring(table.svg())
    texts = [part.text for part in image if part.tag.endswith("text")]
    said = [row["recurrence"] for row in table.rows()] + [row["with numbers"] for row in table.rows()]
    assert set(said) <= set(texts) and texts[0] == table.title() and texts[-2:] == table.legend().splitlines()
    grounds = [part.get("fill") for part in image if part.get("height") == "16"]
    assert len(grounds) == 6 and len(set(grounds)) == 2          # two shared adjoints: each solved once and read twice
    folded = ElementTree.fromstring(memo_table(y, fold=True).svg())
    assert not [part for part in folded if part.get("height") == "16"]


def test_a_long_table_is_drawn_and_shown_whole():
    x = Value(0.5, label="x")
    y = x
    for _ in range(1_000):
        y = y * x
    table = memo_table(y, fold=False)
    assert ElementTree.fromstring(table.svg()).tag.endswith("svg") and table._repr_html_().count("<tr>") == 1_002


def test_hostile_names_stay_text():
    x = Value(1.0, label="<img src=x onerror=alert(1)>")
    y = x * x
    y.label = "a|b\n\x1b[31m"
    table = memo_table(y)
    ElementTree.fromstring(table.svg())
    assert "<img" not in table._repr_html_() and "\x1b" not in str(table) and "a\\|b" in table.markdown()
    assert len(str(table).splitlines()) == 4 + 2 + 3


def test_digits():
    x = Value(1 / 3, label="x")
    assert "0.3333333333" in str(memo_table(x * 1, digits=10)) and "0.333 " in str(memo_table(x * 1, digits=3))


def test_a_table_stays_as_it_was_when_the_weights_go_on():
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    loss = (w * w).sum()
    table = memo_table(loss)
    before = str(table), table._repr_html_(), table.markdown()
    loss.backward()
    with tg.no_grad():
        w -= 0.1 * w.grad
    assert (str(table), table._repr_html_(), table.markdown()) == before
    assert by_name(table)["w"]["value"].tolist() == [1.0, 2.0]


def test_a_folded_table_keeps_its_cells_and_says_that_its_rows_are_gone():
    w = h = tg.tensor([1.0, 2.0], requires_grad=True)
    for _ in range(70):
        h = h * 1.01
    loss = h.sum()
    table, other = memo_table(loss), memo_table(loss)
    assert len(other.rows()) == 72
    loss.backward()
    assert "folded" in str(table) and len(other.rows()) == 72 and w.grad is not None
    with pytest.raises(RuntimeError, match="second time"):
        table.rows()


def test_the_table_leaves_the_graph_as_it_was():
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    loss = (w * w).sum()
    memo_table(loss)
    assert w.grad is None
    loss.backward()
    assert w.grad.tolist() == [2.0, 4.0]
    with pytest.raises(RuntimeError, match="second time"):
        memo_table(loss)


@pytest.mark.parametrize(("bad", "error", "says"), [
    (lambda: 3.0, TypeError, "a float has no graph"),
    (lambda: tg.ones(2, requires_grad=True) * 2, RuntimeError, "only for scalar outputs"),
    (lambda: tg.ones(2).sum(), RuntimeError, "does not require grad"),
])
def test_bad_input(bad, error, says):
    with pytest.raises(error, match=says):
        memo_table(bad())


def test_a_leaf_alone():
    x = Value(2.0, label="x")
    assert [row["recurrence"] for row in memo_table(x).rows()] == ["∂x = 1"]


# ---- the gradient's own graph ---------------------------------------------------------------------------------------

def test_the_gradients_own_graph_has_names():
    """y = tanh(x): dy/dx = 1 - y^2, and its derivative is -2 y (1 - y^2)."""
    x = Value(0.5, label="x")
    y = x.tanh()
    y.label = "y"
    g = gradient_graph(y, x)
    assert g.name == "grad_x" and g.data == pytest.approx(1 - math.tanh(0.5) ** 2)
    rows = by_name(memo_table(g))
    assert "grad_y" in rows and rows["grad_x"]["recurrence"] == "∂grad_x = 1"
    assert rows["x"]["adjoint"] == pytest.approx(-2 * math.tanh(0.5) * (1 - math.tanh(0.5) ** 2))


def test_the_gradients_own_graph_of_tensors():
    w = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    loss = (w ** 3).sum()
    g = gradient_graph(loss, w)
    assert np.allclose(g.detach().numpy(), [3, 12, 27])
    rows = by_name(memo_table(g.sum()))
    assert np.allclose(rows["w"]["adjoint"], [6, 12, 18])
    other = tg.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="not have been used in the graph"):
        gradient_graph((w * w).sum(), other)


def test_create_graph_by_backward():
    x = Value(3.0, label="x")
    (x * x * x).backward(create_graph=True)
    rows = by_name(memo_table(x.grad))
    assert rows["x"]["adjoint"] == 6 * 3
    assert dict(sweep([x.grad], [1.0]))[x] == 18


def test_what_is_written_is_what_a_student_wrote():
    """An index that is assigned, a loss without its inner parameters, powers and logarithms of plain numbers."""
    x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    y[0] = 5.0
    logits = tg.ones(2, 3, requires_grad=True)
    loss = nn.functional.cross_entropy(logits, tg.tensor([0, 2])) + y.sum()
    said = {row["operation"] for row in memo_table(loss, names={"logits": logits}).rows()}
    assert "v1[0] = 5" in said and "cross_entropy(logits, target=[0, 2])" in said
    a = Value(4.0)
    rows = memo_table(2 ** a + a ** -0.5, names={"a": a}).rows()
    assert rows[-1]["recurrence"] in ("∂a = ∂v1 * (v1 * log(2)) + ∂v2 * ((-0.5) * a ** (-1.5))",
                                      "∂a = ∂v2 * ((-0.5) * a ** (-1.5)) + ∂v1 * (v1 * log(2))")


def test_one_of_something_is_one():
    assert "1 subproblem in" in str(memo_table(Value(1.0))) and "0 hits" in str(memo_table(Value(1.0)))


def test_numbers_that_are_gone_are_not_shown():
    """y = 2 x, then y[0] = 5 in the same memory: what y was before is nowhere any more."""
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    y[0] = 5.0
    z = x * 3
    z.mul_(2.0)                                       # keeps a copy of the version before
    table = memo_table((y + z).sum(), names={"x": x})
    values = {row["operation"]: row["value"] for row in table.rows()}
    assert values["x * 2"] == "overwritten" and " overwritten " in str(table) and "overwritten" in table.markdown()
    assert values["x * 3"].tolist() == [3, 6] and values["v1[0] = 5"].tolist() == [5, 4]


def test_a_number_below_0_stands_in_one_pair_of_brackets():
    a = Value(-2.0)
    assert memo_table(abs(a), names={"a": a}).rows()[-1]["with numbers"] == "1 * sign(-2) = -1"


def test_numbers_that_a_checkpoint_does_not_keep_are_not_shown():
    """A checkpointed call with two results: its own node, from which both are read, holds no numbers."""
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    a, b = checkpoint(lambda x: (x * x, 3 * x[:1]), x)
    rows = by_name(memo_table((a * a).sum() + b.sum(), names={"a": a, "b": b, "x": x}))
    assert rows["a"]["value"].tolist() == [1, 4] and rows["b"]["value"].tolist() == [3]
    hub = next(row for row in rows.values() if row["operation"].startswith("checkpoint"))
    assert hub["value"] == "not kept" and hub["adjoint"].tolist() == [2, 8, 1]
    assert sum(np.array_equal(row["value"], "not kept") for row in rows.values()) == 3
