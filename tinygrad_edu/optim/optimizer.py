"""Optimizer: what all of them share. A step changes the parameters in place, with NumPy, and records nothing."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from functools import wraps
from typing import Any

import numpy as np

from ..errors import message
from ..graph import stamp
from ..mode import capturing, constant, enable_grad
from ..nn.notice import notice
from ..tensor import Tensor

PART = 1 << 16                                        # numbers; five arrays of them fit into a second-level cache


def check(ok: bool, what: str, op: str, instead: str = "") -> None:
    """ValueError ``what`` unless ``ok``: nan and values out of range are refused before anything is built."""
    if not ok:
        raise ValueError(message(what, op=op, instead=instead))


def anew(step: Callable) -> Callable:
    """Decorator: a step that a captured program takes anew each time, whatever it does; its arguments are plain."""
    @wraps(step)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        watcher = capturing()
        if watcher is None:
            return step(self, *args, **kwargs)
        if not (args or kwargs) and type(self).step is call:
            return watcher.effect(self.step)
        given = [float(x) if isinstance(x, Tensor) else watcher.fixed_list(x) for x in (*args, *kwargs.values())]
        named = dict(zip(kwargs, given[len(args):], strict=True))
        return watcher.effect(lambda: step(self, *given[:len(args)], **named))
    return call


def outside(method: Callable) -> Callable:
    """Decorator: a method that a captured program would not call again, and that is refused there."""
    @wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if watcher := capturing():
            watcher.refused(f"{type(self).__name__}.{method.__name__}()", "call it outside")
        return method(self, *args, **kwargs)
    return call


class Optimizer:
    """The base of all optimisers: parameter groups with their options, a state for each parameter, and ``step``.

    A subclass states its options as ``defaults`` and its rule as ``update(group, params)``, where the parameters are
    those of the group that have a gradient. Options that choose among PyTorch's implementations (foreach, fused,
    capturable) are accepted and change nothing.
    """

    def __init__(self, params: Iterable, defaults: dict[str, Any]):
        if isinstance(params, Tensor) or not hasattr(params, "__iter__"):
            call = "net.parameters(), with its brackets" if callable(params) else "net.parameters(), or [parameter]"
            raise TypeError(message(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                f"{type(params).__name__}", op=type(self).__name__, inputs=(params,), instead=call))
        if defaults.get("differentiable"):
            raise RuntimeError(message("a step is not recorded, so no gradient can flow through it",
                                       op=type(self).__name__,
                                       instead="write the update as w = w - lr * g with g = tg.autograd.grad(..., "
                                               "create_graph=True)"))
        self.defaults = defaults
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self.steps = 0
        self._scratch: dict[Tensor, np.ndarray] = {}
        groups = list(params)
        if not groups:
            raise ValueError(message("optimizer got an empty parameter list", op=type(self).__name__,
                                     instead="net.parameters(): it is a generator, so each use needs a new call; and "
                                             "layers must be attributes of the module, or in a ModuleList"))
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    @outside
    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Optimise more parameters, with options of their own: ``{"params": [...], "lr": 0.1}``."""
        op = f"{type(self).__name__}.add_param_group"
        if not isinstance(param_group, dict):
            raise TypeError(message(f"param_group must be a dict, but got {type(param_group)}", op=op,
                                    instead='{"params": [...], "lr": 0.1}'))
        if "params" not in param_group:
            raise KeyError(message("'params' is missing from a parameter group", op=op,
                                   instead='{"params": [...], "lr": 0.1}'))
        params = param_group["params"]
        if isinstance(params, set):
            raise TypeError(message(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
                "will change between runs. Please use a list instead.", op=op, instead="list(net.parameters())"))
        params = [params] if isinstance(params, Tensor) else list(params)
        names = [p[0] for p in params if isinstance(p, tuple)]
        check(len(names) in (0, len(params)),
              "all optimizer params should be with/without names. Some param names are missing", op)
        params = [p[1] if isinstance(p, tuple) else p for p in params]
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(message("optimizer can only optimize Tensors, but one of the params is "
                                        f"{type(p).__name__}", op=op, inputs=(p,), instead="net.parameters()"))
            made = f": {p.op.name} made it" if p.op else ""
            check(not made or p.retains_grad, f"can't optimize a non-leaf Tensor{made}", op,
                  "optimise the leaves that it was computed from, or x.detach().requires_grad_()")
        if len(params) != len(set(params)):
            notice("optimizer contains a parameter group with duplicate parameters; in future, this will cause an "
                   "error", op=op)
        for group in self.param_groups:
            check(set(group["params"]).isdisjoint(params), "some parameters appear in more than one parameter group",
                  op)
            check(("param_names" in group) == bool(names),
                  "all optimizer param groups should be with/without names. cannot add param group "
                  f"{'with names' if names else 'without names'} to the optimizer", op)
        for name, default in self.defaults.items():
            param_group.setdefault(name, default)
        param_group["params"] = params
        if names:
            param_group["param_names"] = names
        self.param_groups.append(param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, before the next ``backward``: None, or 0 with ``set_to_none=False``."""
        for group in self.param_groups:
            for p in group["params"]:
                if watcher := capturing():
                    watcher.touched(p, reads=not set_to_none)
                if p._grad is not None:
                    p._grad = None if set_to_none else constant(Tensor._leaf(np.zeros_like(p._grad.payload)))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient by one step; ``closure`` computes the loss, which is returned."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        if watcher := capturing():                    # what is captured is that a step is taken, not what it does
            own = type(self).step is Optimizer.step   # else that of a subclass has called this one
            watcher.effect(self.step if own else lambda: Optimizer.step(self))
            return loss
        self.steps += 1
        for group in self.param_groups:
            params = [p for p in group["params"] if p._grad is not None]
            self.update(group, params)
            for p in params:
                stamp(p)
        return loss

    def update(self, group: dict[str, Any], params: list[Tensor]) -> None:
        """The rule of the subclass: change the payloads of ``params`` in place."""
        raise NotImplementedError(message(f"{type(self).__name__} has no update rule",
                                          instead="def update(self, group, params): ... or def step(self): ..."))

    def gradient(self, group: dict[str, Any], p: Tensor) -> np.ndarray:
        """The gradient to follow: negated to maximise, plus weight decay."""
        g = p._grad.payload
        if group["maximize"]:
            g = np.negative(g)
        if group["weight_decay"] and not group.get("decoupled_weight_decay"):
            g = g + group["weight_decay"] * p.payload
        return g

    def parts(self, p: Tensor, *arrays: np.ndarray) -> Iterable[tuple]:
        """``(w, t, *arrays)``: the numbers of ``p``, an array for intermediate results, and the arrays that belong to
        them. Where they are many, in parts that stay in the processor's cache together."""
        w, t = p.payload, self._scratch.get(p)
        if w.size <= 2 * PART or not (w.flags.c_contiguous and all(a.flags.c_contiguous for a in arrays)):
            if t is None or t.shape != w.shape or t.dtype != w.dtype:
                t = self._scratch[p] = np.empty_like(w)
            return ((w, t, *arrays),)
        if t is None or t.size != PART or t.dtype != w.dtype:
            t = self._scratch[p] = np.empty(PART, w.dtype)
        n, flat = w.size, [a.reshape(-1) for a in (w, *arrays)]
        return [(flat[0][i:i + PART], t[:n - i], *[a[i:i + PART] for a in flat[1:]]) for i in range(0, n, PART)]

    # ---- state --------------------------------------------------------------------------------------------------
    @outside
    def state_dict(self) -> dict[str, Any]:
        """``{"state": {0: {...}, ...}, "param_groups": [{"lr": ..., "params": [0, ...]}]}``, parameters by number."""
        number = {p: i for i, p in enumerate(p for group in self.param_groups for p in group["params"])}
        state = {number.get(p, p): {key: Tensor._leaf(np.array(value, np.float32)) if key == "step" else value
                                    for key, value in entries.items()} for p, entries in self.state.items()}
        groups = [{**{k: v for k, v in group.items() if k != "params"}, "params": [number[p] for p in group["params"]]}
                  for group in self.param_groups]
        return {"state": state, "param_groups": groups}

    @outside
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the state and options of a state_dict, ours or PyTorch's, as a copy; or change nothing."""
        op = f"{type(self).__name__}.load_state_dict"
        if "param_groups" not in state_dict:
            raise KeyError(message("'param_groups' is missing: this is not the state of an optimiser", op=op,
                                   instead="optimizer.load_state_dict(...) of what optimizer.state_dict() gave, and "
                                           "net.load_state_dict(...) for the weights"))
        saved = state_dict["param_groups"]
        check(len(saved) == len(self.param_groups), "loaded state dict has a different number of parameter groups", op)
        for old, new in zip(self.param_groups, saved, strict=True):
            check(len(old["params"]) == len(new["params"]),
                  "loaded state dict contains a parameter group that doesn't match the size of optimizer's group", op)
        params = {i: p for old, new in zip(self.param_groups, saved, strict=True)
                  for i, p in zip(new["params"], old["params"], strict=True)}
        state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for i, entries in state_dict["state"].items():
            p = params.get(i, i)
            state[p] = {key: loaded(key, value, p, op) for key, value in entries.items()}
        self.state = state
        for old, new in zip(self.param_groups, saved, strict=True):
            old.update({key: deepcopy(value) for key, value in new.items() if key != "params"})

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_scratch": {}}

    def __repr__(self) -> str:
        lines = []
        for i, group in enumerate(self.param_groups):
            lines += ["", f"Parameter Group {i}"] if i else [f"Parameter Group {i}"]
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return f"{type(self).__name__} (\n" + "\n".join(lines) + "\n)"


def loaded(key: str, value: Any, p: Any, op: str) -> Any:
    """One entry of a saved state as this optimiser keeps it: a number, or a Tensor in the dtype of its parameter."""
    if key == "step":
        return float(value)
    if not hasattr(value, "__array__"):
        return deepcopy(value)
    array = np.asarray(getattr(value, "payload", value)).copy()
    if isinstance(p, Tensor):
        check(array.shape == p.shape, f"loaded state dict has {key} of shape {array.shape} for a parameter of shape "
                                      f"{p.shape}",
              op, "build the optimiser on the parameters that the state was saved for, in the same order")
        array = array.astype(p.dtype, copy=False)
    return Tensor._leaf(array)
