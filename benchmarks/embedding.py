"""What pre-trained networks make of crops, as one row of numbers for each."""

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from benchmarks.limits import has_bfloat16, operations, products
from benchmarks.timing import Comparison
from nucrec.datasets import ImageDataset, load_mnfinder_crops
from nucrec.models import Embeddings
from nucrec.models._networks import build_network, embedder


def comparisons() -> Iterator[Comparison]:
    """Yield `Embeddings` against Keras's `predict`, for the same network and the same crops."""
    crops = load_mnfinder_crops("paper")
    yield _comparison("efficientnet-lite0", "imagenet", 224, crops, 1.3)
    goal = 1.5 if has_bfloat16() else None
    yield _comparison("inception-resnet-v2", None, 299, crops[:64], goal)


def _comparison(
    name: str, weights: str | None, size: int, crops: ImageDataset, goal: float | None
) -> Comparison:
    embeddings = Embeddings(name, weights, size).fit(crops)
    network, backbone = build_network(
        name, image_size=size, channels=3, n_classes=2, standardise=True, dropout=0.0
    )
    plain = keras.Model(network.input, embedder(network).output)
    most = ("products of matrices", products(operations(backbone) * len(crops)))
    work = f"embedding {len(crops)} crops, {name}, {size} pixels"
    ours: Callable[[], Any] = lambda: embeddings.transform(crops)  # noqa: E731
    return Comparison(
        work, "`keras.Model.predict`", ours, _predict(plain, crops, size), 5, len(crops), goal, most
    )


def _predict(model: keras.Model, crops: ImageDataset, size: int) -> Callable[[], None]:
    """Return what users of Keras do: resize all images to one array, and predict it."""

    def run() -> None:
        resized = [
            keras.ops.image.resize(np.asarray(image, np.float32)[..., np.newaxis], (size, size))
            for image in crops.images
        ]
        model.predict(np.repeat(np.stack(resized), 3, axis=3), verbose=0)

    return run
