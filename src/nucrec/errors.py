"""The errors and warnings that nucrec raises.

Everything nucrec raises on purpose is a `NucrecError`; each child is also the built-in error that
a caller would expect, so ``except ValueError`` keeps working.
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
    """Base class of every error that nucrec raises on purpose."""


class InvalidParameterError(NucrecError, ValueError, TypeError):
    """An argument is of the wrong type or out of range.

    The message says the parameter, what was expected, what was received and what to do.
    """


class DatasetNotFoundError(NucrecError, FileNotFoundError):
    """The data are not where they were looked for.

    The message says where that was, what is accepted there and how to go on without them.
    """


class DatasetError(NucrecError, ValueError):
    """The data are there, but cannot be used as a data set."""


class ImageError(NucrecError, ValueError):
    """One image cannot be read. The message names the file and says why."""


class SplitError(NucrecError, ValueError):
    """The data set cannot be split as asked, for example because it has too few groups."""


class WeightsError(NucrecError, ValueError):
    """A file of weights is truncated, of another format, or not what its name says."""


class WeightsNotAvailableError(WeightsError, OSError):
    """Pre-trained weights are not here and cannot be had.

    The message names the file, its hash, where to put it, and what works without it.
    """


class MissingExtraError(NucrecError, ImportError):
    """A library that is not part of the core is not installed. The message names the extra."""


class ModelFileError(NucrecError, ValueError):
    """A file of a saved model cannot be read, or is not what nucrec saved. No code of it was run."""


class DataWarning(UserWarning):
    """Something about the data is not as expected, and was dealt with as the warning says."""


class LeakageWarning(UserWarning):
    """A split lets information of the training part into the test part."""


class LongRunWarning(UserWarning):
    """A call takes hours. The message says how many, and how it goes on after an interruption."""


class TrainingWarning(UserWarning):
    """A model was trained, but is of no use, for example because it answers with one class only."""
