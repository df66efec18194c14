"""A generative adversarial pair: two optimisers, detach, labels of ones and zeros."""
import numpy as np


def main(torch):
    nn = torch.nn
    rng = np.random.default_rng(3)

    def weights_init(m):
        if isinstance(m, nn.Linear):
            with torch.no_grad():
                m.weight.copy_(torch.from_numpy(rng.normal(0, 0.3, tuple(m.weight.shape))))
            nn.init.zeros_(m.bias)

    torch.set_default_dtype(torch.float64)
    try:
        generator = nn.Sequential(nn.Linear(4, 16), nn.LeakyReLU(0.2), nn.Linear(16, 2)).apply(weights_init)
        critic = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1)).apply(weights_init)
        g_opt = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.5, 0.999))
        d_opt = torch.optim.Adam(critic.parameters(), lr=2e-3, betas=(0.5, 0.999))
        bce = nn.BCEWithLogitsLoss()
        losses = []
        for _ in range(8):
            real = torch.from_numpy(rng.normal(2, 0.5, (16, 2)))
            fake = generator(torch.from_numpy(rng.normal(size=(16, 4))))

            d_opt.zero_grad()
            d_loss = bce(critic(real), torch.ones(16, 1)) + bce(critic(fake.detach()), torch.zeros(16, 1))
            d_loss.backward()
            d_opt.step()

            g_opt.zero_grad()
            g_loss = bce(critic(fake), torch.ones_like(d_loss.expand(16, 1)))
            g_loss.backward()
            g_opt.step()
            losses += [d_loss.item(), g_loss.item()]
    finally:
        torch.set_default_dtype(torch.float32)
    return losses
