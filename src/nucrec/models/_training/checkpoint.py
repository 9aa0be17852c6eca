"""The training state in one file, so that an interrupted training can be resumed."""

import contextlib
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._files import make_folder, only_writer, replacing
from nucrec.errors import InvalidParameterError, ModelFileError

Array = npt.NDArray[Any]

_FILE = "training.npz"
_ARRAYS = ("network", "optimizer", "best", "start", "validation")
_DAMAGED = (
    *(OSError, EOFError, ValueError, TypeError, KeyError, AttributeError),
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, RecursionError, MemoryError),
    OverflowError,
)
"""What reading a damaged or forged snapshot may raise."""


@dataclass(frozen=True)
class Snapshot:
    """The state of a training after an epoch.

    Attributes
    ----------
    stage, epoch : int
        Number of the stage, counted from 0, and number of its finished epochs.
    stage_ended : bool
        Whether a callback ended the stage.
    rows : list of dict
        The history so far.
    best_loss : float
        The smallest validation loss so far.
    network, optimizer, best : list of ndarray
        All variables of the network (including the states of random generators) and of the
        optimizer, and the weights with the smallest validation loss.
    start : list of ndarray
        The weights at the beginning of the last of several stages; empty before it.
    validation : list of ndarray
        The probabilities of the validation images after each epoch.
    trial : tuple of (int, float, float, float, float), or None
        What a trial of the last of several stages came to.
    """

    stage: int
    epoch: int
    stage_ended: bool
    rows: list[dict[str, Any]]
    best_loss: float
    network: list[Array]
    optimizer: list[Array]
    best: list[Array]
    start: list[Array]
    validation: list[Array]
    trial: tuple[int, float, float, float, float] | None


class Checkpoint:
    """The folder that holds the latest snapshot of one training.

    Parameters
    ----------
    folder : Path
        The folder, created if necessary.
    key : str
        A hash of everything the training depends on: a snapshot of another training is refused.
    """

    def __init__(self, folder: Path, key: str) -> None:
        make_folder(folder)
        self._path = folder / _FILE
        self._key = key

    def held(self) -> contextlib.AbstractContextManager[None]:
        """Lock the folder, so that no other training writes to it."""
        return only_writer(self._path.parent)

    def read(self) -> Snapshot | None:
        """Return the latest snapshot, or None if there is none.

        Raises
        ------
        InvalidParameterError
            The snapshot belongs to another training.
        ModelFileError
            The snapshot cannot be read.
        """
        if not self._path.exists():
            return None
        with (
            self._readable(),
            self._path.open("rb") as file,
            np.load(file, allow_pickle=False) as content,
        ):
            about = json.loads(content["about"].tobytes())
            arrays = {
                name: [content[f"{name}{i}"] for i in range(about["counts"][name])]
                for name in _ARRAYS
            }
            key, stage, epoch, ended, rows, loss = (
                about[name]
                for name in ("key", "stage", "epoch", "stage_ended", "rows", "best_loss")
            )
            trial = _trial(about["trial"])
        if key != self._key:
            raise InvalidParameterError(
                f"checkpoint_dir: {self._path.parent} holds the checkpoint of a training with other "
                "parameters, images or versions. Choose another folder, or delete it to start again."
            )
        loss = np.inf if loss is None else loss
        return Snapshot(stage, epoch, ended, rows, loss, **arrays, trial=trial)

    def check_history(self, snapshot: Snapshot, stages: Sequence[tuple[str, int]]) -> None:
        """Raise unless a snapshot's history belongs to a training with these stages.

        Parameters
        ----------
        snapshot : Snapshot
            A snapshot from `read`.
        stages : sequence of (str, int)
            The name and number of epochs of each stage.

        Raises
        ------
        ModelFileError
            The history has other epochs, or a value is not a number.
        """
        with self._readable():
            if _epochs_done(snapshot, stages) != _epochs_told(snapshot.rows):
                raise ValueError("its epochs are not those of the training")
            if not all(isinstance(number, float) for number in _numbers(snapshot)):
                raise ValueError("its history is not all of numbers")

    def check_arrays(self, found: Sequence[Array], like: Sequence[Any]) -> None:
        """Raise unless the arrays of a snapshot are numeric and have the expected shapes.

        Raises
        ------
        ModelFileError
            An array is not numeric, or has another shape.
        """
        with self._readable():
            if [array.shape for array in found] != [tuple(other.shape) for other in like]:
                raise ValueError("its arrays are not those of the training")
            if any(array.dtype.kind not in "fiu" for array in found):
                raise ValueError("its arrays are not all of numbers")

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        """Convert any exception of a damaged or forged snapshot to an error that says what to do."""
        try:
            yield
        except _DAMAGED as error:
            raise ModelFileError(
                f"the checkpoint {self._path} cannot be read ({error}): delete it to start again"
            ) from error

    def write(self, snapshot: Snapshot) -> None:
        """Replace the latest snapshot, completely or not at all."""
        loss = snapshot.best_loss
        about = {
            "key": self._key,
            "stage": snapshot.stage,
            "epoch": snapshot.epoch,
            "stage_ended": snapshot.stage_ended,
            "rows": snapshot.rows,
            "best_loss": loss if np.isfinite(loss) else None,
            "trial": snapshot.trial,
            "counts": {name: len(getattr(snapshot, name)) for name in _ARRAYS},
        }
        arrays = {
            f"{name}{i}": array
            for name in _ARRAYS
            for i, array in enumerate(getattr(snapshot, name))
        }
        text = np.frombuffer(json.dumps(about).encode(), np.uint8)
        with replacing(self._path) as temporary, temporary.open("xb") as file:
            np.savez(file, about=text, **arrays)


def _trial(stored: Any) -> tuple[int, float, float, float, float] | None:
    if stored is None:
        return None
    n, *values = stored
    before, after, accuracy_before, accuracy_after = map(float, values)
    return int(n), before, after, accuracy_before, accuracy_after


def _epochs_done(
    snapshot: Snapshot, stages: Sequence[tuple[str, int]]
) -> list[tuple[str, int]] | None:
    """Return the number of epochs before a snapshot's position; None if there is no such position."""
    stage, epoch = snapshot.stage, snapshot.epoch
    if stage not in range(len(stages)) or epoch not in range(1, stages[stage][1] + 1):
        return None
    parts = [*stages[:stage], (stages[stage][0], epoch)]
    return [(name, k + 1) for name, epochs in parts for k in range(epochs)]


def _epochs_told(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    return [(row["stage"], row["epoch"]) for row in rows]


def _numbers(snapshot: Snapshot) -> list[Any]:
    """Return all numeric values in a snapshot's history."""
    names = [name for name in snapshot.rows[0] if name not in ("stage", "epoch")]
    return [snapshot.best_loss, *(row[name] for row in snapshot.rows for name in names)]
