"""A folder of PNG files, and of large 16-bit TIFF files, to arrays."""

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import keras
import numpy as np
from PIL import Image

from benchmarks.timing import Comparison, Elsewhere
from nucrec.datasets import load_folder, load_mnfinder_crops

SIZE = 96
N_LARGE, LARGE = 60, 1024


def comparisons() -> Iterator[Comparison]:
    """Yield nucrec against Keras's directory reader, and against decoding alone."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        n = _write_crops(root / "png")
        work = f"class folder of {n} PNG files to arrays of {SIZE} x {SIZE}"

        def ours() -> None:
            load_folder(root / "png").to_array(SIZE, 1)

        peer = "`keras.utils.image_dataset_from_directory`"
        yield Comparison(work, peer, ours, Elsewhere(_with_keras, root / "png"), 15, n, goal=1)
        decoder = _decoder(sorted((root / "png").rglob("*.png")), 1)
        yield Comparison(work, "Pillow, decoding alone", ours, decoder, 15, n, goal=1 / 1.3)
        _write_large(root / "tiff")
        work = f"class folder of {N_LARGE} TIFF files, 16 bit, {LARGE} x {LARGE}, each decoded once"
        decoder = _decoder(sorted((root / "tiff").rglob("*.tif")), joblib.cpu_count())
        peer = f"Pillow, decoding alone, {joblib.cpu_count()} threads"

        def large() -> None:
            load_folder(root / "tiff")

        yield Comparison(work, peer, large, decoder, 7, N_LARGE, goal=1 / 1.2)


def _with_keras(root: Path) -> None:
    data = keras.utils.image_dataset_from_directory(
        root, image_size=(SIZE, SIZE), color_mode="grayscale", verbose=False
    )
    np.concatenate([images for images, _ in data.as_numpy_iterator()])


def _write_crops(root: Path) -> int:
    crops = load_mnfinder_crops("all")
    for image, label, name in zip(crops.images, crops.labels, crops.ids, strict=True):
        folder = root / crops.class_names[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.asarray(image)).save(folder / f"{name.replace('/', '-')}.png")
    return len(crops)


def _write_large(root: Path) -> None:
    """Write what a camera of 12 bits gives: smooth, with noise."""
    rng = np.random.default_rng(0)
    smooth = np.hypot(*np.mgrid[-1 : 1 : LARGE * 1j, -1 : 1 : LARGE * 1j]) * 1500
    for k in range(N_LARGE):
        folder = root / ("nucleus", "micronucleus")[k % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = (smooth + rng.integers(0, 200, (LARGE, LARGE))).astype(np.uint16)
        Image.fromarray(pixels).save(folder / f"{k}.tif", compression="tiff_lzw")


def _decoder(files: list[Path], n_threads: int) -> Callable[[], None]:
    def decode(file: Path) -> None:
        with Image.open(file) as image:
            np.asarray(image)

    def run() -> None:
        for file in files:
            decode(file)

    def run_in_threads() -> None:
        with ThreadPoolExecutor(n_threads) as pool:
            list(pool.map(decode, files))

    return run if n_threads == 1 else run_in_threads
