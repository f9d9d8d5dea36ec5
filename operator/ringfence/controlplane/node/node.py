"""The node: takes the pods that it has programs for, runs them, and tells where their Services are.

Law: it decides nothing about what runs: pods come from the controllers that made them, through admission, as anywhere.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp

from ringfence.controlplane.node.api import CONFLICT, NOT_FOUND, Api, RefusedError
from ringfence.controlplane.node.machine import NODE, Machine
from ringfence.controlplane.node.pod import Pod

HOSTS: Final = "hosts"
_TURN: Final = 0.3  # seconds
_LOG: Final = logging.getLogger(__name__)


class Node:
    """Runs pods until it is cancelled."""

    def __init__(self, api: Api, scheduler: Api, folder: Path, machine: Machine) -> None:
        """`api` has a node's rights, `scheduler` may bind pods to it."""
        self._api = api
        self._scheduler = scheduler
        self._folder = folder
        self._machine = machine
        self._pods: dict[str, Pod] = {}
        self._lives: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Look again and again; what one look can't do, the next one may."""
        while True:
            with contextlib.suppress(RefusedError, aiohttp.ClientError, TimeoutError):
                await self._place()
                await self._run_placed()
                await self._publish()
            await asyncio.sleep(_TURN)

    async def _place(self) -> None:
        """Bind the pods that nobody runs yet. Where they should run is not asked: there is one node."""
        waiting = await self._scheduler.get("/api/v1/pods", fieldSelector="spec.nodeName=,status.phase=Pending")
        for pod in filter(self._is_ours, waiting["items"]):
            metadata = pod["metadata"]
            target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
            binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": metadata["name"]}, "target": target}
            path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/binding"
            try:
                await self._scheduler.post(path, binding)
            except RefusedError as refusal:
                if refusal.status not in (NOT_FOUND, CONFLICT):  # gone, or bound
                    _LOG.warning("%s: %s", path, refusal)

    def _is_ours(self, pod: Mapping[str, Any]) -> bool:
        containers: Sequence[Mapping[str, Any]] = pod["spec"]["containers"]
        return all(each.get("command") or self._machine.entrypoint(each["image"]) for each in containers)

    async def _run_placed(self) -> None:
        placed = await self._api.get("/api/v1/pods", fieldSelector=f"spec.nodeName={NODE}")
        present = {pod["metadata"]["uid"]: pod for pod in placed["items"]}
        for uid, manifest in present.items():
            pod = self._pods.get(uid) or self._begin(uid, manifest)
            pod.manifest = manifest
            if "deletionTimestamp" in manifest["metadata"]:
                pod.end()
        for uid in self._pods.keys() - present.keys():
            self._pods[uid].end()
        self._bury()

    def _begin(self, uid: str, manifest: Mapping[str, Any]) -> Pod:
        pod = self._pods[uid] = Pod(manifest, self._api, self._folder / "pods" / uid, self._machine)
        self._lives[uid] = asyncio.create_task(pod.live())
        return pod

    def _bury(self) -> None:
        """Forget pods whose life is over, and say of what they died where that was not asked for."""
        for uid in [uid for uid, life in self._lives.items() if life.done()]:
            life = self._lives.pop(uid)
            pod = self._pods.pop(uid)
            if error := life.exception():
                _LOG.error("pod %s: %r", pod.manifest["metadata"]["name"], error)

    async def _publish(self) -> None:
        """Write down where the Services of running pods are, as DNS would tell: a line an address, hosts(5)."""
        listed = await self._api.get("/api/v1/services")
        lines = sorted(
            f"{pod.address} {service['metadata']['name']}.{service['metadata']['namespace']}.svc\n"
            for service in listed["items"]
            for pod in self._pods.values()
            if _selects(service, pod.manifest) and (pod.ready or service["spec"].get("publishNotReadyAddresses"))
        )
        _write_whole(self._folder / HOSTS, "".join(lines))


def _selects(service: Mapping[str, Any], pod: Mapping[str, Any]) -> bool:
    wanted: Mapping[str, str] = service["spec"].get("selector") or {}
    labels: Mapping[str, str] = pod["metadata"].get("labels") or {}
    here = service["metadata"]["namespace"] == pod["metadata"]["namespace"]
    return here and bool(wanted) and wanted.items() <= labels.items()


def _write_whole(path: Path, text: str) -> None:
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(text)
    os.replace(unfinished, path)
