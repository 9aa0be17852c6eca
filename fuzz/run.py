"""Run the fuzzers: ``python -m fuzz.run [--seconds N] [--corpus FOLDER] [TARGET ...]``.

Needs the extra ``fuzz``. Ends with 1 if anything was found, and says where the input is.
"""

import argparse
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

from fuzz.targets import SEEDS, TARGETS

_LIMITS = ("-timeout=5", "-rss_limit_mb=1024", "-print_final_stats=1", "-verbosity=1")
_LONGEST = {"image": 16_384, "archive": 32_768, "weights": 8_192, "model": 65_536}  # bytes


def fuzz(target: str, seconds: int, corpus: Path) -> bool:
    """Fuzz one target in a process of its own and tell whether it held."""
    kept, found = corpus / target, corpus / "found"
    for folder in (kept, found):
        folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "fuzz.targets", target, *_LIMITS]
    command += [f"-max_total_time={seconds}", f"-max_len={_LONGEST[target]}"]
    command += [f"-artifact_prefix={found}/{target}-", str(kept), str(SEEDS / target)]
    result = subprocess.run(
        command, cwd=SEEDS.parents[1], capture_output=True, text=True, check=False
    )
    lines = result.stderr.splitlines()
    cover = [line for line in lines if " cov: " in line][-1:]
    stats = [line for line in lines if "stat::number_of_executed_units" in line]
    print(f"{target}: {'held' if result.returncode == 0 else 'FOUND'}", *cover, *stats, sep="\n  ")
    if result.returncode:
        print(result.stdout[-4000:], result.stderr[-4000:], f"the input is in {found}", sep="\n")
    return result.returncode == 0


def main() -> int:
    """Run the targets that are asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[[], *TARGETS], metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=30, help="for each target (30)")
    parser.add_argument("--corpus", type=Path, help="keep interesting inputs, and begin with them")
    arguments = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        parser.error("atheris is not installed: pip install '.[fuzz]'")
    corpus = arguments.corpus or Path(tempfile.mkdtemp(prefix="fuzz-"))
    held = [fuzz(name, arguments.seconds, corpus) for name in arguments.targets or TARGETS]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
