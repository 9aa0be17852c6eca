"""Training with several processes, over sockets, ends as with one device."""

import contextlib
import json
import socket
from pathlib import Path

import numpy as np
import pytest
from tests.models.networks.strategies import (
    FEATURES,
    check_features,
    check_moving_statistics,
    check_steps,
    left,
    parts,
    run_children,
)

from nucrec.models import transfer


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


@pytest.mark.slow
@pytest.mark.parametrize("worker", ["0", "1"])
@pytest.mark.parametrize("check", [check_steps, check_moving_statistics, check_features])
def test_two_workers_learn_what_one_device_does(workers, worker, check):
    check(workers / worker)


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
    found, _, history = left(workers / "0", "features")
    assert model.history_ == history
    np.testing.assert_allclose(model.predict_proba(held_out), found, atol=1e-4)


@pytest.mark.slow
def test_workers_that_do_not_train_the_same_say_so(workers):
    for n in range(2):
        text = (workers / f"log{n}").read_text()
        assert "random_state: expected a seed, the same for each worker. Received: None." in text
        assert "strategy: the workers train with other parameters, images or versions" in text
