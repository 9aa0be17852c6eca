"""Prediction of a folder in shards, each with its own table: in this process or on a Dask cluster."""

import contextlib
import functools
import hashlib
import itertools
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from nucrec._deprecation import renamed_parameter
from nucrec._endings import MODELS
from nucrec._files import make_folder, only_writer, replacing, write_text
from nucrec._paths import checked_path
from nucrec._progress import Progress, progress_function
from nucrec._validation import check_int, check_real, invalid
from nucrec._version import __version__
from nucrec.datasets import ImageFiles
from nucrec.errors import NucrecError
from nucrec.models._card import ModelCard
from nucrec.models._folders.dask import connected, each_done
from nucrec.models._folders.error_counts import ErrorCounts
from nucrec.models._folders.prediction import names_of_classes
from nucrec.models._folders.result import FolderCounts, FolderPredictions, warn_of
from nucrec.models._folders.table import DAMAGED, StoredPredictions
from nucrec.models._folders.worker import Job, Shard, predict_shard, sha256_of
from nucrec.models._saving.info import ModelInfo, model_info
from nucrec.models._saving.opened import model_file

_PLAN = "shards.json"
_FORMAT = 2  # 1: written by nucrec 0.1.0, with a column "ask"
_WITHOUT_WORKERS = 60.0  # seconds
_ENDINGS = {kind: ending for ending, kind in MODELS.items()}


def predict_shards(
    model: str | Path,
    path: str | Path,
    out: str | Path,
    *,
    scheduler: Any = None,
    shard_size: int = 10_240,
    channel: int | str | None = None,
    class_names: Sequence[str] | None = None,
    confidence: float = 0.95,
    error_rate: float | None = None,
    progress: Progress | bool = False,
    ask_below: float | None = None,
) -> FolderPredictions:
    """Predict a folder of any size in shards, on a Dask cluster or one after the other in this process.

    Each shard is written to its own table, completely or not at all. After an interruption of any kind,
    the same call resumes the work: existing tables are kept. If a worker dies, only its present shard
    is lost, and Dask assigns that to another worker.

    Parameters
    ----------
    model : str or Path
        A file written by `save` or `ImageClassifier.save`, or "pretrained" for the classifier that
        comes with nucrec. It is copied to `out`.
    path : str or Path
        A folder with images at any depth, or a zip archive of one, which is read in place. Workers must
        see it under the same path.
    out : str or Path
        The output folder: new, empty, or that of an earlier identical call. Workers must see it under
        the same path. ``part-00000.csv`` and so on have the columns of the table of `predict_folder`;
        concatenated, they hold its rows. ``shards.json`` records what they were made from.
    scheduler : str or distributed.Client, optional
        Address of a Dask scheduler, such as "tcp://10.0.0.1:8786", or one of its clients. By default
        the shards are predicted in this process, which makes a long prediction resumable.
    shard_size : int, default=10240
        Number of images per shard. With a multiple of 256, a network receives the same batches of
        images as from `predict_folder`, except for the last ones of each shard.
    channel : int or str, optional
        The channel to read from multi-channel images, as in `predict_folder`.
    class_names : sequence of str, optional
        Class names, in the order of the model's classes; by default the model's own.
        Names that mean other classes than those of their places are refused.
    confidence : float, default=0.95
        Confidence level of the intervals, strictly between 0 and 1.
    error_rate : float, optional
        As in `predict_folder`.
    progress : bool or callable, default=False
        True shows progress on standard error. A callable receives (images done, total images,
        message); images of existing shards count as done.
    ask_below : float, optional
        The former name of `error_rate`; it works in this release only.

    Returns
    -------
    FolderPredictions
        The result for all shards, including those that already existed; ``path`` is the folder.

    Raises
    ------
    DatasetNotFoundError, DatasetError
        There is nothing at `path`, or none of its files is a readable crop.
    InvalidParameterError
        A parameter is out of range, or the model is not calibrated.
    ModelFileError
        The model cannot be read.
    MissingExtraError
        A scheduler was given, and distributed is not installed.
    NucrecError
        `out` cannot be written, holds other files or is in use by another call, the scheduler does not
        answer, no worker arrived within a minute, or a shard failed. Finished tables are kept.

    Warns
    -----
    DataWarning
        Files have no prediction, or significantly more than 5 % of the images (by the lower bound of
        the interval) are unlike the training images.

    Notes
    -----
    Workers need the same version of nucrec; the scheduler does not need nucrec. Each worker loads the
    model once and uses it in one thread at a time, so start workers with ``--nthreads 1``, several per
    machine. A client that you pass may wait without limit, for example for workers that are still
    queued. When a call ends early, the shards in progress are finished and written.

    A resumed call compares the sizes and modification times of the files with those of the earlier
    call, not their contents.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> from nucrec.models import classical_zoo, predict_shards, save
    >>> crops = load_mnfinder_crops()
    >>> fitted = classical_zoo(random_state=0)["GNB"].fit(crops, crops.labels)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model = Path(folder, "gnb.skops")
    ...     save(fitted, model, class_names=crops.class_names)
    ...     plate = Path(folder, "plate")
    ...     plate.mkdir()
    ...     for i in range(3):
    ...         Image.fromarray(crops.images[i]).save(plate / f"cell {i}.png")
    ...     out = Path(folder, "tables")
    ...     found = predict_shards(model, plate, out, shard_size=2)
    ...     sorted(file.name for file in out.iterdir())
    ['model.skops', 'part-00000.csv', 'part-00001.csv', 'shards.json']
    >>> found.total.n
    3
    """
    check_real("confidence", confidence, low=0, high=1, open_ends=True)
    check_int("shard_size", shard_size, low=1)
    error_rate = renamed_parameter("ask_below", ask_below, "error_rate", error_rate)
    show = progress_function(progress)
    if not isinstance(model, str | Path):
        raise invalid("model", "the path of a saved model", model)
    file = model_file("model", model)
    info = model_info(file)
    job = _make_job(file, info, path, out, channel, class_names, error_rate)
    # a client passed by the user may wait for workers that are still queued
    patience = _WITHOUT_WORKERS if isinstance(scheduler, str) else None
    with connected(scheduler) as client:
        files = ImageFiles(path, channel=channel)
        shards = list(_cut(files, shard_size))
        make_folder(job.out)
        with only_writer(job.out):
            _prepare(job, file, _plan(job, files, shard_size))
            there = {entry.name for entry in job.out.iterdir()}
            missing = [shard for shard in shards if shard.name not in there]
            _predict_missing(client, patience, job, missing, len(files), show)
            counts = _count(job, shards)
            for left in job.out.glob(".*.tmp"):  # left by workers that were killed
                left.unlink(missing_ok=True)
    counts.check_any_image(path)
    tables = tuple(job.out / shard.name for shard in shards)
    rows = StoredPredictions(tables, job.form, counts.n_files)
    errors = _known_errors(info, job.class_names.index(counts.positive_class))
    found = counts.result(job.out, rows, confidence, error_rate, errors, _card(info))
    warn_of(found, len(files))
    return found


def _make_job(
    model: Path,
    info: ModelInfo,
    path: str | Path,
    out: str | Path,
    channel: int | str | None,
    class_names: Sequence[str] | None,
    error_rate: float | None,
) -> Job:
    """Return the job, after all checks that do not require opening the model."""
    if error_rate is not None:
        check_real("error_rate", error_rate, low=0, high=1, open_ends=True)
        if info.calibration is None:
            raise invalid("error_rate", "None for a model that was not calibrated", error_rate)
    return Job(
        path=checked_path("path", path).absolute(),
        out=checked_path("out", out).absolute(),
        model="model" + _ENDINGS[info.kind],
        model_sha256=sha256_of(model),
        channel=channel if channel is None or isinstance(channel, str) else int(channel),
        class_names=names_of_classes(class_names, info.class_names, info.classes),
        error_rate=error_rate,
        with_domain=info.domain is not None,
    )


def _known_errors(info: ModelInfo, positive: int) -> ErrorCounts | None:
    if info.calibration is None:
        return None
    calibration = info.calibration["probabilities"], info.calibration["labels"]
    return ErrorCounts.of(calibration, positive, info.calibration.get("groups"))


def _card(info: ModelInfo) -> ModelCard | None:
    return None if info.card is None else ModelCard.from_dict(info.card)


def _cut(files: ImageFiles, size: int) -> Iterator[Shard]:
    names, problems = list(files.names), list(files.quarantined)
    for number, start in enumerate(range(0, len(names), size)):
        yield Shard(number, names[start : start + size], [] if number else problems)


def _plan(job: Job, files: ImageFiles, size: int) -> dict[str, Any]:
    """Return everything that the tables depend on."""
    listing = hashlib.sha256()
    stamps = ((name, files.stamp(name)) for name in files.names)
    for entry in itertools.chain(stamps, files.quarantined):
        listing.update(f"{entry!r}\n".encode())
    return {
        "format": _FORMAT,
        "nucrec": __version__,
        "model": job.model_sha256,
        "path": str(job.path),
        "images": len(files),
        "listing": listing.hexdigest(),
        "shard_size": size,
        "channel": job.channel,
        "class_names": list(job.class_names),
        "error_rate": job.error_rate,
    }


def _prepare(job: Job, model: Path, plan: dict[str, Any]) -> None:
    """Write the plan and the model to the folder, or check that the existing plan is the same.

    Raises
    ------
    NucrecError
        The folder cannot be written, or holds other files. Nothing was changed.
    """
    try:
        there = json.loads((job.out / _PLAN).read_text(encoding="utf-8"))
    except FileNotFoundError:
        if any(not entry.name.startswith(".") for entry in job.out.iterdir()):
            raise NucrecError(f"{job.out} is not empty: choose a new folder") from None
        write_text(job.out / _PLAN, json.dumps(plan, indent=1))
    except (OSError, ValueError) as error:
        raise NucrecError(f"{job.out / _PLAN} cannot be read: choose another folder") from error
    else:
        _compare(job.out, there if isinstance(there, dict) else {}, plan)
    copy = job.out / job.model
    if not copy.is_file() or sha256_of(copy) != job.model_sha256:
        with replacing(copy) as temporary:
            shutil.copyfile(model, temporary)


def _compare(out: Path, there: dict[str, Any], plan: dict[str, Any]) -> None:
    """Raise unless the tables in the folder belong to this plan and version."""
    if there.get("format") in range(1, _FORMAT):
        raise NucrecError(
            f"{out} holds tables that nucrec {there.get('nucrec')} wrote in another format. Finish "
            "them with that version, or choose another folder."
        )
    other = [key for key, value in plan.items() if there.get(key) != value]
    if other:
        raise NucrecError(
            f"{out} holds tables of another call, which differs in: {', '.join(other)}. "
            "Choose another folder."
        )


def _predict_missing(
    client: Any,
    patience: float | None,
    job: Job,
    missing: list[Shard],
    n_images: int,
    show: Progress,
) -> None:
    """Predict the missing shards on the client's workers or, without a client, in this process."""
    done = n_images - sum(len(shard.files) for shard in missing)
    show(done, n_images, "images")
    if client is None:
        for shard in missing:
            so_far = functools.partial(_show_from, show, done, n_images)
            predict_shard(job, shard, so_far)
            done += len(shard.files)
        return
    calls = [functools.partial(predict_shard, job, shard) for shard in missing]
    names = [shard.name for shard in missing]
    with contextlib.closing(each_done(client, calls, names, patience)) as finished:
        for k in finished:
            done += len(missing[k].files)
            show(done, n_images, "images")


def _show_from(show: Progress, before: int, total: int, done: int, _: int, what: str) -> None:
    """Report the progress of one shard as progress of the whole."""
    show(before + done, total, what)


def _count(job: Job, shards: Iterable[Shard]) -> FolderCounts:
    """Read all tables one after the other, and return their result."""
    counts = FolderCounts(job.class_names)
    for shard in shards:
        table = job.out / shard.name
        try:
            found = sorted(row.file for row in counts.counted(job.form.read(table)))
            if found != sorted([*shard.files, *(entry.name for entry in shard.problems)]):
                raise ValueError("its files are not those of the shard")
        except DAMAGED as error:
            raise NucrecError(
                f"{table} is damaged ({error}). Delete it; the same call writes it again."
            ) from error
    return counts
