"""What stands together when a graph is explored: a tree of groups that fold, by layer; by structure without layers."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..graph import Node
from .survey import Survey

CROWD = 40                                            # so many things side by side are read at a glance
HANDFUL = 12                                          # of so many a crowd is made up where nothing else divides it


class Group:
    """Operations, leaves and smaller groups, in the order made."""

    __slots__ = ("name", "kind", "items")

    def __init__(self, name: str, kind: str = "", items: Iterable[Any] = ()):
        self.name, self.kind, self.items = name, kind, list(items)


def grouped(survey: Survey, name: Callable[[Node], str]) -> tuple[list[dict[str, Any]], dict[Node, int]]:
    """The groups, each with its name, its kind and the number of the group around it (0 is the whole), and the number
    of the group that each node lies in."""
    root, depth = Group("all"), deep(survey)
    for node in survey.nodes:
        if node.op is not None:
            at = into(root, node.note.layer, survey)
            at.items.append(node)
    thin(root, survey, name, depth)
    paths = dict(walked(root, ()))
    stacks: dict[Group, dict[Any, list[Node]]] = {}
    for node in survey.nodes:                         # a leaf lies where all that read it lie
        if node.op is None:
            readers = [paths[user] for user in survey.users[node]] or [(root,)]
            shared = [same[0] for same in zip(*readers, strict=False) if all(g is same[0] for g in same)]
            beyond = frozenset(path[len(shared)] if len(path) > len(shared) else None for path in readers)
            stacks.setdefault(shared[-1], {}).setdefault(beyond, []).append(node)
    for group, stack in stacks.items():
        leaves: list[Any] = [node for nodes in stack.values() for node in nodes]
        if len(leaves) + len(group.items) > CROWD:
            leaves = [heap(nodes, name, "leaves") for nodes in stack.values()]
        group.items = leaves + group.items
    groups: list[dict[str, Any]] = []
    home: dict[Node, int] = {}
    number(root, -1, groups, home)
    return groups, home


def into(root: Group, layer: str, survey: Survey) -> Group:
    """The group that the next operation of ``layer`` belongs to: the open one, or a new one for a new call."""
    at, path = root, ""
    for part in filter(None, layer.split(".")):
        path = f"{path}.{part}".lstrip(".")
        last = at.items[-1] if at.items else None
        if not (isinstance(last, Group) and last.name == part):
            at.items.append(last := Group(part, survey.classes.get(path, "")))
        at = last
    return at


def thin(group: Group, survey: Survey, name: Callable[[Node], str], depth: dict[Node, int]) -> None:
    """Divide what is crowded: where a neuron may end, then by depth (a layer of neurons), then in handfuls."""
    for item in group.items:
        if isinstance(item, Group):
            thin(item, survey, name, depth)
    for apart in (lambda a, b: ends(last(a), survey), lambda a, b: depth[last(a)] != depth[last(b)]):
        if len(group.items) <= CROWD:
            return
        runs = [[group.items[0]]]
        for before, item in zip(group.items, group.items[1:], strict=False):
            if apart(before, item):
                runs.append([])
            runs[-1].append(item)
        if len(runs) > 1:
            group.items = [heap(run, name) for run in runs]
    group.items = handfuls(group.items, name)


def ends(node: Node, survey: Survey) -> bool:
    """Whether a neuron may end here: a value that several read, or a function of one value."""
    return len(survey.users[node]) > 1 or sum(isinstance(x, Node) for x in survey.inputs[node]) == 1


def heap(items: list[Any], name: Callable[[Node], str], kind: str = "") -> Any:
    """Several things as one group, one thing as itself."""
    if len(items) == 1:
        return items[0]
    first, end = (item.name if isinstance(item, Group) else name(item) for item in (items[0], items[-1]))
    single = not kind and not isinstance(items[-1], Group)
    first, end = first.partition(" … ")[0], end.rpartition(" … ")[2]
    return Group(end if single else f"{first} … {end}", kind, handfuls(items, name, kind))


def handfuls(items: list[Any], name: Callable[[Node], str], kind: str = "") -> list[Any]:
    """``items``, in groups of a handful until they are no crowd."""
    while len(items) > CROWD:
        runs = [items[i:i + HANDFUL] for i in range(0, len(items), HANDFUL)]
        items = [heap(run, name, kind or "steps") for run in runs]
    return items


def deep(survey: Survey) -> dict[Node, int]:
    """How many operations lead to each node at most."""
    depth: dict[Node, int] = {}
    for node in survey.nodes:
        depth[node] = 1 + max((depth[x] for x in survey.inputs[node] if isinstance(x, Node)), default=-1)
    return depth


def last(item: Any) -> Node:
    """The node that ends a group."""
    while isinstance(item, Group):
        item = item.items[-1]
    return item


def walked(group: Group, path: tuple) -> Iterable[tuple[Node, tuple]]:
    """Every node below ``group``, with the groups around it from the outermost inwards."""
    path += (group,)
    for item in group.items:
        if isinstance(item, Group):
            yield from walked(item, path)
        else:
            yield item, path


def number(group: Group, parent: int, groups: list[dict[str, Any]], home: dict[Node, int]) -> None:
    """Number the groups from the outside in."""
    k = len(groups)
    groups.append({"name": group.name, "kind": group.kind, "parent": parent})
    for item in group.items:
        if isinstance(item, Group):
            number(item, k, groups, home)
        else:
            home[item] = k
