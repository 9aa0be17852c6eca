"""The user's global settings of Keras change no network, and no network changes them.

They are read when Keras starts, or belong to the process, so children have them.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

POLICIES = ("mixed_float16", "mixed_bfloat16")
KERAS_JSON = {"floatx": "float16", "epsilon": 1e-3, "image_data_format": "channels_first"}

CHILD = """
import random, sys, threading
from pathlib import Path
import keras, numpy as np, tensorflow as tf
from tests.models.small import noise
from nucrec.datasets import load_mnfinder_crops
from nucrec.models import Embeddings, cnn, load, transfer

out, *policies = sys.argv[1:]
tf.config.run_functions_eagerly(not policies)  # which rounds in other places
crops = load_mnfinder_crops()[::20]
train, test = crops[::2], crops[1::2]
small = noise(24)

def surroundings():
    config = keras.config
    return (
        config.floatx(), config.epsilon(), config.image_data_format(), config.dtype_policy().name,
        tf.config.functions_run_eagerly(), random.getstate(),
    )

def own(size):
    images = keras.Input((size, size, 3))
    x = keras.layers.Conv2D(4, 3, 2, activation="relu")(images)
    return keras.Model(images, keras.layers.BatchNormalization()(x))

def fail(size):
    raise ZeroDivisionError(keras.config.floatx() + keras.config.image_data_format())

def results(whole):
    options = {"random_state": 0, "image_size": 32, "epochs": 1}
    model = cnn(**options).fit(train, validation=test)
    yield "cnn", model.predict_proba(test)
    yield "history", [model.history_[name] for name in ("loss", "auc", "val_loss", "val_auc")]
    if not whole:
        return
    yield "embed", model.embed(test)
    yield "explain", np.concatenate([heat.ravel() for heat in model.explain(test).heat])
    model.save(Path(out, "cnn.keras"))
    yield "load", load(Path(out, "cnn.keras")).predict_proba(test)
    half = {"precision": "bfloat16", **options}
    yield "bfloat16", cnn(**half).fit(train).predict_proba(test)
    yield "own", transfer(own, **options).fit(train).predict_proba(test)
    frozen = transfer(mode="features", **options).fit(train, validation=test)
    yield "features", frozen.validation_proba_
    yield "finetune", transfer(**options).fit(train).predict_proba(test)
    application = Embeddings("mobilenet-v3-large", weights=None, image_size=32)
    yield "application", application.fit_transform(test)

def keep(name, whole=True):
    before = surroundings()
    found = {}
    for what, values in results(whole):
        found[what] = values
        assert surroundings() == before, what
    np.savez(Path(out, f"{name}.npz"), **found)

def keep_two_threads():
    # the second begins after the first, and ends after it
    begun, ended = threading.Event(), threading.Event()
    begin = keras.callbacks.LambdaCallback(on_train_begin=lambda logs: begun.set())
    end = keras.callbacks.LambdaCallback(on_train_end=lambda logs: ended.wait(600))
    options = {"image_size": 16, "epochs": 1}
    first = cnn(random_state=1, callbacks=[begin], **options)
    second = cnn(random_state=2, callbacks=[end], **options)

    def run_first():
        first.fit(small)
        assert begun.wait(600)
        ended.set()

    def run_second():
        assert begun.wait(600)
        second.fit(small)

    before = surroundings()
    threads = [threading.Thread(target=run) for run in (run_first, run_second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert surroundings() == before
    found = {"first": first.predict_proba(small), "second": second.predict_proba(small)}
    np.savez(Path(out, "threads.npz"), **found)

def fail_within():
    before = surroundings()
    try:
        transfer(fail, image_size=32, random_state=0).fit(train)
    except ZeroDivisionError as error:
        assert str(error) == "float32channels_last", error
    else:
        raise AssertionError("it did not fail")
    assert surroundings() == before

keep("start")
keep_two_threads()
fail_within()
for number, policy in enumerate(policies):
    keras.mixed_precision.set_global_policy(policy)
    keep(policy, whole=number == 0)  # the ways on which it could get in are the same for each
"""


def run_child(out: Path, settings: dict[str, object], *policies: str) -> None:
    """Start a process with this keras.json, and then these policies; it leaves arrays in a folder."""
    out.mkdir()
    (out / "keras.json").write_text(json.dumps(settings))
    environment = {**os.environ, "KERAS_HOME": str(out)}
    command = [sys.executable, "-c", CHILD, str(out), *policies]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def usual(tmp_path_factory) -> Path:
    """The folder of a process with Keras's own settings, and then with each policy."""
    out = tmp_path_factory.mktemp("surroundings") / "usual"
    run_child(out, {}, *POLICIES)
    return out


def assert_same(found: Path, expected: Path) -> None:
    """What the first file holds is as in the second, to the last bit."""
    with np.load(found) as ours, np.load(expected) as theirs:
        assert set(ours.files) <= set(theirs.files)
        for name in ours.files:
            np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


@pytest.mark.slow
def test_a_network_is_the_same_whatever_keras_json_says(usual, tmp_path):
    run_child(tmp_path / "other", KERAS_JSON)
    assert_same(usual / "start.npz", tmp_path / "other" / "start.npz")  # all of it is there
    assert_same(tmp_path / "other" / "start.npz", usual / "start.npz")
    assert_same(tmp_path / "other" / "threads.npz", usual / "threads.npz")


@pytest.mark.slow
@pytest.mark.parametrize("policy", POLICIES)
def test_a_network_is_the_same_under_every_policy(usual, policy):
    assert_same(usual / f"{policy}.npz", usual / "start.npz")
    if policy == POLICIES[0]:
        assert_same(usual / "start.npz", usual / f"{policy}.npz")  # all of it is there
