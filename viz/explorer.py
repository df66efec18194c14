"""The time machine: a network learns two moons, and on one page each step of the training is stepped through."""
from pathlib import Path

import tinygrad_edu as tg
from tinygrad_edu import datasets, nn, optim
from tinygrad_edu.viz import Recorder, explore


def page(path: Path) -> Path:
    tg.manual_seed(0)
    points, classes = datasets.make_moons(60, noise=0.1, random_state=0)
    x, y = tg.tensor(points).float(), tg.tensor(classes).float().reshape(-1, 1)
    net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = optim.Adam(net.parameters(), lr=0.05)
    recorder = Recorder(points=(x, classes), predict=net)
    for _ in range(100):
        loss = nn.functional.binary_cross_entropy_with_logits(net(x), y)
        recorder.record(loss)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return explore(recorder, path, title="Two moons")


if __name__ == "__main__":
    out = Path("out")
    out.mkdir(exist_ok=True)
    print("open", page(out / "explorer.html"), "in a browser")
