"""Every ``>>>`` line of the package, its primitives and the project's pages runs and prints what it says."""
from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import Value, graph, nn, optim, tensor

ROOT = Path(__file__).parents[1]
PAGES = [path for path in [*ROOT.glob("*.md"), *sorted(ROOT.glob("docs/**/*.md"))] if ">>>" in path.read_text()]
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def names() -> dict:
    """What an example finds without importing it."""
    return {"tg": tg, "np": np, "nn": nn, "F": nn.functional, "optim": optim, "Value": Value, "tensor": tensor}


def modules() -> list[str]:
    found = [info.name for info in pkgutil.walk_packages(tg.__path__, "tinygrad_edu.") if "__main__" not in info.name]
    return ["tinygrad_edu", *found]


def run(test: doctest.DocTest) -> None:
    tg.manual_seed(0)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    report: list[str] = []
    tables = graph.REGISTRY, graph.BY_FUNCTION
    before = [dict(table) for table in tables]
    try:
        runner.run(test, out=report.append)
    finally:
        for table, known in zip(tables, before, strict=True):      # an example may declare a primitive of its own
            table.clear()
            table.update(known)
    assert not runner.failures, "".join(report)


@pytest.mark.parametrize("name", modules())
def test_module(name, tmp_path, monkeypatch):
    module = importlib.import_module(name)
    monkeypatch.chdir(tmp_path)                                     # an example may write a file
    for test in doctest.DocTestFinder(exclude_empty=True).find(module):
        if test.examples:
            test.globs = {**names(), **vars(module)}
            run(test)


def test_primitives():
    for name, op in list(graph.REGISTRY.items()):
        run(doctest.DocTestParser().get_doctest(op.__doc__ or "", names(), name, None, 0))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = re.sub(r"^```.*$", "", page.read_text(), flags=re.MULTILINE)          # the fences are not output
    run(doctest.DocTestParser().get_doctest(text, names(), page.name, str(page), 0))


def program() -> str:
    """The README's first program, as a reader would paste it."""
    return re.search(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)[1]


def test_the_readme_program_prints_and_draws_what_the_readme_shows(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(program(), "README.md", "exec"), {"__name__": "readme"})
    assert len(program().strip().splitlines()) <= 10
    assert capsys.readouterr().out == re.search(r"^```text\n(.*?)^```", (ROOT / "README.md").read_text(),
                                                re.MULTILINE | re.DOTALL)[1]
    # where Graphviz puts things depends on its version; what is written in the picture does not
    texts = [sorted(re.findall(r"<text[^>]*>(.*?)</text>", path.read_text()))
             for path in (tmp_path / "neuron.svg", ROOT / "docs" / "neuron.svg")]
    assert texts[0] == texts[1] != []
