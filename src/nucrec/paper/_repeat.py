"""Repeat a run from its record, and compare the results."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nucrec import _notebook as show
from nucrec._paths import checked_path
from nucrec._progress import Progress
from nucrec._validation import invalid
from nucrec.datasets import ImageDataset
from nucrec.errors import DatasetError
from nucrec.paper._data import SHIPPED, load_data
from nucrec.paper._parameters import Parameters
from nucrec.paper._reproduce import Reproduction, run

_EXACT = 1e-9
_NETWORKS = 0.05
"""How much an accuracy of a network may differ: other hardware adds in another order."""


@dataclass(frozen=True)
class Repetition:
    """The result of repeating a run.

    Attributes
    ----------
    result : Reproduction
        The new run.
    compared : int
        The number of values that were compared.
    differences : tuple of str
        Descriptions of the values that do not agree.
    changed : tuple of str
        Versions and hardware that differ from the first run.

    Examples
    --------
    >>> from nucrec.paper import Repetition, Reproduction
    >>> again = Repetition(Reproduction((), {}, ()), compared=66, differences=(), changed=())
    >>> print(again, again.agrees)
    66 numbers compared, 0 differ True
    """

    result: Reproduction
    compared: int
    differences: tuple[str, ...]
    changed: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether all numbers agree."""
        return not self.differences

    def __str__(self) -> str:
        lines = [f"{self.compared} numbers compared, {len(self.differences)} differ"]
        lines += [f"  {difference}" for difference in self.differences]
        if self.changed:
            lines.append("Changed since: " + "; ".join(self.changed))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return show.fragment(show.paragraphs(*str(self).splitlines()))

    def to_dict(self) -> dict[str, Any]:
        """Return everything except the new run as plain lists and numbers.

        Returns
        -------
        dict
            ``{"agrees", "compared", "differences", "changed"}``.
        """
        return {
            "agrees": self.agrees,
            "compared": self.compared,
            "differences": list(self.differences),
            "changed": list(self.changed),
        }


def repeat(
    record: str | Path,
    data: str | Path | ImageDataset | None = None,
    out: str | Path = "results-again",
    *,
    n_jobs: int | None = None,
    progress: Progress | bool = True,
) -> Repetition:
    """Repeat a run of `reproduce` from its record, and check whether the numbers agree.

    Parameters
    ----------
    record : path
        The ``run.json`` of the first run.
    data : path or ImageDataset, optional
        The same data, if they have moved.
    out : path, default="results-again"
        The folder for the files of the new run.
    n_jobs, progress : optional
        As in `reproduce`.

    Returns
    -------
    Repetition
        The comparison. Classical classifiers must agree in all digits, and accuracies of networks to
        within 0.05.

    Raises
    ------
    InvalidParameterError
        The file is not the record of a run.
    DatasetNotFoundError, DatasetError
        The data cannot be loaded, or differ from those of the record.

    Examples
    --------
    >>> import tempfile
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> from nucrec.paper import repeat, reproduce
    >>> few = load_mnfinder_crops()[::5]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = reproduce(few, tables=1, protocol="paper", out=folder, progress=False)
    ...     again = repeat(f"{folder}/run.json", few, out=f"{folder}/again", progress=False)
    >>> again.agrees
    True
    """
    before = _read(checked_path("record", record))
    if data is None and before["data"]["source"] != SHIPPED:
        data = before["data"]["source"]
    dataset, source = load_data(data)
    if dataset.fingerprint != before["data"]["fingerprint"]:
        raise DatasetError(
            f"the data are not those of {record}: their fingerprint is {dataset.fingerprint[:12]}..., "
            f"it was {before['data']['fingerprint'][:12]}..."
        )
    parameters = Parameters.of_record(before["parameters"])
    result = run(dataset, source, parameters, checked_path("out", out), n_jobs, progress)
    old, new = dict(_numbers(before)), dict(_numbers(result.record))
    differences = [
        f"{what}: {_shown(old.get(what))} then, {_shown(new.get(what))} now"
        for what in {**old, **new}
        if not _agree(what, old.get(what), new.get(what))
    ]
    changed = tuple(_changed(before, result.record))
    return Repetition(result, len({**old, **new}), tuple(differences), changed)


def _read(path: Path) -> dict[str, Any]:
    expected = "a run.json that nucrec reproduce wrote"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        Parameters.of_record(record["parameters"])
        if {"source", "fingerprint"} <= set(record["data"]):
            dict(_numbers(record))
            return dict(record)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise invalid("record", expected, f"{path}: {error!r}") from error
    raise invalid("record", expected, str(path))


def _numbers(record: Mapping[str, Any]) -> Iterator[tuple[str, float | str | None]]:
    """Yield the values that must agree, with their names."""
    for entry in record["runs"]:
        where = f"table {entry['table']}, {entry['protocol']} protocol"
        for number, fold in enumerate(entry["folds"], 1):
            which = where if len(entry["folds"]) == 1 else f"{where}, fold {number}"
            yield f"{which}, test images", ",".join(fold["test_ids"])
            for row in fold["rows"]:
                yield from _of_row(f"{which}, {row['name']}", row)


def _of_row(name: str, row: Mapping[str, Any]) -> Iterator[tuple[str, float | str | None]]:
    if "accuracy" in row:
        yield f"{name}, network accuracy", row["accuracy"]["value"]
        return
    yield f"{name}, status", row["status"]
    if row["report"] is not None:
        for metric, found in row["report"]["metrics"].items():
            yield f"{name}, {metric}", found["value"]


def _agree(what: str, old: float | str | None, new: float | str | None) -> bool:
    if not isinstance(old, float | int) or not isinstance(new, float | int):
        return old == new
    tolerance = _NETWORKS if what.endswith("network accuracy") else _EXACT
    return math.isclose(old, new, rel_tol=0, abs_tol=tolerance)


def _shown(value: float | str | None) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    text = str(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for part in ("versions", "hardware"):
        for name, value in now[part].items():
            old = before.get(part, {}).get(name)
            if old != value:
                yield f"{name} {old} to {value}"
