"""Take the picture of a page of predictions that docs/how-to/correct.md shows.

Usage: python docs/includes/make_page_picture.py

Needs Chromium, its driver, and selenium.
"""

import base64
import contextlib
import io
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image

from nucrec.datasets import load_mnfinder_crops
from nucrec.models import predict_folder, transfer

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from check_site import opened, resize  # noqa: E402 - a script beside this one

SIZE = (1280, 2900)


def make_page(folder: Path) -> Path:
    """Train a network, predict crops of other fields in 24 wells, and return the page."""
    crops = load_mnfinder_crops("all")
    known = load_mnfinder_crops()
    model = transfer(mode="features", image_size=96, random_state=0)
    model.fit(known[::2]).calibrate(known[1::2]).save(folder / "micronuclei.keras")
    plate = folder / "plate-7"
    plate.mkdir()
    for k, image in enumerate(crops.images[::3]):
        well = f"{'BCDE'[k % 4]}{k // 4 % 6 + 3:02d}"
        Image.fromarray(image).save(plate / f"{well}_s1_{k}.png")
    with contextlib.chdir(folder):  # the page states paths as they were given
        predict_folder("micronuclei.keras", plate.name, "out.csv", html="report.html")
    return folder / "report.html"


def main() -> None:
    """Write predictions.png beside the other images."""
    programs = shutil.which("chromium"), shutil.which("chromedriver")
    if None in programs:
        raise SystemExit("make_page_picture: Chromium or its driver is not installed")
    with tempfile.TemporaryDirectory() as folder, opened(*map(str, programs)) as window:
        window.get(make_page(Path(folder)).as_uri())
        resize(window, *SIZE)
        window.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
        window.execute_script("document.querySelector('#tools details').open = false")
        clip = {"x": 0, "y": 0, "width": SIZE[0], "height": SIZE[1], "scale": 0.75}
        shot = window.execute_cdp_cmd("Page.captureScreenshot", {"clip": clip})
    picture = Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB")
    few = picture.quantize(128, dither=Image.Dither.NONE)
    few.save(HERE.parent / "images" / "predictions.png", optimize=True)


if __name__ == "__main__":
    main()
