"""Learning to learn: a step of gradient descent inside the loss, by autograd.grad with create_graph (MAML)."""
import numpy as np


def main(torch):
    rng = np.random.default_rng(16)
    params = [torch.from_numpy(rng.normal(size=s) * 0.5).requires_grad_() for s in ((1, 8), (8,), (8, 1), (1,))]

    def net(x, p):
        return torch.tanh(x @ p[0] + p[1]) @ p[2] + p[3]

    outer = torch.optim.Adam(params, lr=0.01)
    losses = []
    for _ in range(4):
        outer.zero_grad()
        for _task in range(3):
            phase, amplitude = rng.random() * 3, 1 + rng.random()
            xs, xq = (torch.from_numpy(rng.uniform(-3, 3, (6, 1))) for _ in range(2))
            fast = params
            for _step in range(2):
                loss = torch.nn.functional.mse_loss(net(xs, fast), amplitude * torch.sin(xs + phase))
                grads = torch.autograd.grad(loss, fast, create_graph=True)
                fast = [p - 0.1 * g for p, g in zip(fast, grads)]
            query = torch.nn.functional.mse_loss(net(xq, fast), amplitude * torch.sin(xq + phase)) / 3
            query.backward()
            losses.append(query.item())
        outer.step()
    return [*losses, *(p.grad.norm().item() for p in params)]
