"""Predicting a folder on a Dask cluster: the same tables, whatever becomes of the workers."""

import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

import nucrec
from nucrec.errors import InvalidParameterError, NucrecError
from nucrec.models import cnn, predict_shards

distributed = pytest.importorskip("distributed")

pytestmark = pytest.mark.slow

N = 23


@pytest.fixture(scope="module")
def here(tmp_path_factory, crops, gnb_file) -> Path:
    """A folder with models, and a plate of 23 images in two wells."""
    folder = tmp_path_factory.mktemp("shards")
    cnn(image_size=16, epochs=1, random_state=0).fit(crops[::9]).save(folder / "cnn.keras")
    shutil.copy(gnb_file, folder)
    for i in range(N):
        well = folder / "plate" / ("well A" if i < 9 else "well B/deep")
        well.mkdir(parents=True, exist_ok=True)
        Image.fromarray(crops.images[11 * i]).save(well / f"{i:02d}.png")
    return folder


def local_cluster(**options):
    """Return a cluster on this machine, with ports that nobody else has."""
    return distributed.LocalCluster(host="127.0.0.1", dashboard_address="127.0.0.1:0", **options)


WAITING = """
import sys
from nucrec.errors import NucrecError
from nucrec.models import predict_shards
from tests.system.test_shards_on_a_cluster import local_cluster
with local_cluster(n_workers=0) as idle:
    try:
        predict_shards(*sys.argv[1:], scheduler=idle.scheduler_address)
    except NucrecError as error:
        print(error)
"""


@pytest.fixture(scope="module", autouse=True)
def waiting(here, tmp_path_factory):
    """A call that no worker comes to, which waits for a minute beside the other tests; its folder."""
    out = tmp_path_factory.mktemp("waiting") / "out"
    call = [sys.executable, "-c", WAITING, here / "gnb.skops", here / "plate", out]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(call, cwd=Path(__file__).parents[2], **pipes) as process:
        yield process, out
        process.kill()


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


def test_no_scheduler_answers(here, tmp_path):
    call = (here / "gnb.skops", here / "plate", tmp_path / "out")
    with pytest.raises(NucrecError, match="no Dask scheduler answers at tcp://127.0.0.1:9: start"):
        predict_shards(*call, scheduler="tcp://127.0.0.1:9")
    for address in ("nothing", "what://127.0.0.1:9", ""):
        with pytest.raises(InvalidParameterError, match="scheduler: expected an address such as"):
            predict_shards(*call, scheduler=address)
    assert not (tmp_path / "out").exists()


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


@pytest.fixture
def older_nucrec(tmp_path) -> Path:
    """A folder to import another version of nucrec from."""
    source, copy = Path(nucrec.__file__).parent, tmp_path / "older" / "nucrec"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__", "data"))
    (copy / "_version.py").write_text('__version__ = "0"\n')
    return copy.parent


def test_a_worker_with_another_version_is_named(here, older_nucrec, tmp_path):
    with local_cluster(n_workers=0) as idle:
        worker = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_worker", idle.scheduler_address,
             "--no-nanny", "--nthreads", "1", "--no-dashboard"],
            env={**os.environ, "PYTHONPATH": str(older_nucrec)}, cwd=tmp_path,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        call = (here / "gnb.skops", here / "plate", tmp_path / "out")
        version = nucrec.__version__
        try:
            with pytest.raises(NucrecError, match=f"part-00000.csv: on .*nucrec 0 is .*{version}$"):
                predict_shards(*call, scheduler=idle.scheduler_address)
        finally:
            worker.kill()
            worker.wait(600)
    assert sorted(state(tmp_path / "out")) == ["model.skops", "shards.json"]


def test_without_workers_it_ends_after_a_minute(waiting):
    process, out = waiting
    told, errors = process.communicate(timeout=1200)
    assert "no worker connected within 60 s" in told, errors
    assert sorted(state(out)) == ["model.skops", "shards.json"]
