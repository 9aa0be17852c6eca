"""Saving models, and loading them without running code of the file."""

import io
import os
from typing import Any

from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils.validation import check_is_fitted

from nucrec._paths import checked_path, output_file
from nucrec._text import shown
from nucrec._validation import invalid
from nucrec.errors import ModelFileError
from nucrec.models._classifier import ImageClassifier
from nucrec.models._saving.classical import load_classical, save_classical
from nucrec.models._saving.info import DAMAGED_ARCHIVE, checked_info
from nucrec.models._saving.network import load_network
from nucrec.models._saving.opened import KINDS, opened, private_copy


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
    path : path
        A file that `save` or `ImageClassifier.save` wrote.

    Returns
    -------
    ImageClassifier or scikit-learn classifier
        It predicts what it did before; ``class_names_`` are the names of its classes. The file does not
        hold what a network with a backbone of your own began with: to fit it anew, pass that again,
        ``set_params(backbone=...)``.

    Raises
    ------
    ModelFileError
        There is no such file, or it is truncated, changed, or not from nucrec, or its name has
        another ending. None of its code is run.
    MissingExtraError
        A classical model, and skops is not installed.

    Notes
    -----
    The file is read once. Before anything is built, the hash of every part of it is compared with
    what it says, and all classes it asks for with a list of those that our models consist of.
    Networks are then loaded by Keras in safe mode, classical models by skops. A hash finds damage;
    against a forger there is the list. The numbers in a classical model are not checked:
    scikit-learn may crash on those of a forger.

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
    where = checked_path("path", path)
    try:
        with opened(where) as file:
            if KINDS[where.suffix] == "classical":
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
