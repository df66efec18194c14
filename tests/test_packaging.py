"""What is installed is the package and nothing else: data, licences and types with it, tests and gallery without."""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import tinygrad_edu as tg

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A wheel and a source archive, built from a copy so that nothing of this folder changes."""
    source, out = tmp_path_factory.mktemp("source") / "project", tmp_path_factory.mktemp("dist")
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".git", ".venv", "out", "__pycache__", ".*_cache"))
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", str(out)], cwd=source, check=True,
                   capture_output=True)
    return out


def test_wheel(built):
    wheel, = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = Parser().parsestr(next(archive.read(n).decode() for n in names if n.endswith("METADATA")))
        size = sum(info.file_size for info in archive.infolist())
    package = {str(p.relative_to(ROOT)) for p in (ROOT / "tinygrad_edu").rglob("*")
               if p.is_file() and "__pycache__" not in p.parts}
    assert {n for n in names if ".dist-info/" not in n} == package
    assert {"tinygrad_edu/py.typed", "tinygrad_edu/datasets/digits.npz"} <= names
    assert size <= 2e6                                               # what is installed besides the dependencies
    licences = {n.split(".dist-info/licenses/")[1] for n in names if ".dist-info/licenses/" in n}
    assert licences == {"LICENSE"} | {n for n in package if re.search("LICEN[CS]E", n)}
    assert (metadata["Name"], metadata["Version"]) == ("tinygrad_edu", tg.__version__)
    assert [r for r in metadata.get_all("Requires-Dist") if "extra ==" not in r] == ["graphviz>=0.20", "numpy>=2"]


def test_source_archive_is_lean_and_builds_the_same_package(built):
    archive, = built.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tops = {name.split("/")[1] for name in tar.getnames()}
    assert tops <= {"tinygrad_edu", "README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml", "PKG-INFO", ".gitignore"}
    assert archive.stat().st_size < 2e6


def test_wheel_works_where_nothing_else_is(built, tmp_path):
    """Unpacked into an empty folder, with only what the base install requires: it trains, and finds its data."""
    wheel, = built.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path)
    program = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
class Refuse:                                     # an extra that is not installed
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {{"matplotlib", "tqdm", "torch", "pygraphviz", "sklearn", "hypothesis", "pytest"}}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Refuse())
import tinygrad_edu as tg
from tinygrad_edu import nn, optim, datasets
assert tg.__file__.startswith({str(tmp_path)!r}), tg.__file__
images, labels = datasets.load_digits()
net = nn.Linear(64, 10)
optimizer = optim.SGD(net.parameters(), lr=0.01)
x, y = tg.tensor(images.reshape(-1, 64)), tg.tensor(labels)
losses = []
for _ in range(3):
    loss = nn.functional.cross_entropy(net(x), y)
    optimizer.zero_grad(); loss.backward(); optimizer.step()
    losses.append(loss.item())
assert losses[2] < losses[0], losses
from tinygrad_edu.viz import plots
try:
    plots.learning_curve({{"loss": losses}})
except ImportError as error:
    assert 'pip install "tinygrad_edu[viz]"' in str(error)
else:
    raise AssertionError("matplotlib is missing, and nothing said so")
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True,
                          env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"})
    assert done.returncode == 0, done.stderr


def test_version_is_the_changelogs():
    assert re.search(r"^## \[(\d[^]]*)]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1] == tg.__version__


def test_readme_and_makefile_agree():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    pages = "".join((ROOT / page).read_text() for page in ("README.md", "CONTRIBUTING.md"))
    named = set(re.findall(r"`make (\w+)`|^make (\w+)", pages, re.MULTILINE))
    assert {first or second for first, second in named} <= targets
    assert "make test" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")], ids=lambda p: p.name)
def test_links_inside_the_project_lead_somewhere(page):
    for target in re.findall(r"]\(([^)#\s]+)", page.read_text()) + re.findall(r'src="([^"]+)"', page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} points to {target}"


@pytest.mark.parametrize("tool", [["ruff", "check", "--output-format=concise"], ["mypy"]], ids=lambda tool: tool[0])
def test_style_and_types(tool):
    done = subprocess.run([sys.executable, "-m", *tool], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
