"""nucrec tells nucleus from micronucleus in microscope images.

The library is one direction of data: `nucrec.datasets` reads images, `nucrec.augment`
enlarges a training set, `nucrec.models` compares classifiers, `nucrec.evaluate` says how sure
one can be of the result, and `nucrec.paper` puts it beside the published tables. `nucrec.fields`
goes from fields of view to tables of cells, and `nucrec.assay` from these to rates and a decision.

Subpackages are loaded on first use, so ``import nucrec`` is as good as free.
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


if not TYPE_CHECKING:  # or a type checker would take any name for one of ours

    def __getattr__(name: str) -> Any:
        if name in __all__:
            return importlib.import_module(f"nucrec.{name}")
        raise AttributeError(f"module 'nucrec' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
