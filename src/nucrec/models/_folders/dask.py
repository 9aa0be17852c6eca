"""Running calls on the workers of a Dask cluster."""

import contextlib
import itertools
import pickle
import re
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

from nucrec._optional import require
from nucrec._validation import invalid
from nucrec._version import __version__
from nucrec.errors import NucrecError

_ADDRESS = re.compile(r"((tcp|tls|ws|wss)://)?[^/\s]+:\d+/?")
_TO_CONNECT = 10.0  # seconds
_GLANCE = 2.0  # seconds between two checks of the workers
_AHEAD = 8  # minimum number of calls queued at the scheduler, so that an adaptive cluster scales up


@contextlib.contextmanager
def connected(scheduler: Any) -> Iterator[Any]:
    """Yield a client of the scheduler: a new one for an address; None for None.

    Raises
    ------
    InvalidParameterError
        `scheduler` is not an address, a client or None.
    MissingExtraError
        distributed is not installed.
    NucrecError
        No scheduler answers.
    """
    if scheduler is None:
        yield None
        return
    distributed = require("distributed", extra="distributed")
    if isinstance(scheduler, distributed.Client) and not scheduler.asynchronous:
        yield scheduler
        return
    if not isinstance(scheduler, str) or not _ADDRESS.fullmatch(scheduler):
        raise invalid(
            "scheduler", "an address such as 'tcp://10.0.0.1:8786', or a client", scheduler
        )
    try:
        client = distributed.Client(scheduler, timeout=_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise NucrecError(
            f"no Dask scheduler answers at {scheduler}: start one with 'dask scheduler', and take "
            f"the address that it prints ({error})"
        ) from error
    with client:
        yield client


def each_done(
    client: Any, calls: Sequence[Callable[[], None]], names: Sequence[str], patience: float | None
) -> Generator[int, None, None]:
    """Run calls on the workers, and yield the number of each one when it is done.

    Raises
    ------
    NucrecError
        A call failed, the scheduler went away, or there were no workers for `patience` seconds. Calls
        that have not begun are cancelled.
    """
    distributed = require("distributed", extra="distributed")
    run, version = _portable_run(), __version__
    coming = iter(range(len(calls)))
    running: dict[Any, int] = {}
    seen = time.monotonic()
    try:
        while True:
            threads = sum(client.nthreads().values())
            for k in itertools.islice(coming, max(0, max(_AHEAD, 2 * threads) - len(running))):
                future = client.submit(run, version, pickle.dumps(calls[k]), pure=False)
                running[future] = k
            if not running:
                return
            seen = time.monotonic() if threads else seen
            if patience is not None and time.monotonic() - seen > patience:
                raise NucrecError(
                    f"no worker connected within {patience:g} s: start some with 'dask worker ADDRESS "
                    "--nthreads 1'"
                )
            for future in _some_done(client, list(running)):
                k = running.pop(future)
                _check(distributed, future, names[k])
                future.release()  # otherwise, Dask repeats the call if its worker dies later
                yield k
    except (OSError, distributed.CancelledError) as error:
        raise NucrecError(
            "the Dask scheduler went away: start it and its workers again, then repeat the call to "
            "continue"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            client.cancel(list(running))


def _some_done(client: Any, futures: Sequence[Any]) -> list[Any]:
    """Wait briefly, and return the calls that are done."""
    distributed = require("distributed", extra="distributed")
    with contextlib.suppress(TimeoutError), client.as_current():
        distributed.wait(futures, timeout=_GLANCE, return_when="FIRST_COMPLETED")
    return [future for future in futures if future.done()]


def _check(distributed: Any, future: Any, name: str) -> None:
    """Raise if a call failed."""
    if future.status == "finished":
        return
    error = future.exception()
    if isinstance(error, distributed.KilledWorker):
        raise NucrecError(
            f"{name}: several workers died during its prediction; they may need more memory"
        ) from error
    raise NucrecError(f"{name}: {error}") from error


def _portable_run() -> Callable[[str, bytes], None]:
    """Return the function that runs a call, sent with its code so that schedulers need no nucrec."""

    def run(version: str, call: bytes) -> None:
        import pickle
        import socket

        try:
            from nucrec._version import __version__

            if __version__ != version:
                raise ImportError(f"nucrec {__version__} is installed here, not {version}")
            pickle.loads(call)()  # noqa: S301 - from our own client
        except Exception as error:  # noqa: BLE001 - the client tells it
            kind = type(error)
            what = "" if kind.__module__.startswith("nucrec") else f"{kind.__name__}: "
            raise RuntimeError(f"on {socket.gethostname()}, {what}{error}") from None

    return run
