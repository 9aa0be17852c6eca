"""Draw augmented copies beside their originals."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from nucrec._plotting import OneAxesDisplay, frozen, label
from nucrec._text import images as counted
from nucrec._validation import check_int, invalid
from nucrec.augment._pipeline import Pipeline
from nucrec.datasets import ImageDataset, rescale_intensity

Array = npt.NDArray[Any]

_TILE = 96
_GAP = 2  # pixels
_APART = 0.12  # of a tile, from the originals to their copies


@dataclass(eq=False, repr=False)
class AugmentationDisplay(OneAxesDisplay):
    """Show originals on the left and their augmented copies on the right.

    Attributes
    ----------
    images : ndarray of uint8, shape (n, 1 + copies, 96, 96, channels)
        Each original followed by its copies, resized to a common size. Images of other bit depths are
        converted together with their copies, so that changes in brightness remain visible.
    class_names : tuple of str, length n
        The class of each original.
    n_images : int
        Number of images in the data set.
    ax_, figure_ : matplotlib Axes and Figure
        Available after `plot`.

    Examples
    --------
    >>> from nucrec.augment import AugmentationDisplay, paper_pipeline
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> pipeline = paper_pipeline(random_state=0)
    >>> display = AugmentationDisplay.from_dataset(load_mnfinder_crops(), pipeline, n=2).plot()
    >>> display.images.shape, display.class_names
    ((2, 6, 96, 96, 1), ('micronucleus', 'nucleus'))
    """

    images: Array
    class_names: tuple[str, ...]
    n_images: int

    @classmethod
    def from_dataset(
        cls, dataset: ImageDataset, pipeline: Pipeline, n: int = 4, copies: int = 5
    ) -> Self:
        """Make augmented copies of some images.

        Parameters
        ----------
        dataset : ImageDataset
            The originals.
        pipeline : Pipeline
            The augmentation.
        n : int, default=4
            Number of images, evenly spaced from the first to the last; all if there are fewer.
        copies : int, default=5
            Number of copies of each; they equal those of ``pipeline.expand``.

        Returns
        -------
        AugmentationDisplay
            The display; call `plot` to draw it.

        Raises
        ------
        InvalidParameterError
            A parameter is out of range, or the data set is empty or already contains augmented
            copies.
        """
        if not isinstance(dataset, ImageDataset) or not len(dataset):
            raise invalid("dataset", "an ImageDataset that is not empty", dataset)
        if not isinstance(pipeline, Pipeline):
            raise invalid("pipeline", "a Pipeline", pipeline)
        check_int("n", n, low=1)
        chosen = np.unique(np.linspace(0, len(dataset) - 1, n).round().astype(int))
        larger = pipeline.expand(dataset[chosen], copies)
        dtypes = {source.dtype for source in larger.images.sources}
        array = larger.to_array(_TILE, dtype=None if len(dtypes) == 1 else "uint8")
        tiles = array.reshape(copies + 1, len(chosen), *array.shape[1:]).swapaxes(0, 1)
        if tiles.dtype != np.uint8:
            flat = tiles.reshape(len(chosen), -1, *array.shape[2:])
            tiles = np.stack([rescale_intensity(each) for each in flat]).reshape(tiles.shape)
        names = tuple(dataset.class_names[label] for label in dataset.labels[chosen])
        return cls(frozen(tiles), names, len(dataset))

    @property
    def _size(self) -> tuple[float, float]:
        n, across = self.images.shape[:2]
        return 1.6 + 1.05 * across, 0.9 + 1.05 * n

    def _draw(self, ax: Any) -> None:
        n, across = self.images.shape[:2]
        _show(ax, self.images[:, :1], -_APART)
        _show(ax, self.images[:, 1:], 1)
        ax.set_xlim(-0.5 - _APART, across - 0.5)
        ax.set_ylim(n - 0.5, -0.5)
        names = ["original", *(f"copy {k}" for k in range(1, across))]
        ax.set_xticks([-_APART, *range(1, across)], names)
        ax.set_yticks(range(n), list(map(label, self.class_names)))
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.set_title(f"{n} of {counted(self.n_images)}, and {across - 1} augmented copies of each")


def _show(ax: Any, tiles: Array, left: float) -> None:
    """Lay out tiles of shape (rows, columns, height, width, channels), the first centred at `left`."""
    gap = (_GAP, _GAP)
    padded = np.pad(tiles, [(0, 0), (0, 0), gap, gap, (0, 0)], constant_values=255)
    rows, columns, height, width, _ = padded.shape
    sheet = padded.swapaxes(1, 2).reshape(rows * height, columns * width, -1)
    colour = sheet if sheet.shape[2] == 3 else sheet[..., 0]
    extent = (left - 0.5, left + columns - 0.5, rows - 0.5, -0.5)
    ax.imshow(colour, cmap="gray", vmin=0, vmax=255, extent=extent)
