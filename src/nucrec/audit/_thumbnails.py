"""Small standardized pictures that are invariant to size, brightness and contrast."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from nucrec._pixels.intensity import as_dtype, to_grey

Array = npt.NDArray[Any]

SIDE = 20
_BLUR = 2.5  # pixels of the thumbnail
_FITTED_ON = 20_000


@dataclass(frozen=True)
class Thumbnails:
    """Thumbnails of images, plain and with a blurred copy subtracted.

    Attributes
    ----------
    plain, detail : ndarray of float32, shape (n, SIDE, SIDE)
        Each has mean 0 and length 1, so that the dot product of two is their correlation. Zero if
        the image is constant.
    contrast : ndarray of float32, shape (n,)
        Standard deviation of the detail, in grey levels of 255, times the number of image pixels per
        thumbnail pixel. It compares with noise of one grey level in each pixel.
    """

    plain: Array
    detail: Array
    contrast: Array

    @classmethod
    def of(cls, images: Iterable[Array]) -> "Thumbnails":
        """Create thumbnails of images of any size, dtype and number of channels."""
        blur = gaussian_matrix(SIDE, _BLUR)
        pictures, scales = [], []
        for image in images:
            pictures.append(_shrunk(image))
            scales.append(max(1.0, min(image.shape[:2]) / SIDE))
        small = np.array(pictures, np.float64).reshape(-1, SIDE, SIDE)
        detail = small - blur @ small @ blur.T
        contrast = detail.std(axis=(1, 2)) * np.array(scales)
        return cls(standardised(small), standardised(detail), contrast.astype(np.float32))


def grey(image: Array) -> Array:
    """Return an image of any dtype and number of channels as float32 (H, W) from 0 to 255."""
    return as_dtype(to_grey(image), "uint8").astype(np.float32)


@functools.lru_cache(maxsize=512)
def gaussian_matrix(length: int, sigma: float) -> Array:
    """Return the matrix that blurs a line of pixels; its last pixels are repeated beyond the ends."""
    reach = np.arange(length)
    weights = np.exp(-0.5 * ((reach[:, np.newaxis] - reach) / sigma) ** 2)
    matrix = np.asarray(weights / weights.sum(axis=1, keepdims=True))
    matrix.setflags(write=False)
    return matrix


def standardised(pictures: Array) -> Array:
    """Scale pictures of shape (..., h, w) to mean 0 and length 1; constant ones become 0."""
    centred = pictures - pictures.mean(axis=(-2, -1), keepdims=True)
    length = np.sqrt((centred**2).sum(axis=(-2, -1), keepdims=True))
    flat = length <= 1e-6 * np.abs(pictures).max(axis=(-2, -1), keepdims=True, initial=1e-30)
    return np.where(flat, 0.0, centred / np.where(flat, 1.0, length)).astype(np.float32)


def symmetries(pictures: Array) -> list[Array]:
    """Return square pictures of shape (..., s, s) in all 8 symmetries, the identity first."""
    mirrored = pictures[..., ::-1]
    turns = range(4)
    turned = [np.rot90(each, k, (-2, -1)) for each in (pictures, mirrored) for k in turns]
    return [np.ascontiguousarray(each) for each in turned]


def invariants(pictures: Array) -> Array:
    """Return descriptors of square pictures that rotating or flipping them does not change.

    A picture is the sum of five components, one for each irreducible representation of the dihedral
    group of order 8, the symmetries of the square. Four of them change at most their sign, and the
    fifth keeps its length at each orbit of pixels. With absolute values and lengths, two descriptors
    are therefore never further apart than the two pictures in the best of their 8 positions, so
    that a search by descriptors misses no pair.

    Parameters
    ----------
    pictures : ndarray of shape (n, s, s), s even
        The pictures.

    Returns
    -------
    ndarray of float32, shape (n, 5 s (s + 2) / 8)
        The descriptors, each of the same length as its picture.
    """
    half = pictures.shape[1] // 2
    r0, r1, r2, r3, f0, f1, f2, f3 = symmetries(pictures)
    quarter, mirror_quarter = (r0 - r1 + r2 - r3) / 8, (f0 - f1 + f2 - f3) / 8
    same, mirrored = (r0 + r1 + r2 + r3) / 8, (f0 + f1 + f2 + f3) / 8
    rows, columns = np.triu_indices(half)
    n_pixels = np.where(rows == columns, 4, 8)  # of each orbit
    signed = [same - mirrored, quarter + mirror_quarter, quarter - mirror_quarter]
    parts = [(same + mirrored)[:, rows, columns]]
    parts += [np.abs(part[:, rows, columns]) for part in signed]
    odd = symmetries((r0 - r2) / 2)
    parts.append(np.sqrt(sum(each[:, rows, columns] ** 2 for each in odd) / 8))
    return np.concatenate([part * np.sqrt(n_pixels) for part in parts], axis=1).astype(np.float32)


def projected(points: Array, dimensions: int) -> Array:
    """Project points onto their first principal components, which never increases a distance.

    Parameters
    ----------
    points : ndarray of shape (n, k)
        The points.
    dimensions : int
        The number of components; all if there are fewer.
    """
    return np.asarray(points @ directions(points, dimensions))


def directions(points: Array, dimensions: int) -> Array:
    """Return the principal components of points, as columns of length 1."""
    some = points[:: -(-len(points) // _FITTED_ON)]
    _, found = np.linalg.eigh(np.cov(some.astype(np.float64), rowvar=False, bias=True))
    return np.asarray(found[:, -dimensions:].astype(points.dtype))


def _shrunk(image: Array) -> Array:
    # a triangle as wide as the pixels that become one: the same for both directions, whatever
    # the size, which a whole number of pixels to average is not
    picture = Image.fromarray(grey(image))
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR))
