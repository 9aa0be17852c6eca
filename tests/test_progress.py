"""Progress: every function that shows any takes True, False or a callable."""

import importlib
import inspect
import io
from pathlib import Path

import pytest
from PIL import Image

import nucrec
from nucrec import audit, models, paper

ROOMS = ("datasets", "augment", "audit", "models", "evaluate", "paper")


@pytest.fixture(scope="module")
def zoo():
    return {"GNB": models.classical_zoo(random_state=0)["GNB"]}


@pytest.fixture(scope="module")
def cells(tmp_path_factory, crops):
    folder = tmp_path_factory.mktemp("cells")
    for i in range(12):
        Image.fromarray(crops.images[i]).save(folder / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    options = {"tables": 1, "protocol": "paper", "progress": False}
    return paper.reproduce(out=out, **options).files[-1]


@pytest.fixture
def calls(request, zoo, crops, gnb_file, cells, tmp_path) -> dict:
    """A call of each public name that has `progress`."""
    few = crops[::9]
    one_table = {"tables": 1, "protocol": "paper", "out": tmp_path}
    return {
        "audit.duplicates": lambda show: audit.duplicates(few, progress=show),
        "audit.clusters": lambda show: audit.clusters(few, progress=show),
        "audit.leakage": lambda show: audit.leakage(few[::2], few[1::2], progress=show),
        "models.run_zoo": lambda show: models.run_zoo(zoo, few, few, progress=show),
        "models.run_zoos": lambda show: list(
            models.run_zoos(zoo, {"a": (few, few)}, progress=show)
        ),
        "models.cross_validate": lambda show: models.cross_validate(
            zoo, crops, n_splits=2, progress=show
        ),
        "models.predict_folder": lambda show: models.predict_folder(
            models.load(gnb_file), cells, tmp_path / "cells.csv", progress=show
        ),
        "models.predict_shards": lambda show: models.predict_shards(
            gnb_file, cells, tmp_path / "shards", progress=show
        ),
        "models.ImageClassifier": lambda show: models.ImageClassifier(
            "cnn", weights=None, image_size=16, epochs=1, progress=show
        ).fit(few),
        "paper.reproduce": lambda show: paper.reproduce(**one_table, progress=show),
        "paper.repeat": lambda show: paper.repeat(
            request.getfixturevalue("record"), out=tmp_path, progress=show
        ),
    }


def takes_progress(room: str, name: str) -> bool:
    thing = getattr(importlib.import_module(f"nucrec.{room}"), name)
    return callable(thing) and "progress" in inspect.signature(thing).parameters


NAMES = [
    f"{room}.{name}"
    for room in ROOMS
    for name in importlib.import_module(f"nucrec.{room}").__all__
    if takes_progress(room, name)
]
SLOW = ("models.ImageClassifier", "models.cross_validate", "paper.reproduce", "paper.repeat")


@pytest.mark.filterwarnings("ignore::nucrec.errors.LeakageWarning")
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] if n in SLOW else []) for n in NAMES]
)
def test_true_shows_every_step_on_standard_error_and_false_nothing(name, calls, capsys):
    calls[name](False)
    assert "[" not in capsys.readouterr().err
    calls[name](True)
    shown = capsys.readouterr()
    lines = [line for line in shown.err.splitlines() if line.startswith("[")]
    done, _, total = lines[-1].partition("]")[0].strip("[ ").partition("/")
    assert done == total
    assert "[" not in shown.out


def test_a_callable_is_told_instead(crops, capsys):
    told = []
    audit.duplicates(crops[::9], progress=lambda *step: told.append(step))
    assert capsys.readouterr().err == ""
    done, total, what = told[-1]
    assert done == total == max(step[0] for step in told)
    assert isinstance(what, str)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


AUDIT = """
from nucrec.audit import duplicates
from nucrec.datasets import load_mnfinder_crops
duplicates(load_mnfinder_crops()[::30], progress=True);
"""
WITHOUT_TQDM = 'import sys; sys.modules["tqdm.auto"] = None'


@pytest.mark.slow
def test_in_a_notebook_a_bar_stands_in_place_where_there_is_tqdm(monkeypatch):
    nbclient, nbformat = map(pytest.importorskip, ("nbclient", "nbformat"))
    for module in ("ipykernel", "ipywidgets", "tqdm"):
        pytest.importorskip(module)
    monkeypatch.setenv("PYTHONPATH", str(Path(nucrec.__file__).parents[1]))
    cells = [nbformat.v4.new_code_cell(code) for code in (AUDIT, WITHOUT_TQDM, AUDIT)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    (bar,), none, lines = (cell.outputs for cell in notebook.cells)
    assert none == []
    assert "application/vnd.jupyter.widget-view+json" in bar.data
    widgets = notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    drawn = [w["state"] for w in widgets.values() if w["model_name"] == "FloatProgressModel"]
    assert [(each["value"], each["max"]) for each in drawn] == [(33, 33)]
    assert {output.get("name") for output in lines} == {"stderr"}
    assert "[33/33]" in lines[-1].text


def test_without_standard_error_nothing_is_shown(crops, monkeypatch):
    monkeypatch.setattr("sys.stderr", None)  # as under pythonw
    assert len(audit.duplicates(crops[::30], progress=True)) == 0


def test_on_a_terminal_the_line_is_redrawn(crops, monkeypatch):
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    audit.duplicates(crops[::9], progress=True)
    lines = terminal.getvalue().split("\r")[1:]
    assert {len(line.rstrip("\n")) for line in lines} == {79}
    assert lines[-1].endswith("\n")
    assert len(lines) > 2 * terminal.getvalue().count("\n")
