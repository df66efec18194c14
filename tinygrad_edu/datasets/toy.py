"""Toy problems in the plane: points (n, 2) as float64 and labels (n,) as int64, NumPy arrays.

``random_state`` is a seed (the same seed gives the same points), a ``np.random.RandomState``, or None. Moons and
circles are scikit-learn's, point for point, for the same seed.
"""
from __future__ import annotations

import numpy as np

Points = tuple[np.ndarray, np.ndarray]
Seed = int | np.random.RandomState | None


def make_moons(n_samples: int = 100, *, shuffle: bool = True, noise: float | None = None,
               random_state: Seed = None) -> Points:
    """Two interleaving half circles, (cos t, sin t) and (1 - cos t, 1/2 - sin t), t from 0 to pi: micrograd's demo.

    >>> x, y = make_moons(100, noise=0.1, random_state=1)
    >>> x.shape, np.bincount(y)
    ((100, 2), array([50, 50]))
    """
    t, s = np.linspace(0, np.pi, n_samples // 2), np.linspace(0, np.pi, n_samples - n_samples // 2)
    return _mixed([np.stack([np.cos(t), np.sin(t)], 1), np.stack([1 - np.cos(s), 1 - np.sin(s) - 0.5], 1)],
                  shuffle, noise, random_state)


def make_circles(n_samples: int = 100, *, shuffle: bool = True, noise: float | None = None,
                 random_state: Seed = None, factor: float = 0.8) -> Points:
    """A circle of radius 1 (label 0) around a circle of radius ``factor`` (label 1).

    >>> x, y = make_circles(80, factor=0.5, random_state=0)
    >>> np.allclose(np.hypot(*x[y == 1].T), 0.5)
    True
    """
    if not 0 <= factor < 1:
        raise ValueError(f"make_circles: factor is the inner radius, 0 <= factor < 1, not {factor!r}")
    rings = []
    for radius, n in ((1, n_samples // 2), (factor, n_samples - n_samples // 2)):
        t = np.linspace(0, 2 * np.pi, n, endpoint=False)
        rings.append(radius * np.stack([np.cos(t), np.sin(t)], 1))
    return _mixed(rings, shuffle, noise, random_state)


def make_xor(n_samples: int = 4, *, noise: float | None = None, random_state: Seed = None) -> Points:
    """The corners of the unit square in turn, labelled u xor v; with ``noise``, clouds around them.

    >>> make_xor()
    (array([[0., 0.],
           [0., 1.],
           [1., 0.],
           [1., 1.]]), array([0, 1, 1, 0]))
    """
    corner = np.arange(n_samples) % 4
    u, v = corner // 2, corner % 2
    x = np.stack([u, v], 1).astype(np.float64)
    if noise is not None:
        x += _generator(random_state).normal(scale=noise, size=x.shape)
    return x, (u ^ v).astype(np.int64)


def make_spirals(n_samples: int = 100, classes: int = 2, *, turns: float = 1.0, shuffle: bool = True,
                 noise: float | None = None, random_state: Seed = None) -> Points:
    """``classes`` arms r = s, angle = 2 pi (turns s + k / classes), s from 0.1 to 1, wound around the origin.

    >>> x, y = make_spirals(90, classes=3, random_state=0)
    >>> x.shape, np.bincount(y)
    ((90, 2), array([30, 30, 30]))
    """
    arms = []
    for k, n in enumerate(_shares(n_samples, classes)):
        s = np.linspace(0.1, 1, n)
        angle = 2 * np.pi * (turns * s + k / classes)
        arms.append(np.stack([s * np.cos(angle), s * np.sin(angle)], 1))
    return _mixed(arms, shuffle, noise, random_state)


def make_blobs(n_samples: int = 100, classes: int = 3, *, spread: float = 0.3, shuffle: bool = True,
               random_state: Seed = None) -> Points:
    """Normal clouds of standard deviation ``spread`` around ``classes`` points spaced evenly on the unit circle.

    >>> x, y = make_blobs(100, classes=3, spread=0, random_state=0)
    >>> np.unique(x[y == 0], axis=0), np.bincount(y)
    (array([[1., 0.]]), array([34, 33, 33]))
    """
    angles = 2 * np.pi * np.arange(classes) / classes
    clouds = [np.tile([np.cos(angle), np.sin(angle)], (n, 1))
              for angle, n in zip(angles, _shares(n_samples, classes), strict=True)]
    return _mixed(clouds, shuffle, spread, random_state)


def _shares(n: int, parts: int) -> list[int]:
    """``n`` in ``parts`` as equal as can be, the larger first."""
    if parts < 1:
        raise ValueError(f"classes must be at least 1, not {parts}")
    return [n // parts + (k < n % parts) for k in range(parts)]


def _generator(random_state: Seed) -> np.random.RandomState:
    # the legacy generator, because scikit-learn draws from it: equal seeds must give equal points
    return random_state if isinstance(random_state, np.random.RandomState) else np.random.RandomState(random_state)


def _mixed(groups: list[np.ndarray], shuffle: bool, noise: float | None, random_state: Seed) -> Points:
    """The groups as one set labelled 0, 1, ..., shuffled and then moved by normal noise (scikit-learn's order)."""
    generator = _generator(random_state)
    x = np.concatenate(groups)
    y = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    if shuffle:
        order = np.arange(len(x))
        generator.shuffle(order)
        x, y = x[order], y[order]
    if noise is not None:
        x = x + generator.normal(scale=noise, size=x.shape)
    return x, y
