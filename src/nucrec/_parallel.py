"""What `joblib.parallel_config` says: where work is done, and how much of it at a time."""

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

R = TypeVar("R")


def configured_jobs() -> int | None:
    """Return how many jobs at a time `joblib.parallel_config` sets; None where it sets no number."""
    from joblib.parallel import get_active_backend

    jobs: int | None = get_active_backend()[1]
    return jobs


def in_parallel(function: Callable[..., R], calls: Sequence[tuple[Any, ...]]) -> list[R]:
    """Return ``function(*args)`` for the arguments of each call, in order.

    They run here, one after the other, unless `joblib.parallel_config` says otherwise. Functions
    that only cloudpickle can send, such as closures, may be used.
    """
    if len(calls) < 2 or "joblib" not in sys.modules:  # not imported: nothing can be configured
        return [function(*args) for args in calls]
    from joblib import Parallel, delayed, wrap_non_picklable_objects

    # joblib takes a number from `parallel_config` only together with a backend, if threads are
    # preferred: hand it over
    parallel = Parallel(n_jobs=configured_jobs(), prefer="threads")
    task = delayed(wrap_non_picklable_objects(function))
    found: list[R] = parallel(task(*args) for args in calls)
    return found
