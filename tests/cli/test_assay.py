"""`nucrec assay`: a folder from a table, and mistakes that are told in one line."""

import csv
import hashlib
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import fisher_exact
from tests.html_reader import read

from nucrec.__main__ import main

FOUND = {0: [9, 12, 8, 10], 1: [14, 18, 13, 16], 2: [24, 30, 27, 22], 4: [40, 38, 45, 41]}
RATES = [4.1, 5.0, 6.2, 3.9, 5.5, 4.8, 5.1, 6.0, 4.4, 5.7]
HEADER = "well,condition,dose,scored,micronucleated"


def counts(path: Path) -> Path:
    rows = [
        f"{'BCDE'[k]}{i + 2:02d},{'DMSO' if dose == 0 else 'MMC'},{dose},2000,{n}"
        for k, (dose, wells) in enumerate(FOUND.items())
        for i, n in enumerate(wells)
    ]
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder with tables and the report of them."""
    root = tmp_path_factory.mktemp("assay")
    counts(root / "counts.csv")
    (root / "historical.csv").write_text("rate\n" + "\n".join(map(str, RATES)), encoding="utf-8")
    command = ["assay", str(root / "counts.csv"), "--control", "DMSO", "--quiet"]
    command += ["--historical", str(root / "historical.csv"), "-o", str(root / "report")]
    assert main(command) == 0
    return root


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_page_has_everything_in_order(made):
    html = (made / "report" / "report.html").read_text(encoding="utf-8")
    page = read(html)
    headings = re.findall(r"<h2>(.*?)</h2>", html)
    assert headings == [
        "Design",
        "Counts and exclusions",
        "Rates",
        "Tests",
        "Decision by the criteria of OECD TG 487",
        "Every well",
        "Methods",
        "How this was made",
    ]
    assert "By the three criteria of OECD TG 487: MMC clearly positive." in page.words
    assert "genotoxic" not in html.casefold()
    assert len(page.all("img")) == 2
    for name in ("counts.csv", "historical.csv"):
        assert hashlib.sha256((made / name).read_bytes()).hexdigest() in page.words
    for name in ("conditions.csv", "dose-response.png"):
        assert hashlib.sha256((made / "report" / name).read_bytes()).hexdigest() in page.words
    assert f"nucrec assay {made / 'counts.csv'} --control DMSO" in page.words
    for word in ("nucrec", "NumPy", "SciPy", "Python", "Wilson", "Armitage", "Dunnett"):
        assert word in page.words


def test_the_tables_hold_the_numbers(made):
    report = made / "report"
    conditions = rows(report / "conditions.csv")
    assert [row["n_micronucleated"] for row in conditions] == [
        str(sum(each)) for each in FOUND.values()
    ]
    assert float(conditions[1]["per_1000"]) == pytest.approx(1000 * sum(FOUND[1]) / 8000)
    tested = rows(report / "against-control.csv")
    expected = [
        fisher_exact([[k, 8000 - k], [39, 7961]], alternative="greater")[1] for k in (61, 103, 164)
    ]
    assert [float(row["p_pooled"]) for row in tested] == pytest.approx(expected)
    assert len(rows(report / "units.csv")) == 16
    assert [row["answer"] for row in rows(report / "decision.csv")] == ["met"] * 3
    markdown = (report / "tables.md").read_text(encoding="utf-8")
    latex = (report / "tables.tex").read_text(encoding="utf-8")
    for caption in ("Rates", "Increase with dose", "Against the control", "By well"):
        assert f"## {caption}\n\n| " in markdown
        assert f"% {caption}\n\\begin{{tabular}}" in latex
    for name in ("dose-response.png", "plate.png"):
        assert (report / name).read_bytes().startswith(b"\x89PNG")
    assert not list(report.glob(".*"))


def test_what_is_printed(made, tmp_path, capsys):
    command = ["assay", str(made / "counts.csv"), "-o", str(tmp_path), "--quiet"]
    assert main([*command, "--control", "dmso"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert "MMC: not answerable by these criteria" in told.out
    assert "Needed: historical controls of at least 10 experiments, better 20" in told.out
    assert f"Written to {tmp_path}: report.html, conditions.csv" in told.out
    assert main([*command, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["decisions"][0]["verdict"] == "not answerable"
    assert printed["tables"]["trend"][0]["p_units"] < 0.05
    assert printed["files"][0] == "report.html"


def test_seed_block_and_confidence_reach_the_report(made, tmp_path, capsys):
    lines = counts(tmp_path / "c.csv").read_text(encoding="utf-8").splitlines()
    days = ["day", *("12"[i % 2] for i in range(16))]
    text = "\n".join(f"{a},{b}" for a, b in zip(lines, days, strict=True))
    (tmp_path / "c.csv").write_text(text, encoding="utf-8")
    command = ["assay", str(tmp_path / "c.csv"), "-o", str(tmp_path / "r"), "--quiet", "--block"]
    assert main([*command, "day", "--confidence", "0.9", "--seed", "7"]) == 0
    page = read((tmp_path / "r" / "report.html").read_text(encoding="utf-8")).words
    assert "of wells within each day" in page
    assert "seed 7" in page
    assert "intervals90%" in page
    narrow, wide = rows(tmp_path / "r" / "conditions.csv"), rows(made / "report" / "conditions.csv")
    assert float(narrow[0]["low"]) > float(wide[0]["low"])


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("C02,MMC,1,2000,-3", "line 6: micronucleated must be a whole number of at least 0"),
        ("C02,MMC,1,2000,2.5", "line 6: micronucleated must be a whole number"),
        ("C02,MMC,1,2000,NaN", "line 6: micronucleated must be a whole number"),
        ("C02,MMC,1,2000,", "line 6: micronucleated must be a whole number"),
        ("C02,MMC,1,2000,twelve", "line 6: micronucleated must be a whole number"),
        ("C02,MMC,1,2.000,12", "line 6: scored must be .* without thousands separators"),
        ('C02,MMC,1,"2,000",12', "line 6: scored must be .* without thousands separators"),
        ("C02,MMC,1,10,30", "line 6: micronucleated must be at most scored, 10"),
        ("C02,MMC,1 uM,2000,30", "line 6: dose must be a number of at least 0, without its unit"),
        ("B02,DMSO,0,2000,30", "line 6: well B02 is listed twice, first in .*, line 2"),
        ("C02,MMC,1,2000", "line 6: micronucleated must be a whole number"),
        ("C02,MMC,1,2000,30,4", "line 6: 6 cells under 5 names of columns"),
    ],
)
def test_bad_tables_name_row_and_column(tmp_path, capsys, row, told):
    lines = [HEADER, *(f"B0{i},DMSO,0,2000,{i}" for i in (2, 3, 4, 5)), row]
    (tmp_path / "bad.csv").write_text("\n".join(lines), encoding="utf-8")
    command = ["assay", str(tmp_path / "bad.csv"), "-o", str(tmp_path / "out"), "--quiet"]
    assert main(command) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(rf"bad\.csv, {told}", line)
    assert not (tmp_path / "out").exists()


def exit_code(command: list[str]) -> int:
    try:
        return main(command)
    except SystemExit as error:
        return error.code


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["--control", "DMS0"], 2, "control: .*MMC.*Did you mean 'DMSO'"),
        (["--by", "substance"], 2, "by: expected a column of the table: well, condition"),
        (["--unit", "culture"], 2, "unit: expected a column of the table"),
        (["--block", "day"], 2, "block: expected a column of the table"),
        (["--confidence", "95"], 2, "confidence: expected a number strictly between 0 and 1"),
        (
            ["--columns", "n_scored=cells"],
            2,
            "columns: expected a column of the table for n_scored",
        ),
        (
            ["--columns", "scored=well"],
            2,
            "columns: expected names among .*Did you mean 'n_scored'",
        ),
        (
            ["--columns", "n_scored=scored,n_scored=dose"],
            2,
            "columns: n_scored is given twice, as 'scored' and as 'dose'",
        ),
        (["--columns", "n_scored"], 2, "nucrec: --columns: expected NAME=COLUMN"),
        (["--layout", "none.csv"], 1, "none.csv: there is no such file"),
        (["--historical", "none.csv"], 1, "none.csv: there is no such file"),
        (["--reviewed", "none.csv"], 1, "none.csv: there is no such file"),
        (["--seed", "-1"], 2, "--seed: expected a whole number"),
        (["-o", "COUNTS"], 2, "--out: expected a folder for several files"),
        (["-o", ""], 2, "out: expected the path of a folder"),
    ],
)
def test_mistakes_are_told_in_one_line(made, tmp_path, capsys, options, code, told):
    table = counts(tmp_path / "counts.csv")
    command = ["assay", str(table), *(str(table) if o == "COUNTS" else o for o in options)]
    out = [] if "-o" in options else ["-o", str(tmp_path / "out")]
    assert exit_code([*command, *out, "--quiet"]) == code
    line = capsys.readouterr().err.splitlines()[-1]
    assert re.search(told, line)
    assert not (tmp_path / "out").exists()
    assert table.read_text(encoding="utf-8").startswith(HEADER)


def test_one_dose_is_no_failure(tmp_path, capsys):
    lines = [HEADER]
    lines += [
        f"{'BC'[k]}0{i + 2},{'DM'[k]},{k},2000,{6 + 9 * k + i}" for k in (0, 1) for i in range(4)
    ]
    (tmp_path / "one.csv").write_text("\n".join(lines), encoding="utf-8")
    command = ["assay", str(tmp_path / "one.csv"), "-o", str(tmp_path / "out"), "--quiet"]
    assert main([*command, "--control", "D"]) == 0
    assert "too few doses" in capsys.readouterr().out
    assert not (tmp_path / "out" / "trend.csv").exists()


def test_inputs_are_never_overwritten(tmp_path, capsys):
    table = counts(tmp_path / "conditions.csv")
    before = table.read_bytes()
    assert main(["assay", str(table), "-o", str(tmp_path), "--quiet"]) == 2
    assert "conditions.csv is an input, and would be replaced" in capsys.readouterr().err
    assert table.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["conditions.csv"]


def test_a_layout_gives_wells_their_conditions(made, tmp_path, capsys):
    lines = [line.split(",") for line in (made / "counts.csv").read_text().splitlines()[1:]]
    cells = ["Metadata_Well;Scored BN;MNBN", *(f"{w};{n};{k}" for w, _, _, n, k in lines)]
    (tmp_path / "cells.csv").write_text("\n".join(cells), encoding="utf-8")
    layout = ["Well;Treatment;Dose (µM)", *(f"{w[0]}{int(w[1:])};{c};{d}" for w, c, d, *_ in lines)]
    layout += ["H12;MMC;0,5"]
    (tmp_path / "layout.csv").write_text("\n".join(layout), encoding="utf-8")
    command = ["assay", str(tmp_path / "cells.csv"), "--control", "DMSO", "--quiet", "--columns"]
    command += ["n_scored=Scored BN", "--layout", str(tmp_path / "layout.csv")]
    assert main([*command, "-o", str(tmp_path / "out")]) == 0
    assert "Rows of the layout without cells (1): H12." in capsys.readouterr().out
    for name in ("conditions.csv", "units.csv", "trend.csv"):
        ours = (tmp_path / "out" / name).read_bytes()
        assert ours == (made / "report" / name).read_bytes()
    page = read((tmp_path / "out" / "report.html").read_text(encoding="utf-8")).words
    assert "dose from 'Dose (µM)'" in page
    assert hashlib.sha256((tmp_path / "layout.csv").read_bytes()).hexdigest() in page


@pytest.mark.filterwarnings("always::nucrec.errors.DataWarning")
def test_without_matplotlib(made, tmp_path, monkeypatch, capsys):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["assay", str(made / "counts.csv"), "-o", str(tmp_path), "--quiet"]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "Left out: dose-response.png and plate.png" in line
    assert 'pip install "nucrec[plots]"' in line
    page = read((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert page.all("img") == []
    assert "Left out: dose-response.png" in page.words


def test_names_are_shown_and_never_run(tmp_path, capsys):
    table = tmp_path / "names.csv"
    hostile = ["=1+1", "<b>µ</b>", "@SUM(A1)", "a|b_$c%"]
    lines = [HEADER] + [
        f"{'BCDE'[k]}0{i},{c},,2000,9" for k, c in enumerate(hostile) for i in (1, 2, 3)
    ]
    table.write_text("\n".join(lines), encoding="utf-8")
    assert (
        main(["assay", str(table), "--control", "=1+1", "-o", str(tmp_path / "o"), "--quiet"]) == 0
    )
    content = (tmp_path / "o" / "conditions.csv").read_bytes()
    assert content.startswith(
        b"\xef\xbb\xbfname,condition"
    )  # or Excel takes it for another encoding
    names = [row["name"] for row in rows(tmp_path / "o" / "conditions.csv")]
    assert names == ["'=1+1", "<b>µ</b>", "'@SUM(A1)", "a|b_$c%"]
    assert (tmp_path / "o" / "exclusions.csv").exists() is False
    page = read((tmp_path / "o" / "report.html").read_text(encoding="utf-8"))
    assert "<b>µ</b>" in page.words
    latex = (tmp_path / "o" / "tables.tex").read_text(encoding="utf-8")
    assert r"\textless{}b\textgreater{}µ" in latex
    assert r"a|b\_\$c\%" in latex
    assert r"<b>" not in (tmp_path / "o" / "tables.md").read_text(encoding="utf-8")


def test_ascii_tables_have_no_byte_order_mark(made):
    assert (made / "report" / "conditions.csv").read_bytes().startswith(b"name,condition")


@pytest.mark.filterwarnings("always::nucrec.errors.DataWarning")
def test_files_of_an_earlier_report_are_told(made, tmp_path, capsys):
    (tmp_path / "corrected.csv").write_text("old", encoding="utf-8")
    assert main(["assay", str(made / "counts.csv"), "-o", str(tmp_path), "--quiet"]) == 0
    assert "corrected.csv of an earlier report is still present" in capsys.readouterr().err


def test_reviewed_cells_correct_the_rates(tmp_path, capsys):
    rng = np.random.default_rng(0)
    lines = ["field,well,condition,dose,cell_id,n_micronuclei,scored"]
    called = []
    for k, dose in enumerate((0, 1, 2, 4)):
        for i in range(3):
            well = f"{'BCDE'[k]}{i + 2:02d}"
            found = rng.random(400) < 0.02 * (1 + dose)
            called += [(well, cell, int(hit)) for cell, hit in enumerate(found)]
            name = "DMSO" if dose == 0 else "MMC"
            lines += [f"{well},{well},{name},{dose},{c},{int(h)},true" for c, h in enumerate(found)]
    (tmp_path / "cells.csv").write_text("\n".join(lines), encoding="utf-8")
    positive = [each for each in called if each[2]][:60]
    negative = [each for each in called if not each[2]][::40]
    reviewed = ["field,cell_id,called,reviewed"]
    reviewed += [f"{w},{c},1,{int(i % 5 > 0)}" for i, (w, c, _) in enumerate(positive)]
    reviewed += [f"{w},{c},0,0" for w, c, _ in negative]
    (tmp_path / "reviewed.csv").write_text("\n".join(reviewed), encoding="utf-8")
    command = ["assay", str(tmp_path / "cells.csv"), "--control", "DMSO", "--quiet"]
    command += ["--reviewed", str(tmp_path / "reviewed.csv"), "-o", str(tmp_path / "out")]
    assert main(command) == 0
    table = rows(tmp_path / "out" / "corrected.csv")
    assert [row["condition"] for row in table] == ["DMSO", "MMC 1", "MMC 2", "MMC 4"]
    top = table[-1]
    assert float(top["low"]) <= float(top["corrected_per_1000"]) <= float(top["high"])
    assert float(top["corrected_per_1000"]) < float(top["found_per_1000"])
    measures = {row["measure"]: row for row in rows(tmp_path / "out" / "detector.csv")}
    assert float(measures["precision"]["value"]) == pytest.approx(0.8, abs=0.05)
    html = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Rates corrected for errors of the detector" in html
    assert hashlib.sha256((tmp_path / "reviewed.csv").read_bytes()).hexdigest() in html


def test_names_with_a_sign_survive_the_table_of_cells(tmp_path, capsys):
    cells = [
        f"{well},'{sign}S9,{cell},{int(cell < n)}"
        for well, sign, n in (("B02", "-", 1), ("B03", "-", 2), ("C02", "+", 3), ("C03", "+", 2))
        for cell in range(9)
    ]
    text = "\n".join(["well,condition,cell_id,n_micronuclei", *cells])
    (tmp_path / "cells.csv").write_text(text, encoding="utf-8")
    command = ["assay", str(tmp_path / "cells.csv"), "--control=-S9", "--quiet", "-o"]
    assert main([*command, str(tmp_path / "o")]) == 0
    assert [row["name"] for row in rows(tmp_path / "o" / "conditions.csv")] == ["'-S9", "'+S9"]
    assert "'-S9" not in capsys.readouterr().out
