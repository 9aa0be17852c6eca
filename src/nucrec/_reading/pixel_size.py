"""The pixel size in a TIFF, as written by microscope software."""

import re

from nucrec._reading.planes import attributes
from nucrec._reading.tiff_tags import RESOLUTION_UNIT, X_RESOLUTION, Tags

_UM = {
    "um": 1.0, "µm": 1.0, "μm": 1.0, "micron": 1.0, "microns": 1.0, "micrometer": 1.0,
    "micrometre": 1.0, "micrometers": 1.0, "nm": 1e-3, "nanometer": 1e-3, "å": 1e-4, "mm": 1e3,
    "millimeter": 1e3, "cm": 1e4, "m": 1e6, "meter": 1e6, "in": 25400.0, "inch": 25400.0,
}  # fmt: skip
"""Micrometres in a unit."""
_LOW, _HIGH = 0.01, 20.0  # in um; values beyond are resolutions of screens or printers
_CENTIMETRE = 3


def pixel_size_of(tags: Tags) -> float | None:
    """Return the pixel size in um, or None if the file does not state a plausible one.

    The sources are OME-XML, ImageJ's unit with the resolution, MetaMorph's calibration, and
    resolutions per centimetre; resolutions per inch are those of screens and printers.
    """
    text = tags.description
    if "<OME" in text[:2000] or "<ome:OME" in text[:2000]:
        size = _of_ome(text)
    elif text.startswith("ImageJ="):
        size = _of_imagej(text, tags.rational(X_RESOLUTION))
    elif "spatial-calibration-x" in text:
        size = _of_metamorph(text)
    elif tags.value(RESOLUTION_UNIT, 0) == _CENTIMETRE:
        size = _inverse(tags.rational(X_RESOLUTION)) * _UM["cm"]
    else:
        return None
    return size if _LOW <= size <= _HIGH else None


def _of_ome(text: str) -> float:
    pixels = re.search(r"<(?:\w+:)?Pixels\b[^<>]*>", text)
    facts = attributes(pixels[0]) if pixels else {}
    sides = [
        _number(facts.get(f"PhysicalSize{axis}"))
        * _unit(facts.get(f"PhysicalSize{axis}Unit", "um"))
        for axis in "XY"
    ]
    return sides[0] if abs(sides[0] - sides[1]) <= 0.01 * sides[0] else 0.0


def _of_imagej(text: str, resolution: float) -> float:
    found = re.search(r"^unit=(.+?)\s*$", text, re.MULTILINE)
    return _inverse(resolution) * _unit(found[1]) if found else 0.0


def _of_metamorph(text: str) -> float:
    facts = dict(re.findall(r'id="spatial-calibration-(x|units)"[^<>]*?\bvalue="([^"<>]*)"', text))
    return _number(facts.get("x")) * _unit(facts.get("units", ""))


def _number(text: str | None) -> float:
    return float(text) if text and re.fullmatch(r"\d+(\.\d*)?([eE][+-]?\d+)?", text) else 0.0


def _unit(text: str) -> float:
    return _UM.get(text.replace("\\u00B5", "µ").strip().casefold(), 0.0)


def _inverse(value: float) -> float:
    return 1 / value if value else 0.0
