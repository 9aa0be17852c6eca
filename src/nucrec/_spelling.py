"""Names that users misspell."""

import difflib
from collections.abc import Iterable


def did_you_mean(value: object, choices: Iterable[str]) -> str:
    """Ask for the choice that `value` may be a misspelling of, or return "" if there is none."""
    words = {choice.lower(): choice for choice in choices}
    found = difflib.get_close_matches(str(value).lower(), words, 1)
    return f"Did you mean {words[found[0]]!r}?" if found else ""
