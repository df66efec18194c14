"""Early stopping with a deep copy of the best state_dict, and a check-point of model and optimiser to go on from."""
import copy

import numpy as np


def main(torch):
    nn = torch.nn
    rng = np.random.default_rng(10)
    x = torch.from_numpy(rng.normal(size=(24, 5)))
    y = torch.sin(x.sum(1, keepdim=True)) + torch.from_numpy(rng.normal(size=(24, 1))) * 0.5
    x_train, y_train, x_valid, y_valid = x[:12], y[:12], x[12:], y[12:]

    model = nn.Sequential(nn.Linear(5, 20), nn.Tanh(), nn.Linear(20, 1)).double()
    for p in model.parameters():
        nn.init.zeros_(p).data.add_(torch.from_numpy(rng.normal(size=tuple(p.shape)) * 0.5))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    best_loss, best_state, patience, losses = float("inf"), None, 0, []
    for epoch in range(40):
        model.train()
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x_train), y_train)
        loss.backward()
        optimizer.step()
        model.eval()
        with torch.no_grad():
            valid_loss = nn.functional.mse_loss(model(x_valid), y_valid).item()
        losses.append(valid_loss)
        if valid_loss < best_loss:
            best_loss, patience = valid_loss, 0
            best_state = copy.deepcopy(model.state_dict())
            checkpoint = {"epoch": epoch, "model": best_state, "optimizer": copy.deepcopy(optimizer.state_dict())}
        elif (patience := patience + 1) >= 5:
            break
    model.load_state_dict(best_state)
    with torch.no_grad():
        assert abs(nn.functional.mse_loss(model(x_valid), y_valid).item() - best_loss) < 1e-12

    twin = copy.deepcopy(model)
    again = torch.optim.Adam(twin.parameters(), lr=1.0)
    again.load_state_dict(checkpoint["optimizer"])
    nn.functional.mse_loss(twin(x_train), y_train).backward()
    again.step()
    return [*losses, best_loss, checkpoint["epoch"], nn.functional.mse_loss(twin(x_valid), y_valid).item()]
