"""What all pictures share."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from nucrec._plotting import STYLES, Display, draw_intervals, frozen, new_axes, style
from nucrec.errors import MissingExtraError

PNG = b"\x89PNG"


def test_pyplot_knows_nothing_of_new_figures():
    before = plt.get_fignums(), dict(plt.rcParams)
    ax = new_axes((3, 2))
    assert ax.figure.get_size_inches().tolist() == [3, 2]
    assert len(new_axes((3, 2), columns=2)) == 2
    assert (plt.get_fignums(), dict(plt.rcParams)) == before


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r'matplotlib.*pip install "nucrec\[plots\]"'):
        new_axes((3, 2))


def test_notebooks_show_what_pyplot_does_not():
    display = Display()
    assert display._repr_png_() is None  # not drawn yet
    display.figure_ = new_axes((3, 2)).figure
    assert display._repr_png_().startswith(PNG)
    figure, _ = plt.subplots()
    display.figure_ = figure  # pyplot shows it
    try:
        assert display._repr_png_() is None
    finally:
        plt.close(figure)


def test_a_part_of_a_figure_is_shown_as_the_whole():
    whole = new_axes((3, 2)).figure
    display = Display()
    display.figure_ = whole.subfigures(1, 2)[0]
    assert display._repr_png_().startswith(PNG)


def test_series_are_told_apart_in_grey():
    assert len({str(each.line) for each in STYLES}) == len(STYLES)
    assert len({each.marker for each in STYLES}) == len(STYLES)
    assert len({to_rgb(each.colour) for each in STYLES}) == len(STYLES)
    assert style(len(STYLES)) == STYLES[0]


def test_frozen_arrays_are_copies():
    values = np.zeros(3)
    kept = frozen(values)
    values[0] = 1
    assert kept.tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 1


def test_intervals_are_drawn_where_they_are():
    ax = new_axes((4, 3))
    nan = float("nan")
    draw_intervals(ax, ["a", "b", "c"], [0.5, -0.2, nan], [0.4, nan, nan], [0.7, nan, nan])
    (segments,) = [lines for lines in ax.collections if len(lines.get_segments())]
    assert segments.get_segments()[0].tolist() == [[0.4, 0], [0.7, 0]]
    assert [text.get_text() for text in ax.texts] == ["0.50 (0.40 to 0.70)", "-0.20", "n/a"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "c"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first at the top
    assert ax.get_xlim()[0] < -0.2
