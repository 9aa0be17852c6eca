"""Old names: they work for one release, with a warning at the caller's line."""

import numpy as np
import pytest

from nucrec import models
from nucrec.datasets import ImageDataset
from nucrec.errors import InvalidParameterError
from nucrec.evaluate import ConformalRule, fit_conformal, over_folds


@pytest.fixture(scope="module")
def rule() -> ConformalRule:
    scores = np.random.default_rng(0).dirichlet([1, 1], 60)
    return fit_conformal(np.arange(60) % 2, scores, 0.2)


def test_the_warning_says_the_new_name_and_is_at_the_callers_line(rule):
    scores = np.array([[0.5, 0.5], [0.01, 0.99]])
    with pytest.warns(DeprecationWarning, match="needs_review") as caught:
        old = rule.ask(scores)
    (warning,) = caught
    assert str(warning.message) == (
        "ConformalRule.ask is now called needs_review; the old name works in this release only"
    )
    assert warning.filename == __file__
    assert old.tolist() == rule.needs_review(scores).tolist()


def test_attributes():
    folds = over_folds([0.5, 0.7, 0.6], 3)
    with pytest.warns(DeprecationWarning, match=r"^FoldMetric\.spread is now called std;"):
        assert folds.spread == folds.std == pytest.approx(0.1)
    images = ImageDataset(np.zeros((4, 3, 3), np.uint8), [0, 1, 0, 1], groups=[0, 0, 1, 1])
    with pytest.warns(
        DeprecationWarning, match=r"^ImageDataset\.shared_groups is now called group"
    ):
        assert images.shared_groups.tolist() == images.groups.tolist()


def test_columns_of_a_history(crops):
    network = models.cnn(image_size=16, epochs=2, random_state=0).fit(crops[::9])
    with pytest.warns(DeprecationWarning, match="TR-ACC.* is now called .*accuracy"):
        assert network.history_["TR-ACC"] == network.history_["accuracy"]
    with pytest.raises(KeyError, match="TR-Nothing"):
        network.history_["TR-Nothing"]


def test_classes():
    with pytest.warns(DeprecationWarning, match="LearningCurvesDisplay is now called Training"):
        assert models.LearningCurvesDisplay is models.TrainingHistoryDisplay


def test_both_names_of_a_parameter_at_once_are_refused(gnb, class_folder):
    with pytest.raises(InvalidParameterError, match="^ask_below: expected None beside error_rate"):
        models.predict_folder(gnb, class_folder, ask_below=0.1, error_rate=0.1)
