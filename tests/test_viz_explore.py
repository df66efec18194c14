"""The page to step through a graph: what it carries is the engine's, and a real browser shows it, asks and folds."""
from __future__ import annotations

import json
import math
import random
import re
import runpy
from pathlib import Path

import numpy as np
import pytest
from browser import CHROMIUM, Browser

import tinygrad_edu as tg
from tinygrad_edu import Value, nn
from tinygrad_edu.dp import memo_table
from tinygrad_edu.dp.text import figure
from tinygrad_edu.viz import Recorder, explore

in_browser = pytest.mark.skipif(not CHROMIUM, reason="no Chromium to open the page in")
READY = "document.getElementById('waiting').hidden"


def neuron() -> tuple[Value, dict[str, Value]]:
    x1, x2, w1, w2 = Value(2.0), Value(0.5), Value(-3.0), Value(1.0)
    n = x1 * w1 + x2 * w2 + 6.8813735870195432
    o = n.tanh()
    loss = (o - 1) ** 2 + w1 * w1
    return loss, {"x1": x1, "x2": x2, "w1": w1, "w2": w2, "n": n, "o": o, "loss": loss}


def classifier() -> tuple:
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 3))
    images, digits = tg.randn(8, 6), tg.randint(0, 3, (8,))
    return nn.functional.cross_entropy(model(images), digits), {"images": images, "digits": digits, "model": model}


def network(widths: list[int]) -> Value:
    """A network of Values that names no layers, as a student writes it first."""
    draw = random.Random(0)
    xs = [Value(0.5), Value(-1.0)]
    for width in widths:
        xs = [sum((Value(draw.uniform(-1, 1)) * x for x in xs), Value(0.0)).tanh() for _ in range(width)]
    return xs[0]


def carried(page: Path) -> dict:
    """The data inside a page."""
    text = page.read_text(encoding="utf8")
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1])


# ---- what the page carries ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("make", [neuron, classifier])
def test_the_numbers_are_those_of_the_sweep(make, tmp_path):
    loss, names = make()
    data = carried(explore(loss, tmp_path / "page.html", names=names))
    graph, frame = data["graphs"][0], data["frames"][0]
    table = memo_table(loss, names=names, fold=False)
    assert [graph["name"][k] for k, *_ in graph["sweep"]] == [row.name for row in table.entries]
    assert frame["a"] == [figure(row.adjoint) for row in table.entries]
    assert {graph["name"][k]: frame["v"][k] for k, *_ in graph["sweep"]} == \
        {row.name: figure(row.node) for row in table.entries}
    loss.backward()
    if loss.scalar:
        assert {row.name: row.adjoint for row in table.entries} == {row.name: row.node.grad for row in table.entries}
    else:
        for row in table.entries:
            if row.node.is_leaf:
                np.testing.assert_array_equal(row.adjoint, row.node.grad.numpy())


def test_what_is_sent_adds_up_in_the_order_of_the_sweep(tmp_path):
    """x * x + x: the node that reads x twice sends two contributions, and the cell holds a sum in between."""
    x = Value(3.0, label="x")
    data = carried(explore(x * x + x, tmp_path / "page.html"))
    graph, frame = data["graphs"][0], data["frames"][0]
    flows = [(graph["name"][k], graph["name"][to]) for k, _, sent in graph["sweep"] for to, _ in sent]
    contributions, sums = frame["f"][::2], frame["f"][1::2]
    assert flows == [("L", "v1"), ("L", "x"), ("v1", "x"), ("v1", "x")]
    assert (contributions, sums) == (["1", "1", "3", "3"], ["1", "1", "4", "7"])


def test_the_graph_is_left_as_it_was(tmp_path):
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    loss = (w * w).sum()
    explore(loss, tmp_path / "page.html")
    assert w.grad is None
    loss.backward()
    assert w.grad.tolist() == [2.0, 4.0]


def test_large_arrays_are_shown_by_shape_and_length(tmp_path):
    w = tg.full((30, 40), 0.5, requires_grad=True)
    page = explore((w * 2).sum(), tmp_path / "page.html", names={"w": w})
    data = carried(page)
    k = data["graphs"][0]["name"].index("w")
    assert data["frames"][0]["v"][k] == f"(30, 40) norm {0.5 * math.sqrt(1200):.6g}"
    assert data["frames"][0]["a"][-1] == f"(30, 40) norm {2 * math.sqrt(1200):.6g}"
    assert data["graphs"][0]["shape"][k] == "(30, 40)"


def test_no_number_stops_the_page(tmp_path):
    x = Value(float("inf"), label="x")
    data = carried(explore(x * 0.0, tmp_path / "page.html"))
    assert data["losses"] == [None] and "nan" in data["frames"][0]["v"]


def test_layers_are_groups_within_groups(tmp_path):
    loss, names = classifier()
    graph = carried(explore(loss, tmp_path / "page.html", names=names))["graphs"][0]
    groups, at = graph["groups"], dict(zip(graph["name"], graph["group"], strict=True))
    assert [(g["name"], g["kind"]) for g in groups] == [
        ("all", ""), ("Sequential", ""), ("0", "Linear"), ("1", "Tanh"), ("2", "Linear"), ("3", "ReLU"),
        ("4", "Linear")]
    assert [g["parent"] for g in groups] == [-1, 0, 1, 1, 1, 1, 1]
    assert groups[at["model.2.weight"]]["name"] == "2" and at["loss" if "loss" in at else "L"] == 0


@pytest.mark.parametrize("widths", [[16, 16, 16, 1], [3, 80, 1], [1] * 300])
def test_without_layers_neurons_and_layers_of_them_are_found(widths, tmp_path):
    graph = carried(explore(network(widths), tmp_path / "page.html"))["graphs"][0]
    children = [0] * len(graph["groups"])
    for parent in [g["parent"] for g in graph["groups"][1:]] + graph["group"]:
        children[parent] += 1
    assert max(children) <= 100 and min(children[1:]) > 1      # never more than can be seen at once, never one thing
    if widths == [16, 16, 16, 1]:
        assert [g["parent"] for g in graph["groups"]].count(0) == 4


def test_hostile_text_stays_text(tmp_path):
    evil = '</script><img src=x onerror="alert(1)">\ue0000\ue001$$data$$'
    loss = Value(2.0, label=evil) * 3.0
    page = explore(loss, tmp_path / "page.html", title="<script>alert(2)</script>").read_text(encoding="utf8")
    assert "<img" not in page and "alert(2)</script>" not in page and page.count("</script>") == 3
    assert "eval(" not in "".join(p.read_text() for p in SOURCES) and "innerHTML" not in page
    assert re.search(r"default-src 'none'; script-src 'sha256-[^']+' 'wasm-unsafe-eval'; style-src 'sha256-", page)


SOURCES = sorted((Path(tg.__file__).parent / "viz" / "explorer").iterdir())


def test_the_page_needs_no_network_and_is_small(tmp_path):
    page = explore(network([16, 16, 16, 1]), tmp_path / "page.html")
    assert page.stat().st_size < 1_000_000
    text = page.read_text(encoding="utf8")
    assert not re.search(r'(src|href)="(?!#)', text) and "@import" not in text and "fetch(" not in text
    assert "Copyright (c) Michael Daines" in text                      # the notice travels with the code


# ---- training steps -------------------------------------------------------------------------------------------------

def trained(steps: int, **options) -> Recorder:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(40, 2)).astype(np.float32)
    classes = (inputs[:, 0] * inputs[:, 1] > 0).astype(np.float32)
    model = nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 1))
    optimizer = tg.optim.Adam(model.parameters(), lr=0.1)
    recorder = Recorder(points=(inputs, classes), predict=model, **options)
    x, y = tg.tensor(inputs), tg.tensor(classes).reshape(-1, 1)
    for _ in range(steps):
        loss = nn.functional.binary_cross_entropy_with_logits(model(x), y)
        recorder.record(loss)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return recorder


def test_training_steps_share_their_graph(tmp_path):
    recorder = trained(5)
    data = carried(explore(recorder, tmp_path / "page.html"))
    assert len(recorder) == len(data["frames"]) == 5 and len(data["graphs"]) == 1
    assert len({frame["v"][0] for frame in data["frames"]}) == 5       # the weights as they were then
    assert data["losses"] == sorted(data["losses"], reverse=True)
    assert {len(frame["field"]) for frame in data["frames"]} == {data["map"]["grid"] ** 2}
    assert data["frames"][0]["field"] != data["frames"][4]["field"]


def test_the_map_is_the_sign_of_the_prediction():
    x = np.array([[-1.0, -1.0], [1.0, 1.0]])
    recorder = Recorder(points=(x, [0, 1]), predict=lambda p: p[0] + p[1])
    recorder.record(Value(1.0) * 2.0)
    field, n = recorder.frames[0]["field"], recorder.map.facts["grid"]
    assert field[-n] == "j" and field[n - 1] == "J"                    # below left the one, above right the other
    several = Recorder(points=(x, [0, 1]), predict=lambda p: nn.functional.one_hot(tg.zeros(len(p), dtype=int), 3))
    several.record((tg.ones(1, requires_grad=True) * 2).sum())
    assert set(several.frames[0]["field"]) == {"0"}


def test_steps_are_spread_where_not_all_are_wanted_or_fit(tmp_path, monkeypatch):
    recorder = trained(9)
    data = carried(explore(recorder, tmp_path / "page.html", steps=3))
    assert [frame["step"] for frame in data["frames"]] == [0, 4, 8] and len(data["losses"]) == 9
    whole = explore(recorder, tmp_path / "page.html").stat().st_size
    monkeypatch.setitem(explore.__globals__, "write", lambda path, content: content)
    monkeypatch.setitem(explore.__globals__, "LIMIT", whole - 3000)
    assert 1 < explore(recorder, "page.html").count(b'"field"') < 9
    monkeypatch.setitem(explore.__globals__, "LIMIT", 1000)
    with pytest.raises(ValueError, match="too large"):
        explore(recorder, "page.html")


def test_the_page_of_the_gallery(tmp_path):
    gallery = Path(tg.__file__).parents[1] / "viz"
    data = carried(runpy.run_path(str(gallery / "explorer.py"))["page"](tmp_path / "page.html"))
    assert len(data["frames"]) == len(data["losses"]) == 100 and data["losses"][-1] < 0.3 * data["losses"][0]
    assert "(explorer.png)" in (gallery / "README.md").read_text(encoding="utf8")
    assert (gallery / "explorer.png").stat().st_size < 300_000


@pytest.mark.parametrize(("mistake", "error"), [
    (lambda path: explore(3.0, path), TypeError),
    (lambda path: explore(tg.ones(2, requires_grad=True) * 2, path), RuntimeError),
    (lambda path: explore(tg.ones(1), path), RuntimeError),
    (lambda path: explore(Recorder(), path), ValueError),
    (lambda path: Recorder(points=(np.ones((3, 2)), [0, 1])), TypeError),
    (lambda path: Recorder(points=(np.ones((3, 4)), [0, 1, 0]), predict=abs), ValueError),
])
def test_mistakes_are_explained(mistake, error, tmp_path):
    with pytest.raises(error):
        mistake(tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_a_freed_graph_is_refused(tmp_path):
    loss = (tg.ones(2, requires_grad=True) * 2).sum()
    loss.backward()
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        explore(loss, tmp_path / "page.html")


# ---- in a browser ---------------------------------------------------------------------------------------------------

TEXTS = """[...document.querySelectorAll('#graph .node')].map(g => [g.dataset.item,
    ...['.name', '.op', '.value', '.adjoint'].map(part => g.querySelector(part)?.textContent ?? null)])"""
TABLE = """[...document.querySelectorAll('#table tr')].slice(1).map(tr => [tr.className,
    ...[...tr.cells].map(td => td.textContent)])"""
FOCUSABLE = """[...document.querySelectorAll('a, button, input, select, [tabindex="0"]')]"""
NAMED = "one => one.textContent.trim() || one.ariaLabel || one.getAttribute('aria-labelledby') || one.id === 'answer'"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture
def opened(browser, tmp_path):
    """Opens the page of a loss; afterwards the page must not have complained."""
    def page(loss, **options):
        browser.errors.clear()
        browser.open(explore(loss, tmp_path / "page.html", **options))
        browser.wait(READY)
        return browser
    yield page
    assert browser.errors == []


def rectangle(selector: str) -> str:
    return f"document.querySelector('{selector}').getBoundingClientRect()"


def write(browser: Browser, answer: str) -> None:
    """Type into the field that has the focus, and press Enter."""
    for sign in answer:
        browser.press(sign)
    browser.call("Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", text="\r")
    browser.call("Input.dispatchKeyEvent", type="keyUp", key="Enter", code="Enter")


@in_browser
@pytest.mark.parametrize("make", [neuron, classifier])
def test_every_number_shown_is_the_engines(make, opened):
    """Step by step with the arrow key: values appear forward, adjoints backward, and the table is the memo table."""
    loss, names = make()
    table = memo_table(loss, names=names, fold=False)
    values = {row.name: figure(row.node) for row in table.entries}
    browser = opened(loss, names=names)
    forward, steps = browser.evaluate("[graph.forward.length, steps()]")
    assert steps == forward + len(table.entries)
    made, solved = {row.name for row in table.entries if row.node.is_leaf}, {}
    for t in range(1, steps + 1):
        browser.press("ArrowRight")
        rows = browser.evaluate(TABLE)
        if t <= forward:
            _, step, name, value, operation, with_numbers = rows[-1]
            assert (int(step), len(rows), value) == (t, t, values[name])
            made.add(name)
        else:
            b = t - forward
            entry, expected = table.entries[b - 1], table.rows()[b - 1]
            solved[entry.name] = figure(entry.adjoint)
            done = [row for row in rows if row[0] != "open"]
            kind, step, name, result, recurrence, with_numbers, hits = done[-1]
            assert (kind, len(done), name, result) == ("current", b, f"∂{entry.name}", solved[entry.name])
            assert (recurrence, int(hits)) == (expected["recurrence"], expected["hits"])
            assert with_numbers == expected["with numbers"] or not all(u.op.rules for u, _ in entry.users)
            card = browser.evaluate("document.getElementById('step').textContent")
            assert recurrence in card and with_numbers in card
        for _, name, _, value, adjoint in browser.evaluate(TEXTS):
            assert value == (values[name] if name in made else "·") or name not in values
            if name in solved:
                assert adjoint == f"∂ {solved[name]}"
            elif name in values:
                assert adjoint == "∂ ·" or adjoint.endswith(" …")
    assert solved.keys() == values.keys()
    assert browser.evaluate("document.getElementById('live').textContent").startswith(f"Backward {len(solved)} of")


def many_rules() -> Value:
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    return (a * b + a ** 2).max(b).exp() / (a - b) - a.log() * 2 + (-b) ** 0.5 + a ** b + abs(b)


def broadcast_and_indexed() -> tg.Tensor:
    x, b = tg.randn(3, 4, requires_grad=True), tg.ones(4, requires_grad=True)
    y = tg.cat([x + b, x[1:]], 0)
    return (y.T @ y).softmax(-1).var() + y.max(1)[0].sum()


def normalised() -> tg.Tensor:
    return nn.Sequential(nn.Embedding(5, 3), nn.LayerNorm(3), nn.Linear(3, 1))(tg.tensor([1, 1, 4])).sum()


def gradient_of_a_gradient() -> tg.Tensor:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    g, = tg.autograd.grad((x.tanh() ** 3).sum(), x, create_graph=True)
    return ((g - 1) ** 2).sum()


@in_browser
@pytest.mark.parametrize("make", [many_rules, broadcast_and_indexed, normalised, gradient_of_a_gradient])
def test_formulas_are_those_of_the_memo_table(make, opened):
    loss = make()
    table = memo_table(loss, fold=False)
    shown = opened(loss).evaluate("""graph.sweep.map(([k]) => ({ node: graph.name[k], operation: operation(k),
        recurrence: recurrence(k), 'with numbers': withNumbers(k),
        users: unique(graph.into[k].map(flow => flow.from)).length }))""")
    named = {row["node"]: row for row in table.rows()}                  # a table kept in a variable lends no names
    assert not [name for name in named if "entries" in name] and [row["node"] for row in shown] == list(named)
    for row in shown:
        expected = named[row["node"]]
        same = [key for key in ("operation", "recurrence", "with numbers") if row[key] == expected[key]]
        assert len(same) == 3 or "data" in row["operation"] + row["recurrence"]      # which has no name in the table
        assert row["users"] == len(set(expected["users"]))


@in_browser
def test_the_keyboard_alone_reaches_everything(opened):
    loss, names = neuron()
    browser = opened(loss, names=names)
    time = "state.time"
    for key, expected in (("End", 22), ("ArrowLeft", 21), ("Home", 0), ("b", 10), ("ArrowRight", 11)):
        browser.press(key)
        assert browser.evaluate(time) == expected == int(browser.evaluate("document.getElementById('scrub').value"))
    browser.press("?")
    assert browser.evaluate("document.getElementById('keys').open")
    browser.evaluate("document.querySelector('#keys button').click()")
    browser.evaluate("document.getElementById('speed').value = '60'")
    browser.press("Home")
    browser.press(" ")
    browser.wait("state.time === steps() && !timer")
    dark = "getComputedStyle(document.body).backgroundColor"
    before = browser.evaluate(dark)
    browser.press("d")
    assert browser.evaluate(dark) != before
    browser.press("/")
    write(browser, "w2")
    browser.wait("document.activeElement.dataset?.item")
    assert browser.evaluate("graph.name[document.activeElement.dataset.item]") == "w2"
    tip = browser.evaluate("document.getElementById('tip').textContent")
    assert "value1" in tip and f"adjoint{figure(loss_gradient('w2'))}" in tip and "usersv2" in tip
    heard = browser.evaluate("document.activeElement.getAttribute('aria-label')")
    assert heard.endswith(f"adjoint {figure(loss_gradient('w2'))}, used by v2")
    browser.press("Enter")                                              # from the node to its step
    assert browser.evaluate("graph.name[current()]") == "w2"
    assert browser.evaluate(f"{FOCUSABLE}.every({NAMED})")              # whatever can have the focus has a name


def loss_gradient(name: str) -> float:
    loss, names = neuron()
    loss.backward()
    return names[name].grad


@in_browser
def test_the_quiz_takes_the_right_answer_and_no_other(opened):
    loss, names = neuron()
    table = memo_table(loss, names=names, fold=False)
    browser = opened(loss, names=names)
    said = "document.getElementById('verdict').textContent"
    browser.press("q")
    for k, row in enumerate(table.entries):
        assert browser.evaluate("document.getElementById('asking').textContent") == f"Quiz: what is ∂{row.name}?"
        shown = browser.evaluate("document.querySelector('main').textContent")
        assert k == 0 or f"∂{row.name} = {figure(row.adjoint)}" not in shown
        if k == 1:                                                      # far off is wrong, and the hint tells no number
            write(browser, str(row.adjoint * 1.05 + 1))
            assert browser.evaluate(said).startswith("✗") and row.name in browser.evaluate(said)
            assert browser.evaluate("document.getElementById('derivation').textContent") == ""
        if k == 2:
            browser.evaluate("document.getElementById('tell').click()")
        else:
            write(browser, f"{row.adjoint / 2!r} * 2" if k % 2 else f"{row.adjoint * 1.004:.5f}")
            assert browser.evaluate(said) == f"✓ Right: ∂{row.name} = {figure(row.adjoint)}"
        derivation = browser.evaluate("document.getElementById('derivation').textContent")
        assert table.rows()[k]["recurrence"] in derivation and table.rows()[k]["with numbers"] in derivation
        write(browser, "")                                              # Enter: the next question
    assert browser.evaluate("document.getElementById('asking').textContent") == "Quiz: every adjoint is solved"
    assert browser.evaluate("[score.right, score.asked]") == [len(table.entries) - 2, len(table.entries)]


@in_browser
def test_the_quiz_asks_arrays_for_their_shape_or_their_elements(opened):
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    x = tg.ones(4, 2)
    browser = opened(((x * w) ** 2).sum(), names={"w": w})
    right = "(k => (text => isRight(k, text)))"
    browser.press("q")
    k = browser.evaluate("graph.name.indexOf('w')")
    large = browser.evaluate("graph.shape.findIndex((shape, k) => shape && graph.solved.has(k))")
    for answer, expected in (("8, 16", True), ("[8, 16.01]", True), ("8", False), ("8, 8+8", True), ("16, 8", False)):
        assert browser.evaluate(f"{right}({k})({answer!r})") is expected, answer
    for answer, expected in (("(4, 2)", True), ("4,2", True), ("(2, 4)", False)):
        assert browser.evaluate(f"{right}({large})({answer!r})") is expected, answer


@in_browser
@pytest.mark.parametrize(("text", "value"), [
    ("-3 * 0.5", -1.5), ("2**-1", 0.5), ("-2**2", -4.0), ("1/3", 1 / 3), ("(1 - .5) * 4", 2.0), ("1e-3", 1e-3),
    ("2 - 1 - 1", 0.0), ("−2", -2.0), ("2 2", None), ("", None), ("alert(1)", None), ("(1", None), ("*2", None)])
def test_the_calculator_of_the_quiz(text, value, opened):
    found = opened(Value(1.0) * 2.0).evaluate(f"(v => Number.isNaN(v) ? null : v)(calculated({text!r}))")
    assert found == value


@in_browser
def test_layers_fold_and_unfold(opened):
    loss, names = classifier()
    browser = opened(loss, names=names)
    items = "[...document.querySelectorAll('#graph [data-item]')].map(g => g.dataset.item)"
    everything = browser.evaluate(items)
    assert {"c1", "c2", "c3", "c4", "c5", "c6"} <= set(everything)
    browser.evaluate("document.querySelector('[data-item=c2]').focus()")
    browser.press("Enter")
    browser.wait(f"{READY} && document.querySelector('[data-item=g2]')")
    assert browser.evaluate("document.activeElement.dataset.item") == "g2"
    browser.press("b")
    browser.press("End")
    assert "adjoints solved" in browser.evaluate("document.querySelector('[data-item=g2]').getAttribute('aria-label')")
    browser.press("f")
    browser.wait("document.querySelector('[data-item=g1]')")
    assert browser.evaluate(items)[-2:] == ["g1", str(browser.evaluate("result()"))]
    browser.press("u")
    browser.wait("document.querySelector('[data-item=c6]')")
    assert sorted(browser.evaluate(items)) == sorted(everything)
    box = browser.evaluate(f"(r => [r.left + 20, r.top + 8])({rectangle('[data-item=c6]')})")
    for kind in ("mousePressed", "mouseReleased"):
        browser.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)
    browser.wait("document.querySelector('[data-item=g6]')")


@in_browser
def test_two_thousand_nodes_stay_usable(opened):
    browser = opened(network([17, 17, 17, 2]))
    assert browser.evaluate("graph.name.length") > 1900
    assert browser.evaluate("document.querySelectorAll('#graph .node').length") <= 45
    browser.press("End")
    assert browser.evaluate("document.querySelectorAll('#table tr').length") <= 61
    browser.press("u")                                                  # as much as can be read, in the worker
    browser.press("ArrowLeft")                                          # while it is laid out, the page answers
    assert browser.evaluate("steps() - state.time") == 1
    browser.wait(f"{READY} && document.querySelectorAll('#graph .node').length > 45")
    browser.press("/")
    write(browser, "v700")
    browser.wait("graph.name[document.activeElement.dataset?.item] === 'v700'")


@in_browser
def test_the_arrows_choose_among_the_nodes_found(opened):
    loss, names = neuron()
    browser = opened(loss, names=names)
    wanted = browser.evaluate("matches('w').map(k => graph.name[k])")
    assert len(wanted) > 1
    browser.press("/")
    browser.press("w")
    chosen = "by(by('search').getAttribute('aria-activedescendant')).textContent"
    for key, name in (("ArrowDown", wanted[1]), ("ArrowUp", wanted[0]), ("ArrowUp", wanted[-1])):
        browser.press(key)
        assert browser.evaluate(chosen).split()[0] == name
    write(browser, "")
    browser.wait(f"graph.name[document.activeElement.dataset?.item] === '{wanted[-1]}'")


@in_browser
def test_where_the_graph_cannot_be_laid_out_the_rest_works(browser, tmp_path):
    page = explore(neuron()[0], tmp_path / "page.html")
    browser.errors.clear()
    added = browser.call("Page.addScriptToEvaluateOnNewDocument", source="delete globalThis.Worker")
    browser.open(page)
    browser.wait("document.getElementById('waiting').textContent.includes('could not be laid out')")
    browser.press("End")
    assert browser.evaluate(TABLE)[-1][0] == "current" and browser.errors == []
    browser.call("Page.removeScriptToEvaluateOnNewDocument", **added)


@in_browser
def test_training_steps_are_scrubbed(opened):
    recorder = trained(6)
    browser = opened(recorder)
    weight = "document.querySelector('#parameters tr:nth-child(2)').textContent"
    first = browser.evaluate(weight)
    browser.press("]")
    browser.press("]")
    assert browser.evaluate("state.frame") == 2 and browser.evaluate(weight) != first
    said = browser.evaluate("document.getElementById('epoch').textContent").removeprefix("step 2 of 5 · loss ")
    assert float(said) == pytest.approx(recorder.losses[2], rel=1e-5)
    browser.press("[")
    browser.evaluate("by('frame').value = 5; by('frame').dispatchEvent(new Event('input'))")
    browser.press("End")
    value = browser.evaluate("document.querySelector('#graph .root .value').textContent")
    assert float(value) == pytest.approx(recorder.losses[5], rel=1e-5)
    colours = "new Set(document.getElementById('map').getContext('2d').getImageData(0, 0, 288, 288).data).size"
    assert browser.evaluate(colours) > 50


@in_browser
def test_hostile_names_are_only_shown(opened):
    evil = '<img src=x onerror="document.title=1">"; }'
    x = Value(2.0, label=evil)
    browser = opened(x * 3.0, title="<b>page</b>")
    browser.press("End")
    assert browser.evaluate("document.title") == "<b>page</b>" and browser.evaluate("document.images.length") == 0
    assert f"∂{evil}" in [row[2] for row in browser.evaluate(TABLE)]
    assert browser.evaluate("document.querySelector('h1').childElementCount") == 0


@in_browser
def test_a_touch_shows_a_node_and_unfolds_a_layer(opened):
    loss, names = classifier()
    browser = opened(loss, names=names)
    browser.call("Emulation.setTouchEmulationEnabled", enabled=True)

    def touch(item: str) -> None:
        x, y = browser.evaluate(f"(r => [r.left + 15, r.top + 10])({rectangle(f'[data-item={item}] rect')})")
        browser.call("Input.synthesizeTapGesture", x=x, y=y)

    node = browser.evaluate("graph.name.indexOf('model.2.bias')")
    touch(f'"{node}"')
    browser.wait("!document.getElementById('tip').hidden")
    assert "model.2.bias" in browser.evaluate("document.getElementById('tip').textContent")
    touch("c2")
    browser.wait("document.querySelector('[data-item=g2]')")
    touch("g2")
    browser.wait("document.querySelector('[data-item=c2]')")
    before = browser.evaluate("view.scale")
    for kind, apart in (("touchStart", 40), ("touchMove", 60), ("touchMove", 80), ("touchEnd", 0)):
        fingers = [{"x": 300 - apart, "y": 300, "id": 0}, {"x": 300 + apart, "y": 300, "id": 1}] if apart else []
        browser.call("Input.dispatchTouchEvent", type=kind, touchPoints=fingers)
    assert browser.evaluate("view.scale") == pytest.approx(2 * before, rel=1e-3)
    browser.call("Emulation.setTouchEmulationEnabled", enabled=False)


@in_browser
def test_what_has_the_focus_is_on_the_screen(opened):
    browser = opened(network([6, 6, 1]))
    browser.press("u")
    browser.wait(f"{READY} && document.querySelectorAll('#graph .node').length > 100")
    inside = """(([node, room]) => node.left >= room.left && node.right <= room.right && node.top >= room.top)(
        [document.activeElement, document.getElementById('stage')].map(one => one.getBoundingClientRect()))"""
    for k in (0, 50, 100):
        browser.evaluate(f"document.querySelectorAll('#graph .node')[{k}].focus()")
        assert browser.evaluate(inside)


@in_browser
@pytest.mark.parametrize(("width", "height"), [(390, 844), (320, 568), (1280, 800)])
def test_the_page_fits_the_screen(width, height, opened, browser):
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                 mobile=width < 800)
    loss, names = classifier()
    opened(loss, names=names)
    browser.press("End")
    browser.press("ArrowLeft")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    for one in ("#graph", "#play", "#card"):
        box = browser.evaluate(f"(r => [r.left, r.right, r.top])({rectangle(one)})")
        assert box[0] >= 0 and box[1] <= width and box[2] < height
    table, section = (browser.evaluate(f"{rectangle(one)}.bottom") for one in ("#memo .scroll", "#memo"))
    assert table <= section                                             # the table ends inside its card
    browser.call("Emulation.clearDeviceMetricsOverride")
