"""Malformed calls: PyTorch's exception type, a message that names operation, shapes, layer and remedy, nothing half changed."""
from __future__ import annotations

import numpy as np
import pytest
import torch

import tinygrad_edu as tg

E = (RuntimeError, ValueError, TypeError, IndexError, AttributeError, KeyError, NotImplementedError, AssertionError)


def mlp(lib):
    torch.manual_seed(0)
    tg.manual_seed(0)
    return lib.nn.Sequential(lib.nn.Linear(4, 5), lib.nn.ReLU(), lib.nn.Linear(5, 3))


def t(lib, *shape, grad=False, dtype="float32"):
    return lib.ones(*shape, dtype=getattr(lib, dtype)).requires_grad_(grad)


# name -> (call, words that the message must have)
CASES = {
    # shapes
    "add": (lambda lib: t(lib, 2, 3) + t(lib, 4), ["(2, 3)", "(4,)", "+"]),
    "mul": (lambda lib: t(lib, 2, 3) * t(lib, 2), ["(2, 3)", "(2,)", "*"]),
    "where": (lambda lib: lib.where(t(lib, 3) > 0, t(lib, 4), t(lib, 3)), ["(3,)", "(4,)", "where"]),
    "matmul inner": (lambda lib: t(lib, 2, 3) @ t(lib, 2, 3), ["(2, 3)", "@", "mT"]),
    "matmul vector": (lambda lib: t(lib, 2, 3) @ t(lib, 4), ["(2, 3)", "(4,)"]),
    "matmul batch": (lambda lib: t(lib, 2, 3, 4) @ t(lib, 3, 4, 5), ["(2, 3, 4)"]),
    "matmul 0-d": (lambda lib: t(lib, 2) @ lib.tensor(1.0), ["@"]),
    "matmul dtype": (lambda lib: t(lib, 2, 2) @ t(lib, 2, 2, dtype="float64"), ["dtype"]),
    "mm rank": (lambda lib: lib.mm(t(lib, 2), t(lib, 2, 2)), ["mm"]),
    "bmm rank": (lambda lib: lib.bmm(t(lib, 2, 2), t(lib, 2, 2)), ["bmm"]),
    "dot rank": (lambda lib: lib.dot(t(lib, 2, 2), t(lib, 2)), ["dot"]),
    "dot size": (lambda lib: lib.dot(t(lib, 2), t(lib, 3)), ["dot"]),
    "einsum sizes": (lambda lib: lib.einsum("ij,jk->ik", t(lib, 2, 3), t(lib, 4, 5)), ["einsum"]),
    "einsum letters": (lambda lib: lib.einsum("ij->ijk", t(lib, 2, 3)), ["einsum"]),
    "reshape": (lambda lib: t(lib, 6).reshape(4, 2), ["6", "(4, 2)"]),
    "reshape two -1": (lambda lib: t(lib, 6).reshape(-1, -1), ["-1"]),
    "view not contiguous": (lambda lib: t(lib, 2, 3).t().view(6), ["view", "reshape"]),
    "expand": (lambda lib: t(lib, 2, 3).expand(4, 3), ["(2, 3)", "(4, 3)"]),
    "cat shapes": (lambda lib: lib.cat([t(lib, 2, 3), t(lib, 2, 4)]), ["cat"]),
    "cat empty list": (lambda lib: lib.cat([]), ["cat"]),
    "stack shapes": (lambda lib: lib.stack([t(lib, 2), t(lib, 3)]), ["stack"]),
    "split sizes": (lambda lib: t(lib, 5).split([2, 2]), ["split"]),
    "permute count": (lambda lib: t(lib, 2, 3).permute(0), ["permute"]),
    "permute twice": (lambda lib: t(lib, 2, 3).permute(0, 0), ["permute"]),
    "t of 3-d": (lambda lib: t(lib, 2, 3, 4).t(), ["t()"]),
    # dimensions and indices
    "sum dim": (lambda lib: t(lib, 2, 3).sum(2), ["[-2, 1]", "2"]),
    "sum dims twice": (lambda lib: t(lib, 2, 3).sum((0, 0)), ["dim"]),
    "softmax dim": (lambda lib: t(lib, 2, 3).softmax(3), ["[-2, 1]"]),
    "cat dim": (lambda lib: lib.cat([t(lib, 2), t(lib, 2)], dim=1), ["[-1, 0]"]),
    "transpose dim": (lambda lib: t(lib, 2, 3).transpose(0, 2), ["[-2, 1]"]),
    "unsqueeze dim": (lambda lib: t(lib, 2, 3).unsqueeze(5), ["[-3, 2]"]),
    "squeeze dim": (lambda lib: t(lib, 2, 3).squeeze(4), ["[-2, 1]"]),
    "index": (lambda lib: t(lib, 2, 3)[5], ["5"]),
    "index array": (lambda lib: t(lib, 2, 3)[lib.tensor([0, 7])], ["7"]),
    "too many indices": (lambda lib: t(lib, 2)[0, 0], ["indices"]),
    "mask shape": (lambda lib: t(lib, 3)[lib.tensor([True, False])], ["2"]),
    "float index": (lambda lib: t(lib, 3)[lib.tensor([0.0])], ["index"]),
    "negative step": (lambda lib: t(lib, 3)[::-1], ["step", "flip"]),
    "gather index": (lambda lib: t(lib, 3).gather(0, lib.tensor([5])), ["gather"]),
    "gather rank": (lambda lib: t(lib, 3).gather(0, lib.tensor([[0]])), ["gather"]),
    "topk k": (lambda lib: t(lib, 3).topk(5), ["topk"]),
    "argmax empty": (lambda lib: t(lib, 0).argmax(), ["argmax"]),
    "max empty": (lambda lib: t(lib, 0).max(), ["max"]),
    "item": (lambda lib: t(lib, 2).item(), ["item", "2"]),
    "bool": (lambda lib: bool(t(lib, 2)), ["ambiguous"]),
    "len 0-d": (lambda lib: len(lib.tensor(1.0)), ["0-d"]),
    "iterate 0-d": (lambda lib: list(lib.tensor(1.0)), ["0-d"]),
    # dtypes and values
    "tensor of words": (lambda lib: lib.tensor(["a"]), []),
    "ragged": (lambda lib: lib.tensor([[1.0, 2.0], [3.0]]), []),
    "int requires grad": (lambda lib: lib.tensor([1], requires_grad=True), ["float"]),
    "mean of ints": (lambda lib: lib.tensor([1, 2]).mean(), ["mean"]),
    "plus a word": (lambda lib: t(lib, 2) + "a", []),
    "in-place dtype": (lambda lib: lib.tensor([1, 2]).add_(1.5), ["+"]),
    "in-place shape": (lambda lib: t(lib, 3).add_(t(lib, 2, 3)), ["(3,)", "(2, 3)"]),
    "sum of a list": (lambda lib: lib.sum([1, 2]), ["list", "tensor("]),
    "mean of nothing": (lambda lib: lib.mean(None), ["NoneType"]),
    "cat of numbers": (lambda lib: lib.cat([1, 2]), ["int"]),
    "stack of lists": (lambda lib: lib.stack([t(lib, 1), [2]]), ["element 1", "list"]),
    "sum over a word": (lambda lib: t(lib, 2, 2).sum("a"), ["'a'"]),
    "sum over a float": (lambda lib: t(lib, 2, 2).sum(1.0), ["1.0"]),
    "permute words": (lambda lib: t(lib, 2, 2).permute("a", "b"), ["'a'"]),
    "topk of a word": (lambda lib: t(lib, 2).topk("a"), ["str"]),
    "int": (lambda lib: int(t(lib, 2)), ["(2,)"]),
    "float": (lambda lib: float(t(lib, 2)), ["(2,)"]),
    "negated mask": (lambda lib: -lib.tensor([True]), ["~x"]),
    "mask minus mask": (lambda lib: lib.tensor([True]) - lib.tensor([True]), ["x ^ y"]),
    "inverted float": (lambda lib: ~t(lib, 2), ["float32"]),
    "integer to a negative power": (lambda lib: lib.tensor([2]) ** -1, ["float()"]),
    "word into a tensor": (lambda lib: t(lib, 2, 2).__setitem__(0, "a"), ["'a'"]),
    "word added in place": (lambda lib: t(lib, 2).add_("a"), ["'a'"]),
    "row of another size": (lambda lib: t(lib, 2, 2).__setitem__(0, t(lib, 3)), ["(2, 2)", "(3,)"]),
    "clamp nothing": (lambda lib: t(lib, 2).clamp(), ["clamp"]),
    "device": (lambda lib: lib.zeros(2, device="nowhere"), ["cpu"]),
    "inv singular": (lambda lib: lib.linalg.inv(lib.zeros(2, 2)), []),
    "cholesky": (lambda lib: lib.linalg.cholesky(-lib.eye(2)), []),
    "inv not square": (lambda lib: lib.linalg.inv(t(lib, 2, 3)), []),
    # gradients
    "backward without grad": (lambda lib: t(lib, 2).sum().backward(), ["requires_grad=True"]),
    "backward of many": (lambda lib: t(lib, 2, grad=True).exp().backward(), ["scalar", "sum()"]),
    "backward shape": (lambda lib: t(lib, 2, grad=True).exp().backward(t(lib, 3)), ["(3,)", "(2,)"]),
    "backward of a list": (lambda lib: t(lib, 2, grad=True).exp().backward([1.0, 1.0]), ["tg.ones_like"]),
    "in-place leaf": (lambda lib: t(lib, 2, grad=True).add_(1), ["leaf", "no_grad"]),
    "numpy of grad": (lambda lib: t(lib, 2, grad=True).numpy(), ["detach()"]),
    "grad of wrong shape": (lambda lib: setattr(t(lib, 2, grad=True), "grad", t(lib, 3)), ["(3,)"]),
    "grad of wrong type": (lambda lib: setattr(t(lib, 2, grad=True), "grad", 3.0), ["grad"]),
    "detached leaf off": (lambda lib: t(lib, 2, grad=True).exp().requires_grad_(False), ["leaf"]),
    "retain_grad": (lambda lib: t(lib, 2).retain_grad(), ["requires_grad"]),
    "hook": (lambda lib: t(lib, 2).register_hook(print), ["gradient"]),
    "unused input": (lambda lib: lib.autograd.grad(t(lib, 2, grad=True).sum(), t(lib, 2, grad=True)), ["allow_unused"]),
    # layers and losses
    "linear width": (lambda lib: mlp(lib)(t(lib, 2, 3)), ["(2, 3)", "4", "0"]),
    "linear dtype": (lambda lib: mlp(lib)(t(lib, 2, 4, dtype="float64")), ["dtype"]),
    "second layer": (lambda lib: lib.nn.Sequential(lib.nn.Linear(4, 5), lib.nn.Linear(6, 3))(t(lib, 2, 4)), ["(2, 5)", "1"]),
    "class out of range": (lambda lib: lib.nn.functional.cross_entropy(t(lib, 2, 3), lib.tensor([0, 3])), ["3", "out of bounds"]),
    "class negative": (lambda lib: lib.nn.functional.cross_entropy(t(lib, 2, 3), lib.tensor([0, -1])), ["-1"]),
    "class batch": (lambda lib: lib.nn.functional.cross_entropy(t(lib, 2, 3), lib.tensor([0])), ["2", "1"]),
    "class dtype": (lambda lib: lib.nn.functional.cross_entropy(t(lib, 2, 3), lib.tensor([0.0, 1.0])), []),
    "nll batch": (lambda lib: lib.nn.functional.nll_loss(t(lib, 2, 3), lib.tensor([0, 1, 2])), []),
    "bce shapes": (lambda lib: lib.nn.functional.binary_cross_entropy(t(lib, 2, 1), t(lib, 2)), ["(2, 1)", "(2,)"]),
    "bce range": (lambda lib: lib.nn.functional.binary_cross_entropy(t(lib, 2) * 2, t(lib, 2)), ["0", "1"]),
    "bce nan": (lambda lib: lib.nn.functional.binary_cross_entropy(t(lib, 2) * float("nan"), t(lib, 2)), []),
    "bce logits shapes": (lambda lib: lib.nn.functional.binary_cross_entropy_with_logits(t(lib, 2), t(lib, 3)), ["(2,)", "(3,)"]),
    "mse shapes": (lambda lib: lib.nn.functional.mse_loss(t(lib, 3, 2), t(lib, 4)), ["(3, 2)", "(4,)"]),
    "reduction": (lambda lib: lib.nn.functional.mse_loss(t(lib, 2), t(lib, 2), reduction="avg"), ["avg"]),
    "a list in Sequential": (lambda lib: lib.nn.Sequential([lib.nn.ReLU()]), ["*layers"]),
    "a class in Sequential": (lambda lib: lib.nn.Sequential(lib.nn.ReLU), ["nn.ReLU()"]),
    "dropout p": (lambda lib: lib.nn.Dropout(1.5), ["1.5"]),
    "state_dict missing": (lambda lib: mlp(lib).load_state_dict({}), ["Missing key", "0.weight"]),
    "state_dict unexpected": (lambda lib: mlp(lib).load_state_dict({**mlp(lib).state_dict(), "x": t(lib, 1)}), ["Unexpected key", "x"]),
    "state_dict shape": (lambda lib: mlp(lib).load_state_dict({**mlp(lib).state_dict(), "0.weight": t(lib, 1)}), ["0.weight"]),
    "module attribute": (lambda lib: mlp(lib).nothing, ["nothing"]),
    "parameter type": (lambda lib: mlp(lib).register_parameter("p", t(lib, 1)), []),
    "sgd lr": (lambda lib: lib.optim.SGD([t(lib, 1, grad=True)], lr=-1), ["learning rate"]),
    "adam betas": (lambda lib: lib.optim.Adam([t(lib, 1, grad=True)], betas=(1.0, 0.9)), ["beta"]),
    "sgd nesterov": (lambda lib: lib.optim.SGD([t(lib, 1, grad=True)], lr=1, nesterov=True), ["Nesterov"]),
    "no parameters": (lambda lib: lib.optim.SGD([], lr=1), ["empty"]),
    "not parameters": (lambda lib: lib.optim.SGD([3], lr=1), []),
    "not a leaf": (lambda lib: lib.optim.SGD([t(lib, 1, grad=True) * 2], lr=1), ["leaf"]),
    "TensorDataset sizes": (lambda lib: lib.utils.data.TensorDataset(t(lib, 2), t(lib, 3)), []),
    "DataLoader batch_size": (lambda lib: lib.utils.data.DataLoader([1], batch_size=0), ["batch_size"]),
    "random_split": (lambda lib: lib.utils.data.random_split([1, 2, 3], [1, 1]), ["length"]),
    "randperm": (lambda lib: lib.randperm(-1), []),
    "randint": (lambda lib: lib.randint(5, 5, (2,)), []),
    "negative size": (lambda lib: lib.zeros(-1), []),
    "linspace steps": (lambda lib: lib.linspace(0, 1, -3), []),
    "arange step": (lambda lib: lib.arange(0, 3, 0), []),
}


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("name", CASES)
def test_bad_call(name):
    call, words = CASES[name]
    with pytest.raises(E) as theirs:
        call(torch)
    with pytest.raises(E) as ours:
        call(tg)
    kind = tg.linalg.LinAlgError if theirs.type is torch.linalg.LinAlgError else theirs.type
    assert issubclass(ours.type, kind), f"{ours.type.__name__}, where torch raises {theirs.type.__name__}: {theirs.value}"
    text = str(ours.value)
    for part in ("operation:", "your line: test_bad_input.py:", "instead:"):
        assert text.count(part) == 1, f"{part!r} is not said once in:\n{text}"
    said = "\n".join(line for line in text.splitlines() if "your line:" not in line)
    for word in words:
        assert word in said, f"{word!r} is not said in:\n{text}"


# The first sentence of PyTorch's message, by which it is searched for, in the words of numbers that PyTorch uses.
@pytest.mark.parametrize("name", [
    "add", "mul", "where", "matmul batch", "matmul 0-d", "einsum sizes", "einsum letters", "reshape", "reshape two -1", "expand",
    "cat shapes", "t of 3-d", "sum dim", "sum dims twice", "softmax dim", "cat dim", "transpose dim", "unsqueeze dim", "squeeze dim",
    "index", "index array", "too many indices", "mask shape", "float index", "negative step", "gather index", "gather rank", "topk k",
    "argmax empty", "max empty", "item", "bool", "len 0-d", "iterate 0-d", "int requires grad", "plus a word", "in-place shape",
    "clamp nothing", "cholesky", "backward without grad", "backward of many", "in-place leaf", "numpy of grad", "grad of wrong type",
    "detached leaf off", "retain_grad", "hook", "module attribute", "linspace steps", "arange step", "dot size", "sum of a list",
    "mean of nothing", "cat of numbers", "stack of lists", "int", "float", "negated mask", "mask minus mask", "row of another size",
    "topk of a word", "a list in Sequential", "integer to a negative power"])
def test_the_first_sentence_is_pytorchs(name):
    said = []
    for lib in (torch, tg):
        with pytest.raises(E) as error:
            CASES[name][0](lib)
        said.append(str(error.value).splitlines()[0])
    assert said[1].startswith(said[0].split(" Use ")[0].split(" Specify ")[0].split(" (the leading")[0].rstrip(". ")), said


def test_a_function_inside_a_layer_is_named_with_the_layer():
    with pytest.raises(IndexError, match=r"operation: softmax\(\(2, 3\) float32\)\n  layer:     Sequential.0"):
        tg.nn.Sequential(tg.nn.Softmax(4))(tg.ones(2, 3))


def test_numbers_of_a_wrong_type_for_a_layer():
    for lib in (tg, torch):
        with pytest.raises(TypeError, match=r"linear\(\): argument 'input' \(position 1\) must be Tensor, not list"):
            lib.nn.Linear(2, 3)([[1.0, 2.0]])
        with pytest.raises(RuntimeError, match="dtype"):
            lib.nn.Linear(2, 3)(lib.tensor([1, 2]))
    with pytest.raises(RuntimeError, match=r"instead:   x\.float\(\) for the input(\n|$)"):
        tg.nn.Linear(2, 3)(tg.tensor([1, 2]))


def test_there_are_enough_cases():
    assert len(CASES) >= 60


def test_the_users_own_line_is_named():
    with pytest.raises(RuntimeError, match=r"test_bad_input\.py:\d+: tg\.ones\(2, 3\) @ tg\.ones\(4\)"):
        tg.ones(2, 3) @ tg.ones(4)


@pytest.mark.filterwarnings("ignore:Using a target size")
def test_a_column_against_a_row_in_a_loss_is_warned_of():
    for lib in (tg, torch):
        with pytest.warns(UserWarning, match="target size"):
            lib.nn.functional.mse_loss(lib.ones(4, 1), lib.ones(4))


def test_nan_labels_give_a_nan_loss_as_in_torch():
    for lib in (tg, torch):
        loss = lib.nn.functional.mse_loss(lib.ones(2), lib.tensor([1.0, float("nan")]))
        assert np.isnan(loss.item())


def test_a_failed_in_place_operation_changes_nothing():
    x = tg.ones(3)
    for bad in (lambda: x.add_(tg.ones(2, 3)), lambda: x.__setitem__(5, 1.0), lambda: x.__setitem__(slice(0, 2), tg.ones(3))):
        with pytest.raises((RuntimeError, IndexError)):
            bad()
        assert x.tolist() == [1.0, 1.0, 1.0]
    n = tg.tensor([1, 2])
    with pytest.raises(RuntimeError):
        n += 1.5
    assert n.tolist() == [1, 2]


def test_a_failed_load_changes_nothing():
    net = mlp(tg)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    state = {**{k: v * 0 for k, v in before.items()}, "2.bias": tg.ones(7)}
    with pytest.raises(RuntimeError, match=r"2\.bias"):
        net.load_state_dict(state)
    assert all((net.state_dict()[k] == v).all() for k, v in before.items())


def test_an_error_in_a_layer_leaves_the_scope_and_mode_as_they_were():
    from tinygrad_edu.mode import local
    note = local.mode.note
    with pytest.raises(RuntimeError):
        mlp(tg)(tg.ones(2, 7))
    assert local.mode.note is note and tg.is_grad_enabled()
