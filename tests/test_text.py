"""Names of any kind in what is printed, written and drawn."""

import csv
import io
import re

import numpy as np
import pytest
from PIL import Image

from nucrec.audit import DuplicatePairsDisplay, duplicates, save_contact_sheet
from nucrec.datasets import ImageDataset, load_images
from nucrec.evaluate import ConfusionMatrixDisplay, RocCurveDisplay, report
from nucrec.models import predict_folder

ODD = "a\udce9b\x1b[31m\r\n$x_{$<b>|c"
SHOWN = r"a\udce9b\x1b[31m\r\n$x_{$<b>|c"
AS_CLASS = SHOWN.replace(r"\r\n", " ")  # blanks in the names of classes are single spaces


@pytest.fixture(scope="module")
def found():
    return report([0, 1, 1, 0] * 5, [0, 1, 0, 0] * 5, class_names=["nucleus", ODD])


@pytest.fixture(scope="module")
def pairs(crops):
    twins = [crops.images[0], crops.images[0], crops.images[9]]
    images = ImageDataset(twins, [0, 0, 1], ids=[ODD, "b", "c"])
    return duplicates(images), images


def test_a_terminal_is_shown_every_name_and_obeys_none(found, pairs):
    for text, name in ((str(found), AS_CLASS), (str(pairs[0]), SHOWN)):
        assert name in text
        assert all(char.isprintable() for line in text.split("\n") for char in line)


def test_markdown_holds_no_markup_of_a_name(found):
    markdown = found.to_markdown()
    assert AS_CLASS.replace("<b>", "&lt;b>").replace("|", "\\|") in markdown
    rows = [line for line in markdown.splitlines() if "31m" in line]
    assert all(line.startswith("| ") and line.endswith(" |") for line in rows)


def test_csv_holds_the_names_as_they_are(pairs):
    rows = list(csv.reader(io.StringIO(pairs[0].to_csv(), newline="")))
    assert len(rows) == 2
    assert set(rows[1][:2]) == {ODD, "b"}


@pytest.mark.skipif("sys.platform == 'win32'", reason="no such names")
def test_tables_of_folders_hold_the_names_as_they_are(gnb, crops, tmp_path):
    names = ["a\rb.png", "a\nb.png", "a,b.png", 'a"b.png', "\udce9.png"]
    (tmp_path / "plate").mkdir()
    for name in names:
        Image.fromarray(crops.images[0]).save(tmp_path / "plate" / name)
    table = predict_folder(gnb, tmp_path / "plate", tmp_path / "out.csv")
    assert sorted(row.file for row in table.rows) == sorted(names)
    text = (tmp_path / "out.csv").read_bytes().decode(errors="surrogateescape")
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert sorted(row[0] for row in read[1:]) == sorted(names)
    assert {len(row) for row in read} == {len(read[0])}


def test_plots_show_the_names_and_no_formulas(found, pairs, tmp_path):
    confusion = ConfusionMatrixDisplay.from_report(found).plot()
    assert confusion._repr_png_()
    labels = [label.get_text() for label in confusion.ax_.get_xticklabels()]
    assert labels[1].replace(r"\$", "$").replace("\n", " ") == AS_CLASS
    scores = np.random.default_rng(0).random(20)
    roc = RocCurveDisplay.from_predictions([0, 1] * 10, scores, ["nucleus", ODD], n_resamples=20)
    assert roc.plot()._repr_png_()
    assert DuplicatePairsDisplay.from_pairs(*pairs).plot()._repr_png_()
    sheet = save_contact_sheet(pairs[0], tmp_path / "pairs.png", pairs[1])
    with Image.open(sheet) as picture:
        assert picture.width > 0


def test_a_page_shows_a_dollar_as_one(found, tmp_path):
    page = found.save_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "$x_{$" in page
    assert len(re.findall("<img", page)) == 2


def test_images_are_found_by_their_names(tmp_path):
    Image.new("L", (9, 9)).save(tmp_path / "a\x1b.png")
    assert load_images(tmp_path).ids.tolist() == ["a\x1b.png"]
