"""Decide on the common shape and dtype of all images of a data set."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec._pixels.image import ImageSource
from nucrec._pixels.intensity import OutputDtype, as_dtype, to_channels
from nucrec._validation import check_choice, check_size, invalid
from nucrec.errors import DatasetError

Array = npt.NDArray[Any]


class Plan(NamedTuple):
    """The common shape (height, width, channels) and dtype of all images."""

    sources: Sequence[ImageSource]
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    convert: Callable[[Array], Array]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.shape[:2]

    def finish(self, image: Array) -> Array:
        """Convert a resized image to the channels and the dtype."""
        return self.convert(to_channels(image, self.shape[2]))

    def finish_all(self, images: Iterable[Array]) -> Array:
        """Convert resized images to the channels and the dtype, as one array."""
        if isinstance(images, np.ndarray) and images.dtype == np.uint8:
            # each pixel by itself: a batch is as good as one tall image, and needs no copy
            tall = images.reshape(-1, *images.shape[2:])
            return self.finish(tall).reshape(len(images), *self.shape)
        return np.stack([self.finish(image) for image in images])


def make_plan(
    sources: Sequence[ImageSource],
    size: int | tuple[int, int] | None,
    channels: int | None,
    dtype: OutputDtype | None,
) -> Plan:
    """Decide on shape and dtype from what is known of the images, without decoding any.

    Raises
    ------
    DatasetError
        There are no images, or they differ and no common size or dtype was given.
    InvalidParameterError
        A parameter is out of range.
    """
    if not sources:
        raise DatasetError("the data set is empty: there are no images to make an array of")
    height_width = _common_size(sources) if size is None else check_size("size", size)
    if channels is None:
        channels = common_channels(sources)
    elif channels not in (1, 3):
        raise invalid("channels", "1 or 3", channels)
    if dtype is not None:
        check_choice("dtype", dtype, ("uint8", "float32"))
    own = np.dtype(dtype) if dtype else _common_dtype(sources)
    if channels == 1:
        sources = [source.in_grey() for source in sources]
    shape = (*height_width, channels)
    return Plan(sources, shape, own, lambda image: as_dtype(image, dtype))


def common_channels(sources: Sequence[ImageSource]) -> int:
    """Return 1 if all images are greyscale or of one colour, else 3; transparency does not count."""
    shapes = (source.in_grey().shape for source in sources)
    return 1 if all(len(shape) == 2 or shape[2] < 3 for shape in shapes) else 3


def _common_size(sources: Sequence[ImageSource]) -> tuple[int, int]:
    sizes = {source.shape[:2] for source in sources}
    if len(sizes) > 1:
        raise DatasetError(
            f"the images have {len(sizes)} different sizes, from {min(sizes)} to {max(sizes)}: "
            "pass size=, for example size=64"
        )
    height, width = sizes.pop()
    return height, width


def _common_dtype(sources: Sequence[ImageSource]) -> np.dtype[Any]:
    counts = Counter(source.dtype for source in sources)
    if len(counts) > 1:
        found = ", ".join(f"{count} of {dtype}" for dtype, count in counts.most_common())
        raise DatasetError(
            f"the images are of different dtypes ({found}): pass dtype='uint8' or 'float32'"
        )
    return next(iter(counts))
