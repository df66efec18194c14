"""A policy gradient on a bandit: log-probabilities gathered by action, entropy, a running baseline."""
import numpy as np


def main(torch):
    F = torch.nn.functional
    rng = np.random.default_rng(17)
    policy = torch.nn.Linear(3, 4)
    with torch.no_grad():
        for p in policy.parameters():
            p.copy_(torch.from_numpy(rng.normal(size=tuple(p.shape)).astype(np.float32)))
    optimizer = torch.optim.SGD(policy.parameters(), lr=0.1)
    returns, losses = [], []
    for _ in range(8):
        states = torch.tensor(rng.normal(size=(10, 3)), dtype=torch.float32)
        log_probs = F.log_softmax(policy(states), dim=-1)
        chosen = torch.tensor([rng.choice(4) for _ in range(10)])
        rewards = torch.where(chosen == states.argmax(1), 1.0, -0.1)
        returns.insert(0, rewards.mean().item())
        baseline = torch.tensor(returns).mean()
        entropy = -(log_probs * log_probs.exp()).sum(-1).mean()
        picked = log_probs.gather(1, chosen.unsqueeze(1)).squeeze(1)
        loss = -(picked * (rewards - baseline)).mean() - 0.01 * entropy
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses += [loss.item(), entropy.item()]
    return losses
