"""The benchmark that leaves parts out: what is left out, and that it goes on where it was stopped."""

import numpy as np
import pytest
from benchmarks import unseen
from sklearn.metrics import matthews_corrcoef, roc_auc_score

from nucrec.datasets import ImageDataset, load_mnfinder_crops
from nucrec.models import cnn


@pytest.fixture(scope="module")
def few() -> ImageDataset:
    return load_mnfinder_crops("all")[::12]


@pytest.mark.parametrize("by", unseen.BY)
def test_each_crop_is_left_out_once_with_all_of_its_kind(few, by):
    parts = unseen.parts(few, by)
    assert sorted(np.concatenate([part.test for part in parts])) == list(range(len(few)))
    for part in parts:
        assert sorted([*part.train, *part.test]) == list(range(len(few)))
        values = np.asarray(few.metadata[by])
        assert not set(values[part.train]) & set(values[part.test])


@pytest.fixture(scope="module")
def folder(few, tmp_path_factory):
    """What a tiny network said of two microscopes."""
    folder = tmp_path_factory.mktemp("unseen")
    unseen.run_network(few, "cnn", tiny, "microscope", folder)
    return folder


def tiny():
    return cnn(image_size=16, epochs=2, random_state=0)


def test_reports_are_of_what_was_said_of_crops_left_out(few, folder):
    parts = unseen.parts(few, "microscope")
    found = unseen.reports(few, "cnn", "microscope", folder)["cnn"]
    scores = np.empty(len(few))
    for part in parts:
        model = tiny().fit(few[part.train])
        scores[part.test] = model.predict_proba(few[part.test])[:, 1]
    assert found.n == len(few)
    assert found.auc.value == pytest.approx(roc_auc_score(few.labels, scores), abs=1e-3)
    expected = matthews_corrcoef(few.labels, scores > 0.5)
    assert found.mcc.value == pytest.approx(expected, abs=0.03)
    by_part = unseen.report_parts(few, "cnn", "cnn", "microscope", folder)
    assert {name: one.n for name, one in by_part.items()} == {p.name: len(p.test) for p in parts}


def test_what_is_there_is_not_trained_again(few, folder):
    def never():
        raise AssertionError

    unseen.run_network(few, "cnn", never, "microscope", folder)
    (folder / "microscope" / "WF" / "cnn.npz").unlink()
    assert unseen.reports(few, "cnn", "microscope", folder) == {}
    with pytest.raises(AssertionError):
        unseen.run_network(few, "cnn", never, "microscope", folder)
