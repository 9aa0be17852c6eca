"""What the log of TensorFlow is kept from, and what comes through: lines as it writes them."""

import os

import pytest

from nucrec._quiet import without_log_lines

LINES = {
    "I": "I0000 00:00:1795734948.853946   11210 port.cc:153] oneDNN custom operations are on.\n",
    "W": "W1126 23:26:11.000001 7 cpu_allocator.cc:1] Allocation exceeds 10% of memory.\n",
    "E": "E0000 00:00:1795734969.232577   11210 cuda_platform.cc:52] failed call to cuInit\n",
    "F": "F0000 00:00:1795734969.232577   11210 place.cc:52] Check failed: 1 == 2\n",
}
PREFACE = "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
OTHERS = "WARNING: another\nI0000 is no log line\nlast, without an end"


@pytest.mark.parametrize(
    ("level", "shown"), [(None, "F"), ("3", "F"), ("2", "EF"), ("1", "WEF"), ("0", "IWEF")]
)
def test_lines_below_the_level_are_left_out_and_all_others_come(capfd, monkeypatch, level, shown):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    if level is not None:
        monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", level)
    before = dict(os.environ)
    with without_log_lines():
        assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == (level or "3")
        os.write(2, "".join([PREFACE, *LINES.values(), OTHERS]).encode())
        assert capfd.readouterr().err == ""
    preface = PREFACE if level == "0" else ""
    assert capfd.readouterr().err == preface + "".join(LINES[s] for s in shown) + OTHERS
    assert dict(os.environ) == before


def test_an_error_in_the_block_puts_standard_error_back(capfd):
    def fail() -> None:
        with without_log_lines():
            os.write(2, b"before\n")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "before\nafter\n"


def test_blocks_may_be_nested(capfd):
    with without_log_lines():
        with without_log_lines():
            os.write(2, (LINES["I"] + "inner\n").encode())
        os.write(2, b"outer\n")
    assert capfd.readouterr().err == "inner\nouter\n"
