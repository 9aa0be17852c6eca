"""From a classifier's parameters and labelled images to a trained network."""

import contextlib
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from sklearn.utils.class_weight import compute_class_weight

from nucrec._progress import progress_function
from nucrec._validation import check_choice, check_real, invalid
from nucrec._version import __version__
from nucrec.datasets import ImageDataset
from nucrec.models._classifier import ImageClassifier
from nucrec.models._networks.build import build_network, on_one_device, repeatable
from nucrec.models._networks.replicas import check_same, has_workers, is_chief
from nucrec.models._saving.parameters import parameters_of
from nucrec.models._training.checkpoint import Checkpoint
from nucrec.models._training.loop import Training
from nucrec.models._training.settings import Settings
from nucrec.models._training.stages import Material, make_stages
from nucrec.models._weights import BACKBONES, load_weights

Array = npt.NDArray[Any]


def train_network(
    classifier: ImageClassifier,
    settings: Settings,
    train: ImageDataset,
    held_out: ImageDataset | None,
    classes: Array,
    fingerprint: str,
    checkpoint_dir: str | os.PathLike[str] | None,
) -> Training:
    """Return a training that has been run.

    Parameters
    ----------
    classifier : ImageClassifier
        Not fitted, or about to be fitted again; it is not changed.
    settings : Settings
        What its parameters come down to.
    train, held_out : ImageDataset
        What to train on, and to evaluate on after each epoch, if at all.
    classes : ndarray of shape (n_classes,)
        What the labels of the images stand for.
    fingerprint : str
        That of `train`.
    checkpoint_dir : path or None
        Folder for the state after each epoch.
    """
    weights = class_weights(classifier.class_weight, train.labels, classes)
    strategy = classifier.strategy or tf.distribute.get_strategy()
    checkpoint = None
    if has_workers(strategy):
        if classifier.random_state is None:
            raise invalid("random_state", "a seed, the same on each worker", None)
        check_same(strategy, _key(classifier, settings.seed, fingerprint, held_out))
    if checkpoint_dir is not None:
        key = _key(classifier, settings.seed, fingerprint, held_out)
        checkpoint = Checkpoint(Path(checkpoint_dir).expanduser(), key)
    chief = is_chief(strategy)
    show = progress_function(classifier.progress if chief else False)
    channels = train.channels
    with strategy.scope():
        network = _new_network(classifier, settings, channels, len(train.class_names))
        material = Material(network, train, held_out, settings, channels, classifier.batch_size)
        stages = make_stages(material, show)
    training = Training(
        network, material.truth, weights, classifier.early_stopping, checkpoint, show, chief
    )
    with checkpoint.held() if checkpoint and chief else contextlib.nullcontext():
        training.run(stages)
    if classifier.strategy is not None:
        training.network = on_one_device(network)
    return training


def class_weights(
    given: Mapping[Any, float] | Literal["balanced"] | None, labels: Array, classes: Array
) -> dict[int, float] | None:
    """Return the weight of each label in the loss, as `ImageClassifier(class_weight=)` says."""
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


def _new_network(
    classifier: ImageClassifier, settings: Settings, channels: int, n_classes: int
) -> keras.Model:
    """Return the network that training begins with."""
    with repeatable(settings.seed):
        network, inner = build_network(
            classifier.backbone,
            image_size=settings.image_size,
            channels=channels,
            n_classes=n_classes,
            standardise=settings.recipe.standardise,
            dropout=settings.recipe.dropout,
            precision=classifier.precision,
        )
    if classifier.backbone != "cnn":
        load_weights(inner, BACKBONES[classifier.backbone], classifier.weights)
    return network


def _key(
    classifier: ImageClassifier, seed: int, fingerprint: str, held_out: ImageDataset | None
) -> str:
    """Return what the result of the training depends on, as a hash."""
    parts = (
        sorted((name, repr(value)) for name, value in parameters_of(classifier).items()),
        seed,
        fingerprint,
        held_out.fingerprint if held_out is not None else None,
        __version__,
        keras.__version__,
        tf.__version__,
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()
