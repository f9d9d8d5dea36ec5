"""Operators that start in a blink: forked from a process that has imported already what they are made of.

Laws: what is forked runs what `python -m ringfence` runs, with an environment, a folder and a log of its own; it lives
no longer than whoever asked for it. Importing takes more than half of what a start costs, and tests start a hundred.
"""

import contextlib
import ctypes
import gc
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NoReturn

from ringfence.controlplane.process import GuardedProcess
from tests.waiting import eventually

_REPOSITORY: Final = Path(__file__).parents[1]
_PR_SET_PDEATHSIG: Final = 1
_NUMBER: Final = struct.Struct("!i")
_STARTS: Final = 60.0  # seconds


class ForkedProcess:
    """`ringfence` with these arguments, as `ringfence.controlplane.process.GuardedProcess` would run it."""

    def __init__(self, arguments: Sequence[str], *, log: Path, cwd: Path) -> None:
        self._line = socket.socket(socket.AF_UNIX)
        address, _ = _server()
        self._line.connect(str(address))
        wish = {"arguments": list(arguments), "log": str(log), "cwd": str(cwd), "environment": dict(os.environ)}
        self._line.sendall(json.dumps(wish).encode() + b"\n")
        self.pid = self._number()
        self._code: int | None = None

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._code is None and not select.select([self._line], [], [], 0)[0]

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        if self.running:
            os.kill(self.pid, number)

    def wait(self, timeout: float) -> int:
        """Wait until it has ended, and return its exit status as a shell would. Raises TimeoutExpired."""
        if self._code is None:
            if not select.select([self._line], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("ringfence", timeout)
            self._code = self._number()
            self._line.close()
        return self._code

    def kill(self) -> None:
        """End it at once, as a crash would, and wait until it is gone."""
        if self._code is None:
            self._line.shutdown(socket.SHUT_WR)
            self._code = self._number()
            self._line.close()

    def _number(self) -> int:
        answer = self._line.recv(_NUMBER.size, socket.MSG_WAITALL)
        number: int = _NUMBER.unpack(answer)[0]
        return number


@cache
def _server() -> tuple[Path, GuardedProcess]:
    """Where the server of this process listens, and what keeps it: it ends with this process."""
    folder = Path(tempfile.mkdtemp(prefix="rf-fork-"))
    address = folder / "socket"
    command = [sys.executable, "-m", "tests.forking", str(address)]
    process = GuardedProcess(command, log=folder / "log", cwd=_REPOSITORY)
    eventually(lambda: address.exists() or not process.running, _STARTS)
    assert process.running, process.log_tail()
    return address, process


# --- the server


def serve(address: Path) -> None:
    """Fork whatever is asked for, for ever."""
    _import()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        early = address.with_suffix(".early")
        listening.bind(str(early))
        listening.listen()
        early.rename(address)
        while True:
            line, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                _attend(line)
            line.close()


def _import() -> None:
    import typer  # noqa: F401

    import ringfence.cli.operator
    import ringfence.cli.run
    import ringfence.handlers.shell  # noqa: F401

    gc.collect()
    gc.freeze()


def _attend(line: socket.socket) -> NoReturn:
    """Fork one, and stay until it or whoever asked for it has ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    wish = json.loads(line.makefile("rb").readline())
    attendant = os.getpid()
    child = os.fork()
    if child == 0:
        line.close()
        _become(wish, attendant)
    line.sendall(_NUMBER.pack(child))
    exited = os.pidfd_open(child)
    if exited not in select.select([line.fileno(), exited], [], [])[0]:
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with contextlib.suppress(OSError):  # nobody may wait for it any more
        line.sendall(_NUMBER.pack(code if code >= 0 else 128 - code))
    os._exit(0)


def _become(wish: dict[str, Any], attendant: int) -> NoReturn:
    """Be what `python -m ringfence` would be."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != attendant:
        os._exit(1)
    os.setsid()
    os.chdir(wish["cwd"])
    os.environ.clear()
    os.environ.update(wish["environment"])
    log = os.open(wish["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    sys.argv = ["ringfence", *wish["arguments"]]
    from ringfence.cli import main

    main()
    sys.exit()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
