"""Parts of pages: any name is shown as text, and pictures are small."""

import base64
import re
from io import BytesIO

import numpy as np
from PIL import Image
from tests.html_reader import HOSTILE, read

from nucrec._html import page, paragraph, picture, section, table, text


def test_text_is_shown_and_never_run():
    reader = read(page(HOSTILE, [paragraph(HOSTILE), table(["a"], [[HOSTILE]]), section(HOSTILE)]))
    assert reader.words.count(HOSTILE) == 5
    assert text("a\udce9b\x1b\n\u202ec") == "a\ufffdb\ufffd\ufffd\ufffdc"


def test_pictures_are_small():
    pixels = np.random.default_rng(0).integers(0, 256, (400, 800, 3), dtype=np.uint8)
    (image,) = re.findall('base64,([^"]+)', picture(pixels, "cell"))
    decoded = Image.open(BytesIO(base64.b64decode(image)))
    assert decoded.size == (160, 80)
