"""The command line: thin calls of the public functions."""

import argparse
import os
import shutil
import sys
import warnings
from collections.abc import Sequence

from nucrec import __version__
from nucrec.errors import InvalidParameterError, NucrecError

_REPRODUCE = """\
Reproduce tables of the paper, published beside obtained, on real micrographs.

Without options: Tables I and II (eleven classical classifiers, plain and augmented images) under both
protocols, on the 306 crops that ship with nucrec. "paper" augments first and then draws the test images
at random, so that copies of one image are on both sides; "honest" tests on fields of view that were
not trained on.
"""
_EXAMPLES = """\
examples:
  nucrec reproduce
  nucrec reproduce --tables 1 --protocol honest
  nucrec reproduce --data ~/nucrec_data --out nucrec-results
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0, 1 (failed) or 2 (usage)."""
    arguments = _parser().parse_args(argv)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            return int(arguments.run(arguments))
    except InvalidParameterError as error:
        return _fail(error, 2)
    except NucrecError as error:
        return _fail(error, 1)
    except BrokenPipeError:
        # the reader of our output went away; nothing is left to be written to it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print(
            "\nnucrec: interrupted; finished tables are complete, no half files are left",
            file=sys.stderr,
        )
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nucrec",
        description="Tell nucleus from micronucleus in microscope images.",
        epilog="'nucrec COMMAND --help' tells more about a command.",
    )
    parser.add_argument("--version", action="version", version=f"nucrec {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    command = commands.add_parser(
        "reproduce",
        help="reproduce the paper's tables, published beside obtained",
        description=_REPRODUCE,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=_reproduce)
    add = command.add_argument
    add("--tables", default="all", metavar="N,N", help="table numbers, such as 1,2 (default: all)")
    add("--protocol", choices=("paper", "honest", "both"), default="both", help="(default: both)")
    add("--preset", choices=("quick", "full"), default="quick", help="(default: quick)")
    add(
        "--data", metavar="PATH", help="NucRec or class folder, zip or CSV (default: shipped crops)"
    )
    add("--out", default="results", metavar="FOLDER", help="where to write (default: results)")
    add("--seed", type=int, default=0, metavar="N", help="seed of everything (default: 0)")
    add("--jobs", type=int, metavar="N", help="classifiers at a time (default: one for each core)")
    add("--timeout", type=float, default=600.0, metavar="S", help="seconds for a classifier (600)")
    add("--json", action="store_true", help="print the run record as JSON instead of the tables")
    add("--quiet", action="store_true", help="no progress on standard error")
    return parser


def _reproduce(arguments: argparse.Namespace) -> int:
    from nucrec.paper import reproduce

    result = reproduce(
        data=arguments.data,
        tables=arguments.tables,
        preset=arguments.preset,
        protocol=arguments.protocol,
        out=arguments.out,
        random_state=arguments.seed,
        n_jobs=arguments.jobs,
        timeout=arguments.timeout,
        progress=not arguments.quiet,
    )
    if arguments.json:
        sys.stdout.write(result.files[-1].read_text(encoding="utf-8"))
    else:
        columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else 10**6
        print(result.to_text(columns))
        print(
            f"\nWritten to {result.files[-1].parent}, with the interval of every number: ", end=""
        )
        print(", ".join(path.name for path in result.files))
    return 0


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    """Show a warning as one line, without the place in the code that it comes from."""
    print(f"nucrec: warning: {' '.join(str(message).split())}", file=sys.stderr)


def _fail(error: NucrecError, code: int) -> int:
    print(f"nucrec: {' '.join(str(error).split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
