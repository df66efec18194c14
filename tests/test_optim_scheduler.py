"""Learning-rate schedulers: the whole curve against torch, epoch by epoch."""
from __future__ import annotations

import math
import pickle
import warnings

import pytest
import torch

import tinygrad_edu as tg

EPOCHS = 60
CURVES = {
    "LambdaLR": lambda s, o: s.LambdaLR(o, lambda e: 0.95 ** e),
    "LambdaLR each": lambda s, o: s.LambdaLR(o, [lambda e: 1 / (1 + e), lambda e: math.cos(e)]),
    "MultiplicativeLR": lambda s, o: s.MultiplicativeLR(o, lambda e: 0.9 + 0.001 * e),
    "StepLR": lambda s, o: s.StepLR(o, 7, 0.5), "MultiStepLR": lambda s, o: s.MultiStepLR(o, [5, 30, 30, 41], 0.3),
    "ConstantLR": lambda s, o: s.ConstantLR(o, 0.25, 11), "LinearLR": lambda s, o: s.LinearLR(o, 0.1, 0.8, 17),
    "ExponentialLR": lambda s, o: s.ExponentialLR(o, 0.93), "PolynomialLR": lambda s, o: s.PolynomialLR(o, 40, 2.0),
    "CosineAnnealingLR": lambda s, o: s.CosineAnnealingLR(o, 60), "CosineAnnealingLR up": lambda s,
    o: s.CosineAnnealingLR(o, 13, 0.01),
    "CosineAnnealingWarmRestarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 7, 2, 0.001),
    "OneCycleLR": lambda s, o: s.OneCycleLR(o, 1.0, total_steps=EPOCHS + 1),
    "OneCycleLR linear": lambda s, o: s.OneCycleLR(o, [1.0, 2.0], epochs=8, steps_per_epoch=8, anneal_strategy="linear",
                                                   pct_start=0.4, three_phase=True, div_factor=10.0),
    "OneCycleLR rate only": lambda s, o: s.OneCycleLR(o, 1.0, total_steps=EPOCHS + 1, cycle_momentum=False),
    "SequentialLR": lambda s, o: s.SequentialLR(o, [s.LinearLR(o, 0.1, 1.0, 10), s.CosineAnnealingLR(o, 20),
                                                    s.StepLR(o, 5)],
                                                [10, 30]),
    "SequentialLR exp": lambda s, o: s.SequentialLR(o, [s.ConstantLR(o, 0.5, 3), s.ExponentialLR(o, 0.9)], [20]),
    "ChainedScheduler": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 4), s.ExponentialLR(o, 0.9)]),
}


def optimizer(lib, kind="SGD"):
    options = {"momentum": 0.9} if kind == "SGD" else {}
    return getattr(lib.optim, kind)([{"params": [lib.nn.Parameter(lib.ones(1))], "lr": 0.5},
                                     {"params": [lib.nn.Parameter(lib.ones(1))]}], lr=0.1, **options)


def state(group):
    return [group["lr"], group.get("momentum"), *group.get("betas", ())]


def curve(lib, make, kind="SGD"):
    o = optimizer(lib, kind)
    scheduler = make(lib.optim.lr_scheduler, o)
    found = [[state(g) for g in o.param_groups]]
    for _ in range(EPOCHS):
        o.step()
        scheduler.step()
        found.append([state(g) for g in o.param_groups])
        assert list(scheduler.get_last_lr()) == [g["lr"] for g in o.param_groups]
    return found


def flat(found):
    return [x for epoch in found for group in epoch for x in group if x is not None]


@pytest.mark.filterwarnings("ignore:.*deprecated:UserWarning")
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("name", CURVES)
def test_curve(name, kind):
    assert flat(curve(tg, CURVES[name], kind)) == pytest.approx(flat(curve(torch, CURVES[name], kind)), rel=1e-9,
                                                                abs=1e-12)


METRICS = [1.0, 0.9, 0.9, 0.9, 0.91, 0.9, 0.5, 0.5, 0.5, 0.49999, 0.6, 0.6, 0.6, 0.6, 0.6, 0.7, 0.4, 0.4] * 4


@pytest.mark.parametrize("options", [
    {}, {"patience": 2}, {"patience": 1, "cooldown": 3, "factor": 0.5}, {"patience": 0, "min_lr": 0.01, "factor": 0.5},
    {"patience": 2, "threshold_mode": "abs", "threshold": 0.05}, {"mode": "max", "patience": 3},
    {"mode": "max", "patience": 1, "threshold_mode": "abs", "min_lr": [0.2, 0.001]}, {"patience": 0, "eps": 0.05}])
def test_reduce_on_plateau(options):
    results = []
    for lib in (tg, torch):
        o, found = optimizer(lib), []
        scheduler = lib.optim.lr_scheduler.ReduceLROnPlateau(o, **options)
        for m in METRICS:
            scheduler.step(lib.tensor(m))
            found.append(scheduler.get_last_lr()[:])
        results.append([x for rates in found for x in rates] + [scheduler.num_bad_epochs, scheduler.best,
                                                                scheduler.in_cooldown])
    assert results[0] == pytest.approx(results[1])


@pytest.mark.parametrize("name", CURVES)
def test_a_saved_state_goes_on_where_it_stopped(name):
    make, s = CURVES[name], tg.optim.lr_scheduler
    o = optimizer(tg)
    scheduler = make(s, o)
    for _ in range(23):
        o.step()
        scheduler.step()
    plain = "Lambda" in name or "Multiplicative" in name
    saved = scheduler.state_dict() if plain else pickle.loads(pickle.dumps(scheduler.state_dict()))
    assert "optimizer" not in saved
    p = optimizer(tg)
    again = make(s, p)
    p.load_state_dict(o.state_dict())
    again.load_state_dict(saved)
    for _ in range(20):
        for x, y in ((o, scheduler), (p, again)):
            x.step()
            y.step()
        assert scheduler.get_last_lr() == again.get_last_lr() and [state(g) for g in o.param_groups] == [
            state(g) for g in p.param_groups]


@pytest.mark.parametrize("name", ["StepLR", "MultiStepLR", "ExponentialLR", "CosineAnnealingLR", "LinearLR",
                                  "ConstantLR",
                                  "PolynomialLR", "OneCycleLR", "LambdaLR"])
def test_state_keys_are_torchs(name):
    ours, theirs = (set(CURVES[name](lib.optim.lr_scheduler, optimizer(lib)).state_dict()) for lib in (tg, torch))
    assert ours == theirs


def test_fractional_epochs_of_warm_restarts():
    results = []
    for lib in (tg, torch):
        o, found = optimizer(lib), []
        scheduler = lib.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, 3, 2)
        for i in range(60):
            o.step()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                scheduler.step(i / 4)
            found += scheduler.get_last_lr()
        results.append(found)
    assert results[0] == pytest.approx(results[1])


def test_the_wrong_order_is_said():
    for lib in (tg, torch):
        o = optimizer(lib)
        scheduler = lib.optim.lr_scheduler.StepLR(o, 3)
        with pytest.warns(UserWarning, match="before `optimizer.step"):
            scheduler.step()
        with pytest.warns(UserWarning, match="get_last_lr"):
            scheduler.get_lr()


BAD = {
    "no optimizer": lambda lib, s, o: s.StepLR(lib.ones(1), 3), "lambda count": lambda lib, s,
    o: s.LambdaLR(o, [lambda e: 1]),
    "constant": lambda lib, s, o: s.ConstantLR(o, 2.0), "linear start": lambda lib, s, o: s.LinearLR(o, 0.0),
    "linear end": lambda lib, s, o: s.LinearLR(o, end_factor=2.0), "plateau factor": lambda lib, s,
    o: s.ReduceLROnPlateau(o, factor=1.0),
    "plateau mode": lambda lib, s, o: s.ReduceLROnPlateau(o, "low"), "plateau threshold": lambda lib, s,
    o: s.ReduceLROnPlateau(
        o, threshold_mode="x"), "plateau rates": lambda lib, s, o: s.ReduceLROnPlateau(o, min_lr=[0.1]),
    "plateau optimizer": lambda lib, s, o: s.ReduceLROnPlateau(3), "cycle steps": lambda lib, s,
    o: s.OneCycleLR(o, 1.0),
    "cycle total": lambda lib, s, o: s.OneCycleLR(o, 1.0, total_steps=-1),
    "cycle epochs": lambda lib, s, o: s.OneCycleLR(o, 1.0, epochs=0, steps_per_epoch=3),
    "cycle pct": lambda lib, s, o: s.OneCycleLR(o, 1.0, total_steps=9, pct_start=2.0),
    "cycle anneal": lambda lib, s, o: s.OneCycleLR(o, 1.0, total_steps=9, anneal_strategy="x"),
    "cycle max": lambda lib, s, o: s.OneCycleLR(o, [1.0], total_steps=9),
    "cycle momentum": lambda lib, s, o: s.OneCycleLR(lib.optim.Adagrad([lib.ones(1)]), 1.0, total_steps=9),
    "restarts": lambda lib, s, o: s.CosineAnnealingWarmRestarts(o, 0), "restarts mult": lambda lib, s,
    o: s.CosineAnnealingWarmRestarts(
        o, 2, 0), "resume": lambda lib, s, o: s.StepLR(o, 3, last_epoch=4),
    "sequential count": lambda lib, s, o: s.SequentialLR(o, [s.StepLR(o, 3)], [3]), "sequential none": lambda lib, s,
    o: s.SequentialLR(o, [], []),
    "sequential other": lambda lib, s, o: s.SequentialLR(o, [s.StepLR(optimizer(lib), 3)], []),
    "chained none": lambda lib, s, o: s.ChainedScheduler([]), "chained plateau": lambda lib, s, o: s.ChainedScheduler(
        [s.ReduceLROnPlateau(o)]),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_call(name):
    with pytest.raises(Exception) as theirs:          # noqa: B017  (whichever type torch raises is the expected one)
        BAD[name](torch, torch.optim.lr_scheduler, optimizer(torch))
    with pytest.raises(theirs.type):
        BAD[name](tg, tg.optim.lr_scheduler, optimizer(tg))


def test_one_cycle_ends():
    for lib in (tg, torch):
        o = optimizer(lib)
        scheduler = lib.optim.lr_scheduler.OneCycleLR(o, 1.0, total_steps=2)
        with pytest.raises(ValueError, match="total steps is 2"):
            for _ in range(5):
                o.step()
                scheduler.step()
