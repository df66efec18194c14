"""What all tests share: one thread, fixed seeds, hypothesis without a clock, no mode left behind by a test."""
from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):     # read when NumPy and torch load
    os.environ.setdefault(variable, "1")

import hypothesis
import numpy as np
import pytest
import torch

import tinygrad_edu as tg
from tinygrad_edu import mode as modes

torch.set_num_threads(1)
# derandomised: the same programs in each run, so that a failure is a change of ours; no deadline, machines differ
hypothesis.settings.register_profile("tests", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("tests")


@pytest.fixture(autouse=True)
def seeded():
    """Each test starts from the same random state, whichever tests run before it."""
    np.random.seed(0)
    torch.manual_seed(0)
    tg.manual_seed(0)


@pytest.fixture(autouse=True)
def mode_is_left_as_found():
    """A test, and an error within it, leaves recording on, no layer entered and nobody watching."""
    yield
    mode = modes.local.mode
    left = mode.recording, mode.note.layer, mode.watch
    mode.recording, mode.note, mode.watch = True, modes.ROOT, None            # the next test is not to suffer for it
    assert left == (True, "", None), f"left behind: recording, layer, watch = {left}"
