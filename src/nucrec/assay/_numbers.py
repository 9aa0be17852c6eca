"""The tables of a report as unrounded numbers, for programs and spreadsheets."""

from collections.abc import Mapping, Sequence
from typing import Any

from nucrec.assay._correction import Correction
from nucrec.assay._cytotoxicity import Cytotoxicity
from nucrec.assay._decision import Decision
from nucrec.assay._detectable import SmallestIncrease
from nucrec.assay._families import Family
from nucrec.assay._review_summary import ReviewSummary
from nucrec.assay._summaries import ConditionSummary
from nucrec.assay._test_result import TestResult
from nucrec.assay._trend import Trend
from nucrec.evaluate import Metric

Rows = list[list[Any]]


def excluded_numbers(conditions: Sequence[ConditionSummary]) -> Rows:
    """Return the numbers of cells that were not scored, one row per condition and reason."""
    return _rows(
        {"condition": each.name, "reason": reason, "cells": n}
        for each in conditions
        for reason, n in each.excluded.items()
    )


def distribution_numbers(conditions: Sequence[ConditionSummary]) -> Rows:
    """Return the numbers of scored cells by number of micronuclei."""
    return _rows(
        {
            "condition": each.name,
            "micronuclei": k,
            "or_more": k == len(each.distribution) - 1,
            "cells": n,
        }
        for each in conditions
        if each.distribution
        for k, n in enumerate(each.distribution)
    )


def contrast_numbers(families: Sequence[Family]) -> Rows:
    """Return the comparisons with the control."""
    return _rows(
        {
            "condition": each.condition,
            "control": each.control,
            "difference_per_1000": each.difference,
            "fold": each.fold,
            **_test("units", each.by_unit),
            **_test("pooled", each.pooled),
        }
        for family in families
        for each in family.contrasts
    )


def trend_numbers(families: Sequence[Family]) -> Rows:
    """Return the tests for trend."""
    trends = [family.trend for family in families if family.trend is not None]
    return _rows(
        {
            "compound": trend.compound,
            "levels": ", ".join(part.levels),
            "without_highest": part is not trend,
            "downturn": part.downturn,
            **_test("units", part.by_unit),
            **_test("pooled", part.pooled),
        }
        for trend in trends
        for part in parts_of(trend)
    )


def parts_of(trend: Trend) -> list[Trend]:
    """Return a test for trend, and that without the highest dose if there is one."""
    return [each for each in (trend, trend.without_highest) if each is not None]


def smallest_numbers(smallest: Sequence[SmallestIncrease]) -> Rows:
    """Return the smallest increases that could have been detected."""
    return _rows(vars(each) for each in smallest)


def decision_numbers(decisions: Sequence[Decision]) -> Rows:
    """Return the criteria of each decision."""
    return _rows(
        {
            "compound": decision.compound,
            "verdict": decision.verdict,
            "remarks": "; ".join(decision.remarks),
            "criterion": each.question,
            "answer": each.answer,
            "reason": each.reason,
            "needed": each.needed,
        }
        for decision in decisions
        for each in decision.criteria
    )


def correction_numbers(correction: Correction) -> Rows:
    """Return the corrected rates."""
    return _rows(
        {
            "condition": each.condition,
            "found_per_1000": each.found.value,
            "corrected_per_1000": each.corrected.value,
            "low": each.corrected.low,
            "high": each.corrected.high,
            "method": each.corrected.method,
            "remark": each.remark,
        }
        for each in correction.rates
    )


def review_numbers(review: ReviewSummary) -> Rows:
    """Return the performance of the detector on this plate."""
    names = ("precision", "recall", "specificity", "missed_per_1000")
    return _rows({"measure": name, **_metric(getattr(review, name))} for name in names)


def _metric(metric: Metric) -> dict[str, Any]:
    return {
        "value": metric.value,
        "low": metric.low,
        "high": metric.high,
        "method": metric.method,
    }


def cytotoxicity_numbers(found: Sequence[Cytotoxicity]) -> Rows:
    """Return the measures of cytotoxicity."""
    return _rows(vars(each) for each in found)


def _test(name: str, test: TestResult) -> dict[str, Any]:
    return {
        f"p_{name}": test.p_value,
        f"p_{name}_adjusted": test.p_adjusted,
        f"statistic_{name}": test.statistic,
        f"method_{name}": test.method,
    }


def _rows(records: Any) -> Rows:
    found: list[Mapping[str, Any]] = list(records)
    header = list(found[0]) if found else []
    return [header, *([*record.values()] for record in found)]
