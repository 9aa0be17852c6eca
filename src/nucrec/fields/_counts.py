"""Numbers of cells, micronuclei and fields, and of exclusions by reason."""

from collections import Counter

from nucrec.fields._columns import Columns, n_rows
from nucrec.fields._quality import FLAGS

BETWEEN = "; "
"""What stands between two reasons."""


def counts_of(cells: Columns, micronuclei: Columns, fields: Columns) -> dict[str, int]:
    """Count the rows of three tables."""
    scored, positive = cells["scored"], cells["n_micronuclei"] > 0
    ratio = micronuclei["diameter_ratio"]
    return {
        "fields": n_rows(fields),
        "fields not analysed": int((fields["error"] != "").sum()),
        "fields with remarks": int((fields["remarks"] != "").sum()),
        "cells": n_rows(cells),
        **{f"cells flagged {name.replace('_', ' ')}": int(cells[name].sum()) for name in FLAGS},
        "cells not scored": int((~scored).sum()),
        "cells scored": int(scored.sum()),
        "cells scored, with micronuclei": int((scored & positive).sum()),
        "micronuclei": n_rows(micronuclei),
        "micronuclei, ambiguous": int(micronuclei["ambiguous"].sum()),
        "micronuclei, diameter not 1/16 to 1/3": int((~micronuclei["humn"] & (ratio > 0)).sum()),
        **{f"micronuclei not counted: {why}": n for why, n in _reasons(micronuclei).items()},
        "micronuclei counted": int(micronuclei["counted"].sum()),
    }


def _reasons(table: Columns) -> dict[str, int]:
    reasons = (why for cell in table["excluded"].tolist() for why in cell.split(BETWEEN) if why)
    return dict(Counter(reasons).most_common())
