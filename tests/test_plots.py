"""Plots show what they were given: counts, colours, shapes; written without a display, and the same file each time."""
from __future__ import annotations

import sys
import xml.dom.minidom

import matplotlib.colors
import numpy as np
import pytest
import sklearn.metrics

import tinygrad_edu as tg
from tinygrad_edu.viz import plots


def test_confusion_counts_as_scikit_learn():
    rng = np.random.default_rng(0)
    targets, predictions = rng.integers(0, 5, (2, 300))
    np.testing.assert_array_equal(plots.confusion(targets, predictions),
                                  sklearn.metrics.confusion_matrix(targets, predictions))


def test_confusion_has_a_row_for_a_class_that_does_not_occur():
    assert plots.confusion([0, 2], [0, 2], classes=5).shape == (5, 5)
    assert plots.confusion([], []).shape == (0, 0)


def test_confusion_matrix_is_green_where_right_and_red_where_wrong():
    figure = plots.confusion_matrix(tg.tensor([0, 0, 1]), tg.tensor([0, 1, 1]))
    picture = figure.axes[0].images[0].get_array()
    right, wrong, never = picture[1, 1], picture[0, 1], picture[1, 0]
    assert right[1] > right[0]
    assert wrong[0] > wrong[1]
    np.testing.assert_array_equal(never, 1)


def test_digit_grid_frames_each_digit():
    figure = plots.digit_grid(np.zeros((3, 8, 8)), tg.tensor([1, 2, 3]), tg.tensor([1, 7, 3]), columns=2)
    colours = [matplotlib.colors.to_hex(axes.spines["left"].get_edgecolor()) for axes in figure.axes]
    assert colours == [plots.RIGHT, plots.WRONG, plots.RIGHT]
    assert figure.get_suptitle() == "3 images: 2 right, 1 wrong"


def test_digit_grid_takes_channels_and_fewer_labels_are_refused():
    assert len(plots.digit_grid(np.zeros((2, 1, 8, 8)), [1, 2], [1, 2]).axes) == 2
    with pytest.raises(ValueError, match="digit_grid"):
        plots.digit_grid(np.zeros((3, 8, 8)), [1, 2], [1, 2])


def test_weight_images_share_one_scale_around_zero():
    weight = tg.tensor([[1.0, -2.0, 0.0, 0.5], [0.1, 0.1, 0.1, 0.1]], requires_grad=True)
    figure = plots.weight_images(weight)
    shown = [axes.images[0] for axes in figure.axes[:2]]
    assert [image.get_clim() for image in shown] == [(-2, 2), (-2, 2)]
    np.testing.assert_allclose(shown[0].get_array(), [[1, -2], [0, 0.5]])


@pytest.mark.parametrize(("weight", "shape"), [(np.ones((2, 7)), None), (np.ones((2, 2, 2)), None),
                                               (np.ones((2, 6)), (4, 2))])
def test_weights_that_fill_no_image_are_refused(weight, shape):
    with pytest.raises(ValueError, match="weight_images"):
        plots.weight_images(weight, shape=shape)


def test_weight_images_of_any_rectangle():
    assert plots.weight_images(np.ones((1, 6)), shape=(2, 3)).axes[0].images[0].get_array().shape == (2, 3)


def test_learning_curve_draws_each_series_and_the_stop():
    figure = plots.learning_curve({"training": [3.0, 2.0, 1.0], "validation": tg.tensor([3.0, 1.5, 2.0])}, stop=2)
    curves = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 3]
    np.testing.assert_array_equal(curves[1].get_xydata(), [[1, 3], [2, 1.5], [3, 2]])
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == [
        "training: lowest 1, epoch 3", "validation: lowest 1.5, epoch 2", "stopped at 2"]


@pytest.mark.parametrize("values", [[], [np.nan, np.nan], [1.0, np.inf], [-1.0, -2.0]])
def test_learning_curve_survives_a_run_that_diverged(values, tmp_path):
    plots.learning_curve({"loss": values}, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 0


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_a_plot_is_written_the_same_each_time(tmp_path, ending):
    for name in ("first", "second"):
        plots.learning_curve({"loss": [3, 2, 1]}, tmp_path / "new" / f"{name}.{ending}")
    first, second = ((tmp_path / "new" / f"{name}.{ending}").read_bytes() for name in ("first", "second"))
    assert first == second
    if ending == "svg":
        xml.dom.minidom.parseString(first)


def test_no_window_is_opened_or_kept(monkeypatch):
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    plots.learning_curve({"loss": [1.0]})
    assert "matplotlib.pyplot" not in sys.modules


def test_without_matplotlib_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "tinygrad_edu\[viz\]"'):
        plots.learning_curve({"loss": [1.0]})
