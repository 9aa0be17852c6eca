"""The training history: one column per metric, under Keras's names."""

from collections.abc import Mapping, Sequence
from typing import Any

from nucrec._deprecation import warn_renamed

Row = Mapping[str, Any]

_PARTS = {"TR": "", "VAL": "val_"}
_METRICS = {
    "ACC": "accuracy",
    "Loss": "loss",
    "PRE": "precision",
    "REC": "recall",
    "AUC": "auc",
    "PRE-macro": "precision_macro",
    "REC-macro": "recall_macro",
    "F1-macro": "f1_macro",
}
_OLD_NAMES = {
    f"{part}-{metric}": prefix + name
    for part, prefix in _PARTS.items()
    for metric, name in _METRICS.items()
}
"""The names of nucrec 0.1, and those of today."""


class History(dict[str, list[Any]]):
    """The columns of a training history, under Keras's names, with one value per epoch.

    For one release, the names of nucrec 0.1 ("TR-ACC", "VAL-Loss", ...) still find their columns.
    """

    @classmethod
    def of_rows(cls, rows: Sequence[Row]) -> "History":
        """Return the columns of a list of rows, one row per epoch."""
        columns = dict.fromkeys(key for row in rows for key in row)
        return cls({name: [row[name] for row in rows] for name in columns})

    @classmethod
    def of_file(cls, columns: Mapping[str, list[Any]]) -> "History":
        """Return the columns stored in a model file, including files of nucrec 0.1."""
        return cls({_OLD_NAMES.get(name, name): values for name, values in columns.items()})

    def __missing__(self, name: str) -> list[Any]:
        new = self._new_name(name)
        if new is None:
            raise KeyError(name)
        return self[new]

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or self._new_name(name) is not None

    def get(self, name: str, default: Any = None) -> Any:
        """Return a column, or the default if there is none."""
        known = super().__contains__(name)
        return super().get(name if known else self._new_name(name) or name, default)

    def _new_name(self, name: object) -> str | None:
        """Return the present name of a column, with a warning; None if the name is not an old one."""
        new = _OLD_NAMES.get(name) if isinstance(name, str) else None
        if new is None or not super().__contains__(new):
            return None
        warn_renamed(f"history_[{name!r}]", f"history_[{new!r}]", stacklevel=4)
        return new
