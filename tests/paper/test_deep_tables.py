"""Tables III to VI and Figure 4."""

import csv
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from nucrec.datasets import ImageDataset
from nucrec.evaluate import Metric
from nucrec.paper import TableResult, published_table, reproduce
from nucrec.paper._epochs import EpochResult, EpochRow
from nucrec.paper._verdict import claims_text, make_claims


@pytest.fixture(scope="module")
def tiny() -> ImageDataset:
    """Forty images in ten groups; the positive ones have a bright half."""
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    images = rng.integers(0, 60, (40, 16, 16))
    images[:, :8] += 150 * labels[:, None, None]
    return ImageDataset(images.astype(np.uint8), labels, groups=np.arange(40) // 4)


@pytest.fixture(scope="module")
def run(tiny, tmp_path_factory):
    steps = []
    result = reproduce(
        tiny,
        "3,4,5,6",
        protocol="honest",
        out=tmp_path_factory.mktemp("results"),
        n_repeats=1,
        progress=lambda *step: steps.append(step),
    )
    return result, steps


@pytest.mark.slow
def test_files(run):
    names = [f"table-{n}.{end}" for n in (3, 4, 5, 6) for end in ("csv", "md")]
    assert [path.name for path in run[0].files] == [*names, "figure-4.png", "card.md", "run.json"]
    assert all(path.stat().st_size for path in run[0].files)
    assert run[0].missing == ()


@pytest.mark.slow
def test_titles_say_what_was_done_otherwise(run):
    titles = [table.title for table in run[0].tables]
    assert titles[0] == "Table III: CNN, plain images (here: 24 px, 100 epochs)"
    assert titles[3].startswith("Table VI: InceptionResNetV2, augmented images (here: EfficientNet")
    assert all(title in str(run[0]) for title in titles)


@pytest.mark.slow
def test_rows_are_the_papers_epochs_and_their_mean(run):
    cnn, table = run[0].tables[0], run[0].tables[2]
    logged = ["1", *map(str, range(10, 101, 10))]
    assert list(table.rows) == list(cnn.rows) == [*logged, "20-100"]
    assert {cnn.obtained["honest"].status(name) for name in cnn.rows} == {"ok"}
    obtained = table.obtained["honest"]
    for fold in obtained.folds:
        assert [row.name for row in fold] == [*logged, "20-100"]
        for column in published_table(5).columns:
            averaged = [fold[name].values[column] for name in logged[2:]]
            assert fold["20-100"].values[column] == pytest.approx(np.mean(averaged))
    means = [fold["20-100"].values["VAL-Loss"] for fold in obtained.folds]
    assert len(means) == 3
    assert table.metric("honest", "20-100", "VAL-Loss").value == pytest.approx(np.mean(means))


@pytest.mark.slow
def test_csv_is_unrounded_and_complete(run):
    path = next(path for path in run[0].files if path.name == "table-6.csv")
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert rows[-1]["EPOCH"] == "20-100"
    assert rows[-1]["VAL-ACC_published"] == str(
        np.mean([0.97, 0.94, 0.93, 0.99, 0.99, 0.99, 0.99, 0.99, 0.96])
    )
    table = run[0].tables[3]
    for row in rows:
        metric = table.metric("honest", row["EPOCH"], "VAL-ACC")
        assert float(row["VAL-ACC_honest"]) == metric.value
        if metric.std:
            assert float(row["VAL-ACC_honest_low"]) == metric.low <= metric.value <= metric.high
        assert float(row["VAL-ACC_honest_spread"]) == metric.std
        # Keras's precision and recall on two units
        assert float(row["VAL-PRE_honest"]) == float(row["VAL-REC_honest"]) == metric.value
    assert {row["status_honest"] for row in rows} == {"ok"}


@pytest.mark.slow
def test_record(run):
    path = run[0].files[-1]
    record = json.loads(path.read_text())
    assert record == run[0].record
    assert [entry["table"] for entry in record["runs"]] == [3, 4, 5, 6]
    assert {"tensorflow", "keras"} <= set(record["versions"])
    row = record["runs"][2]["folds"][0]["rows"][1]
    assert row["name"] == "10"
    assert row["report"]["metrics"]["ACC"]["value"] == row["accuracy"]["value"]
    assert record["failures"] == []


@pytest.mark.slow
def test_progress_runs_from_start_to_end(run):
    done = [step[0] for step in run[1]]
    assert done == sorted(done)
    assert done[-1] == run[1][-1][1] == 3 * 4  # trainings
    assert any("cnn: all, epoch" in step[2] for step in run[1])


@pytest.mark.slow
def test_figure_4_is_a_picture(run):
    with Image.open(run[0].files[-3]) as figure:
        assert figure.width > 1000
        assert len(figure.convert("RGB").getcolors(1 << 24)) > 50


@pytest.mark.parametrize(("number", "mean"), [(3, 0.6611), (4, 0.8600), (5, 0.7733), (6, 0.9722)])
def test_the_published_headline_is_the_mean_of_epochs_20_to_100(number, mean):
    rows = TableResult(published_table(number), {}, {}).rows
    assert rows["20-100"]["VAL-ACC"] == pytest.approx(mean, abs=5e-5)


@pytest.mark.slow
def test_the_mean_is_of_all_epochs_of_the_paper(run):
    assert {table.averaged for table in run[0].tables} == {tuple(range(20, 101, 10))}
    assert "obtained, epoch" not in str(run[0])
    assert "obtained is epoch" not in str(run[0])


def ended_at_20() -> TableResult:
    """Table V of trainings of 20 epochs, as those of the preset overnight are."""
    published = published_table(5)
    metric = Metric(0.75, 0.6, 0.9, "Wilson, groups")
    values = dict.fromkeys(published.columns, 0.75)
    rows = tuple(EpochRow(name, values, metric, None) for name in ("1", "10", "20", "20-100"))
    return TableResult(published, {"paper": EpochResult(rows, 1.0)}, {})


def test_epochs_that_were_not_reached_are_dashes():
    table = ended_at_20()
    lines = list(csv.DictReader(io.StringIO(table.to_csv())))
    assert [row["status_paper"] for row in lines] == ["ok"] * 3 + ["not reached"] * 8 + ["ok"]
    text = next(line for line in table._text_block(["paper"]).splitlines() if line[:3] == "40 ")
    assert text.split("|")[1].split() == ["-"] * 4


def test_it_is_said_which_epochs_the_mean_is_of():
    table = ended_at_20()
    assert table.averaged == (20,)
    (claim,) = make_claims([table])
    verdict = " ".join(claims_text([claim], None).split())
    assert "Table 5: claimed is the mean of epochs 20 to 100; obtained is epoch 20" in verdict


@pytest.mark.slow
def test_the_mean_has_an_interval_of_the_images(run, tiny):
    fold = run[0].tables[2].obtained["honest"].folds[0]
    accuracies = [fold[str(epoch)].report.accuracy.value for epoch in range(20, 101, 10)]
    mean = fold["20-100"].accuracy
    assert mean.value == pytest.approx(np.mean(accuracies))
    assert mean.low <= mean.value <= mean.high
    assert mean.method == "Wilson, groups"
    assert fold["20"].accuracy == fold["20"].report.accuracy
    assert fold["20"].accuracy.value == fold["20"].values["VAL-ACC"]


def test_missing_weights_leave_a_table_that_says_so(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = reproduce(tiny, 5, protocol="honest", out=tmp_path, progress=False)
    assert result.tables[0].metric("honest", "20-100", "VAL-ACC") is None
    assert result.missing[0].startswith("Table V: InceptionResNetV2, plain images (here: Efficient")
    assert 'pip install "nucrec[offline]"' in result.missing[0]
    assert [failure["table"] for failure in result.record["failures"]] == [5]
    assert "not installed" in (tmp_path / "table-5.md").read_text()
    assert not (tmp_path / "figure-4.png").exists()


@pytest.mark.slow
def test_without_matplotlib_the_figure_is_named_as_missing(tiny, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = reproduce(tiny, 3, protocol="honest", out=tmp_path, n_repeats=1, progress=False)
    assert [path.name for path in result.files] == [
        "table-3.csv",
        "table-3.md",
        "card.md",
        "run.json",
    ]
    assert "figure-4.png was not drawn" in result.missing[0]
    assert "nucrec[plots]" in result.missing[0]


@pytest.mark.slow
def test_a_full_run_goes_on_where_it_was_stopped(tiny, tmp_path):
    eight = tiny[::5].with_groups(np.arange(8))
    options = {"protocol": "honest", "preset": "full", "out": tmp_path, "n_repeats": 1}

    def stop(done: int, total: int, what: str) -> None:
        if done == 1 and int((re.findall(r"epoch (\d+) of 100", what) or ["0"])[0]) > 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reproduce(eight, 3, progress=stop, **options)
    assert len(list((tmp_path / "checkpoints").rglob("training.npz"))) == 2
    seen = []
    result = reproduce(eight, 3, progress=lambda *step: seen.append(step[2]), **options)
    assert not [what for what in seen if "fold 1 of 3" in what and "epoch" in what]
    second = [re.findall(r"epoch (\d+) of 100", what) for what in seen if "fold 2 of 3" in what]
    epochs = [int(found[0]) for found in second if found]
    assert epochs
    assert min(epochs) > 9
    for fold in result.tables[0].obtained["honest"].folds:
        assert [row.name for row in fold] == ["1", *map(str, range(10, 101, 10)), "20-100"]
    assert not (tmp_path / "checkpoints").exists()
