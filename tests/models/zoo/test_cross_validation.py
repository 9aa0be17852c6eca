"""Classifiers on the same folds: mean, interval and ranking."""

import csv
import io

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, confusion_matrix, roc_auc_score
from sklearn.pipeline import make_pipeline

from nucrec.augment import Flip, Pipeline
from nucrec.datasets import folds
from nucrec.errors import InvalidParameterError, NucrecError, SplitError
from nucrec.evaluate import (
    ConfusionMatrixDisplay,
    RocCurveDisplay,
    calibration_error,
    report,
)
from nucrec.models import PixelFeatures, cross_validate, run_zoo


def zoo() -> dict:
    return {
        "linear": make_pipeline(PixelFeatures(8), LogisticRegression()),
        "majority": DummyClassifier(strategy="constant", constant=1),
    }


@pytest.fixture(scope="module")
def found(images):
    return cross_validate(zoo(), images, 3, 2, random_state=1, n_jobs=2)


def test_folds_are_those_of_a_zoo_run_on_each(found, images):
    pairs = folds(images, 3, random_state=1, n_repeats=2)
    assert len(found.folds) == 6
    assert [fold["linear"].report.n for fold in found.folds] == [len(test) for _, test in pairs]
    for k in (0, 4):
        alone = run_zoo(zoo(), *pairs[k])
        assert [row.report for row in found.folds[k]] == [row.report for row in alone]


def test_metric_is_the_mean_of_the_folds(found):
    values = [fold["linear"].report.metrics["ACC"].value for fold in found.folds]
    metric = found.metric("linear", "ACC")
    assert metric.folds == tuple(values)
    assert metric.value == pytest.approx(np.mean(values))
    assert metric.low < metric.value <= metric.high <= 1
    assert found.metric("majority", "MC").value == 0


def test_ranking_is_of_the_same_folds(found):
    assert [row.name for row in found.ranking.rows] == ["linear", "majority"]
    assert str(found).endswith(found.ranking.verdict)


def test_formats_hold_the_numbers(found):
    row = next(csv.DictReader(io.StringIO(found.to_csv())))
    metric = found.metric("linear", "AUC")
    assert (row["model"], row["status"]) == ("linear", "ok")
    assert [float(row[f"auc{e}"]) for e in ("", "_low", "_high", "_std")] == [
        metric.value, metric.low, metric.high, metric.std,
    ]  # fmt: skip
    for text in (str(found), found.to_markdown(), found._repr_html_()):
        assert f"{metric.value:.2f}" in text
    described = found.to_dict()
    assert described["n_splits"] == 3
    assert len(described["folds"]) == 6
    assert described["ranking"] == found.ranking.to_dict()


def test_each_image_was_predicted_when_it_was_new(found, images):
    for repeat in (0, 1):
        new = found.predictions("linear", repeat)
        np.testing.assert_array_equal(new.ids, images.ids)
        np.testing.assert_array_equal(new.y_true, images.labels)
        np.testing.assert_array_equal(new.groups, images.groups)
        assert set(new.fold) == {3 * repeat, 3 * repeat + 1, 3 * repeat + 2}
        for k in set(new.fold):
            fold = found.folds[k]
            assert set(new.ids[new.fold == k]) == set(fold.truth.ids)
            at = [images.ids.tolist().index(name) for name in fold.truth.ids]
            np.testing.assert_array_equal(new.y_pred[at], fold["linear"].y_pred)
            np.testing.assert_array_equal(new.y_score[at], fold["linear"].y_score)


def test_a_report_of_all_images(found, images):
    new = found.predictions("linear")
    by_hand = report(images.labels, new.y_pred, new.y_score, images.class_names, images.groups)
    assert found.report("linear") == found["linear"].report == by_hand
    assert by_hand.accuracy.value == accuracy_score(images.labels, new.y_pred)
    assert found.report("linear", repeat=1) != by_hand


def test_predictions_go_into_displays(found):
    new = found.predictions("linear")
    roc = RocCurveDisplay.from_predictions(
        new.y_true, new.y_score, new.class_names, new.groups, n_resamples=50
    )
    assert roc.curves[0].area.value == pytest.approx(roc_auc_score(new.y_true, new.y_score[:, 1]))
    matrix = ConfusionMatrixDisplay.from_predictions(new.y_true, new.y_pred).confusion_matrix
    np.testing.assert_array_equal(matrix, confusion_matrix(new.y_true, new.y_pred))
    error = calibration_error(new.y_true, new.y_score, n_resamples=50)
    assert 0 <= error.value <= 1


def test_a_result_is_a_sequence_of_classifiers(found):
    assert [row.name for row in found] == found.names == ["linear", "majority"]
    assert len(found) == 2
    assert found[0] == found["linear"]
    assert (found["linear"].status, found["linear"].outcome) == ("ok", "ok")
    assert found["linear"].seconds == sum(fold["linear"].seconds for fold in found.folds)
    assert [fold.name for fold in found["majority"].folds] == ["majority"] * 6
    only = found[1:]
    assert only.names == ["majority"]
    assert only.metric("majority", "ACC") == found.metric("majority", "ACC")
    assert set(only["majority"].y_pred) == {1}
    with pytest.raises(KeyError):
        found["unknown"]
    with pytest.raises(InvalidParameterError, match="^repeat: expected"):
        found.predictions("linear", repeat=2)


class FailsOnSome(DummyClassifier):
    """Raises where the training part is of a certain size."""

    def fit(self, X, y):
        if y[0] == 0 and len(y) % 2:
            raise ValueError("not these")
        return super().fit(X, y)


def test_what_failed_in_one_fold_has_no_mean(images):
    uneven = images[:59]  # training parts of odd and of even size
    sizes = [len(train) for train, _ in folds(uneven, 3, random_state=0)]
    assert len({size % 2 for size in sizes}) == 2
    models = {"fails": FailsOnSome(), "works": DummyClassifier()}
    result = cross_validate(models, uneven, 3, random_state=0)
    assert result.metric("fails", "ACC") is None
    assert result.status("fails") == "failed"
    ((name, why),) = result.failures
    assert name == "fails"
    assert why.startswith("failed in fit: ValueError: not these (in ")
    assert why.endswith(" of 3 folds)")
    assert result.ranking is None
    assert result.metric("works", "ACC") is not None
    assert (result["fails"].report, result["fails"].y_pred) == (None, None)
    assert result["fails"].outcome.startswith("failed in fit")
    with pytest.raises(
        NucrecError, match="^fails has no prediction for some images: failed in fit"
    ):
        result.predictions("fails")


def test_only_training_parts_are_augmented(images):
    plain = cross_validate({"a": DummyClassifier()}, images, 3, random_state=0)
    seen = []
    more = cross_validate(
        {"a": DummyClassifier()},
        images,
        3,
        random_state=0,
        augment=Pipeline([Flip()], random_state=0),
        copies=2,
        progress=lambda *step: seen.append(step),
    )
    assert [f["a"].report.n for f in more.folds] == [f["a"].report.n for f in plain.folds]
    assert [step[:2] for step in seen] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert {step[2] for step in seen[1:]} == {f"fold {k} of 3: a" for k in (1, 2, 3)}


def test_copies_are_trained_on(images):
    class CountsRows(DummyClassifier):
        def fit(self, X, y):
            raise ValueError(f"{len(y)} rows")

    result = cross_validate(
        {"a": CountsRows()}, images, 2, random_state=0, augment=Pipeline([Flip()]), copies=2
    )
    sizes = [len(train) for train, _ in folds(images, 2, random_state=0)]
    assert [f["a"].error for f in result.folds] == [f"ValueError: {3 * n} rows" for n in sizes]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"zoo": {}}, InvalidParameterError),
        ({"n_splits": 1}, InvalidParameterError),
        ({"n_repeats": 0}, InvalidParameterError),
        ({"copies": 0}, InvalidParameterError),
        ({"by": "day"}, InvalidParameterError),
        ({"n_jobs": 0}, InvalidParameterError),
        ({"confidence": 2}, InvalidParameterError),
        ({"timeout": -1}, InvalidParameterError),
        ({"n_splits": 21}, SplitError),
    ],
)
def test_bad_parameters(change, error, images):
    with pytest.raises(error):
        cross_validate(**({"zoo": zoo(), "dataset": images, "random_state": 0} | change))


def test_metrics_are_known_by_both_names_and_no_other(crops):
    found = cross_validate({"majority": DummyClassifier()}, crops, n_splits=2, random_state=0)
    first = found.folds[0]
    for name, label in (("accuracy", "ACC"), ("mcc", "MC"), ("MCC", "MC"), ("kappa", "KS")):
        assert found.metric("majority", name) == found.metric("majority", label)
        assert first.metric("majority", name) == first["majority"].report.metrics[label]
    with pytest.raises(InvalidParameterError, match="column: expected one of 'accuracy'"):
        found.metric("majority", "acuracy")
