"""Features of a frozen backbone, computed once for each distinct image of several divisions."""

import functools
import hashlib
import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nucrec._children.pool import in_children
from nucrec._children.process import (
    ChildDiedError,
    ChildError,
    ChildProcess,
    ChildTimeoutError,
    Packed,
    pack,
)
from nucrec._keras import keras_defaults
from nucrec.datasets import ImageDataset, LazyImages
from nucrec.errors import NucrecError
from nucrec.models._classifier import ImageClassifier
from nucrec.models._inputs import as_images
from nucrec.models._training.features import Features
from nucrec.models._training.settings import Settings
from nucrec.models._zoo.networks import require_weights

if TYPE_CHECKING:
    from nucrec.models._networks.inference import BatchFunction

Array = npt.NDArray[Any]

_BATCH_PIXELS = 64 * 160**2
"""Pixels of a batch, of 64 images at most: larger ones take memory and are no faster."""


@dataclass(frozen=True)
class SharedFeatures:
    """The features of all distinct images, and where each division finds its own.

    Attributes
    ----------
    rows : ndarray of float32, shape (n_distinct, n_features)
        The features.
    positions : dict of str to (ndarray of int, ndarray of int)
        For each division, the rows of its training and of its test images.
    """

    rows: Array
    positions: Mapping[str, tuple[Array, Array]]

    def of(self, label: str) -> Features:
        """Return the features of one division."""
        train, test = self.positions[label]
        return Features(self.rows[train], self.rows[test])


def share_features(
    model: Any,
    divisions: Mapping[str, tuple[Any, Any]],
    show: Callable[[str], None],
    *,
    n_jobs: int | None,
    environment: Mapping[str, str],
    timeout: float | None,
) -> SharedFeatures | None:
    """Run a frozen backbone once on each distinct image of all divisions.

    Parameters
    ----------
    model : classifier
        A classifier, unfitted.
    divisions : mapping of str to (X, X_test)
        The samples of each division.
    show : callable
        Is told how many images are done.
    n_jobs, environment, timeout : optional
        As in `in_children`, and the seconds for one batch of images.

    Returns
    -------
    SharedFeatures or None
        None if there is nothing to share: one division, another kind of classifier, augmentation
        during the training, samples that are not images. Also if the features cannot be computed; each
        training then meets the reason by itself, and reports it.
    """
    if len(divisions) < 2 or not _is_frozen(model):
        return None
    images = {k: (as_images(X), as_images(X_test)) for k, (X, X_test) in divisions.items()}
    channels = {train.channels for train, _ in images.values() if train is not None}
    if len(channels) != 1 or any(part is None for pair in images.values() for part in pair):
        return None
    try:
        require_weights(model)
        distinct = _Distinct(Settings.of(model.get_params(deep=False)).image_size, channels.pop())
        positions = {
            label: (distinct.positions(train), distinct.positions(test))
            for label, (train, test) in images.items()
            if train is not None and test is not None
        }
        calls = distinct.calls(pack(model), timeout)
        with closing(in_children(_embed_in, calls, n_jobs, environment)) as found:
            rows = _in_order(found, len(distinct.sources), show)
    except (NucrecError, ChildDiedError, ChildError, ChildTimeoutError):
        return None
    return SharedFeatures(rows, positions)


def _is_frozen(model: Any) -> bool:
    """Return whether only the classification head is trained, on fixed features."""
    if not isinstance(model, ImageClassifier) or model.views != 1:
        return False
    try:
        recipe = Settings.of(model.get_params(deep=False)).recipe
    except NucrecError:
        return False  # which its own row reports
    return recipe.epochs == 0 and recipe.head_copies == 0


@dataclass
class _Distinct:
    """Images that differ in their pixels, at the size of a network."""

    size: int
    channels: int
    sources: list[Any] = field(default_factory=list)
    _known: dict[bytes, int] = field(default_factory=dict)

    @property
    def batch_size(self) -> int:
        """How many images the network takes at a time."""
        return max(1, min(64, _BATCH_PIXELS // self.size**2))

    def positions(self, images: ImageDataset) -> Array:
        """Add images unless they are known, and return where each is."""
        batches = images.batches(self.size, 64, None, channels=self.channels, dtype="uint8")
        pixels = (image.tobytes() for batch, _ in batches for image in batch)
        found = []
        for source, content in zip(images.images.sources, pixels, strict=True):
            key = hashlib.sha256(content).digest()
            if key not in self._known:
                self._known[key] = len(self.sources)
                self.sources.append(source)
            found.append(self._known[key])
        return np.array(found)

    def calls(self, model: bytes, timeout: float | None) -> Iterator[tuple[Any, ...]]:
        """Yield what `_embed_in` takes, for a batch of images each."""
        for start in range(0, len(self.sources), self.batch_size):
            part = LazyImages(self.sources[start : start + self.batch_size])
            images = ImageDataset(part, np.zeros(len(part), int))
            yield model, pack(images), start, self.channels, self.batch_size, timeout


def _in_order(found: Iterator[tuple[int, Array]], total: int, show: Callable[[str], None]) -> Array:
    """Return the features of all images, which come batch by batch in any order."""
    batches, done = {}, 0
    show(f"features of 0 of {total} images")
    for start, rows in found:
        batches[start] = rows
        done += len(rows)
        show(f"features of {done} of {total} images")
    return np.concatenate([batches[start] for start in sorted(batches)])


def _embed_in(
    child: ChildProcess,
    model: bytes,
    images: bytes,
    start: int,
    channels: int,
    batch_size: int,
    timeout: float | None,
) -> tuple[int, Array]:
    rows = child.call(_embed, model, Packed(images), channels, batch_size, timeout=timeout)
    return start, rows


def _embed(model: bytes, images: ImageDataset, channels: int, batch_size: int) -> Array:
    """Return the features of a batch; runs in a child process."""
    run_batch, size = _extractor(model, channels)
    from nucrec.models._networks.inference import run_model

    missing = batch_size - len(images)
    # padded to a full batch: another shape would trigger recompilation
    full = images[np.r_[np.arange(len(images)), np.full(missing, len(images) - 1)]]
    return run_model(run_batch, full, size, channels, batch_size=batch_size)[: len(images)]


@functools.lru_cache(maxsize=1)
@keras_defaults()
def _extractor(model: bytes, channels: int) -> tuple["BatchFunction", int]:
    """Return what makes features of a batch, and the size of its images."""
    settings = Settings.of(pickle.loads(model).get_params(deep=False))  # noqa: S301 - of our parent
    from nucrec.models._networks.build import embedder
    from nucrec.models._networks.inference import batch_function
    from nucrec.models._training.fit import new_network

    network, _ = new_network(settings, channels, n_classes=2)
    return batch_function(embedder(network)), settings.image_size
