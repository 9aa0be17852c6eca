"""Functions that run in child processes."""

import os
import sys
import threading
import time

import joblib
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from nucrec._children.pool import in_children
from nucrec._children.process import ChildError, ChildProcess, Packed, pack, tell


@pytest.fixture
def child():
    process = ChildProcess()
    yield process
    process.kill()


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


def test_odd_entries_of_the_path_do_no_harm(child, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", [tmp_path, *sys.path])
    assert child.call(lambda: 5) == 5


def test_one_thread_each(child):
    assert child.call(os.getenv, "OMP_NUM_THREADS") == "1"


def pid_of(child, number):
    return number, child.call(os.getpid)


def nap(child, seconds):
    return child.call(time.sleep, seconds)


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


def test_what_is_packed_once_arrives_as_it_was(child):
    packed = Packed(pack({"a": [1, 2]}))
    assert child.call(lambda thing: thing["a"], packed) == [1, 2]
    with pytest.raises(ChildError, match="^UnpicklingError"):
        child.call(print, Packed(b"nonsense"))


def count(n: int) -> str:
    for k in range(n):
        tell(k)
    return "done"


def test_a_child_tells_in_the_middle_of_a_call():
    heard = []
    with ChildProcess(told=heard.append) as child:
        assert child.call(count, 3) == "done"
    assert heard == [0, 1, 2]
    with ChildProcess() as child:  # nobody listens
        assert child.call(count, 3) == "done"
    assert count(3) == "done"  # this is no child


def test_an_error_of_who_listens_is_raised_and_the_child_is_started_again():
    def refuse(value: int) -> None:
        if value == 1:
            raise OSError("enough")

    with ChildProcess(told=refuse) as child:
        first = child.call(os.getpid)
        with pytest.raises(OSError, match="^enough$"):
            child.call(count, 5)
        assert child.call(count, 1) == "done"
        assert child.call(os.getpid) != first
