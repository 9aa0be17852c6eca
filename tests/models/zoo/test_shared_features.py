"""Features of a frozen backbone, which all folds share."""

import re

import numpy as np
import pytest
from tests.models.small import SIDE, convolution

from nucrec.augment import paper_pipeline
from nucrec.datasets import folds
from nucrec.models import ImageClassifier, cross_validate, run_zoo, transfer

PIPELINE = paper_pipeline(0)
COPIES = 2


def frozen(**options) -> ImageClassifier:
    """Return a classifier on the features of one convolution."""
    given = {"recipe": "paper", "epochs": 3, "random_state": 0, "image_size": SIDE, **options}
    return transfer(convolution(), mode="features", **given)


@pytest.fixture(scope="module")
def seen() -> list:
    return []


@pytest.fixture(scope="module")
def found(images, seen):
    return cross_validate(
        {"frozen": frozen()},
        images,
        n_splits=2,
        augment=PIPELINE,
        copies=COPIES,
        random_state=0,
        learning_curves=True,
        progress=lambda *step: seen.append(step),
    )


@pytest.mark.slow
def test_a_fold_is_what_it_is_by_itself(found, images):
    train, test = folds(images, 2, random_state=0)[0]
    by_itself = run_zoo({"frozen": frozen()}, PIPELINE.expand(train, COPIES), test)["frozen"]
    row = found["frozen"].folds[0]
    np.testing.assert_allclose(row.y_score, by_itself.y_score, atol=1e-6)
    np.testing.assert_array_equal(row.validation_proba[-1], row.y_score)
    assert row.history["loss"] == pytest.approx(by_itself.history["loss"], abs=1e-5)
    kinds = [[text.partition(":")[0] for text in each.warnings] for each in (row, by_itself)]
    assert kinds[0] == kinds[1]


@pytest.mark.slow
def test_each_image_and_copy_passes_the_backbone_once(found, seen, images):
    assert [row.status for row in found["frozen"].folds] == ["ok", "ok"]
    told = [re.search(r"features of (\d+) of (\d+) images", what) for _, _, what in seen]
    counts = [(int(match[1]), int(match[2])) for match in told if match]
    distinct = len(images) * (1 + COPIES)  # in training in one fold of two, originals in both
    assert counts[0] == (0, distinct)
    assert counts[-1] == (distinct, distinct)
    assert counts == sorted(counts)
    assert seen[-1][:2] == (2, 2)


def test_a_backbone_that_cannot_be_had_is_reported_by_each_fold(images, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    missing = transfer(mode="features", recipe="paper", weights=tmp_path / "missing.pth")
    result = cross_validate({"missing": missing}, images, n_splits=2, random_state=0)
    reasons = [row.outcome for row in result["missing"].folds]
    assert len(reasons) == 2
    assert all("WeightsNotAvailableError" in reason for reason in reasons)
