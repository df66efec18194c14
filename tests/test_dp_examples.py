"""The programs of the course's part on backpropagation: each runs, and gives the numbers of the decks."""
from __future__ import annotations

import importlib.util
import math
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tinygrad_edu.dp import counted_paths, explain, memo_table, most_influential
from tinygrad_edu.dp.race import FIBONACCI_CALLS

FOLDER = Path(__file__).parents[1] / "examples" / "04_backprop_as_dp"
PROGRAMS = sorted(FOLDER.glob("*.py"))


def load(name):
    spec = importlib.util.spec_from_file_location(f"part4_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_each_runs_and_says_something(path, capsys):
    load(path.stem).main()
    out = capsys.readouterr().out
    assert len(out.splitlines()) > 5 and "NOT equal" not in out and "DIFFERENT" not in out


def test_the_index_lists_each():
    text = (FOLDER / "README.md").read_text()
    assert all(f"[{path.name}]({path.name})" in text for path in PROGRAMS)


def test_smith_network():
    part = load("smith_network")
    v = part.network()
    for name, value in {"net_h1": 0.3775, "out_h1": 0.593269992, "out_h2": 0.596884378, "net_o1": 1.105905967,
                        "out_o1": 0.75136507, "out_o2": 0.77292847, "E_o1": 0.274811083, "E_o2": 0.023560026,
                        "E": 0.298371109}.items():
        assert v[name].data == pytest.approx(value, abs=5e-9)
    assert part.by_hand(v) == pytest.approx((0.74136507, 0.186815602, 0.593269992), abs=5e-9)
    assert math.prod(part.by_hand(v)) == pytest.approx(0.082167041, abs=5e-10)
    assert explain(v["E"], v["w5"]).gradient == pytest.approx(0.082167041, abs=5e-10)
    assert explain(v["E"], v["w1"]).number == 2       # both outputs
    assert part.new_weights(v) == pytest.approx({
        "w1": 0.14978072, "w2": 0.19956143, "w3": 0.24975114, "w4": 0.29950229, "w5": 0.35891648, "w6": 0.40866619,
        "w7": 0.51130127, "w8": 0.56137012}, abs=5e-9)


@pytest.mark.parametrize("half", [True, False], ids=["KONG", "LIU"])
def test_delta_rule(half):
    part = load("delta_rule")
    error, weights, y = part.neuron(half)
    error.backward()
    assert [w.grad for w in weights] == pytest.approx(part.by_hand(half))
    assert y.data == pytest.approx(0.246, abs=5e-4)   # the deck: z = -1.120, y = 0.246, delta 0.1398
    if half:
        assert [w.grad for w in weights] == pytest.approx([-0.1398] * 4, abs=6e-5)
        assert [w.data - w.grad for w in weights] == pytest.approx([-0.026, 0.580, -0.860, -0.256], abs=1.5e-3)


def test_fibonacci(tmp_path):
    part = load("fibonacci")
    for n in (2, 5, 12, 20):
        assert counted_paths(part.fibonacci_graph(n)).calls == FIBONACCI_CALLS["by paths"](n)
    assert counted_paths(part.mlp([2] + [16] * 6 + [1], [2.0, 3.0])).calls == 223_696_209
    part.main(str(tmp_path / "race.svg"))
    ElementTree.parse(tmp_path / "race.svg")


def test_chain_rule():
    part = load("chain_rule")
    nodes = part.graph()
    rows = {row["node"]: row for row in memo_table(nodes["z"]).rows()}
    slope = 1 - math.tanh(2.0 * 0.5 - 0.3) ** 2
    assert (rows["u"]["adjoint"], rows["w"]["adjoint"], rows["x"]["adjoint"]) == pytest.approx(
        (slope, slope * 0.5, slope * 2.0))
    assert rows["s"]["hits"] == rows["p"]["hits"] == 1


def test_other_questions():
    part = load("other_questions")
    v = part.graph()
    a, b = 0.8, -1.5
    v["y"].backward()
    assert v["a"].grad == pytest.approx((1 - math.tanh(a * b) ** 2) * b + b * math.sin(a) + a * b * math.cos(a))
    assert most_influential(v["y"])[v["a"]].product == pytest.approx(b * math.sin(a))


def test_jacobian_chains(tmp_path):
    part = load("jacobian_chains")
    costs = {name: [way.made for way in part.executed(sizes).ways] for name, sizes in part.SHAPES.items()}
    forward, reverse, best = costs["one input"]
    assert forward == best == 3 * 30 * 30 < reverse
    forward, reverse, best = costs["one output"]
    assert reverse == best == 3 * 30 * 30 < forward
    forward, reverse, best = costs["a waist"]
    assert best == 3 * 40 * 30 + 30 * 40 * 3 + 30 * 3 * 30 < min(forward, reverse)
    part.main(str(tmp_path / "chain.svg"))
    ElementTree.parse(tmp_path / "chain.svg")


def test_twice():
    x, y, slope = load("twice").graphs(0.5)
    assert slope.data == pytest.approx(1 - math.tanh(0.5) ** 2)
    assert explain(slope, x).gradient == pytest.approx(-2 * y.data * (1 - y.data ** 2))
