"""Many classifiers on one training and one test set: a row for each, whatever happens."""

import pickle
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from joblib import parallel_config
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from nucrec._children.pool import in_children
from nucrec._children.process import (
    ChildDiedError,
    ChildError,
    ChildProcess,
    ChildTimeoutError,
    Packed,
    pack,
)
from nucrec._class_names import order_classes
from nucrec._progress import Progress, progress_function
from nucrec._validation import check_int, check_real, invalid
from nucrec.datasets import ImageDataset, find_leaks
from nucrec.evaluate import Ranking, Report, compare_many, report
from nucrec.models._embeddings import Embeddings
from nucrec.models._features import PixelFeatures
from nucrec.models._zoo.result import ZooResult, ZooRow

_OF_MANY_STEPS = ("learning_rate", "n_estimators", "estimators")
"""Parameters of classifiers that are fitted in many steps or of many others: the slow ones."""

Array = npt.NDArray[Any]
Data: TypeAlias = ImageDataset | tuple[Any, npt.ArrayLike]


def run_zoo(
    zoo: Mapping[str, Any],
    train: Data,
    test: Data,
    timeout: float | None = None,
    n_jobs: int | None = None,
    *,
    confidence: float = 0.95,
    progress: Progress | bool = False,
) -> ZooResult:
    """Fit each classifier on the training set and report on the test set.

    They run in child processes with one thread each, on this machine or where
    `joblib.parallel_config` says. One that raises, hangs, or takes its process down becomes a row
    that says so, and the others go on in a new process. Results depend neither on `n_jobs` nor on
    where classifiers run, as long as none draws on global state that another one changes.

    Parameters
    ----------
    zoo : mapping of str to classifier
        Unfitted scikit-learn classifiers, such as `classical_zoo` returns; they stay unfitted.
    train, test : ImageDataset, or pair (X, y)
        `ImageDataset`, or anything that the classifiers take with labels of shape (n,).
    timeout : float, optional
        Seconds for each classifier to fit and predict. Then its process is killed. By default no
        limit.
    n_jobs : int, optional
        Classifiers at a time; by default what `joblib.parallel_config` says, else one for each
        core. Dask uses all its workers.
    confidence : float, default=0.95
        Of the intervals in the reports.
    progress : bool or callable, default=False
        True shows progress on standard error. A callable gets (classifiers done, classifiers in
        all, name of the one just done).

    Returns
    -------
    ZooResult
        A row for each classifier, in the order of the zoo. Intervals come from the bootstrap over
        groups where images of the test set share groups.

    Raises
    ------
    InvalidParameterError
        The zoo is empty, or a parameter is out of range.
    NucrecError
        A worker of the backend that `joblib.parallel_config` names cannot load what it is sent.

    Warns
    -----
    LeakageWarning
        Test images come from the same originals as training images.

    Examples
    --------
    >>> from nucrec.datasets import load_mnfinder_crops, split
    >>> from nucrec.models import classical_zoo, run_zoo
    >>> train, test = split(load_mnfinder_crops(), random_state=0)
    >>> zoo = classical_zoo(random_state=0)
    >>> result = run_zoo({name: zoo[name] for name in ("KNN", "GNB")}, train, test)
    >>> [row.status for row in result]
    ['ok', 'ok']
    """
    check_zoo(zoo, timeout, n_jobs, confidence)
    if isinstance(train, ImageDataset) and isinstance(test, ImageDataset):
        find_leaks(train, test).warn(stacklevel=3)
    parts = {"": (train, test)}
    show = progress_function(progress)
    ((_, found),) = run_parts(zoo, parts, timeout, n_jobs, confidence, show)
    return found


def check_zoo(zoo: object, timeout: float | None, n_jobs: int | None, confidence: float) -> None:
    """Check what every function that runs a zoo takes."""
    if not isinstance(zoo, Mapping) or not zoo:
        raise invalid("zoo", "a non-empty mapping of names to classifiers", zoo)
    if timeout is not None:
        check_real("timeout", timeout, low=0, high=1e9, open_ends=True)
    if n_jobs is not None:
        check_int("n_jobs", n_jobs, low=1)
    check_real("confidence", confidence, low=0, high=1, open_ends=True)


def run_parts(
    zoo: Mapping[str, Any],
    parts: Mapping[str, tuple[Data, Data]],
    timeout: float | None,
    n_jobs: int | None,
    confidence: float,
    show: Progress,
) -> Iterator[tuple[str, ZooResult]]:
    """Do what `run_zoo` does for several training and test sets, under names of their own.

    Yields name and result of each as it is done; classifiers of the next run beside the last ones of
    the one before.
    """
    checked = {name: _check_parts(train, test) for name, (train, test) in parts.items()}
    makers = {name: _JobMaker(*part, timeout, confidence) for name, part in checked.items()}
    rows: dict[str, dict[str, ZooRow]] = {name: {} for name in parts}
    # no core shall wait at the end for a slow one that began last
    slow_first = sorted(zoo, key=lambda name: _rank_of_cost(zoo[name]))
    jobs = ((part, makers[part].job(name, zoo[name])) for part in parts for name in slow_first)
    with closing(in_children(_run, jobs, n_jobs)) as found:
        for done, (part, row) in enumerate(found, 1):
            rows[part][row.name] = row
            show(done, len(parts) * len(zoo), f"{part}: {row.name}" if part else row.name)
            if len(rows[part]) == len(zoo):
                del makers[part]  # its features are not needed any more
                ranking = _ranking(rows[part], checked[part][1], confidence)
                yield part, ZooResult(tuple(rows[part][name] for name in zoo), ranking)


def _check_parts(train: Data, test: Data) -> "tuple[_Part, _Part]":
    part = (_Part.of("train", train), _Part.of("test", test))
    names = [p.class_names for p in part]
    if None not in names and names[0] != names[1]:
        raise invalid("test", f"the classes of train, {names[0]}", names[1])
    return part


@dataclass(frozen=True)
class _Part:
    """The training or the test part."""

    X: Any
    y: Array
    class_names: tuple[str, ...] | None
    groups: Array | None

    @property
    def classes(self) -> list[Any]:
        """The labels of the classes, in the order of the report."""
        if self.class_names is not None:
            return list(range(len(self.class_names)))
        occurring = np.unique(self.y).tolist()
        return order_classes(occurring) if self.y.dtype.kind == "U" else occurring

    @classmethod
    def of(cls, name: str, data: Any) -> "_Part":
        if isinstance(data, ImageDataset):
            if not len(data):
                raise invalid(name, "at least one image", data)
            return cls(data, data.labels, data.class_names, data.groups)
        if not isinstance(data, tuple | list) or len(data) != 2:
            raise invalid(name, "an ImageDataset or a pair (X, y)", data)
        X, y = data[0], np.asarray(data[1])
        n = len(X) if hasattr(X, "__len__") else 0
        if y.ndim != 1 or len(y) != n or not n:
            expected = f"as many labels as images ({n}), at least one"
            raise invalid(f"{name}[1]", expected, f"shape {y.shape}")
        return cls(X, y.astype(str) if isinstance(y[0], str) else y, None, None)


@dataclass(frozen=True)
class _Job:
    """A classifier and all that it needs: any process, on any machine, can run it."""

    name: str
    model: bytes = field(repr=False)
    data: bytes = field(repr=False)
    truth: _Part
    timeout: float | None
    confidence: float

    def run(self, child: ChildProcess) -> ZooRow:
        """Fit, predict and report; whatever happens becomes a row."""
        started = time.perf_counter()
        stage = "fit"
        try:
            trial: _Trial = child.call(
                _fit_and_predict, self.model, Packed(self.data), timeout=self.timeout
            )
            stage = trial.stage
            if trial.found is None:
                return _failed(self.name, trial.seconds, stage, trial.error, trial.warnings)
            stage = "report"
            y_score = _aligned(trial.found, self.truth.classes)
            found = _report(trial.found.y_pred, y_score, self.truth, self.confidence)
        except ChildTimeoutError:
            return ZooRow(self.name, "timeout", time.perf_counter() - started)
        except ChildError as error:
            return _failed(self.name, time.perf_counter() - started, "load", str(error))
        except ChildDiedError as error:
            return _failed(self.name, time.perf_counter() - started, stage, str(error))
        except Exception as error:  # noqa: BLE001 - whatever a model does becomes a row
            return _failed(self.name, time.perf_counter() - started, stage, _one_line(error))
        return ZooRow(
            self.name,
            "ok",
            trial.seconds,
            found,
            warnings=trial.warnings,
            y_pred=trial.found.y_pred,
            y_score=y_score,
        )


class _JobMaker:
    """Makes the jobs of one training and test part.

    What classifiers are fitted on is packed once for all that begin with the same features.
    """

    def __init__(self, train: _Part, test: _Part, timeout: float | None, confidence: float) -> None:
        self._train, self._test = train, test
        self._limits = timeout, confidence
        self._packed: dict[str, bytes] = {}

    def job(self, name: str, model: Any) -> "_Job | ZooRow":
        """Return a job; what cannot even be sent is a row already."""
        started = time.perf_counter()
        stage = "features"
        first = _features_of(model)
        key = "" if first is None else repr(first)
        try:
            if key not in self._packed:
                data = self._data(first)
                stage = "send"
                self._packed[key] = pack(data)
            stage = "send"
            truth = replace(self._test, X=None)
            return _Job(name, pack(model), self._packed[key], truth, *self._limits)
        except Exception as error:  # noqa: BLE001 - whatever a model does becomes a row
            return _failed(name, time.perf_counter() - started, stage, _one_line(error))

    def _data(self, first: Any) -> tuple[Any, Array, Any]:
        """Return what a model is fitted on, labels, and what it predicts."""
        X_train, X_test = self._train.X, self._test.X
        if first is not None:
            features = clone(first).fit(X_train)
            X_train, X_test = features.transform(X_train), features.transform(X_test)
        return X_train, self._train.y, X_test


def _rank_of_cost(model: Any) -> int:
    """Return 0 for classifiers that probably take longest to fit, and more for others."""
    last = model.steps[-1][1] if isinstance(model, Pipeline) else model
    found = (k for k, name in enumerate(_OF_MANY_STEPS) if hasattr(last, name))
    return next(found, len(_OF_MANY_STEPS))


def _features_of(model: Any) -> Any:
    """Return the first step of a pipeline if it passes rows of features on; else None.

    `PixelFeatures` and `Embeddings` do, so a pipeline that begins with one of them takes both images
    and features.
    """
    first = model.steps[0][1] if isinstance(model, Pipeline) else None
    return first if type(first) in (PixelFeatures, Embeddings) else None


def _run(child: ChildProcess, part: str, job: _Job | ZooRow) -> tuple[str, ZooRow]:
    """Run one job of a part, unless it has failed before."""
    return part, job.run(child) if isinstance(job, _Job) else job


def _failed(
    name: str, seconds: float, stage: str, error: str | None, said: tuple[str, ...] = ()
) -> ZooRow:
    return ZooRow(name, "failed", seconds, None, stage, error, said)


@dataclass(frozen=True)
class _Predictions:
    """What a fitted classifier says of the test set."""

    y_pred: Array
    y_score: Array | None
    classes: Array


@dataclass(frozen=True)
class _Trial:
    """What a child found out: predictions, or the stage and the error."""

    seconds: float
    warnings: tuple[str, ...]
    found: _Predictions | None
    stage: str
    error: str | None


def _fit_and_predict(packed: bytes, data: tuple[Any, Array, Any]) -> _Trial:
    """Fit and predict; runs in a child process."""
    X, y, X_test = data
    started = time.perf_counter()
    stage, found, error = "load", None, None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model = pickle.loads(packed)  # noqa: S301 - from our own parent
            stage = "fit"
            model.fit(X, y)
            stage = "predict"
            found = _Predictions(
                np.asarray(model.predict(X_test)),
                _scores(model, X_test),
                np.asarray(getattr(model, "classes_", np.unique(y))),
            )
        except (Exception, SystemExit) as problem:  # noqa: BLE001 - whatever it does becomes a row
            error = _one_line(problem)
    said = tuple(dict.fromkeys(f"{w.category.__name__}: {w.message}" for w in caught))
    return _Trial(time.perf_counter() - started, said, found, stage, error)


def _scores(model: Any, X: Any) -> Array | None:
    """Return probabilities, else decision values, else None."""
    method = getattr(model, "predict_proba", None) or getattr(model, "decision_function", None)
    return None if method is None else np.asarray(method(X))


def _report(y_pred: Array, y_score: Array | None, test: _Part, confidence: float) -> Report:
    return report(test.y, y_pred, y_score, test.class_names, test.groups, confidence)


def _ranking(rows: Mapping[str, ZooRow], test: _Part, confidence: float) -> Ranking | None:
    """Rank those that have a result; None if there are fewer than two."""
    predictions = {row.name: row.y_pred for row in rows.values() if row.y_pred is not None}
    if len(predictions) < 2:
        return None
    names, groups = test.class_names, test.groups
    with parallel_config(backend="sequential"):  # the configured one is at work on other parts
        return compare_many(
            test.y, predictions, class_names=names, groups=groups, confidence=confidence
        )


def _aligned(found: _Predictions, classes: list[Any]) -> Array | None:
    """Return scores with a column for each class in the report's order; None if they do not fit."""
    scores, own = found.y_score, found.classes.tolist()
    if scores is None or set(own) != set(classes):
        return None
    if scores.ndim == 1 and len(classes) == 2:
        scores = np.column_stack([-scores, scores])
    if scores.ndim != 2 or scores.shape[1] != len(classes):
        return None
    return np.asarray(scores[:, [own.index(name) for name in classes]])


def _one_line(error: BaseException) -> str:
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
