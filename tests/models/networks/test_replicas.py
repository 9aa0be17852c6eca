"""Training with several devices ends as with one device.

What needs devices of its own runs in a child process. Several processes: tests/system/test_workers.py.
"""

import pickle
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from sklearn.base import clone
from tests.models.networks.strategies import (
    check_features,
    check_moving_statistics,
    check_steps,
    left,
    parts,
    run_children,
)
from tests.models.small import convolution, noise, plainly

from nucrec.errors import InvalidParameterError
from nucrec.models import cnn, inception_transfer, load, transfer


@pytest.fixture(scope="module")
def devices(tmp_path_factory) -> Path:
    """The folder of a process with two devices."""
    out = tmp_path_factory.mktemp("devices")
    run_children("devices", out, [{}])
    return out


@pytest.mark.slow
def test_steps_of_two_replicas_are_those_of_keras_on_one_device(devices):
    check_steps(devices)


@pytest.mark.slow
def test_moving_statistics_are_means_over_the_replicas(devices):
    check_moving_statistics(devices)


@pytest.mark.slow
def test_two_replicas_end_as_one_device(devices):
    check_features(devices)


@pytest.mark.slow
def test_a_network_learns_on_two_devices_and_then_is_on_one(devices):
    _, test = parts()
    model = left(devices, "cnn")
    assert model.history_["accuracy"][-1] > 0.85
    loaded = load(devices / "cnn.keras")
    probabilities = model.predict_proba(test)
    # what the replicas together made of the images is what one makes of them: they are the same
    np.testing.assert_allclose(model.validation_proba_[-1], probabilities, atol=1e-5)
    np.testing.assert_allclose(loaded.predict_proba(test), probabilities, atol=1e-6)
    np.testing.assert_allclose(loaded.embed(test), model.embed(test), atol=1e-5)
    assert loaded.calibrate(test).predict(test).tolist() == model.predict(test).tolist()
    assert model.strategy is None
    assert loaded.strategy is None


@pytest.fixture(scope="module")
def strategy() -> tf.distribute.Strategy:
    return tf.distribute.MirroredStrategy(["CPU:0"])


def test_a_strategy_of_one_device_changes_nothing(strategy):
    images, held_out = noise(40)[:20], noise(40)[20:]
    options = {"epochs": 2, "batch_size": 8, "learning_rate": 0.01}
    expected = plainly(convolution(), **options).fit(images, validation=held_out)
    found = plainly(convolution(), strategy=strategy, **options).fit(images, validation=held_out)
    np.testing.assert_allclose(found.validation_proba_, expected.validation_proba_, atol=1e-6)
    np.testing.assert_allclose(
        found.predict_proba(images), expected.predict_proba(images), atol=1e-6
    )
    assert found.history_["loss"] == pytest.approx(expected.history_["loss"], abs=1e-6)


def test_a_clone_uses_the_same_strategy(strategy):
    model = cnn(image_size=16, strategy=strategy)
    again = clone(model)
    assert again is not model
    assert again.get_params() == model.get_params()
    assert again.strategy is strategy
    assert "strategy=<tensorflow" in repr(model)
    assert pickle.loads(pickle.dumps(model)).get_params() == {
        **model.get_params(),
        "strategy": None,
    }


@pytest.mark.parametrize("factory", [cnn, transfer, inception_transfer])
def test_the_ways_to_ask_for_a_network_take_it(factory, strategy):
    assert factory(strategy=strategy).strategy is strategy
    assert factory().strategy is None


@pytest.mark.parametrize("wrong", ["mirrored", 2, tf.distribute.MirroredStrategy])
def test_what_is_no_strategy_is_refused(wrong, crops):
    with pytest.raises(InvalidParameterError, match="strategy: expected a tf.distribute.Strategy"):
        cnn(strategy=wrong).fit(crops[::20])
