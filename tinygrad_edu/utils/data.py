"""Data sets and how they come in batches: torch.utils.data, in one process."""
from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .. import random
from ..creation import as_tensor, tensor
from ..errors import message
from ..functions import shape as sh
from ..nn.notice import notice
from ..random import Generator
from ..tensor import Tensor


# ---- data sets ------------------------------------------------------------------------------------------------------
class Dataset:
    """Samples by number: a subclass writes ``__getitem__(i)`` and ``__len__()``."""

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __class_getitem__(cls, item: Any) -> type:
        return cls                                    # Dataset[Tensor], as ported code annotates

    def __add__(self, other: Dataset) -> Dataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset):
    """Samples one after the other: a subclass writes ``__iter__()``."""

    def __iter__(self) -> Iterator:
        raise NotImplementedError("Subclasses of IterableDataset should implement __iter__.")

    def __add__(self, other: Dataset) -> Dataset:
        return ChainDataset([self, other])


class TensorDataset(Dataset):
    """Sample i is the tuple of row i of each tensor.

    >>> pairs = tg.utils.data.TensorDataset(tensor([[1.], [2.]]), tensor([0, 1]))
    >>> len(pairs), [t.tolist() for t in pairs[1]]
    (2, [[2.0], 1])
    """

    def __init__(self, *tensors: Tensor):
        for t in tensors:
            if not isinstance(t, Tensor):
                raise TypeError(message(f"a TensorDataset holds Tensors, not {type(t).__name__}", op="TensorDataset",
                                        inputs=tensors, instead="tg.tensor(x)"))
        if any(len(t.payload) != len(tensors[0].payload) for t in tensors):
            raise AssertionError(message("Size mismatch between tensors", op="TensorDataset", inputs=tensors,
                                         instead="tensors of equal length: one row for each sample"))
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(t[index] for t in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0].payload)


class ConcatDataset(Dataset):
    """Data sets one after the other as one."""

    def __init__(self, datasets: Iterable[Dataset]):
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(d, IterableDataset) for d in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = list(itertools.accumulate(len(d) for d in self.datasets))     # type: ignore[arg-type]

    def __getitem__(self, index: int) -> Any:
        if index < 0:
            if -index > len(self):
                raise ValueError("absolute value of index should not exceed dataset length")
            index += len(self)
        if index >= len(self):
            raise IndexError(f"index {index} is out of range for {len(self)} samples")
        which = bisect.bisect_right(self.cumulative_sizes, index)
        return self.datasets[which][index - (self.cumulative_sizes[which - 1] if which else 0)]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


class ChainDataset(IterableDataset):
    """Iterable data sets one after the other as one."""

    def __init__(self, datasets: Iterable[Dataset]):
        self.datasets = list(datasets)

    def __iter__(self) -> Iterator:
        return itertools.chain.from_iterable(self.datasets)     # type: ignore[arg-type]

    def __len__(self) -> int:
        return sum(len(d) for d in self.datasets)     # type: ignore[arg-type, misc]


class Subset(Dataset):
    """Those samples of ``dataset`` that ``indices`` numbers."""

    def __init__(self, dataset: Dataset, indices: Sequence[int]):
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(dataset: Dataset, lengths: Sequence[int | float], generator: Generator | None = None) -> list[Subset]:
    """Random parts of these lengths, or of these fractions when they add up to 1.

    >>> train, test = tg.utils.data.random_split(range(10), [0.8, 0.2])
    >>> len(train), len(test), sorted([*train, *test]) == list(range(10))
    (8, 2, True)
    """
    n = len(dataset)                                  # type: ignore[arg-type]
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        for i, part in enumerate(lengths):
            if not 0 <= part <= 1:
                raise ValueError(message(f"Fraction at index {i} is not between 0 and 1", op="random_split"))
        whole = [math.floor(n * part) for part in lengths]
        for i in range(n - sum(whole)):               # what rounding left over goes to the first parts
            whole[i % len(whole)] += 1
        for i, k in enumerate(whole):
            if k == 0:
                notice(f"Length of split at index {i} is 0. This might result in an empty dataset.", op="random_split")
        lengths = whole
    if sum(lengths) != n:
        raise ValueError(message(f"Sum of input lengths does not equal the length of the input dataset! {sum(lengths)} "
                                 f"is not {n}", op="random_split",
                                 instead="lengths that add up, or fractions such as [0.8, 0.2]"))
    order = random.randperm(n, generator=generator).tolist()
    return [Subset(dataset, order[end - k:end]) for end, k in zip(itertools.accumulate(lengths), lengths, strict=True)]


# ---- samplers -------------------------------------------------------------------------------------------------------
class Sampler:
    """In which order samples are taken: iterating gives their numbers."""

    def __init__(self, data_source: Any = None):
        self.data_source = data_source

    def __class_getitem__(cls, item: Any) -> type:
        return cls

    def __iter__(self) -> Iterator:
        raise NotImplementedError


class SequentialSampler(Sampler):
    """0, 1, 2, ..."""

    def order(self) -> np.ndarray:
        """All numbers as an array."""
        return np.arange(len(self.data_source))

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


def positive(name: str, n: Any) -> None:
    """ValueError where n is no positive whole number."""
    if not isinstance(n, int) or isinstance(n, bool) or n <= 0:
        raise ValueError(message(f"{name} should be a positive integer value, but got {name}={n}",
                                 instead="a data set with samples, and a whole number of them"))


class RandomSampler(Sampler):
    """Every number once in random order, or num_samples draws with ``replacement``."""

    def __init__(self, data_source: Any, replacement: bool = False, num_samples: int | None = None,
                 generator: Generator | None = None):
        super().__init__(data_source)
        self.replacement, self._num_samples, self.generator = replacement, num_samples, generator
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        positive("num_samples", self.num_samples)

    @property
    def num_samples(self) -> int:
        """How many samples one pass takes."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def order(self) -> np.ndarray:
        """The numbers of one pass as an array."""
        n, k, draw = len(self.data_source), self.num_samples, random.source(self.generator)
        if self.replacement:
            return draw.integers(0, n, k)
        return np.concatenate([draw.permutation(n) for _ in range(-(-k // n))])[:k]

    def __iter__(self) -> Iterator[int]:
        return iter(self.order().tolist())

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler):
    """The given numbers in random order."""

    def __init__(self, indices: Sequence[int], generator: Generator | None = None):
        self.indices, self.generator = indices, generator

    def __iter__(self) -> Iterator[int]:
        return (self.indices[i] for i in random.source(self.generator).permutation(len(self.indices)))

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """num_samples numbers, each with a chance that its weight gives."""

    def __init__(self, weights: Sequence[float], num_samples: int, replacement: bool = True,
                 generator: Generator | None = None):
        positive("num_samples", num_samples)
        self.weights, self.num_samples = as_tensor(weights, dtype=np.float64), num_samples
        self.replacement, self.generator = replacement, generator
        if self.weights.ndim != 1:
            raise ValueError(f"weights should be a 1d sequence but given weights have shape {self.weights.shape}")

    def __iter__(self) -> Iterator[int]:
        w = self.weights.payload
        return iter(random.source(self.generator).choice(len(w), self.num_samples, self.replacement,
                                                         w / w.sum()).tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler):
    """Lists of batch_size numbers; the last may be shorter unless ``drop_last``."""

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool):
        positive("batch_size", batch_size)
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self) -> Iterator[list[int]]:
        numbers = iter(self.sampler)
        while batch := list(itertools.islice(numbers, self.batch_size)):
            if len(batch) < self.batch_size and self.drop_last:
                return
            yield batch

    def __len__(self) -> int:
        n = len(self.sampler)                         # type: ignore[arg-type]
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


# ---- batches --------------------------------------------------------------------------------------------------------
def default_collate(batch: Sequence[Any]) -> Any:
    """Samples as one batch: tensors, arrays and numbers are stacked, tuples and dicts taken apart, strings listed.

    >>> [part.tolist() for part in tg.utils.data.default_collate([(1, 2.5), (3, 4.5)])]
    [[1, 3], [2.5, 4.5]]
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return sh.stack(list(batch))
    if isinstance(first, np.ndarray):
        if first.dtype.kind in "OSU":
            raise uncollated(first)
        return sh.stack([as_tensor(x) for x in batch])
    if isinstance(first, np.generic):
        return as_tensor(np.asarray(batch))
    if isinstance(first, float):
        return tensor(list(batch), dtype=np.float64)
    if isinstance(first, int):
        return tensor(list(batch))
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return {key: default_collate([sample[key] for sample in batch]) for key in first}
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(default_collate(part) for part in zip(*batch, strict=True)))
    if isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError(message("each element in list of batch should be of equal size", op="default_collate",
                                       instead="a collate_fn of your own, which pads them"))
        return [default_collate(part) for part in zip(*batch, strict=True)]
    raise uncollated(first)


def uncollated(x: Any) -> TypeError:
    """The refusal of a sample that cannot be stacked."""
    return TypeError(message("default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; "
                             f"found {type(x)}", op="default_collate", instead="DataLoader(..., collate_fn=...)"))


def default_convert(data: Any) -> Any:
    """One sample with its arrays as Tensors, when there is no batching."""
    if isinstance(data, (np.ndarray, np.generic)):
        return as_tensor(data)
    if isinstance(data, Mapping):
        return {key: default_convert(value) for key, value in data.items()}
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(default_convert, data))
    return list(map(default_convert, data)) if isinstance(data, (tuple, list)) else data


def tables(dataset: Any) -> tuple[list[np.ndarray], np.ndarray | None] | None:
    """The arrays behind a TensorDataset, or behind a Subset of one with its numbers: batches are whole rows of them."""
    numbers = None
    while type(dataset) is Subset:
        inner = np.asarray(dataset.indices, np.int64)
        numbers = inner if numbers is None else inner[numbers]
        dataset = dataset.dataset
    if type(dataset) is not TensorDataset or any(t.requires_grad for t in dataset.tensors):
        return None
    return [t.payload for t in dataset.tensors], numbers


class DataLoader:
    """Iterating gives the batches of one epoch, in new random order each time when ``shuffle``.

    ``batch_size=None`` gives single samples. Everything is loaded in this process: ``num_workers``, ``pin_memory`` and
    the like are accepted and change nothing.

    >>> data = tg.utils.data.TensorDataset(tg.arange(5))
    >>> [x.tolist() for x, in tg.utils.data.DataLoader(data, batch_size=2)]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, dataset: Any, batch_size: int | None = 1, shuffle: bool | None = None,
                 sampler: Iterable | None = None, batch_sampler: Iterable | None = None, num_workers: int = 0,
                 collate_fn: Callable | None = None, pin_memory: bool = False, drop_last: bool = False,
                 timeout: float = 0,
                 worker_init_fn: Callable | None = None, multiprocessing_context: Any = None,
                 generator: Generator | None = None, *, prefetch_factor: int | None = None,
                 persistent_workers: bool = False, pin_memory_device: str = "", in_order: bool = True):
        def check(ok: bool, what: str) -> None:
            if not ok:
                raise ValueError(message(what, op="DataLoader"))

        check(num_workers >= 0,
              "num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
        check(timeout >= 0, "timeout option should be non-negative")
        streamed = isinstance(dataset, IterableDataset)
        if streamed:
            for name, value in (("shuffle", shuffle or None), ("sampler", sampler), ("batch_sampler", batch_sampler)):
                check(value is None, f"DataLoader with IterableDataset: expected unspecified {name} option, but got "
                      f"{name}={value}")
        check(sampler is None or not shuffle, "sampler option is mutually exclusive with shuffle")
        check(batch_sampler is None or (batch_size == 1 and not shuffle and sampler is None and not drop_last),
              "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last")
        check(batch_size is not None or not drop_last,
              "batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None:
            positive("batch_size", batch_size)
        if sampler is None and not streamed:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None and not streamed:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.dataset, self.batch_size, self.drop_last, self.generator = dataset, batch_size, drop_last, generator
        self.sampler, self.batch_sampler, self.num_workers = sampler, batch_sampler, num_workers
        self.pin_memory, self.timeout, self.worker_init_fn = pin_memory, timeout, worker_init_fn
        self._streamed, batched = streamed, batch_size is not None or batch_sampler is not None
        self.collate_fn = collate_fn or (default_collate if batched else default_convert)

    def __iter__(self) -> Iterator[Any]:
        if self._streamed:
            return self._stream()
        if self.batch_sampler is None:
            return (self.collate_fn(self.dataset[i]) for i in self.sampler)
        whole = tables(self.dataset) if self.collate_fn is default_collate else None
        return self._rows(*whole) if whole else self._samples()

    def _stream(self) -> Iterator[Any]:
        samples = iter(self.dataset)
        if self.batch_size is None:
            yield from map(self.collate_fn, samples)
            return
        while batch := list(itertools.islice(samples, self.batch_size)):
            if len(batch) < self.batch_size and self.drop_last:
                return
            yield self.collate_fn(batch)

    def _samples(self) -> Iterator[Any]:
        many = getattr(self.dataset, "__getitems__", None)
        for batch in self.batch_sampler:
            yield self.collate_fn(many(batch) if many else [self.dataset[i] for i in batch])

    def _rows(self, arrays: list[np.ndarray], numbers: np.ndarray | None) -> Iterator[list[Tensor]]:
        """Batches of a TensorDataset: rows taken by one index array each, and nothing sample by sample."""
        for index in self._orders():
            index = index if numbers is None else numbers[index]
            yield [Tensor._leaf(a[index]) for a in arrays]

    def _orders(self) -> Iterator[np.ndarray]:
        """The numbers of each batch as an array."""
        by = self.batch_sampler
        if type(by) is BatchSampler and isinstance(by.sampler, (SequentialSampler, RandomSampler)):
            order, n = by.sampler.order(), by.batch_size
            stop = len(order) - n + 1 if by.drop_last else len(order)
            return (order[i:i + n] for i in range(0, stop, n))
        return (np.asarray(batch, np.int64) for batch in by)

    def __len__(self) -> int:
        if not self._streamed:
            return len(self.sampler if self.batch_sampler is None else self.batch_sampler)     # type: ignore[arg-type]
        n, size = len(self.dataset), self.batch_size
        return n if size is None else n // size if self.drop_last else -(-n // size)


__all__ = [
    "BatchSampler", "ChainDataset", "ConcatDataset", "DataLoader", "Dataset", "IterableDataset", "RandomSampler",
    "Sampler", "SequentialSampler", "Subset", "SubsetRandomSampler", "TensorDataset", "WeightedRandomSampler",
    "default_collate", "default_convert", "random_split",
]
