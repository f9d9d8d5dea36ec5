"""What the engine counts and measures, for Prometheus.

Law: labels have few values: kinds, verbs, results; never a name of an object or a tenant.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import generate_latest

from ringfence.lineage.runs import Verb
from ringfence.model.kinds import ResourceType

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)


class Metrics:
    """One registry per process: tests make their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._reconciles = self._counter("reconciles", "Objects looked at.", "kind", "result")
        self._writes = self._counter("writes", "Writes to the API server.", "verb", "resource", "result")
        self._appends = self._counter("ledger_appends", "Appends to the ledger.", "result")
        self._events = self._counter("events", "Kubernetes Events.", "result")
        self._pulls = self._counter("usage_pulls", "Collectors asked for what they counted.", "result")
        self._looks = self._counter("gateway_looks", "Looks at all replicas of a gateway.", "result")
        self._drifts = self._counter("drift_repairs", "Writes that put back what somebody changed.", "resource")
        self._durations = self._histogram("reconcile_seconds", "Time from start to end of a look.", "kind")
        self._latencies = self._histogram("drift_repair_seconds", "Time from noticing a drift to its repair.")
        self.queue_depth = self._gauge("queue_depth", "Objects that wait to be looked at.")
        self.working = self._gauge("working", "Objects that are being looked at.")
        self.in_flight = self._gauge("in_flight", "Calls that wait for the API server.")
        self.leader = self._gauge("leader", "1 while this process may write.")
        self.synced = self._gauge("synced", "1 when everything that existed at the start is known.")
        self.objects = self._gauge("objects", "Custom resources known.")
        self.children = self._gauge("children", "Watched objects known.")
        self.policies_in_force = self._gauge(
            "policies_in_force", "1 while every policy that was asked refuses what it should; 0 opens nothing new."
        )
        self.policies_silent = self._gauge("policies_silent", "Policies that do not refuse what they should.")
        self.policies_drifted = self._gauge("policies_drifted", "Policies and bindings that are not as shipped.")
        self.last_loop = self._gauge("last_loop_timestamp_seconds", "When the loop last went round.")

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"ringfence_{name}", meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str) -> Gauge:
        return Gauge(f"ringfence_{name}", meaning, registry=self.registry)

    def _histogram(self, name: str, meaning: str, *labels: str) -> Histogram:
        return Histogram(f"ringfence_{name}", meaning, labels, registry=self.registry, buckets=SECONDS)

    def looked(self, kind: ResourceType, result: str, seconds: float) -> None:
        """Count one look at an object."""
        self._reconciles.labels(kind.kind, result).inc()
        self._durations.labels(kind.kind).observe(seconds)

    def wrote(self, verb: Verb, kind: ResourceType, result: str) -> None:
        """Count one write."""
        self._writes.labels(verb.value, kind.plural, result).inc()

    def repaired(self, kind: ResourceType) -> None:
        """Count one repaired object."""
        self._drifts.labels(kind.plural).inc()

    def repaired_after(self, seconds: float) -> None:
        """Measure how long a repair took since the drift was noticed."""
        self._latencies.observe(seconds)

    def appended(self, *, ok: bool) -> None:
        """Count one append to the ledger."""
        self._appends.labels("ok" if ok else "error").inc()

    def pulled(self, *, ok: bool) -> None:
        """Count one request for usage."""
        self._pulls.labels("ok" if ok else "error").inc()

    def seen(self, result: str) -> None:
        """Count one look at a gateway: serves, behind, fails, unreachable or absent."""
        self._looks.labels(result).inc()

    def posted(self, result: str) -> None:
        """Count one Kubernetes Event: posted, dropped or refused."""
        self._events.labels(result).inc()

    def exposition(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)
