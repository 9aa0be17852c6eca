"""Charts as SVG, drawn without matplotlib, which is not a core dependency."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from nucrec._text import html, number

_INK, _SOFT, _RULE, _BLUE, _NONE = "#1d1d1f", "#595960", "#d8d8de", "#0072B2", "#f0f0f3"
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
_VIRIDIS = ("#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#fde725")
_LETTERS = 20  # maximum length of a name
_BAR = 84  # start of the colours, after the text
_DARK = 0.5  # share of the colour range on which text is white
_SHADES = 60  # steps of the colour bar


class Bar(NamedTuple):
    """A value with its interval for a chart, and the values that it summarises."""

    name: str
    value: float
    low: float
    high: float
    points: Sequence[float] = ()


def interval_chart(bars: Sequence[Bar], label: str) -> str:
    """Return an SVG chart with one line per value: its point, its interval, and both as text."""
    row, top, right, width = 22, 8, 150, 600
    left = 24 + 7 * max((min(len(bar.name), _LETTERS) for bar in bars), default=0)
    height = top + row * len(bars) + 44
    values = (v for bar in bars for v in (bar.value, bar.high, *bar.points))
    highest = max((v for v in values if v == v), default=1.0)
    ticks = round_ticks(highest or 1.0)
    scale = (width - left - right) / ticks[-1]
    parts = [_axis(ticks, scale, left, top, height - 44, label, width - right)]
    for k, bar in enumerate(bars):
        y = top + row * (k + 0.5)
        parts.append(_text(left - 8, y + 4, _short(bar.name, _LETTERS), anchor="end"))
        if bar.value != bar.value:
            parts.append(_text(width - right + 10, y + 4, "no cells", colour=_SOFT))
            continue
        parts.append(_interval(bar, left, scale, y))
        words = f"{number(bar.value, 1)}"
        if bar.low == bar.low:
            words += f" ({number(bar.low, 1)} to {number(bar.high, 1)})"
        parts.append(_text(width - right + 10, y + 4, words))
    return _svg(width, height, parts)


def plate_chart(values: Mapping[tuple[int, int], float], shape: tuple[int, int]) -> str:
    """Return an SVG map of a plate: the value of each well, from violet (low) to yellow (high).

    Parameters
    ----------
    values : mapping of (row, column) to float
        Values by position, counted from 0; NaN for a well without cells.
    shape : (rows, columns)
        The shape of the plate.
    """
    rows, columns = shape
    side = 52 if columns <= 12 else 34
    left, top = 34, 26
    width, height = left + side * columns + 8, top + side * rows + 52
    known = [value for value in values.values() if value == value]
    high = max(known, default=0.0)
    parts = [
        _text(left + side * (c + 0.5), top - 8, str(c + 1), anchor="middle", colour=_SOFT)
        for c in range(columns)
    ]
    for r in range(rows):
        parts.append(_text(left - 8, top + side * (r + 0.5) + 4, row_name(r), "end", _SOFT))
        for c in range(columns):
            value = values.get((r, c), math.nan)
            parts.append(_well(left + side * c, top + side * r, side, value, high))
    parts.append(_colour_bar(left, top + side * rows + 16, high))
    return _svg(width, height, parts)


def round_ticks(highest: float) -> list[float]:
    """Return four to six round numbers from 0 to at least a given number."""
    power = 10.0 ** math.floor(math.log10(highest / 4))
    step = next(k * power for k in (1, 2, 2.5, 5, 10) if k * power * 5 >= highest)
    return [step * k for k in range(math.ceil(highest / step - 1e-9) + 1)]


def row_name(row: int) -> str:
    """Return the letters of a plate row, counted from 0: A to Z, then AA to AF."""
    return chr(65 + row) if row < 26 else f"A{chr(65 + row - 26)}"


def _axis(
    ticks: Sequence[float], scale: float, left: int, top: int, bottom: int, label: str, end: int
) -> str:
    parts = []
    for tick in ticks:
        x = left + tick * scale
        parts.append(f'<path d="M{x:.1f} {top}V{bottom}" stroke="{_RULE}"/>')
        parts.append(_text(x, bottom + 15, f"{tick:g}", anchor="middle", colour=_SOFT))
    parts.append(_text((left + end) / 2, bottom + 34, label, anchor="middle", colour=_SOFT))
    return "".join(parts)


def _interval(bar: Bar, left: int, scale: float, y: float) -> str:
    line = ""
    if bar.low == bar.low:
        start, stop = left + bar.low * scale, left + bar.high * scale
        line = f'<path d="M{start:.1f} {y}H{stop:.1f}" stroke="{_BLUE}" stroke-width="3"/>'
    rings = "".join(
        f'<circle cx="{left + value * scale:.1f}" cy="{y}" r="3.5" fill="none" stroke="{_INK}"/>'
        for value in bar.points
    )
    return (
        f'{line}{rings}<circle cx="{left + bar.value * scale:.1f}" cy="{y}" r="4.5" fill="{_INK}"/>'
    )


def _well(x: float, y: float, side: int, value: float, high: float) -> str:
    is_known = value == value
    share = value / high if is_known and high else 0.0
    fill = _colour(share) if is_known else _NONE
    box = f'<rect x="{x + 1}" y="{y + 1}" width="{side - 2}" height="{side - 2}" rx="5" fill="{fill}"/>'
    if not is_known:
        return box
    ink, size = "#fff" if share < _DARK else "#000", 12 if side > 40 else 10
    return box + _text(x + side / 2, y + side / 2 + 4, _few_digits(value), "middle", ink, size)


def _colour_bar(x: float, y: float, high: float) -> str:
    width = 2.6
    boxes = "".join(
        f'<rect x="{x + _BAR + width * k:.1f}" y="{y}" width="{width + 0.4:.1f}" height="12" '
        f'fill="{_colour(k / (_SHADES - 1))}"/>'
        for k in range(_SHADES)
    )
    end = x + _BAR + width * _SHADES + 6
    words = _text(x, y + 10, "per 1000:  0", colour=_SOFT) + _text(
        end, y + 10, _few_digits(high), colour=_SOFT
    )
    return boxes + words


def _colour(share: float) -> str:
    """Return the colour of a share of the largest value, from 0 to 1."""
    place = share * (len(_VIRIDIS) - 1)
    low = min(int(place), len(_VIRIDIS) - 2)
    pair = (_VIRIDIS[low], _VIRIDIS[low + 1])
    parts = ([int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in pair)
    mixed = (round(a + (b - a) * (place - low)) for a, b in zip(*parts, strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _few_digits(value: float) -> str:
    return number(value, 0 if value >= 99.95 else 1)


def _text(
    x: float, y: float, words: str, anchor: str = "start", colour: str = _INK, size: int = 12
) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}"'
    return f"<text {place}>{html(words)}</text>"


def _short(words: str, letters: int) -> str:
    return words if len(words) <= letters else f"…{words[1 - letters :]}"  # keep the ends


def _svg(width: float, height: float, parts: Iterable[str]) -> str:
    head = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
    return f'<svg {head} height="{height}" font-family="{_FONT}">{"".join(parts)}</svg>'
