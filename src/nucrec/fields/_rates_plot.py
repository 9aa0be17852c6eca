"""A display of the rates found and annotated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from nucrec._plotting import GREY, OneAxesDisplay, frozen, label, style
from nucrec._text import number
from nucrec._validation import invalid
from nucrec.evaluate import Metric
from nucrec.fields._field_counts import FieldCounts

Array = npt.NDArray[Any]


@runtime_checkable
class ReportLike(Protocol):
    """The part of `FieldReport` that is drawn."""

    @property
    def fields(self) -> tuple[FieldCounts, ...]: ...
    @property
    def metrics(self) -> Mapping[str, Metric]: ...
    @property
    def parts(self) -> Sequence[str]: ...


@dataclass(eq=False, repr=False)
class RatesDisplay(OneAxesDisplay):
    """Plot the rate of micronucleated cells found against the rate annotated, one point per field.

    Attributes
    ----------
    found, annotated : ndarray of float, shape (n_fields,)
        Micronucleated cells per 1000.
    parts : tuple of str
        The property that distinguishes the points, such as the cell line of each field; empty if
        there is none.
    r, r2 : float
        Pearson's correlation, and R2 of the identity line.
    ax_, figure_ : matplotlib Axes and Figure
        Set by `plot`.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.fields import RatesDisplay
    >>> display = RatesDisplay(np.array([10.0, 60.0]), np.array([12.0, 50.0]), (), 1.0, 0.9).plot()
    >>> display.ax_.get_xlabel()
    'micronucleated cells annotated, per 1000'
    """

    found: Array
    annotated: Array
    parts: tuple[str, ...]
    r: float
    r2: float

    @classmethod
    def from_report(cls, report: ReportLike) -> Self:
        """Create the display from the rates of a report.

        Parameters
        ----------
        report : FieldReport
            The result of `evaluate_fields`.

        Returns
        -------
        RatesDisplay
            The display, not yet drawn.

        Raises
        ------
        InvalidParameterError
            `report` is not a `FieldReport`.
        """
        if not isinstance(report, ReportLike):
            raise invalid("report", "the result of nucrec.fields.evaluate_fields", report)
        return cls(
            frozen([each.rate_found for each in report.fields]),
            frozen([each.rate_annotated for each in report.fields]),
            tuple(report.parts),
            report.metrics["pearson_r"].value,
            report.metrics["r2_identity"].value,
        )

    @property
    def _size(self) -> tuple[float, float]:
        return 5.2, 5.2

    def _draw(self, ax: Any) -> None:
        parts = np.array(self.parts or ("fields",) * len(self.found))
        for k, part in enumerate(dict.fromkeys(parts.tolist())):
            colour, _, marker = style(k)
            chosen = parts == part
            points = self.annotated[chosen], self.found[chosen]
            ax.plot(*points, marker, color=colour, alpha=0.8, label=label(part))
        top = 1.06 * float(np.nanmax([*self.found, *self.annotated, 1.0]))
        ax.plot([0, top], [0, top], color=GREY, linewidth=1, label="found = annotated")
        ax.set(xlim=(0, top), ylim=(0, top), aspect="equal")
        ax.set_xlabel("micronucleated cells annotated, per 1000")
        ax.set_ylabel("micronucleated cells found, per 1000")
        told = f"r {number(self.r)}, R2 of the identity line {number(self.r2)}"
        n = len(self.found)
        ax.set_title(f"{n} field{'s' * (n != 1)}\n{told}", fontsize="medium")
        ax.legend(fontsize="small")
