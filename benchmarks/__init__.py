"""Our speed and memory against our peers', as ratios measured side by side in one run: ``python -m benchmarks``.

Every workload is one module; in it, one function for each peer gives a ``step`` to repeat. All of them do the same
mathematics from the same initial numbers, and their losses are compared before anything is timed.
"""
from __future__ import annotations

import os

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
os.environ.update(dict.fromkeys(THREADS, "1"))        # read once, when NumPy is imported: so before anything else
