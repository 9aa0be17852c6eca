"""The paper's tables: complete, in order, and with the averages that the paper states."""

import numpy as np
import pytest

from nucrec.errors import InvalidParameterError
from nucrec.paper import published_table

METRICS = ("ACC", "PRE", "REC", "F1", "MC", "KS")


@pytest.mark.parametrize("number", [1, 2])
def test_classical_tables(number):
    table = published_table(number)
    assert (table.number, table.key, table.columns) == (number, "ALGO", METRICS)
    assert len(table.rows) == 11
    assert all(tuple(row) == METRICS for row in table.rows.values())
    shares = [row[name] for row in table.rows.values() for name in METRICS[:4]]
    assert 0.4 < min(shares) <= max(shares) < 0.8


# the headline averages of the paper's text: over epochs 20 to 100
@pytest.mark.parametrize(
    ("number", "average"), [(3, 0.6611), (4, 0.8600), (5, 0.7733), (6, 0.9722)]
)
def test_deep_tables_have_the_published_averages(number, average):
    table = published_table(number)
    assert table.key == "EPOCH"
    assert list(table.rows) == ["1", *(str(epoch) for epoch in range(10, 101, 10))]
    late = [row["VAL-ACC"] for epoch, row in table.rows.items() if int(epoch) >= 20]
    assert np.mean(late) == pytest.approx(average, abs=5e-5)


def test_values_of_one_row():
    assert published_table(1).rows["SVM"] == {
        "ACC": 0.63, "PRE": 0.70, "REC": 0.63, "F1": 0.59, "MC": 0.32, "KS": 0.26,
    }  # fmt: skip


@pytest.mark.parametrize("number", [0, 7, "1", None])
def test_number_is_checked(number):
    with pytest.raises(InvalidParameterError, match="^number: expected a whole number"):
        published_table(number)
