"""The range of properties of the training images, and which new images lie outside it."""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from sklearn.pipeline import Pipeline

from nucrec._notebook import Facts
from nucrec._pixels.image import ImageSource
from nucrec._pixels.intensity import as_dtype, to_channels
from nucrec._text import number
from nucrec._validation import invalid
from nucrec.datasets import ImageDataset

Array = npt.NDArray[Any]
Range = tuple[float, float]

FIELD_OF_VIEW = (
    "this looks like a field of view, and the model was trained on crops of single cells: use `nucrec "
    "detect`, or nucrec.fields.detect in Python"
)
ONE_CHANNEL = "choose that of the nuclei, such as channel='blue'"
_MOST = 1000  # number of training images that are measured
_FACTOR = 1.5  # a size, brightness or sharpness is unusual beyond this factor of the range
_MARGIN = 0.25  # margin for a background, which may be 0
_FEW = 8  # limits are wider by 8/n for n training images, since few images say little about others
_FIELD_SIDE = 3.0  # multiple of the longest usual side
_FIELD_OBJECTS = 3
_THUMBNAIL = 256  # length in pixels of the longer side at which objects are counted
_LARGE_OBJECT = 0.25  # as a share of the largest object's area
_ALIKE = 0.95  # correlation from which two channels show the same picture; lossy files lower it
_FAINT = 0.05  # a channel has content from this share of the largest standard deviation
_DEPTHS = {"uint8": "8 bit", "uint16": "16 bit"}


class _Measures(NamedTuple):
    """The measurements of one image: sizes in pixels, intensities from 0 to 1."""

    height: int
    width: int
    brightness: float
    background: float
    sharpness: float


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

    Examples
    --------
    >>> from nucrec.datasets import ImageDataset, load_mnfinder_crops
    >>> from nucrec.models import TrainingDomain
    >>> crops = load_mnfinder_crops()
    >>> domain = TrainingDomain.of(crops)
    >>> domain.unusual(crops[:2])
    [(), ()]
    >>> negative = ImageDataset([255 - crops.images[0]], [0])
    >>> domain.unusual(negative)
    [('background 0.96, in training 0.00 to 0.14',)]
    """

    n: int
    depths: tuple[str, ...]
    side: Range
    brightness: Range
    background: Range
    sharpness: Range
    objects: float
    colour: bool | None = None

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
        seen = ((source.dtype.name, _grey(source)) for source in sources)
        rows = [(_measure(grey), dtype, _count_objects(grey)) for dtype, grey in seen]
        measured, dtypes, objects = zip(*rows, strict=True)
        height, width, *others = np.array(measured).T
        brightness, background, sharpness = map(_range, others)
        return cls(
            n=len(chosen),
            depths=tuple(sorted(set(dtypes))),
            side=_range(np.concatenate([height, width])),
            brightness=brightness,
            background=background,
            sharpness=sharpness,
            objects=float(np.median(objects)),
            colour=any(_n_pictures(source) > 1 for source in sources),
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
            property: "size", "brightness", "background", "sharpness", "depth" or "colour".

        Notes
        -----
        A size, brightness or sharpness is unusual beyond 1.5 times the range of the training
        images, and a background more than 0.25 beyond it. With n training images, both limits are
        widened by a factor of 1 + 8/n, since few images say little about the range of others.

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
            True for images more than 3 times as large as the training images that hold at least 3
            bright objects the size of nuclei, and at least twice as many as the training images.
        """
        fewest = max(_FIELD_OBJECTS, 2 * self.objects)
        found = np.zeros(len(images), bool)
        for k, source in enumerate(images.images.sources):
            if max(source.shape[:2]) > _FIELD_SIDE * self.side[1]:
                found[k] = _count_objects(_grey(source)) >= fewest
        return found

    def to_json(self) -> dict[str, Any]:
        """Return the attributes as plain lists and numbers."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in dataclasses.asdict(self).items()
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
            return cls(
                n, depths, **ranges, objects=objects, colour=_checked_flag(values.get("colour"))
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"training images are not described whole: {error!r}") from error

    def _reasons(self, source: ImageSource) -> Iterator[str]:
        found = _measure(_grey(source))
        size = (found.height, found.width)
        if not self._within(min(size), self.side) or not self._within(max(size), self.side):
            usual = " to ".join(f"{side:.0f}" for side in self.side)
            yield f"size {found.height} x {found.width}, in training {usual}"
        if not self._within(found.brightness, self.brightness):
            yield _told("brightness", found.brightness, self.brightness)
        low, high = self.background
        margin = _MARGIN * (1 + _FEW / self.n)
        if not low - margin <= found.background <= high + margin:
            yield _told("background", found.background, self.background)
        if not self._within(found.sharpness, self.sharpness):
            yield _told("sharpness", found.sharpness, self.sharpness)
        if source.dtype.name not in self.depths:
            usual = ", ".join(map(_depth, self.depths))
            yield f"depth {_depth(source.dtype.name)}, in training {usual}"
        n_pictures = _n_pictures(source) if self.colour is False else 1
        if n_pictures > 1:
            yield f"colour {n_pictures} different channels, in training 1: {ONE_CHANNEL}"

    def _within(self, value: float, usual: Range) -> bool:
        factor = _FACTOR * (1 + _FEW / self.n)
        return usual[0] / factor <= value <= usual[1] * factor


def domain_of(model: Any) -> TrainingDomain | None:
    """Return the training domain of a model or of a step of its pipeline, if it has one."""
    chosen = getattr(model, "best_estimator_", model)
    steps = [step for _, step in chosen.steps] if isinstance(chosen, Pipeline) else []
    found = (getattr(part, "domain_", None) for part in (chosen, *steps))
    return next((domain for domain in found if domain is not None), None)


def _measure(grey: Array) -> _Measures:
    last = grey.size - 1
    places = [last // 2, last * 99 // 100]
    median, high = np.partition(grey, places, axis=None)[places].tolist()
    height, width = grey.shape
    sharpness = _sharpness(grey.astype(np.float32))
    return _Measures(height, width, high / 255, median / 255, sharpness)


def _grey(source: ImageSource) -> Array:
    """Return the image as models receive it: grey, uint8."""
    return as_dtype(to_channels(source.in_grey().read(), 1)[..., 0], "uint8")


def _n_pictures(source: ImageSource) -> int:
    """Return how many channels show different pictures; 1 for grey and for images of one colour."""
    if len(source.shape) == 2 or source.shape[2] < 3 or source.in_grey() is not source:
        return 1
    bands = np.moveaxis(source.read()[..., :3], -1, 0).reshape(3, -1).astype(float)
    contrast = bands.std(axis=1)
    filled = bands[(contrast > 0) & (contrast >= _FAINT * contrast.max())]
    different = 0
    for k, alike in enumerate(np.atleast_2d(np.corrcoef(filled)) if len(filled) else ()):
        different += bool((np.abs(alike[:k]) < _ALIKE).all())
    return max(different, 1)


def _sharpness(grey: Array) -> float:
    """Return the mean squared Laplacian divided by the mean squared gradient; 0 for a flat image."""
    if min(grey.shape) < 3:
        return 0.0
    across, down = np.diff(grey, axis=1), np.diff(grey, axis=0)
    gradient = _mean_square(across) + _mean_square(down)
    laplacian = np.diff(across, axis=1)[1:-1] + np.diff(down, axis=0)[:, 1:-1]
    return _mean_square(laplacian) / gradient if gradient else 0.0


def _mean_square(values: Array) -> float:
    return float(np.vdot(values, values)) / values.size


def _count_objects(grey: Array) -> int:
    """Count bright objects not much smaller than the largest: nuclei rather than micronuclei."""
    from scipy import ndimage

    smooth = ndimage.uniform_filter(_thumbnail(grey), 3)
    clipped = np.minimum(smooth, np.percentile(smooth, 99))
    labels, n = ndimage.label(clipped > _otsu(clipped))
    areas = np.bincount(labels.ravel(), minlength=n + 1)[1:]
    return int((areas >= _LARGE_OBJECT * areas.max()).sum()) if n else 0


def _thumbnail(grey: Array) -> Array:
    """Return block means of the image, at most 256 per row."""
    side = -(-max(grey.shape) // _THUMBNAIL)
    rows, columns = (max(length // side, 1) for length in grey.shape)
    cut = grey[: rows * side, : columns * side].astype(np.float32)
    blocks = cut.reshape(rows, cut.shape[0] // rows, columns, cut.shape[1] // columns)
    return np.asarray(blocks.mean(axis=(1, 3)))


def _otsu(grey: Array) -> float:
    """Return Otsu's threshold between dark and bright pixels.

    N. Otsu, "A threshold selection method from gray-level histograms", IEEE Transactions on Systems,
    Man, and Cybernetics 9, 1979.
    """
    counts, edges = np.histogram(grey, 256)
    centres = (edges[1:] + edges[:-1]) / 2
    dark, total = np.cumsum(counts, dtype=float), np.cumsum(counts * centres)
    both = dark * (dark[-1] - dark)
    apart = (total * dark[-1] - total[-1] * dark) ** 2 / np.maximum(both, 1)
    return float(centres[apart[:-1].argmax()])


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
