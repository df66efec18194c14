"""How PyTorch's functions are called: with arguments by position or by PyTorch's names for them, Tensors where PyTorch
wants Tensors, and no ``out=``. The public functions are dressed in this; inside the package and as methods they are
bare."""
from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from .errors import message
from .graph import HERE, Primitive

UNCHECKED = set("broadcast_shapes broadcast_tensors cat chain_matmul concat concatenate einsum hstack meshgrid stack "
                "vstack where".split())               # the first argument is not a Tensor alone
NUMBER_FIRST = set("add sub subtract mul multiply div divide true_divide pow remainder floor_divide bitwise_and "
                   "bitwise_or bitwise_xor xlogy".split())         # one of the two is a Tensor
TENSORS = set("atan2 arctan2 hypot logaddexp maximum minimum logical_and logical_or logical_xor equal allclose "
              "isclose".split())                      # both are
PAIRS = {*NUMBER_FIRST, *TENSORS, *"fmod lt le gt ge eq ne greater greater_equal less less_equal not_equal".split()}
SPELLED = {                                           # PyTorch's names for the first arguments, beside "input"
    "pow": "input exponent", "addcmul": "input tensor1 tensor2", "addcdiv": "input tensor1 tensor2",
    "addmm": "input mat1 mat2", "lerp": "input end weight", "split": "tensor split_size_or_sections",
    "swapaxes": "input axis0 axis1", "linalg.det": "A", "linalg.inv": "A", "where": "condition input other",
    **dict.fromkeys([*(PAIRS - {"pow"}), "inner"], "input other")}


def dressed(name: str, f: Callable, makes: bool = False) -> Callable:
    """``f`` as PyTorch's function of this name; ``makes`` says that it makes a tensor of what is not one."""
    names = SPELLED.get(name, "input").split()
    primitive = isinstance(f, Primitive)
    code = None if primitive else inspect.unwrap(f).__code__
    own = [] if code is None else list(code.co_varnames[:code.co_argcount + code.co_kwonlyargcount])
    renamed = {theirs: ours for theirs, ours in zip(names, own, strict=False) if theirs not in own}
    starred = code is not None and code.co_flags & inspect.CO_VARARGS          # f(*size): f(size=(2, 3)) too
    unchecked, pair = makes or name in UNCHECKED, name in PAIRS

    @wraps(f)
    def call(*args: Any, **named: Any) -> Any:
        if named:
            if named.pop("out", None) is not None:
                raise NotImplementedError(message(f"{name}(): out= is not implemented", op=name, inputs=args,
                                                  instead=f"y = tg.{name}(...), or y[...] = tg.{name}(...)"))
            if (dtype := named.get("dtype")) is not None and (
                    not isinstance(dtype, (np.dtype, type)) or np.dtype(dtype).kind not in "fiub"):
                raise TypeError(message(f"{name}(): argument 'dtype' must be torch.dtype, not {type(dtype).__name__}",
                                        op=name, inputs=args, instead="dtype=tg.float32, without quotation marks"))
            if starred and "size" in named and "size" not in own:
                args += (named.pop("size"),)
            if primitive:
                args += tuple([named.pop(n) for n in names[len(args):] if n in named])
            else:
                named = {renamed.get(n, n): value for n, value in named.items()}
        if primitive and (len(args) != len(names) or named):
            raise miscounted(name, names, args, named)
        if not unchecked and args and not node(args[0]) or pair:
            check(name, names, args)
        try:
            return f(*args, **named)
        except (TypeError, ValueError, AttributeError) as error:
            if "operation:" in str(error):            # explained already
                raise
            kind = ValueError if isinstance(error, ValueError) else TypeError
            what = str(error).replace("argument: 'x'", "argument: 'input'")
            raise kind(message(what, op=name, inputs=args,
                               instead=f"tg.{name}{signature(f)}")) from None

    call.__name__ = call.__qualname__ = name
    call.__module__ = HERE                            # where it is found again, in a pickle for one
    return call


def signature(f: Callable) -> str:
    """The names and defaults of what f takes, without types."""
    given = inspect.signature(f)
    plain = [p.replace(annotation=p.empty) for p in given.parameters.values()]
    return str(given.replace(parameters=plain, return_annotation=given.empty)).replace("(x", "(input")


def node(x: Any) -> bool:
    """Whether x is a Tensor or a Value, and not a number that is read anew at each replay."""
    return getattr(x, "scalar", None) is not None


def check(name: str, names: list[str], args: tuple) -> None:
    """TypeError, in PyTorch's words, for an argument that must be a Tensor, or a number, and is not."""
    numbers = name in NUMBER_FIRST and any(node(x) for x in args)
    for i, x in enumerate(args[:2 if name in PAIRS else 1]):
        may_be = numbers or (i == 1 and name in PAIRS and name not in TENSORS)
        if not (node(x) or (may_be and isinstance(x, (int, float, np.number, np.bool_)))):
            raise TypeError(message(f"{name}(): argument '{names[i]}' (position {i + 1}) must be Tensor, not "
                                    f"{type(x).__name__}", op=name, inputs=args, instead="tg.tensor(...) of it"))


def miscounted(name: str, names: list[str], args: tuple, named: dict) -> TypeError:
    """PyTorch's error for arguments too few, too many or of another name."""
    if named:
        what = f"{name}() got an unexpected keyword argument '{next(iter(named))}'"
    elif len(args) > len(names):
        what = f"{name}() takes {len(names)} positional argument{'s' * (len(names) > 1)} but {len(args)} were given"
    else:
        missing = ", ".join(f'"{n}"' for n in names[len(args):])
        what = f"{name}() missing {len(names) - len(args)} required positional arguments: {missing}"
    return TypeError(message(what, op=name, inputs=args, instead=f"tg.{name}({', '.join(names)})"))
