"""What a function can see besides its arguments, followed from name to name and noted as facts. Each is asked again
before a replay and after the recording run, so that nothing around the function is frozen, or changed unseen."""
from __future__ import annotations

import dis
import functools
import linecache
import marshal
import operator
import os
import pickle
import random
import re
import sys
from array import array
from collections import ChainMap, UserDict, UserList, deque
from collections.abc import Callable, Iterable, Iterator, MappingView
from contextvars import ContextVar
from copy import deepcopy
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from types import (
    BuiltinMethodType,
    CodeType,
    FunctionType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
)
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary, ref

import numpy as np

from ..errors import PACKAGE, message
from ..graph import HERE, Node, Primitive
from ..tensor import Tensor
from .capture import CaptureError

PLAIN = (int, float, complex, bool, str, bytes, type(None), range)
DICTS = (dict, MappingProxyType, ChainMap, UserDict, WeakKeyDictionary, WeakValueDictionary)
LISTS = (list, deque, UserList, array, bytearray)
SETS = (set, WeakSet)
SPACES = {"module", "function", "SimpleNamespace", "Namespace"}      # classes whose attributes are the user's
SMALL = 16                                            # entries of a list that are asked one by one
ELSEWHERE = (os.path.dirname(os.__file__) + os.sep, f"{os.sep}site-packages{os.sep}", "<frozen", "<builtin>")
NAMED = {"LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL"}
CHANGING = {"append", "extend", "insert", "pop", "remove", "clear", "add", "update", "setdefault", "appendleft",
            "discard", "popitem", "popleft", "sort", "reverse"}
ATTRIBUTES = {"LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR", "DELETE_ATTR", "LOAD_SUPER_ATTR", "IMPORT_FROM"}
PROTOCOL = {"forward", "keys", "write", "flush", "read", "readline", "filter"}       # what others call unmentioned
BY_NAME = {"getattr", "hasattr", "setattr", "delattr", "vars", "eval", "exec", "__dict__", "attrgetter", "methodcaller",
           "MATCH_CLASS", "AttributeError"}           # what may read an attribute that is not mentioned, or not there
COMPARES = {"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__repr__"}     # which ask for a class only
BOUND = (MethodType, BuiltinMethodType, MethodWrapperType)


def alike(a: Any, b: Any) -> bool:
    """Whether two plain values are the same, kind included: 1, 1.0 and True are three."""
    return a.__class__ is b.__class__ and (a == b and (bool(a) or repr(a) == repr(b)) or a != a and b != b)     # -0.0


def equal(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether arrays hold the same, where nan is nan."""
    return np.array_equal(a, b) or a.dtype.kind in "fc" and np.array_equal(a, b, equal_nan=True)


def packed(x: Any) -> bytes:
    """A container of plain values in bytes: 1, 1.0 and True are three, 0.0 and -0.0 two, the order counts. ValueError
    where something in it is not plain."""
    return marshal.dumps(x if x.__class__ in (list, dict) else [*x], 2)


ASKED = {"alike": alike, "packed": packed, "same": operator.is_, "array_equal": equal}    # what tests of facts call


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
def mentioned(code: CodeType) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """The global names, the attributes and the modules that a piece of code, and what is defined in it, mentions."""
    steps = [step for part in every([code]) for step in dis.get_instructions(part)]
    names, attributes, modules = (frozenset(step.argval for step in steps if step.opname in kind)
                                  for kind in (NAMED, ATTRIBUTES, {"IMPORT_NAME"}))
    if not names.isdisjoint(("globals", "eval", "exec")):
        texts = [text for part in every([code]) for text in part.co_consts if isinstance(text, str)]
        names |= set(re.findall(r"[^\W\d]\w*", " ".join(texts)))
    return names | {step.opname for step in steps} & BY_NAME, attributes, modules


def users(file: str) -> bool:
    """Whether a file is the user's: not of this package, of Python or of what is installed beside it."""
    return not file.startswith(PACKAGE) and not any(part in file for part in ELSEWHERE)


class Around:
    """Gathers the facts: ``facts``, the names that nodes and optimisers have there (``names``), the NumPy ``arrays``,
    the generators of random numbers. Attributes count where code that may run mentions them."""

    def __init__(self, fn: Callable, args: tuple, kwargs: dict):
        self.codes: dict[CodeType, None] = {}
        self.attributes: frozenset[str] = frozenset()
        self.own: frozenset[str] = frozenset()        # those that the user's code mentions
        self.by_name = self.makes = False             # whether any attribute may be read, an object made of its type
        while True:                                   # code leads to objects, and their classes to more code
            before = len(self.codes), self.by_name, self.makes
            self.facts: list[Fact] = []
            self.known: dict[int, Any] = {}
            self.asked: set[tuple[str, int]] = set()
            self.kinds: dict[type, list[str]] = {}    # and their slots
            self.names: dict[int, tuple[Any, str]] = {}
            self.seen: list[tuple[np.ndarray, str]] = []
            self.randoms: list[Callable] = [random.getstate]
            self.visit(fn, "net" if hasattr(fn, "named_parameters") else "")
            for label, x in zip((*called(fn), *(f"argument {i}" for i in range(len(args)))), args, strict=False):
                self.argument(x, label)
            for label, x in kwargs.items():
                self.argument(x, label)
            always, own = frozenset(["__getattr__"]), [code for code in self.codes if users(code.co_filename)]
            self.attributes, self.own = (always.union(*(mentioned(code)[1] for code in codes))
                                         for codes in (self.codes, own))
            names = self.own.union(*(mentioned(code)[0] for code in own))
            self.by_name |= not BY_NAME.isdisjoint(names)
            self.makes |= any(not names.isdisjoint(("type", "__class__")) for names in (
                frozenset().union(*mentioned(code)) for code in own if code.co_name not in COMPARES))
            if (len(self.codes), self.by_name, self.makes) == before:
                break
        self.arrays = [(x, x.copy(), label) for x, label in self.seen]

    def argument(self, x: Any, label: str) -> None:
        """An argument: tensors, arrays and numbers are read at each call, other objects belong to the surroundings."""
        if isinstance(x, (list, tuple, dict)):
            self.class_of(type(x))
            for key, item in x.items() if isinstance(x, dict) else enumerate(x):
                self.argument(item, f"{label}[{key!r}]")
        elif isinstance(x, np.ndarray):
            self.seen.append((x, label))
        elif isinstance(x, Node):
            if x.requires_grad and x.op is None:
                self.entry("{o}.note.hooks", x, x.note.hooks, f"requires_grad or the hooks of {label}")
        else:
            self.visit(x, label)

    def ask(self, test: str, owner: Any, value: Any, label: str) -> None:
        """Note a fact, once."""
        if (test, id(owner)) not in self.asked:
            self.asked.add((test, id(owner)))
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
            self.visit(x.note.hooks, label)           # another tuple of them is noticed where the tensor is read
            if isinstance(x, Tensor) and x.is_leaf and (self.by_name or "requires_grad" in self.attributes):
                self.ask("{o}.requires_grad is {v}", x, x.requires_grad, f"{label}.requires_grad")
        elif isinstance(x, np.ndarray):
            self.names.setdefault(id(x), (x, identifier(label)))
            self.seen.append((x, label))
        elif isinstance(x, FunctionType):
            self.function(x)
        elif isinstance(x, BOUND):
            self.visit(getattr(x, "__func__", None), label)
            self.visit(x.__self__, label or "self")
        elif isinstance(x, Primitive):
            if not x.home.startswith(HERE):
                for part in ("fn", "scalar", "joint", "rules"):
                    self.entry(f"{{o}}.{part}", x, getattr(x, part), x.name)
        elif isinstance(x, functools.partial):
            for part in (x.func, x.args, x.keywords):
                self.visit(part, label)
        elif isinstance(x, type):                     # code may make objects of it
            self.class_of(x)
            for base in x.__mro__:                    # which super() leads to
                for name in ("__init__", "__new__"):
                    if users(file_of(base)) and isinstance(getattr(base, name), FunctionType):
                        self.entry(f"{{o}}.{name}", base, getattr(base, name), f"{base.__name__}.{name}")
                    self.visit(getattr(base, name), name)
        elif isinstance(x, ModuleType):
            if x.__name__ not in sys.builtin_module_names and users(vars(x).get("__file__") or ""):
                self.attributes_of(x, label)
        else:
            held = isinstance(x, (*LISTS, *DICTS, *SETS, tuple, frozenset))
            if held:
                self.container(x, label)
            if not held or users(file_of(type(x))):
                self.instance(x, label)

    def function(self, f: FunctionType) -> None:
        """The names that a function reads: of the functions around it, of its module, its defaults."""
        code, space = f.__code__, f.__globals__
        own = users(code.co_filename)
        if own or code.co_filename.startswith(PACKAGE) and "." in f.__qualname__ and "<locals>" not in f.__qualname__:
            self.codes[code] = None                   # the user's, or a method of a layer
        for name, cell in zip(code.co_freevars, f.__closure__ or (), strict=True):
            try:
                found = cell.cell_contents
            except ValueError:                        # not bound yet
                continue
            if own and name == "__class__" and "super" in mentioned(code)[0]:
                self.class_of(found)                  # no object is made of it
            elif own:
                self.entry("{o}.cell_contents", cell, found, name)
            for part in found.values() if found.__class__ is dict else [found]:
                if isinstance(part, (FunctionType, MethodType)):              # which it decorates
                    self.visit(part, name)
        if not own:
            return
        names, _, modules = mentioned(code)
        for name in sorted(names):
            if name in space:
                self.entry(f"{{o}}[{name!r}]", space, space[name], name)
            else:                                     # one of Python's, or none
                self.ask(f"{name!r} not in {{o}}", space, None, name)
        for name in sorted(modules):
            for full in (name.partition(".")[0], name, f"{space.get('__package__') or ''}.{name}".rstrip(".")):
                if (module := imported(full)) is not None and id(module) not in self.known:
                    self.entry(f"{{o}}[{full!r}]", sys.modules, module, name)
        for at in ("__defaults__", "__kwdefaults__"):
            if (values := getattr(f, at)) is not None:
                self.entry(f"{{o}}.{at}", f, values, f"the defaults of {f.__name__}")
        if vars(f) and (self.by_name or not self.own.isdisjoint(vars(f))):
            self.attributes_of(f, f.__name__)

    def class_of(self, kind: type) -> None:
        """The methods of a class and those of its attributes that are mentioned, asked where Python finds them."""
        if kind in self.kinds or kind is type:
            return
        slots = self.kinds[kind] = []
        rule = hasattr(kind, "add_param_group") or hasattr(kind, "get_last_lr")        # steps are taken anew each time
        self.class_of(type(kind))
        called = others_call(kind)
        for base in kind.__mro__:
            file = file_of(base)
            if base is object or not (users(file) or file.startswith(PACKAGE) and not rule):
                continue
            if self.by_name and users(file):
                own = vars(base).keys() - {"__slotnames__"}                   # which copy() notes there
                self.ask("len({o}.__dict__.keys() - {{'__slotnames__'}}) == {v}", base, len(own), base.__name__)
            for name, x in vars(base).items():
                if isinstance(x, MemberDescriptorType):
                    slots.append(name)
                elif name not in ("__init__", "__new__") and not (
                        rule and name in ("update", "get_lr") and name not in self.attributes):
                    self.member(kind, base, name, x, name.startswith("__") or name in called)

    def read_of(self, kind: type) -> frozenset[str]:
        """The attributes of an object of a class that are mentioned. The package reads what its own classes have."""
        ours = any(file_of(base).startswith(PACKAGE) for base in kind.__mro__)
        return self.attributes if ours else self.own

    def member(self, kind: type, base: type, name: str, x: Any, called: bool) -> None:
        """What a class has of its own, or from ``base``, under a name; ``called``: though it be mentioned nowhere. A
        method that is neither mentioned nor called does not run, and what it reads does not count."""
        made = hasattr(type(x), "__get__")            # it gives something else
        parts = [x, *(getattr(x, part, None) for part in ("__func__", "func", "fget", "fset", "fdel") if made)]
        code = [part for part in parts if isinstance(part, FunctionType)]
        own, named = users(file_of(base)), self.by_name or name in self.read_of(kind)
        if not own or called or named:
            for part in code:
                self.visit(part, name)
        if own and (code and called or named and not name.startswith("__")):
            if code:
                self.known[id(x)] = x                 # what it consists of has been visited
            found = (not made or isinstance(x, (FunctionType, property))) and name.isidentifier() and (
                getattr(kind, name, None) is x)       # else super() may find it
            self.entry(f"{{o}}.{name}" if found else f"{{o}}.__dict__[{quoted(name)}]", kind if found else base, x,
                       f"{base.__name__}.{name}")

    def attributes_of(self, x: Any, label: str, but: Any = ()) -> None:
        """The attributes of ``x`` that are mentioned, or all where any may be read, and that there are no more."""
        have, file = vars(x), file_of(type(x))
        whole = self.by_name and "param_groups" not in have and (
            users(file) or hasattr(type(x), "named_modules") or type(x).__name__ in SPACES)
        formula = getattr(getattr(type(x), "_takes", None), "parameters", ())         # what it hands to its function
        mentions = self.read_of(type(x))
        for name in sorted(have.keys() if whole else mentions.union(formula) & have.keys()):
            if name not in but and (not name.startswith("__") or name in mentions):
                self.entry(f"{{o}}.__dict__[{quoted(name)}]", x, have[name], f"{label}.{name}" if label else name)
        if not isinstance(x, ModuleType) and (whole or not file.startswith(PACKAGE)):
            self.ask("len({o}.__dict__) == {v}", x, len(have), f"the attributes of {label or type(x).__name__}")

    def instance(self, x: Any, label: str) -> None:
        """An object of a class."""
        kind = type(x)
        layer, rule = hasattr(kind, "named_modules"), "param_groups" in getattr(x, "__dict__", ())
        if isinstance(x, (np.random.Generator, np.random.RandomState, random.Random)):
            if not isinstance(x, random.SystemRandom):                        # which has no state
                self.randoms.append(functools.partial(pickle.dumps, x))
        elif isinstance(x, ref):
            self.entry("{o}()", x, x(), label)
        elif isinstance(x, ContextVar):
            self.entry("{o}.get(None)", x, x.get(None), label)
        elif isinstance(x, MappingView):
            self.visit(getattr(x, "mapping", None), label)
        elif isinstance(x, (operator.attrgetter, operator.methodcaller)):
            self.by_name = True
        elif hasattr(kind, "__next__") and not hasattr(kind, "write"):
            raise CaptureError(message(f"an iterator ({label}), which a replay would not move on, is read inside a "
                                       f"compiled function{self.where(label)}", op=None,
                                       instead="next(...) outside, and pass what it gives"))
        elif layer:
            self.layer(x, label)
        elif rule or hasattr(kind, "step"):
            self.names.setdefault(id(x), (x, identifier(label)))
        elif (fn := getattr(x, "__dict__", {}).get("__wrapped__")) is not None:
            self.visit(fn, label)
        if rule:
            self.ask("len({o}.param_groups) == {v}", x, len(x.param_groups), f"{label}.param_groups")
            for group in x.param_groups:
                self.visit(group["params"], f"{label}.param_groups")
            if "param_groups" in self.attributes:
                self.visit(x.param_groups, f"{label}.param_groups")
        if "get_last_lr" in self.attributes and "_last_lr" in getattr(x, "__dict__", ()):      # of a schedule
            self.entry("{o}._last_lr", x, x._last_lr, f"{label}.get_last_lr")
        if users(file_of(kind)) or layer:
            self.visit(kind, kind.__name__) if self.makes else self.class_of(kind)
            for name in self.kinds[kind]:
                if (self.by_name or name in self.read_of(kind)) and hasattr(x, name):
                    self.entry(f"{{o}}.{name}", x, getattr(x, name), f"{label}.{name}")
        if hasattr(x, "__dict__"):
            self.attributes_of(x, label, {*REGISTRIES, *(name for r in REGISTRIES[:3] for name in x.__dict__[r])}
                               if layer else ("param_groups",) if rule else ())

    def layer(self, x: Any, label: str) -> None:
        """What a layer consists of, whether it trains, and its hooks."""
        self.ask("{o}.training is {v}", x, x.training, f"{label}.training")
        self.ask("{o}._hooked is {v}", x, x._hooked, f"the hooks of {label}")
        self.ask("len({o}.__dict__) == {v}", x, len(vars(x)), f"the attributes of {label}")
        for registry in ("_modules", "_parameters", "_buffers", *(REGISTRIES[3:6] if x._hooked else ())):
            items = vars(x)[registry]
            if items or registry == "_modules":
                ordered = registry == "_modules" and hasattr(type(x), "keys")
                self.ask(f"{'[*{o}]' if ordered else 'len({o})'} == {{v}}", items,
                         list(items) if ordered else len(items), label)
            for name, item in items.items():
                self.entry(f"{{o}}[{name!r}]", items, item, f"{label}.{name}")

    def container(self, x: Any, label: str) -> None:
        """What a list, tuple, dict or set holds; of one that is not changed in place only what its members hold."""
        items, changing = list(x), not isinstance(x, (tuple, frozenset))
        if changing and (isinstance(x, SETS) or len(x) > SMALL and plain(x)):
            try:
                self.ask("packed({o}) == {v}", x, packed(x), label)
            except ValueError:
                self.ask("{o} == {v}", x, x.copy() if isinstance(x, SETS) else deepcopy(x), label)
            if plain(x):
                return
        elif changing and isinstance(x, DICTS) and plain(items):
            self.ask("[*{o}] == {v}", x, items, label)
        elif changing:
            self.ask("len({o}) == {v}", x, len(x), label)
            if len(x) > SMALL or isinstance(x, DICTS):
                self.ask("all(map(same, {o}, {v}))", x, items, label)
        if changing and isinstance(x, DICTS) and len(x) > SMALL:
            self.ask("all(map(same, {o}.values(), {v}))", x, list(x.values()), label)
        single = changing and not isinstance(x, SETS) and len(x) <= SMALL
        for key, item in x.items() if isinstance(x, DICTS) else enumerate(items):
            at = f"{label}[{key!r}]" if plain(key) else label
            if single and key.__class__ in (str, int):
                self.entry(f"{{o}}[{quoted(key)}]", x, item, at)
            elif single:
                self.entry("{o}()", functools.partial(x.get, key), item, at)
            else:
                self.visit(item, at)
            self.visit(key, label)

    # ---- after the run -----------------------------------------------------------------------------------------------
    def where(self, label: str) -> str:
        """The line of the user's that last mentions what ``label`` names."""
        for name in reversed(re.findall(r"[A-Za-z_]\w*", label)):
            found = []
            for code in filter(lambda code: users(code.co_filename), every(self.codes)):
                steps = [step for step in dis.get_instructions(code) if step.positions]
                changed = [span(step) for step in steps if step.opname.startswith(("STORE", "DELETE"))]
                for step, after in zip(steps, [*steps[1:], None], strict=True):
                    if step.argval == name:
                        start, end = span(step)
                        writes = after and after.argval in CHANGING or any(a <= start and end <= b for a, b in changed)
                        found.append((bool(writes), code.co_filename, start[0]))
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


def quoted(key: Any) -> str:
    """A key as it is written in a test, which is a format."""
    return repr(key).replace("{", "{{").replace("}", "}}")


def imported(name: str) -> Any:
    """A module of the user's that a function imports, imported now, so that what is in it can be followed; or None."""
    try:
        if name not in sys.modules and (spec := find_spec(name)) is not None and users(spec.origin or ""):
            import_module(name)
    except (ImportError, ValueError):
        return None
    module = sys.modules.get(name)
    return module if users(getattr(module, "__file__", None) or "") else None


def span(step: dis.Instruction) -> tuple[tuple[int, int], tuple[int, int]]:
    """Where the text of an instruction begins and ends."""
    p: Any = step.positions
    return (p.lineno or 0, p.col_offset or 0), (p.end_lineno or 0, p.end_col_offset or 0)


def every(codes: Iterable[CodeType]) -> Iterator[CodeType]:
    """Pieces of code, and those that are defined in them."""
    for code in codes:
        yield code
        yield from every(c for c in code.co_consts if isinstance(c, CodeType))


def others_call(kind: type) -> set[str]:
    """The names of methods that code which is not the user's may call on an object of the user's class: what a class
    above it has, and protocols. A library's class may look for others, by ``getattr``."""
    above = [base for base in kind.__mro__ if base is not object and not users(file_of(base))]
    looking = any(isinstance(x, FunctionType) and not name.startswith("__") for base in above
                  if not file_of(base).startswith((PACKAGE, "<builtin>")) for name, x in vars(base).items())
    return PROTOCOL.union(*(vars(base) for base in (kind.__mro__ if looking else above)))


def file_of(kind: type) -> str:
    """The file that a class is written in; empty where it was typed in."""
    return getattr(sys.modules.get(kind.__module__), "__file__", None) or (
        "<builtin>" if kind.__module__ in sys.builtin_module_names else "")


def plain(x: Any) -> bool:
    """Whether containers hold nothing but numbers and text."""
    if x.__class__ is dict:
        return all(map(plain, x)) and all(map(plain, x.values()))
    return all(map(plain, x)) if isinstance(x, (*LISTS, *SETS, tuple, frozenset)) else x.__class__ in PLAIN
