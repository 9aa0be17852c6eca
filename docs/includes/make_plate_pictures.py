"""Copy the pictures that docs/tutorial-plate.md shows from a folder in which its steps were done.

Usage: python docs/includes/make_plate_pictures.py FOLDER
"""

import sys
from pathlib import Path

from gallery import save_small
from PIL import Image

IMAGES = Path(__file__).parents[1] / "images"
FIELD = "results/overlays/E03_s1.png"
PART = (560, 640, 1200, 1100)  # pixels of the picture: left, top, right, bottom


def main() -> None:
    """Write a part of one field with outlines, the dose-response, and the plate map."""
    folder = Path(sys.argv[1])
    with Image.open(folder / FIELD) as file:
        part = file.convert("RGB").crop(PART)
    few = part.quantize(32, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(IMAGES / "plate-field.png", optimize=True)
    save_small(folder / "report/dose-response.png", IMAGES / "plate-dose-response.png")
    save_small(folder / "report/plate.png", IMAGES / "plate-map.png")


if __name__ == "__main__":
    main()
