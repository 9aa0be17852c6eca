"""The paper's tables, from data to files, in one call."""

import shutil
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nucrec._files import make_folder, write_text
from nucrec._progress import Progress, progress_function
from nucrec._validation import check_choice, check_int, invalid
from nucrec.datasets import ImageDataset, load_folder, load_mnfinder_crops, load_nucrec
from nucrec.datasets._nucrec import is_nucrec
from nucrec.errors import LeakageWarning, MissingExtraError, WeightsNotAvailableError
from nucrec.models import ZooResult, classical_zoo, run_zoo
from nucrec.paper._card import card
from nucrec.paper._epochs import EpochResult, epoch_result
from nucrec.paper._figures import can_draw, draw_figure_4
from nucrec.paper._presets import AUGMENTED, CLASSICAL, PRESETS, Preset
from nucrec.paper._protocol import COPIES, TEST_SIZE, Division, ProtocolName, make_division
from nucrec.paper._published import published_table
from nucrec.paper._record import SHIPPED, describe_data, make_record, to_json
from nucrec.paper._tables import TEXT_WIDTH, TableResult
from nucrec.paper._verdict import Claim, claims_text, make_claims


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
    missing : tuple of str
        What could not be made, why, and what to do about it.
    claims : tuple of Claim
        The headline of each table: claimed, as the paper must have tested, and honest.
    """

    tables: tuple[TableResult, ...]
    record: dict[str, Any]
    files: tuple[Path, ...]
    missing: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, width: int = TEXT_WIDTH) -> str:
        """Return all tables as plain text, and below them the verdict.

        Parameters
        ----------
        width : int, default=98
            Columns of the terminal.
        """
        parts = [table.to_text(width) for table in self.tables]
        return "\n\n\n".join([*parts, claims_text(self.claims, width)])


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
        Which tables.
    preset : {"quick", "full"}, default="quick"
        How much work to put into Tables III to VI. "quick", for a laptop: small images, 30 epochs
        of the CNN, and in place of InceptionResNetV2 the frozen features of EfficientNet-Lite0, as
        the titles say; needs the extra ``offline``. "full": InceptionResNetV2 at 299 pixels,
        everything trained for 100 epochs, with ImageNet weights that Keras downloads; where it was
        stopped, the same call goes on. Tables I and II are the same in both.
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
        intervals) and ``table-N.md``; ``figure-4.png`` if there are any of Tables III to VI and
        matplotlib is installed (extra ``plots``); ``card.md``, the run on one page; and ``run.json``,
        the whole of it, last. A table for which weights cannot be had says so, and so does
        ``missing``.

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
    ['table-1.csv', 'table-1.md', 'card.md', 'run.json']
    >>> len(result.tables[0].obtained["honest"])
    11
    """
    numbers = _table_numbers(tables)
    check_choice("preset", preset, ("quick", "full"))
    check_choice("protocol", protocol, ("paper", "honest", "both"))
    check_int("random_state", random_state, low=0, high=2**32 - 1)
    protocols: list[ProtocolName] = ["paper", "honest"] if protocol == "both" else [protocol]

    started = time.perf_counter()
    dataset, source = load_data(data)
    folder = Path(out).expanduser()
    make_folder(folder)
    run = _Run(
        dataset=dataset,
        preset=PRESETS[preset],
        seed=random_state,
        n_jobs=n_jobs,
        timeout=timeout,
        checkpoints=folder / "checkpoints" if preset == "full" else None,
        steps=_Steps(progress, sum(_size(n, PRESETS[preset]) for n in numbers) * len(protocols)),
    )
    results: list[TableResult] = []
    files: list[Path] = []
    for number in numbers:
        results.append(run.table(number, protocols))
        files += _write_table(results[-1], folder)
    missing = [why for table in results for why in _unavailable(table)]
    figure, reason = _write_figure(results, folder)
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
    claims = make_claims(results)
    record["verdict"] = [claim.to_dict() for claim in claims]
    record["seconds"] = time.perf_counter() - started
    write_text(folder / "card.md", card(record, claims))
    write_text(folder / "run.json", to_json(record))
    if run.checkpoints is not None:
        shutil.rmtree(run.checkpoints, ignore_errors=True)
    return Reproduction(
        tuple(results),
        record,
        (*files, *figure, folder / "card.md", folder / "run.json"),
        tuple(dict.fromkeys([*missing, *reason])),
        claims,
    )


@dataclass(frozen=True)
class _Run:
    """What all tables of a run share."""

    dataset: ImageDataset
    preset: Preset
    seed: int
    n_jobs: int | None
    timeout: float | None
    checkpoints: Path | None
    steps: "_Steps"

    def table(self, number: int, protocols: Sequence[ProtocolName]) -> TableResult:
        """Return a table under each protocol."""
        divisions: dict[str, Division] = {
            name: make_division(self.dataset, name, augmented=AUGMENTED[number], seed=self.seed)
            for name in protocols
        }
        one = self._zoo if number in CLASSICAL else self._training
        obtained: dict[str, ZooResult | EpochResult] = {
            name: one(number, division) for name, division in divisions.items()
        }
        setting = self.preset.setting(number)
        return TableResult(published_table(number), obtained, divisions, setting)

    def _zoo(self, number: int, division: Division) -> ZooResult:
        show = self.steps.part(f"table {number}, {division.protocol} protocol", _size(number))
        zoo = classical_zoo(random_state=self.seed)
        train, test = division.train, division.test
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LeakageWarning)  # the table's caption tells of it
            return run_zoo(zoo, train, test, self.timeout, self.n_jobs, progress=show)

    def _training(self, number: int, division: Division) -> EpochResult:
        what = f"table {number}, {division.protocol} protocol"
        show = self.steps.part(what, _size(number, self.preset))
        classifier = self.preset.classifier(number, self.seed).set_params(progress=show)
        checkpoint = None
        if self.checkpoints is not None:
            checkpoint = self.checkpoints / f"table-{number}-{division.protocol}"
        started = time.perf_counter()
        try:
            with warnings.catch_warnings():
                # an interrupt is raised again below: no weights are kept
                warnings.filterwarnings("ignore", "training was interrupted")
                warnings.simplefilter("ignore", LeakageWarning)  # the table's caption tells of it
                classifier.fit(division.train, validation=division.test, checkpoint_dir=checkpoint)
        except WeightsNotAvailableError as error:
            show(1, 1, "weights are missing")
            return EpochResult((), time.perf_counter() - started, str(error))
        if classifier.interrupted_:
            raise KeyboardInterrupt
        seconds = time.perf_counter() - started
        return epoch_result(classifier, division.test, published_table(number).columns, seconds)


def _size(number: int, preset: Preset = PRESETS["quick"]) -> int:
    """Return how many steps of the progress a table takes under one protocol."""
    return 11 if number in CLASSICAL else preset.epochs_of(number)


def _unavailable(table: TableResult) -> list[str]:
    """Return why a table has no results, if the weights for it cannot be had."""
    results = [r for r in table.obtained.values() if isinstance(r, EpochResult)]
    return [f"{table.title}: {result.error}" for result in results if result.error]


def _write_figure(tables: Sequence[TableResult], folder: Path) -> tuple[list[Path], list[str]]:
    """Return the figure that was drawn, and what is missing to draw it."""
    if not can_draw(tables):
        return [], []
    path = folder / "figure-4.png"
    try:
        draw_figure_4(tables, path)
    except MissingExtraError as error:
        return [], [f"{path.name} was not drawn: {error}"]
    return [path], []


class _Steps:
    """One progress line over parts of different kinds and sizes."""

    def __init__(self, progress: Progress | bool, total: int) -> None:
        self._show = progress_function(progress)
        self._total = total
        self._finished = 0

    def part(self, what: str, size: int) -> Progress:
        """Return the progress function of the next part, which counts as so many steps."""
        before = self._finished
        self._finished += size

        def show(done: int, total: int, name: str) -> None:
            self._show(before + size * done // total, self._total, f"{what}: {name}")

        return show


def _table_numbers(tables: str | int | Sequence[int]) -> tuple[int, ...]:
    if tables == "all":
        return tuple(AUGMENTED)
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
    if not numbers or not set(numbers) <= set(AUGMENTED):
        raise invalid("tables", expected + ", from 1 to 6", tables)
    return numbers


def load_data(data: str | Path | ImageDataset | None) -> tuple[ImageDataset, str]:
    """Return the data set, and where it came from."""
    if data is None:
        return load_mnfinder_crops("paper"), SHIPPED
    if isinstance(data, ImageDataset):
        return data, "ImageDataset"
    if not isinstance(data, str | Path):
        raise invalid("data", "a path or an ImageDataset", data)
    path = Path(data).expanduser()
    if path.exists() and path.suffix.lower() != ".csv" and is_nucrec(path):
        return load_nucrec(path), str(path)
    return load_folder(path), str(path)


def _write_table(table: TableResult, folder: Path) -> list[Path]:
    number = table.published.number
    texts = {"csv": table.to_csv(), "md": table.to_markdown()}
    for ending, text in texts.items():
        write_text(folder / f"table-{number}.{ending}", text)
    return [folder / f"table-{number}.{ending}" for ending in texts]
