"""Child processes that are kept for the next call, as long as they are as new ones would be."""

import importlib
import os
import subprocess
import sys
import time

import pytest
from tests.models.test_isolation import is_running, pid_of, wait_until_gone

from nucrec._children import spares as _spares
from nucrec._children.pool import in_children
from nucrec._children.process import ONE_THREAD, ChildProcess
from nucrec._children.spares import SPARES, Spares


@pytest.fixture(autouse=True)
def none_left():
    SPARES.clear()
    yield
    SPARES.clear()


@pytest.fixture
def spares():
    one = Spares()
    yield one
    one.clear()


def running() -> ChildProcess:
    child = ChildProcess()
    child.call(os.getpid)
    return child


def test_the_next_run_finds_the_children_of_the_one_before():
    first, second = (
        {pid for _, pid in in_children(pid_of, [(k,) for k in range(4)], 2, spare=True)}
        for _ in range(2)
    )
    assert second <= first
    assert all(is_running(pid) for pid in first)
    SPARES.clear()
    assert all(wait_until_gone(pid) for pid in first)


def test_without_being_asked_none_is_kept():
    ((_, pid),) = in_children(pid_of, [(0,)], 1)
    assert wait_until_gone(pid)


def test_a_child_in_the_middle_of_a_call_is_killed_and_not_kept(tmp_path):
    file = tmp_path / "pid"
    results = in_children(tell_and_nap, [(None, 0), (file, 600)], 2, spare=True)
    next(results)
    while not (file.exists() and file.read_text()):
        time.sleep(0.05)
    results.close()
    assert wait_until_gone(int(file.read_text()))
    ((_, pid),) = in_children(pid_of, [(0,)], 1, spare=True)
    assert pid != int(file.read_text())


def tell_and_nap(child, file, seconds):
    if file is not None:
        file.write_text(str(child.call(os.getpid)))
    return child.call(time.sleep, seconds)


@pytest.mark.parametrize("change", ["variable", "path", "folder", "environment"])
def test_where_a_new_process_would_differ_a_new_one_is_made(spares, monkeypatch, tmp_path, change):
    child = running()
    spares.keep([child])
    environment = {}
    if change == "variable":
        monkeypatch.setenv("ANYTHING", "else")
    elif change == "path":
        monkeypatch.syspath_prepend(tmp_path)
    elif change == "folder":
        monkeypatch.chdir(tmp_path)
    else:
        environment = {"OMP_NUM_THREADS": "2"}
    assert spares.take(environment) is not child
    monkeypatch.undo()
    assert spares.take(ONE_THREAD) is child
    child.close()


def test_a_child_with_an_outdated_module_is_not_used_again(spares, monkeypatch, tmp_path):
    module = tmp_path / "users_module.py"
    module.write_text("def answer(): return 'old'\n")
    os.utime(module, (1, 1))
    monkeypatch.syspath_prepend(tmp_path)
    users_module = importlib.import_module("users_module")
    monkeypatch.setitem(sys.modules, "users_module", users_module)  # sent by its name
    child = ChildProcess()
    assert child.call(users_module.answer) == "old"
    spares.keep([child])
    assert spares.take(ONE_THREAD) is child
    spares.keep([child])
    module.write_text("def answer(): return 'new'\n")
    fresh = spares.take(ONE_THREAD)
    assert fresh is not child
    assert not child.is_running
    assert fresh.call(users_module.answer) == "new"
    fresh.close()


def test_a_child_that_was_killed_meanwhile_is_replaced(spares):
    child = running()
    pid = child.call(os.getpid)
    spares.keep([child])
    os.kill(pid, 9)
    other = spares.take(ONE_THREAD)
    assert other.call(os.getpid) != pid
    other.close()


def test_no_more_wait_than_there_are_cores(spares, monkeypatch):
    monkeypatch.setattr(_spares, "available_cores", lambda: 1)
    children = [running(), running()]
    spares.keep(children)
    assert [child.is_running for child in children] == [True, False]


def test_they_do_not_wait_for_ever(spares, monkeypatch):
    monkeypatch.setattr(_spares, "IDLE_SECONDS", 0.2)
    child = running()
    pid = child.call(os.getpid)
    spares.keep([child])
    assert wait_until_gone(pid)


def test_they_end_with_the_script_and_without_a_word(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import os\n"
        "from nucrec._children.pool import in_children\n"
        "def pid_of(child): return child.call(os.getpid)\n"
        "print(*in_children(pid_of, [()], 1, spare=True))\n"
    )
    command = [sys.executable, "-W", "error", "-X", "dev", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert wait_until_gone(int(done.stdout))
    assert done.stderr == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing to fork with")
def test_a_fork_leaves_them_to_its_parent():
    code = (
        "import os\n"
        "from nucrec._children.pool import in_children\n"
        "from nucrec._children.spares import SPARES\n"
        "def pid_of(child): return child.call(os.getpid)\n"
        "(first,) = in_children(pid_of, [()], 1, spare=True)\n"
        "if not (fork := os.fork()):\n"
        "    SPARES.clear()\n"
        "    os._exit(0)\n"
        "os.waitpid(fork, 0)\n"
        "(second,) = in_children(pid_of, [()], 1, spare=True)\n"
        "print(first == second)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout == "True\n"
