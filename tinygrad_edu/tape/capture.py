"""Capture: run a function once, watched, and write down as lines what it computes.

What is written down is what the eager run does, primitive by primitive: forward, and backward too, since the rules are
then applied to nodes. What Python itself does with numbers is not seen; so every way out of the graph is reported to
the recorder, which captures it (``loss.item()``), lets the program depend on it (a branch) or refuses it by its line.
"""
from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from weakref import ref

import numpy as np

from ..autograd.forward import pushed
from ..errors import PACKAGE, message, user_line
from ..graph import REGISTRY, Node, Primitive, order, sweep, tick
from ..mode import capturing, local
from ..tensor import Tensor
from ..value import Value
from .live import Live
from .program import Line, Place, Var

ndarray = np.ndarray


class CaptureError(RuntimeError):
    """Something in the function cannot be captured faithfully; the message names the line and what to write instead."""

    def __init__(self, *args: Any):
        super().__init__(*args)
        if (watcher := capturing()) is not None and watcher.refusal is None:
            watcher.refusal = self                    # the function may catch it, and go on


def memory(a: ndarray) -> int:
    """What identifies the memory that an array lies in: the array that owns it."""
    while isinstance(a.base, ndarray):
        a = a.base
    return id(a)


class Recorder:
    """Watches one run of a function (``graph.watch``) and keeps it as ``events``: lines for arrays; for scalar Values,
    which come in tens of thousands, plain tuples ``(node, primitive, inputs)`` that ``levels`` reads."""

    captures = True

    def __init__(self, frame_of: Any = None):
        self.began = tick()
        self.events: list[Any] = []
        self.questions: list[Line] = []               # guards about what is known before anything runs
        self.known: dict[int, Var] = {}               # by identity of the array: its newest variable
        self.owners: dict[int, Tensor] = {}           # tensors that the function can see, by identity of their arrays
        self.given: set[int] = set()                  # identities of the arrays that are arguments
        self.arguments: set[int] = set()              # and of their tensors
        self.given_tensors: dict[Tensor, int] = {}    # the tensors, and which argument each is
        self.visible: Any = ()                        # and of what the function's names stand for
        self.containers: list[tuple[Any, Any, list, str]] = []     # arguments: lists and dicts, what was given for them
        self.kept: list[Any] = []                     # keeps the identities valid
        self.grads: dict[Any, list] = {}              # tensors whose grad was read or set: [at entry, now stored]
        self.loads: list[tuple[Var, ndarray]] = []    # what is read from outside
        self.made_inside: list[tuple[ndarray, Var, str]] = []
        self.numbers: list[ref] = []                  # all that were made, to find those that were put away outside
        self.tensors: list[ref] = []
        self.hidden: list[tuple[int, int]] = []       # when nobody watched: what was made then is no constant
        self.changes: set[int] = set()                # when tensors were changed in ways that are captured
        self.homes: dict[int, Any] = {}               # by identity of an array: the first tensor outside that held it
        self.aliases: dict[Any, Any] = {}             # other tensors that did
        self.shared: list[tuple[Var, Any]] = []       # arguments that are part of the surroundings at the same time
        self.scalars_of_numpy = ""                    # the line where a number that NumPy made took part
        self.moded = False                            # whether layers were told to train, or not to
        self.over = False                             # live numbers that are still around are plain ones by now
        self.fixed_numbers: dict[Any, Any] = {}       # arguments that the program depends on: place -> number
        self.changed = ""                             # the line that first changed something outside
        self.scalars = False
        self.value_grads: dict[Value, Any] = {}       # newest grad that was written to a Value, None where a sweep adds
        self.sweeps: list[Value] = []
        self.first: dict[Value, float] = {}           # what Values were before they were assigned
        self.refusal: Exception | None = None         # the first, which the function may have caught
        self.code = frame_of
        self.frame: Any = None
        self.flows: list[tuple[Tensor, Tensor]] = []

    @property
    def flowed(self) -> Any:
        """Whom a sweep tells its contributions: of tensors they are kept for their names."""
        return None if self.scalars else self.flow

    @property
    def lines_only(self) -> bool:
        """Whether everything recorded is a line: nothing scalar."""
        return not self.scalars

    def flow(self, node: Node, x: Any, c: Any) -> None:
        """``c`` flows from ``node`` to ``x``."""
        if node.born < self.began:
            raise CaptureError(message("the backward pass reaches what was computed outside the compiled function",
                                       op=node.op.name, instead="compute it inside, or detach() it"))
        self.flows.append((x, c))

    # ---- arrays ------------------------------------------------------------------------------------------------------
    def made(self, node: Any, op: Primitive, inputs: tuple, params: dict) -> None:
        """``node`` was computed as ``op(*inputs, **params)``."""
        if node.scalar:
            if params:
                self.refused(f"{op.name} with options on Values", "arithmetic, or Tensors")
            self.events.append((node, op, inputs))
            self.scalars = True
            if type(inputs[0]) is Live or type(inputs[-1]) is Live:    # no gradient goes there, and nothing holds it
                node.inputs = tuple([x.payload if type(x) is Live else x for x in inputs])
            return
        if self.frame is None:
            self.locate()
        p, given = node.payload, params
        params = put(params, lambda number: self.fixed(number, "a size, a dimension or an index")) if params else params
        if node.params is given:
            node.params = params
        if inputs and inputs[0] is node:              # changed in place
            target = self.resolve(node)
            self.changes.add((node if node.base is None else node.base).note.changed)
            self.outside(target, f"{op.name}, in place")
            out = Var(p.shape, p.dtype, memory=target.memory, layer=node.note.layer, strided=not p.flags.c_contiguous)
            values = (target, *self.resolve(inputs[1:]))
            self.events.append(Line("change", out, op, values, self.resolve(params)))
            self.known[id(p)] = out
            return
        self.tensors.append(ref(node))
        values, options = self.resolve(inputs), self.resolve(params)
        if id(p) in self.known:                       # an input itself, handed on
            return
        for mask in params.get("index", ()) if isinstance(params.get("index"), tuple) else ():
            if isinstance(mask, ndarray) and mask.dtype == bool:      # how many it picks decides the shapes that follow
                self.guard(np.count_nonzero, (self.resolve(mask),), int(np.count_nonzero(mask)))
        out, raw = self.variable(p, node.note.layer), self.raw(op, inputs, params) if op.promotes else p.dtype
        if raw == np.float16 != p.dtype:              # of masks and bytes, which NumPy computes with in half precision
            raw, given = np.dtype(np.float32), values
            values = tuple([Var(x.shape, raw, memory=object()) if isinstance(x, Var) else x for x in given])
            self.events += [Line("call", y, CAST, (x,), {"dtype": raw}) for x, y in zip(given, values, strict=True)
                            if y is not x]
        self.events.append(Line("call", out, op, values, options))
        if raw != p.dtype:
            self.events[-1].out = between = Var(p.shape, raw, memory=object())
            self.events.append(Line("call", out, CAST, (between,), {"dtype": p.dtype}))

    @staticmethod
    def raw(op: Primitive, inputs: tuple, params: dict) -> Any:
        """The dtype that the function alone gives, which a Tensor may then have cast to PyTorch's."""
        arrays = [x.payload if isinstance(x, Node) else x for x in inputs]
        kinds = {a.dtype for a in arrays if isinstance(a, ndarray)}
        if len(kinds) == 1 and next(iter(kinds)).kind == "f" and not any(isinstance(a, np.generic) for a in arrays):
            return next(iter(kinds))
        with np.errstate(all="ignore"):
            return np.asarray(op.fn(*arrays, **params)).dtype

    def variable(self, p: ndarray, layer: str = "", **facts: Any) -> Var:
        """A variable for a new array."""
        var = Var(p.shape, p.dtype, memory=memory(p), layer=layer, strided=not p.flags.c_contiguous, **facts)
        self.known[id(p)] = var
        self.kept.append(p)
        return var

    def resolve(self, x: Any) -> Any:
        """``x`` with variables in place of tensors, arrays and live numbers."""
        if isinstance(x, Live):
            return x.var
        if isinstance(x, Node):
            if x.scalar:
                raise CaptureError(message("a Value among Tensors", instead="either Values or Tensors in one function"))
            var = self.known.get(id(x.payload)) or self.found(x)
            if x.born < self.began and self.homes.setdefault(id(x.payload), x) is not x:
                self.aliases.setdefault(x, self.homes[id(x.payload)])
            if id(x.payload) in self.given and x.born < self.began and id(x) not in self.arguments:
                self.shared.append((var, x))
            return var
        if isinstance(x, ndarray):
            return self.known.get(id(x)) or self.found_array(x)
        if isinstance(x, (tuple, list, dict, slice)):
            if isinstance(x, slice):
                return slice(*self.resolve((x.start, x.stop, x.step)))
            if isinstance(x, dict):
                return {key: self.resolve(item) for key, item in x.items()} if x else x
            items = [self.resolve(item) for item in x]
            return tuple(items) if isinstance(x, tuple) else items
        if isinstance(x, np.generic) and not self.scalars_of_numpy and not in_a_rule():
            self.scalars_of_numpy = user_line()
        return x

    def found(self, x: Any) -> Var:
        """A tensor that nothing captured made: one from outside, or a constant."""
        owner = x.base if x.born > self.began and x.base is not None and x.base.payload is x.payload else x
        if owner.born > self.began:                   # it may hold what lay in a tensor outside when the run began
            owner = self.owners.get(id(x.payload), x)
        if owner.born < self.began:
            return self.loaded(owner, ".payload", x.payload)
        if any(first < owner.born <= last for first, last in self.hidden):
            self.refused("a tensor that an optimiser, or another function called as a whole, has just made",
                         "read it outside the compiled function")
        raise CaptureError(message("a tensor that was made in a way that is not captured, in a compiled function",
                                   inputs=(x,), instead="tensor operations, or make it outside and pass it"))

    def found_array(self, a: ndarray) -> Var:
        """An array that nothing captured made: another shape of a known one, one that lives outside, or one that NumPy
        computed inside, which must be found out."""
        source = self.known.get(memory(a))
        if source is not None and a.base is not None and not source.strided and a.flags.c_contiguous and (
                a.nbytes == source.nbytes and a.dtype == source.dtype):
            self.events.append(Line("call", self.variable(a), RESHAPE, (source,), {"shape": a.shape}))
            return self.known[id(a)]
        if (owner := self.owners.get(id(a))) is not None:
            return self.loaded(owner, ".payload", a)
        if in_a_rule():                               # where only shapes are known: it depends on nothing else
            return self.variable(a, value=a.copy())
        var = self.variable(a, place=Place(a, ""))
        self.loads.append((var, a))
        self.made_inside.append((a, var, user_line()))
        return var

    def constant(self, t: Any) -> None:
        """A tensor or array was made of what does not change from run to run: numbers that are written down, shapes."""
        p = t.payload if isinstance(t, Tensor) else t
        if id(p) not in self.known:
            self.variable(p, value=p.copy())

    def loaded(self, owner: Any, path: str, p: ndarray, name: str = "") -> Var:
        """A variable that is read from ``owner`` at the start of each run."""
        var = self.variable(p, place=Place(owner, path), name=name)
        self.loads.append((var, p))
        return var

    def outside(self, target: Var, what: str) -> None:
        """Note a change of memory that outlives the run: after it no branch can be taken back."""
        if not self.changed and any(var.memory == target.memory for var, _ in self.loads):
            self.changed = f"{what} at {user_line()}"

    # ---- gradients and data ------------------------------------------------------------------------------------------
    def touched(self, node: Tensor, reads: bool = True) -> None:
        """The grad of ``node`` is about to be read or, without looking at it, set."""
        if node not in self.grads and node.born < self.began:
            have = node._grad
            self.grads[node] = [have is not None if reads else None, have if reads else self]
            if reads and have is not None and id(have.payload) not in self.known:
                self.loaded(node, "._grad.payload", have.payload)

    def flush(self) -> None:
        """Write down the grads that were set since the last time."""
        for node, entry in self.grads.items():
            if node._grad is not entry[1]:
                entry[1] = node._grad
                value = None if node._grad is None else self.resolve(node._grad)
                self.events.append(Line("store", None, node, (value,), {"path": "_grad"}))

    def replaced(self, node: Tensor) -> None:
        """``node.data`` was assigned."""
        self.changes.add((node if node.base is None else node.base).note.changed)
        if node.born < self.began:
            known = self.resolve(Tensor._leaf(node.payload)) if id(node.payload) not in self.known else None
            self.events.append(Line("store", None, node, (known or self.known[id(node.payload)],), {"path": "payload"}))
            self.changed = self.changed or f".data at {user_line()}"

    def effect(self, action: Callable) -> Any:
        """Run ``action`` unwatched; at each replay it runs again at this place, and reads what it reads live."""
        self.flush()
        self.events.append(Line("effect", None, action))
        self.changed = self.changed or f"{action.__name__}() at {user_line()}"
        with unwatched(self):
            return action()

    def again(self, action: Callable) -> None:
        """Run ``action``, here and in each replay; it changes nothing but the mode of layers, and can be done twice."""
        self.events.append(Line("effect", None, action, params={"again": True}))
        self.moded = True
        with unwatched(self):
            action()

    def called(self, fn: Callable, args: tuple, kwargs: dict) -> Any:
        """An opaque function, called as a whole at each replay: it may draw numbers or change arrays in place."""
        args = tuple([list(x) if isinstance(x, Iterator) else x for x in args])
        own = [isinstance(x, Tensor) and x.born < self.began and x.requires_grad and id(x.payload) not in self.given
               for x in args]
        grads = any(isinstance(x, list) or mine for x, mine in zip(args, own, strict=True))
        if grads:                                     # parameters, whose grads it may look at
            self.flush()
        args, kwargs = put((args, kwargs), lambda number: number if type(number.payload) is float else self.fixed(
            number, "a size"))                        # whole numbers may decide the shape of the result
        with unwatched(self):
            result = fn(*put(args, lambda number: number.payload), **put(kwargs, lambda number: number.payload))
        if grads or result is None:
            self.changed = self.changed or f"{fn.__name__}() at {user_line()}"
        tensors = {i for i, x in enumerate(args) if isinstance(x, Tensor) and not own[i]}
        inputs = tuple([x if isinstance(x, list) or own[i] else self.resolve(x) for i, x in enumerate(args)])
        out = None if result is None else self.variable(result.payload if isinstance(result, Tensor) else result)
        gives = isinstance(result, Tensor), tensors
        self.events.append(Line("draw", out, fn, inputs, self.resolve(kwargs), into=gives))
        return result

    def once(self, fn: Callable, args: tuple, kwargs: dict) -> Any:
        """A checkpointed function, which a replay runs once: a program plans its own memory."""
        before, self.changed = self.changed, ""
        result = fn(*args, **kwargs)
        if self.changed:
            self.refused(f"a checkpointed function that leaves something outside ({self.changed}), each time it runs,",
                         "without checkpoint, which saves nothing here, or with those layers outside of it")
        self.changed = before
        return result

    def fixed_list(self, data: Any) -> Any:
        """Nested lists from which a tensor is made: live arguments in them belong to the program, other numbers that
        were computed cannot be captured."""
        if isinstance(data, (list, tuple)):
            return [self.fixed_list(x) for x in data]
        if isinstance(data, Live):
            return self.fixed(data, "an element of a tensor")
        if isinstance(data, (Node, np.generic, ndarray)):
            self.refused("a tensor of computed numbers", "tg.stack([...]) of tensors, or arguments")
        return data

    def raised(self, op: Primitive, kind: Node, error: Exception) -> None:
        """An operation fails on these numbers: a function that catches that goes another way than with others."""
        if kind.scalar is False and not isinstance(error, (ArithmeticError, LookupError, np.linalg.LinAlgError)):
            return                                    # shapes and dtypes, which the recording is for
        CaptureError(message("an error of these numbers, caught inside a compiled function", op=op.name,
                             instead="if x > 0: ... else: ..., which is captured"))

    def refused(self, what: str, instead: str) -> None:
        """Something that is not captured."""
        raise CaptureError(message(f"{what} inside a compiled function", instead=instead))

    def derived(self, copy: ndarray, source: Any) -> None:
        """``copy`` is ``np.array(source, copy.dtype)``."""
        p = source.payload if isinstance(source, Node) else source
        if isinstance(p, np.generic):
            self.refused("a tensor of a number that NumPy computed", "the number as an argument, or tensor operations")
        if isinstance(p, ndarray) and id(copy) not in self.known:
            value = self.resolve(p)
            if value.constant and copy is not p:
                self.constant(copy)
            if value.constant or copy is p:
                return
            self.events.append(Line("copy", self.variable(copy), None, (value,), {"dtype": copy.dtype}))

    # ---- numbers that leave ------------------------------------------------------------------------------------------
    def live(self, payload: Any, var: Any, of: dict[str, Any] | None = None) -> Live:
        """A live number."""
        number = Live(payload, self, var, of)
        self.numbers.append(ref(number))
        return number

    def computed(self, op: Primitive, inputs: tuple, params: dict, y: Any) -> Any:
        """Arithmetic among live and plain numbers."""
        if self.over:
            return y
        if y is True or y is False:
            self.compared(op, inputs, y)
            return y
        if isinstance(y, ndarray):                    # a NumPy array beside a number
            return op.fn(*[self.fixed(x, "an array") if isinstance(x, Live) else x for x in inputs], **params)
        known: list[Any] = [x.of for x in inputs if isinstance(x, Live)]
        of = {place: x for each in known for place, x in each.items()} if None not in known else None
        out = self.live(y, Var(), of)
        self.events.append((out, op, inputs))
        return out

    def number(self, x: Tensor) -> Live:
        """``x.item()``."""
        out = self.live(x.payload.item(), Var())
        self.events.append(Line("call", out.var, ITEM, (self.resolve(x),)))
        return out

    def compared(self, op: Primitive, inputs: tuple, answer: bool) -> None:
        """Python will branch on a comparison of numbers. One of arguments alone is made before anything runs."""
        if any(x.of is None for x in inputs if type(x) is Live):
            self.branch()
        self.events.append(Line("guard", None, op, inputs, {"answer": answer, "line": user_line()}))

    def decided(self, x: Tensor) -> None:
        """Python will branch on the truth of a tensor."""
        self.guard(bool, (self.resolve(x),), bool(x.payload))

    def assumed(self, answer: Callable, about: tuple, result: Any) -> None:
        """Python will branch on ``answer(*about)``."""
        self.guard(answer, self.resolve(tuple(x.payload if isinstance(x, Node) else x for x in about)), result)

    def guard(self, op: Callable, inputs: tuple, answer: Any) -> None:
        """Stop a replay unless ``op(*inputs)`` is ``answer``; what depends on nothing computed is asked first."""
        line = Line("guard", None, op, inputs, {"answer": answer, "line": user_line()})
        if all(v.place is not None or v.constant for v in line.reads):
            self.questions.append(line)
        else:
            self.branch()
            self.events.append(line)

    def branched(self, number: Live) -> bool:
        """Python will branch on whether a number is 0."""
        return number != 0

    def branch(self) -> None:
        """A branch can be taken back only while nothing outside has changed; Values are changed at the end of a run."""
        if self.changed and not self.scalars:
            raise CaptureError(message(f"a branch on a value after something outside has changed ({self.changed})",
                                       instead="branch before the update, or outside the compiled function"))

    def fixed(self, number: Live, what: str) -> Any:
        """A live number is used as a plain one: the arguments that it comes from then belong to the program; what comes
        from anything else is refused."""
        if self.over:
            return number.payload
        if number.of is not None:
            self.fixed_numbers.update(number.of)
            return number.payload
        raise CaptureError(message(
            f"a number that the function computes is used as {what}: a replay would repeat this one",
            instead="return the tensor (or its .item()) and use it outside the compiled function"))

    def escaped(self, x: Tensor, what: str) -> None:
        """The numbers of a tensor leave the graph."""
        var = self.known.get(id(x.payload))
        if var is not None and var.constant:
            return
        raise CaptureError(message(
            f"{what} of a tensor inside a compiled function: what is computed from it there cannot be captured",
            op=what, inputs=(x,),
            instead="return the tensor and use its numbers outside, or write it with tensor operations"))

    def arrayed(self, number: Live, dtype: Any) -> ndarray:
        """A live number becomes an array: it belongs to the program from now on."""
        return np.asarray(self.fixed(number, "an array"), dtype)

    # ---- scalar Values -----------------------------------------------------------------------------------------------
    def wrapped(self, value: Value, data: Any) -> None:
        """``Value(data)`` of a live number, or of another Value."""
        if isinstance(data, Node):
            self.events.append((value, SAME, (data,)))
            self.scalars = True

    def read(self, value: Value) -> Live:
        """``value.data``."""
        self.scalars = True
        out = self.live(value.payload, None)
        self.events.append((out, SAME, (value,)))
        return out

    def written(self, value: Value, data: Any) -> float:
        """``value.data = data``."""
        self.scalars = True
        self.first.setdefault(value, value.payload)
        self.events.append((DATA, value, data))
        self.changed = self.changed or f".data at {user_line()}"
        return data.payload if isinstance(data, Node) else float(data)

    def read_grad(self, value: Value) -> Any:
        """``value.grad``."""
        grad = value._grad
        out = self.live(grad.payload if isinstance(grad, Node) else grad, None)
        self.events.append((out, GRAD, value))
        self.scalars = True
        return out

    def written_grad(self, value: Value, grad: Any) -> float:
        """``value.grad = grad``."""
        self.scalars = True
        self.events.append((GRAD, value, grad))
        return grad.payload if isinstance(grad, Node) else float(grad)

    def swept(self, root: Value, gradient: float, create_graph: bool) -> None:
        """``root.backward()``."""
        if create_graph:
            raise CaptureError(message("create_graph with Values inside a compiled function", op="backward",
                                       instead="use Tensors, whose second derivatives are captured"))
        self.events.append((SWEEP, root, gradient))

    def passed(self, x: Node) -> bool:
        """Whether a sweep has passed a Value: then its gradients are there, and nobody is to ask for them outside."""
        roots = [event[1] for event in self.events if event.__class__ is tuple and event[0] is SWEEP]
        return any(x is root for root in roots) or x in set(order(roots))

    def kept_outside(self, result: Any) -> list[Tensor]:
        """Tensors that were made inside and that somebody else still holds: a replay would not renew them."""
        self.frame = None
        self.flows.clear()
        todo, reached = [result, [entry[1] for entry in self.grads.values()]], set()
        while todo:
            x = todo.pop()
            if isinstance(x, Tensor) and id(x) not in reached:
                reached.add(id(x))
                todo += [x.base, x._grad, list(x.inputs or ())]
            elif isinstance(x, (tuple, list, dict)):
                todo += x.values() if isinstance(x, dict) else x
        def alive() -> list[Tensor]:
            return [x for weak in self.tensors if (x := weak()) is not None and id(x) not in reached
                    and x.born > self.began]
        if alive():
            gc.collect()                              # it may be a cycle of Python's own that holds them
        return alive()

    def filled(self) -> list[str]:
        """The lists and dicts among the arguments that the function has changed. What it put there is put there."""
        found = []
        for x, made, was, label in self.containers:
            now = list(made.items() if isinstance(made, dict) else enumerate(made))
            if len(now) != len(was) or any(a is not b or i.__class__ is not int and i is not k
                                           for (i, a), (k, b) in zip(now, was, strict=True)):
                found.append(label)
                plain = [put(pair, lambda number: number.payload) for pair in now]
                x.clear()
                x.update(plain) if isinstance(x, dict) else x.extend(item for _, item in plain)
        return found

    def unseen_change(self, tensors: Iterable[Any]) -> Any:
        """A tensor that was changed in a way that is not captured (by ``load_state_dict``, for one); else None."""
        for x in tensors:
            when = (x if x.base is None else x.base).note.changed
            if when > self.began and when not in self.changes and not any(a < when <= b for a, b in self.hidden):
                return x
        return None

    def numbers_kept(self, result: Any) -> bool:
        """Whether somebody still holds a number that was computed inside: a replay would not renew it."""
        if any(number() is not None for number in self.numbers):
            gc.collect()                              # it may be a cycle of Python's own that holds them
        alive = {id(number()) for number in self.numbers if number() is not None}
        todo = [result] if alive else []
        while todo and alive:                         # the graph of a tensor that is returned may hold some
            x = todo.pop()
            if isinstance(x, (tuple, list, dict)):
                todo += x.values() if isinstance(x, dict) else x
            elif type(x) is Live:
                alive.discard(id(x))
            elif isinstance(x, Tensor):
                todo += [x.base, *(x.inputs or ())]
        return bool(alive)

    def forget(self) -> None:
        """Give back the nodes and arrays of the recording run, before more is built on top of them."""
        for held in (self.events, self.questions, self.known, self.kept, self.made_inside, self.flows, self.shared,
                     self.containers):
            held.clear()
        self.tensors = [tensor for tensor in self.tensors if tensor() is not None]

    # ---- the end -----------------------------------------------------------------------------------------------------
    def locate(self) -> None:
        """Find the frame of the function, whose local names become the names of the variables."""
        frame = sys._getframe(2)
        while frame is not None and frame.f_code is not self.code:
            frame = frame.f_back
        self.frame = frame or False

    def outcome(self, x: Any) -> Any:
        """The structure of the result with variables in it."""
        if isinstance(x, Tensor) and x.born < self.began and (
                id(x) in self.visible or id(x) in self.arguments and x.requires_grad):
            return x                                  # the tensor itself, which no other can have become unseen
        if isinstance(x, (Tensor, Live)):
            return self.resolve(x)
        if isinstance(x, (tuple, list)):
            items = [self.outcome(item) for item in x]
            return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
        if isinstance(x, dict):
            if any(isinstance(key, Tensor) and key.born > self.began for key in x):
                self.refused("a result that has what is computed as a key", "it as a value of the dict, or in a tuple")
            return {key: self.outcome(item) for key, item in x.items()}
        if not isinstance(x, (bool, int, float, complex, str, bytes, type(None), type, np.dtype)) or (
                isinstance(x, np.generic)):
            self.refused(f"a result of type {type(x).__name__}", "tensors, numbers and text, in lists, tuples or dicts")
        return x


def put(x: Any, number: Callable) -> Any:
    """``x`` with ``number(live)`` in place of each live number in it."""
    if type(x) in (tuple, list):
        return type(x)([put(item, number) for item in x])
    if type(x) is dict:
        return {key: put(item, number) for key, item in x.items()}
    if type(x) is slice:
        return slice(*put((x.start, x.stop, x.step), number))
    return number(x) if type(x) is Live else x


def in_a_rule() -> bool:
    """Whether a sweep, or a push forward, is applying a rule right now."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        if frame.f_code is sweep.__code__ or frame.f_code is pushed.__code__:
            return True
        frame = frame.f_back
    return False


class unwatched:
    """Nobody watches inside the block."""

    def __init__(self, recorder: Recorder):
        self.recorder = recorder

    def __enter__(self) -> None:
        self.before, local.mode.watch, self.since = local.mode.watch, None, tick()

    def __exit__(self, *error: Any) -> None:
        local.mode.watch = self.before
        self.recorder.hidden.append((self.since, tick()))


RESHAPE = REGISTRY["reshape"]
DOT = "dot"
ITEM = "item"
SAME = "same"
CAST = "cast"
DATA, GRAD, SWEEP = "data", "grad", "sweep"            # what a scalar event that makes no node is about
