"""What users of PyTorch do with modules and optimisers by habit, and by mistake."""
from __future__ import annotations

import copy
import inspect
import pickle

import pytest
import torch

import tinygrad_edu as tg


def test_layers_in_lists_within_lists_are_found_missing():
    class Net(tg.nn.Module):
        def __init__(self):
            super().__init__()
            self.towers = {"left": [tg.nn.Linear(2, 2)], "right": [tg.nn.Linear(2, 2)]}

    with pytest.warns(UserWarning, match=r"Net\.towers is a plain dict that holds 2 module"):
        assert list(Net().parameters()) == []


def test_a_copied_network_starts_without_gradients():
    for lib in (tg, torch):
        layer = lib.nn.Linear(2, 1)
        layer(lib.ones(1, 2)).sum().backward()
        assert copy.deepcopy(layer).weight.grad is None and copy.deepcopy(layer.weight).requires_grad


def test_what_an_optimiser_is_given_by_mistake():
    layer = tg.nn.Linear(2, 1)
    for wrong in (layer, layer.parameters, 3):
        with pytest.raises(TypeError, match=r"(?s)iterable of Tensors.*net\.parameters\(\)"):
            tg.optim.SGD(wrong, lr=0.1)


@pytest.mark.parametrize("name", ["LeakyReLU", "Softmax", "Hardtanh", "CrossEntropyLoss", "MSELoss", "Threshold"])
def test_modules_of_functions_say_what_they_take(name):
    ours, theirs = inspect.signature(getattr(tg.nn, name)), inspect.signature(getattr(torch.nn, name))
    assert set(ours.parameters) == set(theirs.parameters) - {"size_average", "reduce", "min_value", "max_value"}
    with pytest.raises(TypeError, match=name):
        getattr(tg.nn, name)(nothing_of_the_kind=1)


def test_a_subclass_of_an_activation_has_arguments_of_its_own():
    class Steep(tg.nn.LeakyReLU):
        """A leaky ReLU of slope 1/2."""

        def __init__(self, factor=1.0):
            super().__init__(0.5)
            self.factor = factor

        def forward(self, x):
            return self.factor * super().forward(x)

    assert list(inspect.signature(Steep).parameters) == ["factor"]
    steep = pickle.loads(pickle.dumps(tg.nn.Sequential(tg.nn.LeakyReLU(0.25))))
    assert steep(tg.tensor([-4.0])).item() == -1 and Steep(3.0)(tg.tensor([-4.0])).item() == -6
