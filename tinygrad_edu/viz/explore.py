"""The time machine: one HTML page on which forward and backward are stepped through, over one or many training steps.

All that the page shows is computed here, by the sweep that ``backward()`` runs; the page only puts it in its place.
"""
from __future__ import annotations

import base64
import hashlib
import html
import json
import os
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from ..creation import tensor
from ..dp.formula import contribution_text, operation, quantity, rule
from ..dp.names import Names, names_of, unique
from ..dp.steps import Flow, below, edges, seed
from ..dp.text import FEW, figure, plain, shape
from ..errors import message
from ..files import write
from ..graph import Node, sweep
from ..mode import no_grad, watch
from .groups import grouped
from .survey import Survey, is_parameter

LIMIT = 2_500_000                                     # bytes of a page, which has to go by e-mail
GRID = 36                                             # points along each side of the map that a network divides
SCRIPTS = ("steps.js", "graph.js", "app.js", "quiz.js", "training.js", "keys.js")
FOUND = "\ue000{}\ue001"                              # stands in a text for a node; no name can contain such signs


def explore(loss: Any, path: str | os.PathLike = "explore.html", *, names: Any = None, title: str = "",
            steps: int | None = None, digits: int = 6, tolerance: float = 0.01) -> Path:
    """Write a page on which to step through the computation of ``loss`` and back: one file, no server, no network.

    loss: a Value or Tensor that is one number and whose graph is not freed yet (call it before ``backward()``, or after
        ``backward(retain_graph=True)``); or a ``Recorder`` that has seen several training steps.
    names: what nodes are called, ``{"w": w}``; otherwise their own names and labels, and the caller's variables.
    steps: of so many recorded training steps at most every detail is kept, evenly spread; by default what fits.
    digits: significant digits. tolerance: how far, relatively, an answer in the quiz may be off.

    >>> import tempfile
    >>> w, x = Value(-3.0, label="w"), Value(2.0, label="x")
    >>> page = explore((w * x).tanh(), tempfile.mkdtemp() + "/neuron.html")
    >>> "default-src 'none'" in page.read_text(encoding="utf8")
    True
    """
    if isinstance(loss, Recorder):
        recorder = loss
    else:
        recorder = Recorder(names=names, digits=digits)
        recorder.record(loss)
    if not recorder.frames:
        raise ValueError(message("nothing was recorded yet", instead="recorder.record(loss) in each training step"))
    path = Path(path)
    keep = min(steps or len(recorder.frames), len(recorder.frames))
    while len(content := page(recorder.data(max(1, keep), tolerance), title or path.stem).encode()) > LIMIT:
        if keep <= 1:
            raise ValueError(message(
                f"the page would hold {len(content):,} bytes, and more than {LIMIT:,} open slowly: a graph of "
                f"{len(recorder.graphs[0]['name']):,} nodes is too large to be stepped through",
                instead="a smaller batch or network; its memo table folds: dp.memo_table(loss)"))
        keep = min(keep - 1, keep * LIMIT // len(content))
    return write(path, content)


class Recorder:
    """Keeps training steps for ``explore``: call ``record(loss)`` in each, before ``backward()`` frees the graph.

    names, digits: as in ``explore``. points: ``(inputs, classes)`` of a problem with two inputs, shape (n, 2) and (n,);
    then ``predict`` says where the network draws its boundary: for Tensors a function of a Tensor (m, 2), for Values a
    function of a list of two floats. Its result is one score, compared with ``threshold``, or a score for each class.

    >>> w, x = Value(0.5, label="w"), Value(2.0, label="x")
    >>> recorder = Recorder()
    >>> for _ in range(3):
    ...     loss = (w * x - 3.0) ** 2
    ...     recorder.record(loss)
    ...     w.grad = 0.0
    ...     loss.backward()
    ...     w.data -= 0.1 * w.grad
    >>> len(recorder), recorder.losses[0] > recorder.losses[2]
    (3, True)
    """

    def __init__(self, *, names: Any = None, points: Any = None, predict: Callable | None = None,
                 threshold: float = 0.0, digits: int = 6):
        if (points is None) != (predict is None):
            raise TypeError(message("points and predict belong together: the one is what the other divides",
                                    instead="Recorder(points=(x, y), predict=model)"))
        self.names, self.predict, self.threshold, self.digits = names, predict, threshold, digits
        self.texts: dict[str, int] = {}
        self.graphs: list[dict[str, Any]] = []
        self.frames: list[dict[str, Any]] = []
        self.losses: list[float] = []
        self.map = None if points is None else Map(*points)

    def __len__(self) -> int:
        return len(self.losses)

    def record(self, loss: Node) -> None:
        """Run the sweep of ``loss`` (its graph and every ``grad`` stay as they are) and keep what it did."""
        graph, frame = self._filmed(loss)
        if graph not in self.graphs:
            self.graphs.append(graph)
        if self.map is not None:
            frame["field"] = self.map.field(self.predict, bool(loss.scalar), self.threshold)
        value = float(plain(loss))
        self.frames.append(frame | {"graph": self.graphs.index(graph), "step": len(self.losses)})
        self.losses.append(value)

    __call__ = record

    def data(self, keep: int, tolerance: float) -> dict[str, Any]:
        """All that the page shows, of ``keep`` training steps."""
        chosen = sorted({round(k) for k in np.linspace(0, len(self.frames) - 1, keep)})
        return {"texts": list(self.texts), "graphs": self.graphs, "frames": [self.frames[k] for k in chosen],
                "losses": [x if np.isfinite(x) else None for x in self.losses], "tolerance": tolerance,
                "map": None if self.map is None else self.map.facts}

    def _text(self, text: str) -> int:
        return self.texts.setdefault(text, len(self.texts))

    def _filmed(self, loss: Node) -> tuple[dict[str, Any], dict[str, Any]]:
        """One graph and one set of numbers in it; the graph is the same in every step of an ordinary training."""
        one = seed(loss)
        survey = Survey(loss)
        names = names_of(below(loss), loss, self.names)       # as in memo_table
        taken = set(names.values())
        for node in survey.nodes:
            if node not in names:                     # what needs no gradient and has no name
                names[node] = unique("data", taken)
        groups, home = grouped(survey, names.__getitem__)
        number = survey.number
        tables = {node: Parts(node, survey.inputs[node], number, names, self.digits) for node in survey.nodes}
        solved, adjoints, flows = [], [], []
        flow = Flow()
        with watch(flow):
            for node, g in sweep([loss], [one], table=flow.table):
                sent = []
                for i, x in edges(node):
                    found, parts = rule(node, i, g), tables[node]
                    text = FOUND.format("g") + f" * d{FOUND.format('Y')}/d{FOUND.format('X')}" if found is None else \
                        contribution_text(node, i, FOUND.format("g"), parts.show, found)
                    sent.append([number[x], self._text(text)])
                    flows += [figure(flow.edges[node, i], self.digits), figure(flow.so_far(node, i), self.digits)]
                solved.append([number[node], int(bool(node.note.hooks)), sent])
                adjoints.append(figure(g, self.digits))
        graph = {
            "name": [names[node] for node in survey.nodes], "kind": [kind(node, loss) for node in survey.nodes],
            "op": [-1 if node.op is None else self._text(operation(node, tables[node].show)) for node in survey.nodes],
            "parts": [tables[node].parts for node in survey.nodes], "group": [home[node] for node in survey.nodes],
            "shape": [shape(node) if large(node) else "" for node in survey.nodes],
            "about": [self._text(about(node, survey)) for node in survey.nodes], "groups": groups, "sweep": solved}
        return graph, {"v": [figure(node, self.digits) for node in survey.nodes], "a": adjoints, "f": flows}


class Parts:
    """What the texts about one node speak of: its inputs, and arrays among its parameters, by their places."""

    def __init__(self, node: Node, inputs: tuple, number: dict[Node, int], names: Names, digits: int):
        self.node, self.number, self.names, self.digits = node, number, names, digits
        self.known: list[Any] = list(inputs)
        self.parts: list[Any] = [self.part(x) for x in inputs]

    def part(self, x: Any) -> Any:
        """The number of a node; of a constant its name and its figures."""
        if isinstance(x, Node) and x in self.number:
            return self.number[x]
        figures = quantity(x, self.digits)
        return [self.names.of(x) or figures, figures]

    def show(self, x: Any) -> str:
        """The sign that stands for ``x`` in a text."""
        if x is self.node:
            return FOUND.format("y")
        if not isinstance(x, Node) and not isinstance(x, np.ndarray):
            return quantity(x, self.digits)
        k = next((k for k, one in enumerate(self.known) if one is x), len(self.known))
        if k == len(self.known):
            self.known.append(x)
            self.parts.append(self.part(x))
        return FOUND.format(k)


class Map:
    """The plane of a problem with two inputs: its points, and on a grid what the network makes of every place."""

    def __init__(self, inputs: Any, classes: Any):
        self.inputs = np.asarray(plain(inputs))
        labels = np.asarray(plain(classes)).reshape(-1)
        if self.inputs.ndim != 2 or self.inputs.shape[1] != 2 or len(labels) != len(self.inputs):
            raise ValueError(message(f"a map needs points of shape (n, 2) with n classes, not {self.inputs.shape} with "
                                     f"{labels.shape}", instead="points=(x, y)"))
        low, high = self.inputs.min(0).astype(float), self.inputs.max(0).astype(float)
        margin = np.maximum(0.15 * (high - low), 1e-3)
        low, high = low - margin, high + margin
        across, up = (np.linspace(a, b, GRID) for a, b in zip(low, high, strict=True))
        self.grid = np.stack(np.meshgrid(across, up[::-1]), -1).reshape(-1, 2)          # rows from the top, as drawn
        place = (self.inputs - low) / (high - low)
        kinds = np.unique(labels, return_inverse=True)[1].reshape(-1)
        self.facts = {"grid": GRID, "points": [[round(float(x), 4), round(1 - float(y), 4), int(k)]
                                               for (x, y), k in zip(place, kinds, strict=True)],
                      "range": [figure(float(v), 3) for v in (low[0], high[0], low[1], high[1])]}

    def field(self, predict: Any, scalar: bool, threshold: float) -> str:
        """A letter for each place: of two classes a-j for the one and A-J for the other, the later the surer; of
        several a digit."""
        with no_grad():
            if scalar:
                rows = [predict([float(a), float(b)]) for a, b in self.grid]
                scores = np.array([[float(plain(s)) for s in (row if isinstance(row, (list, tuple)) else [row])]
                                   for row in rows])
            else:
                scores = np.asarray(plain(predict(tensor(self.grid.astype(self.inputs.dtype)))), float)
        scores = scores.reshape(len(self.grid), -1)
        if scores.shape[1] > 2:
            return "".join(str(k % 10) for k in scores.argmax(1))
        sure = scores[:, 0] - threshold if scores.shape[1] == 1 else scores[:, 1] - scores[:, 0]
        level = np.minimum(9, 10 * np.abs(sure) / (np.abs(sure).max() or 1)).astype(int)
        return "".join(("ABCDEFGHIJ" if s > 0 else "abcdefghij")[k] for s, k in zip(sure, level, strict=True))


def large(node: Node) -> bool:
    """Whether formulas show the node by its shape."""
    value = plain(node)
    return isinstance(value, np.ndarray) and value.ndim > 0 and (value.size > FEW or value.ndim > 2)


def kind(node: Node, loss: Node) -> str:
    """What a node is to the sweep."""
    if node is loss:
        return "root"
    if node.op is not None:
        return "result"
    return "data" if not node.requires_grad else "parameter" if is_parameter(node) or not node.scalar else "leaf"


def about(node: Node, survey: Survey) -> str:
    """Shape, dtype and layer."""
    value = plain(node)
    facts = [] if node.scalar else [shape(node), str(value.dtype)]
    return " · ".join([*facts, *filter(None, [survey.place[node]])])


# ---- the page -------------------------------------------------------------------------------------------------------

def page(data: dict[str, Any], title: str) -> str:
    """The page with its data; scripts run only if they are ours, by their hashes, and text of the user's stays text."""
    def part(name: str) -> str:
        return resources.files(__package__).joinpath("explorer", name).read_text(encoding="utf8")

    def hashed(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    style, script = part("style.css"), "\n".join(map(part, SCRIPTS))
    packed = resources.files(__package__).joinpath("vendor", "viz-global.js.gz").read_bytes()
    policy = (f"default-src 'none'; script-src {hashed(script)} 'wasm-unsafe-eval'; style-src {hashed(style)}; "
              "worker-src blob:; base-uri 'none'; form-action 'none'")
    said = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    filling = {"policy": policy, "title": html.escape(title), "style": style, "script": script,
               "data": said.replace("&", "\\u0026").replace("<", "\\u003c").replace("\u2028", "\\u2028"),
               "layout": base64.b64encode(packed).decode()}
    pieces = part("page.html").split("$$")            # text, name, text, ...: what is put in is not looked at again
    return "".join(filling[piece] if k % 2 else piece for k, piece in enumerate(pieces))
