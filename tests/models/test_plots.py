"""Pictures of trainings and comparisons."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.exceptions import NotFittedError

from nucrec.errors import InvalidParameterError
from nucrec.evaluate import report
from nucrec.models import (
    CrossValidation,
    ImageClassifier,
    TrainingHistoryDisplay,
    ZooDisplay,
    ZooResult,
    ZooRow,
)

TRUTH = np.array([0, 1] * 20)
GROUPS = np.arange(40) // 4


@pytest.fixture
def classifier() -> ImageClassifier:
    """What a training leaves behind that went through two stages."""
    network = ImageClassifier("efficientnet-lite0")
    network.history_ = {
        "stage": ["head", "head", "finetune"],
        "epoch": [1, 2, 1],
        "accuracy": [0.5, 0.6, 0.7],
        "loss": [0.9, 0.8, 0.7],
        "val_accuracy": [0.4, 0.55, 0.6],
        "val_loss": [1.0, 0.9, 0.85],
    }
    network.validation_proba_ = np.full((3, 12, 2), 0.5)
    return network


def row(name: str, wrong: int, part: slice = slice(None)) -> ZooRow:
    """A classifier that is wrong about the first images."""
    answers = np.r_[1 - TRUTH[:wrong], TRUTH[wrong:]]
    found = report(TRUTH[part], answers[part], groups=GROUPS[part], n_resamples=50)
    return ZooRow(name, "ok", 0.1, found)


def test_curves_go_on_over_the_stages(classifier):
    display = TrainingHistoryDisplay.from_classifier(classifier).plot()
    assert display.accuracy["validation"].tolist() == [0.4, 0.55, 0.6]
    assert display.loss["training"].tolist() == [0.9, 0.8, 0.7]
    for panel, values in zip(display.axes_, (display.accuracy, display.loss), strict=True):
        training, validation, begins = panel.get_lines()
        assert training.get_xdata().tolist() == [1, 2, 3]
        np.testing.assert_array_equal(validation.get_ydata(), values["validation"])
        assert training.get_linestyle() != validation.get_linestyle()
        assert training.get_marker() != validation.get_marker()
        assert begins.get_xdata() == [2.5, 2.5]
        assert panel.get_xlabel() == "epoch"
    labels = [text.get_text() for text in display.axes_[0].get_legend().get_texts()]
    assert labels == ["training", "validation (12 images)", "finetune begins"]
    assert display.axes_[0].get_title("left") == "Training of efficientnet-lite0, 3 epochs"
    assert display._repr_png_()


def test_curves_of_a_training_without_validation(classifier):
    for key in ("val_accuracy", "val_loss"):
        del classifier.history_[key]
    classifier.validation_proba_ = np.empty((0, 0, 2))  # as from a file
    display = TrainingHistoryDisplay.from_classifier(classifier)
    assert list(display.loss) == ["training"]
    assert display.n_validation is None
    axes = Figure(figsize=(8, 3)).subplots(1, 2)
    assert display.plot(ax=axes).axes_.tolist() == axes.tolist()
    assert display.figure_ is axes[0].figure


def test_what_has_no_history_is_refused(classifier):
    with pytest.raises(NotFittedError):
        TrainingHistoryDisplay.from_classifier(ImageClassifier())
    with pytest.raises(InvalidParameterError, match="ImageClassifier"):
        TrainingHistoryDisplay.from_classifier("model.keras")
    display = TrainingHistoryDisplay.from_classifier(classifier)
    with pytest.raises(InvalidParameterError, match="two axes"):
        display.plot(ax=Figure(figsize=(3, 3)).subplots())


def test_the_best_classifier_is_at_the_top():
    failed = ZooRow("broken", "failed", 0.1, stage="fit", error="ValueError: no")
    result = ZooResult((row("poor", 16), failed, row("good", 4)))
    display = ZooDisplay.from_result(result).plot()
    assert display.names == ("good", "poor", "broken")
    metric = result.metric("good", "MC")
    assert (display.values[0], display.low[0], display.high[0]) == (
        metric.value,
        metric.low,
        metric.high,
    )
    assert np.isnan(display.values[2])
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels == ["good", "poor", "broken (failed)"]
    assert display.ax_.get_title() == "3 classifiers on 40 images in 10 groups"
    assert display.ax_.get_xlabel() == "MCC, with its 95% interval"
    assert ZooDisplay.from_result(result, "ACC").values[:2].tolist() == [0.9, 0.6]


def test_folds_are_taken_together():
    halves = (slice(0, 20), slice(20, 40))
    folds = tuple(ZooResult((row("a", 6, half), row("b", 26, half))) for half in halves)
    result = CrossValidation(folds * 2, n_splits=2, confidence=0.9)
    display = ZooDisplay.from_result(result, "ACC").plot()
    assert display.names == ("a", "b")
    assert display.values.tolist() == pytest.approx(
        [0.85, 0.35]
    )  # (14/20 + 1) / 2, (0 + 14/20) / 2
    assert display.low[0] == result.metric("a", "ACC").low
    assert display.ax_.get_title() == "2 classifiers on 40 images in 2 folds, 2 times"
    assert "90%" in display.ax_.get_xlabel()


def test_axes_that_are_given_are_drawn_in():
    ax = Figure(figsize=(5, 3)).subplots()
    display = ZooDisplay.from_result(ZooResult((row("a", 3),)))
    assert display.plot(ax=ax).ax_ is ax
    assert display.figure_ is ax.figure
    assert plt.get_fignums() == []


def test_what_has_no_result_is_refused():
    with pytest.raises(InvalidParameterError, match="ZooResult"):
        ZooDisplay.from_result([1])
    with pytest.raises(InvalidParameterError, match="classifier with a result"):
        ZooDisplay.from_result(ZooResult((ZooRow("a", "timeout", 9.0),)))
    with pytest.raises(InvalidParameterError, match="metric: expected one of 'accuracy'"):
        ZooDisplay.from_result(ZooResult((row("a", 3),)), "AUC")
