"""The work of one worker on one shard of a folder."""

import dataclasses
import functools
import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec._files import replacing
from nucrec._progress import Progress, silent
from nucrec.datasets import ImageDataset, ImageFiles, Quarantined
from nucrec.errors import DatasetError, NucrecError
from nucrec.models._folders.prediction import FolderClassifier
from nucrec.models._folders.table import TableForm
from nucrec.models._persistence import load

_SAME_PATH = "All workers must see the folder under the same path."
_opening = threading.Lock()


@dataclass(frozen=True)
class Job:
    """The properties that all shards share; sent to the workers."""

    path: Path
    out: Path
    model: str
    model_sha256: str
    channel: int | str | None
    class_names: tuple[str, ...]
    error_rate: float | None
    with_domain: bool

    @property
    def form(self) -> TableForm:
        """The form of all tables."""
        return TableForm(self.class_names, self.error_rate is not None, self.with_domain)


class Shard(NamedTuple):
    """Some files of the folder. The first shard also reports files that were left out of the list."""

    number: int
    files: list[str]
    problems: list[Quarantined]

    @property
    def name(self) -> str:
        """The file name of its table."""
        return f"part-{self.number:05d}.csv"


def predict_shard(job: Job, shard: Shard, show: Progress = silent) -> None:
    """Write the table of a shard, unless it exists because a worker died just after writing it."""
    table = job.out / shard.name
    if table.exists():
        return
    classifier = _open_classifier(job)
    files = _find_files(job, shard)
    with replacing(table) as temporary:
        job.form.write(temporary, classifier.predict(files, shard.problems, show))
        _find_files(
            job, shard
        )  # otherwise, an unmounted drive would become a table of missing files


def _find_files(job: Job, shard: Shard) -> ImageFiles:
    """Return the files of the shard, if the folder holds any of them."""
    files = ImageFiles(job.path, shard.files, channel=job.channel)
    if not any(map(files.stamp, files.names)):
        raise DatasetError(f"{job.path} holds other files here. {_SAME_PATH}")
    return files


def _open_classifier(job: Job) -> FolderClassifier:
    """Return the model of the job, opened by the first thread that needs it."""
    with _opening:
        return _opened_classifier(job)


@functools.lru_cache(maxsize=1)
def _opened_classifier(job: Job) -> FolderClassifier:
    copy = job.out / job.model
    if not copy.is_file() or sha256_of(copy) != job.model_sha256:
        raise NucrecError(
            f"{copy} does not exist, or has changed since it was written. {_SAME_PATH}"
        )
    classifier = FolderClassifier.of(load(copy), job.class_names, job.error_rate)
    return dataclasses.replace(classifier, model=_InTurn(classifier.model))


class _InTurn:
    """A model that only one thread uses at a time."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._lock = threading.Lock()

    def predict_proba(self, images: ImageDataset) -> npt.NDArray[Any]:
        """Return the probabilities of the model."""
        with self._lock:
            return np.asarray(self._model.predict_proba(images))


def sha256_of(path: Path) -> str:
    """Return the hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
