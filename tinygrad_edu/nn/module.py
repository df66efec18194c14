"""Module: a function with parameters. Its layers and weights are its attributes, ``forward`` is its formula."""
from __future__ import annotations

import weakref
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Any

import numpy as np

from ..errors import message
from ..graph import stamp
from ..mode import Note, capturing, local
from ..tensor import Tensor
from .notice import notice
from .parameter import Parameter

EMPTY = "super().__init__() as the first line of __init__"
PLAIN = (list, tuple, dict)
OWN = frozenset(["_parameters", "_buffers", "_modules", "_temporary", "_places", "_before", "_after", "_backward"])


def lying_in(x: Any) -> Iterator[Any]:
    """All that lies in lists, tuples and dicts within each other."""
    for entry in x.values() if x.__class__ is dict else x:
        yield from lying_in(entry) if entry.__class__ in PLAIN else (entry,)


class Place(Note):
    """The note of a layer. It knows its module, so that a module called inside can find its own name there."""

    __slots__ = ("module",)
    module: weakref.ref[Module]

    def but(self, **facts: Any) -> Note:
        """A note of one node in this layer, with facts of its own."""
        return Note(self.layer).but(**facts)


class IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """What load_state_dict(strict=False) did not find, and what it did not know."""

    __slots__ = ()

    def __repr__(self) -> str:
        return super().__repr__() if any(self) else "<All keys matched successfully>"

    __str__ = __repr__


class RemovableHandle:
    """Takes a hook off again: by ``remove()``, or at the end of a ``with`` block."""

    ids = count().__next__

    def __init__(self, hooks: dict):
        self.hooks, self.id = hooks, RemovableHandle.ids()

    def remove(self) -> None:
        """Take the hook off; a second time does nothing."""
        self.hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *error: Any) -> None:
        self.remove()


class Module:
    """A function with parameters: assign layers and Parameters as attributes, write the formula in ``forward``.

    >>> class Line(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.slope = nn.Parameter(tensor(2.0))
    ...     def forward(self, x):
    ...         return self.slope * x
    >>> line = Line()
    >>> line(tensor(3.0)).item(), [name for name, p in line.named_parameters()]
    (6.0, ['slope'])
    """

    training: bool
    dump_patches = False

    def __init__(self) -> None:
        # The registries keep the order and the kinds; each entry is an ordinary attribute besides, so that reading
        # self.weight in forward is as fast as Python is.
        self.__dict__.update(training=True, _parameters={}, _buffers={}, _modules={}, _temporary=set(), _places={},
                             _hooked=False, _before=OrderedDict(), _after=OrderedDict(), _backward=OrderedDict())

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The formula; every subclass writes its own."""
        raise NotImplementedError(message(
            f'Module [{type(self).__name__}] is missing the required "forward" function',
            instead="def forward(self, x): return ... in the class"))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        mode = local.mode
        outer = mode.note
        mode.note = self._places.get(outer.layer) or self._settle(outer)
        try:
            if self._hooked:
                return self._call_with_hooks(args, kwargs)
            return self.forward(*args, **kwargs)
        except Exception as error:
            if not hasattr(error, "__notes__"):       # the innermost layer says which it is, the outer ones are quiet
                kind = repr(self) if not self._modules else type(self).__name__
                error.add_note(f"in layer {mode.note.layer}: {kind}")
            raise
        finally:
            mode.note = outer

    def _settle(self, outer: Note) -> Note:
        """The note for operations of this module, called inside ``outer``: its name there, or its class at the root."""
        around = outer.module() if isinstance(outer, Place) else None
        name = type(self).__name__
        if around is not None:
            name = next((path for path, inner in around.named_modules() if inner is self and path), name)
        place = Place(f"{outer.layer}.{name}" if outer.layer else name)
        place.module = weakref.ref(self)
        self._places[outer.layer] = place
        return place

    # ---- attributes ---------------------------------------------------------------------------------------------
    def __setattr__(self, name: str, value: Any) -> None:
        mine = self.__dict__
        if isinstance(value, Parameter):
            self._check_parameter(name, value)
            self._forget(name, but="_parameters")
            mine["_parameters"][name] = mine[name] = value
        elif isinstance(value, Module):
            if "_modules" not in mine:
                raise AttributeError(message("cannot assign module before Module.__init__() call", instead=EMPTY))
            self._forget(name, but="_modules")
            mine["_modules"][name] = mine[name] = value
        else:
            for registry, kind, wanted in (("_parameters", "parameter", Parameter),
                                           ("_modules", "child module", Module),
                                           ("_buffers", "buffer", Tensor)):
                if name in mine.get(registry, ()):
                    if value is not None and not isinstance(value, wanted):
                        raise TypeError(message(
                            f"cannot assign '{type(value).__name__}' as {kind} '{name}' "
                            f"({wanted.__name__} or None expected)",
                            layer=type(self).__name__, instead={
                                "_parameters": f"self.{name} = nn.Parameter(...), or under tg.no_grad(): "
                                               f"self.{name}.copy_(...)",
                                "_modules": f"del self.{name} first",
                                "_buffers": f"self.{name} = tensor(...)"}[registry]))
                    mine[registry][name] = value
                    break
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        self._forget(name)
        object.__delattr__(self, name)

    def __getattr__(self, name: str) -> Any:          # only where the usual look-up found nothing
        if "_parameters" not in self.__dict__:
            raise AttributeError(message(f"{type(self).__name__} was not set up: Module.__init__() was never called",
                                         instead=EMPTY))
        raise AttributeError(message(f"'{type(self).__name__}' object has no attribute '{name}'",
                                     op=f"{type(self).__name__}.{name}",
                                     instead=f"self.{name} = ... in its __init__"), name=name, obj=self)

    def __getstate__(self) -> dict:                   # a copy finds its own places: they name the module copied from
        return {**self.__dict__, "_places": {}}

    def _forget(self, name: str, but: str = "") -> None:
        """Take ``name`` out of every registry except ``but``."""
        for registry in ("_parameters", "_buffers", "_modules"):
            if registry != but:
                self.__dict__.get(registry, {}).pop(name, None)
        self.__dict__.get("_temporary", set()).discard(name)

    def _check_name(self, kind: str, name: Any, registry: str) -> None:
        """PyTorch's refusals of a name for a parameter, buffer or module."""
        if registry not in self.__dict__:
            raise AttributeError(message(f"cannot assign {kind}s before Module.__init__() call", instead=EMPTY))
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {type(name).__name__}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')

    def _check_parameter(self, name: str, param: Any) -> None:
        """Raise where ``param`` cannot be the parameter ``name``."""
        self._check_name("parameter", name, "_parameters")
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(message(f"cannot assign '{type(param).__name__}' object to parameter '{name}' "
                                    "(Parameter or None required)", instead="nn.Parameter(...)"))
        if param is not None and param.op is not None:
            raise ValueError(message(f"Cannot assign non-leaf Tensor to parameter '{name}': it was computed by "
                                     f"{param.op.name}",
                                     instead="compute it in forward(), from a Parameter that is a leaf"))
        if hasattr(type(self), name):
            raise KeyError(f"attribute '{name}' already exists")

    def _register(self, registry: str, name: str, entry: Any) -> None:
        if (hasattr(type(self), name) or name in self.__dict__) and name not in self.__dict__[registry]:
            raise KeyError(f"attribute '{name}' already exists")
        self.__dict__[registry][name] = self.__dict__[name] = entry

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Make ``param`` the parameter ``name`` of this module; None keeps the name free for one."""
        self._check_parameter(name, param)
        self._register("_parameters", name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Keep ``tensor`` with the module without training it: part of state_dict when ``persistent``."""
        self._check_name("buffer", name, "_buffers")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(message(f"cannot assign '{type(tensor).__name__}' object to buffer '{name}' "
                                    "(Tensor or None required)", instead="tensor(...)"))
        self._register("_buffers", name, tensor)
        (self._temporary.discard if persistent else self._temporary.add)(name)

    def register_module(self, name: str, module: Module | None) -> None:
        """Make ``module`` the child ``name``."""
        if not isinstance(module, Module) and module is not None:
            raise TypeError(message(f"{type(module).__name__} is not a Module subclass", inputs=(module,),
                                    instead="nn.Sequential(*layers) for a list, nn.ReLU() instead of nn.ReLU"))
        self._check_name("module", name, "_modules")
        self._register("_modules", name, module)

    add_module = register_module

    # ---- what is inside -----------------------------------------------------------------------------------------
    def named_modules(self, memo: set | None = None, prefix: str = "",
                      remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """This module and all inside it, with their dotted paths; the root's path is empty."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, child in self._modules.items():
            if child is not None:
                yield from child.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all inside it, each once."""
        for _, module in self.named_modules():
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly inside, with their names, each once."""
        seen: set[Module] = set()
        for name, child in self._modules.items():
            if child is not None and child not in seen:
                seen.add(child)
                yield name, child

    def children(self) -> Iterator[Module]:
        """The modules directly inside."""
        for _, child in self.named_children():
            yield child

    def _named_members(self, registry: str, prefix: str, recurse: bool,
                       remove_duplicate: bool) -> Iterator[tuple[str, Any]]:
        """Parameters or buffers with their dotted paths, each once when ``remove_duplicate``."""
        seen: set[Any] = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, member in getattr(module, registry).items():
                if member is not None and member not in seen:
                    if remove_duplicate:
                        seen.add(member)
                    yield f"{path}.{name}" if path else name, member

    def named_parameters(self, prefix: str = "", recurse: bool = True,
                         remove_duplicate: bool = True) -> Iterator[tuple[str, Parameter]]:
        """All parameters with their dotted paths, in the order of registration."""
        self._warn_of_loose_layers()
        yield from self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, each once: what an optimiser is given."""
        for _, param in self.named_parameters(recurse=recurse):
            yield param

    def named_buffers(self, prefix: str = "", recurse: bool = True,
                      remove_duplicate: bool = True) -> Iterator[tuple[str, Tensor]]:
        """All buffers with their dotted paths."""
        yield from self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers, each once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def _warn_of_loose_layers(self) -> None:
        """Say where layers or parameters lie in a plain list, tuple or dict, where no optimiser can find them."""
        for path, module in self.named_modules():
            for name, value in module.__dict__.items():
                if value.__class__ not in PLAIN or name in OWN:
                    continue
                loose = [x for x in lying_in(value) if isinstance(x, (Module, Parameter))]
                known = set(self.modules()).union(*(m._parameters.values() for m in self.modules())) if loose else ()
                if any(x not in known for x in loose):
                    kind = "Parameter" if isinstance(loose[0], Parameter) else "Module"
                    where = f"{type(module).__name__}.{name}" + (f" (at {path!r})" if path else "")
                    notice(f"{where} is a plain {value.__class__.__name__} that holds {len(loose)} {kind.lower()}(s): "
                           "they are not registered, so parameters() does not list them, no optimiser will train them "
                           "and state_dict() will not save them",
                           instead=f"self.{name} = nn.{kind}{'Dict' if value.__class__ is dict else 'List'}(...)")

    def _inside(self, target: str, registry: str) -> Any:
        """What stands at the dotted path ``target`` in one of the registries."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if getattr(module, registry).get(name) is None:
            raise AttributeError(message(f"{type(module).__name__} has no attribute `{name}`",
                                         instead="one of the paths that named_modules() and state_dict() list"))
        return getattr(module, registry)[name]

    def get_submodule(self, target: str) -> Module:
        """The module at the dotted path ``target``."""
        return self._inside(target, "_modules") if target else self

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at the dotted path ``target``."""
        return self._inside(target, "_parameters")

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at the dotted path ``target``."""
        return self._inside(target, "_buffers")

    # ---- changing all that is inside ----------------------------------------------------------------------------
    def apply(self, fn: Callable[[Module], None]) -> Module:
        """Call ``fn`` on every module inside, then on this one: ``net.apply(init_weights)``."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Module:
        """Behave as in training (dropout on), here and in all modules inside."""
        if not isinstance(mode, bool):
            raise ValueError(message("training mode is expected to be boolean", instead="net.train(), or net.eval()"))
        if watcher := capturing():
            watcher.again(self.train if mode else self.eval)
            return self
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        """Behave as in use (dropout off): train(False)."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Module:
        """Train, or freeze, all parameters inside."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters: None, or 0 with ``set_to_none=False``."""
        for p in self.parameters():
            if set_to_none:
                p.grad = None
            elif p.grad is not None:
                p.grad = p.grad.detach() * 0

    def _convert(self, change: Callable[[np.ndarray], np.ndarray]) -> Module:
        """Replace every floating payload inside by ``change(payload)``; parameters stay the same objects."""
        for t in [*self._named_members("_parameters", "", True, True), *self.named_buffers()]:
            for x in (t[1], t[1].grad):
                if x is not None and x.payload.dtype.kind == "f":
                    x.payload = change(x.payload)
                    stamp(x)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Module:
        """Convert floating parameters and buffers: ``to(tg.float64)``; the only device is "cpu"."""
        for x in [*args, *kwargs.values()]:
            if isinstance(x, Tensor):
                self._to_dtype(x.dtype)
            elif isinstance(x, np.dtype) or isinstance(x, type) and issubclass(x, (np.generic, float)):
                self._to_dtype(np.dtype(x))
            elif x is not None and not isinstance(x, bool) and str(getattr(x, "type", x)).partition(":")[0] != "cpu":
                raise RuntimeError(message(f"there is no device {x!s} here: everything is computed by NumPy on the CPU",
                                           op="Module.to", instead='net.to("cpu"), or leave the line out'))
        return self

    def _to_dtype(self, dtype: np.dtype) -> Module:
        if dtype.kind != "f":
            raise TypeError(message("nn.Module.to only accepts floating point or complex dtypes, but got desired "
                                    f"dtype={dtype}", op="Module.to",
                                    instead="net.to(tg.float32) or net.to(tg.float64)"))
        return self._convert(lambda payload: payload.astype(dtype, copy=False))

    def float(self) -> Module:
        """Floating parameters and buffers as float32."""
        return self._to_dtype(np.dtype(np.float32))

    def double(self) -> Module:
        """Floating parameters and buffers as float64."""
        return self._to_dtype(np.dtype(np.float64))

    def cpu(self) -> Module:
        """This module: it is on the CPU."""
        return self

    # ---- state --------------------------------------------------------------------------------------------------
    def _state(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """All parameters and persistent buffers with their dotted paths, as often as they have names."""
        for name, t in [*self._parameters.items(), *self._buffers.items()]:
            if t is not None and name not in self._temporary:
                yield prefix + name, t
        for name, child in self._modules.items():
            if child is not None:
                yield from child._state(f"{prefix}{name}.")

    def state_dict(self, destination: dict | None = None, prefix: str = "",
                   keep_vars: bool = False) -> dict[str, Tensor]:
        """All parameters and persistent buffers by their dotted paths. The tensors share memory with the module."""
        state = OrderedDict() if destination is None else destination
        for key, t in self._state(prefix):
            state[key] = t if keep_vars else t.detach()
        return state

    def load_state_dict(self, state_dict: dict[str, Any], strict: bool = True,
                        assign: bool = False) -> IncompatibleKeys:
        """Copy the values of a state_dict, ours or PyTorch's, into this module; nothing is changed where it fails.

        With ``strict`` every key must match. RuntimeError names what is missing, unexpected or of another shape.
        """
        if not hasattr(state_dict, "keys"):
            raise TypeError(message(f"Expected state_dict to be dict-like, got {type(state_dict)}.",
                                    op="load_state_dict", instead="net.load_state_dict(other.state_dict())"))
        mine, errors, values = dict(self._state()), [], {}
        missing = [key for key in mine if key not in state_dict]
        unexpected = [key for key in state_dict if key not in mine]
        for key, t in mine.items():
            if key not in state_dict:
                continue
            value = getattr(state_dict[key], "payload", state_dict[key])
            if not hasattr(value, "__array__"):
                errors.append(f'While copying the parameter named "{key}", expected a Tensor or array from checkpoint '
                              f"but received {type(value)}")
                continue
            values[key] = np.asarray(value)
            if values[key].shape != t.shape:
                errors.append(f"size mismatch for {key}: copying a param with shape {values[key].shape} from "
                              f"checkpoint, the shape in current model is {t.shape}.")
        if strict and unexpected:
            errors.insert(0, "Unexpected key(s) in state_dict: {}. ".format(", ".join(f'"{k}"' for k in unexpected)))
        if strict and missing:
            errors.insert(0, "Missing key(s) in state_dict: {}. ".format(", ".join(f'"{k}"' for k in missing)))
        if errors:
            raise RuntimeError(message(
                "Error(s) in loading state_dict for {}:\n\t{}".format(type(self).__name__, "\n\t".join(errors)),
                op="load_state_dict", instead="build the module with the sizes that it was saved with; strict=False "
                                              "ignores missing and unexpected keys (nothing was changed)"))
        for key, value in values.items():
            t = mine[key]
            t.payload = value if assign else t.payload
            if not assign:
                np.copyto(t.payload, value, casting="unsafe")
            stamp(t)
        return IncompatibleKeys(missing, unexpected)

    # ---- hooks --------------------------------------------------------------------------------------------------
    def _add_hook(self, hooks: OrderedDict, entry: Any, first: bool = False) -> RemovableHandle:
        handle = RemovableHandle(hooks)
        hooks[handle.id] = entry
        hooks.move_to_end(handle.id, last=not first)
        self.__dict__["_hooked"] = True
        return handle

    def register_forward_pre_hook(self, hook: Callable, *, prepend: bool = False,
                                  with_kwargs: bool = False) -> RemovableHandle:
        """Call ``hook(module, args)`` before forward; what it returns, if not None, replaces the arguments."""
        return self._add_hook(self._before, (hook, with_kwargs), prepend)

    def register_forward_hook(self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False,
                              always_call: bool = False) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after forward; what it returns, if not None, replaces the output."""
        if always_call:
            raise NotImplementedError(message("always_call=True is not implemented: the hook is called after a forward "
                                              "that went well", op=f"{type(self).__name__}.register_forward_hook",
                                              instead="try and finally around the call of the module"))
        return self._add_hook(self._after, (hook, with_kwargs), prepend)

    def register_full_backward_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` once the gradient has passed through this module; tuples with
        None where no gradient flows. What it returns, if not None, replaces grad_input."""
        return self._add_hook(self._backward, hook, prepend)

    def _call_with_hooks(self, args: tuple, kwargs: dict) -> Any:
        for hook, with_kwargs in list(self._before.values()):
            changed = hook(self, args, kwargs) if with_kwargs else hook(self, args)
            if changed is None:
                continue
            if with_kwargs:
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError("forward pre-hook must return None or a tuple of (new_args, new_kwargs), but "
                                       f"got {changed}.")
                args, kwargs = changed
            else:
                args = changed if isinstance(changed, tuple) else (changed,)
        passage = Passage(self) if self._backward else None
        if passage is not None:
            args = passage.enter(args)
        y = self.forward(*args, **kwargs)
        for hook, with_kwargs in list(self._after.values()):
            changed = hook(self, args, kwargs, y) if with_kwargs else hook(self, args, y)
            y = y if changed is None else changed
        return y if passage is None else passage.leave(y)

    # ---- printing -----------------------------------------------------------------------------------------------
    def _get_name(self) -> str:
        """The name of the class, for a repr of one's own."""
        return type(self).__name__

    def extra_repr(self) -> str:
        """What the printed form says of this module between the brackets."""
        return ""

    def _repr_children(self) -> list[tuple[str, str]]:
        return [(f"({name})", repr(child)) for name, child in self._modules.items()]

    def __repr__(self) -> str:
        extra = self.extra_repr().split("\n") if self.extra_repr() else []
        inside = [f"{name}: {text}".replace("\n", "\n  ") for name, text in self._repr_children()]
        if len(extra) == 1 and not inside:
            body = extra[0]
        else:
            lines = extra + inside
            body = "\n  " + "\n  ".join(lines) + "\n" if lines else ""
        return f"{type(self).__name__}({body})"


class Passage:
    """One call of a module with backward hooks: it notes the gradients that pass its outputs and its inputs.

    The hooks run when the last input's gradient is known; what they return can replace only that one.
    """

    def __init__(self, module: Module):
        self.module, self.waiting = module, 0
        self.grad_output: list = []
        self.grad_input: list = []

    def enter(self, args: tuple) -> tuple:
        """The arguments, each Tensor that needs a gradient as a node of its own where the gradient is met."""
        self.grad_input = [None] * len(args)
        met = tuple(self._met(x, self.at_input, i) for i, x in enumerate(args))
        self.waiting = sum(new is not x for new, x in zip(met, args, strict=True))
        return met

    def leave(self, y: Any) -> Any:
        """The output, or the tuple of outputs, in the same way."""
        outputs = y if isinstance(y, tuple) else (y,)
        self.grad_output = [None] * len(outputs)
        met = tuple(self._met(x, self.at_output, i) for i, x in enumerate(outputs))
        return met if isinstance(y, tuple) else met[0]

    def _met(self, x: Any, arrive: Callable, i: int) -> Any:
        if not isinstance(x, Tensor) or not x.requires_grad:
            return x
        same = x.reshape(x.shape)
        same.register_hook(partial(arrive, i))
        return same

    def at_output(self, i: int, g: Tensor) -> None:
        """The gradient of output ``i`` has arrived."""
        self.grad_output[i] = g
        if not self.waiting:                          # no input needs a gradient: this is all there is to see
            self._tell()

    def at_input(self, i: int, g: Tensor) -> Tensor | None:
        """The gradient of input ``i`` is ready."""
        self.grad_input[i] = g
        self.waiting -= 1
        return None if self.waiting else self._tell()[i]

    def _tell(self) -> tuple:
        grad_input = tuple(self.grad_input)
        for hook in list(self.module._backward.values()):
            changed = hook(self.module, grad_input, tuple(self.grad_output))
            if changed is not None:
                grad_input = changed if isinstance(changed, tuple) else (changed,)
        return grad_input
