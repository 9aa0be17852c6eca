"""Running TensorFlow without its log lines on the processor, missing GPUs and compilation."""

import contextlib
import logging
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import IO

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_FATAL = 3  # TensorFlow reports a missing GPU as an error
_SEVERITIES = b"IWEF"
_LINE = re.compile(rb"([IWEF])\d{4} \d\d:\d\d:[\d.]+ +\d+ [^ ]+:\d+\] ")
_BESIDE = (
    b"WARNING: All log messages before absl::InitializeLog()",
    b"To enable the following instr",
)
_STARTING = threading.RLock()  # all threads share one standard error


@contextlib.contextmanager
def without_log_lines() -> Iterator[None]:
    """Import or start TensorFlow in this block without its log lines on standard error.

    ``TF_CPP_MIN_LOG_LEVEL`` determines what is shown if the user has set it; otherwise only fatal
    errors are. TensorFlow reads it once, when it is loaded, but writes some lines earlier: these
    are removed from the output of the process to standard error. All other output is written at the
    end of the block. The environment is restored.
    """
    with _STARTING:
        level = _chosen_level()
        with _level_for_tensorflow(level), _filtered(_SEVERITIES[:level]):
            yield


@contextlib.contextmanager
def no_retracing_warnings() -> Iterator[None]:
    """Keep TensorFlow from taking several networks in a row for one that is compiled too often."""

    def is_other(record: logging.LogRecord) -> bool:
        return "triggered tf.function retracing" not in record.getMessage()

    logger = logging.getLogger("tensorflow")
    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)


def _chosen_level() -> int:
    """Return the level set by the user, from 0 (everything is shown) to 3."""
    text = os.environ.get(_LEVEL, "")
    return min(int(text), _FATAL) if text.isdecimal() else _FATAL


@contextlib.contextmanager
def _level_for_tensorflow(level: int) -> Iterator[None]:
    """Set the level in the environment unless it is already set."""
    is_set = _LEVEL in os.environ
    os.environ.setdefault(_LEVEL, str(level))
    try:
        yield
    finally:
        if not is_set:
            del os.environ[_LEVEL]


@contextlib.contextmanager
def _filtered(hidden: bytes) -> Iterator[None]:
    """Remove lines of these severities from the output to standard error in the block."""
    with contextlib.ExitStack() as stack:
        try:
            heard = stack.enter_context(tempfile.TemporaryFile())
            shown = os.dup(2)
        except OSError:  # it is closed, or files cannot be created: nothing is filtered
            yield
            return
        stack.callback(os.close, shown)
        _flush()
        os.dup2(heard.fileno(), 2)
        try:
            yield
        finally:
            _flush()
            os.dup2(shown, 2)
            _write_others(heard, hidden, shown)


def _flush() -> None:
    with contextlib.suppress(AttributeError, OSError, ValueError):  # missing or closed
        sys.stderr.flush()


def _write_others(heard: IO[bytes], hidden: bytes, shown: int) -> None:
    """Write all lines except those of the hidden severities."""
    heard.seek(0)
    others = b"".join(line for line in heard if not _is_hidden(line, hidden))
    with contextlib.suppress(OSError):  # nobody reads it any longer
        while others:
            others = others[os.write(shown, others) :]


def _is_hidden(line: bytes, hidden: bytes) -> bool:
    found = _LINE.match(line)
    if found is None:
        return bool(hidden) and line.startswith(_BESIDE)
    return found[1] in hidden
