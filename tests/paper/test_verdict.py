"""What a run says of the paper's claims: what leaking gained, on the same originals."""

import numpy as np
import pytest

from nucrec.datasets import ImageDataset
from nucrec.models import CrossValidation, Truth, ZooResult, ZooRow
from nucrec.paper import Claim, Division, TableResult, published_table


def judged(test: ImageDataset, right: np.ndarray, reported: bool) -> ZooResult:
    """Return a classifier that is right for some images."""
    truth = Truth.of(test)
    predicted = np.where(right, test.labels, 1 - test.labels)
    report = truth.report(predicted) if reported else None
    return ZooResult((ZooRow("RF", "ok", 0.1, report, y_pred=predicted),), truth=truth)


def table(
    leaked: np.ndarray, honest: list[np.ndarray], groups: np.ndarray, reported: bool = True
) -> TableResult:
    """Return Table I where all images are tested on once leaked, and once in each honest repeat.

    In the paper's protocol, each image has a copy as well, for which the classifier is never right.
    """
    n = len(groups)
    names = [f"{i}" for i in range(n)]
    images = ImageDataset(np.zeros((n, 1, 1), np.uint8), np.arange(n) % 2, ids=names, groups=groups)
    copies = ImageDataset(
        np.zeros((2 * n, 1, 1), np.uint8),
        np.tile(images.labels, 2),
        ids=[*names, *(f"{name}#1" for name in names)],
        groups=np.tile(groups, 2),
        parents=names * 2,
    )
    wrong = np.zeros(n, bool)
    half = groups < np.median(groups)
    folds, divisions = [], []
    for right in honest:
        for part in (half, ~half):
            folds.append(judged(images[part], right[part], reported))
            divisions.append(Division("honest", False, images[~part], images[part]))
    return TableResult(
        published_table(1),
        {
            "paper": judged(copies, np.r_[leaked, wrong], reported),
            "honest": CrossValidation(tuple(folds), 2),
        },
        {
            "paper": (Division("paper", True, copies, copies),),
            "honest": tuple(divisions),
        },
    )


def test_originals_are_compared_with_themselves():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(12), rng.integers(2, 9, 12))
    leaked, once, again = (rng.random(len(groups)) < share for share in (0.9, 0.7, 0.7))
    claim = Claim.of(table(leaked, [once, again], groups))
    differences = leaked - (once + 0.0 + again) / 2
    assert claim.gained.value == claim.gain == pytest.approx(differences.mean())
    assert claim.leaked.value == pytest.approx(leaked.mean() / 2)  # with the copies
    assert (claim.n_originals, claim.n_groups) == (len(groups), 12)
    # the jackknife, one group left out in turn
    without = [differences[groups != group].mean() for group in range(12)]
    error = np.sqrt(11 * np.var(without))
    quantile = 2.2009851600829  # of Student's t with 11 degrees of freedom, from a table
    assert claim.gained.low == pytest.approx(claim.gain - quantile * error)
    assert claim.gained.high == pytest.approx(claim.gain + quantile * error)
    assert claim.to_dict()["gained"]["low"] == claim.gained.low


def test_where_nothing_differs_there_is_no_interval():
    right = np.arange(20) % 3 > 0
    claim = Claim.of(table(right, [right], np.arange(20) // 2))
    assert claim.gain == 0
    assert np.isnan([claim.gained.low, claim.gained.high]).all()


def test_one_protocol_says_nothing_of_leaks():
    groups = np.arange(20) // 2
    both = table(np.ones(20, bool), [np.ones(20, bool)], groups)
    only = TableResult(both.published, {"paper": both.obtained["paper"]}, {})
    assert Claim.of(only).gained is Claim.of(only).gain is None


@pytest.mark.slow
@pytest.mark.parametrize("n_groups", [8, 12, 33])
@pytest.mark.parametrize(("share_leaked", "share_honest"), [(0.95, 0.75), (0.6, 0.55), (0.8, 0.8)])
def test_the_interval_holds_the_truth(n_groups, share_leaked, share_honest):
    rng = np.random.default_rng(1)
    held, n = [], 92
    for _ in range(300):
        groups = np.sort(rng.integers(0, n_groups, n))
        effect = rng.normal(0, 0.08, n_groups)[groups]  # groups are easier or harder than others
        leaked, once, again = (
            rng.random(n) < share + own * effect
            for share, own in ((share_leaked, 0.3), (share_honest, 1), (share_honest, 1))
        )
        gained = Claim.of(table(leaked, [once, again], groups, reported=False)).gained
        held.append(gained.low <= share_leaked - share_honest <= gained.high)
    assert 0.9 < np.mean(held) < 0.99
