"""What the current thread is doing: recording or not, inside which layer, and who watches. One thread-local object."""
from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ContextDecorator
from functools import wraps
from typing import Any


class Note:
    """What is known of a node besides the mathematics; shared by a layer's nodes until one gets facts of its own."""

    __slots__ = ("layer", "name", "changed", "hooks", "retain", "own")

    def __init__(self, layer: str = "", name: str | None = None, changed: int = 0, hooks: tuple = (),
                 retain: bool = False):
        self.layer, self.name, self.changed, self.hooks, self.retain = layer, name, changed, hooks, retain
        self.own = False                              # whether one node alone has it, so that stamp may write to it

    def but(self, **facts: Any) -> Note:
        """A copy with some facts replaced (notes are shared, so they are never written to)."""
        return Note(**{slot: facts.get(slot, getattr(self, slot)) for slot in Note.__slots__[:-1]})


ROOT = Note()


class Mode:
    """What the current thread is doing: recording or not, inside which layer, and who watches each step."""

    __slots__ = ("recording", "note", "watch")

    def __init__(self) -> None:
        self.recording, self.note, self.watch = True, ROOT, None


class _Local(threading.local):
    def __init__(self) -> None:
        self.mode = Mode()


local = _Local()


class set_grad_enabled(ContextDecorator):
    """Record operations, or not, inside a ``with`` block or a decorated function; takes effect at once when called.

    >>> with set_grad_enabled(False):
    ...     is_grad_enabled()
    False
    """

    def __init__(self, mode: bool):
        self.mode, self.before = bool(mode), [local.mode.recording]
        local.mode.recording = self.mode

    def __enter__(self) -> set_grad_enabled:
        local.mode.recording = self.mode
        return self

    def __exit__(self, *error: Any) -> None:
        local.mode.recording = self.before[-1]

    def __call__(self, func: Any) -> Any:
        local.mode.recording = self.before[-1]        # used as a decorator: only the calls are affected
        return super().__call__(func)


class no_grad(ContextDecorator):
    """Do not record inside a ``with`` block or a decorated function.

    >>> with no_grad():
    ...     is_grad_enabled()
    False
    """

    recording = False

    def __init__(self) -> None:
        self.before: list[bool] = []

    def __enter__(self) -> no_grad:
        self.before.append(local.mode.recording)
        local.mode.recording = self.recording
        return self

    def __exit__(self, *error: Any) -> None:
        local.mode.recording = self.before.pop()

    def __call__(self, func: Any = None) -> Any:
        return super().__call__(func) if func is not None else self

    def _recreate_cm(self) -> no_grad:
        return type(self)()


class enable_grad(no_grad):
    """Record inside a ``with`` block, also where an outer block said no_grad."""

    recording = True


def is_grad_enabled() -> bool:
    """Whether operations of this thread are recorded."""
    return local.mode.recording


class scope:
    """Name the layer that operations inside the block belong to: ``mlp.0`` below ``mlp`` (in drawings, errors)."""

    __slots__ = ("layer", "before")

    def __init__(self, layer: str):
        self.layer = layer

    def __enter__(self) -> scope:
        mode = local.mode
        self.before = mode.note
        mode.note = Note(f"{mode.note.layer}.{self.layer}" if mode.note.layer else self.layer)
        return self

    def __exit__(self, *error: Any) -> None:
        local.mode.note = self.before


class watch:
    """Report every step to ``watcher`` inside the block: ``watcher.made(node)`` for each operation computed, recorded
    or not, and ``watcher.flowed(node, x, c)`` for each contribution ``c`` that a sweep sends from ``node`` to ``x``."""

    __slots__ = ("watcher", "before")

    def __init__(self, watcher: Any):
        self.watcher = watcher

    def __enter__(self) -> Any:
        self.before, local.mode.watch = local.mode.watch, self.watcher
        return self.watcher

    def __exit__(self, *error: Any) -> None:
        local.mode.watch = self.before


def capturing() -> Any:
    """Who captures this thread's steps as a program (see tape), and is told what leaves the graph; else None."""
    watcher = local.mode.watch
    return watcher if watcher is not None and getattr(watcher, "captures", False) else None


def assumed(answer: Callable, *about: Any) -> Any:
    """``answer(*about)``, a fact about numbers that Python code will branch on. A captured program asks again."""
    result = answer(*about)
    if watcher := capturing():
        watcher.assumed(answer, about, result)
    return result


def opaque(fn: Callable) -> Callable:
    """Decorator: a function of plain arrays (random numbers, statistics changed in place) that a captured program calls
    as a whole, since no primitive stands for what it does."""
    @wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        watcher = capturing()
        return fn(*args, **kwargs) if watcher is None else watcher.called(fn, args, kwargs)
    return call


def constant(x: Any) -> Any:
    """``x``, a tensor or array of numbers that are written down, or of shapes, which a captured program may keep as it
    is. Whatever else appears there, and nothing captured computed, is refused."""
    if watcher := capturing():
        watcher.constant(x)
    return x


def derived(copy: Any, source: Any) -> Any:
    """``copy``, an array computed from ``source`` without a primitive as ``np.array(source, copy.dtype)``: a captured
    program computes it again."""
    if watcher := capturing():
        watcher.derived(copy, source)
    return copy
