"""Run the examples, and write the figures that the gallery shows.

Usage: python docs/includes/gallery.py [NAME ...], such as augment_images; by default all of them
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "docs" / "images" / "gallery"
COLOURS = 64
WIDTHS = (1000, 800, 640)  # pixels
SIZE_LIMIT = 80_000  # bytes


def save_small(picture: Path, out: Path) -> None:
    """Write a picture with few colours, as wide as the limit allows, so that pages load quickly."""
    with Image.open(picture) as file:
        figure = file.convert("RGB")
    for width in WIDTHS:
        figure.thumbnail((width, figure.height))
        few = figure.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(out, optimize=True)
        if out.stat().st_size <= SIZE_LIMIT:
            return
    raise SystemExit(f"{out}: {out.stat().st_size} bytes, more than {SIZE_LIMIT}")


def main() -> None:
    """Write one PNG for each example that draws, named after it."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or sorted(path.stem for path in ROOT.glob("examples/*.py")):
        with tempfile.TemporaryDirectory() as folder:
            script = ROOT / "examples" / f"{name}.py"
            command = [sys.executable, "-W", "error", script]
            subprocess.run(command, cwd=folder, check=True)  # noqa: S603 - our own scripts
            for picture in Path(folder).glob("*.png"):
                save_small(picture, FIGURES / f"{name}.png")


if __name__ == "__main__":
    main()
