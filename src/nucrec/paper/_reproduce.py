"""Reproduce the paper's tables, from data to files, in one call."""

import json
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nucrec import _notebook as show
from nucrec._files import make_folder, only_writer, write_text
from nucrec._paths import checked_path
from nucrec._progress import Progress
from nucrec._validation import check_int, invalid
from nucrec._warnings import warn
from nucrec._written import CARD, CHECKPOINTS, FIGURE, RECORD, table_files
from nucrec.datasets import ImageDataset
from nucrec.errors import LongRunWarning, MissingExtraError
from nucrec.evaluate import Ranking
from nucrec.models import load_backbone
from nucrec.paper._card import card
from nucrec.paper._data import describe_data, load_data
from nucrec.paper._figures import can_draw, draw_figure_4
from nucrec.paper._parameters import Parameters, table_numbers
from nucrec.paper._presets import Preset, PresetName
from nucrec.paper._record import make_record, plain
from nucrec.paper._runs import Runs
from nucrec.paper._specification import TABLES
from nucrec.paper._tables import TEXT_WIDTH, TableResult
from nucrec.paper._verdict import (
    Claim,
    claims_notes,
    claims_table,
    claims_text,
    make_claims,
    rank_tables,
)


@dataclass(frozen=True)
class Reproduction:
    """The result of `reproduce`.

    Attributes
    ----------
    tables : tuple of TableResult
        The tables, in the paper's order.
    record : dict
        The run record: versions, seeds, data fingerprint, splits, timings and failures, as in
        ``run.json``; plain dicts, lists and numbers.
    files : tuple of Path
        The files that were written.
    missing : tuple of str
        The results that could not be obtained, why, and what to do about it.
    claims : tuple of Claim
        The headline of each table: as claimed, under the paper's protocol, and honest.
    ranking : Ranking or None
        The tables ranked by their honest headlines on the same folds; None if fewer than two have
        one.

    Examples
    --------
    >>> from nucrec.paper import Reproduction, TableResult, published_table
    >>> table = TableResult(published_table(1), {}, {})
    >>> result = Reproduction((table,), record={"seed": 0}, files=())
    >>> result.tables[0].published.number, result.record
    (1, {'seed': 0})
    """

    tables: tuple[TableResult, ...]
    record: dict[str, Any]
    files: tuple[Path, ...]
    missing: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    ranking: Ranking | None = None

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        tables = (show.folded(each.title, each._repr_html_()) for each in self.tables)
        return show.fragment(
            show.heading("Verdict"),
            show.table(*claims_table(self.claims)),
            show.paragraphs(*claims_notes(self.claims, self.ranking), *self.missing),
            *tables,
        )

    def to_text(self, width: int = TEXT_WIDTH) -> str:
        """Return all tables as plain text, and below them the verdict.

        Parameters
        ----------
        width : int, default=98
            Width of the terminal in characters.
        """
        parts = [table.to_text(width) for table in self.tables]
        return "\n\n\n".join([*parts, claims_text(self.claims, self.ranking, width)])


def reproduce(
    data: str | Path | ImageDataset | None = None,
    tables: str | int | Sequence[int] = "all",
    preset: PresetName = "quick",
    protocol: Literal["paper", "honest", "both"] = "both",
    out: str | Path = "results",
    *,
    backbone: str | None = None,
    weights: str | os.PathLike[str] = "imagenet",
    random_state: int = 0,
    n_repeats: int = 2,
    n_jobs: int | None = None,
    timeout: float | None = 600.0,
    progress: Progress | bool = True,
) -> Reproduction:
    """Reproduce tables of the paper, with published values beside obtained ones.

    Parameters
    ----------
    data : path or ImageDataset, optional
        The NucRec folder or zip archive, any folder, archive or CSV file that
        `nucrec.datasets.load_folder` accepts, or a data set of originals. By default, the crops that
        ship with nucrec, subset "paper".
    tables : "all", int, sequence of int, or str such as "1,2", default="all"
        The tables to reproduce.
    preset : {"quick", "overnight", "full"}, default="quick"
        The effort spent on Tables III to VI. "quick" is for a laptop: a CNN on small images, and the
        frozen features of EfficientNet-Lite0 in place of InceptionResNetV2, as the titles say; requires
        the extra ``offline``. "full" trains all layers of InceptionResNetV2 at 299 pixels for 100
        epochs, and "overnight" for 20, with ImageNet weights that Keras downloads; an interrupted run
        is resumed by the same call. Tables I and II are the same in all presets.
    protocol : {"paper", "honest", "both"}, default="both"
        "paper" augments first and then draws 30 % of the images as the test set, as the paper must have
        done, so that copies of one image are in both sets. "honest" is a three-fold cross-validation
        over whole groups, with the same folds for every table, in which only training sets are
        augmented.
    out : path, default="results"
        The folder for the files, which is created if necessary. Files of the same names are replaced,
        and others are left alone. A second call for the same folder is refused while the first runs.
    backbone : str, optional
        The pre-trained network of Tables V and VI, by its name in `nucrec.models.backbones`, at its
        default image size. ``backbone="inception-resnet-v2"`` with the preset "quick" gives the frozen
        features of the paper's own network at 299 pixels.
    weights : "imagenet" or path, default="imagenet"
        The weights of the pre-trained network: those of ImageNet, or a file of them. A file that does
        not fit is refused before anything is computed, and so is one that no table needs.
    random_state : int, default=0
        Seed of all random numbers.
    n_repeats : int, default=2
        The number of times that the honest protocol draws folds.
    n_jobs : int, optional
        Number of classifiers, or trainings of the preset "quick", in parallel; by default that of
        `joblib.parallel_config`, otherwise one for each core. Results do not depend on it.
    timeout : float, optional
        Seconds after which a classical classifier is stopped; its row then says so.
    progress : bool or callable, default=True
        If True, show progress on standard error. A callable receives (steps done, total steps,
        description).

    Returns
    -------
    Reproduction
        The tables, the run record and the files: for each table ``table-N.csv`` (unrounded, with
        intervals) and ``table-N.md``; ``figure-4.png`` if any of Tables III to VI were made and
        matplotlib is installed (extra ``plots``); ``card.md``, a one-page summary; and, written last,
        ``run.json``, the complete record. If weights are not available, the table and ``missing`` say
        so.

    Raises
    ------
    InvalidParameterError
        A parameter is out of range.
    WeightsNotAvailableError, WeightsError
        The file `weights` does not exist, or does not hold weights of the backbone. If the ImageNet
        weights are not available, the other tables are made, and nothing is raised.
    DatasetNotFoundError, DatasetError
        The data cannot be loaded.
    SplitError
        The data cannot be split, for example because there are too few groups.
    NucrecError
        The folder cannot be written to, or another call writes to it.

    Warns
    -----
    LongRunWarning
        The trainings of the preset "overnight" or "full" will take hours; it says how many.

    Examples
    --------
    >>> import tempfile
    >>> from nucrec.paper import reproduce
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = reproduce(
    ...         tables=1, protocol="honest", out=folder, n_repeats=1, progress=False
    ...     )
    ...     print([path.name for path in result.files])
    ['table-1.csv', 'table-1.md', 'card.md', 'run.json']
    >>> accuracy = result.tables[0].metric("honest", "ET", "ACC")
    >>> len(accuracy.folds), bool(accuracy.low < accuracy.value < accuracy.high)
    (3, True)
    """
    if weights != "imagenet":
        weights = str(checked_path("weights", weights, "'imagenet' or the path of a file"))
    parameters = Parameters(
        table_numbers(tables),
        preset,
        protocol,
        random_state,
        n_repeats,
        timeout,
        backbone,
        str(weights),
    )
    if parameters.weights != "imagenet" and not _needs_weights(parameters):
        raise invalid("weights", "'imagenet' unless Tables V or VI are made", weights)
    if n_jobs is not None:
        check_int("n_jobs", n_jobs, low=1)
    dataset, source = load_data(data)
    return run(dataset, source, parameters, checked_path("out", out), n_jobs, progress)


def run(
    dataset: ImageDataset,
    source: str,
    parameters: Parameters,
    folder: Path,
    n_jobs: int | None,
    progress: Progress | bool,
) -> Reproduction:
    """Reproduce the tables with data that were loaded from `source`."""
    started = time.perf_counter()
    preset = parameters.networks
    _check_weights(preset, parameters)
    runs = Runs(dataset, preset, parameters, n_jobs, folder / CHECKPOINTS, progress)
    make_folder(folder)
    told = runs.announcement()
    if told is not None:
        warn(told, LongRunWarning)
    with only_writer(folder):
        tables = []
        for table in runs.tables():
            tables.append(table)
            _write_table(table, folder)
        tables.sort(key=lambda table: table.published.number)
        record = make_record(parameters.to_dict(), describe_data(dataset, source), tables)
        result = _conclude(tables, record, folder, started)
        shutil.rmtree(runs.checkpoints, ignore_errors=True)
    return result


def _check_weights(preset: Preset, parameters: Parameters) -> None:
    """Raise if the user's own file of weights does not fit, before anything is computed."""
    network = preset.pretrained
    if _needs_weights(parameters) and network.weights != "imagenet":
        load_backbone(str(network.backbone), image_size=network.image_size, weights=network.weights)


def _needs_weights(parameters: Parameters) -> bool:
    """Return whether there is a table of a pre-trained network."""
    return any(TABLES[number].kind == "pretrained" for number in parameters.tables)


def _conclude(
    results: Sequence[TableResult], record: dict[str, Any], folder: Path, started: float
) -> Reproduction:
    """Draw the figure, complete the record with the verdict, and write it and the card."""
    figure, reason = _write_figure(results, folder)
    claims = make_claims(results)
    ranking = rank_tables(claims)
    record["verdict"] = [claim.to_dict() for claim in claims]
    record["ranking"] = None if ranking is None else ranking.to_dict()
    record["seconds"] = time.perf_counter() - started
    record = plain(record)
    write_text(folder / CARD, card(record, claims_text(claims, ranking)))
    write_text(folder / RECORD, json.dumps(record, indent=2, allow_nan=False) + "\n")
    files = [path for table in results for path in _table_files(table, folder)]
    missing = [why for table in results for why in _unavailable(table)]
    return Reproduction(
        tuple(results),
        record,
        (*files, *figure, folder / CARD, folder / RECORD),
        tuple(dict.fromkeys([*missing, *reason])),
        claims,
        ranking,
    )


def _unavailable(table: TableResult) -> list[str]:
    """Return the reason why a network's table lacks results, if it does."""
    if not table.spec.is_network:
        return []
    return [f"{table.title}: {why}" for r in table.obtained.values() for _, why in r.failures]


def _write_figure(tables: Sequence[TableResult], folder: Path) -> tuple[list[Path], list[str]]:
    """Return the figure that was drawn, or what is missing to draw it."""
    if not can_draw(tables):
        return [], []
    path = folder / FIGURE
    try:
        draw_figure_4(tables, path)
    except MissingExtraError as error:
        return [], [f"{path.name} was not drawn: {error}"]
    return [path], []


def _write_table(table: TableResult, folder: Path) -> None:
    texts = (table.to_csv(), table.to_markdown())
    for path, text in zip(_table_files(table, folder), texts, strict=True):
        write_text(path, text)


def _table_files(table: TableResult, folder: Path) -> list[Path]:
    return [folder / name for name in table_files(table.published.number)]
