"""Estimate the metrics of a sample, each with its interval."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.evaluate import _area, _posterior
from nucrec.evaluate._design import share_interval
from nucrec.evaluate._metric import Metric
from nucrec.evaluate._resampling import expanded_reach, middle
from nucrec.evaluate._sample import Column, Sample

Array = npt.NDArray[Any]

_UNDEFINED = math.nan, math.nan


def estimate(
    sample: Sample, confidence: float, n_draws: int, random_state: int
) -> dict[Column, Metric]:
    """Return all metrics, the overall ones first."""
    shares = _shares(sample)
    rng = np.random.default_rng(random_state)
    drawn = _posterior.draw(sample.confusion, 1.0, n_draws, rng)
    # one class says nothing of the other, one group nothing of others
    silent = len(np.unique(sample.true)) < 2 or math.isnan(sample.design.reach(confidence))
    found = {}
    for column in sample.from_confusion:
        if column in shares:
            right, of = shares[column]
            span = share_interval(right[of].astype(float), sample.design.part(of), confidence)
            found[column] = _metric(sample, column, span, "Wilson")
        else:
            span = _UNDEFINED
            if not silent:
                span = _posterior_span(sample, column, drawn, confidence, random_state)
            found[column] = _metric(sample, column, span, "Jeffreys")
    if sample.scores is None:
        return found
    span = _UNDEFINED
    if sample.areas:
        span = _area.mean_area_interval(sample.areas, sample.design, confidence)
    return found | {("AUC", ""): _metric(sample, ("AUC", ""), span, _area.METHOD)}


def _metric(sample: Sample, column: Column, span: tuple[float, float], method: str) -> Metric:
    """Return the metric; its interval always contains the value itself."""
    value, (low, high) = sample.value(column), span
    return Metric(value, min(low, value), max(high, value), method + sample.design.method)


def _shares(sample: Sample) -> dict[Column, tuple[Array, Array]]:
    """Return the metrics that are shares, as masks of numerator and denominator."""
    right = ~sample.wrong
    shares = {("ACC", ""): (right, np.ones(len(right), bool))}
    for k, name in enumerate(sample.names):
        shares["PRE", name] = right, sample.predicted == k
        shares["REC", name] = right, sample.true == k
    return shares


def _posterior_span(
    sample: Sample, column: Column, drawn: Array, confidence: float, random_state: int
) -> tuple[float, float]:
    """Return the central range of the posterior distribution of a metric.

    With groups, the range for the effective number of images is also computed; the interval contains
    both.
    """
    metric, design = sample.from_confusion[column], sample.design
    alone = expanded_reach(confidence, len(sample.true))
    low, high = middle(metric(drawn), alone)
    if design.groups is None:
        return low, high
    rng = np.random.default_rng(random_state)
    fewer = _posterior.draw(sample.confusion, _effect(sample, column), len(drawn), rng)
    of_groups = middle(metric(fewer), max(alone, design.reach(confidence)))
    return min(low, of_groups[0]), max(high, of_groups[1])


def _effect(sample: Sample, column: Column) -> float:
    """Return the design effect of a metric."""
    slopes = _posterior.influences(sample.from_confusion[column], sample.confusion)
    cells = sample.true * len(sample.names) + sample.predicted
    return sample.design.effect(slopes[cells], sample.wrong)
