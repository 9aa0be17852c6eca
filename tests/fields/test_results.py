"""What is written of a detection: tables, pictures, and the page."""

import base64
import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import binomtest
from tests.html_reader import HOSTILE, read

from nucrec.errors import DataWarning, InvalidParameterError, NucrecError
from nucrec.evaluate import proportion_interval
from nucrec.fields import Cells, Detection, Field, FieldSet, detect, save_results

SIDE = 160
ORANGE, BLUE, PURPLE = (230, 159, 0), (86, 180, 233), (204, 121, 167)


def discs(places: list[tuple[int, int]], radius: int) -> np.ndarray:
    """Return a label image of discs."""
    y, x = np.mgrid[:SIDE, :SIDE]
    labels = np.zeros((SIDE, SIDE), np.int32)
    for label, (row, column) in enumerate(places, 1):
        labels[np.hypot(y - row, x - column) <= radius] = label
    return labels


NUCLEI = discs([(40, 40), (40, 110), (110, 40), (110, 110), (5, 75)], 14)  # the last at the edge
SPOTS = [(40, 58), (40, 128), (110, 58)]


class Known:
    """Finds the first n micronuclei in a field that is called so; counts how often it was asked."""

    def __init__(self, numbers: dict[str, int]) -> None:
        self.numbers = numbers
        self.asked: list[str] = []

    def predict(self, field, *, pixel_size=None, nuclei=None):
        self.asked.append(field.name)
        n = self.numbers[field.name]
        probability = np.linspace(0.9, 0.6, n)
        remarks = ("out of focus",) if n == 3 else ()
        return Detection(NUCLEI, discs(SPOTS[:n], 3), probability, 28.0, remarks)


def picture(n: int) -> np.ndarray:
    values = 100 + 800 * (NUCLEI > 0) + 600 * (discs(SPOTS[:n], 3) > 0)
    return (values + np.random.default_rng(n).integers(0, 30, values.shape)).astype(np.uint16)


def make(names: list[str], wells: list[str | None], numbers: list[int]) -> FieldSet:
    """Return fields with as many micronuclei, each at a nucleus of its own."""
    arrays = FieldSet.from_arrays([picture(n) for n in numbers], names=names)
    return FieldSet(
        [
            Field(
                name=field.name,
                file=f"{field.name}.tif",
                well=well,
                condition="DMSO",
                _pixels=field._pixels,
            )
            for field, well in zip(arrays, wells, strict=True)
        ]
    )


NAMES = ["a1", "a2", "b1", "b2", "c"]
WELLS = ["B2", "B2", "B10", "B10", "C3"]
NUMBERS = [0, 1, 2, 3, 0]


@pytest.fixture(scope="module")
def plate(tmp_path_factory) -> tuple[Path, object, Cells, Known]:
    out = tmp_path_factory.mktemp("plate") / "results"
    fields, detector = make(NAMES, WELLS, NUMBERS), Known(dict(zip(NAMES, NUMBERS, strict=True)))
    cells = detect(fields, detector, out=out, write_labels=True)
    saved = save_results(
        cells, fields, out, detector=detector, title="Plate <7>", n_cells=4, labels=False
    )
    return out, saved, cells, detector


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_summary_has_the_rate_of_each_well(plate):
    rows = rows_of(plate[0] / "summary.csv")
    assert [row["well"] for row in rows] == ["B2", "B10", "C3"]
    expected = {"B2": (1, 8), "B10": (5, 8), "C3": (0, 4)}  # the nucleus at the edge is not scored
    for row in rows:
        positive, scored = expected[row["well"]]
        assert (row["cells_scored"], row["cells_excluded"]) == (str(scored), str(scored // 4))
        assert float(row["per_1000"]) == pytest.approx(1000 * positive / scored)
        interval = binomtest(positive, scored).proportion_ci(method="wilson")
        found = float(row["low"]) / 1000, float(row["high"]) / 1000
        assert found == pytest.approx((interval.low, interval.high), abs=1e-9)
        assert row["condition"] == "DMSO"


def test_wells_are_groups_in_the_rate_of_all(plate):
    total = plate[1].rates.total
    low, high = proportion_interval([1, 5, 0], [8, 8, 4])
    assert (total.per_1000.low, total.per_1000.high) == pytest.approx((1000 * low, 1000 * high))
    assert (total.scored, total.excluded, total.positive, total.micronuclei) == (20, 5, 6, 6)


def test_tables_are_those_of_the_cells(plate):
    assert Cells.from_csv(plate[0]) == plate[2]


def test_label_images_are_used_and_then_deleted(plate, tmp_path):
    out, _, _, detector = plate
    assert detector.asked == NAMES  # once each
    assert not (out / "labels").exists()


def test_without_label_images_the_detector_is_asked_again(tmp_path):
    fields, detector = make(["a"], [None], [2]), Known({"a": 2})
    cells = detect(fields, detector)
    with pytest.raises(NucrecError, match="no label images of a. Pass the detector"):
        save_results(cells, fields, tmp_path / "none")
    saved = save_results(cells, fields, tmp_path / "out", detector=detector)
    assert detector.asked == ["a", "a"]
    assert np.array_equal(
        np.asarray(Image.open(tmp_path / "out" / "labels" / "nuclei" / "a.tif")), NUCLEI
    )
    assert "labels" in saved.files
    assert all((tmp_path / "out" / name).exists() for name in saved.files)


def test_pictures_of_another_plate_in_the_folder_are_warned_of(tmp_path):
    for name in ("a", "b"):
        fields, detector = make([name], [None], [2]), Known({name: 2})
        cells = detect(fields, detector)
        if name == "b":
            with pytest.warns(DataWarning, match="pictures of 1 fields .* such as a.png"):
                save_results(cells, fields, tmp_path, detector=detector)
        else:
            save_results(cells, fields, tmp_path, detector=detector)
    assert Cells.from_csv(tmp_path).fields["field"].tolist() == ["b"]


def colours(path: Path) -> set[tuple[int, int, int]]:
    return set(map(tuple, np.asarray(Image.open(path).convert("RGB")).reshape(-1, 3).tolist()))


def test_there_is_a_picture_of_each_field_with_its_outlines(plate):
    out = plate[0]
    assert sorted(path.name for path in (out / "overlays").iterdir()) == [f"{n}.png" for n in NAMES]
    for name, n in zip(NAMES, NUMBERS, strict=True):
        pixels = np.asarray(Image.open(out / "overlays" / f"{name}.png"))[: 3 * SIDE]
        assert pixels.shape[1] == 3 * SIDE  # small fields are enlarged
        at = {
            colour: (pixels == colour).all(axis=2).any(axis=(0, 1))
            for colour in (ORANGE, BLUE, PURPLE)
        }
        assert at == {ORANGE: n > 0, BLUE: True, PURPLE: True}


def test_the_page_shows_rates_cells_fields_and_quality(plate):
    page = read((plate[0] / "report.html").read_text(encoding="utf-8"))
    for words in (
        "Plate <7>",
        "micronucleated cells per 1000",
        "4 of 6, the least certain first",
        "2 cells in which none was found",
        "edge: touches the edge of the field",
        "out of focus",
        "nucrec",
    ):
        assert words in page.words
    alts = [image["alt"] for image in page.all("img")]
    assert alts[:2] == [
        "Rate of each well with its interval, as in the table",
        "Plate map of the rates, as in the table",
    ]
    assert len(alts) == 2 + 2 * 4 + 2 * 2 + 5


def test_the_least_certain_cells_come_first(plate):
    page = read((plate[0] / "report.html").read_text(encoding="utf-8"))
    found = [float(p) for p in re.findall(r"probability (\d\.\d\d)", page.words)]
    assert found == [0.6, 0.6, 0.75, 0.9]


def svg_of(page: str, number: int) -> str:
    found = re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", page)
    return base64.b64decode(found[number]).decode()


def test_charts_say_the_numbers_of_the_table(plate):
    page = (plate[0] / "report.html").read_text(encoding="utf-8")
    chart, plate_map = svg_of(page, 0), svg_of(page, 1)
    for rate in plate[1].rates.units:
        metric = rate.per_1000
        assert f"{metric.value:.1f} ({metric.low:.1f} to {metric.high:.1f})" in chart
    assert re.findall(
        r'text-anchor="middle" font-size="12" fill="#(?:fff|000)">(\S+?)<', plate_map
    ) == [
        "125",
        "625",
        "0.0",
    ]
    assert len(re.findall(r'rx="5"', plate_map)) == 96


def test_numbers_are_printed_and_plain(plate):
    saved = plate[1]
    assert "B10" in str(saved)
    assert "125.0" in str(saved)
    data = json.loads(json.dumps(saved.to_dict()))
    assert data["unit"] == "well"
    assert [unit["micronucleated"] for unit in data["units"]] == [1, 5, 0]
    assert data["total"]["per_1000"] == pytest.approx(300)


def test_without_wells_there_is_a_rate_for_each_field(tmp_path):
    names = ["s10", "s9", HOSTILE]
    fields, detector = (
        make(names, [None, None, None], [1, 1, 0]),
        Known(dict(zip(names, (1, 1, 0), strict=True))),
    )
    fields = FieldSet(fields, quarantined=[("broken.tif", "it is <i>cut</i> short")])
    saved = save_results(detect(fields, detector), fields, tmp_path, detector=detector)
    assert {rate.name for rate in saved.rates.units} == set(names)
    assert [row["field"] for row in rows_of(tmp_path / "summary.csv")][-2:] == ["s9", "s10"]
    page = read((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert HOSTILE in page.words
    assert "it is <i>cut</i> short" in page.words
    assert len(list((tmp_path / "overlays").iterdir())) == 3


def test_fields_that_failed_are_told_and_the_others_shown(tmp_path):
    fields, detector = make(["a", "b"], [None, None], [1, 1]), Known({"a": 1})
    fields = [fields[0], *FieldSet.from_arrays([np.zeros((SIDE, SIDE), np.uint8)], names=["b"])]
    with pytest.warns(UserWarning, match="b: all pixels have one value"):
        cells = detect(fields, detector)
    saved = save_results(cells, fields, tmp_path, detector=detector)
    assert list(saved.failed) == ["b"]
    assert "all pixels have one value" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert [path.name for path in (tmp_path / "overlays").iterdir()] == ["a.png"]


@pytest.mark.slow
def test_the_page_of_a_plate_of_many_fields_is_bounded(tmp_path):
    names = [f"f{i}" for i in range(120)]
    fields = make(names, [f"{'ABCDEFGH'[i % 8]}{i // 8 + 1}" for i in range(120)], [1] * 120)
    detector = Known(dict.fromkeys(names, 1))
    save_results(detect(fields, detector), fields, tmp_path, detector=detector)
    page = tmp_path / "report.html"
    reader = read(page.read_text(encoding="utf-8"))
    assert (
        len(reader.all("img")) == 1 + 2 * 48 + 2 * 24 + 16
    )  # a map of the plate, and no long chart
    assert "16 of 120 fields" in reader.words
    assert page.stat().st_size < 4_000_000


def test_nothing_is_left_half_written_when_interrupted(tmp_path):
    class Interrupted(Known):
        def predict(self, field, **options):
            if len(self.asked) == 3:
                raise KeyboardInterrupt
            return super().predict(field, **options)

    names = ["a", "b", "c"]
    fields = make(names, [None] * 3, [1] * 3)
    cells = detect(fields, Known(dict.fromkeys(names, 1)))
    detector = Interrupted(dict.fromkeys(names, 1))
    detector.asked.append("before")
    with pytest.raises(KeyboardInterrupt):
        save_results(cells, fields, tmp_path, detector=detector, n_jobs=1)
    assert not (tmp_path / "report.html").exists()
    written = sorted(path.name for path in (tmp_path / "overlays").iterdir())
    assert written == ["a.png", "b.png"]
    for path in (tmp_path / "overlays").iterdir():
        Image.open(path).load()


@pytest.mark.parametrize(
    "options", [{"confidence": 1}, {"n_cells": -1}, {"n_fields": 1000}, {"n_jobs": 0}]
)
def test_parameters_are_checked(options, tmp_path):
    with pytest.raises(InvalidParameterError, match=next(iter(options))):
        save_results(Cells.concatenate([]), [], tmp_path, **options)
