"""How sure one can be of a micronucleus, from what the network says of its pixels."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_NEXT_TO_CERTAIN = 0.5 / 255  # the maps have 255 steps


class Calibration(NamedTuple):
    """A logistic model of the probability that a found object is an annotated micronucleus.

    The form is that of J. Platt, "Probabilistic outputs for support vector machines", 1999. The
    default takes the largest probability of a pixel as it is.

    Attributes
    ----------
    intercept : float
        Log-odds where the others are 0.
    peak : float
        Times the log-odds of its surest pixel.
    """

    intercept: float = 0.0
    peak: float = 1.0

    def probability(self, peak: Array) -> Array:
        """Return the probability of each object, float32, from that of its surest pixel."""
        log_odds = self.intercept + self.peak * _log_odds(peak)
        return np.asarray(1 / (1 + np.exp(-log_odds)), np.float32)


def _log_odds(probability: Array) -> Array:
    inside = np.clip(probability, _NEXT_TO_CERTAIN, 1 - _NEXT_TO_CERTAIN)
    return np.asarray(np.log(inside / (1 - inside)))


def fit_calibration(peak: Array, right: Array) -> Calibration:
    """Return the calibration that fits objects of which it is known whether they are right.

    Parameters
    ----------
    peak : ndarray of shape (n,)
        The largest probability of the pixels of each object.
    right : ndarray of bool, shape (n,)
        Whether each is a micronucleus.
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=100.0).fit(_log_odds(peak)[:, np.newaxis], right)
    return Calibration(float(model.intercept_[0]), float(model.coef_[0, 0]))
