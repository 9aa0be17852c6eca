"""Names of wells."""

import re

_WELL = re.compile(r"(?i)(?:well)?[ _-]*([A-P]|A[A-F])[ _-]*0*([1-9]\d?)")


def plain_well(text: str) -> str | None:
    """Return a well as "B03", however it is written; None if it is no well."""
    found = _WELL.fullmatch(text.strip())
    return well_name(found[1], int(found[2])) if found else None


def well_name(row: str, column: int) -> str:
    """Return the name of the well in a row, which is a letter or two, and a column."""
    return f"{row.upper()}{column:02d}"
