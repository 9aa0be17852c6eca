"""Tables I and II, from data to files."""

import csv
import io
import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

import nucrec
from nucrec.datasets import ImageDataset, load_mnfinder_crops
from nucrec.errors import DatasetNotFoundError, InvalidParameterError, NucrecError, SplitError
from nucrec.paper import published_table, reproduce

NAMES = list(published_table(1).rows)
ORIGINALS = set(load_mnfinder_crops("paper").ids)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Both tables under both protocols, on the shipped crops."""
    out = tmp_path_factory.mktemp("results")
    return reproduce(tables="1,2", out=out, n_repeats=1, progress=False)


@pytest.mark.slow
def test_files(run):
    assert [path.name for path in run.files] == [
        "table-1.csv", "table-1.md", "table-2.csv", "table-2.md", "card.md", "run.json",
    ]  # fmt: skip
    assert sorted(os.listdir(run.files[0].parent)) == sorted(path.name for path in run.files)


@pytest.mark.slow
def test_the_verdict_sets_claims_beside_what_was_obtained(run):
    assert [(claim.table, claim.what, claim.claimed) for claim in run.claims] == [
        (1, "RF", 0.78), (2, "DT", 0.74),
    ]  # fmt: skip
    for claim, table in zip(run.claims, run.tables, strict=True):
        assert claim.leaked == table.metric("paper", claim.what, "ACC")
        assert claim.honest == table.metric("honest", claim.what, "ACC")
        assert claim.gained.low < claim.gain < claim.gained.high
        assert claim.n_originals == len(set(table.divisions["paper"][0].test.ids) & ORIGINALS)
        assert len(claim.honest.folds) == 3
    plain, augmented = run.claims
    assert plain.copies == 0
    assert augmented.copies > 0.9
    text = run.to_text(10**6).rpartition("Verdict")[2]
    assert ["Table", "2,", "DT", "0.74", f"{augmented.leaked.value:.2f}"] in [
        line.split()[:5] for line in text.splitlines()
    ]
    text = " ".join(text.split())
    assert f"Table 2: {augmented.copies:.0%} of the leaked test images had a copy of" in text
    for claim in run.claims:
        counted = f"{claim.n_originals} in {claim.n_groups} groups (Table {claim.table})"
        assert counted in text
    assert (
        f"{augmented.gain:+.2f} ({augmented.gained.low:.2f} to {augmented.gained.high:.2f})" in text
    )
    assert run.record["verdict"][1]["gain"] == augmented.gain
    assert run.ranking.verdict.startswith(("Table 1 ", "Table 2 "))
    assert f"Honest, on the same folds: {run.ranking.verdict}" in text
    written = json.dumps(run.ranking.to_dict())  # in a file, what is undefined is null
    assert run.record["ranking"] == json.loads(written, parse_constant=lambda _: None)


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 2])
def test_csv_has_published_beside_obtained(run, number):
    rows = list(csv.DictReader(io.StringIO(run.files[2 * number - 2].read_text())))
    assert [row["ALGO"] for row in rows] == NAMES
    published = published_table(number).rows
    for row in rows:
        for name, value in published[row["ALGO"]].items():
            assert float(row[f"{name}_published"]) == value
            for protocol in ("paper", "honest"):
                low, value, high = (
                    float(row[f"{name}_{protocol}{e}"]) for e in ("_low", "", "_high")
                )
                assert -1 <= low <= value <= high <= 1
            assert row[f"{name}_paper_spread"] == ""
            assert float(row[f"{name}_honest_spread"]) > 0
        assert row["status_paper"] == row["status_honest"] == "ok"


@pytest.mark.slow
def test_every_number_of_the_text_is_in_the_results(run):
    for table in run.tables:
        lines = table.to_text().splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith("ALGO"))
        for line, name in zip(lines[start + 1 :], NAMES, strict=False):
            cells = line.replace("|", " ").split()
            assert cells[0] == name
            expected = list(table.published.rows[name].values())
            columns = table.published.columns
            metrics = table.obtained["paper"][name].report.metrics
            expected += [metrics[column].value for column in columns]
            folds = [fold[name].report.metrics for fold in table.obtained["honest"].folds]
            expected += [np.mean([fold[column].value for fold in folds]) for column in columns]
            np.testing.assert_allclose([float(cell) for cell in cells[1:]], expected, atol=0.00501)
        assert max(map(len, lines)) <= 98


@pytest.mark.slow
def test_narrow_terminals_get_one_protocol_below_the_other(run):
    lines = run.to_text(80).splitlines()
    assert max(map(len, lines)) <= 80
    assert sum(line.startswith("ALGO") for line in lines) == 4


@pytest.mark.slow
def test_markdown(run):
    text = run.files[1].read_text()
    assert text.startswith("# Table I: classical classifiers, plain images\n")
    tables = [part for part in text.split("\n\n") if part.startswith("|")]
    assert len(tables) == 2
    for table in tables:
        lines = table.strip().splitlines()
        assert len(lines) == 13
        assert len({line.count("|") for line in lines}) == 1
    assert "| DT | 0.65 | 0.65 |" in tables[0]


@pytest.mark.slow
def test_record(run):
    record = json.loads(run.files[-1].read_text())
    assert record["versions"]["nucrec"] == nucrec.__version__
    assert record["versions"]["numpy"] == np.__version__
    assert record["data"]["n"] == 306
    assert record["data"]["classes"] == {"nucleus": 148, "micronucleus": 158}
    assert record["data"]["fingerprint"] == nucrec.datasets.load_mnfinder_crops().fingerprint
    assert record["parameters"]["random_state"] == 0
    assert record["failures"] == []
    assert [(r["table"], r["protocol"]) for r in record["runs"]] == [
        (1, "paper"), (1, "honest"), (2, "paper"), (2, "honest"),
    ]  # fmt: skip
    assert [len(described["folds"]) for described in record["runs"]] == [1, 3, 1, 3]
    for described in record["runs"]:
        for fold in described["folds"]:
            assert len(fold["test_ids"]) == fold["n_test"]
            assert [row["name"] for row in fold["rows"]] == NAMES
            assert all(row["seconds"] > 0 for row in fold["rows"])
    assert record["runs"][0]["folds"][0]["test_ids"] != record["runs"][1]["folds"][0]["test_ids"]
    ids = [fold["test_ids"] for fold in record["runs"][1]["folds"]]
    assert ids == [fold["test_ids"] for fold in record["runs"][3]["folds"]]


@pytest.mark.slow
def test_record_sums_the_folds_up(run):
    record = json.loads(run.files[-1].read_text())
    honest = record["runs"][1]
    found = honest["summary"]["ET"]["MC"]
    rows = [next(r for r in fold["rows"] if r["name"] == "ET") for fold in honest["folds"]]
    values = [row["report"]["metrics"]["MC"]["value"] for row in rows]
    assert found["folds"] == values
    assert found["value"] == pytest.approx(np.mean(values))
    assert found["std"] == pytest.approx(np.std(values, ddof=1))
    assert honest["ranking"]["test"] == "corrected resampled t-test"
    assert record["runs"][0]["ranking"]["test"].startswith("paired permutation")


@pytest.mark.slow
def test_tables_say_whether_the_best_is_better(run):
    for table in run.tables:
        text = " ".join(table.to_text().split())
        for protocol in ("paper", "honest"):
            assert f"{protocol} protocol: {table.ranking(protocol).verdict}" in text
            assert (
                f"- {protocol} protocol: {table.ranking(protocol).verdict}" in table.to_markdown()
            )


@pytest.mark.slow
def test_leakage_flatters(run):
    # what the project is about: augmenting before dividing raises the scores of the same models
    table = run.tables[1]
    gain = [
        table.metric("paper", name, "ACC").value - table.metric("honest", name, "ACC").value
        for name in NAMES
    ]
    assert np.mean(gain) > 0.02


@pytest.fixture
def tiny(random_image) -> ImageDataset:
    """Forty images that any classifier tells apart: the positive ones are bright."""
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    images = rng.integers(0, 60, (40, 12, 12)) + 150 * labels[:, None, None]
    return ImageDataset(images.astype(np.uint8), labels, groups=np.arange(40) // 4)


def test_one_table_one_protocol(tiny, tmp_path):
    result = reproduce(tiny, 1, protocol="honest", out=tmp_path / "new" / "folder", progress=False)
    assert [path.name for path in result.files] == [
        "table-1.csv",
        "table-1.md",
        "card.md",
        "run.json",
    ]
    obtained = result.tables[0].obtained["honest"]
    assert obtained.names == NAMES
    accuracy = obtained.metric("LR", "ACC")
    assert accuracy.folds == (1.0,) * 6
    assert np.isnan(accuracy.low)  # folds without spread say nothing of others
    assert result.record["data"]["source"] == "ImageDataset"
    assert str(result).splitlines()[0] == "Table I: classical classifiers, plain images"


def without_times(record: dict) -> dict:
    rows = [
        [{k: v for k, v in row.items() if k != "seconds"} for row in fold["rows"]]
        for run in record["runs"]
        for fold in run["folds"]
    ]
    return {"runs": rows, "data": record["data"]}


@pytest.mark.slow
def test_same_bits_for_any_number_of_workers(tiny, tmp_path):
    one, two = (
        reproduce(
            tiny, 2, protocol="honest", out=tmp_path, n_repeats=1, n_jobs=n, progress=False
        ).record
        for n in (1, 2)
    )
    assert without_times(one) == without_times(two)


def test_failing_models_are_named(tiny, tmp_path, monkeypatch):
    from sklearn.naive_bayes import GaussianNB

    monkeypatch.setattr(GaussianNB, "__reduce__", lambda self: 1 / 0, raising=False)
    result = reproduce(tiny, 1, protocol="honest", out=tmp_path, progress=False)
    text = str(result)
    assert "GNB, honest protocol: failed in send: ZeroDivisionError" in " ".join(text.split())
    row = next(line for line in text.splitlines() if line.startswith("GNB "))
    assert row.split("|")[1].split() == ["-"] * 6
    assert result.record["failures"] == [
        {"table": 1, "protocol": "honest", "name": "GNB",
         "outcome": "failed in send: ZeroDivisionError: division by zero"},
    ]  # fmt: skip
    rows = list(csv.DictReader(io.StringIO((tmp_path / "table-1.csv").read_text())))
    assert rows[5]["status_honest"] == "failed"
    assert rows[5]["ACC_honest"] == ""


def test_progress_counts_all_steps(tiny, tmp_path):
    steps = []
    reproduce(tiny, 1, out=tmp_path, progress=lambda *step: steps.append(step))
    assert [step[0] for step in steps] == list(range(78))  # 0: child processes start
    assert {step[1] for step in steps} == {77}
    assert steps[1][2].startswith("paper protocol, plain images: ")
    assert steps[-1][2].startswith("honest protocol, plain images, fold 6 of 6: ")


@pytest.mark.parametrize("layout", ["class folder", "nucrec folder", "nucrec zip"])
def test_data_of_ones_own(tiny, tmp_path, layout):
    names = {"class folder": ("no", "yes")}.get(layout, ("Normal Cells", "Micronuclie cells"))
    root = tmp_path / "NucRec"
    for i, (image, label) in enumerate(zip(tiny.images, tiny.labels, strict=True)):
        folder = root / "NucReg Dataset" / names[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{i}.png")
    path = (
        shutil.make_archive(str(tmp_path / "x"), "zip", tmp_path, "NucRec")
        if "zip" in layout
        else root
    )
    if layout == "class folder":
        result = reproduce(str(path), 1, protocol="paper", out=tmp_path / "out", progress=False)
        assert result.record["data"]["classes"] == {"no": 20, "yes": 20}
    else:
        with pytest.warns(UserWarning, match="20 nucleus and 20 micronucleus images, where NucRec"):
            result = reproduce(path, 1, protocol="paper", out=tmp_path / "out", progress=False)
        assert result.record["data"]["classes"] == {"nucleus": 20, "micronucleus": 20}


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"tables": "7"}, "tables"),
        ({"tables": "one"}, "tables"),
        ({"tables": []}, "tables"),
        ({"tables": [0]}, "tables"),
        ({"preset": "slow"}, "preset"),
        ({"protocol": "none"}, "protocol"),
        ({"random_state": -1}, "random_state"),
        ({"random_state": None}, "random_state"),
        ({"data": 5}, "data"),
        ({"timeout": -1}, "timeout"),
        ({"n_repeats": 0}, "n_repeats"),
        ({"n_jobs": 0}, "n_jobs"),
    ],
)
def test_bad_parameters(change, parameter, tiny, tmp_path):
    with pytest.raises(InvalidParameterError, match=f"^{parameter}: expected"):
        reproduce(**({"data": tiny, "out": tmp_path, "progress": False} | change))


@pytest.mark.slow
@pytest.mark.parametrize("tables", ["2, 1", (1, 2)])
def test_tables_may_be_given_in_several_ways(tables, tiny, tmp_path):
    result = reproduce(tiny, tables, protocol="paper", out=tmp_path, progress=False)
    assert [table.published.number for table in result.tables] == [1, 2]
    assert result.record["parameters"]["tables"] == [1, 2]


def test_missing_data_are_said_before_any_work(tmp_path):
    with pytest.raises(DatasetNotFoundError):
        reproduce(tmp_path / "nowhere", out=tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()


def test_too_few_groups(tiny, tmp_path):
    with pytest.raises(SplitError, match="is in 1 group"):
        reproduce(tiny.with_groups(["one"] * 40), 1, out=tmp_path, progress=False)


def test_a_file_in_the_way_of_the_folder(tiny, tmp_path):
    (tmp_path / "out").write_text("not a folder")
    with pytest.raises(NucrecError, match="cannot write to the folder .*out: File exists"):
        reproduce(tiny, 1, out=tmp_path / "out", progress=False)
