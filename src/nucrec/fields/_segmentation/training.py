"""Fitting of the network to tiles that are drawn anew for each step."""

import contextlib
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nucrec._files import replacing
from nucrec._keras import leaving_no_graph
from nucrec._progress import Progress
from nucrec.errors import ModelFileError
from nucrec.fields._segmentation.network import CLASSES
from nucrec.fields._segmentation.sampling import Sample, draw_batch
from nucrec.fields._segmentation.tiles import MICRONUCLEUS, NUCLEUS

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[Any]

_CLASS_WEIGHTS = (1.0, 1.0, 3.0, 4.0)  # weights of background, nucleus, border and micronucleus
_SOFTEN = 50.0  # in pixels: a tile without a class is not penalised
_DECAY = 1e-3
_AVERAGE = 0.995  # moving average of the weights over steps, which is kept at the end
_CLIP = 5.0
_AHEAD = 3  # number of batches drawn while a step runs


@dataclass(frozen=True)
class Plan:
    """The plan of a training.

    Attributes
    ----------
    steps : int
        Number of batches.
    batch_size : int
        Number of tiles per batch.
    learning_rate : float
        Peak learning rate; it rises over the first tenth of the steps and then decays along a
        cosine.
    seed : int
        Seed of the batches.
    checkpoint : Path or None
        File for the training state, written from time to time, from which an interrupted training
        resumes.
    every : int
        Number of steps between two checkpoints.
    """

    steps: int
    batch_size: int
    learning_rate: float
    seed: int
    checkpoint: Path | None = None
    every: int = 25


def train(
    network: "keras.Model",
    samples: Sequence[Sample],
    weights: Array,
    plan: Plan,
    progress: Progress,
) -> list[float]:
    """Fit the network in place, and return the loss of each step."""
    optimizer = _optimizer(plan)
    optimizer.build(network.trainable_variables)
    step = _step(network, optimizer)
    variables = [*network.variables, *optimizer.variables]
    losses = _restored(plan.checkpoint, variables, plan)
    with contextlib.closing(_batches(samples, weights, plan, len(losses))) as batches:
        for inputs, classes in batches:
            losses.append(float(step(inputs, classes)))
            progress(len(losses), plan.steps, f"step {len(losses)}, loss {losses[-1]:.3f}")
            if plan.checkpoint and len(losses) % plan.every == 0:
                _keep(plan.checkpoint, variables, losses, plan)
    optimizer.finalize_variable_values(network.trainable_variables)
    return losses


def _optimizer(plan: Plan) -> Any:
    import keras

    warm = max(1, plan.steps // 10)
    rate = keras.optimizers.schedules.CosineDecay(
        plan.learning_rate / 20,
        max(1, plan.steps - warm),
        alpha=0.01,
        warmup_target=plan.learning_rate,
        warmup_steps=warm,
    )
    return leaving_no_graph(
        keras.optimizers.AdamW(
            rate, weight_decay=_DECAY, use_ema=True, ema_momentum=_AVERAGE, global_clipnorm=_CLIP
        )
    )


def _step(network: "keras.Model", optimizer: Any) -> Callable[[Array, Array], Any]:
    import tensorflow as tf

    def step(inputs: Any, classes: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = segmentation_loss(classes, network(inputs, training=True))
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply(gradients, network.trainable_variables)
        return loss

    compiled = tf.function(step)
    return lambda inputs, classes: compiled(tf.constant(inputs), tf.constant(classes))


def segmentation_loss(classes: Any, logits: Any) -> Any:
    """Return the sum of the weighted cross-entropy and the soft Dice losses of nuclei and micronuclei.

    The soft Dice loss is that of F. Milletari, N. Navab and S.-A. Ahmadi, 3DV 2016, pp. 565-571.

    Parameters
    ----------
    classes : tensor of shape (n, h, w)
        The classes of the pixels, as integers.
    logits : tensor of shape (n, h, w, 4)
        The output of the network.
    """
    import tensorflow as tf

    truth = tf.one_hot(tf.cast(classes, tf.int32), CLASSES)
    log = tf.nn.log_softmax(logits)
    loss = -tf.reduce_mean(tf.reduce_sum(truth * log * tf.constant(_CLASS_WEIGHTS), -1))
    for each in (NUCLEUS, MICRONUCLEUS):
        found, wanted = tf.exp(log[..., each]), truth[..., each]
        both = 2 * tf.reduce_sum(found * wanted) + _SOFTEN
        loss += 1 - both / (tf.reduce_sum(found) + tf.reduce_sum(wanted) + _SOFTEN)
    return loss


def _batches(
    samples: Sequence[Sample], weights: Array, plan: Plan, start: int
) -> Generator[tuple[Array, Array], None, None]:
    """Yield the batches from step `start`; each depends only on the seed and its number."""

    def draw(step: int) -> tuple[Array, Array]:
        rng = np.random.default_rng([plan.seed, step])
        return draw_batch(samples, weights, plan.batch_size, rng)

    with ThreadPoolExecutor(2) as pool:
        waiting: list[Future[tuple[Array, Array]]] = []
        try:
            for step in range(start, plan.steps):
                waiting.append(pool.submit(draw, step))
                if len(waiting) > _AHEAD:
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
        finally:
            for each in waiting:
                each.cancel()


def _keep(path: Path, variables: Sequence[Any], losses: Sequence[float], plan: Plan) -> None:
    arrays: dict[str, Any] = {f"v{i}": np.asarray(variable) for i, variable in enumerate(variables)}
    about = np.array([plan.steps, plan.batch_size, plan.learning_rate, plan.seed], float)
    with replacing(path) as temporary, temporary.open("xb") as file:
        np.savez(file, losses=np.asarray(losses), plan=about, **arrays)


def _restored(path: Path | None, variables: Sequence[Any], plan: Plan) -> list[float]:
    """Restore variables from a checkpoint, and return its losses; none if there is no file."""
    if path is None or not path.exists():
        return []
    about = [plan.steps, plan.batch_size, plan.learning_rate, plan.seed]
    with np.load(path, allow_pickle=False) as content:
        if content["plan"].tolist() != about or f"v{len(variables)}" in content:
            raise ModelFileError(f"{path} is the checkpoint of another training. Delete it first.")
        for i, variable in enumerate(variables):
            variable.assign(content[f"v{i}"])
        return [float(loss) for loss in content["losses"]]
