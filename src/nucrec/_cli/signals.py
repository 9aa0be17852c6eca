"""Signals that end a command."""

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def interrupted_by_any_signal() -> Iterator[None]:
    """Raise KeyboardInterrupt for SIGTERM and SIGHUP, too, unless they are ignored as by nohup."""
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    is_main = threading.current_thread() is threading.main_thread()  # others may set no handler
    ours = [n for n in numbers if is_main and signal.getsignal(n) == signal.SIG_DFL]
    for number in ours:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)
