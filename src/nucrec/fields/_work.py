"""The steps of a detection: read a field, detect, measure, write."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy.typing as npt

from nucrec._threads import ahead, ordered_map
from nucrec.errors import ImageError, NucrecError
from nucrec.fields._analysis import Rules, analyse, failure
from nucrec.fields._arrays import LARGEST_NUCLEUS, check_pixels, check_size
from nucrec.fields._cells import Cells
from nucrec.fields._detection import Detection, Detector
from nucrec.fields._field import Field
from nucrec.fields._mask_remarks import remarks_on_mask
from nucrec.fields._pixels import ArrayPixels
from nucrec.fields._plate import Plate

Array = npt.NDArray[Any]

_MEASURED_AT_A_TIME = 2
_LONGEST_REASON = 500  # characters

Item = TypeVar("Item", bound="_Named")
Result = TypeVar("Result")


@dataclass(frozen=True)
class _Named:
    """A field in process."""

    field: Field


@dataclass(frozen=True)
class _Read(_Named):
    """A field that has been read: its pixels, and the mask of its nuclei if there is one."""

    image: Array
    mask: Array | None


@dataclass(frozen=True)
class _Found(_Named):
    """A field in which nuclei and micronuclei have been detected."""

    image: Array
    found: Detection


@dataclass(frozen=True)
class Work:
    """The processing of fields."""

    detector: Detector
    rules: Rules
    with_masks: bool
    plate: Plate | None

    def done(self, fields: Sequence[Field], n_jobs: int) -> Iterator[Cells]:
        """Yield the cells of each field, in order.

        With more than one job, one thread reads the next field and another measures the last one,
        so that at most four fields are in memory.
        """
        several = n_jobs > 1
        read = map(_unless_done(self._read), map(_Named, fields))
        found = map(_unless_done(self._find), ahead(read) if several else read)
        jobs = _MEASURED_AT_A_TIME if several else 1
        yield from ordered_map(_unless_done(self._measure), found, jobs)

    def _read(self, item: _Named) -> _Read | Cells:
        field = item.field
        known = None if self.plate is None else self.plate.read(field)
        if known is not None:
            return known
        image = field.read()
        check_pixels(field.name, image)
        check_size(field.name, image.shape)
        return _Read(field, image, field.labels() if self.with_masks else None)

    def _find(self, item: _Read) -> _Found:
        in_memory = dataclasses.replace(item.field, _pixels=ArrayPixels(item.image))
        try:
            found = self.detector.predict(in_memory, nuclei=item.mask)
        except (NucrecError, MemoryError):
            raise
        except Exception as error:  # the detector may be the user's own
            raise NucrecError(f"the detector failed: {type(error).__name__}: {error}") from error
        _check_found(found, item.image.shape)
        if item.mask is not None:
            remarks = (*found.remarks, *remarks_on_mask(item.mask, item.image))
            found = dataclasses.replace(found, remarks=remarks)
        return _Found(item.field, item.image, found)

    def _measure(self, item: _Found) -> Cells:
        cells = analyse(item.field, item.image, item.found, self.rules)
        if self.plate is not None:
            self.plate.write(item.field, cells, item.found)
        return cells


def _unless_done(step: Callable[[Item], Result]) -> Callable[[Item | Cells], Result | Cells]:
    """Return a step that passes finished fields on, and finishes failed ones with the reason."""

    def guarded(item: Item | Cells) -> Result | Cells:
        if isinstance(item, Cells):
            return item
        try:
            return step(item)
        except (NucrecError, OSError, MemoryError) as error:
            return failure(item.field, _reason(item.field, error))

    return guarded


def _reason(field: Field, error: BaseException) -> str:
    """Return why a field failed, without its name, which is shown beside the reason."""
    text = " ".join(str(error).split())
    reason = text.removeprefix(f"{field.file}: ").removeprefix(f"{field.name}: ")
    return reason[:_LONGEST_REASON] or type(error).__name__


def _check_found(found: Detection, shape: tuple[int, ...]) -> None:
    if found.nuclei.shape != shape:
        raise NucrecError(
            f"the detector returned labels of shape {found.nuclei.shape} for a field of {shape}"
        )
    if found.diameter > LARGEST_NUCLEUS * min(shape):
        raise ImageError(
            f"this looks like a crop rather than a field: its nuclei are {found.diameter:.0f} "
            f"pixels wide, and the image has {shape[0]} x {shape[1]}"
        )
