"""Libraries that are extras: where one is missing, the error names it and the extra."""

import subprocess
import sys

import pytest

from nucrec.errors import MissingExtraError
from nucrec.evaluate import MetricsDisplay, report
from nucrec.models import predict_shards, save


@pytest.fixture(scope="module")
def found():
    return report([0, 1, 1], [0, 1, 0])


def test_plots_need_matplotlib(found, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    for draw in (
        MetricsDisplay.from_report(found).plot,
        lambda: found.save_html(tmp_path / "a.html"),
    ):
        with pytest.raises(MissingExtraError, match=r'matplotlib.*pip install "nucrec\[plots\]"'):
            draw()
    assert not list(tmp_path.iterdir())


def test_classical_models_are_saved_by_skops(gnb, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "skops", None)
    monkeypatch.setitem(sys.modules, "skops.io", None)
    with pytest.raises(MissingExtraError, match=r'skops.*pip install "nucrec\[skops\]"'):
        save(gnb, tmp_path / "gnb.skops")
    assert not list(tmp_path.iterdir())


def test_schedulers_need_distributed(gnb_file, class_folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    address = "tcp://127.0.0.1:9"
    with pytest.raises(MissingExtraError, match=r'distributed.*install "nucrec\[distributed\]"'):
        predict_shards(gnb_file, class_folder, tmp_path / "out", scheduler=address)
    assert not (tmp_path / "out").exists()


def test_a_fault_inside_a_library_is_not_taken_for_a_missing_one(tmp_path):
    (tmp_path / "matplotlib").mkdir()
    (tmp_path / "matplotlib" / "__init__.py").write_text("import no_such_dependency\n")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from nucrec.evaluate import MetricsDisplay, report\n"
        "MetricsDisplay.from_report(report([0, 1], [0, 1])).plot()"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ModuleNotFoundError: No module named 'no_such_dependency'" in result.stderr
