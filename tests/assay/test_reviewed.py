"""Rates corrected by cells that a person reviewed, and what they say of the detector."""

import pickle

import numpy as np
import pytest
from scipy.stats import beta
from tests.assay.plates import DOSES, cells_of, counts

from nucrec.assay import Assay, ReviewSummary, summarize
from nucrec.errors import DatasetError


def reviewed(true_positive: int, positive: int, missed: int, negative: int) -> dict[str, list]:
    called = [1] * positive + [0] * negative
    truth = [1] * true_positive + [0] * (positive - true_positive)
    return {"called": called, "reviewed": truth + [1] * missed + [0] * (negative - missed)}


def jeffreys(hits: float, n: float) -> tuple[float, float]:
    return tuple(beta.ppf((0.025, 0.975), hits + 0.5, n - hits + 0.5))


def test_a_simple_sample_gives_precision_recall_and_specificity():
    assay = summarize(counts({0: [60, 60, 60], 1: [200, 200, 200]}, scored=10**6))
    found = assay.corrected(reviewed=reviewed(80, 100, 1, 400))
    review = found.review
    assert isinstance(review, ReviewSummary)
    assert (review.precision.value, review.missed_per_1000.value) == pytest.approx((0.8, 2.5))
    rate = 780 / 6e6
    true, missed, false = 0.8 * rate, (1 - rate) / 400, 0.2 * rate
    assert review.recall.value == pytest.approx(true / (true + missed))
    assert found.sensitivity == review.sensitivity.value == review.recall.value
    right = (1 - rate) * 399 / 400
    assert review.specificity.value == found.specificity == pytest.approx(right / (right + false))
    # of so many cells that the sample is a small part of them, but for 100 of 780
    low, high = jeffreys(1, 400)
    ends = (review.missed_per_1000.low, review.missed_per_1000.high)
    assert ends == pytest.approx((1000 * low, 1000 * high), rel=0.05)
    n = 100 / (1 - 100 / 780)
    ends = (review.precision.low, review.precision.high)
    assert ends == pytest.approx(jeffreys(0.8 * n, n), rel=0.01)
    assert (found.precision, found.recall) == (review.precision, review.recall)


def test_the_rate_of_all_is_that_of_double_sampling():
    """Sensitivity and specificity of the plate, put into Rogan and Gladen's formula for the plate."""
    assay = summarize(counts({0: [60, 70, 50]}))
    rate = assay.corrected(reviewed=reviewed(40, 60, 2, 300)).rates[0].corrected
    expected = 180 / 6000 * 40 / 60 + 5820 / 6000 * 2 / 300
    assert rate.value == pytest.approx(1000 * expected)
    assert rate.low < rate.value < rate.high


def test_nothing_missed_is_a_recall_of_one_with_a_wide_interval():
    assay = summarize(counts({0: [10, 12, 8]}))
    review = assay.corrected(reviewed=reviewed(24, 30, 0, 300)).review
    assert (review.recall.value, review.recall.high) == (1, 1)
    assert review.recall.low < 0.5  # five in 1000 may be missed, and three were found


def test_when_all_cells_are_reviewed_nothing_is_uncertain():
    assay = summarize(counts({0: [5, 3, 4]}, scored=100))
    review = assay.corrected(reviewed=reviewed(9, 12, 1, 288)).review
    for each, value in ((review.precision, 9 / 12), (review.recall, 9 / 10)):
        assert (each.low, each.value, each.high) == pytest.approx((value,) * 3, abs=1e-5)


def strata(rows: list[tuple[str, int, int, int, int]]) -> dict[str, list]:
    """Return a reviewed table from (stratum, called, its cells, reviewed, micronucleated)."""
    table: dict[str, list] = {n: [] for n in ("called", "reviewed", "stratum", "stratum_cells")}
    for name, called, size, n, true in rows:
        table["called"] += [called] * n
        table["reviewed"] += ["yes"] * true + ["no"] * (n - true)
        table["stratum"] += [name] * n
        table["stratum_cells"] += [size] * n
    return table


def test_cells_count_as_many_as_they_stand_for():
    assay = summarize(counts({0: [30, 30, 30], 1: [170, 170, 170]}))
    table = strata(
        [("0", 1, 90, 45, 9), ("1", 1, 510, 51, 51), ("0", 0, 5910, 100, 0), ("1", 0, 5490, 100, 2)]
    )
    review = assay.corrected(reviewed=table).review
    assert review.precision.value == pytest.approx((90 * 9 / 45 + 510) / 600)
    assert review.missed_per_1000.value == pytest.approx(1000 * (5490 * 0.02) / 11400)
    by_weight = {**table, "weight": [2.0] * 45 + [10.0] * 51 + [59.1] * 100 + [54.9] * 100}
    del by_weight["stratum"]
    same = assay.corrected(reviewed=by_weight).review
    assert same.precision == review.precision
    assert same.recall.value == pytest.approx(review.recall.value)
    wells = [f"A{i + 1:02d}" for i in range(6)]  # each with as many reviewed, but unlike in size
    positive = {"well": [w for w in wells for _ in range(10)], "called": [1] * 60}
    positive["reviewed"] = [0] * 30 + [1] * 30
    negative = {"well": wells * 10, "called": [0] * 60, "reviewed": [0] * 60}
    by_well = {key: positive[key] + negative[key] for key in positive}
    assert assay.corrected(reviewed=by_well).review.precision.value == pytest.approx(510 / 600)


def test_answers_may_be_missing():
    assay = summarize(counts({0: [30, 30, 30], 1: [170, 170, 170]}))
    rows = [
        ("0", 1, 90, 40, 8),
        ("1", 1, 510, 50, 45),
        ("0", 0, 5910, 99, 0),
        ("1", 0, 5490, 99, 1),
    ]
    table = strata(rows)
    more = strata([("0", 1, 90, 5, 0), ("0", 0, 5910, 7, 0), ("other", 0, 3, 1, 0)])
    more["reviewed"] = ["unsure"] * 4 + [""] + ["?"] + [""] * 7
    whole = {key: table[key] + more[key] for key in table}
    review, known = (assay.corrected(reviewed=each).review for each in (whole, table))
    assert review.precision == known.precision
    assert (review.n_unsure, review.n_unanswered) == (5, 8)
    assert (known.n_unsure, known.n_unanswered, known.remarks) == (0, 0, ())
    (remark,) = review.remarks
    least = (90 * 8 / 44 + 510 * 45 / 50) / 600
    most = (90 * 12 / 44 + 510 * 45 / 50) / 600
    assert "5 unsure cells left out: if all of them were without" in remark
    assert f"precision would be {least:.2f} to {most:.2f}" in remark
    assert remark in str(assay.corrected(reviewed=whole))


def test_reviews_are_files(tmp_path):
    table = reviewed(80, 100, 1, 400)
    words = {1: "Yes", 0: "no"}
    lines = [f"{c};{words[r]}" for c, r in zip(table["called"], table["reviewed"], strict=True)]
    path = tmp_path / "reviewed.csv"
    path.write_text("\n".join(["Called;Reviewed", *lines, "1;", "0;unsure"]), encoding="utf-8")
    assay = summarize(counts(DOSES))
    of_file, of_table = (assay.corrected(reviewed=each) for each in (path, table))
    assert of_file.rates == of_table.rates
    assert (of_file.n_unsure, of_file.review.n_unanswered) == (1, 1)
    assert "recall, or sensitivity" in of_file.to_markdown()
    assert "precision" in of_file._repr_html_()
    assert of_file.to_dict()["review"]["n_positive"] == 100


@pytest.fixture(scope="module")
def plate() -> tuple[Assay, dict[str, np.ndarray]]:
    """An assay of single cells, and its table."""
    cells = cells_of(counts({0: [4, 5, 6], 1: [9, 8, 7]}, scored=50))
    n = len(cells["n_micronuclei"])
    cells["field"] = np.char.add(cells["well"], "_s1")
    cells["field"][cells["well"] == "A06"] = "=1+1"
    cells["cell_id"] = np.tile(np.arange(1, 51), 6)
    cells["scored"] = np.arange(n) % 50 != 49
    return summarize(cells), cells


def review_of(cells: dict[str, np.ndarray], n: int = 9) -> dict[str, list]:
    rows = np.flatnonzero(cells["scored"])[::n]
    called = (cells["n_micronuclei"][rows] > 0).astype(int).tolist()
    names = [f"'{name}" if name[0] == "=" else name for name in cells["field"][rows].tolist()]
    return {
        "field": names,
        "cell_id": cells["cell_id"][rows].tolist(),
        "called": called,
        "reviewed": called.copy(),
    }


def test_reviewed_cells_are_looked_up(plate):
    assay, cells = plate
    found = assay.corrected(reviewed=review_of(cells))
    assert found.review.precision.value == found.review.recall.value == 1
    again = pickle.loads(pickle.dumps(assay)).corrected(reviewed=review_of(cells))
    assert again == found


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("field", "B02", "row 1: cell 1 of field B02 is not in cells"),
        ("cell_id", 60, "row 1: cell 60 of field A01_s1 is not in cells"),
        ("cell_id", 50, "row 1: cell 50 of field A01_s1 is not scored in cells"),
        ("called", 0, "was called without a micronucleus in the review, but is with one in cells"),
        ("cell_id", 10, "row 2: cell 10 of field A01_s1 is listed twice, first in reviewed, row 1"),
    ],
)
def test_a_review_of_another_plate_is_refused(plate, column, value, words):
    assay, cells = plate
    table = review_of(cells)
    table[column][0] = value
    if value == 10:
        table["called"][0] = table["called"][1]
    with pytest.raises(DatasetError, match=words):
        assay.corrected(reviewed=table)


def test_a_review_of_one_of_several_plates_needs_the_plate():
    cells = cells_of(counts({0: [4, 5, 6], 1: [9, 8, 7]}, scored=50))
    cells["field"], cells["cell_id"] = cells["well"], np.tile(np.arange(1, 51), 6)
    cells["scored"] = np.ones(300, bool)
    both = {name: np.concatenate([column, column]) for name, column in cells.items()}
    both["plate"] = np.repeat(["P1", "P2"], 300)
    assay = summarize(both)
    table = review_of(cells, 5)
    with pytest.raises(DatasetError, match="cell 1 of field A01 occurs more than once") as caught:
        assay.corrected(reviewed=table)
    assert "give the reviewed cells a column plate" in str(caught.value)
    table["plate"] = ["P2"] * len(table["field"])
    assert assay.corrected(reviewed=table).review.n_positive > 0


def test_cells_without_a_condition_are_left_out_and_said():
    cells = cells_of(counts({0: [4, 5, 6], 1: [9, 8, 7]}, scored=50))
    cells["condition"] = np.where(cells["well"] == "A06", "", cells["dose"].astype(str))
    del cells["dose"]
    cells["field"], cells["cell_id"] = cells["well"], np.tile(np.arange(1, 51), 6)
    cells["scored"] = np.ones(300, bool)
    found = summarize(cells).corrected(reviewed=review_of(cells, 5))
    assert "Left out because they have no condition: 10 reviewed cells." in found.review.remarks
    assert found.review.n_positive + found.review.n_negative == 50


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"called": [1, 0], "reviewed": ["yes", "perhaps"]}, "row 2: reviewed must be yes or no"),
        ({"called": [1, 1], "reviewed": [1, 0]}, "no cell called negative"),
        ({"called": [1, 0], "reviewed": ["", 0]}, "no cell called positive"),
        ({"called": [1, 0]}, "expected columns called and reviewed"),
        ({"called": ["", 0], "reviewed": [1, 0]}, "row 1: called must not be empty"),
        (
            reviewed(300, 300, 0, 5),
            "300 cells were called positive, but the table of cells has 278",
        ),
        ({**reviewed(1, 1, 0, 1), "weight": [0, 1]}, "row 1: weight must be a number above 0"),
        (
            {**reviewed(1, 1, 0, 1), "stratum": ["a", "a"], "stratum_cells": [3, "x"]},
            "row 2: stratum_cells must be a number above 0",
        ),
        (
            {**reviewed(1, 1, 0, 1), "well": ["A01", "H12"]},
            "row 2: well must be a well with cells called",
        ),
    ],
)
def test_bad_reviews(table, words):
    with pytest.raises(DatasetError, match=words):
        summarize(counts(DOSES)).corrected(reviewed=table)


def simulated(rng: np.random.Generator) -> tuple[bool, ...]:
    """Draw a plate and a review of as many cells from each condition, and say what holds the truth.

    Four conditions of three wells, 5 to 40 micronucleated cells per 1000; the detector finds 80 % of
    them, and calls 10 of 1000 others so.
    """
    rates, n = np.repeat([5, 10, 20, 40], 3) / 1000, 2000
    true = rng.binomial(n, rates)
    found = rng.binomial(true, 0.8), rng.binomial(n - true, 0.01)
    sizes, rows = [20, 60], []
    for c in range(4):
        mine = slice(3 * c, 3 * c + 3)
        hits, false = (int(each[mine].sum()) for each in found)
        missed = int(true[mine].sum()) - hits
        for called, yes, size in ((1, hits, hits + false), (0, missed, 3 * n - hits - false)):
            k = sizes[1 - called]
            rows.append((str(c), called, size, k, int(rng.hypergeometric(yes, size - yes, k))))
    assay = summarize(
        counts({c: (found[0] + found[1])[3 * c : 3 * c + 3].tolist() for c in range(4)})
    )
    result = assay.corrected(reviewed=strata(rows))
    review = result.review
    a, b, every = found[0].sum(), found[1].sum(), 12 * n
    truth = (a / (a + b), a / true.sum(), 1 - b / (every - true.sum()), *(1000 * rates[::3]))
    measures = (review.precision, review.recall, review.specificity)
    return tuple(
        each.low <= value <= each.high
        for each, value in zip(
            (*measures, *(r.corrected for r in result.rates)), truth, strict=True
        )
    )


@pytest.mark.slow
def test_intervals_hold_the_truth_when_strata_are_sampled_unequally_and_rates_are_low():
    rng = np.random.default_rng(0)
    held = np.mean([simulated(rng) for _ in range(120)], axis=0)
    assert (held >= 0.92).all(), held  # 3 standard errors below .975
