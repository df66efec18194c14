"""Optimisation passes: each a function from a program to a program that computes the same.

The order matters: first what need not be computed goes, then compound functions are taken apart into single calls of
NumPy, and then memory is decided: what can be written over its own input, and what into memory that is kept.
"""
from __future__ import annotations

import ast
from collections.abc import Iterator
from sys import getrefcount
from typing import Any

import numpy as np

from ..graph import BY_FUNCTION, REGISTRY, Primitive
from ..ops import fused
from ..tensor import Tensor
from .capture import DOT
from .program import Line, Memory, Program, Var, replaced, variables
from .text import body, parse

ADD, MUL, MATMUL, POW, SQUARE, TRANSPOSE = (REGISTRY[name] for name in ("+", "*", "@", "**", "square", "transpose"))
SUM = REGISTRY["sum"]
CROSS_ENTROPY, RESIDUAL = fused.cross_entropy, fused.residual
BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
SHORT = 1024                                          # elements: longer sums are pairwise, hence more exact
MOST = 1 << 20                                        # bytes that a constant may have


def optimised(program: Program) -> Iterator[tuple[str, str, Program]]:
    """The passes in their order: the name of each, what it does, and the program that it leaves."""
    for one, does in PASSES:
        program = one(program)
        yield one.__name__.replace("_", " "), does, program


# ---- what need not be computed --------------------------------------------------------------------------------------
def substituted(program: Program, lines: list[Line], instead: dict[Var, Any]) -> Program:
    """The program with ``lines``, in which variables are replaced by others."""
    def new(v: Var) -> Any:
        while v in instead:
            v = instead[v]
            if not isinstance(v, Var):
                break
        return v
    lines = [line.but(inputs=replaced(line.inputs, new), params=replaced(line.params, new)) for line in lines]
    merged: dict[Any, Any] = {}
    for v in instead:
        x = new(v)
        if isinstance(x, Var) and v.memory is not None and (m := last(merged, x.memory)) != last(merged, v.memory):
            merged[last(merged, v.memory)] = m
    return moved(program.but(lines, replaced(program.result, new)), merged)


def last(merged: dict[Any, Any], m: Any) -> Any:
    """Into which memory some was merged in the end."""
    while m in merged:
        m = merged[m]
    return m


def moved(program: Program, merged: dict[Any, Any]) -> Program:
    """The program after some memory was merged into other: the views of the one are views of the other."""
    for line in program.lines:
        for v in (*line.reads, *([line.out] if line.out is not None else [])):
            v.memory = last(merged, v.memory)
    return program


def unneeded(program: Program) -> Program:
    """Dead code: lines without an effect, whose results nobody reads."""
    needed, kept = set(variables(program.result)), []
    for line in reversed(program.lines):
        if not line.pure or line.out in needed:
            needed.update(line.reads)
            kept.append(line)
    return program.but(kept[::-1])


def changed_memory(program: Program) -> set[Any]:
    """The memory that some line changes in place, or that a function of which nothing is known is given; where an
    optimiser takes its turn, all that lies outside."""
    found = {v.memory for line in program.lines if line.kind in ("change", "draw") for v in variables(line.inputs)}
    if any(line.acts for line in program.lines):
        found |= {v.memory for line in program.lines for v in line.reads
                  if v.place is not None and v.place.owner is not None}
    return found


def anew(program: Program) -> Program:
    """Not an optimisation: a known array that is changed in place, or handed out, is made anew in each run."""
    touched = changed_memory(program) | {v.memory for v in escaping(program)}
    first = []
    for v in dict.fromkeys([*(v for line in program.lines for v in line.reads), *variables(program.result)]):
        if v.constant and v.memory in touched:
            first.append(Line("copy", v, None, (Var(v.shape, v.dtype, value=v.value, memory=object()),)))
            v.value = None
    return program.but([*first, *program.lines])


def constants(program: Program) -> Program:
    """What depends on known numbers only is computed once; ``1 * x`` and ``x ** 1`` are x."""
    moving, lines, instead = changed_memory(program), [], {}
    held, mine = {v.memory for v in escaping(program)}, owned(program)

    def known(v: Any) -> bool:
        return not isinstance(v, Var) or v.constant and v.memory not in moving
    for line in program.lines:
        line = line.but(inputs=replaced(line.inputs, lambda v: instead.get(v, v)))
        out = line.out
        if (line.kind == "call" and isinstance(line.op, Primitive) and out.dtype is not None
                and out.memory not in moving):
            if all(known(v) for v in line.inputs) and line.reads and out.nbytes < MOST and out.memory not in held:
                values = [v.value if isinstance(v, Var) else v for v in line.inputs]
                if not any(isinstance(v, Var) for v in variables(line.params)):
                    with np.errstate(all="ignore"):
                        value = np.asarray(line.op.fn(*values, **line.params))
                    if value.shape == out.shape and value.dtype == out.dtype:
                        instead[out] = Var(out.shape, out.dtype, value=value, memory=object(), name=out.name)
                        continue
            same = unit(line)
            if same is not None and same.memory not in moving and (
                    out.memory not in held or same.memory in mine and same.memory not in held):
                if out.memory in held:                # what is handed out twice is two arrays
                    held.add(same.memory)
                instead[out] = same
                continue
            if line.op is POW and line.inputs[1].__class__ in (int, float) and line.inputs[1] == 2:
                line = line.but(op=SQUARE, inputs=line.inputs[:1])        # what ** does with arrays
        lines.append(line)
    return substituted(program, lines, instead)


def unit(line: Line) -> Var | None:
    """The input that ``1 * x``, ``x * 1`` or ``x ** 1`` is equal to."""
    if line.op is MUL and not line.params:
        for one, x in (line.inputs, line.inputs[::-1]):
            if isinstance(x, Var) and x.shape == line.out.shape and x.dtype == line.out.dtype:
                if isinstance(one, (int, float)) and one == 1:
                    return x
                if isinstance(one, Var) and one.constant and one.dtype == x.dtype and (one.value == 1).all():
                    return x
    if line.op is POW and not line.params and isinstance(line.inputs[1], (int, float)) and line.inputs[1] == 1:
        x = line.inputs[0]
        return x if isinstance(x, Var) and x.dtype == line.out.dtype else None
    return None


def same_twice(program: Program) -> Program:
    """Common subexpressions: a call repeated on the same variables, none of them changed in between, is made once."""
    moving, held = changed_memory(program), {v.memory for v in escaping(program)}
    seen: dict[Any, Var] = {}
    version: dict[Any, int] = {}
    lines, instead = [], {}
    for line in program.lines:
        line = line.but(inputs=replaced(line.inputs, lambda v: instead.get(v, v)),
                        params=replaced(line.params, lambda v: instead.get(v, v)))
        if line.kind in ("change", "draw"):
            for v in variables(line.inputs):
                version[v.memory] = version.get(v.memory, 0) + 1
        if line.acts or line.kind == "draw" and not all(isinstance(x, Var) for x in line.inputs):
            seen.clear()                              # it may change parameters or their gradients
        used_up = line.op is fused.exps               # whoever asks for it writes over it
        if line.kind == "call" and line.out.memory not in moving and not used_up:
            key = (line.op, signed(line.inputs), signed(line.params),
                   tuple(version.get(v.memory, 0) for v in line.reads))
            m, first = line.out.memory, seen.get(key)
            if first is not None and (first.memory == m or m not in held or first.memory not in held):
                if m in held:                         # what is handed out twice is two arrays
                    held.add(first.memory)
                instead[line.out] = first
                continue
            seen[key] = line.out
        lines.append(line)
    return substituted(program, lines, instead)


def signed(x: Any) -> Any:
    """Something hashable that tells structures of variables and constants apart."""
    if isinstance(x, (tuple, list)):
        return (x.__class__, *map(signed, x))
    if isinstance(x, dict):
        return tuple((key, signed(value)) for key, value in x.items())
    if isinstance(x, slice):
        return (slice, signed(x.start), signed(x.stop), signed(x.step))
    if isinstance(x, (Var, np.ndarray)):
        return id(x)
    return (x.__class__, repr(x) if isinstance(x, float) else x)


def exponentials_once(program: Program) -> Program:
    """Cross-entropy and its gradient both need e^x and its sums: they are computed once for both."""
    losses = {(line.inputs[0], signed(line.params["target"])): i for i, line in enumerate(program.lines)
              if line.kind == "call" and line.op is CROSS_ENTROPY}
    lines = list(program.lines)
    last = last_reads(program)
    for i, line in enumerate(program.lines):
        if line.kind == "call" and line.op is RESIDUAL:
            at = losses.pop((line.inputs[0], signed(line.params["target"])), None)
            m = line.inputs[0].memory
            if at is None or at > i or m in changed_memory(program) or last[m] < i:
                continue
            parts = Var(name="parts", memory=object())
            loss = program.lines[at]
            lines[at] = (Line("call", parts, fused.exps, (*loss.inputs, -1)),
                         loss.but(op=CROSS_ENTROPY.fn, params={**loss.params, "parts": parts}))
            lines[i] = line.but(op=RESIDUAL.fn, params={**line.params, "parts": parts})
    return program.but([part for line in lines for part in (line if isinstance(line, tuple) else (line,))])


# ---- one call of NumPy a line ----------------------------------------------------------------------------------------
def apart(program: Program) -> Program:
    """Compound functions as single calls: ``x @ w.T + b`` is a product and a sum, a sigmoid four calls. Each can then
    be written over the one before."""
    return program.but([part for line in program.lines for part in cut(line)])


def cut(line: Line) -> list[Line]:
    """The single calls that a line consists of; itself, where it is not known to be compound."""
    if line.kind != "call" or not isinstance(line.op, Primitive):
        return [line]
    return (affine(line) if line.op is REGISTRY["linear"] else pieces(line)) or [line]


def made(line: Line) -> tuple[int, int]:
    """How many calls of NumPy a line makes, and the bytes of new memory that they ask for."""
    if line.kind not in ("call", "change", "draw", "copy"):
        return 0, 0
    parts, fresh = cut(line), 0
    for part in parts:
        if part.kind != "change" and part.into is None and (out := part.out) is not None and all(
                v.memory != out.memory for v in part.reads):
            fresh += out.nbytes
    return len(parts) + (line.op in (CROSS_ENTROPY, RESIDUAL)), fresh          # each of the two computes e^x for itself


def affine(line: Line) -> list[Line] | None:
    """x w^T + b as a transpose, a product and a sum."""
    x, w, *b = line.inputs
    if len(w.shape) != 2 or line.params:
        return None
    turned = Var(w.shape[::-1], w.dtype, memory=w.memory, strided=True)
    added = b and b[0] is not None
    product = Var(line.out.shape, line.out.dtype, memory=object(), name=line.out.name) if added else line.out
    lines = [Line("call", turned, TRANSPOSE, (w,), {"dim0": 0, "dim1": 1}), Line("call", product, MATMUL, (x, turned))]
    return lines if product is line.out else [*lines, Line("call", line.out, ADD, (product, b[0]))]


def pieces(line: Line) -> list[Line] | None:
    """A function that is an expression of ufuncs, all of one shape and dtype, as one line for each; else None."""
    fn, out = line.op.fn, line.out
    if isinstance(fn, np.ufunc) or line.op.family != "elementwise" or getattr(fn, "__name__", "") != "<lambda>" or any(
            isinstance(v, Var) and (v.shape != out.shape or v.dtype != out.dtype) for v in line.inputs):
        return None
    found = body(fn)
    if found is None or out.dtype.kind != "f":
        return None
    arguments, text, scope, defaults = found
    given = {**defaults, **dict(zip(arguments, line.inputs, strict=False)), **line.params}
    lines: list[Line] = []
    if taken(parse(text), given, scope, out, lines) is None or not lines:
        return None
    lines[-1].out = out
    return lines


def taken(node: ast.expr, given: dict, scope: Any, like: Var, lines: list[Line]) -> Any:
    """The variable or number of an expression, whose lines are added; None where it is not made of ufuncs."""
    match node:
        case ast.Constant(value=int() | float()):
            return node.value
        case ast.Name(id=name) if name in given:
            return given[name] if isinstance(given[name], (Var, int, float)) else None
        case ast.BinOp(left=a, op=op, right=b) if type(op) in BINARY:
            primitive, inputs = REGISTRY[BINARY[type(op)]], [taken(x, given, scope, like, lines) for x in (a, b)]
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr=name), args=args, keywords=[]):
            primitive, inputs = BY_FUNCTION.get(getattr(np, name)), [taken(x, given, scope, like, lines) for x in args]
        case _:
            return None
    if not isinstance(primitive, Primitive) or not isinstance(primitive.fn, np.ufunc) or any(x is None for x in inputs):
        return None
    if not any(isinstance(x, Var) for x in inputs):
        return None
    out = Var(like.shape, like.dtype, memory=object(), layer=like.layer, strided=like.strided)
    lines.append(Line("call", out, primitive, tuple(inputs)))
    return lines[-1].out


def sums_as_products(program: Program) -> Program:
    """The sum of a short vector as a product with ones: a third of the time, since no loop is set up."""
    lines = []
    for line in program.lines:
        if line.kind == "call" and line.op is SUM and not line.params["keepdim"]:
            x = line.inputs[0]
            if len(x.shape) == 1 and 1 < x.shape[0] <= SHORT and x.dtype.kind == "f" and not x.strided:
                ones = Var(x.shape, x.dtype, value=np.ones(x.shape, x.dtype), memory=object(), name="ones")
                line = line.but(op=DOT, inputs=(x, ones), params={})
        lines.append(line)
    return program.but(lines)


# ---- memory ---------------------------------------------------------------------------------------------------------
def escaping(program: Program) -> set[Var]:
    """Variables whose array somebody holds after the run: the result, and what is stored."""
    return {*variables(program.result), *(v for line in program.lines if line.kind == "store" for v in line.reads)}


def owned(program: Program) -> dict[Any, Var]:
    """The memory that lines of the program make anew, by the variable that they make it for."""
    found: dict[Any, Var] = {}
    for line in program.lines:
        if line.kind in ("call", "copy") and line.out.memory not in {v.memory for v in line.reads} and line.out.shape:
            if line.out.dtype is not None and not (isinstance(line.op, Primitive) and line.op.views):
                found.setdefault(line.out.memory, line.out)
    return found


def last_reads(program: Program) -> dict[Any, int]:
    """For each memory the number of the last line that reads or writes it; what is returned, or stored outside, is read
    after all lines."""
    last: dict[Any, int] = {}
    for i, line in enumerate(program.lines):
        for v in line.reads:
            last[v.memory] = i
        if line.out is not None:
            last[line.out.memory] = i
    for v in escaping(program):
        last[v.memory] = len(program.lines)
    return last


def copies(program: Program) -> Program:
    """A copy of an array that the program made, and that nothing else reads later, is that array itself."""
    mine, last = owned(program), last_reads(program)
    instead, lines, taken_ = {}, [], set()
    for i, line in enumerate(program.lines):
        copy = line.kind == "copy" or line.kind == "call" and line.op is REGISTRY["clone"]
        if copy and line.out.dtype is not None:
            v = line.inputs[0]
            v = instead.get(v, v) if isinstance(v, Var) else v
            whole = isinstance(v, Var) and v.memory in mine and mine[v.memory] is v
            if whole and v.dtype == line.out.dtype and last[v.memory] <= i and v.memory not in taken_:
                instead[line.out] = v
                taken_.add(v.memory)
                v.name = v.name or line.out.name
                last[v.memory] = max(last[v.memory], last[line.out.memory])
                continue
        lines.append(line)
    return substituted(program, lines, instead)


def writes(line: Line) -> bool:
    """Whether NumPy can be told where to write the result of a call, and would itself have laid it out by rows."""
    return (line.kind == "call" and line.into is None and isinstance(line.op, Primitive) and not line.out.strided
            and isinstance(line.op.fn, np.ufunc) and line.op is not POW and not line.params
            and line.out.dtype is not None and len(line.out.shape) > 0 and bool(line.reads))


def in_place(program: Program) -> Program:
    """The result of an elementwise call is written over an input that nobody reads any more."""
    mine, ends = owned(program), last_reads(program)
    same: dict[Any, Any] = {}                         # memory that was merged into other memory
    lines = []
    for i, line in enumerate(program.lines):
        if writes(line) and line.op.family == "elementwise" and mine.get(line.out.memory) is line.out:
            reads = line.reads
            for v in reads:
                m = last(same, v.memory)
                if v.memory in mine and m in mine and ends[m] <= i and v.shape == line.out.shape and (
                        v.dtype == line.out.dtype and not v.strided and not v.constant
                        and all(other is v or last(same, other.memory) != m for other in reads)):
                    same[line.out.memory] = m
                    ends[m] = ends[line.out.memory]
                    line = line.but(into=v)
                    break
        lines.append(line)
    return moved(program.but(lines), same)


def memory_kept(program: Program) -> Program:
    """What a call gives is written into memory that is kept from run to run, and shared by variables that never live at
    the same time; gradients into those of the last run, unless somebody still holds them."""
    mine, last = owned(program), last_reads(program)
    stores = [line for line in program.lines if line.kind == "store" and isinstance(line.inputs[0], Var)]
    stored = [line.inputs[0].memory for line in stores]
    late = [i for i, line in enumerate(program.lines) if not quiet(line)]
    at = {id(line): i for i, line in enumerate(program.lines)}
    grads = {line.inputs[0].memory: line for line in stores if line.params["path"] == "_grad"
             and stored.count(line.inputs[0].memory) == 1 and mine.get(line.inputs[0].memory) is not None
             and mine[line.inputs[0].memory].shape == line.inputs[0].shape}
    held = {v.memory for v in escaping(program)} | {
        v.memory for line in program.lines if line.kind == "draw" for v in line.reads}
    returned = {v.memory for v in variables(program.result)}
    free: dict[tuple, list[Memory]] = {}
    ends: dict[int, list] = {}
    keepers: dict[int, Grads] = {}
    lines: list[Line] = []
    for i, line in enumerate(program.lines):
        if writes(line) and mine.get(line.out.memory) is line.out and line.out.nbytes:
            m, key = line.out.memory, (line.out.shape, line.out.dtype)
            if m in grads and m not in returned and not any(i < j < at[id(grads[m])] for j in late):
                keepers[id(grads[m])] = keeper = Grads(grads[m].op, *key)
                line = line.but(into=keeper)
            elif m not in held:
                array = free[key].pop() if free.get(key) else Memory(*key)
                line = line.but(into=array)
                ends.setdefault(last[m], []).append((key, array))
        elif id(line) in keepers:
            line = line.but(into=keepers[id(line)])
        lines.append(line)
        for key, array in ends.pop(i, ()):
            free.setdefault(key, []).append(array)
    return program.but(lines)


def quiet(line: Line) -> bool:
    """Whether nobody outside sees what happens before and after a line: it asks nothing, calls nobody, cannot fail."""
    return line.kind in ("call", "copy", "change", "store") and not (
        isinstance(line.op, Primitive) and line.op.family == "general" and line.op.home.endswith(("linalg", "factor")))


class Grads:
    """The gradient of a parameter, in the same tensor and memory from run to run while nobody else holds it."""

    __slots__ = ("owner", "tensor", "memory", "shape", "dtype")

    def __init__(self, owner: Tensor, shape: tuple, dtype: Any):
        self.owner, self.shape, self.dtype = owner, shape, dtype
        self.tensor: Any = None
        self.memory: Any = None

    def array(self) -> np.ndarray:
        """Memory to write the gradient into."""
        t = self.tensor                               # counted are: our own references, and the call's
        if getrefcount(t) == (4 if self.owner._grad is t else 3):
            p = t.payload
            if p is self.memory and getrefcount(p) == 4:
                return p
        self.memory = np.empty(self.shape, self.dtype)
        self.tensor = Tensor._leaf(self.memory)
        return self.memory


def numbers_as_arrays(program: Program) -> Program:
    """A number beside an array as an array without dimensions: NumPy converts a number at each call."""
    known: dict[tuple, Var] = {}

    def array(x: Any, dtype: Any) -> Any:
        if x.__class__ not in (int, float):
            return x
        key = repr(x), dtype
        if key not in known:
            with np.errstate(all="ignore"):           # the eager run has said what there is to say
                value = np.array(x, dtype)
            name = {1: "one", 2: "two", 0.5: "half"}.get(x, f"c{x}".replace("-", "minus"))
            known[key] = Var((), dtype, value=value, memory=object(), name=name)
        return known[key]
    lines = []
    for line in program.lines:
        if line.kind == "call" and isinstance(line.op, Primitive) and isinstance(line.op.fn, np.ufunc) and (
                line.op is not POW and line.out.dtype is not None and line.out.dtype.kind == "f" and line.out.shape
                and all(v.dtype == line.out.dtype for v in line.reads)):
            line = line.but(inputs=tuple([array(x, line.out.dtype) for x in line.inputs]))
        lines.append(line)
    return program.but(lines)


SAME = same_twice, "a call repeated on the same arrays is made once"
DEAD = unneeded, "what nobody reads is not computed"
PASSES = ((constants, "what depends on known numbers only is computed once, 1 * x is x"), SAME,
          (exponentials_once, "a loss and its gradient share e^x"), DEAD,
          (apart, "compound functions become single calls, which can be written over each other"),
          (sums_as_products, "the sum of a short vector is a product with ones"), SAME,
          (copies, "a copy of what nobody else reads is not made"), DEAD,
          (in_place, "a chain of elementwise calls runs in one array: each is written over the one before"),
          (memory_kept, "what a call gives goes into memory that is kept from run to run"),
          (numbers_as_arrays, "a number beside an array is an array too: NumPy would convert it at each call"))
