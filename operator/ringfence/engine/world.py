"""Everything that is watched, and the stores that it fills.

Law: who watches decides nothing; changes are handed to the waker, knowledge to the cache.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import structlog

from ringfence import names
from ringfence.engine.cache import Cache
from ringfence.engine.census import Census
from ringfence.engine.children import Children
from ringfence.engine.endpoints import SELECTOR as GATEWAYS
from ringfence.engine.endpoints import Endpoints
from ringfence.engine.facts import UNSET, ClusterFacts, Gateways, Ranges
from ringfence.engine.issuer import IssuerWatch
from ringfence.engine.namespaces import CoreNamespaces, ref_of
from ringfence.engine.policies import TYPES as POLICY_TYPES
from ringfence.engine.policies import LivePolicies
from ringfence.engine.queue import WorkQueue
from ringfence.engine.reflector import Reflector, Scope, Store
from ringfence.engine.subjects import Subjects
from ringfence.engine.wake import Waker
from ringfence.engine.witness import Witness
from ringfence.lineage.runs import Trigger
from ringfence.model import kinds
from ringfence.model.kinds import Ref, ResourceType
from ringfence.plan.seen import AnySubject, CoreNamespace
from ringfence.ports.clock import Clock
from ringfence.ports.cluster import ClusterError, Object, Reader

log = structlog.get_logger(__name__)

OURS_ONLY: Final = f"{names.MANAGED_BY_LABEL}={names.MANAGED_BY}"
# Other people's objects of these types decide what ours are worth: the first two add access, the last one says at which
# port of its pods a model frontend is.
WATCHED_WHOLE: Final = (kinds.NETWORK_POLICY, kinds.ROLE_BINDING, kinds.SERVICE)
OPTIONAL: Final = (kinds.CERTIFICATE, kinds.EXTERNAL_SECRET, kinds.SERVICE_CIDR)
FACT_TYPES: Final = (kinds.NODE, kinds.SERVICE_CIDR, kinds.STORAGE_CLASS)
KUBE_SYSTEM: Final = "kube-system"


class World:
    """The stores, the reflectors and the census."""

    def __init__(
        self,
        reader: Reader,
        queue: WorkQueue,
        clock: Clock,
        *,
        ranges: Ranges,
        gateways: Gateways = UNSET,
        policies: LivePolicies | None = None,
    ) -> None:
        self._reader = reader
        self.waker = Waker(queue, clock, lambda: self.cache)
        self.subjects = Subjects(changed=self._subject_changed)
        self.namespaces = CoreNamespaces(changed=self._namespace_changed)
        self.children = Children(keeps=self.namespaces.may_be_tenants, changed=self._child_changed)
        self.facts = ClusterFacts(
            settings=ranges, gateways=gateways, cluster_uid=self.cluster_uid, changed=self.look_at_all
        )
        self._issuer = IssuerWatch(reader, clock, self.facts.vouch)
        self.cache = Cache(self.subjects, self.namespaces, self.children)
        self.endpoints = Endpoints(self.cache)
        self.witness = Witness(self.subjects, self.namespaces, self.children)
        self.census = Census(reader, self.subjects)
        self._namespaces_reflector = Reflector(Scope(kinds.CORE_NAMESPACE), reader, self.namespaces)
        slices = Reflector(Scope(kinds.ENDPOINT_SLICE, selector=GATEWAYS), reader, self.endpoints)
        self._reflectors = (*self._make_reflectors(), slices, *(self._reflect_policies(policies) if policies else ()))
        self._backfills: set[asyncio.Task[None]] = set()

    def cluster_uid(self) -> str:
        """Return the uid of kube-system, by which records name the cluster."""
        known = self.namespaces.get(KUBE_SYSTEM)
        return known.uid if known else ""

    # --- our own custom resources, which kopf brings

    def deliver(self, kind: ResourceType, event_type: str | None, thing: Object) -> None:
        """Take one event of a watch; ``None`` is kopf's type for what was listed."""
        if event_type == "DELETED":
            metadata = thing["metadata"]
            self.subjects.gone(Ref(kind, metadata.get("namespace", ""), metadata["name"]), metadata["uid"])
        else:
            self.subjects.seen(thing)

    def own_answer(self, thing: Object) -> None:
        """Take the answer to our own write of a custom resource."""
        self.subjects.seen(thing, ours=True)

    def look_at_all(self, trigger: Trigger = Trigger.DEPENDENCY) -> None:
        """Wake every object."""
        self.waker.wake(self.subjects.refs(), trigger)

    # --- life

    async def run(self) -> None:
        """Watch until cancelled. Namespaces come first: they decide what else is worth keeping."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._namespaces_reflector.run(), name="reflect namespaces")
            await self._namespaces_reflector.synced.wait()
            for reflector in self._reflectors:
                tasks.create_task(reflector.run(), name=f"reflect {reflector.scope.kind.plural}")
            tasks.create_task(self.census.run(), name="census")
            tasks.create_task(self._issuer.run(), name="issuer")

    async def synced(self) -> None:
        """Wait until everything that existed is known."""
        for reflector in (self._namespaces_reflector, *self._reflectors):
            await reflector.synced.wait()
        await self.census.synced.wait()
        await self._issuer.asked.wait()

    def unsynced(self) -> tuple[str, ...]:
        """Return what is not known yet."""
        waiting = [
            reflector.scope.kind.plural
            for reflector in (self._namespaces_reflector, *self._reflectors)
            if not reflector.synced.is_set()
        ]
        if not self.census.synced.is_set():
            waiting.append("custom resources")
        return (*waiting, *(kind.plural for kind in sorted(self.census.blind)))

    # --- inside

    def _make_reflectors(self) -> Sequence[Reflector]:
        stores: dict[ResourceType, Store] = dict.fromkeys(FACT_TYPES, self.facts)
        for kind in (kinds.CERTIFICATE, kinds.EXTERNAL_SECRET):
            stores[kind] = _Both(self.children, self.facts)
        return [
            Reflector(
                Scope(
                    kind,
                    selector=OURS_ONLY if kind in kinds.CHILD_TYPES and kind not in WATCHED_WHOLE else "",
                    optional=kind in OPTIONAL,
                ),
                self._reader,
                stores.get(kind, self.children),
            )
            for kind in (*FACT_TYPES, *kinds.CHILD_TYPES)
        ]

    def _reflect_policies(self, policies: LivePolicies) -> Iterator[Reflector]:
        return (Reflector(Scope(kind, optional=True), self._reader, policies) for kind in POLICY_TYPES)

    def _subject_changed(self, ref: Ref, before: AnySubject | None, after: AnySubject | None, *, ours: bool) -> None:
        if before and (after is None or after.meta.uid != before.meta.uid):
            self.witness.gone(ref, before.meta.uid)
        self.witness.look(ref)
        self.waker.subject_changed(ref, before, after, ours=ours)

    def _child_changed(self, ref: Ref, labels: Mapping[str, str], managers: tuple[str, ...], *, by: Ref | None) -> None:
        self.witness.look(ref, managers)
        self.waker.child_changed(ref, labels, managers, by=by)

    def _namespace_changed(
        self, before: CoreNamespace | None, after: CoreNamespace | None, managers: tuple[str, ...], *, by: Ref | None
    ) -> None:
        if after and names.TENANT_LABEL not in after.labels:
            self.children.forget_namespace(after.name)
        elif after and before and names.TENANT_LABEL not in before.labels:
            task = asyncio.get_running_loop().create_task(self._backfill(after.name))
            self._backfills.add(task)
            task.add_done_callback(self._backfills.discard)
        for name in {state.name for state in (before, after) if state}:
            self.witness.look(ref_of(name), managers)
        self.waker.namespace_changed(before, after, managers, by=by)

    async def _backfill(self, namespace: str) -> None:
        """Learn what is in a namespace that was not ours to know until it was adopted."""
        try:
            for kind in WATCHED_WHOLE:
                async for page in self._reader.pages(kind, namespace=namespace):
                    for thing in page.items:
                        self.children.seen(kind, thing)
        except ClusterError as error:
            log.warning("adopted namespace not read; its watch will tell", namespace=namespace, error=error.message)


class _Both:
    """Objects for one store, and for another whether their type is served at all."""

    def __init__(self, objects: Children, serving: ClusterFacts) -> None:
        self.seen = objects.seen
        self.gone = objects.gone
        self.listed = objects.listed
        self.serves = serving.serves
