"""An autograd engine to read in an hour, see at work, carry to PyTorch, and run at NumPy's speed.

``import tinygrad_edu as torch`` gives tensors, nn, optim and data under PyTorch's names; ``Value`` is the scalar node.

>>> x = tensor([1., 2.], requires_grad=True)
>>> (x ** 2).sum().backward()
>>> x.grad
tensor([2., 4.])
"""
from __future__ import annotations

import importlib
from typing import Any

from numpy import dtype

from . import creation, numpy_functions, random
from .autograd import detect_anomaly, inference_mode, set_detect_anomaly
from .calls import dressed
from .creation import *  # noqa: F403
from .creation import bool_ as bool
from .creation import float32 as float
from .creation import int32 as int
from .errors import LinAlgError
from .functions import elementwise, linalg, products, reduce, shape, toplevel
from .functions.elementwise import *  # noqa: F403
from .functions.linalg import *  # noqa: F403
from .functions.products import *  # noqa: F403
from .functions.reduce import *  # noqa: F403
from .functions.shape import *  # noqa: F403
from .functions.toplevel import *  # noqa: F403
from .mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from .random import *  # noqa: F403
from .tensor import Tensor
from .value import Value

__version__ = "0.1.0"
__all__ = sorted({  # noqa: PLE0605
    "Tensor", "Value", "LinAlgError", "bool", "float", "int", "dtype", "Size", "detect_anomaly", "inference_mode",
    "set_detect_anomaly", "enable_grad", "is_grad_enabled", "no_grad", "set_grad_enabled", *creation.__all__,
    *elementwise.__all__, *linalg.__all__, *products.__all__, *random.__all__, *reduce.__all__, *shape.__all__,
    *toplevel.__all__})
Size = tuple                                          # shapes are plain tuples here
for _module in (elementwise, linalg, products, reduce, shape, toplevel):
    globals().update({_name: dressed(_name, _f) for _name in _module.__all__
                      if callable(_f := getattr(_module, _name)) and not isinstance(_f, type)})
for _module in (creation, random):
    globals().update({_name: dressed(_name, _f, makes=not _name.endswith("_like")) for _name in _module.__all__
                      if callable(_f := getattr(_module, _name)) and not isinstance(_f, type) and _name != "device"})
del creation, dressed, elementwise, linalg, numpy_functions, products, reduce, shape, toplevel

_LAZY = {"nn", "optim", "utils", "viz", "dp", "datasets", "tape", "linalg", "autograd", "random"}
_FUNCTIONS = {"compile": "tape", "save": "saving", "load": "saving"}


def __getattr__(name: str) -> Any:
    """Subpackages are imported when first used, so that ``import tinygrad_edu`` costs little more than NumPy."""
    if name in _LAZY:
        return importlib.import_module(f".{name}", __name__)
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(f".{_FUNCTIONS[name]}", __name__), name)
    raise AttributeError(f"module 'tinygrad_edu' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, *_FUNCTIONS})
