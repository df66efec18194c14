"""The arrows: what may import what, what is public, and how much there is to read."""
from __future__ import annotations

import ast
import importlib
import inspect
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import tinygrad_edu as tg
from tinygrad_edu import graph

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "tinygrad_edu"
# Lowest first; a module imports from what stands above it in this list, and from its own folder.
LAYERS = ["mode", "errors", "files", "notebook", "special", "graph", "calls", "ops", "functions", "arithmetic", "value",
          "defaults", "generator", "methods", "tensor", "creation", "random", "linalg", "numpy_functions", "autograd",
          "dp", "tape", "nn", "optim", "saving", "utils", "datasets", "viz", "__main__"]
ENGINE = ["graph.py", "dp/ways.py", "arithmetic.py", "value.py", "tensor.py", "ops/*.py"]
NAMESPACES = ["", "autograd", "linalg", "nn", "nn.functional", "nn.init", "nn.utils", "optim", "optim.lr_scheduler",
              "utils.data", "datasets", "viz"]
EXTRAS = {"matplotlib", "graphviz", "pygraphviz", "torch", "tqdm", "IPython", "hypothesis", "sklearn"}


def dotted(path: Path) -> str:
    """``tinygrad_edu/nn/module.py`` as ``tinygrad_edu.nn.module``; a folder's __init__ as the folder."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {dotted(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(), module)


def imports(module: str, lazy: bool = True) -> set[str]:
    """The modules of the package that ``module`` imports, anywhere in it, or only those that it cannot do without."""
    inside = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
    found = set()
    for node in ast.walk(tree(module)) if lazy else tree(module).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "tinygrad_edu"}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = inside.split(".")[:len(inside.split(".")) - node.level + 1]
                base = ".".join([*above, *([node.module] if node.module else [])])
            if base.split(".")[0] == "tinygrad_edu":
                found |= {name if (name := f"{base}.{alias.name}") in MODULES else base for alias in node.names}
    return found - {module}


def layer(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


BELOW_THE_TOP = sorted(set(MODULES) - {"tinygrad_edu"})          # the package's own __init__ gathers everything


@pytest.mark.parametrize("module", BELOW_THE_TOP)
def test_imports_run_only_downwards(module):
    assert layer(module) in LAYERS, f"{module}: give its place in LAYERS"
    place = LAYERS.index(layer(module))
    for other in imports(module):
        assert other != "tinygrad_edu", f"{module} imports the package from inside it: import the module that it needs"
        assert LAYERS.index(layer(other)) <= place, f"{module} imports {other}, which stands above it"


def test_no_import_goes_in_a_circle():
    """Nor within a folder; there, a method may import what shows or explains its object when it is called."""
    open_, done = [], set()

    def visit(module):
        assert module not in open_, " -> ".join([*open_[open_.index(module):], module])
        if module not in done:
            open_.append(module)
            for other in sorted(imports(module, lazy=False)):
                visit(other)
            done.add(open_.pop())

    for module in BELOW_THE_TOP:
        visit(module)


@pytest.mark.parametrize("module", [m for m in BELOW_THE_TOP if layer(m) not in ("viz", "__main__")])
def test_nothing_imports_viz(module):
    assert not [other for other in imports(module) if layer(other) == "viz"]


@pytest.mark.parametrize("module", MODULES)
def test_extras_are_imported_where_they_are_used(module):
    """Never at the top of a module: the base install has none of them, and importing stays fast."""
    for node in tree(module).body:
        names = ([alias.name for alias in node.names] if isinstance(node, ast.Import)
                 else [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else [])
        assert not {name.split(".")[0] for name in names} & EXTRAS


def test_importing_the_package_imports_no_extra():
    code = "import sys, tinygrad_edu; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "numpy" in loaded.split()
    assert not EXTRAS & set(loaded.split())


def test_only_the_package_folder_can_be_imported():
    """The gallery is a folder of scripts: students have a viz.py of their own."""
    for folder in ("viz", "examples", "docs"):
        assert not (ROOT / folder / "__init__.py").exists()


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_the_engine_is_read_in_an_hour():
    files = [path for pattern in ENGINE for path in sorted(PACKAGE.glob(pattern))]
    assert len(files) >= len(ENGINE)
    assert sum(map(lines, files)) <= 2000, {str(path.relative_to(PACKAGE)): lines(path) for path in files}


def test_no_file_is_long():
    folders = [PACKAGE, ROOT / "tests", ROOT / "examples", ROOT / "viz", ROOT / "benchmarks"]
    long = {str(path): lines(path) for folder in folders for path in folder.rglob("*.py") if lines(path) > 800}
    assert not long


@pytest.mark.parametrize("module", MODULES)
def test_annotations_are_not_evaluated(module):
    code = [node for node in tree(module).body if not isinstance(node, ast.Expr)]
    if code:
        assert isinstance(code[0], ast.ImportFrom) and code[0].module == "__future__"


@pytest.mark.parametrize("module", MODULES)
def test_public_code_is_documented(module):
    """Each module, and each public class and function at its top, says what it is."""
    assert ast.get_docstring(tree(module)), f"{module} has no docstring"
    bare = [node.name for node in tree(module).body if isinstance(node, (ast.ClassDef, ast.FunctionDef))
            and not node.name.startswith("_") and not ast.get_docstring(node)]
    assert not bare, f"{module}: {', '.join(bare)} without a docstring"


@pytest.mark.parametrize("name", sorted(graph.REGISTRY))
def test_primitives_are_documented(name):
    assert graph.REGISTRY[name].__doc__


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_public_names_are_exported_and_documented(namespace):
    module = importlib.import_module("tinygrad_edu" + ("." + namespace if namespace else ""))
    names = module.__all__
    assert len(names) == len(set(names))
    assert set(names) <= set(dir(module)), set(names) - set(dir(module))
    for name in names:
        thing = getattr(module, name)
        if callable(thing) or inspect.ismodule(thing):
            assert inspect.getdoc(thing), f"{namespace}.{name} has no docstring"


@pytest.mark.parametrize(("namespace", "base"), [("nn", "Module"), ("optim", "Optimizer"),
                                                 ("optim.lr_scheduler", "LRScheduler"), ("utils.data", "Dataset")])
def test_every_kind_of_a_public_class_is_exported(namespace, base):
    """What a user can build; a class that only others build upon may stay inside."""
    module = importlib.import_module(f"tinygrad_edu.{namespace}")
    todo, missing = [getattr(module, base)], []
    while todo:
        kind = todo.pop()
        todo += kind.__subclasses__()
        inside = kind.__module__.startswith(f"tinygrad_edu.{namespace}".rsplit(".", 1)[0] if "." in namespace
                                            else f"tinygrad_edu.{namespace}")
        inside = inside and not kind.__subclasses__()
        if inside and not kind.__name__.startswith("_") and getattr(module, kind.__name__, None) is not kind:
            missing.append(kind.__name__)
    assert not missing


def test_functions_of_nn_functional_are_exported():
    functional = importlib.import_module("tinygrad_edu.nn.functional")
    defined = {name for name, thing in vars(functional).items() if not name.startswith("_")
               and inspect.isfunction(thing) and thing.__module__ == functional.__name__}
    assert defined <= set(functional.__all__)


def test_names_of_the_package_match_its_namespace():
    """``dir`` lists what is loaded when it is first used, too, and an unknown name is an AttributeError."""
    assert set(tg.__all__) <= set(dir(tg))
    with pytest.raises(AttributeError, match="no_such_name"):
        tg.no_such_name  # noqa: B018  (the access is the test)
    assert os.path.dirname(tg.__file__) == str(PACKAGE)
