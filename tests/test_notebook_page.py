"""The notebook of the documentation: it runs in a fresh kernel, and the page shows its outputs."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
NOTEBOOK = DOCS / "notebook.ipynb"
PARTS = ("text/html", "image/png", "text/plain")  # the richest first


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("notebook", DOCS / "includes" / "notebook.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def notebook() -> dict:
    return json.loads(NOTEBOOK.read_text(encoding="utf-8"))


def code_cells(notebook) -> list[dict]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def kinds(cell) -> list[str]:
    """Return what each output is shown as, and where it was written."""
    return [
        output.get("name") or next(part for part in PARTS if part in output["data"])
        for output in cell["outputs"]
    ]


def test_the_page_is_the_notebook_as_it_was_run(script, notebook):
    assert script.PAGE.read_text(encoding="utf-8") == script.page(notebook)


def test_every_cell_shows_one_thing_and_all_are_small(notebook):
    assert {tuple(kinds(cell)) for cell in code_cells(notebook)} == {("text/html",), ("image/png",)}
    assert NOTEBOOK.stat().st_size < 350_000
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}


@pytest.mark.slow
def test_it_runs_in_a_fresh_kernel_without_a_word_of_tensorflow(
    script, notebook, tmp_path, monkeypatch
):
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(Path(sys.modules["nucrec"].__file__).parents[1]))
    shown = [kinds(cell) for cell in code_cells(notebook)]
    again = code_cells(script.executed(notebook, tmp_path))
    assert [kinds(cell) for cell in again] == shown
