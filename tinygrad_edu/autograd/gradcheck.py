"""gradcheck: derivatives against differences, and, where they disagree, the operation that is to blame."""
from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import message
from ..graph import Node, order
from ..mode import enable_grad
from .forward import pushed
from .functional import completed, pulled, units
from .reverse import grad, leaf, several


class GradcheckError(RuntimeError):
    """A derivative that disagrees with differences."""


def flat(x: Any) -> np.ndarray:
    """The numbers as a vector of float64."""
    return np.asarray(getattr(x, "payload", x), np.float64).ravel()


def floats(ys: Any) -> list:
    """Those results that are nodes of floating-point numbers."""
    return [y for y in several(ys) if isinstance(y, Node) and np.asarray(y.payload).dtype.kind == "f"]


def differences(func: Callable, inputs: Sequence[Any], x: Any, eps: float) -> list[np.ndarray]:
    """For each output the matrix d output / d x, by (f(x + eps e_k) - f(x - eps e_k)) / 2 eps for each element k."""
    was, columns = x.payload, []
    try:
        for e in units(x, False):
            sides = []
            for step in (eps, -eps):
                x.payload = was + step * e if x.scalar else np.asarray(was + step * e)
                with enable_grad():                   # func may itself differentiate
                    sides.append([flat(y) for y in floats(func(*inputs))])
            columns.append([(a - b) / (2 * eps) for a, b in zip(*sides, strict=True)])
    finally:
        x.payload = was
    return [np.stack(rows, -1) for rows in zip(*columns, strict=True)]


def by_rules(ys: Sequence[Any], x: Any, forward: bool) -> list[np.ndarray]:
    """For each output the matrix d output / d x, by the rules."""
    if forward:
        columns = [[flat(t) for t in completed(pushed(ys, {x: e}), ys)] for e in units(x, False)]
        return [np.stack(rows, -1) for rows in zip(*columns, strict=True)]
    rows = [[flat(completed(pulled([y], [e], [x], False), [x])[0]) for e in units(y, False)] for y in ys]
    return [np.reshape(r, (np.size(y.payload), np.size(x.payload))) for r, y in zip(rows, ys, strict=True)]


def culprits(ys: Sequence[Any], eps: float, atol: float, rtol: float) -> list[str]:
    """The operations below whose own rules disagree with their own function, each taken by itself: for random g and u,
    <rule(g), u> against <g, f(x + eps u) - f(x - eps u)> / 2 eps."""
    rng, found = np.random.default_rng(0), []
    for node in order([y for y in ys if y.requires_grad]):
        if (op := node.op) is None or op.name in found:
            continue
        values = [x.payload if isinstance(x, Node) else x for x in node.inputs]
        needs = [isinstance(x, Node) and x.requires_grad for x in node.inputs]
        g = rng.normal(size=np.shape(node.payload))
        parts = op.joint(g, node.payload, *values, needs=needs, **node.params) if op.joint is not None else [
            op.rules[i](g, node.payload, *values, **node.params) if need else None for i, need in enumerate(needs)]
        for i, c in enumerate(parts):
            if c is None:
                continue
            u = rng.normal(size=np.shape(values[i]))
            up, down = (op.fn(*values[:i], values[i] + e * u, *values[i + 1:], **node.params) for e in (eps, -eps))
            fitted = c if node.scalar else node.inputs[i]._fit(np.asarray(c), node.inputs[i])
            if not np.isclose(np.sum(fitted * u), np.sum(g * (up - down)) / (2 * eps), rtol=rtol, atol=atol):
                found.append(op.name)
                break
    return found


def gradcheck(func: Callable, inputs: Any, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
              raise_exception: bool = True, nondet_tol: float = 0.0, check_undefined_grad: bool = True,
              check_grad_dtypes: bool = False, check_batched_grad: bool = False,
              check_batched_forward_grad: bool = False, check_forward_ad: bool = False, check_backward_ad: bool = True,
              fast_mode: bool = False, masked: bool | None = None) -> bool:
    """Whether the derivatives of ``func`` agree with central differences, in each element |a - n| <= atol + rtol |n|.

    The inputs that require gradients should be float64. GradcheckError names the operations whose rules are wrong, the
    output, the input, the element and both numbers.

    >>> tg.autograd.gradcheck(lambda x: x.tanh(), tg.ones(3, dtype=tg.float64, requires_grad=True))
    True
    """
    unchecked = {"check_grad_dtypes": check_grad_dtypes, "check_batched_grad": check_batched_grad, "masked": masked,
                 "check_batched_forward_grad": check_batched_forward_grad}
    if named := [name for name, asked in unchecked.items() if asked]:
        raise NotImplementedError(message(f"gradcheck: {' and '.join(named)} is not implemented", op="gradcheck",
                                          instead=f"{named[0]}=False"))
    inputs = several(inputs)
    live = [(i, x) for i, x in enumerate(inputs) if isinstance(x, Node) and x.requires_grad]
    if not live:
        raise ValueError("gradcheck expects at least one input tensor to require gradient, but none of the them have "
                         "requires_grad=True.")
    for i, x in live:
        if np.asarray(x.payload).dtype != np.float64:
            warnings.warn(f"Input #{i} requires gradient and is not a double precision floating point. This check will "
                          "likely fail if all the inputs are not of double precision.", UserWarning, stacklevel=2)
    with enable_grad():
        ys = floats(func(*inputs))
    for i, x in live:
        numeric = differences(func, inputs, x, eps)
        for forward in [False] * check_backward_ad + [True] * check_forward_ad:
            exact, again = by_rules(ys, x, forward), by_rules(ys, x, forward)
            for j, (a, b, n) in enumerate(zip(exact, again, numeric, strict=False)):
                what = mismatch(a, n, ys[j], x, i, j, forward, atol, rtol)
                if not what and not np.allclose(a, b, 0, nondet_tol, equal_nan=True):
                    what = f"Backward is not reentrant: output {j}, input {i} differ when it is run a second time"
                if what and raise_exception:
                    names = culprits(ys, eps, atol, rtol) or sorted({n.op.name for n in order(ys) if n.op is not None})
                    raise GradcheckError(message(what, op=", ".join(names), inputs=tuple(inputs),
                                                 instead="check the rule of " + " and ".join(names[:3])))
                if what:
                    return False
    return True


def mismatch(a: np.ndarray, n: np.ndarray, y: Any, x: Any, i: int, j: int, forward: bool, atol: float,
             rtol: float) -> str:
    """What is wrong with the worst element of a Jacobian; nothing where it agrees with the differences."""
    off = np.abs(a - n) - (atol + rtol * np.abs(n))
    if not np.any(~(off <= 0)):
        return ""
    row, column = np.unravel_index(np.argmax(np.where(np.isnan(off), np.inf, off)), off.shape)
    of_y, of_x = (tuple(map(int, np.unravel_index(k, np.shape(e.payload)))) for k, e in ((row, y), (column, x)))
    return (f"Jacobian mismatch for output {j} with respect to input {i}{' (forward mode)' if forward else ''},\n"
            f"  at element {of_y} of the output and element {of_x} of the input:\n"
            f"  numerical:  {n[row, column]:.10g}\n  analytical: {a[row, column]:.10g}")


def gradgradcheck(func: Callable, inputs: Any, grad_outputs: Any = None, *, eps: float = 1e-6, atol: float = 1e-5,
                  rtol: float = 1e-3, gen_non_contig_grad_outputs: bool = False, raise_exception: bool = True,
                  nondet_tol: float = 0.0, check_undefined_grad: bool = True, check_grad_dtypes: bool = False,
                  check_batched_grad: bool = False, check_fwd_over_rev: bool = False, check_rev_over_rev: bool = True,
                  fast_mode: bool = False, masked: bool = False) -> bool:
    """Whether the derivatives of the gradient agree with differences of the gradient: ``gradcheck`` of (x, u) -> J^T u.

    >>> tg.autograd.gradgradcheck(lambda x: x.tanh(), tg.ones(3, dtype=tg.float64, requires_grad=True))
    True
    """
    inputs = several(inputs)
    with enable_grad():
        ys = [y for y in floats(func(*inputs)) if y.requires_grad]
    if grad_outputs is None:
        rng = np.random.default_rng(0)
        seeds = [leaf(y, rng.normal(size=np.shape(y.payload)), True) for y in ys]
    else:
        seeds = [leaf(u, u.payload, True) for u in several(grad_outputs)]

    def gradient(*args: Any) -> tuple:
        xs, us = args[:len(inputs)], args[len(inputs):]
        with enable_grad():
            ys = [y for y in floats(func(*xs)) if y.requires_grad]
            live = [x for x in xs if isinstance(x, Node) and x.requires_grad]
            return grad(ys, live, us, create_graph=True, allow_unused=True, materialize_grads=True)

    try:
        return gradcheck(gradient, (*inputs, *seeds), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception,
                         nondet_tol=nondet_tol, check_forward_ad=check_fwd_over_rev,
                         check_backward_ad=check_rev_over_rev, check_grad_dtypes=check_grad_dtypes,
                         check_batched_grad=check_batched_grad, masked=masked)
    except GradcheckError as error:
        if not (names := twice_wrong(ys)):
            raise
        raise GradcheckError(message(str(error).partition("\n  operation:")[0], op=", ".join(names), inputs=inputs,
                                     instead=f"check the rule, or backward, of {' and '.join(names[:3])}: written with "
                                             "Tensor operations, without detach(), .data or numpy()")) from None


def twice_wrong(ys: Sequence[Any]) -> list[str]:
    """The operations below, each taken by itself, whose gradient is not differentiated as differences say."""
    found: dict[str, bool] = {}
    for node in order(ys):
        if (op := node.op) is None or op.name in found:
            continue
        xs = [leaf(x, x.payload, x.requires_grad) if isinstance(x, Node) else x for x in node.inputs]
        try:
            found[op.name] = not gradgradcheck(functools.partial(op, **node.params), xs, raise_exception=False)
        except Exception:                             # a rule that cannot be applied by itself says nothing here
            found[op.name] = False
    return [name for name, wrong in found.items() if wrong]
