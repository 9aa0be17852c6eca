"""Which confusion matrices a row of rounded metrics could come from."""

import functools
import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    cohen_kappa_score,
    f1_score,
    matthews_corrcoef,
    precision_score,
    recall_score,
)

from nucrec.errors import InvalidParameterError
from nucrec.evaluate import consistency


def scikit_learn(matrix, average: str) -> dict[str, float]:
    (tn, fp), (fn, tp) = matrix
    truth = [0] * (tn + fp) + [1] * (fn + tp)
    found = [0] * tn + [1] * fp + [0] * fn + [1] * tp
    how = {"average": "binary" if average == "positive" else average, "zero_division": 0}
    return {
        "ACC": accuracy_score(truth, found),
        "PRE": precision_score(truth, found, **how),
        "REC": recall_score(truth, found, **how),
        "F1": f1_score(truth, found, **how),
        "MC": matthews_corrcoef(truth, found),
        "KS": cohen_kappa_score(truth, found),
    }


of_each_matrix = functools.cache(scikit_learn)


def every_matrix(n: int):
    for tn, fp, fn in itertools.product(range(n + 1), repeat=3):
        if tn + fp + fn <= n:
            yield ((tn, fp), (fn, n - tn - fp - fn))


@pytest.mark.parametrize("average", ["macro", "weighted", "positive"])
@pytest.mark.parametrize("truth", [((4, 1), (2, 5)), ((3, 3), (0, 6))])
def test_all_matrices_are_found_and_no_others(average, truth):
    row = {name: round(value, 2) for name, value in scikit_learn(truth, average).items()}
    n = 12
    expected = set()
    for matrix in every_matrix(n):
        if sum(matrix[0]) in (0, n):
            continue  # scikit-learn warns of one class; no such matrix has MC above 0
        values = of_each_matrix(matrix, average)
        if all(abs(values[name] - row[name]) <= 0.005 + 1e-9 for name in row):
            expected.add(matrix)
    found = consistency(row, n, average=average).matrices
    assert {tuple(map(tuple, matrix)) for matrix in found.tolist()} == expected
    assert truth in expected


def test_any_row_of_a_matrix_is_possible():
    rng = np.random.default_rng(0)
    for _ in range(20):
        matrix = rng.integers(1, 40, (2, 2))
        values = scikit_learn(matrix.tolist(), "macro")
        row = {name: round(value, 2) for name, value in values.items()}
        found = consistency(row, int(matrix.sum()))
        assert any((each == matrix).all() for each in found.matrices)
        assert consistency(row, [int(matrix.sum())], positives=int(matrix[1].sum())).possible


def test_impossible_rows():
    below_chance = {"PRE": 0.48, "REC": 0.49}  # both below one half: MC cannot be above 0
    assert consistency(below_chance, 60).possible
    assert not consistency({**below_chance, "MC": 0.03}, 60).possible
    found = consistency({"ACC": 0.5, "MC": 0.99}, range(10, 20))
    assert not found.possible
    assert found.sizes == []
    assert str(found) == "no confusion matrix of 10 to 19 images gives this row"


def test_rounding_and_digits():
    assert consistency({"ACC": 0.66}, 3, rounding="any").possible  # 2 of 3, cut off
    assert not consistency({"ACC": 0.66}, 3).possible
    assert consistency({"ACC": 0.667}, 3, digits=3).possible
    assert not consistency({"ACC": 0.67}, 3, digits=3).possible
    assert consistency({"ACC": 0.125}, 8, digits=3).sizes == [8]


def test_rows_may_use_standard_names():
    by_name = consistency({"accuracy": 0.67, "mcc": 0.33}, range(2, 20))
    by_label = consistency({"ACC": 0.67, "MC": 0.33}, range(2, 20))
    assert by_name.possible
    np.testing.assert_array_equal(by_name.matrices, by_label.matrices)


def test_it_can_be_told():
    found = consistency({"ACC": 1.0}, 7)
    assert len(found.matrices) == 8  # any number of positives
    assert str(found) == "8 confusion matrices of 7 images give this row, with 1 of 1 sizes"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("row", ({}, 10)),
        ("row", ({"AUC": 0.5}, 10)),
        ("row", ({"ACC": 1.5}, 10)),
        ("n", ({"ACC": 0.5}, 0)),
        ("n", ({"ACC": 0.5}, [])),
        ("n", ({"ACC": 0.5}, "12")),
    ],
)
def test_bad_calls(name, arguments):
    with pytest.raises(InvalidParameterError, match=name):
        consistency(*arguments)


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(*[st.integers(0, 30)] * 4), st.integers(1, 5),
    st.sampled_from(["macro", "weighted", "positive"]),
)  # fmt: skip
def test_any_matrix_is_consistent_with_its_own_rounded_metrics(cells, digits, average):
    matrix = np.array(cells).reshape(2, 2)
    assume(matrix.sum(axis=0).all() and matrix.sum(axis=1).all())  # else some are undefined
    values = scikit_learn(matrix.tolist(), average)
    row = {name: round(value, digits) for name, value in values.items()}
    n = int(matrix.sum())
    for more in ({}, {"positives": int(matrix[1].sum())}, {"rounding": "any"}):
        found = consistency(row, n, digits=digits, average=average, **more)
        assert any((each == matrix).all() for each in found.matrices), more
