"""Every network that the project has, trained eager and compiled from the same start: losses, parameters, gradients,
buffers and the optimiser's rate agree over several steps, while batch size, a parameter and the rate change between.

The networks are those of the examples, the gallery, the benchmarks and ``tests/programs``: the very objects, taken from
the running program when it first goes backward. A graph of a picture is computed again from its own leaves.
"""
from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import Value, nn, optim
from tinygrad_edu.graph import Node, order
from tinygrad_edu.nn import functional as F  # noqa: N812
from tinygrad_edu.tape import CaptureError

ROOT = Path(__file__).parents[1]


class Reached(Exception):
    """A program has come as far as was wanted."""


def load(path: str):
    spec = importlib.util.spec_from_file_location(path.replace("/", "_"), ROOT / f"{path}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stopped(run, monkeypatch):
    """The local names of the program that first calls ``backward``."""
    def stop(self, *args, **kwargs):
        raise Reached(SimpleNamespace(**sys._getframe(1).f_locals))
    with monkeypatch.context() as patch:
        patch.setattr(tg.Tensor, "backward", stop)
        with pytest.raises(Reached) as reached:
            run()
    return reached.value.args[0]


def leaves(x, found=None) -> list:
    """The parameters and buffers in what a program holds."""
    found = {} if found is None else found
    for item in x.values() if isinstance(x, dict) else x:
        if isinstance(item, nn.Module):
            found.update(dict.fromkeys([*item.parameters(), *item.buffers()]))
        elif isinstance(item, Node):
            found[item] = None
        elif isinstance(item, (list, tuple)):
            leaves(item, found)
    return list(found)


def numbers(node) -> list:
    """Value and gradient of a leaf."""
    if isinstance(node, Value):
        return [np.float64(node.data), np.float64(node.grad)]
    return [node.detach().numpy().copy(), None if node.grad is None else node.grad.numpy().copy()]


def train(world, compiled) -> list:
    """Eight steps with batches of 8, 8, 8, 5, 5, 8 ...; after the third a parameter and the rate change outside."""
    step, held, rule, batch = world
    run, seen = compiled(step), []
    for k, n in enumerate((8, 8, 8, 5, 5, 8, 8, 5)):
        rng = np.random.default_rng(k)
        tg.manual_seed(k)
        out = run(*batch(n, rng))
        seen.append([out.detach().numpy().copy() if isinstance(out, tg.Tensor) else np.float64(out.data),
                     *(part for node in held for part in numbers(node))])
        if k == 2:
            parameter = next(node for node in held if node.requires_grad)
            if isinstance(parameter, Value):
                parameter.data = parameter.data * 0.75
            else:
                with tg.no_grad():
                    parameter.mul_(0.75)
            if rule is not None:
                rule.param_groups[0]["lr"] *= 0.5
    return seen


def agree(build, exact: bool = True, replays: int = 4) -> None:
    """Eager, recorded lines as they are (which keep the order of the operations), and the optimised program."""
    made = []

    def kept(**options):
        return lambda step: made.append(tg.compile(step, **options)) or made[-1]
    eager, plain, optimised = (train(build(), how) for how in (lambda step: step, kept(optimise=False), kept()))
    assert all(step.cache_info().replays >= replays for step in made)
    for a, b, c in zip(eager, plain, optimised, strict=True):
        for x, y, z in zip(a, b, c, strict=True):
            assert (x is None) == (y is None) == (z is None)
            if x is not None and x.size:
                double = x.dtype == np.float64
                assert x.dtype == y.dtype == z.dtype
                if double and exact:
                    np.testing.assert_array_equal(x, y)
                size = max(np.abs(x).max(), 0.0 if exact else 1.0)
                rtol = 1e-12 if double else 1e-5
                np.testing.assert_allclose(y, x, rtol=rtol, atol=rtol * size)
                np.testing.assert_allclose(z, x, rtol=rtol, atol=rtol * size)


# ---- the programs of tests/programs ----------------------------------------------------------------------------------
def rows(*shape):
    """Batches of numbers."""
    return lambda n, rng: tuple(tg.tensor(rng.normal(size=(n, *s) if isinstance(s, tuple) else (n, s))) for s in shape)


def labelled(features, classes, dtype=np.float64):
    """Batches of numbers with labels."""
    return lambda n, rng: (tg.tensor(rng.normal(size=(n, features)).astype(dtype)),
                           tg.tensor(rng.integers(0, classes, n)))


def tokens(n, rng):
    """Sentences of 7 words; for the first words nothing is to be foretold."""
    words = rng.integers(0, 11, (n, 7))
    later = words[:, 1:].copy()
    later[:, :1 + n % 2] = -1
    return tg.tensor(words[:, :-1]), tg.tensor(later)


def usual(loss, rule=lambda p: p.optimizer, after=lambda p: None, before=lambda p: None):
    """A step as most programs take it."""
    def build(p):
        def step(*batch):
            rule(p).zero_grad()
            value = loss(p, *batch)
            value.backward()
            before(p)
            rule(p).step()
            after(p)
            return value
        return step, rule(p)
    return build


def adversaries(p):
    def step(real, noise):
        fake, ones = p.generator(noise), tg.ones(len(real), 1, dtype=tg.float64)
        p.d_opt.zero_grad()
        d_loss = p.bce(p.critic(real), ones) + p.bce(p.critic(fake.detach()), tg.zeros_like(ones))
        d_loss.backward()
        p.d_opt.step()
        p.g_opt.zero_grad()
        g_loss = p.bce(p.critic(fake), ones)
        g_loss.backward()
        p.g_opt.step()
        return d_loss.detach() + g_loss.detach()
    return step, p.g_opt


def penalty(p, real, fake):
    between = (0.3 * real + 0.7 * fake).requires_grad_(True)
    scores = p.critic(between)
    slope, = tg.autograd.grad(scores, between, tg.ones_like(scores), create_graph=True)
    return p.critic(fake).mean() - p.critic(real).mean() + 10 * ((slope.norm(2, dim=1) - 1) ** 2).mean()


def by_hand(p):
    def step(x):
        y = (x.sum(1) > 0).double()
        q = tg.sigmoid(x @ p.w + p.b)
        loss = -(y * q.log() + (1 - y) * (1 - q).log()).mean() + 0.01 * p.w.pow(2).sum()
        p.w.grad = p.b.grad = None
        loss.backward()
        with tg.no_grad():
            p.w -= 0.5 * p.w.grad
            p.b -= 0.5 * p.b.grad
        return loss
    return step, None


def inner_steps(p, x, y):
    fast = p.params
    for _ in range(2):
        slopes = tg.autograd.grad(F.mse_loss(p.net(x, fast), y), fast, create_graph=True)
        fast = [w - 0.1 * g for w, g in zip(fast, slopes, strict=True)]
    return F.mse_loss(p.net(x, fast), y.sin())


def averaged(p):
    with tg.no_grad():
        for slow, fast in zip(p.ema.parameters(), p.model.parameters(), strict=True):
            slow.mul_(0.9).add_(fast, alpha=0.1)


def policy(p, states, rewards):
    logs = F.log_softmax(p.policy(states), dim=-1)
    picked = logs.gather(1, rewards.argmax(1).unsqueeze(1)).squeeze(1)
    return -(picked * (rewards[:, 0] - rewards.mean())).mean() + 0.01 * (logs * logs.exp()).sum(-1).mean()


def attacked(p):
    def step():
        p.image.grad = None
        loss = F.nll_loss(F.log_softmax(p.net(p.image), dim=1), p.label)
        loss.backward()
        return tg.clamp(p.image + 0.05 * p.image.grad.data.sign(), 0, 1).detach()
    return step, None


PROGRAMS = {
    "attention": (usual(lambda p, t, y: p.model(t, y)), tokens),
    "autoencoder": (usual(lambda p, x: p.criterion((out := p.model(x))[0], x) + 1e-3 * out[1].abs().mean()), rows(12)),
    "classifier": (usual(lambda p, x, y: p.criterion(p.model(x), y)), labelled(2, 3, np.float32)),
    "custom_function": (usual(
        lambda p, x, t: ((p.Cubic.apply(x.mm(p.w), 0.3) + p.StraightThrough.apply(x.mm(p.w)) - t) ** 2).mean(),
        before=lambda p: nn.utils.clip_grad_value_([p.w], 0.5)), rows(4, 3)),
    "data_loader": (usual(lambda p, x, y: F.cross_entropy(p.net(x), y, weight=tg.tensor([1., 2.], dtype=tg.float64))),
                    labelled(3, 2)),
    "early_stopping": (usual(lambda p, x, y: F.mse_loss(p.model(x), y)), rows(5, 1)),
    "gan": (adversaries, rows(2, 4)),
    "gradient_penalty": (usual(penalty), rows(2, 2)),
    "input_optimisation": (attacked, lambda n, rng: ()),
    "logistic_regression": (by_hand, rows(3)),
    "lstm_by_hand": (usual(lambda p, x: F.mse_loss(p.head(p.cell(x)[0][:, -1]), x.sum(dim=(1, 2)).unsqueeze(1)),
                           before=lambda p: nn.utils.clip_grad_norm_(p.params, max_norm=1.0)), rows((9, 2))),
    "maml": (usual(inner_steps, rule=lambda p: p.outer), rows(1, 1)),
    "moving_average": (usual(lambda p, x: F.l1_loss(p.model(x), tg.stack([x[:, 0], x.prod(dim=1)], dim=1)),
                             after=averaged), rows(4)),
    "policy_gradient": (usual(policy), lambda n, rng: tuple(t.float() for t in rows(3, 4)(n, rng))),
    "residual_blocks": (usual(lambda p, x: F.smooth_l1_loss(p.net(x), x[:, 0] * x[:, 1])), rows(6)),
    "schedules": (usual(lambda p, a: ((a @ p.w - a.sum(1)) ** 2).mean(), after=lambda p: p.scheduler.step()), rows(4)),
    "weight_tying": (usual(lambda p, x: F.huber_loss(p.net(x), x, delta=0.7)), rows(6)),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name, monkeypatch):
    make, batch = PROGRAMS[name]

    def build():
        tg.manual_seed(0)
        before = tg.get_default_dtype()
        try:
            p = stopped(lambda: load(f"tests/programs/{name}").main(tg), monkeypatch)
        finally:
            tg.set_default_dtype(before)
        step, rule = make(p)
        return step, [x for x in leaves(vars(p)) if x.is_leaf], rule, batch
    agree(build)


def test_programs_that_look_inside_are_refused_where_they_put_things_away(monkeypatch):
    p = stopped(lambda: load("tests/programs/hooks").main(tg), monkeypatch)
    with pytest.raises(CaptureError, match=r"the function changes seen\['0'\] .*seen\[name\] = output.detach\(\)"):
        tg.compile(lambda x: p.net(x).sum().detach())(p.x)


def test_newtons_method_branches_on_values():
    """tests/programs/newton.py: derivatives by jacobian and hessian, and a line search."""
    a = tg.tensor(np.random.default_rng(14).normal(size=(12, 3)))

    def f(w):
        return tg.log1p(tg.exp(-(a @ w))).sum() + 0.5 * w.dot(w)

    def step(w):
        gradient, t = tg.autograd.functional.jacobian(f, w), 1.0
        move = tg.linalg.solve(tg.autograd.functional.hessian(f, w), gradient)
        while f(w - t * move) > f(w) - 1e-4 * t * gradient.dot(move) and t > 1e-4:
            t *= 0.5
        return w - t * move
    run, w, v = tg.compile(step), *(tg.zeros(3, dtype=tg.float64) for _ in range(2))
    for _ in range(5):
        w, v = step(w), run(v)
        np.testing.assert_allclose(v.numpy(), w.numpy(), rtol=1e-12)
    assert run.cache_info().replays >= 3


def test_every_program_is_trained_here():
    names = {path.stem for path in (ROOT / "tests/programs").glob("*.py")}
    assert names == PROGRAMS.keys() | {"hooks", "newton"}


# ---- examples, gallery, benchmarks -----------------------------------------------------------------------------------
def graph_of(root):
    """A step on the leaves of a graph, which computes the same graph anew: each node by its own operation."""
    nodes = order([root])
    held = [node for node in nodes if node.op is None]

    def step():
        new = {}
        for node in nodes:
            if node.op is None:
                new[node] = node
                if isinstance(node, Value):
                    node.grad = 0.0
                else:
                    node.grad = None
            else:
                new[node] = node.op(*(new.get(x, x) if isinstance(x, Node) else x for x in node.inputs), **node.params)
        loss = new[root] if root.scalar else new[root].sum()
        loss.backward()
        for leaf in held:
            if isinstance(leaf, Value):
                leaf.data -= 0.1 * leaf.grad
            else:
                with tg.no_grad():
                    leaf.sub_(leaf.grad, alpha=0.1)
        return loss
    return step, held, None, lambda n, rng: ()


def drawn(name, monkeypatch):
    """What a script of the gallery would draw or tabulate first."""
    def stop(root, *args, **kwargs):
        raise Reached(root)
    module = load(f"viz/{name}")
    for what in ("draw", "memo_table", "explore", "adjoints", "explain", "lens"):
        if hasattr(module, what):
            monkeypatch.setattr(module, what, stop)
    with pytest.raises(Reached) as reached:
        module.picture()
    return reached.value.args[0]


EXAMPLES = "examples/04_backprop_as_dp"
GRAPHS = {
    "smith": lambda m: load(f"{EXAMPLES}/smith_network").network()["E"],
    "delta rule, KONG": lambda m: load(f"{EXAMPLES}/delta_rule").neuron(True)[0],
    "delta rule, LIU": lambda m: load(f"{EXAMPLES}/delta_rule").neuron(False)[0],
    "chain rule": lambda m: load(f"{EXAMPLES}/chain_rule").graph()["z"],
    "neuron with decay": lambda m: load(f"{EXAMPLES}/without_a_part").neuron(),
    "smallest": lambda m: importlib.import_module("tinygrad_edu.dp.ablations").smallest(),
    "tanh twice": lambda m: load(f"{EXAMPLES}/twice").graphs()[2],
    "path lens": lambda m: load("viz/path_lens").network()[0],
    "race": lambda m: load("viz/race_chart").mlp([2, 16, 16, 16, 1], [2.0, 3.0]),
    **{f"viz/{name}": lambda m, name=name: drawn(name, m) for name in (
        "conv_shared", "memo_table", "mlp_step", "neuron", "reused_node", "rnn_unrolled", "smith_222")},
}


WITHOUT = {                                           # a network to train
    "viz/checkpoint_schedule": "a schedule by itself", "viz/jacobian_bracketing": "products of Jacobians",
    f"{EXAMPLES}/fibonacci": "Fibonacci's numbers", f"{EXAMPLES}/jacobian_chains": "products of Jacobians",
    f"{EXAMPLES}/other_questions": "other semirings on the delta rule's graph",
}
WHERE = {                                             # those that are trained under another name
    "viz/tanh_twice": "tanh twice", "viz/path_lens": "path lens", "viz/race_chart": "race",
    f"{EXAMPLES}/smith_network": "smith", f"{EXAMPLES}/delta_rule": "delta rule, KONG",
    f"{EXAMPLES}/chain_rule": "chain rule", f"{EXAMPLES}/without_a_part": "neuron with decay",
    f"{EXAMPLES}/twice": "tanh twice",
}
BELOW = {"viz/explorer", f"{EXAMPLES}/checkpointing", "examples/digits"}       # each a test of its own


def test_every_example_and_picture_is_trained_here():
    found = {f"{path.parent.relative_to(ROOT)}/{path.stem}"
             for where in ("examples", EXAMPLES, "viz") for path in (ROOT / where).glob("*.py")}
    assert found == GRAPHS.keys() & found | WHERE.keys() | WITHOUT.keys() | BELOW
    assert set(WHERE.values()) <= GRAPHS.keys()


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs_of_examples_and_gallery(name, monkeypatch):
    agree(lambda: (tg.manual_seed(0), graph_of(GRAPHS[name](monkeypatch)))[1], exact=False)


def trained(net, rule, loss, batch, dtype=None):
    """A network that is built here."""
    def build():
        tg.manual_seed(0)
        model = net() if dtype is None else net().to(dtype)
        p = SimpleNamespace(model=model, optimizer=rule(model.parameters()))
        step, optimiser = usual(lambda p, *xs: loss(p.model, *xs))(p)
        return step, leaves([model]), optimiser, batch
    return build


def layers(*sizes, activation):
    return lambda: nn.Sequential(*[part for a, b in zip(sizes, sizes[1:], strict=False)
                                   for part in (nn.Linear(a, b), activation())][:-1])


def cross_entropy(net, x, y):
    return F.cross_entropy(net(x), y)


CLASSIFIERS = {
    "B2 sigmoid": (layers(784, 100, 10, activation=nn.Sigmoid), lambda ps: optim.SGD(ps, 0.1, momentum=0.9)),
    "B2 relu": (layers(784, 100, 10, activation=nn.ReLU), lambda ps: optim.Adam(ps, 1e-3)),
    "B3": (layers(784, 512, 512, 10, activation=nn.ReLU), lambda ps: optim.Adam(ps, 1e-3)),
}
DOUBLE, SINGLE = np.float64, np.float32


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_networks_of_the_benchmarks(name):
    net, rule = CLASSIFIERS[name]
    agree(trained(net, rule, cross_entropy, labelled(784, 10), tg.float64))


@pytest.mark.parametrize("dtype", [DOUBLE, SINGLE])
def test_digits(dtype):
    digits = importlib.import_module("examples.digits")
    agree(trained(digits.network, lambda ps: optim.Adam(ps, 0.001), digits.objective, labelled(64, 10, dtype), dtype))


def test_the_network_of_the_explorer(monkeypatch):
    def build():
        p = stopped(lambda: load("viz/explorer").page(Path("never.html")), monkeypatch)
        step, rule = usual(lambda p, x, y: F.binary_cross_entropy_with_logits(p.net(x), y))(p)

        def batch(n, rng):
            rows = tg.tensor(rng.permutation(len(p.x))[:n])
            return p.x[rows], p.y[rows]
        return step, leaves([p.net]), rule, batch
    agree(build)


@pytest.mark.parametrize("kept", [None, 1, 3])
def test_the_checkpointed_network(kept):
    """All states kept, layers that count their runs; or checkpointed, where such a count would differ in a replay."""
    example = load(f"{EXAMPLES}/checkpointing")

    class Uncounted(example.Layer):
        def forward(self, x):
            return self.dropout(tg.tanh(self.linear(x)))

    def loss(net, x):
        y = net(x) if kept is None else example.checkpoint_schedule(net, kept, x)
        return y.square().mean()

    def build(layer=example.Layer if kept is None else Uncounted):
        return trained(lambda: nn.Sequential(*[layer() for _ in range(8)]), lambda ps: optim.SGD(ps, 0.1), loss,
                       rows(16), tg.float64)()
    agree(build)
    if kept is not None:
        step, _, _, batch = build(example.Layer)
        with pytest.raises(CaptureError, match=r"a checkpointed function .* outside .*self.runs \+= 1"):
            tg.compile(step)(*batch(4, np.random.default_rng(0)))


RULES = {
    "SGD": lambda ps: optim.SGD(ps, 0.1), "Nesterov": lambda ps: optim.SGD(ps, 0.1, momentum=0.9, nesterov=True),
    "decay": lambda ps: optim.SGD(ps, 0.1, momentum=0.9, dampening=0.1, weight_decay=0.01),
    "Adam": lambda ps: optim.Adam(ps, 0.01, weight_decay=0.01), "AdamW": lambda ps: optim.AdamW(ps, 0.01),
    "AMSGrad": lambda ps: optim.Adam(ps, 0.01, amsgrad=True),
    "RMSprop": lambda ps: optim.RMSprop(ps, 0.01, momentum=0.5, centered=True),
    "Adagrad": lambda ps: optim.Adagrad(ps, 0.1, lr_decay=0.1),
}


@pytest.mark.parametrize("name", RULES)
def test_optimisers_with_dropout_and_normalisation(name):
    def net():
        return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3))
    agree(trained(net, RULES[name], cross_entropy, labelled(6, 3), tg.float64))


@pytest.mark.parametrize("loss", [
    lambda x, y, w: F.cross_entropy(x, y, weight=w, ignore_index=2), lambda x, y, w: F.nll_loss(x, y, ignore_index=1),
    lambda x, y, w: F.cross_entropy(x, y, weight=w, label_smoothing=0.1, ignore_index=0),
    lambda x, y, w: F.nll_loss(x, y, w, reduction="sum"),
    lambda x, y, w: (F.embedding(y, x.t() @ x, padding_idx=1) * w).sum(),
    lambda x, y, w: F.batch_norm(x, w, w, eps=0.1).sum(),
])
def test_what_depends_on_labels_and_weights_is_read_anew(loss):
    weights = [tg.tensor(w, dtype=tg.float64) for w in ([1., 2., 3.], [2., 0.5, 1.], [0., 0., 1.], [3., 2., 1.])]
    scores = [tg.tensor(np.random.default_rng(k).normal(size=(4, 3)), requires_grad=True) for k in (0, 0)]

    def step(x):
        def run(y, w):
            x.grad = None
            value = loss(x, y, w)
            value.backward()
            return value
        return run
    eager, compiled = step(scores[0]), tg.compile(step(scores[1]))
    for labels in ([0, 1, 2, 1], [1, 1, 2, 2], [2, 2, 2, 2], [0, 0, 0, 0], [0, 1, 0, 2]):
        for w in weights:
            y = tg.tensor(labels)
            with np.errstate(all="ignore"):
                np.testing.assert_allclose(compiled(y, w).item(), eager(y, w).item(), rtol=1e-12)
            np.testing.assert_allclose(scores[1].grad.numpy(), scores[0].grad.numpy(), rtol=1e-12, atol=1e-15)
    assert compiled.cache_info().replays >= 10


SCHEDULES = {
    "StepLR": lambda o: optim.lr_scheduler.StepLR(o, 2, 0.5),
    "OneCycleLR": lambda o: optim.lr_scheduler.OneCycleLR(o, 0.2, 9),
    "CosineAnnealingLR": lambda o: optim.lr_scheduler.CosineAnnealingLR(o, 4),
    "LambdaLR": lambda o: optim.lr_scheduler.LambdaLR(o, lambda k: 1 / (k + 1)),
    "SequentialLR": lambda o: optim.lr_scheduler.SequentialLR(o, [
        optim.lr_scheduler.LinearLR(o, 0.1, total_iters=3), optim.lr_scheduler.ExponentialLR(o, 0.8)], [3]),
}


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name, inside):
    def build():
        step, held, rule, batch = trained(layers(6, 8, 3, activation=nn.Tanh), RULES["SGD"], cross_entropy,
                                          labelled(6, 3), tg.float64)()
        schedule = SCHEDULES[name](rule)

        def scheduled(*xs):
            loss = step(*xs)
            schedule.step()
            return loss

        def outside(n, rng):
            if rule.steps:
                schedule.step()
            return batch(n, rng)
        return (scheduled, held, rule, batch) if inside else (step, held, rule, outside)
    agree(build)


def test_a_schedule_that_looks_at_the_loss_belongs_outside():
    step, _, rule, batch = trained(layers(6, 3, activation=nn.Tanh), RULES["SGD"], cross_entropy,
                                   labelled(6, 3, SINGLE))()
    plateau = optim.lr_scheduler.ReduceLROnPlateau(rule)
    with pytest.raises(CaptureError, match="a number that the function computes"):
        tg.compile(lambda x, y: plateau.step(step(x, y).item()))(*batch(4, np.random.default_rng(0)))


@pytest.mark.parametrize("chain", ["unary", "affine"])
def test_the_chain_of_the_benchmarks(chain, monkeypatch):
    b8 = importlib.import_module("benchmarks.b8")
    monkeypatch.setattr(b8, "LENGTH", 300)

    def build():
        step = b8.torch_api("tinygrad_edu", chain)
        found = inspect.getclosurevars(step).nonlocals
        return step, [found[k] for k in "xwb" if k in found], None, lambda n, rng: ()
    agree(build)


@pytest.mark.parametrize("kind", ["scalars", "arrays"])
def test_the_moons_of_the_benchmarks(kind, monkeypatch):
    a1 = importlib.import_module("benchmarks.a1")
    points, labels = a1.moons(12)
    monkeypatch.setattr(a1, "moons", lambda: (points, labels))

    def build():
        step = getattr(a1, kind)("tinygrad_edu")
        return step, inspect.getclosurevars(step).nonlocals["parameters"], None, lambda n, rng: ()
    agree(build, exact=kind == "arrays")
