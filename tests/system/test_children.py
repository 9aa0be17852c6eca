"""Child processes that are killed for sure."""

import os
import subprocess
import sys
import time

import pytest

from nucrec._children.pool import in_children
from nucrec._children.process import ChildDiedError, ChildProcess, ChildTimeoutError


@pytest.fixture
def child():
    process = ChildProcess()
    yield process
    process.kill()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until_gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_running(pid)


def test_timeout_kills_the_process_and_its_children(child, tmp_path):
    def hang(path: str) -> None:
        import subprocess
        import sys
        from pathlib import Path

        grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        Path(path).write_text(f"{os.getpid()} {grandchild.pid}")
        while True:
            pass

    started = time.monotonic()
    with pytest.raises(ChildTimeoutError):
        child.call(hang, str(tmp_path / "pids"), timeout=6)
    assert time.monotonic() - started < 60
    for pid in map(int, (tmp_path / "pids").read_text().split()):
        assert wait_until_gone(pid)
    assert child.call(lambda: "alive again") == "alive again"


def test_a_process_that_dies_is_noticed_and_replaced(child):
    with pytest.raises(ChildDiedError, match="exit code 7"):
        child.call(os._exit, 7)
    with pytest.raises(ChildDiedError, match="exit code -11"):
        child.call(lambda: os.kill(os.getpid(), 11))
    assert child.call(lambda: "alive again") == "alive again"


def test_a_child_ends_with_its_parent(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import os, sys\n"
        "from nucrec._children.process import ChildProcess\n"
        "def hang(path):\n"
        "    open(path, 'w').write(str(os.getpid()))\n"
        "    while True: pass\n"
        "ChildProcess().call(hang, sys.argv[1])\n"
    )
    pid_file = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, str(script), str(pid_file)])
    deadline = time.monotonic() + 60
    while not (pid_file.exists() and pid_file.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    assert wait_until_gone(int(pid_file.read_text()))


def test_kill_is_idempotent(child):
    pid = child.call(os.getpid)
    child.kill()
    child.kill()
    assert wait_until_gone(pid)


def pid_of(child, number):
    return number, child.call(os.getpid)


def nap(child, seconds):
    return child.call(time.sleep, seconds)


def test_children_serve_many_calls_and_are_gone_at_the_end():
    pids = dict(in_children(pid_of, [(number,) for number in range(6)], n_jobs=2))
    assert set(pids) == set(range(6))
    assert 1 <= len(set(pids.values())) <= 2
    assert os.getpid() not in pids.values()
    assert all(wait_until_gone(pid) for pid in pids.values())


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_calls_end_when_they_are_not_wanted_any_more(n_jobs):
    started = time.monotonic()
    results = in_children(nap, [(0,), (60,), (60,), (60,)], n_jobs)
    assert next(results) is None
    results.close()
    assert time.monotonic() - started < 30


def test_a_closed_child_is_never_started_again(child):
    pid = child.call(os.getpid)
    child.close()
    with pytest.raises(ChildDiedError):
        child.call(os.getpid)
    assert wait_until_gone(pid)
