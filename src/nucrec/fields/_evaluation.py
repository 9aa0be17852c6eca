"""Comparing what was found in fields of view with their annotation."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._validation import check_real, invalid
from nucrec.fields._field_counts import FieldCounts, count_field
from nucrec.fields._field_report import FieldReport
from nucrec.fields._field_summary import FieldSummary, summarize_fields
from nucrec.fields._pairs_of_labels import annotated, objects_of
from nucrec.fields._training_marks import TRAINED_ON

_END = object()
_USUAL = ("cell_line", "microscope")

By = str | Sequence[str] | Mapping[str, npt.ArrayLike] | None


def evaluate_fields(
    found: Iterable[Any],
    truth: Any,
    *,
    by: By = None,
    confidence: float = 0.95,
) -> FieldReport:
    """Compare nuclei and micronuclei found in fields of view with those annotated.

    One field is in memory at a time where `found` is a generator and `truth` reads from files.

    Parameters
    ----------
    found : iterable of Detection, or of tuple of arrays
        For each field what a detector returned, or label images (nuclei, micronuclei), each of shape
        (H, W) and a whole-number dtype, 0 for background; a third entry gives the label of the nucleus
        of each micronucleus, by ascending label, 0 for none. Without it, that is the nucleus whose
        edge is nearest, within 1.25 median diameters, as in `detect`.
    truth : AnnotatedFields, or sequence of tuple of arrays
        The annotation, in the same order: what `load_mnfinder_fields` returned, or tuples as for
        `found`. Annotated parents may be a mapping from micronucleus to nucleus.
    by : str, sequence of str, or mapping of str to array_like of shape (n_fields,), optional
        Columns of ``truth.metadata`` for which the metrics are given part by part, or columns of your
        own. By default "cell_line" and "microscope", where the metadata has them.
    confidence : float, default=0.95
        The confidence of the intervals, strictly between 0 and 1.

    Returns
    -------
    FieldReport
        Metrics over all fields and by part, with intervals, and the counts of each field.

    Raises
    ------
    InvalidParameterError
        Numbers of fields or shapes of label images differ, or a parameter is out of range.

    Notes
    -----
    Objects are matched one to one: of all matchings of pairs with an intersection over union of at
    least 0.5 (nuclei) or 0.1 (micronuclei, whose few pixels overlap less), one with the most pairs is
    taken. A parent is right if the found nucleus is matched with the annotated one; micronuclei that
    the annotation links to no nucleus do not count. False-positive cells are counted among the
    annotated nuclei that were found and have no micronucleus.

    Intervals of shares are those of `nucrec.evaluate.proportion_interval` with fields as groups.
    Means and differences of rates have Student's t interval over fields, their ratio that of a ratio
    estimator by linearization (Cochran 1977), and r has Fisher's.

    References
    ----------
    - H. W. Kuhn, "The Hungarian method for the assignment problem", Naval Research Logistics
      Quarterly 2, 1955, pp. 83-97.
    - J. C. Caicedo et al., "Nucleus segmentation across imaging experiments: the 2018 Data Science
      Bowl", Nature Methods 16, 2019, pp. 1247-1253 (F1 at a threshold of the intersection over union).
    - W. G. Cochran, "Sampling Techniques", 3rd edition, 1977, chapter 6 (ratio estimator).

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.fields import evaluate_fields
    >>> nuclei, micronuclei = np.zeros((2, 40, 40), int)
    >>> nuclei[5:20, 5:20], micronuclei[21:24, 10:13] = 1, 1
    >>> shifted = np.roll(nuclei, 2), np.roll(micronuclei, 1)
    >>> report = evaluate_fields([shifted] * 3, [(nuclei, micronuclei)] * 3)
    >>> report.nuclei_f1.value, report.right_parents.value
    (1.0, 1.0)
    """
    check_real("confidence", confidence, low=0, high=1, open_ends=True)
    columns = _columns(truth, by)
    trained_on: list[str] = []
    counts = tuple(_counts(found, truth, trained_on))
    if not counts:
        raise invalid("truth", "at least one annotated field", "none")
    for name, values in columns.items():
        if len(values) != len(counts):
            raise invalid(f"by[{name!r}]", f"a value for each of {len(counts)} fields", len(values))
    return FieldReport(
        fields=counts,
        metrics=summarize_fields("all", counts, confidence).metrics,
        by={name: _parts(counts, values, confidence) for name, values in columns.items()},
        confidence=confidence,
        parts=next(iter(columns.values()), ()),
        trained_on=tuple(trained_on),
    )


def _columns(truth: Any, by: By) -> dict[str, tuple[str, ...]]:
    """Return the columns by which fields are told apart."""
    metadata: Mapping[str, Any] = getattr(truth, "metadata", {})
    if isinstance(by, Mapping):
        metadata, names = by, list(by)
    elif by is None:
        names = [name for name in _USUAL if name in metadata]
    else:
        names = [by] if isinstance(by, str) else list(by)
    unknown = [name for name in names if name not in metadata]
    if unknown:
        raise invalid("by", f"columns of: {', '.join(metadata) or 'none'}", unknown[0])
    return {name: tuple(map(str, np.asarray(metadata[name]).tolist())) for name in names}


def _counts(found: Iterable[Any], truth: Any, trained_on: list[str]) -> Iterator[FieldCounts]:
    """Yield the counts of each field, and add the names of those of the detector's training."""
    if not hasattr(found, "__iter__"):
        hint = "Cells hold no label images: pass what the detector's predict returns."
        raise invalid("found", "a Detection or label images for each field", type(found), hint)
    items = iter(found)
    for i, (name, item) in enumerate(annotated(truth)):
        other = next(items, _END)
        if other is _END:
            raise invalid("found", "as many fields as truth", f"{i} fields")
        if TRAINED_ON in getattr(other, "remarks", ()):
            trained_on.append(name)
        mine, theirs = objects_of(f"found[{i}]", other), objects_of(f"truth[{i}]", item)
        if mine.nuclei.shape != theirs.nuclei.shape:
            expected = f"the shape of its annotation, {theirs.nuclei.shape}"
            raise invalid(f"found[{i}] ({name})", expected, mine.nuclei.shape)
        yield count_field(name, mine, theirs)
    if next(items, _END) is not _END:
        raise invalid("found", "as many fields as truth", "more")


def _parts(
    counts: Sequence[FieldCounts], values: Sequence[str], confidence: float
) -> tuple[FieldSummary, ...]:
    """Return the metrics of the fields that share a value."""
    return tuple(
        summarize_fields(
            value, [c for c, own in zip(counts, values, strict=True) if own == value], confidence
        )
        for value in dict.fromkeys(values)
    )
