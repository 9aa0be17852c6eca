"""What a run says of the paper's claims, in a few lines."""

import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nucrec import _text as fmt
from nucrec.evaluate import FoldMetric, Metric, Ranking, rank_folds
from nucrec.paper._epochs import MEAN
from nucrec.paper._protocol import N_SPLITS
from nucrec.paper._tables import TEXT_WIDTH, TableResult


@dataclass(frozen=True)
class Claim:
    """The headline of one table, and what became of it.

    Attributes
    ----------
    table : int
        1 to 6.
    what : str
        The row: the paper's best classifier, or the mean of epochs 20 to 100.
    claimed : float
        The published accuracy.
    leaked : Metric or None
        That under the paper's protocol; None if it was not run.
    honest : Metric or None
        The mean over folds of groups that were not trained on; None if it was not run.
    copies : float or None
        Share of the test images that had a copy of themselves in training, in the paper's protocol.
    """

    table: int
    what: str
    claimed: float
    leaked: Metric | None
    honest: Metric | None
    copies: float | None

    @property
    def gain(self) -> float | None:
        """How much higher the accuracy is under the paper's protocol; None if one was not run."""
        if self.leaked is None or self.honest is None:
            return None
        return self.leaked.value - self.honest.value

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts and numbers, with ``gain``."""
        return {**asdict(self), "gain": self.gain}


def make_claims(tables: Sequence[TableResult]) -> tuple[Claim, ...]:
    """Return the headline of each table, beside what was obtained."""
    return tuple(_claim(table) for table in tables)


def rank_tables(claims: Sequence[Claim]) -> Ranking | None:
    """Rank the tables by their honest headlines, which come from the same folds."""
    values = {
        f"Table {claim.table}": claim.honest.folds
        for claim in claims
        if isinstance(claim.honest, FoldMetric)
    }
    return rank_folds(values, N_SPLITS, "accuracy") if len(values) > 1 else None


def claims_text(claims: Sequence[Claim], ranking: Ranking | None, width: int = TEXT_WIDTH) -> str:
    """Return the claims as a small table, and below it what they say, so many columns wide."""
    header = ("accuracy", "claimed", "leaked", "honest", "interval", "gain by leaking")
    notes = [
        "leaked: as the paper must have divided the images; honest: the mean over folds of fields, or "
        "groups, that were not trained on"
    ]
    for claim in claims:
        if claim.copies and claim.gain is not None:
            notes.append(
                f"Table {claim.table}: {claim.copies:.0%} of the leaked test images had a copy of "
                f"themselves in training; leaking changed the accuracy by {claim.gain:+.2f}"
            )
    if ranking is not None:
        notes.append(f"Honest, on the same folds: {ranking.verdict}")
    table = fmt.text_table(header, [_line(claim) for claim in claims])
    wrapped = [
        textwrap.fill(note, min(width, TEXT_WIDTH), subsequent_indent="  ") for note in notes
    ]
    return "\n".join(["Verdict", "", table, "", *wrapped])


def _claim(table: TableResult) -> Claim:
    column, published = table.spec.accuracy, table.published.rows
    row = (
        MEAN if table.spec.is_network else max(published, key=lambda name: published[name][column])
    )
    found = {name: table.metric(name, row, column) for name in table.obtained}
    leaking = table.divisions.get("paper")
    return Claim(
        table=table.published.number,
        what=row,
        claimed=table.rows[row][column],
        leaked=found.get("paper"),
        honest=found.get("honest"),
        copies=None if leaking is None else leaking[0].leaked_families,
    )


def _line(claim: Claim) -> tuple[str, ...]:
    leaked = "-" if claim.leaked is None else fmt.number(claim.leaked.value)
    honest, span = "-", "-"
    if claim.honest is not None:
        honest = fmt.number(claim.honest.value)
        span = fmt.interval(claim.honest.low, claim.honest.high)
    gain = "-" if claim.gain is None else f"{claim.gain:+.2f}"
    what = f"Table {claim.table}, " + (f"epochs {claim.what}" if claim.what == MEAN else claim.what)
    return what, fmt.number(claim.claimed), leaked, honest, span, gain
