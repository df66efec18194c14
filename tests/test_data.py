"""Data sets, samplers and loaders: the same few lines under both libraries; and batches as a whole."""
from __future__ import annotations

from collections import namedtuple

import numpy as np
import pytest
import torch
from parity import same

import tinygrad_edu as tg

LIBS = pytest.mark.parametrize("lib", [tg, torch], ids=["ours", "torch"])
Point = namedtuple("Point", "x y")


def plain(x):
    """A batch as nested Python lists, whichever library made it."""
    if isinstance(x, (tg.Tensor, torch.Tensor)):
        return x.tolist()
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    return type(x)(*map(plain, x)) if hasattr(x, "_fields") else [plain(v) for v in x] if isinstance(x,
                                                                                                     (list,
                                                                                                      tuple)) else x


def squares(lib, n=7):
    class Squares(lib.utils.data.Dataset):
        def __len__(self):
            return n

        def __getitem__(self, i):
            if i >= n:
                raise IndexError
            return lib.tensor([float(i), float(i * i)]), i

    return Squares()


# ---- data sets ------------------------------------------------------------------------------------------------------
@LIBS
def test_tensor_dataset(lib):
    data = lib.utils.data.TensorDataset(lib.arange(12.0).reshape(6, 2), lib.arange(6))
    assert len(data) == 6 and plain(data[2]) == [[4.0, 5.0], 2] and plain(data[-1]) == [[10.0, 11.0], 5]
    assert plain(data[1:3]) == [[[2.0, 3.0], [4.0, 5.0]], [1, 2]]
    assert [plain(y) for x, y in data] == list(range(6))
    with pytest.raises(AssertionError, match="Size mismatch between tensors"):
        lib.utils.data.TensorDataset(lib.ones(2), lib.ones(3))


@LIBS
def test_concat_and_subset(lib):
    data = lib.utils.data
    both = squares(lib, 3) + squares(lib, 2)
    assert len(both) == 5 and [plain(both[i][1]) for i in range(-5, 5)] == [0, 1, 2, 0, 1] * 2
    assert both.cumulative_sizes == [3, 5]
    with pytest.raises(ValueError):
        both[-6]
    with pytest.raises(AssertionError):
        data.ConcatDataset([])
    part = data.Subset(both, [4, 0, 2])
    assert len(part) == 3 and [part[i][1] for i in range(3)] == [1, 0, 2]
    with pytest.raises(NotImplementedError):
        data.Dataset()[0]


@LIBS
@pytest.mark.parametrize("lengths, sizes", [([5, 2], [5, 2]), ([0.5, 0.5], [4, 3]), ([0.3, 0.3, 0.4], [3, 2, 2]),
                                            ([7, 0], [7, 0])])
def test_random_split(lib, lengths, sizes):
    data = squares(lib)
    parts = lib.utils.data.random_split(data, lengths, generator=lib.Generator().manual_seed(3))
    again = lib.utils.data.random_split(data, lengths, generator=lib.Generator().manual_seed(3))
    assert [len(p) for p in parts] == sizes and [list(p.indices) for p in parts] == [list(p.indices) for p in again]
    assert sorted(i for p in parts for i in p.indices) == list(range(7))
    with pytest.raises(ValueError, match="Sum of input lengths"):
        lib.utils.data.random_split(data, [3, 3])
    with pytest.raises(ValueError, match="not between 0 and 1"):
        lib.utils.data.random_split(data, [1.5, -0.5])
    with pytest.warns(UserWarning, match="Length of split at index 1 is 0"):
        lib.utils.data.random_split(squares(lib, 1), [0.9, 0.1])


# ---- samplers -------------------------------------------------------------------------------------------------------
@LIBS
def test_samplers(lib):
    data, g = lib.utils.data, lib.Generator()
    assert list(data.SequentialSampler(range(4))) == [0, 1, 2, 3]
    order = list(data.RandomSampler(range(50), generator=g.manual_seed(1)))
    assert sorted(order) == list(range(50)) != order and order == list(data.RandomSampler(range(50),
                                                                                          generator=g.manual_seed(1)))
    many = data.RandomSampler(range(4), num_samples=10)
    drawn = list(many)
    assert len(many) == len(drawn) == 10 and sorted(drawn[:4]) == sorted(drawn[4:8]) == [0, 1, 2, 3]
    again = list(data.RandomSampler(range(4), replacement=True, num_samples=100))
    assert len(again) == 100 and set(again) == {0, 1, 2, 3}
    some = data.SubsetRandomSampler([3, 5, 9])
    assert len(some) == 3 and sorted(some) == [3, 5, 9]
    weighted = list(data.WeightedRandomSampler([0.0, 1.0, 3.0], 400))
    assert len(weighted) == 400 and 0 not in weighted and 0.6 < weighted.count(2) / 400 < 0.9
    assert sorted(data.WeightedRandomSampler([0.1, 1.0, 3.0], 3, replacement=False)) == [0, 1, 2]
    assert list(data.BatchSampler(range(5), 2, False)) == [[0, 1], [2, 3], [4]]
    assert list(data.BatchSampler(range(5), 2, True)) == [[0, 1], [2, 3]]
    assert len(data.BatchSampler(range(5), 2, False)) == 3 and len(data.BatchSampler(range(5), 2, True)) == 2


# ---- collating ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("batch", [
    [1, 2, 3], [1.5, 2.5], [True, False], ["a", "b"], [(1, 2.0), (3, 4.0)], [[1, 2], [3, 4]],
    [{"x": 1, "y": [1.0, 2.0]}, {"x": 2, "y": [3.0, 4.0]}], [Point(1, 2.0), Point(3, 4.0)],
    [np.float32(1), np.float32(2)], [np.ones((2, 3), np.float32), np.zeros((2, 3), np.float32)],
    [np.arange(2), np.arange(2)],
    [((1, 2), "s"), ((3, 4), "t")]], ids=str)
def test_default_collate(batch):
    ours, theirs = tg.utils.data.default_collate(batch), torch.utils.data.default_collate(batch)
    assert type(ours) is type(theirs) or isinstance(theirs, torch.Tensor)
    if isinstance(theirs, dict):
        ours, theirs = list(ours.values()), list(theirs.values())
    same(list(ours) if isinstance(ours, tuple) else ours, list(theirs) if isinstance(theirs, tuple) else theirs)


@LIBS
def test_default_collate_of_tensors_and_refusals(lib):
    collate = lib.utils.data.default_collate
    assert plain(collate([lib.ones(2), lib.zeros(2)])) == [[1.0, 1.0], [0.0, 0.0]]
    assert plain(collate([(lib.ones(1), 3), (lib.zeros(1), 4)])) == [[[1.0], [0.0]], [3, 4]]
    for bad, kind in (([object()], TypeError), ([[1, 2], [1]], RuntimeError),
                      ([lib.ones(2), lib.ones(3)], RuntimeError),
                      ([np.array(["a"])], TypeError)):
        with pytest.raises(kind):
            collate(bad)


# ---- loaders --------------------------------------------------------------------------------------------------------
OPTIONS = [{}, {"batch_size": 3}, {"batch_size": 3, "drop_last": True}, {"batch_size": None}, {"batch_size": 10},
           {"batch_size": 10, "drop_last": True}, {"sampler": [4, 1, 1]}, {"sampler": [4, 1, 1], "batch_size": 2},
           {"batch_sampler": [[0, 1], [5], [6, 2, 3]]}, {"batch_size": 2, "collate_fn": list},
           {"batch_size": 7, "num_workers": 0}]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("kind", ["samples", "tensors", "subset", "subset of subset", "list"])
def test_loader(kind, options):
    found = []
    for lib in (tg, torch):
        data = lib.utils.data
        pairs = data.TensorDataset(lib.arange(14.0).reshape(7, 2), lib.arange(7))
        dataset = {"samples": squares(lib), "tensors": pairs, "subset": data.Subset(pairs, [6, 5, 4, 3, 2, 1, 0]),
                   "subset of subset": data.Subset(data.Subset(pairs, [6, 5, 4, 3, 2, 1, 0]), [1, 0, 2, 3, 4, 6, 5]),
                   "list": [(float(i), i) for i in range(7)]}[kind]
        loader = data.DataLoader(dataset, **options)
        epochs = [[plain(b) for b in loader] for _ in range(2)]
        assert epochs[0] == epochs[1]
        batches = list(loader)
        kinds = [[str(getattr(part, "dtype", type(part))).replace("torch.", "") for part in b] for b in batches]
        found.append((epochs[0], len(loader), kinds, [type(b) for b in batches]))
    assert found[0] == found[1]


@LIBS
def test_shuffling(lib):
    data = lib.utils.data
    for dataset in (data.TensorDataset(lib.arange(40)), [(i,) for i in range(40)]):
        loader = data.DataLoader(dataset, batch_size=7, shuffle=True, generator=lib.Generator().manual_seed(2))
        first, second = ([i for x, in loader for i in x.tolist()] for _ in range(2))
        assert sorted(first) == sorted(second) == list(range(40)) and first != second
        again = data.DataLoader(dataset, batch_size=7, shuffle=True, generator=lib.Generator().manual_seed(2))
        assert first == [i for x, in again for i in x.tolist()]
        lib.manual_seed(4)
        a = [x.tolist() for x, in data.DataLoader(dataset, 7, shuffle=True)]
        lib.manual_seed(4)
        assert a == [x.tolist() for x, in data.DataLoader(dataset, 7, shuffle=True)]


@LIBS
def test_streams(lib):
    class Count(lib.utils.data.IterableDataset):
        def __iter__(self):
            return iter(range(5))

    data = lib.utils.data
    assert [x.tolist() for x in data.DataLoader(Count(), batch_size=2)] == [[0, 1], [2, 3], [4]]
    assert [x.tolist() for x in data.DataLoader(Count(), batch_size=2, drop_last=True)] == [[0, 1], [2, 3]]
    assert list(data.DataLoader(Count(), batch_size=None)) == list(range(5))
    assert [x.tolist() for x in data.DataLoader(Count() + Count(), batch_size=5)] == [[0, 1, 2, 3, 4]] * 2
    for options in ({"shuffle": True}, {"sampler": [0]}, {"batch_sampler": [[0]]}):
        with pytest.raises(ValueError, match="IterableDataset"):
            data.DataLoader(Count(), **options)


def test_a_batch_is_a_copy_and_needs_no_gradient():
    x = tg.arange(6.0)
    loader = tg.utils.data.DataLoader(tg.utils.data.TensorDataset(x), batch_size=3)
    for batch, in loader:
        batch += 100
        assert not batch.requires_grad
    assert x.tolist() == list(range(6))
    w = tg.ones(4, 2, requires_grad=True)             # rows of a leaf: recorded, as sample by sample
    batch, = next(iter(tg.utils.data.DataLoader(tg.utils.data.TensorDataset(w), batch_size=2)))
    batch.sum().backward()
    assert w.grad.tolist() == [[1.0, 1.0], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]


BAD = {
    "batch_size": lambda lib: lib.utils.data.DataLoader([1], batch_size=0),
    "batch_size float": lambda lib: lib.utils.data.DataLoader([1], batch_size=2.0),
    "workers": lambda lib: lib.utils.data.DataLoader([1], num_workers=-1),
    "timeout": lambda lib: lib.utils.data.DataLoader([1], timeout=-1),
    "sampler and shuffle": lambda lib: lib.utils.data.DataLoader([1], sampler=[0], shuffle=True),
    "batch_sampler and size": lambda lib: lib.utils.data.DataLoader([1], batch_sampler=[[0]], batch_size=2),
    "no batches to drop": lambda lib: lib.utils.data.DataLoader([1], batch_size=None, drop_last=True),
    "empty and shuffled": lambda lib: lib.utils.data.DataLoader([], shuffle=True),
    "num_samples": lambda lib: lib.utils.data.RandomSampler([1], num_samples=0),
    "replacement": lambda lib: lib.utils.data.RandomSampler([1], replacement=1),
    "weights": lambda lib: lib.utils.data.WeightedRandomSampler([[1.0]], 1),
    "weighted samples": lambda lib: lib.utils.data.WeightedRandomSampler([1.0], 0),
    "drop_last": lambda lib: lib.utils.data.BatchSampler([1], 1, 1),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_call(name):
    with pytest.raises(Exception) as theirs:          # noqa: B017  (whichever type torch raises is the expected one)
        BAD[name](torch)
    with pytest.raises(theirs.type) as ours:
        BAD[name](tg)
    assert str(ours.value).splitlines()[0]


def test_an_array_in_a_tensor_dataset_is_refused_with_the_remedy():
    with pytest.raises(TypeError, match="tg.tensor"):
        tg.utils.data.TensorDataset(np.ones(3))
