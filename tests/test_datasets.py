"""The digits that ship are UCI's, and the toy problems are scikit-learn's for the same seed."""
from __future__ import annotations

import numpy as np
import pytest
import sklearn.datasets

from tinygrad_edu.datasets import (
    Digits,
    load_digits,
    make_blobs,
    make_circles,
    make_moons,
    make_spirals,
    make_xor,
)
from tinygrad_edu.utils.data import DataLoader


def test_digits_are_the_published_ones():
    images, labels = load_digits()
    theirs = sklearn.datasets.load_digits()
    assert images.shape == (1797, 8, 8)
    assert (images.dtype, labels.dtype) == (np.float32, np.int64)
    np.testing.assert_array_equal(images, theirs.images)
    np.testing.assert_array_equal(labels, theirs.target)
    # class distribution of optdigits.tes, as its description states it
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_each_call_gives_arrays_of_its_own():
    load_digits()[0][:] = 99
    assert load_digits()[0].max() == 16


def test_digits_as_a_dataset():
    digits = Digits()
    images, labels = load_digits()
    assert len(digits) == 1797
    assert digits.classes == list("0123456789")
    image, label = digits[3]
    np.testing.assert_array_equal(image.numpy(), images[3:4] / 16)
    assert isinstance(label, int)
    assert label == labels[3]
    with pytest.raises(IndexError):
        digits[1797]
    batch, targets = next(iter(DataLoader(digits, batch_size=32)))
    assert tuple(batch.shape) == (32, 1, 8, 8)
    np.testing.assert_array_equal(targets.numpy(), labels[:32])


def test_digits_are_transformed():
    image, label = Digits(transform=lambda image: image.flatten(), target_transform=lambda label: label % 2)[3]
    assert tuple(image.shape) == (64,)
    assert label == 1


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("noise", [None, 0.1])
@pytest.mark.parametrize("n", [1, 7, 100])
def test_moons_and_circles_are_scikit_learns(n, noise, shuffle):
    for ours, theirs in ((make_moons, sklearn.datasets.make_moons), (make_circles, sklearn.datasets.make_circles)):
        for mine, other in zip(ours(n, noise=noise, shuffle=shuffle, random_state=3),
                               theirs(n, noise=noise, shuffle=shuffle, random_state=3), strict=True):
            np.testing.assert_array_equal(mine, other)
            assert mine.dtype == other.dtype


def test_xor():
    x, y = make_xor(200, noise=0.05, random_state=0)
    np.testing.assert_array_equal(y, (x[:, 0] > 0.5) ^ (x[:, 1] > 0.5))


def test_spirals_are_arms_rotated_into_each_other():
    x, y = make_spirals(300, classes=3, shuffle=False)
    arms = [x[y == k] @ [1, 1j] for k in range(3)]
    for k in range(3):
        np.testing.assert_allclose(arms[k], arms[0] * np.exp(2j * np.pi * k / 3), atol=1e-12)
    assert np.all(np.diff(np.abs(arms[0])) > 0)


def test_blobs_stand_around_the_unit_circle():
    x, y = make_blobs(3000, classes=3, spread=0.2, random_state=0)
    for k in range(3):
        centre = np.exp(2j * np.pi * k / 3)
        cloud = x[y == k]
        # mean and deviation of 1000 normal draws lie within 5 standard errors
        np.testing.assert_allclose(cloud.mean(0), [centre.real, centre.imag], atol=5 * 0.2 / 1000 ** 0.5)
        np.testing.assert_allclose(cloud.std(0), 0.2, atol=5 * 0.2 / 2000 ** 0.5)


@pytest.mark.parametrize("make", [make_blobs, make_circles, make_moons, make_spirals])
def test_the_same_seed_makes_the_same_points(make):
    for first, second in zip(make(50, random_state=7), make(50, random_state=7), strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(make(50, random_state=7)[0], make(50, random_state=8)[0])


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="factor"):
        make_circles(10, factor=1.0)
    with pytest.raises(ValueError, match="classes"):
        make_spirals(10, classes=0)
