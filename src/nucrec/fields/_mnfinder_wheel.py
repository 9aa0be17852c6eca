"""The annotated fields as stored in the mnfinder distribution, read in place.

Each cell has a colour (red, green, blue). Its nucleus and its micronuclei are drawn in two separate
images. The blue of a micronucleus is that of its nucleus, or 0 if the nucleus is unknown. Separate
pieces of one colour are separate objects.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec._reading.roots import Root
from nucrec._reading.stored_labels import read_stored
from nucrec.errors import ImageError
from nucrec.fields._instances import check_shape

Labels = npt.NDArray[np.int32]

_IMAGE = re.compile(
    r"(?P<before>(.*/)?(?P<part>training|validation)-data/(?P<experiment>[^/]+)/)images/"
    r"(?P<number>\d+)\.tif"
)
"""The training and validation parts; the test part is reserved for judging."""
_MISCELLANEOUS = "2023-05-31_misc"
_MCC13 = ("9", "10", "11")
_FORTY_TIMES = ("1", "2", "3", "4")


class WheelField(NamedTuple):
    """One field of the distribution."""

    name: str
    file: str
    nuclei: str
    micronuclei: str
    metadata: dict[str, str]


@dataclass(frozen=True)
class ColouredMask:
    """Objects drawn in the colours of their cells."""

    root: Root
    name: str

    def read(self, shape: tuple[int, int]) -> Labels:
        """Return the objects, numbered by colour, then from the top."""
        labels = self.objects()[0]
        check_shape(labels.shape, shape, self.name)
        return labels

    def objects(self) -> tuple[Labels, list[int]]:
        """Return the objects, and the blue value of each."""
        from scipy import ndimage

        codes = _codes(read_stored(self.root.read(self.name), self.name), self.name)
        colours, flat = np.unique(codes, return_inverse=True)
        numbers = flat.reshape(codes.shape) + (1 if colours[0] else 0)  # 0 for the background
        labels = np.zeros(codes.shape, np.int32)
        blues: list[int] = []
        boxes = ndimage.find_objects(numbers)
        for number, (code, box) in enumerate(
            zip(colours[colours > 0].tolist(), boxes, strict=True), start=1
        ):
            pieces, n = ndimage.label(numbers[box] == number)
            labels[box][pieces > 0] = pieces[pieces > 0] + len(blues)
            blues += [code & 255] * n
        return labels, blues

    def stamp(self) -> str:
        """Return the size and modification time of the file."""
        return f"{self.name} {self.root.stamp(self.name)}"


def find_wheel_fields(files: list[str]) -> list[WheelField]:
    """Return the fields among the files of the distribution, in the order of their names."""
    matches = [found for found in map(_IMAGE.fullmatch, files) if found]
    return sorted(_field(found) for found in matches)


def parents_of(nuclei: ColouredMask, micronuclei: ColouredMask) -> dict[int, int]:
    """Return the nucleus of each micronucleus: the largest piece with the same blue value."""
    labels, blues = nuclei.objects()
    areas = np.bincount(labels.ravel(), minlength=len(blues) + 1)
    largest: dict[int, int] = {}
    for number, blue in enumerate(blues, start=1):
        if blue not in largest or areas[number] >= areas[largest[blue]]:
            largest[blue] = number
    own = enumerate(micronuclei.objects()[1], start=1)
    return {number: largest[blue] for number, blue in own if blue and blue in largest}


def _field(found: re.Match[str]) -> WheelField:
    before, number, experiment = found["before"], found["number"], found["experiment"]
    name = f"{found['part']}-{experiment.lower().replace('_', '-')}-{number}"
    return WheelField(
        name,
        found[0],
        f"{before}nucleus_masks/{number}.png",
        f"{before}mn_masks/{number}.png",
        _metadata(experiment, number),
    )


def _metadata(experiment: str, number: str) -> dict[str, str]:
    metadata = {"experiment": experiment}
    if experiment == _MISCELLANEOUS:
        metadata["cell_line"] = "MCC13" if number in _MCC13 else "HeLa"
        metadata |= {"microscope": "SPE", "dna_stain": "DAPI"}
        metadata["objective"] = "40" if number in _FORTY_TIMES else "20"
        return metadata
    metadata["cell_line"] = "U2OS" if experiment.endswith("U2OS") else "RPE-1"
    return metadata | {"microscope": "WF", "dna_stain": "H2B-emiRFP703", "objective": "20"}


def _codes(colours: npt.NDArray[np.generic], name: str) -> npt.NDArray[np.int64]:
    """Return each pixel's colour as one number, 0 for transparent pixels."""
    if colours.ndim != 3 or colours.shape[2] != 4:
        raise ImageError(f"{name}: expected a colour image with transparency")
    red, green, blue, alpha = np.moveaxis(colours.astype(np.int64), 2, 0)
    return np.asarray(np.where(alpha > 0, (red << 16) | (green << 8) | blue, 0))
