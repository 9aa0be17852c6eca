"""The report: numbers, their formats, and what it refuses."""

import csv
import io
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from nucrec.errors import InvalidParameterError
from nucrec.evaluate import Metric, Report, report

NAMES = ["nucleus", "micronucleus"]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(5)
    true = rng.integers(0, 2, 120)
    score = 0.5 * true + rng.random(120)
    return true, (score > 0.75).astype(int), score, np.repeat(np.arange(12), 10)


@pytest.fixture(scope="module")
def found(data) -> Report:
    true, predicted, score, _ = data
    return report(true, predicted, score, NAMES)


def test_values(found, data):
    true, predicted, score, _ = data
    expected = {
        "ACC": sk.accuracy_score(true, predicted),
        "PRE": sk.precision_score(true, predicted, average="macro"),
        "REC": sk.recall_score(true, predicted, average="macro"),
        "F1": sk.f1_score(true, predicted, average="macro"),
        "MC": sk.matthews_corrcoef(true, predicted),
        "KS": sk.cohen_kappa_score(true, predicted),
        "AUC": sk.roc_auc_score(true, score),
    }
    assert list(found.metrics) == list(expected)
    for name, value in expected.items():
        assert found.metrics[name].value == pytest.approx(value, rel=0, abs=1e-12)
    assert found.n == 120
    assert np.array_equal(found.confusion_matrix, sk.confusion_matrix(true, predicted))


def test_metrics_are_attributes_by_their_standard_names(found, data):
    names = ("accuracy", "precision", "recall", "f1", "mcc", "kappa", "auc")
    assert [getattr(found, name) for name in names] == list(found.metrics.values())
    true, predicted, _, _ = data
    assert found.mcc.value == pytest.approx(sk.matthews_corrcoef(true, predicted))
    with pytest.raises(AttributeError, match="auc needs scores"):
        _ = report(true, predicted).auc


def test_groups_that_are_all_different_are_none(data):
    true, predicted, score, _ = data
    alone = [f"image {k}" for k in range(120)]
    assert report(true, predicted, score, groups=alone) == report(true, predicted, score)


def test_per_class(found, data):
    true, predicted, _, _ = data
    columns = sk.precision_recall_fscore_support(true, predicted)
    for k, name in enumerate(NAMES):
        values = [found.per_class[name][key].value for key in ("PRE", "REC", "F1")]
        assert values == pytest.approx([column[k] for column in columns[:3]], abs=1e-12)
        assert found.support[name] == columns[3][k]


def test_methods(found, data):
    methods = {name: metric.method for name, metric in found.metrics.items()}
    assert (methods.pop("ACC"), methods.pop("AUC")) == ("Wilson", "Newcombe")
    assert set(methods.values()) == {"Jeffreys"}
    assert found.per_class["nucleus"]["REC"].method == "Wilson"
    assert found.per_class["nucleus"]["F1"].method == "Jeffreys"
    true, predicted, score, groups = data
    grouped = report(true, predicted, score, NAMES, groups)
    for name, metric in grouped.metrics.items():
        assert metric.method == f"{found.metrics[name].method}, groups"
    assert grouped.n_groups == 12
    assert grouped.n_wrong_groups == len(np.unique(groups[true != predicted]))


def test_intervals_hold_their_value(found):
    for metric in (*found.metrics.values(), *found.per_class["micronucleus"].values()):
        assert metric.low < metric.value < metric.high


def test_groups_that_agree_within_widen_the_interval():
    # 20 groups of 10 that are all right or all wrong are 20 observations, not 200
    right = np.repeat(np.arange(20) % 4 > 0, 10)
    true = np.tile([0, 1], 100)
    predicted = np.where(right, true, 1 - true)
    alone = report(true, predicted).metrics["ACC"]
    grouped = report(true, predicted, groups=np.repeat(np.arange(20), 10)).metrics["ACC"]
    assert grouped.value == alone.value == 0.75
    ratio = (grouped.high - grouped.low) / (alone.high - alone.low)
    assert ratio == pytest.approx(np.sqrt(10), rel=0.2)


def test_repeatable(data, found):
    true, predicted, score, _ = data
    again = report(true, predicted, score, NAMES)
    assert again.to_dict() == found.to_dict()
    other = report(true, predicted, score, NAMES, random_state=1)
    assert other.metrics["MC"].low != found.metrics["MC"].low
    assert other.metrics["MC"].value == found.metrics["MC"].value


def test_confidence_and_resamples(data):
    true, predicted, _, _ = data
    widths = [
        m.high - m.low
        for m in (report(true, predicted, confidence=c).metrics["MC"] for c in (0.5, 0.9, 0.99))
    ]
    assert widths == sorted(widths)
    assert report(true, predicted, n_resamples=1).metrics["MC"].low is not None


def test_several_classes():
    rng = np.random.default_rng(2)
    true = rng.integers(0, 4, 200)
    probabilities = rng.random((200, 4)) + np.eye(4)[true]
    probabilities /= probabilities.sum(1, keepdims=True)
    predicted = probabilities.argmax(1)
    found = report(true, predicted, probabilities)
    assert found.metrics["AUC"].value == pytest.approx(
        sk.roc_auc_score(true, probabilities, multi_class="ovr"), abs=1e-12
    )
    assert found.metrics["MC"].value == pytest.approx(
        sk.matthews_corrcoef(true, predicted), abs=1e-12
    )
    assert found.class_names == ("0", "1", "2", "3")


def test_names_as_labels(data):
    true, predicted, score, _ = data
    words = np.array(NAMES)
    found = report(words[true], words[predicted], score, NAMES)
    assert found.to_dict() == report(true, predicted, score, NAMES).to_dict()
    unnamed = report(words[true], words[predicted], score)
    assert unnamed.class_names == ("nucleus", "micronucleus")
    assert unnamed.metrics["AUC"] == found.metrics["AUC"]
    assert report(words[true].tolist(), words[predicted].astype(object)).n == 120


def test_labels_that_are_not_from_zero():
    assert report([3, 5, 5], [3, 5, 3]).class_names == ("3", "5")
    assert report([True, False], [True, True]).class_names == ("False", "True")


def test_scores_as_probabilities_of_both_classes(data):
    true, predicted, score, _ = data
    both = np.column_stack([1 - score, score])
    assert (
        report(true, predicted, both).metrics["AUC"]
        == report(true, predicted, score).metrics["AUC"]
    )


def test_one_class_alone_is_undefined_rather_than_perfect():
    found = report([0, 0, 0], [0, 0, 0], [0.1, 0.2, 0.3], NAMES)
    assert np.isnan(found.metrics["AUC"].value)
    assert np.isnan(found.metrics["KS"].value)
    assert found.metrics["MC"].value == 0
    assert "n/a" in str(found)


def test_one_image_or_one_group_says_nothing_of_the_spread():
    found = report([1], [1], class_names=NAMES)
    assert found.metrics["ACC"].value == 1
    assert found.metrics["ACC"].low < 0.25
    assert np.isnan(found.metrics["MC"].low)
    grouped = report([0, 1, 1], [0, 1, 0], groups=["a", "a", "a"])
    assert grouped.metrics["ACC"].value == pytest.approx(2 / 3)
    assert np.isnan([grouped.metrics["ACC"].low, grouped.metrics["ACC"].high]).all()
    assert "n/a to n/a" in str(grouped)


def test_a_class_of_one_group_has_no_interval_of_its_own():
    groups = np.repeat(["A", "B", "C"], 5)
    true = np.repeat([0, 0, 1], 5)
    found = report(true, true, true, NAMES, groups)
    assert np.isnan(found.per_class["micronucleus"]["REC"].low)
    for metric in (*found.metrics.values(), found.per_class["nucleus"]["REC"]):
        assert metric.low < metric.value == metric.high == 1


@pytest.mark.parametrize("n", [2, 30, 300])
@pytest.mark.parametrize("n_groups", [None, 2, 5, 12, 33])
def test_no_mistake_is_no_certainty(n, n_groups):
    true = np.arange(n) % 2
    groups = None if n_groups is None else np.arange(n) // 2 % n_groups
    found = report(true, true, true.astype(float), NAMES, groups, n_resamples=200)
    if found.n_groups == 1:
        assert all(np.isnan(metric.low) for metric in found.metrics.values())
        return
    alone = report(true, true, true.astype(float), NAMES, n_resamples=200)
    for name, metric in found.metrics.items():
        assert metric.low < metric.value == metric.high == 1
        assert metric.low <= alone.metrics[name].low


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(0, 8)), max_size=60),
    st.integers(1, 12),
)
def test_groups_never_narrow_an_interval(rows, size):
    true, predicted, score = np.array([(0, 0, 1), (1, 1, 7), *rows]).T
    arguments = true, predicted, score, NAMES
    alone = report(*arguments, n_resamples=200)
    grouped = report(*arguments, groups=np.arange(len(true)) // size, n_resamples=200)
    if grouped.n_groups == 1:
        return
    for name, metric in grouped.metrics.items():
        assert metric.low <= alone.metrics[name].low + 1e-12, name
        assert metric.high >= alone.metrics[name].high - 1e-12, name
        assert metric.high > metric.low, name


def test_newcombes_interval_of_an_area_solves_his_equation():
    rng = np.random.default_rng(1)
    true = np.repeat([0, 1], [25, 15])
    score = true + rng.normal(size=40)
    found = report(true, true, score).auc
    m, n, other = 15, 25, 40 / 2 - 1
    for end in (found.low, found.high):
        spread = 1 + other * ((1 - end) / (2 - end) + end / (1 + end))
        error = np.sqrt(end * (1 - end) * spread / (m * n))
        assert abs(found.value - end) == pytest.approx(1.959964 * error, rel=1e-5)


def test_the_interval_of_a_metric_is_that_of_its_posterior_distribution():
    true, predicted = (
        np.repeat([0, 0, 1, 1], [30, 10, 5, 20]),
        np.repeat([0, 1, 0, 1], [30, 10, 5, 20]),
    )
    found = report(true, predicted, n_resamples=20_000, confidence=0.9)
    cells = np.random.default_rng(7).dirichlet([30.5, 10.5, 5.5, 20.5], 20_000)
    tn, fp, fn, tp = cells.T
    drawn = (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    low, high = np.quantile(drawn, [0.05, 0.95])
    # a little wider, as 65 images tell less of their spread than is drawn
    assert (found.mcc.low, found.mcc.high) == pytest.approx((low, high), abs=0.01)
    assert found.mcc.low < low


def test_objects_that_are_numbers_are_numbers():
    values = np.array([0, 1, 1], dtype=object)
    assert report(values, values, class_names=NAMES).metrics["ACC"].value == 1


def test_confidence_is_said_with_all_its_digits():
    text = str(report([0, 1], [0, 1], confidence=0.999))
    assert "intervals: 99.9%" in text


def test_frozen(found):
    with pytest.raises(AttributeError):
        found.n = 5
    with pytest.raises(TypeError):
        found.metrics["ACC"] = None
    with pytest.raises(AttributeError):
        found.metrics["ACC"].value = 1.0


def test_pickle(found):
    again = pickle.loads(pickle.dumps(found))
    assert again == found
    with pytest.raises(TypeError):
        again.metrics["ACC"] = None


# formats


def test_to_dict(found):
    as_dict = found.to_dict()
    assert set(as_dict) >= {"n", "metrics", "per_class", "confusion_matrix"}
    assert set(as_dict["metrics"]["ACC"]) == {"value", "low", "high", "method"}
    assert Metric(**as_dict["metrics"]["MC"]) == found.metrics["MC"]
    assert as_dict["per_class"]["nucleus"]["n"] == found.support["nucleus"]
    assert np.array_equal(as_dict["confusion_matrix"], found.confusion_matrix)


def test_csv_is_unrounded(found):
    rows = list(csv.DictReader(io.StringIO(found.to_csv())))
    assert [row["metric"] for row in rows][:5] == ["accuracy", "precision", "recall", "f1", "mcc"]
    for row in rows:
        metric = getattr(found, row["metric"])
        assert (float(row["value"]), float(row["low"]), float(row["high"])) == (
            metric.value, metric.low, metric.high,
        )  # fmt: skip


def test_markdown_tables_are_regular(found):
    tables = [part for part in found.to_markdown().split("\n\n") if part.startswith("|")]
    assert len(tables) == 3
    for table in tables:
        assert len({line.count("|") for line in table.strip().splitlines()}) == 1
    assert f"| accuracy | {found.metrics['ACC'].value:.2f} |" in tables[0]


def test_text(found):
    text = str(found)
    lines = text.splitlines()
    assert lines[0] == "120 images; intervals: 95%"
    assert lines[3].split()[:2] == ["accuracy", f"{found.metrics['ACC'].value:.2f}"]
    assert max(map(len, lines)) <= 80


def test_latex(found):
    lines = report([0, 1], [0, 1], class_names=["a_b", "c%"]).to_latex().splitlines()
    assert lines[0] == r"\begin{tabular}{lrrl}"
    assert lines[-1] == r"\end{tabular}"
    rows = [line for line in lines if line.endswith(r"\\")]
    assert len(rows) == 7
    assert all(line.count(" & ") == 3 for line in rows)


def test_html_is_escaped():
    html = report([0, 1], [0, 1], class_names=["<b>", "c"])._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b>" not in html


# refusals


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"y_true": []}, "y_true"),
        ({"y_true": [[0, 1, 1]]}, "y_true"),
        ({"y_true": [0, 1, np.nan]}, "y_true"),
        ({"y_true": [0, 1, 2]}, "y_true"),
        ({"y_true": ["nucleus", "cell", "nucleus"], "y_pred": ["nucleus"] * 3}, "y_true"),
        ({"y_true": ["nucleus", "nucleus", "micronucleus"]}, "y_pred"),
        ({"y_pred": ["nucleus", "nucleus", "micronucleus"]}, "y_pred"),
        ({"y_pred": [0.1, 0.9, 0.4]}, "y_pred"),
        ({"y_pred": [[0.9, 0.1], [0.1, 0.9], [0.6, 0.4]]}, "y_pred"),
        ({"y_true": [0.0, 1.0, 0.5]}, "y_true"),
        ({"y_pred": [2, 3, 3], "class_names": None}, "y_pred"),
        ({"y_true": ["a", "b"], "y_pred": ["x", "y"], "class_names": None}, "y_pred"),
        ({"y_true": ["nucleus", None, "nucleus"]}, "y_true"),
        ({"y_true": np.array(["nucleus", np.nan, "nucleus"], object)}, "y_true"),
        ({"class_names": ["a", "a"]}, "class_names"),
        ({"class_names": "ab"}, "class_names"),
        ({"groups": ["a", None, "b"]}, "groups"),
        ({"groups": [1.0, np.nan, 2.0]}, "groups"),
        ({"random_state": -1}, "random_state"),
        ({"y_pred": [0, 1]}, "y_pred"),
        ({"y_pred": [0, 1, np.inf]}, "y_pred"),
        ({"y_pred": [0, 1, -1]}, "y_pred"),
        ({"y_score": [0.1, np.nan, 0.3]}, "y_score"),
        ({"y_score": [0.1, 0.3]}, "y_score"),
        ({"y_score": np.zeros((3, 3))}, "y_score"),
        ({"y_score": ["a", "b", "c"]}, "y_score"),
        ({"groups": [1, 2]}, "groups"),
        ({"confidence": 0}, "confidence"),
        ({"confidence": 95}, "confidence"),
        ({"n_resamples": 0}, "n_resamples"),
    ],
)
def test_bad_parameters(change, parameter):
    good = {"y_true": [0, 1, 1], "y_pred": [0, 1, 0], "class_names": NAMES}
    with pytest.raises(InvalidParameterError, match=f"^{parameter}: expected"):
        report(**(good | change))


def test_the_report_says_what_it_is_too_small_to_say():
    few = report([0, 1, 1] * 3, [0, 1, 0] * 3, class_names=NAMES)
    assert few.remarks[0] == "fewer than 10 images of nucleus, micronucleus: too few to judge by"
    assert "this could be chance" in few.remarks[-1]
    assert f"Note: {few.remarks[0]}" in str(few)
    assert few.to_dict()["remarks"] == list(few.remarks)
    true = np.tile([0, 1], 100)
    assert report(true, true, class_names=NAMES).remarks == ()
    grouped = report(true, true, class_names=NAMES, groups=np.arange(200) // 40)
    assert grouped.remarks == (
        "5 groups: too few to know how much groups differ; intervals may be too narrow",
    )
    reversed_ = report(true, 1 - true, class_names=NAMES)
    assert len(reversed_.remarks) == 1


def test_remarks_on_groups_of_very_different_sizes():
    true = np.arange(400) % 2
    predicted = np.where(np.arange(400) % 10 == 0, 1 - true, true)
    groups = np.r_[np.zeros(300, int), np.repeat(np.arange(1, 21), 5)]
    found = report(true, predicted, class_names=NAMES, groups=groups, n_resamples=100)
    alike = 400**2 / (300**2 + 20 * 5**2)
    assert found.n_alike_groups == pytest.approx(alike)
    assert found.remarks == (
        "21 groups of very different sizes say as much as 1.8 of one size: too few to know how much "
        "groups differ",
    )
    even = report(true, predicted, class_names=NAMES, groups=np.arange(400) // 20, n_resamples=100)
    assert (even.n_groups, even.n_alike_groups, even.remarks) == (20, 20, ())


def test_a_class_that_is_never_predicted_has_no_precision_with_groups_either():
    true = np.arange(40) % 2
    found = report(true, np.zeros(40, int), class_names=NAMES, groups=np.arange(40) // 4)
    never = found.per_class["micronucleus"]["PRE"]
    assert never.value == 0
    assert np.isnan([never.low, never.high]).all()
    assert np.isfinite(found.per_class["micronucleus"]["REC"].high)


def test_remarks_on_classes_in_few_groups():
    groups = np.arange(300) // 10
    true = (groups < 3).astype(int)
    predicted = np.where(np.arange(300) % 7 == 0, 1 - true, true)
    found = report(true, predicted, class_names=NAMES, groups=groups, n_resamples=100)
    assert found.n_groups_of_class == {"nucleus": 27, "micronucleus": 3}
    assert found.remarks == (
        "images of micronucleus in 3 of 30 groups: too few to know how it varies; intervals of recall "
        "may be too narrow",
    )
    assert pickle.loads(pickle.dumps(found)).to_dict() == found.to_dict()
    assert report(true, predicted, class_names=NAMES, n_resamples=100).n_groups_of_class == {}


def test_scores_that_contradict_the_classes_are_remarked_on():
    rng = np.random.default_rng(0)
    true = rng.integers(0, 2, 100)
    score = np.clip(true * 0.6 + 0.2 + rng.normal(0, 0.2, 100), 0, 1)
    called = (score > 0.5).astype(int)
    assert report(true, called, score).remarks == ()
    assert report(true, called, np.column_stack([1 - score, score])).remarks == ()
    told = "the scores contradict the predicted classes: their columns must be in the order of the"
    for swapped in (1 - score, np.column_stack([score, 1 - score])):
        (remark,) = report(true, called, swapped).remarks
        assert remark.startswith(told)
    assert any(told in remark for remark in report(true, 1 - called, score).remarks)


def test_remarks_on_groups_and_answers():
    true = np.tile([0, 1], 100)
    alone = report(true, true, class_names=NAMES, groups=np.zeros(200))
    assert alone.remarks == (
        "1 group: it does not tell how groups differ, so there are no intervals",
    )
    predicted = np.where(np.arange(200) == 5, 1 - true, true)
    grouped = report(true, predicted, class_names=NAMES, groups=np.arange(200) // 10)
    assert grouped.n_wrong_groups == 1
    assert grouped.remarks == (
        "mistakes in 1 of 20 groups: how much groups differ is assumed; intervals may be too narrow",
    )
    one = report(true, np.ones(200, int), class_names=NAMES)
    assert "all images were classified as micronucleus" in one.remarks


def test_what_to_do_about_probabilities_and_names_is_said():
    with pytest.raises(InvalidParameterError, match="Probabilities go to y_score"):
        report([0, 1, 1], [0.2, 0.7, 0.9])
    with pytest.raises(InvalidParameterError, match="names of classes, as y_true"):
        report(["a", "b"], [0, 1])
    with pytest.raises(InvalidParameterError, match="pass class_names"):
        report([0, 0], [1, 1])
    assert report([0, 0], [1, 1], class_names=NAMES).accuracy.value == 0


def test_a_metric_prints_with_its_interval():
    assert str(Metric(0.9, 0.85, 0.956, "Wilson")) == "0.90 (0.85 to 0.96)"
    assert str(Metric(0.9, float("nan"), float("nan"), "none")) == "0.90 (n/a to n/a)"


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(0, 8)), max_size=40),
    st.randoms(use_true_random=False),
)
def test_any_report_is_that_of_scikit_learn_in_any_order(rows, random):
    rows = [(0, 0, 1), (1, 1, 7), *rows]  # both classes are there
    true, predicted, score = np.array(rows).T
    expected = {
        "ACC": sk.accuracy_score(true, predicted),
        "PRE": sk.precision_score(true, predicted, average="macro"),
        "REC": sk.recall_score(true, predicted, average="macro"),
        "F1": sk.f1_score(true, predicted, average="macro"),
        "MC": sk.matthews_corrcoef(true, predicted),
        "KS": sk.cohen_kappa_score(true, predicted),
        "AUC": sk.roc_auc_score(true, score),
    }
    order = random.sample(range(len(rows)), len(rows))
    for picked in (np.arange(len(rows)), np.array(order)):
        found = report(true[picked], predicted[picked], score[picked] / 8, NAMES, n_resamples=100)
        values = {name: metric.value for name, metric in found.metrics.items()}
        assert values == pytest.approx(expected, rel=0, abs=1e-12)
        assert found.n == len(rows)
        assert np.array_equal(found.confusion_matrix, sk.confusion_matrix(true, predicted))
