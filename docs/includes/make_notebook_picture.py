"""Take the picture of results in a notebook that docs/how-to/notebooks.md shows.

Usage: python docs/includes/make_notebook_picture.py

Needs Chromium, its driver, and selenium.
"""

import base64
import io
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image

from nucrec.audit import duplicates
from nucrec.datasets import ImageDataset, load_mnfinder_crops

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from check_site import opened  # noqa: E402 - a script beside this one

PAGE = """<!doctype html><meta charset="utf-8"><style>
body { font: 14px system-ui, sans-serif; margin: 0; padding: 12px; width: 860px; }
pre { background: #f4f4f6; padding: 8px; margin: 14px 0 8px; }
table { border-collapse: collapse; } th, td { padding: 3px 9px; text-align: left; }
</style>"""


def cells() -> str:
    """Return the page with two cells: a data set, and the duplicates in it."""
    crops = load_mnfinder_crops("all")[1000:1120]
    unknown = ImageDataset(list(crops.images), crops.labels, crops.class_names)
    shown = {"crops": load_mnfinder_crops(), "duplicates(unknown)[:4]": duplicates(unknown)[:4]}
    parts = (f"<pre>{code}</pre>{each._repr_html_()}" for code, each in shown.items())
    return PAGE + "".join(parts)


def main() -> None:
    """Write notebook.png beside the other images."""
    programs = shutil.which("chromium"), shutil.which("chromedriver")
    if None in programs:
        raise SystemExit("make_notebook_picture: Chromium or its driver is not installed")
    with tempfile.TemporaryDirectory() as folder, opened(*map(str, programs)) as window:
        page = Path(folder, "page.html")
        page.write_text(cells(), encoding="utf-8")
        window.get(page.as_uri())
        height = window.execute_script("return document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": 884, "height": height, "scale": 1}
        shot = window.execute_cdp_cmd(
            "Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True}
        )
    picture = Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB")
    few = picture.quantize(96, dither=Image.Dither.NONE)
    few.save(HERE.parent / "images" / "notebook.png", optimize=True)


if __name__ == "__main__":
    main()
