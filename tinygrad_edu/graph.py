"""The graph: nodes, one clock, primitives with their rules, and the sweep. It knows no numbers.

A node is the value in your hand together with how it was made. Creation order is a topological order, so that
reverse mode is: collect the nodes below the result, sort them by birth, solve them newest first.
"""
from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterable, Iterator
from types import MethodType
from typing import Any

from .errors import Spoiled, freed, message, translated, unregistered
from .mode import Note, capturing, local

tick = itertools.count(1).__next__                    # the one clock: births of nodes and in-place changes


class Node:
    """A value that remembers what made it.

    ``payload`` the number or array, ``op`` the primitive that made it (None for a leaf), ``inputs`` what it was made
    from (nodes, and plain numbers or arrays as constants; None once freed), ``born`` its time of creation, ``note``
    its layer, name and in-place change. No closures and no cycles: dropping the last node frees the graph.
    """

    __slots__ = ("payload", "op", "born", "note")     # a Tensor has a slot for its inputs, a Value for each of its two
    payload: Any
    op: Any
    inputs: Any
    left: Any
    right: Any
    born: int
    note: Note
    _hooked: Any                                      # how a Tensor calls its hooks
    params: dict[str, Any] = {}                       # keyword arguments of op; a Tensor has its own
    requires_grad = True
    base: Node | None = None                          # the node whose memory this one views
    scalar: bool | None = False                       # whether the payload is a Python number; None: and meets any kind

    @staticmethod
    def _record(op: Primitive, inputs: tuple, params: dict, y: Any, recorded: bool) -> Node:
        """Wrap ``y = op(*inputs, **params)`` as a node, with its history when ``recorded``."""
        raise NotImplementedError                     # each kind of node knows its own numbers

    @staticmethod
    def _fit(c: Any, x: Node, g: Any = None) -> Any:
        """Bring the contribution ``c`` to the shape and dtype of the input ``x`` that was broadcast. The first one
        of a leaf comes with the ``g`` that it was computed from, and is given memory of its own."""
        return c

    @property
    def name(self) -> str | None:
        """The name that the node has in drawings and tables."""
        return self.note.name

    @name.setter
    def name(self, name: str | None) -> None:
        self.note = self.note.but(name=name)

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this node."""
        return self.op is None

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """``np.exp(node)``, ``ndarray * node``: the primitive whose function is that ufunc, so that it is recorded."""
        if method == "reduce" and (whole := REDUCTIONS.get(ufunc)):
            return whole(*inputs, **kwargs)
        known = BY_FUNCTION.get(ufunc)
        if known is None or method != "__call__" or kwargs:
            raise unregistered(ufunc, method, kwargs)
        return known(*inputs)

    def __array_function__(self, func: Any, types: Any, args: tuple, kwargs: dict) -> Any:
        """``np.concatenate([t, a])`` and the like: the registered twin; any other NumPy function raises TypeError."""
        known = BY_FUNCTION.get(func)
        if known is None:
            raise unregistered(func, "__call__", {})
        return known(*args, **kwargs)


# ---- primitives and their families ----------------------------------------------------------------------------------

REGISTRY: dict[str, Primitive] = {}                   # by name: drives the tests and the drawings
BY_FUNCTION: dict[Any, Callable] = {}                 # by NumPy function: what np.exp(x) becomes
REDUCTIONS: dict[Any, Callable] = {}                  # by ufunc: what np.add.reduce(x) becomes


HERE = __name__.partition(".")[0]                      # the package's name


class Primitive:
    """A function on plain numbers or arrays and, for each input, one rule ``rule(g, y, *inputs, **params)``: what flows
    back to that input when ``g`` is the adjoint of the output ``y``. Called with a node among its inputs it records."""

    def __init__(self, name: str, fn: Callable, rules: tuple, family: str, *, joint: Callable | None = None,
                 scalar: Callable | None = None, promotes: bool = False, views: bool = False, doc: str = "",
                 register: bool = True):
        if register and name in REGISTRY and REGISTRY[name].home.startswith(HERE):
            raise ValueError(message(f"a primitive named {name!r} is registered already", op=name,
                                     instead="another name: names are how rules are found"))
        self.home = str(getattr((rules or (joint or fn,))[0], "__module__", ""))     # your own may be declared again
        self.name = self.__name__ = name
        self.fn, self.rules, self.family, self.joint = fn, rules, family, joint
        self.scalar, self.promotes, self.views, self.__doc__ = scalar or fn, promotes, views, doc
        self.differentiable = bool(rules) or joint is not None
        self.binary = len(rules) == 2
        self.unary = len(rules) == 1 and joint is None
        self.simple = 1 <= len(rules) <= 2 and joint is None and not takes_parameters(rules)
        if register:
            REGISTRY[name] = self
            BY_FUNCTION.setdefault(fn, self)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __get__(self, node: Any, owner: type) -> Any:
        """As a class attribute a primitive is a method: ``x.exp()`` is ``exp(x)``."""
        return self if node is None else MethodType(self, node)

    def __call__(self, *inputs: Any, **params: Any) -> Any:
        kind, recorded, values = None, False, []
        for x in inputs:
            if isinstance(x, Node):
                if kind is None or kind.scalar is x.scalar or kind.scalar is None:
                    kind = x
                elif x.scalar is not None:
                    raise TypeError(message("a Value and a Tensor in one operation", op=self.name, inputs=inputs,
                                            instead="make both Tensors: tensor(v.data)"))
                if x.requires_grad:
                    recorded = True
                values.append(x.payload)
            else:
                values.append(x)
        if kind is None:
            return self.fn(*inputs, **params)
        mode = local.mode
        try:
            fn = self.fn if kind.scalar is False else self.scalar
            y = fn(*values, **params) if params else fn(*values)
        except Exception as error:
            if watcher := capturing():
                watcher.raised(self, kind, error)
            raise translated(error, self.name, inputs, mode.note.layer, params) from None
        return kind._record(self, inputs, params, y, recorded and mode.recording)


def takes_parameters(rules: tuple) -> bool:
    """Whether the rules take more than g, y and the inputs."""
    return any(rule.__code__.co_argcount + rule.__code__.co_kwonlyargcount != 2 + len(rules) for rule in rules)


def elementwise(name: str, fn: Callable, *rules: Callable, **options: Any) -> Primitive:
    """A primitive applied to each element by itself (its Jacobian is diagonal): forward mode uses the same rules."""
    return Primitive(name, fn, rules, "elementwise", promotes=True, **options)


def linear(name: str, fn: Callable, *rules: Callable, jointly: bool = False, **options: Any) -> Primitive:
    """A primitive linear in each argument (or in all ``jointly``): forward mode applies the function to the tangent."""
    return Primitive(name, fn, rules, "jointly linear" if jointly else "linear", **options)


def primitive(name: str, fn: Callable, *rules: Callable, **options: Any) -> Primitive:
    """Any other primitive: forward mode transposes its rules. Without rules it has no derivative (argmax, rounding)."""
    return Primitive(name, fn, rules, "general", **options)


# ---- the dynamic program --------------------------------------------------------------------------------------------

born = operator.attrgetter("born")


class Clock:
    """When the newest in-place change of this process happened; sweeps of older graphs need not look for changes."""

    changed = 0


def stamp(node: Node) -> None:
    """Note that the payload of ``node`` (and of all that share its memory) changed in place now."""
    Clock.changed = tick()
    owner = node if node.base is None else node.base
    if not owner.note.own:
        owner.note = owner.note.but()
        owner.note.own = True
    owner.note.changed = Clock.changed


def order(roots: Iterable[Node]) -> list[Node]:
    """All nodes below ``roots`` that a gradient can reach, oldest first: a topological order, since a node is younger
    than its inputs. An input that was rebuilt in place after its use is followed back to the version that was used."""
    found: list[Any] = []
    stack: list[Any] = list(dict.fromkeys(roots))     # depth first, so that neighbours in memory stay together
    seen = set(stack)
    every = bool(stack) and stack[0].scalar           # every Value needs a gradient
    while stack:
        node = stack.pop()
        found.append(node)
        if node.op is None:
            continue
        if every:                                     # the general case below, written out for speed
            a, b = node.left, node.right
            if a is None:
                raise freed(node)
            if a not in seen and isinstance(a, Node):
                seen.add(a)
                stack.append(a)
            if b is not None and b not in seen and isinstance(b, Node):
                seen.add(b)
                stack.append(b)
            continue
        if node.inputs is None:
            raise freed(node)
        birth = node.born
        for x in node.inputs:
            if isinstance(x, Node) and x.requires_grad:
                if x.born > birth:
                    used = version(x, birth)
                    node.inputs = tuple(used if i is x else i for i in node.inputs)
                    x = used
                    if not x.requires_grad:
                        continue
                if x not in seen:
                    seen.add(x)
                    stack.append(x)
    found.sort(key=born)
    return found


def version(x: Any, when: int) -> Any:
    """The version of ``x`` that existed at ``when``: each in-place step keeps the one before as its first input."""
    while isinstance(x, Node) and x.born > when and x.inputs:
        x = x.inputs[0]
    return x


def sweep(roots: Iterable[Node], seeds: Iterable[Any], *, targets: Iterable[Node] | None = None,
          create_graph: bool = False, retain_graph: bool = True,
          table: dict | None = None) -> Iterator[tuple[Any, Any]]:
    """Reverse mode as a dynamic program, one solved subproblem at a time: yields ``(node, adjoint)``.

    Subproblem: the adjoint of a node, d root / d node. Memo table: ``table``. Order: newest first, when every user of
    a node is already solved. Recurrence: adjoint(x) = sum over users of rule(adjoint of user). With ``create_graph``
    the rules are applied to nodes, so the adjoints are nodes with a graph of their own; without ``retain_graph`` each
    node forgets its inputs once it is passed. Only nodes that lead to ``targets`` are solved, when given.
    """
    table = {} if table is None else table
    for root, g in zip(roots, seeds, strict=True):
        table[root] = table[root] + g if root in table else g
    todo = order(table)
    wanted = None if targets is None else leads_to(todo, targets)
    first = 0
    for node in todo:
        if node.op is not None:
            first = node.born
            break
    may_have_changed = Clock.changed > first          # else no value of this graph changed after it was used
    flowed = local.mode.watch and local.mode.watch.flowed
    plain = not (create_graph or may_have_changed or flowed or wanted is not None)
    every = bool(todo) and todo[0].scalar
    solved = table.get
    try:
        while todo:
            node = todo.pop()
            g = table.pop(node, None)
            if g is None or (wanted is not None and node not in wanted):
                continue
            if not every and node.note.hooks:
                for hook in node.note.hooks:
                    g = node._hooked(hook, g, create_graph)
            op = node.op
            if op is None:
                pass
            elif plain and (op.simple or (op.unary and len(node.inputs) == 1)):    # the general case, written out
                rules, y = op.rules, node.payload
                if every:
                    a, b = node.left, node.right
                elif op.binary:
                    a, b = node.inputs
                else:
                    a, b = node.inputs[0], None
                u = a.payload if isinstance(a, Node) else a
                v = b.payload if isinstance(b, Node) else b
                if u is not a and (every or a.requires_grad):
                    if op.binary:
                        c = rules[0](g, y, u, v)
                    else:
                        c = rules[0](g, y, u, **params) if (params := node.params) else rules[0](g, y, u)
                    have = solved(a)
                    if c.__class__ is not float:
                        c = a._fit(c, a, g if have is None else None)
                    table[a] = c if have is None else have + c
                if v is not b and (every or b.requires_grad):
                    c = rules[1](g, y, u, v)
                    have = solved(b)
                    if c.__class__ is not float:
                        c = b._fit(c, b, g if have is None else None)
                    table[b] = c if have is None else have + c
            else:
                inputs = node.inputs
                if create_graph:
                    y, values = node, inputs
                else:
                    y, values = node.payload, [x.payload if isinstance(x, Node) else x for x in inputs]
                if may_have_changed:
                    y, values = spoiled(node, y, values)
                params, joint = node.params, op.joint
                if joint is not None:
                    needs = [isinstance(x, Node) and x.requires_grad for x in inputs]
                    parts = joint(g, y, *values, needs=needs, **params)
                for i, x in enumerate(inputs):
                    if not isinstance(x, Node) or not x.requires_grad or (wanted is not None and x not in wanted):
                        continue
                    c = parts[i] if joint is not None else op.rules[i](g, y, *values, **params)
                    have = solved(x)
                    if c.__class__ is not float:
                        c = x._fit(c, x, g if have is None else None)
                    if flowed:
                        flowed(node, x, c)
                    table[x] = c if have is None else have + c
            yield node, g
            if not retain_graph and op is not None:
                node.inputs = None
    except Exception as error:                        # a hook of the user's, or a rule that does not fit
        if "operation:" not in str(error):
            error.add_note(message("this happened on the way back", op=node.op.name if node.op else "",
                                   layer=node.note.layer, inputs=node.inputs or ()))
        raise


def leads_to(nodes: list[Node], targets: Iterable[Node]) -> set[Node]:
    """Those of ``nodes`` (oldest first) through which a change of ``targets`` reaches the result."""
    useful = set(targets)
    for node in nodes:
        if any(isinstance(x, Node) and x in useful for x in node.inputs):
            useful.add(node)
    return useful


def spoiled(node: Node, y: Any, values: Any) -> tuple[Any, list]:
    """The output and inputs of ``node`` as its rules may read them: one changed in place since is replaced by a
    ``Spoiled``, which knows its shape and refuses to be read."""
    def as_used(x: Any, value: Any) -> Any:
        if not isinstance(x, Node):
            return value
        owner = x if x.base is None else x.base
        if x is not node and node.born > owner.born > x.born:
            raise RuntimeError(message(
                f"a view ({x.op.name if x.op else 'detached'}) was used after the tensor that it views was changed in "
                "place, so its history is out of date", op=node.op.name, layer=node.note.layer,
                instead="take the view again after the change"))
        return Spoiled(x, node, value) if max(owner.note.changed, x.note.changed) > node.born else value

    return as_used(node, y), [as_used(x, value) for x, value in zip(node.inputs, values, strict=True)]
