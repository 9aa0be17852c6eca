"""The errors and warnings raised by nucrec.

All deliberate errors are `NucrecError`; each subclass is also the built-in error that a caller
would expect, so ``except ValueError`` keeps working.
"""

__all__ = [
    "DataWarning",
    "DatasetError",
    "DatasetNotFoundError",
    "ImageError",
    "InvalidParameterError",
    "LeakageWarning",
    "LongRunWarning",
    "MissingExtraError",
    "ModelFileError",
    "NucrecError",
    "SplitError",
    "TrainingWarning",
    "WeightsError",
    "WeightsNotAvailableError",
]


class NucrecError(Exception):
    """The base class of all deliberate errors of nucrec."""


class InvalidParameterError(NucrecError, ValueError, TypeError):
    """An argument has the wrong type or is out of range.

    The message states the parameter, the expected and received values, and what to do.
    """


class DatasetNotFoundError(NucrecError, FileNotFoundError):
    """The data were not found at the expected place.

    The message states the place, the accepted content, and how to continue without the data.
    """


class DatasetError(NucrecError, ValueError):
    """The data exist, but cannot be used as a data set."""


class ImageError(NucrecError, ValueError):
    """An image cannot be read, or is a field of view given to a model of crops.

    The message names the image and the reason.
    """


class SplitError(NucrecError, ValueError):
    """The data set cannot be split as requested, for example because it has too few groups."""


class WeightsError(NucrecError, ValueError):
    """A weights file is truncated, has another format, or does not match its name."""


class WeightsNotAvailableError(WeightsError, OSError):
    """Pre-trained weights are missing and cannot be obtained.

    The message states the file, its hash, where to put it, and what works without it.
    """


class MissingExtraError(NucrecError, ImportError):
    """An optional library is not installed. The message names the extra."""


class ModelFileError(NucrecError, ValueError):
    """A model file cannot be read, or was not saved by nucrec. No code from the file was run."""


class DataWarning(UserWarning):
    """The data are not as expected, and were handled as the warning states."""


class LeakageWarning(UserWarning):
    """A split leaks information from the training set into the test set."""


class LongRunWarning(UserWarning):
    """A call takes hours. The message says how many, and how to resume it."""


class TrainingWarning(UserWarning):
    """A trained model is useless, for example because it always predicts the same class."""
