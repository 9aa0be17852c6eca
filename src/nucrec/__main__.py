"""The command line: the parser of all commands, and what an exit code says."""

import argparse
import functools
import logging
import os
import shlex
import sys
import warnings
from collections.abc import Sequence

from nucrec._cli import assay, audit, detect, evaluate, predict, reproduce, train
from nucrec._cli.output import abandon_output, prepare_streams, show_line
from nucrec._cli.parser import CommandParser, OneLineParser
from nucrec._cli.signals import interrupted_by_any_signal
from nucrec._cli.words import in_options
from nucrec._version import __version__
from nucrec.errors import InvalidParameterError, NucrecError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0, 1 (failed), 2 (usage) or 130 (interrupted)."""
    prepare_streams()
    arguments = parser().parse_args(argv)
    arguments.command = shlex.join(["nucrec", *(sys.argv[1:] if argv is None else argv)])
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what TensorFlow says; ours is shown below
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    words = functools.partial(in_options, option_of=arguments.parser.option_of)
    try:
        with interrupted_by_any_signal(), warnings.catch_warnings():
            warnings.showwarning = lambda message, *_, **__: show_line(f"warning: {words(message)}")
            code = int(arguments.run(arguments))
            sys.stdout.flush()
            return code
    except InvalidParameterError as error:
        show_line(words(error))
        return 2
    except NucrecError as error:
        show_line(words(error))
        return 1
    except BrokenPipeError:
        abandon_output()
        return 1
    except OSError as error:
        show_line(f"cannot continue: {error}")
        abandon_output()
        return 1
    except KeyboardInterrupt as interrupt:
        print(file=sys.stderr)
        where = f" {interrupt}" if str(interrupt) else ""
        show_line(
            f"interrupted{where}; finished files are complete, and there are no partial files"
        )
        return 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; parsed arguments hold the command's function as ``run``."""
    whole = OneLineParser(
        prog="nucrec",
        description="Find cells with micronuclei in microscope images, and measure their rate.",
        epilog="'nucrec COMMAND --help' lists the options of a command, with examples.",
    )
    whole.add_argument("--version", action="version", version=f"nucrec {__version__}")
    commands = whole.add_subparsers(
        title="commands", required=True, metavar="COMMAND", parser_class=CommandParser
    )
    for command in (predict, detect, assay, train, evaluate, audit, reproduce):
        command.add_to(commands)
    return whole


if __name__ == "__main__":
    sys.exit(main())
