"""A folder predicted in shards by two workers, of which one is killed.

``python -m benchmarks.cluster --images 100000``
"""

import argparse
import csv
import os
import random
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

import distributed

from benchmarks.folders import make_images, peak_memory, train_small
from nucrec.models import load, predict_folder, predict_shards

_COMPARED = 5  # shards that are predicted once more in one piece


class Killer:
    """Shows progress, and kills a worker when a third of the images are done."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.lost = 0
        self.peak = 0

    def __call__(self, done: int, total: int, what: str) -> None:
        """Take what `predict_shards` tells."""
        print(f"  {done}/{total} {what}", flush=True)
        if self.lost or 3 * done < total:
            return
        address, pid = next(iter(self._client.run(os.getpid).items()))
        self.peak = self._client.run(peak_memory, workers=[address])[address]
        self.lost = len(self._client.processing([address])[address])
        os.kill(pid, signal.SIGKILL)
        print(f"  killed worker {address}, which was given {self.lost} shards", flush=True)


def same_as_in_one_piece(model: Path, images: Path, parts: list[Path]) -> int:
    """Predict some of the shards once more in one piece each; return how many are the same."""
    same = 0
    for part in parts:
        with tempfile.TemporaryDirectory() as name, part.open(encoding="utf-8", newline="") as rows:
            for row in csv.DictReader(rows):
                path = Path(name, "images", row["file"])
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(images / row["file"], path)
            predict_folder(load(model), Path(name, "images"), Path(name, "table.csv"))
            same += Path(name, "table.csv").read_bytes() == part.read_bytes()
    return same


def main() -> None:
    """Make images, predict them, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--shard-size", type=int, default=5 * 1024)
    parser.add_argument("--folder", type=Path, help="keep images and tables here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        run(arguments.folder or Path(name), arguments.images, arguments.shard_size)


def run(folder: Path, n: int, shard_size: int) -> None:
    """Do everything in a folder."""
    images, model, out = folder / "images", folder / "model.keras", folder / "tables"
    if not images.exists():
        make_images(images, n)
    train_small(model)
    options = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with (
        distributed.LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=2, threads_per_worker=1, **options
        ) as cluster,
        distributed.Client(cluster) as client,  # type: ignore[no-untyped-call]
    ):
        killer = Killer(client)
        started = time.perf_counter()
        found = predict_shards(
            model, images, out, scheduler=client, shard_size=shard_size, progress=killer
        )
        seconds = time.perf_counter() - started
        workers = max(killer.peak, *client.run(peak_memory).values())
        own = peak_memory()
    parts = sorted(out.glob("part-*.csv"))
    some = random.Random(0).sample(parts, min(_COMPARED, len(parts)))
    left = sorted({path.name for path in out.iterdir()} - {path.name for path in parts})
    print(f"images: {found.total.n}, called {found.positive_class}: {found.total.positive}")
    print(f"seconds: {seconds:.0f}, images/s: {found.total.n / seconds:.0f}")
    print(
        f"shards: {len(parts)}, given to the killed worker and to another one then: {killer.lost}"
    )
    print(f"peak memory: client with scheduler {own} MB, the larger worker {workers} MB")
    print(f"besides the parts: {', '.join(left)}")
    print(
        f"the same bytes in one piece: {same_as_in_one_piece(model, images, some)} of {len(some)}"
    )


if __name__ == "__main__":
    main()
