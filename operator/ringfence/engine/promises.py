"""What runs under way are about to make: it counts as made, so that no two of them divide the same budget.

Law: a promise is made in the moment in which its plan is made, and ends with its run.
"""

from collections.abc import Iterable, Mapping

from ringfence import names
from ringfence.engine.writes import Write
from ringfence.model.kinds import CORE_NAMESPACE, RESOURCE_QUOTA, Ref
from ringfence.model.quantity import Quantity
from ringfence.plan.seen import CoreNamespace


class Promises:
    """Core namespaces and quotas that are being written, by the object that they are written for."""

    def __init__(self) -> None:
        self._namespaces: dict[Ref, CoreNamespace] = {}
        self._quotas: dict[Ref, tuple[str, Mapping[str, str]]] = {}

    def make(self, subject: Ref, writes: Iterable[Write]) -> None:
        """Promise what these writes will have made of a namespace and its quota."""
        for write in writes:
            if write.manifest is None:
                continue
            if write.ref.type == CORE_NAMESPACE:
                labels = write.manifest["metadata"]["labels"]
                self._namespaces[subject] = CoreNamespace(write.ref.name, "", labels)
            elif write.ref.type == RESOURCE_QUOTA:
                self._quotas[subject] = (write.ref.namespace, write.manifest["spec"]["hard"])

    def end(self, subject: Ref) -> None:
        """Forget what was promised for ``subject``: it is there by now, or it failed."""
        self._namespaces.pop(subject, None)
        self._quotas.pop(subject, None)

    def namespace(self, name: str) -> CoreNamespace | None:
        """The core namespace as it will be."""
        return next((core for core in self._namespaces.values() if core.name == name), None)

    def namespaces_of(self, tenant: str) -> tuple[CoreNamespace, ...]:
        """The core namespaces that will carry the tenant's label."""
        return tuple(core for core in self._namespaces.values() if core.labels.get(names.TENANT_LABEL) == tenant)

    def quota(self, namespace: str) -> Mapping[str, str] | None:
        """The amounts that a namespace will have."""
        return next((hard for place, hard in self._quotas.values() if place == namespace), None)


def most(live: Mapping[str, str] | None, promised: Mapping[str, str] | None) -> Mapping[str, str] | None:
    """The greater amount of each resource: a grant that shrinks counts until it has shrunk, one that grows at once."""
    if live is None or promised is None:
        return promised if live is None else live
    grown = {name: amount for name, amount in promised.items() if _exceeds(amount, live.get(name))}
    return {**live, **grown} if grown else live


def _exceeds(amount: str, other: str | None) -> bool:
    return other is None or Quantity.parse(amount) > Quantity.parse(other)
