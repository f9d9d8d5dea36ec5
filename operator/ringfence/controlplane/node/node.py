"""The node: takes the pods that it has programs for, runs them, and tells where their Services are.

Law: it decides nothing about what runs: pods come from the controllers that made them, through admission, as anywhere.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp

from ringfence.controlplane.node.api import CONFLICT, NOT_FOUND, Api, RefusedError
from ringfence.controlplane.node.endpoints import destinations, endpoint_slices
from ringfence.controlplane.node.machine import NODE, Machine
from ringfence.controlplane.node.pod import Pod
from ringfence.controlplane.node.ways import Ways

LOOKED: Final = "looked"
"""A file that is there once the node has looked at everything."""
_TURN: Final = 0.3  # seconds
_LOG: Final = logging.getLogger(__name__)


class Node:
    """Runs pods until it is cancelled."""

    def __init__(self, api: Api, scheduler: Api, slices: Api, folder: Path, machine: Machine) -> None:
        """`api` has a node's rights, `scheduler` may bind pods to it, `slices` may write EndpointSlices."""
        self._api = api
        self._scheduler = scheduler
        self._slices = slices
        self._published: Mapping[tuple[str, str], Mapping[str, Any]] = {}
        self._folder = folder
        self._machine = machine
        self._ways = Ways(machine.outside)
        self._pods: dict[str, Pod] = {}
        self._lives: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Look again and again; what one look can't do, the next one may."""
        trouble = ""
        while True:
            before, trouble = trouble, await self._look()
            if trouble and trouble != before:
                _LOG.warning("%s", trouble)
            await asyncio.sleep(_TURN)

    async def _look(self) -> str:
        """Do what there is to do; return what went wrong."""
        try:
            await self._place()
            await self._run_placed()
            await self._publish()
        except (RefusedError, aiohttp.ClientError, TimeoutError) as error:
            return repr(error)
        (self._folder / LOOKED).touch()
        return ""

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
        spec = pod["spec"]
        containers: Sequence[Mapping[str, Any]] = [*spec.get("initContainers", ()), *spec["containers"]]
        return pod["metadata"]["namespace"] not in self._machine.spared and all(
            each.get("command") or self._machine.entrypoint(each["image"]) for each in containers
        )

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
        pod = self._pods[uid] = Pod(manifest, self._api, self._folder / "pods" / uid, self._machine, self._ways)
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
        """Tell where the Services of running pods are, as the cluster's controller would."""
        listed = await self._slices.get("/api/v1/services")
        pods = [pod for pod in self._pods.values() if pod.ports]
        wanted = {_key(each): each for each in endpoint_slices(listed["items"], pods)}
        for key in wanted.keys() | self._published.keys():
            if wanted.get(key) != self._published.get(key):
                await self._write(wanted.get(key) or self._published[key], gone=key not in wanted)
        self._published = wanted
        self._ways.lead_to(destinations(listed["items"], wanted.values()))

    async def _write(self, endpoint_slice: Mapping[str, Any], *, gone: bool) -> None:
        metadata = endpoint_slice["metadata"]
        folder = f"/apis/discovery.k8s.io/v1/namespaces/{metadata['namespace']}/endpointslices"
        with contextlib.suppress(RefusedError):  # of a namespace that ends
            if gone:
                await self._slices.delete(f"{folder}/{metadata['name']}", {})
            else:
                await self._slices.put(folder, endpoint_slice)


def _key(thing: Mapping[str, Any]) -> tuple[str, str]:
    return thing["metadata"]["namespace"], thing["metadata"]["name"]
