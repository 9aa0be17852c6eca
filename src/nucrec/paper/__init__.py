"""Reproduce the paper: its published tables beside the obtained ones."""

from nucrec.paper._figures import Figure4Display
from nucrec.paper._protocol import Division
from nucrec.paper._published import PublishedTable, published_table
from nucrec.paper._repeat import Repetition, repeat
from nucrec.paper._reproduce import Reproduction, reproduce
from nucrec.paper._tables import TableResult
from nucrec.paper._verdict import Claim

__all__ = [
    "Claim",
    "Division",
    "Figure4Display",
    "PublishedTable",
    "Repetition",
    "Reproduction",
    "TableResult",
    "published_table",
    "repeat",
    "reproduce",
]
