"""The same few lines under both libraries: values, gradients, dtypes and shapes compared."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import tinygrad_edu as tg

DTYPES = {np.dtype(np.float32): torch.float32, np.dtype(np.float64): torch.float64, np.dtype(np.int64): torch.int64,
          np.dtype(np.int32): torch.int32, np.dtype(np.bool_): torch.bool, np.dtype(np.uint8): torch.uint8}


def same(ours: Any, theirs: Any, *, rtol: float = 1e-6, atol: float = 1e-7) -> None:
    """Assert that two results agree: nested lists and tuples, tensors (shape, dtype, elements), plain numbers."""
    if isinstance(theirs, (tuple, list)):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            same(a, b, rtol=rtol, atol=atol)
    elif isinstance(theirs, torch.Tensor):
        assert isinstance(ours, tg.Tensor), f"{type(ours).__name__} where torch gives a Tensor"
        assert ours.shape == tuple(theirs.shape)
        assert DTYPES[ours.dtype] == theirs.dtype, f"{ours.dtype} where torch gives {theirs.dtype}"
        if theirs.dtype == torch.float32:
            rtol, atol = max(rtol, 2e-5), max(atol, 2e-6)
        np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().resolve_neg().numpy(), rtol=rtol, atol=atol)
    else:
        assert ours == theirs


def both(program: Callable, *arrays: np.ndarray, grad: bool = True, **tolerance: float) -> None:
    """Run ``program(lib, *tensors)`` under both libraries, compare what it returns and every input's gradient."""
    results, inputs = [], []
    for lib in (tg, torch):
        xs = [lib.tensor(a) for a in arrays]
        for x, a in zip(xs, arrays, strict=True):
            if grad and np.asarray(a).dtype.kind == "f":
                x.requires_grad_()
        out = program(lib, *xs)
        several = out if isinstance(out, (tuple, list)) else [out]
        outs = [o for o in several if isinstance(o, (tg.Tensor, torch.Tensor))]
        loss = None
        for k, o in enumerate(outs):
            if o.requires_grad and o.numel():
                weight = np.cos(np.arange(o.numel(), dtype=np.float64).reshape(tuple(o.shape)) + k)
                part = (o * lib.tensor(weight).to(o.dtype)).sum()
                loss = part if loss is None else loss + part
        if loss is not None:
            loss.backward()
        results.append(list(out) if isinstance(out, (tuple, list)) else out)
        inputs.append(xs)
    same(*results, **tolerance)
    for a, b in zip(*inputs, strict=True):
        if b.grad is None:
            assert a.grad is None or not a.grad.numpy().any()
        elif a.grad is None:
            assert not b.grad.numpy().any(), "a gradient is missing"
        else:
            same(a.grad, b.grad, **tolerance)
