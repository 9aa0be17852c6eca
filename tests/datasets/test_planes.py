"""Which page of an OME-TIFF a channel is, and descriptions made to take long."""

import time

import numpy as np
import pytest
import tifffile

from nucrec.datasets import ImageFiles

STACK = np.random.default_rng(0).integers(0, 256, (4, 16, 16), dtype=np.uint8)


def ome(path, listed: str, order: str) -> None:
    """Write four pages as two channels, A and B, of two z positions."""
    channels = "".join(f'<Channel ID="Channel:0:{i}" Name="{"AB"[i]}"/>' for i in range(2))
    tifffile.imwrite(
        path,
        STACK,
        photometric="minisblack",
        metadata=None,
        description=(
            '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
            f'<Pixels ID="Pixels:0" DimensionOrder="{order}" Type="uint8" SizeX="16" SizeY="16" '
            f'SizeC="2" SizeZ="2" SizeT="1">{channels}{listed}</Pixels></Image></OME>'
        ),
    )


@pytest.mark.parametrize(
    ("listed", "order", "pages"),
    [
        ("", "XYCZT", (0, 1)),
        ("", "XYZCT", (0, 2)),
        ("<TiffData/>", "XYZCT", (0, 2)),
        ('<TiffData IFD="1"/><TiffData IFD="3" FirstC="1"/>', "XYCZT", (1, 3)),
        ('<TiffData IFD="1" PlaneCount="3"/>', "XYCZT", (1, 2)),
        ('<TiffData IFD="1" PlaneCount="3"/>', "XYZCT", (1, 3)),
        # the second of both z positions first
        ('<TiffData FirstZ="1" IFD="0"/><TiffData IFD="1"/>'
         '<TiffData FirstC="1" FirstZ="1" IFD="2"/><TiffData FirstC="1" IFD="3"/>',
         "XYZCT", (1, 3)),
        ('<TiffData IFD="2" PlaneCount="2"/><TiffData FirstC="1" IFD="0" PlaneCount="2"/>',
         "XYZCT", (2, 0)),
        ('<TiffData FirstC="1" PlaneCount="2"/><TiffData IFD="2" PlaneCount="2"/>',
         "XYZCT", (2, 0)),
    ],
)  # fmt: skip
def test_where_the_planes_are_listed(listed, order, pages, tmp_path):
    ome(tmp_path / "a.tif", listed, order)
    for channel, page in zip("AB", pages, strict=True):
        (part,) = ImageFiles(tmp_path, ["a.tif"], channel=channel).parts(1)
        np.testing.assert_array_equal(part.images[0], STACK[page])


@pytest.mark.parametrize(
    "element",
    [
        "<Channel",
        "<Pixels",
        "<TiffData",
        "<UUID ",
        "<UUID FileName='",
        "<Channel a",
        "<Channel Name=' />",
        "<TiffData/>",
        "aaaaaaaa",
        "a       ",
    ],
)
def test_a_description_made_to_take_long_takes_no_time(element, tmp_path):
    description = f'<OME><Pixels SizeC="999999"><Channel {element * 40_000}'
    tifffile.imwrite(tmp_path / "a.tif", STACK[0], metadata=None, description=description)
    start = time.process_time()
    (part,) = ImageFiles(tmp_path, ["a.tif"]).parts(1)
    assert time.process_time() - start < 2  # the square of its length took minutes
    np.testing.assert_array_equal(part.images[0], STACK[0])
