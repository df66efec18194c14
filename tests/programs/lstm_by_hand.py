"""An LSTM cell written by hand, unrolled over a sequence, trained to sum it up; gradients clipped by norm."""
import numpy as np


def main(torch):
    nn = torch.nn
    rng = np.random.default_rng(6)

    class LSTMCell(nn.Module):
        def __init__(self, input_size, hidden_size):
            super().__init__()
            self.hidden_size = hidden_size
            self.W = nn.Parameter(torch.from_numpy(rng.normal(size=(input_size, 4 * hidden_size)) * 0.4))
            self.U = nn.Parameter(torch.from_numpy(rng.normal(size=(hidden_size, 4 * hidden_size)) * 0.4))
            self.bias = nn.Parameter(torch.zeros(4 * hidden_size, dtype=torch.float64))

        def forward(self, x, state=None):
            outputs = []
            if state is None:
                h = x.new_zeros(x.size(0), self.hidden_size)
                c = torch.zeros(x.size(0), self.hidden_size, dtype=x.dtype, device=x.device)
            else:
                h, c = state
            for t in range(x.size(1)):
                gates = x[:, t, :] @ self.W + h @ self.U + self.bias
                i, f, g, o = gates.chunk(4, dim=1)
                c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                h = torch.sigmoid(o) * torch.tanh(c)
                outputs.append(h.unsqueeze(1))
            return torch.cat(outputs, dim=1), (h, c)

    cell, head = LSTMCell(2, 5), nn.Linear(5, 1).double()
    nn.init.constant_(head.weight, 0.1)
    nn.init.constant_(head.bias, 0.0)
    params = list(cell.parameters()) + list(head.parameters())
    optimizer = torch.optim.Adam(params, lr=0.02)
    x = torch.from_numpy(rng.normal(size=(7, 9, 2)))
    target = x.sum(dim=(1, 2)).unsqueeze(1)
    losses = []
    for _ in range(8):
        out, (h, c) = cell(x)
        loss = nn.functional.mse_loss(head(out[:, -1]), target)
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(params, max_norm=1.0)
        optimizer.step()
        losses += [loss.item(), norm.item()]
    return losses
