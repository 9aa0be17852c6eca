"""Draw pairs in a notebook or into a figure of your own."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from nucrec._plotting import OneAxesDisplay, frozen
from nucrec.audit._pairs import DuplicatePairs
from nucrec.audit._sheet import TILE, caption, first_pairs, pair_tiles
from nucrec.datasets import ImageDataset

Array = npt.NDArray[Any]

_ACROSS = 3
_WIDTH = 2 * TILE + 24  # of a pair, in points
_LINE = 11  # points of a line of a caption
_NAME = 38  # characters in such a line


@dataclass(eq=False, repr=False)
class DuplicatePairsDisplay(OneAxesDisplay):
    """Show pairs of duplicate images side by side, each with its kind, similarity and names.

    Attributes
    ----------
    pairs : DuplicatePairs
        The pairs that are shown.
    images : ndarray of uint8, shape (n_pairs, 96, 192)
        Both images of each pair, in greyscale, resized to a common size.
    summary : str
        A one-line summary of all pairs.
    ax_, figure_ : matplotlib Axes and Figure
        Available after `plot`.

    See Also
    --------
    save_contact_sheet : Write the same picture as a PNG file, without matplotlib.

    Examples
    --------
    >>> from nucrec.audit import DuplicatePairsDisplay, duplicates
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> crops = load_mnfinder_crops("all")[:40]
    >>> display = DuplicatePairsDisplay.from_pairs(duplicates(crops, min_overlap=0.2), crops, limit=2)
    >>> display.plot().images.shape
    (2, 96, 192)
    """

    pairs: DuplicatePairs
    images: Array
    summary: str

    @classmethod
    def from_pairs(
        cls,
        pairs: DuplicatePairs,
        dataset: ImageDataset,
        other: ImageDataset | None = None,
        limit: int = 12,
    ) -> Self:
        """Fetch the images of pairs.

        Parameters
        ----------
        pairs : DuplicatePairs
            The pairs to show.
        dataset : ImageDataset
            The data set of the images `a`, and also of the images `b` unless `other` is given.
        other : ImageDataset, optional
            The data set of the images `b`: the test set, for the pairs of a `LeakageReport`.
        limit : int, default=12
            The largest number of pairs to show, from the first one on.

        Returns
        -------
        DuplicatePairsDisplay
            The display; call `plot` to draw it.

        Raises
        ------
        InvalidParameterError
            There are no pairs, or an id is not in the data set.
        """
        shown = first_pairs(pairs, limit)
        tiles = [np.asarray(tile) for tile in pair_tiles(shown, dataset, other)]
        return cls(shown, frozen(tiles), pairs.summary)

    @property
    def _size(self) -> tuple[float, float]:
        width, height = self._points
        return 0.4 + width / 72, 0.7 + height / 72

    @property
    def _points(self) -> tuple[int, int]:
        """Width and height of all pairs."""
        columns, rows = min(len(self.pairs), _ACROSS), -(-len(self.pairs) // _ACROSS)
        return columns * _WIDTH, rows * self._height

    @property
    def _captions(self) -> list[list[str]]:
        return [caption(pair, lambda line: len(line) <= _NAME) for pair in self.pairs]

    @property
    def _height(self) -> int:
        """Height of a pair with the longest caption."""
        return TILE + 13 + _LINE * max(map(len, self._captions))

    def _draw(self, ax: Any) -> None:
        width, height = self._points
        for k, (lines, image) in enumerate(zip(self._captions, self.images, strict=True)):
            left, top = k % _ACROSS * _WIDTH, k // _ACROSS * self._height
            extent = (left, left + 2 * TILE, top + TILE, top)
            ax.imshow(image, cmap="gray", vmin=0, vmax=255, extent=extent)
            text = "\n".join(lines).replace("$", r"\$")  # which is one, and no formula
            ax.text(left, top + TILE + 4, text, va="top", fontsize="small")
        ax.set_xlim(0, width)
        ax.set_ylim(height, 0)
        ax.set_axis_off()
        ax.set_title(f"{len(self.pairs)} of {self.summary}", loc="left", fontsize="medium")
