"""The life of one pod on the node, from its volumes to its end.

Law: level-triggered: each turn looks at the pod and its volumes as they are now, and at what runs, and brings the one
to the other. What can't be had is waited for, and the pod's status says what.
"""

import asyncio
import contextlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp

from ringfence.controlplane.node.api import Api, RefusedError
from ringfence.controlplane.node.machine import Machine
from ringfence.controlplane.node.network import Network
from ringfence.controlplane.node.program import Program
from ringfence.controlplane.node.report import Report
from ringfence.controlplane.node.volumes import MissingError, Volumes
from ringfence.controlplane.node.ways import Ways

_TURN: Final = 0.3  # seconds between two turns
_ASKED: Final = 1.0  # seconds that a readiness probe may take
_OK: Final = range(200, 400)


class Pod:
    """One pod."""

    def __init__(self, manifest: Mapping[str, Any], api: Api, folder: Path, machine: Machine, ways: Ways) -> None:
        self.manifest = manifest
        """As it was last seen."""
        self._api = api
        self._told = Report(api, manifest["metadata"])
        self._folder = folder
        self._machine = machine
        self._network = Network()
        self._volumes = Volumes(api, manifest, folder / "volumes")
        self._ways = ways
        self._hosts = folder / "hosts"
        self._sidecars = self._programs_of("initContainers")
        self._mains = self._programs_of("containers")
        self._ending = asyncio.Event()
        self.ready = False

    @property
    def ports(self) -> Mapping[int, int]:
        """Its ports, and where they are at this machine's own address."""
        return self._network.ports

    @property
    def _programs(self) -> list[Program]:
        return [*self._sidecars, *self._mains]

    def _programs_of(self, kind: str) -> list[Program]:
        containers = self.manifest["spec"].get(kind, ())
        place = self._folder
        return [Program(each, self.manifest, place / each["name"], self._machine, self._api) for each in containers]

    def end(self) -> None:
        """Let `live` come to its end."""
        self._ending.set()

    async def live(self) -> None:
        """Run it until `end`, then end its programs and report that."""
        try:
            await self._open()
            while not self._ending.is_set():
                await self._turn()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._ending.wait(), _TURN)
            await self._terminate()
            await self._told.ended()
        finally:
            for program in self._programs:
                program.kill()
            self._network.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _open(self) -> None:
        spec = self.manifest["spec"]
        containers = [*spec.get("initContainers", ()), *spec["containers"]]
        await self._network.publish(port["containerPort"] for each in containers for port in each.get("ports", ()))

    async def _turn(self) -> None:
        waiting = ""
        try:
            await self._learn()
            await self._volumes.refresh()
            for program in self._programs:
                await program.keep_running(self._network, self._volumes, self._hosts)
        except (MissingError, RefusedError, aiohttp.ClientError, TimeoutError) as error:
            waiting = str(error) or type(error).__name__
        await self._report(waiting)

    async def _learn(self) -> None:
        """Learn the names that came up: lines are added, so that whoever reads meanwhile finds whole ones."""
        known = set(self._network.hosts) if self._hosts.exists() else set()
        await self._network.open(self._ways)
        with self._hosts.open("a") as file:
            file.writelines(f"{ip} {host}\n" for host, ip in self._network.hosts.items() if host not in known)

    async def _report(self, waiting: str) -> None:
        sidecars, mains = [
            [each.status(ready=await self._is_ready(each), waiting=waiting) for each in programs]
            for programs in (self._sidecars, self._mains)
        ]
        self.ready = all(each["ready"] for each in (*sidecars, *mains))
        started = all(program.restarts >= 0 for program in self._programs)
        await self._told.tell(sidecars, mains, started=started, ready=self.ready)

    async def _is_ready(self, program: Program) -> bool:
        if program.readiness is None or not program.running:
            return program.running
        port, path = program.readiness
        try:
            async with asyncio.timeout(_ASKED):
                reader, writer = await asyncio.open_connection(sock=await self._network.connect(port))
                with contextlib.closing(writer):
                    writer.write(f"GET {path} HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n".encode())
                    answer = await reader.readline()
                    return int(answer.split()[1]) in _OK
        except (OSError, TimeoutError, IndexError, ValueError):
            return False

    async def _terminate(self) -> None:
        """Let programs end as the pod says, sidecars last, within the time that it is given."""
        seconds = self.manifest["metadata"].get("deletionGracePeriodSeconds", 0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.sleep(max(program.lingers for program in self._mains))
                for programs in (self._mains, self._sidecars):
                    await _ended(programs)


async def _ended(programs: Sequence[Program]) -> None:
    for program in programs:
        program.terminate()
    while any(program.running for program in programs):  # noqa: ASYNC110 - processes set no event
        await asyncio.sleep(_TURN)
