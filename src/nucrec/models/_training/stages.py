"""From images and a recipe to the stages of a training."""

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
from nucrec.models._networks.inference import Predict, predictor, run_arrays, run_model
from nucrec.models._training.loop import Batch, Stage, make_optimizer
from nucrec.models._training.recipes import HEAD_BATCH_SIZE, HEAD_RECIPE
from nucrec.models._training.settings import Settings

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Material:
    """What a training works with.

    Attributes
    ----------
    network : keras.Model
        What is trained.
    train, held_out : ImageDataset
        What it is trained on, and evaluated on after each epoch, if at all.
    settings : Settings
        The recipe, the size of the images, and the seed.
    channels, batch_size : int
        Of the images and the steps.
    """

    network: keras.Model
    train: ImageDataset
    held_out: ImageDataset | None
    settings: Settings
    channels: int
    batch_size: int

    @cached_property
    def predict(self) -> Predict:
        """What runs the network on a batch."""
        return predictor(self.network)

    @cached_property
    def resized(self) -> Array | None:
        """The training images, if they never change and there is room to keep them."""
        return None if self.pipeline else self._resized(self.train)

    @cached_property
    def held_out_resized(self) -> Array | None:
        """The validation images, if there is room to keep them."""
        return None if self.held_out is None else self._resized(self.held_out)

    def _resized(self, images: ImageDataset) -> Array | None:
        size = self.settings.image_size
        if len(images) * size * size * self.channels > KEEP_DECODED_BYTES:
            return None
        return images.to_array(size, self.channels, "uint8")

    @property
    def pipeline(self) -> Pipeline | None:
        """What changes images on the fly."""
        operations = self.settings.recipe.augment
        return Pipeline(operations, self.settings.seed) if operations else None

    @property
    def truth(self) -> Array | None:
        """One-hot labels of the validation images."""
        return None if self.held_out is None else self.one_hot(self.held_out.labels)

    def one_hot(self, labels: Array) -> Array:
        """Return the labels as rows of zeros and a one."""
        return np.eye(len(self.train.class_names), dtype=np.float32)[labels]

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch: in an order of its own, with changes of its own."""
        if self.resized is not None:
            yield from shuffled(
                self.resized,
                self.one_hot(self.train.labels),
                self.batch_size,
                [self.settings.seed, epoch],
            )
            return
        for images, labels in self.train.batches(
            self.settings.image_size,
            self.batch_size,
            self.pipeline,
            channels=self.channels,
            dtype="uint8",
            shuffle=True,
            random_state=self.settings.seed,
            epoch=epoch,
        ):
            yield images, self.one_hot(labels)

    @property
    def validate(self) -> Callable[[], Array] | None:
        """What returns the probabilities of the validation images, if there are any."""
        held_out = self.held_out
        if held_out is None:
            return None

        def probabilities() -> Array:
            if self.held_out_resized is not None:
                return run_arrays(self.predict, self.held_out_resized)
            return run_model(self.predict, held_out, self.settings.image_size, self.channels)

        return probabilities


def shuffled(inputs: Array, labels: Array, batch_size: int, seed: list[int]) -> Iterator[Batch]:
    """Yield batches of arrays in an order drawn from a seed."""
    order = np.random.default_rng(seed).permutation(len(inputs))
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        yield inputs[chosen], labels[chosen]


def make_stages(material: Material, show: Progress) -> list[Stage]:
    """Return the stages of a training, in order; none has begun.

    Call it in the scope of the strategy that the network was made under.
    """
    recipe = material.settings.recipe
    whole = []
    if recipe.epochs:
        whole = [_whole_stage(material, "finetune" if recipe.head_epochs else "all")]
    if not recipe.head_epochs:
        return whole
    later = sum(stage.steps * stage.epochs for stage in whole)
    return [_head_stage(material, show, later), *whole]


def _whole_stage(material: Material, name: str) -> Stage:
    recipe = material.settings.recipe
    steps = -(-len(material.train) // material.batch_size)
    return Stage(
        name=name,
        model=material.network,
        batches=material.batches,
        validate=material.validate,
        steps=steps,
        epochs=recipe.epochs,
        optimizer=make_optimizer(recipe, steps * recipe.epochs),
        prepare=lambda: set_trainable(
            material.network, batch_norm=recipe.batch_norm, frozen=recipe.frozen
        ),
    )


def _head_stage(material: Material, show: Progress, later: int) -> Stage:
    """Return the stage before so many `later` steps."""
    recipe = material.settings.recipe
    model = head(material.network)
    steps = -(-len(material.train) * (1 + recipe.head_copies) // HEAD_BATCH_SIZE)
    total = steps * recipe.head_epochs + later

    def show_features(done: int, of: int, what: str) -> None:
        show(0, total, f"{what}, batch {done} of {of}")

    cached = _CachedFeatures(material, show_features)
    return Stage(
        name="head",
        model=model,
        batches=cached.batches,
        validate=(lambda: np.asarray(model(cached.held_out))) if material.held_out else None,
        steps=steps,
        epochs=recipe.head_epochs,
        optimizer=make_optimizer(HEAD_RECIPE, steps * recipe.head_epochs),
        prepare=cached.compute,
    )


class _CachedFeatures:
    """The embeddings of all images: the backbone runs once for each, not once in each epoch."""

    def __init__(self, material: Material, show: Progress) -> None:
        self._material = material
        self._show = show
        self._predict = predictor(embedder(material.network))

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Return the batches of an epoch, in an order of its own."""
        features, labels = self._train
        return shuffled(features, labels, HEAD_BATCH_SIZE, [self._material.settings.seed, epoch])

    def compute(self) -> None:
        """Compute all features now."""
        _ = self.held_out, self._train

    @cached_property
    def _train(self) -> tuple[Array, Array]:
        train, copies = self._material.train, self._material.settings.recipe.head_copies
        parts = [self._embed(train, None, 0, "features of the training images")]
        for copy in range(copies):
            what = f"features of changed copies, {copy + 1} of {copies}"
            parts.append(self._embed(train, self._material.pipeline, copy, what))
        return np.concatenate(parts), np.tile(self._material.one_hot(train.labels), (1 + copies, 1))

    @cached_property
    def held_out(self) -> Array | None:
        """The embeddings of the validation images, if there are any."""
        images = self._material.held_out
        if images is None:
            return None
        return self._embed(images, None, 0, "features of the validation images")

    def _embed(self, images: ImageDataset, augment: Pipeline | None, copy: int, what: str) -> Array:
        size, channels = self._material.settings.image_size, self._material.channels
        return run_model(
            self._predict,
            images,
            size,
            channels,
            augment=augment,
            copy=copy,
            show=self._show,
            what=what,
        )
