"""What pre-trained networks make of crops, as one row of numbers for each."""

from collections.abc import Iterator
from functools import cache, partial
from typing import Literal

import keras
import numpy as np

from benchmarks.limits import has_bfloat16, operations, products
from benchmarks.timing import Comparison, Elsewhere
from nucrec.datasets import ImageDataset, load_mnfinder_crops
from nucrec.models import Embeddings, transfer


def comparisons() -> Iterator[Comparison]:
    """Yield `Embeddings` against Keras's `predict`, for the same network and the same crops."""
    crops = load_mnfinder_crops("paper")
    yield _comparison("efficientnet-lite0", 224, crops, 1.3)
    yield _comparison("inception-resnet-v2", 299, crops[:64], 1.5 if has_bfloat16() else None)


def _comparison(name: str, size: int, crops: ImageDataset, goal: float | None) -> Comparison:
    n = len(crops)
    precision: Literal["bfloat16", "float32"] = "bfloat16" if has_bfloat16() else "float32"
    embeddings = Embeddings(name, None, size, precision=precision).fit(crops)
    backbone = _plain(name, size).get_layer("backbone")
    return Comparison(
        f"embedding {n} crops, {name}, {size} pixels, {precision}",
        "`keras.Model.predict`",
        partial(embeddings.transform, crops),
        Elsewhere(_predict, name, size, crops),
        5,
        n,
        goal,
        ("matrix products", products(operations(backbone) * n)),
    )


@cache
def _plain(name: str, size: int) -> keras.Model:
    """Return the network of a classifier up to its embedding, as a model of Keras."""
    noise = np.random.default_rng(0).integers(0, 255, (4, 16, 16, 3), dtype=np.uint8)
    classifier = transfer(name, mode="features", weights=None, image_size=size, epochs=1)
    network = classifier.fit(ImageDataset(noise, [0, 1, 0, 1])).model_
    return keras.Model(network.input, network.get_layer("embedding").output)


def _predict(name: str, size: int, crops: ImageDataset) -> None:
    """Do what users of Keras do: resize all images to one array, and predict it."""
    resized = [
        keras.ops.image.resize(np.asarray(image, np.float32)[..., np.newaxis], (size, size))
        for image in crops.images
    ]
    _plain(name, size).predict(np.repeat(np.stack(resized), 3, axis=3), verbose=0)
