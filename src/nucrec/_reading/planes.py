"""The channels, z positions and times that a microscope TIFF stores as separate pages."""

import bisect
import html
import math
import re
from dataclasses import dataclass, field

from nucrec._reading import tiff_tags as tag
from nucrec._reading.tiff_tags import Tags

# expressions are limited to one element, to avoid quadratic time on long texts
_FILES = re.compile(r"""<(?:\w+:)?UUID\b[^<>]*\bFileName\s*=\s*("[^"<>]*"|'[^'<>]*')""")


@dataclass(frozen=True)
class Planes:
    """The planes of a TIFF: channels, each possibly with several z positions or times.

    Attributes
    ----------
    n_channels : int
        Number of channels stored as separate pages.
    n_planes : int
        Number of planes according to the description; 1 if it states none.
    names : tuple of str
        The names of the channels, including those that are samples of one page.
    n_z, n_times : int
        Numbers of z positions and times per channel.
    steps : dict of str to int
        Number of planes between neighbours along the axes C, Z and T.
    runs : tuple of (int, int, float)
        Planes whose pages are listed: the first plane, its page, and the number of consecutive
        planes.
    n_files : int
        Number of files that together hold the planes.
    n_images : int
        Number of images, such as positions, described in the file.
    """

    n_channels: int = 1
    n_planes: int = 1
    names: tuple[str, ...] = ()
    n_z: int = 1
    n_times: int = 1
    steps: dict[str, int] = field(default_factory=dict)
    runs: tuple[tuple[int, int, float], ...] = ()
    n_files: int = 1
    n_images: int = 1

    @classmethod
    def of(cls, tags: Tags) -> "Planes":
        """Read the description written by ImageJ or OME on the first page."""
        text = tags.description
        if text.startswith("ImageJ="):
            return cls._of_imagej(text)
        if "<OME" in text[:2000] or "<ome:OME" in text[:2000]:
            return cls._of_ome(text)
        return cls()

    @classmethod
    def _of_imagej(cls, text: str) -> "Planes":
        found = dict(re.findall(r"^(\w+)=(\d{1,9})\s*$", text, re.MULTILINE))
        n_channels, n_z, n_times, n_planes = (
            max(1, int(found.get(name, 1))) for name in ("channels", "slices", "frames", "images")
        )
        steps = {"C": 1, "Z": n_channels, "T": n_channels * n_z}
        return cls(n_channels, n_planes, (), n_z, n_times, steps)

    @classmethod
    def _of_ome(cls, text: str) -> "Planes":
        pixels = re.search(r"<(?:\w+:)?Pixels\b[^<>]*>", text)
        facts = attributes(pixels[0]) if pixels else {}
        n_images = len(re.findall(r"<(?:\w+:)?Pixels\b", text))
        end = re.search(r"</(?:\w+:)?Pixels>", text)
        text = text[: end.start()] if end else text  # only the first image
        channels = [attributes(found) for found in re.findall(r"<(?:\w+:)?Channel\b[^<>]*>", text)]
        names = tuple(channel.get("Name", "") for channel in channels)
        size = {axis: _count(facts.get(f"Size{axis}")) for axis in "CZT"}
        of_samples = any(_count(channel.get("SamplesPerPixel")) > 1 for channel in channels)
        n_channels = 1 if of_samples else size["C"]
        steps = _steps(facts.get("DimensionOrder", "XYCZT"), {**size, "C": n_channels})
        return cls(
            n_channels,
            n_channels * size["Z"] * size["T"],
            names if any(names) else (),
            size["Z"],
            size["T"],
            steps,
            _listed_runs(text, steps),
            max(1, len(set(_FILES.findall(text)))),
            max(1, n_images),
        )

    def plane_of(self, channel: int, z: int = 0, time: int = 0) -> int:
        """Return the number of a plane in the order of the dimensions."""
        steps = self.steps or {"C": 1, "Z": 1, "T": 1}
        return channel * steps["C"] + z * steps["Z"] + time * steps["T"]

    def page_of(self, channel: int, z: int = 0, time: int = 0) -> int:
        """Return the page of a plane."""
        plane = self.plane_of(channel, z, time)
        at = bisect.bisect_right(self.runs, plane, key=lambda run: run[0])
        if self.runs:
            start, page, n_planes = self.runs[max(0, at - 1)]
            if 0 <= plane - start < n_planes:
                return page + plane - start
        return plane


def behind_first_page(tags: Tags, plane: int, n_bytes: int) -> Tags:
    """Return the tags of a plane that ImageJ stored after the first one without separate tags."""
    moved = tags.with_values(
        {tag.STRIP_OFFSETS: tags.value(tag.STRIP_OFFSETS, 0) + plane * n_bytes}
    )
    return Tags(moved, tags.order, tags.is_big, tags.entries, tags.next_page)


def is_stack_behind_first_page(tags: Tags, planes: Planes) -> bool:
    """Return whether ImageJ stored all planes after one page, as it does without compression."""
    one_strip = len(tags.values(tag.STRIP_OFFSETS)) == 1
    plain = tags.value(tag.COMPRESSION, 1) == 1
    return planes.n_planes > 1 and not tags.next_page and one_strip and plain


def attributes(element: str) -> dict[str, str]:
    """Return the attributes of an XML element."""
    pairs = re.findall(r"""\b(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)')""", element)
    return {name: html.unescape(double or single) for name, double, single in pairs}


def _count(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"[1-9]\d{0,5}", text) else 1


def _index(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"\d{1,9}", text) else 0


def _steps(order: str, size: dict[str, int]) -> dict[str, int]:
    """Return the number of planes between neighbours along each axis."""
    steps, step = dict.fromkeys(size, 1), 1
    for axis in order[2:]:
        if axis in steps:
            steps[axis] = step
            step *= size[axis]
    return steps


def _listed_runs(text: str, steps: dict[str, int]) -> tuple[tuple[int, int, float], ...]:
    """Return the planes whose pages OME lists, in order.

    An element states the position of its first plane and the number of planes in the order of the
    dimensions: one if it names a page, otherwise all. Missing values are 0.
    """
    listed: dict[int, tuple[int, float]] = {}
    for element in re.findall(r"<(?:\w+:)?TiffData\b[^<>]*>", text):
        facts = attributes(element)
        first = sum(steps[axis] * _index(facts.get(f"First{axis}")) for axis in steps)
        one_by_one = "PlaneCount" in facts or "IFD" in facts
        n_planes = _count(facts.get("PlaneCount")) if one_by_one else math.inf
        listed.setdefault(first, (_index(facts.get("IFD")), n_planes))
    return tuple((start, *listed[start]) for start in sorted(listed))
