"""A classifier of three classes: MLP, mini-batches, Adam, cross-entropy, accuracy."""
import numpy as np


def main(torch):
    nn, F = torch.nn, torch.nn.functional
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 120)
    points = rng.normal(size=(120, 2)) + 2 * np.eye(3)[labels][:, :2]
    x, y = torch.tensor(points, dtype=torch.float32), torch.tensor(labels)

    model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 3))
    for p in model.parameters():
        p.data = torch.tensor(rng.normal(size=tuple(p.shape)) / 3, dtype=torch.float32)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=1e-4)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)

    losses = []
    for epoch in range(5):
        model.train()
        running_loss = 0.0
        permutation = torch.from_numpy(rng.permutation(len(x)))
        for i in range(0, x.size(0), 32):
            indices = permutation[i:i + 32]
            optimizer.zero_grad()
            loss = criterion(model(x[indices]), y[indices])
            loss.backward()
            optimizer.step()
            running_loss += loss.item() * len(indices)
        losses.append(running_loss / len(x))
    model.eval()
    with torch.no_grad():
        logits = model(x)
        accuracy = (logits.argmax(dim=1) == y).float().mean().item()
        probabilities = F.softmax(logits, dim=-1)
    return [*losses, accuracy, probabilities.max(dim=1).values.mean().item()]
