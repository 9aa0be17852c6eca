"""What notebooks show of results: pictures of the right pixels, short tables, names as text."""

import dataclasses
import importlib
import inspect
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from tests.fragments import shown
from tests.html_reader import HOSTILE

from nucrec import assay, audit, datasets, evaluate, fields, models, paper
from nucrec.errors import ImageError

ROOMS = ("datasets", "augment", "audit", "models", "evaluate", "fields", "assay", "paper")
IN_A_LINE = {
    "augment": "an operation and a pipeline are what they are called, with their parameters",
    "Quarantined": "a name and a reason",
    "DuplicatePair": "two names, a kind and two numbers",
    "FoldResults": "the base class of results that show themselves",
    "Detector": "a protocol: what is passed is shown as its own class shows it",
}


def public_classes():
    for room in ROOMS:
        module = importlib.import_module(f"nucrec.{room}")
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isclass(thing):
                yield room, name, thing


def test_every_public_class_shows_itself_or_has_a_reason():
    silent = {
        room if room == "augment" else name
        for room, name, thing in public_classes()
        if not hasattr(thing, "_repr_html_") and not hasattr(thing, "_repr_png_")
    }
    assert silent == set(IN_A_LINE)


@pytest.fixture(scope="module")
def named(crops):
    """A few crops, one of them with a name that would be HTML."""
    few = crops[[0, 1, 2, -1, -2, -3]]
    return datasets.ImageDataset(
        list(few.images),
        [0, 0, 0, 1, 1, 1],
        ids=[HOSTILE, *"bcdef"],
        groups=["1", "1", "2", "3", "3", "3"],
        quarantined=[(HOSTILE, "it is <b>empty</b>")],
    )


def test_a_data_set_shows_counts_and_images_of_each_class(named):
    found = shown(named)
    assert found.rows[:3] == [
        ["class", "images", "groups"],
        ["nucleus", "3", "2"],
        ["micronucleus", "3", "1"],
    ]
    assert found.alts == [HOSTILE, *"bcdef"]
    assert found.rows[-1] == [HOSTILE, "it is <b>empty</b>"]
    for image, picture in zip(named.images, found.pictures, strict=True):
        np.testing.assert_array_equal(picture, image)


def test_a_large_data_set_shows_few_images_spread_over_each_class(crops):
    found = shown(crops)
    assert len(found.alts) == 16
    places = [int(np.flatnonzero(crops.ids == name)[0]) for name in found.alts]
    assert crops.labels[places].tolist() == [0] * 8 + [1] * 8
    micronuclei = np.flatnonzero(crops.labels == 1)
    assert {micronuclei[0], micronuclei[-1]} <= set(places)


def test_many_classes_of_large_noisy_colour_images_stay_bounded():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 150, 150, 3), np.uint8)
    names = [f"class {k}" for k in range(40)]
    ids = [f"{k} {'&' * 5000}" for k in range(40)]
    found = shown(datasets.ImageDataset(images, range(40), names, ids=ids))
    assert len(found.pictures) == 24
    assert {picture.shape[2] for picture in found.pictures} == {3}


def test_deep_images_are_scaled_by_percentiles():
    deep = np.linspace(100, 4000, 32 * 32).reshape(1, 32, 32).astype(np.uint16)
    (picture,) = shown(datasets.ImageDataset(deep, [0], ["cell"])).pictures
    np.testing.assert_array_equal(picture, datasets.rescale_intensity(deep[0]))


class Gone:
    """An image whose file was deleted."""

    shape, dtype = (30, 40), np.dtype(np.uint8)

    def read(self):
        raise ImageError("gone.png is not there any more")


def test_files_that_are_gone_leave_a_grey_picture(tmp_path):
    dataset = datasets.ImageDataset(datasets.LazyImages([Gone()]), [0])
    Image.fromarray(np.full((300, 300), 5, np.uint8)).save(tmp_path / "field.tif")
    field_set = fields.load_fields(tmp_path)
    (tmp_path / "field.tif").unlink()
    for result in (dataset, dataset.images, field_set):
        assert np.unique(shown(result).pictures[0]).tolist() == [128]


def test_images_alone_and_files_alone_show_themselves(named, tmp_path):
    np.testing.assert_array_equal(shown(named.images[:1]).pictures[0], named.images[0])
    Path(tmp_path, "cell <b>.png").touch()
    assert ["cell <b>.png", ""] in shown(datasets.ImageFiles(tmp_path)).rows


def test_shortcuts_and_leaks_are_short_tables(crops):
    shortcuts = datasets.find_shortcuts(crops)
    assert shown(shortcuts).rows[1][0] == shortcuts[0].name
    leaks = datasets.find_leaks(crops[:100], crops[90:100])
    assert shown(leaks).rows[-1] == ["same pixels", "10 of 10"]


@pytest.fixture(scope="module")
def twins(crops):
    """Two pairs of equal images: one within a class, one across classes."""
    images = [*crops.images[:3], crops.images[0], crops.images[1]]
    return datasets.ImageDataset(images, [0, 0, 0, 0, 1], ids=[*"abc", HOSTILE, "across"])


def test_pairs_across_classes_come_first_with_the_pixels_of_both(twins):
    pairs = audit.duplicates(twins)
    found = shown(pairs)
    assert found.alts[::2] == ["b | across", f"a | {HOSTILE}"]
    assert "exact 1.000; nucleus and micronucleus" in found.words
    for picture, k in zip(found.pictures, [1, 4, 0, 3], strict=True):
        np.testing.assert_array_equal(picture, twins.images[k])
    assert shown(pairs[1:]).alts == [f"a | {HOSTILE}"] * 2


def test_pairs_from_elsewhere_are_a_table(twins):
    pairs = pickle.loads(pickle.dumps(audit.duplicates(twins)))
    assert shown(pairs).pictures == []
    assert shown(pairs).rows[2][:5] == ["a", HOSTILE, "exact", "1.000", "1.00"]


def test_leakage_shows_shares_and_twins(twins):
    leaks = audit.leakage(twins[:3], twins[3:])
    found = shown(leaks)
    assert found.rows[1] == ["a twin in training", "2", "1.00"]
    assert found.alts[0] == "b | across"
    np.testing.assert_array_equal(found.pictures[0], twins.images[1])
    assert "no leak" in shown(audit.leakage(twins[:1], twins[2:3])).words


def test_a_heat_map_stands_beside_its_image(crops):
    heat = np.linspace(0, 1, crops.images[0].size).reshape(crops.images[0].shape)
    lazy, ids = crops.images[:1], np.array([HOSTILE])
    found = models.Explanation([heat], ("micronucleus",), np.ones((1, 2)), lazy, ids)
    original, overlay = shown(found).pictures
    np.testing.assert_array_equal(original, crops.images[0])
    np.testing.assert_array_equal(overlay, found.overlay(0))
    assert shown(found).alts == [HOSTILE] * 2


class Bright:
    """Takes what is bright for nuclei, and small parts of it for micronuclei."""

    def predict(self, field, *, pixel_size=None, nuclei=None):
        parts, _ = ndimage.label(field.read() > 100)
        is_small = np.bincount(parts.ravel()) < 200
        large = ndimage.label((parts > 0) & ~is_small[parts])[0]
        small, n = ndimage.label((parts > 0) & is_small[parts])
        return fields.Detection(large, small, np.full(n, 0.75), 20.0)


@pytest.fixture(scope="module")
def field_set():
    image = np.full((120, 160), 10, np.uint8)
    image[40:60, 40:60], image[48:53, 66:71], image[70:90, 110:130] = 200, 180, 190
    return fields.FieldSet.from_arrays([image], [HOSTILE])


@pytest.fixture(scope="module")
def cells(field_set):
    return fields.detect(field_set, Bright(), exclude=())


def test_cells_show_those_with_and_without_a_micronucleus(cells):
    found = shown(cells)
    names = [f"{HOSTILE}, cell 1"] * 2 + [f"{HOSTILE}, cell 2"]
    assert found.alts == names
    plain, ringed, other = found.pictures
    changed = (ringed != plain[..., np.newaxis]).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert set(map(tuple, ringed[changed].tolist())) == {(240, 228, 66)}
    # the micronucleus is 19 pixels to the right of the centre of its nucleus, and as high
    bright = np.argwhere(plain == plain.max()).mean(axis=0)
    assert rows.mean() - bright[0] == pytest.approx(0.5, abs=1)
    assert columns.mean() - bright[1] == pytest.approx(18.5, abs=1.5)
    assert len(np.unique(other)) == 2


def test_cells_without_their_fields_are_a_table(cells, tmp_path):
    assert len(shown(cells.of_field(HOSTILE)).pictures) == 3
    cells.to_csv(tmp_path)
    for same in (fields.Cells.from_csv(tmp_path), pickle.loads(pickle.dumps(cells))):
        assert same == cells
        found = shown(same)
        assert found.pictures == []
        assert ["cells scored", "2"] in found.rows


def test_fields_show_their_pixels_stretched(field_set):
    (picture,) = shown(field_set).pictures
    assert picture.shape == (120, 160)
    assert (picture[10, 10], picture[50, 50]) == (0, 255)
    found = shown(field_set[0])
    assert found.rows[0] == ["size", "160 x 120 pixels"]
    assert found.alts == [HOSTILE]


def test_a_detection_shows_its_outlines(field_set):
    found = shown(Bright().predict(field_set[0]))
    (picture,) = found.pictures
    assert picture.shape == (120, 160, 3)
    assert picture[40, 50].tolist() == [86, 180, 233]  # the upper edge of a nucleus
    assert ["nuclei", "2"] in found.rows


def test_annotated_fields_show_their_annotation():
    annotated = fields.sample_fields().select([0])
    found = shown(annotated)
    assert len(found.pictures) == 1
    assert found.pictures[0].shape[2] == 3
    assert found.alts == [annotated.fields[0].name]


def test_a_detector_says_what_it_is_of():
    found = shown(fields.FieldDetector.pretrained().card_)
    assert {"Data", "Licence", "For", "Not for"} <= {row[0] for row in found.rows}


def test_rates_of_many_fields_are_cut_off_with_their_number():
    metric = evaluate.Metric(1.0, 0.5, 2.0, "Wilson")
    units = [
        fields.Rate(f"{HOSTILE}{k}", ("",) * 3, 1, 9, 0, 1, 1, metric, metric) for k in range(2000)
    ]
    found = shown(fields.Rates("field", tuple(units), units[0], 0.95))
    assert found.rows[1][0] == f"{HOSTILE}0"
    assert f"and {2001 - (len(found.rows) - 1)} more" in found.words


@pytest.fixture(scope="module")
def model(crops):
    return models.cnn(image_size=16, epochs=2, random_state=0).fit(crops[::6])


def test_a_model_file_is_told_in_short(model, crops, tmp_path):
    model.calibrate(crops[1::6])
    model.save(tmp_path / "cnn.keras")
    info = models.model_info(tmp_path / "cnn.keras")
    assert len(repr(info)) < 200
    rows = dict(row for row in shown(info).rows if len(row) == 2)
    assert rows["classes"] == "nucleus, micronucleus"
    assert rows["calibrated with"] == f"{len(crops[1::6])} images"
    assert rows["training"].startswith("2 epochs; at the end ")
    assert len(shown(info).words) < 4000


def test_an_evaluation_shows_what_was_misclassified(model, crops):
    few = crops[2::12]
    found = models.Evaluation.of(model, few)
    assert len(found.wrong) > 0
    seen = shown(found)
    assert seen.alts == few.ids[found.wrong][:12].tolist()
    np.testing.assert_array_equal(seen.pictures[0], few.images[int(found.wrong[0])])
    assert ["metric", "value", "interval", "method"] in seen.rows
    assert len(repr(found)) < 100


def test_predictions_of_a_folder_are_a_short_table(model, crops, tmp_path):
    Image.fromarray(crops.images[0]).save(tmp_path / "a.png")
    (tmp_path / "empty <b>.png").touch()
    with pytest.warns(match="1 of 2 files"):
        found = models.predict_folder(model, tmp_path)
    assert len(repr(found)) < 1000
    assert shown(found).rows[0][:3] == ["folder", "images", "micronucleus"]
    assert shown(found).rows[-1][0] == "empty <b>.png"
    for part in (found.total, *found.rows):
        assert dict(shown(part).rows)


def test_zoos_show_their_table_and_rows_their_report(crops):
    zoo = {HOSTILE: models.classical_zoo(random_state=0)["GNB"]}
    found = models.cross_validate(zoo, crops[::3], n_splits=2, random_state=0)
    result = found.folds[0]
    for whole in (found, result):
        assert shown(whole).rows[1][0] == HOSTILE
    for row in (found[0], result[0]):
        assert HOSTILE in shown(row).words
        assert ["true <b>", "1"] not in shown(row).rows
        assert "accuracy" in shown(row).words
    predictions = found.predictions(HOSTILE)
    assert predictions.report().mcc.method in shown(predictions).words
    assert len(repr(predictions)) < 100


def test_reports_comparisons_and_rankings_are_tables():
    y, good, poor = [0, 1] * 10, [0, 1] * 9 + [1, 0], [0, 1] * 6 + [1, 0] * 4
    names = ["<i>a</i>", "b"]
    report = shown(evaluate.report(y, good, class_names=names))
    assert ["<i>a</i>", "9", "1"] in report.rows
    comparison = evaluate.compare(y, good, poor)
    assert shown(comparison).rows[1][0] == "accuracy"
    ranking = evaluate.compare_many(y, {HOSTILE: good, "poor": poor}, n_resamples=50)
    assert shown(ranking).rows[1][0] == HOSTILE
    assert ranking.verdict in shown(ranking).words
    consistency = evaluate.consistency({"accuracy": 0.75}, 8)
    assert ["6", "2", "0", "0"] in shown(consistency).rows
    assert "and 11 more" in shown(consistency).words


def test_the_assay_and_its_parts_are_tables():
    doses = [dose for dose in (0, 1, 2, 4) for _ in range(3)]
    counts = [9, 12, 8, 14, 18, 13, 24, 30, 27, 40, 38, 45]
    table = {"well": list("abcdefghijkl"), "dose": doses, "scored": [2000] * 12}
    found = assay.summarize(table | {"micronucleated": counts})
    assert shown(found).rows[0][0] == "condition"
    assert shown(found.decision()).rows[0] == ["criterion", "answer", "reason"]
    assert shown(found.corrected((90, 100), (999, 1000))).rows[0][0] == "condition"
    assert shown(assay.plan(6, 12, wells=[4])).rows[1][0] == "4"
    versus = found.versus_control()
    assert [row[0] for row in shown(versus).rows] == ["condition", *(c.condition for c in versus)]
    assert versus == tuple(versus)
    assert shown(found.cytotoxicity()).words == "none"
    parts = [found.trend(), versus[0], found.conditions[0], found.units[0]]
    for part in parts:
        rows = dict(shown(part).rows)
        assert set(rows) == {
            field.name.replace("_", " ")
            for field in dataclasses.fields(part)
            if field.name[0] != "_"
        }


def test_tables_of_the_paper_show_their_values():
    published = paper.published_table(1)
    found = shown(published)
    assert found.rows[0] == ["ALGO", *published.columns]
    assert [row[0] for row in found.rows[1:]] == list(published.rows)


def test_text_in_facts_is_text():
    summary = models.FolderSummary(HOSTILE, 3, 1, 1 / 3, 0.1, 0.8)
    rows = dict(shown(summary).rows)
    assert rows["folder"] == HOSTILE
    assert (rows["share"], rows["corrected"]) == ("0.3333", "none")
