"""Module and the containers: the same few lines under both libraries, and what is taught where a line is wrong."""
from __future__ import annotations

import copy
import gc
import pickle
import warnings
import weakref
from collections import OrderedDict

import numpy as np
import pytest
import torch
from parity import same

import tinygrad_edu as tg
from tinygrad_edu import graph, mode

LIBS = pytest.mark.parametrize("lib", [tg, torch], ids=["ours", "torch"])


def deep(lib):
    """A network with every kind of container, a buffer that is saved, one that is not, and a parameter of its own."""
    nn = lib.nn

    class Block(nn.Module):
        def __init__(self, n):
            super().__init__()
            self.fc = nn.Linear(n, n)
            self.act = nn.Tanh()

        def forward(self, x):
            return x + self.act(self.fc(x))

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(lib.ones(3))
            self.register_buffer("shift", lib.zeros(3))
            self.register_buffer("scratch", lib.zeros(2), persistent=False)
            self.register_parameter("nothing", None)
            self.blocks = nn.ModuleList([Block(3), Block(3)])
            self.heads = nn.ModuleDict({"a": nn.Linear(3, 2), "b": nn.Linear(3, 1, bias=False)})
            self.more = nn.ParameterList([nn.Parameter(lib.ones(1)), nn.Parameter(lib.ones(2))])
            self.tail = nn.Sequential(OrderedDict([("drop", nn.Dropout(0.5)), ("out", nn.Linear(2, 2))]))
            self.twice = self.tail[1]

        def forward(self, x):
            x = x * self.scale + self.shift
            for block in self.blocks:
                x = block(x)
            return self.tail(self.heads["a"](x)) + self.heads["b"](x)

    return Net()


def pair():
    """That network under both libraries, with equal weights."""
    theirs = deep(torch)
    ours = deep(tg)
    ours.load_state_dict(theirs.state_dict())
    return ours.eval(), theirs.eval()


# ---- structure ------------------------------------------------------------------------------------------------------
def test_names_keys_and_repr_are_torchs():
    ours, theirs = pair()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for listing in ("named_parameters", "named_buffers", "named_modules", "named_children"):
        assert [n for n, _ in getattr(ours, listing)()] == [n for n, _ in getattr(theirs, listing)()], listing
    for listing in ("parameters", "buffers", "modules", "children"):
        assert len(list(getattr(ours, listing)())) == len(list(getattr(theirs, listing)())), listing
    assert [n for n, _ in ours.named_parameters(recurse=False)] == [n for n,
                                                                    _ in theirs.named_parameters(recurse=False)]
    assert [n for n, _ in ours.named_parameters("net", remove_duplicate=False)] == [
        n for n, _ in theirs.named_parameters("net", remove_duplicate=False)]
    assert repr(ours) == repr(theirs).replace("torch.float32", "float32")


def test_outputs_and_gradients_are_torchs():
    ours, theirs = pair()
    x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    a, b = ours(tg.tensor(x)), theirs(torch.tensor(x))
    same(a, b)
    a.square().sum().backward()
    b.square().sum().backward()
    for (name, p), (_, q) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        if q.grad is None:
            assert p.grad is None, name
        else:
            same(p.grad, q.grad, rtol=1e-4)


@LIBS
def test_training_mode_freezing_and_conversion(lib):
    net = deep(lib)
    assert net.eval() is net and not any(m.training for m in net.modules())
    assert net.train() is net and all(m.training for m in net.modules())
    net.tail.eval()
    assert net.training and not net.tail[0].training and net.heads["a"].training
    net.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())
    net.requires_grad_(True)
    p = net.scale
    assert net.double() is net and net.scale is p and all(p.dtype == lib.float64 for p in net.parameters())
    assert net.shift.dtype == lib.float64
    assert net.to(lib.float32).scale.dtype == lib.float32 and net.to("cpu") is net and net.float() is net
    net(lib.ones(2, 3)).sum().backward()
    assert net.scale.grad is not None
    net.zero_grad(set_to_none=False)
    assert not net.scale.grad.numpy().any()
    net.zero_grad()
    assert net.scale.grad is None


@LIBS
def test_apply_visits_children_first(lib):
    seen = []
    net = lib.nn.Sequential(lib.nn.Linear(1, 1), lib.nn.Sequential(lib.nn.ReLU()))
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["Linear", "ReLU", "Sequential", "Sequential"]


@LIBS
def test_attributes(lib):
    nn = lib.nn
    net = nn.Module()
    net.a = nn.Linear(1, 1)
    net.a = None
    assert list(net.named_modules()) == [("", net)]
    net.b = nn.Parameter(lib.ones(2))
    with pytest.raises(TypeError):
        net.b = lib.ones(2)
    net.b = None
    assert list(net.parameters()) == []
    net.c = lib.ones(1)                               # a plain tensor is neither parameter nor buffer
    assert list(net.state_dict()) == []
    net.c = nn.Parameter(lib.ones(1))                 # now it is
    assert list(net.state_dict()) == ["c"]
    net.register_buffer("d", lib.ones(1))
    net.d = lib.zeros(1)
    assert list(net.state_dict()) == ["c", "d"]
    with pytest.raises(TypeError):
        net.d = 3
    del net.d, net.c
    assert list(net.state_dict()) == [] and not hasattr(net, "d")
    net.e = nn.ReLU()
    with pytest.raises(TypeError):
        net.e = 5
    with pytest.raises(KeyError):
        net.register_buffer("e", lib.ones(1))
    with pytest.raises(KeyError):
        net.add_module("x.y", nn.ReLU())
    with pytest.raises(KeyError):
        net.register_parameter("", None)
    with pytest.raises(TypeError):
        net.add_module("f", 3)
    with pytest.raises(TypeError):
        net.register_parameter("p", lib.ones(1))
    with pytest.raises(AttributeError):
        net.missing  # noqa: B018
    assert net.get_submodule("e") is net.e and net.get_submodule("") is net
    with pytest.raises(AttributeError):
        net.get_submodule("nope")


@LIBS
def test_what_cannot_be_a_module(lib):
    nn = lib.nn

    class Forgetful(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(1, 1)

    class Parameters(nn.Module):
        def __init__(self):
            self.w = nn.Parameter(lib.ones(1))

    for kind in (Forgetful, Parameters):
        with pytest.raises(AttributeError, match="before Module.__init__"):
            kind()
    with pytest.raises(NotImplementedError, match="forward"):
        nn.Module()(1)
    with pytest.raises(NotImplementedError):
        nn.ModuleList([nn.ReLU()])(1)


def test_an_unset_module_says_what_was_forgotten():
    class Forgetful(tg.nn.Module):
        def __init__(self):
            self.n = 3

        def forward(self, x):
            return x

    with pytest.raises(AttributeError, match="super"):
        Forgetful()(tg.ones(1))


# ---- containers -----------------------------------------------------------------------------------------------------
@LIBS
def test_sequential(lib):
    nn = lib.nn
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 4))
    assert len(net) == 3 and net[-1] is net[2] and [type(m).__name__ for m in net] == ["Linear", "ReLU", "Linear"]
    part = net[1:]
    assert isinstance(part, nn.Sequential) and list(part.state_dict()) == ["2.weight", "2.bias"] and part[0] is net[1]
    assert net.append(nn.Tanh()) is net and list(dict(net.named_children())) == ["0", "1", "2", "3"]
    del net[1]
    assert [n for n, _ in net.named_children()] == ["0", "1", "2"] and isinstance(net[1], nn.Linear)
    net[0] = nn.Linear(2, 3, bias=False)
    assert list(net.state_dict()) == ["0.weight", "1.weight", "1.bias"]
    net.insert(1, nn.Sigmoid())
    assert [type(m).__name__ for m in net] == ["Linear", "Sigmoid", "Linear", "Tanh"]
    assert isinstance(net.pop(1), nn.Sigmoid) and len(net) == 3
    both = nn.Sequential(nn.ReLU()) + nn.Sequential(nn.Tanh())
    assert len(both) == 2 and isinstance(both[1], nn.Tanh)
    assert net(lib.ones(5, 2)).shape == (5, 4)
    assert nn.Sequential()(7) == 7
    for bad in (4, -4):
        with pytest.raises(IndexError):
            net[bad]
    with pytest.raises(TypeError):
        nn.Sequential(3)


@LIBS
def test_module_list_and_dict(lib):
    nn = lib.nn
    layers = nn.ModuleList(nn.Linear(i + 1, i + 2) for i in range(3))
    assert len(layers) == 3 and layers[-1].in_features == 3 and isinstance(layers[:2], nn.ModuleList)
    layers.append(nn.ReLU())
    layers.extend([nn.Tanh()])
    layers += [nn.GELU()]
    layers.insert(0, nn.Identity())
    assert [n for n, _ in layers.named_children()] == [str(i) for i in range(7)]
    del layers[1:4]
    assert [type(m).__name__ for m in layers] == ["Identity", "ReLU", "Tanh", "GELU"]
    layers[0] = nn.Linear(1, 1)
    assert list(layers.state_dict()) == ["0.weight", "0.bias"]
    table = nn.ModuleDict({"a": nn.ReLU()})
    table["b"] = nn.Linear(1, 2)
    table.update({"c": nn.Tanh()})
    assert list(table) == ["a", "b", "c"] and "b" in table and len(table) == 3 and list(table.keys()) == ["a", "b", "c"]
    assert isinstance(table.pop("a"), nn.ReLU) and [k for k, _ in table.items()] == ["b", "c"]
    del table["c"]
    assert [type(m).__name__ for m in table.values()] == ["Linear"]
    table.clear()
    assert len(table) == 0
    for bad in ({"a": 1}, {"forward": nn.ReLU()}):
        with pytest.raises((TypeError, KeyError)):
            nn.ModuleDict(bad)


@LIBS
def test_parameter_list_and_dict(lib):
    nn = lib.nn
    values = nn.ParameterList([lib.ones(2), nn.Parameter(lib.ones(3))])
    values.append(lib.ones(4))
    assert len(values) == 3 and all(isinstance(p, nn.Parameter) for p in values) and values[-1].shape == (4,)
    values[0] = nn.Parameter(lib.zeros(5))
    assert [tuple(p.shape) for p in values.parameters()] == [(5,), (3,), (4,)]
    assert list(values.state_dict()) == ["0", "1", "2"]
    table = nn.ParameterDict({"w": nn.Parameter(lib.ones(2))})
    table["b"] = lib.ones(1)
    assert list(table.keys()) == ["w", "b"] and "w" in table and list(table.state_dict()) == ["w", "b"]
    del table["w"]
    assert len(table) == 1


def test_reprs_of_containers():
    def build(lib):
        nn = lib.nn
        return [nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2)]), nn.ModuleList(),
                nn.Sequential(), nn.ModuleDict({"a": nn.Sequential(nn.ReLU(), nn.Sequential(nn.Tanh()))}),
                nn.ModuleList([nn.Sequential(nn.Linear(1, 1)), nn.Sequential(nn.Linear(1, 1))])]
    for ours, theirs in zip(build(tg), build(torch), strict=True):
        assert repr(ours) == repr(theirs)


# ---- layers that nobody registered ----------------------------------------------------------------------------------
def test_layers_in_a_plain_list_are_said():
    class Loose(tg.nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = [tg.nn.Linear(2, 2), tg.nn.Linear(2, 2)]
            self.table = {"w": tg.nn.Parameter(tg.ones(1))}
            self.sizes = [1, 2, 3]

    with pytest.warns(UserWarning) as found:
        assert list(Loose().parameters()) == []
    texts = [str(w.message) for w in found]
    assert len(texts) == 2
    assert "Loose.hidden" in texts[0] and "nn.ModuleList" in texts[0]
    assert "Loose.table" in texts[1] and "nn.ParameterDict" in texts[1]
    assert found[0].filename == __file__

    class Inside(tg.nn.Module):
        def __init__(self):
            super().__init__()
            self.body = Loose()
            self.body.table.clear()

    with pytest.warns(UserWarning, match=r"Loose\.hidden \(at 'body'\)"):
        list(Inside().parameters())


def test_a_list_of_registered_layers_is_no_reason_to_warn():
    class Known(tg.nn.Module):
        def __init__(self):
            super().__init__()
            layers = [tg.nn.Linear(2, 2), tg.nn.Linear(2, 2)]
            self.net = tg.nn.Sequential(*layers)
            self.layers = layers

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(list(Known().parameters())) == 4


# ---- state ----------------------------------------------------------------------------------------------------------
@LIBS
def test_state_dict_shares_memory_and_loading_copies(lib):
    a, b = lib.nn.Linear(2, 2), lib.nn.Linear(2, 2)
    state = a.state_dict()
    assert not any(v.requires_grad for v in state.values())
    with lib.no_grad():
        a.weight.fill_(5.0)
    assert float(state["weight"][0, 0]) == 5.0
    assert repr(b.load_state_dict(state)) == "<All keys matched successfully>"
    with lib.no_grad():
        a.weight.fill_(6.0)
    assert b.weight[0, 0].item() == 5.0 and b.weight.requires_grad and isinstance(b.weight, lib.nn.Parameter)


@LIBS
def test_load_state_dict_says_everything_that_is_wrong(lib):
    net = lib.nn.Sequential(lib.nn.Linear(2, 3), lib.nn.Linear(3, 1))
    state = net.state_dict()
    del state["1.bias"]
    state["extra"] = lib.ones(1)
    state["0.weight"] = lib.ones(4, 4)
    before = net[0].bias.detach().clone()
    state["0.bias"] = before + 1
    with pytest.raises(RuntimeError) as error:
        net.load_state_dict(state)
    text = str(error.value)
    for part in ("Error(s) in loading state_dict for Sequential:", 'Missing key(s) in state_dict: "1.bias".',
                 'Unexpected key(s) in state_dict: "extra".', "size mismatch for 0.weight: copying a param with shape",
                 "the shape in current model is"):
        assert part in text
    if lib is tg:
        assert (net[0].bias == before).all(), "a failed load left something changed"
    del state["0.weight"]
    keys = net.load_state_dict(state, strict=False)
    assert keys.missing_keys == ["0.weight", "1.bias"] and keys.unexpected_keys == ["extra"]
    assert (net[0].bias == before + 1).all()
    with pytest.raises(TypeError):
        net.load_state_dict(3)


def test_state_goes_back_and_forth_between_the_libraries():
    ours, theirs = deep(tg), deep(torch)
    theirs.load_state_dict({k: torch.tensor(v.numpy()) for k, v in ours.state_dict().items()})
    for k, v in ours.state_dict().items():
        same(v, theirs.state_dict()[k])
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})


@LIBS
def test_copies_and_pickles_are_independent(lib):
    net = lib.nn.Sequential(lib.nn.Linear(2, 2), lib.nn.Tanh())
    x = lib.ones(1, 2)
    y = net(x)
    twin = copy.deepcopy(net)
    assert (twin(x) == y).all() and twin[0].weight is not net[0].weight and list(twin.parameters())[0] is twin[0].weight
    with lib.no_grad():
        twin[0].weight.fill_(0.0)
    assert (net(x) == y).all()
    back = pickle.loads(pickle.dumps(net))
    assert (back(x) == y).all() and isinstance(back[0].weight, lib.nn.Parameter)
    assert list(back.parameters())[0] is back[0].weight


# ---- names of layers on the graph -----------------------------------------------------------------------------------
def layers(y):
    """The layers of all nodes below y, oldest first."""
    return list(dict.fromkeys(node.note.layer for node in graph.order([y]) if node.op is not None))


def test_nodes_know_their_layer():
    net = deep(tg).eval()
    found = layers(net(tg.ones(2, 3)))
    assert found == ["Net", "Net.blocks.0.fc", "Net.blocks.0.act", "Net.blocks.0", "Net.blocks.1.fc",
                     "Net.blocks.1.act",
                     "Net.blocks.1", "Net.heads.a", "Net.tail.out", "Net.heads.b"]
    with mode.scope("first"):
        assert layers(net(tg.ones(2, 3)))[1] == "first.Net.blocks.0.fc"
    assert layers(net.blocks[1](tg.ones(2, 3)))[0] == "Block.fc"         # called by itself, it is the root
    assert mode.local.mode.note.layer == ""


def test_slices_and_copies_keep_the_right_names():
    class Net(tg.nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = tg.nn.ModuleList(tg.nn.Linear(2, 2) for _ in range(3))

        def forward(self, x):
            for layer in self.layers[1:]:
                x = layer(x)
            return x

    net = Net()
    assert layers(net(tg.ones(1, 2))) == ["Net.layers.1", "Net.layers.2"]
    twin = copy.deepcopy(net)
    twin.layers = tg.nn.ModuleList(reversed(list(twin.layers)))
    assert layers(twin(tg.ones(1, 2))) == ["Net.layers.1", "Net.layers.2"]


def test_an_error_names_the_layer_and_leaves_no_scope_behind():
    net = tg.nn.Sequential(tg.nn.Linear(4, 5), tg.nn.ReLU(), tg.nn.Linear(6, 3))
    with pytest.raises(RuntimeError) as error:
        net(tg.ones(2, 4))
    text = str(error.value)
    assert "(2x5 and 6x3)" in text and "Sequential.2" in text and "(2, 5)" in text
    assert error.value.__notes__ == ["in layer Sequential.2: Linear(in_features=6, out_features=3, bias=True)"]
    assert mode.local.mode.note.layer == ""


def test_modules_are_freed_without_the_cyclic_collector():
    net = tg.nn.Sequential(tg.nn.Linear(2, 2), tg.nn.ReLU())
    net(tg.ones(1, 2))
    gone = weakref.ref(net)
    gc.disable()
    try:
        del net
        assert gone() is None
    finally:
        gc.enable()


# ---- hooks ----------------------------------------------------------------------------------------------------------
@LIBS
def test_forward_hooks(lib):
    layer, seen = lib.nn.Identity(), []
    first = layer.register_forward_pre_hook(lambda m, args: seen.append(("pre", m is layer, len(args))))
    second = layer.register_forward_pre_hook(lambda m, args: args[0] + 1)
    third = layer.register_forward_hook(lambda m, args, y: seen.append(("post", float(args[0]), float(y))))
    fourth = layer.register_forward_hook(lambda m, args, y: y * 10)
    assert float(layer(lib.tensor(1.0))) == 20.0
    assert seen == [("pre", True, 1), ("post", 2.0, 2.0)]
    for handle in (second, third, fourth):
        handle.remove()
    assert float(layer(lib.tensor(1.0))) == 1.0 and len(seen) == 3
    first.remove()
    with layer.register_forward_hook(lambda m, args, y: y + 5):
        assert float(layer(lib.tensor(1.0))) == 6.0
    assert float(layer(lib.tensor(1.0))) == 1.0
    order = []
    layer.register_forward_hook(lambda m, args, y: order.append("b"))
    layer.register_forward_hook(lambda m, args, y: order.append("a"), prepend=True)
    layer(lib.tensor(1.0))
    assert order == ["a", "b"]
    bare = lib.nn.Identity()
    bare.register_forward_pre_hook(lambda m, args, kwargs: ((args[0] * 3,), kwargs), with_kwargs=True)
    bare.register_forward_hook(lambda m, args, kwargs, y: y + len(kwargs), with_kwargs=True)
    assert float(bare(lib.tensor(2.0))) == 6.0


@pytest.mark.filterwarnings("ignore:Full backward hook is firing", "ignore:Converting a tensor with requires_grad")
@LIBS
def test_full_backward_hook(lib):
    seen = []
    net = lib.nn.Sequential(lib.nn.Linear(1, 1, bias=False), lib.nn.Tanh(), lib.nn.Identity())
    with lib.no_grad():
        net[0].weight.fill_(2.0)
    handles = [net[1].register_full_backward_hook(lambda m, gi, go: seen.append((len(gi), float(gi[0]), float(go[0])))),
               net[0].register_full_backward_hook(lambda m, gi, go: seen.append((gi[0], float(go[0]))))]
    (3.0 * net(lib.ones(1, 1))).sum().backward()
    slope = 3.0 * (1 - np.tanh(2.0) ** 2)
    assert seen[0] == (1, pytest.approx(slope, rel=1e-4), 3.0) and seen[1] == (None, pytest.approx(slope, rel=1e-4))
    for handle in handles:
        handle.remove()
    net.zero_grad()
    net[1].register_full_backward_hook(lambda m, gi, go: (gi[0] * 0,))
    net(lib.ones(1, 1)).sum().backward()
    assert float(net[0].weight.grad) == 0.0
