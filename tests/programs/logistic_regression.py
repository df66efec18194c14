"""Logistic regression without nn: weights as leaf tensors, steps by hand under no_grad."""
import numpy as np


def main(torch):
    rng = np.random.default_rng(1)
    x = torch.from_numpy(rng.normal(size=(50, 3)))
    y = (x @ torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64) > 0.1).double()

    w = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    b = torch.zeros((), dtype=torch.float64, requires_grad=True)
    losses = []
    for _ in range(20):
        p = torch.sigmoid(x @ w + b)
        loss = -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean() + 0.01 * w.pow(2).sum()
        loss.backward()
        with torch.no_grad():
            w -= 0.5 * w.grad
            b -= 0.5 * b.grad
        w.grad.zero_()
        b.grad = None
        losses.append(loss.item())
    return [*losses, *w.tolist(), b.item()]
