"""Learning-rate schedulers: how the rate of each parameter group changes from epoch to epoch.

``scheduler.step()`` comes after ``optimizer.step()``. Most rules multiply the current rate, so that schedulers can be
chained; ``closed_form`` is the same curve computed from the epoch alone.
"""
from __future__ import annotations

import math
import types
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from ..errors import message
from ..mode import capturing
from ..nn.notice import notice
from .optimizer import Optimizer, anew, check, outside

__all__ = [
    "ChainedScheduler", "ConstantLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts", "ExponentialLR",
    "LRScheduler", "LambdaLR", "LinearLR", "MultiStepLR", "MultiplicativeLR", "OneCycleLR", "PolynomialLR",
    "ReduceLROnPlateau", "SequentialLR", "StepLR",
]


def rates(optimizer: Optimizer) -> list[float]:
    """The current learning rate of each group."""
    return [group["lr"] for group in optimizer.param_groups]


def must_be_optimizer(optimizer: Any, op: str) -> None:
    """TypeError where it is none; a captured program would not make a scheduler for it each time."""
    if watcher := capturing():
        watcher.refused(f"a new {op}", "make it outside")
    if not isinstance(optimizer, Optimizer):
        raise TypeError(message(f"{type(optimizer).__name__} is not an Optimizer", op=op,
                                instead=f"{op}(optim.SGD(net.parameters(), lr=0.1), ...)"))


def one_each(name: str, value: Any, optimizer: Optimizer) -> list:
    """One value for each group, from one for all or a list."""
    if not isinstance(value, (list, tuple)):
        return [value] * len(optimizer.param_groups)
    check(len(value) == len(optimizer.param_groups),
          f"{name} must have the same length as optimizer.param_groups. {name} has "
          f"{len(value)} values, param_groups has {len(optimizer.param_groups)}.", name)
    return list(value)


class LRScheduler:
    """The base: a subclass gives the rates of the epoch ``self.last_epoch`` by ``get_lr``."""

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1):
        must_be_optimizer(optimizer, type(self).__name__)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(message(f"param 'initial_lr' is not specified in param_groups[{i}] when resuming "
                                       "scheduler with last_epoch >= 0.", op=type(self).__name__,
                                       instead="load the optimizer's state_dict first, or leave last_epoch out"))
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._initial_step()

    def _check(self, ok: bool, what: str, instead: str = "") -> None:
        check(ok, what, type(self).__name__, instead)

    def _initial_step(self) -> None:
        self._step_count, self._is_initial = 0, True
        self.step()
        self._is_initial = False

    def get_lr(self) -> list[float]:
        """The rates of the groups at epoch ``last_epoch``; call ``get_last_lr`` to look at them."""
        raise NotImplementedError

    def get_last_lr(self) -> list[float]:
        """The rates that were set last, one for each group."""
        return self._last_lr

    @anew
    def step(self, epoch: int | None = None) -> None:
        """Go on to the next epoch, or to the given one, and set the rates."""
        stepped = self.optimizer.steps or type(self.optimizer).step is not Optimizer.step
        if self._step_count == 1 and not stepped:
            notice("Detected call of `lr_scheduler.step()` before `optimizer.step()`: the first value of the learning "
                   "rate schedule is skipped", op=f"{type(self).__name__}.step",
                   instead="optimizer.step() first, then scheduler.step()")
        self._step_count += 1
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self._get_lr_called_within_step = True
        values = self.get_lr() if epoch is None or not hasattr(self, "closed_form") else [
            self.closed_form(base) for base in self.base_lrs]
        self._get_lr_called_within_step = False
        for group, lr in zip(self.optimizer.param_groups, values, strict=True):
            group["lr"] = lr
        self._last_lr = rates(self.optimizer)

    def _times(self, factor: float) -> list[float]:
        """The current rates times ``factor``."""
        if watcher := capturing():
            watcher.refused(f"{type(self).__name__}.get_lr()", "get_last_lr(), outside")
        if not self._get_lr_called_within_step:
            notice("To get the last learning rate computed by the scheduler, please use `get_last_lr()`.",
                   op=f"{type(self).__name__}.get_lr", instead="scheduler.get_last_lr()")
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    @outside
    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    @outside
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state that ``state_dict`` gave."""
        self.__dict__.update(state_dict)


class LambdaLR(LRScheduler):
    """base_lr f(epoch), with one function for all groups or a list with one for each.

    >>> opt = optim.SGD([nn.Parameter(tensor(1.0))], lr=0.5)
    >>> scheduler = optim.lr_scheduler.LambdaLR(opt, lambda epoch: 1 / (1 + epoch))
    >>> opt.step(); scheduler.step(); scheduler.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1):
        must_be_optimizer(optimizer, type(self).__name__)
        each, n = isinstance(lr_lambda, (list, tuple)), len(optimizer.param_groups)
        self.lr_lambdas = list(lr_lambda) if each else [lr_lambda] * n
        self._check(len(self.lr_lambdas) == n, f"Expected {n} lr_lambdas, but got {len(self.lr_lambdas)}")
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        self._times(1)
        return [base * f(self.last_epoch) for f, base in zip(self.lr_lambdas, self.base_lrs, strict=True)]

    @outside
    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer and plain functions; of callable objects, their attributes."""
        return {**super().state_dict(), "lr_lambdas": [None if isinstance(f, types.FunctionType) else dict(vars(f))
                                                       for f in self.lr_lambdas]}

    @outside
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state that ``state_dict`` gave; plain functions stay as they are."""
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "lr_lambdas"})
        for f, saved in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if saved is not None:
                vars(f).update(saved)


class MultiplicativeLR(LambdaLR):
    """The current rate times f(epoch) in each epoch."""

    def get_lr(self) -> list[float]:
        now = self._times(1)
        return now if self._is_initial else [lr * f(self.last_epoch) for f,
                                             lr in zip(self.lr_lambdas, now, strict=True)]


class FactorLR(LRScheduler):
    """base_lr f(epoch), where a subclass gives ``factor`` f. The current rate is multiplied by f(t) / f(t - 1), so that
    several schedulers of one optimiser multiply their factors."""

    smooth = True                                     # resumed at epoch t, the rate is taken as that of t already

    def factor(self, t: int) -> float:
        """f at epoch t."""
        raise NotImplementedError

    def get_lr(self) -> list[float]:
        t = self.last_epoch
        before = self.factor(t - 1) if t > 0 else 1.0
        still = before == 0 or self._is_initial and t > 0 and self.smooth
        return self._times(1.0 if still else self.factor(t) / before)

    def closed_form(self, base: float) -> float:
        """The rate of epoch ``last_epoch`` by itself."""
        return base * self.factor(self.last_epoch)


class StepLR(FactorLR):
    """Times gamma every step_size epochs: base_lr gamma^(epoch // step_size)."""

    smooth = False

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1):
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        return self.gamma ** (t // self.step_size)


class MultiStepLR(FactorLR):
    """Times gamma at each of the milestones: base_lr gamma^(number of milestones passed)."""

    smooth = False

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1):
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        return self.gamma ** bisect_right(sorted(self.milestones.elements()), t)


class ConstantLR(LRScheduler):
    """Times ``factor`` for the first total_iters epochs."""

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1):
        self._check(0 <= factor <= 1, "Constant multiplicative factor expected to be between 0 and 1.")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return self._times({0: self.factor, self.total_iters: 1 / self.factor}.get(self.last_epoch, 1))

    def closed_form(self, base: float) -> float:
        """base factor, and base from total_iters on."""
        return base * (1 if self.last_epoch >= self.total_iters else self.factor)


class LinearLR(FactorLR):
    """base_lr f, where f goes straight from start_factor to end_factor within total_iters epochs (a warm-up)."""

    def __init__(self, optimizer: Optimizer, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5,
                 last_epoch: int = -1):
        self._check(0 < start_factor <= 1,
                    "Starting multiplicative factor expected to be greater than 0 and less or equal to 1.")
        self._check(0 <= end_factor <= 1, "Ending multiplicative factor expected to be between 0 and 1.")
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        done = min(self.total_iters, t) / max(self.total_iters, 1)
        return self.start_factor + (self.end_factor - self.start_factor) * done


class PolynomialLR(FactorLR):
    """base_lr (1 - epoch / total_iters)^power, then 0."""

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1):
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        return (1 - min(self.total_iters, t) / max(self.total_iters, 1)) ** self.power


class ExponentialLR(FactorLR):
    """Times gamma every epoch: base_lr gamma^epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1):
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        return self.gamma ** t


class CosineAnnealingLR(LRScheduler):
    """eta_min + (base_lr - eta_min) (1 + cos(pi epoch / T_max)) / 2 (Loshchilov and Hutter 2017)."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1):
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        now, t, low = self._times(1), self.last_epoch, self.eta_min
        if self._is_initial:
            return now
        if self._step_count == 1 and t > 0:
            return [self.closed_form(base) for base in self.base_lrs]
        if (t - 1 - self.T_max) % (2 * self.T_max) == 0:          # the rate was eta_min: there is nothing to multiply
            rise = (1 - math.cos(math.pi / self.T_max)) / 2
            return [lr + (base - low) * rise for base, lr in zip(self.base_lrs, now, strict=True)]
        fall = (1 + math.cos(math.pi * t / self.T_max)) / (1 + math.cos(math.pi * (t - 1) / self.T_max))
        return [low + fall * (lr - low) for lr in now]

    def closed_form(self, base: float) -> float:
        """The formula."""
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * self.last_epoch / self.T_max)) / 2


class CosineAnnealingWarmRestarts(LRScheduler):
    """Cosine annealing that starts over after T_0 epochs, then after T_mult times as many, and so on (SGDR)."""

    def __init__(self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1):
        self._check(isinstance(T_0, int) and T_0 > 0, f"Expected positive integer T_0, but got {T_0}")
        self._check(isinstance(T_mult, int) and T_mult >= 1, f"Expected integer T_mult >= 1, but got {T_mult}")
        self.T_0, self.T_i, self.T_mult, self.eta_min = T_0, T_0, T_mult, eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        self._times(1)
        return [self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
                for base in self.base_lrs]

    @anew
    def step(self, epoch: float | None = None) -> None:
        """Go on to the next epoch, or to a fractional one: ``step(epoch + batch / batches)``."""
        if epoch is None:
            epoch, self.T_cur = max(self.last_epoch, -1) + 1, self.T_cur + 1
        else:
            self._check(epoch >= 0, f"Expected non-negative epoch, but got {epoch}")
            self.T_cur, self.T_i = epoch, self.T_0
        while self.T_cur >= self.T_i:
            self.T_cur -= self.T_i
            self.T_i *= self.T_mult
        self._step_count += 1
        self.last_epoch = math.floor(epoch) - 1
        self._update_lr()


class OneCycleLR(LRScheduler):
    """Up from max_lr / div_factor to max_lr within pct_start of the steps, then down to the start / final_div_factor
    (Smith and Topin 2018); momentum, or the first beta, goes the other way. One step for each batch."""

    def __init__(self, optimizer: Optimizer, max_lr: float | list[float], total_steps: int | None = None,
                 epochs: int | None = None, steps_per_epoch: int | None = None, pct_start: float = 0.3,
                 anneal_strategy: str = "cos", cycle_momentum: bool = True, base_momentum: float | list[float] = 0.85,
                 max_momentum: float | list[float] = 0.95, div_factor: float = 25.0, final_div_factor: float = 1e4,
                 three_phase: bool = False, last_epoch: int = -1):
        must_be_optimizer(optimizer, "OneCycleLR")
        self.optimizer = optimizer
        if total_steps is None:
            self._check(epochs is not None and steps_per_epoch is not None,
                        "You must define either total_steps OR (epochs AND steps_per_epoch)",
                        "total_steps=epochs * len(loader)")
            for name, n in (("epochs", epochs), ("steps_per_epoch", steps_per_epoch)):
                self._check(isinstance(n, int) and n > 0, f"Expected positive integer {name}, but got {n}")
            total_steps = epochs * steps_per_epoch
        self._check(isinstance(total_steps, int) and total_steps > 0,
                    f"Expected positive integer total_steps, but got {total_steps}")
        self._check(isinstance(pct_start, float) and 0 <= pct_start <= 1,
                    f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        self._check(anneal_strategy in ("cos", "linear"),
                    f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self.total_steps, self._anneal_func_type, self.cycle_momentum = total_steps, anneal_strategy, cycle_momentum
        up = (pct_start * total_steps - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum")
        if three_phase:
            phases = [up, (2 * pct_start * total_steps - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
                      (total_steps - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum")]
        else:
            phases = [up, (total_steps - 1, "max_lr", "min_lr", "base_momentum", "max_momentum")]
        keys = ("end_step", "start_lr", "end_lr", "start_momentum", "end_momentum")
        self._schedule_phases: list[dict[str, Any]] = [dict(zip(keys, phase, strict=True)) for phase in phases]
        if last_epoch == -1:
            for group, top in zip(optimizer.param_groups, one_each("max_lr", max_lr, optimizer), strict=True):
                group.update(initial_lr=top / div_factor, max_lr=top, min_lr=top / div_factor / final_div_factor)
        if cycle_momentum:
            self._check("momentum" in optimizer.defaults or "betas" in optimizer.defaults,
                        "optimizer must support momentum or beta1 with `cycle_momentum` option enabled",
                        "cycle_momentum=False")
            self.use_beta1 = "betas" in optimizer.defaults
            if last_epoch == -1:
                for group, top, low in zip(optimizer.param_groups, one_each("max_momentum", max_momentum, optimizer),
                                           one_each("base_momentum", base_momentum, optimizer), strict=True):
                    group.update(max_momentum=top, base_momentum=low)
                    self._set_momentum(group, top)
        super().__init__(optimizer, last_epoch)

    def _set_momentum(self, group: dict[str, Any], momentum: float) -> None:
        group.update({"betas": (momentum, *group["betas"][1:])} if self.use_beta1 else {"momentum": momentum})

    def _between(self, start: float, end: float, done: float) -> float:
        """The value after the part ``done`` of the way from start to end."""
        if self._anneal_func_type == "linear":
            return start + (end - start) * done
        return end + (start - end) / 2 * (1 + math.cos(math.pi * done))

    def get_lr(self) -> list[float]:
        self._times(1)
        step, start = self.last_epoch, 0.0
        self._check(step <= self.total_steps, f"Tried to step {step} times. The specified number of total steps is "
                    f"{self.total_steps}", "step once for each batch: total_steps = epochs * len(loader)")
        for phase in self._schedule_phases:
            if step <= phase["end_step"] or phase is self._schedule_phases[-1]:
                break
            start = phase["end_step"]
        done = (step - start) / (phase["end_step"] - start)
        for group in self.optimizer.param_groups if self.cycle_momentum else ():
            self._set_momentum(group, self._between(group[phase["start_momentum"]], group[phase["end_momentum"]], done))
        return [self._between(group[phase["start_lr"]], group[phase["end_lr"]], done)
                for group in self.optimizer.param_groups]


class ReduceLROnPlateau(LRScheduler):
    """Times ``factor`` when the metric did not improve for more than ``patience`` epochs: ``step(validation_loss)``."""

    def __init__(self, optimizer: Optimizer, mode: str = "min", factor: float = 0.1, patience: int = 10,
                 threshold: float = 1e-4, threshold_mode: str = "rel", cooldown: int = 0,
                 min_lr: float | list[float] = 0, eps: float = 1e-8):
        self._check(factor < 1, "Factor should be < 1.0.", "factor=0.1")
        must_be_optimizer(optimizer, "ReduceLROnPlateau")
        self._check(mode in ("min", "max"), f"mode {mode} is unknown!", "'min' for a loss, 'max' for an accuracy")
        self._check(threshold_mode in ("rel", "abs"), f"threshold mode {threshold_mode} is unknown!", "'rel' or 'abs'")
        self.optimizer, self.factor, self.patience, self.cooldown, self.eps = optimizer, factor, patience, cooldown, eps
        self.default_min_lr = None if isinstance(min_lr, (list, tuple)) else min_lr
        self.min_lrs = one_each("min_lr", min_lr, optimizer)
        self.mode, self.threshold, self.threshold_mode = mode, threshold, threshold_mode
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self.last_epoch, self._last_lr = 0, rates(optimizer)
        self.best, self.cooldown_counter, self.num_bad_epochs = self.mode_worse, 0, 0

    @property
    def in_cooldown(self) -> bool:
        """Whether it waits after a reduction."""
        return self.cooldown_counter > 0

    def _is_better(self, a: float, best: float) -> bool:
        sign = -1 if self.mode == "min" else 1
        bar = best * (1 + sign * self.threshold) if self.threshold_mode == "rel" else best + sign * self.threshold
        return a < bar if self.mode == "min" else a > bar

    @anew
    def step(self, metrics: Any, epoch: int | None = None) -> None:
        """Look at this epoch's metric, a loss to be small or an accuracy to be large."""
        current = float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(current, self.best):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            lows = self.min_lrs + [self.default_min_lr or 0] * (len(self.optimizer.param_groups) - len(self.min_lrs))
            for group, low in zip(self.optimizer.param_groups, lows, strict=True):
                new = max(float(group["lr"]) * self.factor, low)
                if group["lr"] - new > self.eps:
                    group["lr"] = new
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = rates(self.optimizer)


class _Composed(LRScheduler):
    """Schedulers of one optimiser, as one."""

    def _take(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer) -> None:
        name = type(self).__name__
        self._check(len(schedulers) >= 1, f"{name} expects at least one scheduler, but got no scheduler.")
        for i, s in enumerate(schedulers):
            if not hasattr(s, "optimizer"):
                raise TypeError(message(f"{name} at index {i} should have `optimizer` as its attribute.", op=name))
            self._check(not isinstance(s, ReduceLROnPlateau), f"{name} does not support `ReduceLROnPlateau` scheduler "
                        "as it requires additional kwargs to be specified when calling `step`, but got one at index "
                        f"{i}")
            self._check(s.optimizer is optimizer, f"{name} expects all schedulers to belong to the same optimizer, but "
                        f"the one at index {i} belongs to another")
        self._schedulers, self.optimizer = schedulers, optimizer

    @outside
    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, with the states of the parts."""
        return {**super().state_dict(), "_schedulers": [s.state_dict() for s in self._schedulers]}

    @outside
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state that ``state_dict`` gave."""
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "_schedulers"})
        for s, saved in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            s.load_state_dict(saved)


class ChainedScheduler(_Composed):
    """All schedulers step together; their factors multiply."""

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None):
        self._take(schedulers, optimizer or (schedulers[0].optimizer if schedulers else None))
        self._last_lr = rates(self.optimizer)

    @anew
    def step(self) -> None:
        """Step all."""
        for s in self._schedulers:
            s.step()
        self._last_lr = rates(self.optimizer)


class SequentialLR(_Composed):
    """One scheduler after the other: the next takes over at each milestone, from its own epoch 0."""

    def __init__(self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int],
                 last_epoch: int = -1):
        self._take(schedulers, optimizer)
        self._check(len(milestones) == len(schedulers) - 1, "Sequential Schedulers expects number of schedulers "
                    "provided to be one more than the number of milestone points, but got number of schedulers "
                    f"{len(schedulers)} and the number of milestones to be equal to {len(milestones)}")
        self._milestones, self.last_epoch = milestones, last_epoch + 1
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        self._undo(self)                              # each took its first step when it was made
        first = schedulers[bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def _undo(self, scheduler: LRScheduler) -> None:
        if isinstance(scheduler, _Composed):
            for s in scheduler._schedulers:
                self._undo(s)
        else:
            scheduler.last_epoch -= 1

    @anew
    def step(self) -> None:
        """Step the scheduler whose turn it is."""
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[i]
        if i > 0 and self._milestones[i - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()
