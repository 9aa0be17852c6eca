"""Running functions in a separate process, which can be killed and may crash.

A thread cannot be stopped, and a crash takes down the whole interpreter; a child process can be
killed reliably, together with its own children. It is started as a plain interpreter rather than by
`multiprocessing`, so that users' scripts need no ``if __name__ == "__main__"``.
"""

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, BinaryIO, Self, cast

try:
    import cloudpickle
except ImportError:  # joblib before 1.6 has its own copy
    from joblib.externals import cloudpickle


def threads(number: int) -> dict[str, str]:
    """Return the environment variables that set the number of threads of a child's libraries."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return dict.fromkeys(names, str(number))


ONE_THREAD = threads(1)
"""Cores are used by several children, and sums are added in one order."""

_TOLD, _DONE, _FAILED = "told", "done", "failed"
"""What comes from a child: something in between, the value of a call, or its error."""

_TIME_TO_EXIT = 10.0  # seconds that a process has to end after closing its pipes


def pack(thing: Any) -> bytes:
    """Pickle anything, including functions and classes of users' own scripts."""
    return bytes(cloudpickle.dumps(thing))


class Packed:
    """An object packed once to be sent many times, which arrives in a child unpacked."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __reduce__(self) -> tuple[Any, ...]:
        return pickle.loads, (self._data,)


class ChildTimeoutError(Exception):
    """The call took too long, and its process was killed."""


class ChildDiedError(Exception):
    """The process of the call ended without a result."""


class ChildError(Exception):
    """The call could not be loaded in the child, or raised an exception, whose message is kept."""


class ChildProcess:
    """A Python process that runs one call at a time, and is restarted after it was killed.

    As a context manager, it is closed at the end: killed, and not restarted.

    Parameters
    ----------
    environment : mapping of str to str, optional
        Environment variables to set in addition to those of this process.
    told : callable, optional
        Called with the objects that a function in the child passes to `tell`, in the thread that
        waits for the result. `call` raises its exceptions.
    """

    def __init__(
        self,
        environment: Mapping[str, str] = ONE_THREAD,
        told: Callable[[Any], None] | None = None,
    ) -> None:
        self._environment = environment
        self._told = told
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._lock = threading.Lock()  # prevents a start between closing and killing

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
            The call took longer than `timeout` seconds, excluding the start of the process.
        ChildDiedError
            The process ended without a result.
        ChildError
            The function could not be loaded, or raised an exception.
        """
        message = pack((function, args))
        with contextlib.closing(self._answers(self._started(), message, timeout)) as answers:
            for kind, value in answers:
                if kind == _TOLD:
                    self._pass_on(value)
        if kind == _FAILED:
            raise ChildError(value)
        return value

    def _pass_on(self, value: Any) -> None:
        """Pass on a report of the child, which is useless after an error in the middle of a call."""
        try:
            if self._told is not None:
                self._told(value)
        except BaseException:
            self.kill()
            raise

    def _answers(
        self, process: "subprocess.Popen[bytes]", message: bytes, timeout: float | None
    ) -> Generator[tuple[str, Any], None, None]:
        """Send a message, and yield all replies until the function has ended."""
        timed_out = threading.Event()

        def stop() -> None:
            timed_out.set()
            self.kill()

        timer = threading.Timer(timeout if timeout is not None else threading.TIMEOUT_MAX, stop)
        timer.daemon = True
        timer.start()
        try:
            yield from _exchange(process, message)
        except (OSError, EOFError, ValueError, pickle.UnpicklingError) as error:
            # ValueError: the timer closed the pipe between two reads
            if timed_out.is_set():
                raise ChildTimeoutError from error
            raise ChildDiedError(f"the process ended with exit code {self._exit_code()}") from error
        finally:
            timer.cancel()

    def close(self) -> None:
        """Kill the process, and do not restart it."""
        self._closed = True
        self.kill()

    def kill(self) -> None:
        """Kill the process and, if process groups are supported, its children."""
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
        """Return the exit code of a process that has closed its pipes, and clean up."""
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
                cwd=_folder(),
                start_new_session=True,
            )
        with contextlib.suppress(ValueError):  # killed in the meantime: the call will notice
            _pipes(process)[1].read(1)  # it has loaded its libraries
        return process


def _folder() -> str | None:
    """Return the working directory, or None if it was removed."""
    try:
        return str(Path.cwd())
    except OSError:
        return None


def _pipes(process: "subprocess.Popen[bytes]") -> tuple[IO[bytes], IO[bytes]]:
    """Return the pipes for writing to the process and reading from it, which were both requested."""
    return cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)


def _exchange(process: "subprocess.Popen[bytes]", message: bytes) -> Iterator[tuple[str, Any]]:
    questions, answers = _pipes(process)
    questions.write(len(message).to_bytes(8, "little") + message)
    questions.flush()
    kind = _TOLD
    while kind == _TOLD:
        kind, value = pickle.load(answers)  # noqa: S301 - from our own child
        yield kind, value


_answers_of_this_process: BinaryIO | None = None


def tell(value: Any) -> None:
    """Send an interim report to the process that waits for the result; only in a child."""
    if _answers_of_this_process is not None:
        _answers_of_this_process.write(pickle.dumps((_TOLD, value)))
        _answers_of_this_process.flush()


def serve() -> None:
    """Run calls received on standard input until it ends. This is the main loop of the child."""
    global _answers_of_this_process
    questions = os.fdopen(os.dup(0), "rb")
    answers = _answers_of_this_process = os.fdopen(os.dup(1), "wb")
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    answers.write(b"!")
    answers.flush()
    # output of models must not mix with the results
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
        answer = pickle.dumps((_DONE, function(*args)))
    except Exception as error:  # noqa: BLE001 - goes to the parent, which raises it
        answer = pickle.dumps((_FAILED, f"{type(error).__name__}: {error}"))
    answers.write(answer)
    answers.flush()
