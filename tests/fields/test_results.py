"""What is written of a detection: tables, pictures, and the page."""

import base64
import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import stats
from tests.html_reader import HOSTILE, read

from nucrec.assay import summarize
from nucrec.errors import DataWarning, InvalidParameterError, NucrecError
from nucrec.fields import Cells, Detection, Field, FieldSet, detect, save_results

SIDE = 160
ORANGE, BLUE, PINK = (230, 159, 0), (86, 180, 233), (204, 121, 167)


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
        interval = stats.binomtest(positive, scored).proportion_ci(method="wilson")
        found = float(row["low"]) / 1000, float(row["high"]) / 1000
        assert found == pytest.approx((interval.low, interval.high), abs=1e-9)
        assert row["condition"] == "DMSO"


def test_what_differs_between_wells_counts_in_the_rate_of_all(plate):
    total = plate[1].rates.total
    found, cells, share = np.array([1, 5, 0]), np.array([8, 8, 4]), 6 / 20
    chi2 = np.square(found - share * cells).sum() / (20 / 3 * share * (1 - share))
    t = stats.t.ppf(0.975, 2)
    for end in (total.per_1000.low / 1000, total.per_1000.high / 1000):
        assert abs(share - end) == pytest.approx(t * np.sqrt(chi2 / 2 * end * (1 - end) / 20))
    assert (total.scored, total.excluded, total.positive, total.micronuclei) == (20, 5, 6, 6)


def designed(
    numbers: dict[str, int], design: dict[str, tuple], detector: Known
) -> tuple[FieldSet, Cells]:
    """Return fields and their cells, in wells of a design: condition, dose and replicate of each."""
    fields = [
        Field(
            name=field.name,
            file=field.file,
            well=field.name if has_wells else None,
            condition=condition,
            dose=dose,
            replicate=replicate,
            _pixels=field._pixels,
        )
        for field in make(list(numbers), [None] * len(numbers), list(numbers.values()))
        for condition, dose, replicate, has_wells in (design[field.name],)
    ]
    return FieldSet(fields), detect(FieldSet(fields), detector)


DESIGN = {
    **{f"B{i}": (name, 0.0, str(i), True) for i, name in ((2, "DMSO"), (3, "dmso"), (4, "DMSO"))},
    **{f"C{i}": ("MMC", 0.1, str(i), True) for i in (2, 3, 4)},
    **{f"D{i}": ("MMC", 0.05, str(i), True) for i in (2, 3)},
}
FOUND = dict(zip(DESIGN, (0, 1, 0, 2, 3, 2, 1, 2), strict=True))


@pytest.fixture(scope="module")
def conditions(tmp_path_factory) -> tuple[Path, object, Cells]:
    """Three conditions, the last of two wells; one has no condition and a well of its own."""
    out = tmp_path_factory.mktemp("conditions")
    found = FOUND | {"E2": 3}
    detector = Known(found)
    fields, cells = designed(found, DESIGN | {"E2": (None, None, None, True)}, detector)
    return out, save_results(cells, fields, out, detector=detector), cells


def test_rates_of_conditions_are_those_of_the_assay(conditions):
    rates, assay = conditions[1].rates, summarize(conditions[2])
    assert [rate.name for rate in rates.conditions] == ["DMSO", "MMC 0.05", "MMC 0.1"]
    for rate, expected in zip(rates.conditions, assay.conditions, strict=True):
        assert (rate.name, rate.n_units, rate.scored) == (
            expected.name,
            expected.n_units,
            expected.n_scored,
        )
        for mine, theirs in (
            (rate.per_1000, expected.rate),
            (rate.micronuclei_rate, expected.micronuclei_rate),
        ):
            values = (mine.value, mine.low, mine.high)
            assert values == pytest.approx((theirs.value, theirs.low, theirs.high), nan_ok=True)
            assert mine.method.split(":")[0] == theirs.method.split(":")[0]


def test_conditions_are_in_a_file_on_the_page_printed_and_in_json(conditions):
    out, saved, _ = conditions
    rows = rows_of(out / "conditions.csv")
    assert [(row["name"], row["dose"], row["wells"]) for row in rows] == [
        ("DMSO", "0", "3"),
        ("MMC 0.05", "0.05", "2"),
        ("MMC 0.1", "0.1", "3"),
    ]
    assert [float(row["per_1000"]) for row in rows] == pytest.approx([1000 / 12, 375, 7000 / 12])
    assert rows[1]["low"] == rows[1]["micronuclei_high"] == ""  # two wells
    assert "conditions.csv" in saved.files
    data = json.loads(json.dumps(saved.to_dict()))
    assert [each["units"] for each in data["conditions"]] == [3, 2, 3]
    assert data["conditions"][2]["micronuclei_per_1000"] == pytest.approx(7000 / 12)
    assert data["conditions"][2]["micronuclei_low"] < 7000 / 12
    assert re.search(r"MMC 0\.05 +2 +8 +3 +375\.0 +n/a", str(saved))
    page = read((out / "report.html").read_text(encoding="utf-8"))
    assert "Rates by condition" in page.words
    assert "in none of the rows: 5 cells" in page.words
    assert (
        "Names of conditions that look the same are treated as one: 'DMSO' and 'dmso'" in page.words
    )


def test_all_cells_of_several_conditions_have_no_interval(conditions):
    total = conditions[1].rates.total.per_1000
    assert total.value == pytest.approx(1000 * 14 / 36)
    assert np.isnan(total.low)
    assert "several conditions" in total.method


def test_one_well_does_not_tell_how_wells_differ(tmp_path):
    detector = Known({"B2": 1, "C2": 2})
    design = {"B2": ("DMSO", None, None, True), "C2": ("MMC", None, None, True)}
    fields, cells = designed({"B2": 1, "C2": 2}, design, detector)
    saved = save_results(cells, fields, tmp_path, detector=detector)
    assert all(np.isnan(rate.per_1000.low) for rate in saved.rates.conditions)
    assert not any(np.isnan(rate.per_1000.low) for rate in saved.rates.units)


def test_fields_take_the_place_of_unknown_wells_and_that_is_said(tmp_path):
    numbers = {"a": 1, "b": 2, "c": 0}
    detector = Known(numbers)
    design = dict.fromkeys(numbers, ("", 0.5, None, False))
    fields, cells = designed(numbers, design, detector)
    saved = save_results(cells, fields, tmp_path, detector=detector)
    (rate,) = saved.rates.conditions
    assert (rate.name, rate.n_units) == ("0.5", 3)
    assert "Wells are unknown" in str(saved)
    fields, cells = designed(numbers, dict.fromkeys(numbers, (None, None, None, False)), detector)
    saved = save_results(cells, fields, tmp_path, detector=detector)
    assert saved.rates.conditions == ()
    assert not (tmp_path / "conditions.csv").exists()  # that of the call before


def test_the_summary_goes_on_to_the_assay(conditions):
    counts, cells = summarize(conditions[0] / "summary.csv"), summarize(conditions[2])
    for one, other in zip(counts.conditions, cells.conditions, strict=True):
        assert (one.name, one.n_scored, str(one.rate)) == (
            other.name,
            other.n_scored,
            str(other.rate),
        )
        assert one.micronuclei_per_1000 == other.micronuclei_per_1000


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
            with pytest.warns(DataWarning, match="pictures of 1 field not .* such as a.png"):
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
            for colour in (ORANGE, BLUE, PINK)
        }
        assert at == {ORANGE: n > 0, BLUE: True, PINK: True}


def test_the_page_shows_rates_cells_fields_and_quality(plate):
    page = read((plate[0] / "report.html").read_text(encoding="utf-8"))
    for words in (
        "Plate <7>",
        "micronucleated cells per 1000",
        "4 of 6, the most doubtful first",
        "2 cells in which none was found",
        "touches the edge of the field",
        "nothing: the rest of the cell lies outside the field",
        "out of focus",
        "The rates and summary.csv include only the micronuclei in scored cells",
        "nucrec",
    ):
        assert words in page.words
    alts = [image["alt"] for image in page.all("img")]
    assert alts[:3] == [
        "Rate of each condition with its interval, as in the table",
        "Rate of each well with its interval, as in the table",
        "Plate map of the rates, as in the table",
    ]
    assert len(alts) == 3 + 2 * 4 + 2 * 2 + 5


def test_counts_of_cells_add_up_to_all(plate):
    page = (plate[0] / "report.html").read_text(encoding="utf-8")
    cells = page[page.index("What is counted") : page.index("<th>micronuclei</th>")]
    rows = re.findall(r"<td>([^<]+)</td><td>([^<]+)</td><td>([^<]+)</td>", cells)
    assert rows == [
        ("scored", "20", "80%"),
        ("not scored: edge", "5", "20%"),
        ("all", "25", "100%"),
    ]


def test_the_least_certain_cells_come_first(plate):
    page = read((plate[0] / "report.html").read_text(encoding="utf-8"))
    found = [float(p) for p in re.findall(r"probability (\d\.\d\d)", page.words)]
    assert found == [0.6, 0.6, 0.75, 0.9]


def test_among_the_equally_probable_those_with_reasons_for_doubt_come_first(plate, tmp_path):
    _, _, cells, detector = plate
    spots = cells.micronuclei | {"probability": np.full(6, 0.9)}
    spots["humn"], spots["ambiguous"] = (np.array(values) for values in ([True] * 6, [False] * 6))
    spots["ambiguous"][2], spots["humn"][5] = True, False
    spots["diameter_ratio"] = np.array([0.3, 0.2, 0.25, 0.15, 0.28, 0.4])
    positive = cells.cells["n_micronuclei"] > 0
    crowded = cells.cells["crowded"] | False
    crowded[np.flatnonzero(positive)[5]] = True  # the one with the odd size, too
    alike = cells.cells | {"probability": np.where(positive, 0.9, 0.0), "crowded": crowded}
    fields = make(NAMES, WELLS, NUMBERS)
    save_results(Cells(alike, spots, cells.fields), fields, tmp_path, detector=detector, n_fields=0)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    shown = re.findall(
        r"<b>(\w+), cell (\d+)</b>1 micronucleus, probability 0.90;(.*?) ?at \d", page
    )
    keys = zip(spots["field"].tolist(), spots["cell_id"].tolist(), strict=True)
    ratios = dict(zip(keys, spots["diameter_ratio"].tolist(), strict=True))
    assert [(ratios[name, int(label)], words) for name, label, words in shown] == [
        (0.4, " touches other nuclei; larger than 1/3 of its nucleus;"),
        (0.25, " another nucleus is almost as near;"),
        (0.15, ""),
        (0.2, ""),
        (0.28, ""),
        (0.3, ""),
    ]


def svg_of(page: str, number: int) -> str:
    found = re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", page)
    return base64.b64decode(found[number]).decode()


def test_charts_say_the_numbers_of_the_table(plate):
    page = (plate[0] / "report.html").read_text(encoding="utf-8")
    chart, plate_map = svg_of(page, 1), svg_of(page, 2)
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
    with pytest.warns(UserWarning, match="b was not analysed: every pixel is 0"):
        cells = detect(fields, detector)
    saved = save_results(cells, fields, tmp_path, detector=detector)
    assert list(saved.failed) == ["b"]
    assert "every pixel is 0" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert [path.name for path in (tmp_path / "overlays").iterdir()] == ["a.png"]


@pytest.mark.slow
def test_the_page_of_a_plate_of_many_fields_is_bounded(tmp_path):
    names = [f"f{i}" for i in range(120)]
    fields = make(names, [f"{'ABCDEFGH'[i % 8]}{i // 8 + 1}" for i in range(120)], [1] * 120)
    detector = Known(dict.fromkeys(names, 1))
    save_results(detect(fields, detector), fields, tmp_path, detector=detector)
    page = tmp_path / "report.html"
    reader = read(page.read_text(encoding="utf-8"))
    # the chart of conditions and the map of the plate, but no long chart of wells
    assert len(reader.all("img")) == 2 + 2 * 48 + 2 * 24 + 16
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
    with pytest.raises(KeyboardInterrupt, match="after 2 of 3 pictures"):
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


def test_the_page_links_to_a_review_that_is_in_the_folder(tmp_path):
    fields, detector = make(["a"], ["B2"], [1]), Known({"a": 1})
    cells = detect(fields, detector)
    save_results(cells, fields, tmp_path, detector=detector)
    assert "review.html" not in (tmp_path / "report.html").read_text(encoding="utf-8")
    (tmp_path / "review.html").write_text("of an earlier call")
    save_results(cells, fields, tmp_path, detector=detector)
    assert 'href="review.html"' in (tmp_path / "report.html").read_text(encoding="utf-8")
    save_results(cells, fields, tmp_path, detector=detector, links={})
    assert "review.html" not in (tmp_path / "report.html").read_text(encoding="utf-8")
