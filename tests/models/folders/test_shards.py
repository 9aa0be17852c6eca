"""Predicting a folder in shards in this process: what is written, again, and what is refused."""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nucrec.errors import (
    DatasetError,
    DatasetNotFoundError,
    DataWarning,
    InvalidParameterError,
    ModelFileError,
    NucrecError,
)
from nucrec.models import load, predict_folder, predict_shards

N = 23


def put_together(out: Path) -> list[str]:
    """Return the header and all rows of the parts."""
    parts = [path.read_text(encoding="utf-8").splitlines() for path in sorted(out.glob("part-*"))]
    assert len({lines[0] for lines in parts}) == 1
    return [parts[0][0], *(row for lines in parts for row in lines[1:])]


def assert_same_rows(found, other):
    """Everything is the same, but that other batches may change the last digit of a probability."""
    bare = [
        [dataclasses.replace(row, probabilities=()) for row in result.rows]
        for result in (found, other)
    ]
    assert bare[0] == bare[1]
    for row, same in zip(found.rows, other.rows, strict=True):
        assert row.probabilities == pytest.approx(same.probabilities, abs=2e-6)


def state(out: Path) -> dict[str, tuple[int, bytes]]:
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in out.iterdir()}


def test_in_this_process_it_is_what_predict_folder_writes(files, tmp_path):
    seen = []
    found = predict_shards(
        files / "cnn.keras",
        files / "plate",
        tmp_path / "out",
        shard_size=10,
        error_rate=0.2,
        progress=lambda *a: seen.append(a),
    )
    single = predict_folder(
        load(files / "cnn.keras"), files / "plate", tmp_path / "one.csv", error_rate=0.2
    )
    assert_same_rows(found, single)
    assert put_together(tmp_path / "out")[0] == (tmp_path / "one.csv").read_text().splitlines()[0]
    assert found.to_dict() == single.to_dict() | {"path": str(tmp_path / "out")}
    assert found.total.n == N
    assert [done for done, _, _ in seen] == [0, 0, 10, 10, 20, 20, 23]
    assert {(total, what) for _, total, what in seen} == {(N, "images")}
    assert sorted(state(tmp_path / "out")) == [
        "model.keras",
        *(f"part-0000{k}.csv" for k in range(3)),
        "shards.json",
    ]


def test_a_rerun_does_what_is_missing_and_nothing_else(files, tmp_path):
    out = tmp_path / "out"
    call = (files / "gnb.skops", files / "plate", out)
    first = predict_shards(*call, shard_size=6)
    before = state(out)
    seen = []
    assert predict_shards(*call, shard_size=6, progress=lambda *a: seen.append(a[:2])) == first
    assert state(out) == before
    assert seen == [(N, N)]
    (out / "part-00002.csv").unlink()
    (out / ".part-00002.csv.0123456789abcdef.tmp").write_text("of a worker that was killed")
    assert predict_shards(*call, shard_size=6) == first
    after = state(out)
    assert after.pop("part-00002.csv")[1] == before.pop("part-00002.csv")[1]
    assert after == before
    assert predict_shards(*call, shard_size=6, confidence=0.5).total.n == N


def test_another_call_in_the_same_folder_is_refused(files, uncalibrated, plate, tmp_path):
    out = tmp_path / "out"
    predict_shards(files / "gnb.skops", plate, out, shard_size=6)
    before = state(out)

    def refused(what: str, model: str = "gnb.skops", folder: Path = plate, **more):
        with pytest.raises(NucrecError, match=what):
            predict_shards(files / model, folder, out, **({"shard_size": 6} | more))
        assert state(out) == before

    refused("differs in: shard_size. Choose", shard_size=7)
    refused("differs in: model. Choose", "plain.keras")
    refused("differs in: model, error_rate. Choose", "cnn.keras", error_rate=0.1)
    refused("differs in: class_names. Choose", class_names=["a", "b"])
    refused("differs in: channel. Choose", channel=np.int64(0))
    refused("differs in: path. Choose", folder=files / "plate")
    (plate / "well A" / "00.png").write_bytes((plate / "well A" / "01.png").read_bytes())
    refused("differs in: listing. Choose")
    (plate / "well A" / "00.png").unlink()
    refused("differs in: images, listing. Choose")


def test_a_folder_that_is_not_ours_is_refused(files, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    with pytest.raises(NucrecError, match="is not empty: choose a new folder"):
        predict_shards(files / "gnb.skops", files / "plate", out)
    (out / "shards.json").write_text("{")
    with pytest.raises(NucrecError, match="cannot be read: choose another folder"):
        predict_shards(files / "gnb.skops", files / "plate", out)
    (out / "shards.json").write_text("[]")
    with pytest.raises(NucrecError, match="another call, which differs in: format, nucrec, model"):
        predict_shards(files / "gnb.skops", files / "plate", out)
    assert sorted(state(out)) == ["notes.txt", "shards.json"]
    with pytest.raises(NucrecError, match="cannot write to the folder"):
        predict_shards(files / "gnb.skops", files / "plate", out / "notes.txt")


@pytest.mark.parametrize("damage", [b"", b"file,predicted\n", "cut", "other"])
def test_a_damaged_part_is_named(files, tmp_path, damage):
    call = (files / "gnb.skops", files / "plate", tmp_path / "out")
    first = predict_shards(*call, shard_size=12)
    part = tmp_path / "out" / "part-00001.csv"
    whole = part.read_bytes()
    damages = {"cut": whole[:-200], "other": whole.replace(b"21.png", b"20.png")}
    part.write_bytes(damages.get(damage, damage))
    with pytest.raises(NucrecError, match=r"part-00001.csv is damaged .*Delete it"):
        predict_shards(*call, shard_size=12)
    part.unlink()
    assert predict_shards(*call, shard_size=12) == first
    assert part.read_bytes() == whole


def test_an_interrupted_call_goes_on(files, uncalibrated, tmp_path):
    call = (uncalibrated, files / "plate", tmp_path / "out")

    def interrupt(done: int, total: int, what: str) -> None:
        if done > 9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict_shards(*call, shard_size=5, progress=interrupt)
    assert sorted(state(tmp_path / "out"))[1:-1] == ["part-00000.csv"]
    before = state(tmp_path / "out")["part-00000.csv"]
    assert predict_shards(*call, shard_size=5).total.n == N
    assert state(tmp_path / "out")["part-00000.csv"] == before


def test_what_cannot_be_read_is_named(files, plate, tmp_path):
    (plate / "well A" / "broken.png").write_bytes(b"nothing")
    (plate / "well B" / "link").symlink_to(plate / "well A")
    (plate / "well A" / os.fsdecode(b"caf\xe9.png")).write_bytes(b"nothing")
    model = load(files / "gnb.skops")
    names = ("nucleus", "micronucleus")
    with pytest.warns(DataWarning, match="3 of 25 files were not predicted"):
        single = predict_folder(model, plate, tmp_path / "one.csv", class_names=names)
    for _ in range(2):
        with pytest.warns(DataWarning, match="3 of 25 files were not predicted") as caught:
            found = predict_shards(files / "gnb.skops", plate, tmp_path / "out", shard_size=25)
        assert caught[0].filename == __file__
        assert found.quarantined == single.quarantined
        assert found.folders == single.folders
    assert (tmp_path / "out" / "part-00000.csv").read_bytes() == (tmp_path / "one.csv").read_bytes()


def test_no_image_at_all(files, tmp_path):
    (tmp_path / "plate").mkdir()
    with pytest.raises(DatasetError, match="no images were found"):
        predict_shards(files / "gnb.skops", tmp_path / "plate", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "plate" / "a.png").write_bytes(b"nothing")
    with pytest.raises(DatasetError, match="no image that can be predicted: not an image"):
        predict_shards(files / "gnb.skops", tmp_path / "plate", tmp_path / "out")


def test_mistakes_are_found_before_anything_is_written(files, uncalibrated, tmp_path):
    call = (files / "plate", tmp_path / "out")
    with pytest.raises(ModelFileError, match="there is no such file"):
        predict_shards(tmp_path / "no.keras", *call)
    with pytest.raises(InvalidParameterError, match="model: expected the path"):
        predict_shards(load(files / "gnb.skops"), *call)
    with pytest.raises(InvalidParameterError, match="class_names"):
        predict_shards(files / "gnb.skops", *call, class_names=["a"])
    with pytest.raises(InvalidParameterError, match="error_rate: expected None for a model"):
        predict_shards(uncalibrated, *call, error_rate=0.05)
    with pytest.raises(InvalidParameterError, match="error_rate: expected a number"):
        predict_shards(files / "cnn.keras", *call, error_rate=2)
    with pytest.raises(InvalidParameterError, match="shard_size"):
        predict_shards(files / "gnb.skops", *call, shard_size=0)
    with pytest.raises(InvalidParameterError, match="scheduler: expected an address"):
        predict_shards(files / "gnb.skops", *call, scheduler=8786)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_goes_away_is_no_table_of_missing_files(files, plate, tmp_path):
    out = tmp_path / "out"
    seen = []

    def lose(done: int, total: int, what: str) -> None:
        seen.append(done)
        if seen == [0, 0, 10, 10]:  # the second shard has begun
            plate.rename(tmp_path / "away")

    with pytest.raises(DatasetNotFoundError, match="there is no such folder"):
        predict_shards(files / "gnb.skops", plate, out, shard_size=10, progress=lose)
    assert sorted(state(out)) == ["model.skops", "part-00000.csv", "shards.json"]


def test_tables_of_an_older_version_are_not_mixed_with_new_ones(files, tmp_path):
    out = tmp_path / "out"
    call = (files / "cnn.keras", files / "plate", out)
    predict_shards(*call, shard_size=6, error_rate=0.2)
    plan = json.loads((out / "shards.json").read_text(encoding="utf-8"))
    plan |= {"format": 1, "nucrec": "0.1.0", "ask_below": plan.pop("error_rate")}
    (out / "shards.json").write_text(json.dumps(plan), encoding="utf-8")
    (out / "part-00002.csv").unlink()
    before = state(out)
    with pytest.raises(NucrecError, match=r"tables that nucrec 0.1.0 wrote in another format"):
        predict_shards(*call, shard_size=6, error_rate=0.2)
    assert state(out) == before


def test_the_former_name_of_error_rate_works_with_a_warning(files, tmp_path):
    call = (files / "cnn.keras", files / "plate", tmp_path / "out")
    with pytest.warns(DeprecationWarning, match="ask_below is now called error_rate") as caught:
        found = predict_shards(*call, ask_below=0.2)
    assert caught[0].filename == __file__
    assert found == predict_shards(*call, error_rate=0.2)


def test_images_unlike_the_training_images_are_told(files, network, plate, tmp_path):
    Image.new("L", (400, 30), 9).save(plate / "well A" / "long.png")
    single = predict_folder(network, plate, tmp_path / "one.csv")
    found = predict_shards(files / "cnn.keras", plate, tmp_path / "out", shard_size=10)
    assert_same_rows(found, single)
    assert found.total.unusual == single.total.unusual == 1
    assert found.unusual == single.unusual
    assert found.unusual["size"] == 1


def test_a_network_of_0_1_0_tells_rates_and_nothing_of_its_training_images(files, tmp_path):
    saved = Path(__file__).parents[2] / "data" / "saved-by-0.1.0" / "network.keras"
    found = predict_shards(saved, files / "plate", tmp_path / "out", error_rate=0.2)
    header = put_together(tmp_path / "out")[0]
    assert (
        header == "file,predicted,probability_nucleus,probability_micronucleus,needs_review,error"
    )
    assert found.sensitivity[1] + found.specificity[1] == 101
    assert found.total.unusual == 0
