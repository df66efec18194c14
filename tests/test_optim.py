"""Optimisers: many steps against torch, from the same weights and gradients; groups, states, refusals."""
from __future__ import annotations

import copy
import gc
import pickle

import numpy as np
import pytest
import torch
from parity import same

import tinygrad_edu as tg
from tinygrad_edu.optim import optimizer as base

LIBS = pytest.mark.parametrize("lib", [tg, torch], ids=["ours", "torch"])
OPTIONS = [
    ("SGD", {}), ("SGD", {"lr": 0.1}), ("SGD", {"lr": 0.1, "momentum": 0.9}), ("SGD", {"lr": 0.1, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}), ("SGD", {"lr": 0.1, "momentum": 0.9, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "maximize": True}),
    ("Adam", {}), ("Adam", {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3}), ("Adam", {"lr": 0.1, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.1, "amsgrad": True}), ("Adam", {"lr": 0.1, "maximize": True, "weight_decay": 0.1,
                                                      "amsgrad": True}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("AdamW", {}), ("AdamW", {"lr": 0.1, "weight_decay": 0.3}),
    ("AdamW", {"lr": 0.1, "amsgrad": True, "maximize": True}),
    ("RMSprop", {}), ("RMSprop", {"lr": 0.1, "alpha": 0.8, "momentum": 0.9}),
    ("RMSprop", {"lr": 0.1, "centered": True}),
    ("RMSprop", {"lr": 0.1, "centered": True, "momentum": 0.5, "weight_decay": 0.1, "maximize": True}),
    ("Adagrad", {}), ("Adagrad", {"lr": 0.1, "lr_decay": 0.1}), ("Adagrad", {"lr": 0.1, "weight_decay": 0.1,
                                                                             "maximize": True}),
    ("Adagrad", {"lr": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-3}),
]
IDS = [f"{name} {' '.join(options)}".strip() for name, options in OPTIONS]


def parameters(lib, dtype="float64"):
    rng = np.random.default_rng(0)
    return [lib.nn.Parameter(lib.tensor(rng.normal(size=s).astype(dtype))) for s in ((4, 3), (5,), (), (2, 2))]


def walk(lib, optimizer, params, steps, start=0):
    """Steps with gradients that change; the last parameter never has one, the second not in each step."""
    for k in range(start, start + steps):
        optimizer.zero_grad()
        loss = sum(((p * (i + 1)).sin() * (0.1 + 0.05 * k)).sum() for i,
                   p in enumerate(params[:3]) if i != 1 or k % 2 == 0)
        loss.backward()
        optimizer.step()


@pytest.mark.parametrize("name, options", OPTIONS, ids=IDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ten_steps(name, options, dtype):
    ours, theirs = parameters(tg, dtype), parameters(torch, dtype)
    a, b = getattr(tg.optim, name)(ours, **options), getattr(torch.optim, name)(theirs, **options)
    walk(tg, a, ours, 10)
    walk(torch, b, theirs, 10)
    tolerance = {"rtol": 1e-9, "atol": 1e-11} if dtype == "float64" else {"rtol": 2e-4, "atol": 2e-5}
    for p, q in zip(ours, theirs, strict=True):
        same(p, q, **tolerance)
        assert p.is_leaf and p.requires_grad
    assert repr(a) == repr(b)
    mine, his = a.state_dict(), b.state_dict()
    assert mine["param_groups"] == his["param_groups"] and list(mine["state"]) == list(his["state"])
    for i, entries in his["state"].items():
        assert set(entries) == set(mine["state"][i])
        for key, value in entries.items():
            same(mine["state"][i][key], value, **tolerance)


@pytest.mark.parametrize("name, options", OPTIONS, ids=IDS)
def test_a_saved_state_goes_on_where_it_stopped_ours_or_torchs(name, options):
    straight, stopped, back = parameters(tg), parameters(tg), parameters(tg)
    a = getattr(tg.optim, name)(straight, **options)
    walk(tg, a, straight, 8)
    first = getattr(tg.optim, name)(stopped, **options)
    walk(tg, first, stopped, 4)
    second = getattr(tg.optim, name)(stopped, lr=0.7)
    second.load_state_dict(pickle.loads(pickle.dumps(first.state_dict())))
    walk(tg, second, stopped, 4, start=4)
    theirs = parameters(torch)                        # and half of the way in torch
    his = getattr(torch.optim, name)(theirs, **options)
    walk(torch, his, theirs, 4)
    third = getattr(tg.optim, name)(back)
    third.load_state_dict(his.state_dict())
    for p, q in zip(back, theirs, strict=True):
        p.data = tg.tensor(q.detach().numpy().copy())
    walk(tg, third, back, 4, start=4)
    for p, q, r in zip(straight, stopped, back, strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())
        np.testing.assert_allclose(p.detach().numpy(), r.detach().numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name, options", OPTIONS, ids=IDS)
def test_large_parameters_are_changed_in_parts_to_the_same_numbers(name, options, monkeypatch):
    found = []
    for part in (1 << 16, 2):
        monkeypatch.setattr(base, "PART", part)
        params = parameters(tg, "float32")
        walk(tg, getattr(tg.optim, name)(params, **options), params, 4)
        found.append([p.detach().numpy() for p in params])
    for p, q in zip(*found, strict=True):
        np.testing.assert_array_equal(p, q)


def test_a_parameter_that_is_not_contiguous_is_changed_as_a_whole(monkeypatch):
    monkeypatch.setattr(base, "PART", 2)
    w = tg.tensor(np.arange(12.0).reshape(3, 4).T, requires_grad=True)
    w.data = tg.tensor(np.zeros((3, 4))).T
    w.grad = tg.arange(12.0).reshape(4, 3).double()
    tg.optim.SGD([w], lr=1.0).step()
    np.testing.assert_array_equal(w.detach().numpy(), -np.arange(12.0).reshape(4, 3))


def test_loading_copies_and_checks_first():
    params = parameters(tg)
    a = tg.optim.Adam(params, lr=0.1)
    walk(tg, a, params, 2)
    state = a.state_dict()
    b = tg.optim.Adam(params)
    b.load_state_dict(state)
    state["state"][0]["exp_avg"].fill_(0.0)
    assert b.state[params[0]]["exp_avg"].numpy().all() and b.param_groups[0]["lr"] == 0.1
    for wrong in ({"state": {}, "param_groups": []}, {"state": {}, "param_groups": [{"params": [0]}]},
                  {"state": {0: {"exp_avg": tg.ones(7)}}, "param_groups": a.state_dict()["param_groups"]}):
        with pytest.raises(ValueError, match="loaded state dict"):
            b.load_state_dict(wrong)
        assert b.state[params[0]]["exp_avg"].numpy().all() and b.param_groups[0]["lr"] == 0.1


@LIBS
def test_groups(lib):
    params = parameters(lib)
    optimizer = lib.optim.SGD([{"params": params[0]}, {"params": params[1:2], "lr": 0.0}], lr=0.5, momentum=0.9)
    optimizer.add_param_group({"params": [params[2]], "momentum": 0.0})
    assert [g["lr"] for g in optimizer.param_groups] == [0.5, 0.0, 0.5]
    assert [g["momentum"] for g in optimizer.param_groups] == [0.9, 0.9, 0.0]
    before = [p.detach().clone() for p in params]
    sum(p.sum() for p in params[:3]).backward()
    optimizer.step()
    for p, q, moved in zip(params, before, (0.5, 0.0, 0.5, 0.0), strict=True):
        np.testing.assert_allclose((q - p).detach().numpy(), np.full(tuple(p.shape), moved), rtol=1e-12)
    named = lib.optim.Adam([("w", params[0]), ("b", params[1])])
    assert named.param_groups[0]["param_names"] == ["w", "b"]
    assert named.state_dict()["param_groups"][0]["param_names"] == ["w", "b"]


@LIBS
def test_closure_and_zero_grad(lib):
    p = lib.nn.Parameter(lib.ones(2))
    optimizer = lib.optim.SGD([p], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with lib.no_grad():
        loss = optimizer.step(closure)
    assert loss.item() == 2.0
    np.testing.assert_allclose(p.detach().numpy(), [0.8, 0.8], rtol=1e-6)
    optimizer.zero_grad(set_to_none=False)
    assert p.grad is not None and not p.grad.numpy().any()
    optimizer.zero_grad()
    assert p.grad is None
    optimizer.step()                                  # nothing has a gradient: nothing moves
    np.testing.assert_allclose(p.detach().numpy(), [0.8, 0.8], rtol=1e-6)


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_a_training_run_is_torchs_from_the_first_batch_to_the_last(kind):
    """Loader, network, loss, clipping, optimiser, scheduler, in float64: every loss of 3 epochs, then the weights."""
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(50, 6)), rng.integers(0, 3, 50)

    def build(lib):
        nn = lib.nn
        return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.LayerNorm(8), nn.Linear(8, 8), nn.GELU(),
                             nn.Linear(8, 3)).double()

    start, found, ends = build(torch).state_dict(), [], []
    for lib in (tg, torch):
        net, losses = build(lib), []
        net.load_state_dict(start)
        optimizer = getattr(lib.optim, kind)(net.parameters(), lr=0.01, weight_decay=0.01)
        scheduler = lib.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
        criterion = lib.nn.CrossEntropyLoss(label_smoothing=0.1)
        data = lib.utils.data.TensorDataset(lib.tensor(x), lib.tensor(labels))
        for _ in range(3):
            for batch, target in lib.utils.data.DataLoader(data, batch_size=8):
                optimizer.zero_grad()
                loss = criterion(net(batch), target)
                loss.backward()
                lib.nn.utils.clip_grad_norm_(net.parameters(), 0.5)
                optimizer.step()
                losses.append(loss.item())
            scheduler.step()
        found.append(losses)
        ends.append({k: v.numpy() for k, v in net.state_dict().items()})
    np.testing.assert_allclose(*found, rtol=1e-9)
    for k, v in ends[1].items():
        np.testing.assert_allclose(ends[0][k], v, rtol=1e-7, atol=1e-10)


def test_a_step_between_forward_and_backward_is_noticed():
    for lib in (tg, torch):
        layer = lib.nn.Linear(2, 2)
        x = lib.ones(1, 2, requires_grad=True)
        optimizer = lib.optim.SGD(layer.parameters(), lr=0.1)
        layer(x).sum().backward()
        y = layer(x).sum()
        optimizer.step()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.backward()


def test_a_step_keeps_the_parameter_its_memory_and_those_who_share_it():
    p = tg.nn.Parameter(tg.ones(3))
    view, memory = p.detach(), p.detach().numpy()
    optimizer = tg.optim.Adam([p], lr=0.5)
    p.sum().backward()
    optimizer.step()
    assert memory is p.detach().numpy() or np.shares_memory(memory, p.detach().numpy())
    np.testing.assert_allclose(view.numpy(), 0.5, rtol=1e-6)


def test_a_network_that_changes_its_dtype_goes_on():
    layer = tg.nn.Linear(2, 1)
    optimizer = tg.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9)
    layer(tg.ones(1, 2)).sum().backward()
    optimizer.step()
    layer.double()
    optimizer.zero_grad()
    layer(tg.ones(1, 2).double()).sum().backward()
    optimizer.step()
    assert layer.weight.dtype == tg.float64


def test_copies_are_independent_and_nothing_is_kept_alive():
    layer = tg.nn.Linear(2, 1)
    optimizer = tg.optim.Adam(layer.parameters())
    layer(tg.ones(1, 2)).sum().backward()
    optimizer.step()
    twin = copy.deepcopy(optimizer)
    assert repr(twin) == repr(optimizer) and twin.param_groups[0]["params"][0] is not layer.weight
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            layer(tg.ones(1, 2)).sum().backward()
            optimizer.step()
        assert gc.collect() == 0
    finally:
        gc.enable()


def w(lib):
    return lib.nn.Parameter(lib.ones(2))


BAD = {
    "negative lr": (lambda lib: lib.optim.SGD([w(lib)], lr=-1.0), ["Invalid learning rate: -1.0"]),
    "nan lr": (lambda lib: lib.optim.Adam([w(lib)], lr=float("nan")), ["Invalid learning rate: nan"]),
    "momentum": (lambda lib: lib.optim.SGD([w(lib)], momentum=-0.1), ["Invalid momentum value: -0.1"]),
    "weight decay": (lambda lib: lib.optim.AdamW([w(lib)], weight_decay=-1), ["Invalid weight_decay value: -1"]),
    "nesterov": (lambda lib: lib.optim.SGD([w(lib)], nesterov=True),
                 ["Nesterov momentum requires a momentum and zero dampening"]),
    "beta 0": (lambda lib: lib.optim.Adam([w(lib)], betas=(1.0, 0.9)), ["Invalid beta parameter at index 0: 1.0"]),
    "beta 1": (lambda lib: lib.optim.AdamW([w(lib)], betas=(0.9, -1.0)), ["Invalid beta parameter at index 1: -1.0"]),
    "eps": (lambda lib: lib.optim.Adam([w(lib)], eps=-1), ["Invalid epsilon value: -1"]),
    "alpha": (lambda lib: lib.optim.RMSprop([w(lib)], alpha=-1), ["Invalid alpha value: -1"]),
    "lr decay": (lambda lib: lib.optim.Adagrad([w(lib)], lr_decay=-1), ["Invalid lr_decay value: -1"]),
    "accumulator": (lambda lib: lib.optim.Adagrad([w(lib)], initial_accumulator_value=-1),
                    ["Invalid initial_accumulator_value value: -1"]),
    "a tensor": (lambda lib: lib.optim.SGD(w(lib)), ["iterable of Tensors or dicts", "net.parameters()"]),
    "nothing": (lambda lib: lib.optim.SGD([]), ["empty parameter list", "generator"]),
    "numbers": (lambda lib: lib.optim.SGD([1.0]), ["one of the params is float"]),
    "not a leaf": (lambda lib: lib.optim.SGD([w(lib) * 2]), ["can't optimize a non-leaf Tensor", "*"]),
    "a set": (lambda lib: lib.optim.SGD([{"params": {w(lib)}}]), ["Please use a list instead."]),
    "some names": (lambda lib: lib.optim.SGD([("w", w(lib)), w(lib)]), ["names"]),
    "group": (lambda lib: lib.optim.SGD([w(lib)]).add_param_group([w(lib)]), ["param_group must be a dict"]),
    "twice": (lambda lib: (lambda p: lib.optim.SGD([{"params": p}, {"params": p}]))(w(lib)),
              ["more than one parameter group"]),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_call(name):
    call, words = BAD[name]
    with pytest.raises(Exception) as theirs:          # noqa: B017  (whichever type torch raises is the expected one)
        call(torch)
    with pytest.raises(theirs.type) as ours:
        call(tg)
    for word in words:
        assert word in str(ours.value)


@LIBS
def test_duplicates_are_warned_of(lib):
    p = w(lib)
    with pytest.warns(UserWarning, match="duplicate parameters"):
        lib.optim.SGD([p, p])


def test_a_step_cannot_be_recorded():
    with pytest.raises(RuntimeError, match="not recorded"):
        tg.optim.SGD([w(tg)], differentiable=True)


def test_a_rule_of_ones_own():
    class SignSGD(tg.optim.Optimizer):
        def __init__(self, params, lr=0.1):
            super().__init__(params, {"lr": lr})

        def update(self, group, params):
            for p in params:
                p.payload -= group["lr"] * np.sign(p.grad.payload)

    p = tg.nn.Parameter(tg.tensor([1.0, -2.0]))
    (p * p).sum().backward()
    SignSGD([p], lr=0.5).step()
    assert p.tolist() == [0.5, -1.5]
    with pytest.raises(NotImplementedError):
        tg.optim.Optimizer([p], {}).step()
