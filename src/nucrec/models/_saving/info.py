"""The description in a model file, and the checks before the file is opened.

A file is a zip archive as Keras (.keras) or skops (.skops) writes it, with one additional member:
the description that nucrec needs, with the hash of every other member.
"""

import dataclasses
import hashlib
import json
import os
import platform
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, BinaryIO

from nucrec._endings import MODELS
from nucrec._files import replacing
from nucrec._text import shown
from nucrec._validation import invalid
from nucrec._version import __version__
from nucrec._zip import check_method, is_bomb, read_member
from nucrec.errors import ModelFileError
from nucrec.models._card import ModelCard
from nucrec.models._saving.described import describe
from nucrec.models._saving.description import check_description
from nucrec.models._saving.layers import larger_than, unlisted
from nucrec.models._saving.opened import model_file, opened
from nucrec.models._saving.printed import description_as_text

_LIBRARIES = ("numpy", "scikit-learn", "tensorflow", "keras")
_MEMBER = "nucrec.json"
_FORMAT = 1
_LARGEST = 4 * 2**30  # total bytes of all members, unpacked
_LARGEST_TEXT = 32 * 2**20  # bytes of the description
DAMAGED_ARCHIVE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)
"""What reading a damaged archive may raise, besides errors of values and of the system."""


@dataclass(frozen=True)
class ModelInfo:
    """The description that a model file holds.

    Attributes
    ----------
    kind : {"network", "classical"}
        "network" for an `ImageClassifier`, "classical" for a scikit-learn pipeline.
    class_names : tuple of str
        Class names, in the order of the probabilities; the second is the positive class.
    classes : tuple
        The values that the model's ``predict`` returns.
    preprocessing : dict
        The format that images are converted to before the network: "image_size", "channels", "dtype".
        All further preprocessing is part of the model.
    parameters : dict
        The parameters of the `ImageClassifier`.
    versions : dict of str to str
        The versions of nucrec, Python and the libraries used in training.
    fingerprint : str or None
        Fingerprint of the training data.
    created : str
        Time of saving: ISO 8601, UTC.
    history : dict of str to list
        The ``history_`` of a network.
    calibration : dict or None
        The "probabilities" and "labels" of the calibration images of a network, and their "groups",
        if images share any.
    domain : dict or None
        The attributes of the `TrainingDomain`.
    undone : bool
        Whether the fine-tuning of a network was undone.
    card : dict or None
        The attributes of the `ModelCard`.
    marks : tuple of str
        Hashes of the training images, by which `ImageClassifier.evaluate` recognizes them.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> from nucrec.models import classical_zoo, model_info, save
    >>> crops = load_mnfinder_crops()
    >>> model = classical_zoo(random_state=0)["GNB"].fit(crops, crops.labels)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, Path(folder, "gnb.skops"), class_names=crops.class_names)
    ...     info = model_info(Path(folder, "gnb.skops"))
    >>> info.kind, info.class_names, info.classes
    ('classical', ('nucleus', 'micronucleus'), (0, 1))
    """

    kind: str
    class_names: tuple[str, ...]
    classes: tuple[Any, ...]
    preprocessing: dict[str, Any]
    parameters: dict[str, Any]
    versions: dict[str, str]
    fingerprint: str | None
    created: str
    history: dict[str, list[Any]]
    calibration: dict[str, list[Any]] | None = None
    domain: dict[str, Any] | None = None
    undone: bool = False
    card: dict[str, Any] | None = None
    marks: tuple[str, ...] = ()

    def __str__(self) -> str:
        return description_as_text(vars(self))

    def __repr__(self) -> str:
        nucrec = self.versions.get("nucrec", "unknown")
        saved = f"saved {self.created} by nucrec {nucrec}"
        return f"ModelInfo({self.kind}: {', '.join(self.class_names)}; {saved})"

    def _repr_html_(self) -> str:
        return describe(self)


def model_info(path: str | os.PathLike[str]) -> ModelInfo:
    """Return the description in a model file without building the model.

    The file is checked for damage.

    Parameters
    ----------
    path : path, or "pretrained"
        A file written by `save` or `ImageClassifier.save`, or the name of the classifier that comes
        with nucrec.

    Returns
    -------
    ModelInfo
        Class names, preprocessing, parameters, versions and the fingerprint of the training data.

    Raises
    ------
    ModelFileError
        There is no such file, or it is truncated, modified or was not written by nucrec.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> from nucrec.models import cnn, model_info
    >>> model = cnn(image_size=16, epochs=1, random_state=0).fit(load_mnfinder_crops())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(Path(folder, "cnn.keras"))
    ...     model_info(Path(folder, "cnn.keras")).class_names
    ('nucleus', 'micronucleus')
    """
    where = model_file("path", path)
    try:
        with opened(where) as file:
            return checked_info(file, where)
    except OSError as error:
        raise ModelFileError(f"{where} cannot be read: {shown(error)}") from error


def checked_info(file: BinaryIO, where: Path) -> ModelInfo:
    """Return the description in an open model file, after checking the whole file.

    Parameters
    ----------
    file : binary file
        The file, open for reading.
    where : Path
        The name of the file in messages; its ending determines the expected content.

    Raises
    ------
    ModelFileError
        The file is truncated, modified or was not written by nucrec.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            about = _checked_members(archive, where, file.seek(0, os.SEEK_END))
            if about["kind"] != MODELS[where.suffix]:
                raise ModelFileError(
                    f"{where} holds a model of kind {shown(repr(about['kind']))}, which its ending "
                    "is not of"
                )
            if about["kind"] == "network":
                config = _read_json(archive, "config.json", where)
                _check_layers(config, where, sum(e.file_size for e in archive.infolist()))
            return _as_info(about)
    except ModelFileError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelFileError(
            f"{where}: its description cannot be read ({shown(repr(error))})"
        ) from error
    except (*DAMAGED_ARCHIVE, OSError, RuntimeError) as error:
        raise ModelFileError(
            f"{where} is damaged or not a model that nucrec saved: {shown(error)}"
        ) from error


def versions() -> dict[str, str]:
    """Return the versions of nucrec, Python and the libraries that a model depends on."""
    found = {name: metadata.version(name) for name in _LIBRARIES}
    return {"nucrec": __version__, "python": platform.python_version(), **found}


def now() -> str:
    """Return the present time: ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write_model(path: Path, ending: str, write: Callable[[Path], None], info: ModelInfo) -> None:
    """Write a model and its description to one file, completely or not at all.

    Parameters
    ----------
    path : Path
        The file; an existing one is replaced.
    ending : str
        The required ending.
    write : callable
        Writes the model as a zip archive to a path of that ending.
    info : ModelInfo
        The description.

    Raises
    ------
    InvalidParameterError
        The file has another ending, or the description could not be read again.
    """
    if path.suffix != ending:
        raise invalid("path", f"a file name that ends in {ending!r}", str(path))
    try:
        check_description(vars(info))
    except ValueError as error:
        raise invalid(
            "model", "what a file can say of a model", info.class_names, str(error)
        ) from error
    with replacing(path) as temporary:
        written = temporary.with_name(temporary.name + ending)  # Keras accepts no other ending
        try:
            write(written)
            _append_info(written, info)
            written.replace(temporary)
        finally:
            written.unlink(missing_ok=True)


def unlisted_layers(path: Path) -> list[str]:
    """Return the classes that a network's file requests and that `load` would refuse."""
    with zipfile.ZipFile(path) as archive:
        return unlisted(_read_json(archive, "config.json", path))


def _append_info(path: Path, info: ModelInfo) -> None:
    """Add the description to an archive, with the hash of every member."""
    with zipfile.ZipFile(path, "a") as archive:
        members = {name: _digest(archive, name) for name in archive.namelist()}
        about = {"format": _FORMAT, **dataclasses.asdict(info), "members": members}
        text = json.dumps(about, indent=1).encode()
        if len(text) > _LARGEST_TEXT:
            raise ModelFileError(
                f"the description of the model takes {len(text)} bytes, more than {_LARGEST_TEXT}: "
                "calibrate with fewer images"
            )
        archive.writestr(_MEMBER, text)


def _read_json(archive: zipfile.ZipFile, name: str, path: Path) -> Any:
    member = archive.getinfo(name)
    if member.file_size > _LARGEST_TEXT:
        raise ModelFileError(f"{path}: {name} is larger than any of a model")
    return json.loads(read_member(archive, member))


def _digest(archive: zipfile.ZipFile, name: str) -> str:
    with archive.open(name) as member:
        return hashlib.file_digest(member, "sha256").hexdigest()  # type: ignore[arg-type]


def _checked_members(archive: zipfile.ZipFile, path: Path, size: int) -> dict[str, Any]:
    """Return the description, after verifying all members against it."""
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if not entries or min(entry.header_offset for entry in entries):
        # data before the archive could make other readers take the file for another format
        raise ModelFileError(
            f"{path} is damaged, or not a model: it does not begin like an archive"
        )
    if _MEMBER not in names:
        raise ModelFileError(f"{path} was not saved by nucrec: it has no {_MEMBER}")
    for entry in entries:
        check_method(entry)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > _LARGEST or is_bomb(unpacked, size):
        raise ModelFileError(f"{path} would unpack to more than any model")
    about = _read_json(archive, _MEMBER, path)
    if not isinstance(about, dict) or about.get("format") != _FORMAT:
        version = about.get("format") if isinstance(about, dict) else None
        raise ModelFileError(
            f"{path} is of format {shown(repr(version))}, but this version reads {_FORMAT}"
        )
    others = [name for name in names if name != _MEMBER]
    if sorted(others) != sorted(about["members"]):
        raise ModelFileError(f"{path} was changed: its parts differ from those that were saved")
    for name in others:
        if _digest(archive, name) != about["members"][name]:
            raise ModelFileError(
                f"{path} is damaged or was changed: {shown(name)} is not what was saved"
            )
    return about


def _check_layers(config: Any, path: Path, size: int) -> None:
    """Raise if the network has an unlisted layer, or one larger than its weights."""
    for name in unlisted(config):
        raise ModelFileError(
            f"{path} asks for {shown(name)}, which is no part of a network of nucrec: it was not opened"
        )
    for name in larger_than(config, size):
        raise ModelFileError(
            f"{path} asks for {shown(name)}, more than there are weights in it: it was not opened"
        )


def _as_info(about: dict[str, Any]) -> ModelInfo:
    """Return the checked description."""
    fields = dataclasses.fields(ModelInfo)
    later = {field.name for field in fields if field.default is not dataclasses.MISSING}
    present = [field.name for field in fields if field.name in about or field.name not in later]
    values = {name: about[name] for name in present}
    names = ("class_names", "classes", "marks")
    tuples = {key: tuple(values[key]) for key in names if key in values}
    info = ModelInfo(**{**values, **tuples})
    check_description(vars(info))
    if info.card is None:
        return info
    return dataclasses.replace(info, card=ModelCard.from_dict(info.card).to_dict())
