"""1,797 handwritten digits of 8 by 8 pixels, written by 13 people: the test part of UCI's Optical Recognition of
Handwritten Digits (Alpaydin and Kaynak, 1998, CC BY 4.0; see DIGITS-LICENCE.txt beside the data)."""
from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from ..tensor import Tensor
from ..utils.data import Dataset

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "digits.npz")


def load_digits() -> tuple[np.ndarray, np.ndarray]:
    """The images (1797, 8, 8), float32 from 0 (paper) to 16 (ink), and their labels (1797,), int64 from 0 to 9.

    NumPy arrays, so that the same line feeds ``tg.tensor``, ``torch.tensor`` and scikit-learn.

    >>> images, labels = load_digits()
    >>> images.shape, images.dtype, labels.shape, labels.dtype
    ((1797, 8, 8), dtype('float32'), (1797,), dtype('int64'))
    >>> labels[:10]
    array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    with np.load(FILE, allow_pickle=False) as file:
        return file["images"].astype(np.float32), file["labels"].astype(np.int64)


class Digits(Dataset):
    """The digits as a Dataset, item i being (image, label): a float32 Tensor (1, 8, 8) from 0 to 1, and an int.

    As torchvision's MNIST with ToTensor: ``data``, ``targets`` and ``classes`` hold the whole; ``transform`` and
    ``target_transform`` are applied to each item.

    >>> digits = Digits()
    >>> image, label = digits[7]
    >>> len(digits), tuple(image.shape), label
    (1797, (1, 8, 8), 7)
    """

    classes = [str(digit) for digit in range(10)]

    def __init__(self, transform: Callable | None = None, target_transform: Callable | None = None):
        images, labels = load_digits()
        self.data, self.targets = Tensor(images), Tensor(labels)
        self.transform, self.target_transform = transform, target_transform

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image, label = self.data[index].unsqueeze(0) / 16, int(self.targets[index])
        return (image if self.transform is None else self.transform(image),
                label if self.target_transform is None else self.target_transform(label))

    def __len__(self) -> int:
        return len(self.targets)
