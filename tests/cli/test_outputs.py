"""What a command writes never replaces what it reads, and mistakes are told before the work."""

import os
import shutil
from pathlib import Path

import pytest

from nucrec.__main__ import main
from nucrec.evaluate import report


@pytest.fixture
def here(images, gnb_file, tmp_path, monkeypatch):
    """Work in a folder with images, their archive, a model and a link to it."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(gnb_file, "gnb.skops")
    shutil.make_archive("cells", "zip", images)
    Path("link.csv").symlink_to("gnb.skops")
    os.mkfifo("pipe.csv")
    return tmp_path


def everything(folder) -> dict:
    return {p: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture
def tables(here):
    """Inputs, in a folder of their own, under every name that a command writes."""
    table = "file,label\n../cells/nucleus/0.png,nucleus\n../cells/micronucleus/0.png,micronucleus\n"
    names = ["predictions", "groups", "metrics", "cells", "fields", "conditions", "table-1", "own"]
    for folder in ("own/checkpoints", "own/labels", "own/report", "links"):
        (here / folder).mkdir(parents=True)
    for name in names:
        (here / "own" / f"{name}.csv").write_text(table)
    (here / "own" / "checkpoints" / "t.csv").write_text(table)
    wells = "".join(f"B0{k},{'DMSO' if k < 4 else 'drug'},2000,20\n" for k in range(1, 7))
    (here / "own" / "decision.csv").write_text(f"well,condition,n_scored,n_micronucleated\n{wells}")
    shutil.copy(here / "own" / "decision.csv", here / "own" / "report" / "units.csv")
    (here / "own" / "run.json").write_text("{}")
    (here / "links" / "predictions.csv").symlink_to("../own/own.csv")
    (here / "fields").mkdir()
    shutil.copy(here / "cells" / "nucleus" / "0.png", here / "fields" / "B02.png")
    return here


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("evaluate gnb.skops own/predictions.csv -o own", "--out: own/predictions.csv is an input"),
        ("evaluate gnb.skops own/groups.csv -o own/../own", "groups.csv is an input"),
        ("evaluate gnb.skops own/metrics.csv -o own", "--out: own/metrics.csv is an input"),
        ("evaluate gnb.skops own/own.csv -o links", "--out: links/predictions.csv is an input"),
        ("detect fields --layout own/cells.csv -o own", "--out: own/cells.csv is an input"),
        (
            "detect fields --layout own/conditions.csv -o own",
            "--out: own/conditions.csv is an input",
        ),
        ("detect fields --historical own/fields.csv -o own", "--out: own/fields.csv is an input"),
        ("detect fields --masks own/labels -o own --overwrite", "own/labels would be replaced"),
        (
            "detect fields --masks own -o own --overwrite",
            "--out: own is inside the folder of the masks",
        ),
        ("assay own/decision.csv -o own", "--out: own/decision.csv is an input, and would be"),
        (
            "detect fields --layout own/report/units.csv --control DMSO -o own",
            "--out: own/report/units.csv is an input",
        ),
        (
            "detect fields --historical own/report/units.csv -o own",
            "--out: own/report/units.csv is an input",
        ),
        (
            "reproduce --data own/table-1.csv --tables 1 -o own",
            "--out: own/table-1.csv is an input",
        ),
        ("reproduce --data own/checkpoints/t.csv -o own", "own/checkpoints would be replaced"),
        ("reproduce --from-record own/run.json -o own", "--out: own/run.json is an input"),
        ("train cells --weights w.keras -o w.keras", "--out: w.keras is an input"),
    ],
)
def test_inputs_in_the_folder_that_is_written_to(tables, command, message, capsys):
    before = everything(tables)
    assert run(command) == 2
    told = capsys.readouterr()
    assert message in told.err
    assert told.out == ""
    assert everything(tables) == before


@pytest.mark.parametrize(
    ("mark", "command", "message"),
    [
        ("detect.json", "assay own/decision.csv -o out", "nucrec detect"),
        ("detect.json", "evaluate gnb.skops own/own.csv -o out", "nucrec detect"),
        ("metrics.csv", "assay own/decision.csv -o out", "nucrec evaluate"),
        ("tables.md", "detect fields -o out", "nucrec assay"),
    ],
)
def test_the_page_of_another_command_stays(tables, mark, command, message, capsys):
    (tables / "out").mkdir()
    for name in (mark, "report.html"):
        (tables / "out" / name).write_text("{}", encoding="utf-8")
    before = everything(tables)
    assert run(command) == 2
    assert f"--out: out holds the report.html of {message}, which" in capsys.readouterr().err
    assert everything(tables) == before


@pytest.mark.parametrize("name", ["groups.csv", "metrics.csv", "predictions.csv", "report.html"])
def test_an_evaluation_keeps_files_of_another_origin(tables, name, capsys):
    (tables / "out").mkdir()
    (tables / "out" / name).write_text("mine", encoding="utf-8")
    before = everything(tables)
    assert run("evaluate gnb.skops own/own.csv -o out") == 2
    told = capsys.readouterr().err
    assert f"--out: out holds {name}, but no report.html of nucrec evaluate" in told
    assert everything(tables) == before


@pytest.mark.parametrize(
    ("command", "option", "file"),
    [
        ("evaluate gnb.skops own/own.csv --html out/report.html", "--html", "report.html"),
        ("predict gnb.skops cells -o out/cells.csv", "--out", "cells.csv"),
        ("audit cells --csv out/cells.csv", "--csv", "cells.csv"),
    ],
)
def test_a_single_file_does_not_replace_a_result(tables, command, option, file, capsys):
    (tables / "out").mkdir()
    for name in ("cells.csv", "detect.json"):
        (tables / "out" / name).write_text("{}", encoding="utf-8")
    report([0, 1] * 5, [0, 1] * 5, class_names=["a", "b"]).save_html(tables / "out" / "report.html")
    before = everything(tables)
    assert run(command) == 2
    assert f"{option}: out/{file} was written by nucrec detect, and" in capsys.readouterr().err
    assert everything(tables) == before


def run(command: str) -> int:
    try:
        return main([*command.split(), "--quiet"])
    except SystemExit as error:
        return error.code


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            "predict gnb.skops cells -o gnb.skops",
            "--out: gnb.skops is an input: choose another name",
        ),
        ("predict gnb.skops cells -o link.csv", "--out: link.csv is an input"),
        ("predict gnb.skops cells.zip -o cells.zip", "--out: cells.zip is an input"),
        (
            "predict gnb.skops cells -o cells/nucleus/0.png",
            "--out: cells/nucleus/0.png is an input",
        ),
        (
            "predict gnb.skops cells -o a.html --html a.html",
            "--html: a.html is written by another option",
        ),
        ("predict gnb.skops cells -o pipe.csv", "There is no regular file of that name"),
        ("predict gnb.skops cells -o .", "There is a folder of that name"),
        ("predict gnb.skops cells -o ~nobody-here/a.csv", "out: expected a path"),
        (
            "predict gnb.skops cells -o nowhere/a.csv",
            "cannot write nowhere/a.csv: there is no folder nowhere",
        ),
        ("predict gnb.skops ~nobody-here -o a.csv", "FOLDER: expected a path"),
        ("predict ~nobody-here cells -o a.csv", "MODEL: expected a path"),
        ("audit cells -o cells/nucleus/0.png", "--out: cells/nucleus/0.png is an input"),
        ("audit cells -o a.png --csv a.png", "--csv: a.png is written by another option"),
        ("audit cells -o a.jpg", "expected a name that ends in .png, received 'a.jpg'"),
        ("audit cells -o nowhere/a.png", "there is no folder nowhere"),
        ("audit cells --csv .", "cannot write a file ."),
        ("train cells -o ~nobody-here/a.keras", "there is no folder ~nobody-here"),
        ("train ~nobody-here -o a.keras", "LABELLED: expected a path"),
        ("reproduce --tables 1 --out ~nobody-here", "out: expected a path"),
        ("reproduce --tables 1 --out pipe.csv", "--out: expected a folder for several files"),
        ("reproduce --tables 1 --out gnb.skops", "cannot write to the folder gnb.skops"),
    ],
)
def test_refused_before_any_work(here, command, message, capsys):
    before = everything(here)
    assert run(command) in (1, 2)
    told = capsys.readouterr()
    assert message in told.err
    assert told.out == ""
    assert everything(here) == before
    assert set(os.listdir(here)) == {"cells", "cells.zip", "gnb.skops", "link.csv", "pipe.csv"}


@pytest.mark.parametrize(
    "command",
    ["predict gnb.skops cells -o", "audit cells -o", "audit cells --csv", "train cells -o"],
)
def test_an_empty_name(here, command, capsys):
    try:
        code = main([*command.split(), "", "--quiet"])
    except SystemExit as error:
        code = error.code
    assert code == 2
    assert "expected" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore:20 of 20 images are unlike the training images")
def test_a_link_is_followed_and_earlier_tables_beside_the_images_are_replaced(here):
    (here / "cells" / "table.csv").write_text("before")
    (here / "link.csv").unlink()
    Path("link.csv").symlink_to("cells/table.csv")
    assert run("predict gnb.skops cells -o link.csv") == 0
    assert (here / "link.csv").is_symlink()
    assert (here / "cells" / "table.csv").read_text().startswith("file,predicted")
    assert run("predict gnb.skops cells -o cells/table.csv") == 0
