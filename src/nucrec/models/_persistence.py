"""Saving models, and loading them without running code of the file."""

import os
import platform
import warnings
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils.validation import check_is_fitted

from nucrec._files import replacing
from nucrec._optional import require
from nucrec._text import shown
from nucrec._validation import invalid
from nucrec._version import __version__
from nucrec.errors import ModelFileError
from nucrec.models._classifier import ImageClassifier
from nucrec.models._networks.start import start_tensorflow
from nucrec.models._saving.info import DAMAGED_ARCHIVE, ModelInfo, append_info, model_info
from nucrec.models._saving.parameters import parameters_from_json, parameters_to_json

_LIBRARIES = ("numpy", "scikit-learn", "tensorflow", "keras")
_SKOPS_TYPES = frozenset(
    {
        "nucrec.models._embeddings.Embeddings",
        "nucrec.models._features.PixelFeatures",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
    }
)


def save(
    model: ImageClassifier | BaseEstimator,
    path: str | os.PathLike[str],
    *,
    class_names: tuple[str, ...] | None = None,
    fingerprint: str | None = None,
) -> None:
    """Save a fitted model to one file.

    Parameters
    ----------
    model : ImageClassifier or scikit-learn classifier
        Fitted.
    path : path
        Ending in ".keras" for an `ImageClassifier` and in ".skops" for any other. An older file is
        replaced as a whole or not at all.
    class_names : tuple of str, optional
        Names of the classes of a scikit-learn classifier, in the order of its ``classes_``; by default
        its ``class_names_``, if it was loaded, else the classes themselves.
    fingerprint : str, optional
        ``train.fingerprint`` of what a scikit-learn classifier was fitted on.

    Raises
    ------
    InvalidParameterError
        No classifier, another ending, or names that do not fit the classes.
    MissingExtraError
        A scikit-learn classifier, and skops is not installed.
    NucrecError
        The file cannot be written.
    sklearn.exceptions.NotFittedError
        The model is not fitted.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> from nucrec.models import classical_zoo, load, save
    >>> crops = load_mnfinder_crops()
    >>> model = classical_zoo(random_state=0)["GNB"].fit(crops, crops.labels)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, Path(folder, "gnb.skops"), class_names=crops.class_names)
    ...     again = load(Path(folder, "gnb.skops"))
    >>> bool((again.predict(crops) == model.predict(crops)).all())
    True
    """
    where = Path(path).expanduser()
    if not isinstance(model, ImageClassifier) and not is_classifier(model):
        raise invalid("model", "a classifier", model)
    is_network = isinstance(model, ImageClassifier)
    ending = ".keras" if is_network else ".skops"
    if where.suffix != ending:
        raise invalid("path", f"a file name that ends in {ending!r}", str(path))
    check_is_fitted(model)
    info = _network_info(model) if is_network else _classical_info(model, class_names, fingerprint)
    with replacing(where) as temporary:
        # Keras takes no other ending
        written = temporary.with_name(temporary.name + ending)
        try:
            _write(model, written)
            append_info(written, info)
            written.replace(temporary)
        finally:
            written.unlink(missing_ok=True)


def load(path: str | os.PathLike[str]) -> Any:
    """Load a model that nucrec saved.

    Parameters
    ----------
    path : path
        A file that `save` or `ImageClassifier.save` wrote.

    Returns
    -------
    ImageClassifier or scikit-learn classifier
        It predicts what it did before; ``class_names_`` are the names of its classes.

    Raises
    ------
    ModelFileError
        There is no such file, or it is truncated, changed, or not from nucrec. None of its code is run.
    MissingExtraError
        A classical model, and skops is not installed.

    Notes
    -----
    Before anything is built, the hash of every part of the file is compared with what the file
    says, and all classes it asks for with a list of those that our models consist of. Networks are
    then loaded by Keras in safe mode, classical models by skops. A hash finds damage; against a
    forger there is the list. The numbers in a classical model are not checked: scikit-learn may
    crash on those of a forger.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> from nucrec.models import cnn, load
    >>> crops = load_mnfinder_crops()
    >>> model = cnn(image_size=16, epochs=1, random_state=0).fit(crops)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(Path(folder, "cnn.keras"))
    ...     again = load(Path(folder, "cnn.keras"))
    >>> bool((again.predict_proba(crops) == model.predict_proba(crops)).all())
    True
    """
    where = Path(path).expanduser()
    info = model_info(where)
    try:
        if info.kind == "network":
            return _load_network(where, info)
        return _load_classical(where, info)
    except (ModelFileError, ImportError):
        raise
    except (
        *(ValueError, TypeError, LookupError, AttributeError, ArithmeticError),
        *(OSError, RuntimeError, MemoryError, *DAMAGED_ARCHIVE),
    ) as error:
        raise ModelFileError(f"{where} cannot be read as a model: {shown(error)}") from error


def _write(model: Any, path: Path) -> None:
    if isinstance(model, ImageClassifier):
        import keras

        # as a new one, so that nothing of the training is written
        network = model.model_
        with warnings.catch_warnings():
            # Keras converts variables in a way that newer versions of NumPy warn of
            warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
            keras.Model(network.input, network.output, name=network.name).save(path)
        return
    skops = require("skops.io", extra="skops")
    skops.dump(model, path)
    unknown = _unknown_types(skops, path)
    if unknown:
        raise invalid("model", "a classifier that can be loaded safely", unknown)


def _load_network(path: Path, info: ModelInfo) -> ImageClassifier:
    start_tensorflow()
    import keras

    network = keras.models.load_model(path, compile=False, safe_mode=True)
    size, channels = (int(info.preprocessing[key]) for key in ("image_size", "channels"))
    if network.input_shape != (None, size, size, channels):
        raise ModelFileError(f"{path}: its network does not take images as it says")
    if network.output_shape != (None, len(info.classes)):
        raise ModelFileError(f"{path}: its network does not have the classes that it says")
    classifier = ImageClassifier(**parameters_from_json(info.parameters))
    classes = np.asarray(info.classes)
    classifier._set_fitted(network, classes, info.class_names)
    classifier.fingerprint_ = info.fingerprint or ""
    classifier.history_ = info.history
    if info.calibration is not None:
        probabilities = np.array(info.calibration["probabilities"], np.float32)
        classifier._set_calibration(probabilities, np.array(info.calibration["labels"], int))
    classifier.interrupted_ = False
    return classifier


def _load_classical(path: Path, info: ModelInfo) -> Any:
    skops = require("skops.io", extra="skops")
    unknown = _unknown_types(skops, path)
    if unknown:
        raise ModelFileError(
            f"{path} asks for {shown(', '.join(unknown))}, which is no part of a model of nucrec: it "
            "was not opened"
        )
    model = skops.load(path, trusted=sorted(_SKOPS_TYPES))
    model.class_names_ = info.class_names
    return model


def _unknown_types(skops: Any, path: Path) -> list[str]:
    """Return the types that a file asks for and that are no part of our models."""
    return sorted(set(skops.get_untrusted_types(file=path)) - _SKOPS_TYPES)


def _network_info(model: ImageClassifier) -> ModelInfo:
    return ModelInfo(
        kind="network",
        class_names=model.class_names_,
        classes=tuple(model.classes_.tolist()),
        preprocessing={
            "image_size": model.image_size_,
            "channels": model.channels_,
            "dtype": "uint8",
        },
        parameters=parameters_to_json(model),
        versions=_versions(),
        fingerprint=model.fingerprint_,
        created=_now(),
        history=model.history_,
        calibration=_calibration(model),
    )


def _calibration(model: ImageClassifier) -> dict[str, list[Any]] | None:
    if model.calibration_ is None:
        return None
    probabilities, labels = model.calibration_
    return {"probabilities": probabilities.tolist(), "labels": labels.tolist()}


def _classical_info(
    model: Any, class_names: tuple[str, ...] | None, fingerprint: str | None
) -> ModelInfo:
    classes = tuple(np.asarray(model.classes_).tolist())
    given = getattr(model, "class_names_", classes) if class_names is None else class_names
    names = tuple(str(value) for value in given)
    if len(names) != len(classes):
        raise invalid("class_names", f"a name for each of the classes {classes}", class_names)
    return ModelInfo(
        kind="classical",
        class_names=names,
        classes=classes,
        preprocessing={},
        parameters={},
        versions=_versions(),
        fingerprint=fingerprint,
        created=_now(),
        history={},
    )


def _versions() -> dict[str, str]:
    versions = {"nucrec": __version__, "python": platform.python_version()}
    return versions | {name: metadata.version(name) for name in _LIBRARIES}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
