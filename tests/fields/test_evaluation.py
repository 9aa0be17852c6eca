"""Comparing found with annotated objects; expected values by trying every matching."""

import itertools
import json
import math

import numpy as np
import pytest
from scipy import ndimage, stats
from sklearn.metrics import r2_score

from nucrec.errors import InvalidParameterError
from nucrec.evaluate import proportion_interval
from nucrec.fields import RatesDisplay, evaluate_fields


def random_labels(rng: np.random.Generator, n: int, side: int, size: int = 48) -> np.ndarray:
    """Return up to n rectangles, later ones over earlier ones, with labels that skip numbers."""
    image = np.zeros((size, size), np.int32)
    for label in rng.permutation(np.arange(2, 3 * n, 3))[:n]:
        (y, x), (h, w) = rng.integers(0, size - 4, 2), rng.integers(2, side, 2)
        image[y : y + h, x : x + w] = label
    return image


def pixels(image: np.ndarray) -> dict[int, set]:
    """Return the pixels of each object."""
    return {
        label: set(zip(*np.nonzero(image == label), strict=True))
        for label in set(image.ravel().tolist()) - {0}
    }


def all_matchings(found: np.ndarray, truth: np.ndarray, threshold: float) -> list[list]:
    """Return all largest one-to-one matchings, by trying, the one of most overlap first."""
    left, right = pixels(found), pixels(truth)
    iou = {(a, b): len(p & q) / len(p | q) for a, p in left.items() for b, q in right.items()}
    good = [pair for pair, value in iou.items() if value >= threshold]
    for n in range(len(good), -1, -1):
        fitting = [
            list(chosen)
            for chosen in itertools.combinations(good, n)
            if len({a for a, _ in chosen}) == len({b for _, b in chosen}) == n
        ]
        if fitting:
            return sorted(fitting, key=lambda chosen: -sum(iou[pair] for pair in chosen))
    raise AssertionError


def nearest(nuclei: np.ndarray, micronuclei: np.ndarray) -> dict[int, int]:
    """Return the nucleus with the closest pixel to each micronucleus."""
    places = [(point, label) for label, own in pixels(nuclei).items() for point in own]
    return {
        label: min((math.dist(p, q), nucleus) for p in own for q, nucleus in places)[1]
        for label, own in pixels(micronuclei).items()
    }


@pytest.fixture(scope="module")
def fields() -> list[tuple]:
    """Pairs of found and annotated label images, with several objects of large overlap."""
    rng = np.random.default_rng(3)
    pairs = []
    for _ in range(8):
        truth = random_labels(rng, 6, 20), random_labels(rng, 7, 6)
        shift = rng.integers(-2, 3)
        nuclei = np.roll(truth[0], shift, 0)
        nuclei[nuclei == rng.choice(nuclei[nuclei > 0])] = 0
        extra = random_labels(rng, 4, 7)
        micronuclei = np.where(extra > 0, extra + 100, np.roll(truth[1], 1, 1))
        micronuclei[(micronuclei > 10) & (micronuclei < 100)] = 0
        pairs.append([(*each, nearest(*each)) for each in ((nuclei, micronuclei), truth)])
    return pairs


@pytest.fixture(scope="module")
def report(fields):
    found, truth = zip(*fields, strict=True)
    return evaluate_fields(found, truth, by={"line": list("aabbabab"), "odd": range(8)})


def test_numbers_of_matches_are_those_of_the_best_of_all_matchings(fields, report):
    for (found, truth), counts in zip(fields, report.fields, strict=True):
        assert counts.nuclei_matched == len(all_matchings(found[0], truth[0], 0.5)[0])
        assert counts.micronuclei_matched == len(all_matchings(found[1], truth[1], 0.1)[0])
        assert counts.nuclei_found == len(pixels(found[0]))
        assert counts.micronuclei_annotated == len(pixels(truth[1]))
    assert 0 < report.nuclei_f1.value < 1
    assert 0 < report.micronuclei_precision.value < 1


def test_parents_and_cells_are_those_of_trying(fields, report):
    for (found, truth), counts in zip(fields, report.fields, strict=True):
        nuclei = dict(all_matchings(found[0], truth[0], 0.5)[0])
        micronuclei = all_matchings(found[1], truth[1], 0.1)[0]
        given, annotated = found[2], truth[2]
        right = sum(nuclei.get(given[a]) == annotated[b] for a, b in micronuclei)
        assert (counts.parents_known, counts.parents_right) == (len(micronuclei), right)
        called, positive = set(given.values()), set(annotated.values())
        assert (counts.positive_found, counts.positive_annotated) == (len(called), len(positive))
        cells = [(a in called, b in positive) for a, b in nuclei.items()]
        expected = [cells.count(pair) for pair in itertools.product((True, False), repeat=2)]
        without, called_without = counts.without_micronucleus, counts.called_without
        assert expected == [
            counts.called_with,
            without - called_without,
            counts.with_micronucleus - counts.called_with,
            called_without,
        ]
        matched = {a for a, _ in micronuclei}
        by_artefact = {parent for label, parent in given.items() if label not in matched}
        negatives = [a for a, b in nuclei.items() if b not in positive]
        assert counts.false_by_artefact == len(by_artefact.intersection(negatives))
    assert 0.5 < report.right_parents.value < 1
    assert 0 < report.sensitivity.value < 1
    assert report.false_positives.value > report.artefacts.value > 0


def test_shares_are_pooled_and_their_intervals_respect_fields(report):
    matched = [each.micronuclei_matched for each in report.fields]
    found = [each.micronuclei_found for each in report.fields]
    assert report.micronuclei_precision.value == pytest.approx(sum(matched) / sum(found))
    span = report.micronuclei_precision.low, report.micronuclei_precision.high
    assert span == proportion_interval(matched, found)
    without = [each.without_micronucleus for each in report.fields]
    false = [each.without_micronucleus - each.called_without for each in report.fields]
    low, high = proportion_interval(false, without)
    assert report.false_positives.value == pytest.approx(1000 * sum(false) / sum(without))
    assert report.false_positives.low == pytest.approx(1000 * low)
    assert report.false_positives.high == pytest.approx(1000 * high)


def test_f1_is_the_harmonic_mean(report):
    for kind in ("nuclei", "micronuclei"):
        parts = [report.metrics[f"{kind}_{name}"].value for name in ("precision", "recall")]
        assert report.metrics[f"{kind}_f1"].value == pytest.approx(stats.hmean(parts))


def test_rates_agree_with_scipy_and_scikit_learn(report):
    found = np.array([each.rate_found for each in report.fields])
    annotated = np.array([each.rate_annotated for each in report.fields])
    expected = stats.pearsonr(found, annotated)
    r = report.pearson_r
    assert (r.value, r.low, r.high) == pytest.approx(
        (expected.statistic, *expected.confidence_interval())
    )
    assert report.r2_identity == pytest.approx(r2_score(annotated, found))
    difference = report.bias_difference
    low, high = stats.ttest_rel(found, annotated).confidence_interval()
    assert (difference.low, difference.high) == pytest.approx((low, high))
    assert report.bias_ratio.value == pytest.approx(found.mean() / annotated.mean())


def test_the_interval_of_the_bias_holds_the_true_ratio():
    """95 % of intervals of a ratio of 1.1 hold it, give or take what 60 draws leave open."""
    rng = np.random.default_rng(0)
    nuclei = np.zeros((3, 2 * 200), np.int32)
    nuclei[0, ::2] = np.arange(1, 201)
    held = 0
    for _ in range(60):
        fields = [[], []]
        for _ in range(12):
            n = int(rng.integers(20, 90))
            for side, count in zip(fields, (rng.binomial(200, 1.1 * n / 200), n), strict=True):
                parents = 1 + np.sort(rng.choice(200, count, replace=False))
                micronuclei = np.zeros_like(nuclei)
                micronuclei[2, 2 * (parents - 1)] = np.arange(1, count + 1)
                side.append((nuclei, micronuclei, parents))
        ratio = evaluate_fields(*fields).bias_ratio
        held += ratio.low <= 1.1 <= ratio.high
    assert held >= 52


def test_parts_are_reports_of_their_fields(fields, report):
    chosen = [pair for pair, line in zip(fields, "aabbabab", strict=True) if line == "a"]
    found, truth = zip(*chosen, strict=True)
    alone = evaluate_fields(found, truth)
    part = report.by["line"][0]
    assert (part.name, part.n_fields) == ("a", 4)
    np.testing.assert_equal(part.metrics, dict(alone.metrics))
    assert [each.n_fields for each in report.by["odd"]] == [1] * 8


def test_perfect_answers_are_perfect(fields):
    truth = [pair[1] for pair in fields]
    report = evaluate_fields(truth, truth)
    shares = ("nuclei_f1", "micronuclei_precision", "micronuclei_recall", "right_parents")
    assert [report.metrics[name].value for name in shares] == [1.0] * 4
    assert report.false_positives.value == 0
    assert report.false_positives.high > 0
    assert (report.bias_ratio.value, report.r2_identity) == (1, 1)
    assert report.pearson_r.value == pytest.approx(1)


def test_nothing_found_is_said_in_numbers(fields):
    truth = [pair[1] for pair in fields]
    report = evaluate_fields([(np.zeros((48, 48), int),) * 2] * 8, truth)
    assert report.nuclei_f1.value == 0
    assert report.micronuclei_recall.value == 0
    assert math.isnan(report.micronuclei_precision.value)
    assert math.isnan(report.pearson_r.value)
    assert "n/a" in str(report)


def test_without_parents_the_nearest_edge_decides():
    nuclei, micronuclei = np.zeros((2, 40, 40), int)
    nuclei[2:10, 2:10], nuclei[14:38, 2:38] = 4, 9  # the centre of the small one is nearer
    micronuclei[11:13, 4:6], micronuclei[12:13, 20:22], micronuclei[9:11, 9:11] = 5, 3, 8
    truth = [(nuclei, micronuclei, {3: 9, 5: 4, 8: 4})]
    report = evaluate_fields([(nuclei, micronuclei)], truth)
    assert (report.fields[0].parents_known, report.fields[0].parents_right) == (3, 3)


def test_given_parents_are_used():
    nuclei, micronuclei = np.zeros((2, 30, 30), int)
    nuclei[2:10, 2:10], nuclei[18:28, 2:10], micronuclei[11:13, 5:7] = 4, 9, 1
    truth = [(nuclei, micronuclei, {1: 9})]  # not the nearest
    assert evaluate_fields([(nuclei, micronuclei)], truth).right_parents.value == 0
    assert evaluate_fields([(nuclei, micronuclei, [9])], truth).right_parents.value == 1
    unlinked = evaluate_fields([(nuclei, micronuclei)], [(nuclei, micronuclei, [0])])
    assert math.isnan(unlinked.right_parents.value)
    assert unlinked.false_positives.value == 500


def test_contested_objects_are_matched_to_the_most_pairs():
    # greedy by overlap takes the middle pair, and leaves two objects alone
    left, right = np.zeros((2, 1, 40), int)
    left[0, 0:10], left[0, 10:20] = 1, 2
    right[0, 2:15], right[0, 15:30] = 1, 2
    counts = evaluate_fields([(0 * left, left)], [(0 * right, right)]).fields[0]
    assert counts.micronuclei_matched == 2


def test_many_objects_are_matched_in_bounded_time_and_memory():
    grid = np.zeros((1000, 1000), np.int32)
    grid[::5, ::5] = np.arange(1, 40_001).reshape(200, 200)
    labels = ndimage.grey_dilation(grid, size=3)  # 40,000 objects: a dense matrix would be 12 GiB
    shifted = np.roll(labels, 1, 0)
    (counts,) = evaluate_fields([(labels, 0 * labels)], [(shifted, 0 * labels)]).fields
    assert counts.nuclei_matched == 40_000 - 200  # 6 of 12 pixels; of the first row fewer are left


def test_tables_hold_the_same_numbers(report):
    text, markdown = str(report), report.to_markdown()
    value = f"{report.nuclei_f1.value:.3f}"
    for shown in (text, markdown, report._repr_html_()):
        assert value in shown
        assert "By line" in shown
    data = json.loads(json.dumps(report.to_dict()))
    assert data["metrics"]["nuclei_f1"]["value"] == report.nuclei_f1.value
    assert data["by"]["line"]["a"]["n_fields"] == 4
    assert data["fields"][0]["rate_found"] == report.fields[0].rate_found


def test_the_plot_shows_a_point_for_each_field(report):
    display = report.plot()
    assert isinstance(display, RatesDisplay)
    lines = display.ax_.get_lines()[:-1]
    assert [line.get_label() for line in lines] == ["a", "b"]
    points = sorted(tuple(p) for line in lines for p in line.get_xydata().tolist())
    assert points == sorted((each.rate_annotated, each.rate_found) for each in report.fields)
    with pytest.raises(InvalidParameterError, match="the result of nucrec.fields.evaluate_fields"):
        RatesDisplay.from_report(7)


ONE = np.zeros((9, 9), int)


@pytest.mark.parametrize(
    ("found", "truth", "options", "message"),
    [
        ([], [(ONE, ONE)], {}, "found: expected as many fields as truth"),
        ([(ONE, ONE)] * 2, [(ONE, ONE)], {}, "found: expected as many fields as truth"),
        ([], [], {}, "at least one annotated field"),
        ([(ONE[:5], ONE[:5])], [(ONE, ONE)], {}, r"the shape of its annotation, \(9, 9\)"),
        ([(ONE, ONE[:5])], [(ONE, ONE)], {}, "label images of the same shape"),
        ([(ONE + 0.5, ONE)], [(ONE, ONE)], {}, "nuclei: expected a label image"),
        ([(ONE, ONE - 1)], [(ONE, ONE)], {}, "labels from 0 to 2147483647"),
        ([ONE], [(ONE, ONE)], {}, "optionally the parents"),
        ([(ONE, ONE + 1, [3])], [(ONE, ONE)], {}, "labels of nuclei"),
        ([(ONE, ONE + 1, [3, 4])], [(ONE, ONE)], {}, "one parent per micronucleus .1."),
        ([(ONE, ONE)], [(ONE, ONE)], {"by": "cell_line"}, "columns of: none"),
        ([(ONE, ONE)], [(ONE, ONE)], {"by": {"a": [1, 2]}}, "one value per field .1."),
        ([(ONE, ONE)], [(ONE, ONE)], {"confidence": 1}, "confidence"),
    ],
)
def test_bad_input_is_named(found, truth, options, message):
    with pytest.raises(InvalidParameterError, match=message):
        evaluate_fields(found, truth, **options)
