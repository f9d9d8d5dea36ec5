"""One server of the control plane: started until it is ready, and broken on purpose by tests of faults."""

import signal
import time
from collections.abc import Callable
from typing import Final

from ringfence.controlplane.errors import ControlPlaneError
from ringfence.controlplane.process import GuardedProcess

_POLL: Final = 0.02  # seconds between two looks at whether it is ready
_GRACE: Final = 3.0  # seconds; clients that watch would keep the API server for a minute
_DEADLINE: Final = 90.0  # seconds; a loaded machine with two cores needs far less


class Component:
    """A server that can be started, stopped, killed, frozen and started again, with its data and address kept."""

    def __init__(self, name: str, launch: Callable[[], GuardedProcess], ready: Callable[[], bool]) -> None:
        self.name = name
        self._launch = launch
        self._ready = ready
        self._process: GuardedProcess | None = None

    @property
    def pid(self) -> int | None:
        """The process id, or None where it does not run."""
        return self._process.pid if self._process is not None and self._process.running else None

    def start(self) -> None:
        """Start it and wait until it is ready. Raises ControlPlaneError, with the end of its log, where it fails."""
        if self.pid is not None:
            return
        process = self._process = self._launch()
        deadline = time.monotonic() + _DEADLINE
        while not self._ready():
            if not process.running:
                raise ControlPlaneError(f"{self.name} ended while it started:\n{process.log_tail()}")
            if time.monotonic() > deadline:
                raise ControlPlaneError(f"{self.name} was not ready in {_DEADLINE:.0f} s:\n{process.log_tail()}")
            time.sleep(_POLL)

    def stop(self) -> None:
        """Stop it in good order; where that takes more than three seconds, kill it."""
        if self._process is not None:
            self._process.stop(_GRACE)

    def kill(self) -> None:
        """Kill it, as a crash would."""
        if self._process is not None:
            self._process.kill()

    def restart(self) -> None:
        """Stop it in good order and start it again."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Let it hang: connections stay open, nothing is answered. `thaw` or `kill` ends it."""
        if self._process is not None:
            self._process.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        if self._process is not None:
            self._process.signal(signal.SIGCONT)
