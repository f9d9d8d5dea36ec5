"""What the API server is told of a pod (core/v1 PodStatus).

Law: only news is told; a condition's time is that of its last change.
"""

import contextlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import aiohttp

from ringfence.controlplane.node.api import NOT_FOUND, Api, RefusedError
from ringfence.controlplane.node.network import own_address

Status = dict[str, Any]


class Report:
    """Tells of one pod."""

    def __init__(self, api: Api, metadata: Mapping[str, Any]) -> None:
        self._api = api
        self._path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        self._uid = metadata["uid"]
        self._started = _now()
        self._told: Status = {}

    async def tell(self, sidecars: Sequence[Status], mains: Sequence[Status], *, started: bool, ready: bool) -> None:
        """Tell how its containers are; whether all were `started` once, and all are `ready`."""
        address = own_address()
        status = {
            "phase": "Running" if started else "Pending",
            "hostIP": address,
            "podIP": address,
            "podIPs": [{"ip": address}],
            "startTime": self._started,
            "initContainerStatuses": sidecars,
            "containerStatuses": mains,
            "conditions": self._conditions(ready=ready),
        }
        if status != self._told:
            with contextlib.suppress(RefusedError, aiohttp.ClientError, TimeoutError):  # the next turn tries again
                await self._api.merge(f"{self._path}/status", {"status": status})
                self._told = status

    async def ended(self) -> None:
        """Let the API server remove the pod, which waits for that."""
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": self._uid}}
        try:
            await self._api.delete(self._path, options)
        except RefusedError as refusal:
            if refusal.status != NOT_FOUND:
                raise

    def _conditions(self, *, ready: bool) -> list[Status]:
        before = {each["type"]: each for each in self._told.get("conditions", ())}
        wanted = {"PodScheduled": True, "Initialized": True, "ContainersReady": ready, "Ready": ready}
        return [_condition(name, str(is_true), before.get(name)) for name, is_true in wanted.items()]


def _condition(name: str, status: str, before: Status | None) -> Status:
    if before is not None and before["status"] == status:
        return before
    return {"type": name, "status": status, "lastTransitionTime": _now()}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
