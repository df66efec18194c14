"""The command line: python -m tinygrad_edu explain "tanh(w*x + b)" w=-3 x=2 b=6.88."""
from __future__ import annotations

import argparse
import importlib
import math
import sys
from collections.abc import Sequence

import numpy as np

from .dp.explain import explain
from .dp.parse import BadFormula, checked, formula
from .dp.table import memo_table
from .dp.text import figure
from .files import write
from .value import Value

EXAMPLE = """example:
  python -m tinygrad_edu explain "tanh(w*x + b)" w=-3 x=2 b=6.8813735870195432 --svg neuron.svg
  python -m tinygrad_edu explain "h = w*x; (tanh(h) - t)**2" w=0.5 x=2 t=1 --latex gradient.tex"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status: 0, 1 where a file could not be made, 2 where the input is not understood."""
    for stream in (sys.stdout, sys.stderr):           # a terminal without such signs shows ? and no traceback
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    given = parser().parse_args(shielded(sys.argv[1:] if arguments is None else list(arguments)))
    try:
        result, variables = formula(given.formula, numbers(given.values))
        explained(result, variables, given)
    except BadFormula as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {str(error).splitlines()[0]}", file=sys.stderr)
        return 1
    except (ImportError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """What may be written on the command line."""
    top = argparse.ArgumentParser(prog="python -m tinygrad_edu", description="Neural networks to read and to see.",
                                  epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = top.add_subparsers(dest="command", required=True, metavar="explain")
    one = commands.add_parser("explain", help="values, memo table and gradients of a formula", epilog=EXAMPLE,
                              formatter_class=argparse.RawDescriptionHelpFormatter)
    one.add_argument("formula", help='a formula, or named steps and a formula: "h = w*x; tanh(h)"')
    one.add_argument("values", nargs="*", metavar="name=value", help="the value of each variable")
    one.add_argument("--digits", type=int, default=6, choices=range(1, 18), metavar="N",
                     help="significant digits, 1 to 17 (6)")
    one.add_argument("--svg", metavar="FILE", help="the graph, drawn")
    one.add_argument("--html", metavar="FILE", help="a page to step through forward and backward")
    one.add_argument("--latex", metavar="FILE", help="the derivation of each gradient")
    one.add_argument("--source", metavar="FILE", help="forward and backward as a NumPy program")
    return top


def shielded(arguments: list[str]) -> list[str]:
    """The arguments with a blank before a formula that begins with a minus, which would pass for an option."""
    known = {"-h", "--help", "--digits", "--svg", "--html", "--latex", "--source"}
    first = arguments.index("explain") + 1 if "explain" in arguments else len(arguments)
    return [f" {a}" if k == first and a.startswith("-") and a.split("=")[0] not in known else a
            for k, a in enumerate(arguments)]


def numbers(values: Sequence[str]) -> dict[str, float]:
    """name=value as numbers."""
    found: dict[str, float] = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not equals:
            raise BadFormula(f"{text!r} is not of the form name=value")
        if checked(name.strip()) in found:
            raise BadFormula(f"{name.strip()} has two values")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            raise BadFormula(f"{value!r} is not a number, in {text!r}") from None
        if not math.isfinite(found[name.strip()]):
            raise BadFormula(f"{text!r}: a value is a finite number")
    return found


def explained(result: Value, variables: dict[str, Value], given: argparse.Namespace) -> None:
    """Print values, memo table and gradients; write the files that were asked for."""
    try:
        with np.errstate(all="ignore"):
            result.backward()
        finite = all(math.isfinite(v.grad) for v in variables.values())
    except (ArithmeticError, ValueError):             # a slope that is no number: of sqrt at 0, of abs(x) ** 0.5
        finite = False
    if not finite:
        raise BadFormula("the gradient is not finite at these values")
    if not result.name:
        result.label = next(name for name in ("y", "L", "result", "result_") if name not in variables)
    wanted = {v.name: v for v in variables.values()}
    width = max(map(len, [*wanted, result.name]))
    print(f"{result.name} = {given.formula.strip()}\n")
    for node in [*variables.values(), result]:
        print(f"{node.name:>{width}} = {figure(node, given.digits)}")
    print(f"\n{memo_table(result, names=wanted, digits=given.digits)}\n")
    for name, node in wanted.items():
        print(f"d{result.name}/d{name} = {figure(node.grad, given.digits)}")
    if given.svg:
        importlib.import_module(".viz", __package__).draw(result, names=wanted).save(given.svg, "svg")
    if given.html:
        importlib.import_module(".viz", __package__).explore(result, given.html, names=wanted)
    if given.latex:
        written(given.latex, "\n".join(explain(result, v, names=wanted, digits=given.digits).latex()
                                       for v in variables.values()))
    if given.source:
        written(given.source, str(importlib.import_module(".dp", __package__).source(result, names=wanted)))
    for file in filter(None, (given.svg, given.html, given.latex, given.source)):
        print(f"written: {file}")


def written(file: str, text: str) -> None:
    """Write a text file."""
    write(file, (text if text.endswith("\n") else text + "\n").encode())


if __name__ == "__main__":
    sys.exit(main())
