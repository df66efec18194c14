"""draw(x): the graph of a computation, shown in a notebook or saved as SVG, PNG, HTML or DOT."""
from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import message
from ..files import write
from ..mode import enable_grad
from . import render
from .dot import to_dot

FORMATS = ("svg", "png", "html", "dot")


class Drawing:
    """A drawn graph: ``.dot`` is its text, ``.svg()``, ``.png()`` and ``.html()`` the picture, ``.save(path)`` a file.
    Shows itself in Jupyter."""

    __slots__ = ("dot", "title")

    def __init__(self, dot: str, title: str = "graph"):
        self.dot, self.title = dot, title

    def svg(self) -> str:
        """The picture as SVG text."""
        return render.svg(self.dot)

    def png(self) -> bytes:
        """The picture as PNG."""
        return render.render(self.dot, "png")

    def html(self) -> str:
        """The picture as a page that needs nothing installed and no network."""
        return render.page(self.dot, self.title)

    def save(self, path: str | os.PathLike, format: str | None = None) -> Path:
        """Write the picture whole or not at all, in the format that the path ends in (svg, png, html, dot)."""
        path = Path(path)
        format = (format or path.suffix[1:] or ("svg" if render.renderers() else "html")).lower()
        format = {"gv": "dot", "htm": "html"}.get(format, format)
        if format not in FORMATS:
            raise ValueError(message(f"a graph is not drawn as {format!r}", instead="svg, png, html or dot"))
        if not path.suffix:
            path = path.with_suffix("." + format)
        content = self.png() if format == "png" else (
            self.svg() if format == "svg" else self.html() if format == "html" else self.dot).encode()
        return write(path, content)

    def __str__(self) -> str:
        return self.dot

    def __repr__(self) -> str:
        return f"<Drawing of {self.title}: .save('graph.svg') writes it, .dot is its text>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        image, frame = self._repr_svg_(), self._repr_html_()
        return {"text/plain": repr(self), **({"image/svg+xml": image} if image else {"text/html": frame or ""})}

    def _repr_svg_(self) -> str | None:
        return self.svg() if render.renderers() else None

    def _repr_html_(self) -> str | None:
        return None if render.renderers() else render.frame(self.dot, self.title)


def draw(x: Any, inputs: Any = None, path: str | os.PathLike | None = None, *, format: str | None = None,
         fold: bool | int | None = None, direction: str = "LR", names: Mapping | None = None, module: Any = None,
         adjoints: Mapping | None = None, digits: int = 4, title: str = "") -> Drawing:
    """Draw the graph below ``x``: operations and values with their data and gradients, layers as clusters.

    ``draw(loss)`` of a Value, a Tensor or a list of them; ``draw(loss, "step.svg")`` writes it too (svg, png, html or
    dot); ``draw(model, inputs)`` runs the model forward and draws its output. Tensors show numbers while they are few,
    then shape and dtype. A graph of more than 150 nodes is folded by layer. A Tensor's ``backward()`` frees its graph:
    draw before it, or after ``backward(retain_graph=True)``, when gradients show as well. The rest as in ``to_dot``.

    >>> x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    >>> drawing = draw(x * w)
    >>> drawing.dot.startswith("digraph")
    True
    """
    if isinstance(inputs, (str, os.PathLike)) and path is None:
        inputs, path = None, inputs
    if hasattr(x, "named_parameters"):
        if inputs is None:
            raise TypeError(message("a module by itself has no graph yet: one comes from a forward pass",
                                    instead="draw(module, inputs), or draw(loss, module=module)"))
        module = x if module is None else module
        with enable_grad():
            x = x(*inputs) if isinstance(inputs, tuple) else x(inputs)
    elif inputs is not None:
        raise TypeError(message("inputs are for a module, and this is a graph already",
                                instead='draw(loss), draw(loss, "graph.svg") or draw(module, inputs)'))
    dot = to_dot(x, fold=fold, direction=direction, names=names, module=module, adjoints=adjoints, digits=digits,
                 title=title)
    drawing = Drawing(dot, title or ("graph" if module is None else type(module).__name__))
    if path is not None:
        drawing.save(path, format)
    return drawing
