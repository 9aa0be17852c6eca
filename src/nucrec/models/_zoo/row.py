"""The result of one classifier on one test set."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy.typing as npt

from nucrec import _notebook as show
from nucrec import _text as fmt
from nucrec.evaluate import Report

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class ZooRow:
    """The result of one classifier.

    Attributes
    ----------
    name : str
        Its key in the zoo.
    status : {"ok", "failed", "timeout"}
        The outcome.
    seconds : float
        Time to fit and predict, or until the classifier failed or was stopped.
    report : Report or None
        The report on the test set; None without a result.
    stage : str or None
        The stage that failed: "features", "send", "load", "fit", "predict" or "report".
    error : str or None
        Type and message of the exception.
    warnings : tuple of str
        The warnings raised during fitting, each once.
    y_pred : ndarray of shape (n,), or None
        The predicted class of each test image; None without a result.
    y_score : ndarray of shape (n, n_classes), or None
        Its scores, if it has any.
    history : dict of str to list, or None
        The training history of a network, as in `ImageClassifier`.
    validation_proba : ndarray of float32, shape (n_epochs, n, n_classes), or None
        A network's probabilities of the test images after each epoch of the history, if they were
        requested.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from nucrec.models import run_zoo
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
    >>> row = run_zoo({"majority": DummyClassifier()}, (X, y), (X, y))["majority"]
    >>> row.status, row.y_pred
    ('ok', array([0, 0, 0, 0]))
    """

    name: str
    status: Literal["ok", "failed", "timeout"]
    seconds: float
    report: Report | None = None
    stage: str | None = None
    error: str | None = None
    warnings: tuple[str, ...] = ()
    y_pred: Array | None = field(default=None, repr=False, compare=False)
    y_score: Array | None = field(default=None, repr=False, compare=False)
    history: dict[str, list[Any]] | None = field(default=None, repr=False, compare=False)
    validation_proba: Array | None = field(default=None, repr=False, compare=False)

    def _repr_html_(self) -> str:
        rows = [("outcome", self.outcome), ("seconds", fmt.number(self.seconds))]
        rows += [("warning", text) for text in self.warnings]
        report = "" if self.report is None else self.report._repr_html_()
        return show.fragment(show.heading(self.name), show.facts(rows), report)

    @property
    def outcome(self) -> str:
        """The status in words."""
        if self.status == "failed":
            return f"failed in {self.stage}: {self.error}"
        if self.only_answer is not None:
            return f"{self.status}, but all are classified as {self.only_answer}"
        return self.status

    @property
    def only_answer(self) -> str | None:
        """The single class that all test images were assigned to; None if there are several."""
        if self.report is None or len(self.report.class_names) < 2:
            return None
        columns = zip(*self.report.confusion_matrix, strict=True)
        answers = [n for n, c in zip(self.report.class_names, columns, strict=True) if any(c)]
        return answers[0] if len(answers) == 1 else None

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts, lists and numbers."""
        return {
            "name": self.name,
            "status": self.status,
            "seconds": self.seconds,
            "stage": self.stage,
            "error": self.error,
            "warnings": list(self.warnings),
            "report": None if self.report is None else self.report.to_dict(),
        }


def failed_row(
    name: str, seconds: float, stage: str, error: str | None, warnings: tuple[str, ...] = ()
) -> ZooRow:
    """Return the row of a classifier that failed."""
    return ZooRow(name, "failed", seconds, None, stage, error, warnings)


def one_line(error: BaseException) -> str:
    """Return the type of an error and the first line of its message."""
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
