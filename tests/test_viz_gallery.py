"""The gallery is current: each script still draws the committed picture, by its structure and not by its pixels."""
from __future__ import annotations

import re
import runpy
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tinygrad_edu.viz import render

GALLERY = Path(__file__).parents[1] / "viz"
SCRIPTS = sorted(GALLERY.glob("*.py"))
NUMBER = re.compile(r"-?\d+\.?\d*(e[-+]\d+)?")
SVG = "{http://www.w3.org/2000/svg}"


def structure(svg: str) -> dict[tuple, list]:
    """What is written on each node, edge and layer; positions and fonts left out."""
    found: dict[tuple, list] = {}
    for group in ET.fromstring(svg[svg.index("<svg"):]).iter(SVG + "g"):
        kind = group.get("class", "").split()
        title = group.find(SVG + "title")
        if not kind or kind[0] not in ("node", "edge", "cluster") or title is None:
            continue
        words = " ".join(t.text or "" for t in group.iter(SVG + "text")).replace("\xa0", " ").split()
        name = re.sub(r":p\d+", "", title.text or "") if kind[0] == "edge" else title.text
        found.setdefault((*kind, name), []).append(words)
    return {key: sorted(words) for key, words in found.items()}


def same(drawn: list, committed: list) -> bool:
    """Equal words; numbers may differ in their last digit, since processors round sums differently."""
    drawn, committed = sum(drawn, []), sum(committed, [])
    return len(drawn) == len(committed) and all(
        a == b or (NUMBER.fullmatch(a) and NUMBER.fullmatch(b) and float(a) == pytest.approx(float(b), rel=2e-3))
        for a, b in zip(drawn, committed, strict=True))


def test_there_is_a_gallery():
    assert SCRIPTS


@pytest.mark.skipif(not render.renderers(), reason="neither dot nor pygraphviz is here to draw with")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_picture_is_what_the_script_draws(script):
    committed = script.with_suffix(".svg").read_text(encoding="utf8")
    drawn = runpy.run_path(str(script))["picture"]().svg()
    now, then = structure(drawn), structure(committed)
    assert now.keys() == then.keys(), f"run `python viz/{script.name}` to draw it again"
    changed = {key: (now[key], then[key]) for key in now if not same(now[key], then[key])}
    assert not changed, f"run `python viz/{script.name}` to draw it again"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_index_shows_it(script):
    index = (GALLERY / "README.md").read_text(encoding="utf8")
    assert f"({script.stem}.svg)" in index and f"({script.name})" in index
    assert ET.parse(script.with_suffix(".svg")).getroot().tag == SVG + "svg"


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
