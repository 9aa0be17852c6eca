"""Running what the tables are made of: classifiers and trainings, under each protocol."""

import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from nucrec._children.pool import in_children
from nucrec._children.process import ONE_CORE, ChildDiedError, ChildError, ChildProcess
from nucrec._progress import Progress, progress_function
from nucrec.datasets import ImageDataset
from nucrec.errors import LeakageWarning, WeightsNotAvailableError
from nucrec.models import CrossValidation, FoldResults, ImageClassifier, ZooResult, classical_zoo
from nucrec.models._weights import BACKBONES, find_weights
from nucrec.models._zoo.run import check_zoo, run_parts
from nucrec.paper._epochs import EpochResult, epoch_result
from nucrec.paper._presets import AUGMENTED, CLASSICAL, Preset
from nucrec.paper._protocol import N_SPLITS, Division, ProtocolName, make_divisions
from nucrec.paper._published import published_table
from nucrec.paper._tables import CONFIDENCE, Obtained, TableResult

_CLASSIFIERS = 11


@dataclass(frozen=True, eq=False)
class _Part:
    """What is run at a time: all classifiers, or one training, on one division."""

    table: int
    protocol: ProtocolName
    fold: int
    n_folds: int
    division: Division

    def __str__(self) -> str:
        where = f"table {self.table}, {self.protocol} protocol"
        return where if self.n_folds == 1 else f"{where}, fold {self.fold} of {self.n_folds}"


_Result = ZooResult | EpochResult


@dataclass(frozen=True)
class Runs:
    """Makes tables.

    Attributes
    ----------
    dataset : ImageDataset
        Originals.
    preset : Preset
        How much work to put into networks.
    protocols : sequence of str
        "paper", "honest".
    seed, n_repeats : int
        Seed of everything; how many times the honest protocol draws folds.
    n_jobs : int or None
        Classifiers, or trainings, at a time.
    timeout : float or None
        Seconds for one classical classifier.
    checkpoints : Path or None
        Where trainings keep their state. With it they run one after the other on the whole machine;
        without it side by side, each in a process of its own with one thread.
    progress : bool or callable
        As in `reproduce`.
    """

    dataset: ImageDataset
    preset: Preset
    protocols: Sequence[ProtocolName]
    seed: int
    n_repeats: int
    n_jobs: int | None
    timeout: float | None
    checkpoints: Path | None
    progress: Progress | bool

    def tables(self, numbers: Sequence[int]) -> Iterator[TableResult]:
        """Yield the tables of these numbers, from 1 to 6, each as it is done."""
        check_zoo(self._zoo(), self.timeout, self.n_jobs, CONFIDENCE)
        parts = self._parts(numbers)
        found: dict[_Part, _Result] = {}
        for part, result in self._results(parts):
            found[part] = result
            of_table = [each for each in parts if each.table == part.table]
            if all(each in found for each in of_table):
                yield self._table(part.table, {each: found[each] for each in of_table})

    def _zoo(self) -> dict[str, object]:
        return classical_zoo(random_state=self.seed)

    def _parts(self, numbers: Sequence[int]) -> list[_Part]:
        divisions = {
            (name, augmented): make_divisions(
                self.dataset, name, augmented=augmented, seed=self.seed, n_repeats=self.n_repeats
            )
            for augmented in sorted({AUGMENTED[number] for number in numbers})
            for name in self.protocols
        }
        return [
            _Part(number, name, fold, len(divisions[name, AUGMENTED[number]]), division)
            for number in numbers
            for name in self.protocols
            for fold, division in enumerate(divisions[name, AUGMENTED[number]], 1)
        ]

    def _results(self, parts: Sequence[_Part]) -> Iterator[tuple[_Part, _Result]]:
        """Yield what each part gave: classifiers first, then networks, as they are done."""
        steps = _Steps(self.progress, sum(self._size(part) for part in parts))
        classical = [part for part in parts if part.table in CLASSICAL]
        networks = [part for part in parts if part.table not in CLASSICAL]
        yield from self._classify(classical, steps)
        if self.checkpoints is not None:
            for part in networks:
                show = steps.part(str(part), self._size(part))
                yield part, self._train_here(part, self.checkpoints, show)
            return
        trainings = (
            (k, self.preset.classifier(part.table, self.seed), part.division, _columns(part))
            for k, part in enumerate(networks)
        )
        with closing(in_children(_train_in, trainings, self.n_jobs, ONE_CORE)) as found:
            for k, result in found:
                part = networks[k]
                size = self._size(part)
                steps.part(str(part), size)(size, size, "trained")
                yield part, result

    def _classify(
        self, parts: Sequence[_Part], steps: "_Steps"
    ) -> Iterator[tuple[_Part, ZooResult]]:
        by_name = {str(part): part for part in parts}
        pairs = {name: (part.division.train, part.division.test) for name, part in by_name.items()}
        show = steps.part("", _CLASSIFIERS * len(parts))
        zoo = self._zoo()
        for name, result in run_parts(zoo, pairs, self.timeout, self.n_jobs, CONFIDENCE, show):
            yield by_name[name], result

    def _size(self, part: _Part) -> int:
        """Return how many steps of the progress a part takes."""
        return _CLASSIFIERS if part.table in CLASSICAL else self.preset.epochs_of(part.table)

    def _table(self, number: int, found: dict[_Part, _Result]) -> TableResult:
        obtained: dict[str, Obtained] = {}
        divisions: dict[str, tuple[Division, ...]] = {}
        for name in self.protocols:
            results = [result for part, result in found.items() if part.protocol == name]
            divisions[name] = tuple(part.division for part in found if part.protocol == name)
            obtained[name] = results[0] if name == "paper" else _together(results)
        return TableResult(
            published_table(number), obtained, divisions, self.preset.setting(number)
        )

    def _train_here(self, part: _Part, checkpoints: Path, show: Progress) -> EpochResult:
        """Train in this process, from where a checkpoint left off."""
        classifier = self.preset.classifier(part.table, self.seed).set_params(progress=show)
        folder = checkpoints / f"table-{part.table}-{part.protocol}-{part.fold}"
        result = _train(classifier, part.division, _columns(part), folder)
        if result.error is not None:
            show(1, 1, "not trained")
        return result


def _together(results: Sequence[_Result]) -> Obtained:
    """Return the results of the folds as one."""
    zoos = [result for result in results if isinstance(result, ZooResult)]
    if zoos:
        return CrossValidation(tuple(zoos), N_SPLITS, CONFIDENCE)
    trainings = [result for result in results if isinstance(result, EpochResult)]
    return FoldResults(tuple(trainings), N_SPLITS, CONFIDENCE)


def _columns(part: _Part) -> Sequence[str]:
    return published_table(part.table).columns


def _train_in(
    child: ChildProcess,
    number: int,
    classifier: ImageClassifier,
    division: Division,
    columns: Sequence[str],
) -> tuple[int, EpochResult]:
    """Train in a child process; whatever happens becomes a result."""
    started = time.perf_counter()
    try:
        backbone = BACKBONES.get(str(classifier.backbone))
        if backbone is not None:
            find_weights(backbone, classifier.weights)
        result: EpochResult = child.call(_train, classifier, division, columns)
    except (ChildDiedError, ChildError, WeightsNotAvailableError) as error:
        result = EpochResult((), time.perf_counter() - started, str(error))
    return number, result


def _train(
    classifier: ImageClassifier,
    division: Division,
    columns: Sequence[str],
    checkpoint: Path | None = None,
) -> EpochResult:
    """Train a network, and return its rows, or that its weights cannot be had."""
    started = time.perf_counter()
    try:
        with warnings.catch_warnings():
            # an interrupt is raised again below: no weights are kept
            warnings.filterwarnings("ignore", "training was interrupted")
            warnings.simplefilter("ignore", LeakageWarning)  # the table's caption tells of it
            classifier.fit(division.train, validation=division.test, checkpoint_dir=checkpoint)
    except WeightsNotAvailableError as error:
        return EpochResult((), time.perf_counter() - started, str(error))
    if classifier.interrupted_:
        raise KeyboardInterrupt
    seconds = time.perf_counter() - started
    return epoch_result(classifier, division.test, columns, seconds)


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
            text = f"{what}: {name}" if what else name
            self._show(before + size * done // total, self._total, text)

        return show
