"""Checkpoints: less memory for more computing, under the names of torch.utils.checkpoint.

A checkpointed call keeps its arguments and forgets what it computed on the way; the sweep back runs it again. In the
graph it is one node: its inputs are all tensors that the function read, parameters included, and its joint rule runs
the function a second time, recorded, and sweeps that small graph. ``checkpoint_schedule`` does so for a chain of
functions along the plan of dp.revolve, which runs the fewest of them again.
"""
from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

import numpy as np

from ..dp.revolve import Schedule, revolve
from ..errors import message
from ..generator import Stream
from ..graph import Clock, Node, primitive, sweep, tick
from ..mode import capturing, enable_grad, is_grad_enabled, local, no_grad, watch
from ..nn import Sequential
from ..ops.layout import cast, clone
from ..random import default_generator, get_rng_state, set_rng_state
from ..tensor import Tensor

__all__ = ["CheckpointError", "checkpoint", "checkpoint_schedule", "checkpoint_sequential", "noop_context_fn"]


class CheckpointError(RuntimeError):
    """A checkpointed function did something else when it was run again (torch.utils.checkpoint.CheckpointError)."""


def noop_context_fn() -> tuple[AbstractContextManager, AbstractContextManager]:
    """Two contexts that do nothing: the default around a checkpointed function and around its second run."""
    return nullcontext(), nullcontext()


def checkpoint(function: Callable, *args: Any, use_reentrant: bool | None = False,
               context_fn: Callable = noop_context_fn, determinism_check: str = "default", debug: bool = False,
               early_stop: bool = True, preserve_rng_state: bool = True, **kwargs: Any) -> Any:
    """function(*args, **kwargs), keeping nothing of what it computes: the sweep back runs it again.

    Its own graph is in memory only until it returns, and again from the second run until that is swept.
    Gradients reach all tensors that the function reads, as if it had been called: arguments (in lists and dictionaries
    too), parameters, whatever it closes over; of every order. Random numbers are the same in the second run, unless
    ``preserve_rng_state=False``. RuntimeError where the function, or anyone before the sweep, changes in place what the
    second run reads; CheckpointError where that gives other shapes or dtypes. Running statistics (BatchNorm) see both
    runs, as in PyTorch.

    ``use_reentrant=True`` takes no keyword arguments and needs an argument that requires a gradient, as in PyTorch;
    else the two are the same here. ``early_stop`` and ``debug`` are accepted. Inside ``tg.compile`` it is a plain call,
    and CaptureError where both runs would leave something outside, or draw random numbers of their own.

    Source: Chen, Xu, Zhang and Guestrin, Training deep nets with sublinear memory cost, 2016.

    >>> from tinygrad_edu.utils.checkpoint import checkpoint
    >>> x = tg.tensor([0., 1.], requires_grad=True)
    >>> y = checkpoint(lambda x: (x.exp() * 2).tanh(), x)
    >>> y
    tensor([0.9640, 1.0000], grad_fn=<checkpoint>)
    >>> y.sum().backward()
    >>> x.grad.allclose(2 * x.detach().exp() * (1 - y.detach() ** 2))
    True
    """
    if use_reentrant and kwargs:
        raise ValueError(message("Unexpected keyword arguments: " + ",".join(kwargs), op="checkpoint",
                                 instead="use_reentrant=False, which hands them on"))
    if use_reentrant and context_fn is not noop_context_fn:
        raise ValueError(message("Passing `context_fn` is only supported when use_reentrant=False.", op="checkpoint"))
    if determinism_check not in ("default", "none"):
        raise ValueError(message(f"determinism_check is 'default' or 'none', not {determinism_check!r}",
                                 op="checkpoint"))
    first, second = context_fn()
    with first:
        if not is_grad_enabled():
            return function(*args, **kwargs)
        if use_reentrant and not any(isinstance(x, Tensor) and x.requires_grad for x in args):
            warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2)
            with no_grad():
                return function(*args)
        if watcher := capturing():
            return once(watcher, function, args, kwargs, preserve_rng_state)
        return Call(function, args, kwargs, preserve_rng_state, second, determinism_check == "default").first()


def checkpoint_sequential(functions: Any, segments: int, input: Any, use_reentrant: bool | None = False,
                          preserve_rng_state: bool = True, **kwargs: Any) -> Any:
    """The functions one after the other, in ``segments`` pieces of which all but the last are checkpointed.

    ``functions`` is an nn.Sequential or a list. With about sqrt(l) segments of l layers, as many states are kept; see
    ``checkpoint_schedule`` for the best that a number of kept states allows.

    >>> from tinygrad_edu.utils.checkpoint import checkpoint_sequential
    >>> net = nn.Sequential(*[nn.Linear(3, 3) for _ in range(6)])
    >>> x = tg.randn(2, 3, requires_grad=True)
    >>> tg.equal(checkpoint_sequential(net, 3, x), net(x))
    True
    """
    if kwargs:
        raise ValueError(message("Unexpected keyword arguments: " + ",".join(kwargs), op="checkpoint_sequential"))
    steps = listed(functions)
    size = len(steps) // segments if segments > 0 else 0
    if not size:
        raise ValueError(message(f"{len(steps)} functions cannot be cut into {segments} segments",
                                 op="checkpoint_sequential", instead="1 <= segments <= len(functions)"))
    last = size * (segments - 1)
    for start in range(0, last, size):
        input = checkpoint(partial(one_by_one, steps[start:start + size]), input, use_reentrant=use_reentrant,
                           preserve_rng_state=preserve_rng_state)
    return one_by_one(steps[last:], input)


def checkpoint_schedule(functions: Any, memory: int | Schedule, input: Tensor, *,
                        preserve_rng_state: bool = True) -> Tensor:
    """The functions one after the other, with at most ``memory`` states kept (the input among them) at any time of the
    whole step, forward and backward, and the fewest functions run again: the schedule ``dp.revolve``, carried out.

    ``functions`` is an nn.Sequential or a list, each from one Tensor to one; ``memory`` is a number of states or a
    schedule. Forward, the states of the schedule's first run are kept, and the last function's graph; the sweep goes on
    from there. Besides what is kept, one function's graph is in memory at a time. A gradient of the gradient
    (``create_graph``) is right, and takes the memory of the plain chain.

    Source: Griewank and Walther, Algorithm 799: revolve, ACM TOMS 26, 2000.

    >>> from tinygrad_edu.utils.checkpoint import checkpoint_schedule
    >>> net = nn.Sequential(*[nn.Linear(3, 3) for _ in range(20)])
    >>> x = tg.randn(2, 3)
    >>> loss = checkpoint_schedule(net, 3, x).sum()
    >>> tg.equal(loss, net(x).sum())
    True
    >>> loss.backward()                               # runs 45 - 19 layers once more on its way, and keeps 3 states
    """
    steps = listed(functions)
    if not steps:
        return input
    plan = memory if isinstance(memory, Schedule) else revolve(len(steps), memory)
    if plan.steps != len(steps):
        raise ValueError(message(f"the schedule is for {plan.steps} steps, and there are {len(steps)} functions",
                                 op="checkpoint_schedule", instead="revolve(len(functions), memory)"))
    if not is_grad_enabled():
        return one_by_one(steps, input)
    if watcher := capturing():
        return once(watcher, one_by_one, (steps, input), {}, preserve_rng_state)
    return Chain(steps, plan, input, preserve_rng_state).first()


def once(watcher: Any, function: Callable, args: tuple, kwargs: dict, preserve_rng_state: bool) -> Any:
    """A captured function, whose program plans its own memory: it runs once. No second run may draw other numbers."""
    start, before = len(watcher.events), default_generator.numpy.bit_generator.state
    out = watcher.once(function, args, kwargs)
    given = [x for line in watcher.events[start:] if getattr(line, "kind", "") == "draw"
             for x in (*line.inputs, *line.params.values())]
    if any(isinstance(x, Stream) and x is not default_generator for x in given) or (
            not preserve_rng_state and default_generator.numpy.bit_generator.state != before):
        watcher.refused("a checkpointed function that draws other random numbers when it is run again",
                        "preserve_rng_state=True and the default generator, or a plain call: it takes no more memory")
    return out


def listed(functions: Any) -> list[Callable]:
    """The functions of a sequence, or of an nn.Sequential."""
    return list(functions.children()) if isinstance(functions, Sequential) else list(functions)


def one_by_one(functions: Sequence[Callable], x: Any) -> Any:
    """The last function of ... of the second of the first of x."""
    for function in functions:
        x = function(x)
    return x


# ---- a call that can be made again ----------------------------------------------------------------------------------

def run_again(g: Any, y: Any, *inputs: Any, needs: Sequence[bool]) -> list:
    """What flows back to each tensor that a checkpointed function read: it is run again, recorded, and swept."""
    parts = inputs[-1].back(g, y)
    return [part if need else None for part, need in zip([*parts, None], needs, strict=True)]


def value_again(*inputs: Any) -> np.ndarray:
    """The numbers of a checkpointed call, computed again from what it keeps."""
    return inputs[-1].value()


rerun = primitive("checkpoint", value_again, joint=run_again, register=False,
                  doc="a function that is run again, where its derivative is asked for, in place of being remembered")


class Call:
    """One call of a function: all that is needed to make it again. It is the last input, a constant, of the node that
    stands for it in the graph, and so is given back with the graph."""

    def __init__(self, function: Callable, args: tuple, kwargs: dict, preserve_rng_state: bool = True,
                 context: AbstractContextManager | None = None, strict: bool = True):
        self.function, self.args, self.kwargs = function, args, kwargs
        self.context, self.strict = nullcontext() if context is None else context, strict
        self.rng = get_rng_state() if preserve_rng_state else None
        self.note, self.born = local.mode.note, tick()
        self.given = [x for x in flat((args, kwargs)) if isinstance(x, Tensor)]
        self.read: list[Tensor] = []                  # the tensors that gradients go to
        self.made: list[tuple] = []                   # shape and dtype of each result that has a gradient

    def __repr__(self) -> str:
        return f"call of {getattr(self.function, '__name__', type(self.function).__name__)}"

    def first(self) -> Any:
        """The first run: the function's results, in whose history stands nothing but this call."""
        out = self.function(*self.args, **self.kwargs)
        results = self.results(out, self.born)
        self.read = list(cut_off(results, self.born, lambda x: x)[1])
        self.unchanged("in the function itself")
        if not results:
            return out
        self.made = [(y.shape, y.dtype) for y in results]
        new = dict(zip(results, self.outputs(results), strict=True))
        return rebuilt(out, lambda x: new.get(x, x))

    @staticmethod
    def results(out: Any, since: int) -> list[Tensor]:
        """The tensors in ``out`` that were computed with gradients; what was there before is handed on as it is."""
        found = [y for y in flat(out) if isinstance(y, Tensor) and y.requires_grad and y.op is not None]
        return [y for y in dict.fromkeys(found) if y.born > since]

    def outputs(self, results: list[Tensor]) -> list[Tensor]:
        """Nodes in place of these results. Several of them are read from one node that holds no numbers of its own: the
        way back joins their adjoints there, so that the function is run again once."""
        if len(results) == 1:
            new = [Tensor._record(rerun, (*self.read, self), {}, results[0].payload, True)]
        else:
            dtype = np.result_type(*(dtype for _, dtype in self.made))
            size = sum(y.payload.size for y in results)
            hub = Tensor._record(rerun, (*self.read, self), {}, np.broadcast_to(np.zeros((), dtype), (size,)), True)
            new = self.parts(hub)
        for y, result in zip(new, results, strict=True):
            base = result.base
            y.payload, y.base = result.payload, base if base is not None and base.born < self.born else None
        return new

    def parts(self, whole: Any) -> list:
        """The results, or their adjoints, out of the node or array that carries them."""
        if len(self.made) == 1:
            return [whole]
        ends = np.cumsum([0, *(int(np.prod(shape)) for shape, _ in self.made)]).tolist()
        cut = [whole[a:b].reshape(shape) for a, b, (shape, _) in zip(ends, ends[1:], self.made, strict=False)]
        return [x if x.dtype == dtype else cast(x, dtype=dtype) for x, (_, dtype) in zip(cut, self.made, strict=True)]

    def back(self, g: Any, y: Any) -> list:
        """The adjoints of the tensors in ``read``. When ``g`` is a node they have a graph of their own, and when ``y``
        is one that graph reaches what was read."""
        self.unchanged("before the sweep back")
        with self.as_then(), self.context:
            since = tick()
            results = self.results(self.function(*self.args, **self.kwargs), since)
        self.same(results)
        seeds = self.parts(g)
        if len(seeds) > 1 and not isinstance(g, Node):            # a result that nobody used
            used = [i for i, part in enumerate(seeds) if part.any()]
            results, seeds = [results[i] for i in used], [seeds[i] for i in used]
        parts = self.in_order(swept(results, seeds, since, isinstance(g, Node), isinstance(y, Node)))
        return [Tensor._leaf(c) if isinstance(g, Node) and isinstance(c, np.ndarray) else c for c in parts]

    def in_order(self, found: dict[Tensor, Any]) -> list:
        """The adjoints of the tensors in ``read``, zeros where nothing flowed back."""
        lost = found.keys() - set(self.read)
        if self.strict and any(x.born < self.born for x in lost):
            raise CheckpointError(message(
                "a checkpointed function read other tensors when it was run again, so their gradients would be lost",
                op="checkpoint", layer=self.note.layer, instead="a function that does the same each time"))
        return [found[x] if x in found else np.zeros(x.shape, x.dtype) for x in self.read]

    def value(self) -> Any:
        """The array of the node, computed again: a result, or several in a row."""
        with self.as_then(), self.context:
            since = tick()
            results = self.results(self.function(*self.args, **self.kwargs), since)
        return results[0].payload if len(results) == 1 else np.concatenate([y.payload.ravel() for y in results])

    @contextmanager
    def as_then(self) -> Iterator[None]:
        """Record, in the layer and with the random numbers of the first run; then go on with those of now."""
        if capturing():
            raise RuntimeError(message("a checkpoint from outside is swept back inside a compiled function",
                                       op="checkpoint", instead="forward and backward both inside it, or outside"))
        mode, note = local.mode, local.mode.note
        now = None if self.rng is None else get_rng_state()
        try:
            mode.note = self.note
            if self.rng is not None:
                set_rng_state(self.rng)
            with enable_grad():
                yield
        finally:
            mode.note = note
            if now is not None:
                set_rng_state(now)

    def unchanged(self, when: str) -> None:
        """Refuse what changed in place since the first run began: a second run would compute something else."""
        if Clock.changed > self.born:
            self.refuse_changed((*self.given, *self.read), self.born, when)

    def refuse_changed(self, tensors: Iterable[Tensor], since: int, when: str) -> None:
        """The error for a tensor among these that changed in place after ``since``."""
        for x in tensors:
            if changed(x) > since:
                raise RuntimeError(message(
                    "one of the variables needed for gradient computation has been modified by an inplace operation: "
                    f"{x.name or 'a tensor'} that a checkpointed function reads was changed {when}, so that another "
                    "run would compute something else", op="checkpoint", inputs=(x,), layer=self.note.layer,
                    instead="x = x + 1 for x.add_(1), x.relu() for x.relu_(), or change it after backward()"))

    def same(self, results: list[Tensor]) -> None:
        """Refuse results of another shape or dtype than those of the first run."""
        now = [(y.shape, y.dtype) for y in results]
        if now != self.made and (self.strict or len(now) != len(self.made)):
            raise CheckpointError(message(
                "torch.utils.checkpoint: Recomputed values have different metadata than during the forward pass: "
                f"{self.made} then, {now} now", op="checkpoint", layer=self.note.layer,
                instead="a function that does the same each time"))


class Chain(Call):
    """A chain of functions as one call, whose way back follows a schedule."""

    def __init__(self, steps: list[Callable], plan: Schedule, x: Tensor, preserve_rng_state: bool):
        super().__init__(partial(one_by_one, steps), (x,), {}, preserve_rng_state)
        self.steps, self.plan = steps, plan
        self.turning: tuple | None = None             # the recorded step from which the way back begins
        self.kept: dict[int, tuple] = {}              # states, each with that of the random numbers
        self.state: Any = x                           # the state that the next step runs from

    def first(self) -> Tensor:
        """Forward: the schedule up to where it turns."""
        self.begin()
        found: dict[Tensor, None] = {}
        self.turning = self.ahead(found)
        y: Tensor = self.turning[1]
        self.read = list(found)
        self.unchanged("in the functions themselves")
        if not y.requires_grad or y.born < self.born or (y.op is None and y is not self.state):
            self.turning, self.kept = None, {}
            return y
        self.made = [(y.shape, y.dtype)]
        return self.outputs([y])[0]

    def back(self, g: Any, y: Any) -> list:
        """The way back along the schedule; recorded, that of the whole chain at once."""
        if isinstance(g, Node):
            return super().back(g, y)
        self.unchanged("before the sweep back")
        total: dict[Tensor, Any] = {}
        with self.as_then():
            if self.turning is None:                  # a second sweep, of a retained graph
                self.begin()
            while g is not None:
                before, out, k, since = self.turning or self.ahead()
                self.turning = None
                found = swept([out], [g], since)
                g = found.pop(before, None) if k else None
                for x, c in found.items():
                    total[x] = total[x] + c if x in total else c
                del before, out, found                # not kept while the next steps run
            self.state, self.kept = None, {}
        return self.in_order(total)

    def begin(self) -> None:
        """Stand at the input, the whole schedule ahead."""
        self.state, self.kept, self.todo = self.args[0], {}, iter(self.plan.actions)

    def ahead(self, found: dict[Tensor, None] | None = None) -> tuple:
        """Carry out the schedule up to its next turn: the state there, what its step makes of it, recorded, which step
        it is, and since when it ran. Adds to ``found`` the tensors that the steps read."""
        for kind, at, to in self.todo:
            if kind == "store":
                self.kept[at] = self.state, None if self.rng is None else get_rng_state()
            elif kind == "restore":
                self.state, rng = self.kept[at]
                if rng is not None:
                    set_rng_state(rng)
            elif kind == "free":
                del self.kept[at]
            elif kind == "turn":
                return self.state, *self.step(at, found)
            else:
                for k in range(at, to):
                    y = self.step(k, found)[0]
                    owner = y if y.base is None else y.base
                    shared = owner.op is None or owner.born < self.born        # no history would be kept with it
                    self.state = Tensor._leaf(y.payload, y.requires_grad, owner if shared else None)
                    del y, owner
        raise AssertionError("a schedule ends with a turn")

    def step(self, k: int, found: dict[Tensor, None] | None) -> tuple:
        """Run step k from the state reached."""
        x, since = self.state, tick()
        y = self.steps[k](x)
        if not isinstance(y, Tensor):
            raise TypeError(message(f"function {k} of a chain returned a {type(y).__name__}", op="checkpoint_schedule",
                                    instead="functions from one Tensor to one Tensor"))
        if Clock.changed > since:
            self.refuse_changed([x], since, f"by function {k}")
        if found is not None:
            ends = cut_off([y], since, lambda end: end)[1]
            if k and x not in ends:                   # no gradient goes back beyond this step
                found.clear()
            found.update((end, None) for end in ends if end is not x or k == 0)
        return y, k, since


# ---- graphs that begin at what was there before ---------------------------------------------------------------------

def cut_off(results: Iterable[Tensor], since: int, replace: Callable) -> tuple[list[Tensor], dict[Tensor, Tensor]]:
    """Cut the history of ``results`` where it reaches a leaf, or a tensor that was there before ``since``: that is
    replaced, in its users, by ``replace(x)``. The results, and what was replaced by what."""
    ends: dict[Tensor, Tensor] = {}

    def cut(x: Any) -> Any:
        if not isinstance(x, Tensor) or not x.requires_grad or (x.born > since and x.op is not None):
            return x
        if x not in ends:
            ends[x] = replace(x)
        return ends[x]

    roots = [cut(y) for y in results]
    todo = [y for y in dict.fromkeys(roots) if y.born > since and y.op is not None]
    seen = set(todo)
    for node in todo:                                 # grows while it is read
        node.inputs = tuple(cut(x) for x in node.inputs)
        for x in node.inputs:
            if isinstance(x, Tensor) and x.requires_grad and x.born > since and x.op is not None and x not in seen:
                seen.add(x)
                todo.append(x)
    return roots, ends


def swept(results: list[Tensor], seeds: list, since: int, create_graph: bool = False,
          connected: bool = False) -> dict[Tensor, Any]:
    """The adjoints of the tensors with which the history of ``results`` begins. It is cut off there, so that the sweep
    ends; ``connected``, each is replaced by a copy with a history, which keeps gradients of gradients whole."""
    def replace(x: Tensor) -> Tensor:
        with enable_grad():
            end = clone(x) if connected else x.detach().requires_grad_()
        end.born = since                              # before all its users, as the order of a sweep wants it
        return end

    roots, ends = cut_off(results, since, replace)
    origin = {end: x for x, end in ends.items()}
    found: dict[Tensor, Any] = {}
    watcher = local.mode.watch                        # who follows the sweep around this one need not see this one
    with watch(watcher if create_graph or getattr(watcher, "inside", False) else None):
        for node, g in sweep(roots, seeds, targets=list(origin) if connected else None, create_graph=create_graph,
                             retain_graph=create_graph):
            if node in origin:
                found[origin[node]] = g
    return found


def changed(x: Tensor) -> int:
    """When the memory of ``x`` was last changed in place."""
    return max(x.note.changed, 0 if x.base is None else x.base.note.changed)


def flat(out: Any) -> list:
    """What stands in tuples, lists and dictionaries, in order."""
    if type(out) is dict:
        out = list(out.values())
    return [x for part in out for x in flat(part)] if isinstance(out, (tuple, list)) else [out]


def rebuilt(out: Any, new: Callable) -> Any:
    """The same tuples, lists and dictionaries with ``new(x)`` for each tensor in them."""
    if isinstance(out, Tensor):
        return new(out)
    if type(out) is dict:
        return {key: rebuilt(x, new) for key, x in out.items()}
    if isinstance(out, tuple) and hasattr(out, "_fields"):
        return type(out)(*(rebuilt(x, new) for x in out))
    return type(out)(rebuilt(x, new) for x in out) if type(out) in (tuple, list) else out
