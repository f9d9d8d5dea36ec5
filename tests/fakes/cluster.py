"""A cluster in memory: the port's promises without an API server, and switches for its failures.

It knows what the engine relies on (versions, watches, finalizers, preconditions, namespaces) and nothing else: what
only a server knows is tested on a real one.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson

from ringfence import names
from ringfence.adapters.kubernetes.certificates import public_part
from ringfence.gateway.served import Issuer
from ringfence.model import kinds
from ringfence.model.kinds import PRIMARY_TYPES, Ref, ResourceType
from ringfence.plan.seen import Existence
from ringfence.ports.cluster import (
    ClusterError,
    ConflictError,
    ExpiredError,
    Grant,
    Identity,
    NotFoundError,
    Object,
    Page,
    UnreachableError,
    WatchEvent,
)

Json = dict[str, Any]
_ThingT = TypeVar("_ThingT")
Failing = Callable[[str, Ref], ClusterError | None]
"""Given a verb and an object, the error that the call ends with."""

VOUCHING = Issuer("https://kubernetes.default.svc", '{"keys":[]}')
KUBE_SYSTEM_UID = "00000000-0000-0000-0000-00000000cafe"


@dataclass(frozen=True)
class Sent:
    """One write that the fake was asked for."""

    verb: str
    ref: Ref
    audit_id: str = ""
    body: Object | None = None


@dataclass
class MemoryCluster:
    """`Cluster` over a dict; set ``failing`` to make calls fail."""

    objects: dict[Ref, Json] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    failing: Failing = lambda verb, ref: None
    events: list[Object] = field(default_factory=list)
    unserved: set[ResourceType] = field(default_factory=lambda: {kinds.CERTIFICATE, kinds.EXTERNAL_SECRET})
    secrets: set[tuple[str, str]] = field(default_factory=set)
    deposited: dict[Ref, list[str]] = field(default_factory=dict)
    """Keys of the Secrets that were made; their values are kept by nobody."""
    vouching: Issuer = VOUCHING
    claims: dict[str, int] = field(default_factory=dict)
    identity: Identity = field(
        default_factory=lambda: Identity("system:serviceaccount:ringfence-system:ringfence-operator")
    )
    page_size: int = 2
    oldest: int = 0
    """The resource version below which a watch is too old."""
    version: int = 100
    watchers: list[tuple[ResourceType, str, asyncio.Queue[WatchEvent | None]]] = field(default_factory=list)
    births: Counter[Ref] = field(default_factory=Counter)
    frozen_after: int | None = None
    """The number of writes that take effect; every later call of any kind hangs, as if the power had failed."""
    frozen: asyncio.Event = field(default_factory=asyncio.Event)
    history: list[tuple[int, ResourceType, WatchEvent]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("kube-system", names.OPERATOR_NAMESPACE, "default"):
            self.put(kinds.CORE_NAMESPACE, {"metadata": {"name": name}})
        self.objects[Ref(kinds.CORE_NAMESPACE, "", "kube-system")]["metadata"]["uid"] = KUBE_SYSTEM_UID

    # --- what tests do as other people

    def put(self, kind: ResourceType, thing: Object, *, manager: str = "kubectl") -> Json:
        """Create or replace an object as somebody else."""
        new = _copied(dict(thing))
        metadata = new["metadata"]
        ref = Ref(kind, metadata.get("namespace", "") if kind.namespaced else "", metadata["name"])
        return self._store(ref, new, manager)

    def remove(self, ref: Ref) -> None:
        """Delete an object as somebody else; finalizers hold it."""
        self._delete(ref)

    def drop_watches(self, *, expired: bool = False) -> None:
        """Break every watch; with ``expired``, they can't be resumed either."""
        if expired:
            self.oldest = self.version
        for *_, queue in self.watchers:
            queue.put_nowait(None)
        self.watchers.clear()

    # --- Reader

    async def pages(
        self, kind: ResourceType, *, namespace: str = "", selector: str = "", metadata_only: bool = False
    ) -> AsyncIterator[Page]:
        self._may("list", Ref(kind, namespace, ""))
        if kind in self.unserved:
            raise NotFoundError("the server could not find the requested resource", status=404)
        version = str(self.version)
        mine = (thing for ref, thing in self.objects.items() if ref.type == kind)
        found = [_copied(thing) for thing in mine if _in(thing, namespace) and _selected(thing, selector)]
        for start in range(0, max(1, len(found)), self.page_size):
            await asyncio.sleep(0)
            yield Page(found[start : start + self.page_size], version)

    async def watch(self, kind: ResourceType, *, since: str, selector: str = "") -> AsyncIterator[WatchEvent]:
        self._may("watch", Ref(kind, "", ""))
        if int(since) < self.oldest:
            raise ExpiredError("too old resource version", status=410)
        queue: asyncio.Queue[WatchEvent | None] = asyncio.Queue()
        for version, known, event in self.history:
            if known == kind and version > int(since) and _selected(event.object, selector):
                queue.put_nowait(event)
        self.watchers.append((kind, selector, queue))
        while (news := await queue.get()) is not None:
            yield news
        raise UnreachableError("the watch broke")

    async def served(self, group: str, version: str) -> frozenset[str]:
        return frozenset(kind.plural for kind in PRIMARY_TYPES if (kind.group, kind.version) == (group, version))

    async def secret_exists(self, namespace: str, name: str) -> Existence:
        self._may("create", Ref(kinds.SECRET, namespace, name))
        return Existence.PRESENT if (namespace, name) in self.secrets else Existence.ABSENT

    async def issuer(self) -> Issuer:
        self._may("get", Ref(kinds.SECRET, "", ""))
        return self.vouching

    async def claims_in(self, namespace: str) -> int:
        return self.claims.get(namespace, 0)

    async def authority(self, namespace: str, name: str) -> str:
        self._may("list", Ref(kinds.CONFIG_MAP, namespace, name))
        found = self.objects.get(Ref(kinds.CONFIG_MAP, namespace, name), {})
        return public_part(found.get("data", {}).get("ca.crt", ""))

    # --- Writer

    async def create(self, ref: Ref, manifest: Object, *, audit_id: str) -> Object:
        self._ask("create", ref, audit_id, manifest)
        await self._power()
        self._need_namespace(ref)
        if ref in self.objects:
            raise ConflictError(f'{ref.type.plural} "{ref.name}" already exists', status=409)
        return _copied(self._store(ref, _copied(dict(manifest)), names.FIELD_MANAGER))

    async def deposit(self, ref: Ref, manifest: Object, data: Mapping[str, bytes], *, audit_id: str) -> Object:
        self._ask("deposit", ref, audit_id, manifest)
        await self._power()
        self._need_namespace(ref)
        if (ref.namespace, ref.name) in self.secrets:
            raise ConflictError(f'secrets "{ref.name}" already exists', status=409)
        self.secrets.add((ref.namespace, ref.name))
        self.deposited[ref] = sorted(data)
        self.version += 1
        return {"metadata": {**manifest["metadata"], "uid": self._uid(ref), "resourceVersion": str(self.version)}}

    async def apply(self, ref: Ref, manifest: Object, *, audit_id: str, uid: str = "", dry_run: bool = False) -> Object:
        self._ask("dry-run" if dry_run else "apply", ref, audit_id, manifest)
        await self._power(count=not dry_run)
        self._need_namespace(ref)
        before = self.objects.get(ref, {})
        if uid and before.get("metadata", {}).get("uid") != uid:
            raise ConflictError("the UID does not match", status=409)
        applied = _merged(before, manifest)
        return _copied(applied if dry_run else self._store(ref, applied, names.FIELD_MANAGER))

    def _need_namespace(self, ref: Ref) -> None:
        if ref.namespace and Ref(kinds.CORE_NAMESPACE, "", ref.namespace) not in self.objects:
            raise NotFoundError(f'namespaces "{ref.namespace}" not found', status=404)

    async def merge(self, ref: Ref, patch: Object, *, audit_id: str, resource_version: str = "") -> Object:
        self._ask("merge", ref, audit_id, patch)
        await self._power()
        before = self._existing(ref)
        if resource_version and before["metadata"]["resourceVersion"] != resource_version:
            raise ConflictError("the object has been modified", status=409)
        return _copied(self._store(ref, _merged(before, patch), names.FIELD_MANAGER))

    async def delete(self, ref: Ref, *, uid: str, audit_id: str) -> Object:
        self._ask("delete", ref, audit_id)
        await self._power()
        if self._existing(ref)["metadata"]["uid"] != uid:
            raise ConflictError("the UID in the precondition does not match", status=409)
        return self._delete(ref)

    async def patch_status(self, ref: Ref, status: Object, *, uid: str) -> Object:
        self._ask("status", ref, "", status)
        await self._power(count=False)
        before = self._existing(ref)
        if before["metadata"]["uid"] != uid:
            raise ConflictError("the UID does not match", status=409)
        return _copied(self._store(ref, _merged(before, {"status": status}), names.FIELD_MANAGER))

    async def create_event(self, event: Object) -> None:
        self._may("create", Ref(kinds.EVENT, event["metadata"]["namespace"], ""))
        self.events.append(event)

    # --- Leases and identity

    async def get_lease(self, ref: Ref) -> Object | None:
        self._may("get", ref)
        return _copied(self.objects.get(ref))

    async def put_lease(self, ref: Ref, lease: Object) -> Object:
        self._may("put", ref)
        known, version = self.objects.get(ref), lease["metadata"].get("resourceVersion")
        if (known is None) != (version is None) or (known and known["metadata"]["resourceVersion"] != version):
            raise ConflictError("the lease has been modified", status=409)
        return _copied(self._store(ref, _copied(dict(lease)), names.FIELD_MANAGER))

    async def whoami(self) -> Identity:
        self._may("whoami", Ref(kinds.SECRET, "", ""))
        return self.identity

    async def grants(self, namespace: str) -> Sequence[Grant]:
        everything = frozenset({"*"})
        return [Grant(everything, everything, everything)]

    # --- inside

    def _may(self, verb: str, ref: Ref) -> None:
        if error := self.failing(verb, ref):
            raise error

    def _ask(self, verb: str, ref: Ref, audit_id: str, body: Object | None = None) -> None:
        self.sent.append(Sent(verb, ref, audit_id, _copied(body)))
        self._may(verb, ref)

    async def _power(self, *, count: bool = True) -> None:
        """Let other tasks run; hang where the power has failed."""
        await asyncio.sleep(0)
        if self.frozen_after is not None:
            if self.frozen_after <= 0:
                self.frozen.set()
                await asyncio.Event().wait()
            self.frozen_after -= count

    def _existing(self, ref: Ref) -> Json:
        if ref not in self.objects:
            raise NotFoundError(f"{ref} not found", status=404)
        return self.objects[ref]

    def _store(self, ref: Ref, new: Json, manager: str) -> Json:
        before = self.objects.get(ref)
        self.version += 1
        metadata = new.setdefault("metadata", {})
        old = before["metadata"] if before else {}
        new |= {"apiVersion": ref.type.api_version, "kind": ref.type.kind}
        metadata.setdefault("uid", old.get("uid") or self._uid(ref))
        metadata.setdefault("creationTimestamp", old.get("creationTimestamp", f"2026-01-01T00:{self.version:05d}"))
        changed = before is None or before.get("spec") != new.get("spec")
        metadata["generation"] = old.get("generation", 0) + changed
        metadata["resourceVersion"] = str(self.version)
        metadata["managedFields"] = [{"manager": manager, "time": datetime.now(UTC).isoformat()}]
        if "deletionTimestamp" in metadata and not metadata.get("finalizers"):
            self.objects.pop(ref, None)
            self._tell(ref.type, "DELETED", new)
        else:
            self.objects[ref] = new
            self._tell(ref.type, "MODIFIED" if before else "ADDED", new)
        return new

    def _uid(self, ref: Ref) -> str:
        """A uid that is new, and the same whenever the same things happen."""
        self.births[ref] += 1
        return f"uid-{str(ref).replace('/', '-').lower()}-{self.births[ref]}"

    def _delete(self, ref: Ref) -> Json:
        thing = _copied(self._existing(ref))
        if thing["metadata"].get("finalizers"):
            thing["metadata"].setdefault("deletionTimestamp", "2026-01-02T00:00:00Z")
            return _copied(self._store(ref, thing, "kubectl"))
        del self.objects[ref]
        self.version += 1
        thing["metadata"]["resourceVersion"] = str(self.version)
        self._tell(ref.type, "DELETED", thing)
        if ref.type == kinds.CORE_NAMESPACE:
            for inside in [other for other in self.objects if other.namespace == ref.name]:
                self._delete(inside)
        return {"kind": "Status", "apiVersion": "v1", "status": "Success"}

    def _tell(self, kind: ResourceType, event_type: Any, thing: Json) -> None:
        event = WatchEvent(event_type, _copied(thing))
        self.history.append((self.version, kind, event))
        for known, selector, queue in self.watchers:
            if known == kind and _selected(thing, selector):
                queue.put_nowait(event)


def _copied(thing: _ThingT) -> _ThingT:
    """As it came over the network."""
    copied: _ThingT = orjson.loads(orjson.dumps(thing))
    return copied


def _in(thing: Object, namespace: str) -> bool:
    return not namespace or thing["metadata"].get("namespace") == namespace


def _selected(thing: Object, selector: str) -> bool:
    labels = thing["metadata"].get("labels") or {}
    return all(labels.get(name) == value for name, value in _requirements(selector))


def _requirements(selector: str) -> Iterator[tuple[str, str]]:
    for requirement in filter(None, selector.split(",")):
        name, _, value = requirement.partition("=")
        yield name, value


def _merged(before: Any, patch: Any) -> Any:
    """RFC 7386, which is also how an apply looks to whoever owns every field."""
    if not isinstance(patch, Mapping):
        return _copied(patch)
    result = dict(_copied(before)) if isinstance(before, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value)
    return result
