"""Everything that was seen, in one place: the view that planners look at.

Law: looking costs no call.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

import orjson

from ringfence import names
from ringfence.engine.children import Child, Children
from ringfence.engine.namespaces import CoreNamespaces
from ringfence.engine.promises import Promises, most
from ringfence.engine.subjects import Subjects
from ringfence.engine.writes import Write
from ringfence.model.kinds import CORE_NAMESPACE, RESOURCE_QUOTA, Ref, ResourceType
from ringfence.plan.seen import AnySubject, CoreNamespace, Live, Probed
from ringfence.ports.cluster import Object


class Cache:
    """Implements ``ringfence.plan.seen.View`` over the three stores."""

    def __init__(self, subjects: Subjects, namespaces: CoreNamespaces, children: Children) -> None:
        self._subjects = subjects
        self._namespaces = namespaces
        self._children = children
        self._promises = Promises()
        self._occupied: set[Ref] = set()
        self._probed: dict[str, Probed] = {}

    def subject(self, ref: Ref) -> AnySubject | None:
        """Return one of our custom resources."""
        return self._subjects.get(ref)

    def subjects(self, kind: ResourceType, namespace: str) -> tuple[AnySubject, ...]:
        """Return all of one kind in one home namespace, oldest first."""
        return self._subjects.all(kind, namespace)

    def core_namespace(self, name: str) -> CoreNamespace | None:
        """Return a core namespace, whoever's, or the one that is being made."""
        return self._namespaces.get(name) or self._promises.namespace(name)

    def core_namespaces_of(self, tenant: str) -> tuple[CoreNamespace, ...]:
        """Return those labelled with the tenant's name, those that are being made included."""
        known = self._namespaces.of_tenant(tenant)
        coming = [core for core in self._promises.namespaces_of(tenant) if self._namespaces.get(core.name) is None]
        return tuple(sorted((*known, *coming), key=lambda core: core.name)) if coming else known

    def live(self, namespace: str) -> Mapping[Ref, Live]:
        """Return every watched object in a namespace."""
        return self._children.live(namespace)

    def version(self, ref: Ref) -> int | None:
        """Return the version of a watched object without reading it, which may take milliseconds."""
        child = self._children.get(ref)
        return child.version if child else None

    def quota(self, namespace: str) -> Mapping[str, str] | None:
        """Return ``hard`` of the ResourceQuota that we keep in a namespace, or are about to write."""
        child = self._children.get(Ref(RESOURCE_QUOTA, namespace, names.QUOTA))
        return most(_hard(child.content) if child else None, self._promises.quota(namespace))

    def probed(self, tenant: str) -> Probed | None:
        """Return what the last look at a tenant's gateway found."""
        return self._probed.get(tenant)

    def look_found(self, tenant: str, found: Probed | None) -> bool:
        """Note a look at a tenant's gateway, ``None`` where it has none; answers whether that is news."""
        before = self._probed.pop(tenant, None)
        if found is not None:
            self._probed[tenant] = found
        return before != found

    # --- for writes

    def promise(self, subject: Ref, writes: Iterable[Write]) -> None:
        """Let everybody else's plans count on these writes of ``subject`` until they end."""
        self._promises.make(subject, writes)

    def promise_ends(self, subject: Ref) -> None:
        """Say that the writes of ``subject`` were made, or will not be."""
        self._promises.end(subject)

    def child(self, ref: Ref) -> Child | None:
        """Return what is known of an object that plans may ask for."""
        return self._namespaces.child(ref.name) if ref.type == CORE_NAMESPACE else self._children.get(ref)

    def occupied(self, ref: Ref) -> bool:
        """Answer whether an object of that name, which reflectors don't show, kept us from making it."""
        return ref in self._occupied

    def occupy(self, ref: Ref) -> None:
        """Note that there is such an object."""
        self._occupied.add(ref)

    def writing(self, ref: Ref) -> None:
        """Say that a write of ``ref`` begins."""
        if ref.type == CORE_NAMESPACE:
            self._namespaces.writing(ref.name)
        else:
            self._children.writing(ref)

    def written(self, ref: Ref, answer: Object | None, agreed: bytes = b"", *, by: Ref) -> None:
        """Note the answer to a write for the custom resource ``by``; ``None`` where it failed."""
        if answer is not None:
            self._occupied.discard(ref)
        if ref.type == CORE_NAMESPACE:
            self._namespaces.written(ref.name, answer, agreed, by=by)
        else:
            self._children.written(ref, answer, agreed, by=by)

    def removed(self, ref: Ref, answer: Object, *, by: Ref) -> None:
        """Note the answer to a deletion."""
        if ref.type == CORE_NAMESPACE:
            self._namespaces.written(ref.name, answer, by=by)
        else:
            self._children.removed(ref, answer, by=by)


@lru_cache(maxsize=4096)
def _hard(content: bytes) -> Mapping[str, str]:
    """Parse a quota once: every plan of a tenant's Namespaces adds up those of all its siblings."""
    hard: Mapping[str, str] = orjson.loads(content).get("spec", {}).get("hard", {})
    return hard
