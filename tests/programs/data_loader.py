"""A Dataset of one's own, random_split, DataLoader, batch normalisation; sums that do not depend on the order."""
import numpy as np


def main(torch):
    from_numpy = torch.from_numpy
    Dataset, DataLoader = torch.utils.data.Dataset, torch.utils.data.DataLoader
    rng = np.random.default_rng(11)

    class Points(Dataset):
        def __init__(self, n):
            self.x = rng.normal(size=(n, 3))
            self.y = (self.x.sum(1) > 0).astype(np.int64)

        def __len__(self):
            return len(self.x)

        def __getitem__(self, i):
            return from_numpy(self.x[i]), self.y[i]

    data = Points(50)
    train, valid = torch.utils.data.random_split(data, [40, 10], generator=torch.Generator().manual_seed(0))
    loader = DataLoader(train, batch_size=16, shuffle=True, drop_last=False, num_workers=0)
    results = [len(train), len(valid), len(loader)]
    for epoch in range(2):
        sizes, total = [], 0.0
        for batch_idx, (x, y) in enumerate(loader):
            assert x.dtype == torch.float64 and y.dtype == torch.int64
            sizes.append(x.shape[0])
            total += x.sum().item()
        for x, y in DataLoader(valid, batch_size=4, shuffle=False, drop_last=True):
            assert tuple(x.shape) == (4, 3) and tuple(y.shape) == (4,)
        results += sizes
    everything = torch.utils.data.ConcatDataset([train, valid])
    x, y = next(iter(DataLoader(everything, batch_size=len(everything))))
    results += [x.sum().item(), y.sum().item()]

    net = torch.nn.Sequential(torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 2)).double()
    torch.nn.init.constant_(net[1].weight, 0.2)
    net[1].bias.data.copy_(torch.tensor([0.1, -0.1]))
    dataset = torch.utils.data.TensorDataset(from_numpy(data.x), from_numpy(data.y))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.3)
    for x, y in DataLoader(dataset, batch_size=10):
        loss = torch.nn.functional.cross_entropy(net(x), y, weight=torch.tensor([1.0, 2.0], dtype=torch.float64))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        results.append(loss.item())
    net.eval()
    return [*results, *net(from_numpy(data.x))[0].tolist(), *net[0].running_var.tolist()]
