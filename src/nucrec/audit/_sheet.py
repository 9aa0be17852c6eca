"""Write pairs as a picture, for people who would rather look than read."""

import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from nucrec._files import replacing
from nucrec._paths import output_file
from nucrec._text import printable
from nucrec._validation import check_int, invalid
from nucrec.audit._duplicates import check_dataset
from nucrec.audit._pairs import DuplicatePair, DuplicatePairs
from nucrec.audit._thumbnails import grey
from nucrec.datasets import ImageDataset

TILE = 96
_MARGIN = 8
_TEXT = 40
_ACROSS = 4
_NAME = 32  # characters


def save_contact_sheet(
    pairs: DuplicatePairs,
    path: str | os.PathLike[str],
    dataset: ImageDataset,
    other: ImageDataset | None = None,
    *,
    limit: int = 100,
) -> Path:
    """Write a picture of pairs side by side, each with its kind, similarity and names.

    Parameters
    ----------
    pairs : DuplicatePairs
        The pairs to show.
    path : path
        A PNG file; an existing one is replaced atomically.
    dataset : ImageDataset
        The data set of the images `a`, and also of the images `b` unless `other` is given.
    other : ImageDataset, optional
        The data set of the images `b`: the test set, for the pairs of a `LeakageReport`.
    limit : int, default=100
        The largest number of pairs to show, from the first one on.

    Returns
    -------
    pathlib.Path
        The path of the file.

    Raises
    ------
    InvalidParameterError
        There are no pairs, an id is not in the data set, or the name does not end in ".png".
    NucrecError
        The file cannot be written.

    Examples
    --------
    >>> from nucrec.audit import duplicates, save_contact_sheet
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> crops = load_mnfinder_crops("all")[:40]
    >>> file = save_contact_sheet(duplicates(crops, min_overlap=0.2), "pairs.png", crops)
    >>> file.unlink()
    """
    where = output_file("path", path)
    if where.suffix.lower() != ".png":
        raise invalid("path", "a name that ends in .png", str(path))
    shown = first_pairs(pairs, limit)
    tiles = pair_tiles(shown, dataset, other)
    rows = -(-len(shown) // _ACROSS)
    width = min(len(shown), _ACROSS) * (2 * TILE + _MARGIN) + _MARGIN
    height = rows * (TILE + _TEXT + _MARGIN) + _MARGIN
    sheet = Image.new("L", (width, height), 255)
    draw = ImageDraw.Draw(sheet)
    for k, (pair, both) in enumerate(zip(shown, tiles, strict=True)):
        left = _MARGIN + k % _ACROSS * (2 * TILE + _MARGIN)
        top = _MARGIN + k // _ACROSS * (TILE + _TEXT + _MARGIN)
        sheet.paste(both, (left, top))
        draw.multiline_text((left, top + TILE + 1), caption(pair), fill=0, spacing=1)
    with replacing(where) as temporary:
        sheet.save(temporary, "PNG")
    return where


def first_pairs(pairs: DuplicatePairs, limit: int) -> DuplicatePairs:
    """Return the first pairs, at least one."""
    check_int("limit", limit, low=1)
    if not isinstance(pairs, DuplicatePairs) or not len(pairs):
        raise invalid("pairs", "at least one pair", pairs)
    return pairs[:limit]


def pair_tiles(
    pairs: DuplicatePairs, dataset: ImageDataset, other: ImageDataset | None
) -> list[Image.Image]:
    """Return a picture of each pair: both images side by side, each in a square of `TILE` pixels."""
    parts = dataset, dataset if other is None else other
    for name, part in zip(("dataset", "other"), parts, strict=True):
        check_dataset(name, part)
    places = [{str(name): i for i, name in enumerate(part.ids)} for part in parts]
    tiles = []
    for pair in pairs:
        both = Image.new("L", (2 * TILE, TILE))
        for i, name in enumerate((pair.a, pair.b)):
            if name not in places[i]:
                raise invalid("pairs", "ids of the data set", name)
            both.paste(_tile(parts[i], places[i][name]), (i * TILE, 0))
        tiles.append(both)
    return tiles


def _tile(dataset: ImageDataset, position: int) -> Image.Image:
    picture = Image.fromarray(np.rint(grey(dataset.images[position])).astype(np.uint8))
    scale = (TILE - 2) / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    tile = Image.new("L", (TILE, TILE), 128)
    tile.paste(picture.resize(size, Image.Resampling.BILINEAR), (1, 1))
    return tile


def caption(pair: DuplicatePair) -> str:
    share = f", {pair.overlap:.0%} shared" if pair.kind == "overlap" else ""
    names = (printable(name) for name in (pair.a, pair.b))
    ends = (name if len(name) <= _NAME else "..." + name[3 - _NAME :] for name in names)
    return "\n".join([f"{pair.kind} {pair.similarity:.3f}{share}", *ends])
