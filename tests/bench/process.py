"""What one process costs, read from /proc: CPU seconds and resident memory."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_TICKS = os.sysconf("SC_CLK_TCK")
_UTIME, _STIME = 11, 12  # fields 14 and 15 of proc_pid_stat(5), counted after the command's closing parenthesis


@dataclass(frozen=True)
class Usage:
    """What a process has used so far."""

    cpu: float
    """CPU seconds, user and system."""
    rss: float
    """Resident memory now, in MB."""


def usage(pid: int) -> Usage:
    """Ask the kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return Usage((int(fields[_UTIME]) + int(fields[_STIME])) / _TICKS, int(line.split()[1]) / 1000)


class MeasuredProcess:
    """A running contender; the only process that is measured, so it must not fork its work away."""

    def __init__(self, command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None) -> None:
        """Start `command`; its output goes to `log`, whose end the message of a premature end quotes."""
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command, stdout=output, stderr=output, env={**os.environ, **(environment or {})}
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGKILL)

    def must_run(self) -> None:
        """Raise when the process ended by itself: nothing that is measured after that would be true."""
        if (code := self._process.poll()) is not None:
            last = "\n".join(self._log.read_text().splitlines()[-20:])
            raise RuntimeError(f"the contender ended with exit code {code}:\n{last}")

    @property
    def cpu(self) -> float:
        """CPU seconds so far, user and system."""
        return self.usage.cpu

    @property
    def rss(self) -> float:
        """Resident memory now, in MB."""
        return self.usage.rss

    @property
    def usage(self) -> Usage:
        """Both of it."""
        return usage(self.pid)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def end(self, with_signal: signal.Signals) -> None:
        """Send a signal and wait for the end."""
        self._process.send_signal(with_signal)
        self._process.wait(30)
