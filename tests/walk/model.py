"""What must be there: a pure model of the cluster, told of each request that the API server took, and of no other.

Law: the planner decides in it as it decides in the operator, but here nothing fails, nothing is late and nobody dies.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from ringfence import names
from ringfence.model.kinds import (
    CERTIFICATE,
    CHILD_TYPES,
    CORE_NAMESPACE,
    EXTERNAL_SECRET,
    NETWORK_POLICY,
    PRIMARY_TYPES,
    ROLE_BINDING,
    Ref,
)
from ringfence.plan.reasons import ConditionType
from ringfence.plan.seen import Facts
from tests.simulation import Object, Simulation

KEPT: Final = tuple(kind for kind in CHILD_TYPES if kind not in (CERTIFICATE, EXTERNAL_SECRET))
"""What is compared in tenants' namespaces; nothing here serves ExternalSecrets."""
_GIVEN: Final = ("name", "namespace", "labels", "annotations", "uid", "creationTimestamp", "deletionTimestamp")
_LABELS: Final = ("ringfence.dev/", "pod-security.kubernetes.io/")
_TOLD_ELSEWHERE: Final = frozenset({ConditionType.LINEAGE_RECORDED})
"""Of the ledger, which a model does not have."""

Picture = Mapping[str, Any]
"""What is compared, by object: labels of namespaces, contents of what stands in them, finalizers and conditions."""


@dataclass
class Model:
    """The cluster as it must become."""

    facts: Facts
    world: Simulation = field(init=False)

    def __post_init__(self) -> None:
        """Begin with an empty cluster."""
        self.world = Simulation(facts=self.facts)

    def took(self, manifest: Mapping[str, Any]) -> None:
        """The API server stored this."""
        metadata = {key: value for key, value in manifest["metadata"].items() if key in _GIVEN}
        body = {key: value for key, value in manifest.items() if key not in ("metadata", "status")}
        self.world.put({**body, "metadata": metadata})

    def lost(self, ref: Ref) -> None:
        """The API server took the deletion of this."""
        self.world.delete(ref)
        self.world.collect()

    def settle(self) -> None:
        """Let the operator do all its work."""
        self.world.now = datetime.now(UTC)
        self.world.settle()

    def there(self, ref: Ref) -> Object | None:
        """An object as it must be."""
        return self.world.objects.get(ref)

    def picture(self) -> Picture:
        """What must be seen."""
        return picture(self.world.objects)


def picture(objects: Mapping[Ref, Mapping[str, Any]]) -> Picture:
    """What of these objects is compared."""
    return {str(ref): shown for ref, thing in objects.items() if (shown := _shown(ref, thing, objects)) is not None}


def _shown(ref: Ref, thing: Mapping[str, Any], objects: Mapping[Ref, Mapping[str, Any]]) -> Any:
    labels = thing["metadata"].get("labels", {})
    if ref.type == CORE_NAMESPACE:
        shown = {key: value for key, value in labels.items() if key.startswith(_LABELS)}
        return shown if _is_a_tenants(labels) else None
    if ref.type in PRIMARY_TYPES:
        return {"finalizers": sorted(thing["metadata"].get("finalizers", ())), "conditions": dict(_conditions(thing))}
    core = objects.get(Ref(CORE_NAMESPACE, "", ref.namespace), {}).get("metadata", {}).get("labels", {})
    ours = labels.get(names.MANAGED_BY_LABEL) == names.MANAGED_BY or ref.type in (NETWORK_POLICY, ROLE_BINDING)
    if not _is_a_tenants(core) or not ours:
        return None
    return {key: value for key, value in thing.items() if key not in ("apiVersion", "kind", "metadata", "status")}


def _is_a_tenants(labels: Mapping[str, str]) -> bool:
    """Whether a namespace is a tenant's; the canary's two only look so."""
    return labels.get(names.TENANT_LABEL, names.CANARY_TENANT) != names.CANARY_TENANT


def _conditions(thing: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    for each in thing.get("status", {}).get("conditions", ()):
        if each["type"] not in _TOLD_ELSEWHERE:
            yield each["type"], (each["status"], each["reason"])


def differences(wanted: Picture, found: Picture) -> list[str]:
    """What is missing, what is too much, and what is otherwise; the API server may add defaults."""
    missing = [f"missing: {name}" for name in sorted(wanted.keys() - found.keys())]
    surplus = [f"too much: {name}" for name in sorted(found.keys() - wanted.keys())]
    other = [
        f"{name}: wanted {wanted[name]}, found {found[name]}"
        for name in sorted(wanted.keys() & found.keys())
        if not _within(wanted[name], found[name])
    ]
    return [*missing, *surplus, *other]


def _within(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        return all(key in found and _within(value, found[key]) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(found, list):
        return len(wanted) == len(found) and all(map(_within, wanted, found))
    return bool(wanted == found)
