"""The settings of `joblib.parallel_config`: where work runs, and how many jobs at a time."""

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

R = TypeVar("R")


def configured_jobs() -> int | None:
    """Return the number of jobs set by `joblib.parallel_config`, or None if it sets no number."""
    from joblib.parallel import get_active_backend

    jobs: int | None = get_active_backend()[1]
    return jobs


def in_parallel(function: Callable[..., R], calls: Sequence[tuple[Any, ...]]) -> list[R]:
    """Return ``function(*args)`` for the arguments of each call, in order.

    The calls run in this process one after the other unless `joblib.parallel_config` sets a
    backend. Functions that require cloudpickle, such as closures, are supported.
    """
    if len(calls) < 2 or "joblib" not in sys.modules:  # not imported: nothing can be configured
        return [function(*args) for args in calls]
    from joblib import Parallel, delayed, wrap_non_picklable_objects

    # if threads are preferred, joblib takes the number from `parallel_config` only together with a
    # backend, so pass it explicitly
    parallel = Parallel(n_jobs=configured_jobs(), prefer="threads")
    task = delayed(wrap_non_picklable_objects(function))
    found: list[R] = parallel(task(*args) for args in calls)
    return found
