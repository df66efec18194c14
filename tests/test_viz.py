"""The DOT text of a drawing: nodes, names, layers, folding and escaping, on Values, Tensors and modules."""
from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import Value, nn
from tinygrad_edu.mode import scope
from tinygrad_edu.viz import Drawing, adjoints, draw, to_dot
from tinygrad_edu.viz.sheet import markup, quoted
from tinygrad_edu.viz.survey import number

TAG = re.compile(r"<[^<>]*>")


def nodes(dot: str) -> dict[str, str]:
    """The text of every node of a DOT string, tags left out and entities resolved."""
    import html
    found = {}
    for line in dot.splitlines():
        if match := re.match(r"\s*(\w+) \[class=\"(\w+)\".* label=<(.*)>\]$", line):
            id, kind, label = match.groups()
            found[id] = html.unescape(TAG.sub(" ", label)).replace("\xa0", " ").replace("\\\\", "\\")
    return {id: " ".join(text.split()) for id, text in found.items()}


def kinds(dot: str) -> dict[str, str]:
    return dict(re.findall(r"^\s*(\w+) \[class=\"(\w+)\"", dot, re.M))


def edges(dot: str) -> Counter:
    return Counter(re.findall(r"^  ([\w:]+) -> ([\w:]+)", dot, re.M))


def neuron() -> Value:
    x, w, b = Value(2.0, label="x"), Value(-3.0, label="w"), Value(1.0, label="b")
    y = (x * w + b).tanh()
    y.label = "y"
    return y


# ---- what is drawn --------------------------------------------------------------------------------------------------

def test_every_value_and_operation_of_a_neuron():
    y = neuron()
    y.backward()
    dot = to_dot(y)
    slope = 1 - np.tanh(-5.0) ** 2
    assert nodes(dot) == {
        "n0": f"x data 2.0 grad {number(-3 * slope)}", "n1": f"w data -3.0 grad {number(2 * slope)}",
        "n2": f"b data 1.0 grad {number(slope)}", "n3": f"data -6.0 grad {number(slope)}", "n3op": "*",
        "n4": f"data -5.0 grad {number(slope)}", "n4op": "+", "n5": f"y data {number(np.tanh(-5.0))} grad 1.0",
        "n5op": "tanh"}
    assert edges(dot) == Counter([("n0", "n3op"), ("n1", "n3op"), ("n3op", "n3"), ("n3", "n4op"), ("n2", "n4op"),
                                  ("n4op", "n4"), ("n4", "n5op"), ("n5op", "n5")])
    assert kinds(dot) == {"n0": "leaf", "n1": "leaf", "n2": "leaf", "n3": "result", "n4": "result", "n5": "root",
                          "n3op": "op", "n4op": "op", "n5op": "op"}


def test_the_same_program_gives_the_same_text():
    assert to_dot(neuron()) == to_dot(neuron())


def test_a_node_used_twice_has_two_edges():
    a = Value(3.0)
    assert edges(to_dot(a * a))["n0", "n1op"] == 2


def test_order_is_shown_where_it_matters():
    a, b = Value(3.0), Value(2.0)
    dot = to_dot((b - a) + a * b)
    assert edges(dot)["n1", "n2op:p1"] == edges(dot)["n0", "n2op:p2"] == 1      # b - a
    assert edges(dot)["n0", "n3op"] == edges(dot)["n1", "n3op"] == 1            # a * b
    assert 'PORT="p1"' in dot and nodes(dot)["n2op"] == "1 - 2"


def test_plain_numbers_and_arrays_are_constants():
    dot = to_dot(1.5 - Value(3.0))
    assert nodes(dot)["n1c0"] == "1.5" and kinds(dot)["n1c0"] == "constant"
    assert edges(dot)["n1c0", "n1op:p1"] == 1
    t = tg.ones(2, 3, requires_grad=True)
    few, many = np.arange(3.0), np.zeros((2, 3), np.float32)
    dot = to_dot(t * few + many, names={"few": few})
    assert nodes(dot)["n1c1"] == "few 0.0 1.0 2.0"
    assert nodes(dot)["n2c1"] == "(2, 3) float32" or nodes(dot)["n2c1"].count("0.0") == 6


def test_several_roots_share_what_is_below_them():
    a = Value(2.0)
    b, c = a.exp(), a.sin()
    dot = to_dot([b, c])
    assert kinds(dot)["n1"] == kinds(dot)["n2"] == "root"
    assert len(nodes(dot)) == 5 and to_dot({"b": b, "c": c}) == dot


def test_a_deep_graph_needs_no_recursion():
    x = Value(1.0)
    for _ in range(100_000):
        x = x * 1.0
    assert "100,001 nodes, folded by depth" in to_dot(x)


def test_drawing_changes_nothing():
    y = neuron()
    before = [(n.payload, n.inputs, n.note, n.grad) for n in tg.graph.order([y])]
    draw(y, adjoints=adjoints(y))
    assert [(n.payload, n.inputs, n.note, n.grad) for n in tg.graph.order([y])] == before


# ---- names ----------------------------------------------------------------------------------------------------------

def test_names_from_locals():
    a, ws = Value(2.0), [Value(3.0), Value(4.0)]
    out = a * ws[0] + ws[1]
    text = nodes(to_dot(out, names=locals()))
    assert [text[k].split()[0] for k in ("n0", "n1", "n2", "n4")] == ["a", "ws[0]", "ws[1]", "out"]


def test_a_given_name_wins_over_the_node_s_own():
    x = Value(1.0, label="own")
    assert nodes(to_dot(x.exp(), names={"given": x}))["n0"].startswith("given")


def test_names_must_be_names():
    with pytest.raises(TypeError, match="names="):
        to_dot(Value(1.0), names={1: Value(2.0)})


HOSTILE = ['a|b {x} <p> "q" \\N \\\\ \\',
           '</TABLE>> evil [label="x"]', "&amp; &lt; \\G\\L", '"; } --', "<!-- c -->]]>", '\\"']


@pytest.mark.parametrize("name", HOSTILE)
def test_names_cannot_break_out_of_their_cell(name):
    with scope(name):
        y = Value(1.0, label=name) + Value(2.0)
    dot = to_dot(y, title=name)
    assert name in nodes(dot)["n0"]
    assert set(nodes(dot)) == {"n0", "n1", "n2", "n2op"}


@pytest.mark.parametrize("name", ["nul\x00", "\ud800", "\u202e", "a\nb", "x" * 200])
def test_names_that_cannot_be_printed(name):
    dot = to_dot(Value(1.0, label=name))
    dot.encode()
    assert len(dot.splitlines()) == len(to_dot(Value(1.0, label="x")).splitlines())
    assert len(nodes(dot)["n0"].split(" data")[0]) <= 48


def test_escapes():
    assert quoted('a"b\\') == '"a\\"b\\\\"'
    assert quoted("a\nb & c") == '"a\\nb &amp; c"'
    assert markup("<b>&\\N") == "&lt;b&gt;&amp;\\\\N"


# ---- numbers --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("value, text", [
    (2.0, "2.0"), (0.1 + 0.2, "0.3"), (0.593269992, "0.5933"), (2 / 3, "0.6667"), (-1e-9, "-1e-09"),
    (12345.678, "12346"), (1e20, "1e+20"), (float("nan"), "nan"), (float("-inf"), "-inf"), (7, "7"), (True, "True"),
    (0.0, "0.0"), (np.float32(0.1), "0.1"), (np.int64(3), "3"), (0.99999, "1.000"), (1234567.0, "1.235e+06")])
def test_numbers_are_short_and_honest(value, text):
    assert number(value) == text


def test_more_digits():
    assert "0.593269992" in nodes(to_dot(Value(0.59326999210718715), digits=9))["n0"]


def test_small_tensors_show_numbers_and_large_ones_their_shape():
    small, large = tg.tensor([[1.0, 2.0], [3.0, 4.5]], requires_grad=True), tg.zeros(3, 3, requires_grad=True)
    assert nodes(to_dot(small * 2))["n0"] == "data 1.0 2.0 3.0 4.5"
    assert nodes(to_dot(large * 2))["n0"] == "data (3, 3) float32"
    assert nodes(to_dot(large.double().sum()))["n2"] == "data 0.0"


# ---- gradients ------------------------------------------------------------------------------------------------------

def test_gradients_of_tensors_show_while_the_graph_is_kept():
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    loss = (w * w).sum()
    assert "grad" not in nodes(to_dot(loss))["n0"]
    loss.backward(retain_graph=True)
    assert nodes(to_dot(loss))["n0"] == "data 1.0 2.0 grad 2.0 4.0"


def test_a_freed_graph_says_how_to_keep_it():
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    loss = (w * w).sum()
    loss.backward()
    with pytest.raises(RuntimeError, match=r"retain_graph=True"):
        draw(loss)


def test_a_part_that_was_freed_is_marked():
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    trunk = w * 2
    first, second = trunk.sum(), (trunk * trunk).sum()
    first.backward()
    assert "history freed" in nodes(to_dot(second))["n0"]


def test_adjoints_on_nodes_and_edges():
    a = Value(3.0)
    b = a * a
    d = b * (a + b)
    flows = adjoints(d)
    assert flows[a] == 4 * 3.0 ** 3 + 3 * 3.0 ** 2              # d = a^4 + a^3
    assert flows[b] == flows[d, 0] + flows[tuple(n for n in d.inputs if n is not b)[0], 1]
    assert a.grad == 0.0                                        # nothing was left behind
    dot = to_dot(d, adjoints=flows)
    assert nodes(dot)["n0"] == "data 3.0 adjoint 135.0"
    assert dot.count("← 63.0") == 2


def test_adjoints_of_tensors():
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    loss = (w * w).sum()
    flows = adjoints(loss)
    assert np.array_equal(flows[w], [2.0, 4.0]) and w.grad is None
    assert "adjoint 2.0 4.0" in nodes(to_dot(loss, adjoints=flows))["n0"]


# ---- layers and folding ---------------------------------------------------------------------------------------------

def clusters(dot: str) -> list[tuple[int, str]]:
    """Each cluster's nesting depth and heading."""
    found, depth = [], 0
    for line in dot.splitlines():
        if "subgraph cluster_" in line:
            depth += 1
        elif line.strip() == "}":
            depth -= 1
        elif depth and (match := re.match(r"\s*label=<(.*?)> labelloc", line)):
            found.append((depth, TAG.sub("", match[1])))
    return found


def test_layers_are_nested_clusters():
    x = Value(1.0)
    with scope("net"):
        with scope("hidden"):
            h = x.tanh()
        with scope("out"):
            y = h.exp()
    dot = to_dot(y + 1.0)
    assert clusters(dot) == [(1, "net"), (2, "hidden"), (2, "out")]


def model() -> nn.Module:
    tg.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))


def test_a_module_s_layers_and_parameters_have_their_names():
    net = model()
    dot = draw(net, tg.ones(5, 4)).dot
    assert clusters(dot) == [(1, "Sequential"), (2, "0 Linear"), (2, "1 Tanh"), (2, "2 Linear")]
    text = nodes(dot)
    assert [t for t in text.values() if t.startswith(("weight", "bias"))] == [
        "weight data (3, 4) float32", "bias data " + " ".join(number(v) for v in net[0].bias.tolist()),
        "weight data " + " ".join(number(v) for v in net[2].weight.payload.ravel()),
        "bias data " + " ".join(number(v) for v in net[2].bias.payload)]
    assert Counter(kinds(dot).values())["parameter"] == 4
    assert to_dot(net(tg.ones(5, 4))) == dot


def test_a_module_without_inputs_says_what_is_missing():
    with pytest.raises(TypeError, match=r"draw\(module, inputs\)"):
        draw(model())
    with pytest.raises(TypeError, match="inputs are for a module"):
        draw(Value(1.0), Value(2.0))


def test_folded_by_layer():
    net = model()
    loss = nn.functional.mse_loss(net(tg.ones(5, 4)), tg.zeros(5, 2))
    dot = to_dot(loss, fold=True)
    text = nodes(dot)
    boxes = [text[f"box{k}"] for k in range(3)]
    assert "0 Linear" in boxes[0] and "(5, 4) → (5, 3)" in boxes[0] and "15 parameters" in boxes[0]
    assert "weight (3, 4)" in boxes[0] and "bias (3,)" in boxes[0]
    assert "1 Tanh" in boxes[1] and "2 Linear" in boxes[2] and "8 parameters" in boxes[2]
    assert edges(dot)["box0", "box1"] == edges(dot)["box1", "box2"] == 1
    assert clusters(dot) == [(1, "Sequential")]
    assert kinds(dot)[max((n for n in kinds(dot) if re.fullmatch(r"n\d+", n)), key=lambda n: int(n[1:]))] == "root"


def test_order_is_shown_between_boxes_too():
    x = tg.ones(2, requires_grad=True)
    with scope("layer"):
        y = x * 2.0
    dot = to_dot((x - y).sum(), fold=True)
    assert edges(dot)["n0", "n2op:p1"] == edges(dot)["box0", "n2op:p2"] == 1


def test_two_layers_of_one_name_are_not_called_the_same():
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    dot = to_dot(second(first(tg.ones(1, 2)).relu()), fold=True)
    assert "call" not in nodes(dot)["box1"] and "6 parameters" in nodes(dot)["box1"]


class Row(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(3, 3) for _ in range(n))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x).tanh()
        return x


def test_a_long_row_of_layers_folds_to_several_boxes():
    net = Row(40)
    dot = to_dot(net(tg.ones(2, 3)).sum())
    boxes = {id: text for id, text in nodes(dot).items() if id.startswith("box")}
    assert len(boxes) == 21 and boxes["box0"].startswith("layers.0 – layers.1 linear × 2 tanh × 2")
    assert boxes["box19"].startswith("layers.38 – layers.39") and "24 parameters" in boxes["box19"]
    assert "outside all layers" in boxes["box20"] and clusters(dot) == [(1, "Row")]
    assert all(edges(dot)[f"box{k}", f"box{k + 1}"] == 1 for k in range(20))
    assert not [1 for tail, head in edges(dot) if tail[:3] == head[:3] == "box" and int(tail[3:]) >= int(head[3:])]


def test_folded_to_a_depth():
    net = model()
    dot = to_dot(net(tg.ones(5, 4)), fold=1)
    assert [t for id, t in nodes(dot).items() if id.startswith("box")] and "23 parameters" in nodes(dot)["box0"]
    assert clusters(dot) == []


def test_gradients_of_parameters_in_folded_boxes():
    net = nn.Sequential(nn.Linear(1, 1, bias=False))
    net(tg.tensor([[3.0]])).sum().backward()
    loss = net(tg.tensor([[4.0]])).sum()
    assert "|grad| 3.0" in nodes(to_dot(loss, fold=True))["box0"]


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.step = nn.Linear(3, 3)

    def forward(self, x):
        return self.step(self.step(x).relu()).relu()


def test_a_layer_called_twice_shows_as_two_boxes_without_a_cycle():
    net = Twice()                                     # kept, since a graph does not keep the module that made it
    dot = to_dot(net(tg.ones(1, 3)), fold=True)
    boxes = [id for id in nodes(dot) if id.startswith("box")]
    assert len(boxes) == 2 and all("step Linear" in nodes(dot)[id] for id in boxes)
    assert ["12 parameters" in nodes(dot)[id] for id in boxes] == [True, False]
    assert "call 2, same parameters" in nodes(dot)[boxes[1]] and ("box0", "box1") not in edges(dot)
    assert "relu" in nodes(dot).values()


def test_a_layer_called_very_often_is_rolled_up():
    layer, h = nn.Linear(3, 3), tg.zeros(1, 3)
    for _ in range(100):
        h = layer(h).tanh()
    dot = to_dot(h)
    boxes = [text for id, text in nodes(dot).items() if id.startswith("box")]
    assert sorted(text.split()[0] for text in boxes) == ["Linear", "outside"]
    assert any("called 100 times linear × 100" in text for text in boxes)
    assert edges(dot)["box0", "box1"] == edges(dot)["box1", "box0"] == 1
    assert "100 × (1, 3)" in dot and "99 × (1, 3)" in dot


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(nn.Linear(2, 2) for _ in range(50))

    def forward(self, x):
        for block in self.blocks:
            x = x + block(x)
        return x


def test_what_a_module_does_itself_between_its_layers():
    net = Residual()
    dot = to_dot(net(tg.zeros(1, 2)))
    boxes = [text for id, text in nodes(dot).items() if id.startswith("box")]
    assert boxes[0].startswith("blocks.0 – blocks.2 linear × 3 + × 2") and "18 parameters" in boxes[0]
    assert sum(int(re.search(r"(\d+) parameters", text)[1]) for text in boxes) == 300
    apart = to_dot(net(tg.zeros(1, 2)), fold=1)
    assert any(text.startswith("Residual") and "linear × 50" in text for text in nodes(apart).values())
    small = to_dot(nn.Sequential(*net.blocks[:2])(tg.zeros(1, 2)))
    assert clusters(small)[0] == (1, "Sequential")


def test_a_large_graph_is_folded_unless_told_otherwise():
    x = Value(1.0, label="x")
    for k in range(6):
        with scope(f"block{k}"):
            for _ in range(30):
                x = x * 1.01
    assert len([id for id in nodes(to_dot(x)) if id.startswith("box")]) == 6
    assert "181 nodes, folded by layer" in to_dot(x)
    assert "* × 30" in nodes(to_dot(x))["box0"]
    assert len([1 for kind in kinds(to_dot(x, fold=False)).values() if kind == "op"]) == 180
    assert "folded" not in to_dot(neuron())


def test_without_names_of_layers_it_is_folded_by_depth():
    x = Value(1.0)
    for _ in range(400):
        x = x * 1.01
    dot = to_dot(x)
    counted = [int(n.replace(",", "")) for t in nodes(dot).values() for n in re.findall(r"\* × (\d+)", t)]
    assert sum(counted) == 400 and len(counted) <= 12
    assert "steps deep" in dot and "folded by depth" in dot


def test_many_leaves_are_counted_not_drawn():
    ws = [Value(float(i)) for i in range(100)]
    total = ws[0]
    for w in ws[1:]:
        total = total + w
    assert sum(int(n) for t in nodes(to_dot(total)).values() for n in re.findall(r"(\d+) leaves", t)) >= 88


@pytest.mark.parametrize("bad", [0, -1, "yes", 2.5])
def test_fold_is_checked(bad):
    with pytest.raises(ValueError, match="fold="):
        to_dot(Value(1.0), fold=bad)


def test_direction_is_checked():
    for direction in ("LR", "RL", "TB", "BT"):
        assert f"rankdir={direction}" in to_dot(Value(1.0) - Value(2.0), direction=direction)
    with pytest.raises(ValueError, match="direction"):
        to_dot(Value(1.0), direction="sideways")


@pytest.mark.parametrize("nothing, error", [([], ValueError), (3.0, TypeError), (None, TypeError), ([1.0], TypeError)])
def test_what_has_no_graph(nothing, error):
    with pytest.raises(error, match="no graph to draw"):
        to_dot(nothing)


def test_drawing_prints_as_its_text():
    drawing = draw(neuron())
    assert isinstance(drawing, Drawing) and str(drawing) == drawing.dot == to_dot(neuron())


def test_one_leaf_is_one_leaf():
    x = Value(1.0)
    y = x
    for _ in range(200):
        y = y * y.tanh()
    dot = to_dot(y, fold=True)
    assert "1 leaves" not in dot


@pytest.mark.parametrize("root", [3.0, None, [1.0]])
def test_adjoints_of_what_has_no_graph(root):
    with pytest.raises(TypeError, match="has no graph"):
        adjoints(root)
