"""What a picture of a graph has to show: its nodes oldest first, what each was made from, its name and its layer."""
from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ..dp.names import given_names
from ..dp.text import plain as payload
from ..errors import message
from ..graph import Node, born, version

FEW = 8                                               # so many numbers are shown as numbers; more as a shape


class Survey:
    """All nodes below ``roots``, oldest first, numbered from 0 in that order so that pictures are comparable.

    ``number`` is a node's number, ``inputs`` what it was made from (nodes and plain constants), ``users`` the nodes
    made from it, ``place`` the dotted path of its layer, ``classes`` the class of each layer that is a module.
    """

    __slots__ = ("roots", "nodes", "number", "inputs", "users", "place", "names", "classes")

    def __init__(self, x: Any, *, names: Any = None, module: Any = None):
        self.roots = roots_of(x)
        self.inputs = history(self.roots)
        self.nodes = sorted(self.inputs, key=born)
        self.number = {node: k for k, node in enumerate(self.nodes)}
        self.users: dict[Node, list[Node]] = {node: [] for node in self.nodes}
        for node in self.nodes:
            for x in dict.fromkeys(i for i in self.inputs[node] if isinstance(i, Node)):
                self.users[x].append(node)
        things = [x for node in self.nodes for x in (node, *self.inputs[node], *node.params.values())]
        self.names = given_names(names, {id(x) for x in things})
        self.classes: dict[str, str] = {}
        for layer, m in {node.note.layer: m for node in self.nodes if (m := module_of(node)) is not None}.items():
            self.classes[layer] = type(m).__name__
            for name, p in [*m._parameters.items(), *m._buffers.items()]:
                self.names.setdefault(id(p), f"{layer}.{name}")
        if module is not None:
            for name, p in [*module.named_parameters(), *module.named_buffers()]:
                self.names.setdefault(id(p), name)
        self.place: dict[Node, str] = {}
        for node in reversed(self.nodes):             # users first: a parameter goes where it is used
            self.place[node] = node.note.layer
            if not node.note.layer and is_parameter(node):
                self.place[node] = common([self.place[user] for user in self.users[node]])

    def name(self, x: Any, place: str = "") -> str:
        """The name of a node or constant in the user's code, without the path of the layer that it is drawn in."""
        name = self.names.get(id(x)) or (x.name if isinstance(x, Node) else None) or ""
        return name.removeprefix(place + ".") if place else name

    def constants(self, node: Node) -> list[tuple[int, Any]]:
        """The inputs of ``node`` that are plain numbers or arrays, with their positions."""
        return [(i, x) for i, x in enumerate(self.inputs[node]) if not isinstance(x, Node)]


def roots_of(x: Any) -> list[Node]:
    """The nodes in ``x``: one, or those in a list, tuple or dictionary."""
    if isinstance(x, Node):
        return [x]
    parts = x.values() if isinstance(x, Mapping) else x if isinstance(x, (list, tuple)) else None
    if parts is None:
        raise TypeError(message(f"a {type(x).__name__} has no graph to draw",
                                instead="draw(loss) of a Value, a Tensor or a list of them, or draw(module, inputs)"))
    found = list(dict.fromkeys(node for part in parts for node in roots_of(part)))
    if not found and parts is x:
        raise ValueError(message("an empty list has no graph to draw", instead="draw(loss)"))
    return found


def history(roots: Iterable[Node]) -> dict[Node, tuple]:
    """For every node below ``roots`` what it was made from; inputs that were changed in place since, as they were."""
    roots = list(roots)
    for root in roots:
        if root.inputs is None:
            raise RuntimeError(message(
                "there is nothing left to draw: backward() freed the graph as it passed",
                op=root.op.name if root.op else "", layer=root.note.layer,
                instead="draw(loss) before loss.backward(), or loss.backward(retain_graph=True)"))
    found: dict[Node, tuple] = {}
    todo = list(roots)
    while todo:                                       # no recursion: a chain may be a million nodes long
        node = todo.pop()
        if node in found:
            continue
        found[node] = tuple(version(x, node.born) if isinstance(x, Node) else x for x in node.inputs or ())
        todo.extend(x for x in found[node] if isinstance(x, Node))
    return found


def module_of(node: Node) -> Any:
    """The module inside which ``node`` was computed, where its note knows one that still lives."""
    module = getattr(node.note, "module", None)
    return None if module is None else module()


def is_parameter(node: Node) -> bool:
    """Whether ``node`` is a leaf that a module trains."""
    return node.op is None and type(node).__name__ == "Parameter"


def common(paths: list[str]) -> str:
    """The longest layer path that all ``paths`` lie in.

    >>> common(["encoder.0.self", "encoder.1"])
    'encoder'
    """
    parts = [path.split(".") for path in paths] or [[""]]
    return ".".join(first for first, *rest in zip(*parts, strict=False) if all(part == first for part in rest))


# ---- in words -------------------------------------------------------------------------------------------------------

def number(v: Any, digits: int = 4) -> str:
    """A number in few characters: exact ones short, rounded ones with all their digits.

    >>> number(2.0), number(0.593269992), number(7), number(1e-9), number(12345.678)
    ('2.0', '0.5933', '7', '1e-09', '12346')
    """
    if hasattr(v, "item"):
        v = float(str(v)) if v.dtype.itemsize < 8 and v.dtype.kind == "f" else v.item()    # 0.1, not 0.10000000149
    if not isinstance(v, float) or not math.isfinite(v):
        return str(v)
    v = float(f"{v:.12g}")
    size = math.floor(math.log10(abs(v))) if v else 0
    digits = max(digits, size + 1) if size < 6 else digits
    text = f"{v:#.{digits}g}".removesuffix(".")
    if float(text) == v:
        text = f"{v:.{digits}g}"
        return text if set(text) & set(".en") else text + ".0"
    return text


def shape(x: Any) -> str:
    """The shape of a tensor or array as text, nothing for a plain number.

    >>> shape(np.zeros((3, 4))), shape(2.0)
    ('(3, 4)', '')
    """
    size = getattr(payload(x), "shape", None)
    return "" if size is None else str(tuple(size))


def numbers(x: Any, digits: int = 4) -> list[str] | None:
    """The rows of ``x`` in figures, or None when there are more than a few."""
    value = payload(x)
    if not hasattr(value, "dtype"):
        return [number(value, digits)] if isinstance(value, (int, float, complex)) else [str(value)]
    if value.size > FEW or value.ndim > 2 or value.size == 0:
        return None
    rows = value if value.ndim == 2 else [value.ravel()]
    return ["  ".join(number(v, digits) for v in row) for row in rows]


def described(x: Any) -> str:
    """Shape and dtype of a tensor or array."""
    return f"{shape(x)} {payload(x).dtype}"
