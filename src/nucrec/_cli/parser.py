"""The parser of the command line: a mistake is one line that says what to do."""

import argparse
import re
import sys
import textwrap
from collections.abc import Sequence
from typing import Any, NoReturn

from nucrec._cli.output import show_line
from nucrec._endings import IMAGES
from nucrec._spelling import did_you_mean


class HelpFormatter(argparse.HelpFormatter):
    """Fits help to the terminal: paragraphs, and lists of files; commands stay on one line."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n\n".join(_filled(part, width) for part in text.strip("\n").split("\n\n"))


def _filled(paragraph: str, width: int) -> str:
    if "\n  nucrec " in paragraph:
        return paragraph
    if not paragraph.startswith("  "):
        return textwrap.fill(" ".join(paragraph.split()), width, break_on_hyphens=False)
    entries = re.sub(r"\n {3,}", " ", paragraph).splitlines()
    indents = (re.match(r"  \S+(?:, \S+)*\s+", entry) for entry in entries)
    return "\n".join(
        textwrap.fill(entry, width, subsequent_indent=" " * (found.end() if found else 4))
        for entry, found in zip(entries, indents, strict=True)
    )


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line, with a suggestion for a misspelt name."""

    def error(self, message: str) -> NoReturn:
        """Show the mistake on standard error, and end with exit code 2."""
        mistake = re.sub(r"^argument (-\w/)?", "", message).rstrip(".")
        mistake = re.sub(
            "^unrecognized arguments: (.*)", r"options stand after the command: \1", mistake
        )
        stop = "" if mistake.endswith("?") else "."
        show_line(f"{mistake}{stop} See '{self.prog} --help'.")
        sys.exit(2)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            names = list(map(str, action.choices))
            hint = did_you_mean(value, names)
            expected = f"expected one of {', '.join(names)}, received {value!r}. {hint}"
            raise argparse.ArgumentError(action, expected.rstrip(". "))


class CommandParser(OneLineParser):
    """The parser of one command."""

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Parse, and refuse unknown options and names."""
        given = list(sys.argv[1:] if args is None else args)
        self._refuse_unknown_options(given)  # before argparse misses what they were meant to be
        found, others = super().parse_known_args(given, namespace)
        if others:
            self._refuse_further_names(others)
        return found, others

    def option_of(self, parameter: str) -> str | None:
        """Return the option for a parameter, or the name of its place on the command line."""
        for action in self._actions:
            if action.dest == parameter:
                return max(action.option_strings, key=len, default=str(action.metavar))
        return None

    def _refuse_unknown_options(self, given: Sequence[str]) -> None:
        known = [name for action in self._actions for name in action.option_strings]
        for name in given:
            if name == "--":
                return
            option = name.partition("=")[0]
            if option.startswith("--") and not any(each.startswith(option) for each in known):
                self.error(f"there is no option {option}. {did_you_mean(option, known)}".strip())

    def _refuse_further_names(self, others: Sequence[str]) -> None:
        shown = ", ".join(map(repr, others[:3])) + (", ..." if len(others) > 3 else "")
        what = f"not understood: {shown}"
        if all(name.lower().endswith(IMAGES) for name in others):
            self.error(f"{what}. Give the folder of the images, not each image (no *)")
        self.error(f"{what}. A name with spaces needs quotes around it")


def whole_number(text: str) -> int:
    """Return the whole number that a user typed."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, received {text!r}") from None


def number(text: str) -> float:
    """Return the number that a user typed; a decimal comma is none."""
    try:
        return float(text)
    except ValueError:
        hint = f". Did you mean {text.replace(',', '.')}?" if "," in text else ""
        raise argparse.ArgumentTypeError(f"expected a number, received {text!r}{hint}") from None
