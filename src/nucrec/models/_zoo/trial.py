"""The work of a child process on one classifier: load, fit, predict."""

import pickle
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec._children.process import tell
from nucrec._keras import keras_defaults
from nucrec.datasets import ImageDataset, check_training_data
from nucrec.models._classifier import ImageClassifier
from nucrec.models._evaluation import scores_of
from nucrec.models._inputs import held_out_part, labelled
from nucrec.models._one_answer import warn_of_one_answer
from nucrec.models._training.features import Features
from nucrec.models._training.settings import Settings
from nucrec.models._zoo.row import one_line

Array = npt.NDArray[Any]

_SECONDS_BETWEEN_WORDS = 0.2


class Data(NamedTuple):
    """The training and test data of a classifier; networks may also be evaluated on the test data."""

    X: Any
    y: Array
    X_test: Any
    y_test: Array


@dataclass(frozen=True)
class NetworkRun:
    """The options for training a network.

    Attributes
    ----------
    label : str
        The label under which its progress is shown.
    learning_curves : bool
        Whether to evaluate it on the test images after each epoch.
    checkpoint_dir : Path or None
        The folder for its training state.
    features : Features or None
        What its frozen backbone makes of the training and the test images, if that is known.
    """

    label: str
    learning_curves: bool
    checkpoint_dir: Path | None
    features: Features | None = None


@dataclass(frozen=True)
class Predictions:
    """The predictions of a fitted classifier for the test set."""

    y_pred: Array
    y_score: Array | None
    classes: Array
    history: dict[str, list[Any]] | None = None
    validation_proba: Array | None = None


@dataclass(frozen=True)
class Trial:
    """The outcome of a child process: predictions, or the stage and the error."""

    seconds: float
    warnings: tuple[str, ...]
    predictions: Predictions | None
    stage: str
    error: str | None


def fit_and_predict(packed: bytes, data: Data, network: NetworkRun | None) -> Trial:
    """Fit and predict, in a child process."""
    started = time.perf_counter()
    stage, predictions, error = "load", None, None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model = pickle.loads(packed)  # noqa: S301 - from our own parent
            stage = "fit"
            if network is not None and network.features is not None:
                predictions = _train_on_features(model, data, network, network.features)
            else:
                model.fit(data.X, data.y) if network is None else _train(model, data, network)
                stage = "predict"
                predictions = _predict(model, data)
        except (Exception, SystemExit) as problem:  # noqa: BLE001 - whatever it does becomes a row
            error = one_line(problem)
    said = tuple(dict.fromkeys(f"{w.category.__name__}: {w.message}" for w in caught))
    return Trial(time.perf_counter() - started, said, predictions, stage, error)


def _train(model: ImageClassifier, data: Data, network: NetworkRun) -> None:
    model.set_params(progress=_Teller(network.label))
    model.fit(
        data.X,
        _labels(data),
        validation=_tested(data) if network.learning_curves else None,
        checkpoint_dir=network.checkpoint_dir,
    )


def _labels(data: Data) -> Array | None:
    """Return the classes of the training images, unless these bring them along."""
    return None if isinstance(data.X, ImageDataset) else data.y


def _tested(data: Data) -> Any:
    """Return the test images with their classes."""
    return data.X_test if isinstance(data.X, ImageDataset) else (data.X_test, data.y_test)


@keras_defaults()
def _train_on_features(
    model: ImageClassifier, data: Data, network: NetworkRun, features: Features
) -> Predictions:
    """Train the classification head alone, and predict, where the backbone has run already."""
    from nucrec.models._networks.build import head
    from nucrec.models._training.fit import train_network

    settings = Settings.of({**model.get_params(deep=False), "progress": _Teller(network.label)})
    train, classes = labelled("X", data.X, _labels(data))
    held_out = None
    if network.learning_curves:
        held_out = held_out_part("validation", _tested(data), train.class_names, classes)
    check_training_data(train, held_out)
    trained = train_network(settings, train, held_out, classes, network.checkpoint_dir, features)
    classify = head(trained.network)
    warn_of_one_answer(np.asarray(classify(features.train)), train.class_names)
    scores = np.asarray(classify(features.held_out))
    after_epochs = trained.validation if len(trained.validation) else None
    answers = classes[scores.argmax(axis=1)]
    return Predictions(answers, scores, classes, trained.history, after_epochs)


def _predict(model: Any, data: Data) -> Predictions:
    if isinstance(model, ImageClassifier):
        return _predict_by_network(model, data)
    return Predictions(
        np.asarray(model.predict(data.X_test)),
        scores_of(model, data.X_test),
        np.asarray(getattr(model, "classes_", np.unique(data.y))),
    )


def _predict_by_network(model: ImageClassifier, data: Data) -> Predictions:
    after_epochs = model.validation_proba_ if len(model.validation_proba_) else None
    # the predictions after the last epoch need not be computed twice
    if after_epochs is None or model.undone_ or model.views != 1:
        scores = model.predict_proba(data.X_test)
    else:
        scores = after_epochs[-1]
    answers = model.classes_[scores.argmax(axis=1)]
    return Predictions(answers, scores, model.classes_, model.history_, after_epochs)


class _Teller:
    """Report the progress of a training from time to time to the process that waits for its result."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._last = 0.0

    def __call__(self, done: int, total: int, what: str) -> None:
        now = time.monotonic()
        if now - self._last >= _SECONDS_BETWEEN_WORDS:
            self._last = now
            tell((self._label, what))
