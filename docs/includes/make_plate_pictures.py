"""Write the pictures of docs/tutorial-plate.md and the README from a folder with its results.

Usage: python docs/includes/make_plate_pictures.py FOLDER
"""

import shutil
import sys
from pathlib import Path

from check_site import opened, resize, served
from gallery import save_small
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from nucrec.assay import summarize

IMAGES = Path(__file__).parents[1] / "images"
FIELD = "results/overlays/E03_s1.png"
PART = (560, 640, 1200, 1100)  # pixels of the picture: left, top, right, bottom
COLOURS = 48
DPI = 200


def part_of_field(folder: Path) -> Image.Image:
    """Return a part of one field with its outlines, in few colours."""
    with Image.open(folder / FIELD) as file:
        part = file.convert("RGB").crop(PART)
    return part.quantize(32, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)


def draw_field(axes: Axes, folder: Path) -> None:
    """Draw a part of one field, each pixel as it is."""
    axes.imshow(part_of_field(folder).convert("RGB"), interpolation="nearest")
    axes.set_axis_off()
    axes.set_title("Micronucleated cells in orange, their micronuclei in yellow", fontsize=10)


def draw_doses(axes: Axes, folder: Path) -> None:
    """Draw the rates of the control and of the three doses."""
    assay = summarize(folder / "results/cells.csv", control="DMSO")
    assay.plot(ax=axes, historical=folder / "historical.csv")
    axes.set_title("The rate at each dose", fontsize=10, pad=22)
    axes.spines[["top", "right"]].set_visible(False)


def draw_both(folder: Path, out: Path) -> None:
    """Write the field beside the dose-response, as the README shows them."""
    figure = Figure(figsize=(10.5, 3.9), dpi=DPI, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    draw_field(left, folder)
    draw_doses(right, folder)
    figure.savefig(out)
    with Image.open(out) as file:
        few = file.convert("RGB").quantize(
            COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
        )
    few.save(out, optimize=True, dpi=(DPI, DPI))


def shoot_review(folder: Path, out: Path) -> None:
    """Write a picture of the page on which cells are reviewed, as a browser shows it."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        raise SystemExit("Chromium and its driver are needed: apt-get install chromium-driver")
    with served(folder / "results") as address, opened(browser, driver) as window:
        resize(window, 1000, 690)
        window.get(address + "review.html")
        window.save_screenshot(str(out))
    save_small(out, out)


def main() -> None:
    """Write the pictures of one field, the dose-response, the plate map, both, and the review."""
    folder = Path(sys.argv[1])
    part_of_field(folder).save(IMAGES / "plate-field.png", optimize=True)
    save_small(folder / "report/dose-response.png", IMAGES / "plate-dose-response.png")
    save_small(folder / "report/plate.png", IMAGES / "plate-map.png")
    draw_both(folder, IMAGES / "plate.png")
    shoot_review(folder, IMAGES / "review.png")


if __name__ == "__main__":
    main()
