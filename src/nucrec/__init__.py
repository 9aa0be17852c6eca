"""Detect micronuclei in microscope images, and evaluate the micronucleus assay.

Data flow in one direction: `nucrec.datasets` reads images, `nucrec.augment` enlarges a training set,
`nucrec.models` trains and compares classifiers, `nucrec.evaluate` computes metrics with confidence
intervals, and `nucrec.paper` compares the results with the published tables. `nucrec.fields`
converts fields of view to tables of cells, and `nucrec.assay` computes rates and a decision from
them.

Subpackages are loaded on first use, so ``import nucrec`` costs almost nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

from nucrec._version import __version__

if TYPE_CHECKING:
    from nucrec import assay, audit, augment, datasets, errors, evaluate, fields, models, paper

__all__ = [
    "__version__",
    "assay",
    "audit",
    "augment",
    "datasets",
    "errors",
    "evaluate",
    "fields",
    "models",
    "paper",
]


if not TYPE_CHECKING:  # otherwise a type checker would accept any name

    def __getattr__(name: str) -> Any:
        if name in __all__:
            return importlib.import_module(f"nucrec.{name}")
        raise AttributeError(f"module 'nucrec' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
