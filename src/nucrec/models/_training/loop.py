"""Training in stages, epoch by epoch: history, best weights, checkpoints, interruption."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from nucrec._progress import Progress
from nucrec._threads import ahead
from nucrec.models._networks.inference import no_retracing_warnings
from nucrec.models._training.checkpoint import Checkpoint, Snapshot
from nucrec.models._training.recipes import Recipe
from nucrec.models._training.step import PaperMetrics, Steps

Array = npt.NDArray[Any]
Batch = tuple[Array, Array]
Row = dict[str, Any]

_COLUMNS = {
    "acc": "ACC",
    "loss": "Loss",
    "pre": "PRE",
    "rec": "REC",
    "auc": "AUC",
    "pre_macro": "PRE-macro",
    "rec_macro": "REC-macro",
    "f1_macro": "F1-macro",
}
"""Keras's logs, and what they are called in the history."""


@dataclass(frozen=True)
class Stage:
    """Part of a training, with an optimizer of its own.

    Attributes
    ----------
    name : str
        "head", "finetune" or "all".
    model : keras.Model
        What is trained: the network, or its last layers.
    batches : callable
        From the number of an epoch to its batches of (inputs, one-hot labels).
    validate : callable or None
        Returns the probabilities of the validation images.
    steps : int
        Batches in an epoch.
    epochs : int
        How long it lasts.
    optimizer : keras.optimizers.Optimizer
        Not yet used.
    prepare : callable
        Says what may learn; called before the stage begins.
    """

    name: str
    model: keras.Model
    batches: Callable[[int], Iterator[Batch]]
    validate: Callable[[], Array] | None
    steps: int
    epochs: int
    optimizer: keras.optimizers.Optimizer
    prepare: Callable[[], None]


@dataclass
class Training:
    """Trains a network, and keeps what is needed to stop, to go on, and to tell how it went.

    Attributes
    ----------
    network : keras.Model
        What is trained.
    truth : ndarray of shape (n, n_classes), or None
        One-hot labels of the validation images.
    class_weight : dict of int to float, or None
        Weight of each class in the loss.
    patience : int or None
        Epochs of the last stage without a smaller validation loss, after which it ends.
    checkpoint : Checkpoint or None
        Where to write after each epoch.
    show : Progress
        Told of each batch.
    is_chief : bool
        Whether to write checkpoints, rather than to leave that to another worker.
    rows : list of dict
        A row of the history for each epoch.
    validation : list of ndarray of shape (n, n_classes)
        After each epoch, the probabilities of the validation images.
    interrupted : bool
        Whether the user ended it.
    """

    network: keras.Model
    truth: Array | None
    class_weight: dict[int, float] | None
    patience: int | None
    checkpoint: Checkpoint | None
    show: Progress
    is_chief: bool = True
    rows: list[Row] = field(default_factory=list)
    validation: list[Array] = field(default_factory=list)
    interrupted: bool = False
    _best: list[Array] | None = None
    _best_loss: float = np.inf
    _metrics: PaperMetrics | None = None

    def run(self, stages: Sequence[Stage]) -> None:
        """Run the stages, from where a checkpoint left off.

        Raises
        ------
        KeyboardInterrupt
            Interrupted before the first epoch was done: there is nothing to keep.
        """
        snapshot = self.checkpoint.read() if self.checkpoint else None
        if snapshot is not None:
            self._restore(snapshot)
        try:
            with no_retracing_warnings():
                for number in range(snapshot.stage if snapshot else 0, len(stages)):
                    self._run_stage(number, stages, snapshot)
                    snapshot = None
        except KeyboardInterrupt:
            if not self.rows:
                raise
            self.interrupted = True
            del self.validation[len(self.rows) :]  # of an epoch that was not finished
        if self._best is not None and (self.interrupted or self.patience is not None):
            self.network.set_weights(self._best)

    def _run_stage(self, number: int, stages: Sequence[Stage], snapshot: Snapshot | None) -> None:
        stage = stages[number]
        stage.prepare()
        steps = Steps(stage.model, stage.optimizer, self.class_weight)
        first = 0
        if snapshot is not None:
            first = snapshot.epoch
            for variable, value in zip(stage.optimizer.variables, snapshot.optimizer, strict=True):
                variable.assign(value)
        is_last = number == len(stages) - 1
        before = sum(earlier.epochs * earlier.steps for earlier in stages[:number])
        total = sum(each.epochs * each.steps for each in stages)
        for epoch in range(first, stage.epochs):
            if is_last and self._out_of_patience(stage):
                break
            done = before + epoch * stage.steps
            self.rows.append(self._one_epoch(stage, steps, epoch, done, total))
            self._keep_best(anew=is_last and epoch == 0)
            if self.checkpoint and self.is_chief:
                self.checkpoint.write(self._snapshot(number, epoch + 1, stage))

    def _one_epoch(self, stage: Stage, steps: Steps, epoch: int, done: int, total: int) -> Row:
        """Train for an epoch; `done` steps of the `total` came before it."""
        label = self._label(stage, epoch)
        steps.start_epoch()
        for inputs, labels in ahead(stage.batches(epoch)):
            steps.run(inputs, labels)
            done += 1
            self.show(done, total, label)
        row: Row = {"stage": stage.name, "epoch": epoch + 1}
        row |= {f"TR-{_COLUMNS[key]}": float(value) for key, value in steps.end_epoch().items()}
        if stage.validate is not None and self.truth is not None:
            probabilities = stage.validate()
            found = self._evaluate(self.truth, probabilities)
            row |= {f"VAL-{_COLUMNS[key]}": value for key, value in found.items()}
            self.validation.append(probabilities)
        return row

    def _evaluate(self, truth: Array, probabilities: Array) -> dict[str, float]:
        if self._metrics is None:
            self._metrics = PaperMetrics(truth.shape[1])
        return self._metrics.evaluate(truth, probabilities)

    def _label(self, stage: Stage, epoch: int) -> str:
        text = f"{stage.name}, epoch {epoch + 1} of {stage.epochs}"
        if not self.rows:
            return text
        last = self.rows[-1]
        text += f": training accuracy {last['TR-ACC']:.2f}"
        return text + (f", validation {last['VAL-ACC']:.2f}" if "VAL-ACC" in last else "")

    def _keep_best(self, *, anew: bool) -> None:
        """Keep the weights if their loss is the smallest so far; `anew` forgets earlier ones."""
        loss = self.rows[-1].get("VAL-Loss", np.inf)
        if anew or loss < self._best_loss:
            self._best_loss = loss
            self._best = self.network.get_weights() if np.isfinite(loss) else None

    def _out_of_patience(self, stage: Stage) -> bool:
        if self.patience is None:
            return False
        losses = [row["VAL-Loss"] for row in self.rows if row["stage"] == stage.name]
        if not losses:
            return False
        return len(losses) - 1 - int(np.argmin(losses)) >= self.patience

    def _snapshot(self, number: int, epoch: int, stage: Stage) -> Snapshot:
        return Snapshot(
            stage=number,
            epoch=epoch,
            rows=self.rows,
            best_loss=self._best_loss,
            network=[np.asarray(variable) for variable in self.network.variables],
            optimizer=[np.asarray(variable) for variable in stage.optimizer.variables],
            best=self._best or [],
            validation=self.validation,
        )

    def _restore(self, snapshot: Snapshot) -> None:
        for variable, value in zip(self.network.variables, snapshot.network, strict=True):
            variable.assign(value)
        self.rows, self.validation = list(snapshot.rows), list(snapshot.validation)
        self._best, self._best_loss = snapshot.best or None, snapshot.best_loss


def make_optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """Return the recipe's optimizer for so many steps."""
    rate: Any = recipe.learning_rate
    warm = round(recipe.warm_up * steps)
    if recipe.decays and warm:
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, max(steps - warm, 1), warmup_target=recipe.learning_rate, warmup_steps=warm
        )
    elif recipe.decays:
        rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps)
    if recipe.weight_decay:
        return keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay)
    return keras.optimizers.Adam(rate)
