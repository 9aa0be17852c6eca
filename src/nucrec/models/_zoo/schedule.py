"""The schedule of a zoo: which classifier runs when, on which split, in which kind of process."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any, NamedTuple

from joblib import parallel_config
from sklearn.pipeline import Pipeline

from nucrec._children.pool import in_children, runs_here
from nucrec._children.process import ONE_THREAD, ChildProcess
from nucrec._parallel import configured_jobs
from nucrec._progress import Progress, progress_function
from nucrec._threads import available_cores
from nucrec.evaluate import Ranking
from nucrec.models._zoo.conditions import Conditions
from nucrec.models._zoo.features import SharedFeatures, share_features
from nucrec.models._zoo.jobs import Division, Job, full_label
from nucrec.models._zoo.networks import has_gpu, is_network, network_environment
from nucrec.models._zoo.result import ZooResult
from nucrec.models._zoo.row import ZooRow
from nucrec.models._zoo.truth import Truth

_OF_MANY_STEPS = ("learning_rate", "n_estimators", "estimators")
"""Parameters of classifiers that are fitted in many steps or of many others: the slow ones."""


def run_divisions(
    zoo: Mapping[str, Any], divisions: Mapping[str, Division], conditions: Conditions
) -> Iterator[tuple[str, ZooResult]]:
    """Yield the name and result of each split as soon as it is done."""
    rows: dict[str, dict[str, ZooRow]] = {label: {} for label in divisions}
    steps = _Steps(progress_function(conditions.progress), len(zoo) * len(divisions))
    steps.begin()
    for pool in _pools(zoo, conditions):
        shared = {
            name: _shared(name, zoo[name], divisions, pool, conditions, steps)
            for name in pool.names
        }
        makers = (conditions.jobs(label, each) for label, each in divisions.items())
        jobs = (
            (maker.label, maker.job(name, zoo[name], shared[name]))
            for maker in makers
            for name in pool.names
        )
        with closing(
            in_children(_run, jobs, pool.n_jobs, pool.environment, steps.told)
        ) as finished:
            for label, row in finished:
                rows[label][row.name] = row
                steps.done(full_label(label, row.name))
                if len(rows[label]) == len(zoo):
                    in_order = tuple(rows[label][name] for name in zoo)
                    truth = divisions[label].truth
                    ranking = _ranking(in_order, truth, conditions.confidence)
                    yield label, ZooResult(in_order, ranking, truth)


class _Pool(NamedTuple):
    """Classifiers that run in child processes of one kind, a limited number at a time."""

    names: list[str]
    environment: Mapping[str, str]
    n_jobs: int | None


def _pools(zoo: Mapping[str, Any], conditions: Conditions) -> Iterator[_Pool]:
    networks = [name for name in zoo if is_network(zoo[name])]
    if networks:
        on_gpu = runs_here() and has_gpu()
        environment = network_environment(conditions.network_cores, on_gpu=on_gpu)
        yield _Pool(networks, environment, 1 if on_gpu else _networks_at_a_time(conditions))
    # no core should wait at the end for a slow classifier that began last
    others = [name for name in zoo if name not in networks]
    if others:
        others.sort(key=lambda name: _rank_of_cost(zoo[name]))
        yield _Pool(others, ONE_THREAD, conditions.n_jobs)


def _shared(
    name: str,
    model: Any,
    divisions: Mapping[str, Division],
    pool: _Pool,
    conditions: Conditions,
    steps: "_Steps",
) -> SharedFeatures | None:
    """Return the features that the trainings of a network with a frozen backbone share."""
    return share_features(
        model,
        {label: (each.X, each.X_test) for label, each in divisions.items()},
        lambda what: steps.told((name, what)),
        n_jobs=pool.n_jobs,
        environment=pool.environment,
        timeout=conditions.timeout,
    )


def _networks_at_a_time(conditions: Conditions) -> int | None:
    if conditions.network_cores == 1:
        return conditions.n_jobs
    jobs = conditions.n_jobs or configured_jobs() or available_cores()
    return max(1, jobs // conditions.network_cores)


def _rank_of_cost(model: Any) -> int:
    """Return 0 for the classifiers that probably take longest to fit, and more for others."""
    last = model.steps[-1][1] if isinstance(model, Pipeline) else model
    found = (k for k, name in enumerate(_OF_MANY_STEPS) if hasattr(last, name))
    return next(found, len(_OF_MANY_STEPS))


def _run(child: ChildProcess, label: str, job: Job | ZooRow) -> tuple[str, ZooRow]:
    """Run one job of a split, unless it has already failed."""
    return label, job.run(child) if isinstance(job, Job) else job


def _ranking(rows: tuple[ZooRow, ...], truth: Truth, confidence: float) -> Ranking | None:
    """Rank the classifiers with a result; None if there are fewer than two."""
    predictions = {row.name: row.y_pred for row in rows if row.y_pred is not None}
    if len(predictions) < 2:
        return None
    with parallel_config(backend="sequential"):  # the configured backend is busy with other jobs
        return truth.rank(predictions, confidence)


class _Steps:
    """Show how many classifiers are done, and what slow ones are doing."""

    def __init__(self, show: Progress, total: int) -> None:
        self._show = show
        self._total = total
        self._done = 0
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Show that child processes start, which takes seconds before any of them reports."""
        self._show(0, self._total, "starting child processes")

    def done(self, label: str) -> None:
        """Count a classifier."""
        with self._lock:
            self._done += 1
            self._show(self._done, self._total, label)

    def told(self, word: tuple[str, str]) -> None:
        """Show what a child process reports about its training."""
        label, what = word
        with self._lock:
            self._show(self._done, self._total, f"{label}: {what}")
