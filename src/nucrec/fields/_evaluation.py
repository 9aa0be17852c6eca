"""Comparison of detection results with annotated fields of view."""

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
    """Evaluate detected nuclei and micronuclei against annotated fields of view.

    Only one field is in memory at a time if `found` is a generator and `truth` reads from files.

    Parameters
    ----------
    found : iterable of Detection, or of tuple of arrays
        For each field, the result of a detector, or label images (nuclei, micronuclei) of shape (H,
        W) and an integer dtype, 0 for background. An optional third entry gives the label of the
        nucleus of each micronucleus, by ascending label, 0 for none. Without it, micronuclei are
        assigned to the nucleus whose edge is nearest, within 1.25 median diameters, as in `detect`.
    truth : AnnotatedFields, or sequence of tuple of arrays
        The annotation in the same order: the result of `load_mnfinder_fields`, or tuples as for
        `found`. The third entry may also be a mapping from micronucleus to nucleus.
    by : str, sequence of str, or mapping of str to array_like of shape (n_fields,), optional
        Columns of ``truth.metadata``, or your own columns, by whose values the metrics are computed
        separately as well. By default "cell_line" and "microscope", if the metadata have them.
    confidence : float, default=0.95
        Confidence level of the intervals, strictly between 0 and 1.

    Returns
    -------
    FieldReport
        The metrics over all fields and by part, with intervals, and the counts of each field.

    Raises
    ------
    InvalidParameterError
        The numbers of fields or the shapes of label images differ, or a parameter is out of range.

    Notes
    -----
    Objects are matched one to one, so that the number of pairs with an intersection over union of
    at least 0.5 (nuclei) or 0.1 (micronuclei, whose few pixels overlap less) is largest. A parent
    is correct if the detected nucleus is matched with the annotated one; micronuclei without an
    annotated nucleus are ignored. False-positive cells are counted among the annotated nuclei that
    were detected and have no micronucleus.

    Shares have the intervals of `nucrec.evaluate.proportion_interval` with fields as groups. Means
    and differences of rates have Student's t intervals over fields, their ratio has the
    linearisation interval of a ratio estimator (Cochran 1977), and r has Fisher's interval.

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
            raise invalid(f"by[{name!r}]", f"one value per field ({len(counts)})", len(values))
    return FieldReport(
        fields=counts,
        metrics=summarize_fields("all", counts, confidence).metrics,
        by={name: _parts(counts, values, confidence) for name, values in columns.items()},
        confidence=confidence,
        parts=next(iter(columns.values()), ()),
        trained_on=tuple(trained_on),
    )


def _columns(truth: Any, by: By) -> dict[str, tuple[str, ...]]:
    """Return the columns by which fields are grouped."""
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
    """Yield the counts of each field, and collect the names of the detector's training fields."""
    if not hasattr(found, "__iter__"):
        hint = "Cells contain no label images: pass the results of the detector's predict."
        raise invalid("found", "one Detection or pair of label images per field", type(found), hint)
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
