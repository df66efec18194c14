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
    """What Sequential and ModuleList share: children named 0, 1, 2, ..."""

    def _index(self, i: int) -> int:
        i, n = operator.index(i), len(self._modules)
        if not -n <= i < n:
            raise IndexError(message(f"index {i} is out of range", layer=type(self).__name__,
                                     instead=f"an index from {-n} to {n - 1}" if n else "append() first: it is empty"))
        return i % n

    def _renumber(self, children: list[Module]) -> None:
        for name in list(self._modules):
            del self.__dict__[name], self._modules[name]
        for i, child in enumerate(children):
            self.register_module(str(i), child)

    def __getitem__(self, index: Any) -> Any:
        values = list(self._modules.values())
        return self._part(index) if isinstance(index, slice) else values[self._index(index)]

    def _part(self, index: slice) -> Module:
        kind: Any = type(self)
        return kind(list(self._modules.values())[index])

    def __setitem__(self, index: int, module: Module) -> None:
        self.register_module(list(self._modules)[self._index(index)], module)

    def __delitem__(self, index: int | slice) -> None:
        children = list(self._modules.values())
        del children[index if isinstance(index, slice) else self._index(index)]
        self._renumber(children)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def append(self, module: Module) -> Module:
        """Put ``module`` at the end."""
        self.register_module(str(len(self)), module)
        return self

    def insert(self, index: int, module: Module) -> Any:
        """Put ``module`` before place ``index``."""
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}")
        n, children = len(self), list(self._modules.values())
        if not -n <= index <= n:
            raise IndexError(message(f"Index out of range: {index}", layer=type(self).__name__,
                                     instead=f"an index from {-n} to {n}"))
        children.insert(index, module)
        self._renumber(children)
        return self

    def extend(self, modules: Iterable[Module]) -> Any:
        """Put all of ``modules`` at the end."""
        for module in list(modules):
            self.append(module)
        return self

    def pop(self, index: int) -> Module:
        """Take out the module at ``index``."""
        module = self[index]
        del self[index]
        return module

    def __iadd__(self, modules: Iterable[Module]) -> Any:
        return self.extend(modules)


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

    def _part(self, index: slice) -> ModuleList:
        return type(self)(list(self._modules.values())[index])

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


class ModuleDict(Module):
    """A dict whose modules are registered."""

    def __init__(self, modules: Mapping[str, Module] | Iterable | None = None):
        super().__init__()
        self.update(modules or {})

    def __getitem__(self, key: str) -> Module:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.register_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key], self.__dict__[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._modules.keys()

    def values(self) -> Iterable[Module]:
        """The modules."""
        return self._modules.values()

    def items(self) -> Iterable[tuple[str, Module]]:
        """Names and modules."""
        return self._modules.items()

    def update(self, modules: Mapping[str, Module] | Iterable) -> None:
        """Put in all of ``modules``: a mapping, or pairs of name and module."""
        for key, module in list(modules.items() if isinstance(modules, (Mapping, ModuleDict)) else modules):
            self[key] = module

    def pop(self, key: str) -> Module:
        """Take out the module ``key``."""
        module = self[key]
        del self[key]
        return module

    def clear(self) -> None:
        """Take out all modules."""
        for key in list(self):
            del self[key]


def described(t: Tensor) -> str:
    """How a parameter is printed within its list: kind, dtype and size."""
    kind = "Parameter" if isinstance(t, Parameter) else "Tensor"
    return f"{kind} containing: [{t.dtype} of size {'x'.join(map(str, t.shape))}]"


class ParameterList(Module):
    """A list whose Parameters are registered; Tensors put into it become Parameters."""

    def __init__(self, values: Iterable[Any] | None = None):
        super().__init__()
        self.extend(values or ())

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        n = len(self)
        if not -n <= index < n:
            raise IndexError(message(f"index {index} is out of range", layer="ParameterList"))
        return self._parameters[str(index % n)]

    def __setitem__(self, index: int, value: Tensor) -> None:
        self[index]                                   # raises where there is none
        setattr(self, str(index % len(self)), value if isinstance(value, Parameter) else Parameter(value))

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(list(self._parameters.values()))

    def append(self, value: Tensor) -> ParameterList:
        """Put a Parameter at the end."""
        self.register_parameter(str(len(self)), value if isinstance(value, Parameter) else Parameter(value))
        return self

    def extend(self, values: Iterable[Tensor]) -> ParameterList:
        """Put all of ``values`` at the end."""
        for value in list(values):
            self.append(value)
        return self

    __iadd__ = extend

    def _repr_children(self) -> list[tuple[str, str]]:
        return [(f"  ({i})", described(p)) for i, p in enumerate(self)]


class ParameterDict(Module):
    """A dict whose Parameters are registered; Tensors put into it become Parameters."""

    def __init__(self, values: Mapping[str, Any] | Iterable | None = None):
        super().__init__()
        self.update(values or {})

    def __getitem__(self, key: str) -> Parameter:
        return self._parameters[key]

    def __setitem__(self, key: str, value: Tensor) -> None:
        setattr(self, key, value if isinstance(value, Parameter) else Parameter(value))

    def __delitem__(self, key: str) -> None:
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __contains__(self, key: str) -> bool:
        return key in self._parameters

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._parameters.keys()

    def values(self) -> Iterable[Parameter]:
        """The parameters."""
        return self._parameters.values()

    def items(self) -> Iterable[tuple[str, Parameter]]:
        """Names and parameters."""
        return self._parameters.items()

    def update(self, values: Mapping[str, Any] | Iterable) -> None:
        """Put in all of ``values``: a mapping, or pairs of name and parameter."""
        for key, value in list(values.items() if isinstance(values, (Mapping, ParameterDict)) else values):
            self[key] = value
