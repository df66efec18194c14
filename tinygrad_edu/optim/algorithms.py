"""The optimisers: each rule in NumPy, in place, on arrays that are reused from step to step.

Below, w is a parameter, g its gradient, t scratch memory of the same shape.
"""
from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from typing import Any

import numpy as np

from ..tensor import Tensor
from .optimizer import Optimizer, check

NOT_NEGATIVE = "a number that is 0 or more"


class SGD(Optimizer):
    """w <- w - lr v, where v <- momentum v + (1 - dampening) g; plain w <- w - lr g without momentum.

    ``nesterov`` follows g + momentum v instead of v (Sutskever et al. 2013); ``weight_decay`` adds weight_decay w to g.

    >>> w = nn.Parameter(tensor([1.0, 2.0]))
    >>> (w * w).sum().backward()
    >>> optim.SGD([w], lr=0.25).step()
    >>> w.tolist()
    [0.5, 1.0]
    """

    def __init__(self, params: Iterable, lr: float = 1e-3, momentum: float = 0, dampening: float = 0,
                 weight_decay: float = 0, nesterov: bool = False, *, maximize: bool = False,
                 foreach: bool | None = None, differentiable: bool = False, fused: bool | None = None):
        check(lr >= 0, f"Invalid learning rate: {lr}", "SGD", "lr=0.1")
        check(momentum >= 0, f"Invalid momentum value: {momentum}", "SGD", NOT_NEGATIVE)
        check(weight_decay >= 0, f"Invalid weight_decay value: {weight_decay}", "SGD", NOT_NEGATIVE)
        check(not nesterov or (momentum > 0 and dampening == 0),
              "Nesterov momentum requires a momentum and zero dampening", "SGD",
              "SGD(..., momentum=0.9, nesterov=True)")
        super().__init__(params, {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
                                  "nesterov": nesterov, "maximize": maximize, "foreach": foreach,
                                  "differentiable": differentiable, "fused": fused})

    def update(self, group: dict[str, Any], params: list[Tensor]) -> None:
        lr, momentum, keep = float(group["lr"]), group["momentum"], 1 - group["dampening"]
        for p in params:
            gradient = buffer = self.gradient(group, p)
            first = momentum and self.state[p].get("momentum_buffer") is None
            if first:
                self.state[p]["momentum_buffer"] = Tensor._leaf(np.array(gradient))
            if momentum:
                buffer = self.state[p]["momentum_buffer"].payload
            for w, t, g, v in self.parts(p, gradient, buffer):
                if momentum and not first:
                    np.multiply(v, momentum, out=v)
                    np.add(v, g if keep == 1 else g * keep, out=v)
                np.multiply(g + v * momentum if group["nesterov"] else v, lr, out=t)
                np.subtract(w, t, out=w)


class Adam(Optimizer):
    """w <- w - lr m / (sqrt(v) + eps), with averages m of g and v of g^2 that are corrected for starting at 0.

    m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2, divided by 1 - b^step (Kingma and Ba 2015). ``amsgrad`` takes the
    largest v so far; ``decoupled_weight_decay`` shrinks w itself, as AdamW does.
    """

    def __init__(self, params: Iterable, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 0, amsgrad: bool = False, *, foreach: bool | None = None, maximize: bool = False,
                 capturable: bool = False, differentiable: bool = False, fused: bool | None = None,
                 decoupled_weight_decay: bool = False):
        name = type(self).__name__
        check(lr >= 0, f"Invalid learning rate: {lr}", name, "lr=1e-3")
        check(eps >= 0, f"Invalid epsilon value: {eps}", name, NOT_NEGATIVE)
        for i in (0, 1):
            check(0 <= betas[i] < 1, f"Invalid beta parameter at index {i}: {betas[i]}", name, "betas=(0.9, 0.999)")
        check(weight_decay >= 0, f"Invalid weight_decay value: {weight_decay}", name, NOT_NEGATIVE)
        super().__init__(params, {"lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay,
                                  "amsgrad": amsgrad, "maximize": maximize, "foreach": foreach,
                                  "capturable": capturable, "differentiable": differentiable, "fused": fused,
                                  "decoupled_weight_decay": decoupled_weight_decay})

    def update(self, group: dict[str, Any], params: list[Tensor]) -> None:
        lr, (b1, b2), eps = float(group["lr"]), group["betas"], group["eps"]
        amsgrad = group["amsgrad"]
        for p in params:
            state = self.state[p]
            if not state:
                state.update(step=0.0, exp_avg=Tensor._leaf(np.zeros_like(p.payload)),
                             exp_avg_sq=Tensor._leaf(np.zeros_like(p.payload)))
                if amsgrad:
                    state["max_exp_avg_sq"] = Tensor._leaf(np.zeros_like(p.payload))
            step = state["step"] = state["step"] + 1
            start = sqrt(1 - b2 ** step)              # m and v began at 0: both corrections as one factor
            average, square = state["exp_avg"].payload, state["exp_avg_sq"].payload
            largest = state["max_exp_avg_sq"].payload if amsgrad else square
            for w, t, g, m, v, most in self.parts(p, self.gradient(group, p), average, square, largest):
                if group["weight_decay"] and group["decoupled_weight_decay"]:
                    np.multiply(w, 1 - lr * group["weight_decay"], out=w)
                np.subtract(g, m, out=t)              # m += (1 - b1) (g - m)
                np.multiply(t, 1 - b1, out=t)
                np.add(m, t, out=m)
                np.multiply(v, b2, out=v)             # v = b2 v + (1 - b2) g^2
                np.multiply(g, g, out=t)
                np.multiply(t, 1 - b2, out=t)
                np.add(v, t, out=v)
                np.sqrt(np.maximum(most, v, out=most) if amsgrad else v, out=t)
                np.add(t, eps * start, out=t)
                np.divide(m, t, out=t)
                np.multiply(t, lr * start / (1 - b1 ** step), out=t)
                np.subtract(w, t, out=w)


class AdamW(Adam):
    """Adam whose weight decay shrinks w itself, w <- (1 - lr weight_decay) w (Loshchilov and Hutter 2019)."""

    def __init__(self, params: Iterable, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 1e-2, amsgrad: bool = False, *, maximize: bool = False,
                 foreach: bool | None = None, capturable: bool = False, differentiable: bool = False,
                 fused: bool | None = None):
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize,
                         capturable=capturable, differentiable=differentiable, fused=fused, decoupled_weight_decay=True)


class RMSprop(Optimizer):
    """w <- w - lr g / (sqrt(v) + eps), with v <- alpha v + (1 - alpha) g^2 (Tieleman and Hinton 2012).

    ``centered`` subtracts the squared average of g from v; with ``momentum`` the quotients add up as in SGD.
    """

    def __init__(self, params: Iterable, lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8,
                 weight_decay: float = 0, momentum: float = 0, centered: bool = False, capturable: bool = False,
                 foreach: bool | None = None, maximize: bool = False, differentiable: bool = False):
        check(lr >= 0, f"Invalid learning rate: {lr}", "RMSprop", NOT_NEGATIVE)
        check(eps >= 0, f"Invalid epsilon value: {eps}", "RMSprop", NOT_NEGATIVE)
        check(momentum >= 0, f"Invalid momentum value: {momentum}", "RMSprop", NOT_NEGATIVE)
        check(weight_decay >= 0, f"Invalid weight_decay value: {weight_decay}", "RMSprop", NOT_NEGATIVE)
        check(alpha >= 0, f"Invalid alpha value: {alpha}", "RMSprop", NOT_NEGATIVE)
        super().__init__(params, {"lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
                                  "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach,
                                  "maximize": maximize, "differentiable": differentiable})

    def update(self, group: dict[str, Any], params: list[Tensor]) -> None:
        lr, alpha, momentum = float(group["lr"]), group["alpha"], group["momentum"]
        for p in params:
            state = self.state[p]
            if not state:
                state.update(step=0.0, square_avg=Tensor._leaf(np.zeros_like(p.payload)))
                if momentum > 0:
                    state["momentum_buffer"] = Tensor._leaf(np.zeros_like(p.payload))
                if group["centered"]:
                    state["grad_avg"] = Tensor._leaf(np.zeros_like(p.payload))
            state["step"] += 1
            square = state["square_avg"].payload
            buffer = state["momentum_buffer"].payload if momentum > 0 else square
            average = state["grad_avg"].payload if group["centered"] else square
            for w, t, g, v, b, mean in self.parts(p, self.gradient(group, p), square, buffer, average):
                np.multiply(v, alpha, out=v)
                np.multiply(g, g, out=t)
                np.multiply(t, 1 - alpha, out=t)
                np.add(v, t, out=v)
                if group["centered"]:
                    mean += (g - mean) * (1 - alpha)
                np.sqrt(v - mean * mean if group["centered"] else v, out=t)
                np.add(t, group["eps"], out=t)
                np.divide(g, t, out=t)
                if momentum > 0:
                    np.multiply(b, momentum, out=b)
                    np.add(b, t, out=b)
                    np.multiply(b, lr, out=t)
                else:
                    np.multiply(t, lr, out=t)
                np.subtract(w, t, out=w)


class Adagrad(Optimizer):
    """w <- w - lr g / (sqrt(s) + eps), where s adds up g^2 (Duchi et al. 2011); lr / (1 + lr_decay (step - 1))."""

    def __init__(self, params: Iterable, lr: float = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
                 initial_accumulator_value: float = 0, eps: float = 1e-10, foreach: bool | None = None, *,
                 maximize: bool = False, differentiable: bool = False, fused: bool | None = None):
        check(lr >= 0, f"Invalid learning rate: {lr}", "Adagrad", NOT_NEGATIVE)
        check(lr_decay >= 0, f"Invalid lr_decay value: {lr_decay}", "Adagrad", NOT_NEGATIVE)
        check(weight_decay >= 0, f"Invalid weight_decay value: {weight_decay}", "Adagrad", NOT_NEGATIVE)
        check(initial_accumulator_value >= 0,
              f"Invalid initial_accumulator_value value: {initial_accumulator_value}", "Adagrad", NOT_NEGATIVE)
        check(eps >= 0, f"Invalid epsilon value: {eps}", "Adagrad", NOT_NEGATIVE)
        super().__init__(params, {"lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
                                  "initial_accumulator_value": initial_accumulator_value, "foreach": foreach,
                                  "maximize": maximize, "differentiable": differentiable, "fused": fused})

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        super().add_param_group(param_group)
        start = self.param_groups[-1]["initial_accumulator_value"]
        for p in self.param_groups[-1]["params"]:
            self.state[p].update(step=0.0, sum=Tensor._leaf(np.full_like(p.payload, start)))

    def update(self, group: dict[str, Any], params: list[Tensor]) -> None:
        for p in params:
            state = self.state[p]
            lr = float(group["lr"]) / (1 + state["step"] * group["lr_decay"])
            state["step"] += 1
            for w, t, g, s in self.parts(p, self.gradient(group, p), state["sum"].payload):
                np.multiply(g, g, out=t)
                np.add(s, t, out=s)
                np.sqrt(s, out=t)
                np.add(t, group["eps"], out=t)
                np.divide(g, t, out=t)
                np.multiply(t, lr, out=t)
                np.subtract(w, t, out=w)
