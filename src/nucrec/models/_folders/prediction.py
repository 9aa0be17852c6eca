"""What a model says of one file, and the model that says it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy.typing as npt

from nucrec._class_names import check_class_names
from nucrec._progress import Progress
from nucrec._validation import invalid
from nucrec.datasets import ImageFiles, Quarantined
from nucrec.evaluate import ConformalRule
from nucrec.models._classifier import ImageClassifier

Array = npt.NDArray[Any]

_IMAGES_AT_A_TIME = 256
_DIGITS = 6  # of probabilities, in memory as in tables


@dataclass(frozen=True, slots=True)
class ImagePrediction:
    """What a model said of one file.

    Attributes
    ----------
    file : str
        Its name, relative to the folder or archive.
    predicted : str or None
        The name of the most probable class; None for a file that cannot be read.
    probabilities : tuple of float
        One for each class, rounded to six decimals as in the table; empty for a file that cannot be
        read.
    needs_review : bool
        Whether a person should decide; False if no error rate was given.
    error : str or None
        Why the file cannot be read.

    Examples
    --------
    >>> from nucrec.models import ImagePrediction
    >>> found = ImagePrediction("B03/cell 1.png", "micronucleus", (0.25, 0.75))
    >>> found.predicted, max(found.probabilities), found.error
    ('micronucleus', 0.75, None)
    """

    file: str
    predicted: str | None
    probabilities: tuple[float, ...] = ()
    needs_review: bool = False
    error: str | None = None


@dataclass(frozen=True)
class FolderClassifier:
    """A fitted model, the names of its classes, and the rule for what a person should review."""

    model: Any
    class_names: tuple[str, ...]
    rule: ConformalRule | None

    @classmethod
    def of(cls, model: Any, class_names: Sequence[str] | None, error_rate: float | None) -> Self:
        """Check a model and what is asked of it.

        Raises
        ------
        InvalidParameterError
            It gives no probabilities, was not calibrated, or has other classes.
        """
        if not hasattr(model, "predict_proba"):
            raise invalid("model", "a fitted classifier with predict_proba", model)
        own = getattr(model, "class_names_", [str(value) for value in model.classes_])
        names = names_of_classes(class_names, own, model.classes_)
        return cls(model, names, None if error_rate is None else _rule(model, error_rate))

    def predict(
        self, files: ImageFiles, problems: Iterable[Quarantined], show: Progress
    ) -> Iterator[ImagePrediction]:
        """Yield a prediction for each problem and each file, reading some hundred at a time."""
        yield from map(_unreadable, problems)
        done = 0
        show(done, len(files), "images")
        for images in files.parts(_IMAGES_AT_A_TIME):
            yield from map(_unreadable, images.quarantined)
            if len(images):
                yield from self._predicted(images.ids.tolist(), self.model.predict_proba(images))
            done += len(images.quarantined) + len(images)
            show(done, len(files), "images")

    def _predicted(self, files: Sequence[str], probabilities: Array) -> Iterator[ImagePrediction]:
        for_review = [False] * len(files)
        if self.rule is not None:
            for_review = self.rule.needs_review(probabilities).tolist()
        best = probabilities.argmax(axis=1).tolist()
        for k, values in enumerate(probabilities.tolist()):
            rounded = tuple(round(value, _DIGITS) for value in values)
            yield ImagePrediction(files[k], self.class_names[best[k]], rounded, for_review[k])


def names_of_classes(
    class_names: Sequence[str] | None, own: Sequence[str], classes: Sequence[Any]
) -> tuple[str, ...]:
    """Return the names to use for a model's classes: those given, or its own."""
    names = check_class_names(own if class_names is None else class_names)
    if len(names) != len(classes):
        raise invalid("class_names", f"names of the classes {list(classes)}", class_names)
    return names


def _rule(model: Any, error_rate: float) -> ConformalRule:
    if not isinstance(model, ImageClassifier):
        raise invalid("error_rate", "None for a classical model, which cannot be calibrated", model)
    return model.conformal(error_rate)


def _unreadable(entry: Quarantined) -> ImagePrediction:
    return ImagePrediction(entry.name, None, error=entry.reason)
