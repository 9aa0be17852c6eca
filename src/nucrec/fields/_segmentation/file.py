"""The file of a detector: 16-bit weights and its card. No code from the file is run."""

import json
import zipfile
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec._files import replacing
from nucrec.errors import ModelFileError
from nucrec.fields._segmentation.calibration import Calibration
from nucrec.fields._segmentation.card import DetectorCard, Seen
from nucrec.fields._segmentation.scale import DIAMETER

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[Any]

_FORMAT = 1
_ABOUT = "about"
_SCALES = (8.0, 200.0)  # pixels across: beyond, a nucleus is a speck, or larger than a tile
_DAMAGED = (
    *(OSError, EOFError, ValueError, TypeError, KeyError, AttributeError),
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, RecursionError, MemoryError),
)


class Content(NamedTuple):
    """The content of a file besides the weights: threshold, calibration and card."""

    threshold: float
    calibration: Calibration
    card: DetectorCard
    seen: Seen
    scale: float = DIAMETER
    """The nuclear diameter, in pixels, that fields are resized to for the network."""


def write_detector(path: Path, network: "keras.Model", content: Content) -> None:
    """Write a detector to a file, which is replaced completely or not at all."""
    about = {
        "format": _FORMAT,
        "threshold": content.threshold,
        "calibration": list(content.calibration),
        "card": content.card.to_dict(),
        "seen": asdict(content.seen),
        "scale": content.scale,
    }
    text = np.frombuffer(json.dumps(about).encode(), np.uint8)
    arrays: dict[str, Any] = {f"w{i}": half(w) for i, w in enumerate(network.get_weights())}
    arrays[_ABOUT] = text
    with replacing(path) as temporary, temporary.open("xb") as file:
        np.savez_compressed(file, **arrays)


def half(weight: Array) -> Array:
    """Return a weight as stored, which must lie in the range of 16-bit floats, as all of ours do."""
    return np.clip(weight, -65504, 65504).astype(np.float16)


def read_detector(path: Path) -> tuple[list[Array], Content]:
    """Return the weights, in the order of the network, and the other content of a file.

    Raises
    ------
    ModelFileError
        There is no such file, it is damaged, or it is not a detector.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as members:
            about = json.loads(members[_ABOUT].tobytes())
            names = [f"w{i}" for i in range(len(members.files) - 1)]
            weights = [members[name].astype(np.float32) for name in names]
        if about["format"] != _FORMAT:
            raise ValueError(f"format {about['format']} requires a newer version of nucrec")
        seen = Seen(**{**about["seen"], "diameter": tuple(about["seen"]["diameter"])})
        card = DetectorCard.from_dict(about["card"])
        calibration = Calibration(*map(float, about["calibration"]))
        scale = _checked_scale(about.get("scale", DIAMETER))  # files before 0.2.0 do not say it
        content = Content(float(about["threshold"]), calibration, card, seen, scale)
    except FileNotFoundError as error:
        raise ModelFileError(f"there is no file {path}") from error
    except _DAMAGED as error:
        raise ModelFileError(
            f"{path} is damaged, or is not a FieldDetector file: {error}"
        ) from error
    if not all(np.isfinite(weight).all() for weight in weights):
        raise ModelFileError(f"{path} is damaged: some of its weights are not finite")
    return weights, content


def _checked_scale(value: object) -> float:
    if not isinstance(value, int | float) or not _SCALES[0] <= value <= _SCALES[1]:
        raise ValueError(f"a scale of {value!r} pixels")
    return float(value)
