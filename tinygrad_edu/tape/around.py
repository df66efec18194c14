"""What a function can see besides its arguments, followed from name to name and noted as facts. Each is asked again
before a replay and after the recording run, so that nothing around the function is frozen, or changed unseen."""
from __future__ import annotations

import dis
import functools
import linecache
import operator
import os
import random
import re
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from functools import lru_cache
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from ..errors import PACKAGE, message
from ..graph import Node
from ..tensor import Tensor
from .capture import CaptureError

PLAIN = (int, float, complex, bool, str, bytes, type(None))
SMALL = 16                                            # entries of a list that are asked one by one
ELSEWHERE = (os.path.dirname(os.__file__) + os.sep, f"{os.sep}site-packages{os.sep}", "<frozen", "<builtin>")
NAMED = {"LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL"}
CHANGING = {"append", "extend", "insert", "pop", "remove", "clear", "add", "update", "setdefault", "appendleft"}
ATTRIBUTES = {"LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR", "LOAD_SUPER_ATTR"}


def alike(a: Any, b: Any) -> bool:
    """Whether two plain values are the same, kind included: 1, 1.0 and True are three."""
    return a.__class__ is b.__class__ and (a == b or a != a and b != b)


ASKED = {"alike": alike, "same": operator.is_, "array_equal": np.array_equal}    # what tests of facts call


class Fact(NamedTuple):
    """Something that code of the function may have read: ``test`` of owner {o} and value {v}; ``label`` says what."""

    test: str
    owner: Any
    value: Any
    label: str

    @property
    def holds(self) -> bool:
        """Whether it is still so."""
        try:
            return bool(eval(self.test.format(o="o", v="v"), {**ASKED, "o": self.owner, "v": self.value}))
        except (AttributeError, LookupError, TypeError, ValueError):
            return False


@lru_cache(maxsize=1024)
def mentioned(code: CodeType) -> tuple[frozenset[str], frozenset[str]]:
    """The global names and the attributes that a piece of code, and what is defined in it, mentions."""
    steps = [step for part in every([code]) for step in dis.get_instructions(part)]
    return (frozenset(step.argval for step in steps if step.opname in NAMED),
            frozenset(step.argval for step in steps if step.opname in ATTRIBUTES))


def users(file: str) -> bool:
    """Whether a file is the user's: not of this package, of Python or of what is installed beside it."""
    return not file.startswith(PACKAGE) and not any(part in file for part in ELSEWHERE)


class Around:
    """Gathers the facts: ``facts``, the names that nodes and optimisers have there (``names``), the NumPy ``arrays``,
    the generators of random numbers. Attributes count where code that may run mentions them."""

    def __init__(self, fn: Callable, args: tuple, kwargs: dict):
        self.codes: dict[CodeType, None] = {}
        self.attributes: frozenset[str] = frozenset()
        while True:                                   # code leads to objects, and their classes to more code
            before = len(self.codes)
            self.facts: list[Fact] = []
            self.known: dict[int, Any] = {}
            self.names: dict[int, tuple[Any, str]] = {}
            self.arrays: list[tuple[np.ndarray, np.ndarray, str]] = []
            self.randoms: list[Callable] = [random.getstate]
            self.visit(fn, "net" if hasattr(fn, "named_parameters") else "")
            for label, x in zip((*called(fn), *(f"argument {i}" for i in range(len(args)))), args, strict=False):
                self.argument(x, label)
            for label, x in kwargs.items():
                self.argument(x, label)
            if len(self.codes) == before:
                break
            self.attributes = frozenset().union(*(mentioned(code)[1] for code in self.codes))

    def argument(self, x: Any, label: str) -> None:
        """An argument: tensors, arrays and numbers are read at each call, other objects belong to the surroundings."""
        if isinstance(x, (list, tuple, dict)):
            for key, item in x.items() if isinstance(x, dict) else enumerate(x):
                self.argument(item, f"{label}[{key!r}]")
        elif isinstance(x, np.ndarray):
            self.arrays.append((x, x.copy(), label))
        elif not isinstance(x, Node):
            self.visit(x, label)

    def ask(self, test: str, owner: Any, value: Any, label: str) -> None:
        """Note a fact."""
        self.facts.append(Fact(test, owner, value, label))

    def entry(self, read: str, owner: Any, x: Any, label: str) -> None:
        """``owner`` refers to ``x`` in the way that ``read`` says."""
        same = x.__class__ in PLAIN and x is not None and x.__class__ is not bool
        self.ask(f"({read} is {{v}} or alike({read}, {{v}}))" if same else f"{read} is {{v}}", owner, x, label)
        self.visit(x, label)

    def visit(self, x: Any, label: str) -> None:
        """Everything that can be read from ``x``, once."""
        if x.__class__ in PLAIN or id(x) in self.known:
            return
        self.known[id(x)] = x
        if isinstance(x, Node):
            self.names.setdefault(id(x), (x, x.name or identifier(label)))
            if isinstance(x, Tensor) and x.is_leaf and "requires_grad" in self.attributes:
                self.ask("{o}.requires_grad is {v}", x, x.requires_grad, f"{label}.requires_grad")
        elif isinstance(x, np.ndarray):
            self.names.setdefault(id(x), (x, identifier(label)))
            self.arrays.append((x, x.copy(), label))
        elif isinstance(x, FunctionType):
            self.function(x)
        elif isinstance(x, MethodType):
            self.visit(x.__func__, label)
            self.visit(x.__self__, label or "self")
        elif isinstance(x, functools.partial):
            for part in (x.func, x.args, x.keywords):
                self.visit(part, label)
        elif isinstance(x, type):
            self.class_of(x, label)
        elif isinstance(x, ModuleType):
            if x.__name__ not in sys.builtin_module_names and users(getattr(x, "__file__", None) or ""):
                self.attributes_of(x, label)
        elif isinstance(x, (list, deque, tuple, dict, set, frozenset)):
            self.container(x, label)
        else:
            self.instance(x, label)

    def function(self, f: FunctionType) -> None:
        """The names that a function reads: of the functions around it, of its module, its defaults."""
        code = f.__code__
        if not users(code.co_filename):
            if code.co_filename.startswith(PACKAGE) and f.__qualname__.count(".") and "<locals>" not in f.__qualname__:
                self.codes[code] = None               # a method of a layer
            return
        self.codes[code] = None
        for name, cell in zip(code.co_freevars, f.__closure__ or (), strict=True):
            try:
                self.entry("{o}.cell_contents", cell, cell.cell_contents, name)
            except ValueError:                        # not bound yet
                continue
        for name in sorted(mentioned(code)[0]):
            if name in f.__globals__:
                self.entry(f"{{o}}[{name!r}]", f.__globals__, f.__globals__[name], name)
        if f.__defaults__:
            self.entry("{o}.__defaults__", f, f.__defaults__, f"the defaults of {f.__name__}")
        if f.__kwdefaults__:
            self.visit(f.__kwdefaults__, f"the defaults of {f.__name__}")

    def class_of(self, kind: type, label: str) -> None:
        """The methods of a class and those of its own attributes that are mentioned."""
        for base in kind.__mro__:
            file = file_of(base)
            if base is object or not (users(file) or file.startswith(PACKAGE)):
                continue
            for name, x in vars(base).items():
                x = getattr(x, "fget", None) or getattr(x, "__func__", x)
                if isinstance(x, FunctionType):
                    self.visit(x, name)
                elif users(file) and name in self.attributes and not name.startswith("__"):
                    self.entry(f"{{o}}.__dict__[{name!r}]", base, x, f"{base.__name__}.{name}")

    def attributes_of(self, x: Any, label: str, but: Any = ()) -> None:
        """The attributes of ``x`` that are mentioned, and that there are no more than now."""
        have = vars(x)
        for name in sorted(self.attributes & have.keys()):
            if name not in but:
                self.entry(f"{{o}}.__dict__[{name!r}]", x, have[name], f"{label}.{name}" if label else name)
        if not isinstance(x, ModuleType) and not file_of(type(x)).startswith(PACKAGE):
            self.ask("len({o}.__dict__) == {v}", x, len(have), f"the attributes of {label or type(x).__name__}")

    def instance(self, x: Any, label: str) -> None:
        """An object of a class."""
        kind = type(x)
        layer, rule = hasattr(x, "named_modules"), hasattr(x, "param_groups")
        if isinstance(x, (np.random.Generator, random.Random)):
            state = x.getstate if isinstance(x, random.Random) else lambda: x.bit_generator.state
            self.randoms.append(state)
        elif hasattr(kind, "__next__") and not hasattr(x, "write"):
            raise CaptureError(message(f"an iterator ({label}), which a replay would not move on, is read inside a "
                                       f"compiled function{self.where(label)}", op=None,
                                       instead="next(...) outside, and pass what it gives"))
        elif layer:
            self.layer(x, label)
        elif rule or hasattr(x, "step"):
            self.names.setdefault(id(x), (x, identifier(label)))
        elif (fn := getattr(x, "__dict__", {}).get("__wrapped__")) is not None:
            self.visit(fn, label)
        if rule:
            self.ask("len({o}.param_groups) == {v}", x, len(x.param_groups), f"{label}.param_groups")
            for group in x.param_groups:
                self.visit(group["params"], f"{label}.param_groups")
            if "param_groups" in self.attributes:
                self.visit(x.param_groups, f"{label}.param_groups")
        if hasattr(x, "_last_lr") and "get_last_lr" in self.attributes:       # what a schedule says of itself
            self.entry("{o}._last_lr", x, x._last_lr, f"{label}.get_last_lr")
        if users(file_of(kind)) or layer:
            self.class_of(kind, label)
            for base in kind.__mro__:
                for name in self.attributes.intersection(vars(base).get("__slots__", ())):
                    if hasattr(x, name):
                        self.entry(f"{{o}}.{name}", x, getattr(x, name), f"{label}.{name}")
        if hasattr(x, "__dict__"):
            self.attributes_of(x, label, {*REGISTRIES, *(name for r in REGISTRIES[:3] for name in x.__dict__[r])}
                               if layer else ("param_groups",) if rule else ())

    def layer(self, x: Any, label: str) -> None:
        """What a layer consists of, whether it trains, and its hooks."""
        self.ask("{o}.training is {v}", x, x.training, f"{label}.training")
        self.ask("{o}._hooked is {v}", x, x._hooked, f"the hooks of {label}")
        for registry in ("_modules", "_parameters", "_buffers", *(REGISTRIES[3:6] if x._hooked else ())):
            items = vars(x)[registry]
            if items or registry == "_modules":
                self.ask("len({o}) == {v}", items, len(items), label)
            for name, item in items.items():
                self.entry(f"{{o}}[{name!r}]", items, item, f"{label}.{name}")

    def container(self, x: Any, label: str) -> None:
        """What a list, tuple, dict or set holds."""
        if isinstance(x, (set, frozenset)) or len(x) > SMALL and plain(x):
            if plain(x):
                return self.ask("{o} == {v}", x, deepcopy(x), label)
            return self.ask("len({o}) == {v}", x, len(x), label)
        if not isinstance(x, tuple):
            self.ask("len({o}) == {v}", x, len(x), label)
        if isinstance(x, dict):
            for key, item in x.items():
                if key.__class__ in (str, int):
                    self.entry(f"{{o}}[{key!r}]", x, item, f"{label}[{key!r}]")
                else:
                    self.visit(item, label)
            return
        single = len(x) <= SMALL and not isinstance(x, tuple)
        if not single and not isinstance(x, tuple):
            self.ask("all(map(same, {o}, {v}))", x, list(x), label)
        for i, item in enumerate(x):
            if single:
                self.entry(f"{{o}}[{i}]", x, item, f"{label}[{i}]")
            else:
                self.visit(item, f"{label}[{i}]")

    # ---- after the run -----------------------------------------------------------------------------------------------
    def changed(self) -> Fact | None:
        """The first fact that the run itself has changed."""
        return next((fact for fact in self.facts if not fact.holds), None)

    def where(self, label: str) -> str:
        """The line of the user's that last mentions what ``label`` names."""
        for name in reversed(re.findall(r"[A-Za-z_]\w*", label)):
            found = []
            for code in filter(lambda code: users(code.co_filename), every(self.codes)):
                steps = list(dis.get_instructions(code))
                for step, after in zip(steps, [*steps[1:], None], strict=True):
                    if step.argval == name and step.positions:
                        writes = step.opname.startswith("STORE") or after and after.argval in CHANGING
                        found.append((bool(writes), code.co_filename, step.positions.lineno or 0))
            if found:
                _, file, line = max(found)
                text = linecache.getline(file, line).strip()
                return f" ({os.path.basename(file)}:{line}" + (f": {text})" if text else ")")
        return ""


REGISTRIES = ("_modules", "_parameters", "_buffers", "_before", "_after", "_backward", "_temporary", "_places",
              "_hooked", "training")


def called(fn: Callable) -> tuple[str, ...]:
    """The names of a function's arguments."""
    code = getattr(fn, "__code__", None)
    return code.co_varnames[isinstance(fn, MethodType):code.co_argcount] if code else ()


def identifier(label: str) -> str:
    """``net.0.weight`` and ``ws[0]`` as names."""
    return re.sub(r"\W+", "_", label).strip("_")


def every(codes: Iterable[CodeType]) -> Iterator[CodeType]:
    """Pieces of code, and those that are defined in them."""
    for code in codes:
        yield code
        yield from every(c for c in code.co_consts if isinstance(c, CodeType))


def file_of(kind: type) -> str:
    """The file that a class is written in; empty where it was typed in."""
    return getattr(sys.modules.get(kind.__module__), "__file__", None) or (
        "<builtin>" if kind.__module__ in sys.builtin_module_names else "")


def plain(x: Any) -> bool:
    """Whether containers hold nothing but numbers and text."""
    if isinstance(x, dict):
        return all(map(plain, x)) and all(map(plain, x.values()))
    return all(map(plain, x)) if isinstance(x, (list, tuple, set, frozenset, deque)) else x.__class__ in PLAIN
