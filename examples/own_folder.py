"""Load a folder of one's own, with files that cannot be read, and see what became of them."""

import tempfile
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from nucrec.datasets import load_folder

rng = np.random.default_rng(0)
with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    for class_name in ("nucleus", "micronucleus"):
        (folder / class_name).mkdir()
        for i in range(5):
            twelve_bit = rng.integers(0, 4096, (64, 80), dtype=np.uint16)
            Image.fromarray(twelve_bit).save(folder / class_name / f"cell {i}.tif")
    (folder / "nucleus" / "cell 5.tif").write_bytes(b"not an image")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = load_folder(folder)
    print(dataset)
    for file, reason in dataset.quarantined:
        print(f"left out: {file}: {reason}")
    print(f"as in the files: {dataset.images[0].shape}, {dataset.images[0].dtype}")
    array = dataset.to_array(size=48, dtype="float32")
    print(f"for a model: {array.shape}, {array.dtype}, {array.min():g} to {array.max():g}")
