"""Channels that a microscope's TIFF holds as pages of their own, and how they are called."""

import bisect
import html
import math
import re
from dataclasses import dataclass, field

from nucrec._reading import tiff_tags as tag
from nucrec._reading.tiff_tags import Tags

_MOST_CHANNELS = 10_000
# no expression looks beyond one element, or a text of many would take the square of its length
_FILES = re.compile(r"""<(?:\w+:)?UUID\b[^<>]*\bFileName\s*=\s*("[^"<>]*"|'[^'<>]*')""")


@dataclass(frozen=True)
class Planes:
    """The planes of a TIFF: channels, each maybe of several z positions or times.

    Attributes
    ----------
    n_channels : int
        How many channels lie in pages of their own.
    n_planes : int
        How many planes there are, as far as the description tells; 1 where it tells nothing.
    names : tuple of str
        What the channels are called, those that are samples of one page included.
    step : int
        How many planes lie between the first of a channel and the first of the next.
    pages : dict of int to int
        Pages of the channels, where they are listed.
    n_files : int
        How many files hold the planes together.
    """

    n_channels: int = 1
    n_planes: int = 1
    names: tuple[str, ...] = ()
    step: int = 1
    pages: dict[int, int] = field(default_factory=dict)
    n_files: int = 1

    @classmethod
    def of(cls, tags: Tags) -> "Planes":
        """Read what ImageJ or OME wrote into the description of the first page."""
        text = tags.description
        if text.startswith("ImageJ="):
            found = dict(re.findall(r"^(\w+)=(\d+)\s*$", text, re.MULTILINE))
            channels, planes = int(found.get("channels", 1)), int(found.get("images", 1))
            return cls(channels, planes)
        if "<OME" in text[:2000] or "<ome:OME" in text[:2000]:
            return cls._of_ome(text)
        return cls()

    @classmethod
    def _of_ome(cls, text: str) -> "Planes":
        pixels = re.search(r"<(?:\w+:)?Pixels\b[^<>]*>", text)
        facts = _attributes(pixels[0]) if pixels else {}
        end = re.search(r"</(?:\w+:)?Pixels>", text)
        text = text[: end.start()] if end else text  # the first image only
        channels = [_attributes(found) for found in re.findall(r"<(?:\w+:)?Channel\b[^<>]*>", text)]
        names = tuple(channel.get("Name", "") for channel in channels)
        size = {axis: _count(facts.get(f"Size{axis}")) for axis in "CZT"}
        of_samples = any(_count(channel.get("SamplesPerPixel")) > 1 for channel in channels)
        n_channels = 1 if of_samples else size["C"]
        steps = _steps(facts.get("DimensionOrder", "XYCZT"), {**size, "C": n_channels})
        return cls(
            n_channels,
            n_channels * size["Z"] * size["T"],
            names if any(names) else (),
            steps["C"],
            _listed_pages(text, steps, n_channels),
            max(1, len(set(_FILES.findall(text)))),
        )

    def page_of(self, channel: int) -> int:
        """Return the page of a channel's first plane."""
        return self.pages.get(channel, channel * self.step)


def behind_first_page(tags: Tags, plane: int, n_bytes: int) -> Tags:
    """Return the tags of a plane that ImageJ stored behind the first without tags of its own."""
    moved = tags.with_values(
        {tag.STRIP_OFFSETS: tags.value(tag.STRIP_OFFSETS, 0) + plane * n_bytes}
    )
    return Tags(moved, tags.order, tags.is_big, tags.entries, tags.next_page)


def is_stack_behind_first_page(tags: Tags, planes: Planes) -> bool:
    """Return whether ImageJ stored all planes behind one page, as it does without compression."""
    one_strip = len(tags.values(tag.STRIP_OFFSETS)) == 1
    plain = tags.value(tag.COMPRESSION, 1) == 1
    return planes.n_planes > 1 and not tags.next_page and one_strip and plain


def _attributes(element: str) -> dict[str, str]:
    pairs = re.findall(r"""\b(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)')""", element)
    return {name: html.unescape(double or single) for name, double, single in pairs}


def _count(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"[1-9]\d{0,5}", text) else 1


def _index(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"\d{1,9}", text) else 0


def _steps(order: str, size: dict[str, int]) -> dict[str, int]:
    """Return how many planes lie between neighbours along each axis."""
    steps, step = dict.fromkeys(size, 1), 1
    for axis in order[2:]:
        if axis in steps:
            steps[axis] = step
            step *= size[axis]
    return steps


def _listed_pages(text: str, steps: dict[str, int], n_channels: int) -> dict[int, int]:
    """Return the pages of the channels' first planes, where OME lists them.

    An element says where its first plane lies and how many follow, in the order of the dimensions: one
    if it names a page, all otherwise. What it leaves out is 0.
    """
    listed: dict[int, tuple[int, float]] = {}
    for element in re.findall(r"<(?:\w+:)?TiffData\b[^<>]*>", text):
        facts = _attributes(element)
        first = sum(steps[axis] * _index(facts.get(f"First{axis}")) for axis in steps)
        one_by_one = "PlaneCount" in facts or "IFD" in facts
        n_planes = _count(facts.get("PlaneCount")) if one_by_one else math.inf
        listed.setdefault(first, (_index(facts.get("IFD")), n_planes))
    starts = sorted(listed)
    pages: dict[int, int] = {}
    for channel in range(min(n_channels, _MOST_CHANNELS) if starts else 0):
        plane = channel * steps["C"]
        start = starts[max(0, bisect.bisect_right(starts, plane) - 1)]
        page, n_planes = listed[start]
        if 0 <= plane - start < n_planes:
            pages[channel] = page + plane - start
    return pages
