"""The verdict of a run on the paper's claims."""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from nucrec import _text as fmt
from nucrec._notebook import Facts
from nucrec._text import many
from nucrec.evaluate import FoldMetric, Metric, Ranking, rank_folds
from nucrec.paper._epochs import AVERAGED, MEAN
from nucrec.paper._gain import gain_by_leaking
from nucrec.paper._protocol import N_SPLITS
from nucrec.paper._tables import TEXT_WIDTH, TableResult, epochs_in_words

FEW_GROUPS = 10
"""Groups that are too few to know how much they differ."""


@dataclass(frozen=True)
class Claim(Facts):
    """The headline of a table: claimed and obtained.

    Attributes
    ----------
    table : int
        The number of the table, from 1 to 6.
    what : str
        The row: the paper's best classifier, or the mean over epochs 20 to 100.
    claimed : float
        The published accuracy.
    leaked : Metric or None
        The accuracy under the paper's protocol; None if it was not run.
    honest : Metric or None
        The mean accuracy over folds of unseen groups; None if it was not run.
    copies : float or None
        The share of test images with a copy in the training set, under the paper's protocol.
    gained : Metric or None
        The gain in accuracy under the paper's protocol, with its interval, on the originals of its test
        set, each compared with itself under the honest protocol. None if one was not run.
    n_originals, n_groups : int
        The number of these originals, and of their groups.
    averaged : tuple of int
        The epochs over which the obtained mean of a network is taken.

    Examples
    --------
    >>> from nucrec.paper import Claim, TableResult, published_table
    >>> claim = Claim.of(TableResult(published_table(1), {}, {}))
    >>> claim.what, claim.claimed, claim.honest
    ('RF', 0.78, None)
    """

    table: int
    what: str
    claimed: float
    leaked: Metric | None
    honest: Metric | None
    copies: float | None

    gained: Metric | None = None
    n_originals: int = 0
    n_groups: int = 0
    averaged: tuple[int, ...] = ()

    @classmethod
    def of(cls, table: TableResult) -> Self:
        """Return the headline of a table beside the obtained values.

        Parameters
        ----------
        table : TableResult
            One of the ``tables`` of a `Reproduction`.
        """
        row, column = table.headline
        leaking = table.divisions["paper"][0] if "paper" in table.divisions else None
        obtained = {name: table.metric(name, row, column) for name in table.obtained}
        return cls(
            table=table.published.number,
            what=row,
            claimed=table.rows[row][column],
            leaked=obtained.get("paper"),
            honest=obtained.get("honest"),
            copies=None if leaking is None else leaking.leaked_families,
            gained=gain_by_leaking(table, row),
            n_originals=0 if leaking is None else len(leaking.test_originals),
            n_groups=0 if leaking is None else len(np.unique(leaking.test_originals.groups)),
            averaged=table.averaged,
        )

    @property
    def gain(self) -> float | None:
        """The value of `gained`."""
        return None if self.gained is None else self.gained.value

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts and numbers, with ``gain``."""
        return {**asdict(self), "gain": self.gain}


def make_claims(tables: Sequence[TableResult]) -> tuple[Claim, ...]:
    """Return the headline of each table beside the obtained values."""
    return tuple(Claim.of(table) for table in tables)


def rank_tables(claims: Sequence[Claim]) -> Ranking | None:
    """Rank the tables by their honest headlines, which come from the same folds."""
    values = {
        f"Table {claim.table}": claim.honest.folds
        for claim in claims
        if isinstance(claim.honest, FoldMetric)
    }
    return rank_folds(values, N_SPLITS, "accuracy") if len(values) > 1 else None


def claims_text(claims: Sequence[Claim], ranking: Ranking | None, width: int = TEXT_WIDTH) -> str:
    """Return the claims as a small table followed by its interpretation, wrapped to a width."""
    table = fmt.text_table(*claims_table(claims))
    wrapped = [
        textwrap.fill(note, min(width, TEXT_WIDTH), subsequent_indent="  ")
        for note in claims_notes(claims, ranking)
    ]
    return "\n".join(["Verdict", "", table, "", *wrapped])


def claims_table(claims: Sequence[Claim]) -> tuple[fmt.Row, list[fmt.Row]]:
    """Return the header and the rows of the claims."""
    header = ("accuracy", "claimed", "leaked", "honest", "interval", "gained by leaking")
    return header, [_line(claim) for claim in claims]


def claims_notes(claims: Sequence[Claim], ranking: Ranking | None) -> list[str]:
    """Return the interpretation of the claims, a text for each note."""
    notes = [
        "leaked: as the paper must have divided the images; honest: the mean over folds of fields, or "
        "groups, that were not trained on"
    ]
    both = [claim for claim in claims if claim.gained is not None]
    if both:
        counts = _by_tables(both, _originals_in_words)
        notes.append(
            "gained by leaking: each original of the leaked test set compared with itself, leaked "
            f"against honest: {', '.join(f'{what} ({tables})' for what, tables in counts.items())}"
        )
    notes += [
        f"Table {claim.table}: {claim.copies:.0%} of the leaked test images had a copy of "
        "themselves in training"
        for claim in both
        if claim.copies
    ]
    notes += _epoch_notes(claims)
    if ranking is not None:
        notes.append(f"Honest, on the same folds: {ranking.verdict}")
    return notes


def _originals_in_words(claim: Claim) -> str:
    few = ", too few to know how much groups differ" if claim.n_groups < FEW_GROUPS else ""
    return f"{claim.n_originals} in {many(claim.n_groups, 'group')}{few}"


def _epoch_notes(claims: Sequence[Claim]) -> list[str]:
    """Return the epochs over which the means of networks are taken, if they differ from the paper."""
    short = [claim for claim in claims if claim.averaged and claim.averaged != AVERAGED]
    return [
        f"{tables}: claimed is the mean of epochs 20 to 100; obtained is {epochs}"
        for epochs, tables in _by_tables(short, lambda c: epochs_in_words(c.averaged)).items()
    ]


def _by_tables(claims: Sequence[Claim], what: Callable[[Claim], str]) -> dict[str, str]:
    """Return, in words, which statement holds for which tables."""
    found: dict[str, list[str]] = {}
    for claim in claims:
        found.setdefault(what(claim), []).append(str(claim.table))
    return {
        text: f"Tables {', '.join(rest)} and {last}" if rest else f"Table {last}"
        for text, (*rest, last) in found.items()
    }


def _line(claim: Claim) -> tuple[str, ...]:
    leaked = "-" if claim.leaked is None else fmt.number(claim.leaked.value)
    honest, span, gained = "-", "-", "-"
    if claim.honest is not None:
        honest = fmt.number(claim.honest.value)
        span = fmt.interval(claim.honest.low, claim.honest.high)
    if claim.gained is not None:
        interval = fmt.interval(claim.gained.low, claim.gained.high)
        gained = f"{claim.gained.value:+.2f} ({interval})"
    what = f"Table {claim.table}, " + (f"epochs {claim.what}" if claim.what == MEAN else claim.what)
    return what, fmt.number(claim.claimed), leaked, honest, span, gained
