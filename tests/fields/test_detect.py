"""From fields to cells: what is given to whom, what fails, and what goes on where it ended."""

import json
import shutil
import threading
import weakref

import numpy as np
import pytest
import tifffile
from scipy import ndimage
from tests.fields.drawn import Knowing, drawn, labels_of, plate

from nucrec.errors import DatasetError, DataWarning, InvalidParameterError, NucrecError
from nucrec.fields import (
    Cells,
    Detection,
    Field,
    FieldDetector,
    FieldSet,
    detect,
    load_fields,
)


@pytest.fixture
def two():
    return plate(
        drawn([(60, 60, 15), (150, 100, 15)], [(60, 84, 4)]),
        drawn([(100, 100, 15), (100, 200, 20)], []),
    )


def test_nuclei_are_those_of_the_masks_where_there_are_masks():
    nuclei = [(60, 60, 15), (60, 150, 15)]
    image, found = drawn(nuclei, [(60, 84, 4)])
    mask = labels_of(image.shape, nuclei) * 1000
    fields = FieldSet.from_arrays([image], masks=[mask])
    detector = Knowing({"1": found})
    assert detect(fields, detector).cells["cell_id"].tolist() == [1000, 2000]
    assert detect(fields, detector).micronuclei["cell_id"].tolist() == [1000]
    assert detect(fields, detector, masks=False).cells["cell_id"].tolist() == [1, 2]


def test_labels_may_be_large():
    nuclei = [(60, 60, 15), (60, 150, 15)]
    image, found = drawn(nuclei, [(60, 127, 4)])
    mask = labels_of(image.shape, nuclei)
    mask[mask > 0] += 2**30
    cells = detect(FieldSet.from_arrays([image], masks=[mask]), Knowing({"1": found}))
    assert cells.cells["cell_id"].tolist() == [2**30 + 1, 2**30 + 2]
    assert cells.micronuclei["cell_id"].tolist() == [2**30 + 2]


def test_fields_without_cells_are_fields():
    cells = detect(
        *plate(drawn([(60, 60, 15)]), (np.eye(200, dtype=np.uint8), drawn([], shape=(200, 200))[1]))
    )
    assert cells.fields["n_cells"].tolist() == [1, 0]
    assert len(cells) == 1


@pytest.mark.parametrize("n_jobs", [1, 2, 5])
def test_the_number_of_jobs_changes_nothing(two, n_jobs):
    fields, detector = plate(
        *[drawn([(60, 20 + 10 * i, 15)], [(60, 44 + 10 * i, 4)]) for i in range(9)]
    )
    assert detect(fields, detector, n_jobs=n_jobs) == detect(fields, detector, n_jobs=1)
    assert detect(fields, detector, n_jobs=n_jobs).fields["field"].tolist() == list(fields.names)


def test_progress_is_told(two):
    told = []
    detect(*two, progress=lambda *step: told.append(step))
    assert told == [(0, 2, "detecting"), (1, 2, "detecting"), (2, 2, "detecting")]


def test_a_call_that_goes_on_says_what_was_done_before(two, tmp_path):
    fields, detector = two
    told = []
    detect(fields[:1], detector, out=tmp_path, write_labels=True)
    for _ in range(2):
        detect(
            fields, detector, out=tmp_path, write_labels=True, progress=lambda *s: told.append(s[2])
        )
    part, whole = ("detecting; 1 of 2 already done", "detecting; 2 of 2 already done")
    assert told == [part] * 3 + [whole] * 3


GOOD = drawn([(60, 60, 15)])
BAD = {
    "every pixel is 7": (np.full((100, 100), 7, np.uint8), GOOD[1]),
    "3 x 3 pixels are too few for a field of view": (np.eye(3, dtype=np.uint8), GOOD[1]),
    "64 x 60 pixels: this looks like a crop": drawn([(30, 30, 10)], shape=(60, 64)),
    "a crop rather than a field": drawn([(70, 70, 45)], shape=(150, 160)),
    r"labels of shape \(200, 300\)": (GOOD[0][:150], GOOD[1]),
    "the detector failed: ZeroDivisionError: by nought": (GOOD[0], ZeroDivisionError("by nought")),
    "out of memory": (GOOD[0], MemoryError("out of memory")),
}


@pytest.mark.parametrize("reason", BAD)
def test_a_field_that_fails_leaves_the_others(reason):
    fields, detector = plate(GOOD, BAD[reason], GOOD)
    with pytest.warns(DataWarning, match=f"^2 was not analysed: .*{reason}"):
        cells = detect(fields, detector)
    assert cells.fields["n_cells"].tolist() == [1, 0, 1]
    assert list(cells.failed) == ["2"]
    assert "1 field failed" in repr(cells)


def test_files_that_cannot_be_read_leave_the_others(tmp_path):
    image, found = GOOD
    for name in ("a", "b", "c"):
        tifffile.imwrite(tmp_path / f"{name}.tif", image, description=name)
    fields = load_fields(tmp_path)
    (tmp_path / "b.tif").write_bytes((tmp_path / "b.tif").read_bytes()[:3000])
    with pytest.warns(DataWarning, match="^b.tif was not analysed: "):
        cells = detect(fields, Knowing(dict.fromkeys("abc", found)))
    assert list(cells.failed) == ["b"]
    assert cells.cells["field"].tolist() == ["a", "c"]


def test_where_all_fail_that_is_an_error():
    fields, detector = plate(BAD["a crop rather than a field"])
    with pytest.raises(
        DatasetError,
        match="1: this looks like a crop rather than a field: its nuclei are 90 pixels",
    ):
        detect(fields, detector)


def test_an_interrupt_ends_it_and_leaves_whole_files(two, tmp_path):
    fields, detector = two
    detector.answers = {**detector.answers, "2": KeyboardInterrupt()}
    with pytest.raises(KeyboardInterrupt, match="after 1 of 2 fields"):
        detect(fields, detector, out=tmp_path, n_jobs=1)
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(name.endswith(".tmp") for name in left)
    whole = plate(*[drawn([(60, 60, 15), (150, 100, 15)], [(60, 84, 4)])])
    again = detect(fields, Knowing({**two[1].answers, "2": whole[1].answers["1"]}), out=tmp_path)
    assert again.fields["error"].tolist() == ["", ""]


def test_it_goes_on_where_it_ended(two, tmp_path):
    fields, detector = two
    first = detect(fields[:1], detector, out=tmp_path)
    both = detect(fields, detector, out=tmp_path)
    assert detector.asked == ["1", "2"]
    assert both.of_field("1") == first
    assert both == detect(*two)
    detector.asked.clear()
    assert detect(fields, detector, out=tmp_path) == both
    assert detector.asked == []


def test_fields_that_failed_are_tried_again(two, tmp_path):
    fields, detector = two
    right = detector.answers["2"]
    detector.answers["2"] = ValueError("not today")
    with pytest.warns(DataWarning, match="not today"):
        detect(fields, detector, out=tmp_path)
    detector.answers["2"] = right
    assert detect(fields, detector, out=tmp_path) == detect(*two)
    assert detector.asked[:3] == ["1", "2", "2"]


def test_fields_that_changed_are_done_again(two, tmp_path):
    fields, detector = two
    detect(fields, detector, out=tmp_path)
    images = [field.read().copy() for field in fields]
    images[1][0, 0] += 1
    detector.asked.clear()
    detect(FieldSet.from_arrays(images), detector, out=tmp_path)
    assert detector.asked == ["2"]


def test_tables_that_are_damaged_are_made_again(two, tmp_path):
    fields, detector = two
    whole = detect(fields, detector, out=tmp_path)
    (tmp_path / "parts" / "1" / "cells.csv").write_text("file,fie")
    (tmp_path / "parts" / "2" / "micronuclei.csv").unlink()
    assert detect(fields, detector, out=tmp_path) == whole
    assert detector.asked == ["1", "2", "1", "2"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"masks": False}, "masks"),
        ({"max_distance": 1.0}, "max_distance"),
        ({"diameter_ratio": (1 / 16, 1 / 3)}, "diameter_ratio"),
        ({"exclude": ["edge"]}, "exclude"),
    ],
)
def test_results_of_other_settings_are_not_mixed(two, tmp_path, change, named):
    fields, detector = two
    detect(fields, detector, out=tmp_path)
    with pytest.raises(NucrecError, match=rf"another call, which differs in: {named} \("):
        detect(fields, detector, out=tmp_path, **change)
    again = detect(fields, detector, out=tmp_path, overwrite=True, **change)
    assert again == detect(fields, detector, **change)


def test_results_of_another_detector_are_not_mixed(two, tmp_path):
    fields, detector = two
    detect(fields, detector, out=tmp_path)
    detector.fingerprint = "another"
    with pytest.raises(NucrecError, match=r"detector \('knowing', now 'another'\)"):
        detect(fields, detector, out=tmp_path)


def test_a_folder_whose_record_is_gone_is_left_alone(two, tmp_path):
    fields, detector = two
    detect(fields, detector, out=tmp_path)
    (tmp_path / "detect.json").unlink()
    with pytest.raises(NucrecError, match=r"detect\.json is missing"):
        detect(fields, detector, out=tmp_path)


def test_label_images_are_what_other_programs_read(two, tmp_path):
    fields, detector = two
    many = 70_000
    labels = detector.answers["2"].nuclei.copy()
    labels[labels == 2] = many
    detector.answers["2"] = Detection(labels, labels * 0, np.zeros(0), 30.0)
    detect(fields, detector, out=tmp_path, write_labels=True)
    for name, dtype in (("1", np.uint16), ("2", np.uint32)):
        for what in ("nuclei", "micronuclei"):
            written = tifffile.imread(tmp_path / "labels" / what / f"{name}.tif")
            assert np.array_equal(written, getattr(detector.answers[name], what))
        written = tifffile.imread(tmp_path / "labels" / "nuclei" / f"{name}.tif")
        assert written.dtype == dtype


def test_label_images_that_are_missing_are_made(two, tmp_path):
    fields, detector = two
    detect(fields, detector, out=tmp_path)
    detect(fields, detector, out=tmp_path, write_labels=True)
    assert len(list((tmp_path / "labels").rglob("*.tif"))) == 4
    shutil.rmtree(tmp_path / "labels")
    detector.asked.clear()
    detect(fields, detector, out=tmp_path)
    assert detector.asked == []


def test_names_of_fields_may_be_anything(tmp_path):
    names = ["B03/s1", "B03:s1", "a\nb", "µ", "..", "x" * 300]
    fields = FieldSet.from_arrays([GOOD[0]] * len(names), names)
    detector = Knowing(dict.fromkeys(names, GOOD[1]))
    cells = detect(fields, detector, out=tmp_path, write_labels=True)
    assert cells.fields["field"].tolist() == names
    assert len(list((tmp_path / "parts").iterdir())) == len(names)
    assert detect(fields, detector, out=tmp_path) == cells


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"detector": "ours"}, "an object with a method predict"),
        ({"max_distance": -1}, "max_distance: expected a number between 0 and 100"),
        ({"diameter_ratio": 0.3}, "diameter_ratio: expected a pair"),
        ({"diameter_ratio": (0.3, 0.1)}, "diameter_ratio: expected low < high"),
        ({"exclude": "edge"}, r"Write \('edge',\)"),
        ({"exclude": ["edges"]}, "Did you mean 'edge'"),
        ({"n_jobs": 0}, "n_jobs: expected a whole number of at least 1"),
        ({"write_labels": True}, "False without a folder `out`"),
    ],
)
def test_bad_arguments(two, given, message):
    fields, detector = two
    with pytest.raises(InvalidParameterError, match=message):
        detect(fields, **{"detector": detector, **given})


def test_no_field_at_all(two):
    with pytest.raises(DatasetError, match="there are none to analyse"):
        detect([], two[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"micronuclei": np.zeros((5, 5), np.int32)},
            r"micronuclei: expected the shape \(200, 300\)",
        ),
        ({"nuclei": np.zeros((200, 300))}, "nuclei: expected a label image"),
        ({"nuclei": np.full((200, 300), -1)}, "labels from 0"),
        (
            {"micronuclei": np.pad([[3]], ((0, 199), (0, 299))), "probability": np.ones(3)},
            "the labels 1 to 1 for 1 micronuclei",
        ),
        ({"probability": np.ones(2)}, "one probability for each of 1 micronuclei"),
        ({"probability": np.array([1.5])}, "values from 0 to 1"),
        ({"probability": np.array([np.nan])}, "values from 0 to 1"),
    ],
)
def test_what_is_no_detection(two, change, message):
    found = two[1].answers["1"]
    given = {
        key: getattr(found, key) for key in ("nuclei", "micronuclei", "probability", "diameter")
    }
    with pytest.raises(InvalidParameterError, match=message):
        Detection(**{**given, **change})


def test_remarks_of_the_detector_are_in_the_table():
    cells = detect(*plate(drawn([(60, 60, 15)], remarks=("blurred", "dim"))))
    assert cells.fields["remarks"].tolist() == ["blurred; dim"]
    assert isinstance(cells, Cells)


class Counting:
    """Fields that count how many of them are in use."""

    def __init__(self) -> None:
        self.alive = self.most = 0
        self.lock = threading.Lock()

    def image(self) -> np.ndarray:
        image = GOOD[0].copy()
        with self.lock:
            self.alive += 1
            self.most = max(self.most, self.alive)
        weakref.finalize(image, self.gone)
        return image

    def gone(self) -> None:
        with self.lock:
            self.alive -= 1


@pytest.mark.parametrize(("n_jobs", "most"), [(1, 2), (2, 6)])
def test_few_fields_are_in_memory_whatever_their_number(monkeypatch, n_jobs, most):
    counting = Counting()
    names = [str(i) for i in range(30)]
    fields = FieldSet.from_arrays([GOOD[0]] * 30, names)
    monkeypatch.setattr(Field, "read", lambda field: counting.image())
    detector = Knowing(dict.fromkeys(names, GOOD[1]))
    assert len(detect(fields, detector, n_jobs=n_jobs)) == 30
    assert 1 <= counting.most <= most


def test_the_detector_that_comes_with_nucrec_is_the_default(tmp_path):
    discs = [(50 * i + 40, 55 * j + 40, 14) for i in range(4) for j in range(5)]
    image, _ = drawn(discs, [(40, 60, 3)], shape=(240, 300))
    noise = np.random.default_rng(1).normal(0, 2, image.shape)
    smooth = (ndimage.gaussian_filter(image.astype(float), 1) + noise).clip(0).astype(np.uint8)
    fields = FieldSet.from_arrays([smooth])
    cells = detect(fields, out=tmp_path)
    assert cells == detect(fields, FieldDetector.pretrained())
    assert len(cells) == len(discs)
    record = json.loads((tmp_path / "detect.json").read_text())
    assert record["detector"] == FieldDetector.pretrained().fingerprint
