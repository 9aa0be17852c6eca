"""A classifier with everything it needs, so that any process on any machine can run it."""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from nucrec._children.process import (
    ChildDiedError,
    ChildError,
    ChildProcess,
    ChildTimeoutError,
    Packed,
    pack,
)
from nucrec._validation import check_known, invalid
from nucrec.datasets import ImageDataset
from nucrec.models._classifier import ImageClassifier
from nucrec.models._embeddings import Embeddings
from nucrec.models._features import PixelFeatures
from nucrec.models._inputs import check_several_classes, named_classes, spelled_as
from nucrec.models._morphology import MorphologyFeatures
from nucrec.models._zoo.features import SharedFeatures
from nucrec.models._zoo.networks import require_weights
from nucrec.models._zoo.row import ZooRow, failed_row, one_line
from nucrec.models._zoo.trial import Data, NetworkRun, Predictions, Trial, fit_and_predict
from nucrec.models._zoo.truth import Truth

Array = npt.NDArray[Any]
Samples: TypeAlias = ImageDataset | tuple[Any, npt.ArrayLike]


@dataclass(frozen=True)
class Division:
    """A validated training set and test set.

    Attributes
    ----------
    X, X_test : ImageDataset, or anything that classifiers accept
        The samples.
    y : ndarray of shape (n_train,)
        The classes of the training set.
    truth : Truth
        The labels, groups and ids of the test set.
    """

    X: Any
    y: Array
    X_test: Any
    truth: Truth

    @classmethod
    def of(cls, train: Samples, test: Samples) -> "Division":
        """Validate a training set and a test set."""
        X, known = _checked("train", train)
        X_test, truth = _checked("test", test)
        check_several_classes("train", known.y_true, train)
        names = known.class_names, truth.class_names
        if None not in names and names[0] != names[1]:
            raise invalid("test", f"the classes of train, {names[0]}", names[1])
        truth = replace(truth, y_true=spelled_as(truth.y_true, known.y_true))
        return cls(X, known.y_true, X_test, truth)


def _checked(name: str, samples: Any) -> tuple[Any, Truth]:
    if isinstance(samples, ImageDataset):
        if not len(samples):
            raise invalid(name, "at least one image", samples)
        return samples, Truth.of(samples)
    if not isinstance(samples, tuple | list) or len(samples) != 2:
        raise invalid(name, "an ImageDataset or a pair (X, y)", samples)
    X, y = samples[0], np.asarray(samples[1])
    n = len(X) if hasattr(X, "__len__") else 0
    if y.ndim != 1 or len(y) != n or not n:
        expected = f"as many labels as images ({n}), at least one"
        raise invalid(f"{name}[1]", expected, f"shape {y.shape}")
    check_known(f"{name}[1]", y)
    known = X.class_names if isinstance(X, ImageDataset) else ()
    return X, Truth(named_classes(f"{name}[1]", samples[1], known))


@dataclass(frozen=True)
class Job:
    """A classifier to fit, and to evaluate on a test set."""

    name: str
    model: bytes = field(repr=False)
    data: bytes = field(repr=False)
    truth: Truth
    network: NetworkRun | None
    timeout: float | None
    confidence: float

    def run(self, child: ChildProcess) -> ZooRow:
        """Fit, predict and report. Any outcome becomes a row."""
        started = time.perf_counter()
        stage = "load"
        try:
            trial: Trial = child.call(
                fit_and_predict,
                self.model,
                Packed(self.data),
                self.network,
                timeout=self.timeout,
            )
        except ChildTimeoutError:
            return ZooRow(self.name, "timeout", time.perf_counter() - started)
        except (ChildError, ChildDiedError) as error:
            stage = "load" if isinstance(error, ChildError) else "fit"
            return failed_row(self.name, time.perf_counter() - started, stage, str(error))
        if trial.predictions is None:
            return failed_row(self.name, trial.seconds, trial.stage, trial.error, trial.warnings)
        return self._judged(trial, trial.predictions)

    def _judged(self, trial: Trial, found: Predictions) -> ZooRow:
        try:
            y_score = _in_order(found, self.truth.classes)
            report = self.truth.report(found.y_pred, y_score, self.confidence)
        except Exception as error:  # noqa: BLE001 - predictions may be anything
            return failed_row(self.name, trial.seconds, "report", one_line(error), trial.warnings)
        return ZooRow(
            self.name,
            "ok",
            trial.seconds,
            report,
            warnings=trial.warnings,
            y_pred=found.y_pred,
            y_score=y_score,
            history=found.history,
            validation_proba=found.validation_proba,
        )


@dataclass
class JobMaker:
    """Create the jobs of one split.

    The training data are packed once for all classifiers that begin with the same features.
    """

    label: str
    division: Division
    timeout: float | None
    confidence: float
    learning_curves: bool
    checkpoint_dir: Path | None
    _packed: dict[str, bytes] = field(default_factory=dict)

    def job(self, name: str, model: Any, shared: SharedFeatures | None = None) -> Job | ZooRow:
        """Return a job, or a failed row if the classifier cannot be sent to another process.

        `shared` has the features of a frozen backbone, if they were computed.
        """
        started = time.perf_counter()
        stage = "features"
        try:
            key = repr(_features_of(model))
            data = None if key in self._packed else self._data(model)
            stage = "send"
            if data is not None:
                self._packed[key] = pack(data)
            packed = pack(model)
            stage = "fit"
            require_weights(model)
        except Exception as error:  # noqa: BLE001 - whatever a model does becomes a row
            return failed_row(name, time.perf_counter() - started, stage, one_line(error))
        network = self._network_run(name, shared) if isinstance(model, ImageClassifier) else None
        truth, limits = self.division.truth, (self.timeout, self.confidence)
        return Job(name, packed, self._packed[key], truth, network, *limits)

    def _data(self, model: Any) -> Data:
        """Return the training and test data of a model."""
        X, X_test = self.division.X, self.division.X_test
        first = _features_of(model)
        if first is not None:
            features = clone(first)
            X, X_test = features.fit_transform(X), features.transform(X_test)
        return Data(X, self.division.y, X_test, self.division.truth.y_true)

    def _network_run(self, name: str, shared: SharedFeatures | None) -> NetworkRun:
        folder = self.checkpoint_dir
        if folder is not None:
            parts = (quote(part, safe=" ,") for part in (self.label, name) if part)
            folder = folder / "-".join(parts)
        features = None if shared is None else shared.of(self.label)
        return NetworkRun(full_label(self.label, name), self.learning_curves, folder, features)


def full_label(division: str, name: str) -> str:
    """Return the label of a classifier on one of several splits."""
    return f"{division}: {name}" if division else name


def _features_of(model: Any) -> Any:
    """Return the first step of a pipeline if it passes feature rows through, otherwise None.

    `PixelFeatures`, `MorphologyFeatures` and `Embeddings` do, so a pipeline that begins with one of
    them accepts both images and features.
    """
    first = model.steps[0][1] if isinstance(model, Pipeline) else None
    return first if type(first) in (PixelFeatures, MorphologyFeatures, Embeddings) else None


def _in_order(found: Predictions, classes: list[Any]) -> Array | None:
    """Return scores with one column per class, in the report's order; None if they do not match."""
    scores, own = found.y_score, found.classes.tolist()
    if scores is None or set(own) != set(classes):
        return None
    if scores.ndim == 1 and len(classes) == 2:
        scores = np.column_stack([-scores, scores])
    if scores.ndim != 2 or scores.shape[1] != len(classes):
        return None
    return np.asarray(scores[:, [own.index(name) for name in classes]])
