"""The report of an assay: a folder with tables, pictures and one page."""

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

from nucrec import _text as fmt
from nucrec._files import make_folder, write_text
from nucrec._paths import checked_path
from nucrec._progress import Progress, progress_function
from nucrec._validation import check_int, check_real, invalid
from nucrec._warnings import warn
from nucrec._written import ASSAY, LATEX, MARKDOWN, PAGE, check_not_replaced
from nucrec.assay import _tables
from nucrec.assay._assay import Assay
from nucrec.assay._findings import Findings, findings_of
from nucrec.assay._provenance import FileHash, hash_of, hashes_of, is_path, now, versions
from nucrec.assay._report_page import PageContent, report_page
from nucrec.assay._report_pictures import draw_pictures
from nucrec.assay._report_tables import ReportTable, report_tables
from nucrec.assay._saved_report import SavedReport, saved_report
from nucrec.errors import DataWarning

_STEPS = 4


def save_report(
    assay: Assay,
    out: str | PathLike[str],
    *,
    historical: object = None,
    reviewed: object = None,
    alpha: float = 0.05,
    random_state: int = 0,
    title: str = "Micronucleus assay",
    inputs: Sequence[str | PathLike[str]] = (),
    command: str = "",
    progress: Progress | bool = False,
) -> SavedReport:
    """Write the report of an assay: tables, pictures, and a page from design to decision.

    Parameters
    ----------
    assay : Assay
        The result of `summarize`.
    out : str or path
        The output folder, which is created if necessary. It receives ``report.html``, one CSV file
        per table, all tables as Markdown and LaTeX in ``tables.md`` and ``tables.tex``,
        ``dose-response.png`` and ``plate.png``.
    historical : path, table or HistoricalControls, optional
        As in `Assay.decision`.
    reviewed : path or table, optional
        As in `Assay.corrected`.
    alpha : float, default=0.05
        The one-sided significance level of the tests.
    random_state : int, default=0
        The seed for permutations that are too many to enumerate.
    title : str, default="Micronucleus assay"
        The heading of the page.
    inputs : sequence of path, optional
        The input files of the assay. The page lists their SHA-256 hashes, and those of `historical`
        and `reviewed`; none of them is overwritten.
    command : str, optional
        The command to show on the page.
    progress : bool or callable, default=False
        True shows progress on standard error. A callable receives (steps done, total steps,
        message).

    Returns
    -------
    SavedReport
        The results, and the files written.

    Raises
    ------
    InvalidParameterError
        A parameter is out of range, or an input, or the page of another command, would be
        replaced.
    DatasetNotFoundError, DatasetError
        A table or an input cannot be read.
    NucrecError
        The folder or a file cannot be written.

    Warns
    -----
    DataWarning
        A picture could not be drawn because matplotlib is not installed or wells are not named like
        B03, or the folder holds tables of an earlier report that are not part of this one.

    Notes
    -----
    Tests and decision are made for each compound separately, with p-values adjusted for the number
    of its doses. Conditions with one dose, such as a positive control, are compared with the
    control one by one if others have several doses. CSV files are UTF-8, with a byte order mark if
    they contain non-ASCII characters, so that Excel reads them; numbers have a decimal point.

    Examples
    --------
    >>> import tempfile
    >>> from nucrec.assay import save_report, summarize
    >>> assay = summarize({"well": [f"{row}0{i}" for row in "BCDE" for i in (2, 3, 4)],
    ...                    "dose": [0] * 3 + [1] * 3 + [2] * 3 + [4] * 3, "scored": [2000] * 12,
    ...                    "micronucleated": [9, 12, 8, 14, 18, 13, 24, 30, 27, 40, 38, 45]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     saved = save_report(assay, folder)
    ...     page = (saved.folder / "report.html").read_text(encoding="utf-8")
    >>> saved.decisions[0].verdict, "not answerable" in page
    ('not answerable', True)
    """
    if not isinstance(assay, Assay):
        raise invalid("assay", "the result of nucrec.assay.summarize", assay)
    check_real("alpha", alpha, low=0, high=0.5, open_ends=True)
    check_int("random_state", random_state, low=0)
    folder = checked_path("out", out, "the path of a folder")
    read = [*inputs, *(each for each in (historical, reviewed) if is_path(each))]
    check_not_replaced("out", folder, ASSAY, [checked_path("inputs", path) for path in read])
    show = progress_function(progress)
    findings = findings_of(assay, historical, reviewed, alpha, random_state)
    hashes = hashes_of(read)
    show(1, _STEPS, "tests")
    make_folder(folder)
    try:
        return _written(folder, findings, title, command, hashes, show)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"before {folder / PAGE} was written (an existing page belongs to an earlier "
            "report, while tables may be new); the same command writes everything again"
        ) from None


def _written(
    folder: Path,
    findings: Findings,
    title: str,
    command: str,
    hashes: Sequence[FileHash],
    show: Progress,
) -> SavedReport:
    """Write all files, the page last."""
    tables = report_tables(findings)
    written = _write_tables(folder, tables)
    show(2, _STEPS, "tables")
    pictures, left_out = draw_pictures(findings, folder)
    for each in left_out:
        warn(each, DataWarning)
    written += [f"{name}.png" for name in pictures]
    show(3, _STEPS, "pictures")
    made = {**_made(command, findings), **versions()}
    outputs = [_of_folder(folder, name) for name in written]
    content = PageContent(title, findings, tables, pictures, left_out, hashes, outputs, made)
    write_text(folder / PAGE, report_page(content))
    show(_STEPS, _STEPS, PAGE)
    _tell_of_others(folder, [PAGE, *written])
    return saved_report(folder, (PAGE, *written), findings, tables, left_out)


def _write_tables(folder: Path, tables: Mapping[str, ReportTable]) -> list[str]:
    for name, table in tables.items():
        write_text(folder / f"{name}.csv", fmt.csv_for_excel(_tables.as_csv(table.numbers)))
    write_text(folder / MARKDOWN, _markdown(tables))
    write_text(folder / LATEX, _latex(tables))
    return [*(f"{name}.csv" for name in tables), MARKDOWN, LATEX]


def _markdown(tables: Mapping[str, ReportTable]) -> str:
    parts = (
        f"## {each.caption}\n\n{fmt.markdown_table(*each.words)}\n" for each in tables.values()
    )
    return "\n".join(parts)


def _latex(tables: Mapping[str, ReportTable]) -> str:
    parts = (f"% {each.caption}\n{fmt.latex_table(*each.words)}" for each in tables.values())
    return "\n".join(parts)


def _made(command: str, findings: Findings) -> dict[str, str]:
    told = {"command": command} if command else {}
    return {**told, "date": now(), "seed of permutations": str(findings.random_state)}


def _of_folder(folder: Path, name: str) -> FileHash:
    found = hash_of(folder / name)
    return FileHash(name, found.size, found.sha256)


def _tell_of_others(folder: Path, written: Sequence[str]) -> None:
    """Warn about files of an earlier report that are not part of this one."""
    others = [name for name in ASSAY.files if name not in written and (folder / name).exists()]
    if others:
        warn(
            f"{folder}: {', '.join(others)} of an earlier report "
            f"{'is' if len(others) == 1 else 'are'} still present, and not part of this one",
            DataWarning,
        )
