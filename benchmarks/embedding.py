"""What pre-trained networks make of crops, as one row of numbers for each."""

from collections.abc import Iterator
from functools import cache, partial

import keras
import numpy as np

from benchmarks.limits import has_bfloat16, operations, products
from benchmarks.timing import Comparison, Elsewhere
from nucrec.datasets import ImageDataset, load_mnfinder_crops
from nucrec.models import Embeddings
from nucrec.models._networks.build import build_network, embedder
from nucrec.models._training.recipes import Precision
from nucrec.models._weights import BACKBONES


def comparisons() -> Iterator[Comparison]:
    """Yield `Embeddings` against Keras's `predict`, for the same network and the same crops."""
    crops = load_mnfinder_crops("paper")
    yield _comparison("efficientnet-lite0", 224, crops, 1.3)
    yield _comparison("inception-resnet-v2", 299, crops[:64], 1.5 if has_bfloat16() else None)


def _comparison(name: str, size: int, crops: ImageDataset, goal: float | None) -> Comparison:
    n = len(crops)
    precision: Precision = "bfloat16" if has_bfloat16() else "float32"
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
        ("products of matrices", products(operations(backbone) * n)),
    )


@cache
def _plain(name: str, size: int) -> keras.Model:
    network, _ = build_network(
        BACKBONES[name],
        image_size=size,
        channels=3,
        n_classes=2,
        standardise=True,
        dropout=0.0,
    )
    return embedder(network)


def _predict(name: str, size: int, crops: ImageDataset) -> None:
    """Do what users of Keras do: resize all images to one array, and predict it."""
    resized = [
        keras.ops.image.resize(np.asarray(image, np.float32)[..., np.newaxis], (size, size))
        for image in crops.images
    ]
    _plain(name, size).predict(np.repeat(np.stack(resized), 3, axis=3), verbose=0)
