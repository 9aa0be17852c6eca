"""`nucrec audit`: the pairs as text, as a picture and as a table."""

import json
import re

from PIL import Image

from nucrec.__main__ import main


def test_the_pairs_are_printed_and_drawn(images, tmp_path, capsys, monkeypatch):
    first = images / "nucleus" / "0.png"
    (images / "micronucleus" / "again.png").write_bytes(first.read_bytes())
    sheet, table = tmp_path / "pairs.png", tmp_path / "pairs.csv"
    assert main(["audit", str(images), "-o", str(sheet), "--csv", str(table)]) == 0
    told = capsys.readouterr().out
    assert "1 pair among 21 images: 1 exact; 1 across classes" in told
    assert f"Written to {table} and {sheet}" in told
    with Image.open(sheet) as picture:
        assert picture.format == "PNG"
    assert table.read_text(encoding="utf-8").splitlines()[1:] == [
        "micronucleus/again.png,nucleus/0.png,exact,1.0,1.0,yes"
    ]
    monkeypatch.chdir(tmp_path)
    assert main(["audit", str(images), "--json", "--quiet"]) == 0
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert found["counts"] == {"exact": 1}
    assert {each["name"] for each in found["shortcuts"]["properties"]} >= {"bit depth", "file size"}
    assert shown.err == ""
    assert (tmp_path / "duplicates.png").exists()


def test_without_pairs_there_is_no_picture(images, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["audit", str(images), "--quiet"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(
        "0 pairs among 20 images\n\nProperties besides the cells that reveal the class\n"
    )
    assert re.search(r"^bit depth +0\.50 +uint8 +uint8", told, re.MULTILINE)
    assert main(["audit", str(images / "nucleus"), "--quiet"]) == 0
    assert capsys.readouterr().out == "0 pairs among 10 images\n"
    assert not (tmp_path / "duplicates.png").exists()
