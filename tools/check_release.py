"""Build the sdist and the wheel, check what is in them, and use the wheel as those who install it.

``python tools/check_release.py`` needs git, and build, mypy and twine of the extra ``dev``.
"""

import filecmp
import os
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / "tools"
LARGEST_WHEEL = 24_000_000  # bytes
LICENCES = {"licenses/LICENSE", "licenses/LICENSE-APACHE"}
METADATA = {"METADATA", "WHEEL", "RECORD", "entry_points.txt"} | LICENCES


def main() -> None:
    """Check the release, step by step."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        sdist, wheel = build(work)
        check_contents(sdist, wheel)
        python = install(wheel, work / "venv")
        use(python, wheel.name.split("-")[1], work / "elsewhere")
    print("the release is sound")


def build(work: Path) -> tuple[Path, Path]:
    """Return the sdist, and the wheel made from it, equal to that of the source tree."""
    step("sdist, wheel from the sdist, wheel from the tree")
    run(sys.executable, "-m", "build", "--outdir", work / "dist", ROOT)
    run(sys.executable, "-m", "build", "--wheel", "--outdir", work / "tree", ROOT)
    (sdist,), (wheel,) = (work / "dist").glob("*.tar.gz"), (work / "dist").glob("*.whl")
    must(filecmp.cmp(wheel, work / "tree" / wheel.name, shallow=False), "the wheels differ")
    return sdist, wheel


def check_contents(sdist: Path, wheel: Path) -> None:
    """Compare what is in the archives with what git tracks, and the descriptions with the rules."""
    step("what is in them")
    run(sys.executable, "-m", "twine", "check", "--strict", sdist, wheel)
    tracked = set(run("git", "-C", ROOT, "ls-files").split("\n")) - {""}
    stem = sdist.name.removesuffix(".tar.gz")
    with tarfile.open(sdist) as archive:
        in_sdist = {member.name.removeprefix(f"{stem}/") for member in archive.getmembers()}
    same_names("sdist", in_sdist, tracked | {"PKG-INFO"})
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = set(archive.namelist())
        for name in ("datasets/data/mnfinder-crops.zip", "fields/data/sample-fields.zip"):
            with archive.open(f"nucrec/{name}") as images:
                licence = zipfile.ZipFile(images).read("LICENSE").decode()
            granted = "Permission is hereby granted, free of charge"
            must(granted in licence, f"{name} comes without its licence")
    package = {name.removeprefix("src/") for name in tracked if name.startswith("src/")}
    same_names("wheel", in_wheel, package | {f"{stem}.dist-info/{name}" for name in METADATA})
    must("nucrec/py.typed" in in_wheel, "the wheel does not say that it has types")
    size = wheel.stat().st_size
    must(size < LARGEST_WHEEL, f"the wheel has {size} bytes")
    print(f"{sdist.name}: {len(in_sdist)} files; {wheel.name}: {len(in_wheel)}, {size} bytes")


def install(wheel: Path, place: Path) -> Path:
    """Install the wheel alone, without extras, into a new environment; return its Python."""
    step("a new environment with the wheel")
    venv.create(place, with_pip=True)
    python = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(python, "-m", "pip", "install", "--quiet", "--no-compile", wheel)
    run(python, "-m", "pip", "check")
    return python


def use(python: Path, version: str, folder: Path) -> None:
    """Run the command, a smoke check and a type check, in an empty folder."""
    folder.mkdir()
    step("the command")
    command = python.with_name("nucrec")
    must("reproduce" in run(command, "--help", cwd=folder), "nucrec --help names no command")
    must(run(command, "--version", cwd=folder).split() == ["nucrec", version], "another version")
    step("the smoke check")
    print(run(python, "-W", "error", TOOLS / "smoke.py", *extras(), cwd=folder), end="")
    step("types, as a user's script sees them")
    strict = ("-m", "mypy", "--strict", "--config-file=", "--cache-dir", os.devnull)
    script = TOOLS / "typed_script.py"
    print(run(sys.executable, *strict, "--python-executable", python, script, cwd=folder), end="")


def extras() -> list[str]:
    """Return the extras without which a feature raises an error.

    The others are for developers, and ``notebook``, without which progress is shown as lines.
    """
    with (ROOT / "pyproject.toml").open("rb") as file:
        groups = tomllib.load(file)["project"]["optional-dependencies"]
    return sorted(set(groups) - {"all", "notebook", "test", "docs", "bench", "fuzz", "dev"})


def same_names(what: str, found: Iterable[str], expected: Iterable[str]) -> None:
    """Stop unless an archive holds exactly the files that it should."""
    stray, missing = set(found) - set(expected), set(expected) - set(found)
    must(not stray and not missing, f"{what}: stray {sorted(stray)}, missing {sorted(missing)}")


def step(what: str) -> None:
    """Say what comes next."""
    print(f"-- {what}", flush=True)


def must(condition: bool, otherwise: str) -> None:
    """Stop unless a condition holds."""
    if not condition:
        raise SystemExit(f"check_release: {otherwise}")


def run(*command: Any, cwd: Path | None = None) -> str:
    """Return what a command prints; stop, with all it said, if it fails."""
    # nothing but what is installed is found
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    texts = [str(part) for part in command]
    done = subprocess.run(texts, cwd=cwd, env=environment, capture_output=True, text=True)
    must(done.returncode == 0, f"{' '.join(texts)}\n{done.stdout}\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
