"""Modules of modules: ModuleList, ModuleDict, LayerNorm, a buffer, parameter groups, count of parameters."""
import numpy as np


def main(torch):
    nn, F = torch.nn, torch.nn.functional
    rng = np.random.default_rng(4)

    class Block(nn.Module):
        def __init__(self, width, activation):
            super().__init__()
            self.norm = nn.LayerNorm(width)
            self.linear = nn.Linear(width, width)
            self.activation = nn.ModuleDict({"relu": nn.ReLU(), "gelu": nn.GELU()})[activation]
            self.register_buffer("scale", torch.tensor(0.5))

        def forward(self, x):
            return x + self.scale * self.activation(self.linear(self.norm(x)))

    class Net(nn.Module):
        def __init__(self, depth=4, width=6):
            super().__init__()
            self.blocks = nn.ModuleList([Block(width, "gelu" if i % 2 else "relu") for i in range(depth)])
            self.head = nn.Linear(width, 1, bias=False)

        def forward(self, x):
            for block in self.blocks:
                x = block(x)
            return self.head(x).squeeze(-1)

    net = Net().to(torch.float64)
    decay, no_decay = [], []
    for name, p in net.named_parameters():
        nn.init.constant_(p, 0.1)
        p.data += torch.from_numpy(rng.normal(size=tuple(p.shape)) * 0.4)
        (decay if p.dim() > 1 else no_decay).append(p)
    optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.1}, {"params": no_decay, "weight_decay": 0.0}],
                                  lr=0.02)
    x = torch.from_numpy(rng.normal(size=(20, 6)))
    target = x[:, 0] * x[:, 1]
    losses = [float(sum(p.numel() for p in net.parameters() if p.requires_grad)), len(net.state_dict())]
    for _ in range(8):
        loss = F.smooth_l1_loss(net(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
