"""Names of metrics: labels of the paper, standard names, and names in tables."""

from collections.abc import Collection

from nucrec._validation import invalid

NAMES = {
    "ACC": "accuracy",
    "PRE": "precision",
    "REC": "recall",
    "F1": "f1",
    "MC": "mcc",
    "KS": "kappa",
    "AUC": "auc",
}
"""The standard name of each of the paper's labels."""

_TITLES = {"f1": "F1", "mcc": "MCC", "auc": "AUC"}


def title(label: str) -> str:
    """Return the name of a metric in tables, given its label: "MCC" for "MC"."""
    name = NAMES.get(label, label)
    return _TITLES.get(name, name)


def check_metric(parameter: str, name: object, labels: Collection[str] = NAMES) -> str:
    """Return the label of a metric given by its standard name or its label."""
    known = {key.casefold(): label for label in labels for key in (label, NAMES[label])}
    if not isinstance(name, str) or name.casefold() not in known:
        choices = ", ".join(repr(NAMES[label]) for label in labels)
        raise invalid(parameter, f"one of {choices}", name)
    return known[name.casefold()]
