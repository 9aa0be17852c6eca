"""Column names in tables written by other programs and by people."""

import difflib
import re
from collections.abc import Iterable, Mapping

from nucrec._spelling import did_you_mean
from nucrec._validation import invalid
from nucrec.errors import DatasetError

_CHILDREN = "children_micronuclei_count"
_SHORTEST = 4  # letters of a name that others are compared with
_RESEMBLES = 0.8  # similarity by difflib: one wrong, missing or swapped letter in five
_COUNTS = ("n_micronuclei", "n_scored", "n_micronucleated")
_UNIT = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*$")
_COUNT_OF_CHILDREN = re.compile(
    r"children_(?!(?:\w*_)?non)(?:\w*?micronucle\w*|(?:\w+_)?mn(?:_\w+)?)_count"
)
_DOSE_WITH_UNIT = re.compile(
    r"((?:metadata_)?(?:dose|concentration|conc))_(?:in_)?"
    r"(?:[fpnum]?m|[pnum]?mol(?:_?l)?|[npum]?g(?:_?(?:[um]?l|kg))?|[mc]?gy|pp[mb]|percent|pct|[wv]_[wv])"
)
_LOOKS_LIKE_DOSE = re.compile(
    r"(?:\w*_)?(?:dose|dosage|dosis|konz|concentr|conc(?:_|$)|conc[pnum]?m(?:_|$))\w*"
)

SYNONYMS: dict[str, tuple[str, ...]] = {
    "well": ("well", "well_id", "wellname", "well_name", "metadata_well", "image_metadata_well"),
    "plate": ("plate", "plate_id", "metadata_plate", "image_metadata_plate"),
    "field": ("field", "imagenumber", "image_number", "image", "metadata_site"),
    "file": ("file", "filename", "file_name"),
    "cell_id": (
        "cell_id",
        "cellid",
        "cell_label",
        "objectnumber",
        "object_number",
        "cell",
        "nucleus_id",
    ),
    "condition": (
        "condition",
        "treatment",
        "compound",
        "substance",
        "drug",
        "chemical",
        "agent",
        "test_item",
        "test_substance",
        "metadata_treatment",
        "metadata_compound",
        "metadata_condition",
    ),
    "dose": ("dose", "concentration", "conc", "metadata_dose", "metadata_concentration"),
    "replicate": ("replicate", "rep", "culture", "metadata_replicate"),
    "n_micronuclei": (
        "n_micronuclei",
        "micronuclei",
        "micronuclei_count",
        "micronucleus_count",
        _CHILDREN,
        "total_micronuclei",
        "mn",
        "n_mn",
        "mn_count",
    ),
    "n_nuclei": ("n_nuclei", "nuclei", "nuclei_per_cell", "children_nuclei_count"),
    "excluded": ("excluded",),
    "n_scored": (
        "n_scored",
        "scored",
        "cells_scored",
        "scored_cells",
        "n_cells",
        "cells",
        "total_cells",
        "total",
        "cells_counted",
        "counted_cells",
        "n_counted",
        "counted",
        "n_cells_scored",
        "n_cells_counted",
        "total_cells_scored",
        "total_cells_counted",
        "number_of_cells",
        "cell_count",
        "cells_total",
        "total_scored",
        "total_counted",
        "cells_analysed",
        "cells_analyzed",
    ),
    "n_micronucleated": (
        "n_micronucleated",
        "micronucleated",
        "micronucleated_cells",
        "cells_with_micronuclei",
        "cells_with_mn",
        "mn_cells",
        "mncells",
        "mnbn",
        "positive",
    ),
    "n_excluded": ("n_excluded", "cells_excluded"),
    "mononucleate": ("mononucleate", "mononucleated", "mono", "n_mononucleate"),
    "binucleate": ("binucleate", "binucleated", "bi", "n_binucleate"),
    "multinucleate": ("multinucleate", "multinucleated", "multi", "n_multinucleate"),
    "initial_cells": ("initial_cells", "cells_initial", "starting_cells", "cells_start"),
    "final_cells": ("final_cells", "cells_final", "final_cell_count", "cells_end"),
}
"""For each column of ours, the names by which it is found, the first that is there."""


def plain(name: str) -> str:
    """Return a column name in lower case, with "_" for everything except letters and digits.

    A unit in brackets at the end is ignored, as is any unit after a dose. The name of micronuclei
    in CellProfiler's ``Children_FilteredMicronuclei_Count`` is chosen by its user; "mn" counts as a
    word there.
    """
    bare = _UNIT.sub("", name) or name
    folded = bare.casefold().strip().replace("\u03bc", "u")  # from the micro sign
    key = re.sub(r"[^0-9a-z]+", "_", folded).strip("_")
    if _COUNT_OF_CHILDREN.fullmatch(key):
        return _CHILDREN
    dose = _DOSE_WITH_UNIT.fullmatch(key)
    return dose[1] if dose else key


def looks_like_dose(name: str) -> bool:
    """Return whether a column may hold doses, judging by its name."""
    return _LOOKS_LIKE_DOSE.fullmatch(plain(name)) is not None


def misspelt(unused: Iterable[str], called: Mapping[str, str], ours: Iterable[str]) -> list[str]:
    """Return a remark on each unused column whose name resembles that of a column that is missing.

    Parameters
    ----------
    unused : iterable of str
        Columns of the table that are used for nothing.
    called : mapping of str to str
        The name in the table of each of our columns that it has.
    ours : iterable of str
        Our columns that the table may have.
    """
    missing = [name for key in ours if key not in called for name in SYNONYMS[key]]
    found = ((name, _resembled(plain(name), missing)) for name in unused if not is_known(name))
    return [
        f"the column {name!r} is not used; did you mean {like!r}?" for name, like in found if like
    ]


def _resembled(name: str, known: list[str]) -> str:
    """Return the known name that differs by few letters; short names resemble too much."""
    close = [each for each in known if len(each) >= _SHORTEST]
    return next(iter(difflib.get_close_matches(name, close, 1, _RESEMBLES)), "")


def is_known(name: str) -> bool:
    """Return whether a column can be used."""
    return any(plain(name) in names for names in SYNONYMS.values())


def find(
    names: Iterable[str], where: str, given: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the name in the table of each of our columns that it has.

    Parameters
    ----------
    names : iterable of str
        The columns of the table.
    where : str
        The name of the table in messages.
    given : mapping of str to str, optional
        Given names of some of our columns, which take precedence.

    Raises
    ------
    DatasetError
        Two columns differ only in case and punctuation.
    """
    chosen = dict(given or {})
    spelt: dict[str, str] = {}
    for name in names:
        key = plain(name)
        if key in spelt and is_known(name) and not {name, spelt[key]} & {*chosen.values()}:
            raise DatasetError(
                f"{where}: the columns {spelt[key]!r} and {name!r} have the same name. Rename "
                "one of them, or say which one to use with columns"
            )
        spelt[key] = name
    counted = {chosen[ours] for ours in _COUNTS if ours in chosen}  # each has one meaning
    found = {
        ours: next((spelt[key] for key in known if spelt.get(key, "") not in {"", *counted}), None)
        for ours, known in SYNONYMS.items()
    }
    return {ours: name for ours, name in (found | chosen).items() if name is not None}


def check_columns(columns: object) -> dict[str, str]:
    """Return the given names of columns, after checking that the columns are ours.

    Raises
    ------
    InvalidParameterError
        `columns` does not map our names to others.
    """
    expected = "a mapping of names such as n_micronuclei to columns of the table"
    if not isinstance(columns, Mapping):
        raise invalid("columns", expected, columns)
    for ours, theirs in columns.items():
        if ours not in SYNONYMS:
            known = ", ".join(SYNONYMS)
            raise invalid("columns", f"names among {known}", ours, did_you_mean(ours, SYNONYMS))
        if not isinstance(theirs, str) or not theirs:
            raise invalid("columns", expected, columns)
    return dict(columns)
