"""Newton's method with autograd.functional.hessian, a Hessian-vector product, and a step of line search."""
import numpy as np


def main(torch):
    hessian, hvp, jacobian = (getattr(torch.autograd.functional, name) for name in ("hessian", "hvp", "jacobian"))
    rng = np.random.default_rng(14)
    A = torch.from_numpy(rng.normal(size=(12, 3)))
    y = torch.from_numpy(rng.integers(0, 2, 12) * 2.0 - 1)

    def f(w):
        return torch.log1p(torch.exp(-y * (A @ w))).sum() + 0.5 * w.dot(w)

    w = torch.zeros(3, dtype=torch.float64)
    losses = []
    for _ in range(5):
        gradient, H = jacobian(f, w), hessian(f, w)
        step = torch.linalg.solve(H, gradient)
        t = 1.0
        while f(w - t * step) > f(w) - 1e-4 * t * gradient.dot(step) and t > 1e-4:
            t *= 0.5
        w = w - t * step
        losses += [f(w).item(), gradient.norm().item()]
    value, product = hvp(f, w, torch.ones(3, dtype=torch.float64))
    assert torch.allclose(product, hessian(f, w).sum(1))
    return [*losses, value.item(), *product.tolist(), *torch.linalg.eigvalsh(hessian(f, w)).tolist()]
