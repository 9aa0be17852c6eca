"""How time and memory grow with the number of images.

``python -m benchmarks.growth --sizes 1000 10000 100000 -o growth.png``
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.folders import make_images, peak_memory, train_small
from benchmarks.timing import markdown_table

Point = dict[str, float]


def load(folder: Path) -> None:
    """Load the folder: each file is decoded once."""
    from nucrec.datasets import load_images

    load_images(folder / "images")


def epoch(folder: Path) -> None:
    """Load the folder and read each image once more, which decodes what memory had no room for."""
    from nucrec.datasets import load_images

    for _ in load_images(folder / "images").batches(64):
        pass


def stream(folder: Path) -> None:
    """Pass over the folder as a `tf.data.Dataset`."""
    from nucrec.datasets import load_images

    for _ in load_images(folder / "images").stream(64):
        pass


def audit(folder: Path) -> None:
    """Look for duplicates and windows that overlap."""
    from nucrec.audit import duplicates
    from nucrec.datasets import load_images

    duplicates(load_images(folder / "images"))


def embed(folder: Path) -> None:
    """Turn each image into a row of numbers."""
    from nucrec.datasets import load_images
    from nucrec.models import Embeddings

    Embeddings(image_size=64).fit_transform(load_images(folder / "images"))


def predict(folder: Path) -> None:
    """Predict the folder with a small network."""
    from nucrec.models import load as load_model
    from nucrec.models import predict_folder

    predict_folder(load_model(folder / "model.keras"), folder / "images", folder / "table.csv")


TASKS: dict[str, Callable[[Path], None]] = {
    "load": load,
    "epoch": epoch,
    "stream": stream,
    "audit": audit,
    "embed": embed,
    "predict": predict,
}


def main() -> None:
    """Measure each task in a process of its own, and write the table and the plot."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=TASKS)
    parser.add_argument("--exact", action="store_true", help="the crops as they are, over and over")
    parser.add_argument("--folder", type=Path, help="keep images here")
    parser.add_argument("-o", "--out", type=Path, default=Path("growth.png"))
    parser.add_argument("--only", nargs=2, metavar=("TASK", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    sizes = sorted(arguments.sizes)
    if arguments.only:
        print(json.dumps(_measure(TASKS[arguments.only[0]], Path(arguments.only[1]))))
        return
    with tempfile.TemporaryDirectory() as temporary:
        root = arguments.folder or Path(temporary)
        found: dict[tuple[str, int], Point] = {}
        for n in sizes:
            folder = _folder_of(root, n, exact=arguments.exact)
            for file in (folder / "images").rglob("*.png"):
                file.read_bytes()  # or the first task alone would wait for the disk
            for task in arguments.tasks:
                found[task, n] = _in_a_process(task, folder)
    rows = [_row(task, sizes, found) for task in arguments.tasks]
    header = ["", *(f"{n:,} images" for n in sizes), "growth of time"]
    print(markdown_table(header, rows))
    record = [{"task": task, "images": n, **point} for (task, n), point in found.items()]
    arguments.out.with_suffix(".json").write_text(json.dumps(record, indent=2) + "\n")
    _plot(arguments.tasks, sizes, found, arguments.out)


def _folder_of(root: Path, n: int, *, exact: bool) -> Path:
    folder = root / f"{n}{'-exact' if exact else ''}"
    if not (folder / "images").exists():
        print(f"making {n} images", file=sys.stderr)
        make_images(folder / "images", n, exact=exact)
    if not (folder / "model.keras").exists():
        train_small(folder / "model.keras")
    return folder


def _in_a_process(task: str, folder: Path) -> Point:
    command = [sys.executable, "-m", "benchmarks.growth", "--only", task, str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    point: Point = json.loads(done.stdout.splitlines()[-1])
    print(f"{task} {folder.name}: {point}", file=sys.stderr)
    return point


def _measure(task: Callable[[Path], None], folder: Path) -> Point:
    started = time.perf_counter()
    task(folder)
    return {"seconds": time.perf_counter() - started, "megabytes": peak_memory()}


def _row(task: str, sizes: list[int], found: dict[tuple[str, int], Point]) -> list[str]:
    points = [found[task, n] for n in sizes]
    cells = [f"{point['seconds']:.1f} s, {point['megabytes']:.0f} MB" for point in points]
    if len(sizes) < 2:
        return [task, *cells, ""]
    # of the last step: what came before is mostly the start of the libraries
    times = points[-1]["seconds"] / points[-2]["seconds"]
    allowed = sizes[-1] * math.log(sizes[-1]) / (sizes[-2] * math.log(sizes[-2]))
    return [task, *cells, f"{times:.1f} (n log n: {allowed:.1f})"]


def _plot(
    tasks: list[str], sizes: list[int], found: dict[tuple[str, int], Point], path: Path
) -> None:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
    markers = "osD^vP"
    for k, (key, label) in enumerate([("seconds", "seconds"), ("megabytes", "peak memory, MB")]):
        for task, marker in zip(tasks, markers, strict=False):
            values = [found[task, n][key] for n in sizes]
            axes[k].plot(sizes, values, marker=marker, label=task)
        axes[k].set(xscale="log", yscale="log", xlabel="images", ylabel=label)
        axes[k].grid(alpha=0.3)
    axes[0].plot(sizes, [n / 200 for n in sizes], "k:", label="proportional")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    figure.savefig(path, dpi=200)


if __name__ == "__main__":
    main()
