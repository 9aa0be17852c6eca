"""The README and the pages of the documentation: their code runs, their commands are the real ones."""

import csv
import importlib
import json
import os
import re
import runpy
import shlex
import socket
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from PIL import Image

from nucrec.__main__ import main, parser
from nucrec.fields import sample_fields

ROOT = Path(__file__).parents[1]
ROOMS = ("datasets", "augment", "audit", "models", "evaluate", "fields", "assay", "paper")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


TUTORIAL, PLATE = (ROOT / "docs" / name for name in ("tutorial.md", "tutorial-plate.md"))
IN_ORDER = (TUTORIAL, PLATE)  # their commands and their code work on the same files
NOTEBOOK = ROOT / "docs" / "notebook.md"  # a kernel runs it
WITH_CODE = [page for page in PAGES if blocks(page, "python")]
DIFFERENT = [
    page
    for page in {tuple(blocks(page, "python")): page for page in WITH_CODE}.values()
    if page not in (*IN_ORDER, NOTEBOOK)
]


@pytest.mark.slow
@pytest.mark.parametrize("page", DIFFERENT, ids=lambda page: page.name)
def test_code_runs(page, tmp_path, monkeypatch):
    script = tmp_path / "page.py"
    script.write_text("\n".join(blocks(page, "python")), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # TrainingWarning: some train for an epoch or two, to be quick
        warnings.filterwarnings("ignore", "the network classifies all of", UserWarning)
        warnings.filterwarnings("ignore", "fine-tuning was undone", UserWarning)
        runpy.run_path(str(script), run_name="__main__")  # TensorFlow starts once for all pages


def in_order(page: Path) -> str:
    """Return one script with the code and the commands of a page."""
    found = re.findall(
        r"^```(python|sh)\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    parts = ["from nucrec.__main__ import main"]
    for language, block in found:
        lines = [f"assert main({shlex.split(line)[1:]}) == 0" for line in block.splitlines()]
        parts.append("\n".join(lines) if language == "sh" else block)
    return "\n".join(parts)


NUMBER = r"(?:< )?\d[\d,]*(?:\.\d+)?"


def without_numbers(line: str) -> str:
    return " ".join(re.sub(NUMBER, "#", line).split())


def is_like(shown: str, printed: str) -> bool:
    """Tell whether a line begins as that of a page; other processors round differently."""
    if not without_numbers(printed).startswith(without_numbers(shown)):
        return False
    pairs = zip(re.findall(NUMBER, shown), re.findall(NUMBER, printed), strict=False)
    both = [[float(n.strip("< ").replace(",", "")) for n in pair] for pair in pairs]
    return all(ours == pytest.approx(theirs, rel=0.3, abs=3) for ours, theirs in both)


def lines_not_printed(page: Path, printed: str, at_least: int) -> list[str]:
    """Return the lines of output that a page shows and that were not printed."""
    shown = [line for block in blocks(page, "text") for line in block.splitlines()]
    assert len(shown) >= at_least
    lines = printed.splitlines()
    return [line for line in shown if not any(is_like(line, each) for each in lines)]


def run_in_order(page: Path, folder: Path) -> str:
    """Run the code and the commands of a page, and return what they print."""
    script = folder / "page.py"
    script.write_text(in_order(page), encoding="utf-8")
    command = [sys.executable, "-W", "error", script]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.slow
def test_the_tutorial_of_a_plate_runs_and_prints_what_it_shows(tmp_path):
    printed = run_in_order(PLATE, tmp_path)
    printed += (tmp_path / "plate/layout.csv").read_text(encoding="utf-8")
    assert lines_not_printed(PLATE, printed, at_least=21) == []
    assert {"report.html", "dose-response.png", "plate.png"} <= {
        path.name for path in (tmp_path / "report").iterdir()
    }


@pytest.mark.slow
def test_the_tutorial_runs_and_ends_with_a_classifier_that_works(tmp_path):
    printed = run_in_order(TUTORIAL, tmp_path)
    assert lines_not_printed(TUTORIAL, printed, at_least=13) == []
    with (tmp_path / "predictions.csv").open(encoding="utf-8", newline="") as file:
        right = [row["predicted"] == Path(row["file"]).parts[0] for row in csv.DictReader(file)]
    assert len(right) > 300
    assert sum(right) / len(right) > 0.75  # its page shows more; other processors round differently


def test_pages_with_code_are_found():
    assert {"README.md", "index.md", "tutorial.md", "reproduce.md"} <= {p.name for p in WITH_CODE}


def test_no_code_stays_unread():
    languages = [
        (page.name, language)
        for page in PAGES
        for language in re.findall(r"^ *```(.+)\n", page.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    # sh: below; text: output; what begins with a brace shows files that run elsewhere
    odd = [entry for entry in languages if entry[1] not in ("python", "sh", "text")]
    odd = [entry for entry in odd if not entry[1].strip().startswith("{")]
    assert odd == [("networks.md", 'py title="train.py"')]


@pytest.fixture
def folders(crops, tmp_path, monkeypatch) -> Path:
    """Work in a folder with those that the pages name: cells, by class, plate-7 and my-fields."""
    for folder, images in (("cells", crops[::20]), ("plate-7", crops[1::60])):
        for i, (image, label) in enumerate(zip(images.images, images.labels, strict=True)):
            path = tmp_path / folder / crops.class_names[label] / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)
    (tmp_path / "my-fields").mkdir()
    for field in sample_fields().fields:
        Image.fromarray(field.read()).save(tmp_path / "my-fields" / f"{field.name}.tif")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_script_for_several_machines_runs_on_one(folders):
    page = ROOT / "docs" / "networks.md"
    (script,) = blocks(page, 'py title="train.py"')
    script = script.replace("/shared/", "").replace(
        "transfer(", "transfer(image_size=32, epochs=1, "
    )
    (folders / "train.py").write_text(script, encoding="utf-8")
    (shell,) = [block for block in blocks(page, "sh") if "TF_CONFIG" in block]
    _, setting, _, *arguments = shlex.split(shell)
    config = json.loads(setting.partition("=")[2])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        config["cluster"]["worker"] = [f"127.0.0.1:{free.getsockname()[1]}"]
    more = {"TF_CONFIG": json.dumps(config), "CUDA_VISIBLE_DEVICES": "-1"}
    command = [sys.executable, *arguments]
    result = subprocess.run(
        command,
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert (folders / "model.keras").is_file()


def commands(*pages: Path) -> list[str]:
    """Return the commands of shell blocks, and those in a line of text, in order."""
    found = []
    for page in pages:
        for block in blocks(page, "sh"):
            parts = re.split(r"&&|\n", block)
            found += [part.split("#")[0].strip() for part in parts]
        found += re.findall(r"`(nucrec \w+ [^`]+)`", page.read_text(encoding="utf-8"))
    whole = [part for part in found if part.startswith("nucrec ") and "..." not in part]
    return list(dict.fromkeys(whole))


@pytest.mark.parametrize("command", commands(*PAGES))
def test_commands_are_understood(command):
    assert callable(parser().parse_args(command.split()[1:]).run)


@pytest.mark.slow
def test_commands_for_beginners_run(folders, capsys):
    beginners = commands(ROOT / "README.md", ROOT / "docs" / "audit.md")
    # "nucrec reproduce" as it stands takes minutes: tests/paper runs smaller ones
    chosen = [command for command in beginners if command != "nucrec reproduce"]
    assert {command.split()[1] for command in chosen} == {"train", "predict", "audit", "detect"}
    for command in chosen:
        assert main(command.split()[1:]) == 0, capsys.readouterr().err
    assert len(Path("predictions.csv").read_text(encoding="utf-8").splitlines()) == 7


def test_readme_fits_one_screen_and_has_the_two_commands():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 55
    first, second = blocks(ROOT / "README.md", "sh")[0].splitlines()
    assert first.split("#")[0].strip() == 'pip install ".[all]" && nucrec reproduce'
    assert second.split("#")[0].strip() == 'pip install ".[test]" && pytest -n 2 --dist loadfile'


def measured(table: int, row: str, column: str) -> str:
    """Return what the README prints of a row of a table."""
    with (ROOT / "docs" / "tables" / f"table-{table}.csv").open(encoding="utf-8", newline="") as f:
        found = next(each for each in csv.DictReader(f) if next(iter(each.values())) == row)
    published, paper, *honest = (
        f"{float(found[f'{column}_{end}']):.2f}"
        for end in ("published", "paper", "honest", "honest_low", "honest_high")
    )
    return "| {} | {} | {} ({} to {}) |".format(published, paper, *honest)


def test_figures_of_the_readme_are_those_measured():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if re.match(r"\|.*\d\.\d\d", line)]
    expected = [measured(2, "RF", "ACC"), measured(4, "20-100", "VAL-ACC")]
    expected.append(measured(6, "20-100", "VAL-ACC"))
    assert len(rows) == 3
    assert all(row.endswith(cells) for row, cells in zip(rows, expected, strict=True))
    left_out = json.loads((ROOT / "tools" / "detector" / "left-out.json").read_text())
    (found,) = (
        each["found"] for each in left_out["thresholds"] if each["threshold"] == left_out["chosen"]
    )
    classifier = json.loads((ROOT / "tools" / "classifier" / "left-out.json").read_text())
    everything = classifier["left out"][0]
    shown = [found[name] for name in ("micronuclei_recall", "micronuclei_precision")]
    shown += [everything[name] for name in ("sensitivity", "specificity")]
    for value in shown:
        assert "{:.2f} ({:.2f} to {:.2f})".format(*value) in text


def test_continuous_integration_runs_what_the_readme_says():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    steps = [line.partition(" #")[0] for line in script]
    assert 'pip install --quiet ".[test]"' in steps
    assert "pytest -n 2 --dist loadfile" in steps


def test_the_gallery_shows_every_example():
    page = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    shown = re.findall(r'^--8<-- "examples/(\w+)\.py"$', page, re.MULTILINE)
    assert sorted(shown) == sorted(path.stem for path in ROOT.glob("examples/*.py"))
    figures = re.findall(r"\(images/gallery/(\w+)\.png\)", page)
    stored = {path.stem: path for path in (ROOT / "docs" / "images" / "gallery").glob("*.png")}
    assert sorted(figures) == sorted(stored)
    for name, path in stored.items():
        assert "savefig(" in (ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8")
        assert path.stat().st_size < 80_000


def test_shipped_images_are_described_as_they_are():
    import numpy as np

    from nucrec.datasets import load_mnfinder_crops

    crops = load_mnfinder_crops("all")
    page = (ROOT / "docs" / "images.md").read_text(encoding="utf-8")
    lines, counts = np.unique(crops.metadata["cell_line"], return_counts=True)
    for line, count in zip(lines, counts, strict=True):
        assert f"| {line} | {count} |" in page
    sides = crops.metadata["side"]
    assert f"{sides.min()} to {sides.max()} pixels square" in page


@pytest.mark.parametrize("room", ROOMS)
def test_the_reference_has_all_public_names_and_no_other(room):
    page = (ROOT / "docs" / "reference" / f"{room}.md").read_text(encoding="utf-8")
    described = re.findall(r"^::: nucrec\.(\S+)$", page, re.MULTILINE)
    public = importlib.import_module(f"nucrec.{room}").__all__
    assert sorted(described) == sorted(f"{room}.{name}" for name in public)


def test_the_reference_has_all_errors():
    from nucrec import errors

    page = (ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
    assert "::: nucrec.errors\n" in page  # the module with all it has
    own = {name for name, thing in vars(errors).items() if isinstance(thing, type)}
    assert own == set(errors.__all__)


def test_the_reference_has_all_options_of_the_commands(capsys):
    page = (ROOT / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")
    for section in page.split("\n## nucrec ")[1:]:
        with pytest.raises(SystemExit):
            main([section.split()[0], "--help"])
        help_lines = capsys.readouterr().out.partition("\noptions:\n")[2]
        options = re.findall(r"^  (?:-.*, )?(--[a-z-]+)", help_lines, re.MULTILINE)
        first_cells = "".join(re.findall(r"^\| ([^|]*)", section, re.MULTILINE))
        assert set(re.findall("--[a-z-]+", first_cells)) == set(options) - {"--help"}


def test_all_pages_are_in_the_navigation():
    pages = {str(page.relative_to(ROOT / "docs")) for page in PAGES[1:]}
    shown = re.findall(r"^ +- .+: (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert len(shown) == len(set(shown))
    assert set(shown) == {page for page in pages if not page.startswith("includes/")}
