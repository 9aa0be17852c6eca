"""Running functions in a process of their own, which can be killed and may die.

A thread cannot be stopped and a crash takes the whole interpreter along; a child process can be
killed for sure, together with its own children. It is started as a plain interpreter rather than
by `multiprocessing`, so that users' scripts need no ``if __name__ == "__main__"``.
"""

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Mapping
from functools import partial
from types import TracebackType
from typing import IO, Any, BinaryIO, Self, TypeVar, cast

from joblib import Parallel, delayed, parallel_config, wrap_non_picklable_objects
from joblib.parallel import get_active_backend

try:
    import cloudpickle
except ImportError:  # joblib before 1.6 carries its own copy
    from joblib.externals import cloudpickle

from nucrec._parallel import configured_jobs
from nucrec._threads import available_cores
from nucrec.errors import NucrecError

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""One thread in each child: cores are used by several children, and sums are added in one order."""

ONE_CORE = {
    **ONE_THREAD,
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "-1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
"""The same for networks: each child would otherwise take all cores, and all memory of a GPU.

That there is no GPU then, TensorFlow would report as an error.
"""

_TIME_TO_EXIT = 10.0  # seconds that a process which closed its pipes gets to end by itself


def pack(thing: Any) -> bytes:
    """Pickle anything, functions and classes of users' own scripts included."""
    return bytes(cloudpickle.dumps(thing))


class Packed:
    """Something packed once to be sent many times; it arrives in a child as what it was."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __reduce__(self) -> tuple[Any, ...]:
        return pickle.loads, (self._data,)


class ChildTimeoutError(Exception):
    """The call took too long, and its process was killed."""


class ChildDiedError(Exception):
    """The process of the call ended without an answer."""


class ChildError(Exception):
    """The call could not be loaded in the child, or raised; the message is that of the exception."""


class ChildProcess:
    """A Python process that runs one call at a time; it is started again after it was killed.

    As a context it is closed at the end: killed, and not started any more.

    Parameters
    ----------
    environment : mapping of str to str, optional
        Variables that are set in it, besides those of this process.
    """

    def __init__(self, environment: Mapping[str, str] = ONE_THREAD) -> None:
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._lock = threading.Lock()  # no start between closing and killing

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def call(self, function: Callable[..., Any], *args: Any, timeout: float | None = None) -> Any:
        """Return ``function(*args)``, run in the child.

        Raises
        ------
        ChildTimeoutError
            It took longer than `timeout` seconds, not counting the start of the process.
        ChildDiedError
            The process ended before it answered.
        ChildError
            The function could not be loaded, or raised.
        """
        message = pack((function, args))
        process = self._started()
        timed_out = threading.Event()

        def stop() -> None:
            timed_out.set()
            self.kill()

        timer = threading.Timer(timeout if timeout is not None else threading.TIMEOUT_MAX, stop)
        timer.daemon = True
        timer.start()
        try:
            ok, value = _exchange(process, message)
        except (OSError, EOFError, ValueError, pickle.UnpicklingError) as error:
            # ValueError: the timer closed the pipe between two reads
            if timed_out.is_set():
                raise ChildTimeoutError from error
            raise ChildDiedError(f"the process ended with exit code {self._exit_code()}") from error
        finally:
            timer.cancel()
        if not ok:
            raise ChildError(value)
        return value

    def close(self) -> None:
        """Kill the process, and never start it again."""
        self._closed = True
        self.kill()

    def kill(self) -> None:
        """Kill the process and, where there are process groups, its children."""
        with self._lock:
            self._kill()

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
        for pipe in _pipes(process):
            with contextlib.suppress(OSError):
                pipe.close()

    def _exit_code(self) -> int | None:
        """Return the exit code of a process that closed its pipes, and clean up after it."""
        process = self._process
        if process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_TIME_TO_EXIT)
        self.kill()
        return None if process is None else process.returncode

    def _started(self) -> "subprocess.Popen[bytes]":
        with self._lock:
            if self._closed:
                raise ChildDiedError("its process is not wanted any more")
            if self._process is not None and self._process.poll() is None:
                return self._process
            self._kill()
            path = [entry for entry in sys.path if isinstance(entry, str)]
            code = f"import sys; sys.path[:] = {path!r}; from {__name__} import serve; serve()"
            process = self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                [sys.executable, "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, **self._environment},
                start_new_session=True,
            )
        with contextlib.suppress(ValueError):  # killed meanwhile: the call will notice
            _pipes(process)[1].read(1)  # it has loaded its libraries
        return process


R = TypeVar("R")


def in_children(
    function: Callable[..., R],
    calls: Iterable[tuple[Any, ...]],
    n_jobs: int | None = None,
    environment: Mapping[str, str] = ONE_THREAD,
) -> Generator[R, None, None]:
    """Yield ``function(child, *args)`` for the arguments of each call, as they are done.

    Threads of this process do so, with children that serve one call after the other. Where
    `joblib.parallel_config` names a backend of other processes or machines, each call is run there,
    with a child of its own. At the end, whatever ends it, the children of this process are killed.

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
    environment : mapping of str to str, optional
        As in `ChildProcess`.

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
    with contextlib.closing(_Children(environment)) as children:
        if getattr(backend, "supports_sharedmem", False):
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

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
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
            self._idle.append(child)

    def _free(self) -> ChildProcess:
        with self._lock:
            if self._idle:
                return self._idle.pop()
            child = ChildProcess(self._environment)
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


def _pipes(process: "subprocess.Popen[bytes]") -> tuple[IO[bytes], IO[bytes]]:
    """Return where to write to the process and where to read from it; both were asked for."""
    return cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)


def _exchange(process: "subprocess.Popen[bytes]", message: bytes) -> tuple[bool, Any]:
    questions, answers = _pipes(process)
    questions.write(len(message).to_bytes(8, "little") + message)
    questions.flush()
    ok, value = pickle.load(answers)  # noqa: S301 - from our own child
    return ok, value


def serve() -> None:
    """Answer calls that come on standard input, until it ends. This is what the child runs."""
    questions = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    answers.write(b"!")
    answers.flush()
    # what models print must not get between the answers
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    while header := questions.read(8):
        message = questions.read(int.from_bytes(header, "little"))
        _answer(message, answers)


def _end_with_parent(parent: int) -> None:
    """End this process and its children when the parent is gone, even in the middle of a call."""
    while os.getppid() == parent:
        time.sleep(1)
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _answer(message: bytes, answers: BinaryIO) -> None:
    try:
        function, args = pickle.loads(message)  # noqa: S301 - from our own parent
        answer = pickle.dumps((True, function(*args)))
    except Exception as error:  # noqa: BLE001 - goes to the parent, which raises it
        answer = pickle.dumps((False, f"{type(error).__name__}: {error}"))
    answers.write(answer)
    answers.flush()
