"""The way in: from a table to an assay."""

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
        One row for each cell, or one for each well with the cells scored and those micronucleated.
        Columns may be called as by nucrec, CellProfiler, micronuclAI, or people; see Notes.
    by : str, default="condition"
        The column of the conditions; those with several doses are one condition for each dose. Without
        a column ``condition``, doses alone are conditions.
    unit : str, default="well"
        The column of the units that were treated, each for itself. Cells of one unit are alike.
    control : str or float, optional
        The concurrent control, a condition; by default the only one of dose 0. In a trend it is the
        lowest level, whatever its dose. Among doses without names it must be the lowest.
    confidence : float, default=0.95
        The confidence of all intervals, strictly between 0 and 1.
    block : str, optional
        A column of repeats, such as plates or days; tests exchange units within a block only.
    layout : path, mapping of columns, or data frame, optional
        Which well got what: one row for each ``well`` (of a ``plate``, where both tables have plates),
        ``field`` or ``file``, with any of ``condition``, ``dose``, ``replicate`` and further columns.
        It replaces what `cells` says of them. Wells that are in no row are left out, and named.
    columns : mapping of str to str, optional
        What columns are called where it is none of the names under Notes, such as
        ``{"n_micronuclei": "MN per cell"}``.

    Returns
    -------
    Assay
        The rates, with tests, decision, correction, tables and displays.

    Raises
    ------
    InvalidParameterError
        A column, the control or a number is not what it should be.
    DatasetNotFoundError
        There is no such file.
    DatasetError
        The table cannot be used; the message names row and column.

    Notes
    -----
    Columns are found by these names, whatever their case and punctuation, and without a unit in
    brackets or behind a dose: "Dose (uM)" and "dose_uM" are doses. What looks like a dose and is not
    used is remarked on. NA, NaN and the like are missing. Cells: ``n_micronuclei`` (micronuclei, mn,
    mn_count, Children_Micronuclei_Count), and where there are: ``scored`` (true or false),
    ``excluded`` (why, or true or false), ``n_nuclei``. Counts: ``n_scored`` (scored, cells_scored,
    n_cells, cells, total_cells, total, cells_counted, cell_count), ``n_micronucleated``
    (micronucleated, micronucleated_cells, cells_with_micronuclei, mn_cells, mnbn, positive), and where
    there are: ``n_micronuclei``, ``n_excluded``; ``mononucleate``, ``binucleate``, ``multinucleate``
    (mono, bi, multi); ``initial_cells``, ``final_cells``. Both: ``well`` (Metadata_Well),
    ``condition`` (treatment, compound, substance), ``dose`` (concentration, conc), ``replicate``,
    ``plate``, ``field`` (ImageNumber). Rows without a condition are left out, and counted.

    Over units, the interval is Wilson's, of an effective number of cells: their number over the
    dispersion of the counts of units (Pearson's X2 over its degrees of freedom, or the variance of the
    ratio estimator over that of independent cells, whichever is larger; the two are equal for units of
    one size), at least 1, with the quantile of Student's t (as in Dean and Pagano, 2015, but without
    an assumed correlation). It is never narrower than that of independent cells. With fewer than
    three units there is none. The page "How many cells, how many wells" of the documentation has its
    coverage in simulations.

    Micronuclei per 1000 cells have the score interval of a Poisson mean, of an effective number of
    cells that is found in the same way, and is at most their number over the variance-to-mean ratio of
    micronuclei in single cells.

    References
    ----------
    - E. B. Wilson, Journal of the American Statistical Association 22, 1927, pp. 209-212.
    - P. McCullagh, J. A. Nelder, "Generalized Linear Models", 2nd edition, 1989, section 4.5
      (over-dispersion).
    - W. G. Cochran, "Sampling Techniques", 3rd edition, 1977, section 6.4 (ratio estimator).
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
