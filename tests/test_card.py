"""Cards of networks: read from dicts, whose entries are of the kind that a card has."""

import json

import pytest

from nucrec.errors import InvalidParameterError
from nucrec.fields import DetectorCard
from nucrec.models import ModelCard


@pytest.mark.parametrize("kind", [ModelCard, DetectorCard])
def test_a_card_is_read_from_what_it_writes(kind):
    card = kind("ours", can=("one", "two"), figures=({"n": 3},), training={"seed": 0})
    assert kind.from_dict(card.to_dict()) == card
    assert kind.from_dict(json.loads(json.dumps(card.to_dict()))) == card
    assert kind.from_dict({}) == kind()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "values: expected a dict"),
        ({"color": 1}, "values: expected entries of"),
        ({"name": 3}, r"values\['name'\]: expected a text. Received: 3"),
        ({"licence": None}, r"values\['licence'\]: expected a text"),
        ({"can": "ab"}, r"values\['can'\]: expected a list of texts. Received: 'ab'"),
        ({"cannot": [1]}, r"values\['cannot'\]: expected a list of texts"),
        ({"figures": ["x"]}, r"values\['figures'\]: expected a list of rows"),
        ({"figures": [{}]}, r"values\['figures'\]: expected a list of rows"),
        ({"training": [1]}, r"values\['training'\]: expected a dict"),
    ],
)
def test_entries_of_another_kind_are_refused(values, message):
    with pytest.raises(InvalidParameterError, match=message):
        ModelCard.from_dict(values)


def test_another_calibration_makes_the_figure_of_the_former_obsolete():
    rows = tuple({"left out": name, "MCC": "0.7", "calibration error": "0.1"} for name in "ab")
    card = ModelCard("ours", figures=rows, training={"seed": 0})
    again = card.recalibrated(1).recalibrated(200)
    assert again.figures == ({"left out": "a", "MCC": "0.7"}, {"left out": "b", "MCC": "0.7"})
    assert again.training == {"seed": 0, "recalibrated": "with 200 images"}
    assert card.figures == rows
    assert "calibration error" not in str(again)
