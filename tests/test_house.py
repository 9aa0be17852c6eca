"""The house rules: who imports whom, what is loaded when, and what is said in the docs."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import nucrec

SOURCE = Path(nucrec.__file__).parent
ROOT = Path(__file__).parents[1]

MAY_IMPORT = {
    "datasets": set(),
    "evaluate": set(),
    "augment": {"datasets"},
    "audit": {"datasets"},
    "models": {"datasets", "augment", "evaluate"},
    "paper": {"datasets", "augment", "audit", "models", "evaluate"},
}


def imported_rooms(path: Path) -> set[str]:
    """Return the subpackages that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("nucrec.")} & set(MAY_IMPORT)


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_go_one_way(room):
    files = list((SOURCE / room).rglob("*.py"))
    assert files
    for path in files:
        assert imported_rooms(path) - {room} <= MAY_IMPORT[room], path


def test_shared_rooms_know_no_other():
    for path in SOURCE.glob("_*.py"):
        if path.name not in ("__init__.py", "__main__.py"):
            assert not imported_rooms(path), path


def test_the_command_line_uses_public_names_only():
    own = ("nucrec._cli", "nucrec._version")
    for path in (SOURCE / "__main__.py", *(SOURCE / "_cli").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        private = [name for name in modules if name.startswith("nucrec.") and "._" in name]
        assert not [name for name in private if not name.startswith(own)], path


def loaded_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*sorted(sys.modules))"
    command = [sys.executable, "-W", "error", "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stderr == ""
    return set(result.stdout.split())


def test_importing_nucrec_loads_nothing_else():
    fresh = loaded_after("import nucrec")
    assert not {"tensorflow", "keras", "sklearn", "scipy", "numpy", "PIL"} & fresh


@pytest.mark.parametrize("room", ["datasets", "augment", "audit", "evaluate"])
def test_light_rooms_load_neither_tensorflow_nor_scikit_learn(room):
    fresh = loaded_after(f"import nucrec.{room}")
    assert not {"tensorflow", "keras", "sklearn", "scipy", "matplotlib"} & fresh


@pytest.mark.parametrize("room", ["models", "paper"])
def test_no_room_loads_tensorflow_before_it_is_used(room):
    assert not {"tensorflow", "keras", "matplotlib"} & loaded_after(f"import nucrec.{room}")


def test_augmenting_does_not_load_tensorflow_for_its_speed():
    batch = "np.zeros((40, 50, 50), np.uint8)"
    fresh = loaded_after(
        "import numpy as np\nfrom nucrec.augment import paper_pipeline\n"
        f"assert paper_pipeline(0)({batch}, size=300).shape == (40, 300, 300)"
    )
    assert not {"tensorflow", "keras"} & fresh


def test_importing_writes_nothing_and_changes_no_global_state():
    code = (
        "import os, random, warnings, numpy as np\n"
        "before = (os.listdir('.'), random.getstate(), list(warnings.filters),"
        " np.random.get_state()[1].tolist(), dict(os.environ))\n"
        "import nucrec.datasets, nucrec.augment, nucrec.evaluate\n"
        "after = (os.listdir('.'), random.getstate(), list(warnings.filters),"
        " np.random.get_state()[1].tolist(), dict(os.environ))\n"
        "assert before == after"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_subpackages_are_resolved_on_first_use():
    assert nucrec.datasets.load_mnfinder_crops.__module__.startswith("nucrec.datasets")
    assert set(nucrec.__all__) == set(dir(nucrec))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        nucrec.nothing  # noqa: B018 - reading it is what fails


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_core_depends_on_five_libraries(project):
    names = {entry.split(">")[0] for entry in project["dependencies"]}
    assert names == {"tensorflow", "scikit-learn", "numpy", "pillow", "typing-extensions"}
    assert set(project["optional-dependencies"]) == {
        "offline",
        "plots",
        "skops",
        "distributed",
        "test",
        "docs",
        "bench",
        "fuzz",
        "dev",
    }


def test_one_version(project):
    assert "version" in project["dynamic"]
    version = nucrec.__version__
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in changelog or f"## [{version}]" in changelog
    for path in ("CITATION.cff", "mkdocs.yml", "README.md"):
        assert version not in (ROOT / path).read_text(encoding="utf-8"), path


def test_what_ships():
    assert (SOURCE / "py.typed").exists()
    assert (SOURCE / "datasets" / "data" / "mnfinder-crops.zip").stat().st_size < 5_000_000
    assert len(list((SOURCE / "paper" / "published").glob("*.csv"))) == 6
