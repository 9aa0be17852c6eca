"""Use an installed nucrec as its users do at first: data, a network, detection, an assay, old files."""

import json
import platform
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np

import nucrec
from nucrec.assay import summarize
from nucrec.datasets import load_mnfinder_crops, split
from nucrec.fields import detect, sample_fields
from nucrec.models import classical_zoo, cnn, load, pretrained, run_zoo

NEEDED = ("keras", "numpy", "pillow", "scikit-learn", "tensorflow", "typing-extensions", "skops")


def main(saved: Path) -> None:
    """Go through it; stop where an answer is not what it has to be."""
    assert "site-packages" in nucrec.__file__, nucrec.__file__
    warnings.simplefilter("ignore")  # of networks that have learnt nothing, and of other versions
    crops = load_mnfinder_crops()
    train, test = split(crops, random_state=0)
    network = cnn(image_size=32, epochs=1, random_state=0).fit(train)
    probabilities = network.predict_proba(test)
    network.save("network.keras")
    np.testing.assert_array_equal(load("network.keras").predict_proba(test), probabilities)
    zoo = {"LR": classical_zoo(random_state=0)["LR"]}
    assert [row.status for row in run_zoo(zoo, train, test).rows] == ["ok"]
    ready = pretrained()
    assert ready.predict_proba(crops[:8]).shape == (8, 2)
    cells = detect(sample_fields().fields)
    assert (cells.cells["n_micronuclei"] > 0).sum() > 20
    cells.to_csv("cells")
    assay = summarize(cells, by="field", unit="field")
    assert sum(each.n_scored for each in assay.conditions) == cells.cells["scored"].sum()
    expected = json.loads((saved / "predictions.json").read_text(encoding="utf-8"))
    for name, values in expected.items():
        found = load(saved / name).predict_proba(crops[::34])[:, 1]
        np.testing.assert_allclose(found, values, atol=1e-3, err_msg=name)
    versions = ", ".join(f"{name} {version(name)}" for name in NEEDED)
    print(f"nucrec {nucrec.__version__} works on Python {platform.python_version()}, {versions}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
