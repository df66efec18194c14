"""Formula: a function of nn.functional as a Module."""
from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from .module import Module


class Formula(Module):
    """A Module that computes the function ``of``: it is made with the function's further arguments and called with the
    first, so that each activation and each loss is written once, as a function.

    >>> layer = nn.LeakyReLU(negative_slope=0.5)
    >>> layer(tensor([-2., 2.])).tolist(), layer
    ([-1.0, 2.0], LeakyReLU(negative_slope=0.5))
    """

    of: Callable
    inputs = 1                                        # how many arguments are given in a call
    shown = True                                      # whether the others are printed
    _takes = inspect.Signature()

    def __init_subclass__(cls, of: Callable | None = None, without: tuple[str, ...] = (), **kwargs: Any):
        """``class ELU(Formula, of=elu)``; ``without`` names arguments of the function that the Module does not have."""
        super().__init_subclass__(**kwargs)
        cls.__signature__ = None                      # type: ignore[attr-defined]  # that of the class's own __init__
        if of is not None:
            cls.of = staticmethod(of)
            further = list(inspect.signature(of).parameters.values())[cls.inputs:]
            cls._takes = inspect.Signature([p for p in further if p.name not in without])
            cls.__signature__ = cls._takes            # type: ignore[attr-defined]  # what help() shows

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__()
        try:
            given = self._takes.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}{self._takes}: {error}") from None
        given.apply_defaults()
        for name, value in given.arguments.items():
            if name.endswith("weight"):               # of the classes: a Tensor or None, part of state_dict
                self.register_buffer(name, value)
            else:
                setattr(self, name, value)

    def forward(self, *inputs: Any) -> Any:
        mine = self.__dict__
        return self.of(*inputs, **{name: mine[name] for name in self._takes.parameters})

    def extra_repr(self) -> str:
        shown = {name: getattr(self, name) for name in self._takes.parameters if self.shown}
        return ", ".join(f"{name}={value!r}" for name, value in shown.items() if name != "inplace" or value)
