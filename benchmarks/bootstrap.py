"""Intervals of seven metrics of 2,000 predictions, from 10,000 draws or resamples."""

import time
from collections.abc import Iterator
from functools import partial

import numpy as np
from confidenceinterval.bootstrap import bootstrap_ci
from sklearn import metrics

from benchmarks.timing import Comparison
from nucrec.evaluate import report

MACRO = {"average": "macro", "zero_division": 0.0}
METRICS = {
    "ACC": metrics.accuracy_score,
    "PRE": partial(metrics.precision_score, **MACRO),
    "REC": partial(metrics.recall_score, **MACRO),
    "F1": partial(metrics.f1_score, **MACRO),
    "MC": metrics.matthews_corrcoef,
    "KS": metrics.cohen_kappa_score,
    "AUC": metrics.roc_auc_score,
}
"""What the report holds, as scikit-learn computes it."""

N, RESAMPLES = 2000, 10_000
SHARE = 0.02
"""How much of its resamples the peer draws; its time is divided by it."""


def comparisons() -> Iterator[Comparison]:
    """Yield nucrec's report against scikit-learn in a loop, and against confidenceinterval."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, N)
    scores = np.clip(0.35 * truth + rng.uniform(0, 0.65, N), 0, 1)
    predicted = (scores > 0.5).astype(int)

    def ours() -> None:
        report(truth, predicted, scores, n_resamples=RESAMPLES)

    def in_a_loop() -> float:
        started = time.perf_counter()
        draw = np.random.default_rng(0)
        values = []
        for _ in range(round(RESAMPLES * SHARE)):
            chosen = draw.integers(0, N, N)
            drawn = truth[chosen], predicted[chosen]
            row = [metric(*drawn) for metric in list(METRICS.values())[:-1]]
            values.append([*row, metrics.roc_auc_score(truth[chosen], scores[chosen])])
        np.percentile(values, [2.5, 97.5], axis=0)
        return (time.perf_counter() - started) / SHARE

    def with_confidenceinterval() -> float:
        started = time.perf_counter()
        for metric in METRICS.values():
            bootstrap_ci(
                truth,
                predicted,
                metric,
                n_resamples=round(RESAMPLES * SHARE),
                method="bootstrap_percentile",
                random_state=np.random.RandomState(0),
            )
        return (time.perf_counter() - started) / SHARE

    work = f"report: intervals of seven metrics, n = {N:,}, {RESAMPLES:,} draws"
    timed = f"{SHARE:.0%} of the resamples timed"
    yield Comparison(work, f"scikit-learn in a loop; {timed}", ours, in_a_loop, 5, goal=20)
    peer = f"confidenceinterval; {timed}"
    yield Comparison(work, peer, ours, with_confidenceinterval, 5, goal=20)
