"""Pictures of training by matplotlib (extra ``viz``): each returns a Figure, and writes it too when given a path.

Figures are built without pyplot: no display is needed, nothing is kept open, and a program's own backend stays as it
is. Arguments are Tensors, arrays or lists.
"""
from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Path = str | os.PathLike[str]
RIGHT, WRONG, INK = "#1a7f37", "#cf222e", "#24292f"


def learning_curve(history: Mapping[str, Sequence[float]], path: Path | None = None, *, title: str = "Learning curve",
                   ylabel: str = "loss", log: bool = False, stop: int | None = None) -> Figure:
    """One line for each named series of ``history``, epoch by epoch; the lowest point of each is marked, and ``stop``.

    >>> figure = learning_curve({"training": [2.3, 0.7, 0.2], "validation": [2.3, 0.9, 0.6]})
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['training: lowest 0.2, epoch 3', 'validation: lowest 0.6, epoch 3']
    """
    figure = _figure(7, 4.2)
    axes = figure.add_subplot()
    for i, (name, values) in enumerate(history.items()):
        values = _array(values)
        line, = axes.plot(np.arange(1, len(values) + 1), values, color=f"C{i}", linewidth=1.8, label=name)
        if np.isfinite(values).any():
            best = int(np.nanargmin(values))
            line.set_label(f"{name}: lowest {values[best]:.3g}, epoch {best + 1}")
            axes.plot([best + 1], values[best:best + 1], "o", color=f"C{i}", markersize=5)
    if stop is not None:
        axes.axvline(stop, color=INK, linestyle=":", label=f"stopped at {stop}")
    if log:
        axes.set_yscale("log")
    elif axes.dataLim.y0 >= 0:
        axes.set_ylim(bottom=0)
    axes.set(xlabel="epoch", ylabel=ylabel, title=title)
    _plain(axes)
    axes.legend(frameon=False)
    return _written(figure, path)


def confusion_matrix(targets: Any, predictions: Any, path: Path | None = None, *, labels: Sequence[str] | None = None,
                     title: str = "Confusion matrix") -> Figure:
    """How often each true class (row) was taken for each class (column); a row's shade is its share, rows sum to 1.

    >>> figure = confusion_matrix([0, 0, 1, 1], [0, 1, 1, 1], labels=["cat", "dog"])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['1', '1', '', '2']
    """
    counts = confusion(targets, predictions, 0 if labels is None else len(labels))
    n = len(counts)
    names = [str(k) for k in range(n)] if labels is None else list(labels)
    figure = _figure(1.8 + 0.5 * n, 1.6 + 0.5 * n)
    axes = figure.add_subplot()
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    # the diagonal in green and errors in red, so that a rare error is not lost beside the large counts
    picture = np.ones((n, n, 3))
    for colour, part in ((RIGHT, np.eye(n)), (WRONG, 1 - np.eye(n))):
        depth = np.where(part * share > 0, 0.15 + 0.85 * np.sqrt(part * share), 0)[..., None]
        picture = picture * (1 - depth) + _rgb(colour) * depth
    axes.imshow(picture)
    for row in range(n):
        for column in range(n):
            axes.text(column, row, str(counts[row, column] or ""), ha="center", va="center", fontsize=10,
                      color="white" if picture[row, column].mean() < 0.55 else INK)
    axes.set(xlabel="predicted", ylabel="true", title=title)
    axes.set_xticks(range(n), names)
    axes.set_yticks(range(n), names)
    axes.set_xticks(np.arange(n + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(n + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="#d0d7de", linewidth=0.6)
    axes.tick_params(which="both", length=0)
    return _written(figure, path)


def digit_grid(images: Any, targets: Any, predictions: Any, path: Path | None = None, *, columns: int = 8,
               title: str | None = None) -> Figure:
    """Each image with its predicted class, framed green where right and red where wrong (then with the true one).

    >>> figure = digit_grid(np.zeros((2, 8, 8)), targets=[3, 5], predictions=[3, 8])
    >>> [axes.texts[0].get_text() for axes in figure.axes]
    ['3', '8 (5)']
    """
    images, targets, predictions = _array(images), _array(targets), _array(predictions)
    if not len(images) == len(targets) == len(predictions):
        raise ValueError(f"digit_grid: {len(images)} images, {len(targets)} targets, {len(predictions)} predictions; "
                         "give one of each for every image")
    images = images.reshape(len(images), *images.shape[-2:])
    rows = -(-len(images) // columns)
    figure = _figure(0.85 * columns, 1.02 * rows + 0.5)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[len(images):]:
        axes.remove()
    for axes, image, target, prediction in zip(grid, images, targets, predictions, strict=False):
        colour = RIGHT if target == prediction else WRONG
        axes.imshow(image, cmap="gray_r", interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        for side in axes.spines.values():
            side.set(color=colour, linewidth=2.4)
        axes.text(0.5, 1.04, str(prediction) if target == prediction else f"{prediction} ({target})",
                  transform=axes.transAxes, ha="center", va="bottom", color=colour, fontsize=11, weight="bold")
    wrong = int((targets != predictions).sum())
    figure.suptitle(title if title is not None else f"{len(images)} images: {len(images) - wrong} right, {wrong} wrong",
                    color=INK)
    return _written(figure, path)


def weight_images(weight: Any, path: Path | None = None, *, shape: tuple[int, int] | None = None, columns: int = 10,
                  title: str | None = None) -> Figure:
    """Each row of ``weight`` (units, inputs) as an image of ``shape``: red excites, blue inhibits, white is 0.

    ``shape`` defaults to a square. All images share one scale, so that units can be compared.

    >>> figure = weight_images(np.eye(4))
    >>> [axes.get_title() for axes in figure.axes[:4]], figure.axes[0].images[0].get_array().shape
    (['0', '1', '2', '3'], (2, 2))
    """
    weight = _array(weight)
    if weight.ndim != 2:
        raise ValueError(f"weight_images: expected (units, inputs), got the shape {weight.shape}; "
                         "flatten each unit's weights first: weight.reshape(len(weight), -1)")
    units, inputs = weight.shape
    side = int(round(inputs ** 0.5))
    height, width = shape or (side, side)
    if height * width != inputs:
        raise ValueError(f"weight_images: {inputs} weights do not fill an image of {height}x{width}; give shape=")
    columns = min(columns, units)
    rows = -(-units // columns)
    figure = _figure(0.82 * columns + 0.9, 0.95 * rows + 0.6)
    grid = figure.subplots(rows, columns, squeeze=False)
    limit = float(np.abs(weight).max()) or 1.0
    for i, axes in enumerate(grid.ravel()):
        if i >= units:
            axes.remove()
            continue
        drawn = axes.imshow(weight[i].reshape(height, width), cmap="RdBu_r", vmin=-limit, vmax=limit,
                            interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.set_title(str(i), fontsize=8, pad=2, color=INK)
    figure.colorbar(drawn, ax=grid.ravel()[:units].tolist(), fraction=0.03, pad=0.02)
    figure.suptitle(title if title is not None else f"Weights of {units} units", color=INK)
    return _written(figure, path)


def confusion(targets: Any, predictions: Any, classes: int = 0) -> np.ndarray:
    """The counts behind a confusion matrix: entry (i, j) is how often class i was taken for class j.

    >>> confusion([0, 0, 1, 1], [0, 1, 1, 1])
    array([[1, 1],
           [0, 2]])
    """
    targets, predictions = _array(targets).ravel(), _array(predictions).ravel()
    if len(targets) != len(predictions):
        raise ValueError(f"confusion: {len(targets)} targets and {len(predictions)} predictions; "
                         "they must be equally many, one class index each (logits.argmax(1))")
    n = max(classes, int(max(targets.max(initial=-1), predictions.max(initial=-1))) + 1)
    return np.bincount(n * targets.astype(np.intp) + predictions.astype(np.intp), minlength=n * n).reshape(n, n)


def _figure(width: float, height: float) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError('plots need matplotlib: pip install "tinygrad_edu[viz]"') from error
    return Figure(figsize=(width, height), dpi=120, layout="constrained")


def _written(figure: Figure, path: Path | None) -> Figure:
    if path is not None:
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        # no date and fixed ids: the same data make the same file
        import matplotlib
        with matplotlib.rc_context({"svg.hashsalt": "tinygrad_edu", "svg.fonttype": "path"}):
            figure.savefig(path, metadata={"Date": None} if str(path).endswith(".svg") else None)
    return figure


def _array(x: Any) -> np.ndarray:
    return np.asarray(x.detach() if hasattr(x, "detach") else x)


def _rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i:i + 2], 16) for i in (1, 3, 5)]) / 255


def _plain(axes: Any) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(color="#d0d7de", linewidth=0.6)
