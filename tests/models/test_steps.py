"""Training steps: what is learned, and what is told of an epoch."""

import keras
import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss, precision_score, recall_score

from nucrec.models._training.step import EpochMetrics, TrainingStep

RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(50, 4)).astype(np.float32)
LABELS = RNG.integers(0, 3, 50)
ONE_HOT = np.eye(3, dtype=np.float32)[LABELS]


def model() -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    return keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(inputs))


def batches(size: int) -> list[slice]:
    return [slice(start, start + size) for start in range(0, 50, size)]


def test_metrics_are_those_of_all_batches_of_the_epoch():
    network = model()
    steps = TrainingStep(network, keras.optimizers.SGD(0.0), None)
    for _ in range(2):  # the second epoch forgets the first
        steps.start_epoch()
        for batch in batches(16):  # the last one is smaller
            steps.run(INPUTS[batch], ONE_HOT[batch])
        probabilities = np.asarray(network(INPUTS))
        predicted = probabilities.argmax(1)
        found = steps.metrics()
        assert found["accuracy"] == pytest.approx(accuracy_score(LABELS, predicted))
        assert found["loss"] == pytest.approx(log_loss(LABELS, probabilities), rel=1e-5)
        macro = {"average": "macro", "zero_division": 0}
        assert found["precision_macro"] == pytest.approx(
            precision_score(LABELS, predicted, **macro)
        )
        assert found["recall_macro"] == pytest.approx(recall_score(LABELS, predicted, **macro))
        assert found["f1_macro"] == pytest.approx(f1_score(LABELS, predicted, **macro))
        whole = EpochMetrics(3).evaluate(ONE_HOT, probabilities)
        assert found == pytest.approx(whole, rel=1e-5)


@pytest.mark.parametrize("class_weight", [None, {0: 1.0, 1: 2.0, 2: 0.5}])
def test_steps_are_those_of_keras(class_weight):
    mine, theirs = model(), model()
    steps = TrainingStep(mine, keras.optimizers.Adam(0.1), class_weight)
    theirs.compile(keras.optimizers.Adam(0.1), "categorical_crossentropy")
    for _ in range(3):
        for batch in batches(16):
            steps.run(INPUTS[batch], ONE_HOT[batch])
            theirs.train_on_batch(INPUTS[batch], ONE_HOT[batch], class_weight=class_weight)
    for a, b in zip(mine.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_what_is_frozen_stays():
    network = model()
    network.layers[-1].trainable = False
    before = network.get_weights()
    inputs = network.inputs[0]
    more = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(network(inputs)))
    last = more.layers[-1].get_weights()
    TrainingStep(more, keras.optimizers.Adam(0.1), None).run(INPUTS, ONE_HOT)
    for a, b in zip(network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (more.layers[-1].get_weights()[0] != last[0]).any()
