"""Weights of 16 bits in the file of a network, which Keras reads as it reads those of 32."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_WEIGHTS = "model.weights.h5"


def halve_kernels(path: Path) -> None:
    """Round the kernels in an archive of Keras to 16 bits; vectors, which are small, keep 32.

    Kernels with values beyond the range of 16 bits keep 32, too.
    """
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members[_WEIGHTS] = _halved(members[_WEIGHTS])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def _halved(content: bytes) -> bytes:
    import h5py  # Keras stores weights with it

    written = io.BytesIO()
    with h5py.File(io.BytesIO(content)) as source, h5py.File(written, "w") as target:
        _copy(source, target)
    return written.getvalue()


def _copy(source: Any, target: Any) -> None:
    """Copy what a group of an HDF5 file holds to another group."""
    target.attrs.update(source.attrs)
    for name, part in source.items():
        if hasattr(part, "items"):
            _copy(part, target.create_group(name))
        else:
            target.create_dataset(name, data=_half(part[()])).attrs.update(part.attrs)


def _half(weight: Array) -> Array:
    if weight.dtype != np.float32 or weight.ndim < 2:
        return weight
    with np.errstate(over="ignore"):
        rounded = weight.astype(np.float16)
    return rounded if np.isfinite(rounded).all() else weight
