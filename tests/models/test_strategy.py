"""Training with several devices and several processes ends as with one device.

What needs devices or workers of its own runs in child processes: `CHILD` trains under a strategy and
leaves what came out in a folder.
"""

import contextlib
import itertools
import json
import os
import pickle
import socket
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.base import clone

from nucrec.datasets import ImageDataset
from nucrec.errors import InvalidParameterError
from nucrec.models import cnn, inception_transfer, load, transfer
from nucrec.models._training.step import TrainingStep

COMMON = {"random_state": 0, "class_weight": "balanced"}
FEATURES = {"mode": "features", "recipe": "paper", "image_size": 32, "epochs": 3, **COMMON}
CNN = {"image_size": 16, "epochs": 6, "batch_size": 16, "augment": None, **COMMON}
MOMENTUM = 0.8
CLASS_WEIGHT = {0: 1.0, 1: 2.0, 2: 0.5}
CUTS = [0, 16, 32, 47, 49, 50]  # of parts of unequal length, and a batch smaller than the replicas

RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(50, 4)).astype(np.float32)
ONE_HOT = np.eye(3, dtype=np.float32)[RNG.integers(0, 3, 50)]

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
from tests.models import test_strategy as t
for name in ("plain", "normed"):
    with strategy.scope():
        network = t.small_network(name)
    metrics = t.train(network)
    np.savez(out / f"{name}.npz", *network.get_weights(), **metrics)
if kind == "workers":
    for seed in (None, strategy.cluster_resolver.task_id):  # none, or not the same
        try:
            t.cnn(random_state=seed, strategy=strategy).fit(*t.parts())
        except t.InvalidParameterError as error:
            print(error)
train, test = t.parts()
seen = []
model = t.transfer(**t.FEATURES, strategy=strategy, progress=lambda *a: seen.append(a))
model.fit(train, validation=test, checkpoint_dir=out)
(out / "seen").write_text(str(len(seen)))
result = model.predict_proba(test), model.validation_proba_, model.history_
(out / "features.pickle").write_bytes(pickle.dumps(result))
if kind == "devices":
    model = t.cnn(**t.CNN, strategy=strategy).fit(train, validation=test)
    model.save(out / "cnn.keras")
    (out / "cnn.pickle").write_bytes(pickle.dumps(model))
"""


def small_network(name: str) -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    if name == "normed":
        x = keras.layers.BatchNormalization(momentum=MOMENTUM)(inputs)
    else:
        x = keras.layers.Dense(8, activation="relu")(inputs)
    return keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(x))


def small_batches() -> list[tuple[np.ndarray, np.ndarray]]:
    cuts = itertools.pairwise(CUTS)
    return [(INPUTS[start:stop], ONE_HOT[start:stop]) for start, stop in cuts] * 2


def train(network: keras.Model) -> dict[str, float]:
    with network.distribute_strategy.scope():
        optimizer = keras.optimizers.Adam(0.05)
    steps = TrainingStep(network, optimizer, CLASS_WEIGHT)
    steps.start_epoch()
    for inputs, labels in small_batches():
        steps.run(inputs, labels)
    return steps.end_epoch()


def parts() -> tuple[ImageDataset, ImageDataset]:
    """Return 51 images to train on, in batches that cannot be halved, and 41 to evaluate on."""
    from nucrec.datasets import load_mnfinder_crops

    crops = load_mnfinder_crops()
    return crops[::6], crops[1:124:3]


def environment(**more: str) -> dict[str, str]:
    root = Path(__file__).parents[2]
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
                child.wait(timeout=240)
        codes = [child.poll() for child in children]
    logs = [(out / f"log{n}").read_text() for n in range(len(configs))]
    assert codes == [0] * len(configs), "\n".join(logs)
    return logs


@pytest.fixture(scope="module")
def devices(tmp_path_factory) -> Path:
    """The folder of a process with two devices."""
    out = tmp_path_factory.mktemp("devices")
    run_children("devices", out, [{}])
    return out


@pytest.fixture(scope="module")
def workers(tmp_path_factory) -> Path:
    """The folder of two processes with a device each; they write to "0" and "1"."""
    out = tmp_path_factory.mktemp("workers")
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    tasks = [{"type": "worker", "index": n} for n in range(2)]
    for n in range(2):
        (out / str(n)).mkdir()
    texts = [json.dumps({"cluster": {"worker": addresses}, "task": task}) for task in tasks]
    run_children("workers", out, [{"TF_CONFIG": text} for text in texts])
    return out


@pytest.fixture(scope="module")
def both(devices, workers) -> list[Path]:
    """The folders of the process with two devices and of the two workers."""
    return [devices, workers / "0", workers / "1"]


@pytest.mark.slow
def test_steps_of_two_replicas_are_those_of_keras_on_one_device(both):
    expected = small_network("plain")
    expected.compile(keras.optimizers.Adam(0.05), "categorical_crossentropy")
    for inputs, labels in small_batches():
        expected.train_on_batch(inputs, labels, class_weight=CLASS_WEIGHT)
    metrics = train(small_network("plain"))
    for folder in both:
        with np.load(folder / "plain.npz") as found:
            for n, weights in enumerate(expected.get_weights()):
                np.testing.assert_allclose(found[f"arr_{n}"], weights, atol=1e-5)
            assert {key: float(found[key]) for key in metrics} == pytest.approx(metrics, abs=1e-5)


@pytest.mark.slow
def test_moving_statistics_are_means_over_the_replicas(both):
    mean, variance = np.zeros(4), np.ones(4)
    for inputs, _ in small_batches():
        # where there is one row for two replicas, the second gets zeros
        rows = inputs if len(inputs) > 1 else np.concatenate([inputs, np.zeros_like(inputs)])
        halves = rows[: len(rows) // 2], rows[len(rows) // 2 :]
        mean = MOMENTUM * mean + (1 - MOMENTUM) * np.mean([h.mean(0) for h in halves], 0)
        variance = MOMENTUM * variance + (1 - MOMENTUM) * np.mean([h.var(0) for h in halves], 0)
    for folder in both:
        with np.load(folder / "normed.npz") as found:
            np.testing.assert_allclose(found["arr_2"], mean, atol=1e-5)
            np.testing.assert_allclose(found["arr_3"], variance, atol=1e-5)


@pytest.mark.slow
def test_two_replicas_end_as_one_device(both):
    images, held_out = parts()
    expected = transfer(**FEATURES).fit(images, validation=held_out)
    probabilities = expected.predict_proba(held_out)
    for folder in both:
        found, validation, history = pickle.loads((folder / "features.pickle").read_bytes())
        np.testing.assert_allclose(found, probabilities, atol=1e-4)
        np.testing.assert_allclose(validation, expected.validation_proba_, atol=1e-4)
        assert history["stage"] == expected.history_["stage"]
        for key in expected.history_.keys() - {"epoch", "stage"}:
            assert history[key] == pytest.approx(expected.history_[key], abs=1e-4), key


@pytest.mark.slow
def test_a_network_learns_on_two_devices_and_then_is_on_one(devices):
    _, test = parts()
    model = pickle.loads((devices / "cnn.pickle").read_bytes())
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


@pytest.mark.slow
def test_only_the_first_worker_writes_and_shows_progress(workers):
    for n, is_first in (("0", True), ("1", False)):
        assert (workers / n / "training.npz").exists() == is_first
        assert ((workers / n / "seen").read_text() != "0") == is_first


@pytest.mark.slow
def test_one_device_can_go_on_with_the_checkpoint_of_workers(workers):
    images, held_out = parts()
    seen = []
    model = transfer(**FEATURES, progress=lambda *a: seen.append(a))
    model.fit(images, validation=held_out, checkpoint_dir=workers / "0")
    assert not [what for _, _, what in seen if "epoch" in what]  # nothing was left to learn
    found, _, history = pickle.loads((workers / "0" / "features.pickle").read_bytes())
    assert model.history_ == history
    np.testing.assert_allclose(model.predict_proba(held_out), found, atol=1e-4)


@pytest.mark.slow
def test_workers_that_do_not_train_the_same_say_so(workers):
    for n in range(2):
        text = (workers / f"log{n}").read_text()
        assert (
            "random_state: expected a seed, the same for each worker and each call. Received: None."
            in text
        )
        assert "strategy: the workers train with other parameters, images or versions" in text


@pytest.fixture(scope="module")
def strategy() -> tf.distribute.Strategy:
    return tf.distribute.MirroredStrategy(["CPU:0"])


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
