"""python -m tinygrad_edu explain: what it prints and writes, and what it refuses."""
from __future__ import annotations

import math
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.mathtext import MathTextParser

from tinygrad_edu.__main__ import main
from tinygrad_edu.dp.parse import CONSTANTS, FUNCTIONS, BadFormula, formula
from tinygrad_edu.viz import render

ROOT = Path(__file__).parents[1]
NEURON = ["explain", "tanh(w*x + b)", "w=-3", "x=2", "b=6.8813735870195432"]


def said(capsys, *arguments):
    """Exit status, output and errors of a command."""
    status = main(list(arguments))
    return status, *capsys.readouterr()


# ---- what it prints -------------------------------------------------------------------------------------------------

def test_as_a_command():
    """Karpathy's neuron: tanh(b + w x) = 1 / sqrt 2, so that dy/dn = 1/2."""
    done = subprocess.run([sys.executable, "-m", "tinygrad_edu", *NEURON], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "y = tanh(w*x + b)"
    assert "y = 0.707107" in lines and "dy/dw = 1" in lines and "dy/dx = -1.5" in lines and "dy/db = 0.5" in lines
    assert any("∂x = ∂v1• * w" in line and "0.5 * (-3) = -1.5" in line for line in lines)


def test_a_terminal_without_such_signs():
    done = subprocess.run([sys.executable, "-m", "tinygrad_edu", *NEURON], cwd=ROOT, capture_output=True, text=True,
                          env={"PYTHONIOENCODING": "ascii", "PATH": ""})
    assert done.returncode == 0 and "?x = ?v1? * w" in done.stdout


def test_steps_with_names(capsys):
    status, out, _ = said(capsys, "explain", "h = w*x; E = (tanh(h) - t)**2", "w=0.5", "x=2", "t=1")
    assert status == 0 and "E = " in out and "∂h = " in out
    y = math.tanh(1)
    assert f"dE/dw = {2 * (y - 1) * (1 - y * y) * 2:.6g}" in out
    assert f"dE/dt = {-2 * (y - 1):.6g}" in out


def test_a_formula_may_begin_with_a_minus(capsys):
    status, out, _ = said(capsys, "explain", "-x**2", "x=3")
    assert status == 0 and "dy/dx = -6" in out


def test_digits(capsys):
    status, out, _ = said(capsys, "explain", "exp(x)", "x=1", "--digits", "12")
    assert status == 0 and "2.71828182846" in out


def test_help_and_no_command(capsys):
    for arguments in (["--help"], ["explain", "--help"]):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 0 and "example:" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        main([])
    assert stop.value.code == 2


# ---- what it writes -------------------------------------------------------------------------------------------------

def test_latex(tmp_path, capsys):
    file = tmp_path / "gradient.tex"
    status, out, _ = said(capsys, *NEURON, "--latex", str(file))
    assert status == 0 and f"written: {file}" in out
    formulas = [line for line in file.read_text().split("\n\n") if line.strip()]
    assert len(formulas) == 3 and r"\frac{\mathrm{d} y}{\mathrm{d} w} = " in formulas[0]
    for line in formulas:
        MathTextParser("path").parse(line.strip())


@pytest.mark.skipif(not render.renderers(), reason="no Graphviz on this machine")
def test_svg(tmp_path, capsys):
    file = tmp_path / "neuron.svg"
    assert said(capsys, *NEURON, "--svg", str(file))[0] == 0
    picture = file.read_text()
    assert ElementTree.fromstring(picture[picture.index("<svg"):]) is not None and "tanh" in picture


def test_source(tmp_path, capsys):
    file = tmp_path / "neuron.py"
    assert said(capsys, *NEURON, "--source", str(file))[0] == 0
    names = {}
    exec(compile(file.read_text(), str(file), "exec"), names)
    assert names["y"] == pytest.approx(math.sqrt(0.5)) and names["d_x"] == pytest.approx(-1.5)


def test_html(tmp_path, capsys):
    file = tmp_path / "neuron.html"
    assert said(capsys, *NEURON, "--html", str(file))[0] == 0
    assert "<html" in file.read_text()


def test_a_file_that_cannot_be_written(tmp_path, capsys):
    status, _, err = said(capsys, *NEURON, "--latex", str(tmp_path / "no" / "such" / "folder.tex"))
    assert status == 1 and err.startswith("error: ")


# ---- what it refuses ------------------------------------------------------------------------------------------------

HOSTILE = [
    "__import__('os').system('true')", "x.__class__", "x.data", "().__class__.__bases__", "open('f')", "exec('1')",
    "eval", "(lambda: x)()", "[x for x in [1]]", "{x}", "x[0]", "f'{x}'", "'a' * x", "b'a'", "True * x", "None", "...",
    "1j * x", "x if x else x", "x < 1", "x and x", "not x", "~x", "x @ x", "x // 2", "x % 2", "x << 2", "x ^ 2",
    "(x := 2)", "await x", "yield x", "x; import os", "import os", "def f(): pass", "del x", "while x: pass", "x += 1",
    "x: int = 2", "a = b = x", "a, b = x, x", "x = 3", "tanh = x; tanh", "sin(x, x)", "sin()", "sin(*x)", "sin(x=x)",
    "max(x)", "print(x)", "y + x", "sin + x", "", "   ", ";", "x +", "(x", "x y", "x\x00", "\udcff", "#", "x \\",
    "9**9**9**9 * x", "10.0**400 * x", "1e999 * x", "9" * 400 + " * x", "2**-9**9**9**x * 0 + 0**-x",
    "exp(exp(exp(9*x)))", "1if x else 2", "'\\d'",
    "log(-x)", "sqrt(-x)", "(-8)**(1/3) * x", "(-x)**0.5", "1/(x - x)", "1/0 * x", "3 + 4", "pi",
    "(" * 300 + "x" + ")" * 300, "x" * 3000, "x*" * 2000 + "x", "sin(" * 150 + "x" + ")" * 149, "[" * 150,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_formulas(text, capsys):
    status, out, err = said(capsys, "explain", text, "x=2")
    assert status == 2 and not out
    assert err.startswith("error: ") and "Traceback" not in err and len(err) < 800


@pytest.mark.parametrize("values", [
    ["x"], ["x=two"], ["x="], ["x=nan"], ["x=inf"], ["x=2", "x=3"], ["x=2", "y=3"], ["2=x"], ["for=1", "x=1"],
    ["sin=1", "x=1"], ["=2"], ["x=2=3"], ["x.y=2"], ["x=__import__"], []])
def test_values_that_are_not_understood(values, capsys):
    status, out, err = said(capsys, "explain", "x*x", *values)
    assert status == 2 and not out and err.startswith("error: ")


def test_the_place_is_marked(capsys):
    _, _, err = said(capsys, "explain", "tanh(w*x) + w.data", "w=1", "x=2")
    lines = err.splitlines()
    assert "an attribute is not part of a formula" in lines[0]
    assert lines[1][2:] == "tanh(w*x) + w.data" and lines[2].index("^") == 2 + len("tanh(w*x) + ")
    _, _, err = said(capsys, "explain", "ä*x + ö", "x=2", "ä=1")                  # bytes are not characters
    assert err.splitlines()[2].index("^") == 2 + len("ä*x + ")


def test_long_but_harmless(capsys):
    assert said(capsys, "explain", "+".join(["x"] * 900), "x=1")[0] == 0
    assert said(capsys, "explain", "-" * 1500 + "x", "x=1")[0] == 0


@given(text=st.text(alphabet="x1+-*/.()= ;,sincosexp_[]'\"\\\n\t{}:lambd", max_size=40))
def test_no_text_does_more_than_raise_badformula(text):
    try:
        result, variables = formula(text, {"x": 2.0})
    except BadFormula as error:
        assert str(error)
    else:
        assert math.isfinite(result.data) and list(variables) == ["x"]


def test_what_is_allowed_computes_what_python_computes():
    numbers = {"x": 0.7, "y": 0.4}
    scope = {name: op.scalar for name, (op, _) in FUNCTIONS.items()} | CONSTANTS | numbers
    for text in ("x + y*2 - 3/x", "x**y", "-x**2", "+x", "sin(x)*cos(y) + tanh(x/y)", "exp(-x**2/2)/sqrt(2*pi)",
                 "max(x, y)", "relu(x - y) + sigmoid(x)", "log(e*x)", "hypot(x, y)", "((x))", "x - -y", "2**x",
                 "atan2(y, x)"):
        used = {name: number for name, number in numbers.items() if re.search(rf"\b{name}\b", text)}
        assert formula(text, used)[0].data == pytest.approx(eval(text, {"__builtins__": {}}, scope))


@pytest.mark.parametrize("text", ["sqrt(x)", "x**0.5", "asin(x + 1)", "hypot(x, x)"])
def test_a_slope_that_is_not_finite_is_said_in_one_line(text):
    done = subprocess.run([sys.executable, "-m", "tinygrad_edu", "explain", text, "x=0"], cwd=ROOT, capture_output=True,
                          text=True)
    assert done.returncode == 2 and done.stderr == "error: the gradient is not finite at these values\n"


def test_the_program_runs_by_itself(tmp_path, capsys):
    """max(x, y) at x = 1, y = 2 is y, so that E = 4 and dE/dy = 2 y = 4."""
    file = tmp_path / "step.py"
    assert said(capsys, "explain", "E = max(x, y)**2", "x=1", "y=2", "--source", str(file))[0] == 0
    space: dict = {}
    exec(file.read_text(), space)
    assert (space["E"], space["d_x"], space["d_y"]) == (4, 0, 4)


@pytest.mark.parametrize(("formula", "says"), [
    ("x @ x", "this operator is not part"), ("[x]", "a list is not part"), ("max(x, x, x)", "max takes 2 arguments"),
    ("exp(x, x)", "takes 1 argument\n")])
def test_what_is_not_part_of_a_formula_is_named(formula, says, capsys):
    assert main(["explain", formula, "x=1"]) == 2 and says in capsys.readouterr().err
