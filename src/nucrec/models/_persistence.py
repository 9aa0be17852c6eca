"""Saving models, and loading them without running code from the file."""

import io
import os
from typing import Any

from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils.validation import check_is_fitted

from nucrec._endings import MODELS, PRETRAINED
from nucrec._paths import output_file
from nucrec._text import shown
from nucrec._validation import invalid
from nucrec.errors import ModelFileError
from nucrec.models._classifier import ImageClassifier
from nucrec.models._saving.classical import load_classical, save_classical
from nucrec.models._saving.info import DAMAGED_ARCHIVE, checked_info
from nucrec.models._saving.network import load_network
from nucrec.models._saving.opened import model_file, opened, private_copy


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
        The fitted model.
    path : path
        The file, which must end in ".keras" for an `ImageClassifier` and in ".skops" for any other
        model. An existing file is replaced completely or not at all.
    class_names : tuple of str, optional
        Class names of a scikit-learn classifier, in the order of its ``classes_``; by default its
        ``class_names_`` if it was loaded from a file, otherwise the classes themselves. Names
        that mean other classes than those of their places are refused.
    fingerprint : str, optional
        The ``fingerprint`` of the data set that a scikit-learn classifier was fitted on.

    Raises
    ------
    InvalidParameterError
        The model is not a classifier, the file has another ending, or the names do not match the
        classes.
    MissingExtraError
        The model is a scikit-learn classifier, and skops is not installed.
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
    if isinstance(model, ImageClassifier):
        model.save(path)
        return
    if not is_classifier(model):
        raise invalid("model", "a classifier", model)
    check_is_fitted(model)
    save_classical(output_file("path", path), model, class_names, fingerprint)


def load(path: str | os.PathLike[str]) -> Any:
    """Load a model that nucrec saved.

    Parameters
    ----------
    path : path, or "pretrained"
        A file written by `save` or `ImageClassifier.save`, or the name of the classifier that
        `pretrained` returns.

    Returns
    -------
    ImageClassifier or scikit-learn classifier
        A model with the same predictions as the one saved; ``class_names_`` holds its class names. The
        file does not store your own backbone in its untrained state: to refit such a model, pass the
        backbone again with ``set_params(backbone=...)``.

    Raises
    ------
    ModelFileError
        There is no such file, it is truncated, modified or was not written by nucrec, or it has
        another ending. No code from the file is run.
    MissingExtraError
        The file holds a classical model, and skops is not installed.

    Notes
    -----
    The file is read once. Before anything is built, the hash of every member of the file is verified,
    and every class that the file requests is checked against a list of the classes that nucrec models
    consist of. Keras then loads networks in safe mode; skops loads classical models. The hashes detect
    damage, and the list protects against forged files. The numbers in a classical model are not
    checked, so a forged file can make scikit-learn crash.

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
    where = model_file("path", path)
    try:
        with opened(where) as file:
            if MODELS[where.suffix] == "classical":
                content = file.read()
                return load_classical(content, checked_info(io.BytesIO(content), where), where)
            with private_copy(file, where.suffix) as copy:
                with copy.open("rb") as copied:
                    info = checked_info(copied, where)
                return ImageClassifier._of_file(load_network(copy, info, where), info)
    except (ModelFileError, ImportError):
        raise
    except (
        *(ValueError, TypeError, LookupError, AttributeError, ArithmeticError),
        *(OSError, RuntimeError, MemoryError, *DAMAGED_ARCHIVE),
    ) as error:
        raise ModelFileError(f"{where} cannot be read as a model: {shown(error)}") from error


def pretrained() -> ImageClassifier:
    """Return the trained classifier of single-cell crops that comes with nucrec.

    The classifier distinguishes crops with a micronucleus from crops without one and works offline.
    It is an `ImageClassifier` with all its methods. Its ``card_`` states what it was trained on, what
    it is not for, and its error rates on cell lines and microscopes left out of the training.

    Returns
    -------
    ImageClassifier
        The fitted classifier; each call returns a new one. Its name on the command line is
        ``pretrained``.

    Raises
    ------
    ModelFileError
        The file is damaged: reinstall nucrec.

    Notes
    -----
    The classifier was trained on the 1970 crops of `nucrec.datasets.load_mnfinder_crops`. A report on
    these crops is therefore too favourable, and says so. For whole fields of view, use
    `nucrec.fields.detect`.

    Examples
    --------
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> from nucrec.models import pretrained
    >>> model = pretrained()
    >>> crops = load_mnfinder_crops()[:4]
    >>> model.predict_proba(crops).shape, model.class_names_
    ((4, 2), ('nucleus', 'micronucleus'))
    >>> print(model.card_.licence)
    MIT; copyright 2023 Lucian DiPeso, for the crops
    """
    model: ImageClassifier = load(PRETRAINED)
    return model
