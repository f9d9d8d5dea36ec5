"""An engine over ports in memory, with the real planners."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence import names
from ringfence.adapters.mint import CertificateMint
from ringfence.adapters.signer import Ed25519Signer
from ringfence.engine.election import Candidate, Terms
from ringfence.engine.facts import Ranges
from ringfence.engine.metrics import Metrics
from ringfence.engine.operator import Engine
from ringfence.engine.tuning import Tuning
from ringfence.model import kinds
from ringfence.model.kinds import LEASE, PRIMARY_TYPES, Ref, ResourceType
from ringfence.ports.canary import Canary
from tests.fakes.cluster import MemoryCluster, Sent
from tests.fakes.ledger import MemoryLedger
from tests.waiting import eventually_async

START: Final = datetime(2026, 11, 22, tzinfo=UTC)
QUICK: Final = Terms(duration=1.5, renew_deadline=1.0, retry=0.05)
SIGNER: Final = Ed25519Signer(Ed25519PrivateKey.generate())
RANGES: Final = Ranges(pods=("10.1.0.0/16",), services=("10.2.0.0/16",), nodes=("10.3.0.0/16",))


class LoopClock:
    """Time that passes as the event loop's does."""

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


def tenant(name: str = "acme", **spec: Any) -> dict[str, Any]:
    """A small Tenant."""
    return {
        "apiVersion": "ringfence.dev/v1alpha1",
        "kind": "Tenant",
        "metadata": {"name": name},
        "spec": {
            "displayName": name,
            "contacts": {"security": "security@acme.example"},
            "access": {"owners": [{"group": "oidc:acme-owners"}]},
            "environments": [{"name": "dev"}],
            "residency": {"regions": ["eu-central-1"]},
            "budget": {"namespaces": 500, "hard": {"requests.cpu": "9000", "requests.memory": "9000Gi"}},
            "deletionPolicy": "Delete",
            **spec,
        },
    }


def namespace(name: str = "web", home: str = "acme", **spec: Any) -> dict[str, Any]:
    """A small Namespace of a tenant."""
    return {
        "apiVersion": "ringfence.dev/v1alpha1",
        "kind": "Namespace",
        "metadata": {"name": name, "namespace": home},
        "spec": {
            "environment": "dev",
            "owner": {"team": "search", "application": "chat"},
            "quota": {"hard": {"requests.cpu": "1", "requests.memory": "1Gi"}},
            **spec,
        },
    }


@dataclass
class Bench:
    """One engine and everything around it."""

    cluster: MemoryCluster = field(default_factory=MemoryCluster)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    tuning: Tuning = field(
        default_factory=lambda: Tuning(identity="one", ranges=RANGES, writes_per_second=1e6, burst=10**6)
    )
    metrics: Metrics = field(default_factory=Metrics)
    canary: Canary | None = None
    """Nobody asks for admission policies, which a cluster in memory has not."""
    engine: Engine = field(init=False)

    @asynccontextmanager
    async def running(self, **tuning: Any) -> AsyncIterator[Engine]:
        """Run the engine until the block ends, then stop it in order; a watch of the fake plays kopf's part."""
        stop = asyncio.Event()
        run, deliveries = self._start(stop, **tuning)
        try:
            yield self.engine
            stop.set()
            await run
        finally:
            await self._end(run, *deliveries)

    async def run_until_power_fails(self, after: int) -> bool:
        """Run the engine, let ``after`` writes take effect, then kill it; False where it became still before that."""
        self.cluster.frozen_after, self.cluster.frozen = after, asyncio.Event()
        run, deliveries = self._start(asyncio.Event())
        try:
            await self.until(lambda: self.cluster.frozen.is_set() or self._settled())
            return self.cluster.frozen.is_set()
        finally:
            await self._end(run, *deliveries)
            self.cluster.frozen_after = None
            self.cluster.watchers.clear()

    def _start(self, stop: asyncio.Event, **tuning: Any) -> tuple[asyncio.Task[None], list[asyncio.Task[None]]]:
        self.metrics = Metrics()
        clock = LoopClock()
        lease = Ref(LEASE, names.OPERATOR_NAMESPACE, names.LEASE)
        settings = replace(self.tuning, **tuning)
        candidate = Candidate(self.cluster, clock, ref=lease, identity=settings.identity, terms=QUICK)
        self.engine = Engine(
            self.cluster,
            self.ledger,
            clock,
            candidate=candidate,
            signers=(SIGNER,),
            tuning=settings,
            metrics=self.metrics,
            canary=self.canary,
            mint=CertificateMint(clock.monotonic),
        )
        deliveries = [asyncio.create_task(self._deliver(kind)) for kind in PRIMARY_TYPES]
        return asyncio.create_task(self.engine.run(stop)), deliveries

    async def _end(self, *tasks: asyncio.Task[None]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _deliver(self, kind: ResourceType) -> None:
        version = "0"
        async for page in self.cluster.pages(kind):
            for thing in page.items:
                self.engine.world.deliver(kind, None, thing)
            version = page.resource_version
        async for event in self.cluster.watch(kind, since=version):
            self.engine.world.deliver(kind, event.type, event.object)

    async def until(self, probe: Callable[[], Any], seconds: float = 10.0) -> None:
        """Wait until ``probe`` answers something true."""
        await eventually_async(probe, seconds)

    async def settled(self) -> None:
        """Wait until the engine leads and has nothing left to do."""
        await self.until(self._settled)

    def _settled(self) -> bool:
        queue = self.engine._queue
        return self.engine.world.waker.awake and not len(queue) and not queue.working

    # --- what is seen from outside

    def get(self, kind: ResourceType, namespace: str, name: str) -> dict[str, Any] | None:
        """One object of the fake cluster."""
        return self.cluster.objects.get(Ref(kind, namespace, name))

    def ready(self, kind: ResourceType, namespace: str, name: str) -> tuple[str, str]:
        """Status and reason of an object's Ready condition."""
        thing = self.get(kind, namespace, name) or {}
        for condition in thing.get("status", {}).get("conditions", ()):
            if condition["type"] == "Ready":
                return condition["status"], condition["reason"]
        return "", ""

    def is_ready(self, name: str = "web", home: str = "acme") -> bool:
        """Whether a Namespace object is served."""
        return self.ready(kinds.NAMESPACE, home, name)[0] == "True"

    def writes(self) -> list[Sent]:
        """Every change asked for, status and dry runs left out."""
        return [sent for sent in self.cluster.sent if sent.verb in ("create", "apply", "merge", "delete")]

    def records(self) -> list[dict[str, Any]]:
        """Every event of every log, by log and in order."""
        return [orjson.loads(entry.body) for log in self.ledger.content.values() for entry in log.entries]

    def planned(self) -> dict[str, dict[str, Any]]:
        """Every write that a START announced, by audit id."""
        return {
            f"{event['run']['runId']}.{output['outputFacets']['ringfence_planned']['k']}": output
            for event in self.records()
            if event["eventType"] == "START"
            for output in event["outputs"]
        }


@pytest.fixture
def bench() -> Bench:
    """Make a fresh engine, cluster and ledger."""
    return Bench()
