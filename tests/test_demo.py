"""The demo: what it promises is there, and it recognises digits at least as well as scikit-learn."""
from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import warnings
import xml.dom.minidom
from pathlib import Path

import numpy as np
import pytest
import sklearn.exceptions
import sklearn.metrics
import sklearn.model_selection
import sklearn.neural_network
import sklearn.preprocessing

import tinygrad_edu as tg
from tinygrad_edu.datasets import load_digits
from tinygrad_edu.utils.data import TensorDataset

ROOT = Path(__file__).parents[1]
PICTURES = {"learning_curve.svg", "confusion_matrix.svg", "digits.svg", "weights.svg", "step.svg"}


@pytest.fixture(scope="module")
def demo():
    spec = importlib.util.spec_from_file_location("examples_digits", ROOT / "examples" / "digits.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_split_and_scaling_are_scikit_learns(demo):
    images, labels = load_digits()
    training, test = demo.split(seed=3)
    x = demo.standardised(images, training)
    x_train, x_test, y_train, y_test = sklearn.model_selection.train_test_split(
        images.reshape(-1, 64), labels, test_size=0.2, random_state=3)
    scaler = sklearn.preprocessing.StandardScaler().fit(x_train)
    np.testing.assert_array_equal(labels[training], y_train)
    np.testing.assert_array_equal(labels[test], y_test)
    np.testing.assert_allclose(x[training], scaler.transform(x_train), rtol=1e-4, atol=1e-5)      # float32 throughout
    np.testing.assert_allclose(x[test], scaler.transform(x_test), rtol=1e-4, atol=1e-5)


def test_objective_is_scikit_learns(demo):
    """Same weights, same batch: same loss, penalty included."""
    images, labels = load_digits()
    x, y = demo.standardised(images, np.arange(200))[:200].astype(np.float64), labels[:200]
    theirs = sklearn.neural_network.MLPClassifier((30, 30, 30), activation="logistic", alpha=0.5, random_state=0)
    theirs.partial_fit(x, y, classes=np.arange(10))                   # one step of Adam, after which its loss is known
    net = demo.network().double()
    weights = [p for p in net.parameters() if p.ndim == 2]
    biases = [p for p in net.parameters() if p.ndim == 1]
    with tg.no_grad():
        for p, w in zip(weights + biases, [*(w.T for w in theirs.coefs_), *theirs.intercepts_], strict=True):
            p.copy_(tg.tensor(w))
    ours = demo.objective(net, tg.tensor(x), tg.tensor(y), alpha=0.5).item()
    probabilities = theirs.predict_proba(x)
    entropy = sklearn.metrics.log_loss(y, probabilities, labels=np.arange(10))
    penalty = 0.5 * 0.5 * sum((w ** 2).sum() for w in theirs.coefs_) / 200
    np.testing.assert_allclose(ours, entropy + penalty, rtol=1e-10)


def test_accuracy_is_at_least_scikit_learns(demo, tmp_path):
    """The same split, scaling, layers, activation, optimiser, rate, penalty, batch; scikit-learn until it converges."""
    ours = demo.main(str(tmp_path))
    images, labels = load_digits()
    training, test = demo.split()
    x = demo.standardised(images, training)
    theirs = sklearn.neural_network.MLPClassifier((30, 30, 30), activation="logistic", alpha=1e-4,
                                                  learning_rate_init=0.001, max_iter=1000, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sklearn.exceptions.ConvergenceWarning)
        theirs.fit(x[training], labels[training])
    assert ours >= theirs.score(x[test], labels[test])
    for name in PICTURES:
        xml.dom.minidom.parse(str(tmp_path / name))


def test_report_is_scikit_learns(demo):
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 10, 400)
    predictions = np.where(rng.random(400) < 0.8, targets, rng.integers(0, 9, 400))
    rows = [line.split() for line in demo.report(targets, predictions).splitlines()[1:]]
    theirs = sklearn.metrics.precision_recall_fscore_support(targets, predictions, labels=range(10), zero_division=0)
    np.testing.assert_allclose(np.array(rows, float)[:, 1:], np.transpose(theirs), atol=0.0005)


def test_training_lowers_both_losses(demo):
    images, labels = load_digits()
    x, y = tg.tensor(demo.standardised(images, np.arange(1797))), tg.tensor(labels)
    history = demo.train(demo.network(), TensorDataset(x[:1000], y[:1000]), x[1000:], y[1000:], epochs=10)
    assert [len(losses) for losses in history.values()] == [10, 10]
    assert all(losses[-1] < losses[0] for losses in history.values())


def test_the_command_reports_and_draws(tmp_path):
    """As `make demo` runs it, briefly; the bar shows loss, validation loss and time left."""
    program = [sys.executable, "-W", "error", str(ROOT / "examples" / "digits.py"), "--epochs", "3"]
    done = subprocess.run(program, capture_output=True, text=True, cwd=tmp_path,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    assert re.search(r"test accuracy \d+\.\d+%: \d+ of 360", done.stdout)
    assert len(re.findall(r"^ +\d  +[\d.]+  +[\d.]+  +[\d.]+  +\d+$", done.stdout, re.MULTILINE)) == 10
    assert re.search(r"3/3 \[[\d:]+<[\d:]+, .*loss=[\d.]+, validation=[\d.]+\]", done.stderr)
    assert {path.name for path in (tmp_path / "out").iterdir()} == PICTURES
