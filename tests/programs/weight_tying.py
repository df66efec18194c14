"""One matrix used twice, as encoder and transposed as decoder, and a parameter shared by two layers."""
import numpy as np


def main(torch):
    nn, F = torch.nn, torch.nn.functional
    rng = np.random.default_rng(8)

    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.from_numpy(rng.normal(size=(3, 6)) * 0.5))
            self.bias = nn.ParameterList([nn.Parameter(torch.zeros(3).double()), nn.Parameter(torch.zeros(6).double())])
            self.first = nn.Linear(3, 3).double()
            self.second = self.first

        def forward(self, x):
            h = torch.tanh(F.linear(x, self.weight, self.bias[0]))
            h = self.second(torch.relu(self.first(h)))
            return F.linear(h, self.weight.t(), self.bias[1])

    net = Tied()
    with torch.no_grad():
        net.first.weight.copy_(torch.eye(3) + 0.1)
        net.first.bias.fill_(0.05)
    x = torch.from_numpy(rng.normal(size=(12, 6)))
    optimizer = torch.optim.Adagrad(net.parameters(), lr=0.1)
    results = [len(list(net.parameters())), len(net.state_dict()), len(list(net.modules()))]
    for _ in range(8):
        optimizer.zero_grad()
        loss = F.huber_loss(net(x), x, delta=0.7)
        loss.backward()
        optimizer.step()
        results.append(loss.item())
    assert net.first.weight is net.second.weight
    return [*results, net.weight.grad.norm().item()]
