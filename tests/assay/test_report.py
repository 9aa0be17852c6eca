"""What a report of several compounds and plates says."""

import csv

import pytest
from tests.assay.plates import counts
from tests.html_reader import read

from nucrec.assay import DoseResponseDisplay, HistoricalControls, save_report, summarize
from nucrec.errors import DatasetNotFoundError, DataWarning, InvalidParameterError

RATES = [4.1, 5.0, 6.2, 3.9, 5.5, 4.8, 5.1, 6.0, 4.4, 5.7]


def plate() -> dict[str, list]:
    """Two compounds of three doses, a positive control of one, and the control, on two plates."""
    design = [("DMSO", 0, [9, 12, 8, 10]), ("positive", 1, [60, 70, 66, 71])]
    design += [("weak", dose, [11, 9, 10, 8]) for dose in (1, 2, 4)]
    design += [("strong", dose, [20 * dose + k for k in (1, 5, 3, 8)]) for dose in (1, 2, 4)]
    table = counts({i: wells for i, (_, _, wells) in enumerate(design)})
    table["condition"] = [name for name, _, wells in design for _ in wells]
    table["dose"] = [dose for _, dose, wells in design for _ in wells]
    table["plate"] = [f"plate {i % 2 + 1}" for i in range(len(table["dose"]))]
    return table


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    steps = []
    saved = save_report(
        summarize(plate(), control="DMSO"),
        out,
        historical={"rate": RATES},
        title="Study 7 <draft>",
        progress=lambda *step: steps.append(step),
    )
    return saved, steps


def test_each_compound_is_decided_for_itself(made):
    saved, steps = made
    assay = summarize(plate(), control="DMSO")
    assert [each.compound for each in saved.decisions] == ["weak", "strong"]
    for each in saved.decisions:
        assert each == assay.decision({"rate": RATES}, compound=each.compound)
    rows = {row["condition"]: row for row in saved.tables["against-control"]}
    assert set(rows) == {f"{c} {d}" for c in ("weak", "strong") for d in (1, 2, 4)} | {"positive"}
    alone = {
        name: [
            v for v, c in zip(values, plate()["condition"], strict=True) if c in ("DMSO", "strong")
        ]
        for name, values in plate().items()
    }
    for contrast in summarize(alone, control="DMSO").versus_control():
        row = rows[f"strong {contrast.condition.split()[-1]}"]
        assert row["p_units_adjusted"] == contrast.by_unit.p_adjusted
        assert row["p_pooled_adjusted"] == contrast.pooled.p_adjusted
    assert [step[:2] for step in steps] == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_page_of_several_compounds(made):
    saved, _ = made
    page = read((saved.folder / "report.html").read_text(encoding="utf-8"))
    assert "Study 7 <draft>" in page.words
    assert "strong clearly positive" in page.words
    assert "without a decision, because there is only one dose: positive." in page.words
    assert len(page.all("img")) == 3 + 2  # two compounds and the others; two plates
    assert "Historical controls: 10 experiments" in page.words


def test_what_is_kept_is_what_is_written(made):
    saved, _ = made
    assert saved.files[0] == "report.html"
    assert sorted(path.name for path in saved.folder.iterdir()) == sorted(saved.files)
    for name, rows in saved.tables.items():
        with (saved.folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            written = list(csv.DictReader(file))
        assert len(written) == len(rows)
        assert all(set(row) == set(rows[0]) for row in written)
    assert saved.to_dict()["decisions"][1]["verdict"] == "clearly positive"
    assert "strong: clearly positive" in str(saved)


def test_the_doses_of_one_compound_name_the_places():
    table = plate()
    keep = [c in ("DMSO", "strong") for c in table["condition"]]
    part = {k: [v for v, kept in zip(col, keep, strict=True) if kept] for k, col in table.items()}
    part["Dose (uM)"] = part.pop("dose")
    controls = HistoricalControls.from_table({"rate": RATES})
    assay = summarize(part, control="DMSO")
    display = DoseResponseDisplay.from_assay(assay, historical=controls).plot()
    assert display.x_label == "strong (uM)"
    assert [label.get_text() for label in display.ax_.get_xticklabels()] == ["DMSO", "1", "2", "4"]
    (band,) = display.ax_.patches
    assert band.get_y() == pytest.approx(controls.low)
    assert band.get_y() + band.get_height() == pytest.approx(controls.high)
    names = [label.get_text() for label in display.ax_.get_legend().get_texts()]
    assert names == ["historical controls, 95%", "rate, with its 95% interval", "one well"]


def test_historical_controls_once_read_are_taken_as_they_are():
    assay = summarize(plate(), control="DMSO")
    controls = HistoricalControls.from_table({"rate": RATES})
    decisions = [assay.decision(each, compound="weak") for each in (controls, {"rate": RATES})]
    assert decisions[0] == decisions[1]


def test_an_interrupted_report_says_that_its_page_is_missing(tmp_path):
    def stop(done: int, total: int, what: str) -> None:
        if what == "tables":
            raise KeyboardInterrupt

    with pytest.raises(
        KeyboardInterrupt, match=r"before .*report.html was written .an existing page"
    ):
        save_report(summarize(plate(), control="DMSO"), tmp_path, progress=stop)
    assert (tmp_path / "conditions.csv").is_file()
    assert not (tmp_path / "report.html").exists()


def test_wells_without_places_leave_out_the_map(tmp_path):
    table = {
        "well": ["dish 1", "dish 2"],
        "dose": [0, 1],
        "scored": [100] * 2,
        "micronucleated": [1, 2],
    }
    with pytest.warns(DataWarning, match="Left out: plate.png"):
        saved = save_report(summarize(table), tmp_path)
    assert "plate.png" not in saved.files
    assert (tmp_path / "dose-response.png").exists()
    assert len(saved.left_out) == 1


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"alpha": 0.7}, InvalidParameterError, "alpha"),
        ({"random_state": -1}, InvalidParameterError, "random_state"),
        ({"inputs": ["none.csv"]}, DatasetNotFoundError, "none.csv"),
        ({"inputs": [3]}, InvalidParameterError, "inputs"),
    ],
)
def test_bad_options(tmp_path, options, error, told):
    with pytest.raises(error, match=told):
        save_report(summarize(plate(), control="DMSO"), tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_only_an_assay_is_reported(tmp_path):
    with pytest.raises(InvalidParameterError, match="assay: expected the result of"):
        save_report({"well": ["a"]}, tmp_path)
