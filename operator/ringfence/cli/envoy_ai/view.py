"""One tenant as the cluster has it now: what the operator would look at, read for once.

Law: what decides is the operator's own planner, which looks at this as it looks at its cache.
"""

from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any, Final

from ringfence import names
from ringfence.adapters.kubernetes.calls import Calls
from ringfence.engine.children import child_of
from ringfence.model.kinds import CONTROLLER_REVISION, CORE_NAMESPACE, SERVICE, SERVICE_ACCOUNT, Ref, ResourceType
from ringfence.model.parse import parse
from ringfence.plan.seen import AnySubject, CoreNamespace, Live, Probed

_READ: Final = (CONTROLLER_REVISION, SERVICE, SERVICE_ACCOUNT)
"""Of the objects in tenants' namespaces, those that a gateway is composed of."""


class ClusterView:
    """Implements ``ringfence.plan.seen.View`` by calls."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self.live = cache(self._live)
        self.subjects = cache(self._subjects)

    def subject(self, ref: Ref) -> AnySubject | None:
        """One of our custom resources."""
        raw = self._calls.get(ref.path)
        return None if raw is None else parse(raw)

    def core_namespace(self, name: str) -> CoreNamespace | None:
        """A core namespace by name, ours or not."""
        return self._namespaces.get(name)

    def core_namespaces_of(self, tenant: str) -> tuple[CoreNamespace, ...]:
        """All core namespaces labelled with the tenant's name, sorted by name."""
        found = (each for each in self._namespaces.values() if each.labels.get(names.TENANT_LABEL) == tenant)
        return tuple(sorted(found, key=lambda each: each.name))

    def probed(self, tenant: str) -> Probed | None:
        """Nobody looks at a gateway that somebody else runs."""
        return None

    def quota(self, namespace: str) -> Mapping[str, str] | None:
        """What is granted decides nothing here."""
        return None

    def _subjects(self, kind: ResourceType, namespace: str) -> tuple[AnySubject, ...]:
        """All custom resources of one kind in one home namespace, oldest first."""
        found = (
            parse({**item, "apiVersion": kind.api_version, "kind": kind.kind}) for item in self._items(kind, namespace)
        )
        return tuple(sorted(found, key=lambda each: each.age_key))

    def _live(self, namespace: str) -> Mapping[Ref, Live]:
        return {
            (ref := Ref(kind, namespace, item["metadata"]["name"])): child_of({**item, "kind": kind.kind}).live(ref)
            for kind in _READ
            for item in self._items(kind, namespace)
        }

    @cached_property
    def _namespaces(self) -> dict[str, CoreNamespace]:
        return {each["metadata"]["name"]: _core(each["metadata"]) for each in self._items(CORE_NAMESPACE, None)}

    def _items(self, kind: ResourceType, namespace: str | None) -> list[dict[str, Any]]:
        return list((self._calls.get(kind.collection_path(namespace)) or {"items": ()})["items"])


def _core(metadata: Mapping[str, Any]) -> CoreNamespace:
    return CoreNamespace(
        name=metadata["name"],
        uid=metadata["uid"],
        labels=metadata.get("labels", {}),
        annotations=metadata.get("annotations", {}),
        deleting="deletionTimestamp" in metadata,
    )
