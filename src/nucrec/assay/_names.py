"""What columns are called in tables of other programs, and of people."""

import re
from collections.abc import Iterable

from nucrec.errors import DatasetError

SYNONYMS: dict[str, tuple[str, ...]] = {
    "well": ("well", "well_id", "wellname", "metadata_well", "image_metadata_well"),
    "plate": ("plate", "plate_id", "metadata_plate", "image_metadata_plate"),
    "field": ("field", "imagenumber", "image_number", "image", "metadata_site"),
    "cell_id": ("cell_id", "objectnumber", "object_number", "cell", "nucleus_id"),
    "condition": (
        "condition",
        "treatment",
        "compound",
        "substance",
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
        "children_micronuclei_count",
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

TEXT = ("well", "plate", "field", "cell_id", "condition", "replicate", "excluded")
WHOLE = (
    "n_micronuclei",
    "n_nuclei",
    "n_scored",
    "n_micronucleated",
    "n_excluded",
    "mononucleate",
    "binucleate",
    "multinucleate",
    "initial_cells",
    "final_cells",
)


def plain(name: str) -> str:
    """Return the name of a column in lower case, with "_" for all that is no letter or digit."""
    return re.sub(r"[^0-9a-z]+", "_", name.casefold().strip()).strip("_")


def is_known(name: str) -> bool:
    """Tell whether a column is one that can be used."""
    return any(plain(name) in names for names in SYNONYMS.values())


def find(names: Iterable[str], where: str) -> dict[str, str]:
    """Return for each column of ours that is there what it is called.

    Raises
    ------
    DatasetError
        Two columns are spelt the same but for case and punctuation.
    """
    spelt: dict[str, str] = {}
    for name in names:
        key = plain(name)
        if key in spelt and any(key in known for known in SYNONYMS.values()):
            raise DatasetError(f"{where}: the columns {spelt[key]!r} and {name!r} are the same")
        spelt[key] = name
    found = {
        ours: next((spelt[key] for key in known if key in spelt), None)
        for ours, known in SYNONYMS.items()
    }
    return {ours: name for ours, name in found.items() if name is not None}
