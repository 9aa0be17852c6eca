"""From validated settings and labelled images to a trained network."""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from sklearn.utils.class_weight import compute_class_weight

from nucrec._keras import keras_defaults, layer_seeds
from nucrec._paths import checked_path
from nucrec._progress import silent
from nucrec._validation import check_choice, check_real, invalid
from nucrec.datasets import ImageDataset
from nucrec.models._backbones import digest
from nucrec.models._history import History
from nucrec.models._networks.build import build_network, on_one_device
from nucrec.models._networks.replicas import check_same, has_workers, is_chief
from nucrec.models._training.callbacks import CallbackRunner
from nucrec.models._training.checkpoint import Checkpoint
from nucrec.models._training.features import Features
from nucrec.models._training.guard import Guard
from nucrec.models._training.loop import TrainingLoop
from nucrec.models._training.settings import Settings
from nucrec.models._training.stages import TrainingImages, make_stages
from nucrec.models._weights import Backbone, load_weights

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class TrainedNetwork:
    """The result of a training.

    Attributes
    ----------
    network : keras.Model
        The network from images with values from 0 to 255 to probabilities, on one device.
    history : History
        The metrics of each epoch.
    validation : ndarray of float32, shape (n_epochs, n_validation, n_classes)
        The probabilities of the validation images after each epoch.
    fingerprint : str
        The fingerprint of the training images.
    interrupted : bool
        Whether the user interrupted the training.
    undone : str or None
        Why the fine-tuning was undone, if it was.
    """

    network: keras.Model
    history: History
    validation: Array
    fingerprint: str
    interrupted: bool
    undone: str | None


@keras_defaults()
def train_network(
    settings: Settings,
    train: ImageDataset,
    held_out: ImageDataset | None,
    classes: Array,
    checkpoint_dir: str | os.PathLike[str] | None,
    features: Features | None = None,
) -> TrainedNetwork:
    """Train a network.

    Parameters
    ----------
    settings : Settings
        The validated settings.
    train, held_out : ImageDataset
        The training set, and the validation set, if any.
    classes : ndarray of shape (n_classes,)
        The values that the labels of the images stand for.
    checkpoint_dir : path or None
        Folder for the training state after each epoch.
    features : Features, optional
        What the frozen backbone makes of the images. Its own weights are then not needed, and the
        trained network has random ones below the embedding.
    """
    weights = class_weights(settings.class_weight, train.labels, classes)
    fingerprint = train.fingerprint
    data = fingerprint, held_out.fingerprint if held_out else None
    strategy = settings.strategy or tf.distribute.get_strategy()
    if has_workers(strategy):
        if not settings.is_seeded:
            raise invalid("random_state", "a seed, the same for each worker", None)
        check_same(strategy, settings.key(*data))
    chief = is_chief(strategy)
    show = settings.show if chief else silent
    images = TrainingImages(train, held_out, settings, features)
    begun = settings if features is None else replace(settings, weights=None)
    with strategy.scope():
        network, own = new_network(begun, images.channels, len(train.class_names))
        stages = make_stages(network, images, show)
    guard = Guard(network, images, weights)
    checkpoint = None
    if checkpoint_dir is not None:
        key = settings.key(*data, own)
        checkpoint = Checkpoint(checked_path("checkpoint_dir", checkpoint_dir), key)
    loop = TrainingLoop(
        network,
        images.truth,
        weights,
        settings.early_stopping,
        checkpoint,
        CallbackRunner(settings.callbacks, network),
        show,
        guard.try_out,
        chief,
    )
    with checkpoint.held() if checkpoint and chief else contextlib.nullcontext():
        loop.run(stages)
    undone = guard.undo_what_harms(loop.start, loop.trial)
    return TrainedNetwork(
        network if settings.strategy is None else on_one_device(network),
        History.of_rows(loop.rows),
        np.array(loop.validation),
        fingerprint,
        loop.interrupted,
        undone,
    )


def class_weights(
    given: Mapping[Any, float] | Literal["balanced"] | None, labels: Array, classes: Array
) -> dict[int, float] | None:
    """Return the weight of each label in the loss, for the value of `class_weight`."""
    if given is None:
        return None
    names = classes.tolist()
    if isinstance(given, Mapping):
        if not set(given) <= set(names):
            raise invalid("class_weight", f"weights of the classes {names}", given)
        for value in given.values():
            check_real("class_weight", value, low=0, high=1e6)
        return {k: float(given.get(name, 1.0)) for k, name in enumerate(names)}
    check_choice("class_weight", given, ("balanced",))
    occurring = np.unique(labels)
    found = compute_class_weight("balanced", classes=occurring, y=labels)
    return dict.fromkeys(range(len(names)), 1.0) | dict(
        zip(occurring.tolist(), found.tolist(), strict=True)
    )


def new_network(
    settings: Settings, channels: int, n_classes: int
) -> tuple[keras.Model, str | None]:
    """Return the initial network, and a key that distinguishes the user's own backbone from others."""
    with layer_seeds(settings.seed):
        network, inner = build_network(
            settings.backbone,
            image_size=settings.image_size,
            channels=channels,
            n_classes=n_classes,
            standardise=settings.recipe.standardise,
            dropout=settings.recipe.dropout,
            precision=settings.precision,
        )
    if isinstance(settings.backbone, Backbone):
        load_weights(inner, settings.backbone, settings.weights)
    is_own = settings.backbone is not None and not isinstance(settings.backbone, Backbone)
    return network, digest(inner) if is_own else None
