"""Models as files: one for each, checked before it is opened, and opened without running its code.

A file is a zip archive as Keras (.keras) or skops (.skops) writes it, with one more member: what
nucrec has to know, and the hash of every other member.
"""

import dataclasses
import hashlib
import json
import os
import platform
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils.validation import check_is_fitted

import nucrec
from nucrec import augment
from nucrec._files import replacing
from nucrec._optional import require
from nucrec._validation import invalid
from nucrec.augment import Operation, Pipeline
from nucrec.errors import ModelFileError
from nucrec.models._classifier import ImageClassifier
from nucrec.models._tensorflow import start_tensorflow

_MEMBER = "nucrec.json"
_FORMAT = 1
_LARGEST = 4 * 2**30  # bytes of all members, unpacked
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
_KERAS_CLASSES = {
    "keras": {"DTypePolicy"},
    "keras.initializers": {"GlorotUniform", "Ones", "VarianceScaling", "Zeros"},
    "keras.layers": {
        *("Activation", "Add", "AveragePooling2D", "BatchNormalization", "Concatenate", "Conv2D"),
        *("Dense", "DepthwiseConv2D", "Dropout", "GlobalAveragePooling2D", "InputLayer"),
        *("LayerNormalization", "MaxPooling2D", "Multiply", "Normalization", "ReLU", "Rescaling"),
        *("Reshape", "ZeroPadding2D"),
    },
    "keras.src.applications.inception_resnet_v2": {"CustomScaleLayer"},
    "keras.src.models.functional": {"Functional"},
    "keras.src.ops.numpy": {"Add", "Flip", "Multiply"},
    None: {"__keras_tensor__"},
}
"""What our networks are made of. A file that asks for anything else is not ours."""


@dataclass(frozen=True)
class ModelInfo:
    """What a file says of its model.

    Attributes
    ----------
    kind : {"network", "classical"}
        An `ImageClassifier`, or a scikit-learn pipeline.
    class_names : tuple of str
        Names of the classes, in the order of the probabilities; the second is the positive one.
    classes : tuple
        What the model's ``predict`` answers with.
    preprocessing : dict
        What images are brought to before the network: "image_size", "channels", "dtype". What
        follows is inside the model.
    parameters : dict
        Those of the `ImageClassifier`.
    versions : dict of str to str
        Of nucrec, Python and the libraries it was trained with.
    fingerprint : str or None
        That of the training data.
    created : str
        When it was saved: ISO 8601, UTC.
    history : dict of str to list
        A network's ``history_``.
    """

    kind: str
    class_names: tuple[str, ...]
    classes: tuple[Any, ...]
    preprocessing: dict[str, Any]
    parameters: dict[str, Any]
    versions: dict[str, str]
    fingerprint: str | None
    created: str
    history: dict[str, list[Any]]


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
        those themselves.
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
            _append(written, info)
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
        It predicts what it did before.

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
    forger there is the list.

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
        return _load_classical(where)
    except (ValueError, TypeError, KeyError, OSError, AttributeError, RuntimeError) as error:
        if isinstance(error, ModelFileError | ImportError):
            raise
        first = str(error).strip().partition("\n")[0]
        raise ModelFileError(f"{where} cannot be read as a model: {first}") from error


def model_info(path: str | os.PathLike[str]) -> ModelInfo:
    """Return what a file says of its model, without building it; the file is checked for damage.

    Parameters
    ----------
    path : path
        A file that `save` or `ImageClassifier.save` wrote.

    Returns
    -------
    ModelInfo
        Class names, preprocessing, parameters, versions, fingerprint of the training data.

    Raises
    ------
    ModelFileError
        There is no such file, or it is truncated, changed, or not from nucrec.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> from nucrec.models import cnn, model_info
    >>> model = cnn(image_size=16, epochs=1, random_state=0).fit(load_mnfinder_crops())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(Path(folder, "cnn.keras"))
    ...     model_info(Path(folder, "cnn.keras")).class_names
    ('nucleus', 'micronucleus')
    """
    where = Path(path).expanduser()
    if not where.is_file():
        raise ModelFileError(f"{where}: there is no such file")
    try:
        with zipfile.ZipFile(where) as archive:
            about = _checked_members(archive, where)
            if about["kind"] == "network":
                _check_classes(json.loads(archive.read("config.json")), where)
            return _as_info(about)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise ModelFileError(
            f"{where} is damaged or not a model that nucrec saved: {error}"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(f"{where}: its description cannot be read ({error!r})") from error


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
    unknown = set(skops.get_untrusted_types(file=path)) - _SKOPS_TYPES
    if unknown:
        raise invalid("model", "a classifier that can be loaded safely", sorted(unknown))


def _append(path: Path, info: ModelInfo) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        members = {name: _digest(archive, name) for name in archive.namelist()}
        about = {"format": _FORMAT, **dataclasses.asdict(info), "members": members}
        archive.writestr(_MEMBER, json.dumps(about, indent=1))


def _digest(archive: zipfile.ZipFile, name: str) -> str:
    with archive.open(name) as member:
        return hashlib.file_digest(member, "sha256").hexdigest()  # type: ignore[arg-type]


def _checked_members(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    """Return the description, after comparing all members with it."""
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if _MEMBER not in names:
        raise ModelFileError(f"{path} was not saved by nucrec: it has no {_MEMBER}")
    if sum(entry.file_size for entry in entries) > _LARGEST:
        raise ModelFileError(f"{path} is larger, unpacked, than any model")
    about = json.loads(archive.read(_MEMBER))
    if not isinstance(about, dict) or about.get("format") != _FORMAT:
        version = about.get("format") if isinstance(about, dict) else None
        raise ModelFileError(f"{path} is of format {version!r}, this version reads {_FORMAT}")
    others = [name for name in names if name != _MEMBER]
    if sorted(others) != sorted(about["members"]):
        raise ModelFileError(f"{path} was changed: its parts are not those it was saved with")
    for name in others:
        if _digest(archive, name) != about["members"][name]:
            raise ModelFileError(f"{path} is damaged or was changed: {name} is not what was saved")
    return about


def _check_classes(config: Any, path: Path) -> None:
    """Raise if the network consists of anything that ours do not."""
    for module, name in _asked_for(config):
        if name not in _KERAS_CLASSES.get(module, ()):
            raise ModelFileError(
                f"{path} asks for {module}.{name}, which is no part of a network of nucrec: it was not "
                "opened"
            )


def _asked_for(config: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(config, dict):
        if "class_name" in config:
            yield config.get("module"), config["class_name"]
        config = list(config.values())
    if isinstance(config, list):
        for part in config:
            yield from _asked_for(part)


def _load_network(path: Path, info: ModelInfo) -> ImageClassifier:
    start_tensorflow()
    import keras

    network = keras.models.load_model(path, compile=False, safe_mode=True)
    size, channels = (int(info.preprocessing[key]) for key in ("image_size", "channels"))
    if network.input_shape != (None, size, size, channels):
        raise ModelFileError(f"{path}: its network does not take images as it says")
    if network.output_shape != (None, len(info.classes)):
        raise ModelFileError(f"{path}: its network does not have the classes that it says")
    classifier = ImageClassifier(**_parameters_from_json(info.parameters))
    classes = np.asarray(info.classes)
    classifier._set_fitted(network, classes, info.class_names, size, channels)
    classifier.fingerprint_ = info.fingerprint or ""
    classifier.history_ = info.history
    classifier.interrupted_ = False
    return classifier


def _load_classical(path: Path) -> Any:
    skops = require("skops.io", extra="skops")
    unknown = set(skops.get_untrusted_types(file=path)) - _SKOPS_TYPES
    if unknown:
        raise ModelFileError(
            f"{path} asks for {', '.join(sorted(unknown))}, which is no part of a model of nucrec: it "
            "was not opened"
        )
    return skops.load(path, trusted=sorted(_SKOPS_TYPES))


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
        parameters=_parameters_to_json(model),
        versions=_versions(),
        fingerprint=model.fingerprint_,
        created=_now(),
        history=model.history_,
    )


def _classical_info(
    model: Any, class_names: tuple[str, ...] | None, fingerprint: str | None
) -> ModelInfo:
    classes = tuple(np.asarray(model.classes_).tolist())
    names = tuple(str(value) for value in (classes if class_names is None else class_names))
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
    versions = {"nucrec": nucrec.__version__, "python": platform.python_version()}
    return versions | {name: metadata.version(name) for name in _LIBRARIES}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _as_info(about: dict[str, Any]) -> ModelInfo:
    values = {field.name: about[field.name] for field in dataclasses.fields(ModelInfo)}
    tuples = {key: tuple(values[key]) for key in ("class_names", "classes")}
    return ModelInfo(**{**values, **tuples})


def _parameters_to_json(model: ImageClassifier) -> dict[str, Any]:
    parameters = {k: v for k, v in model.get_params().items() if k != "progress"}
    if isinstance(model.weights, os.PathLike):
        parameters["weights"] = os.fspath(model.weights)
    if isinstance(model.augment, Pipeline):
        parameters["augment"] = {
            "random_state": model.augment.random_state,
            "operations": [
                [type(operation).__name__, vars(operation)]
                for operation in model.augment.operations
            ],
        }
    if model.class_weight is not None and not isinstance(model.class_weight, str):
        parameters["class_weight"] = [[k, float(v)] for k, v in model.class_weight.items()]
    return {key: _plain(value) for key, value in parameters.items()}


def _plain(value: Any) -> Any:
    """Return NumPy's numbers as Python's."""
    return value.item() if isinstance(value, np.generic) else value


def _parameters_from_json(saved: dict[str, Any]) -> dict[str, Any]:
    parameters = dict(saved)
    pipeline = parameters["augment"]
    if isinstance(pipeline, dict):
        operations = [_operation(name, values) for name, values in pipeline["operations"]]
        parameters["augment"] = Pipeline(operations, pipeline["random_state"])
    if isinstance(parameters["class_weight"], list):
        parameters["class_weight"] = dict(parameters["class_weight"])
    return parameters


def _operation(name: str, values: dict[str, Any]) -> Operation:
    found = getattr(augment, name) if name in augment.__all__ else None
    if not isinstance(found, type) or not issubclass(found, Operation):
        raise ValueError(f"there is no operation {name!r}")
    ranges = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return found(**ranges)
