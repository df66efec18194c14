"""compile(fn): record a step once, then replay it as straight-line NumPy."""
from __future__ import annotations

import builtins
import functools
import gc
import marshal
import warnings
import zlib
from collections.abc import Callable, Iterator
from copy import copy, deepcopy
from itertools import combinations
from sys import intern
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from ..defaults import Default
from ..errors import message
from ..generator import Stream
from ..graph import Node
from ..mode import is_grad_enabled, local, watch
from ..random import default_generator
from ..tensor import Tensor
from ..value import Value
from .around import ASKED, Around, Fact, called, equal
from .capture import CaptureError, Recorder
from .live import Live
from .passes import Grads, anew, optimised
from .program import Line, Place, Program, Var, variables
from .text import Branch, parse, rendered

WRONG = (AttributeError, LookupError, TypeError, ValueError)
MOST = 16                                             # recordings kept of one function


class CacheInfo(NamedTuple):
    """How often calls were replayed and recorded, and how many programs are kept."""

    replays: int
    recordings: int
    kept: int


class After(NamedTuple):
    """What a pass left: the calls of NumPy that a run makes, the bytes of memory that it asks for, what the pass does,
    and the program, where it was to be kept."""

    name: str
    calls: int
    fresh_bytes: int
    does: str
    text: str

    @staticmethod
    def of(name: str, does: str, program: Program, keep: bool) -> After:
        """What there is to say of the program that a pass left."""
        return After(name, program.calls, program.fresh_bytes, does, str(program) if keep else "")


class Recording:
    """One program, compiled, and the conditions under which a run may use it.

    What it consists of comes from ``noted``: ``plain`` what is plain text and numbers, ``objects`` the rest."""

    def __init__(self, plain: bytes, objects: list[Any], streams: list[Any]):
        (self.name, self.packed, code, tests, names, memory, grads, passes, self.simple,
         self.first_change) = marshal.loads(plain)
        self.streams = streams                        # of random numbers, that a run which stops has to give back
        self.passes = [After(*each) for each in passes]
        self.levels: Any = None                       # of a function of Values: its groups, phase by phase
        self.nodes = 0
        values = objects[len(names):]
        own = dict(zip(map(intern, names), objects, strict=False))
        own["memory"] = [np.empty(*like) for like in memory]
        for name, like in grads.items():              # the memory of a gradient is told by whose gradient it is
            own[name] = Grads(own[name], *like)
        exec(code, own)
        self.run: Callable = own[self.name]
        space: dict[str, Any] = {**ASKED, "default": Default, "overlap": np.may_share_memory, "apart": apart,
                                 "wrong": WRONG}
        space.update((f"x{i}", value) for i, value in enumerate(values))
        exec(f"def holds(a):\n    try:\n        return {tests}\n    except wrong:\n        return False", space)
        self.holds: Callable[[list], bool] = space["holds"]

    def has_changed(self, error: Exception) -> bool:
        """Whether the run that ended in ``error`` had changed anything outside; Values are written at its end."""
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code is not self.run.__code__:
            trace = trace.tb_next
        return self.levels is None and not isinstance(error, Branch) and (
            trace is None or trace.tb_lineno >= self.first_change)

    @property
    def text(self) -> str:
        """The program."""
        return zlib.decompress(self.packed).decode()


def noted(program: Program, text: str, space: dict[str, Any], facts: list[Fact], recorder: Recorder,
          passes: list[After]) -> tuple[bytes, list[Any], list[Any]]:
    """What a Recording is made of, in pieces: it is to be built when the thousands of small objects of the recorder
    are gone, for what is built among them would hold the memory around it for ever."""
    kinds = {line.kind for line in program.lines}
    simple = None                                     # recording or not, where a run cannot end half-way
    if recorder.lines_only and "guard" not in kinds and not program.arguments:
        simple = is_grad_enabled()
    tests, values = conditions(recorder, facts, written(program))
    memory = [(x.shape, x.dtype.str) for x in space.pop("memory", ())]
    grads = {name: (x.shape, x.dtype.str) for name, x in space.items() if isinstance(x, Grads)}
    objects = {name: x.owner if name in grads else x for name, x in space.items()}
    code = builtins.compile(text, f"<replay of {program.name}>", "exec")
    draws = [x for line in program.lines if line.kind == "draw" for x in (*line.inputs, *line.params.values())]
    streams: list[Any] = list(dict.fromkeys([default_generator, *(x for x in draws if isinstance(x, Stream))]))
    streams = streams if {"draw", "guard"} <= kinds else []
    outside = {v.memory for v, _ in recorder.loads}
    last = text.count("\n")                           # a line of the text for each of the program, and "return" behind
    first = next((last - len(program.lines) + i for i, line in enumerate(program.lines)
                  if line.kind == "store" or line.acts or line.kind == "draw" and (not streams or line.out is None)
                  or line.kind == "change" and line.inputs[0].memory in outside or isinstance(line.into, Grads)), last)
    plain = (program.name, zlib.compress(text.encode()), code, tests, list(objects), memory, grads,
             [tuple(after) for after in passes], simple, first)
    return marshal.dumps(plain), [*objects.values(), *values], streams


def conditions(recorder: Recorder, facts: list[Fact], written: set[Any]) -> tuple[str, list[Any]]:
    """A test of the arguments ``a`` that says whether a recording fits, and the objects x0, x1, ... that it asks;
    ``written`` is the memory that the recording changes."""
    values: list[Any] = [Default.dtype]
    tests = ["default.dtype is x0"]

    def ask(test: str, *asked: Any) -> None:
        names = [f"x{len(values) + i}" for i in range(len(asked))]
        values.extend(asked)
        tests.append(test.format(*names, o=names[0] if names else "", v=names[-1] if names else ""))
    for fact in facts:
        ask(fact.test, fact.owner, fact.value)
    owners = dict.fromkeys((v.place.owner, v.place.path, v.shape, v.dtype) for v, _ in recorder.loads
                           if isinstance(v.place.owner, Tensor))
    for owner, path, _, _ in owners:
        if "grad" not in path:
            ask("{0}.requires_grad is {1}", owner, owner.requires_grad)
            if owner.requires_grad:
                ask("{0}.note.hooks is {1}", owner, owner.note.hooks)
    for x, first in recorder.aliases.items():
        ask("{0}.payload is {1}.payload", x, first)
    for node, (had, _) in recorder.grads.items():
        if had is not None:
            ask("{0}._grad is " + ("not None" if had else "None"), node)
    arrays = {v.place.owner: v.memory for v, _ in recorder.loads
              if isinstance(v.place.owner, Tensor) and v.place.path == ".payload"}
    pairs = [(a, b, np.may_share_memory(a.payload, b.payload)) for (a, m), (b, n) in combinations(arrays.items(), 2)
             if m in written or n in written]
    for owner, path, shape, dtype in owners:
        test = f"{{0}}{path}.shape == {{1}} and {{0}}{path}.dtype == {{2}}"
        if path == ".payload":                        # the same array has the same shape: only another one is asked
            test = (f"({{0}}.payload is {{3}} or {test} and {{0}}.payload.strides == {{3}}.strides"
                    f"{' and apart({4})' if pairs else ''})")
        ask(test, owner, shape, dtype, owner.payload, pairs)
    for path, number in recorder.fixed_numbers.items():
        ask(f"alike(a[{int(path)}], {{v}})", number)
    given = {int(v.place.path): (v, p) for v, p in recorder.loads if v.place.owner is None}
    if (several := len({id(p) for _, p in given.values()})) > 1:
        tests.append(f"len({{{', '.join(f'id(a[{i}])' for i in given)}}}) == {several}")
    for i, (_, p) in given.items():                   # what is one array, or overlaps another that is changed in place
        for j in range(i):
            if j in given and given[j][1] is p:
                ask(f"a[{i}] is a[{j}]")
        for v, q in recorder.loads:
            if q is not p and (v.memory in written or given[i][0].memory in written):
                other = f"a[{v.place.path}]" if v.place.owner is None else f"{{0}}{v.place.path}"
                ask(f"overlap(a[{i}], {other}) is {np.may_share_memory(p, q)}", v.place.owner)
    for v, x in recorder.shared:
        ask(f"a[{v.place.path}] is {{0}}{'' if isinstance(x, np.ndarray) else '.payload'}", x)
    return " and ".join(tests), values


def apart(pairs: list[tuple[Tensor, Tensor, bool]]) -> bool:
    """Whether tensors, one of which is changed in place, share memory as they did."""
    return all(np.may_share_memory(a.payload, b.payload) is shared for a, b, shared in pairs)


def written(program: Program) -> set[Any]:
    """The memory that a program changes in place, or gives to functions of which nothing is known."""
    return {v.memory for line in program.lines if line.kind in ("change", "draw") for v in variables(line.inputs)}


def other_randomness(around: Around) -> Any:
    """The states of the generators that Python code may draw from unseen."""
    numpys: Any = np.random.get_state(legacy=False)    # noqa: NPY002  (asked, not used)
    numpys = numpys["state"]["key"].tobytes(), numpys["state"]["pos"], numpys["has_gauss"]
    return [state() for state in around.randoms], numpys, default_generator.numpy.bit_generator.state


class Compiled:
    """A function that is recorded at its first call with given shapes, and replayed from then on."""

    def __init__(self, fn: Callable, optimise: bool = True, keep: bool = False):
        functools.update_wrapper(self, fn, updated=() if isinstance(self, CompiledObject) else ("__dict__",))
        self.__name__ = getattr(fn, "__name__", type(fn).__name__.lower())
        self.fn, self.optimise, self.keep = fn, optimise, keep
        self.as_it_is: set[Any] = set()               # calls whose results are to be differentiated outside
        self.recordings: dict[Any, list[Recording]] = {}
        self.last: Recording | None = None
        self.replays = self.recorded = 0
        self.tired = False
        self.turn = [None]                            # taken by a replay: what it keeps belongs to one run at a time

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        mode, last = local.mode, self.last
        if not args and not kwargs and last is not None and last.simple is mode.recording and mode.watch is None and (
                last.holds([])):                      # the general case below, without what it looks up
            try:
                self.turn.pop()
            except IndexError:                        # another thread replays at this moment
                return self.fn()
            try:
                result = last.run()
                self.replays += 1
                return result
            except Exception as error:
                if last.has_changed(error):
                    raise
                return self.fn()
            finally:
                self.turn.append(None)
        if mode.watch is not None:                    # inside another capture: part of that
            return self.fn(*args, **kwargs)
        numbers: list[Any] = []
        key = self.numbers(args, kwargs, numbers)
        if key in self.as_it_is:
            return self.fn(*args, **kwargs)
        try:
            self.turn.pop()
        except IndexError:
            return self.fn(*args, **kwargs)
        try:
            return self.replayed(key, numbers, args, kwargs)
        finally:
            self.turn.append(None)

    def replayed(self, key: Any, numbers: list, args: tuple, kwargs: dict) -> Any:
        """The recording that fits, or a new one."""
        for recording in self.recordings.get(key, ()):
            if recording.holds(numbers):
                before = [stream.numpy.bit_generator.state for stream in recording.streams]
                try:
                    if recording.levels is None:
                        result = recording.run(*numbers)
                    else:
                        with np.errstate(divide="raise", over="raise", invalid="raise"):
                            result = recording.run(*numbers)
                except Exception as error:
                    if recording.has_changed(error):
                        raise
                    for stream, state in zip(recording.streams, before, strict=True):
                        stream.numpy.bit_generator.state = state
                    if isinstance(error, Branch):
                        continue
                    return self.fn(*args, **kwargs)   # eager code says what is wrong, or catches it
                self.replays += 1
                self.last = recording
                return result
        return self.record(key, args, kwargs)

    @staticmethod
    def numbers(args: tuple, kwargs: dict, numbers: list) -> Any:
        """What a recording must have been made for, to fit this call; the arrays and numbers of the call are added."""
        if args or kwargs:
            return is_grad_enabled(), Default.dtype, signature(args, numbers), signature(kwargs, numbers)
        return is_grad_enabled(), Default.dtype

    def __deepcopy__(self, memo: dict) -> Compiled:
        return type(self)(deepcopy(self.fn, memo), self.optimise, self.keep)

    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else Bound(self, instance)

    def record(self, key: Any, args: tuple, kwargs: dict) -> Any:
        """Run the function as it is, keep what it does as a program, and return its result."""
        if self.tired or self.recorded >= 4 * MOST:
            if not self.tired:
                self.tired = True
                warnings.warn(message(
                    f"{self.__name__} was recorded {self.recorded} times, and now runs as it is: each call differs in "
                    "shapes, in numbers or in branches", instead="see cache_info(); pass numbers that change as "
                    "arguments and arrays of them as a.tolist() or tensors, pad to few shapes, and branch on values "
                    "outside"), RuntimeWarning, stacklevel=3)
            return self.fn(*args, **kwargs)
        recorder = Recorder(self.fn.__code__ if hasattr(self.fn, "__code__") else None)
        around = Around(self.fn, args, kwargs)
        facts, names = around.facts, around.names
        arguments: list[Var] = []
        recorder.owners = {id(x.payload): x for x, _ in names.values() if isinstance(x, Tensor)}
        given = argument_names(self.fn, args, kwargs)
        prepared = ([prepare(x, recorder, arguments, given, label) for label, x in
                     zip(labels(self.fn, args), args, strict=True)],
                    {key: prepare(x, recorder, arguments, given, key) for key, x in kwargs.items()})
        recorder.shared = [(recorder.known[id(getattr(around.known[i], "payload", around.known[i]))], around.known[i])
                           for i in recorder.arguments if i in around.known]
        recorder.visible = around.known
        before = other_randomness(around)
        flags = [(x, x.requires_grad, x.note.hooks) for x in (*around.known.values(), *recorder.given_tensors)
                 if isinstance(x, Tensor) and x.is_leaf]
        enabled = is_grad_enabled()
        collecting = gc.isenabled()
        gc.disable()                                  # thousands of nodes are made and none of them is garbage
        try:
            try:
                with watch(recorder):
                    result = self.fn(*prepared[0], **prepared[1])
                    if not recorder.scalars:
                        recorder.flush()
            finally:
                filled = recorder.filled()
            if recorder.refusal is not None:
                raise recorder.refusal
            del prepared
            if history(result, recorder):
                if len(self.as_it_is) < 4 * MOST:
                    self.as_it_is.add(key)
                return plainly(result)
            *others, own = (a != b for a, b in zip(other_randomness(around), before, strict=True))
            if any(others) or own and not any(line.__class__ is Line and line.kind == "draw"
                                              for line in recorder.events):
                recorder.refused("random numbers from elsewhere (random, numpy.random), or a new seed,",
                                 "tg.rand, tg.randn")
            changes = [fact.label for fact in around.facts if not fact.holds]
            modes = [label for label in changes if label.endswith(".training")]
            if modes and not recorder.moded:          # as it is now it will be recorded
                return plainly(result)
            changes = [label for label in changes if label not in modes] + filled
            titles = {id(x): arguments[i].name for x, i in recorder.given_tensors.items()}
            changes += [f"requires_grad or the hooks of {titles.get(id(x)) or around.names[id(x)][1]}"
                        for x, flag, hooks in flags if x.requires_grad is not flag or x.note.hooks is not hooks]
            changes += ["whether gradients are recorded"] if is_grad_enabled() is not enabled else []
            for label in changes:
                raise CaptureError(message(
                    f"the function changes {label}{around.where(label)}, which a replay would not",
                    instead="x = x.detach().requires_grad_() inside, or x.requires_grad_() outside"
                    if label.startswith("requires_grad") else "return what is new, and put it away outside"))
            owners = [v.place.owner for v, _ in recorder.loads if isinstance(v.place.owner, Tensor)]
            if (x := recorder.unseen_change([*owners, *(x for x in around.known.values() if isinstance(x, Tensor))])
                    ) is not None:
                recorder.refused(f"a change of {around.names.get(id(x), (x, 'a tensor'))[1]} in a way that is not "
                                 "captured", "load, convert and initialise outside the compiled function")
            if recorder.scalars:
                from .levels import levelled
                unread(around, recorder, arguments, set(), facts)
                recording, plain = levelled(self, recorder, arguments, names, result, facts)
            else:
                recording = self.finished(recorder, arguments, names, result, facts, around)
                plain = plainly(result)
                if kept := recorder.kept_outside(plain):
                    raise CaptureError(message(
                        "a tensor that the function computes is kept outside (in an attribute or a list): a replay "
                        "would not renew it", inputs=(kept[0],), instead="return it, and keep what is returned"))
            del result
            recorder.forget()
            if recorder.numbers_kept(plain):
                raise CaptureError(message(
                    "a number that the function computes is kept outside (in an attribute or a list): a replay would "
                    "not renew it", instead="return it, and keep what is returned"))
        finally:
            recorder.over = True
            if collecting:
                gc.enable()
        kept = self.recordings.setdefault(key, [])
        kept.insert(0, recording)
        del kept[MOST:]
        self.recorded += 1
        self.last = recording
        return plain

    def finished(self, recorder: Recorder, arguments: list[Var], names: dict, result: Any, facts: list[Fact],
                 around: Around) -> Recording:
        """The recording of a function of tensors."""
        lines = list(recorder.questions)
        for event in sorted(recorder.events, key=of_arguments, reverse=True):
            if isinstance(event, tuple):              # arithmetic among live numbers
                node, op, inputs = event
                event = Line("call", node.var, op, recorder.resolve(inputs))
            elif event.kind == "guard" and event.inputs:
                event = event.but(inputs=recorder.resolve(event.inputs))
            lines.append(event)
        outcome = recorder.outcome(result)
        name_variables(recorder)
        program = anew(Program(lines, outcome, safe(self.__name__), arguments, names))
        read = {*variables(outcome), *(v for line in lines for v in variables((line.inputs, line.params)))}
        refuse_frozen(recorder, read)
        unread(around, recorder, arguments, read, facts, written(program))
        passes = [After.of("recorded", "the lines as they were recorded", program, self.keep)]
        if self.optimise:
            for name, does, program in optimised(program):     # noqa: B020  (from what the one before left)
                passes.append(After.of(name, does, program, self.keep))
        text, space = rendered(program)
        found = noted(program, text, space, facts, recorder, passes)
        event, long = None, len(lines) > 1000
        name = does = ""
        del lines, program, read, outcome, arguments, result, space, text, passes
        parse.cache_clear()
        recorder.forget()
        if long:
            gc.collect()                              # Python keeps thousands of empty tuples for later: they too
        return Recording(*found)

    # ---- what it shows -----------------------------------------------------------------------------------------------
    def cache_info(self) -> CacheInfo:
        """How often calls were replayed and recorded, and how many programs are kept."""
        return CacheInfo(self.replays, self.recorded, sum(map(len, self.recordings.values())))

    def source(self) -> str:
        """The program of the last call, as the Python text that runs."""
        return self.recent().text

    def explain(self, name: str | None = None) -> str:
        """What each pass saved, a compound call counted as those that it makes; for Values the levels. With the name of
        a pass the program before and after it, where compile was told to ``keep`` them. Time: ``profile``."""
        from .explain import explained
        return explained(self, name)

    def profile(self, *args: Any, **kwargs: Any) -> str:
        """Take three more steps with these arguments, the last with a clock after each line: what takes the time."""
        from .explain import profiled
        return profiled(self, args, kwargs)

    def recent(self) -> Recording:
        """The recording of the last call."""
        if self.last is None and self.as_it_is:
            raise RuntimeError(message(f"{self.__name__} runs as it is: its result is yet to be differentiated outside",
                                       instead="compile the whole step, with backward() and the optimiser's turn"))
        if self.last is None:
            raise RuntimeError(message(f"{self.__name__} has not been called yet, so nothing is recorded",
                                       instead="call it once with arguments of the shapes that you mean"))
        return self.last


class Bound(functools.partial):
    """A compiled method of an object."""

    func: Any

    def profile(self, *args: Any, **kwargs: Any) -> str:
        """``Compiled.profile`` with the object as the first argument."""
        return self.func.profile(*self.args, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.func, name)


class CompiledObject(Compiled):
    """Of a Module, or another object that can be called: what it offers besides is still there."""

    def __getattr__(self, name: str) -> Any:
        if "fn" not in self.__dict__:                 # while it is copied
            raise AttributeError(name)
        return getattr(self.fn, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if "turn" in self.__dict__ and name not in self.__dict__:
            setattr(self.fn, name, value)
        else:
            object.__setattr__(self, name, value)


def compile(fn: Callable | None = None, *, optimise: bool = True, keep: bool = False, disable: bool = False,
            **options: Any) -> Any:                   # PyTorch's name and options
    """``step = compile(fn)``: the same function, recorded at its first call and replayed as straight-line NumPy after.

    Forward, ``backward()`` and optimiser in one. Tensors and arrays that are passed, parameters, learning rates and
    numbers passed as arguments are read live; other shapes or dtypes are recorded again (``step.cache_info()``).
    Random numbers are drawn from the same generator as without it. What Python does with values, and a replay could
    not repeat, raises CaptureError with its line. A function whose result is yet to be differentiated (a model alone)
    is run as it is; under no_grad it is replayed. With ``optimise=False`` nothing but the recorded lines runs; with
    ``keep=True`` the program after each pass is kept, for ``explain(name)``. PyTorch's further options (mode, backend,
    dynamic, fullgraph) are accepted and change nothing.

    >>> w = tensor([1., 2.], requires_grad=True)
    >>> @tg.compile
    ... def step(x, lr):
    ...     w.grad = None
    ...     loss = ((w * x) ** 2).sum()
    ...     loss.backward()
    ...     with tg.no_grad():
    ...         w.sub_(lr * w.grad)
    ...     return loss
    >>> [step(tensor([1., 1.]), 0.25).item() for _ in range(3)]
    [5.0, 1.25, 0.3125]
    >>> step.cache_info()
    CacheInfo(replays=2, recordings=1, kept=1)
    """
    if unknown := set(options) - {"mode", "backend", "dynamic", "fullgraph", "options"}:
        raise TypeError(message(f"compile() got an unexpected keyword argument {min(unknown)!r}"))
    if fn is None:
        return functools.partial(compile, optimise=optimise, keep=keep, disable=disable)
    if disable:
        return fn
    return (Compiled if isinstance(fn, FunctionType) else CompiledObject)(fn, optimise, keep)


# ---- arguments ------------------------------------------------------------------------------------------------------
def signature(x: Any, numbers: list) -> tuple:
    """What must be equal for a recording to fit these arguments; their arrays and numbers are added to ``numbers``."""
    key: list[Any] = []
    for item in (x.values() if isinstance(x, dict) else x):
        if isinstance(item, Tensor):
            p = item.payload
            numbers.append(p)
            key.append((p.shape, p.strides, p.dtype, Same(item) if item.requires_grad else 0))
        elif item.__class__ is float or item.__class__ is int:
            numbers.append(item)
            key.append(item.__class__)
        elif isinstance(item, np.ndarray):
            numbers.append(item)
            key.append((item.shape, item.strides, item.dtype))
        elif isinstance(item, (tuple, list, dict)):
            key.append((item.__class__, signature(item, numbers)))
        elif item is None or isinstance(item, (bool, str, bytes)):
            key.append(item if item.__class__ is not bool else (bool, item))
        else:
            key.append((item.__class__, repr(item)) if isinstance(item, np.generic) else Same(item))
    return (tuple(x), *key) if isinstance(x, dict) else tuple(key)


class Same:
    """An object as part of a key: it alone, and kept, so that no other comes to have its identity."""

    __slots__ = ("x",)

    def __init__(self, x: Any):
        self.x = x

    def __hash__(self) -> int:
        return id(self.x)

    def __eq__(self, other: object) -> bool:
        return other.__class__ is Same and other.x is self.x


def prepare(x: Any, recorder: Recorder, arguments: list[Var], names: Iterator[str], label: str) -> Any:
    """An argument for the recording run: variables are registered for arrays, numbers become live."""
    if isinstance(x, (Tensor, np.ndarray)):
        p = x.payload if isinstance(x, Tensor) else x
        var = recorder.variable(p, place=Place(None, str(len(arguments))), name=next(names))
        arguments.append(var)
        recorder.loads.append((var, p))
        recorder.given.add(id(p))
        if isinstance(x, Tensor):
            recorder.given_tensors[x] = len(arguments) - 1
        recorder.arguments.add(id(x))
        return x
    if x.__class__ is float or x.__class__ is int:
        var = Var(place=Place(None, str(len(arguments))), name=next(names))
        arguments.append(var)
        return recorder.live(x, var, {var.place.path: x})
    if isinstance(x, tuple):
        items = [prepare(item, recorder, arguments, names, f"{label}[{i}]") for i, item in enumerate(x)]
        return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
    if isinstance(x, (list, dict)):
        made = copy(x)
        for key, item in contents(x):
            made[key] = prepare(item, recorder, arguments, names, f"{label}[{key!r}]")
        recorder.containers.append((x, made, contents(made), label))
        return made
    return x


def contents(x: Any) -> list[tuple[Any, Any]]:
    """The items of a dict, or of a list."""
    return list(x.items() if isinstance(x, dict) else enumerate(x))


def labels(fn: Callable, args: tuple) -> list[str]:
    """The names of positional arguments."""
    return [*called(fn), *(f"argument {i}" for i in range(len(args)))][:len(args)]


def argument_names(fn: Callable, args: tuple, kwargs: dict) -> Iterator[str]:
    """The names of the arguments, and then of the parts of containers among them."""
    code = getattr(fn, "__code__", None)
    own = code.co_varnames[:code.co_argcount] if code else ()

    def parts(name: str, x: Any) -> Iterator[str]:
        if isinstance(x, (tuple, list)):
            for i, item in enumerate(x):
                yield from parts(f"{name}_{i}", item)
        elif isinstance(x, dict):
            for key, item in x.items():
                yield from parts(f"{name}_{key}", item)
        elif isinstance(x, (Tensor, np.ndarray)) or x.__class__ in (float, int):
            yield name
    for i, x in enumerate(args):
        yield from parts(own[i] if i < len(own) else f"a{i}", x)
    for key, x in kwargs.items():
        yield from parts(key, x)


# ---- names and results -----------------------------------------------------------------------------------------------
def name_variables(recorder: Recorder) -> None:
    """Give variables the names of the function's local variables, and adjoints the names of what they belong to."""
    for name, value in (recorder.frame.f_locals.items() if recorder.frame else ()):
        if isinstance(value, Tensor):
            var = recorder.known.get(id(value.payload))
            if var is not None and not var.name:
                var.name = name
    for x, g in recorder.flows:
        var, of = recorder.known.get(id(g.payload)), recorder.known.get(id(x.payload))
        if var is not None and of is not None and not var.name and not of.constant and (of.name or of.place):
            var.name = f"d_{of.name}" if of.name else ""
    recorder.frame = None


def of_arguments(event: Any) -> bool:
    """Whether an event is arithmetic among arguments, or a question about that: it comes first, before any change."""
    made, read = (event[:1], ()) if isinstance(event, tuple) else ((), event.inputs if event.kind == "guard" else ())
    return all(type(x) is Live and x.of is not None for x in made) if made else bool(read) and all(
        not isinstance(x, (Var, Node)) or type(x) is Live and x.of is not None for x in read)


def safe(name: str) -> str:
    """A function's name as an identifier."""
    return name if name.isidentifier() else "step"


def history(x: Any, recorder: Recorder) -> bool:
    """Whether a result has a graph that nobody has swept yet: then it is meant to be differentiated outside."""
    if isinstance(x, Node):
        if x.op is None or x.inputs is None or not x.requires_grad or x.born < recorder.began:
            return False
        return not (x.scalar and recorder.passed(x))
    return isinstance(x, (tuple, list, dict)) and any(
        history(item, recorder) for item in (x.values() if isinstance(x, dict) else x))


def plainly(x: Any) -> Any:
    """The result of the recording run, without live numbers in it."""
    if isinstance(x, Live):
        return x.payload
    if isinstance(x, Tensor):
        return x
    if isinstance(x, (tuple, list)):
        items = [plainly(item) for item in x]
        return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
    if isinstance(x, dict):
        return {plainly(key): plainly(item) for key, item in x.items()}
    return x


def unread(around: Around, recorder: Recorder, arguments: list[Var], read: set[Var], facts: list[Fact],
           written: Any = ()) -> None:
    """NumPy's arrays whose numbers only Python has read: their contents become facts. One that takes part as a whole is
    read live, and no number may be taken out of it."""
    for a, was, label in around.arrays:
        var = recorder.known.get(id(a))
        whole = var is not None and var in read
        if var is None or var.memory not in written:
            if not equal(a, was):
                recorder.refused(f"a change of the array {label} by NumPy{around.where(label)}", "a tensor, changed")
            if not whole:
                at = None if var is None or var not in arguments else arguments.index(var)
                facts.append(Fact("array_equal({o}, {v})" if at is None else f"array_equal(a[{at}], {{v}})", a, was,
                                  label))
        if whole and recorder.scalars_of_numpy:
            recorder.refused(f"a number that NumPy computed ({recorder.scalars_of_numpy}), perhaps from the array "
                             f"{label},", "the number as an argument, or tensor operations")


def refuse_frozen(recorder: Recorder, read: set[Var]) -> None:
    """CaptureError for an array that NumPy computed inside, and no primitive: it is nothing that the function can see,
    nor was anything computed with it before."""
    unknown = {id(a): line for a, var, line in recorder.made_inside if var in read and id(a) not in recorder.visible}
    todo: list[Any] = [x for x in recorder.visible.values() if isinstance(x, Node)] if unknown else []
    seen = set(map(id, todo))
    while todo:
        x = todo.pop()
        if isinstance(x, np.ndarray):
            unknown.pop(id(x), None)
        for part in ((x.inputs, x.params) if isinstance(x, Tensor) and x.born < recorder.began else x.values()
                     if isinstance(x, dict) else x if isinstance(x, tuple) else ()):
            if id(part) not in seen:
                seen.add(id(part))
                todo.append(part)
    for line in unknown.values():
        raise CaptureError(message(
            f"an array that NumPy computed inside the function ({line}) would be frozen",
            instead="pass it as an argument, or compute it with tensor operations"))


__all__ = ["Compiled", "Value", "compile"]
