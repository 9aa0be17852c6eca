"""Pictures of reports."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.metrics import accuracy_score, confusion_matrix

from nucrec.errors import InvalidParameterError
from nucrec.evaluate import ConfusionMatrixDisplay, MetricsDisplay, report

NAMES = ["apoptotic", "nucleus", "micronucleus"]


@pytest.fixture(scope="module")
def predictions() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    true = rng.integers(0, 3, 60)
    return true, np.where(rng.random(60) < 0.7, true, rng.integers(0, 3, 60))


def test_counts_and_shares_are_in_the_cells(predictions):
    true, predicted = predictions
    display = ConfusionMatrixDisplay.from_predictions(true, predicted, NAMES).plot()
    expected = confusion_matrix(true, predicted)
    np.testing.assert_array_equal(display.confusion_matrix, expected)
    shares = confusion_matrix(true, predicted, normalize="true")
    np.testing.assert_allclose(display.row_shares, shares)
    words = [text.get_text() for text in display.ax_.texts]
    assert words == [f"{n}\n{s:.0%}" for n, s in zip(expected.ravel(), shares.ravel(), strict=True)]
    assert [label.get_text() for label in display.ax_.get_xticklabels()] == NAMES
    rows = [label.get_text() for label in display.ax_.get_yticklabels()]
    counts = np.bincount(true)
    assert rows == [f"{name}\nn = {n}" for name, n in zip(NAMES, counts, strict=True)]
    assert display.ax_.get_title() == "Confusion matrix of 60 images"


def test_words_stand_out_from_the_cells(predictions):
    display = ConfusionMatrixDisplay.from_predictions(*predictions, NAMES).plot()
    image = display.ax_.images[0]
    backgrounds = image.cmap(image.norm(display.row_shares.ravel()))[:, :3]
    for text, background in zip(display.ax_.texts, backgrounds, strict=True):
        value = 1.0 if text.get_color() == "white" else 0.0
        assert abs(background @ [0.299, 0.587, 0.114] - value) > 0.4


def test_of_a_report_in_groups(predictions):
    true, predicted = predictions
    found = report(true, predicted, class_names=NAMES, groups=np.arange(60) // 6)
    display = ConfusionMatrixDisplay.from_report(found).plot()
    assert display.class_names == tuple(NAMES)
    np.testing.assert_array_equal(display.confusion_matrix, found.confusion_matrix)
    assert display.ax_.get_title().endswith("60 images in 10 groups")


def test_a_class_without_images_has_no_shares():
    display = ConfusionMatrixDisplay.from_predictions([0, 0], [0, 1], ["a", "b"]).plot()
    assert np.isnan(display.row_shares[1]).all()
    assert [text.get_text() for text in display.ax_.texts] == ["1\n50%", "1\n50%", "0", "0"]


def test_metrics_are_points_with_their_intervals(predictions):
    true, predicted = predictions
    found = report(true, predicted, class_names=NAMES)
    display = MetricsDisplay.from_report(found).plot()
    assert display.names == ("accuracy", "precision", "recall", "F1", "MCC", "kappa")
    assert display.values[0] == accuracy_score(true, predicted)
    points = display.ax_.lines[-1]
    np.testing.assert_array_equal(points.get_xdata(), display.values)
    (bars,) = [each for each in display.ax_.collections if each.get_segments()]
    for k, (metric, segment) in enumerate(
        zip(found.metrics.values(), bars.get_segments(), strict=True)
    ):
        assert segment.tolist() == [[metric.low, k], [metric.high, k]]
    assert [text.get_text() for text in display.ax_.texts] == [
        str(metric) for metric in found.metrics.values()
    ]
    assert "95%" in display.ax_.get_xlabel()


def test_undefined_metrics_are_drawn_as_such():
    display = MetricsDisplay.from_report(report([1, 1], [1, 1], class_names=["a", "b"])).plot()
    assert display.ax_.texts[display.names.index("kappa")].get_text() == "n/a"
    assert display._repr_png_()


@pytest.mark.parametrize("kind", [ConfusionMatrixDisplay, MetricsDisplay])
def test_axes_that_are_given_are_drawn_in(kind, predictions):
    found = report(*predictions, class_names=NAMES)
    ax = Figure(figsize=(4, 4)).subplots()
    display = kind.from_report(found)
    assert display.figure_ is None
    assert display.plot(ax=ax) is display
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert plt.get_fignums() == []


@pytest.mark.parametrize("kind", [ConfusionMatrixDisplay, MetricsDisplay])
def test_what_is_no_report_is_refused(kind):
    with pytest.raises(InvalidParameterError, match="report: expected"):
        kind.from_report({"n": 3})
