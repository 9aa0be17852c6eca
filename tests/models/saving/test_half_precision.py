"""Files with kernels of 16 bits: half as large, nearly the same answers."""

from pathlib import Path

import numpy as np
import pytest

from nucrec.errors import InvalidParameterError
from nucrec.models import ModelCard, load, model_info

NETWORK = Path(__file__).parents[2] / "data" / "saved-by-0.1.0" / "network.keras"


@pytest.fixture
def model():
    return load(NETWORK)


def test_half_the_size_and_nearly_the_same_answers(model, crops, tmp_path):
    model.save(tmp_path / "whole.keras")
    model.save(tmp_path / "half.keras", half_precision=True)
    sizes = [(tmp_path / f"{name}.keras").stat().st_size for name in ("half", "whole")]
    assert sizes[0] < 0.55 * sizes[1]
    half = load(tmp_path / "half.keras")
    np.testing.assert_allclose(
        half.predict_proba(crops[:30]), model.predict_proba(crops[:30]), atol=0.01
    )
    pairs = zip(half.model_.get_weights(), model.model_.get_weights(), strict=True)
    for rounded, given in pairs:
        expected = given.astype(np.float16) if given.ndim > 1 else given
        np.testing.assert_array_equal(rounded, expected.astype(np.float32))


def test_kernels_beyond_16_bits_keep_32(model, tmp_path):
    weights = model.model_.get_weights()
    large = next(k for k, weight in enumerate(weights) if weight.ndim > 1)
    weights[large] = weights[large] * 1e6 + 1e5
    model.model_.set_weights(weights)
    model.save(tmp_path / "half.keras", half_precision=True)
    again = load(tmp_path / "half.keras").model_.get_weights()
    np.testing.assert_array_equal(again[large], weights[large])


def test_a_card_travels_in_the_file(model, tmp_path):
    assert model.card_ is None
    assert model.marks_ == ()
    row = {"left out": "plate 2", "MCC": "0.70 (0.60 to 0.80)"}
    model.card_ = ModelCard("ours", can=("one",), figures=(row,), training={"seed": 0})
    model.save(tmp_path / "model.keras")
    assert load(tmp_path / "model.keras").card_ == model.card_
    assert str(model_info(tmp_path / "model.keras")).endswith(str(model.card_))
    assert model.card_.rates == "with plate 2 left out: MCC 0.70 (0.60 to 0.80)"


@pytest.mark.parametrize(
    "card",
    [
        "a text",
        {"name": "a dict"},
        ModelCard(name=3),
        ModelCard(can=(1,)),
        ModelCard(figures=({},)),
        ModelCard(figures=("row",)),
        ModelCard(training=()),
    ],
)
def test_what_is_no_card_is_refused_before_it_is_written(model, tmp_path, card):
    model.card_ = card
    with pytest.raises(InvalidParameterError, match=r"card"):
        model.save(tmp_path / "model.keras")
    assert not list(tmp_path.iterdir())
