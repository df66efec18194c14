"""The forms in which PyTorch's functions are called: each line as it stands under both libraries; what it gives, or how
it is refused, is compared. By position and by name, dims in all manners, all dtypes, 0-d, empty, masks, nan."""
from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
import torch
from parity import both

import tinygrad_edu as tg

rng = np.random.default_rng(0)
INPUTS = {
    "a": rng.normal(size=(3, 4)), "b": rng.normal(size=(3, 4)), "c": rng.normal(size=(2, 3, 4)), "v": rng.normal(size=4),
    "u": rng.normal(size=3), "p": rng.uniform(0.2, 2, (3, 4)), "s": np.array(1.5), "e": np.zeros((0, 4)),
    "h": rng.normal(size=(3, 4)).astype(np.float32), "tie": np.array([[1.0, 3, 3, 2], [2, 2, 2, 2], [0, 0, -1, 0]]),
    "zero": np.array([[1.0, 0, 3], [0, 0, -2]]), "i": rng.integers(0, 9, (3, 4)), "j": rng.integers(1, 9, (3, 4)),
    "k": rng.integers(-9, 9, (3, 4)).astype(np.int32), "m": rng.normal(size=(3, 4)) > 0, "t": np.array(3),
    "rows": np.array([2, 0, 1]), "ix": np.array([[0, 1, 2, 3], [3, 2, 1, 0], [1, 1, 1, 1]])}
LINES = """
torch.add(a, b, alpha=2); a.sub(b, alpha=0.5); torch.sub(input=a, other=b); torch.mul(2, a); torch.add(i, 2.5); a.add(other=b)
torch.div(a, b, rounding_mode="trunc"); torch.div(k, j, rounding_mode="floor"); torch.div(k, j, rounding_mode="trunc")
torch.div(k, 3, rounding_mode="floor"); torch.div(i, j, rounding_mode=None); torch.div(a, b, rounding_mode="up")
torch.exp(input=a); torch.pow(input=p, exponent=b); torch.pow(2, a); torch.exp(m); torch.sin(m); torch.atan2(m, m)
torch.exp(2.0); torch.exp([1.0]); torch.maximum(a, 2); torch.add(a, [1, 2, 3, 4]); a + [1, 2, 3, 4]; a * "x"; a.add([1, 2, 3, 4])
torch.exp(a, a, a); torch.add(a); torch.add(a, b, c, 1); torch.exp(a, foo=1); torch.lt(2, a); torch.sum([1.0]); torch.zeros_like([1])
a - m; m - a; i - m; h - m; 2 - m; i - True; torch.sub(m, m); i // 0; i % 0; k // i; 2 // i; torch.fmod(k, i)
m & (i > 3); k & t; k | t; i ^ j; a & b; a | 2; torch.bitwise_and(i, 3)
torch.clamp(tie, min=torch.tensor(2.0).double()); torch.clamp(a, u[:, None], p); a.clamp(min=p, max=b); torch.clamp(input=a, min=0)
torch.where(m, a, b); torch.where(m); torch.where(a, a, b); torch.where(condition=m, input=a, other=0.0); torch.where(i > 3, 1.0, a)
torch.atan2(zero, zero); torch.nan_to_num(i); torch.allclose(input=a, other=a); torch.equal(a, other=b)
torch.sum(input=a, dim=0); torch.sum(m, dtype=torch.int32); torch.prod(m, dtype=torch.int32); torch.sum(h, dtype=torch.float64)
torch.sum(a, True); torch.mean(a, True); torch.argmax(a, (0, 1)); torch.prod(a, "x"); torch.prod(a, 1.0); torch.prod(c, dim=-1)
torch.var_mean(a, axis=1); torch.std_mean(c, dim=(0, 2), keepdim=True); torch.nansum(i, 0); torch.nanmean(i); torch.logsumexp(i, 1)
torch.softmax(i, 1); torch.log_softmax(m, 0); torch.softmax(i, 1, dtype=torch.float64); torch.bincount(a); torch.bincount(k[0])
torch.unique(i, True, True); torch.unique(i, return_inverse=True, return_counts=True); torch.unique(i % 2, dim=0); torch.nonzero(s)
torch.roll(a, (1, 2)); torch.roll(a, (1, 2), 0); torch.roll(c, (1, 2), (0, 0)); torch.meshgrid(v, u, indexing="zz")
torch.meshgrid(a, u, indexing="ij"); torch.cat(a); torch.cat([a, h], axis=1); v.expand(size=(3, 4)); torch.broadcast_to(v, size=(3, 4))
torch.split(tensor=a, split_size_or_sections=2); torch.gather(input=a, dim=1, index=ix); a.gather(1, torch.zeros(5, 2).long())
a.detach().scatter(1, ix, b.detach(), reduce="add"); a.scatter(1, ix, b[:1]); a.scatter(1, ix, i); a.scatter_add(1, ix, 2.0)
a.detach().scatter_(1, rows[:, None], 1.0, reduce="add"); a.index_select(0, rows[:, None]); a.index_select(0, t % 3)
s.index_select(0, torch.tensor([0])); a.index_select(0, rows.float()); a.masked_fill(m, v); i.masked_fill(m, 2.5); a.masked_fill(m, 0)
a.masked_select(i); a.unfold(1, 5, 1); a.unfold(dimension=1, size=2, step=2); torch.arange(end=4); torch.zeros(size=(2, 3))
torch.ones(2, size=(2,)); a.detach().clone().detach_(); (a * 2).detach_(); i.clone().copy_(a).requires_grad; a.new_zeros(2, device="cpu")
torch.nn.functional.pad(a[None], (1, 2), "reflect"); torch.nn.functional.pad(a[None, None], (1, 1, 2, 1), mode="replicate")
torch.nn.functional.pad(a[None], (1, 2), mode="circular"); torch.nn.functional.pad(a[None], (4, 4), mode="reflect")
torch.nn.functional.pad(a[None], (5, 5), mode="circular"); torch.nn.functional.pad(c[None], (2, -1, 1, 1, 1, 0), mode="circular")
torch.nn.functional.pad(a, (1, 1, 1, 1), "reflect"); torch.nn.functional.pad(a, (1, 1), "mirror"); torch.nn.functional.pad(a, (-1, 2), value=5.0)
a[[[0, 1]]]; a[[[0, 1], [1, 0]]]; c[[rows % 2, rows]]; a[[slice(0, 2), 1]]; a[[None, 0]]; a[rows.to(torch.uint8)]; a[torch.tensor([])]
torch.svd(a).V.abs(); torch.svd(a)[2].abs(); torch.svd(a, some=False).U.abs(); torch.cross(c[0, :, :3], c[1, :, :3]); torch.full((2,), "x")
torch.cross(a[:, :3], b[:, :3]); torch.linalg.cross(a[:, :3], b[:, :3]); torch.ones(2, dtype="float32"); torch.ones(2, dtype=str); torch.stack(a)
torch.where(m, torch.tensor(1.5), s); torch.where(m, torch.tensor(2).int(), t); torch.where(m, a); torch.flip(a); torch.isclose(a, 3); torch.equal(a, 3); torch.randperm(2.5); torch.matmul(a); torch.softmax(a); torch.sum()
a.gather(1, [0]); a.index_select(0, [0]); a.masked_fill([True], 0); a.masked_fill(m, "x"); a.scatter(1, ix); torch.arange("a"); torch.full(2, 3)
torch.randint(high=1, size=(2,)); torch.normal(mean=0.0, std=0.0, size=(2,)); torch.linalg.inv(A=c[0, :, :3]); torch.linalg.det(A=c[0, :, :3])
a.__setitem__(0, None); a.detach().__setitem__(0, [1.0] * 4); m.__setitem__(0, "x"); i.__setitem__(0, 2.5)
""".replace("\n", "; ").split("; ")


def program(lib, line):
    return eval(line, {"torch": lib, **{name: lib.tensor(x).requires_grad_(x.dtype.kind == "f") for name, x in INPUTS.items()}})


@pytest.mark.parametrize("line", [line for line in LINES if line])
def test_line(line):
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        try:
            program(torch, line)
        except Exception as refusal:
            with pytest.raises(Exception) as caught:
                program(tg, line)
            assert isinstance(caught.value, type(refusal)), f"{caught.value!r}, where torch raises {refusal!r}"
            return
        both(lambda lib, *xs: eval(line, {"torch": lib, **dict(zip(INPUTS, xs, strict=True))}), *INPUTS.values())


def test_functions_are_found_again_and_say_what_they_are():
    for f in (tg.tanh, tg.softmax, tg.zeros, tg.add, tg.max, tg.linalg.svd, tg.nn.functional.relu):
        assert pickle.loads(pickle.dumps(f)) is f and f.__doc__ and "call" not in repr(f)


def test_an_out_argument_is_refused_by_name():
    with pytest.raises(NotImplementedError, match=r"exp\(\): out= is not implemented(.|\n)*y = tg.exp\(...\)"):
        tg.exp(tg.ones(2), out=tg.ones(2))


def test_what_is_added_in_place_keeps_the_dtype_and_the_shape():
    for make in (lambda lib, x, y: lib.ones(3) + x * 0, lambda lib, x, y: lib.ones(3)):
        def grown(lib, x, y, make=make):
            z = make(lib, x, y).float()
            z += y
            return z
        both(grown, np.ones(3, np.float32), np.arange(3.0))
    for lib in (tg, torch):
        x, wide = lib.ones(3), lib.ones(2, 3, requires_grad=True)
        with pytest.raises(RuntimeError, match="broadcast shape"):
            x += wide
        n = lib.ones(3).long()
        with pytest.raises(RuntimeError, match="can't be cast"):
            n += wide[0]
        assert x.tolist() == [1, 1, 1] and n.tolist() == [1, 1, 1]


@pytest.mark.parametrize("line, remedy", {
    "torch.matmul(a)": "tg.matmul(input, other)", "torch.arange('x')": "tg.arange(start=0, end=None, step=1", "torch.einsum(a, 'ij')": "tg.einsum",
    "torch.sum()": "tg.sum(input, dim=None", "torch.ones(2, dtype='float32')": "tg.float32", "torch.exp(a, b)": "tg.exp(input)",
    "a.to(3)": "tg.float64", "torch.zeros_like(3)": "tg.tensor", "torch.stack(a)": "tg.stack([a, b])"}.items())
def test_a_call_that_does_not_fit_says_which_does(line, remedy):
    with pytest.raises(TypeError) as caught:
        program(tg, line)
    said = str(caught.value)
    assert "operation: " in said and "your line: " in said and remedy in said.partition("instead:")[2]


def test_masks_and_whole_numbers_change_in_place():
    for lib in (tg, torch):
        seen = lib.tensor([True, True, False])
        view, n = seen[:2], lib.tensor([7, -7, 5])
        rest = n[1:]
        view &= lib.tensor([False, True])
        seen |= lib.tensor([False, False, True])
        seen ^= lib.tensor([True, False, False])
        rest %= 4
        n //= 2
        assert seen.tolist() == [True, True, True] and view.tolist() == [True, True] and n.tolist() == [3, 0, 0]
        with pytest.raises(RuntimeError, match="can't be cast"):
            seen &= lib.tensor([1, 2, 3])
        x = lib.tensor([1.0, -3.0])
        x %= lib.tensor([2.0, 2.0], requires_grad=True).double()
        assert x.dtype == lib.float32 and x.requires_grad and x.tolist() == [1, 1]
