"""Construction of the training stages from images and settings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from nucrec._pixels.image import KEEP_DECODED_BYTES
from nucrec._progress import Progress
from nucrec.augment import Pipeline
from nucrec.datasets import ImageDataset
from nucrec.models._networks.build import embedder, head, set_trainable
from nucrec.models._networks.inference import batch_function, run_arrays, run_model
from nucrec.models._training.features import Features
from nucrec.models._training.loop import Batch, Stage, make_optimizer
from nucrec.models._training.recipes import HEAD_BATCH_SIZE, HEAD_RECIPE
from nucrec.models._training.settings import Settings

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class TrainingImages:
    """The images of a training, and their preparation for the network.

    Attributes
    ----------
    train, held_out : ImageDataset
        The training set, and the validation set, if any.
    settings : Settings
        The settings, with the recipe, the image size and the seed.
    features : Features or None
        What a frozen backbone makes of the images, if that is known already.
    """

    train: ImageDataset
    held_out: ImageDataset | None
    settings: Settings
    features: Features | None = None

    @cached_property
    def channels(self) -> int:
        """1 for grey training images, 3 for colour."""
        return self.train.channels

    @cached_property
    def resized(self) -> Array | None:
        """The resized training images, if they are never augmented and fit in memory."""
        return None if self.pipeline else self._resized(self.train)

    @cached_property
    def held_out_resized(self) -> Array | None:
        """The resized validation images, if they fit in memory."""
        return None if self.held_out is None else self._resized(self.held_out)

    def _resized(self, images: ImageDataset) -> Array | None:
        size = self.settings.image_size
        if len(images) * size * size * self.channels > KEEP_DECODED_BYTES:
            return None
        return images.to_array(size, self.channels, "uint8")

    @property
    def pipeline(self) -> Pipeline | None:
        """The pipeline that augments images on the fly."""
        operations = self.settings.recipe.augment
        return Pipeline(operations, self.settings.seed) if operations else None

    @property
    def truth(self) -> Array | None:
        """One-hot labels of the validation images."""
        return None if self.held_out is None else self.one_hot(self.held_out.labels)

    def one_hot(self, labels: Array) -> Array:
        """Return the labels in one-hot encoding."""
        return np.eye(len(self.train.class_names), dtype=np.float32)[labels]

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch, in a new order and with new augmentation."""
        settings = self.settings
        if self.resized is not None:
            labels = self.one_hot(self.train.labels)
            yield from shuffled(self.resized, labels, settings.batch_size, [settings.seed, epoch])
            return
        for images, labels in self.train.batches(
            settings.image_size,
            settings.batch_size,
            self.pipeline,
            channels=self.channels,
            dtype="uint8",
            shuffle=True,
            random_state=settings.seed,
            epoch=epoch,
        ):
            yield images, self.one_hot(labels)

    def validation(self, network: keras.Model) -> Callable[[], Array] | None:
        """Return the function that computes the probabilities of the validation images, if any."""
        held_out = self.held_out
        if held_out is None:
            return None
        run_batch = batch_function(network)

        def probabilities() -> Array:
            if self.held_out_resized is not None:
                return run_arrays(run_batch, self.held_out_resized)
            return run_model(run_batch, held_out, self.settings.image_size, self.channels)

        return probabilities


def shuffled(inputs: Array, labels: Array, batch_size: int, seed: list[int]) -> Iterator[Batch]:
    """Yield batches of arrays in an order drawn from a seed."""
    order = np.random.default_rng(seed).permutation(len(inputs))
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        yield inputs[chosen], labels[chosen]


def make_stages(network: keras.Model, images: TrainingImages, show: Progress) -> list[Stage]:
    """Return the stages of a training in order, not yet begun.

    Call it in the scope of the strategy that the network was created under.
    """
    recipe = images.settings.recipe
    whole = []
    if recipe.epochs:
        whole = [_whole_stage("finetune" if recipe.head_epochs else "all", network, images)]
    if not recipe.head_epochs:
        return whole
    later = sum(stage.steps * stage.epochs for stage in whole)
    return [_head_stage(network, images, show, later), *whole]


def _whole_stage(name: str, network: keras.Model, images: TrainingImages) -> Stage:
    """Return the stage that trains all layers that the recipe does not freeze."""
    recipe = images.settings.recipe
    steps = -(-len(images.train) // images.settings.batch_size)
    epochs = recipe.epochs_of(steps)
    return Stage(
        name=name,
        model=network,
        batches=images.batches,
        validate=images.validation(network),
        steps=steps,
        epochs=epochs,
        optimizer=make_optimizer(recipe, steps * epochs),
        prepare=lambda: set_trainable(network, batch_norm=recipe.batch_norm, frozen=recipe.frozen),
    )


def _head_stage(network: keras.Model, images: TrainingImages, show: Progress, later: int) -> Stage:
    """Return the stage that trains the classification head, followed by `later` further steps."""
    recipe = images.settings.recipe
    model = head(network)
    steps = -(-len(images.train) * (1 + recipe.head_copies) // HEAD_BATCH_SIZE)
    total = steps * recipe.head_epochs + later

    def show_features(done: int, of: int, what: str) -> None:
        show(0, total, f"{what}, batch {done} of {of}")

    cached = _CachedFeatures(network, images, show_features)
    return Stage(
        name="head",
        model=model,
        batches=cached.batches,
        validate=(lambda: np.asarray(model(cached.held_out))) if images.held_out else None,
        steps=steps,
        epochs=recipe.head_epochs,
        optimizer=make_optimizer(HEAD_RECIPE, steps * recipe.head_epochs),
        prepare=cached.compute,
    )


class _CachedFeatures:
    """The embeddings of all images, for which the backbone runs only once per image."""

    def __init__(self, network: keras.Model, images: TrainingImages, show: Progress) -> None:
        self._images = images
        self._show = show
        self._run_batch = batch_function(embedder(network))

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Return the batches of an epoch, in a new order."""
        features, labels = self._train
        return shuffled(features, labels, HEAD_BATCH_SIZE, [self._images.settings.seed, epoch])

    def compute(self) -> None:
        """Compute all features now."""
        _ = self.held_out, self._train

    @cached_property
    def _train(self) -> tuple[Array, Array]:
        train, copies = self._images.train, self._images.settings.recipe.head_copies
        if self._images.features is not None:
            return self._images.features.train, self._images.one_hot(train.labels)
        parts = [self._embed(train, None, 0, "features of the training images")]
        for copy in range(copies):
            what = f"features of augmented copies, {copy + 1} of {copies}"
            parts.append(self._embed(train, self._images.pipeline, copy, what))
        return np.concatenate(parts), np.tile(self._images.one_hot(train.labels), (1 + copies, 1))

    @cached_property
    def held_out(self) -> Array | None:
        """The embeddings of the validation images, if there are any."""
        images = self._images.held_out
        if images is None:
            return None
        if self._images.features is not None:
            return self._images.features.held_out
        return self._embed(images, None, 0, "features of the validation images")

    def _embed(self, images: ImageDataset, augment: Pipeline | None, copy: int, what: str) -> Array:
        return run_model(
            self._run_batch,
            images,
            self._images.settings.image_size,
            self._images.channels,
            augment=augment,
            copy=copy,
            show=self._show,
            what=what,
        )
