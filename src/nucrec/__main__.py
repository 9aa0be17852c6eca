"""The command line: the parser of all commands, and what an exit code says."""

import argparse
import logging
import os
import shlex
import sys
import warnings
from collections.abc import Sequence

from nucrec._cli import assay, audit, detect, evaluate, predict, reproduce, train
from nucrec._cli.output import abandon_output, prepare_streams, show_line, show_warning
from nucrec._cli.signals import interrupted_by_any_signal
from nucrec._version import __version__
from nucrec.errors import InvalidParameterError, NucrecError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0, 1 (failed), 2 (usage) or 130 (interrupted)."""
    prepare_streams()
    arguments = parser().parse_args(argv)
    arguments.command = shlex.join(["nucrec", *(sys.argv[1:] if argv is None else argv)])
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what TensorFlow says; ours is shown below
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    try:
        with interrupted_by_any_signal(), warnings.catch_warnings():
            warnings.showwarning = show_warning
            code = int(arguments.run(arguments))
            sys.stdout.flush()
            return code
    except InvalidParameterError as error:
        show_line(error)
        return 2
    except NucrecError as error:
        show_line(error)
        return 1
    except BrokenPipeError:
        abandon_output()
        return 1
    except OSError as error:
        show_line(f"cannot go on: {error}")
        abandon_output()
        return 1
    except KeyboardInterrupt as interrupt:
        print(file=sys.stderr)
        where = f" {interrupt}" if str(interrupt) else ""
        show_line(
            f"interrupted{where}; files that were finished are complete, no half files are left"
        )
        return 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; what it parses has the function to call as ``run``."""
    whole = argparse.ArgumentParser(
        prog="nucrec",
        description="Tell nucleus from micronucleus in microscope images.",
        epilog="'nucrec COMMAND --help' tells more about a command.",
    )
    whole.add_argument("--version", action="version", version=f"nucrec {__version__}")
    commands = whole.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in (reproduce, train, evaluate, predict, audit, detect, assay):
        command.add_to(commands)
    return whole


if __name__ == "__main__":
    sys.exit(main())
