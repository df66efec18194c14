"""The text of a levelled program: one vector V of all values, one D of all adjoints for each sweep, a few calls for
each level forward, and the same levels backward with the primitives' own rules. Pieces of V and D are named after what
they hold."""
from __future__ import annotations

import ast
import math
from bisect import bisect
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..errors import message
from ..graph import REGISTRY, Clock, Primitive, primitive, tick
from ..value import Value
from .capture import SAME, CaptureError, Recorder
from .levels import Graph, Group, grouped
from .live import Live
from .program import Line, Program, Var
from .text import Namer, atom, called, inlined, parse, wrapped

UFUNCS = {ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "true_divide", ast.MatMult: "matmul"}
POW = REGISTRY["**"]
WORDS = {"+": "sum", "-": "difference", "*": "product", "/": "quotient", "**": "power"}


class Region(NamedTuple):
    """Places in V from ``start`` on that hold one kind of thing: a name for it, words, and names of its numbers."""

    start: int
    size: int
    name: str
    words: str
    of: list[str]


class Writer:
    """Gathers the text: ``views`` are pieces of V and D that are named once, ``body`` the statements of a run."""

    def __init__(self, graph: Graph, phases: list[list[Group]], name: str, wanted: set[int], names: dict,
                 arguments: list[Var]):
        self.graph, self.phases = graph, phases
        self.names = Namer(Program([], None, name), {"V", "p", "replayed", "written", *map(self.d, range(len(phases)))})
        self.arguments = [self.names.fresh(v.name or f"a{i}") for i, v in enumerate(arguments)]
        self.views: list[tuple[str, str]] = []        # a statement, and what the piece holds
        self.view_of: dict[Any, str] = {}
        self.body: list[str] = []
        self.slot, self.size = places(graph, phases, wanted)
        self.regions = sorted(self.held(names))

    def held(self, names: dict) -> Iterator[Region]:
        """What lies where in V."""
        graph, slot = self.graph, self.slot
        inputs = {int(slot[n]): names[id(x)][1] if id(x) in names else x.label for (x, _), n in graph.loads.items()}
        given = {int(slot[n]): self.arguments[i] for i, n in graph.numbers.items()}
        known = {int(slot[n]): f"{v:.6g}" for n, v in enumerate(graph.value) if v is not None and slot[n] >= 0}
        for what, table, words in (("inputs", inputs, "inputs"), ("arguments", given, "arguments"),
                                   ("known", known, "known numbers")):
            if table:
                yield Region(min(table), len(table), what, words, [table[at] for at in sorted(table)])
        for k in range(len(graph.sweeps)):
            if parts := [int(slot[part]) for part, sweep, _ in graph.adjoints if sweep == k]:
                yield Region(min(parts), len(parts), "gradients", f"gradients of backward {k + 1}", [])
        for k, groups in enumerate(self.phases):
            for group in groups:
                word = "copy" if group.op is SAME else "sum" if group.op is None else group.op.name
                yield Region(int(slot[group.nodes].min()), len(group.nodes), f"{WORDS.get(word, word)}{group.level}",
                             f"level {group.level}, {group.kind}{f' (after backward {k})' if k else ''}", [])

    def named(self, vector: str, first: int, shape: tuple) -> tuple[str, str]:
        """A name for the places from ``first`` on, and the comment that says what they hold."""
        region = self.regions[bisect(self.regions, first, key=lambda r: r.start) - 1]
        n, own = math.prod(shape), region.of[first - region.start:][:math.prod(shape)]
        wish = own[0] if n == 1 and own and region.name != "known" and own[0] else region.name
        wish = f"d_{wish}" if vector != "V" else f"{wish}_data" if own and region.name != "known" else wish
        if n < region.size and (not own or n > 1 and region.name == "arguments"):
            wish += "_part"
        if len(shape) > 1:
            wish += "_" + "x".join(map(str, shape))
        if not own or not own[0]:
            some = "" if n == region.size else f", {n} of {region.size}"
        else:
            some = " ".join((f": {own[0]} ... {own[-1]}" if n > 3 else f": {', '.join(own)}").split())    # in one line
        return self.names.fresh(wish), f"{'x'.join(map(str, shape))}, {region.words}{some}"

    # ---- tables of places --------------------------------------------------------------------------------------------
    def index(self, places: np.ndarray) -> str:
        """A constant table of places, by name."""
        key = ("index", places.shape, places.tobytes())
        if key not in self.view_of:
            self.view_of[key] = name = self.names.fresh("I")
            self.names.space[name] = places
        return self.view_of[key]

    def view(self, vector: str, places: np.ndarray) -> str | None:
        """The name of the part of a vector at ``places``, in their shape; None where they are not in one piece."""
        flat = places.ravel()
        first, n = int(flat[0]), flat.size
        text = None
        if n == 1 or (np.diff(flat) == 1).all():
            text = f"{vector}[{first}:{first + n}]" + (f".reshape{places.shape}" if places.ndim > 1 else "")
        elif places.ndim == 1:
            step = int(flat[1] - flat[0])
            if step > 1 and (np.diff(flat) == step).all():
                text = f"{vector}[{first}:{first + (n - 1) * step + 1}:{step}]"
        elif (np.diff(places.T.ravel()) == 1).all():
            text = f"{vector}[{first}:{first + n}].reshape{places.shape[::-1]}.T"
        if text is None:
            return None
        if text not in self.view_of:
            name, about = self.named(vector, first, places.shape)
            self.view_of[text] = name
            self.views.append((f"{name} = {text}", about))
        return self.view_of[text]

    def get(self, vector: str, places: np.ndarray) -> str:
        """An expression for the elements at ``places``."""
        flat = places.ravel()
        if places.ndim == 1 and flat.size > 1 and (flat == flat[0]).all():
            places = flat[:1]                         # one number for all: NumPy broadcasts it
        return self.view(vector, places) or self.gathered(vector, places)

    def gathered(self, vector: str, places: np.ndarray) -> str:
        """The elements at ``places``, collected. Values are written once in a run, so that of V it is done once."""
        text = f"{vector}.take({self.index(places)})"
        if vector != "V":
            return text
        if text not in self.view_of:
            self.view_of[text] = name = self.names.fresh("taken")
            self.body.append(f"{name} = {text}")
        return self.view_of[text]

    def operand(self, nodes: np.ndarray) -> str:
        """An expression for an input of a group: a plain number where it is a known one."""
        value = self.graph.value[nodes[0]]
        if value is not None and not self.graph.flows[nodes[0]] and (nodes == nodes[0]).all():
            short = value.is_integer() and abs(value) < 1e6 and str(value) != "-0.0"
            return atom(int(value) if short else value, self.names)
        return self.get("V", self.slot[nodes])

    def add(self, vector: str, places: np.ndarray, c: str, fresh: set, spread: tuple | None = None) -> None:
        """Statements that add the expression ``c`` to the elements at ``places``, whose shape it has, or is ``spread``
        to. ``fresh`` are the places that are no longer 0."""
        flat = places.ravel()
        n = flat.size
        if (name := self.view(vector, places)) is not None:
            if fresh.isdisjoint(flat.tolist()):
                self.into(name, c)
            else:
                self.plus(name, c)
            fresh.update(flat.tolist())
            return
        once = len(np.unique(flat)) == n
        if not once:
            c = wrapped(c if spread is None else f"np.broadcast_to({c}, {spread})")
        if (flat == flat[0]).all():
            return self.add(vector, flat[:1], f"{c}.sum()", fresh)
        if not once:
            if places.ndim == 2 and (places == places[:, :1]).all():
                return self.add(vector, places[:, 0], f"{c}.sum(1)", fresh)
            if places.ndim == 2 and (places == places[:1]).all():
                return self.add(vector, places[0], f"{c}.sum(0)", fresh)
            if places.ndim == 1:
                run = int(np.argmax(flat != flat[0]))
                if run > 1 and n % run == 0 and (flat.reshape(-1, run) == flat[::run, None]).all():
                    return self.add(vector, flat[::run], f"{c}.reshape(-1, {run}).sum(1)", fresh)
                again = np.flatnonzero(flat[1:] == flat[0])
                period = int(again[0]) + 1 if again.size else n
                if period < n and n % period == 0 and (flat.reshape(-1, period) == flat[:period]).all():
                    return self.add(vector, flat[:period], f"{c}.reshape(-1, {period}).sum(0)", fresh)
            low, high = int(flat.min()), int(flat.max()) + 1
            c = f"{c}.ravel()" if places.ndim > 1 else c
            fresh.update(range(low, high))
            part = self.view(vector, np.arange(low, high))
            self.plus(part, f"np.bincount({self.index(flat - low)}, {c}, {high - low})")
            return
        sign = "=" if fresh.isdisjoint(flat.tolist()) else "+="
        fresh.update(flat.tolist())
        self.body.append(f"{vector}[{self.index(places)}] {sign} {c}")

    def plus(self, target: str, text: str) -> None:
        """``target += text``; the views are no local names, so Python's ``+=`` cannot be used."""
        self.body.append(f"np.add({target}, {text}, out={target})")

    def into(self, target: str, text: str) -> None:
        """``target[...] = text`` without a temporary array where the outermost operation can write there itself."""
        tree = parse(text)
        if isinstance(tree, ast.BinOp) and type(tree.op) in UFUNCS:
            call = f"np.{UFUNCS[type(tree.op)]}({ast.unparse(tree.left)}, {ast.unparse(tree.right)}, out={target})"
        elif isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
            call = f"np.negative({ast.unparse(tree.operand)}, out={target})"
        elif isinstance(tree, ast.Call) and ast.unparse(tree.func).startswith("np.") and isinstance(
                getattr(np, ast.unparse(tree.func)[3:], None), np.ufunc):
            call = f"{text[:-1]}, out={target})"
        else:
            call = f"{target}[...] = {text}"
        self.body.append(call)

    # ---- the whole ---------------------------------------------------------------------------------------------------
    def program(self, grads: dict, data: dict, outcome: Any) -> tuple[str, dict]:
        """The text and what its free names are bound to: read, compute level by level, sweep, write back, return."""
        graph, space, body = self.graph, self.names.space, self.body
        values = np.zeros(self.size)
        known = [(self.slot[n], v) for n, v in enumerate(graph.value) if v is not None and self.slot[n] >= 0]
        for at, v in known:
            values[at] = v
        space.update(V=values, replayed=replayed, written=written)
        for what in ("payload", "_grad"):
            loads = sorted((int(self.slot[n]), x) for (x, path), n in graph.loads.items() if path == what)
            if loads:
                owners = self.names.bound([x for _, x in loads], "inputs" if what == "payload" else "inputs_grad")
                target = self.view("V", np.array([at for at, _ in loads]))
                if target is None:
                    target = f"V[{self.index(np.array([at for at, _ in loads]))}]"
                    body.append(f"{target} = [p.{what} for p in {owners}]")
                else:
                    body.append(f"{target}[:] = [p.{what} for p in {owners}]")
        if graph.numbers:
            given = sorted((int(self.slot[n]), self.arguments[i]) for i, n in graph.numbers.items())
            target = self.view("V", np.array([at for at, _ in given]))
            body.append(f"{target}[:] = {', '.join(name for _, name in given)}")
        targets = [of for _, _, of in graph.adjoints]
        for k in range(len(self.phases)):
            for group in self.phases[k]:
                self.forward(group)
            self.guards(k)
            if k < len(graph.sweeps):
                self.backward(k, self.leading(targets))
                parts = [(part, of) for part, sweep, of in graph.adjoints if sweep == k]
                if parts:
                    to, of = (self.slot[np.array([pair[i] for pair in parts])] for i in (0, 1))
                    self.into(self.view("V", to), self.get(self.d(k), of))
        if grads:
            at = self.slot[np.fromiter(grads.values(), int, len(grads))]
            owners, numbers = self.names.bound(list(grads), "inputs"), self.table_text(at)
            body.append(f"for p, p._grad in zip({owners}, {numbers}.tolist()): pass")
        if data:
            at = self.slot[np.fromiter(data.values(), int, len(data))]
            owners, notes = self.names.bound(list(data), "inputs"), self.names.bound([None] * len(data), "notes")
            body.append(f"written({owners}, {notes}, {self.table_text(at)}.tolist())")
        body.append(f"return {self.returned(outcome)}")
        head = [f"# V holds {self.size} numbers, D the adjoint of each: d_x is the adjoint of x. The pieces that are",
                "# used have names, of a table with its shape. I is a table of places, taken what lies at them."]
        width = max((len(text) for text, _ in self.views), default=0) + 2
        head += [f"{text:{width}}# {about}" for text, about in self.views]
        lines = [*head, "", f"def {self.names.function}({', '.join(self.arguments)}):"]
        return "\n".join([*lines, *(f"    {line}" for line in body), ""]), space

    def d(self, k: int) -> str:
        """The name of the adjoints of the k-th sweep."""
        return f"D{k}" if len(self.graph.sweeps) > 1 else "D"

    def leading(self, targets: list[int]) -> np.ndarray:
        """Which nodes lead from a target: only to those an adjoint has to be sent."""
        useful = bytearray(len(self.graph.op))
        for n in targets:
            useful[n] = 1
        for n, inputs in enumerate(self.graph.inputs):
            for i in inputs:
                if useful[i] and self.graph.flows[i] and self.graph.flows[n]:
                    useful[n] = 1
        return np.frombuffer(useful, np.uint8)

    def guards(self, k: int) -> None:
        """Comparisons that Python branched on, all of one kind at once."""
        kinds: dict[Any, list] = {}
        for op, inputs, answer, phase in self.graph.guards:
            if phase == k:
                kinds.setdefault(op, []).append((*inputs, answer))
        for op, rows in kinds.items():
            columns = list(zip(*rows, strict=True))
            answers = self.names.fresh("answers")
            self.names.space[answers] = np.array(columns[-1])
            args = [self.get("V", self.slot[np.array(column)]) for column in columns[:-1]]
            self.body.append(f"if (({self.applied(op, args)}) != {answers}).any(): raise Branch")

    def returned(self, x: Any) -> str:
        """The result as text."""
        if isinstance(x, Returned):
            text = f"V.item({int(self.slot[x.node])})"
            if x.gradient is not None:
                return f"replayed({text}, V.item({int(self.slot[x.gradient])}))"
            return f"int({text})" if x.whole else text
        if isinstance(x, (list, tuple)):
            items = ", ".join(map(self.returned, x))
            if hasattr(x, "_fields"):
                return f"{self.names.bound(type(x), type(x).__name__)}({items})"
            return f"[{items}]" if isinstance(x, list) else f"({items}{',' if len(x) == 1 else ''})"
        if isinstance(x, dict):
            items = ", ".join(f"{atom(key, self.names)}: {self.returned(value)}" for key, value in x.items())
            return f"{{{items}}}"
        return atom(x, self.names)

    # ---- forward -----------------------------------------------------------------------------------------------------
    def forward(self, group: Group) -> None:
        """The statements that compute a group."""
        target = self.view("V", self.slot[group.nodes])
        n = len(group.nodes)
        self.body.append(f"# level {group.level}: {n} x {group.kind}")
        if group.op is SAME:
            self.into(target, self.operand(group.inputs[0]))
        elif group.op is POW and self.operand(group.inputs[1]) == "2":          # what ** does with arrays
            self.into(target, f"np.square({self.operand(group.inputs[0])})")
        elif group.op is not None:
            self.into(target, self.applied(group.op, [self.operand(column) for column in group.inputs]))
        elif group.matrix is not None:
            a, b = (self.get("V", self.table(rows)) for rows in group.matrix)
            shape = len(group.matrix[0]), len(group.matrix[1])
            grid = self.view("V", self.slot[group.nodes].reshape(shape))
            self.body.append(f"np.matmul({a}, {b}.T, out={grid})")
            for column in (() if group.singles is None else group.singles.T):
                self.spread(grid, target, self.slot[column], shape)
        elif group.products is None:
            places = self.slot[group.singles]
            if places.shape[1] == 2:
                self.into(target, f"{self.operand(group.singles[:, 0])} + {self.operand(group.singles[:, 1])}")
            else:
                self.body.append(f"np.add.reduce({self.table_text(places)}, 1, None, {target})")
        else:
            a, b = group.products
            if a.shape[1] == 1:
                self.into(target, f"{self.operand(a[:, 0])} * {self.operand(b[:, 0])}")
            else:
                factors = f"{self.table_text(self.slot[a])} * {self.table_text(self.slot[b])}"
                self.body.append(f"np.add.reduce({factors}, 1, None, {target})")
            for column in (() if group.singles is None else group.singles.T):
                self.plus(target, self.operand(column))

    def table(self, nodes: np.ndarray) -> np.ndarray:
        """The places of a table of nodes."""
        return self.slot[nodes]

    def table_text(self, places: np.ndarray) -> str:
        """An expression for a table of elements."""
        return self.view("V", places) or self.gathered("V", places)

    def spread(self, grid: str, target: str, places: np.ndarray, shape: tuple[int, int]) -> None:
        """Add one more number to each element of a grid; often the same in a row or in a column."""
        square = places.reshape(shape)
        if (square == square[:, :1]).all():
            self.plus(grid, self.get("V", square[:, :1]))
        elif (square == square[:1]).all():
            self.plus(grid, self.get("V", square[0]))
        else:
            self.plus(target, self.get("V", places))

    def applied(self, op: Primitive, args: list[str]) -> str:
        """``op`` of some expressions, as text."""
        inputs = []
        for text in args:
            v = Var((1,), np.dtype(float))
            self.names.of[v] = text
            inputs.append(v)
        return called(op, Line("call", Var((1,), np.dtype(float)), op, tuple(inputs)), self.names)

    # ---- backward ----------------------------------------------------------------------------------------------------
    def backward(self, k: int, useful: np.ndarray) -> None:
        """The statements of the k-th sweep: the groups in reverse, each with the rules of its primitive."""
        root, seed = self.graph.sweeps[k]
        d = self.d(k)
        marks = self.graph.marks(k)
        at = int(self.slot[root])
        self.body += [f"# backward from V[{at}]", f"{d}[:] = 0.0", f"{d}[{at}] = {atom(seed, self.names)}"]
        self.names.space[d] = np.zeros(self.size)
        fresh = {at}
        for groups in reversed(self.phases[:k + 1]):
            for group in reversed(groups):
                if marks[group.nodes[0]] and group.op is not SAME:
                    self.body.append(f"# level {group.level}: {group.kind}")
                    self.flow(group, d, useful, fresh)

    def flow(self, group: Group, d: str, useful: np.ndarray, fresh: set) -> None:
        """What flows back from one group to its inputs."""
        own = self.slot[group.nodes]
        g = self.view(d, own)
        if group.op is not None:
            y, args = self.view("V", own), [self.operand(column) for column in group.inputs]
            for i, column in enumerate(group.inputs):
                if useful[column].any():
                    self.add(d, self.slot[column], self.rule(group.op, i, g, y, args), fresh)
            return
        if group.singles is not None and group.products is None and group.singles.shape[1] > 2:
            if useful[group.singles].any():
                self.add(d, self.slot[group.singles], self.view(d, own.reshape(-1, 1)), fresh, group.singles.shape)
            return
        if group.singles is not None:
            shape = (len(group.matrix[0]), len(group.matrix[1])) if group.matrix is not None else None
            for column in group.singles.T:
                if useful[column].any():
                    places = self.slot[column]
                    if shape and not (places == places[0]).all():
                        self.add(d, places.reshape(shape), self.view(d, own.reshape(shape)), fresh)
                    else:
                        self.add(d, places, g, fresh)
        if group.products is None:
            return
        if group.matrix is not None:
            rows, columns = group.matrix
            grid = self.view(d, own.reshape(len(rows), len(columns)))
            for mine, other, turned in ((rows, columns, grid), (columns, rows, f"{grid}.T")):
                if useful[mine].any():
                    values = self.get("V", self.slot[other])
                    if own.size == 1 and (mine == mine[0, 0]).all():      # one factor in every product of one sum
                        self.add(d, self.slot[mine[0, :1]], f"{g} * {values}.sum()", fresh)
                    else:
                        self.add(d, self.slot[mine], f"{turned} @ {values}", fresh)
            return
        a, b = group.products
        one = a.shape[1] == 1
        column = g if one else self.view(d, own.reshape(-1, 1))
        for mine, other in ((a, b), (b, a)):
            if useful[mine].any():
                if one:
                    self.add(d, self.slot[mine[:, 0]], f"{g} * {self.operand(other[:, 0])}", fresh)
                else:
                    self.add(d, self.slot[mine], f"{column} * {self.table_text(self.slot[other])}", fresh)

    def rule(self, op: Primitive, i: int, g: str, y: str, args: list[str]) -> str:
        """The rule of input i of ``op`` as text."""
        rule = op.rules[i]
        text = inlined(rule, [g, y, *args], {}, self.names)
        return text or f"{self.names.bound(rule, 'rule')}({', '.join([g, y, *args])})"


def written(values: list[Value], notes: list[Any], data: list[float]) -> None:
    """Assign the data of Values that live outside, as ``v.data = x`` does for each. Their notes, which say when they
    changed, are made once and belong to this recording, so that later one number is written for all."""
    Clock.changed = now = tick()
    for i, (v, note, x) in enumerate(zip(values, notes, data, strict=True)):
        v.payload = x
        if v.note is not note:
            same = (n for n in notes[:i] if (n.layer, n.name, n.hooks) == (v.note.layer, v.note.name, v.note.hooks))
            notes[i] = v.note = next(same, None) or v.note.but()
    for note in dict.fromkeys(notes):
        note.changed = now


def recording(compiled: Any, recorder: Recorder, arguments: list[Var], names: dict, result: Any, facts: list,
              graph: Graph) -> tuple[Any, Any]:
    """The recording of a function of Values, and the result of the recording run without live numbers in it."""
    from .replay import Recording, noted, plainly, safe
    grads = {x: graph.gradient(x) for x in graph.outside()}
    data = {x: graph.inputs[n][0] if graph.op[n := graph.at[x]] is SAME else n for x in graph.written}
    outcome = located(result, graph)
    wanted = {*grads.values(), *data.values(), *variables_in(outcome), *(root for root, _ in graph.sweeps),
              *(of for _, _, of in graph.adjoints), *(i for _, inputs, _, _ in graph.guards for i in inputs)}
    phases = grouped(graph, wanted)
    writer = Writer(graph, phases, safe(compiled.__name__), wanted, names, arguments)
    text, space = writer.program(grads, data, outcome)
    found = Recording(*noted(Program([], None, writer.names.function), text, space, facts, recorder, []))
    found.levels = phases
    found.nodes = len(graph.op)
    return found, plainly(result)


class Returned(NamedTuple):
    """A number that a run returns: its node; of a Value, that of its gradient; whether it is a whole number."""

    node: int
    gradient: int | None = None
    whole: bool = False


REPLAY = primitive("a replay, which builds no graph", float, register=False)


def replayed(data: float, gradient: float) -> Value:
    """A Value that a run returns. It has no graph to be swept again."""
    v = Value(data)
    v.op, v._grad = REPLAY, gradient
    return v


def located(x: Any, graph: Graph) -> Any:
    """The structure of the result, with the numbers of nodes for Values and live numbers."""
    if isinstance(x, Value):
        return x if x.born < graph.began else Returned(graph.find(x), graph.gradient(x))
    if isinstance(x, Live):
        return Returned(graph.find(x), whole=isinstance(x.payload, int))
    if isinstance(x, (tuple, list)):
        items = [located(item, graph) for item in x]
        return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
    if isinstance(x, dict):
        if any(isinstance(key, Value) and key.born >= graph.began for key in x):
            raise CaptureError(message("a result that has what is computed as a key: a replay would give the old one",
                                       instead="return it as a value of the dict, or in a tuple"))
        return {key.payload if type(key) is Live else key: located(item, graph) for key, item in x.items()}
    return x


def variables_in(x: Any) -> Iterator[int]:
    """The nodes in the structure of a result."""
    if isinstance(x, Returned):
        yield from (x.node, x.node if x.gradient is None else x.gradient)
    elif isinstance(x, (tuple, list)):
        for item in x:
            yield from variables_in(item)
    elif isinstance(x, dict):
        yield from variables_in(tuple(x.values()))


def places(graph: Graph, phases: list[list[Group]], wanted: set[int]) -> tuple[np.ndarray, int]:
    """A place in V for each node that has one: known numbers, what is read from outside, and the groups one after
    another, each ordered so that what it reads lies in one piece where that is possible."""
    n = len(graph.op)
    slot = np.full(n, -1)
    order: dict[str, list[int]] = {"constant": [], "load": [], "number": []}
    kind = dict.fromkeys(graph.loads.values(), "load") | dict.fromkeys(graph.numbers.values(), "number")
    big = 1 << 40                                     # provisional places: region * big + rank

    def visit(nodes: np.ndarray) -> None:
        for x in nodes[slot[nodes] < 0].tolist():
            if slot[x] < 0 and graph.op[x] is None:
                region = kind.get(x, "constant")
                slot[x] = list(order).index(region) * big + len(order[region])
                order[region].append(x)

    adjoints: list[list[int]] = [[] for _ in graph.sweeps]
    for part, k, _ in graph.adjoints:
        adjoints[k].append(part)
        slot[part] = (4 + 2 * k) * big + len(adjoints[k]) - 1
    for group in (group for groups in phases for group in groups if group.matrix and len(group.nodes) > 1):
        for table in group.matrix:                    # first the rows of matrices, so that each is in one piece
            visit(table.ravel())
        for column in () if group.singles is None else group.singles.T:
            visit(column)
    for now, groups in enumerate(phases):
        rank = 0
        for i, group in enumerate(groups):
            for table in (group.matrix or group.products or ()):
                visit(table.ravel())
            for column in group.inputs or (() if group.singles is None else group.singles.T):
                visit(column)
            if group.matrix is None:
                if group.op is not None:
                    keys = list(group.inputs)
                else:
                    keys = [(group.products[0] if group.products is not None else group.singles)[:, 0]]
                key = next((slot[c] for c in keys if (c != c[0]).any()), None)
                if key is not None:
                    turn = np.argsort(key, kind="stable")
                    group = groups[i] = group._replace(
                        nodes=group.nodes[turn], inputs=tuple(c[turn] for c in group.inputs),
                        products=None if group.products is None else tuple(t[turn] for t in group.products),
                        singles=None if group.singles is None else group.singles[turn])
            slot[group.nodes] = (3 + 2 * now) * big + rank + np.arange(len(group.nodes))
            rank += len(group.nodes)
    for table in (graph.loads.values(), graph.numbers.values(), sorted(wanted)):
        visit(np.fromiter(table, int, len(table)))
    region, rank = np.divmod(slot, big)
    sizes = [int(rank[region == r].max(initial=-1)) + 1 for r in range(int(region.max(initial=0)) + 1)]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    final = np.where(slot >= 0, starts[np.maximum(region, 0)] + rank, -1)
    return final, int(starts[-1])
