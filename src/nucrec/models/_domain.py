"""The range of properties of the training images, and which new images lie outside it."""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.pipeline import Pipeline

from nucrec._notebook import Facts
from nucrec._pixels.image import ImageSource
from nucrec._text import number
from nucrec._validation import invalid
from nucrec._warnings import warn
from nucrec.datasets import ImageDataset
from nucrec.errors import DataWarning, ImageError
from nucrec.models._appearance import Objects, find_objects, grey_of, measure, n_pictures

Array = npt.NDArray[Any]
Range = tuple[float, float]

FIELD_OF_VIEW = (
    "this looks like a field of view, and the model was trained on crops of single cells: use `nucrec "
    "detect`, or nucrec.fields.detect in Python"
)
TOO_TIGHT = "the crop may lack the surroundings of the nucleus"
ONE_CHANNEL = "choose that of the nuclei, such as channel='blue'"
_MOST = 1000  # number of training images that are measured
_FACTOR = 1.5  # a size, brightness or sharpness is unusual beyond this factor of the range
_MARGIN = 0.25  # margin for a background, which may be 0
_FEW = 8  # limits are wider by 8/n for n training images, since few images say little about others
_FIELD_SIDE = 2.0  # multiple of the longest usual side
_FIELD_OBJECTS = 3
_NUCLEUS_OF_CROP = 0.2  # diameter of the largest object as a share of the image: from here a crop
_NUCLEUS_OF_FIELD = 0.1  # and below this a field, even of a single nucleus
_EXTENT = 1.05  # an extent is unusual beyond this factor of the range
_PARTS = ("best_estimator_", "estimator_", "estimators_", "calibrated_classifiers_", "estimator")
"""The attributes in which meta-estimators of scikit-learn keep fitted estimators, in that order."""
_DEPTHS = {"uint8": "8 bit", "uint16": "16 bit"}


@dataclass(frozen=True)
class TrainingDomain(Facts):
    """The range of properties of the images that a model was trained on.

    Each range runs from the 1st to the 99th percentile over the training images. Intensities are
    measured on the model's input: 8-bit images unchanged, all others scaled by their percentiles
    (`nucrec.datasets.rescale_intensity`); single-colour images, such as blue DAPI, as their one
    channel, and other colour images converted to grey.

    Attributes
    ----------
    n : int
        Number of images measured: all of them, or 1000 taken at equal intervals.
    depths : tuple of str
        Their dtypes, such as "uint8".
    side : (float, float)
        Height and width, in pixels.
    brightness : (float, float)
        The 99th percentile of an image's pixels, from 0 to 1.
    background : (float, float)
        The median of an image's pixels, from 0 to 1.
    sharpness : (float, float)
        Mean squared Laplacian divided by mean squared gradient, from 0 to 8: high for fine detail
        and noise, low for blurred and enlarged images, independent of contrast.
    objects : float
        The median number of bright objects the size of a nucleus.
    colour : bool or None
        Whether some of the images have channels with different pictures, such as two stains, which are
        mixed to grey; None if that is unknown, as in files written before it was recorded.
    extent : (float, float) or None
        The share of an image's height or width, whichever is larger, that the bright object in its
        centre spans, from 0 to 1: high where crops lack the surroundings of the nucleus; None if that
        is unknown.

    Examples
    --------
    >>> from nucrec.datasets import ImageDataset, load_mnfinder_crops
    >>> from nucrec.models import TrainingDomain
    >>> crops = load_mnfinder_crops()
    >>> domain = TrainingDomain.of(crops)
    >>> domain.unusual(crops[:2])
    [(), ()]
    >>> tight = ImageDataset([crops.images[0][12:-12, 12:-12]], [0])
    >>> domain.unusual(tight)
    [('extent 0.94, in training up to 0.77: the crop may lack the surroundings of the nucleus',)]
    """

    n: int
    depths: tuple[str, ...]
    side: Range
    brightness: Range
    background: Range
    sharpness: Range
    objects: float
    colour: bool | None = None
    extent: Range | None = None

    @classmethod
    def of(cls, images: ImageDataset) -> Self:
        """Measure the training images.

        Parameters
        ----------
        images : ImageDataset
            At least one image.

        Returns
        -------
        TrainingDomain
            The ranges of all measured properties.

        Raises
        ------
        InvalidParameterError
            The data set is empty.
        """
        if not isinstance(images, ImageDataset) or not len(images):
            raise invalid("images", "a data set with at least one image", images)
        chosen = np.unique(np.linspace(0, len(images) - 1, _MOST).round().astype(int)).tolist()
        sources = [images.images.sources[k] for k in chosen]
        seen = ((source.dtype.name, grey_of(source)) for source in sources)
        rows = [(measure(grey), dtype, find_objects(grey).n) for dtype, grey in seen]
        measured, dtypes, objects = zip(*rows, strict=True)
        height, width, *others = np.array(measured).T
        brightness, background, sharpness, extent = map(_range, others)
        return cls(
            n=len(chosen),
            depths=tuple(sorted(set(dtypes))),
            side=_range(np.concatenate([height, width])),
            brightness=brightness,
            background=background,
            sharpness=sharpness,
            objects=float(np.median(objects)),
            colour=any(n_pictures(source) > 1 for source in sources),
            extent=extent,
        )

    def unusual(self, images: ImageDataset) -> list[tuple[str, ...]]:
        """Return, for each image, the properties that lie far outside those of the training images.

        Parameters
        ----------
        images : ImageDataset
            New images.

        Returns
        -------
        list of tuple of str
            The reasons for each image; most images have none. Each reason begins with the unusual
            property: "size", "brightness", "background", "sharpness", "extent", "depth" or "colour".

        Notes
        -----
        A size, brightness or sharpness is unusual beyond 1.5 times the range of the training
        images, a background more than 0.25 beyond it, and an extent above 1.05 times its upper end.
        With n training images, all limits are widened by a factor of 1 + 8/n, since few images say
        little about the range of others.

        A colour is unusual if the channels of an image show different pictures, such as two stains, and
        those of the training images do not. Grey stored as RGB, and images of one colour, are not.
        """
        return [tuple(self._reasons(source)) for source in images.images.sources]

    def fields_of_view(self, images: ImageDataset) -> Array:
        """Return which images look like whole fields of view rather than crops of single cells.

        Parameters
        ----------
        images : ImageDataset
            New images. Only large ones are read.

        Returns
        -------
        ndarray of bool, shape (n,)
            True for images that are more than twice as large as the training images, and whose largest
            bright object has a diameter below a fifth of the longer side; such an image holds at least
            3 objects of that size, and at least twice as many as the training images, or the diameter
            is below a tenth.
        """
        found = np.zeros(len(images), bool)
        for k, source in enumerate(images.images.sources):
            if max(source.shape[:2]) > _FIELD_SIDE * self.side[1]:
                found[k] = self._is_field(find_objects(grey_of(source)))
        return found

    def to_json(self) -> dict[str, Any]:
        """Return the attributes as plain lists and numbers, without those that are unknown."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in dataclasses.asdict(self).items()
            if value is not None
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the domain that `to_json` stored.

        Parameters
        ----------
        values : mapping of str
            The output of `to_json`.

        Raises
        ------
        ValueError
            A value is missing or malformed.
        """
        names = ("side", "brightness", "background", "sharpness")
        try:
            ranges = {name: _checked_range(values[name]) for name in names}
            depths = tuple(str(depth) for depth in values["depths"])
            n, objects = int(values["n"]), float(values["objects"])
            if n < 1:
                raise ValueError(f"expected at least one image, received {n}")
            extent = values.get("extent")
            return cls(
                n,
                depths,
                **ranges,
                objects=objects,
                colour=_checked_flag(values.get("colour")),
                extent=None if extent is None else _checked_range(extent),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"training images are not described whole: {error!r}") from error

    def _is_field(self, objects: Objects) -> bool:
        """Return whether the objects of a large image are those of a field of view."""
        if not objects.n or objects.largest >= _NUCLEUS_OF_CROP:
            return False
        fewest = max(_FIELD_OBJECTS, 2 * self.objects)
        return objects.n >= fewest or objects.largest < _NUCLEUS_OF_FIELD

    def _reasons(self, source: ImageSource) -> Iterator[str]:
        found = measure(grey_of(source))
        size = (found.height, found.width)
        if not self._within(min(size), self.side) or not self._within(max(size), self.side):
            usual = " to ".join(f"{side:.0f}" for side in self.side)
            yield f"size {found.height} x {found.width}, in training {usual}"
        if not self._within(found.brightness, self.brightness):
            yield _told("brightness", found.brightness, self.brightness)
        low, high = self.background
        margin = self._widened(_MARGIN)
        if not low - margin <= found.background <= high + margin:
            yield _told("background", found.background, self.background)
        if not self._within(found.sharpness, self.sharpness):
            yield _told("sharpness", found.sharpness, self.sharpness)
        if self.extent is not None and found.extent > self._widened(_EXTENT) * self.extent[1]:
            usual = f"in training up to {number(self.extent[1])}"
            yield f"extent {number(found.extent)}, {usual}: {TOO_TIGHT}"
        if source.dtype.name not in self.depths:
            usual = ", ".join(map(_depth, self.depths))
            yield f"depth {_depth(source.dtype.name)}, in training {usual}"
        pictures = n_pictures(source) if self.colour is False else 1
        if pictures > 1:
            yield f"colour {pictures} different channels, in training 1: {ONE_CHANNEL}"

    def _within(self, value: float, usual: Range) -> bool:
        factor = self._widened(_FACTOR)
        return usual[0] / factor <= value <= usual[1] * factor

    def _widened(self, limit: float) -> float:
        return limit * (1 + _FEW / self.n)


def learn_domain(images: ImageDataset) -> TrainingDomain:
    """Measure training images, and warn of those that look like fields of view among crops."""
    domain = TrainingDomain.of(images)
    found = np.flatnonzero(domain.fields_of_view(images))
    if len(found):
        warn(
            f"{len(found)} of {len(images)} training images look like fields of view among crops of "
            f"single cells; the first is image {images.ids[found[0]]}. Cut crops out of them with "
            "nucrec.fields.crops, or leave them out.",
            DataWarning,
        )
    return domain


def refuse_fields(domain: TrainingDomain | None, images: ImageDataset, owner: str) -> None:
    """Raise if whole fields of view are among the images for a model of crops.

    Parameters
    ----------
    domain : TrainingDomain or None
        The training domain of the model; None for no check.
    images : ImageDataset
        The images to predict.
    owner : str
        What the domain belongs to, for the message.

    Raises
    ------
    ImageError
        An image looks like a field of view.
    """
    if domain is None:
        return
    found = np.flatnonzero(domain.fields_of_view(images))
    if not len(found):
        return
    first = f"image {images.ids[found[0]]}: {FIELD_OF_VIEW}"
    if len(images) > 1:
        first = f"{len(found)} of {len(images)} images cannot be predicted; the first is {first}"
    raise ImageError(
        f"{first}. In Python, domain_ of {owner} set to None gives an answer all the same"
    )


def domain_of(model: Any) -> TrainingDomain | None:
    """Return the training domain of a model, or of a fitted part of it: a step, a fold's classifier."""
    own: TrainingDomain | None = getattr(model, "domain_", None)
    if own is not None:
        return own
    found = (domain_of(part) for part in _fitted_parts(model))
    return next((domain for domain in found if domain is not None), None)


def _fitted_parts(model: Any) -> Iterator[Any]:
    """Yield the estimators that a pipeline or another meta-estimator of scikit-learn has fitted."""
    if isinstance(model, Pipeline):
        yield from (step for _, step in model.steps)
    for name in _PARTS:
        part = getattr(model, name, None)
        yield from part if isinstance(part, list) else () if part is None else (part,)


def _range(values: Array) -> Range:
    low, high = np.percentile(values, [1, 99]).tolist()
    return low, high


def _told(name: str, value: float, usual: Range) -> str:
    low, high = map(number, usual)
    return f"{name} {number(value)}, in training {low} to {high}"


def _depth(dtype: str) -> str:
    return _DEPTHS.get(dtype, dtype)


def _checked_range(value: Any) -> Range:
    low, high = (float(end) for end in value)
    if not 0 <= low <= high:
        raise ValueError(f"expected a range, received {value!r}")
    return low, high


def _checked_flag(value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise ValueError(f"expected true or false, received {value!r}")
    return value
