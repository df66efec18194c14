"""Handwritten digits from end to end: 64-30-30-30-10, logistic units, Adam. `make demo` runs this file.

To run it on PyTorch instead, write `import torch as tg`, `from torch import nn, optim` and
`from torch.utils.data import DataLoader, TensorDataset`; all but the last picture, the graph, is then the same.
"""
from __future__ import annotations

import argparse
import os

import numpy as np
from tqdm import tqdm

import tinygrad_edu as tg
from tinygrad_edu import nn, optim
from tinygrad_edu.datasets import load_digits
from tinygrad_edu.utils.data import DataLoader, TensorDataset
from tinygrad_edu.viz import draw, plots


def split(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of the training images (80 %) and of the test images (20 %), as scikit-learn's train_test_split."""
    order = np.random.RandomState(seed).permutation(1797)
    return order[360:], order[:360]


def standardised(images: np.ndarray, training: np.ndarray) -> np.ndarray:
    """Rows of 64 pixels, each of mean 0 and standard deviation 1 over the training part."""
    x = images.reshape(-1, 64)
    mean, std = x[training].mean(0), x[training].std(0)
    return (x - mean) / np.where(std == 0, 1, std)                    # a corner pixel that never changes stays 0


def layer(inputs: int, outputs: int) -> nn.Sequential:
    """A layer of logistic units."""
    return nn.Sequential(nn.Linear(inputs, outputs), nn.Sigmoid())


def network() -> nn.Sequential:
    """64-30-30-30-10. Xavier's bounds times 4, because a logistic unit's steepest slope is 1/4."""
    net = nn.Sequential()
    net.add_module("hidden1", layer(64, 30))
    net.add_module("hidden2", layer(30, 30))
    net.add_module("hidden3", layer(30, 30))
    net.add_module("output", nn.Linear(30, 10))
    for name, p in net.named_parameters():
        if name.endswith("weight"):
            nn.init.xavier_uniform_(p, gain=4.0)
        else:
            nn.init.zeros_(p)
    return net


def objective(net: nn.Module, x: tg.Tensor, y: tg.Tensor, alpha: float = 1e-4) -> tg.Tensor:
    """Mean cross-entropy + alpha / 2n * the sum of all squared weights (biases are free), as scikit-learn has it."""
    squares = sum((p ** 2).sum() for p in net.parameters() if p.ndim == 2)
    return nn.functional.cross_entropy(net(x), y) + alpha / (2 * len(x)) * squares


def train(net: nn.Module, data: TensorDataset, x_test: tg.Tensor, y_test: tg.Tensor, epochs: int) -> dict:
    """Adam on batches of 200; both losses after each epoch. The test part is watched, and decides nothing."""
    optimizer = optim.Adam(net.parameters(), lr=0.001)
    history: dict[str, list[float]] = {"training": [], "validation": []}
    bar = tqdm(range(epochs), desc="training", unit="epoch", dynamic_ncols=True)
    for _ in bar:
        losses = []
        for x, y in DataLoader(data, batch_size=200, shuffle=True):
            optimizer.zero_grad()
            loss = objective(net, x, y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        with tg.no_grad():
            validation = objective(net, x_test, y_test).item()
        history["training"].append(float(np.mean(losses)))
        history["validation"].append(validation)
        bar.set_postfix(loss=f"{losses[-1]:.4f}", validation=f"{validation:.4f}", refresh=False)
    return history


def report(targets: np.ndarray, predictions: np.ndarray) -> str:
    """For each digit: precision (of those called 3, the share that are), recall (of the 3s, the share found), f1."""
    lines = ["digit  precision  recall     f1  support"]
    for digit in range(10):
        called, true = predictions == digit, targets == digit
        both = (called & true).sum()
        precision, recall = both / max(called.sum(), 1), both / max(true.sum(), 1)
        f1 = 2 * precision * recall / max(precision + recall, 1e-12)
        lines.append(f"{digit:5}  {precision:9.3f}  {recall:6.3f}  {f1:5.3f}  {true.sum():7}")
    return "\n".join(lines)


def main(out: str = "out", epochs: int = 400, seed: int = 0) -> float:
    """Train, report and draw; returns the test accuracy."""
    tg.manual_seed(seed)
    images, labels = load_digits()
    training, test = split(seed)
    x, y = tg.tensor(standardised(images, training)), tg.tensor(labels)
    x_train, y_train, x_test, y_test = x[training], y[training], x[test], y[test]
    net = network()
    history = train(net, TensorDataset(x_train, y_train), x_test, y_test, epochs)

    with tg.no_grad():
        predictions = net(x_test).argmax(1)
    accuracy = (predictions == y_test).float().mean().item()
    print(f"\ntest accuracy {accuracy:.2%}: {int((predictions == y_test).sum())} of {len(y_test)}\n")
    print(report(y_test.numpy(), predictions.numpy()))

    os.makedirs(out, exist_ok=True)
    plots.learning_curve(history, f"{out}/learning_curve.svg", ylabel="cross-entropy + L2", log=True)
    plots.confusion_matrix(y_test, predictions, f"{out}/confusion_matrix.svg")
    plots.digit_grid(images[test[:64]], y_test[:64], predictions[:64], f"{out}/digits.svg")
    plots.weight_images(net.hidden1[0].weight, f"{out}/weights.svg", title="Weights of the first layer, unit by unit")
    batch, targets = x_train[:200], y_train[:200]
    loss = objective(net, batch, targets)
    loss.backward(retain_graph=True)                                  # kept, so that the picture shows the gradients
    step = draw(loss, module=net, names={"batch": batch, "loss": loss}, direction="TB").save(f"{out}/step")
    if step.suffix == ".html":
        print("\nno Graphviz here: step.html draws itself in a browser; for SVG: pip install pygraphviz")
    print(f"\npictures in {out}/: " + ", ".join(sorted(os.listdir(out))))
    return accuracy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train a small network on 1,797 handwritten digits.")
    parser.add_argument("--out", default="out", help="folder for the pictures")
    parser.add_argument("--epochs", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    main(**vars(parser.parse_args()))
