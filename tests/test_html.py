"""What pages share: any name is shown as text, and pictures are small."""

import base64
import re
from io import BytesIO

import pytest
from PIL import Image
from tests.html_reader import HOSTILE, read

from nucrec.evaluate import report
from nucrec.models import predict_folder


def test_text_is_shown_and_never_run(tmp_path):
    odd = "a\udce9b\x1b\n\u202ec"
    found = report([0, 1, 1], [0, 1, 0], class_names=[HOSTILE, odd])
    page = found.save_html(tmp_path / "page.html", title=HOSTILE).read_text(encoding="utf-8")
    reader = read(page)
    assert reader.words.count(HOSTILE) >= 3  # title, heading, a row of the table
    assert r"a\udce9b\x1b c" in reader.words  # blanks, and marks that are not seen, are one blank
    assert not {"\x1b", "\u202e", "\udce9"} & set(page)


@pytest.mark.filterwarnings("ignore:1 of 1 image is unlike the training images")
def test_pictures_are_small(gnb, crops, tmp_path):
    (tmp_path / "plate").mkdir()
    enlarged = Image.fromarray(crops.images[0]).resize((320, 160))
    enlarged.save(tmp_path / "plate" / "large.png")
    page = tmp_path / "page.html"
    predict_folder(gnb, tmp_path / "plate", html=page)
    (image,) = re.findall('data:image/jpeg;base64,([^"]+)', page.read_text(encoding="utf-8"))
    assert Image.open(BytesIO(base64.b64decode(image))).size == (160, 80)
