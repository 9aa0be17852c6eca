"""The entry point: from a table to an assay."""

from collections.abc import Mapping

from nucrec._reading.column_names import check_columns
from nucrec._validation import check_real, invalid
from nucrec.assay._assay import Assay
from nucrec.assay._conditions import summarize_conditions
from nucrec.assay._read_wells import read_wells


def summarize(
    cells: object,
    *,
    by: str = "condition",
    unit: str = "well",
    control: str | float | None = None,
    confidence: float = 0.95,
    block: str | None = None,
    layout: object = None,
    columns: Mapping[str, str] | None = None,
) -> Assay:
    """Count micronucleated cells by condition, dose and well, with intervals.

    Parameters
    ----------
    cells : Cells, mapping of columns, data frame, or path of a CSV
        One row per cell, or one row per well with the numbers of scored and micronucleated cells.
        Columns may have the names used by nucrec, CellProfiler, micronuclAI or people; see Notes.
    by : str, default="condition"
        The column of the conditions. A condition with several doses becomes one condition per dose.
        Without a column ``condition``, doses are the conditions.
    unit : str, default="well"
        The column of the independently treated units. Cells of the same unit are not independent.
    control : str or float, optional
        The condition that is the concurrent control; by default the only one with dose 0. In a
        trend it is the lowest level, whatever its dose. If conditions are only doses, it must be
        the lowest.
    confidence : float, default=0.95
        Confidence level of all intervals, strictly between 0 and 1.
    block : str, optional
        A column of blocks, such as plates or days; tests exchange units only within blocks.
    layout : path, mapping of columns, or data frame, optional
        The treatment of each well: one row per ``well`` (and ``plate``, if both tables have
        plates), ``field`` or ``file``, with any of ``condition``, ``dose``, ``replicate`` and
        further columns. It replaces these columns of `cells`. Wells missing from the layout are
        left out, with a remark.
    columns : mapping of str to str, optional
        The names of columns that are not among those under Notes, such as
        ``{"n_micronuclei": "MN per cell"}``.

    Returns
    -------
    Assay
        The rates, with tests, decision, correction, tables and displays.

    Raises
    ------
    InvalidParameterError
        A column, the control or a number is invalid.
    DatasetNotFoundError
        There is no such file.
    DatasetError
        The table cannot be used. The message names the row and column.

    Notes
    -----
    Columns are recognised by the following names, regardless of case and punctuation, and of a unit
    in brackets or after a dose: "Dose (uM)" and "dose_uM" are doses. A remark names unused columns
    that look like doses. NA, NaN and similar values are missing. Tables of cells have
    ``n_micronuclei`` (micronuclei, mn, mn_count, Children_Micronuclei_Count) and optionally
    ``scored`` (true or false), ``excluded`` (a reason, or true or false) and ``n_nuclei``. Tables
    of counts have ``n_scored`` (scored, cells_scored, n_cells, cells, total_cells, total,
    cells_counted, cell_count) and ``n_micronucleated`` (micronucleated, micronucleated_cells,
    cells_with_micronuclei, mn_cells, mnbn, positive), and optionally ``n_micronuclei``,
    ``n_excluded``; ``mononucleate``, ``binucleate``, ``multinucleate`` (mono, bi, multi);
    ``initial_cells``, ``final_cells``. Both have ``well`` (Metadata_Well), ``condition``
    (treatment, compound, substance, drug), ``dose`` (concentration, conc), ``replicate``, ``plate`` and
    ``field`` (ImageNumber). Rows without a condition are left out, and their number is reported.

    The interval over units is Wilson's interval for an effective number of cells: the number of
    cells divided by the dispersion of the counts between units (Pearson's X2 divided by its degrees
    of freedom, or the variance of the ratio estimator divided by that of independent cells,
    whichever is larger; both are equal for units of the same size), which is at least 1. The
    quantile is that of Student's t (as in Dean and Pagano, 2015, but without an assumed
    correlation). The interval is never narrower than that of independent cells, and there is none
    for fewer than three units. If a few units have most of the cells (the coefficient of variation of
    their numbers exceeds 0.82), the variance allows for it (Bell and McCaffrey 2002), and Student's t
    has the degrees of freedom of the effective number of units (Kish 1965), at least one. The page "How
    many cells, how many wells" of the documentation gives its coverage in simulations.

    Micronuclei per 1000 cells have the score interval of a Poisson mean, for an effective number of
    cells that is computed in the same way and is at most the number of cells divided by the
    variance-to-mean ratio of micronuclei per cell.

    References
    ----------
    - E. B. Wilson, Journal of the American Statistical Association 22, 1927, pp. 209-212.
    - P. McCullagh, J. A. Nelder, "Generalized Linear Models", 2nd edition, 1989, section 4.5
      (over-dispersion).
    - W. G. Cochran, "Sampling Techniques", 3rd edition, 1977, section 6.4 (ratio estimator).
    - R. M. Bell, D. F. McCaffrey, Survey Methodology 28, 2002, pp. 169-181 (CR2).
    - L. Kish, "Survey Sampling", 1965 (effective number).
    - N. Dean, M. Pagano, Journal of Survey Statistics and Methodology 3, 2015, pp. 484-503
      (Wilson's interval of an effective number).
    - L. Barker, The American Statistician 56, 2002, pp. 85-89 (score interval of a Poisson mean).

    Examples
    --------
    >>> from nucrec.assay import summarize
    >>> counts = {
    ...     "well": ["B02", "B03", "B04", "C02", "C03", "C04"],
    ...     "condition": ["DMSO"] * 3 + ["MMC"] * 3,
    ...     "scored": [2000] * 6,
    ...     "micronucleated": [12, 9, 14, 41, 52, 38],
    ... }
    >>> assay = summarize(counts, control="DMSO")
    >>> for condition in assay.conditions:
    ...     rate = condition.rate
    ...     print(f"{condition.name}: {rate.value:.1f} ({rate.low:.1f} to {rate.high:.1f})")
    DMSO: 5.8 (3.4 to 9.9)
    MMC: 21.8 (14.4 to 33.0)
    """
    for name, value in (("by", by), ("unit", unit)):
        if not isinstance(value, str) or not value:
            raise invalid(name, "the name of a column", value)
    if block is not None and (not isinstance(block, str) or not block):
        raise invalid("block", "the name of a column, or None", block)
    check_real("confidence", confidence, low=0, high=1, open_ends=True)
    given = None if columns is None else check_columns(columns)
    wells = read_wells(cells, by, unit, block, layout, given)
    conditions, units, notes = summarize_conditions(wells, control, confidence)
    told = (*wells.remarks, *notes)
    design = (by, unit, confidence, told, block or "", wells.columns)
    return Assay(conditions, units, *design, wells.cells)
