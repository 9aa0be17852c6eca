"""Differences between the metrics of two classifiers on the same images."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.evaluate import _posterior
from nucrec.evaluate._area import METHOD as AREA_METHOD
from nucrec.evaluate._area import Area, mean_area_interval
from nucrec.evaluate._metric import Metric
from nucrec.evaluate._resampling import expanded_reach, middle
from nucrec.evaluate._sample import Column, Sample

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Pair:
    """Two classifiers on one test set.

    Attributes
    ----------
    first, second : Sample
        Their predictions; truth, classes and groups are the same.
    """

    first: Sample
    second: Sample

    @property
    def apart(self) -> Array:
        """For each image, 1 if only the first is correct, -1 if only the second is, else 0."""
        return self.second.wrong.astype(int) - self.first.wrong

    def difference(
        self, column: Column, confidence: float, n_draws: int, random_state: int
    ) -> Metric:
        """Return the metric of the first minus that of the second, with its interval."""
        if column[0] == "AUC":
            span, method = self._area_span(confidence), AREA_METHOD
        else:
            span, method = self._span(column, confidence, n_draws, random_state), "Jeffreys"
        value = self.first.value(column) - self.second.value(column)
        ends = min(span[0], value), max(span[1], value)
        return Metric(value, *ends, f"{method}, paired{self.first.design.method}")

    def _span(
        self, column: Column, confidence: float, n_draws: int, random_state: int
    ) -> tuple[float, float]:
        """Return the central range of the posterior distribution of the difference."""
        sample, design = self.first, self.first.design
        if len(np.unique(sample.true)) < 2 or math.isnan(design.reach(confidence)):
            return math.nan, math.nan
        metric = sample.from_confusion[column]

        def span(effect: float, reach: float) -> tuple[float, float]:
            rng = np.random.default_rng(random_state)
            first, second = self._drawn(effect, n_draws, rng)
            return middle(metric(first) - metric(second), reach)

        alone = expanded_reach(confidence, design.n)
        low, high = span(1.0, alone)
        if design.groups is None:
            return low, high
        of_groups = span(self._effect(metric), max(alone, design.reach(confidence)))
        return min(low, of_groups[0]), max(high, of_groups[1])

    def _effect(self, metric: Callable[[Array], Array]) -> float:
        """Return the design effect of the difference."""
        k = len(self.first.names)
        slopes = [
            _posterior.influences(metric, each.confusion)[each.true * k + each.predicted]
            for each in (self.first, self.second)
        ]
        return self.first.design.effect(
            slopes[0] - slopes[1], self.first.predicted != self.second.predicted
        )

    def _drawn(self, effect: float, n_draws: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return confusion matrices of both from the posterior distribution of their joint table."""
        k = len(self.first.names)
        a, b = self.first.predicted, self.second.predicted
        joint = np.bincount((self.first.true * k + a) * k + b, minlength=k**3).reshape(k, k, k)
        prior = _posterior.prior(self.first.confusion + self.second.confusion)
        matrices = np.zeros((2, n_draws, k, k))
        for true in range(k):  # one after the other: all at once can be too much for the memory
            share = np.outer(prior[true], prior[true] > 0) / max(1, np.count_nonzero(prior[true]))
            drawn = rng.standard_gamma(joint[true] / effect + share, (n_draws, k, k))
            matrices[:, :, true] = drawn.sum(axis=2), drawn.sum(axis=1)
        return matrices[0], matrices[1]

    def _area_span(self, confidence: float) -> tuple[float, float]:
        """Return the interval of the difference of two areas, from those of both.

        G. Y. Zou, "Toward using confidence intervals to compare correlations", Psychological
        Methods 12, 2007, pp. 399-413 (MOVER); their correlation is that of the influences of images
        or groups, with two that do not correlate added.
        """
        design = self.first.design
        if not self.first.areas:
            return math.nan, math.nan
        means, gaps, influences = [], [], []
        for sample in (self.first, self.second):
            mean = sample.value(("AUC", ""))
            low, high = mean_area_interval(sample.areas, design, confidence)
            means.append(mean)
            gaps.append((mean - low, high - mean))
            influences.append(_by_unit(_mean_influences(sample.areas), design.groups))
        common = _correlation(*influences)
        below = _combined(gaps[0][0], gaps[1][1], common)
        above = _combined(gaps[0][1], gaps[1][0], common)
        return means[0] - means[1] - below, means[0] - means[1] + above


def _mean_influences(areas: list[Area]) -> Array:
    return np.asarray(np.mean([area.influences for area in areas], axis=0))


def _by_unit(values: Array, groups: Array | None) -> Array:
    return values if groups is None else np.bincount(groups, values)


def _correlation(first: Array, second: Array) -> float:
    scale = math.sqrt(float(np.square(first).sum() * np.square(second).sum()))
    shrinkage = len(first) / (len(first) + 2)
    return shrinkage * float(first @ second) / scale if scale > 0 else 0.0


def _combined(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(0.0, one**2 + other**2 - 2 * correlation * one * other))
