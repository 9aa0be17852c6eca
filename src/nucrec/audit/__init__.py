"""Find duplicate and near-duplicate images, and training images that recur in a test set."""

from nucrec.audit._duplicates import clusters, duplicates
from nucrec.audit._leakage import LeakageReport, leakage
from nucrec.audit._pairs import DuplicatePair, DuplicatePairs
from nucrec.audit._plots import DuplicatePairsDisplay
from nucrec.audit._sheet import save_contact_sheet

__all__ = [
    "DuplicatePair",
    "DuplicatePairs",
    "DuplicatePairsDisplay",
    "LeakageReport",
    "clusters",
    "duplicates",
    "leakage",
    "save_contact_sheet",
]
