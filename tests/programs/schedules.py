"""Warm-up by LambdaLR, then cosine, then a reduction on plateau: the rates and the losses that they give."""
import math

import numpy as np


def main(torch):
    optim = torch.optim
    rng = np.random.default_rng(9)
    A, b = torch.from_numpy(rng.normal(size=(15, 4))), torch.from_numpy(rng.normal(size=15))

    def train(make_scheduler, steps=12):
        w = torch.zeros(4, dtype=torch.float64, requires_grad=True)
        optimizer = optim.SGD([{"params": [w], "lr": 0.05}], lr=1.0, momentum=0.9)
        scheduler = make_scheduler(optimizer)
        out = []
        for _ in range(steps):
            optimizer.zero_grad()
            loss = torch.mean((A @ w - b) ** 2)
            loss.backward()
            optimizer.step()
            if isinstance(scheduler, optim.lr_scheduler.ReduceLROnPlateau):
                scheduler.step(loss.item())
            else:
                scheduler.step()
            out += [loss.item(), optimizer.param_groups[0]["lr"]]
        return out

    def warmup_cosine(step, warmup=4, total=12):
        if step < warmup:
            return float(step + 1) / float(max(1, warmup))
        progress = (step - warmup) / max(1, total - warmup)
        return max(0.0, 0.5 * (1.0 + math.cos(math.pi * progress)))

    lr = optim.lr_scheduler
    return [*train(lambda o: lr.LambdaLR(o, lr_lambda=warmup_cosine)),
            *train(lambda o: lr.CosineAnnealingLR(o, T_max=5, eta_min=1e-3)),
            *train(lambda o: lr.StepLR(o, step_size=3, gamma=0.5)),
            *train(lambda o: lr.OneCycleLR(o, max_lr=0.1, total_steps=12)),
            *train(lambda o: lr.ReduceLROnPlateau(o, mode="min", factor=0.3, patience=1, threshold=0.2)),
            *train(lambda o: lr.SequentialLR(o, [lr.LinearLR(o, 0.1, total_iters=3), lr.ExponentialLR(o, 0.8)], [3]))]
