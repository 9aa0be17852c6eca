"""What a model's file says of itself, and the checks before it is opened.

A file is a zip archive as Keras (.keras) or skops (.skops) writes it, with one more member: what
nucrec has to know, and the hash of every other member.
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

from nucrec._files import replacing
from nucrec._paths import checked_path
from nucrec._text import shown
from nucrec._validation import invalid
from nucrec._version import __version__
from nucrec._zip import check_method, is_bomb, read_member
from nucrec.errors import ModelFileError
from nucrec.models._saving.description import check_description
from nucrec.models._saving.layers import larger_than, unlisted
from nucrec.models._saving.opened import KINDS, opened

_LIBRARIES = ("numpy", "scikit-learn", "tensorflow", "keras")
_MEMBER = "nucrec.json"
_FORMAT = 1
_LARGEST = 4 * 2**30  # bytes of all members, unpacked
_LARGEST_TEXT = 32 * 2**20  # bytes of a description
DAMAGED_ARCHIVE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)
"""What reading a damaged archive may raise, besides errors of values and of the system."""


@dataclass(frozen=True)
class ModelInfo:
    """What a file says of its model.

    Attributes
    ----------
    kind : {"network", "classical"}
        An `ImageClassifier`, or a scikit-learn pipeline.
    class_names : tuple of str
        Names of the classes, in the order of the probabilities; the second is the positive one.
    classes : tuple
        What the model's ``predict`` answers with.
    preprocessing : dict
        What images are brought to before the network: "image_size", "channels", "dtype". What
        follows is inside the model.
    parameters : dict
        Those of the `ImageClassifier`.
    versions : dict of str to str
        Of nucrec, Python and the libraries it was trained with.
    fingerprint : str or None
        That of the training data.
    created : str
        When it was saved: ISO 8601, UTC.
    history : dict of str to list
        A network's ``history_``.
    calibration : dict or None
        The "probabilities" and "labels" of the images that a network was calibrated with.
    domain : dict or None
        What the training images look like: the attributes of a `TrainingDomain`.
    undone : bool
        Whether a network's fine-tuning was undone.
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


def model_info(path: str | os.PathLike[str]) -> ModelInfo:
    """Return what a file says of its model, without building it; the file is checked for damage.

    Parameters
    ----------
    path : path
        A file that `save` or `ImageClassifier.save` wrote.

    Returns
    -------
    ModelInfo
        Class names, preprocessing, parameters, versions, fingerprint of the training data.

    Raises
    ------
    ModelFileError
        There is no such file, or it is truncated, changed, or not from nucrec.

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
    where = checked_path("path", path)
    try:
        with opened(where) as file:
            return checked_info(file, where)
    except OSError as error:
        raise ModelFileError(f"{where} cannot be read: {shown(error)}") from error


def checked_info(file: BinaryIO, where: Path) -> ModelInfo:
    """Return what an open file says of its model, after checking all of it.

    Parameters
    ----------
    file : binary file
        Open to be read.
    where : Path
        What it is called, for messages; its ending says what it should hold.

    Raises
    ------
    ModelFileError
        It is truncated, changed, or not from nucrec.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            about = _checked_members(archive, where, file.seek(0, os.SEEK_END))
            if about["kind"] != KINDS[where.suffix]:
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
    """Return the time: ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write_model(path: Path, ending: str, write: Callable[[Path], None], info: ModelInfo) -> None:
    """Write a model and its description to one file, as a whole or not at all.

    Parameters
    ----------
    path : Path
        The file; an older one is replaced.
    ending : str
        The ending that it must have.
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
        written = temporary.with_name(temporary.name + ending)  # Keras takes no other ending
        try:
            write(written)
            _append_info(written, info)
            written.replace(temporary)
        finally:
            written.unlink(missing_ok=True)


def unlisted_layers(path: Path) -> list[str]:
    """Return the classes that a network's file asks for and that `load` would refuse."""
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
    """Return the description, after comparing all members with it."""
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if not entries or min(entry.header_offset for entry in entries):
        # before an archive there may be something that others take the file for
        raise ModelFileError(f"{path} is damaged or not a model: it does not begin as an archive")
    if _MEMBER not in names:
        raise ModelFileError(f"{path} was not saved by nucrec: it has no {_MEMBER}")
    for entry in entries:
        check_method(entry)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > _LARGEST or is_bomb(unpacked, size):
        raise ModelFileError(f"{path} is larger, unpacked, than any model")
    about = _read_json(archive, _MEMBER, path)
    if not isinstance(about, dict) or about.get("format") != _FORMAT:
        version = about.get("format") if isinstance(about, dict) else None
        raise ModelFileError(
            f"{path} is of format {shown(repr(version))}, this version reads {_FORMAT}"
        )
    others = [name for name in names if name != _MEMBER]
    if sorted(others) != sorted(about["members"]):
        raise ModelFileError(f"{path} was changed: its parts are not those it was saved with")
    for name in others:
        if _digest(archive, name) != about["members"][name]:
            raise ModelFileError(
                f"{path} is damaged or was changed: {shown(name)} is not what was saved"
            )
    return about


def _check_layers(config: Any, path: Path, size: int) -> None:
    """Raise if the network has a layer that ours have not, or one that its weights do not fill."""
    for name in unlisted(config):
        raise ModelFileError(
            f"{path} asks for {shown(name)}, which is no part of a network of nucrec: it was not opened"
        )
    for name in larger_than(config, size):
        raise ModelFileError(
            f"{path} asks for {shown(name)}, more than there are weights in it: it was not opened"
        )


def _as_info(about: dict[str, Any]) -> ModelInfo:
    """Return the description, after checking it."""
    fields = dataclasses.fields(ModelInfo)
    later = {field.name for field in fields if field.default is not dataclasses.MISSING}
    names = [field.name for field in fields if field.name in about or field.name not in later]
    values = {name: about[name] for name in names}
    tuples = {key: tuple(values[key]) for key in ("class_names", "classes")}
    info = ModelInfo(**{**values, **tuples})
    check_description(vars(info))
    return info
