"""A guarded command lives no longer than its owner, however the owner dies."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ringfence.controlplane.errors import ControlPlaneError
from ringfence.controlplane.port import ReservedPort
from ringfence.controlplane.process import GuardedProcess
from tests.waiting import eventually

OWNER = """
import sys, time
from pathlib import Path
from ringfence.controlplane.process import GuardedProcess
folder = Path(sys.argv[1])
process = GuardedProcess(["sleep", "1000"], log=folder / "log", cwd=folder)
print(process.pid, flush=True)
time.sleep(1000)
"""


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., GuardedProcess]:
    return lambda *command: GuardedProcess(command, log=tmp_path / "log", cwd=tmp_path)


def alive(pid: int) -> bool:
    """A zombie that nobody reaps yet is dead; whoever ends between the opening and the reading of the file, too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def guard_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_the_command_dies_with_its_owner(tmp_path: Path, death: signal.Signals) -> None:
    """No clean-up code of the owner has to run."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert alive(pid)
        owner.send_signal(death)
    eventually(lambda: not alive(pid))


def test_the_command_dies_with_its_guard(start: Callable[..., GuardedProcess]) -> None:
    """Even the guard may be killed."""
    process = start("sleep", "1000")
    os.kill(guard_of(process.pid), signal.SIGKILL)
    eventually(lambda: not alive(process.pid))
    assert not process.running
    process.kill()


def test_the_command_outlives_the_thread_that_started_it(start: Callable[..., GuardedProcess]) -> None:
    """Tests start servers from worker threads of an event loop."""
    started: list[GuardedProcess] = []
    thread = threading.Thread(target=lambda: started.append(start("sleep", "1000")))
    thread.start()
    thread.join()
    assert started[0].running
    assert alive(started[0].pid)
    started[0].kill()
    assert not alive(started[0].pid)


def test_a_command_that_ignores_a_stop_is_killed(start: Callable[..., GuardedProcess], tmp_path: Path) -> None:
    """A frozen one too."""
    process = start("sh", "-c", "trap '' TERM; echo ready; while :; do :; done")
    eventually(lambda: "ready" in (tmp_path / "log").read_text())
    process.signal(signal.SIGSTOP)
    process.stop(grace=0.2)
    assert not alive(process.pid)


def test_a_command_that_cannot_start_says_why(start: Callable[..., GuardedProcess]) -> None:
    """The reason of the operating system is in the error."""
    with pytest.raises(ControlPlaneError, match="No such file or directory"):
        start("/nonexistent/etcd")


def test_an_ended_command_is_noticed_and_its_log_is_kept(start: Callable[..., GuardedProcess]) -> None:
    """Both streams are in the log; signals to the dead do nothing."""
    process = start("sh", "-c", "echo out; echo err >&2; exit 3")
    eventually(lambda: not process.running)
    assert process.log_tail() == "out\nerr\n"
    process.signal(signal.SIGTERM)
    process.kill()


def test_a_reserved_port_is_given_to_nobody_else() -> None:
    """Many control planes start at once, and each keeps its port while its server is down."""
    ports = [ReservedPort() for _ in range(200)]
    assert len({port.number for port in ports}) == len(ports)
    for port in ports:
        port.release()
