"""Trainers as people write them: an object with a step that is compiled, and loops around it that keep its history."""
from __future__ import annotations

import copy
from dataclasses import dataclass, field

import pytest

import tinygrad_edu as tg
from tinygrad_edu import nn, optim


@dataclass
class Config:
    """Options, as one keeps them."""

    penalty: float


class Base:
    """A trainer: what its loops write down is nothing that a step reads."""

    def __init__(self):
        self.net = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.3), nn.Linear(4, 1))
        self.rule = optim.SGD(self.net.parameters(), lr=0.1)
        self.losses, self.epoch, self.best = [], 0, {"loss": float("inf")}
        self.config = Config(penalty=0.5)

    def loss(self, x):
        return self.net(x).pow(2).mean()

    def step(self, x):
        self.rule.zero_grad()
        loss = self.loss(x)
        loss.backward()
        self.rule.step()
        return loss

    def train(self, step, n):                         # as a method of every layer is called
        self.net.train()
        for k in range(n):
            self.epoch = k
            self.losses.append(step(tg.ones(2, 3) * k).item())
            self.best["loss"] = min(self.best["loss"], self.losses[-1])

    def report(self):
        return f"{self.epoch}: {self.losses[-1]}, best {self.best['loss']}"


class Weighted(Base):
    """One that calls the step of the class above it."""

    def loss(self, x):
        return super().loss(x) + self.config.penalty * sum(p.pow(2).sum() for p in self.net.parameters())

    def step(self, x):
        return super().step(x)


class Kept(Base):
    """One that keeps its compiled step, and validates with a compiled method."""

    def __init__(self):
        super().__init__()
        self.compiled = tg.compile(self.step)

    @tg.compile
    def valid(self, x):
        with tg.no_grad():
            return self.loss(x)

    def train(self, step, n):
        super().train(self.compiled if isinstance(step, tg.tape.Compiled) else step, n)
        self.losses.append(self.valid(tg.ones(2, 3)).item())


class Layer(nn.Module):
    """One that is a module itself."""

    def __init__(self):
        super().__init__()
        self.net, self.losses, self.count = nn.Linear(3, 1), [], 0
        self.rule = optim.Adam(self.net.parameters())

    def forward(self, x):
        return self.net(x).pow(2).mean()

    def step(self, x):
        self.rule.zero_grad()
        loss = self(x)
        loss.backward()
        self.rule.step()
        return loss

    def fit(self, step, n):
        for _ in range(n):
            self.losses.append(step(tg.ones(2, 3)).item())
            self.count += 1


@dataclass(eq=False, repr=False)
class Fields:
    """One whose attributes are fields."""

    net: nn.Module
    losses: list = field(default_factory=list)

    def step(self, x):
        loss = self.net(x).pow(2).mean()
        self.net.zero_grad()
        loss.backward()
        return loss

    def fit(self, step, n):
        for _ in range(n):
            self.losses.append(step(tg.ones(2, 3)).item())


@pytest.mark.parametrize("kind", [Base, Weighted, Kept])
def test_a_trainer_whose_history_grows_outside_its_step_is_replayed(kind):
    trainers = []
    for how in (lambda f: f, tg.compile):
        tg.manual_seed(0)
        trainer = kind()
        step = how(trainer.step)
        trainer.train(step, 4)
        trainer.report()
        trainer.rule.param_groups[0]["lr"] = 0.01
        trainer.train(step, 4)
        trainers.append(trainer)
    assert trainers[0].losses == pytest.approx(trainers[1].losses, rel=1e-6)
    assert (trainer.compiled if kind is Kept else step).cache_info()[:2] == (7, 1)


def test_what_a_step_of_a_trainer_reads_through_helpers_is_asked():
    trainer, x = Weighted(), tg.ones(2, 3)
    step = tg.compile(trainer.step)
    step(x)
    for k, change in enumerate([lambda: setattr(trainer.config, "penalty", 0.0), lambda: trainer.net.eval(),
                                lambda: setattr(trainer, "net", nn.Linear(3, 1))]):
        change()
        state = tg.get_rng_state()
        expected = copy.deepcopy(trainer).step(x).item()
        tg.set_rng_state(state)
        assert step(x).item() == pytest.approx(expected, rel=1e-6)
        assert step.cache_info().recordings == 2 + k


@pytest.mark.parametrize("trainer", [Layer(), Fields(nn.Linear(3, 1))], ids=["module", "dataclass"])
def test_a_trainer_that_is_a_module_or_a_dataclass_is_replayed(trainer):
    step = tg.compile(trainer.step)
    for k in range(4):
        trainer.fit(step, 1)
        assert len(trainer.losses) == k + 1
    assert step.cache_info()[:2] == (3, 1)
