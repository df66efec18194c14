"""Whole programs as users of PyTorch write them (tests/programs): the same file under both, its numbers compared."""
from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

import tinygrad_edu as tg

PROGRAMS = sorted(Path(__file__).parent.joinpath("programs").glob("*.py"))
FLOAT32 = {"attention", "classifier", "policy_gradient"}     # the others compute in float64


def loaded(path: Path):
    spec = importlib.util.spec_from_file_location(f"programs_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_program(path):
    ours, theirs = loaded(path).main(tg), loaded(path).main(torch)
    assert len(ours) == len(theirs) > 0 and np.isfinite(theirs).all()
    tolerance = 1e-4 if path.stem in FLOAT32 else 1e-9
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def test_there_are_enough_programs():
    assert len(PROGRAMS) >= 15
