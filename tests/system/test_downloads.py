"""Weights that are downloaded: once, checked, and never replaced by others where that fails."""

import hashlib
import inspect
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError

import numpy as np
import pytest
from keras.src.applications import (
    densenet,
    efficientnet_v2,
    inception_resnet_v2,
    mobilenet_v3,
    resnet,
)

from nucrec.errors import WeightsNotAvailableError
from nucrec.models import Embeddings, backbones

# private: the public names download from the one address of Keras, this test from a server of its own
from nucrec.models._weights import BACKBONES, load_weights

SOURCES = {
    "inception-resnet-v2": inception_resnet_v2,
    "efficientnet-v2-b0": efficientnet_v2,
    "resnet50": resnet,
    "mobilenet-v3-large": mobilenet_v3,
    "densenet121": densenet,
}
SMALLEST = BACKBONES["mobilenet-v3-large"]


@pytest.fixture
def keras_home(tmp_path, monkeypatch) -> Path:
    home = tmp_path / "keras"
    monkeypatch.setenv("KERAS_HOME", str(home))
    return home


def test_all_others_are_downloaded_by_keras():
    assert set(SOURCES) == set(backbones()) - {"efficientnet-lite0"}


@pytest.mark.parametrize("name", SOURCES)
def test_files_and_hashes_are_those_that_keras_itself_downloads(
    name, crops, keras_home, monkeypatch
):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # where nobody answers
    with pytest.raises(WeightsNotAvailableError, match="cannot be downloaded") as caught:
        Embeddings(name).fit(crops[:1]).transform(crops[:1])
    words = str(caught.value).replace("(", " ").replace(")", " ").split()
    source = inspect.getsource(SOURCES[name])
    file, kind, digest, _, address = words[words.index("file") + 1 :][:5]
    assert file == backbones()[name].weights_file
    assert (kind, len(digest)) == ("md5", 32)
    assert digest in source
    assert address.endswith(file)
    assert address.split("/")[-2] in source
    assert file.rpartition("_")[2] in source  # names are put together there
    assert str(keras_home / "models") in str(caught.value)


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
