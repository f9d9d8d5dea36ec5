"""What is known of core namespaces: all of them by name and owner, those of tenants in full.

Law: a foreign namespace is known just well enough to refuse it.
"""

import re
import sys
from collections.abc import Mapping, Set
from typing import Final, Protocol

from ringfence import names
from ringfence.engine.children import Child, child_of
from ringfence.engine.managers import latest_managers
from ringfence.engine.reflector import Key
from ringfence.model.kinds import CORE_NAMESPACE, Ref, ResourceType
from ringfence.plan.seen import CoreNamespace
from ringfence.ports.cluster import Object

OURS: Final = "ringfence.dev/"
# The namespace controller's own words, in the condition NamespaceContentRemaining.
REMAINING: Final = re.compile(r"(\S+) has \d+ resource instances")


class NamespaceChanged(Protocol):
    """Called with what was and what is (``None``: not there), whoever changed it, and whether that was us."""

    def __call__(
        self, before: CoreNamespace | None, after: CoreNamespace | None, managers: tuple[str, ...], *, by: Ref | None
    ) -> None:
        """Note the change."""
        ...


def ref_of(name: str) -> Ref:
    """Return the reference of a core namespace."""
    return Ref(CORE_NAMESPACE, "", name)


class CoreNamespaces:
    """Core namespaces by name. Implements ``reflector.Store``."""

    def __init__(self, *, changed: NamespaceChanged) -> None:
        self._changed = changed
        self._all: dict[str, CoreNamespace] = {}
        self._children: dict[str, Child] = {}
        self._versions: dict[str, int] = {}
        self._of_tenant: dict[str, set[str]] = {}
        self._writing: dict[str, list[tuple[bool, Object]]] = {}

    def get(self, name: str) -> CoreNamespace | None:
        """Return one namespace, whoever's."""
        return self._all.get(name)

    def all_names(self) -> tuple[str, ...]:
        """Return the names of all of them."""
        return tuple(self._all)

    def child(self, name: str) -> Child | None:
        """Return a tenant's namespace as the object that plans compare with."""
        return self._children.get(name)

    def of_tenant(self, tenant: str) -> tuple[CoreNamespace, ...]:
        """Return those that carry the tenant's label, by name."""
        return tuple(self._all[name] for name in sorted(self._of_tenant.get(tenant, ())))

    def may_be_tenants(self, name: str) -> bool:
        """Answer whether objects in it are worth knowing: a tenant's namespace, or one not heard of yet."""
        known = self._all.get(name)
        return known is None or names.TENANT_LABEL in known.labels

    # --- from the API server

    def seen(self, kind: ResourceType, thing: Object) -> None:
        """Note a namespace from a list or a watch."""
        name = sys.intern(thing["metadata"]["name"])
        if name in self._writing:
            self._writing[name].append((True, thing))
            return
        before, agreed = self._all.get(name), self._children.get(name)
        if (version := int(thing["metadata"]["resourceVersion"])) <= self._versions.get(name, -1):
            if agreed and agreed.wrote_over(version):
                self._changed(before, before, latest_managers(thing), by=None)
            return
        after = self._put(name, thing)
        now = self._children.get(name)
        if before != after or (agreed and agreed.content) != (now and now.content):
            self._changed(before, after, latest_managers(thing), by=None)
        elif now and agreed:
            now.agreed = agreed.agreed

    def gone(self, kind: ResourceType, thing: Object) -> None:
        """Note a deletion."""
        name = thing["metadata"]["name"]
        if name in self._writing:
            self._writing[name].append((False, thing))
            return
        known = self._all.get(name)
        if known and known.uid == thing["metadata"]["uid"]:
            self._drop(name)
            self._changed(known, None, (), by=None)

    def listed(self, kind: ResourceType, keys: Set[Key], resource_version: int) -> None:
        """Forget what a list did not name, unless it is newer than the list."""
        for name, known in tuple(self._all.items()):
            if ("", name) not in keys and self._versions[name] <= resource_version:
                self._drop(name)
                self._changed(known, None, (), by=None)

    def serves(self, kind: ResourceType, *, served: bool) -> None:
        """Nothing to note: every API server serves namespaces."""

    # --- from our own writes

    def writing(self, name: str) -> None:
        """Hold back what the watch says until the write's answer tells echo from news."""
        self._writing.setdefault(name, [])

    def written(self, name: str, answer: Object | None, agreed: bytes = b"", *, by: Ref) -> None:
        """Note the answer to a write for ``by`` (``None``: it failed), then what the watch said meanwhile."""
        held = self._writing.pop(name, [])
        if answer is not None and "uid" in answer.get("metadata", ()):
            before, rested_on = self._all.get(name), self._versions.get(name, sys.maxsize)
            after = self._put(name, answer)
            if child := self._children.get(name):
                child.agreed = agreed
                child.rested_on = rested_on
            if before != after:
                self._changed(before, after, (), by=by)
        for there, thing in held:
            (self.seen if there else self.gone)(CORE_NAMESPACE, thing)

    # --- inside

    def _put(self, name: str, thing: Object) -> CoreNamespace:
        before = self._all.get(name)
        after = _core_namespace(name, thing)
        self._all[name] = after
        self._versions[name] = int(thing["metadata"]["resourceVersion"])
        if names.TENANT_LABEL in after.labels:
            self._children[name] = child_of(thing)
        else:
            self._children.pop(name, None)
        self._index(name, before, after)
        return after

    def _drop(self, name: str) -> None:
        self._index(name, self._all.pop(name, None), None)
        self._children.pop(name, None)
        self._versions.pop(name, None)

    def _index(self, name: str, before: CoreNamespace | None, after: CoreNamespace | None) -> None:
        if tenant := _tenant(before):
            self._of_tenant[tenant].discard(name)
            if not self._of_tenant[tenant]:
                del self._of_tenant[tenant]
        if tenant := _tenant(after):
            self._of_tenant.setdefault(tenant, set()).add(name)


def _tenant(namespace: CoreNamespace | None) -> str:
    return namespace.labels.get(names.TENANT_LABEL, "") if namespace else ""


def _core_namespace(name: str, thing: Object) -> CoreNamespace:
    metadata = thing["metadata"]
    labels: Mapping[str, str] = metadata.get("labels") or {}
    annotations: Mapping[str, str] = metadata.get("annotations") or {}
    return CoreNamespace(
        name=name,
        uid=metadata["uid"],
        labels=dict(labels) if names.TENANT_LABEL in labels else _ours(labels),
        annotations=_ours(annotations),
        deleting="deletionTimestamp" in metadata,
        remaining=_remaining(thing),
    )


def _ours(metadata: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in metadata.items() if key.startswith(OURS)}


def _remaining(thing: Object) -> tuple[str, ...]:
    for condition in thing.get("status", {}).get("conditions") or ():
        if condition["type"] == "NamespaceContentRemaining" and condition["status"] == "True":
            return tuple(sorted(found.rstrip(".") for found in REMAINING.findall(condition.get("message", ""))))
    return ()
