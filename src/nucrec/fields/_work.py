"""The steps of a detection: read a field, find what is in it, measure, write."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._text import shown
from nucrec._threads import ahead, ordered_map
from nucrec.errors import ImageError, NucrecError
from nucrec.fields._analysis import Rules, analyse, failure
from nucrec.fields._cells import Cells
from nucrec.fields._detection import Detection, Detector
from nucrec.fields._field import Field
from nucrec.fields._pixels import ArrayPixels
from nucrec.fields._plate import Plate

Array = npt.NDArray[Any]

_SHORTEST_SIDE = 32
_LARGEST_NUCLEUS = 0.5  # of the shorter side
_MEASURED_AT_A_TIME = 2


@dataclass(frozen=True)
class _InWork:
    """A field on its way: its pixels, what was found in them, and then its cells."""

    field: Field
    image: Array | None = None
    mask: Array | None = None
    found: Detection | None = None
    cells: Cells | None = None


@dataclass(frozen=True)
class Work:
    """How fields are worked on."""

    detector: Detector
    rules: Rules
    with_masks: bool
    plate: Plate | None

    def done(self, fields: Sequence[Field], n_jobs: int) -> Iterator[Cells]:
        """Yield the cells of each field, in order.

        With more than one job a thread reads the next field and another measures the last one, so that
        at most four fields are in memory.
        """
        several = n_jobs > 1
        read: Iterator[_InWork] = map(_guarded(self._read), map(_InWork, fields))
        found = map(_guarded(self._find), ahead(read) if several else read)
        jobs = _MEASURED_AT_A_TIME if several else 1
        for item in ordered_map(_guarded(self._measure), found, jobs):
            assert item.cells is not None  # noqa: S101 - the last step made them
            yield item.cells

    def _read(self, item: _InWork) -> _InWork:
        known = None if self.plate is None else self.plate.read(item.field)
        if known is not None:
            return dataclasses.replace(item, cells=known)
        image = item.field.read()
        _check_pixels(image)
        mask = item.field.labels() if self.with_masks else None
        return dataclasses.replace(item, image=image, mask=mask)

    def _find(self, item: _InWork) -> _InWork:
        assert item.image is not None  # noqa: S101 - the step before read it
        in_memory = dataclasses.replace(item.field, _pixels=ArrayPixels(item.image))
        try:
            found = self.detector.predict(in_memory, nuclei=item.mask)
        except (NucrecError, MemoryError):
            raise
        except Exception as error:  # a detector may be anybody's
            raise NucrecError(f"the detector failed: {type(error).__name__}: {error}") from error
        _check_found(found, item.image.shape)
        return dataclasses.replace(item, found=found)

    def _measure(self, item: _InWork) -> _InWork:
        assert item.image is not None  # noqa: S101
        assert item.found is not None  # noqa: S101
        cells = analyse(item.field, item.image, item.found, self.rules)
        if self.plate is not None:
            self.plate.write(item.field, cells, item.found)
        return _InWork(item.field, cells=cells)


def _guarded(step: Callable[[_InWork], _InWork]) -> Callable[[_InWork], _InWork]:
    """Return a step that passes finished fields on, and finishes those that fail with the reason."""

    def guarded(item: _InWork) -> _InWork:
        if item.cells is not None:
            return item
        try:
            return step(item)
        except (NucrecError, OSError, MemoryError) as error:
            reason = shown(error) or type(error).__name__
            return _InWork(item.field, cells=failure(item.field, reason))

    return guarded


def _check_pixels(image: Array) -> None:
    size = " x ".join(map(str, image.shape))
    if image.ndim != 2:
        raise ImageError(f"an image of {size}; a field is grey, (height, width)")
    if min(image.shape) < _SHORTEST_SIDE:
        raise ImageError(
            f"{size} pixels are no field of view: its sides have at least {_SHORTEST_SIDE} pixels"
        )
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        raise ImageError("some pixels are NaN or infinite")
    if image.min() == image.max():
        raise ImageError(f"all pixels have one value, {image.flat[0]}")


def _check_found(found: Detection, shape: tuple[int, ...]) -> None:
    if found.nuclei.shape != shape:
        raise NucrecError(
            f"the detector returned labels of shape {found.nuclei.shape} for a field of {shape}"
        )
    if found.diameter > _LARGEST_NUCLEUS * min(shape):
        raise ImageError(
            f"a crop rather than a field: its nuclei are {found.diameter:.0f} pixels wide, and the "
            f"image has {shape[0]} x {shape[1]}"
        )
