"""Calibration of the probability of a micronucleus, from the network's pixel probabilities."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_NEXT_TO_CERTAIN = 0.5 / 255  # the maps have 255 steps


class Calibration(NamedTuple):
    """A logistic model of the probability that a found object is an annotated micronucleus.

    The model follows J. Platt, "Probabilistic outputs for support vector machines", 1999. By
    default, the largest probability of a pixel is used unchanged.

    Attributes
    ----------
    intercept : float
        The constant term of the log-odds.
    peak : float
        The coefficient of the log-odds of the most probable pixel.
    """

    intercept: float = 0.0
    peak: float = 1.0

    def probability(self, peak: Array) -> Array:
        """Return the probability of each object, float32, from that of its most probable pixel."""
        log_odds = self.intercept + self.peak * _log_odds(peak)
        return np.asarray(1 / (1 + np.exp(-log_odds)), np.float32)


def _log_odds(probability: Array) -> Array:
    inside = np.clip(probability, _NEXT_TO_CERTAIN, 1 - _NEXT_TO_CERTAIN)
    return np.asarray(np.log(inside / (1 - inside)))


def fit_calibration(peak: Array, right: Array) -> Calibration:
    """Fit the calibration to objects that are known to be micronuclei or not.

    Parameters
    ----------
    peak : ndarray of shape (n,)
        The largest probability of the pixels of each object.
    right : ndarray of bool, shape (n,)
        Whether each object is a micronucleus.
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=100.0).fit(_log_odds(peak)[:, np.newaxis], right)
    return Calibration(float(model.intercept_[0]), float(model.coef_[0, 0]))
