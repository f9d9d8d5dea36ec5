"""The node as its owner sees it: started beside a control plane, gone with it."""

import sys
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ringfence.controlplane.access import is_ready
from ringfence.controlplane.component import Component
from ringfence.controlplane.errors import ControlPlaneError
from ringfence.controlplane.node.machine import Machine
from ringfence.controlplane.node.node import LOOKED
from ringfence.controlplane.process import GuardedProcess

_FOLDER: Final = "node"


class NodeProcess:
    """Runs pods of the control plane in `folder`, from `start` to `stop`."""

    def __init__(self, folder: Path, machine: Machine) -> None:
        self.folder = folder / _FOLDER
        command = [sys.executable, "-m", "ringfence.controlplane.node", str(folder), machine.to_json()]
        launch = partial(GuardedProcess, command, log=self.folder / "log", cwd=folder)
        self._component = Component("node", launch, (self.folder / LOOKED).exists)

    def start(self) -> Self:
        """Start it. Raises ControlPlaneError where this machine does not let it, with what to do about that."""
        if not is_ready(self.folder.parent):
            raise ControlPlaneError(f"no control plane runs in {self.folder.parent}: start one with `ringfence dev up`")
        self.folder.mkdir(mode=0o700, exist_ok=True)
        (self.folder / LOOKED).unlink(missing_ok=True)  # of a node that was here before
        self._component.start()
        return self

    @property
    def pid(self) -> int | None:
        """Its process id, or None where it has ended."""
        return self._component.pid

    def stop(self) -> None:
        """End it and all that runs on it, at once."""
        self._component.kill()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
