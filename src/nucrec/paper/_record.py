"""The run record, which allows a run to be judged and repeated."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from nucrec._version import __version__
from nucrec.models import FoldResults
from nucrec.paper._tables import TableResult

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "pillow", "joblib", "tensorflow", "keras")


def make_record(
    parameters: Mapping[str, Any], data: Mapping[str, Any], tables: Sequence[TableResult]
) -> dict[str, Any]:
    """Return the record of a run: its inputs, versions and parameters, and all results."""
    pairs = [(table, name) for table in tables for name in table.obtained]
    return {
        **_environment(),
        "parameters": dict(parameters),
        "data": dict(data),
        "runs": [_run(table, name) for table, name in pairs],
        "failures": [failure for table, name in pairs for failure in _failures(table, name)],
    }


def _environment() -> dict[str, Any]:
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {
            "nucrec": __version__,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in _LIBRARIES},
        },
        "hardware": {
            "system": platform.system(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
        },
    }


def plain(record: dict[str, Any]) -> dict[str, Any]:
    """Return the record as it would be read from its file; undefined numbers become None."""
    return dict(json.loads(json.dumps(record), parse_constant=lambda _: None))


def _run(table: TableResult, protocol: str) -> dict[str, Any]:
    obtained, divisions = table.obtained[protocol], table.divisions[protocol]
    folds = obtained.folds if isinstance(obtained, FoldResults) else (obtained,)
    found = {
        row: {column: table.metric(protocol, row, column) for column in table.published.columns}
        for row in table.rows
    }
    ranking = table.ranking(protocol)
    return {
        "table": table.published.number,
        "title": table.title,
        "protocol": protocol,
        "augmented": divisions[0].augmented,
        "folds": [
            {**division.to_dict(), **fold.to_dict()}
            for division, fold in zip(divisions, folds, strict=True)
        ],
        "summary": {
            row: {column: None if m is None else asdict(m) for column, m in metrics.items()}
            for row, metrics in found.items()
        },
        "ranking": None if ranking is None else ranking.to_dict(),
    }


def _failures(table: TableResult, protocol: str) -> list[dict[str, Any]]:
    where = {"table": table.published.number, "protocol": protocol}
    failures = table.obtained[protocol].failures
    return [{**where, "name": name, "outcome": outcome} for name, outcome in failures]
