"""How well classifiers do on fields, experiments, cell lines and microscopes they never saw.

``python -m benchmarks.unseen morphology pixels embeddings transfer`` leaves each part of the 1970
shipped crops out once: five folds of fields, each experiment, each cell line, each microscope. What is
said of the crops left out is kept in build/unseen: the same command goes on where it was stopped.
``--table`` prints what is there as Markdown, the tables of docs/classical.md.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.timing import markdown_table
from nucrec.datasets import ImageDataset, folds, load_mnfinder_crops
from nucrec.evaluate import Report, report
from nucrec.models import ImageClassifier, classical_zoo, cnn, run_zoos, transfer

Array = npt.NDArray[Any]

SEED = 0
FEATURES = ("pixels", "morphology", "embeddings")
NETWORKS: dict[str, Callable[[], ImageClassifier]] = {
    "cnn": lambda: cnn(random_state=SEED),
    "transfer": lambda: transfer(random_state=SEED),
}
BY = ("field", "experiment", "cell_line", "microscope")


class Part(NamedTuple):
    """A part that is left out: its name, and the positions of the crops outside and in it."""

    name: str
    train: Array
    test: Array


class Said(NamedTuple):
    """What one classifier said of crops it was not trained on, in the order of the positions."""

    positions: Array
    predicted: Array
    scores: Array | None


def parts(crops: ImageDataset, by: str) -> list[Part]:
    """Return the parts of crops to leave out, one at a time: five folds of fields, or each value."""
    if by != "field":
        values = np.asarray(crops.metadata[by])
        return [
            Part(str(value), np.flatnonzero(values != value), np.flatnonzero(values == value))
            for value in np.unique(values)
        ]
    place = {name: k for k, name in enumerate(crops.ids.tolist())}
    pairs = folds(crops, 5, random_state=SEED)
    found = [[np.array([place[i] for i in side.ids.tolist()]) for side in pair] for pair in pairs]
    return [Part(f"fold {k}", train, test) for k, (train, test) in enumerate(found, 1)]


def run_classical(crops: ImageDataset, features: str, by: str, folder: Path) -> None:
    """Leave each part out that is not yet kept, with the eleven classical classifiers."""
    zoo = classical_zoo(features, random_state=SEED)  # type: ignore[arg-type]
    left = {
        part.name: part
        for part in parts(crops, by)
        if not _path(folder, by, part.name, features).exists()
    }
    if not left:
        return
    rows = _rows(crops, zoo["GNB"][0], folder / f"{features}.npy")
    labels = crops.labels
    pairs = {
        name: ((rows[part.train], labels[part.train]), (rows[part.test], labels[part.test]))
        for name, part in left.items()
    }
    for name, result in run_zoos(zoo, pairs):
        said = {
            row.name: Said(left[name].test, row.y_pred, row.y_score)
            for row in result
            if row.y_pred is not None
        }
        _keep(_path(folder, by, name, features), said)


def run_network(
    crops: ImageDataset,
    name: str,
    make: Callable[[], ImageClassifier],
    by: str,
    folder: Path,
) -> None:
    """Leave each part out that is not yet kept, with a network."""
    for part in parts(crops, by):
        path = _path(folder, by, part.name, name)
        if path.exists():
            continue
        print(f"{name}, without {part.name}", file=sys.stderr)
        unfinished = path.with_suffix("")
        model = make().fit(crops[part.train], checkpoint_dir=unfinished)
        said = {name: _said(model, crops, part.test)}
        said[f"{name}, 8 views"] = _said(model.set_params(views=8), crops, part.test)
        _keep(path, said)


def _said(model: ImageClassifier, crops: ImageDataset, positions: Array) -> Said:
    scores = model.predict_proba(crops[positions])
    return Said(positions, model.classes_[scores.argmax(axis=1)], scores)


def reports(crops: ImageDataset, kind: str, by: str, folder: Path) -> dict[str, Report]:
    """Return the report of each classifier over all crops; of those that have been left out."""
    kept = [_kept(_path(folder, by, part.name, kind)) for part in parts(crops, by)]
    if not all(kept):
        return {}
    found = {}
    for name in kept[0]:
        said = [one[name] for one in kept if name in one]
        if len(said) == len(kept):
            found[name] = _report(crops, said)
    return found


def report_parts(
    crops: ImageDataset, kind: str, name: str, by: str, folder: Path
) -> dict[str, Report]:
    """Return the report of a classifier for each part that was left out."""
    found = {part.name: _kept(_path(folder, by, part.name, kind)) for part in parts(crops, by)}
    return {part: _report(crops, [said[name]]) for part, said in found.items() if name in said}


def tables(crops: ImageDataset, folder: Path) -> Iterator[str]:
    """Yield the tables in Markdown: classical classifiers by features, then the best of all."""
    classical = {kind: reports(crops, kind, "field", folder) for kind in FEATURES}
    names = dict.fromkeys(name for found in classical.values() for name in found)
    header = ["classifier", *FEATURES]
    lines = [
        [name, *(_cell(classical[kind].get(name), "MC") for kind in FEATURES)] for name in names
    ]
    yield "MCC on five folds of fields\n\n" + markdown_table(header, lines)
    yield "Left out: MCC, and AUC\n\n" + markdown_table(
        ["classifier", *BY], list(_lines(crops, folder))
    )
    for by in BY[1:]:
        yield f"By {by}\n\n" + markdown_table(
            ["classifier", "left out", "crops", "MCC", "AUC", "sensitivity", "specificity"],
            list(_lines_of_parts(crops, by, folder)),
        )


def _lines(crops: ImageDataset, folder: Path) -> Iterator[list[str]]:
    for kind in (*FEATURES, *NETWORKS):
        found = {by: reports(crops, kind, by, folder) for by in BY}
        for name in _shown(kind, found["field"]):
            yield [_label(kind, name), *(_both(found[by].get(name)) for by in BY)]


def _lines_of_parts(crops: ImageDataset, by: str, folder: Path) -> Iterator[list[str]]:
    for kind in (*FEATURES[1:], *NETWORKS):
        for name in _shown(kind, reports(crops, kind, "field", folder)):
            for part, found in report_parts(crops, kind, name, by, folder).items():
                (tn, fp), (fn, tp) = np.asarray(found.confusion_matrix)
                yield [
                    *(_label(kind, name), part, str(found.n)),
                    *(_cell(found, "MC"), _cell(found, "AUC")),
                    *(f"{tp / (tp + fn):.2f}", f"{tn / (tn + fp):.2f}"),
                ]


def _shown(kind: str, found: Mapping[str, Report]) -> list[str]:
    """Return the classifiers to show: of the classical ones, the one with the largest MCC."""
    if kind in NETWORKS or not found:
        return list(found)
    return [max(found, key=lambda name: found[name].mcc.value)]


def _label(kind: str, name: str) -> str:
    return name if kind in NETWORKS else f"{name} on {kind}"


def _cell(found: Report | None, metric: str) -> str:
    if found is None or metric not in found.metrics:
        return "-"
    value = found.metrics[metric]
    return f"{value.value:.2f} ({value.low:.2f} to {value.high:.2f})"


def _both(found: Report | None) -> str:
    return f"{_cell(found, 'MC')}; {_cell(found, 'AUC')}"


def _report(crops: ImageDataset, said: Sequence[Said]) -> Report:
    positions = np.concatenate([one.positions for one in said])
    scores = [one.scores for one in said if one.scores is not None]
    return report(
        crops.labels[positions],
        np.concatenate([one.predicted for one in said]),
        np.concatenate(scores) if len(scores) == len(said) else None,
        class_names=crops.class_names,
        groups=crops.groups[positions],
    )


def _rows(crops: ImageDataset, features: Any, path: Path) -> Array:
    """Return a row of features for each crop, computed once."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _move_to(path, lambda file: np.save(file, features.fit(crops).transform(crops)))
    found: Array = np.load(path)
    return found


def _path(folder: Path, by: str, part: str, kind: str) -> Path:
    return folder / by / part / f"{kind}.npz"


def _keep(path: Path, said: Mapping[str, Said]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {
        f"{name}/{field}": value
        for name, one in said.items()
        for field, value in one._asdict().items()
        if value is not None
    }
    _move_to(path, lambda file: np.savez(file, **arrays))


def _kept(path: Path) -> dict[str, Said]:
    """Return what a file holds, by classifier; nothing if it is not there."""
    if not path.exists():
        return {}
    with np.load(path) as content:
        names = dict.fromkeys(key.rpartition("/")[0] for key in content)
        get = {key: content[key] for key in content}
    return {
        name: Said(*(get.get(f"{name}/{field}") for field in Said._fields))  # type: ignore[arg-type]
        for name in names
    }


def _move_to(path: Path, write: Callable[[Any], None]) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        write(file)
    temporary.replace(path)


def main() -> None:
    """Leave out what was asked for, or print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.unseen", description=__doc__)
    known = (*FEATURES, *NETWORKS)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(known)}")
    parser.add_argument("--by", nargs="+", choices=BY, default=BY)
    parser.add_argument("-o", "--out", type=Path, default=Path("build/unseen"), metavar="FOLDER")
    parser.add_argument("--table", action="store_true", help="print what is there")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.kinds) - set(known))
    if unknown:
        parser.error(f"no such kinds: {', '.join(unknown)}")
    crops = load_mnfinder_crops("all")
    for kind in arguments.kinds:
        for by in arguments.by:
            if kind in NETWORKS:
                run_network(crops, kind, NETWORKS[kind], by, arguments.out)
            else:
                run_classical(crops, kind, by, arguments.out)
    if arguments.table:
        print("\n\n".join(tables(crops, arguments.out)))


if __name__ == "__main__":
    main()
