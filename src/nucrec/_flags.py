"""Yes and no, as written by programs and spreadsheets."""

import re

_TRUE = {
    *("true", "t", "yes", "y", "1"),
    *("wahr", "vrai", "verdadero", "verdadeiro", "vero", "waar"),
}
_FALSE = {
    *("false", "f", "no", "n", "0"),
    *("falsch", "faux", "falso", "onwaar"),
}
"""What Excel writes in German, French, Spanish, Portuguese, Italian and Dutch is among them."""


def read_flag(text: str) -> bool | None:
    """Return the flag in a text, with 1.0 as 1; None if it is neither yes nor no."""
    word = re.sub(r"(?<=\d)[.,]0+$", "", text.strip().casefold())
    if word in _TRUE:
        return True
    return False if word in _FALSE else None
