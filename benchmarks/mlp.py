"""B2 and B3: steps of training a dense network for classification, cross-entropy, float32.

B2 is 784-100-10 with batches of 50, sigmoid with SGD and momentum, then ReLU with Adam; B3 is 784-512-512-10 with
batches of 128, ReLU with Adam. One call of a step is one pass over 10 batches, so that scikit-learn, whose public
unit is such a pass (``partial_fit``), pays its checks once in 10 steps, as in its ``fit``.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import NamedTuple

import numpy as np

from .harness import Bar, Row, Step, Workload, race

BATCHES, MOMENTUM, CHUNK = 10, 0.9, 1 << 16
BETA1, BETA2, EPS = 0.9, 0.999, 1e-8


class Net(NamedTuple):
    """A network, its data and its optimiser, from which every peer starts."""

    sizes: tuple[int, ...]
    batch: int
    activation: str
    optimiser: str

    @property
    def rate(self) -> float:
        return 0.1 if self.optimiser == "sgd" else 1e-3

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(0)
        n = BATCHES * self.batch
        y = rng.integers(0, 10, n)
        y[:10] = np.arange(10)                        # scikit-learn must see every class
        return rng.normal(size=(n, self.sizes[0])).astype(np.float32), y

    def weights(self) -> list[np.ndarray]:
        """W1, b1, W2, b2, ... with x @ W + b."""
        rng = np.random.default_rng(1)
        return [w.astype(np.float32) for m, n in zip(self.sizes, self.sizes[1:], strict=False)
                for w in (rng.uniform(-1, 1, (m, n)) / m ** 0.5, rng.uniform(-1, 1, n) / m ** 0.5)]

    def batches(self, convert: Callable = np.asarray) -> list[tuple]:
        x, y = self.data()
        cuts = range(0, len(x), self.batch)
        return [(convert(x[i:i + self.batch]), convert(y[i:i + self.batch])) for i in cuts]


SIGMOID = Net((784, 100, 10), 50, "sigmoid", "sgd")
RELU = Net((784, 100, 10), 50, "relu", "adam")
LARGE = Net((784, 512, 512, 10), 128, "relu", "adam")


def torch_api(package: str, net: Net, compiled: bool = False) -> Step:
    """The program for PyTorch; for ours the import is all that changes."""
    torch = import_module(package)
    nn, optim = torch.nn, torch.optim
    layers = []
    for m, n in zip(net.sizes, net.sizes[1:], strict=False):
        layers += [nn.Linear(m, n), nn.Sigmoid() if net.activation == "sigmoid" else nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    with torch.no_grad():
        for p, w in zip(model.parameters(), net.weights(), strict=True):
            p.copy_(torch.tensor(w.T.copy()))
    if net.optimiser == "sgd":
        optimiser = optim.SGD(model.parameters(), lr=net.rate, momentum=MOMENTUM)
    else:
        optimiser = optim.Adam(model.parameters(), lr=net.rate)
    batches = net.batches(torch.tensor)

    def step(x, y):
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimiser.step()
        return loss
    step = torch.compile(step) if compiled else step

    def epoch():
        return sum(step(x, y).item() for x, y in batches) / BATCHES
    return epoch


def sklearn(net: Net) -> Step:
    from sklearn.neural_network import MLPClassifier
    x, y = net.data()
    model = MLPClassifier(net.sizes[1:-1], activation={"sigmoid": "logistic"}.get(net.activation, "relu"), alpha=0,
                          solver=net.optimiser, batch_size=net.batch, learning_rate_init=net.rate, momentum=MOMENTUM,
                          nesterovs_momentum=False, shuffle=False, n_iter_no_change=10 ** 9, epsilon=EPS)
    model.partial_fit(x[:net.batch], y[:net.batch], classes=np.arange(10))
    model.coefs_, model.intercepts_ = net.weights()[::2], net.weights()[1::2]
    del model._optimizer                              # a fresh one, on these weights

    def epoch():
        model.partial_fit(x, y)
        return model.loss_
    return epoch


class Flat:
    """SGD with momentum, and Adam, on one flat buffer, in chunks that stay in the cache."""

    def __init__(self, net: Net):
        weights = net.weights()
        self.net, self.t, self.shapes = net, 0, [w.shape for w in weights]
        self.p = np.concatenate([w.ravel() for w in weights])
        self.g, self.m, self.v = (np.zeros_like(self.p) for _ in range(3))
        self.scratch = np.empty(min(CHUNK, self.p.size), np.float32)

    def views(self, flat: np.ndarray) -> list[np.ndarray]:
        cuts = np.cumsum([np.prod(shape) for shape in self.shapes])[:-1]
        return [part.reshape(shape) for part, shape in zip(np.split(flat, cuts), self.shapes, strict=True)]

    def chunks(self) -> Iterator[list[np.ndarray]]:
        for i in range(0, self.p.size, CHUNK):
            part = [a[i:i + CHUNK] for a in (self.p, self.g, self.m, self.v)]
            yield [*part, self.scratch[:part[0].size]]

    def step(self) -> None:
        self.t += 1
        for p, g, m, v, s in self.chunks():
            if self.net.optimiser == "sgd":
                m *= MOMENTUM
                m += g
                np.multiply(m, self.net.rate, out=s)
            else:
                m *= BETA1
                m += np.multiply(g, 1 - BETA1, out=s)
                v *= BETA2
                np.multiply(g, g, out=s)
                s *= 1 - BETA2
                v += s
                np.sqrt(v, out=s)
                s *= (1 - BETA2 ** self.t) ** -0.5
                s += EPS
                np.divide(m, s, out=s)
                s *= self.net.rate / (1 - BETA1 ** self.t)
            p -= s


def mygrad(net: Net) -> Step:
    import mygrad as mg
    from mygrad.nnet.activations import relu, sigmoid
    from mygrad.nnet.losses import softmax_crossentropy
    mg.turn_memory_guarding_off()                     # its documented switch for speed
    activation = sigmoid if net.activation == "sigmoid" else relu
    optimiser, batches = Flat(net), net.batches()
    params = [mg.tensor(w, copy=False) for w in optimiser.views(optimiser.p)]
    grads = optimiser.views(optimiser.g)

    def epoch():
        total = 0.0
        for x, y in batches:
            h = x
            for w, b in zip(params[::2], params[1::2], strict=True):
                h = mg.matmul(h if h is x else activation(h), w) + b
            loss = softmax_crossentropy(h, y)
            loss.backward()
            for g, p in zip(grads, params, strict=True):
                g[...] = p.grad
            optimiser.step()
            total += loss.item()
        return total / BATCHES
    return epoch


def autograd(net: Net) -> Step:
    import autograd
    import autograd.numpy as anp
    from autograd.scipy.special import logsumexp
    optimiser = Flat(net)
    params, grads = optimiser.views(optimiser.p), optimiser.views(optimiser.g)
    batches = [(x, np.eye(10, dtype=np.float32)[y]) for x, y in net.batches()]

    def f(params, x, onehot):
        h = x
        for w, b in zip(params[::2], params[1::2], strict=True):
            if h is not x:
                h = 0.5 * anp.tanh(0.5 * h) + 0.5 if net.activation == "sigmoid" else anp.maximum(h, 0)
            h = anp.dot(h, w) + b
        return anp.mean(logsumexp(h, axis=1) - anp.sum(h * onehot, axis=1))
    both = autograd.value_and_grad(f)

    def epoch():
        total = 0.0
        for x, onehot in batches:
            loss, found = both(params, x, onehot)
            for g, d in zip(grads, found, strict=True):
                g[...] = d
            optimiser.step()
            total += float(loss)
        return total / BATCHES
    return epoch


def by_hand(net: Net) -> Step:
    """The floor: backpropagation written out, gradients straight into the optimiser's buffer."""
    optimiser = Flat(net)
    params, grads = optimiser.views(optimiser.p), optimiser.views(optimiser.g)
    ws, bs, dws, dbs = params[::2], params[1::2], grads[::2], grads[1::2]
    batches, rows, ones = net.batches(), np.arange(net.batch), np.ones(net.batch, np.float32)
    half = np.float32(0.5)

    def epoch():
        total = 0.0
        for x, y in batches:
            hs = [x]
            for w, b in zip(ws, bs, strict=True):
                z = np.matmul(hs[-1], w)
                z += b
                if len(hs) < len(ws):
                    if net.activation == "sigmoid":
                        z *= half
                        np.tanh(z, out=z)
                        z *= half
                        z += half
                    else:
                        np.maximum(z, 0, out=z)
                hs.append(z)
            p = hs.pop()
            p -= np.maximum.reduce(p, axis=1, keepdims=True)
            np.exp(p, out=p)
            p /= np.add.reduce(p, axis=1, keepdims=True)
            total -= float(np.mean(np.log(p[rows, y])))
            p[rows, y] -= 1
            p *= np.float32(1 / net.batch)
            d = p
            for i in reversed(range(len(ws))):
                np.matmul(hs[i].T, d, out=dws[i])
                np.matmul(ones, d, out=dbs[i])
                if i:
                    d = np.matmul(d, ws[i].T)
                    d *= hs[i] * (1 - hs[i]) if net.activation == "sigmoid" else hs[i] > 0
            optimiser.step()
        return total / BATCHES
    return epoch


def train(name: str, net: Net, bars: tuple[Bar, ...], budget: float, say: Callable[[str], None]) -> list[Row]:
    makers = {"ours": partial(torch_api, "tinygrad_edu"), "captured": partial(torch_api, "tinygrad_edu", compiled=True),
              "torch": partial(torch_api, "torch"), "scikit-learn": sklearn,
              "mygrad": mygrad, "autograd": autograd, "NumPy by hand": by_hand}
    peers = {peer: partial(make, net) for peer, make in makers.items()}
    return race(Workload(name, peers, bars, steps=BATCHES, tolerance=5e-3), budget, say)


def b2(budget: float, say: Callable[[str], None]) -> list[Row]:
    bars = (Bar("torch", 0.65), Bar("scikit-learn", 0.55), Bar("torch", 0.58, variant="captured"))
    return [row for net in (SIGMOID, RELU)
            for row in train(f"B2 {net.activation} {net.optimiser}", net, bars, budget / 2, say)]


def b3(budget: float, say: Callable[[str], None]) -> list[Row]:
    bars = (Bar("torch", 0.85), Bar("torch", 0.80, variant="captured"))
    return train("B3 relu adam", LARGE, bars, budget, say)
