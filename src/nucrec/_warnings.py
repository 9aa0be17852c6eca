"""Warnings that point to the line in the user's own code."""

import sys
import warnings


def warn(message: str, category: type[Warning]) -> None:
    """Emit a warning at the innermost line outside nucrec.

    Parameters
    ----------
    message : str
        The message.
    category : type
        The class of the warning.
    """
    level = 2
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("nucrec."):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
