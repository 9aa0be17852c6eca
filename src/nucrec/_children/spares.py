"""Child processes that wait for the next call, so that it need not start new ones."""

import atexit
import os
import threading
from collections.abc import Iterable, Mapping

from nucrec._children.process import ChildDiedError, ChildProcess, modules_are_current
from nucrec._threads import available_cores

IDLE_SECONDS = 300.0  # after which idle children are killed; joblib's workers wait as long


class Spares:
    """Idle children, at most one for each core; all are killed when none was wanted for a while."""

    def __init__(self) -> None:
        self._waiting: list[ChildProcess] = []
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def take(self, environment: Mapping[str, str]) -> ChildProcess:
        """Return a child that waits and is as a new one would be, or a new one.

        That is one with the same variables, folder and search path, whose modules are those on disk.
        """
        new = ChildProcess(environment)
        while child := self._waiting_like(new):
            try:
                if child.call(modules_are_current):
                    return child
            except ChildDiedError:
                pass  # somebody killed it
            child.close()
        return new

    def keep(self, children: Iterable[ChildProcess]) -> None:
        """Keep running children for later; what there is no room for is killed."""
        with self._lock:
            self._waiting += [child for child in children if child.is_running]
            kept, rest = self._waiting[: available_cores()], self._waiting[available_cores() :]
            self._waiting = kept
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(IDLE_SECONDS, self.clear)
            self._timer.daemon = True
            self._timer.start()
        for child in rest:
            child.close()

    def clear(self) -> None:
        """Kill all children that wait."""
        with self._lock:
            children, self._waiting = self._waiting, []
        for child in children:
            child.close()

    def forget(self) -> None:
        """Leave the children to the process that this one was forked from."""
        self._waiting, self._timer = [], None
        self._lock = threading.Lock()  # a thread that is not here may have held the other

    def _waiting_like(self, new: ChildProcess) -> ChildProcess | None:
        with self._lock:
            found = next((child for child in self._waiting if child.setting == new.setting), None)
            if found is not None:
                self._waiting.remove(found)
            return found


SPARES = Spares()
atexit.register(SPARES.clear)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=SPARES.forget)
