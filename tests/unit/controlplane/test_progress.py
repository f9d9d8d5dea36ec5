"""People see that long work lives: a line that is repainted in a terminal, lines now and then in a log."""

import io

import pytest

from ringfence.controlplane import progress
from ringfence.controlplane.progress import Progress
from tests.waiting import eventually


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_TERMINAL_PERIOD", 0.01)
    monkeypatch.setattr(progress, "_LOG_PERIOD", 0.01)


def test_a_log_gets_a_line_now_and_then() -> None:
    """With the elapsed time and the latest detail."""
    stream = io.StringIO()
    with Progress(stream=stream).task("building etcd") as detail:
        detail("7 packages")
        eventually(lambda: "building etcd: 0 s  7 packages\n" in stream.getvalue())
    lines = stream.getvalue().splitlines()
    assert (lines[0], lines[-1]) == ("building etcd ...", "building etcd: done in 0 s")


def test_a_terminal_gets_one_line_that_is_repainted_and_cleared() -> None:
    """Nothing but the result stays on the screen."""
    stream = Terminal()
    with Progress(stream=stream).task("building etcd") as detail:
        detail("x" * 500)
        eventually(lambda: "building etcd: 0 s" in stream.getvalue())
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().endswith("\r\x1b[Kbuilding etcd: done in 0 s\n")


def test_failed_work_is_not_called_done() -> None:
    """The error speaks for itself."""
    stream = io.StringIO()
    with pytest.raises(OSError, match="full"), Progress(stream=stream).task("building etcd"):
        raise OSError("disk is full")
    assert "done" not in stream.getvalue()


def test_quiet_is_silent() -> None:
    """For scripts."""
    stream = Terminal()
    reporter = Progress(quiet=True, stream=stream)
    reporter.say("hello")
    with reporter.task("building etcd"):
        pass
    assert stream.getvalue() == ""
