"""Progress lines."""

import io

from nucrec._progress import ProgressLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_the_line_is_redrawn():
    stream = Terminal()
    line = ProgressLine(stream)
    line(1, 20, "x" * 200)
    line(20, 20, "done")
    first, last = stream.getvalue().split("\r")[1:]
    assert first.startswith("[ 1/20]    0 s  xxx")
    assert len(first) == 79
    assert last.startswith("[20/20]")
    assert last.endswith("\n")
    assert len(last) == 80


def test_elsewhere_lines_come_now_and_then():
    stream = io.StringIO()
    line = ProgressLine(stream, interval=1000)
    for i in range(1, 6):
        line(i, 5, f"step {i}")
    assert stream.getvalue().splitlines() == ["[5/5]    0 s  step 5"]
    stream = io.StringIO()
    line = ProgressLine(stream, interval=0)
    for i in range(1, 6):
        line(i, 5, f"step {i}")
    assert len(stream.getvalue().splitlines()) == 5
