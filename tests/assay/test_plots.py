"""The pictures show the numbers of the assay."""

import math

import numpy as np
import pytest
from tests.assay.plates import DOSES, counts

from nucrec.assay import DoseResponseDisplay, HistoricalControls, PlateDisplay, summarize
from nucrec.errors import InvalidParameterError


def test_dose_response_shows_intervals_and_wells():
    assay = summarize(counts(DOSES))
    display = assay.plot()
    rates, wells = display.ax_.lines
    assert rates.get_ydata().tolist() == [each.rate.value for each in assay.conditions]
    assert wells.get_ydata().tolist() == [each.rate.value for each in assay.units]
    assert np.round(wells.get_xdata()).tolist() == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    segments = display.ax_.collections[0].get_segments()
    ends = [tuple(segment[:, 1]) for segment in segments]
    assert ends == [(each.rate.low, each.rate.high) for each in assay.conditions]
    assert [tick.get_text() for tick in display.ax_.get_xticklabels()] == ["0", "1", "2", "4"]


def test_a_condition_without_interval_has_none_in_the_picture():
    display = summarize(counts({0: [9, 12], 1: [14, 18, 13]})).plot()
    assert math.isnan(display.low[0])
    assert display.low[1] > 0


def test_a_name_is_no_formula():
    table = {**counts({0: [9] * 3, 1: [9] * 3}), "condition": ["$x$"] * 3 + ["b\nc"] * 3}
    display = summarize(table).plot()
    assert display.ax_.get_xticklabels()[0].get_text() == r"\$x\$"
    assert display._repr_png_() is not None


def test_plate_map_has_each_well_at_its_place():
    table = counts(DOSES)
    table["well"] = [f"{row}{column:02d}" for row in "BCDE" for column in (2, 3, 11)]
    display = summarize(table).plot_plate()
    assert display.rates.shape == (8, 12)
    assert display.rates[1, 1] == 4.5
    assert display.rates[4, 10] == 22.5
    assert np.isfinite(display.rates).sum() == 12
    assert len(display.ax_.texts) == 12


@pytest.mark.parametrize(
    ("well", "shape"), [("H12", (8, 12)), ("P24", (16, 24)), ("AF48", (32, 48))]
)
def test_plates_of_three_sizes(well, shape):
    table = {"well": ["A1", well], "dose": [0, 1], "scored": [100, 100], "micronucleated": [1, 2]}
    display = PlateDisplay.from_assay(summarize(table))
    assert display.rates.shape == shape
    assert display.rates[shape[0] - 1, shape[1] - 1] == 20


def test_several_plates_are_averaged_and_said():
    table = {"well": ["A1", "A1"], "plate": [1, 2], "dose": [0, 0], "scored": [100, 100]}
    display = summarize({**table, "micronucleated": [1, 3]}).plot_plate()
    assert display.rates[0, 0] == 20
    assert display.ax_.get_title().endswith("mean of 2")


def test_wells_without_a_place_are_refused():
    table = {"well": ["dish"], "dose": [0], "scored": [100], "micronucleated": [1]}
    with pytest.raises(InvalidParameterError, match="well"):
        summarize(table).plot_plate()
    for display in (DoseResponseDisplay, PlateDisplay):
        with pytest.raises(InvalidParameterError, match="summarize"):
            display.from_assay(3)


def test_the_band_of_historical_controls_ends_at_their_limits():
    rates = [4.1, 5.0, 6.2, 3.9, 5.5, 4.8, 5.1, 6.0, 4.4, 5.7]
    display = summarize(counts(DOSES)).plot(historical={"rate": rates})
    (band,) = display.ax_.patches
    limits = HistoricalControls.from_table({"rate": rates})
    assert (band.get_y(), band.get_y() + band.get_height()) == (limits.low, limits.high)
    assert band.get_linewidth() == 0


def test_doses_that_are_close_have_places_of_different_names():
    table = counts({0: [9, 12, 8], 1e6: [14, 18, 13], 1e6 + 0.1: [24, 30, 27]})
    table["condition"] = ["DMSO"] * 3 + ["MMC"] * 6
    labels = summarize(table).plot().ax_.get_xticklabels()
    assert [label.get_text() for label in labels] == ["DMSO", "1000000", "1000000.1"]
