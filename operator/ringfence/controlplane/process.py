"""One program of the control plane as its owner sees it: started under a guard, signalled, stopped, killed."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ringfence.controlplane.errors import ControlPlaneError

_GUARD: Final = Path(__file__).with_name("guard.py")
_LOG_TAIL: Final = 4000  # bytes of a log worth showing in an error


class GuardedProcess:
    """A running command that can't outlive this process. Its output is appended to `log`.

    `held` are file descriptors that the guard keeps open: a lock among them is free only when the command is gone.
    """

    def __init__(self, command: Sequence[str], *, log: Path, cwd: Path, held: Sequence[int] = ()) -> None:
        self._log = log
        with log.open("ab") as output:
            self._guard = subprocess.Popen(  # noqa: S603 - our own interpreter
                [sys.executable, "-I", "-S", str(_GUARD), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                cwd=cwd,
                pass_fds=held,
                start_new_session=True,  # Ctrl-C in the terminal is for the owner alone
            )
        assert self._guard.stdout is not None  # noqa: S101 - a pipe was asked for
        answer = self._guard.stdout.readline()
        if not answer.strip():
            self._forget()
            raise ControlPlaneError(f"{command[0]} could not be started:\n{self.log_tail()}")
        self.pid = int(answer)

    @property
    def running(self) -> bool:
        """Whether the command has not ended yet."""
        return self._guard.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the command, if it still runs."""
        if self.running:
            os.kill(self.pid, number)

    def stop(self, grace: float) -> None:
        """Ask the command to end; after `grace` seconds, kill it."""
        self.signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._guard.wait(grace)
        self.kill()

    def kill(self) -> None:
        """End the command at once, as a crash would, and wait until it is gone."""
        self._forget()

    def _forget(self) -> None:
        """Close our end of the guard's standard input: that is what ends the command."""
        for pipe in (self._guard.stdin, self._guard.stdout):
            if pipe is not None:
                pipe.close()
        self._guard.wait()

    def log_tail(self) -> str:
        """Return the end of the command's log."""
        return self._log.read_bytes()[-_LOG_TAIL:].decode(errors="replace")
