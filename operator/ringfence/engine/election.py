"""Leader election by a Lease: one process writes, the others watch and wait.

Laws: a lease is judged by our own clock since we last saw it change, never by its timestamps; who could not renew in
time has lost, even if nobody else took over, and writes nothing from that moment on, even if it slept through it; who
leaves says so, that the next need not wait.
"""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from ringfence.model.kinds import Ref
from ringfence.ports.clock import Clock
from ringfence.ports.cluster import ClusterError, ConflictError, Leases, Object

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Terms:
    """Seconds: how long a lease holds, how long renewing may fail, how often it is tried; as in Kubernetes itself."""

    duration: float = 15.0
    renew_deadline: float = 10.0
    retry: float = 2.0


class Candidate:
    """One process that wants the lease."""

    def __init__(self, leases: Leases, clock: Clock, *, ref: Ref, identity: str, terms: Terms = Terms()) -> None:
        self._leases = leases
        self._clock = clock
        self._ref = ref
        self._identity = identity
        self._terms = terms
        self._seen: Object | None = None
        self._seen_at = 0.0
        self._renewed_at = float("-inf")

    async def win(self) -> None:
        """Return as soon as we hold the lease."""
        while not await self._attempt():  # noqa: ASYNC110 -- another process decides, which sets no event here
            await asyncio.sleep(self._terms.retry * (1 + random.random() * 0.1))  # noqa: S311 -- jitter

    async def hold(self) -> None:
        """Renew for ever; return when the lease is lost."""
        while self.sure():
            await asyncio.sleep(self._terms.retry)
            if not await self._attempt() and self._holder() not in (self._identity, ""):
                break
        log.error("lease lost", lease=str(self._ref), holder=self._holder())

    def sure(self) -> bool:
        """Whether nobody else can have taken the lease yet: to be asked right before each write."""
        return self._clock.monotonic() - self._renewed_at < self._terms.renew_deadline

    async def release(self) -> None:
        """Give the lease back, if it is ours."""
        if self._seen is None or self._holder() != self._identity:
            return
        try:
            async with asyncio.timeout(self._terms.renew_deadline / 2):
                await self._put({**self._seen["spec"], "holderIdentity": "", "leaseDurationSeconds": 1})
        except (ClusterError, TimeoutError) as error:
            log.warning("lease not released; the next leader waits until it expires", error=str(error) or "timeout")

    async def _attempt(self) -> bool:
        """Take or renew the lease once; answers whether we hold it."""
        began = self._clock.monotonic()
        try:
            async with asyncio.timeout(self._terms.renew_deadline / 2):
                taken = await self._take()
        except ConflictError:
            self._seen = None  # somebody wrote it: look before the next attempt
            return False
        except (ClusterError, TimeoutError) as error:
            log.warning("lease not reachable", lease=str(self._ref), error=str(error) or "timeout")
            return False
        if taken:
            self._renewed_at = began
        return taken

    async def _take(self) -> bool:
        if self._holder() != self._identity:
            self._note(await self._leases.get_lease(self._ref))
            if not self._is_free():
                return False
        await self._put(self._renewed())
        return True

    def _is_free(self) -> bool:
        if self._seen is None or self._holder() in ("", self._identity):
            return True
        held_for = float(self._spec().get("leaseDurationSeconds") or 0)
        return self._clock.monotonic() - self._seen_at > held_for

    def _renewed(self) -> Mapping[str, Any]:
        now = self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        before, ours = self._spec(), self._holder() == self._identity
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": int(self._terms.duration),
            "acquireTime": before["acquireTime"] if ours else now,
            "renewTime": now,
            "leaseTransitions": int(before.get("leaseTransitions") or 0) + (0 if ours or not before else 1),
        }

    async def _put(self, spec: Mapping[str, Any]) -> None:
        metadata = {"name": self._ref.name, "namespace": self._ref.namespace}
        if self._seen is not None:
            metadata["resourceVersion"] = self._seen["metadata"]["resourceVersion"]
        lease = {"apiVersion": self._ref.type.api_version, "kind": self._ref.type.kind, "metadata": metadata}
        self._note(await self._leases.put_lease(self._ref, {**lease, "spec": spec}))

    def _note(self, lease: Object | None) -> None:
        if lease is None or self._seen is None or lease["spec"] != self._seen["spec"]:
            self._seen_at = self._clock.monotonic()
        self._seen = lease

    def _spec(self) -> Mapping[str, Any]:
        return self._seen["spec"] if self._seen else {}

    def _holder(self) -> str:
        return self._spec().get("holderIdentity") or ""
