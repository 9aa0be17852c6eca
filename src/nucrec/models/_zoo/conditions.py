"""The validated parameters shared by all functions that run a zoo."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nucrec._paths import checked_path
from nucrec._progress import Progress
from nucrec._validation import check_int, check_real, invalid
from nucrec.models._zoo.jobs import Division, JobMaker
from nucrec.models._zoo.networks import is_network


def check_zoo(zoo: Mapping[str, Any], *, learning_curves: bool = False) -> None:
    """Check that a zoo holds only classifiers, and no network that cannot be trained here."""
    if not isinstance(zoo, Mapping) or not zoo:
        raise invalid("zoo", "a non-empty mapping of names to classifiers", zoo)
    for name, model in zoo.items():
        if getattr(model, "early_stopping", None) and is_network(model):
            expected = "None: the test images must not say when training ends"
            raise invalid(f"zoo[{name!r}].early_stopping", expected, model.early_stopping)
        if learning_curves and getattr(model, "callbacks", None) and is_network(model):
            expected = "None with learning_curves: callbacks would see how the test images do"
            raise invalid(f"zoo[{name!r}].callbacks", expected, model.callbacks)
        if getattr(model, "strategy", None) is not None and is_network(model):
            raise invalid(f"zoo[{name!r}].strategy", "None: it cannot be sent", model.strategy)


@dataclass(frozen=True)
class Conditions:
    """The parameters shared by all functions that run a zoo; see `run_zoo`."""

    timeout: float | None
    n_jobs: int | None
    confidence: float
    learning_curves: bool
    checkpoint_dir: str | os.PathLike[str] | None
    network_cores: int
    progress: Progress | bool

    def __post_init__(self) -> None:
        if self.timeout is not None:
            check_real("timeout", self.timeout, low=0, high=1e9, open_ends=True)
        if self.n_jobs is not None:
            check_int("n_jobs", self.n_jobs, low=1)
        check_real("confidence", self.confidence, low=0, high=1, open_ends=True)
        check_int("network_cores", self.network_cores, low=1)

    def jobs(self, label: str, division: Division) -> JobMaker:
        """Return the factory of jobs for one split."""
        folder = self.checkpoint_dir
        return JobMaker(
            label,
            division,
            self.timeout,
            self.confidence,
            self.learning_curves,
            None if folder is None else checked_path("checkpoint_dir", folder).absolute(),
        )
