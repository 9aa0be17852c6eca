"""The paper's tables, from data to files, in one call."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nucrec._files import make_folder, write_text
from nucrec._progress import Progress, ProgressLine, silent
from nucrec._validation import check_choice, check_int, invalid
from nucrec.datasets import ImageDataset, load_folder, load_mnfinder_crops, load_nucrec
from nucrec.datasets._nucrec import is_nucrec
from nucrec.models import ZooResult, classical_zoo, run_zoo
from nucrec.paper._protocol import COPIES, TEST_SIZE, Division, ProtocolName, make_division
from nucrec.paper._published import published_table
from nucrec.paper._record import describe_data, make_record, to_json
from nucrec.paper._tables import TEXT_WIDTH, TableResult

_AUGMENTED = {1: False, 2: True}
"""The tables that can be reproduced, and whether their images are augmented."""


@dataclass(frozen=True)
class Reproduction:
    """What `reproduce` found.

    Attributes
    ----------
    tables : tuple of TableResult
        The tables, in the paper's order.
    record : dict
        The run record: versions, seeds, data fingerprint, split, timings, failures.
    files : tuple of Path
        The files that were written.
    """

    tables: tuple[TableResult, ...]
    record: dict[str, Any]
    files: tuple[Path, ...]

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, width: int = TEXT_WIDTH) -> str:
        """Return all tables as plain text.

        Parameters
        ----------
        width : int, default=98
            Columns of the terminal.
        """
        return "\n\n\n".join(table.to_text(width) for table in self.tables)


def reproduce(
    data: str | Path | ImageDataset | None = None,
    tables: str | int | Sequence[int] = "all",
    preset: Literal["quick", "full"] = "quick",
    protocol: Literal["paper", "honest", "both"] = "both",
    out: str | Path = "results",
    *,
    random_state: int = 0,
    n_jobs: int | None = None,
    timeout: float | None = 600.0,
    progress: Progress | bool = True,
) -> Reproduction:
    """Reproduce tables of the paper: published beside obtained.

    Parameters
    ----------
    data : path or ImageDataset, optional
        The NucRec folder or zip archive, any folder, archive or CSV file that
        `nucrec.datasets.load_folder` takes, or a data set of originals. By default the crops that
        ship with nucrec, subset "paper".
    tables : "all", int, sequence of int, or str such as "1,2", default="all"
        Which tables. This version reproduces Tables I and II.
    preset : {"quick", "full"}, default="quick"
        How much work to put in. Tables I and II are the same in both.
    protocol : {"paper", "honest", "both"}, default="both"
        "paper" augments first and then draws 30 % of the images for the test, as the paper must
        have done, so that copies of one image are on both sides. "honest" draws whole groups, and
        augments the training part only.
    out : path, default="results"
        Folder for the files; made if need be. Files of these names are replaced, others left alone.
    random_state : int, default=0
        Seed of everything.
    n_jobs : int, optional
        Classifiers at a time; by default one for each core. Results do not depend on it.
    timeout : float, optional
        Seconds for one classifier, after which it is stopped and its row says so.
    progress : bool or callable, default=True
        True shows progress on standard error. A callable gets (steps done, steps in all, what is
        done).

    Returns
    -------
    Reproduction
        The tables, the run record and the files: for each table ``table-N.csv`` (unrounded, with
        intervals) and ``table-N.md``, and ``run.json``.

    Raises
    ------
    InvalidParameterError
        A parameter is out of range.
    DatasetNotFoundError, DatasetError
        The data cannot be loaded.
    SplitError
        The data cannot be divided, for example because there are too few groups.
    NucrecError
        The folder cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> from nucrec.paper import reproduce
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = reproduce(tables=1, protocol="honest", out=folder, progress=False)
    ...     print([path.name for path in result.files])
    ['table-1.csv', 'table-1.md', 'run.json']
    >>> len(result.tables[0].obtained["honest"])
    11
    """
    numbers = _table_numbers(tables)
    check_choice("preset", preset, ("quick", "full"))
    check_choice("protocol", protocol, ("paper", "honest", "both"))
    check_int("random_state", random_state, low=0, high=2**32 - 1)
    protocols: list[ProtocolName] = ["paper", "honest"] if protocol == "both" else [protocol]

    started = time.perf_counter()
    dataset, source = _load(data)
    folder = Path(out).expanduser()
    make_folder(folder)
    steps = _Steps(progress, 11 * len(numbers) * len(protocols))
    results: list[TableResult] = []
    files: list[Path] = []
    for number in numbers:
        divisions: dict[str, Division] = {
            name: make_division(dataset, name, augmented=_AUGMENTED[number], seed=random_state)
            for name in protocols
        }
        obtained: dict[str, ZooResult] = {
            name: _run(division, number, random_state, timeout, n_jobs, steps)
            for name, division in divisions.items()
        }
        results.append(TableResult(published_table(number), obtained, divisions))
        files += _write_table(results[-1], folder)
    parameters = {
        "tables": numbers,
        "preset": preset,
        "protocol": protocol,
        "random_state": random_state,
        "test_size": TEST_SIZE,
        "copies": COPIES,
        "timeout": timeout,
    }
    record = make_record(parameters, describe_data(dataset, source), results)
    record["seconds"] = time.perf_counter() - started
    write_text(folder / "run.json", to_json(record))
    return Reproduction(tuple(results), record, (*files, folder / "run.json"))


class _Steps:
    """Counts the classifiers over several zoos, for one progress line."""

    def __init__(self, progress: Progress | bool, total: int) -> None:
        shown = ProgressLine() if progress is True else silent
        self._show = progress if callable(progress) else shown
        self._total = total
        self._finished = 0

    def zoo(self, what: str) -> Progress:
        """Return the progress function for the next zoo."""

        def show(done: int, total: int, name: str) -> None:
            self._show(self._finished + done, self._total, f"{what}: {name}")
            if done == total:
                self._finished += total

        return show


def _table_numbers(tables: str | int | Sequence[int]) -> tuple[int, ...]:
    if tables == "all":
        return tuple(_AUGMENTED)
    expected = "'all', or table numbers such as '1,2' or [1, 2]"
    parts: Sequence[Any] = (
        tables.split(",")
        if isinstance(tables, str)
        else ([tables] if isinstance(tables, int) else tables)
    )
    try:
        numbers = tuple(sorted({int(part) for part in parts}))
    except (TypeError, ValueError) as error:
        raise invalid("tables", expected, tables) from error
    if not numbers or not set(numbers) <= set(range(1, 7)):
        raise invalid("tables", expected + ", from 1 to 6", tables)
    if not set(numbers) <= set(_AUGMENTED):
        raise invalid("tables", "1 or 2", tables, "This version reproduces Tables I and II.")
    return numbers


def _load(data: str | Path | ImageDataset | None) -> tuple[ImageDataset, str]:
    """Return the data set, and where it came from."""
    if data is None:
        return load_mnfinder_crops("paper"), "load_mnfinder_crops('paper')"
    if isinstance(data, ImageDataset):
        return data, "ImageDataset"
    if not isinstance(data, str | Path):
        raise invalid("data", "a path or an ImageDataset", data)
    path = Path(data).expanduser()
    if path.exists() and path.suffix.lower() != ".csv" and is_nucrec(path):
        return load_nucrec(path), str(path)
    return load_folder(path), str(path)


def _run(
    division: Division,
    number: int,
    seed: int,
    timeout: float | None,
    n_jobs: int | None,
    steps: _Steps,
) -> ZooResult:
    show = steps.zoo(f"table {number}, {division.protocol} protocol")
    zoo = classical_zoo(random_state=seed)
    return run_zoo(zoo, division.train, division.test, timeout, n_jobs, progress=show)


def _write_table(table: TableResult, folder: Path) -> list[Path]:
    number = table.published.number
    texts = {"csv": table.to_csv(), "md": table.to_markdown()}
    for ending, text in texts.items():
        write_text(folder / f"table-{number}.{ending}", text)
    return [folder / f"table-{number}.{ending}" for ending in texts]
