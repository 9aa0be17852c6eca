"""What all displays share: axes of their own, notebooks, styles that differ in grey, too."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from nucrec.evaluate import MetricsDisplay, RocCurveDisplay, report

PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(0)
    y_true = rng.integers(0, 2, 40)
    scores = np.clip(y_true * 0.3 + rng.random(40) * 0.7, 0, 1)
    return report(y_true, scores > 0.5, scores)


def test_pyplot_knows_nothing_of_the_figures(found):
    before = plt.get_fignums(), dict(plt.rcParams)
    display = MetricsDisplay.from_report(found).plot()
    assert display.figure_ is display.ax_.figure
    assert (plt.get_fignums(), dict(plt.rcParams)) == before


def test_notebooks_show_what_pyplot_does_not(found):
    display = MetricsDisplay.from_report(found)
    drawn = display._repr_png_()
    assert drawn.startswith(PNG)
    assert display.figure_ is None  # it is drawn for the notebook alone
    assert display.plot()._repr_png_() == drawn
    assert repr(display) == "MetricsDisplay()"
    figure, ax = plt.subplots()  # pyplot shows it
    try:
        assert display.plot(ax)._repr_png_() is None
    finally:
        plt.close(figure)


def test_a_part_of_a_figure_is_shown_as_the_whole(found):
    left, _ = Figure(figsize=(6, 2)).subfigures(1, 2)
    assert MetricsDisplay.from_report(found).plot(left.subplots())._repr_png_().startswith(PNG)


def test_series_are_told_apart_in_grey():
    y_true = np.arange(70) % 7
    scores = np.random.default_rng(0).random((70, 7))
    names = [f"class {k}" for k in range(7)]
    lines = RocCurveDisplay.from_predictions(y_true, scores, names, n_resamples=50).plot().ax_.lines
    shown = [line for line in lines if line.get_label().startswith("class")]
    assert len(shown) == 7
    for first, second in itertools.combinations(shown, 2):
        assert to_rgb(first.get_color()) != to_rgb(second.get_color())
        looks = [(line._dash_pattern, line.get_marker()) for line in (first, second)]
        assert looks[0] != looks[1]


def test_what_is_drawn_cannot_be_changed(found):
    display = MetricsDisplay.from_report(found)
    with pytest.raises(ValueError, match="read-only"):
        display.values[0] = 1


def test_undefined_and_negative_values_are_drawn_where_they_are():
    y_true, worst = [0, 0, 1, 1, 1], [1, 1, 0, 0, 1]
    display = MetricsDisplay.from_report(report(y_true, worst)).plot()
    mcc = display.names.index("MCC")
    assert display.values[mcc] < -0.5
    assert display.ax_.get_xlim()[0] < display.values[mcc]
    assert display.ax_.get_ylim()[0] > display.ax_.get_ylim()[1]  # the first at the top
    undefined = MetricsDisplay.from_report(report([1, 1], [1, 1], class_names=["a", "b"])).plot()
    assert "n/a" in [text.get_text() for text in undefined.ax_.texts]
