"""ROC, precision-recall and calibration curves, against scikit-learn's."""

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from nucrec.errors import InvalidParameterError
from nucrec.evaluate import (
    CalibrationDisplay,
    PrecisionRecallDisplay,
    RocCurveDisplay,
    calibration_error,
    report,
)

BOTH = [RocCurveDisplay, PrecisionRecallDisplay]
DISPLAYS = [*BOTH, CalibrationDisplay]


@pytest.fixture(scope="module")
def two() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, probabilities with many ties, and groups."""
    rng = np.random.default_rng(1)
    true = rng.integers(0, 2, 120)
    score = np.clip(rng.normal(0.4 + 0.2 * true, 0.2), 0.0, 1.0).round(1)
    return true, np.column_stack([1 - score, score]), rng.integers(0, 40, 120)


@pytest.fixture(scope="module")
def three() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    true = rng.integers(0, 3, 90)
    scores = rng.dirichlet([1, 1, 1], 90) + 0.5 * np.eye(3)[true]
    return true, scores / scores.sum(axis=1, keepdims=True)


def test_the_roc_curve_is_that_of_scikit_learn(two):
    true, scores, _ = two
    (curve,) = RocCurveDisplay.from_predictions(true, scores, n_resamples=20).curves
    fpr, tpr, _ = roc_curve(true, scores[:, 1], drop_intermediate=False)
    np.testing.assert_allclose(curve.x, fpr)
    np.testing.assert_allclose(curve.y, tpr)
    np.testing.assert_allclose(curve.value, np.interp(np.linspace(0, 1, 101), fpr, tpr))
    assert curve.area.value == pytest.approx(roc_auc_score(true, scores[:, 1]))
    assert (curve.name, curve.n_positive) == ("1", int(true.sum()))


def test_the_precision_recall_curve_is_that_of_scikit_learn(two):
    true, scores, _ = two
    (curve,) = PrecisionRecallDisplay.from_predictions(true, scores, n_resamples=20).curves
    precision, recall, _ = precision_recall_curve(true, scores[:, 1])
    np.testing.assert_allclose(curve.x, recall[::-1][1:])  # without the point at recall 0
    np.testing.assert_allclose(curve.y, precision[::-1][1:])
    for wanted, value in zip(curve.grid, curve.value, strict=True):
        enough = recall[::-1] >= wanted - 1e-9
        assert value == pytest.approx(precision[::-1][enough][0])
    assert curve.area.value == pytest.approx(average_precision_score(true, scores[:, 1]))


@pytest.mark.parametrize("kind", BOTH)
def test_each_of_several_classes_is_against_the_rest(kind, three):
    true, scores = three
    names = ["a", "b", "c"]
    display = kind.from_predictions(true, scores, names, n_resamples=50).plot()
    area = roc_auc_score if kind is RocCurveDisplay else average_precision_score
    for k, curve in enumerate(display.curves):
        assert curve.name == names[k]
        assert curve.area.value == pytest.approx(area(true == k, scores[:, k]))
    lines = [line for line in display.ax_.lines if "(" in line.get_label()]
    assert len({str(line.get_linestyle()) for line in lines}) == 3
    assert len({line.get_color() for line in lines}) == 3


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("grouped", [False, True])
def test_bands_hold_the_curve(kind, grouped, two):
    true, scores, groups = two
    display = kind.from_predictions(
        true, scores, groups=groups if grouped else None, n_resamples=200
    )
    (curve,) = display.curves
    assert (curve.low <= curve.value).all()
    assert (curve.value <= curve.high).all()
    assert (curve.low >= 0).all()
    assert (curve.high <= 1).all()
    assert np.median(curve.high - curve.low) > 0.05
    assert curve.area.low < curve.area.value < curve.area.high
    assert display.n_groups == (len(np.unique(groups)) if grouped else None)
    with pytest.raises(ValueError, match="read-only"):
        curve.y[0] = 1


def test_bands_are_those_of_resampled_groups(two):
    true, scores, groups = two
    (curve,) = RocCurveDisplay.from_predictions(true, scores, groups=groups).curves
    rng = np.random.default_rng(5)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    drawn = []
    for _ in range(800):
        chosen = np.concatenate([members[k] for k in rng.integers(0, len(members), len(members))])
        fpr, tpr, _ = roc_curve(true[chosen], scores[chosen, 1], drop_intermediate=False)
        drawn.append(np.interp([0.2, 0.4, 0.6], fpr, tpr))
    expected = np.quantile(drawn, [0.025, 0.975], axis=0)
    at = [20, 40, 60]
    np.testing.assert_allclose([curve.low[at], curve.high[at]], expected, atol=0.08)
    assert (curve.low[at] <= expected[0] + 0.04).all()
    assert (curve.high[at] >= expected[1] - 0.04).all()


@pytest.mark.parametrize("kind", DISPLAYS)
def test_groups_that_are_all_different_are_none(kind, two):
    true, scores, _ = two
    grouped = kind.from_predictions(true, scores, groups=np.arange(120), n_resamples=50).plot()
    alone = kind.from_predictions(true, scores, n_resamples=50).plot()
    assert grouped.n_groups is None
    assert grouped._repr_png_() == alone._repr_png_()


@pytest.mark.parametrize("grouped", [False, True])
def test_areas_are_those_of_the_report(two, grouped):
    true, scores, groups = two
    groups = groups if grouped else None
    (curve,) = RocCurveDisplay.from_predictions(true, scores, groups=groups).curves
    assert curve.area == report(true, true, scores, groups=groups).auc


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("grouped", [False, True])
def test_a_perfect_classifier_is_not_certain_to_be_one(kind, grouped):
    true = np.repeat([0, 1], 20)
    groups = np.arange(40) % 8 if grouped else None
    (curve,) = kind.from_predictions(true, true + 0.0, ["nucleus", "micronucleus"], groups).curves
    assert (curve.value == 1).all()
    assert (curve.low < 1).all()
    assert (curve.high == 1).all()
    assert curve.area.low < curve.area.value == curve.area.high == 1
    if not grouped and kind is RocCurveDisplay:
        found = binomtest(20, 20).proportion_ci(0.95, method="wilson")
        assert curve.low[0] == pytest.approx(found.low)


def test_the_interval_of_average_precision_is_that_of_a_share_of_the_positives(two):
    true, scores, _ = two
    (curve,) = PrecisionRecallDisplay.from_predictions(true, scores).curves
    n, share = int(true.sum()), average_precision_score(true, scores[:, 1])
    z = 1.959964
    expected = np.roots([n + z**2, -(2 * n * share + z**2), n * share**2])
    assert (curve.area.low, curve.area.high) == pytest.approx(tuple(sorted(expected)), rel=1e-6)
    assert curve.area.method == "Wilson"


def test_chunks_of_many_images_are_the_same_from_every_backend():
    rng = np.random.default_rng(0)
    true, scores = rng.integers(0, 2, 3000), rng.random(3000).round(1)

    def bands() -> list:
        (curve,) = RocCurveDisplay.from_predictions(true, scores).curves
        return [curve.low.tolist(), curve.high.tolist()]

    expected = bands()
    for backend in ("threading", "loky", "multiprocessing"):
        with joblib.parallel_config(n_jobs=2, backend=backend):
            assert bands() == expected


@pytest.mark.parametrize("kind", BOTH)
def test_one_group_says_nothing_of_others(kind):
    display = kind.from_predictions([0, 1, 0, 1], [0.1, 0.9, 0.4, 0.3], groups=[7] * 4).plot()
    assert np.isnan(display.curves[0].low).all()
    assert display._repr_png_()


@pytest.mark.parametrize("kind", BOTH)
def test_bad_calls(kind, two):
    true, scores, _ = two
    with pytest.raises(InvalidParameterError, match="images of each class"):
        kind.from_predictions([1, 1], [0.2, 0.4], ["nucleus", "micronucleus"])
    with pytest.raises(InvalidParameterError, match="y_score"):
        kind.from_predictions(true, scores[:-1])
    with pytest.raises(InvalidParameterError, match="confidence"):
        kind.from_predictions(true, scores, confidence=95)


def test_bins_are_those_of_scikit_learn(two, three):
    rng = np.random.default_rng(3)
    true, scores = three
    display = CalibrationDisplay.from_predictions(true, scores, n_resamples=100)
    right, surest = scores.argmax(axis=1) == true, scores.max(axis=1)
    observed, predicted = calibration_curve(right, surest, n_bins=10)
    np.testing.assert_allclose(display.observed, observed)
    np.testing.assert_allclose(display.predicted, predicted)
    assert display.counts.sum() == 90
    for share, n, low, high in zip(
        display.observed, display.counts, display.low, display.high, strict=True
    ):
        found = binomtest(round(share * n), n).proportion_ci(0.95, method="wilson")
        assert (low, high) == pytest.approx((found.low, found.high))
    groups = rng.integers(0, 9, 90)
    expected = calibration_error(true, scores, groups=groups, n_resamples=100)
    grouped = CalibrationDisplay.from_predictions(true, scores, groups=groups, n_resamples=100)
    assert grouped.error == expected
    assert grouped.n_groups == 9


def test_a_bin_of_one_group_has_no_interval():
    scores = np.array([[0.4, 0.6]] * 6 + [[0.05, 0.95]] * 6)
    true = [0, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1]
    groups = [0, 0, 1, 1, 2, 2] + [3] * 6
    display = CalibrationDisplay.from_predictions(true, scores, groups=groups).plot()
    assert display.low[0] < display.observed[0] < display.high[0]
    assert np.isnan([display.low[1], display.high[1]]).all()
    assert [text.get_text() for text in display.ax_.texts] == ["6", "6"]


@pytest.mark.parametrize("kind", DISPLAYS)
def test_axes_titles_and_labels(kind, two):
    true, scores, groups = two
    ax = Figure(figsize=(4, 4)).subplots()
    display = kind.from_predictions(true, scores, groups=groups, confidence=0.9, n_resamples=20)
    assert display.plot(ax=ax) is display
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert f"120 images in {len(np.unique(groups))} groups" in ax.get_title()
    assert "90%" in ax.get_title() + ax.get_ylabel()
    assert ax.get_xlabel()
    assert plt.get_fignums() == []
