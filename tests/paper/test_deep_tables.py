"""Tables III to VI and Figure 4."""

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import accuracy_score

from nucrec.datasets import ImageDataset
from nucrec.models import cnn
from nucrec.paper import _presets as presets
from nucrec.paper import published_table, reproduce
from nucrec.paper._epochs import epoch_result

SMALL = presets.Preset("efficientnet-lite0", "features", 32, 30, 16, 20)


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
    patch = pytest.MonkeyPatch()
    patch.setitem(presets.PRESETS, "quick", SMALL)
    steps = []
    out = tmp_path_factory.mktemp("results")
    try:
        result = reproduce(
            tiny,
            "3,4,5,6",
            protocol="honest",
            out=out,
            n_repeats=1,
            progress=lambda *step: steps.append(step),
        )
    finally:
        patch.undo()
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
    assert titles[0] == "Table III: CNN, plain images (here: 16 px, 20 epochs)"
    assert titles[3].startswith("Table VI: InceptionResNetV2, augmented images (here: EfficientNet")
    assert all(title in str(run[0]) for title in titles)


@pytest.mark.slow
def test_rows_are_the_papers_epochs_and_their_mean(run):
    table = run[0].tables[2]
    assert list(table.rows) == ["1", *map(str, range(10, 101, 10)), "20-100"]
    obtained = table.obtained["honest"]
    assert [obtained.status(name) for name in ("30", "40")] == ["ok", "not reached"]
    for fold in obtained.folds:
        assert [row.name for row in fold] == ["1", "10", "20", "30", "20-100"]
        for column in published_table(5).columns:
            both = [fold["20"].values[column], fold["30"].values[column]]
            assert fold["20-100"].values[column] == pytest.approx(np.mean(both))
    means = [fold["20-100"].values["VAL-Loss"] for fold in obtained.folds]
    assert len(means) == 3
    assert table.metric("honest", "20-100", "VAL-Loss").value == pytest.approx(np.mean(means))
    text = next(line for line in str(table).splitlines() if line.startswith("40 "))
    assert text.split("|")[1].split() == ["-"] * 4


@pytest.mark.slow
def test_csv_is_unrounded_and_complete(run):
    path = next(path for path in run[0].files if path.name == "table-6.csv")
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert rows[-1]["EPOCH"] == "20-100"
    assert rows[-1]["VAL-ACC_published"] == str(
        np.mean([0.97, 0.94, 0.93, 0.99, 0.99, 0.99, 0.99, 0.99, 0.96])
    )
    table = run[0].tables[3]
    for row in rows[:4]:
        metric = table.metric("honest", row["EPOCH"], "VAL-ACC")
        assert float(row["VAL-ACC_honest"]) == metric.value
        if metric.std:
            assert float(row["VAL-ACC_honest_low"]) == metric.low <= metric.value <= metric.high
        assert float(row["VAL-ACC_honest_spread"]) == metric.std
        # Keras's precision and recall on two units
        assert float(row["VAL-PRE_honest"]) == float(row["VAL-REC_honest"]) == metric.value
    assert rows[5]["status_honest"] == "not reached"


@pytest.mark.slow
def test_record(run):
    path = run[0].files[-1]
    record = json.loads(path.read_text())
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
    assert done[-1] == run[1][-1][1] == 3 * (2 * 20 + 2 * 30)


@pytest.mark.slow
def test_figure_4_is_a_picture(run):
    with Image.open(run[0].files[-3]) as figure:
        assert figure.width > 1000
        assert len(figure.convert("RGB").getcolors(1 << 24)) > 50


@pytest.mark.parametrize(("number", "mean"), [(3, 0.6611), (4, 0.8600), (5, 0.7733), (6, 0.9722)])
def test_the_published_headline_is_the_mean_of_epochs_20_to_100(number, mean):
    from nucrec.paper import TableResult

    rows = TableResult(published_table(number), {}, {}).rows
    assert rows["20-100"]["VAL-ACC"] == pytest.approx(mean, abs=5e-5)


def test_the_mean_has_an_interval_of_the_images(tiny):
    model = cnn(image_size=16, epochs=30, random_state=0).fit(tiny, validation=tiny)
    result = epoch_result(model, tiny, published_table(3).columns, 1.0)
    expected = [accuracy_score(tiny.labels, model.validation_proba_[i].argmax(1)) for i in (19, 29)]
    mean = result["20-100"].accuracy
    assert mean.value == pytest.approx(np.mean(expected))
    assert mean.low <= mean.value <= mean.high
    assert mean.method == "group bootstrap"
    assert result["20"].accuracy.value == pytest.approx(expected[0])


def test_missing_weights_leave_a_table_that_says_so(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = reproduce(tiny, 5, protocol="honest", out=tmp_path, progress=False)
    assert result.tables[0].metric("honest", "20-100", "VAL-ACC") is None
    assert 'pip install "nucrec[offline]"' in result.missing[0]
    assert [failure["table"] for failure in result.record["failures"]] == [5]
    assert "not installed" in (tmp_path / "table-5.md").read_text()
    assert not (tmp_path / "figure-4.png").exists()


@pytest.mark.slow
def test_without_matplotlib_the_figure_is_named_as_missing(tiny, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(presets.PRESETS, "quick", SMALL)
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
def test_a_full_run_goes_on_where_it_was_stopped(tiny, tmp_path, monkeypatch):
    monkeypatch.setitem(presets.PRESETS, "full", SMALL)

    def stop(done: int, total: int, what: str) -> None:
        if "table 4" in what and "epoch 10" in what:
            raise KeyboardInterrupt

    options = {"protocol": "honest", "preset": "full", "out": tmp_path, "n_repeats": 1}
    with pytest.raises(KeyboardInterrupt):
        reproduce(tiny, "3,4", progress=stop, **options)
    assert (tmp_path / "checkpoints" / "table-4-honest-1" / "training.npz").exists()
    seen = []
    result = reproduce(tiny, "3,4", progress=lambda *s: seen.append(s[2]), **options)
    assert not [what for what in seen if "table 3" in what and "epoch" in what]
    first = [what for what in seen if "table 4" in what and "fold 1 of 3" in what]
    assert first
    assert not [what for what in first if "epoch 9 " in what]
    for fold in result.tables[1].obtained["honest"].folds:
        assert [row.name for row in fold] == ["1", "10", "20", "20-100"]
    assert not (tmp_path / "checkpoints").exists()
