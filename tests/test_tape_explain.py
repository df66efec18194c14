"""What a recorded program shows: names from the user's code, what the passes saved, and where the time goes."""
from __future__ import annotations

import enum
import re

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import Value, nn, optim
from tinygrad_edu.nn import functional as F  # noqa: N812
from tinygrad_edu.tape import CaptureError, compile  # noqa: A004


def network(keep: bool = False):
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Sigmoid(), nn.Linear(8, 3))
    rule = optim.SGD(model.parameters(), 0.1)

    @compile(keep=keep)
    def step(x, y):
        rule.zero_grad()
        out = model(x)
        loss = F.cross_entropy(out, y)
        loss.backward()
        rule.step()
        return loss
    x, y = tg.randn(6, 4), tg.tensor([0, 1, 2, 0, 1, 2])
    for _ in range(3):
        step(x, y)
    return step, x, y


@pytest.mark.parametrize("keep", [False, True])
def test_what_has_a_name_in_the_code_has_it_in_the_program(keep):
    step, _, _ = network(keep)
    text = step.source()
    assert re.search(r"^    out = np\.matmul\(.*\n    out \+= model_2_bias_data ", text, re.MULTILINE)
    assert re.search(r"^    d_out = np\.multiply\(", text, re.MULTILINE)
    for name in ("model_0_weight", "model_0_bias", "model_2_weight", "model_2_bias"):
        assert re.search(rf"^    d_{name} = np\.matmul\(.*out=kept_d_{name}\.array\(\)\)", text, re.MULTILINE)
        assert f"{name}._grad = kept_d_{name}.tensor" in text
    assert len(set(re.findall(r"^    (d_\w+) =", text, re.MULTILINE))) == 5       # each name is one array


def test_a_name_stays_where_another_array_is_written_over():
    @compile(keep=True)
    def f(x):
        t = x + 1
        half = t * 0.5
        t2 = half.tanh()
        return t2 * t2
    x = tg.tensor([1.0, -2.0])
    for _ in range(3):
        np.testing.assert_allclose(f(x).numpy(), np.tanh((x.numpy() + 1) / 2) ** 2, rtol=1e-6)
    text = f.source()
    assert "half = np.multiply(t, half2, out=t)" in text and "t2 = np.tanh(half, out=half)" in text


def test_what_one_listing_names_the_next_names_so_too():
    step, _, _ = network(keep=True)
    kept = [line for line in step.explain("apart").split("\n") if line.startswith("  ")]
    assert "      loss = cross_entropy(out, target=y, share=0.16666666666666666, parts=parts)" in [
        line.partition(" #")[0] for line in kept]     # the linear layers were cut up: what follows reads as before
    assert not any("residual" in line for line in step.explain("apart").split("\n") if line[0] in "+-")


def test_the_table_counts_what_a_compound_call_makes():
    step, _, _ = network()
    rows = {row[:20].strip(): row[20:45].split() for row in step.explain().split("\n")[2:]}
    # twice transpose, product, sum; four of the sigmoid; loss and its gradient with an e^x each; the seed, spread, and
    # its product with the gradient; backward: four products and two transposes, of h one more, three of the sigmoid;
    # four copies of what is kept
    assert int(rows["recorded"][0]) == 2 * 3 + 4 + 2 * 2 + 2 + 4 + 2 + 1 + 3 + 4
    assert "apart" not in rows and rows["exponentials once"][1] == "1" and rows["copies"][1] == "4"
    assert int(rows["in all"][1]) == 6 == int(rows["recorded"][0]) - int(rows["in all"][0])


# ---- programs of Values ----------------------------------------------------------------------------------------------
def test_a_program_of_values_says_what_its_pieces_hold():
    w = [Value(0.5), Value(-1.0)]

    @compile
    def fit(rate, x):
        loss = sum((wi * xi - 1.0) ** 2 for wi, xi in zip(w, x, strict=True))
        for wi in w:
            wi.grad = 0.0
        loss.backward()
        for wi in w:
            wi.data -= rate * wi.grad
        return loss
    for _ in range(3):
        fit(0.1, [1.0, 2.0])
    text = fit.source()
    assert "def fit(rate, x_0, x_1):" in text and "arguments_data[:] = " in text
    assert re.search(r"^inputs_data = V\[.*# 2, inputs: w_0, w_1$", text, re.MULTILINE)
    assert re.search(r"^power3 = V\[.*# 2, level 3, \*\*$", text, re.MULTILINE)
    assert re.search(r"np.multiply\(d_power3, 2 \* difference2, out=d_difference2\)", text)     # as one writes it
    body = text[text.index("def fit"):]
    named = set(re.findall(r"^(\w+) = [VD]\d?\[", text, re.MULTILINE))
    assert named and all(re.search(rf"\b{name}\b", body) for name in named)          # no piece without a use
    assert all("  # " in line for line in text.split("\n") if re.match(r"\w+ = [VD]", line))


def test_arguments_may_have_any_name():
    @compile
    def f(V, np, p, I, D, inputs):                    # noqa: N803, E741  (the names that the text itself uses)
        return Value(V) * np + p * I - D / inputs
    for k in range(1, 4):
        assert f(2.0 * k, 3.0, 4.0, 5.0, 6.0, 3.0).data == pytest.approx(6 * k + 20 - 2)


@pytest.mark.parametrize("power", [0, 1, 2, 3, -1, 0.5, 2.5])
def test_powers_in_levels(power):
    def build(ws):
        def step():
            for w in ws:
                w.grad = 0.0
            loss = sum(w ** power for w in ws)
            loss.backward()
            return loss
        return step
    mine, theirs = ([Value(0.3 + k) for k in range(5)] for _ in range(2))
    eager, step = build(mine), compile(build(theirs))
    for _ in range(3):
        assert step().data == pytest.approx(eager().data, rel=1e-14)
        assert [w.grad for w in theirs] == pytest.approx([w.grad for w in mine], rel=1e-14)
        for a, b in zip(mine, theirs, strict=True):
            a.data = b.data = a.data + 0.5
    assert "one_less" not in step.source()


def test_momentum_in_buffers_that_are_values():
    def build(ps):
        buffers = [Value(0.0) for _ in ps]

        def step(rate):
            loss = sum((p * p - 2.0) ** 2 for p in ps)
            for p in ps:
                p.grad = 0.0
            loss.backward()
            for p, v in zip(ps, buffers, strict=True):
                v.data = 0.9 * v.data + p.grad
                p.data -= rate * v.data
            return loss
        return step, buffers
    mine, theirs = ([Value(v) for v in (0.5, -1.0, 3.0)] for _ in range(2))
    (eager, a), (step, b) = build(mine), build(theirs)
    step = compile(step)
    for k in range(20):
        assert step(0.01 / (k + 1)).data == pytest.approx(eager(0.01 / (k + 1)).data, rel=1e-12)
    assert [v.data for v in (*theirs, *b)] == pytest.approx([v.data for v in (*mine, *a)], rel=1e-12)
    assert step.cache_info()[:2] == (19, 1)


class Colour(enum.IntEnum):
    RED = 1


def test_results_may_have_any_outside_object_as_a_key():
    ws = [Value(0.5), Value(2.0)]

    @compile
    def of_values(x):
        for w in ws:
            w.grad = 0.0
        (ws[0] * ws[1] * x).backward()
        return {**{w: w.grad for w in ws}, Colour.RED: x, (1, "a"): Colour.RED}
    t = tg.ones(2)
    of_tensors = compile(lambda x: {t: x * 2, Colour.RED: Colour.RED, None: x + 1})
    for k in range(1, 4):
        found = of_values(float(k))
        assert [found[w] for w in ws] == [2.0 * k, 0.5 * k] and found[Colour.RED] == k
        assert found[1, "a"] is Colour.RED
        again = of_tensors(tg.ones(2) * k)
        assert again[t].tolist() == [2.0 * k] * 2 and again[None].tolist() == [k + 1.0] * 2
        assert again[Colour.RED] is Colour.RED


def test_a_key_that_is_computed_is_refused():
    w = Value(2.0)
    with pytest.raises(CaptureError, match="as a key"):
        compile(lambda x: {w * x: 1.0})(3.0)


# ---- profile ---------------------------------------------------------------------------------------------------------
def test_profile_follows_a_branch_that_its_own_steps_turn():
    w = Value(1.0)

    @compile
    def step(x):
        y = (w * x) ** 2
        if y > 0.5:
            y = y * 1.0
        w.grad = 0.0
        y.backward()
        w.data -= 0.1 * w.grad
        return y
    for _ in range(10):
        step(1.0)
    w.data = 0.95                                     # two steps on this side, then on the other
    assert "us in" in step.profile(1.0) and step.profile(1.0).startswith("step: ")
    assert w.data < 0.7


def test_profile_where_each_step_branches_anew_gives_up_in_words():
    side = tg.ones(())

    @compile
    def step(x):
        y = side * x
        back = bool(y.sum() > 0)
        side.copy_(-side)
        return back
    with pytest.raises(RuntimeError, match="took another branch in each of 8 steps"):
        step.profile(tg.ones(()))
    assert abs(side.item()) == 1.0


def test_profile_of_what_runs_as_it_is_says_so():
    w = tg.ones(2, requires_grad=True)
    model = compile(lambda x: (w * x).sum())
    with pytest.raises(RuntimeError, match="runs as it is with these arguments"):
        model.profile(tg.ones(2))
