"""Calls run side by side in child processes, locally or on the backend of `joblib.parallel_config`."""

import contextlib
import threading
import warnings
from collections.abc import Callable, Generator, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from joblib import Parallel, delayed, parallel_config, wrap_non_picklable_objects
from joblib.parallel import get_active_backend
from threadpoolctl import threadpool_limits

from nucrec._children.process import ONE_THREAD, ChildProcess, pack
from nucrec._parallel import configured_jobs
from nucrec._threads import available_cores
from nucrec.errors import NucrecError

R = TypeVar("R")


def in_children(
    function: Callable[..., R],
    calls: Iterable[tuple[Any, ...]],
    n_jobs: int | None = None,
    environment: Mapping[str, str] = ONE_THREAD,
    told: Callable[[Any], None] | None = None,
) -> Generator[R, None, None]:
    """Yield ``function(child, *args)`` for the arguments of each call, in order of completion.

    The calls run in threads of this process, with children that serve one call after the other. If
    `joblib.parallel_config` names a backend of other processes or machines, each call runs there
    with its own child. All children are killed at the end, however it ends.

    Parameters
    ----------
    function : callable
        The function, which takes a `ChildProcess` and the arguments of a call. Other processes
        import it by name.
    calls : iterable of tuple
        The arguments, taken from the iterable shortly before they are needed, by several threads
        but never at the same time.
    n_jobs : int, optional
        Number of calls at a time; by default that of `joblib.parallel_config`, otherwise one per
        core. Some backends, such as Dask's, use all their workers regardless.
    environment, told : optional
        As in `ChildProcess`. Children of other processes and machines do not report.

    Raises
    ------
    NucrecError
        Another process cannot load the function or its arguments.
    """
    backend, _ = get_active_backend(prefer="threads")
    parallel = Parallel(
        n_jobs=n_jobs or configured_jobs() or available_cores(),
        prefer="threads",
        return_as="generator_unordered" if backend.supports_return_generator else "list",
        batch_size=1,
    )
    # idle BLAS threads spin on the cores that the children need
    with (
        threadpool_limits(1, "blas"),
        contextlib.closing(_Children(environment, told)) as children,
    ):
        if runs_here():
            tasks = (delayed(children.lend)(function, *args) for args in calls)
        else:
            send = delayed(wrap_non_picklable_objects(_portable_run()))
            run = partial(_with_own_child, environment, function)
            # in bytes: Dask keeps larger objects on one worker, and loses them with it
            tasks = (send(pack(partial(run, *args))) for args in calls)
        results = parallel(tasks)
        try:
            for result in results:
                if isinstance(result, ImportError | AttributeError):
                    raise NucrecError(
                        f"a worker cannot load what it is sent ({result}): install there what is "
                        "installed here"
                    )
                yield result
        finally:
            if isinstance(results, Generator):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # it reports on work that is no longer wanted
                    results.close()


def runs_here() -> bool:
    """Return whether `in_children` runs calls from this process rather than from others."""
    return bool(getattr(get_active_backend(prefer="threads")[0], "supports_sharedmem", False))


def _portable_run() -> Callable[[bytes], Any]:
    """Return the function that runs a packed call, sent with its code since Dask hides load errors.

    Load errors are returned. All others are raised where the results are used.
    """

    def run(call: bytes) -> Any:
        import pickle

        try:
            function = pickle.loads(call)  # noqa: S301 - from our own parent
        except (ImportError, AttributeError) as error:
            return error
        return function()

    return run


def _with_own_child(environment: Mapping[str, str], function: Callable[..., R], *args: Any) -> R:
    """Call a function with a child, in another process that may be on another machine."""
    # a backend may run parallel work inside a job anywhere; these jobs are not divided further
    with parallel_config(backend="sequential"), ChildProcess(environment) as child:
        return function(child, *args)


class _Children:
    """Child processes that are lent to one call after another."""

    def __init__(self, environment: Mapping[str, str], told: Callable[[Any], None] | None) -> None:
        self._environment = environment
        self._told = told
        self._all: list[ChildProcess] = []
        self._idle: list[ChildProcess] = []
        self._lock = threading.Lock()
        self._closed = False

    def lend(self, function: Callable[..., R], *args: Any) -> R:
        """Call a function with an idle child, or with a new one."""
        child = self._free()
        try:
            return function(child, *args)
        finally:
            with self._lock:
                self._idle.append(child)

    def _free(self) -> ChildProcess:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        child = ChildProcess(self._environment, self._told)
        with self._lock:
            self._all.append(child)
            if self._closed:
                child.close()
            return child

    def close(self) -> None:
        """Kill all children; later calls get a closed one."""
        with self._lock:
            self._closed = True
            for child in self._all:
                child.close()
