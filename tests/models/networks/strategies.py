"""What child processes do to train under a strategy, and the images that they train on."""

import contextlib
import os
import pickle
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from tests.models.small import SIDE, convolution, noise, plainly, trained_by_keras

from nucrec.datasets import ImageDataset, load_mnfinder_crops
from nucrec.models import ImageClassifier, transfer

COMMON = {"random_state": 0, "class_weight": "balanced"}
FEATURES = {"mode": "features", "recipe": "paper", "image_size": 32, "epochs": 3, **COMMON}
CNN = {"image_size": 16, "epochs": 6, "batch_size": 16, "augment": None, **COMMON}
PLAIN = {
    "epochs": 2,
    "batch_size": 15,
    "learning_rate": 0.01,
    "class_weight": {0: 1.0, 1: 2.0, 2: 0.5},
}
MOMENTUM = 0.8
IMAGES = noise(46)
"""Batches of 15 cannot be halved, and the last one is smaller than two replicas."""

CHILD = """
import pickle, sys
from pathlib import Path
import numpy as np, tensorflow as tf
kind, out = sys.argv[1], Path(sys.argv[2])
if kind == "devices":
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
else:
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    out = out / str(strategy.cluster_resolver.task_id)
assert strategy.num_replicas_in_sync == 2
from nucrec.errors import InvalidParameterError
from nucrec.models import cnn, transfer
from tests.models.networks.strategies import BACKBONES, CNN, FEATURES, IMAGES, PLAIN, parts
from tests.models.small import Beginning, plainly
for name, backbone in BACKBONES.items():
    beginning = Beginning()
    options = {**PLAIN, "strategy": strategy, "callbacks": [beginning]}
    model = plainly(backbone(), **options).fit(IMAGES)
    result = beginning.weights, model.model_.get_weights(), model.history_
    (out / f"{name}.pickle").write_bytes(pickle.dumps(result))
if kind == "workers":
    for seed in (None, strategy.cluster_resolver.task_id):  # none, or not the same
        try:
            cnn(random_state=seed, strategy=strategy).fit(*parts())
        except InvalidParameterError as error:
            print(error)
train, test = parts()
seen = []
model = transfer(**FEATURES, strategy=strategy, progress=lambda *a: seen.append(a))
model.fit(train, validation=test, checkpoint_dir=out)
(out / "seen").write_text(str(len(seen)))
result = model.predict_proba(test), model.validation_proba_, model.history_
(out / "features.pickle").write_bytes(pickle.dumps(result))
if kind == "devices":
    model = cnn(**CNN, strategy=strategy).fit(train, validation=test)
    model.save(out / "cnn.keras")
    (out / "cnn.pickle").write_bytes(pickle.dumps(model))
"""


def normed() -> keras.Model:
    """Return a network that does nothing but batch normalisation."""
    images = keras.Input((SIDE, SIDE, 3))
    return keras.Model(images, keras.layers.BatchNormalization(momentum=MOMENTUM)(images))


BACKBONES = {"plain": convolution, "normed": normed}


def parts() -> tuple[ImageDataset, ImageDataset]:
    """Return 51 images to train on, in batches that cannot be halved, and 41 to evaluate on."""
    crops = load_mnfinder_crops()
    return crops[::6], crops[1::6][:41]


def batches() -> list[np.ndarray]:
    """Return the images of all batches of a training with `PLAIN`, in order."""
    found = []
    for epoch in range(PLAIN["epochs"]):
        drawn = IMAGES.batches(
            SIDE, PLAIN["batch_size"], channels=3, shuffle=True, random_state=0, epoch=epoch
        )
        found += [pixels.astype(float) for pixels, _ in drawn]
    return found


def environment(**more: str) -> dict[str, str]:
    root = Path(__file__).parents[3]
    path = os.pathsep.join(entry for entry in (str(root), *sys.path) if entry)
    return {**os.environ, "PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": "-1", **more}


def run_children(kind: str, out: Path, configs: list[dict[str, str]]) -> list[str]:
    """Run children side by side and return what they print; none outlives this call."""
    command = [sys.executable, "-c", CHILD, kind, str(out)]
    with contextlib.ExitStack() as stack:
        children = []
        for n, config in enumerate(configs):
            log = stack.enter_context((out / f"log{n}").open("w+"))
            child = subprocess.Popen(command, env=environment(**config), stdout=log, stderr=log)
            stack.callback(child.wait)
            stack.callback(child.kill)
            children.append(child)
        for child in children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=1200)
        codes = [child.poll() for child in children]
    logs = [(out / f"log{n}").read_text() for n in range(len(configs))]
    assert codes == [0] * len(configs), "\n".join(logs)
    return logs


def left(folder: Path, name: str) -> Any:
    """Return what a child left."""
    return pickle.loads((folder / f"{name}.pickle").read_bytes())


@cache
def history_of_one_device() -> dict[str, list]:
    return plainly(convolution(), **PLAIN).fit(IMAGES).history_


@cache
def features_of_one_device() -> ImageClassifier:
    images, held_out = parts()
    return transfer(**FEATURES).fit(images, validation=held_out)


def check_steps(folder: Path) -> None:
    """Compare what two replicas learnt with Keras, and what they told with one device."""
    begin, found, history = left(folder, "plain")
    expected = trained_by_keras(convolution(), begin, IMAGES, **PLAIN)
    for own, theirs, before in zip(found, expected, begin, strict=True):
        assert np.abs(theirs - before).max() > 0.01
        np.testing.assert_allclose(own, theirs, atol=1e-5)
    alone = history_of_one_device()
    for name in alone.keys() - {"stage"}:
        assert history[name] == pytest.approx(alone[name], abs=1e-5), name


def check_moving_statistics(folder: Path) -> None:
    """Compare the statistics of batch normalisation with means over the halves of the batches."""
    mean, variance = np.zeros(3), np.ones(3)
    for batch in batches():
        # where there is one image for two replicas, the second gets zeros
        images = batch if len(batch) > 1 else np.concatenate([batch, np.zeros_like(batch)])
        halves = images[: len(images) // 2], images[len(images) // 2 :]
        means = np.mean([half.mean((0, 1, 2)) for half in halves], 0)
        variances = np.mean([half.var((0, 1, 2)) for half in halves], 0)
        mean = MOMENTUM * mean + (1 - MOMENTUM) * means
        variance = MOMENTUM * variance + (1 - MOMENTUM) * variances
    _, (_, _, found_mean, found_variance, *_), _ = left(folder, "normed")
    np.testing.assert_allclose(found_mean, mean, rtol=1e-5)
    np.testing.assert_allclose(found_variance, variance, rtol=1e-4)


def check_features(folder: Path) -> None:
    """Compare what a head learnt under a strategy with what it learns on one device."""
    _, held_out = parts()
    expected = features_of_one_device()
    found, validation, history = left(folder, "features")
    np.testing.assert_allclose(found, expected.predict_proba(held_out), atol=1e-4)
    np.testing.assert_allclose(validation, expected.validation_proba_, atol=1e-4)
    assert history["stage"] == expected.history_["stage"]
    for name in expected.history_.keys() - {"epoch", "stage"}:
        assert history[name] == pytest.approx(expected.history_[name], abs=1e-4), name
