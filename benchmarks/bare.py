"""A bare tape: the least that an eager autograd in Python does, without a check, a name, a layer or an error message.

What it takes is what recording and sweeping cost in this interpreter; what we take more is what we do more.
"""
from __future__ import annotations

import itertools
from operator import attrgetter
from typing import Any

import numpy as np

tick = itertools.count().__next__
RULES = {"+": (lambda g, y, a, b: g, lambda g, y, a, b: g), "*": (lambda g, y, a, b: g * b, lambda g, y, a, b: g * a),
         "tanh": (lambda g, y, x: g * (1 - y * y),), "sum": (lambda g, y, x: np.full(x.shape, g, x.dtype),)}


class Bare:
    """An array that remembers what made it."""

    __slots__ = ("payload", "op", "inputs", "needed", "born", "grad")

    def __init__(self, payload: Any, needed: bool = True, op: str = "", inputs: tuple = ()):
        self.payload, self.op, self.inputs = payload, op, inputs
        self.needed, self.born, self.grad = needed, tick(), None

    def __add__(self, other: Bare) -> Bare:
        return Bare(self.payload + other.payload, self.needed or other.needed, "+", (self, other))

    def __mul__(self, other: Bare) -> Bare:
        return Bare(self.payload * other.payload, self.needed or other.needed, "*", (self, other))

    def tanh(self) -> Bare:
        return Bare(np.tanh(self.payload), self.needed, "tanh", (self,))

    def sum(self) -> Bare:
        return Bare(np.add.reduce(self.payload), self.needed, "sum", (self,))

    def item(self) -> float:
        return self.payload.item()

    def backward(self) -> None:
        found, stack, seen = [], [self], {self}
        while stack:
            found.append(node := stack.pop())
            for x in node.inputs:
                if x.needed and x not in seen:
                    seen.add(x)
                    stack.append(x)
        found.sort(key=attrgetter("born"))
        table: dict[Bare, Any] = {self: np.ones((), self.payload.dtype)}
        while found:
            node = found.pop()
            g = table.pop(node)
            if not node.op:
                node.grad = g
                continue
            values = [x.payload for x in node.inputs]
            for x, rule in zip(node.inputs, RULES[node.op], strict=True):
                if x.needed:
                    c = rule(g, node.payload, *values)
                    table[x] = table[x] + c if x in table else c
