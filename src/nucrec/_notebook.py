"""Display of results in notebooks: short tables and thumbnails, as HTML of bounded size.

Everything is styled in place, since notebooks and the sites that render them drop style sheets.
"""

import base64
import dataclasses
import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from pathlib import PurePath
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from nucrec._pixels.intensity import as_dtype, to_channels
from nucrec._text import Row, html, html_table, many, number, shown

Array = npt.NDArray[Any]
T = TypeVar("T")

LARGEST = 200_000
"""Characters of all that a notebook shows of one result."""

PICTURES = 130_000
"""Characters of all thumbnails of one result."""

_TABLE = 40_000  # characters of one table
_COLUMNS = 30
_CELL = 200  # characters
_SMALLEST = 16  # pixels of a thumbnail
_SCALARS = (str, bool, int, float, np.generic, PurePath)
_FEW = 8

_FLEX = "display:flex;flex-wrap:wrap;gap:10px;align-items:flex-start;margin:4px 0"
_CAPTION = "font-size:12px;line-height:1.3;overflow-wrap:anywhere"


class Facts:
    """A dataclass that a notebook shows as a table of its public attributes."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return fragment(heading(type(self).__name__), facts(attributes(self)))


class Rows(tuple[T, ...]):
    """A tuple of results of one kind, which a notebook shows as a table."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        rows = [attributes(each) for each in self]
        if not rows:
            return fragment(paragraphs("none"))
        header = [name for name, _ in rows[0]]
        return fragment(table(header, ([value for _, value in row] for row in rows)))


class Tile(NamedTuple):
    """Pictures side by side, with a name and a remark below.

    Attributes
    ----------
    pictures : sequence of ndarray of uint8, shape (H, W) or (H, W, 3)
        The pictures.
    name, words : str
        What is written below them.
    """

    pictures: Sequence[Array]
    name: str
    words: str = ""


def fragment(*parts: str) -> str:
    """Return parts that are HTML as one; parts beyond the largest size are replaced by a note."""
    kept: list[str] = []
    left = LARGEST - 1000  # for the wrapping and the notes
    for part in filter(None, parts):
        if len(part) <= left:
            kept.append(part)
            left -= len(part)
        elif not kept or kept[-1] != _TOO_LARGE:
            kept.append(_TOO_LARGE)
    return f'<div class="nucrec">{"".join(kept)}</div>'


def heading(words: str) -> str:
    """Return a line of text in bold."""
    return f"<p><b>{html(_cut(words))}</b></p>"


def paragraphs(*texts: str) -> str:
    """Return texts as paragraphs; empty ones are left out."""
    return "".join(f"<p>{html(_cut(text, 2000))}</p>" for text in texts if text)


_TOO_LARGE = "<p>The rest is too large to be shown here.</p>"


def table(header: Row, rows: Iterable[Row]) -> str:
    """Return a table, cut off where it would be too large, with the number of rows left out."""
    lines = [_short(row) for row in rows]
    kept: list[Row] = []
    size = len(html_table(_short(header), []))
    for line in lines:
        size += len(html_table((), [line]))
        if kept and size > _TABLE:
            break
        kept.append(line)
    more = len(lines) - len(kept)
    return html_table(_short(header), kept) + (paragraphs(f"and {more} more") if more else "")


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Return a table of names and values, both to the left."""
    left = 'style="text-align:left;vertical-align:top"'
    lines = (
        f"<tr><th {left}>{html(_cut(name))}</th><td {left}>{html(_cut(value, 600))}</td></tr>"
        for name, value in rows
    )
    return f"<table><tbody>{''.join(lines)}</tbody></table>"


def folded(summary: str, *parts: str) -> str:
    """Return parts that are HTML, shown when the summary is clicked."""
    return f"<details><summary>{html(summary)}</summary>{''.join(parts)}</details>"


def attributes(result: Any) -> list[tuple[str, str]]:
    """Return the public attributes of a dataclass or named tuple, each as a name and a short text."""
    if dataclasses.is_dataclass(result):
        names = [field.name for field in dataclasses.fields(result) if field.name[0] != "_"]
    else:
        names = list(result._fields)
    return [(name.replace("_", " "), as_words(getattr(result, name))) for name in names]


def as_words(value: Any) -> str:
    """Return a value as a short text: long lists and arrays are told by their size."""
    if value is None:
        return "none"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return f"{value:.4g}" if math.isfinite(value) else number(float(value))
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape}, {value.dtype}"
    if isinstance(value, Mapping):
        return _several([f"{key}: {as_words(each)}" for key, each in value.items()], "entries")
    if isinstance(value, tuple | list | Set) and not hasattr(value, "_fields"):
        if all(isinstance(each, _SCALARS) for each in value):
            return _several([as_words(each) for each in value], "values")
        return many(len(value), "entry", "entries")
    return shown(value)


def thumbnails(tiles: Sequence[Tile], side: int = 96, largest: float = PICTURES) -> str:
    """Return pictures in rows that wrap, each with its name; smaller where all would be too large.

    Parameters
    ----------
    tiles : sequence of Tile
        What to show.
    side : int, default=96
        The longer side of a picture on the screen. It has up to 4/3 as many pixels; smaller pictures
        keep theirs, which the HTML holds exactly.
    largest : float, default=PICTURES
        The most characters that the pictures may take.
    """
    pixels = side * 4 // 3
    while True:
        pictures = [[_encoded(each, pixels) for each in tile.pictures] for tile in tiles]
        total = sum(len(each) for several in pictures for each in several)
        if total <= largest or pixels <= _SMALLEST:
            break
        pixels = max(_SMALLEST, pixels * 2 // 3)
    shown_tiles = (_tile(*each, side) for each in zip(tiles, pictures, strict=True))
    return f'<div style="{_FLEX}">{"".join(shown_tiles)}</div>' if tiles else ""


def as_picture(image: Array) -> Array:
    """Return an image of any dtype and number of channels as uint8, of shape (H, W) or (H, W, 3)."""
    if image.ndim == 3 and image.shape[2] >= 3:
        return as_dtype(to_channels(image, 3), "uint8")
    return as_dtype(to_channels(image, 1), "uint8")[..., 0]


def small_picture(read: Callable[[], Array], side: int = 96) -> Array:
    """Return an image as a picture that is large enough for a thumbnail; grey if it cannot be read.

    A large image is subsampled before rescaling, which is faster.
    """
    try:
        image = read()
    except (OSError, ValueError):  # a file that is gone must not end in a traceback below a cell
        return np.full((side, side), 128, np.uint8)
    step = max(1, max(image.shape[:2]) // (8 * side))
    return as_picture(image[::step, ::step])


def evenly(positions: Sequence[int] | Array, most: int) -> list[int]:
    """Return some of the positions, at most `most`, evenly spaced."""
    chosen = np.linspace(0, len(positions) - 1, min(most, len(positions))).round().astype(int)
    return [int(positions[k]) for k in chosen]


def _tile(tile: Tile, pictures: Sequence[str], side: int) -> str:
    size = f"width:{side}px;height:{side}px;min-width:0"
    style = f"{size};object-fit:contain;background:#000;margin:0 1px"
    name = html(_cut(tile.name))
    images = "".join(f'<img src="{each}" alt="{name}" style="{style}">' for each in pictures)
    words = f"<br>{html(_cut(tile.words))}" if tile.words else ""
    width = max(1, len(pictures)) * (side + 2)
    return (
        f'<div style="width:{width}px;max-width:100%"><div style="display:flex">{images}</div>'
        f'<div style="{_CAPTION}">{name}{words}</div></div>'
    )


def _encoded(pixels: Array, side: int) -> str:
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(pixels))
    file = io.BytesIO()
    if max(image.size) <= side:
        kind = "png"
        image.save(file, "PNG")
    else:
        kind = "jpeg"
        image.thumbnail((side, side))
        image.save(file, "JPEG", quality=80, subsampling=0)  # thin lines keep their colour
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"


def _several(texts: Sequence[str], what: str) -> str:
    if len(texts) > _FEW or sum(map(len, texts)) > _CELL:
        return f"{len(texts)} {what}"
    return ", ".join(texts) if texts else "none"


def _short(row: Row) -> Row:
    cells = [_cut(cell) for cell in row[:_COLUMNS]]
    return [*cells, "..."] if len(row) > _COLUMNS else cells


def _cut(text: str, most: int = _CELL) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
