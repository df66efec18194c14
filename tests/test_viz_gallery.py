"""The gallery is current: each script still draws the committed picture, by its structure and not by its pixels."""
from __future__ import annotations

import html
import math
import re
import runpy
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tinygrad_edu.viz import Drawing, render

GALLERY = Path(__file__).parents[1] / "viz"
SCRIPTS = sorted({*GALLERY.glob("*.py")} - {GALLERY / "explorer.py"})    # that is a page, tested in a browser
NUMBER = re.compile(r"-?\d+\.?\d*(e[-+]\d+)?")
SVG = "{http://www.w3.org/2000/svg}"


def structure(svg: str) -> dict[tuple, list]:
    """What is written on each node, edge and layer and below the graph; in a picture that is no graph each piece of
    text, and how many shapes there are of each kind. Positions, sizes and colours are left out."""
    root = ET.fromstring(svg[svg.index("<svg"):])
    found: dict[tuple, list] = {}
    for group in root.iter(SVG + "g"):
        kind = group.get("class", "").split()
        title = group.find(SVG + "title")
        if not kind or kind[0] not in ("graph", "node", "edge", "cluster") or title is None:
            continue
        texts = group.findall(SVG + "text") if kind[0] == "graph" else group.iter(SVG + "text")
        name = re.sub(r":p\d+", "", title.text or "") if kind[0] == "edge" else title.text
        found.setdefault((*kind, name), []).append(split(" ".join(t.text or "" for t in texts)))
    if not found:
        shapes = Counter(shape.tag.removeprefix(SVG) for shape in root.iter())
        found = {("shapes", kind): [[str(n)]] for kind, n in shapes.items()}
        found["texts", ""] = [split(t.text or "") for t in root.iter(SVG + "text")]
    return {key: sorted(words) for key, words in found.items()}


def unrendered(dot: str) -> dict[tuple, list]:
    """What is written on each node and edge of a drawing, from its DOT text: no Graphviz is needed for that."""
    found: dict[tuple, list] = {}
    for line in dot.splitlines():
        statement = re.fullmatch(r" *(\w+)(?: -> (\w+)(?::p\d+)?)?(?: \[(.*)\])?;?", line)
        if statement is None or statement[1] in ("graph", "node", "edge"):
            continue
        tail, head, facts = statement.groups()
        label = re.search(r"\blabel=<(.*)>", facts or "")
        text = html.unescape(re.sub(r"<[^<>]*>", " ", label[1])) if label else ""
        found.setdefault(("edge", f"{tail}->{head}") if head else ("node", tail), []).append(sorted(split(text)))
    return {key: sorted(words) for key, words in found.items()}


def split(text: str) -> list[str]:
    return text.replace("\xa0", " ").split()


def same(drawn: list, committed: list) -> bool:
    """Equal words; numbers may differ in their last digit, since processors round sums differently."""
    drawn, committed = ([word.strip("(),:") for words in lines for word in words] for lines in (drawn, committed))
    return len(drawn) == len(committed) and all(
        a == b or (NUMBER.fullmatch(a) and NUMBER.fullmatch(b) and float(a) == pytest.approx(float(b), rel=2e-3))
        for a, b in zip(drawn, committed, strict=True))


def compare(now: dict[tuple, list], then: dict[tuple, list], script: Path) -> None:
    remedy = f"run `python viz/{script.name}` to draw it again"
    assert now.keys() == then.keys(), remedy
    changed = {key: (now[key], then[key]) for key in now if not same(now[key], then[key])}
    assert not changed, remedy


@pytest.fixture(scope="module", params=SCRIPTS, ids=lambda path: path.stem)
def drawn(request):
    """A script, what it draws now, and the structure of the committed picture."""
    committed = request.param.with_suffix(".svg").read_text(encoding="utf8")
    return request.param, runpy.run_path(str(request.param))["picture"](), structure(committed)


def test_there_is_a_gallery():
    assert {"neuron", "reused_node", "smith_222", "mlp_step", "tanh_twice", "rnn_unrolled", "conv_shared", "memo_table",
            "race_chart", "path_lens", "jacobian_bracketing"} <= {script.stem for script in SCRIPTS}


def test_the_picture_says_what_the_script_says(drawn):
    script, picture, then = drawn
    if isinstance(picture, Drawing):
        boxes: dict[tuple, list] = {}
        for (kind, *_, name), lines in then.items():
            if kind in ("node", "edge"):
                boxes.setdefault((kind, name), []).extend(sorted(words) for words in lines)
        compare(unrendered(picture.dot), {key: sorted(words) for key, words in boxes.items()}, script)
    else:
        compare(structure(picture if isinstance(picture, str) else picture.svg()), then, script)


@pytest.mark.skipif(not render.renderers(), reason="neither dot nor pygraphviz is here to draw with")
def test_the_picture_is_what_the_script_draws(drawn):
    script, picture, then = drawn
    if isinstance(picture, Drawing):
        compare(structure(picture.svg()), then, script)


def test_every_picture_has_its_script():
    assert {path.stem for path in GALLERY.glob("*.svg")} == {path.stem for path in SCRIPTS}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_index_shows_it(script):
    index = (GALLERY / "README.md").read_text(encoding="utf8")
    assert f"({script.stem}.svg)" in index and f"({script.name})" in index
    assert ET.parse(script.with_suffix(".svg")).getroot().tag == SVG + "svg"


def test_what_the_index_links_to_is_there():
    index = (GALLERY / "README.md").read_text(encoding="utf8")
    assert not [link for link in re.findall(r"\]\(([^)]+)\)", index) if not (GALLERY / link).exists()]


def test_the_four_paths_of_the_lens_add_up():
    words = structure((GALLERY / "path_lens.svg").read_text(encoding="utf8"))["graph", "path_lens"][0]
    text = " ".join(words)
    products = [list(map(float, re.findall(r"-?\d+\.\d+", line))) for line in re.findall(r"E ([^→=a-z]+= \S+)", text)]
    assert len(products) == 4
    for *factors, product in products:
        assert math.prod(factors) == pytest.approx(product, rel=5e-3)
    total, gradient = map(float, (words[words.index("paths") + 1], words[-1]))
    assert sum(product for *_, product in products) == pytest.approx(total, abs=3e-4) == gradient


def test_the_convolution_shows_a_sum_over_positions():
    said = structure((GALLERY / "conv_shared.svg").read_text(encoding="utf8"))
    sent = [list(map(float, lines[0])) for key, lines in said.items() if key[0] == "edge"]
    windows = np.lib.stride_tricks.sliding_window_view([0, 1, 3, 3, 2, 0], 3)
    assert sorted(sent) == sorted((windows * np.array([[1], [-1], [2], [1]])).tolist())
    assert list(map(float, said["node", "w"][0][-3:])) == np.sum(sent, 0).tolist()


def test_the_smith_network_shows_the_numbers_of_the_deck():
    words = structure((GALLERY / "smith_222.svg").read_text(encoding="utf8"))
    shown = {line[0]: dict(zip(line[1::2], map(float, line[2::2]), strict=True))
             for (kind, *_), lines in words.items() for line in lines if kind == "node" and line[1:2] == ["data"]}
    assert {name: shown[name]["data"] for name in ("net_h1", "out_h1", "out_h2", "net_o1", "out_o1", "out_o2")} == \
        pytest.approx({"net_h1": 0.3775, "out_h1": 0.593269992, "out_h2": 0.596884378, "net_o1": 1.105905967,
                       "out_o1": 0.75136507, "out_o2": 0.77292847}, rel=1e-3)
    assert shown["E"]["data"] == pytest.approx(0.298371109, rel=1e-3)
    assert shown["w5"]["adjoint"] == pytest.approx(0.082167041, rel=1e-3)
    for name, before, after in (("w6", 0.45, 0.40866619), ("w7", 0.50, 0.51130127), ("w8", 0.55, 0.56137012),
                                ("w1", 0.15, 0.14978072), ("w2", 0.20, 0.19956143), ("w3", 0.25, 0.24975114),
                                ("w4", 0.30, 0.29950229)):
        assert shown[name]["adjoint"] == pytest.approx((before - after) / 0.5, rel=1e-3), name
