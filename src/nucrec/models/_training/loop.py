"""The training loop: stages, epochs, history, best weights, checkpoints, interruption."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, field
from functools import partial
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from nucrec._keras import leaving_no_graph
from nucrec._progress import Progress
from nucrec._quiet import no_retracing_warnings
from nucrec._threads import ahead
from nucrec.models._training.callbacks import CallbackRunner
from nucrec.models._training.checkpoint import Checkpoint, Snapshot
from nucrec.models._training.metrics import EpochMetrics
from nucrec.models._training.recipes import Recipe
from nucrec.models._training.step import TrainingStep

Array = npt.NDArray[Any]
Batch = tuple[Array, Array]
Row = dict[str, Any]


@dataclass(frozen=True)
class Stage:
    """A part of the training with its own optimizer.

    Attributes
    ----------
    name : str
        "head", "finetune" or "all".
    model : keras.Model
        The model to train: the network, or its last layers.
    batches : callable
        Returns the batches of (inputs, one-hot labels) of an epoch, given its number.
    validate : callable or None
        Returns the probabilities of the validation images.
    steps : int
        Number of batches per epoch.
    epochs : int
        Number of epochs.
    optimizer : keras.optimizers.Optimizer
        The optimizer, not yet used.
    prepare : callable
        Freezes the layers that must not be trained; called before the stage begins.
    """

    name: str
    model: keras.Model
    batches: Callable[[int], Iterator[Batch]]
    validate: Callable[[], Array] | None
    steps: int
    epochs: int
    optimizer: keras.optimizers.Optimizer
    prepare: Callable[[], None]


@dataclass(frozen=True)
class Trial:
    """What a trial of the last stage came to, on images that were kept back from it.

    Attributes
    ----------
    n : int
        Number of images that were kept back.
    loss_before, loss_after : float
        The loss on them at the beginning and at the end of the stage.
    accuracy_before, accuracy_after : float
        The share of them that is classified correctly.
    """

    n: int
    loss_before: float
    loss_after: float
    accuracy_before: float
    accuracy_after: float

    @property
    def is_better(self) -> bool:
        """Whether the loss is smaller at the end of the stage, and the accuracy no lower."""
        return self.loss_after < self.loss_before and self.accuracy_after >= self.accuracy_before


def no_trial(show: Callable[[str], None]) -> Trial | None:  # noqa: ARG001 - one of its kind
    """Try nothing out."""
    return None


@dataclass
class TrainingLoop:
    """Train a network in stages, and keep the state needed to stop, resume and report.

    Attributes
    ----------
    network : keras.Model
        The network to train.
    truth : ndarray of shape (n, n_classes), or None
        One-hot labels of the validation images.
    class_weight : dict of int to float, or None
        Weight of each class in the loss.
    patience : int or None
        Number of epochs of the last stage without an improvement in the validation loss after which
        the stage ends.
    checkpoint : Checkpoint or None
        The checkpoint to write after each epoch.
    callbacks : CallbackRunner
        The user's own callbacks, for the last stage.
    show : Progress
        Called after each batch.
    try_out : callable
        Tries the last of several stages out before it begins, leaves the network as it is, and
        returns a `Trial` or None. It gets a function that shows what it is doing.
    is_chief : bool
        Whether this process writes the checkpoints, rather than another worker.
    rows : list of dict
        One row of the history per epoch.
    validation : list of ndarray of shape (n, n_classes)
        The probabilities of the validation images after each epoch.
    interrupted : bool
        Whether the user interrupted the training.
    trial : Trial or None
        What the trial came to.
    start : list of ndarray, or None
        The weights at the beginning of the last of several stages, if it has begun.
    """

    network: keras.Model
    truth: Array | None
    class_weight: dict[int, float] | None
    patience: int | None
    checkpoint: Checkpoint | None
    callbacks: CallbackRunner
    show: Progress
    try_out: Callable[[Callable[[str], None]], Trial | None] = no_trial
    is_chief: bool = True
    rows: list[Row] = field(default_factory=list)
    validation: list[Array] = field(default_factory=list)
    interrupted: bool = False
    trial: Trial | None = None
    start: list[Array] | None = None
    _best: list[Array] | None = None
    _best_loss: float = np.inf
    _metrics: EpochMetrics | None = None

    def run(self, stages: Sequence[Stage]) -> None:
        """Run the stages, resuming from the checkpoint if there is one.

        Raises
        ------
        KeyboardInterrupt
            The training was interrupted before the end of the first epoch, so there is nothing to
            keep.
        """
        snapshot = self.checkpoint.read() if self.checkpoint else None
        first, begun = 0, None
        if self.checkpoint and snapshot:
            self._restore(self.checkpoint, snapshot, stages)
            first = snapshot.stage + snapshot.stage_ended
            begun = None if snapshot.stage_ended else snapshot.stage
        try:
            with no_retracing_warnings():
                for number in range(first, len(stages)):
                    self._run_stage(number, stages, snapshot if number == begun else None)
        except KeyboardInterrupt:
            if not self.rows:
                raise
            self.interrupted = True
            del self.validation[len(self.rows) :]  # of an unfinished epoch
        if self._best is not None and (self.interrupted or self.patience is not None):
            self.network.set_weights(self._best)

    def _run_stage(self, number: int, stages: Sequence[Stage], snapshot: Snapshot | None) -> None:
        stage = stages[number]
        stage.prepare()
        step = TrainingStep(stage.model, stage.optimizer, self.class_weight)
        first = 0
        if self.checkpoint and snapshot:
            first = snapshot.epoch
            self.checkpoint.check_arrays(snapshot.optimizer, stage.optimizer.variables)
            for variable, value in zip(stage.optimizer.variables, snapshot.optimizer, strict=True):
                variable.assign(value)
        is_last = number == len(stages) - 1
        before = sum(earlier.epochs * earlier.steps for earlier in stages[:number])
        total = sum(each.epochs * each.steps for each in stages)
        if is_last and number and not first:
            self.trial = self.try_out(partial(self.show, before, total))
            self.start = self.network.get_weights()
        callbacks = self.callbacks if is_last else CallbackRunner((), self.network)
        callbacks.begin(stage.optimizer, epochs=stage.epochs, steps=stage.steps)
        for epoch in range(first, stage.epochs):
            if is_last and self._out_of_patience(stage):
                break
            done = before + epoch * stage.steps
            self.rows.append(self._one_epoch(stage, step, callbacks, epoch, done, total))
            self._keep_best(anew=is_last and epoch == 0)
            is_enough = callbacks.end_epoch(epoch, self._logs())
            if self.checkpoint and self.is_chief:
                self.checkpoint.write(self._snapshot(number, epoch + 1, stage, ended=is_enough))
            if is_enough:
                break
        callbacks.end(self._logs())

    def _one_epoch(
        self,
        stage: Stage,
        step: TrainingStep,
        callbacks: CallbackRunner,
        epoch: int,
        done: int,
        total: int,
    ) -> Row:
        """Train for one epoch, preceded by `done` of the `total` steps."""
        label = self._label(stage, epoch)
        step.start_epoch()
        callbacks.begin_epoch(epoch)
        for number, batch in enumerate(ahead(stage.batches(epoch))):
            callbacks.begin_batch(number)
            step.run(*batch)
            self.show(done + number + 1, total, label)
            if callbacks.end_batch(number, step.metrics):
                break
        row: Row = {"stage": stage.name, "epoch": epoch + 1}
        row |= {name: float(value) for name, value in step.end_epoch().items()}
        if stage.validate is not None and self.truth is not None:
            probabilities = stage.validate()
            found = self._evaluate(self.truth, probabilities)
            row |= {f"val_{name}": value for name, value in found.items()}
            self.validation.append(probabilities)
        return row

    def _evaluate(self, truth: Array, probabilities: Array) -> dict[str, float]:
        if self._metrics is None:
            self._metrics = EpochMetrics(truth.shape[1])
        return self._metrics.evaluate(truth, probabilities)

    def _logs(self) -> dict[str, float]:
        """Return the metrics of the last epoch, if there was one."""
        last = self.rows[-1] if self.rows else {}
        return {name: value for name, value in last.items() if name not in ("stage", "epoch")}

    def _label(self, stage: Stage, epoch: int) -> str:
        text = f"{stage.name}, epoch {epoch + 1} of {stage.epochs}"
        if not self.rows or self.rows[-1]["stage"] != stage.name:
            return text  # nothing is known of this stage yet
        last = self.rows[-1]
        text += f": training accuracy {last['accuracy']:.2f}"
        return text + (f", validation {last['val_accuracy']:.2f}" if "val_accuracy" in last else "")

    def _keep_best(self, *, anew: bool) -> None:
        """Keep the weights if their loss is the smallest so far; `anew` discards earlier ones."""
        loss = self.rows[-1].get("val_loss", np.inf)
        if anew or loss < self._best_loss:
            self._best_loss = loss
            self._best = self.network.get_weights() if np.isfinite(loss) else None

    def _out_of_patience(self, stage: Stage) -> bool:
        if self.patience is None:
            return False
        losses = [row["val_loss"] for row in self.rows if row["stage"] == stage.name]
        if not losses:
            return False
        return len(losses) - 1 - int(np.argmin(losses)) >= self.patience

    def _snapshot(self, number: int, epoch: int, stage: Stage, *, ended: bool) -> Snapshot:
        return Snapshot(
            stage=number,
            epoch=epoch,
            stage_ended=ended,
            rows=self.rows,
            best_loss=self._best_loss,
            network=[np.asarray(variable) for variable in self.network.variables],
            optimizer=[np.asarray(variable) for variable in stage.optimizer.variables],
            best=self._best or [],
            start=self.start or [],
            validation=self.validation,
            trial=None if self.trial is None else astuple(self.trial),
        )

    def _restore(self, checkpoint: Checkpoint, snapshot: Snapshot, stages: Sequence[Stage]) -> None:
        """Restore the state of a snapshot; raise if it belongs to another training."""
        checkpoint.check_history(snapshot, [(stage.name, stage.epochs) for stage in stages])
        checkpoint.check_arrays(snapshot.network, self.network.variables)
        checkpoint.check_arrays(snapshot.best, self.network.weights if snapshot.best else [])
        checkpoint.check_arrays(snapshot.start, self.network.weights if snapshot.start else [])
        validated = [] if self.truth is None else [self.truth] * len(snapshot.rows)
        checkpoint.check_arrays(snapshot.validation, validated)
        for variable, value in zip(self.network.variables, snapshot.network, strict=True):
            variable.assign(value)
        self.rows, self.validation = list(snapshot.rows), list(snapshot.validation)
        self._best, self._best_loss = snapshot.best or None, snapshot.best_loss
        self.start = snapshot.start or None
        self.trial = None if snapshot.trial is None else Trial(*snapshot.trial)


def make_optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """Return the recipe's optimizer for a number of steps."""
    highest = recipe.learning_rate * min(1.0, steps / max(recipe.unhurried_steps, 1))
    rate: Any = highest
    warm = round(recipe.warm_up * steps)
    if recipe.decays and warm:
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, max(steps - warm, 1), warmup_target=highest, warmup_steps=warm
        )
    elif recipe.decays:
        rate = keras.optimizers.schedules.CosineDecay(highest, steps)
    if recipe.weight_decay:
        return leaving_no_graph(keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay))
    return leaving_no_graph(keras.optimizers.Adam(rate))
