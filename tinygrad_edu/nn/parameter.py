"""Parameter: a Tensor that a Module trains."""
from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import message
from ..tensor import Tensor


class Parameter(Tensor):
    """A Tensor that counts as a parameter of the Module it is assigned to; it shares the memory of ``data``.

    >>> w = nn.Parameter(tensor([1., 2.]))
    >>> w.requires_grad, w.is_leaf
    (True, True)
    """

    __slots__ = ()

    def __init__(self, data: Any = None, requires_grad: bool = True):
        if data is not None and not isinstance(data, Tensor):
            raise TypeError(message(f"data must be a Tensor (got {type(data).__name__})", op="Parameter",
                                    inputs=(data,), instead="nn.Parameter(tensor(...))"))
        self._set(np.empty(0, np.float32) if data is None else data.payload, requires_grad)

    def __deepcopy__(self, memo: dict) -> Tensor:
        p = super().__deepcopy__(memo)
        p._grad = None                                # as in PyTorch, a copied network starts without gradients
        return p

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"
