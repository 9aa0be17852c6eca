"""The zoo: a row for each classifier, whatever it does."""

import csv
import io
import threading
import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC, LinearSVC

from nucrec.augment import Flip, Pipeline
from nucrec.datasets import ImageDataset, split
from nucrec.errors import InvalidParameterError, LeakageWarning
from nucrec.evaluate import report
from nucrec.models import ZooResult, classical_zoo, run_zoo, run_zoos

X = np.array([[0.0], [0.2], [0.9], [1.0]] * 5)
Y = np.array([0, 0, 1, 1] * 5)


class Base(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X), int)


class FailsInFit(Base):
    def fit(self, X, y):
        raise ValueError("first line\nsecond line")


class FailsInPredict(Base):
    def predict(self, X):
        raise KeyError("gone")


class Exits(Base):
    def fit(self, X, y):
        raise SystemExit(4)


class CannotBeSent(Base):
    def __init__(self):
        self.lock = threading.Lock()


class AnswersNonsense(Base):
    def predict(self, X):
        return np.zeros(3, int)


class Warns(Base):
    def fit(self, X, y):
        for _ in range(3):
            warnings.warn("careful", UserWarning, stacklevel=1)
        return super().fit(X, y)


class Prints(Base):
    def fit(self, X, y):
        print("noise " * 10_000)
        return super().fit(X, y)


@pytest.fixture(scope="module")
def everything() -> ZooResult:
    zoo = {
        "good": LogisticRegression(),
        "fit": FailsInFit(),
        "predict": FailsInPredict(),
        "exits": Exits(),
        "send": CannotBeSent(),
        "nonsense": AnswersNonsense(),
        "no classifier": object(),
        "warns": Warns(),
        "prints": Prints(),
        "last": GaussianNB(),
    }
    return run_zoo(zoo, (X, Y), (X, Y), n_jobs=2)


def test_a_row_for_each_in_order(everything):
    assert [row.name for row in everything] == [
        "good", "fit", "predict", "exits", "send", "nonsense", "no classifier", "warns", "prints",
        "last",
    ]  # fmt: skip


def test_the_good_ones_are_not_affected(everything):
    for name in ("good", "warns", "prints", "last"):
        assert everything[name].status == "ok", everything[name]
    assert everything["good"].report.metrics["ACC"].value == 1
    assert everything["last"].report.metrics["AUC"].value == 1
    assert "AUC" not in everything["warns"].report.metrics  # it gives no scores


@pytest.mark.parametrize(
    ("name", "stage", "error"),
    [
        ("fit", "fit", "ValueError: first line"),
        ("predict", "predict", "KeyError: 'gone'"),
        ("exits", "fit", "SystemExit: 4"),
        ("send", "send", "TypeError: cannot pickle '_thread.lock' object"),
        ("nonsense", "report", "InvalidParameterError: y_pred: expected as many values as y_true"),
        ("no classifier", "fit", "AttributeError: 'object' object has no attribute 'fit'"),
    ],
)
def test_failures_say_where_and_why(everything, name, stage, error):
    row = everything[name]
    assert row.status == "failed"
    assert row.stage == stage
    assert row.error.startswith(error)
    assert row.report is None
    assert row.outcome.startswith(f"failed in {stage}: ")


def test_warnings_are_kept_once_each(everything):
    assert everything["warns"].warnings == ("UserWarning: careful",)


def test_formats(everything):
    text = str(everything).splitlines()
    assert len(text) == 13  # below the table, whether the best is really better than the second
    assert text[-1] == everything.ranking.verdict
    assert text[2].split()[0] == "fit"
    assert text[2].endswith("failed in fit: ValueError: first line")
    rows = list(csv.DictReader(io.StringIO(everything.to_csv())))
    assert [row["status"] for row in rows].count("ok") == 4
    assert float(rows[0]["accuracy"]) == 1.0
    assert rows[1]["accuracy"] == ""
    markdown = everything.to_markdown().splitlines()
    assert len({line.replace("\\|", "").count("|") for line in markdown}) == 1
    assert "<table>" in everything._repr_html_()
    as_dict = everything.to_dict()["rows"]
    assert as_dict[0]["report"]["metrics"]["ACC"]["value"] == 1.0
    assert as_dict[1] == {
        "name": "fit", "status": "failed", "seconds": everything["fit"].seconds,
        "stage": "fit", "error": "ValueError: first line", "warnings": [], "report": None,
    }  # fmt: skip


def test_the_best_is_compared_with_the_others(everything):
    compared = {row.name for row in everything if row.report is not None}
    assert {row.name for row in everything.ranking.rows} == compared
    assert everything.ranking.rows[0].value == everything["good"].report.metrics["MC"].value
    np.testing.assert_array_equal(everything["good"].y_pred, Y)
    assert everything.to_dict()["ranking"]["verdict"] == everything.ranking.verdict
    assert run_zoo({"GNB": GaussianNB()}, (X, Y), (X, Y)).ranking is None


def test_augmenting_before_the_split_is_told_of(crops):
    enlarged = Pipeline([Flip()], random_state=0).expand(crops[130:170], copies=2)
    train, test = enlarged[:60], enlarged[60:]
    with pytest.warns(
        LeakageWarning, match=f"of {len(test)} images to test on, .* come from the same"
    ):
        run_zoo({"GNB": classical_zoo()["GNB"]}, train, test)
    honest = split(crops[130:170].with_groups(np.arange(40)), random_state=0)
    run_zoo({"GNB": classical_zoo()["GNB"]}, *honest)


def test_result_is_a_sequence(everything):
    assert everything[0] is everything["good"]
    assert isinstance(everything[:2], ZooResult)
    assert len(everything[:2]) == 2
    with pytest.raises(KeyError):
        everything["unknown"]


def in_numbers(result: ZooResult) -> dict:
    return {row.name: row.report.to_dict() for row in result}


@pytest.mark.slow
def test_any_number_of_workers_gives_the_same_bits(crops):
    train, test = split(crops, random_state=0)
    results = [
        in_numbers(run_zoo(classical_zoo(random_state=0), train, test, n_jobs=n)) for n in (1, 2, 5)
    ]
    assert results[0] == results[1] == results[2]
    assert list(results[0]) == list(classical_zoo())


def test_same_as_fitting_by_hand(crops):
    train, test = split(crops, random_state=0)
    model = classical_zoo(random_state=0)["ET"]
    row = run_zoo({"ET": model}, train, test)["ET"]
    assert not hasattr(model[-1], "classes_")
    model.fit(train, train.labels)
    by_hand = report(
        test.labels,
        model.predict(test),
        model.predict_proba(test)[:, 1],
        test.class_names,
        test.groups,
    )
    assert row.report == by_hand
    assert row.report.n_groups == len(np.unique(test.groups))


def test_independent_images_are_not_grouped(crops):
    alone = crops.with_groups(np.arange(len(crops)))
    train, test = split(alone, random_state=0)
    row = run_zoo({"KNN": classical_zoo()["KNN"]}, train, test)["KNN"]
    assert row.report.n_groups is None
    assert row.report.metrics["ACC"].method == "Wilson"


def test_a_training_part_without_one_class_still_gives_rows():
    three = np.array([0, 1, 2, 2] * 5)
    row = run_zoo({"GNB": GaussianNB()}, (X, Y), (X, three))["GNB"]
    assert row.status == "ok"
    assert "AUC" not in row.report.metrics


def test_names_as_labels_keep_their_scores():
    words = np.array(["nucleus", "micronucleus"])[Y]
    by_name = run_zoo({"GNB": GaussianNB(), "LR": LogisticRegression()}, (X, words), (X, words))
    by_number = run_zoo({"GNB": GaussianNB()}, (X, Y), (X, Y))
    assert by_name["GNB"].report.class_names == ("nucleus", "micronucleus")
    assert by_name["GNB"].report.metrics == by_number["GNB"].report.metrics
    typed = np.array(["Nucleus ", "MICRONUCLEUS"], object)[Y]  # as in a column of pandas
    assert run_zoo({"GNB": GaussianNB()}, (X, words), (X, typed))["GNB"].report == (
        by_name["GNB"].report
    )
    decided = run_zoo({"SVC": LinearSVC()}, (X, words), (X, words))["SVC"].report
    assert decided.metrics["AUC"].value == 1


def test_scores_that_do_not_fit_are_left_out():
    rng = np.random.default_rng(0)
    four = np.arange(40) % 4
    points = rng.normal(size=(40, 2)) + four[:, None]
    zoo = {"SVC": SVC(decision_function_shape="ovo"), "GNB": GaussianNB()}
    result = run_zoo(zoo, (points, four), (points, four))
    assert [row.status for row in result] == ["ok", "ok"]
    assert "AUC" not in result["SVC"].report.metrics
    # and do not take the column away from the others
    assert "auc" in result.to_csv().partition("\n")[0]
    assert "AUC" in str(result).partition("\n")[0]


def test_classes_of_both_parts_must_agree(crops):
    other = ImageDataset(list(crops.images[:4]), [0, 1, 0, 1], ("micronucleus", "nucleus"))
    with pytest.raises(InvalidParameterError, match="^test: expected the classes of train"):
        run_zoo({"a": DummyClassifier()}, crops, other)


@pytest.mark.filterwarnings("ignore:of 2 images to test on")
def test_data_that_cannot_be_loaded_in_the_child(tmp_path, monkeypatch):
    import shutil

    from PIL import Image

    from nucrec.datasets import load_folder

    for value, name in enumerate(("no", "yes")):
        (tmp_path / "x" / name).mkdir(parents=True)
        Image.new("L", (4, 4), value).save(tmp_path / "x" / name / "1.png")
    archive = shutil.make_archive(str(tmp_path / "x"), "zip", tmp_path / "x")
    dataset = load_folder(archive)
    (tmp_path / "x.zip").rename(tmp_path / "y.zip")
    row = run_zoo({"mine": Base()}, dataset, dataset)["mine"]
    assert (row.status, row.stage) == ("failed", "load")
    assert row.error.startswith("FileNotFoundError: ")


def test_features_that_cannot_be_made_are_a_row(crops):
    knn = classical_zoo()["KNN"].set_params(pixelfeatures__size=0)
    zoo = {"KNN": knn, "GNB": classical_zoo()["GNB"]}
    found = run_zoo(zoo, crops[::2], crops[1::2])
    assert (found["KNN"].status, found["KNN"].stage) == ("failed", "features")
    assert found["KNN"].error.startswith("InvalidParameterError: size: expected a whole number")
    assert found["GNB"].status == "ok"


def test_progress(capfd):
    seen = []
    zoo = {"a": DummyClassifier(), "b": FailsInFit()}
    run_zoo(zoo, (X, Y), (X, Y), progress=lambda *step: seen.append(step))
    assert seen[0] == (0, 2, "starting child processes")
    assert [step[:2] for step in seen[1:]] == [(1, 2), (2, 2)]
    assert {step[2] for step in seen[1:]} == {"a", "b"}
    for progress, told in ((True, True), (False, False)):
        capfd.readouterr()
        run_zoo(zoo, (X, Y), (X, Y), progress=progress)
        shown = capfd.readouterr().err
        assert ("[2/2]" in shown) is told
        assert ("[0/2]    0 s  starting child processes" in shown) is told


def test_what_is_known_of_the_test_set_is_kept(everything, crops):
    np.testing.assert_array_equal(everything.truth.y_true, Y)
    assert everything.truth.report(everything["good"].y_pred).accuracy.value == 1
    result = run_zoo({"a": DummyClassifier()}, crops[::2], crops[1::2])
    assert result.truth.ids.tolist() == crops.ids[1::2].tolist()
    np.testing.assert_array_equal(result.truth.groups, crops.groups[1::2])
    assert result[:1].truth is result.truth


def test_several_divisions_at_a_time(crops):
    divisions = {f"seed {seed}": split(crops, random_state=seed) for seed in (0, 1)}
    zoo = {name: classical_zoo(random_state=0)[name] for name in ("DT", "GNB")}
    seen = []
    found = dict(run_zoos(zoo, divisions, progress=lambda *step: seen.append(step)))
    assert set(found) == set(divisions)
    for name, pair in divisions.items():
        alone = run_zoo(zoo, *pair)
        assert [row.report for row in found[name]] == [row.report for row in alone]
        assert found[name].ranking == alone.ranking
    assert [step[:2] for step in seen] == [(k, 4) for k in range(5)]
    assert {step[2] for step in seen[1:]} == {f"{d}: {name}" for d in divisions for name in zoo}


@pytest.mark.parametrize("divisions", [{}, [(X, Y)], {"a": (X, Y, X)}, {"a": (X, (X, Y))}])
def test_bad_divisions(divisions):
    # before the first result is asked for
    with pytest.raises(InvalidParameterError, match="^(divisions|train): expected"):
        run_zoos({"a": DummyClassifier()}, divisions)


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"zoo": {}}, "zoo"),
        ({"zoo": [DummyClassifier()]}, "zoo"),
        ({"train": X}, "train"),
        ({"train": (X, Y[:3])}, r"train\[1\]"),
        ({"test": (X[:0], Y[:0])}, r"test\[1\]"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": -1}, "timeout"),
        ({"n_jobs": 0}, "n_jobs"),
        ({"confidence": 1}, "confidence"),
        ({"network_cores": 0}, "network_cores"),
    ],
)
def test_bad_parameters(change, parameter):
    good = {"zoo": {"a": DummyClassifier()}, "train": (X, Y), "test": (X, Y)}
    with pytest.raises(InvalidParameterError, match=f"^{parameter}: expected"):
        run_zoo(**(good | change))


def test_an_empty_data_set_is_refused(crops):
    with pytest.raises(InvalidParameterError, match="^test: expected at least one image"):
        run_zoo({"a": DummyClassifier()}, crops, ImageDataset([], []))
