"""Wasserstein critic with a gradient penalty: a gradient within the loss, by create_graph."""
import numpy as np


def main(torch):
    nn = torch.nn
    rng = np.random.default_rng(12)
    critic = nn.Sequential(nn.Linear(2, 10), nn.SiLU(), nn.Linear(10, 10), nn.Softplus(), nn.Linear(10, 1)).double()
    for p in critic.parameters():
        p.data.copy_(torch.from_numpy(rng.normal(size=tuple(p.shape)) * 0.5))
    optimizer = torch.optim.Adam(critic.parameters(), lr=1e-2, betas=(0.0, 0.9))
    losses = []
    for _ in range(6):
        real, fake = torch.from_numpy(rng.normal(1, 1, (8, 2))), torch.from_numpy(rng.normal(-1, 1, (8, 2)))
        alpha = torch.from_numpy(rng.random((8, 1)))
        between = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
        scores = critic(between)
        gradients = torch.autograd.grad(outputs=scores, inputs=between, grad_outputs=torch.ones_like(scores),
                                        create_graph=True, retain_graph=True, only_inputs=True)[0]
        penalty = ((gradients.view(gradients.size(0), -1).norm(2, dim=1) - 1) ** 2).mean()
        loss = critic(fake).mean() - critic(real).mean() + 10 * penalty
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses += [loss.item(), penalty.item()]
    return losses
