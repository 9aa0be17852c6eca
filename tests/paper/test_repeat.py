"""Repeating a run from its record, and the record on one page."""

import json

import numpy as np
import pytest

from nucrec.__main__ import main
from nucrec.datasets import ImageDataset
from nucrec.errors import DatasetError, InvalidParameterError
from nucrec.paper import repeat, reproduce
from nucrec.paper._repeat import _agree, _numbers

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    out = tmp_path_factory.mktemp("first")
    return reproduce(tables=1, out=out, random_state=3, n_repeats=1, progress=False)


def changed(first, tmp_path, change):
    record = json.loads(first.files[-1].read_text(encoding="utf-8"))
    change(record)
    path = tmp_path / "run.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    return path


def test_a_run_is_repeated_number_by_number(first, tmp_path):
    again = repeat(first.files[-1], out=tmp_path / "again", progress=False)
    assert again.agrees
    # 11 classifiers, once and on 3 folds: a status and 6 or 7 metrics each; test images of each
    assert again.compared >= 4 * (11 * 7 + 1)
    assert again.differences == again.changed == ()
    assert str(again) == f"{again.compared} numbers compared, 0 differ"
    assert again.result.record["parameters"] == first.record["parameters"]
    assert (tmp_path / "again" / "run.json").exists()


def test_what_differs_is_named(first, tmp_path, capsys):
    def change(record):
        record["runs"][0]["folds"][0]["rows"][0]["report"]["metrics"]["ACC"]["value"] += 0.001
        record["versions"]["numpy"] = "1.0"
        record["parameters"]["protocol"] = "paper"
        del record["runs"][1]

    path = changed(first, tmp_path, change)
    command = ["reproduce", "--from-record", str(path), "--out", str(tmp_path / "x"), "--quiet"]
    assert main(command) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[0].endswith("numbers compared, 1 differ")
    assert told[1].strip().startswith("table 1, paper protocol, DT, ACC: 0.")
    assert told[2].startswith("Changed since: numpy 1.0 to ")


def test_other_data_are_refused(first, tmp_path):
    other = ImageDataset(np.zeros((4, 8, 8), np.uint8), [0, 0, 1, 1])
    with pytest.raises(DatasetError, match="not those of"):
        repeat(first.files[-1], other, tmp_path / "again", progress=False)
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"parameters": {}, "data": {}}', "no json"])
def test_what_is_no_record(tmp_path, text):
    path = tmp_path / "run.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidParameterError, match="record: expected a run.json"):
        repeat(path)
    with pytest.raises(InvalidParameterError, match="record: expected a run.json"):
        repeat(tmp_path / "missing.json")


def test_networks_may_differ_slightly():
    rows = [{"name": "20", "accuracy": {"value": 0.8}}]
    fold = {"test_ids": ["a", "b"], "rows": rows}
    run = {"table": 6, "protocol": "honest", "folds": [fold, fold]}
    numbers = dict(_numbers({"runs": [run]}))
    assert numbers == {
        "table 6, honest protocol, fold 1, test images": "a,b",
        "table 6, honest protocol, fold 1, 20, network accuracy": 0.8,
        "table 6, honest protocol, fold 2, test images": "a,b",
        "table 6, honest protocol, fold 2, 20, network accuracy": 0.8,
    }
    assert _agree("20, network accuracy", 0.8, 0.83)
    assert not _agree("20, network accuracy", 0.8, 0.9)
    assert not _agree("RF, ACC", 0.8, 0.8001)
    assert not _agree("RF, status", "ok", "timeout")
    assert not _agree("RF, ACC", 0.8, None)


def test_the_card_answers_what_the_run_knows(first):
    text = next(path for path in first.files if path.name == "card.md").read_text(encoding="utf-8")
    record = first.record
    assert record["data"]["fingerprint"] in text
    assert f"numpy {record['versions']['numpy']}" in text
    assert "| randomness | seed 3 for everything |" in text
    assert "| intended use, and who is to benefit | for the author to say |" in text
    assert f"{first.claims[0].honest.value:.2f}" in text.partition("## Verdict")[2]
    sizes = [fold["n_test"] for fold in record["runs"][1]["folds"]]
    tested, trained = ([f(n) for f in (min, max)] for n in (sizes, [306 - s for s in sizes]))
    assert (
        f"| 1 | honest | 3 | {trained[0]} to {trained[1]} | {tested[0]} to {tested[1]} | 0% | 0% |"
    ) in text
    assert "3 folds of whole groups, repeats: 1" in text
    assert "failures: none" in text
