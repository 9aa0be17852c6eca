"""Child processes that are killed for sure."""

import os
import subprocess
import sys
import threading
import time

import joblib
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from nucrec._children.pool import in_children
from nucrec._children.process import (
    ONE_CORE,
    ChildDiedError,
    ChildError,
    ChildProcess,
    ChildTimeoutError,
    Packed,
    pack,
)


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


def test_calls_run_elsewhere_and_one_process_serves_many(child):
    first, second = (child.call(os.getpid) for _ in range(2))
    assert first == second != os.getpid()
    assert child.call(lambda a, b: a + b, 1, b"x" == b"y") == 1


def test_exceptions_come_back(child):
    with pytest.raises(ChildError, match="^ZeroDivisionError: division by zero"):
        child.call(lambda: 1 / 0)
    assert child.call(lambda: 5) == 5


def test_output_of_a_call_does_not_get_between_the_answers(child, capfd):
    def noisy() -> str:
        print("on python's standard output")
        os.write(1, b"on the real one\n")
        return "answer"

    assert child.call(noisy) == "answer"
    assert "on the real one" in capfd.readouterr().err


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


def test_odd_entries_of_the_path_do_no_harm(child, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", [tmp_path, *sys.path])
    assert child.call(lambda: 5) == 5


def test_one_thread_each(child):
    assert child.call(os.getenv, "OMP_NUM_THREADS") == "1"


def test_kill_is_idempotent(child):
    pid = child.call(os.getpid)
    child.kill()
    child.kill()
    assert wait_until_gone(pid)


def test_networks_get_one_core_and_no_gpu():
    child = ChildProcess(ONE_CORE)
    try:
        found = child.call(environment)
    finally:
        child.kill()
    assert found["TF_NUM_INTRAOP_THREADS"] == found["OMP_NUM_THREADS"] == "1"
    assert found["CUDA_VISIBLE_DEVICES"] == "-1"


def environment() -> dict:
    return dict(os.environ)


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


def test_an_error_of_the_function_itself_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(in_children(lambda child, n: 1 / n, [(1,), (0,)], 2))


def test_no_calls_give_nothing():
    assert list(in_children(nap, [], 2)) == []


def blas_threads() -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_products_of_matrices_here_take_one_thread_while_children_are_at_work():
    with threadpool_limits(2, "blas"):
        before = blas_threads()
        during = list(in_children(lambda child: blas_threads(), [()] * 3, 2))
        assert set(before) == {2}
        assert during == [[1] * len(before)] * 3
        assert blas_threads() == before


def test_joblib_says_how_many_at_a_time():
    with joblib.parallel_config(n_jobs=1):
        alone = dict(in_children(pid_of, [(number,) for number in range(3)]))
        assert len(set(alone.values())) == 1
        # two that wait for each other, because the call says so
        met = threading.Barrier(2, timeout=60)
        assert len(list(in_children(lambda child: met.wait(), [(), ()], 2))) == 2
    with joblib.parallel_config(n_jobs=3):
        met = threading.Barrier(3, timeout=60)
        assert len(list(in_children(lambda child: met.wait(), [(), (), ()]))) == 3


def test_a_closed_child_is_never_started_again(child):
    pid = child.call(os.getpid)
    child.close()
    with pytest.raises(ChildDiedError):
        child.call(os.getpid)
    assert wait_until_gone(pid)


def test_what_is_packed_once_arrives_as_it_was(child):
    packed = Packed(pack({"a": [1, 2]}))
    assert child.call(lambda thing: thing["a"], packed) == [1, 2]
    with pytest.raises(ChildError, match="^UnpicklingError"):
        child.call(print, Packed(b"nonsense"))
