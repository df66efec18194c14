"""Renderers: which one is taken, what each really makes, and what Jupyter is shown."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from importlib.util import find_spec

import pytest
from browser import CHROMIUM, Browser

from tinygrad_edu import Value
from tinygrad_edu.viz import draw, render
from tinygrad_edu.viz.drawing import Drawing

needs_dot = pytest.mark.skipif(not shutil.which("dot"), reason="the program dot is not on PATH")
needs_pygraphviz = pytest.mark.skipif(not find_spec("pygraphviz"), reason="pygraphviz is not installed")
PNG = b"\x89PNG\r\n\x1a\n"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def drawing() -> Drawing:
    x = Value(2.0, label='a "<&\\N>" é')
    return draw((x * x).tanh(), title="one & two")


@pytest.fixture
def bare(monkeypatch):
    """A machine with neither dot nor pygraphviz."""
    monkeypatch.setattr(render, "renderers", lambda: [])


def titles(svg: str) -> set[str]:
    return {t.text for t in ET.fromstring(svg).iter(SVG + "title")}


def texts(svg: str) -> set[str]:
    return {(t.text or "").strip() for t in ET.fromstring(svg).iter(SVG + "text")}


# ---- which renderer -------------------------------------------------------------------------------------------------

def test_dot_first_then_pygraphviz(monkeypatch):
    monkeypatch.setattr(render, "find_spec", lambda name: True)
    monkeypatch.setattr(render.shutil, "which", lambda name: "/usr/bin/" + name)
    assert render.renderers() == [render.by_dot, render.by_pygraphviz]
    monkeypatch.setattr(render.shutil, "which", lambda name: None)
    assert render.renderers() == [render.by_pygraphviz]
    monkeypatch.setattr(render, "find_spec", lambda name: None)
    assert render.renderers() == []


def test_the_next_one_is_tried_when_one_fails(monkeypatch):
    def broken(dot, format):
        raise subprocess.CalledProcessError(1, ["dot"], stderr=b'Format: "png" not recognized.')
    monkeypatch.setattr(render, "renderers", lambda: [broken, lambda dot, format: b"picture"])
    assert render.render("digraph {}", "png") == b"picture"
    monkeypatch.setattr(render, "renderers", lambda: [broken])
    with pytest.raises(ImportError, match="not recognized"):
        render.render("digraph {}", "png")


@pytest.mark.parametrize("format", ["svg", "png"])
def test_what_cannot_render_names_the_one_command(bare, drawing, tmp_path, format):
    with pytest.raises(ImportError, match=r'pip install "tinygrad_edu\[viz\]"'):
        drawing.save(tmp_path / f"graph.{format}")
    assert os.listdir(tmp_path) == []


# ---- what each really makes -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("renderer", [pytest.param(render.by_dot, marks=needs_dot),
                                      pytest.param(render.by_pygraphviz, marks=needs_pygraphviz)])
def test_svg_and_png(renderer, drawing, monkeypatch):
    if renderer is render.by_pygraphviz:
        monkeypatch.setenv("PATH", "/nowhere")        # its own Graphviz, not the one of the system
    monkeypatch.setattr(render, "renderers", lambda: [renderer])
    svg = drawing.svg()
    assert svg.startswith("<svg") and {"n0", "n1", "n1op", "n2", "n2op"} <= titles(svg)
    assert {'a "<&\\N>" é', "tanh", "one & two"} <= texts(svg)
    assert drawing.png().startswith(PNG)


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium to open the page in")
def test_the_page_draws_itself_in_a_browser(bare, drawing, tmp_path):
    page = drawing.save(tmp_path / "graph.html")
    notebook = tmp_path / "notebook.html"             # a cell's frame has no address and may only run scripts
    notebook.write_text(f"<meta charset=utf-8><body>{render.frame(drawing.dot)}</body>", encoding="utf8")
    with Browser(tmp_path) as browser:
        browser.open(page)
        browser.wait("document.querySelector('#graph svg')")
        svg = browser.evaluate("new XMLSerializer().serializeToString(document.querySelector('#graph svg'))")
        browser.open(notebook)
        browser.attach("iframe")
        browser.wait("document.querySelectorAll('#graph svg g.node').length === 5")
        assert browser.errors == []
    assert {"n0", "n1", "n1op", "n2", "n2op"} <= titles(svg)
    assert {'a "<&\\N>" é', "tanh", "one & two"} <= texts(svg)


def test_the_page_needs_no_network(bare, drawing):
    page = drawing.html()
    assert "Copyright (c) Michael Daines" in page              # the notice travels with the code
    assert 'src="http' not in page and "<link" not in page and "default-src 'none'" in page
    assert "<h1>one &amp; two</h1>" in page


def test_hostile_text_stays_text_in_the_page(bare):
    page = draw(Value(1.0, label="</script><script>alert(1)</script>")).html()
    assert "</script><script>alert" not in page and page.count("</script>") == 2


@needs_dot
def test_where_it_can_be_drawn_the_page_carries_only_the_picture(drawing):
    assert "<svg" in drawing.html() and len(drawing.html()) < 50_000


# ---- files ----------------------------------------------------------------------------------------------------------

def test_the_suffix_says_the_format(bare, drawing, tmp_path):
    assert drawing.save(tmp_path / "a.dot").read_text(encoding="utf8") == drawing.dot
    assert drawing.save(tmp_path / "a.gv").read_text(encoding="utf8") == drawing.dot
    assert drawing.save(tmp_path / "b").suffix == ".html"      # what can be made here
    assert drawing.save(tmp_path / "c", "dot") == tmp_path / "c.dot"
    with pytest.raises(ValueError, match="svg, png, html or dot"):
        drawing.save(tmp_path / "d.bmp")
    draw(Value(1.0), tmp_path / "e.dot")
    assert sorted(os.listdir(tmp_path)) == ["a.dot", "a.gv", "b.html", "c.dot", "e.dot"]


# ---- Jupyter --------------------------------------------------------------------------------------------------------

@needs_dot
def test_jupyter_is_shown_an_svg(drawing):
    bundle = drawing._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg") and "text/html" not in bundle
    assert drawing._repr_html_() is None and drawing._repr_svg_() == bundle["image/svg+xml"]


def test_jupyter_is_shown_a_page_where_nothing_is_installed(bare, drawing):
    bundle = drawing._repr_mimebundle_()
    assert bundle["text/html"].startswith("<iframe srcdoc=") and "image/svg+xml" not in bundle
    assert drawing._repr_svg_() is None and 'sandbox="allow-scripts"' in bundle["text/html"]


def test_nothing_heavy_is_imported_before_it_is_used():
    code = ("import sys, tinygrad_edu.viz\n"
            "print([m for m in ('graphviz', 'pygraphviz', 'matplotlib') if m in sys.modules])")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
