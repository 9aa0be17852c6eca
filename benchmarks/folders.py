"""Large folders of different images, a model for them, and the memory that work on them takes."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from PIL import Image

from nucrec.augment import Flip, Gamma, Noise, Pipeline, Rotate, Zoom
from nucrec.datasets import load_mnfinder_crops

_IMAGES_IN_A_FOLDER = 1000


def make_images(folder: Path, n: int, *, exact: bool = False) -> None:
    """Write `n` images: all different and of 64 x 64 pixels, or the shipped crops over and over.

    The different ones are the shipped crops, turned, zoomed, with noise.
    """
    crops = load_mnfinder_crops("all")
    changes = [Flip(), Rotate(), Zoom((0.8, 1.25)), Gamma((0.7, 1.4)), Noise((0.01, 0.02))]
    pipeline = Pipeline(changes, random_state=0)
    for start in range(0, n, len(crops)):
        part = crops[: min(len(crops), n - start)]
        images = list(part.images)
        if not exact:
            images = pipeline(images, 64, ids=part.ids.tolist(), copy=start)
        for i, image in enumerate(images, start):
            path = folder / f"well {i // _IMAGES_IN_A_FOLDER:03d}" / f"{i:07d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)


def peak_memory() -> int:
    """Return the largest resident memory of this process so far, in MB (Linux)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024


def train_small(path: Path) -> None:
    """Save a small network; in a process of its own, so that TensorFlow is no memory of this one."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        pool.submit(_train_small, path).result()


def _train_small(path: Path) -> None:
    from nucrec.models import cnn

    cnn(image_size=32, epochs=5, random_state=0).fit(load_mnfinder_crops()).save(path)
