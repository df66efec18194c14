"""A program as Python text: straight-line NumPy. What is printed is what runs: replay compiles this very text."""
from __future__ import annotations

import ast
import inspect
import keyword
import math
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from types import FunctionType
from typing import Any

import numpy as np

from ..dp.rules import Put, expression
from ..errors import PACKAGE
from ..functions import shape as sh
from ..graph import Primitive, tick
from ..mode import ROOT
from ..ops.elementwise import one_less
from ..tensor import Tensor, new
from .capture import CAST, DOT, ITEM
from .program import Line, Memory, Program, Var

OPERATORS = {"+": "+", "-": "-", "*": "*", "/": "/", "**": "**", "@": "@", "//": "//", "%": "%", "<": "<", "<=": "<=",
             ">": ">", ">=": ">=", "==": "==", "!=": "!=", "&": "&", "|": "|", "^": "^"}
UNARY = {"neg": "-", "~": "~"}
PIECES = (ast.Name, ast.Constant, ast.Attribute, ast.Call, ast.Subscript, ast.Tuple, ast.List)
VARIADIC = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS
RESERVED = {*keyword.kwlist, "bool", "float", "int", "len", "max", "memory", "range", "round", "slice", "sum", "tuple",
            "zip"}
ALTERED = {"+": "+=", "-": "-=", "*": "*=", "/": "/=", "**": "**="}


class Branch(Exception):
    """A value of this run leads elsewhere than in the recorded one."""


def leaf(a: Any) -> Tensor:
    """A tensor around an array (or around the scalar that NumPy gives for one without dimensions)."""
    t = new(Tensor)                                   # what Tensor._leaf does, in one call
    t.payload, t.op, t.inputs = a if a.__class__ is np.ndarray else np.asarray(a), None, ()
    t.params, t.born, t.note = {}, tick(), ROOT
    t.base, t.requires_grad, t._grad = None, False, None
    return t


class Namer:
    """Names for variables and for the objects that the text refers to; ``space`` is what they are bound to."""

    def __init__(self, program: Program, reserved: Iterable[str] = ()):
        self.space: dict[str, Any] = {"np": np, "math": math, "leaf": leaf, "Branch": Branch}
        self.of: dict[Any, Any] = {}
        self.count: dict[str, int] = {}
        self.quick = bool(program.lines)              # a program to be replayed, not one to be read
        self.taken = {*self.space, *RESERVED, *reserved}
        self.function = self.fresh(program.name) if program.name else ""
        self.given = program.names                    # id of an outside object -> its name in the user's code

    def fresh(self, wish: str) -> str:
        """A name like ``wish`` that nothing else has."""
        wish = unicodedata.normalize("NFKC", wish)    # as Python reads names: w₁ is w1
        wish = "".join(c if f"a{c}".isidentifier() else "_" for c in wish).strip("_") or "t"
        wish = wish if wish.isidentifier() else f"_{wish}"
        name, n = wish, self.count.get(wish, 1)
        while name in self.taken:
            n += 1
            name = f"{wish}_{n}" if wish[-1].isdigit() else f"{wish}{n}"
        self.count[wish] = n
        self.taken.add(name)
        return name

    def var(self, v: Var) -> str:
        """The name of a variable."""
        name = self.of.get(v)
        if name is None:
            name = self.of[v] = self.fresh(v.name or v.listed or ("c" if v.constant else "t"))
            if v.constant:
                self.space[name] = v.value
        return name

    def bound(self, x: Any, wish: str) -> str:
        """The name of an object, bound to it."""
        name = self.of.get(id(x))
        if name is None:
            have = self.space.get(wish)
            name = wish if have is x else self.fresh(wish)
            self.of[id(x)], self.space[name] = name, x
        return name

    def kept(self, m: Memory) -> str:
        """The place of an array that is kept: one name for all of them, of which there may be thousands."""
        if id(m) not in self.of:
            held = self.space.setdefault("memory", [])
            self.of[id(m)] = f"memory[{len(held)}]"
            held.append(m)
        return self.of[id(m)]


def atom(x: Any, names: Namer) -> str:
    """A value or variable in Python's notation."""
    if x.__class__ is Var:
        return names.var(x)
    if isinstance(x, tuple):
        return f"({', '.join(atom(i, names) for i in x)}{',' if len(x) == 1 else ''})"
    if isinstance(x, list):
        return f"[{', '.join(atom(i, names) for i in x)}]"
    if isinstance(x, slice):
        return f"slice({atom(x.start, names)}, {atom(x.stop, names)}, {atom(x.step, names)})"
    if isinstance(x, np.dtype):
        return f"np.dtype('{x}')"
    if isinstance(x, float) and not math.isfinite(x):
        return f"float('{x}')"
    if isinstance(x, np.generic):
        return f"np.{x.dtype.name}({x.item()!r})"
    if x is None or x is Ellipsis or x.__class__ in (bool, int, float, str, bytes):        # and not an Enum of them
        return "..." if x is Ellipsis else repr(x)
    return names.bound(x, getattr(x, "__name__", type(x).__name__.lower()))


def indexed(index: Any, names: Namer) -> str:
    """What stands between the brackets of ``x[...]``."""
    items = []
    for i in index if isinstance(index, tuple) else (index,):
        if isinstance(i, slice):
            parts = ["" if p is None else atom(p, names) for p in (i.start, i.stop)]
            items.append(":".join(parts + ([] if i.step is None else [atom(i.step, names)])))
        else:
            items.append(atom(i, names))
    return ", ".join(items)


def called(op: Any, line: Line, names: Namer) -> str:
    """The right-hand side of a line: op(*inputs, **params) as one expression."""
    inputs, params = line.inputs, line.params
    args = [wrapped(atom(x, names)) for x in inputs]
    if op is ITEM:
        return f"{args[0]}.item()"
    if op is DOT:
        return f"{args[0]}.dot({args[1]})"
    if op is CAST:
        return f"{args[0]}.astype('{params['dtype']}')"
    number = line.out is not None and line.out.dtype is None
    name = op.name if isinstance(op, Primitive) else ""
    if name in OPERATORS and len(args) == 2 and not params:
        return f"{wrapped(args[0])} {OPERATORS[name]} {wrapped(args[1])}"
    if name in UNARY:
        return f"{UNARY[name]}{wrapped(args[0])}"
    if op is sh.getitem and simple(params["index"]):
        return f"{args[0]}[{indexed(params['index'], names)}]"
    if special := SPECIAL.get(name):
        if text := special(inputs, params, args, names):
            return text
    fn = (op.scalar if number else op.fn) if isinstance(op, Primitive) else op
    rest = [f"{key}={atom(value, names)}" for key, value in params.items()]
    if isinstance(fn, np.ufunc) or getattr(np, getattr(fn, "__name__", "?"), None) is fn:
        return f"np.{fn.__name__}({', '.join(args + rest)})"
    if getattr(math, getattr(fn, "__name__", "?"), None) is fn:
        return f"math.{fn.__name__}({', '.join(args + rest)})"
    if isinstance(fn, FunctionType) and fn.__name__ == "<lambda>" and (text := inlined(fn, args, params, names)):
        return text
    wish = name if name.isidentifier() else getattr(fn, "__name__", "f")
    return f"{names.bound(fn, wish)}({', '.join(args + rest)})"


@lru_cache(maxsize=1024)
def body(fn: FunctionType) -> tuple[list[str], str, Any, dict] | None:
    """Argument names, expression, scope and defaults of a lambda."""
    found = None if fn.__code__.co_flags & VARIADIC else expression(fn)
    if found is None:
        return None
    code, defaults = fn.__code__, dict(fn.__kwdefaults__ or {})
    given = fn.__defaults__ or ()
    defaults.update(zip(code.co_varnames[code.co_argcount - len(given):code.co_argcount], given, strict=True))
    return found.arguments, ast.unparse(found.body), found.scope, defaults


def inlined(fn: FunctionType, args: list[str], params: dict, names: Namer) -> str | None:
    """The body of a lambda with texts in place of its arguments; None where it is to be called: it reads something
    around it that is not this package's."""
    found = body(fn)
    if found is None or len(args) > len(found[0]):
        return None
    arguments, text, scope, defaults = found
    users = not fn.__code__.co_filename.startswith(PACKAGE)
    put = {**{k: atom(v, names) for k, v in defaults.items()}, **dict(zip(arguments, args, strict=False)),
           **{k: atom(v, names) for k, v in params.items()}}
    tree = ast.parse(text, mode="eval").body
    if any(isinstance(node, (ast.Lambda, ast.comprehension)) for node in ast.walk(tree)):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id not in put and node.id in scope:
            value = scope[node.id]
            if value is not np and value is not math:
                if users:                             # it may be another one by then
                    return None
                put[node.id] = atom(value, names)
    return ast.unparse(Settled().visit(Put({k: parse(v) for k, v in put.items()}).visit(tree)))


@lru_cache(maxsize=4096)
def parse(text: str) -> ast.expr:
    """The tree of an expression."""
    return ast.parse(text, mode="eval").body


class Settled(ast.NodeTransformer):
    """``a if True else b`` replaced by a, ``np.power(a, one_less(2))`` by a."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        match node:
            case ast.Call(func=ast.Name("one_less"), args=[ast.Constant() | ast.UnaryOp(operand=ast.Constant()) as b]):
                return parse(repr(one_less(ast.literal_eval(b))))
            case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr="power"), args=[a, ast.Constant(value=1)]):
                return a
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self.generic_visit(node)
        try:
            return node.body if ast.literal_eval(node.test) else node.orelse
        except (ValueError, TypeError, SyntaxError):
            return node


def wrapped(text: str) -> str:
    """``text`` in parentheses where it is not in one piece."""
    return text if text.isidentifier() or isinstance(parse(text), PIECES) else f"({text})"


def summed(inputs: tuple, params: dict, args: list[str], names: Namer) -> str | None:
    """The sum over dimensions that were broadcast, in the way that ``ops.layout`` chooses for this shape."""
    x, shape = inputs[0], params["shape"]
    extra = len(x.shape) - len(shape)
    big = math.prod(x.shape) > 8192
    some_stay = any(n == 1 != m for n, m in zip(shape, x.shape[max(extra, 0):], strict=False))
    if extra <= 0 or some_stay or (big and x.strided and shape):
        return None
    if big and shape and x.dtype.kind == "f":
        if len(x.shape) != 2:
            return None
        ones = np.ones(x.shape[0], x.dtype)
        return f"{names.var(constant(ones, f'ones_{len(ones)}', names))} @ {args[0]}"
    axes = f"axis={tuple(range(extra)) if extra > 1 else 0}" if shape else ""
    return f"{args[0]}.sum({axes})"


def constant(value: np.ndarray, name: str, names: Namer) -> Var:
    """A variable for a constant, the same one for the same name and dtype."""
    key = (name, value.dtype)
    if key not in names.of:
        names.of[key] = Var(value.shape, value.dtype, value=value, name=name)
    return names.of[key]


def reduced(method: str, mean: bool = False) -> Any:
    """Writes a reduction as a method of the array: ``x.sum(axis=0, keepdims=True)``."""
    def text(inputs: tuple, params: dict, args: list[str], names: Namer) -> str | None:
        dim, shape = params["dim"], inputs[0].shape
        dim = (dim,) if isinstance(dim, int) else dim
        n = math.prod(shape if dim is None else [shape[d] for d in dim])
        if not n:
            return None
        axis = [] if dim is None else [f"axis={dim[0] if len(dim) == 1 else dim}"]
        options = axis + (["keepdims=True"] if params["keepdim"] else [])
        if names.quick and method == "sum":           # what the method ends up calling
            every = ["axis=None"] if dim is None and len(shape) > 1 else []
            call = f"np.add.reduce({', '.join([args[0], *every, *options])})"
        else:
            call = f"{args[0]}.{method}({', '.join(options)})"
        return f"{call} / {n}" if mean else call
    return text


SPECIAL: dict[str, Any] = {
    "sum": reduced("sum"), "mean": reduced("sum", mean=True), "amax": reduced("max"), "amin": reduced("min"),
    "prod": reduced("prod"), "any": reduced("any"), "all": reduced("all"),
    "expand": lambda inputs, params, args, names: (
        f"np.full({atom(params['shape'], names)}, {args[0]})" if inputs[0].shape == () else None),
    "clone": lambda inputs, params, args, names: f"np.array({args[0]})",
    "sum_to": summed,
    "cast": lambda inputs, params, args, names: f"{args[0]}.astype('{params['dtype']}')",
    "reshape": lambda inputs, params, args, names:
        f"{args[0]}.reshape({', '.join(map(str, params['shape'])) or '()'})",
    "permute": lambda inputs, params, args, names:
        f"{args[0]}.T" if params["dims"] == (1, 0) else f"{args[0]}.transpose{atom(params['dims'], names)}",
    "transpose": lambda inputs, params, args, names:
        f"{args[0]}.T" if len(inputs[0].shape) == 2 and params["dim0"] != params["dim1"] else None,
    "linear": lambda inputs, params, args, names:
        f"{args[0]} @ {args[1]}.T" + (f" + {args[2]}" if len(args) > 2 and inputs[2] is not None else ""),
}


def statement(line: Line, names: Namer) -> str:
    """One line of a program as one statement."""
    match line.kind:
        case "call" | "copy" if line.into is not None:
            return written_into(line, names)
        case "call":
            return f"{names.var(line.out)} = {called(line.op, line, names)}"
        case "copy":
            dtype = f", '{line.params['dtype']}'" if "dtype" in line.params else ""
            return f"{names.var(line.out)} = np.array({atom(line.inputs[0], names)}{dtype})"
        case "draw":
            name = line.op.__name__
            gives_tensor, tensors = line.into
            args = [names.bound(x, "parameters") if isinstance(x, list) else atom(x, names) for x in line.inputs]
            args = [f"leaf({text})" if i in tensors else text for i, text in enumerate(args)]
            args += [f"{key}={atom(value, names)}" for key, value in line.params.items()]
            text = f"{names.bound(line.op, name)}({', '.join(args)})"
            return text if line.out is None else f"{names.var(line.out)} = {text}{'.payload' if gives_tensor else ''}"
        case "change":
            return change(line, names)
        case "store":
            owner, path, value = names.bound(line.op, "tensor"), line.params["path"], line.inputs[0]
            text = "None" if value is None else atom(value, names)
            if line.into is not None:
                return f"{owner}.{path} = {names.bound(line.into, 'kept')}.tensor"
            return f"{owner}.{path} = {text if value is None or path == 'payload' else f'leaf({text})'}"
        case "effect":
            target = getattr(line.op, "__self__", None)
            if target is None:
                return f"{names.bound(line.op, 'action')}()"
            return f"{names.bound(target, type(target).__name__.lower())}.{line.op.__name__}()"
        case "guard":
            answer = line.params["answer"]
            if line.op is bool:
                test = f"bool({atom(line.inputs[0], names)})"
            else:
                test = wrapped(called(line.op, line.but(params={}), names))
            return f"if {test} != {answer!r}: raise Branch"
    raise AssertionError(line.kind)


def change(line: Line, names: Namer) -> str:
    """A change in place: ``w -= t``, ``w[i] = t``."""
    target, op = line.inputs[0], line.op
    name = names.of[line.out] = names.var(target)
    if op is sh.setitem:
        if not simple(line.params["index"]):
            value, index = atom(line.inputs[1], names), atom(line.params["index"], names)
            return f"{names.bound(sh.assign, 'assign')}({name}, {value}, {index})"
        return f"{name}[{indexed(line.params['index'], names)}] = {atom(line.inputs[1], names)}"
    if op.name in ALTERED and not line.params and target.shape:
        return f"{name} {ALTERED[op.name]} {atom(line.inputs[1], names)}"
    args = ", ".join(atom(x, names) for x in line.inputs)
    if isinstance(op.fn, np.ufunc) and not line.params:
        return f"np.{op.fn.__name__}({args}, out={name}, casting='same_kind')"
    return f"np.copyto({name}, {called(op, line.but(out=target), names)}, casting='same_kind')"


def simple(index: tuple) -> bool:
    """Whether NumPy may take an index at once: see ``ops.index.steps``."""
    return not any(isinstance(i, int) for i in index) or not any(isinstance(i, (Var, np.ndarray)) for i in index)


def written_into(line: Line, names: Namer) -> str:
    """A call that writes its result into memory that is there already."""
    target, op, before = line.into, line.op, ""
    if isinstance(target, Var):                       # over one of its inputs: the user's name is a second one
        name = names.var(target)
        if line.out.name and line.out.name != target.name:
            before = f"{names.var(line.out)} = "
        else:
            names.of[line.out] = name
    else:
        before = f"{names.var(line.out)} = "
        name = (names.kept(target) if isinstance(target, Memory) else
                f"{names.bound(target, f'kept_{names.var(line.out)}')}.array()")
    args = [atom(x, names) for x in line.inputs]
    if line.kind == "copy":
        return f"np.copyto({name}, {args[0]})"
    if isinstance(op, Primitive) and op.name in ALTERED and args[0] == name and not before:
        return f"{name} {ALTERED[op.name]} {args[1]}"
    fn = op.fn if isinstance(op, Primitive) else op
    rest = [f"{key}={atom(value, names)}" for key, value in line.params.items()]
    return f"{before}np.{fn.__name__}({', '.join([*args, *rest])}, out={name})"


def result(x: Any, names: Namer) -> str:
    """The value that a run returns."""
    if x.__class__ is Var:
        return names.var(x) if x.dtype is None else f"leaf({names.var(x)})"
    if isinstance(x, (list, tuple)):
        items = ", ".join(result(i, names) for i in x)
        if hasattr(x, "_fields"):
            return f"{names.bound(type(x), type(x).__name__)}({items})"
        return f"[{items}]" if isinstance(x, list) else f"({items}{',' if len(x) == 1 else ''})"
    if isinstance(x, dict):
        return "{" + ", ".join(f"{atom(key, names)}: {result(value, names)}" for key, value in x.items()) + "}"
    return atom(x, names)


def used(program: Program) -> Iterable[Var]:
    """Every variable that the lines or the result read, once, in order."""
    from .program import variables
    seen: dict[Var, None] = {}
    for line in program.lines:
        seen.update(dict.fromkeys(line.reads))
    seen.update(dict.fromkeys(variables(program.result)))
    return seen


def described(v: Var) -> str:
    """Shape and dtype, for the comment behind a line."""
    return "" if v.dtype is None else f"{'x'.join(map(str, v.shape)) or 'scalar'} {dtype_name(v.dtype)}"


dtype_name = lru_cache(maxsize=64)(str)               # NumPy makes it anew each time, and keeps some of them for ever


def rendered(program: Program, names: Namer | None = None) -> tuple[str, dict[str, Any]]:
    """The text of a program, and what its free names are bound to."""
    names = names or Namer(program)
    program.name = names.function
    for x, name in program.names.values():
        names.bound(x, name)
    head, lines = [], []
    for v in used(program):
        if v.place is not None and v.place.owner is not None:
            owner, path = v.place.owner, v.place.path
            if not path:                              # an array from outside: the name is the array
                names.of[v] = names.bound(owner, v.name or "array")
            else:
                holder = names.bound(owner, v.name or "w")
                name = names.of[v] = names.fresh(f"d_{holder}" if "grad" in path else f"{holder}_data")
                lines.append((f"{name} = {holder}{path}", described(v)))
    for v in program.arguments:
        head.append(names.var(v))
    for line in program.lines:
        if line.kind == "store" and line.params["path"] == "_grad" and id(line.op) in names.of:
            for v in line.reads:
                v.name = v.name or f"d_{names.of[id(line.op)]}"
        if line.out is not None and line.out.listed and line.kind in ("call", "copy", "draw") and (
                line.into.__class__ is not Var):
            names.var(line.out)                       # what has a name in the listing before keeps it
    for line in program.lines:
        about = described(line.out) if line.out is not None and line.kind in ("call", "copy", "draw") else ""
        lines.append((statement(line, names), about))
    lines.append((f"return {result(program.result, names)}", ""))
    width = min(72, max([len(text) for text, about in lines if about], default=0)) + 4
    body = [f"    {text:{width}}# {about}".rstrip() if about else f"    {text}" for text, about in lines]
    return "\n".join([f"def {program.name}({', '.join(head)}):", *body, ""]), names.space


def listing(program: Program) -> str:
    """The text of a program. Its variables keep their names, so that the programs after each pass can be compared."""
    names = Namer(program)
    text = rendered(program, names)[0]
    for v, name in names.of.items():
        if v.__class__ is Var and v.place is None:
            v.listed = v.listed or name
    return text
