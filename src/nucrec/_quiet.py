"""TensorFlow without what it says of the processor, of GPUs that are not there, of compiling."""

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
_FATAL = 3  # TensorFlow takes a GPU that is not there for an error
_SEVERITIES = b"IWEF"
_LINE = re.compile(rb"([IWEF])\d{4} \d\d:\d\d:[\d.]+ +\d+ [^ ]+:\d+\] ")
_BESIDE = (
    b"WARNING: All log messages before absl::InitializeLog()",
    b"To enable the following instr",
)
_STARTING = threading.RLock()  # there is one standard error for all threads


@contextlib.contextmanager
def without_log_lines() -> Iterator[None]:
    """Import or start TensorFlow in this block without lines of its log on standard error.

    ``TF_CPP_MIN_LOG_LEVEL`` says what is shown, if the user has set it, else only what is fatal.
    TensorFlow reads it once, when it is loaded, and has written some lines before: they are taken out
    of what the process writes to standard error meanwhile. All else is written at the end of the
    block. The environment is left as it was.
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
    """Return the level that the user has set, from 0 (all is shown) to 3."""
    text = os.environ.get(_LEVEL, "")
    return min(int(text), _FATAL) if text.isdecimal() else _FATAL


@contextlib.contextmanager
def _level_for_tensorflow(level: int) -> Iterator[None]:
    """Set the level in the environment, unless it is set."""
    is_set = _LEVEL in os.environ
    os.environ.setdefault(_LEVEL, str(level))
    try:
        yield
    finally:
        if not is_set:
            del os.environ[_LEVEL]


@contextlib.contextmanager
def _filtered(hidden: bytes) -> Iterator[None]:
    """Leave lines of these severities out of what is written to standard error in the block."""
    with contextlib.ExitStack() as stack:
        try:
            heard = stack.enter_context(tempfile.TemporaryFile())
            shown = os.dup(2)
        except OSError:  # it is closed, or there is no place for files: nothing is filtered
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
    with contextlib.suppress(AttributeError, OSError, ValueError):  # there is none, or it is closed
        sys.stderr.flush()


def _write_others(heard: IO[bytes], hidden: bytes, shown: int) -> None:
    """Write all lines but those of the hidden severities."""
    heard.seek(0)
    others = b"".join(line for line in heard if not _is_hidden(line, hidden))
    with contextlib.suppress(OSError):  # nobody reads it any more
        while others:
            others = others[os.write(shown, others) :]


def _is_hidden(line: bytes, hidden: bytes) -> bool:
    found = _LINE.match(line)
    if found is None:
        return bool(hidden) and line.startswith(_BESIDE)
    return found[1] in hidden
