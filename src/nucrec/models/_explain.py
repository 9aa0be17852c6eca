"""Grad-CAM heat maps of a network, as numbers and as pictures."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from nucrec import _notebook as show
from nucrec._files import make_folder, replacing
from nucrec._paths import checked_path
from nucrec._pixels.intensity import as_dtype, to_grey
from nucrec._pixels.resample import resize
from nucrec._text import many
from nucrec._validation import check_int, check_real
from nucrec.datasets import ImageDataset, LazyImages

Array = npt.NDArray[Any]

_INFERNO = np.array(
    [
        *((0, 0, 4), (11, 7, 36), (33, 12, 74), (61, 9, 101), (87, 16, 110), (113, 25, 110)),
        *(
            (138, 34, 106),
            (163, 44, 97),
            (188, 55, 84),
            (210, 70, 68),
            (228, 90, 49),
            (241, 115, 29),
        ),
        *((249, 142, 9), (252, 172, 17), (249, 203, 53), (242, 234, 105), (252, 255, 164)),
    ]
)
"""17 colours of matplotlib's "inferno" (S. van der Walt, N. Smith, 2015, CC0), at equal distances."""

_NAME = 80  # in characters
_SHOWN = 8  # images in a notebook
_OPACITY = 0.6
_GAP = 4  # pixels between an image and its overlay
_DPI = 200


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """The regions of each image that raised the score of a class, as heat maps.

    Attributes
    ----------
    heat : ndarray of float32, shape (n, H, W), or list of ndarray of shape (H, W)
        Heat maps from 0 to 1, at the size of each image; a list if sizes differ. Each map is scaled to
        a maximum of 1, the region that raised the score most, so the heat of two images cannot be
        compared.
    targets : tuple of str, length n
        The class that each heat map explains.
    probabilities : ndarray of float32, shape (n, n_classes)
        The probabilities returned by `ImageClassifier.predict_proba`.
    images : LazyImages
        The explained images.
    ids : ndarray of str, shape (n,)
        The ids of the images.

    Examples
    --------
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> from nucrec.models import cnn
    >>> crops = load_mnfinder_crops()
    >>> model = cnn(image_size=32, epochs=1, random_state=0).fit(crops)
    >>> found = model.explain(crops[:3], "micronucleus")
    >>> found
    Explanation(3 images)
    >>> found.overlay(0).shape == (*crops.images[0].shape, 3)
    True
    """

    heat: Array | list[Array]
    targets: tuple[str, ...]
    probabilities: Array
    images: LazyImages
    ids: Array

    @classmethod
    def of(
        cls, maps: Array, targets: tuple[str, ...], probabilities: Array, explained: ImageDataset
    ) -> "Explanation":
        """Resize maps of shape (n, h, w) to the images and scale them to the range 0 to 1."""
        shapes = [(height, width) for height, width, *_ in explained.images.shapes]
        heats = [_heat(*pair) for pair in zip(maps, shapes, strict=True)]
        heat = np.stack(heats) if len(set(shapes)) == 1 else heats
        return cls(heat, targets, probabilities, explained.images, explained.ids)

    def __len__(self) -> int:
        return len(self.targets)

    def __repr__(self) -> str:
        return f"Explanation({many(len(self), 'image')})"

    def _repr_html_(self) -> str:
        shown = show.evenly(range(len(self)), _SHOWN)
        tiles = [self._tile(k) for k in shown]
        words = (
            f"{many(len(self), 'image')}, each beside the regions that raised the score of a class"
        )
        some = f"; shown: {len(shown)}" if len(shown) < len(self) else ""
        return show.fragment(show.paragraphs(words + some), show.thumbnails(tiles, 128))

    def _tile(self, k: int) -> show.Tile:
        pair = show.as_picture(self.images[k]), _overlay(self.images[k], self.heat[k], _OPACITY)
        return show.Tile(pair, str(self.ids[k]), f"heat map of {self.targets[k]}")

    def overlay(self, k: int | None = None, *, opacity: float = _OPACITY) -> Array | list[Array]:
        """Return the images in grey, overlaid with their heat maps: black, violet, red, orange, yellow.

        Parameters
        ----------
        k : int, optional
            The position of one image, counted from 0; by default all images.
        opacity : float, default=0.6
            Opacity of the colour where the heat is 1, from 0 to 1. It decreases to 0 with the heat.

        Returns
        -------
        ndarray of uint8, shape (H, W, 3) or (n, H, W, 3), or list of ndarray of shape (H, W, 3)
            One picture, or all of them, as a list if sizes differ.

        Raises
        ------
        InvalidParameterError
            There is no such image, or the opacity is out of range.
        """
        check_real("opacity", opacity, low=0, high=1)
        if k is not None:
            k = check_int("k", k, low=0, high=len(self) - 1)
            return _overlay(self.images[k], self.heat[k], opacity)
        pictures = [_overlay(*pair, opacity) for pair in zip(self.images, self.heat, strict=True)]
        return np.stack(pictures) if isinstance(self.heat, np.ndarray) else pictures

    def save(self, folder: str | os.PathLike[str], *, opacity: float = _OPACITY) -> list[Path]:
        """Write each image beside its overlay to a PNG file, named by position, class and image.

        Parameters
        ----------
        folder : path
            The output folder, which is created if necessary. Existing files of the same names are
            replaced, each completely or not at all.
        opacity : float, default=0.6
            As in `overlay`.

        Returns
        -------
        list of Path
            The files written: the image in grey on the left, then 4 white pixels, then the overlay,
            both at the size of the image.

        Raises
        ------
        InvalidParameterError
            The opacity is out of range.
        NucrecError
            The folder or a file cannot be written.
        """
        check_real("opacity", opacity, low=0, high=1)
        where = checked_path("folder", folder)
        make_folder(where)
        files = []
        for k, (target, name) in enumerate(zip(self.targets, self.ids.tolist(), strict=True)):
            file = where / f"{k:05d} {_plain(target)} {_plain(name)}.png"
            with replacing(file) as temporary:
                picture = _beside(self.images[k], self.heat[k], opacity)
                Image.fromarray(picture).save(temporary, "PNG", dpi=(_DPI, _DPI))
            files.append(file)
        return files


def _heat(map_: Array, shape: tuple[int, int]) -> Array:
    """Return the positive part of a map, resized to (height, width) and scaled to a maximum of 1."""
    heat = resize(np.maximum(map_, 0).astype(np.float32), shape)
    highest = heat.max()
    return heat / highest if highest > 0 else heat


def _overlay(image: Array, heat: Array, opacity: float) -> Array:
    grey = grey_levels(image)[..., np.newaxis].astype(np.float32)
    weight = opacity * heat[..., np.newaxis]
    return np.rint(grey * (1 - weight) + inferno(heat) * weight).astype(np.uint8)


def _beside(image: Array, heat: Array, opacity: float) -> Array:
    """Return an image in grey, and its overlay to the right of it."""
    grey = np.repeat(grey_levels(image)[..., np.newaxis], 3, axis=2)
    gap = np.full((len(grey), _GAP, 3), 255, np.uint8)
    return np.concatenate([grey, gap, _overlay(image, heat, opacity)], axis=1)


def grey_levels(image: Array) -> Array:
    """Return an image of any dtype and number of channels as uint8 (H, W)."""
    return as_dtype(to_grey(image), "uint8")


def inferno(values: Array) -> Array:
    """Return the colour of each value from 0 to 1, as floats from 0 to 255."""
    anchors = np.linspace(0, 1, len(_INFERNO))
    return np.stack([np.interp(values, anchors, band) for band in _INFERNO.T], axis=-1)


def _plain(name: str) -> str:
    """Return a name that is valid on every file system, without its extension."""
    return re.sub(r"[^\w.-]+", "_", name.removesuffix(".png"), flags=re.ASCII)[-_NAME:]
