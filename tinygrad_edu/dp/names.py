"""What the nodes of a graph are called in the code of its user."""
from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Mapping
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import numpy as np

from ..errors import PACKAGE, message
from ..graph import Node

BUDGET = 50_000                                       # objects looked at in search of names
OPAQUE = (type, ModuleType, FunctionType, BuiltinFunctionType, str, bytes, int, float, complex, type(None))


class Names(dict):
    """Node -> name. Constants, plain arrays among them, have a name only where the user gave them one."""

    def of(self, x: Any) -> str | None:
        """The name of a node or of an array."""
        return self.get(x if isinstance(x, Node) else id(x))


def names_of(nodes: Iterable[Node], root: Node | None = None, given: Any = None) -> Names:
    """A name for each node, no two alike: what ``given`` says (a dictionary; ``locals()`` will do), the node's own name
    or label, the variable that holds it in the function that called this package, also inside lists, objects and
    modules; else v1, v2, ... in the order made. ``root`` is called L where nothing else names it."""
    nodes = list(nodes)
    known = set(nodes)
    constants = [x for node in nodes for x in [*(node.inputs or ()), *node.params.values()]
                 if isinstance(x, np.ndarray) or (isinstance(x, Node) and x not in known)]
    wanted = {id(x) for x in [*nodes, *constants]}
    said = given_names(given, wanted)
    seen = found_in(caller(), wanted - set(said))
    names, taken = Names(), set()
    for x in [*nodes, *constants]:
        name = said.get(id(x)) or (x.name if isinstance(x, Node) else None) or seen.get(id(x))
        key = x if isinstance(x, Node) else id(x)
        if name and key not in names:
            names[key] = unique(name, taken)
    if root is not None and root not in names:
        names[root] = unique(next((n for n in ("L", "loss", "result") if n not in taken), "L"), taken)
    k = 0
    for node in nodes:
        if node not in names:
            k += 1
            names[node] = unique(f"v{k}", taken)
    return names


def given_names(given: Any, wanted: set[int]) -> dict[int, str]:
    """The names that the user gives to the objects with the ids ``wanted``."""
    if given is not None and (not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given)):
        raise TypeError(message("names= maps names to nodes", instead='names={"w": w}, or names=locals()'))
    return found_in([given or {}], wanted)


def unique(name: str, taken: set[str]) -> str:
    """``name``, or ``name#2`` and so on where it is taken."""
    name = "".join(c if c.isprintable() else " " for c in name)
    one, k = name, 1
    while one in taken:
        k += 1
        one = f"{name}#{k}"
    taken.add(one)
    return one


def caller() -> list[Mapping]:
    """The variables of the innermost function outside this package, then those of its file; of a comprehension or a
    lambda also those of the function around it."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    places = [frame.f_locals]
    while frame.f_back is not None and frame.f_code.co_name.startswith("<") and frame.f_code.co_name != "<module>":
        frame = frame.f_back
        places.append(frame.f_locals)
    return [*places, frame.f_globals]


def found_in(places: Iterable[Mapping], wanted: set[int]) -> dict[int, str]:
    """The shortest way to write each of the objects with the ids ``wanted``: ``w``, ``ws[0]``, ``net.layers[1].w``."""
    names: dict[int, str] = {}
    seen: set[int] = set()
    todo = deque((name, x) for place in places for name, x in list(place.items())
                 if isinstance(name, str) and not name.startswith("_") and name not in ("In", "Out"))
    for _ in range(BUDGET):
        if not todo or len(names) == len(wanted):
            break
        name, x = todo.popleft()
        if isinstance(x, (Node, np.ndarray)):
            for thing in (x, getattr(x, "payload", x)):           # a parameter holds the array of a tensor
                if id(thing) in wanted:
                    names.setdefault(id(thing), name)
        elif not isinstance(x, OPAQUE) and id(x) not in seen:
            seen.add(id(x))
            todo.extend(parts(name, x))
    return names


def parts(name: str, x: Any) -> list[tuple[str, Any]]:
    """What ``x`` holds, and how that is written; nothing of the user's is called."""
    if isinstance(x, (list, tuple)):
        return [(f"{name}[{k}]", part) for k, part in enumerate(x)]
    if isinstance(x, dict):
        return [(f"{name}[{key!r}]", part) for key, part in x.items() if isinstance(key, (str, int))]
    inside = getattr(x, "__dict__", None)
    if type(inside) is not dict or type(x).__module__.startswith(__package__):    # a table of ours names nothing
        return []
    held = [inside.get(kind) for kind in ("_parameters", "_buffers", "_modules")]     # a Module keeps them apart
    own = {key: part for group in held if isinstance(group, dict) for key, part in group.items()}
    return [(f"{name}.{key}", part) for key, part in [*own.items(), *inside.items()]
            if isinstance(key, str) and not key.startswith("_")]
