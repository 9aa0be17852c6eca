"""Predicting a folder in shards: here, on a cluster, with workers that die, and again."""

import os
import shutil
import signal
import zipfile
from pathlib import Path

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
from nucrec.models import (
    _cluster,
    _prediction_table,
    _shards,
    classical_zoo,
    cnn,
    load,
    predict_folder,
    predict_shards,
    save,
)

distributed = pytest.importorskip("distributed")

N = 23


@pytest.fixture(scope="module")
def here(tmp_path_factory, crops) -> Path:
    """A folder with models, and a plate of 23 images in two wells."""
    folder = tmp_path_factory.mktemp("shards")
    network = cnn(image_size=16, epochs=1, random_state=0).fit(crops[::3])
    network.save(folder / "plain.keras")
    network.calibrate(crops[1::3]).save(folder / "cnn.keras")
    classical = classical_zoo(random_state=0)["GNB"].fit(crops, crops.labels)
    save(classical, folder / "gnb.skops", class_names=crops.class_names)
    for i in range(N):
        well = folder / "plate" / ("well A" if i < 9 else "well B/deep")
        well.mkdir(parents=True, exist_ok=True)
        Image.fromarray(crops.images[11 * i]).save(well / f"{i:02d}.png")
    return folder


def local_cluster(**options):
    """Return a cluster on this machine, with ports that nobody else has."""
    return distributed.LocalCluster(host="127.0.0.1", dashboard_address="127.0.0.1:0", **options)


@pytest.fixture(scope="module")
def cluster():
    with local_cluster(n_workers=2, threads_per_worker=1) as cluster:
        yield cluster


@pytest.fixture
def plate(here, tmp_path) -> Path:
    return Path(shutil.copytree(here / "plate", tmp_path / "plate"))


def put_together(out: Path) -> list[str]:
    """Return the header and all rows of the parts."""
    parts = [path.read_text(encoding="utf-8").splitlines() for path in sorted(out.glob("part-*"))]
    assert len({lines[0] for lines in parts}) == 1
    return [parts[0][0], *(row for lines in parts for row in lines[1:])]


def state(out: Path) -> dict[str, tuple[int, bytes]]:
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in out.iterdir()}


def test_in_this_process_it_is_what_predict_folder_writes(here, tmp_path, monkeypatch):
    monkeypatch.setattr(_prediction_table, "IMAGES_AT_A_TIME", 5)
    seen = []
    found = predict_shards(
        here / "cnn.keras",
        here / "plate",
        tmp_path / "out",
        shard_size=10,
        ask_below=0.2,
        progress=lambda *a: seen.append(a),
    )
    single = predict_folder(
        load(here / "cnn.keras"), here / "plate", tmp_path / "one.csv", ask_below=0.2
    )
    assert put_together(tmp_path / "out") == (tmp_path / "one.csv").read_text().splitlines()
    assert found.to_dict() == single.to_dict() | {"path": str(tmp_path / "out")}
    assert found.total.n == N
    assert [done for done, _, _ in seen] == [0, 0, 5, 10, 10, 15, 20, 20, 23]
    assert {(total, what) for _, total, what in seen} == {(N, "images")}
    assert sorted(state(tmp_path / "out")) == [
        "model.keras",
        *(f"part-0000{k}.csv" for k in range(3)),
        "shards.json",
    ]


def test_a_rerun_does_what_is_missing_and_nothing_else(here, tmp_path):
    out = tmp_path / "out"
    call = (here / "gnb.skops", here / "plate", out)
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


def test_another_call_in_the_same_folder_is_refused(here, plate, tmp_path):
    out = tmp_path / "out"
    predict_shards(here / "gnb.skops", plate, out, shard_size=6)
    before = state(out)

    def refused(what: str, model: str = "gnb.skops", folder: Path = plate, **more):
        with pytest.raises(NucrecError, match=what):
            predict_shards(here / model, folder, out, **({"shard_size": 6} | more))
        assert state(out) == before

    refused("differs in: shard_size. Choose", shard_size=7)
    refused("differs in: model. Choose", "plain.keras")
    refused("differs in: model, ask_below. Choose", "cnn.keras", ask_below=0.1)
    refused("differs in: class_names. Choose", class_names=["a", "b"])
    refused("differs in: path. Choose", folder=here / "plate")
    (plate / "well A" / "00.png").write_bytes((plate / "well A" / "01.png").read_bytes())
    refused("differs in: listing. Choose")
    (plate / "well A" / "00.png").unlink()
    refused("differs in: images, listing. Choose")


def test_a_folder_that_is_not_ours_is_refused(here, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    with pytest.raises(NucrecError, match="is not empty: choose a new folder"):
        predict_shards(here / "gnb.skops", here / "plate", out)
    (out / "shards.json").write_text("{")
    with pytest.raises(NucrecError, match="cannot be read: choose another folder"):
        predict_shards(here / "gnb.skops", here / "plate", out)
    (out / "shards.json").write_text("[]")
    with pytest.raises(NucrecError, match="another call, which differs in: format, nucrec, model"):
        predict_shards(here / "gnb.skops", here / "plate", out)
    assert sorted(state(out)) == ["notes.txt", "shards.json"]
    with pytest.raises(NucrecError, match="cannot write to the folder"):
        predict_shards(here / "gnb.skops", here / "plate", out / "notes.txt")


@pytest.mark.parametrize("damage", [b"", b"file,predicted\n", "cut", "other"])
def test_a_damaged_part_is_named(here, tmp_path, damage):
    call = (here / "gnb.skops", here / "plate", tmp_path / "out")
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


def test_an_interrupted_call_goes_on(here, tmp_path, monkeypatch):
    call = (here / "plain.keras", here / "plate", tmp_path / "out")

    def interrupt(done: int, total: int, what: str) -> None:
        if done > 9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict_shards(*call, shard_size=5, progress=interrupt)
    assert sorted(state(tmp_path / "out"))[1:-1] == ["part-00000.csv"]
    before = state(tmp_path / "out")["part-00000.csv"]
    assert predict_shards(*call, shard_size=5).total.n == N
    assert state(tmp_path / "out")["part-00000.csv"] == before


def test_what_cannot_be_read_is_named(here, plate, tmp_path):
    (plate / "well A" / "broken.png").write_bytes(b"nothing")
    (plate / "well B" / "link").symlink_to(plate / "well A")
    (plate / "well A" / os.fsdecode(b"caf\xe9.png")).write_bytes(b"nothing")
    model = load(here / "gnb.skops")
    names = ("nucleus", "micronucleus")
    with pytest.warns(DataWarning, match="3 of 25 files could not be read"):
        single = predict_folder(model, plate, tmp_path / "one.csv", class_names=names)
    for _ in range(2):
        with pytest.warns(DataWarning, match="3 of 25 files could not be read") as caught:
            found = predict_shards(here / "gnb.skops", plate, tmp_path / "out", shard_size=25)
        assert caught[0].filename == __file__
        assert found.quarantined == single.quarantined
        assert found.folders == single.folders
    assert (tmp_path / "out" / "part-00000.csv").read_bytes() == (tmp_path / "one.csv").read_bytes()


def test_no_image_at_all(here, tmp_path):
    (tmp_path / "plate").mkdir()
    with pytest.raises(DatasetError, match="no images were found"):
        predict_shards(here / "gnb.skops", tmp_path / "plate", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "plate" / "a.png").write_bytes(b"nothing")
    with pytest.raises(DatasetError, match="no image that can be read: not an image"):
        predict_shards(here / "gnb.skops", tmp_path / "plate", tmp_path / "out")


def test_mistakes_are_found_before_anything_is_written(here, tmp_path):
    call = (here / "plate", tmp_path / "out")
    with pytest.raises(ModelFileError, match="there is no such file"):
        predict_shards(tmp_path / "no.keras", *call)
    with pytest.raises(InvalidParameterError, match="model: expected the path"):
        predict_shards(load(here / "gnb.skops"), *call)
    with pytest.raises(InvalidParameterError, match="class_names"):
        predict_shards(here / "gnb.skops", *call, class_names=["a"])
    with pytest.raises(InvalidParameterError, match="ask_below: expected None for a model"):
        predict_shards(here / "plain.keras", *call, ask_below=0.05)
    with pytest.raises(InvalidParameterError, match="ask_below: expected a number"):
        predict_shards(here / "cnn.keras", *call, ask_below=2)
    with pytest.raises(InvalidParameterError, match="shard_size"):
        predict_shards(here / "gnb.skops", *call, shard_size=0)
    with pytest.raises(InvalidParameterError, match="scheduler: expected an address"):
        predict_shards(here / "gnb.skops", *call, scheduler=8786)
    assert not (tmp_path / "out").exists()


def test_no_scheduler_answers(here, tmp_path, monkeypatch):
    monkeypatch.setattr(_cluster, "_TO_CONNECT", 1.0)
    call = (here / "gnb.skops", here / "plate", tmp_path / "out")
    with pytest.raises(NucrecError, match="no Dask scheduler answers at tcp://127.0.0.1:9: start"):
        predict_shards(*call, scheduler="tcp://127.0.0.1:9")
    for address in ("nothing", "what://127.0.0.1:9", ""):
        with pytest.raises(InvalidParameterError, match="scheduler: expected an address such as"):
            predict_shards(*call, scheduler=address)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize("model", ["cnn.keras", "gnb.skops"])
def test_a_cluster_writes_the_same(here, cluster, tmp_path, model):
    seen = []
    found = predict_shards(
        here / model,
        here / "plate",
        tmp_path / "out",
        scheduler=cluster.scheduler_address,
        shard_size=4,
        progress=lambda *a: seen.append(a[:2]),
    )
    same = predict_shards(here / model, here / "plate", tmp_path / "here", shard_size=4)
    assert put_together(tmp_path / "out") == put_together(tmp_path / "here")
    assert found.to_dict() == same.to_dict() | {"path": str(tmp_path / "out")}
    assert seen[0] == (0, N)
    assert seen[-1] == (N, N)
    assert len(seen) == 7
    assert seen == sorted(seen)


@pytest.mark.slow
def test_a_zip_and_a_client_of_ones_own(here, cluster, tmp_path):
    with zipfile.ZipFile(tmp_path / "plate.zip", "w") as archive:
        for path in sorted((here / "plate").rglob("*.png")):
            archive.write(path, path.relative_to(here / "plate"))
    call = (here / "gnb.skops", tmp_path / "plate.zip", tmp_path / "out")
    with distributed.Client(cluster, set_as_default=False) as client:
        found = predict_shards(*call, scheduler=client, shard_size=8)
        assert client.status == "running"
    assert found.total.n == N
    (tmp_path / "out" / "part-00001.csv").unlink()
    assert predict_shards(*call, shard_size=8) == found


def test_a_folder_that_goes_away_is_no_table_of_missing_files(here, plate, tmp_path, monkeypatch):
    monkeypatch.setattr(_prediction_table, "IMAGES_AT_A_TIME", 4)
    out = tmp_path / "out"

    def lose(done: int, total: int, what: str) -> None:
        if done == 14:  # in the middle of the second shard
            plate.rename(tmp_path / "away")

    with pytest.raises(DatasetNotFoundError, match="there is no such folder"):
        predict_shards(here / "gnb.skops", plate, out, shard_size=10, progress=lose)
    assert sorted(state(out)) == ["model.skops", "part-00000.csv", "shards.json"]


@pytest.mark.slow
def test_a_shard_that_fails_is_named_and_finished_ones_stay(here, cluster, plate, tmp_path):
    out = tmp_path / "out"
    call = (here / "gnb.skops", plate, out)

    def lose(done: int, total: int, what: str) -> None:
        if done and plate.exists():
            plate.rename(tmp_path / "away")

    with pytest.raises(NucrecError, match=r"part-0000\d.csv: on .*plate: there is no such folder"):
        predict_shards(*call, scheduler=cluster.scheduler_address, shard_size=1, progress=lose)
    (tmp_path / "away").rename(plate)
    before = state(out)
    assert 0 < len(before) - 2 < N
    assert predict_shards(*call, shard_size=1).total.n == N
    assert {name: state(out)[name] for name in before} == before


@pytest.mark.slow
def test_a_killed_worker_loses_nothing(here, cluster, tmp_path):
    killed = []
    out = tmp_path / "out"

    with distributed.Client(cluster, set_as_default=False) as client:

        def kill_one(done: int, total: int, what: str) -> None:
            if done and not killed:
                killed.append(next(iter(client.run(os.getpid).values())))
                os.kill(killed[0], signal.SIGKILL)

        found = predict_shards(
            here / "gnb.skops",
            here / "plate",
            out,
            scheduler=client,
            shard_size=1,
            progress=kill_one,
        )
    assert len(killed) == 1
    expected = predict_shards(here / "gnb.skops", here / "plate", tmp_path / "here", shard_size=1)
    assert found.to_dict() == expected.to_dict() | {"path": str(out)}
    assert {name: content for name, (_, content) in state(out).items() if "part" in name} == {
        name: content for name, (_, content) in state(tmp_path / "here").items() if "part" in name
    }
    assert len(state(out)) == N + 2  # the plan and the model besides: nothing half-written is left


@pytest.mark.slow
def test_a_cluster_that_cannot_do_it(here, cluster, tmp_path, monkeypatch):
    call = (here / "gnb.skops", here / "plate", tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr(_cluster.nucrec, "__version__", "0")
        with pytest.raises(NucrecError, match=r"part-00000.csv: on .* is installed here, not 0$"):
            predict_shards(*call[:2], tmp_path / "old", scheduler=cluster.scheduler_address)
    monkeypatch.setattr(_shards, "_WITHOUT_WORKERS", 1.0)
    with local_cluster(n_workers=0) as idle:
        with pytest.raises(NucrecError, match="no worker came within 1 s"):
            predict_shards(*call, scheduler=idle.scheduler_address)
    assert sorted(state(tmp_path / "out")) == ["model.skops", "shards.json"]
