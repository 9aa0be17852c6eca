"""Figure 4."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from nucrec.errors import InvalidParameterError
from nucrec.evaluate import Metric
from nucrec.paper import Figure4Display, TableResult, published_table
from nucrec.paper._epochs import EpochResult, EpochRow


@pytest.fixture
def display() -> Figure4Display:
    """One training that went well, and one that ended before epoch 20."""
    values = {"TR-ACC": 0.875, "VAL-ACC": 0.75, "VAL-AUC": 0.5}
    row = EpochRow("20-100", values, Metric(0.75, 0.6, 0.9, "group bootstrap"), None)
    found = {1: EpochResult((), 1.0), 3: EpochResult((row,), 1.0), 6: EpochResult((), 1.0)}
    tables = [TableResult(published_table(n), {"honest": found[n]}, {}) for n in found]
    return Figure4Display.from_tables(tables)


def test_published_and_obtained_stand_side_by_side(display):
    assert list(display.panels) == ["published", "obtained, honest protocol"]
    assert list(display.panels["published"]) == [3, 6]  # Table I is of other classifiers
    logged = published_table(6).rows
    mean = np.mean([logged[str(epoch)]["VAL-ACC"] for epoch in range(20, 101, 10)])
    assert display.panels["published"][6]["VAL-ACC"].value == pytest.approx(mean)
    assert display.panels["obtained, honest protocol"][6] == {}
    published, obtained = display.plot().axes_
    assert obtained.get_title() == "obtained, honest protocol"
    assert published.containers[1][1].get_height() == pytest.approx(mean)
    assert [bar.get_height() for bar in obtained.containers[0]] == [0.875, 0.75, 0.75, 0.75, 0.5]
    assert [bar.get_height() for bar in obtained.containers[1]] == [0] * 5
    intervals = [list(line.get_ydata()) for line in obtained.get_lines()]
    assert intervals == [[0.6, 0.9]] * 3
    assert len(published.get_lines()) == 0


def test_bars_are_told_apart_in_grey(display):
    panel = display.plot().axes_[0]
    hatches = [container[0].get_hatch() for container in panel.containers]
    assert len(set(hatches)) == len(hatches) == 2
    names = [text.get_text() for text in display.figure_.legends[0].get_texts()]
    assert names == ["CNN, plain", "pre-trained, augmented"]


def test_axes_that_are_given_are_drawn_in(display):
    axes = Figure(figsize=(8, 4)).subplots(1, 2)
    assert display.plot(ax=axes).axes_.tolist() == axes.tolist()
    assert display.figure_.legends == []
    assert axes[0].get_legend() is not None
    with pytest.raises(InvalidParameterError, match="2 axes"):
        display.plot(ax=Figure(figsize=(4, 4)).subplots())


def test_tables_of_other_classifiers_are_refused():
    with pytest.raises(InvalidParameterError, match="Tables III to VI"):
        Figure4Display.from_tables([TableResult(published_table(1), {}, {})])
