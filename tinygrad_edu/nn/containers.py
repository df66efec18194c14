"""Containers: modules made of modules, and lists of parameters, so that each is registered."""
from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from ..errors import message
from ..tensor import Tensor
from .module import Module
from .parameter import Parameter


class _Listed(Module):
    """What Sequential, ModuleList and ParameterList share: entries named 0, 1, 2, ... in the registry ``of``."""

    of = "_modules"

    @property
    def _entries(self) -> dict[str, Any]:
        return self.__dict__[self.of]

    def _put(self, name: str, entry: Any) -> None:
        self.register_module(name, entry)

    def _index(self, i: int) -> int:
        i, n = operator.index(i), len(self)
        if not -n <= i < n:
            raise IndexError(message(f"index {i} is out of range", layer=type(self).__name__,
                                     instead=f"an index from {-n} to {n - 1}" if n else "append() first: it is empty"))
        return i % n

    def _renumber(self, entries: list[Any]) -> None:
        for name in list(self._entries):
            del self.__dict__[name], self._entries[name]
        for i, entry in enumerate(entries):
            self._put(str(i), entry)

    def __getitem__(self, index: Any) -> Any:
        return self._part(index) if isinstance(index, slice) else list(self)[self._index(index)]

    def _part(self, index: slice) -> Module:
        kind: Any = type(self)
        return kind(list(self)[index])

    def __setitem__(self, index: int, entry: Any) -> None:
        self._put(list(self._entries)[self._index(index)], entry)

    def __delitem__(self, index: int | slice) -> None:
        entries = list(self)
        del entries[index if isinstance(index, slice) else self._index(index)]
        self._renumber(entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._entries.values()))

    def append(self, entry: Any) -> Any:
        """Put ``entry`` at the end."""
        self._put(str(len(self)), entry)
        return self

    def insert(self, index: int, module: Any) -> Any:
        """Put ``module`` before place ``index``."""
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}")
        n, entries = len(self), list(self)
        if not -n <= index <= n:
            raise IndexError(message(f"Index out of range: {index}", layer=type(self).__name__,
                                     instead=f"an index from {-n} to {n}"))
        entries.insert(index, module)
        self._renumber(entries)
        return self

    def extend(self, entries: Iterable[Any]) -> Any:
        """Put all of ``entries`` at the end."""
        for entry in list(entries):
            self.append(entry)
        return self

    def pop(self, index: int) -> Any:
        """Take out the entry at ``index``."""
        entry = self[index]
        del self[index]
        return entry

    __iadd__ = extend


class Sequential(_Listed):
    """x -> ... f2(f1(x)): each module is given what the one before it returned.

    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> net(tg.zeros(5, 2)).shape, net[-1].out_features, len(net[:2])
    ((5, 1), 1, 2)
    """

    def __init__(self, *args: Any):
        super().__init__()
        named = args[0].items() if len(args) == 1 and isinstance(args[0], OrderedDict) else enumerate(args)
        for name, module in named:
            self.register_module(str(name), module)

    def _part(self, index: slice) -> Module:
        return type(self)(OrderedDict(list(self._modules.items())[index]))

    def __add__(self, other: Sequential) -> Sequential:
        return Sequential(*self, *other)

    def forward(self, input: Any) -> Any:
        for module in self._modules.values():
            input = module(input)
        return input


class ModuleList(_Listed):
    """A list whose modules are registered; a plain list of layers is not.

    >>> layers = nn.ModuleList(nn.Linear(n, n + 1) for n in range(1, 4))
    >>> [layer.out_features for layer in layers]
    [2, 3, 4]
    """

    def __init__(self, modules: Iterable[Module] | None = None):
        super().__init__()
        self.extend(modules or ())

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList(chain(self, other))

    def _repr_children(self) -> list[tuple[str, str]]:
        runs: list[list] = []                         # [first, last, text]: equal neighbours are printed once
        for i, child in enumerate(self):
            text = repr(child)
            if runs and runs[-1][2] == text:
                runs[-1][1] = i
            else:
                runs.append([i, i, text])
        return [(f"({a})", text) if a == b else (f"({a}-{b})", f"{b - a + 1} x {text}") for a, b, text in runs]


class _Named(Module):
    """What ModuleDict and ParameterDict share: entries by name, in the registry ``of``."""

    of = ""

    def __init__(self, entries: Mapping[str, Any] | Iterable | None = None):
        super().__init__()
        self.update(entries or {})

    @property
    def _entries(self) -> dict[str, Any]:
        return self.__dict__[self.of]

    def __getitem__(self, key: str) -> Any:
        return self._entries[key]

    def __setitem__(self, key: str, value: Any) -> None:
        raise NotImplementedError

    def __delitem__(self, key: str) -> None:
        del self._entries[key], self.__dict__[key]

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._entries.keys()

    def values(self) -> Iterable[Any]:
        """What they name."""
        return self._entries.values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Names and what they name."""
        return self._entries.items()

    def update(self, entries: Mapping[str, Any] | Iterable) -> None:
        """Put in all of ``entries``: a mapping, or pairs of name and entry."""
        for key, value in list(entries.items() if isinstance(entries, (Mapping, _Named)) else entries):
            self[key] = value

    def pop(self, key: str) -> Any:
        """Take out the entry ``key``."""
        value = self[key]
        del self[key]
        return value

    def clear(self) -> None:
        """Take out all entries."""
        for key in list(self):
            del self[key]


class ModuleDict(_Named):
    """A dict whose modules are registered."""

    of = "_modules"

    def __setitem__(self, key: str, module: Module) -> None:
        self.register_module(key, module)


class ParameterDict(_Named):
    """A dict whose Parameters are registered; Tensors put into it become Parameters."""

    of = "_parameters"

    def __setitem__(self, key: str, value: Tensor) -> None:
        setattr(self, key, as_parameter(value))


class ParameterList(_Listed):
    """A list whose Parameters are registered; Tensors put into it become Parameters."""

    of = "_parameters"

    def __init__(self, values: Iterable[Any] | None = None):
        super().__init__()
        self.extend(values or ())

    def _put(self, name: str, value: Tensor) -> None:
        setattr(self, name, as_parameter(value))

    def _repr_children(self) -> list[tuple[str, str]]:
        return [(f"  ({i})", described(p)) for i, p in enumerate(self)]


def as_parameter(value: Tensor) -> Parameter:
    """The Parameter itself, or one that shares the memory of the Tensor."""
    return value if isinstance(value, Parameter) else Parameter(value)


def described(t: Tensor) -> str:
    """How a parameter is printed within its list: kind, dtype and size."""
    return f"Parameter containing: [{t.dtype} of size {'x'.join(map(str, t.shape))}]"
