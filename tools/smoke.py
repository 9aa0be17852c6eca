"""Use an installed nucrec without extras, from images to predictions; see that it asks for them."""

import struct
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

import nucrec
from nucrec.audit import duplicates, leakage
from nucrec.augment import paper_pipeline
from nucrec.datasets import load_images, load_mnfinder_crops, split
from nucrec.errors import (
    DatasetError,
    MissingExtraError,
    NucrecError,
    TrainingWarning,
    WeightsNotAvailableError,
)
from nucrec.evaluate import ConfusionMatrixDisplay, report
from nucrec.fields import detect, sample_fields
from nucrec.models import (
    MorphologyFeatures,
    classical_zoo,
    cnn,
    load,
    model_info,
    predict_folder,
    predict_shards,
    run_zoo,
    save,
    transfer,
)
from nucrec.paper import published_table


def must_fail(error: type[NucrecError], extra: str, call: Callable[[], object]) -> None:
    """Stop unless a call raises an error that says which extra to install."""
    try:
        call()
    except error as found:
        if f'pip install "nucrec[{extra}]"' in str(found):
            return
        raise
    raise SystemExit(f"smoke: no error without the extra {extra}")


def tiff_of_doubles() -> bytes:
    """Return a TIFF of one pixel, a 64-bit float, which Pillow does not read."""
    tags = {256: 1, 257: 1, 258: 64, 259: 1, 262: 1, 273: 134, 277: 1, 278: 1, 279: 8, 339: 3}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<Id", 0, 0.5)


def main(extras: list[str]) -> None:
    """Go the way that the tutorial goes, with as little work as possible."""
    assert "site-packages" in nucrec.__file__, nucrec.__file__
    crops = load_mnfinder_crops()
    assert len(crops) == 306
    assert len(load_mnfinder_crops("all")) == 1970
    assert published_table(1).number == 1
    train, test = split(crops, random_state=0)
    assert leakage(train[:40], test[:40]).leaked == 0
    assert len(duplicates(crops[:40])) == 0
    cells = detect(sample_fields().fields)
    assert (cells.cells["n_micronuclei"] > 0).sum() > 20
    larger = paper_pipeline(random_state=0).expand(train, copies=1)
    assert len(larger) == 2 * len(train)

    zoo = classical_zoo(random_state=0)
    found = run_zoo({name: zoo[name] for name in ("GNB", "LR")}, larger, test, timeout=120)
    assert [row.status for row in found.rows] == ["ok", "ok"]

    # after one epoch it has learnt nothing, and says so
    warnings.filterwarnings("ignore", "the network classifies all of", TrainingWarning)
    model = cnn(image_size=32, epochs=1, random_state=0).fit(train)
    scores = model.predict_proba(test)
    numbers = report(test.labels, scores.argmax(1), scores, groups=test.groups)
    assert numbers.n == len(test)
    model.save("model.keras")
    assert model_info("model.keras").fingerprint == train.fingerprint
    again = load("model.keras")
    np.testing.assert_array_equal(again.predict_proba(test), scores)
    Path("plate").mkdir()
    for i, image in enumerate(test.images[:5]):
        Image.fromarray(image).save(Path("plate", f"cell {i}.png"))
    predictions = predict_folder(again, "plate", "predictions.csv")
    assert predictions.total.n == 5
    assert Path("predictions.csv").read_text().count("\n") == 6

    Path("doubles").mkdir()
    Path("doubles", "pixel.tif").write_bytes(tiff_of_doubles())

    address = "tcp://127.0.0.1:8786"
    gnb = zoo["GNB"].fit(train, train.labels)
    missing: dict[str, tuple[type[NucrecError], Callable[[], object]]] = {
        "distributed": (
            MissingExtraError,
            lambda: predict_shards("model.keras", "plate", "tables", scheduler=address),
        ),
        "microscopy": (DatasetError, lambda: load_images("doubles")),
        "morphology": (MissingExtraError, lambda: MorphologyFeatures().fit(train)),
        "offline": (WeightsNotAvailableError, lambda: transfer(epochs=1).fit(train)),
        "plots": (MissingExtraError, lambda: ConfusionMatrixDisplay.from_report(numbers).plot()),
        "skops": (MissingExtraError, lambda: save(gnb, "gnb.skops")),
    }
    assert sorted(missing) == extras
    for extra, (error, call) in missing.items():
        must_fail(error, extra, call)
    print(f"nucrec {nucrec.__version__} works; without extras it asks for {', '.join(extras)}")


if __name__ == "__main__":
    main(sys.argv[1:])
