"""Write pairs as a picture, for people who would rather look than read."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from nucrec._files import replacing
from nucrec._paths import output_file
from nucrec._text import in_lines, printable
from nucrec._validation import check_int, invalid
from nucrec.audit._duplicates import check_dataset
from nucrec.audit._pairs import DuplicatePair, DuplicatePairs
from nucrec.audit._thumbnails import grey
from nucrec.datasets import ImageDataset

TILE = 96
_DPI = 200
_SHEET_TILE = 2 * TILE
_MARGIN = 16
_FONT = 20
_LINE = 24
_ACROSS = 4
_NAME = 44  # characters of a name in a line, at most


def save_contact_sheet(
    pairs: DuplicatePairs,
    path: str | os.PathLike[str],
    dataset: ImageDataset,
    other: ImageDataset | None = None,
    *,
    limit: int = 100,
) -> Path:
    """Write a picture of pairs side by side, each with its kind, similarity and whole names.

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
    sheet = _sheet(shown, pair_tiles(shown, dataset, other, _SHEET_TILE))
    with replacing(where) as temporary:
        sheet.save(temporary, "PNG", dpi=(_DPI, _DPI))
    return where


def _sheet(pairs: DuplicatePairs, tiles: Sequence[Image.Image]) -> Image.Image:
    """Return the pairs in rows, each row as high as the longest of its captions."""
    font = ImageFont.load_default(_FONT)
    captions = [
        caption(pair, lambda line: font.getlength(line) <= 2 * _SHEET_TILE) for pair in pairs
    ]
    rows = [range(k, min(k + _ACROSS, len(pairs))) for k in range(0, len(pairs), _ACROSS)]
    texts = [_LINE * max(len(captions[k]) for k in row) for row in rows]
    width = len(rows[0]) * (2 * _SHEET_TILE + _MARGIN) + _MARGIN
    height = sum(_SHEET_TILE + text + _MARGIN for text in texts) + _MARGIN
    sheet = Image.new("L", (width, height), 255)
    draw = ImageDraw.Draw(sheet)
    top = _MARGIN
    for row, text in zip(rows, texts, strict=True):
        for column, k in enumerate(row):
            left = _MARGIN + column * (2 * _SHEET_TILE + _MARGIN)
            sheet.paste(tiles[k], (left, top))
            for i, line in enumerate(captions[k]):
                draw.text((left, top + _SHEET_TILE + i * _LINE), line, fill=0, font=font)
        top += _SHEET_TILE + text + _MARGIN
    return sheet


def first_pairs(pairs: DuplicatePairs, limit: int) -> DuplicatePairs:
    """Return the first pairs, at least one."""
    check_int("limit", limit, low=1)
    if not isinstance(pairs, DuplicatePairs) or not len(pairs):
        raise invalid("pairs", "at least one pair", pairs)
    return pairs[:limit]


def pair_tiles(
    pairs: DuplicatePairs, dataset: ImageDataset, other: ImageDataset | None, side: int = TILE
) -> list[Image.Image]:
    """Return a picture of each pair: both images side by side, each in a square of so many pixels."""
    parts = dataset, dataset if other is None else other
    for name, part in zip(("dataset", "other"), parts, strict=True):
        check_dataset(name, part)
    places = [{str(name): i for i, name in enumerate(part.ids)} for part in parts]
    tiles = []
    for pair in pairs:
        both = Image.new("L", (2 * side, side))
        for i, name in enumerate((pair.a, pair.b)):
            if name not in places[i]:
                raise invalid("pairs", "ids of the data set", name)
            both.paste(_tile(parts[i], places[i][name], side), (i * side, 0))
        tiles.append(both)
    return tiles


def _tile(dataset: ImageDataset, position: int, side: int) -> Image.Image:
    picture = Image.fromarray(np.rint(grey(dataset.images[position])).astype(np.uint8))
    scale = (side - 2) / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    tile = Image.new("L", (side, side), 128)
    tile.paste(picture.resize(size, Image.Resampling.BILINEAR), (1, 1))
    return tile


def caption(pair: DuplicatePair, fits: Callable[[str], bool] | None = None) -> list[str]:
    """Return the lines below a pair: what it is, and both names, whole, in lines that fit."""
    share = f", {pair.overlap:.0%} shared" if pair.kind == "overlap" else ""
    across = ", classes differ" if pair.across else ""
    about = f"{pair.kind} {pair.similarity:.3f}{share}{across}"
    return [about, *_lines_of(pair.a, fits), *_lines_of(pair.b, fits)]


def _lines_of(name: str, fits: Callable[[str], bool] | None) -> list[str]:
    """Return a name in the fewest lines that fit."""
    text = printable(name)
    if fits is None:
        return in_lines(text, _NAME)
    broken = (in_lines(text, width) for width in range(_NAME, 1, -1))
    return next((lines for lines in broken if all(map(fits, lines))), in_lines(text, 1))
