"""The page of a training: its curves, and the performance on held-out images."""

from pathlib import Path

import numpy as np

from nucrec._files import write_text
from nucrec._html import check_page, facts, page, paragraph, plot, section
from nucrec._text import Row, listed
from nucrec._validation import invalid
from nucrec.datasets import ImageDataset
from nucrec.models._backbones import name_of
from nucrec.models._classifier import ImageClassifier
from nucrec.models._evaluated.evaluation import Evaluation
from nucrec.models._evaluated.sections import evaluation_sections
from nucrec.models._plots import TrainingHistoryDisplay


def save_training_page(
    classifier: ImageClassifier,
    path: str | Path,
    evaluation: Evaluation | None = None,
    *,
    train: ImageDataset | None = None,
    title: str = "Training",
) -> Path:
    """Write one page with the curves of a training and the performance on held-out images.

    Parameters
    ----------
    classifier : ImageClassifier
        A classifier that is fitted or loaded from a file.
    path : str or Path
        The file, ending in ".html"; an existing one is replaced atomically.
    evaluation : Evaluation, optional
        The evaluation of the network on held-out images.
    train : ImageDataset, optional
        The training images, whose numbers and groups are listed.
    title : str, default="Training"
        The heading of the page.

    Returns
    -------
    pathlib.Path
        The path of the file, which is self-contained and works offline.

    Raises
    ------
    InvalidParameterError
        `classifier` is not a network, or the name does not end in ".html".
    MissingExtraError
        matplotlib is not installed.
    NucrecError
        The file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from nucrec.datasets import load_mnfinder_crops, split
    >>> from nucrec.models import Evaluation, cnn, save_training_page
    >>> train, test = split(load_mnfinder_crops()[::5], random_state=0)
    >>> classifier = cnn(image_size=16, epochs=1, random_state=0).fit(train)
    >>> found = Evaluation.of(classifier, test)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = save_training_page(classifier, Path(folder, "page.html"), found)
    ...     "Misclassified images" in written.read_text()
    True
    """
    if not isinstance(classifier, ImageClassifier):
        raise invalid("classifier", "a fitted ImageClassifier", classifier)
    where = check_page("path", path)
    display = TrainingHistoryDisplay.from_classifier(classifier)
    curves = plot(
        lambda: display.plot().figure_, f"Accuracy and loss by epoch on {_measured_on(display)}"
    )
    parts = [
        section("How it was trained", facts(_facts(classifier, train, evaluation))),
        section("Training by epoch", paragraph(_about(classifier, display)), curves),
    ]
    if evaluation is not None:
        parts.append(section("Test on held-out images"))
        parts += evaluation_sections(evaluation, classifier)
    write_text(where, page(title, parts))
    return where


def _measured_on(display: TrainingHistoryDisplay) -> str:
    return " and ".join(f"the {part} images" for part in display.accuracy)


def _about(classifier: ImageClassifier, display: TrainingHistoryDisplay) -> str:
    told = "Training values are measured on augmented images while the weights change. "
    if "validation" not in display.accuracy:
        return told + "There were no validation images."
    told += "Validation values are measured after each epoch on images that it is not trained on."
    if classifier.early_stopping is None:
        return told
    return f"{told} Their loss decided which weights were kept."


def _facts(
    classifier: ImageClassifier, train: ImageDataset | None, evaluation: Evaluation | None
) -> list[Row]:
    stages = classifier.history_["stage"]
    epochs = ", ".join(f"{stages.count(stage)} ({stage})" for stage in dict.fromkeys(stages))
    rows: list[Row] = [
        ("network", name_of(classifier.backbone)),
        ("image size", f"{classifier.image_size_} pixels"),
        ("epochs", epochs),
        ("seed", str(classifier.random_state)),
        ("classes", ", ".join(classifier.class_names_)),
    ]
    if train is not None:
        rows.append(("trained on", _in_words(train)))
    if evaluation is not None:
        rows.append(("held out", _told(evaluation.images)))
    rows.append(("fingerprint of the training images", classifier.fingerprint_))
    return rows


def _told(images: ImageDataset) -> str:
    told = _in_words(images)
    names = np.unique(images.groups).tolist()
    return told if len(names) == len(images) else f"{told}: {listed(names, 50)}"


def _in_words(images: ImageDataset) -> str:
    return repr(images).removeprefix("ImageDataset(").removesuffix(")")
