"""The house rules: who imports whom, how long files and functions are, what is loaded when."""

import ast
import functools
import graphlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
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
    "assay": {"evaluate"},
    "fields": {"datasets", "augment", "models", "evaluate"},
    "paper": {"datasets", "augment", "audit", "models", "evaluate"},
    "_cli": {"datasets", "augment", "audit", "models", "evaluate", "fields", "assay", "paper"},
    "__main__": {"_cli"},
}
"""The rooms that each room may import. Whatever is not named here is the ground floor."""


BEHIND_THE_DOOR = {
    "benchmarks/batches.py": "`fit` reads batches ahead of the steps, and so does what is timed",
    "benchmarks/frozen.py": "the peer trains the same network, to show that both end alike",
    "tests/models/weights/test_torch_file.py": "a parser of foreign bytes is asked thousands of times",
    "tests/models/weights/test_efficientnet_lite.py": "damaged tensors are made from those of the file",
    "tests/test_quiet.py": "TensorFlow says these things on other machines",
    "tests/system/test_downloads.py": "the addresses of weights are not for users to change",
    "tests/paper/test_protocol.py": "a public run would train for minutes to show a division",
    "tests/paper/test_repeat.py": "a public run would train for minutes to show a difference",
    "tests/paper/test_figures.py": "a public run would train for minutes to show a bar",
    "tests/paper/test_backbone.py": "a public run would train for hours to announce them",
    "tests/paper/test_deep_tables.py": "a public run that ends at epoch 20 takes hours",
}
"""Files outside the library that use what is not public, and why."""


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def asked_for(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, anywhere in it and for whatever purpose.

    Of ``from a import b`` that is ``a.b``, which may be a name in the module a.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@functools.cache
def imports() -> dict[str, set[str]]:
    """Return the modules of nucrec that each of its modules imports."""
    files = {module_name(path): path for path in SOURCE.rglob("*.py")}

    def module_of(name: str) -> str:
        return name if name in files else name.rpartition(".")[0]

    return {
        name: {module_of(asked) for asked in asked_for(path)} & set(files)
        for name, path in files.items()
    }


def room(module: str) -> str:
    """Return the room that a module is in, "" on the ground floor."""
    _, name, *_ = (*module.split("."), "")
    return name if name in MAY_IMPORT else ""


def between_rooms() -> Iterator[tuple[str, str]]:
    """Yield the pairs (module, what it imports) that are in different rooms."""
    for module, others in imports().items():
        if module != "nucrec":  # whose subpackages are loaded on first use
            yield from ((module, other) for other in others if room(module) != room(other))


def test_the_map_is_of_the_rooms_that_are_there():
    public = set(nucrec.__all__) - {"__version__", "errors"}
    assert set(MAY_IMPORT) == {*public, "_cli", "__main__"}
    assert {room(name) for name in imports()} == {*MAY_IMPORT, ""}


def test_no_file_imports_in_a_circle():
    graphlib.TopologicalSorter(imports()).prepare()  # raises CycleError, with the files


def test_imports_go_one_way_and_from_the_ground_floor_nowhere():
    upward = [
        f"{module} imports {other}"
        for module, other in between_rooms()
        if room(other) not in {"", *MAY_IMPORT.get(room(module), ())}
    ]
    assert upward == []


def test_no_room_imports_what_is_private_in_another():
    private = [
        f"{module} imports {other}"
        for module, other in between_rooms()
        if room(other) not in ("", "_cli") and "._" in other.removeprefix(f"nucrec.{room(other)}")
    ]
    assert private == []


def test_the_command_line_uses_public_names_only():
    own = tuple(f"nucrec._{name}" for name in ("cli", "version", "spelling", "endings", "written"))
    private = [
        f"{module} imports {other}"
        for module, others in imports().items()
        if room(module) in ("_cli", "__main__")
        for other in others
        if "._" in other and not other.startswith(own)
    ]
    assert private == []


def private_names(path: Path) -> set[str]:
    """Return the private modules of nucrec that a file names, in imports or in text."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)]
    found = [*asked_for(path), *(text for text in texts if isinstance(text, str))]
    return {name for text in found for name in re.findall(r"\bnucrec(?:\.\w+)*?\._[a-z]\w*", text)}


@pytest.mark.parametrize("folder", ["benchmarks", "examples", "tests"])
def test_whoever_is_not_the_library_uses_public_names(folder):
    files = [path for path in (ROOT / folder).rglob("*.py") if path != Path(__file__)]
    private = {path.relative_to(ROOT).as_posix(): private_names(path) for path in files}
    excused = {file for file in BEHIND_THE_DOOR if file.startswith(f"{folder}/")}
    assert {file: names for file, names in private.items() if names and file not in excused} == {}
    assert {file for file, names in private.items() if names} >= excused  # as long as they need it


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function from the first to the last, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_files_and_functions_are_short():
    texts = {path: path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")}
    lines = [
        body_lines(node)
        for text in texts.values()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert np.percentile(lines, 90, method="lower") <= 16
    assert [path.name for path, text in texts.items() if text.count("\n") > 400] == []


def loaded_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*sorted(sys.modules))"
    command = [sys.executable, "-W", "error", "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stderr == ""
    return set(result.stdout.split())


def test_importing_nucrec_loads_nothing_else():
    fresh = loaded_after("import nucrec")
    assert not {"tensorflow", "keras", "sklearn", "scipy", "numpy", "PIL"} & fresh


@pytest.mark.parametrize("room", ["datasets", "augment", "audit", "evaluate", "fields", "assay"])
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


def test_core_depends_on_five_libraries_and_a_version_of_keras(project):
    names = {entry.split(">")[0] for entry in project["dependencies"]}
    five = {"tensorflow", "scikit-learn", "numpy", "pillow", "typing-extensions"}
    assert names == {*five, "keras"}  # which comes with TensorFlow
    assert set(project["optional-dependencies"]) == {
        "offline",
        "plots",
        "skops",
        "distributed",
        "microscopy",
        "morphology",
        "notebook",
        "all",
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
    assert (SOURCE / "fields" / "data" / "sample-fields.zip").stat().st_size < 1_500_000
    assert (SOURCE / "models" / "data" / "classifier.keras").stat().st_size < 8_000_000
    assert len(list((SOURCE / "paper" / "published").glob("*.csv"))) == 6
