"""The page of a report: all numbers, the same bytes each time, or nothing at all."""

import base64
import sys
from xml.etree import ElementTree

import pytest
from tests.html_reader import read

from nucrec.errors import InvalidParameterError, MissingExtraError, NucrecError
from nucrec.evaluate import report

RESULT = report([0, 0, 1, 1] * 10, [0, 1, 1, 1] * 10, class_names=["nucleus", "a $b_{c$ <i>"])


def test_a_report(tmp_path):
    file = RESULT.save_html(tmp_path / "report.html", "Plate <7>")
    reader = read(file.read_text(encoding="utf-8"))
    for words in ("Plate <7>", "a $b_{c$ <i>", "40 images; intervals: 95%", "0.75", "Wilson"):
        assert words in reader.words
    for value in RESULT.metrics.values():
        assert f"{value.low:.2f} to {value.high:.2f}" in reader.words
    plots = [image["src"].partition(",")[2] for image in reader.all("img")]
    assert len(plots) == 2
    for plot in plots:
        root = ElementTree.fromstring(base64.b64decode(plot))
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
    again = RESULT.save_html(tmp_path / "again.html", "Plate <7>")
    assert again.read_bytes() == file.read_bytes()
    few = report([0, 1, 1], [0, 1, 0], class_names=["nucleus", "micronucleus"])
    words = read(few.save_html(tmp_path / "few.html").read_text(encoding="utf-8")).words
    assert all(remark in words for remark in few.remarks)


def test_a_report_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "report.html").write_text("before")
    with pytest.raises(InvalidParameterError, match="ends in .html"):
        RESULT.save_html(tmp_path / "report.pdf")
    with pytest.raises(NucrecError, match="cannot write .*nowhere"):
        RESULT.save_html(tmp_path / "nowhere" / "report.html")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"nucrec\[plots\]"):
        RESULT.save_html(tmp_path / "report.html")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["before"]
