"""Calls that child processes run side by side: here, or where `joblib.parallel_config` says."""

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
    """Yield ``function(child, *args)`` for the arguments of each call, as they are done.

    Threads of this process do so, with children that serve one call after the other. Where
    `joblib.parallel_config` names a backend of other processes or machines, each call is run there,
    with a child of its own. At the end, whatever ends it, all children are killed.

    Parameters
    ----------
    function : callable
        Takes a `ChildProcess` and the arguments of a call. Other processes import it by name.
    calls : iterable of tuple
        Arguments; taken from the iterable shortly before they are needed, from several threads
        but never at the same time.
    n_jobs : int, optional
        Calls at a time; by default what `joblib.parallel_config` says, else one for each core. Some
        backends, such as Dask's, use all their workers whatever is said here.
    environment, told : optional
        As in `ChildProcess`. Children of other processes and machines tell nothing.

    Raises
    ------
    NucrecError
        Another process cannot load the function, or its arguments.
    """
    backend, _ = get_active_backend(prefer="threads")
    parallel = Parallel(
        n_jobs=n_jobs or configured_jobs() or available_cores(),
        prefer="threads",
        return_as="generator_unordered" if backend.supports_return_generator else "list",
        batch_size=1,
    )
    # BLAS's threads wait for more by going round and round, on the cores that the children need
    with (
        threadpool_limits(1, "blas"),
        contextlib.closing(_Children(environment, told)) as children,
    ):
        if runs_here():
            tasks = (delayed(children.lend)(function, *args) for args in calls)
        else:
            send = delayed(wrap_non_picklable_objects(_portable_run()))
            run = partial(_with_own_child, environment, function)
            # bytes: larger things Dask would keep on one worker, and lose with it
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
                    warnings.simplefilter("ignore")  # it tells of work that nobody wants any more
                    results.close()


def runs_here() -> bool:
    """Tell whether `in_children` runs calls from this process, rather than from others."""
    return bool(getattr(get_active_backend(prefer="threads")[0], "supports_sharedmem", False))


def _portable_run() -> Callable[[bytes], Any]:
    """Return what runs a packed call; it is sent with its code, as Dask hides what it cannot load.

    An error of loading is returned. All others are raised where the results are.
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
    """Call a function with a child; this runs in another process, perhaps on another machine."""
    # a backend may run parallel work inside a job anywhere; a job is as small as it gets here
    with parallel_config(backend="sequential"), ChildProcess(environment) as child:
        return function(child, *args)


class _Children:
    """Child processes that are lent to one call after the other."""

    def __init__(self, environment: Mapping[str, str], told: Callable[[Any], None] | None) -> None:
        self._environment = environment
        self._told = told
        self._all: list[ChildProcess] = []
        self._idle: list[ChildProcess] = []
        self._lock = threading.Lock()
        self._closed = False

    def lend(self, function: Callable[..., R], *args: Any) -> R:
        """Call a function with a child that is free, or with a new one."""
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
        """Kill all children; calls that still come get a closed one."""
        with self._lock:
            self._closed = True
            for child in self._all:
                child.close()
