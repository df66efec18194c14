"""An autoencoder as two nested Sequentials, RMSprop, mean squared error, and its code of an unseen sample."""
import numpy as np


def main(torch):
    nn = torch.nn
    rng = np.random.default_rng(2)

    class AutoEncoder(nn.Module):
        def __init__(self, n_in=12, n_code=3):
            super().__init__()
            self.encoder = nn.Sequential(nn.Linear(n_in, 8), nn.ELU(), nn.Linear(8, n_code))
            self.decoder = nn.Sequential(nn.Linear(n_code, 8), nn.ELU(), nn.Linear(8, n_in), nn.Sigmoid())

        def forward(self, x):
            code = self.encoder(x)
            return self.decoder(code), code

    model = AutoEncoder().double()
    state = {k: torch.from_numpy(rng.normal(size=tuple(v.shape)) / 2) for k, v in model.state_dict().items()}
    model.load_state_dict(state)
    images = torch.from_numpy(rng.random((30, 1, 3, 4)))
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3, momentum=0.5)
    criterion = nn.MSELoss()
    losses = []
    for _ in range(10):
        flat = images.view(images.size(0), -1)
        reconstructed, code = model(flat)
        loss = criterion(reconstructed, flat) + 1e-3 * code.abs().mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return [*losses, *model.encoder(images[0].flatten()).detach().numpy().tolist()]
