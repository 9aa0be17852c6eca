"""Run the classifiers and networks of the tables under each protocol."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nucrec._progress import Progress, progress_function
from nucrec._threads import available_cores
from nucrec.datasets import ImageDataset
from nucrec.errors import LeakageWarning
from nucrec.models import (
    CrossValidation,
    FoldResults,
    Truth,
    ZooResult,
    classical_zoo,
    run_zoos,
)
from nucrec.paper._effort import Effort, announcement
from nucrec.paper._epochs import EpochResult, epoch_result
from nucrec.paper._parameters import Parameters
from nucrec.paper._presets import Preset
from nucrec.paper._protocol import N_SPLITS, Division, ProtocolName, make_divisions
from nucrec.paper._published import published_table
from nucrec.paper._specification import TABLES, Kind, TableSpec
from nucrec.paper._tables import CONFIDENCE, Obtained, TableResult


@dataclass(frozen=True)
class Runs:
    """Compute the tables.

    Attributes
    ----------
    dataset : ImageDataset
        The originals.
    preset : Preset
        The effort spent on networks.
    parameters : Parameters
        The parameters of the run.
    n_jobs : int or None
        Number of classifiers, or trainings, in parallel.
    checkpoints : Path
        The folder of the checkpoints of long trainings.
    progress : bool or callable
        As in `reproduce`.
    """

    dataset: ImageDataset
    preset: Preset
    parameters: Parameters
    n_jobs: int | None
    checkpoints: Path
    progress: Progress | bool

    def announcement(self) -> str | None:
        """Return how long the trainings will take, if that is hours."""
        tables = [TABLES[number] for number in self.parameters.tables if TABLES[number].is_network]
        efforts = []
        for table in tables:
            made = self._divisions([table]).values()
            sizes = [(len(each.train), len(each.test)) for each in made]
            efforts.append(Effort.of(self.preset.of(table), sizes))
        return announcement(self.parameters.preset, efforts) if self.preset.is_long else None

    def tables(self) -> Iterator[TableResult]:
        """Yield each table as soon as it is complete."""
        batches = _batches([TABLES[number] for number in self.parameters.tables])
        divisions = [self._divisions(batch) for batch in batches]
        zoos = [self._zoo(batch) for batch in batches]
        steps = [len(zoo) * len(each) for zoo, each in zip(zoos, divisions, strict=True)]
        shown = progress_function(self.progress)
        for k, batch in enumerate(batches):
            show = _part_of(shown, sum(steps[:k]), sum(steps))
            yield from self._tables(batch, zoos[k], divisions[k], show)

    def _divisions(self, batch: Sequence[TableSpec]) -> dict[str, Division]:
        """Return the training and test sets by name."""
        # The largest networks go first, so that no core idles at the end.
        sizes = sorted({table.augmented for table in batch}, reverse=batch[0].is_network)
        return {
            _name(division, number, len(made)): division
            for augmented in sizes
            for protocol in self.parameters.protocols
            for made in [self._divide(protocol, augmented=augmented)]
            for number, division in enumerate(made, 1)
        }

    def _divide(self, protocol: ProtocolName, *, augmented: bool) -> tuple[Division, ...]:
        seed, n_repeats = self.parameters.random_state, self.parameters.n_repeats
        return make_divisions(
            self.dataset, protocol, augmented=augmented, seed=seed, n_repeats=n_repeats
        )

    def _zoo(self, batch: Sequence[TableSpec]) -> dict[str, Any]:
        if not batch[0].is_network:
            return dict(classical_zoo(random_state=self.parameters.random_state))
        return {
            table.kind: self.preset.network(table, self.parameters.random_state) for table in batch
        }

    def _tables(
        self,
        batch: Sequence[TableSpec],
        zoo: Mapping[str, Any],
        divisions: Mapping[str, Division],
        show: Progress,
    ) -> Iterator[TableResult]:
        options = (
            self._network_options() if batch[0].is_network else {"timeout": self.parameters.timeout}
        )
        pairs = {name: (division.train, division.test) for name, division in divisions.items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LeakageWarning)  # the tables' captions tell of it
            running = run_zoos(
                zoo, pairs, n_jobs=self.n_jobs, confidence=CONFIDENCE, progress=show, **options
            )
        results: dict[str, ZooResult] = {}
        for name, result in running:
            results[name] = result
            for table in batch:
                own = {n: d for n, d in divisions.items() if d.augmented == table.augmented}
                if name in own and results.keys() >= own.keys():
                    yield self._table(table, own, results)

    def _network_options(self) -> dict[str, Any]:
        long = {"checkpoint_dir": self.checkpoints, "network_cores": available_cores()}
        return {"learning_curves": True, **(long if self.preset.is_long else {})}

    def _table(
        self, table: TableSpec, divisions: Mapping[str, Division], results: Mapping[str, ZooResult]
    ) -> TableResult:
        published, truth = published_table(table.number), Truth.of(self.dataset)
        obtained: dict[str, Obtained] = {}
        parts: dict[str, tuple[Division, ...]] = {}
        for protocol in self.parameters.protocols:
            names = [name for name, each in divisions.items() if each.protocol == protocol]
            parts[protocol] = tuple(divisions[name] for name in names)
            found = [results[name] for name in names]
            if table.is_network:
                trainings = _trainings(found, parts[protocol], table.kind, published.columns)
                folds = FoldResults(trainings, N_SPLITS, CONFIDENCE)
                obtained[protocol] = trainings[0] if protocol == "paper" else folds
            else:
                together = CrossValidation(tuple(found), N_SPLITS, CONFIDENCE, truth)
                obtained[protocol] = found[0] if protocol == "paper" else together
        return TableResult(published, obtained, parts, self.preset.setting(table))


def _trainings(
    results: Sequence[ZooResult], parts: Sequence[Division], kind: Kind, columns: Sequence[str]
) -> tuple[EpochResult, ...]:
    """Train a network on each split, and return its epochs."""
    return tuple(
        epoch_result(result[kind], Truth.of(part.test), columns)
        for result, part in zip(results, parts, strict=True)
    )


def _batches(tables: Sequence[TableSpec]) -> list[list[TableSpec]]:
    """Return the tables whose rows are computed together, on the same splits."""
    needed = {
        kind: tuple(table.augmented for table in tables if table.kind == kind)
        for kind in dict.fromkeys(table.kind for table in tables)
    }
    batches: dict[tuple[bool, tuple[bool, ...]], list[TableSpec]] = {}
    for table in tables:
        batches.setdefault((table.is_network, needed[table.kind]), []).append(table)
    return list(batches.values())


def _name(division: Division, number: int, of: int) -> str:
    images = "augmented" if division.augmented else "plain"
    name = f"{division.protocol} protocol, {images} images"
    return name if of == 1 else f"{name}, fold {number} of {of}"


def _part_of(show: Progress, before: int, total: int) -> Progress:
    """Return a callable that reports the progress of some of all steps."""
    return lambda done, _, what: show(before + done, total, what)
