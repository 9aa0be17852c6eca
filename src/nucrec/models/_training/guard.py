"""The guard of fine-tuning, which must not end below the frozen features that it began with.

A short fine-tuning is tried first, without some of the training images: these tell whether it is
better than the classification head on frozen features. A long one is judged by training images.
"""

import contextlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from nucrec.datasets import ImageDataset, split
from nucrec.errors import SplitError
from nucrec.models._inputs import some_of_each_class
from nucrec.models._networks.inference import batch_function, run_model
from nucrec.models._training.callbacks import CallbackRunner
from nucrec.models._training.loop import TrainingLoop, Trial
from nucrec.models._training.settings import Settings
from nucrec.models._training.stages import TrainingImages, make_stages

Array = npt.NDArray[Any]

_KEPT_BACK = 0.2
"""Share of the training images that a trial keeps back."""
_LEAST_KEPT = 10
"""Images of each class without which a trial says too little."""
_JUDGED = 100
"""Training images of each class by which a long fine-tuning is judged."""
_NEW_COPY = 10**6
"""The number of an augmented copy that no training comes to."""


_WHAT_TO_DO = (
    "The network is its backbone as it came, with a classification head. Train for more epochs or with "
    "a lower learning rate, or choose mode='features'."
)


class Guard:
    """Compare a fine-tuned network with the classification head on the frozen features.

    Parameters
    ----------
    network : keras.Model
        The network, before its training.
    images : TrainingImages
        The images of the training.
    class_weight : dict of int to float, or None
        Weight of each class in the loss.
    """

    def __init__(
        self,
        network: keras.Model,
        images: TrainingImages,
        class_weight: dict[int, float] | None,
    ) -> None:
        self._network, self._images, self._class_weight = network, images, class_weight
        self._run_batch = batch_function(network)
        self._parts = _parts(images.train, images.settings)
        self._initial = _values(network) if self._parts else []

    def try_out(self, show: Callable[[str], None]) -> Trial | None:
        """Train without some of the images, and return what these show; None if there is no need to.

        The network is in the same state afterwards as before. `show` is told of the progress.
        """
        if self._parts is None:
            return None
        rest, kept = self._parts
        images = replace(self._images, train=rest, held_out=None)

        def tell(_: int, __: int, what: str) -> None:
            show(f"trial on {len(rest)} images: {what}")

        with _unchanged(self._network), self._network.distribute_strategy.scope():
            _assign(self._network, self._initial)
            loop = TrainingLoop(
                self._network,
                None,
                self._class_weight,
                None,
                None,
                CallbackRunner((), self._network),
                tell,
            )
            loop.run(make_stages(self._network, images, tell))
            if loop.interrupted:
                raise KeyboardInterrupt
            after = self._loss_and_accuracy(kept)
            self._network.set_weights(loop.start)
            before = self._loss_and_accuracy(kept)
        return Trial(len(kept), before[0], after[0], before[1], after[1])

    def undo_what_harms(self, start: list[Array] | None, trial: Trial | None) -> str | None:
        """Undo the fine-tuning if it does harm, and return why.

        Parameters
        ----------
        start : list of ndarray or None
            The weights before it; None if there was none.
        trial : Trial or None
            What a trial of it came to.
        """
        if start is None:
            return None
        if trial is not None and not trial.is_better:
            self._network.set_weights(start)
            return _of_trial(trial)
        reached, after = self._network.get_weights(), self._correct()
        self._network.set_weights(start)
        before = self._correct()
        if is_worse(before, after):
            return (
                f"fine-tuning lowered the accuracy on training images from {before.mean():.2f} to "
                f"{after.mean():.2f} and was undone. {_WHAT_TO_DO}"
            )
        self._network.set_weights(reached)
        return None

    def _loss_and_accuracy(self, images: ImageDataset) -> tuple[float, float]:
        """Return the mean loss that the training minimises, and the accuracy.

        They are those of the images and, with augmentation, of a copy of each, since they are few.
        """
        parts = [self._run(images)]
        if self._images.pipeline is not None:
            parts.append(self._run(images, augment=self._images.pipeline, copy=_NEW_COPY))
        probabilities = np.concatenate(parts)
        labels = np.tile(images.labels, len(parts))
        of_truth = probabilities[np.arange(len(labels)), labels]
        weights = np.array([(self._class_weight or {}).get(k, 1.0) for k in labels.tolist()])
        loss = -(weights * np.log(np.maximum(of_truth, 1e-7))).mean()
        return float(loss), float((probabilities.argmax(axis=1) == labels).mean())

    def _correct(self) -> Array:
        """Return which of some training images are classified correctly.

        With augmentation, these are copies that were not trained on, because the classification
        head fits the unchanged images better than new ones.
        """
        few = some_of_each_class(self._images.train, _JUDGED)
        probabilities = self._run(few, augment=self._images.pipeline, copy=_NEW_COPY)
        return np.asarray(probabilities.argmax(axis=1) == few.labels)

    def _run(self, images: ImageDataset, **options: Any) -> Array:
        size = self._images.settings.image_size
        return run_model(self._run_batch, images, size, self._images.channels, **options)


def _of_trial(trial: Trial) -> str:
    return (
        f"fine-tuning was undone, because a trial without {trial.n} of the training images did not "
        f"make the network better on these: loss {trial.loss_before:.2f} before and "
        f"{trial.loss_after:.2f} after, accuracy {trial.accuracy_before:.2f} and "
        f"{trial.accuracy_after:.2f}. {_WHAT_TO_DO}"
    )


def is_worse(before: Array, after: Array) -> bool:
    """Return whether significantly fewer of the same images are correct than before.

    The test is McNemar's exact test, one-sided, at 5 %.
    """
    lost = int(np.count_nonzero(before & ~after))
    changed = int(np.count_nonzero(before != after))
    return changed > 0 and bool(binomtest(lost, changed, alternative="greater").pvalue < 0.05)


def _parts(train: ImageDataset, settings: Settings) -> tuple[ImageDataset, ImageDataset] | None:
    """Return the images of a trial, and those that it keeps back, whole groups of them.

    None if the fine-tuning is long, or if too few images of a class would be kept back.
    """
    recipe = settings.recipe
    steps = -(-len(train) // settings.batch_size)
    if not recipe.epochs or recipe.epochs_of(steps) * steps >= recipe.tried_below:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `fit` has warned of the same
            rest, kept = split(train, _KEPT_BACK, random_state=settings.seed)
    except SplitError:
        return None
    counts = np.bincount(kept.labels, minlength=len(train.class_names))
    return (rest, kept) if counts.min() >= _LEAST_KEPT else None


def _values(network: keras.Model) -> list[Array]:
    """Return the values of all variables, those of random generators among them."""
    return [np.asarray(variable).copy() for variable in network.variables]


def _assign(network: keras.Model, values: list[Array]) -> None:
    for variable, value in zip(network.variables, values, strict=True):
        variable.assign(value)


@contextlib.contextmanager
def _unchanged(network: keras.Model) -> Iterator[None]:
    """Restore all variables of a network at the end of the block."""
    before = _values(network)
    try:
        yield
    finally:
        _assign(network, before)
