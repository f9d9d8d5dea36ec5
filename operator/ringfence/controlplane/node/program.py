"""The program of one container: started in the pod's network with the container's files, and again when it ends.

Law: a program ends with the node, by whatever death of the node (PR_SET_PDEATHSIG, set before it is executed).
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ringfence.controlplane.node.api import Api
from ringfence.controlplane.node.environment import variables
from ringfence.controlplane.node.machine import Machine
from ringfence.controlplane.node.network import Network
from ringfence.controlplane.node.volumes import MissingError, Volumes

_LAUNCHER: Final = Path(__file__).with_name("container.py")
_PATH: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
_BACKOFF: Final = 1.0  # seconds between the end of a program and its next start


class Program:
    """What runs in one container of a pod."""

    def __init__(
        self, container: Mapping[str, Any], pod: Mapping[str, Any], folder: Path, machine: Machine, api: Api
    ) -> None:
        self._container = container
        self._pod = pod
        self._folder = folder
        self._machine = machine
        self._api = api
        self._process: subprocess.Popen[bytes] | None = None
        self._started = datetime.min.replace(tzinfo=UTC)
        self._ended = -_BACKOFF
        self.restarts = -1
        folder.mkdir(parents=True)
        (folder / "root").mkdir()

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def readiness(self) -> tuple[int, str] | None:
        """Port and path at which it is asked whether it is ready; None where it isn't asked."""
        probe = self._container.get("readinessProbe", {}).get("httpGet")
        if probe is None:
            return None
        named = {port.get("name"): port["containerPort"] for port in self._container.get("ports", ())}
        return named.get(probe["port"], probe["port"]), probe["path"]

    @property
    def lingers(self) -> int:
        """Seconds that it still serves when its pod is asked to end (`preStop.sleep`)."""
        return int(self._container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0))

    async def keep_running(self, network: Network, volumes: Volumes, hosts: Path) -> None:
        """Start it, or start it again a moment after it ended. Raises MissingError where it can't be started."""
        if self.running:
            return
        if self._process is not None and self._ended < 0:
            self._ended = time.monotonic()
        if time.monotonic() - self._ended < _BACKOFF:
            return
        command = json.dumps(await self._launch(volumes, hosts))
        with (self._folder / "log").open("ab") as log:
            self._process = await network.inside(
                subprocess.Popen,
                [sys.executable, "-I", "-S", str(_LAUNCHER), command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._started, self._ended = datetime.now(UTC), -_BACKOFF
        self.restarts += 1

    async def _launch(self, volumes: Volumes, hosts: Path) -> dict[str, Any]:
        """What the launcher is told."""
        mounts = [_mount(mount, volumes) for mount in self._container.get("volumeMounts", ())]
        return {
            "parent": os.getpid(),
            "root": str(self._folder / "root"),
            "files": self._machine.files,
            "mounts": [*mounts, {"source": str(hosts), "target": "/etc/hosts", "read_only": True}],
            "command": self._command(),
            "environment": {
                **_PATH,
                **self._machine.environment,
                **await variables(self._container, self._pod, self._api),
            },
        }

    def _command(self) -> Sequence[str]:
        """A container's `command` stands for its image's entrypoint, and `args` follow either."""
        entrypoint = self._container.get("command") or self._machine.entrypoint(self._container["image"])
        if entrypoint is None:
            raise MissingError(f"nothing here stands for image {self._container['image']}")
        return [*entrypoint, *self._container.get("args", ())]

    def terminate(self) -> None:
        """Ask it to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.running:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    def status(self, *, ready: bool, waiting: str) -> dict[str, Any]:
        """Its part of the pod's status (core/v1 ContainerStatus)."""
        image = self._container["image"]
        if self.running:
            state = {"running": {"startedAt": self._started.strftime("%Y-%m-%dT%H:%M:%SZ")}}
        else:
            state = {"waiting": {"reason": "ContainerCreating" if waiting else "CrashLoopBackOff", "message": waiting}}
        return {
            "name": self._container["name"],
            "image": image,
            "imageID": image,
            "ready": ready,
            "started": self.running,
            "restartCount": max(self.restarts, 0),
            "state": state,
        }


def _mount(mount: Mapping[str, Any], volumes: Volumes) -> dict[str, Any]:
    source = volumes.folder(mount["name"]) / mount.get("subPath", "")
    return {"source": str(source), "target": mount["mountPath"], "read_only": mount.get("readOnly", False)}
