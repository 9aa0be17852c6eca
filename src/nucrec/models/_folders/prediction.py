"""The prediction of one file, and the model that makes it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Self

import numpy as np

from nucrec._class_names import check_class_names, check_renamed
from nucrec._notebook import Facts
from nucrec._progress import Progress
from nucrec._validation import invalid
from nucrec.datasets import ImageDataset, ImageFiles, Quarantined
from nucrec.errors import ImageError, NucrecError
from nucrec.evaluate import ConformalRule
from nucrec.models._classifier import ImageClassifier
from nucrec.models._domain import FIELD_OF_VIEW, TrainingDomain, domain_of

_IMAGES_AT_A_TIME = 256
_DIGITS = 6  # decimals of probabilities, in memory and in tables


@dataclass(frozen=True, slots=True)
class ImagePrediction(Facts):
    """The prediction for one file.

    Attributes
    ----------
    file : str
        The name of the file, relative to the folder or archive.
    predicted : str or None
        The name of the most probable class; None for a file without a prediction.
    probabilities : tuple of float
        The probability of each class, rounded to six decimals as in the table; empty for a file without
        a prediction.
    needs_review : bool
        Whether the image needs manual review; False if no error rate was given.
    unusual : tuple of str
        The properties in which the image is unlike the training images, such as ("sharpness 0.26, in
        training 1.03 to 4.48",); see `TrainingDomain`.
    error : str or None
        Why there is no prediction: the file cannot be read, or is a whole field of view.

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
    unusual: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True)
class FolderClassifier:
    """A fitted model with its classes, its training domain and its rule for manual review."""

    model: Any
    class_names: tuple[str, ...]
    rule: ConformalRule | None
    domain: TrainingDomain | None

    @classmethod
    def of(cls, model: Any, class_names: Sequence[str] | None, error_rate: float | None) -> Self:
        """Check a model and the options of its use.

        Raises
        ------
        InvalidParameterError
            The model has no probabilities, is not calibrated, or has other classes, or they have the
            names in another order.
        """
        if not hasattr(model, "predict_proba"):
            raise invalid("model", "a fitted classifier with predict_proba", model)
        own = getattr(model, "class_names_", [str(value) for value in model.classes_])
        names = names_of_classes(class_names, own, model.classes_)
        rule = None if error_rate is None else _rule(model, error_rate)
        return cls(model, names, rule, domain_of(model))

    def predict(
        self, files: ImageFiles, problems: Iterable[Quarantined], show: Progress
    ) -> Iterator[ImagePrediction]:
        """Yield a prediction for each problem and each file, reading a few hundred at a time."""
        yield from map(_unreadable, problems)
        done = 0
        show(done, len(files), "images")
        for images in files.parts(_IMAGES_AT_A_TIME):
            yield from map(_unreadable, images.quarantined)
            yield from self._predict_readable(images)
            done += len(images.quarantined) + len(images)
            show(done, len(files), "images")

    def _divide(self, images: ImageDataset) -> tuple[ImageDataset, list[str]]:
        """Return the crops, and the names of files that are whole fields of view."""
        if self.domain is None:
            return images, []
        fields = self.domain.fields_of_view(images)
        return images[~fields], images.ids[fields].tolist()

    def _predict_readable(self, images: ImageDataset) -> list[ImagePrediction]:
        """Return a prediction for each image. Large files are read again and may have vanished."""
        try:
            crops, fields = self._divide(images)
            whole = [ImagePrediction(file, None, error=FIELD_OF_VIEW) for file in fields]
            return [*whole, *self._predict_crops(crops)]
        except ImageError as error:
            if len(images) == 1:
                (file,) = images.ids.tolist()
                return [ImagePrediction(file, None, error=str(error).removeprefix(f"{file}: "))]
        alone = (images[i : i + 1] for i in range(len(images)))
        return [row for image in alone for row in self._predict_readable(image)]

    def _predict_crops(self, images: ImageDataset) -> Iterator[ImagePrediction]:
        if not len(images):
            return
        probabilities = np.asarray(self.model.predict_proba(images))
        if not np.isfinite(probabilities).all():
            raise NucrecError("the model returned probabilities that are not finite")
        predicted = [self.class_names[k] for k in probabilities.argmax(axis=1).tolist()]
        rounded = (tuple(round(p, _DIGITS) for p in row) for row in probabilities.tolist())
        review: Iterable[bool] = repeat(False)
        if self.rule is not None:
            review = self.rule.needs_review(probabilities).tolist()
        unusual = repeat(()) if self.domain is None else self.domain.unusual(images)
        for row in zip(images.ids.tolist(), predicted, rounded, review, unusual, strict=False):
            yield ImagePrediction(*row)


def names_of_classes(
    class_names: Sequence[str] | None, own: Sequence[str], classes: Sequence[Any]
) -> tuple[str, ...]:
    """Return the names of a model's classes: those given, or the model's own.

    Raises
    ------
    InvalidParameterError
        The names are too few or too many, or mean other classes than those of their places.
    """
    names = check_class_names(own if class_names is None else class_names)
    if len(names) != len(classes):
        raise invalid("class_names", f"names of the classes {list(classes)}", class_names)
    check_renamed(names, own, np.asarray(classes).tolist())
    return names


def _rule(model: Any, error_rate: float) -> ConformalRule:
    if not isinstance(model, ImageClassifier):
        raise invalid(
            "error_rate", "no error rate for a classical model, which cannot be calibrated", model
        )
    return model.conformal(error_rate)


def _unreadable(entry: Quarantined) -> ImagePrediction:
    return ImagePrediction(entry.name, None, error=entry.reason)
