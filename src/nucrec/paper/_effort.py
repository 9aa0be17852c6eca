"""Estimate of the time that a run takes, made before it starts."""

from collections.abc import Iterable
from dataclasses import dataclass

from nucrec.models import ImageClassifier

_WORTH_TELLING = 1.0
"""Hours from which on a run is announced."""

_RATES = {("inception-resnet-v2", 299): (4.0, 14.0), ("cnn", 128): (330.0, 1290.0)}
"""Images per second that two CPU cores train on and predict, by network and size; measured."""


@dataclass(frozen=True)
class Effort:
    """The work of one network: a training, and a prediction of the test images after each epoch.

    Attributes
    ----------
    network : ImageClassifier
        Unfitted.
    trained, predicted : int
        Images over all epochs.
    """

    network: ImageClassifier
    trained: int
    predicted: int

    @classmethod
    def of(cls, network: ImageClassifier, sizes: Iterable[tuple[int, int]]) -> "Effort":
        """Return the work on training and test sets of such sizes."""
        epochs = int(network.epochs or 0)
        train, test = map(sum, zip(*sizes, strict=True))
        return cls(network, epochs * train, epochs * test)

    @property
    def hours(self) -> float | None:
        """Hours on two CPU cores; None where the rate is not known."""
        rates = _RATES.get((str(self.network.backbone), int(self.network.image_size or 0)))
        if rates is None:
            return None
        return (self.trained / rates[0] + self.predicted / rates[1]) / 3600


def announcement(preset: str, efforts: Iterable[Effort]) -> str | None:
    """Return a sentence on how long the trainings of a preset take; None if they are short."""
    found = list(efforts)
    hours = [each.hours for each in found]
    known = sum(each for each in hours if each is not None)
    if None not in hours and known < _WORTH_TELLING:
        return None
    trained = sum(each.trained for each in found)
    predicted = sum(each.predicted for each in found)
    takes = "how long this takes was not measured for this backbone"
    if None not in hours:
        takes = f"about {known:.0f} hours on two CPU cores, less on more cores or a GPU"
    return (
        f"the preset {preset} trains on {trained:,} images, each counted in every epoch, and predicts "
        f"{predicted:,}: {takes}. If it is interrupted, the same command resumes at the epoch it had "
        "reached"
    )
