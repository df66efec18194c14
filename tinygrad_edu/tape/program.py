"""A program: variables and lines, one NumPy call each, in the order in which they run."""
from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

Inputs = tuple[Any, ...]
NESTED = (tuple, list, dict, slice)                   # what variables may be inside of


class Var:
    """The name of an array (or number, when ``dtype`` is None): where it comes from and what is known before running.

    ``memory`` identifies the memory that it lies in: two variables with the same one may be views of each other.
    ``name`` is that of the user's code, if it has one there; ``listed`` the one that a listing gave it.
    """

    __slots__ = ("shape", "dtype", "value", "memory", "name", "place", "layer", "strided", "listed")

    def __init__(self, shape: tuple = (), dtype: Any = None, *, value: Any = None, memory: Any = None, name: str = "",
                 place: Place | None = None, layer: str = "", strided: bool = False):
        self.shape, self.dtype, self.value, self.memory = shape, dtype, value, memory
        self.name, self.place, self.layer, self.strided = name, place, layer, strided
        self.listed = ""

    @property
    def constant(self) -> bool:
        """Whether its value is known before the program runs."""
        return self.value is not None

    @property
    def nbytes(self) -> int:
        """The bytes that it takes; a number counts for none."""
        return 0 if self.dtype is None else math.prod(self.shape) * self.dtype.itemsize

    def __repr__(self) -> str:
        return f"<{self.name or 'var'} {self.shape} {self.dtype}>"


class Place:
    """Where a variable is read at the start of a run: an argument, or an attribute of an object outside."""

    __slots__ = ("owner", "path")

    def __init__(self, owner: Any, path: str):
        self.owner, self.path = owner, path           # an argument: its path, such as "[0].payload", and owner None


class Memory:
    """An array that is kept from run to run; made once the program is finished."""

    __slots__ = ("shape", "dtype")

    def __init__(self, shape: tuple, dtype: Any):
        self.shape, self.dtype = shape, dtype


class Line:
    """One step. ``kind`` says which:

    ``call``    out = op(*inputs, **params)
    ``change``  op(*inputs, **params) written into the memory of the first input, of which ``out`` is the new state
    ``draw``    out = op(*inputs, **params), a function that draws random numbers
    ``store``   the attribute ``params["path"]`` of ``op`` = inputs[0]
    ``effect``  op(), an action whose inner workings are its own
    ``guard``   stop unless op(*inputs) is params["answer"]
    ``copy``    out = np.array(inputs[0])
    """

    __slots__ = ("kind", "out", "op", "inputs", "params", "into")

    def __init__(self, kind: str, out: Var | None, op: Any, inputs: Inputs = (), params: dict | None = None,
                 into: Any = None):
        self.kind, self.out, self.op, self.inputs, self.params, self.into = kind, out, op, inputs, params or {}, into

    @property
    def reads(self) -> list[Var]:
        """The variables that it reads, those inside its parameters included."""
        found: list[Var] = []
        for x in (*self.inputs, *self.params.values()) if self.params else self.inputs:
            if x.__class__ is Var:
                found.append(x)
            elif isinstance(x, NESTED):
                found += variables(x)
        return found

    @property
    def pure(self) -> bool:
        """Whether running it has no effect but its result."""
        return self.kind in ("call", "copy")

    @property
    def acts(self) -> bool:
        """Whether it changes what lies outside in a way of its own: an optimiser's turn, clipping."""
        return self.kind == "effect" and not self.params or self.kind == "draw" and any(
            isinstance(x, list) for x in self.inputs)

    def but(self, **changes: Any) -> Line:
        """A copy with some fields replaced."""
        return Line(**{slot: changes.get(slot, getattr(self, slot)) for slot in self.__slots__})


class Program:
    """Lines, the structure of arguments and result, and what was found out about them while recording."""

    def __init__(self, lines: list[Line], result: Any, name: str = "step", arguments: list | None = None,
                 names: dict | None = None):
        self.lines, self.result, self.name = lines, result, name
        self.arguments, self.names = arguments or [], names or {}

    def but(self, lines: list[Line], result: Any = ...) -> Program:
        """The same program with other lines."""
        return Program(lines, self.result if result is ... else result, self.name, self.arguments, self.names)

    @property
    def calls(self) -> int:
        """How many NumPy calls a run makes, views included; of a compound function those that it makes itself."""
        return self.made[0]

    @property
    def fresh_bytes(self) -> int:
        """The bytes of new memory that a run asks for, in a compound function too."""
        return self.made[1]

    @cached_property
    def made(self) -> tuple[int, int]:
        """Calls and bytes of all lines."""
        from .passes import made
        counts = [made(line) for line in self.lines]
        return sum(calls for calls, _ in counts), sum(fresh for _, fresh in counts)

    def __str__(self) -> str:
        from .text import listing
        return listing(self)


def variables(x: Any) -> Iterator[Var]:
    """The variables inside nested tuples, lists, dicts and slices."""
    if x.__class__ is Var:
        yield x
    elif isinstance(x, (tuple, list)):
        for item in x:
            yield from variables(item)
    elif isinstance(x, dict):
        for item in x.values():
            yield from variables(item)
    elif isinstance(x, slice):
        yield from variables((x.start, x.stop, x.step))


def replaced(x: Any, new: Callable[[Var], Any]) -> Any:
    """The same structure with each variable replaced by ``new(variable)``."""
    if x.__class__ is Var:
        return new(x)
    if isinstance(x, (tuple, list)):
        items = [replaced(item, new) for item in x]
        return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
    if isinstance(x, dict):
        return {key: replaced(item, new) for key, item in x.items()}
    if isinstance(x, slice):
        return slice(replaced(x.start, new), replaced(x.stop, new), replaced(x.step, new))
    return x
