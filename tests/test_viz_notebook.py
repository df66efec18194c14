"""How a node shows itself in Jupyter."""
from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

import tinygrad_edu as tg
from tinygrad_edu import Value
from tinygrad_edu.notebook import LARGE, table


def cells(page: str) -> list[list[str]]:
    return [["".join(td.itertext()) for td in tr] for tr in ET.fromstring(f"<p>{page}</p>").iter("tr")]


def test_a_matrix_is_a_table():
    t = tg.tensor([[1.0, -2.5], [0.0, 1e-9]], requires_grad=True)
    t.name = "<w>"
    page = table(t)
    assert cells(page) == [["1", "-2.5"], ["0", "1e-09"]]
    assert "<b>&lt;w&gt;</b>" in page and "(2, 2) · float32 · requires grad" in page


def test_what_made_it_is_said():
    assert "made by exp" in table(tg.ones(2, requires_grad=True).exp())
    y = Value(2.0, label="x") * 3.0
    y.backward()
    assert "made by *" in table(y) and "grad 1" in table(y) and cells(table(y)) == [["6"]]


def test_the_sign_has_a_colour_and_the_size_a_strength():
    colours = re.findall(r"rgba\(([\d,.]+)\)", table(tg.tensor([4.0, -4.0, 1.0, 0.0])))
    assert [c.rpartition(",")[0] for c in colours] == ["213,94,0", "0,114,178", "213,94,0"]
    assert float(colours[0].rpartition(",")[2]) == 4 * float(colours[2].rpartition(",")[2])


def test_a_large_one_shows_its_corners():
    rows = cells(table(tg.arange(100 * 50).reshape(100, 50)))
    assert len(rows) == len(rows[0]) == LARGE - 1
    assert rows[0][0] == "0" and rows[-1][-1] == "4999" and set(rows[5]) == {"…"}


KINDS = [tg.tensor(3.0), tg.tensor([]), tg.zeros(2, 0), tg.zeros(2, 3, 4), tg.tensor([True, False]), tg.tensor([1, 2]),
         tg.tensor([float("nan"), float("inf"), -1.0]), Value(float("nan"))]


@pytest.mark.parametrize("x", KINDS, ids=repr)
def test_every_kind_shows_itself(x):
    assert type(x).__name__ in "".join(ET.fromstring(f"<p>{table(x)}</p>").itertext())
