"""Gradients collected over several batches, an exponential moving average of the weights, layers frozen for a while."""
import copy

import numpy as np


def main(torch):
    nn = torch.nn
    rng = np.random.default_rng(18)

    class Net(nn.Module):
        def __init__(self):
            super(Net, self).__init__()
            self.fc1 = nn.Linear(4, 8)
            self.fc2 = nn.Linear(8, 2)

        def forward(self, x):
            return self.fc2(nn.functional.relu(self.fc1(x)))

    model = Net().double()
    for name, param in model.named_parameters():
        param.data[...] = torch.from_numpy(rng.normal(size=tuple(param.shape)) * 0.4)
    ema = copy.deepcopy(model).requires_grad_(False)
    for param in model.fc1.parameters():
        param.requires_grad = False
    optimizer = torch.optim.SGD(filter(lambda p: p.requires_grad, model.parameters()), lr=0.1, weight_decay=0.01)
    losses = []
    for step in range(8):
        if step == 4:
            model.fc1.requires_grad_(True)
            optimizer.add_param_group({"params": model.fc1.parameters(), "lr": 0.05})
        optimizer.zero_grad()
        for _ in range(3):
            x = torch.from_numpy(rng.normal(size=(6, 4)))
            loss = nn.functional.l1_loss(model(x), torch.stack([x[:, 0], x.prod(dim=1)], dim=1)) / 3
            loss.backward()
        optimizer.step()
        with torch.no_grad():
            for slow, fast in zip(ema.parameters(), model.parameters()):
                slow.mul_(0.9).add_(fast, alpha=0.1)
        losses += [loss.item(), ema(x).sum().item()]
    return losses
