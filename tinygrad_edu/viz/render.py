"""From DOT to SVG, PNG and HTML: by ``dot``, else by pygraphviz, else in the reader's own browser."""
from __future__ import annotations

import gzip
import html
import json
import shutil
import subprocess
import sys
from importlib import resources
from importlib.util import find_spec

from ..errors import message
from .sheet import FONT

IMAGES = ("svg", "png")
LIKE_IT = "Helvetica,sans-serif"                      # for readers who lack the font
REMEDY = 'pip install "tinygrad_edu[viz]"'
# In a process of its own: the Graphviz inside pygraphviz writes warnings straight to stderr, is not made for threads,
# and where it fails it may take the process with it.
BY_PYGRAPHVIZ = """import sys, pygraphviz
text = sys.stdin.buffer.read().decode()
sys.stdout.buffer.write(pygraphviz.AGraph(string=text).draw(format=sys.argv[1], prog="dot"))"""


def by_dot(dot: str, format: str) -> bytes:
    """Render by the program ``dot``."""
    import graphviz
    return graphviz.Source(dot).pipe(format=format, quiet=True)


def by_pygraphviz(dot: str, format: str) -> bytes:
    """Render by the Graphviz that pygraphviz's wheels carry."""
    run = subprocess.run([sys.executable, "-c", BY_PYGRAPHVIZ, format], input=dot.encode(), capture_output=True,
                         check=True)
    return run.stdout


def renderers() -> list:
    """The ways to make an image that are at hand here, the best first."""
    found: list = []
    if shutil.which("dot") and find_spec("graphviz"):
        found.append(by_dot)
    if find_spec("pygraphviz"):
        found.append(by_pygraphviz)
    return found


def render(dot: str, format: str = "svg") -> bytes:
    """The picture of a DOT string as SVG or PNG; ImportError with the command that mends it where nothing can."""
    if format not in IMAGES:
        raise ValueError(message(f"a graph is not drawn as {format!r}", instead="svg, png, html or dot"))
    why = ["there is no `dot` on PATH and no pygraphviz"]
    for renderer in renderers():
        try:
            image = renderer(dot, format)
        except subprocess.CalledProcessError as error:    # a dot without the PNG plugin, a broken wheel: try the next
            said = (error.stderr or b"").decode(errors="replace").strip().splitlines()
            why.append(f"{renderer.__name__.removeprefix('by_')} failed: {said[-1] if said else error}")
            continue
        if image:
            return image
    raise ImportError(message(f"no {format.upper()} can be made here: {'; '.join(why[1:] or why)}",
                              instead=f"{REMEDY}, or save as .html, which needs nothing installed"))


def svg(dot: str) -> str:
    """The picture as SVG text, from its ``<svg>`` tag on, so that it can stand inside a page."""
    text = render(dot, "svg").decode().replace(f'font-family="{FONT}"', f'font-family="{FONT},{LIKE_IT}"')
    return text[text.index("<svg"):]


PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><base href="http://localhost/">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 15px/1.4 system-ui, sans-serif }}
body {{ margin: 1rem }} h1 {{ font-size: 1.1rem }}
#graph {{ overflow: auto }} #graph text {{ font-family: Arial, Helvetica, sans-serif }}
pre {{ overflow: auto; font-size: .8rem }} details {{ margin-top: 1rem; opacity: .75 }}
</style></head>
<body>{heading}<div id="graph" role="img" aria-label="{label}">{picture}</div>
<details><summary>DOT source</summary><pre>{dot}</pre></details>
{script}</body></html>
"""

# <base> above: viz-global.js asks for the address of its own script, and about:blank (a notebook's frame) has none.
IN_BROWSER = """<noscript>This page draws its graph with JavaScript, which is switched off here.</noscript>
<script>{viz}</script>
<script>
Viz.instance().then(viz => document.getElementById("graph").append(viz.renderSVGElement({dot})))
  .catch(error => {{ document.getElementById("graph").textContent = "The graph could not be drawn: " + error; }});
</script>
"""


def page(dot: str, title: str = "graph", *, carried: bool | None = None) -> str:
    """One HTML page with the picture, which needs no server and no network: the SVG itself where one can be made here
    (or ``carried`` is False), else Graphviz as WebAssembly, which draws it when the page is opened."""
    picture = script = ""
    if carried is None:
        carried = not renderers()
    if carried:
        script = IN_BROWSER.format(viz=viz_js(), dot=json.dumps(dot).replace("<", "\\u003c"))
    else:
        picture = svg(dot)
    safe = html.escape(title)
    return PAGE.format(title=safe, heading=f"<h1>{safe}</h1>" if title != "graph" else "", label=safe, picture=picture,
                       dot=html.escape(dot), script=script)


def frame(dot: str, title: str = "graph") -> str:
    """The page inside a notebook's cell."""
    inside = html.escape(page(dot, title, carried=True))
    return (f'<iframe srcdoc="{inside}" title="{html.escape(title)}" sandbox="allow-scripts" '
            'style="width:100%;height:24rem;border:0;resize:vertical"></iframe>')


def viz_js() -> str:
    """The JavaScript of @viz-js/viz, which defines ``Viz``: Graphviz compiled to WebAssembly (see vendor/README.md)."""
    packed = resources.files(__package__).joinpath("vendor", "viz-global.js.gz").read_bytes()
    return gzip.decompress(packed).decode()
