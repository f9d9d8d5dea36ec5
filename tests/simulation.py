"""A cluster that is a value: what the API server would do with the planner's writes, without one.

It is the planner's world only. What a server alone knows (validation, defaults, admission, who owns which field) is
tested on a real one.
"""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import orjson

from ringfence import names
from ringfence.engine.children import Child, child_of
from ringfence.engine.writes import Write, missing
from ringfence.gateway.served import Issuer
from ringfence.lineage.runs import Verb
from ringfence.model.kinds import (
    CHILD_TYPES,
    CONFIG_MAP,
    CORE_NAMESPACE,
    EXTERNAL_SECRET,
    GUARDRAIL,
    NETWORK_POLICY,
    PRIMARY_TYPES,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    SECRET,
    SERVICE,
    Ref,
    ResourceType,
)
from ringfence.model.parse import parse
from ringfence.plan.conditions import status_patch
from ringfence.plan.gateway.certificates import LIFE
from ringfence.plan.look import look
from ringfence.plan.make import make_plan
from ringfence.plan.plan import Plan
from ringfence.plan.seen import (
    Answer,
    AnySubject,
    Authority,
    ClaimsIn,
    CoreNamespace,
    Existence,
    Facts,
    Issued,
    Live,
    NewCertificate,
    Probed,
    Question,
    SecretExists,
    Seen,
)

Object = dict[str, Any]
_ThingT = TypeVar("_ThingT")
START: Final = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
FACTS: Final = Facts(
    cluster_uid="cluster",
    operator_namespace=names.OPERATOR_NAMESPACE,
    served=frozenset({EXTERNAL_SECRET}),
    protected_ranges=("10.96.0.0/12", "10.244.0.0/16", "192.0.2.0/24"),
    default_storage_class="standard",
    issuer=Issuer("https://kubernetes.default.svc", '{"keys":[]}'),
)
AUTHORITY: Final = "-----BEGIN CERTIFICATE-----\n(of a frontend)\n-----END CERTIFICATE-----\n"
MOST_ROUNDS: Final = 30

_TYPES: Final = {(kind.api_version, kind.kind): kind for kind in (*CHILD_TYPES, *PRIMARY_TYPES, CORE_NAMESPACE)}


class NotSettledError(AssertionError):
    """The planner still wants to write after many rounds."""


def ref_of(manifest: Mapping[str, Any]) -> Ref:
    """The object that a manifest is about."""
    metadata = manifest["metadata"]
    kind = _TYPES[manifest["apiVersion"], manifest["kind"]]
    return Ref(kind, metadata.get("namespace", ""), metadata["name"])


@dataclass
class Simulation:
    """Objects by reference. Implements the planner's ``View`` and what `missing` needs to know."""

    now: datetime = START
    facts: Facts = FACTS
    objects: dict[Ref, Object] = field(default_factory=dict)
    applied: dict[Ref, Object] = field(default_factory=dict)
    """What Ringfence applied last: keys of it that are not applied again go, as with server-side apply."""
    created: set[Ref] = field(default_factory=set)
    """What was made by a create: the API server keeps what it said as ours, whatever is applied later."""
    answers: dict[Question, Answer] = field(default_factory=dict)
    count: int = 0
    """Of all changes; gives resource versions and times of creation."""
    secrets: set[tuple[str, str]] = field(default_factory=set)
    """Secrets that Ringfence made, by namespace and name; nobody knows more of them."""
    births: dict[Ref, int] = field(default_factory=dict)
    """How often each object was made."""
    claims: dict[str, int] = field(default_factory=dict)
    """PersistentVolumeClaims by core namespace."""
    authorities: dict[tuple[str, str], str] = field(default_factory=dict)
    """Certificates in `ca.crt` of ConfigMaps by namespace and name; those that are not here have one."""
    gateways: dict[str, Probed] = field(default_factory=dict)
    """The last look at the gateway, by tenant."""
    parsed: dict[str, AnySubject] = field(default_factory=dict)
    """Custom resources by resource version: parsing is most of the work."""
    known: dict[str, Child] = field(default_factory=dict)
    """Other objects by resource version, as the engine keeps them."""

    def fork(self) -> "Simulation":
        """Another world that begins as this one is. Objects are never changed in place."""
        return replace(
            self,
            objects=dict(self.objects),
            applied=dict(self.applied),
            created=set(self.created),
            answers=dict(self.answers),
            secrets=set(self.secrets),
            births=dict(self.births),
            claims=dict(self.claims),
            authorities=dict(self.authorities),
            gateways=dict(self.gateways),
            parsed=dict(self.parsed),
            known=dict(self.known),
        )

    # --- what people do

    def put(self, manifest: Mapping[str, Any]) -> Ref:
        """Create or replace an object as somebody else than Ringfence."""
        ref = ref_of(manifest)
        before = self.objects.get(ref)
        after = _copy(dict(manifest))
        metadata = after["metadata"]
        if before is None:
            self._born(after)
        else:
            metadata |= {name: before["metadata"][name] for name in ("uid", "creationTimestamp")}
            _keep(metadata, before["metadata"], "finalizers")
            _keep(after, before, "status")
            changed = before.get("spec") != after.get("spec")
            metadata["generation"] = before["metadata"]["generation"] + changed
        self._store(ref, after)
        return ref

    def annotate(self, ref: Ref, annotations: Mapping[str, str]) -> None:
        """Set annotations of an object as somebody else than Ringfence."""
        changed = _copy(self.objects[ref])
        changed["metadata"].setdefault("annotations", {}).update(annotations)
        self._store(ref, changed)

    def delete(self, ref: Ref) -> None:
        """Delete an object: it goes at once unless something holds it."""
        thing = self.objects.get(ref)
        if thing is None:
            return
        if thing["metadata"].get("finalizers") or ref.type == CORE_NAMESPACE:
            marked = _copy(thing)
            marked["metadata"]["deletionTimestamp"] = self.now.isoformat()
            self._store(ref, marked)
        else:
            self._forget(ref)

    # --- what controllers do

    def collect(self) -> None:
        """The namespace controller: empty terminating namespaces, then remove them."""
        for ref in [ref for ref, thing in self.objects.items() if _deleting(thing) and ref.type == CORE_NAMESPACE]:
            inside = [other for other in self.objects if other.namespace == ref.name]
            for other in inside:
                if not _deleting(self.objects[other]):
                    self.delete(other)
            left = sorted({f"{other.type.plural}.{other.type.group}" for other in inside if other in self.objects})
            if left:
                thing = _copy(self.objects[ref])
                thing["remaining"] = left
                self._store(ref, thing)
            else:
                self._forget(ref)

    # --- what Ringfence does

    def plan(self, ref: Ref) -> tuple[AnySubject, Plan] | None:
        """Look, and plan until no question is open."""
        for _ in range(3):
            subject, seen = self.look(ref)
            if subject is None:
                return None
            planned = subject, make_plan(subject, seen)
            unasked = [question for question in planned[1].questions if question not in self.answers]
            if not unasked:
                return planned
            self.answers.update({question: self._answer(question) for question in unasked})
        return planned

    def look(self, ref: Ref) -> tuple[AnySubject | None, Seen]:
        """What the planner sees now."""
        return look(ref, self, now=self.now, facts=self.facts, answers=dict(self.answers))

    def writes(self, ref: Ref) -> Iterator[Write]:
        """Plan, then make the missing writes one by one; each is yielded after it was made."""
        planned = self.plan(ref)
        if planned is not None:
            yield from self.carry_out(planned)

    def carry_out(self, planned: tuple[AnySubject, Plan]) -> Iterator[Write]:
        """Make the writes that a plan lacks now, though it may have been made some time ago."""
        for batch in missing(planned[1], planned[0], self):
            for write in batch.writes:
                self._make(write)
                yield write
        self._report(*planned)

    def reconcile(self, ref: Ref, *, stop_after: int | None = None) -> list[Write]:
        """Make the writes for one object; with ``stop_after`` the operator is killed after so many of them."""
        made: list[Write] = []
        if stop_after == 0:
            return made
        for write in self.writes(ref):
            made.append(write)
            if len(made) == stop_after:
                break
        return made

    def settle(self) -> list[Write]:
        """Reconcile everything, with the controllers between, until a whole round writes nothing."""
        made: list[Write] = []
        for _ in range(MOST_ROUNDS):
            self.answers.clear()
            before = (len(made), self.count)
            for ref in self.primaries():
                made += self.reconcile(ref)
            self.collect()
            if (len(made), self.count) == before:
                return made
        raise NotSettledError(f"still writing: {[(write.verb, str(write.ref), write.pointers) for write in made[-5:]]}")

    def primaries(self) -> list[Ref]:
        """Our custom resources, in order."""
        return sorted(ref for ref in self.objects if ref.type in PRIMARY_TYPES)

    def snapshot(self) -> dict[str, Object]:
        """All objects but for what depends on the order of events: versions, times, uids of children."""
        return {str(ref): _stable(thing) for ref, thing in sorted(self.objects.items())}

    # --- View

    def subject(self, ref: Ref) -> AnySubject | None:
        """See ``View``."""
        thing = self.objects.get(ref)
        return self._parse(thing) if thing else None

    def subjects(self, kind: ResourceType, namespace: str) -> tuple[AnySubject, ...]:
        """See ``View``."""
        found = (
            self._parse(thing) for ref, thing in self.objects.items() if ref.type == kind and ref.namespace == namespace
        )
        return tuple(sorted(found, key=lambda subject: subject.age_key))

    def core_namespace(self, name: str) -> CoreNamespace | None:
        """See ``View``."""
        thing = self.objects.get(Ref(CORE_NAMESPACE, "", name))
        if thing is None:
            return None
        metadata = thing["metadata"]
        return CoreNamespace(
            name=name,
            uid=metadata["uid"],
            labels=metadata.get("labels", {}),
            annotations=metadata.get("annotations", {}),
            deleting=_deleting(thing),
            remaining=tuple(thing.get("remaining", ())),
        )

    def core_namespaces_of(self, tenant: str) -> tuple[CoreNamespace, ...]:
        """See ``View``."""
        found = (
            self.core_namespace(ref.name)
            for ref in sorted(each for each in self.objects if each.type == CORE_NAMESPACE)
        )
        return tuple(core for core in found if core and core.labels.get(names.TENANT_LABEL) == tenant)

    def live(self, namespace: str) -> Mapping[Ref, Live]:
        """See ``View``: ours, and any NetworkPolicy, RoleBinding or Service."""
        return {
            ref: live
            for ref, thing in self.objects.items()
            if ref.namespace == namespace and ref.type in CHILD_TYPES
            for live in (self._child(thing).live(ref),)
            if live.ours or ref.type in (NETWORK_POLICY, ROLE_BINDING, SERVICE)
        }

    def quota(self, namespace: str) -> Mapping[str, str] | None:
        """See ``View``."""
        thing = self.objects.get(Ref(RESOURCE_QUOTA, namespace, names.QUOTA))
        return thing["spec"]["hard"] if thing else None

    def probed(self, tenant: str) -> Probed | None:
        """See ``View``."""
        return self.gateways.get(tenant)

    def child(self, ref: Ref) -> Child | None:
        """What is known of an object that plans may ask for."""
        thing = self.objects.get(ref)
        return self._child(thing) if thing else None

    def occupied(self, ref: Ref) -> bool:
        """Everything here is seen, with or without a label."""
        return False

    # --- inside

    def _parse(self, thing: Object) -> AnySubject:
        version = thing["metadata"]["resourceVersion"]
        if version not in self.parsed:
            self.parsed[version] = parse(thing)
        return self.parsed[version]

    def _child(self, thing: Object) -> Child:
        version = thing["metadata"]["resourceVersion"]
        if version not in self.known:
            self.known[version] = child_of(thing)
        return self.known[version]

    def _make(self, write: Write) -> None:
        if write.ref.type == SECRET and write.manifest is not None:
            self.secrets.add((write.ref.namespace, write.ref.name))
            self.applied[write.ref] = dict(write.manifest)
        elif write.verb is Verb.DELETE:
            self.delete(write.ref)
        elif write.verb is Verb.CREATE and write.manifest is not None:
            assert write.ref not in self.objects, f"{write.ref} is there already"
            self.created.add(write.ref)
            self._apply(write.ref, write.manifest)
        elif write.manifest is not None:
            self._apply(write.ref, write.manifest)
        else:
            self._patch(write.ref, write.patch or {})

    def _apply(self, ref: Ref, manifest: Mapping[str, Any]) -> None:
        assert ref.type == CORE_NAMESPACE or Ref(CORE_NAMESPACE, "", ref.namespace) in self.objects, "no namespace yet"
        own = orjson.loads(orjson.dumps(manifest))
        before = self.objects.get(ref)
        if before is None:
            after = _copy(own)
            self._born(after)
        else:
            assert not _deleting(before), f"{ref} is being deleted"
            assert ref.type != ROLE_BINDING or before["roleRef"] == own["roleRef"], "roleRef can't be changed"
            after = _copy(before)
            if ref not in self.created:
                _merge(after, _gone(self.applied.get(ref, {}), own))
            _merge(after, own)
        self.applied[ref] = own
        if after != before:
            self._store(ref, after)

    def _patch(self, ref: Ref, patch: Mapping[str, Any]) -> None:
        thing = self.objects.get(ref)
        if thing is None:
            return
        after = _copy(thing)
        _merge(after, patch)
        if _deleting(after) and not after["metadata"].get("finalizers") and ref.type != CORE_NAMESPACE:
            self._forget(ref)
        else:
            self._store(ref, after)

    def _report(self, subject: AnySubject, plan: Plan) -> None:
        """Status, with the wanted finalizers of the object as they are now."""
        thing = self.objects.get(subject.ref)
        patch = status_patch(subject, plan, self.now) if thing else None
        if thing is not None and patch is not None:
            after = _copy(thing)
            _merge(after.setdefault("status", {}), patch)
            self._store(subject.ref, after)

    def _born(self, thing: Object) -> None:
        created = (START + timedelta(seconds=self.count)).strftime("%Y-%m-%dT%H:%M:%SZ")
        ref = ref_of(thing)
        number = self.births[ref] = self.births.get(ref, 0) + 1
        # Not by the order of events: a gateway's configuration names the uids of its keys' accounts.
        uid = f"uid-of-{ref.type.kind}-{ref.namespace}-{ref.name}-{number}".lower()
        given = {"uid": uid, "creationTimestamp": created, **thing["metadata"]}
        thing["metadata"] = {**given, "generation": 1}

    def _store(self, ref: Ref, thing: Object) -> None:
        self.count += 1
        thing["metadata"]["resourceVersion"] = str(self.count)
        self.objects[ref] = thing

    def _forget(self, ref: Ref) -> None:
        self.count += 1
        self.objects.pop(ref, None)
        self.applied.pop(ref, None)
        self.created.discard(ref)
        if ref.type == CONFIG_MAP and (ref.namespace, ref.name) in self.secrets:  # it owns the Secret
            self.secrets.discard((ref.namespace, ref.name))
            self.applied.pop(Ref(SECRET, ref.namespace, ref.name), None)

    def _answer(self, question: Question) -> Answer:
        match question:
            case ClaimsIn():
                return self.claims.get(question.namespace, 0)
            case Authority():
                return self.authorities.get((question.namespace, question.name), AUTHORITY)
            case NewCertificate():
                name = f"{names.GATEWAY_TLS_PREFIX}{zlib.crc32(f'{question.namespace} {self.now}'.encode()):08x}"
                return Issued(name, AUTHORITY.replace("a frontend", question.namespace), self.now, self.now + LIFE)
            case SecretExists():
                there = (question.namespace, question.name) in self.secrets
                return Existence.PRESENT if there else Existence.ABSENT


def fenced(world: Simulation, namespace: str) -> bool:
    """Whether the namespace has everything without which nobody may have access."""
    thing = world.objects.get(Ref(CORE_NAMESPACE, "", namespace), {})
    labels = thing.get("metadata", {}).get("labels", {})
    needed = {(NETWORK_POLICY.kind, names.DENY_ALL), (GUARDRAIL.kind, names.GUARDRAIL)}
    needed |= {("ResourceQuota", names.QUOTA), ("LimitRange", names.LIMITS)}
    there = {(ref.type.kind, ref.name) for ref in world.objects if ref.namespace == namespace}
    return needed <= there and "pod-security.kubernetes.io/enforce" in labels


def unfenced_access(world: Simulation) -> list[str]:
    """Namespaces in which Ringfence gave access although the fence is not whole."""
    given = {
        ref.namespace
        for ref, thing in world.objects.items()
        if ref.type == ROLE_BINDING and thing.get("subjects") and ref in world.applied
    }
    return sorted(namespace for namespace in given if not fenced(world, namespace))


def _copy(thing: _ThingT) -> _ThingT:
    """A copy of something that JSON can say, ten times quicker than a copy of anything."""
    copied: _ThingT = orjson.loads(orjson.dumps(thing))
    return copied


def _keep(after: Object, before: Mapping[str, Any], name: str) -> None:
    if name in before:
        after.setdefault(name, before[name])


def _deleting(thing: Mapping[str, Any]) -> bool:
    return "deletionTimestamp" in thing["metadata"]


def _merge(target: dict[str, Any], patch: Mapping[str, Any]) -> None:
    """JSON merge patch, in place."""
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        elif isinstance(value, Mapping) and isinstance(target.get(name), dict):
            _merge(target[name], value)
        else:
            target[name] = _copy(value)


def _gone(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch that takes away what was applied before and is not any more."""
    patch: dict[str, Any] = {}
    for name, value in before.items():
        if name not in after:
            patch[name] = None
        elif isinstance(value, Mapping) and isinstance(after[name], Mapping):
            patch[name] = _gone(value, after[name])
    return patch


def _stable(thing: Mapping[str, Any]) -> Object:
    stable = _copy(dict(thing))
    for name in ("resourceVersion", "creationTimestamp", "generation", "uid"):
        stable["metadata"].pop(name, None)
    for condition in stable.get("status", {}).get("conditions", ()):
        condition.pop("lastTransitionTime", None)
    return stable
