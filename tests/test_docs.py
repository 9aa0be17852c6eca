"""The README and the pages of the documentation: their code runs, their commands are the real ones."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from nucrec.__main__ import main

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


WITH_CODE = [page for page in PAGES if blocks(page, "python")]


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.name)
def test_code_runs(page, tmp_path):
    script = tmp_path / "page.py"
    script.write_text("\n".join(blocks(page, "python")), encoding="utf-8")
    command = [sys.executable, "-W", "error", script]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_pages_with_code_are_found():
    assert {"README.md", "index.md", "tutorial.md", "reproduce.md"} <= {p.name for p in WITH_CODE}


def commands() -> list[str]:
    lines = [line for page in PAGES for block in blocks(page, "sh") for line in block.splitlines()]
    parts = [part.split("#")[0].strip() for line in lines for part in line.split("&&")]
    return sorted({part for part in parts if part.startswith("nucrec ")})


@pytest.mark.parametrize("command", commands())
def test_commands_are_understood(command, monkeypatch):
    seen = []
    for name in ("reproduce", "train", "predict", "audit"):
        monkeypatch.setattr(
            f"nucrec.__main__._{name}", lambda arguments: seen.append(arguments) or 0
        )
    assert main(command.split()[1:]) == 0
    assert len(seen) == 1


def test_readme_fits_one_screen_and_has_the_two_commands():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 55
    first, second = blocks(ROOT / "README.md", "sh")[0].splitlines()
    assert first.split("#")[0].strip() == 'pip install ".[offline,plots]" && nucrec reproduce'
    assert second.split("#")[0].strip() == 'pip install ".[test]" && pytest'


def test_continuous_integration_runs_what_the_readme_says():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert 'pip install --quiet ".[test]"' in script
    assert "pytest" in script


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
