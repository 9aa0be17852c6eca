"""Names of wells."""

import re

_WELL = re.compile(r"(?i)(?:well)?[ _-]*([A-P]|A[A-F])[ _-]*0*([1-9]\d?)")


def plain_well(text: str) -> str | None:
    """Return a well as "B03", however it is written; None if it is not a well."""
    found = _WELL.fullmatch(text.strip())
    return well_name(found[1], int(found[2])) if found else None


def well_name(row: str, column: int) -> str:
    """Return the name of a well, given its row (one or two letters) and column."""
    return f"{row.upper()}{column:02d}"
