"""Levels: a graph of scalar Values as a few NumPy calls.

All nodes of one kind at one depth run at once. First chains of additions are folded into sums of products; where the
products of one level pair every row of one table of nodes with every row of another, they are a matrix product.
The depth of what is left is the length of the dynamic program, the width is what runs at once.
"""
from __future__ import annotations

from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np

from ..errors import message
from ..graph import REGISTRY, Node, Primitive
from ..value import Value
from .capture import DATA, GRAD, SAME, SWEEP, CaptureError, Recorder
from .live import Live
from .program import Line, Var

ADD, MUL = REGISTRY["+"], REGISTRY["*"]


class Group(NamedTuple):
    """Nodes that run at once: ``op`` on the columns of ``inputs``, or, where op is None, the sum of ``products`` (two
    tables of factors, one row for each node) and of ``singles``. ``nodes`` are in the order of their places."""

    level: int
    op: Any
    nodes: np.ndarray
    inputs: tuple[np.ndarray, ...]
    products: tuple[np.ndarray, ...] | None = None
    singles: np.ndarray | None = None
    matrix: tuple[np.ndarray, np.ndarray] | None = None    # the distinct rows of both factors, where they make a grid

    @property
    def kind(self) -> str:
        """What it computes, in words."""
        if self.op is not None:
            return self.op.name if isinstance(self.op, Primitive) else "copies"
        if self.products is None:
            return f"sum of {self.singles.shape[1]}"
        more = f" + {self.singles.shape[1]}" if self.singles is not None else ""
        return f"{'matrix product' if self.matrix else 'sum'} of {self.products[0].shape[1]} products{more}"


class Graph:
    """The nodes of a recording by number, in the order of their making: what each is, and from which it was made."""

    def __init__(self, recorder: Recorder, arguments: list[Var]):
        self.op: list[Any] = []                       # the primitive; None: known, or read from outside
        self.inputs: list[tuple[int, ...]] = []
        self.value: list[float | None] = []           # of a constant
        self.flows: list[bool] = []                   # whether a gradient passes through it
        self.loads: dict[tuple[Value, str], int] = {}
        self.numbers: dict[int, int] = {}             # argument -> node
        self.constants: dict[float | str, int] = {}
        self.at: dict[Any, int] = {}                  # Value or Live -> its present node
        self.phase: list[int] = []
        self.sweeps: list[tuple[int, float]] = []     # root, seed
        self.guards: list[tuple[Any, tuple[int, ...], bool, int]] = []
        self.adjoints: list[tuple[int, int, int]] = []    # node that holds it, sweep, of which node
        self.grad: dict[Value, tuple[int, int]] = {}  # newest grad that was set: node, sweeps before it
        self.written: dict[Value, None] = {}
        self.older: dict[Value, list[int]] = {}       # nodes that a Value was before its data were assigned
        self.arguments = {v: i for i, v in enumerate(arguments)}
        self.began, self.first = recorder.began, recorder.first
        self.read(recorder)

    def node(self, op: Any, inputs: tuple[int, ...] = (), value: float | None = None, flows: bool = False) -> int:
        """A new node."""
        self.op.append(op)
        self.inputs.append(inputs)
        self.value.append(value)
        self.flows.append(flows)
        self.phase.append(len(self.sweeps))
        return len(self.op) - 1

    def constant(self, value: float) -> int:
        """The node of a known number."""
        key = value or str(float(value))              # 0.0 and -0.0 are two
        found = self.constants.get(key)
        if found is None:
            found = self.constants[key] = self.node(None, value=float(value))
        return found

    def load(self, value: Value, what: str) -> int:
        """The node of a number that is read from a Value outside."""
        found = self.loads.get((value, what))
        if found is None:
            found = self.loads[value, what] = self.node(None, flows=what == "payload")
        return found

    def find(self, x: Any) -> int:
        """The node of an input."""
        found = self.at.get(x) if isinstance(x, Node) else None
        if found is not None:
            return found
        if isinstance(x, Live):
            i = self.arguments[x.var]
            found = self.numbers[i] = self.at[x] = self.node(None)
        elif isinstance(x, Value):
            if x.born > self.began:
                found = self.node(None, value=self.first.get(x, x.payload), flows=True)
            elif x.op is not None:
                raise CaptureError(message("a Value that was computed outside the function takes part in it",
                                           op=x.op.name, instead="compute it inside, or use Value(v.data)"))
            else:
                found = self.load(x, "payload")
            self.at[x] = found
        elif isinstance(x, Node):
            raise CaptureError(message("a Tensor among Values", instead="either Values or Tensors in one function"))
        else:
            found = self.constant(x)
        return found

    def read(self, recorder: Recorder) -> None:
        """Number what was recorded."""
        at, find, ops, ins = self.at, self.find, self.op, self.inputs
        values, flows, phase = self.value, self.flows, self.phase
        for event in recorder.events:
            if event.__class__ is Line:
                if event.kind != "guard" or not isinstance(event.op, Primitive):
                    raise CaptureError(message("Tensors and Values in one function",
                                               instead="either Values or Tensors in one compiled function"))
                self.guards.append((event.op, tuple(map(find, event.inputs)), event.params["answer"], len(self.sweeps)))
                continue
            node, op, inputs = event
            if op.__class__ is Primitive and node.__class__ is not str:
                numbers = tuple([at[x] if x in at else find(x) for x in inputs])
                at[node] = len(ops)
                ops.append(op)
                ins.append(numbers)
                values.append(None)
                flows.append(node.op is not None)
                phase.append(len(self.sweeps))
            elif node.__class__ is not str and op is SAME:
                source = find(inputs[0])
                at[node] = source if isinstance(node, Live) else self.node(SAME, (source,), flows=True)
            elif node is SWEEP:
                self.sweeps.append((find(op), inputs))
            elif node is DATA:
                if op in at:
                    self.older.setdefault(op, []).append(at[op])
                at[op] = find(inputs)
                if not self.flows[at[op]]:            # as a leaf of what follows it receives a gradient of its own
                    at[op] = self.node(SAME, (at[op],), flows=True)
                if op.born < self.began:
                    self.written[op] = None
            elif node is GRAD:
                self.grad[op] = find(inputs), len(self.sweeps)
            else:
                at[node] = self.gradient(inputs)

    def reached(self, k: int) -> list[bool]:
        """Which nodes the k-th sweep passes."""
        marks = [False] * len(self.op)
        root = self.sweeps[k][0]
        marks[root] = self.flows[root]
        for n in range(root, -1, -1):
            if marks[n] and self.op[n] is not SAME:
                for i in self.inputs[n]:
                    if self.flows[i]:
                        marks[i] = True
        return marks

    def gradient(self, x: Value) -> int:
        """The node of ``x.grad`` now: what was set last, and what each sweep since then added."""
        base, since = self.grad.get(x, (None, 0))
        total = self.load(x, "_grad") if base is None and x.born < self.began else base
        versions = [*self.older.get(x, ()), *([self.at[x]] if x in self.at else [])]
        for k in range(since, len(self.sweeps)):
            marks = self.marks(k)
            for of in versions:
                if of < len(marks) and marks[of]:
                    part = self.node("adjoint")
                    self.adjoints.append((part, k, of))
                    empty = total is None or self.value[total] == 0.0
                    total = part if empty else self.node(ADD, (total, part))
        total = self.constant(0.0) if total is None else total
        self.grad[x] = total, len(self.sweeps)
        return total

    def marks(self, k: int) -> list[bool]:
        """``reached``, once."""
        if not hasattr(self, "_marks"):
            self._marks: dict[int, list[bool]] = {}
        if k not in self._marks:
            self._marks[k] = self.reached(k)
        return self._marks[k]

    def outside(self) -> list[Value]:
        """The Values outside whose grad has changed."""
        touched = dict.fromkeys(x for x in self.grad if x.born < self.began)
        for k in range(len(self.sweeps)):
            marks = self.marks(k)
            touched.update(dict.fromkeys(x for (x, what), n in self.loads.items()
                                         if what == "payload" and n < len(marks) and marks[n]))
            touched.update(dict.fromkeys(x for x in self.written if any(
                n < len(marks) and marks[n] for n in (*self.older.get(x, ()), self.at[x]))))
        return list(touched)


def grouped(graph: Graph, wanted: set[int]) -> list[list[Group]]:
    """For each phase its groups, in the order in which they run; only what ``wanted`` nodes need."""
    ops, inputs, phase, flows = graph.op, graph.inputs, graph.phase, graph.flows
    uses = [0] * len(ops)
    needed = bytearray(len(ops))
    for n in wanted:
        needed[n] = 1
        uses[n] += 2                                  # it keeps a place of its own
    for n in range(len(ops) - 1, -1, -1):
        if needed[n]:
            for i in inputs[n]:
                needed[i] = 1
                uses[i] += 1
    masks = [0] * len(ops)
    for k in range(len(graph.sweeps)):
        marks = graph.marks(k)
        for n in range(len(marks)):
            if marks[n]:
                masks[n] |= 1 << k
    # fold: the terms of a sum that only another sum uses become that one's, a product that only a sum uses its factors
    terms: dict[int, list[int]] = {}
    folded = bytearray(len(ops))
    for n, op in enumerate(ops):
        if op is ADD and needed[n]:
            mine: list[int] = []
            for x in inputs[n]:
                if uses[x] == 1 and x in terms and phase[x] == phase[n] and flows[x] == flows[n]:
                    folded[x] = 1
                    theirs = terms.pop(x)
                    if len(mine) < len(theirs):
                        mine, theirs = theirs, mine
                    mine.extend(theirs)
                else:
                    mine.append(x)
            terms[n] = mine
    for n, mine in terms.items():
        for x in mine:
            if ops[x] is MUL and uses[x] == 1 and phase[x] == phase[n] and flows[x] == flows[n]:
                folded[x] = 2
    level = [0] * len(ops)
    sums: dict[tuple, list] = defaultdict(list)
    others: dict[tuple, list[int]] = defaultdict(list)
    for n, op in enumerate(ops):
        if op is None or op == "adjoint" or not needed[n] or folded[n]:
            continue
        deepest, now = 0, phase[n]
        if op is ADD:
            products, singles, reads = [], [], []
            for x in terms[n]:
                if folded[x]:
                    a, b = inputs[x]
                    products.append((a, b) if flows[a] else (b, a))
                    reads += (a, b)
                elif graph.value[x] != 0.0 or flows[x]:
                    singles.append(x)
                    reads.append(x)
            singles = singles or ([] if products else [terms[n][0]])
        else:
            reads = inputs[n]
        for i in reads:
            if phase[i] == now and level[i] > deepest:
                deepest = level[i]
        level[n] = deepest + 1
        if op is ADD:
            sums[now, deepest + 1, len(products), len(singles), masks[n]].append((n, products, singles))
        else:
            others[now, deepest + 1, op, masks[n]].append(n)
    phases: list[list[Group]] = [[] for _ in range(len(graph.sweeps) + 1)]
    for (now, depth, p, s, _), members in sums.items():
        nodes = np.array([n for n, _, _ in members])
        a, b = (np.array([[pair[side] for pair in products] for _, products, _ in members]) if p else None
                for side in (0, 1))
        single = np.array([singles for _, _, singles in members]) if s else None
        phases[now].append(gridded(Group(depth, None, nodes, (), (a, b) if p else None, single)))
    for (now, depth, op, _), members in others.items():
        nodes = np.array(members)
        columns = np.array([inputs[n] for n in members]).T
        phases[now].append(Group(depth, op, nodes, tuple(columns)))
    for groups in phases:
        groups.sort(key=lambda group: (group.level, group.nodes[0]))
    return phases


def gridded(group: Group) -> Group:
    """The group as a matrix product, when its nodes pair each of some rows of first factors with each of some rows of
    second factors (at most one pair in two missing)."""
    if group.products is None or group.products[0].shape[1] < 2:
        return group
    (rows, i), (columns, j) = (np.unique(side, axis=0, return_inverse=True) for side in group.products)
    i, j = i.ravel(), j.ravel()
    places = i * len(columns) + j
    if len(rows) * len(columns) > len(places) or len(np.unique(places)) < len(places):
        return group
    turn = np.argsort(places)
    a, b = group.products
    return group._replace(nodes=group.nodes[turn], products=(a[turn], b[turn]), matrix=(rows, columns),
                          singles=None if group.singles is None else group.singles[turn])


def levelled(compiled: Any, recorder: Recorder, arguments: list[Var], names: dict, result: Any, facts: list) -> Any:
    """The recording of a function of Values, and its result as plain Values and numbers."""
    from .vector import recording
    return recording(compiled, recorder, arguments, names, result, facts, Graph(recorder, arguments))
