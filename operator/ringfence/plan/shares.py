"""A tenant's budget as its Namespaces share it.

Law: every Namespace of a tenant sees the same division; who is refused a place or an amount is decided by age alone.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import lru_cache

from ringfence import names
from ringfence.model.namespace import NamespaceSpec
from ringfence.model.subject import Subject
from ringfence.model.tenant import TenantSpec
from ringfence.plan.budget import Allocation, Claim, allocate
from ringfence.plan.ownership import Ownership, is_orphan, ownership, owns
from ringfence.plan.seen import Seen


def allocation(tenant: Subject[TenantSpec], spec: TenantSpec, seen: Seen) -> Allocation:
    """The division of the budget, over everything that was seen."""
    return _divide(_Shared(tenant, spec, seen))


class _Shared:
    """What a division rests on. All siblings share it, so it is told apart by the identity of its values.

    Whoever holds it holds the values too, so that nothing else can take their identity.
    """

    __slots__ = ("_key", "_values", "seen", "spec", "tenant")

    def __init__(self, tenant: Subject[TenantSpec], spec: TenantSpec, seen: Seen) -> None:
        self.tenant, self.spec = tenant, spec
        self.seen = replace(seen, live={}, answers={})
        self._values = (tenant, seen.namespaces, *seen.quotas.values(), *seen.cores.values())
        self._key = (tuple(seen.quotas), tuple(map(id, self._values)))

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Shared) and self._key == other._key


@lru_cache(maxsize=256)
def _divide(shared: _Shared) -> Allocation:
    claims = tuple(_claims(shared.tenant, shared.spec, shared.seen))
    return allocate(shared.spec.budget.hard, claims)


def crowded_out(tenant: Subject[TenantSpec], spec: TenantSpec, seen: Seen) -> frozenset[str]:
    """Namespace objects for which the budget has no place: those that have one keep it, then the oldest come first."""
    if len(seen.namespaces) + len(seen.cores) <= spec.budget.namespaces:
        return frozenset()
    standing = {each.name for each in seen.namespaces if _of(tenant, each.name, seen) is Ownership.OURS}
    waiting = [each.name for each in seen.namespaces if each.name not in standing and _counts(tenant, each, seen)]
    places = max(spec.budget.namespaces - len(standing) - len(_left(tenant, seen)), 0)
    return frozenset(waiting[places:])


def _left(tenant: Subject[TenantSpec], seen: Seen) -> frozenset[str]:
    """Namespaces that deleted objects of the tenant left behind: they take places until they are gone or adopted."""
    declared = {names.core_namespace(tenant.name, each.name) for each in seen.namespaces} | {tenant.name}
    mine = {core.name for core in seen.cores.values() if owns(core, tenant.name, tenant.meta.uid)}
    return frozenset(core.name for core in seen.cores.values() if is_orphan(core)) | (mine - declared)


def _claims(tenant: Subject[TenantSpec], spec: TenantSpec, seen: Seen) -> Iterator[Claim]:
    out = crowded_out(tenant, spec, seen)
    declared = set()
    for namespace in seen.namespaces:
        core = names.core_namespace(tenant.name, namespace.name)
        declared.add(core)
        asked = namespace.spec.quota.hard if namespace.spec else None
        if namespace.name in out or not _counts(tenant, namespace, seen):
            asked = None
        yield Claim(namespace.name, asked, seen.quotas.get(core, {}))
    yield from _strays(seen, declared)


def _strays(seen: Seen, declared: Collection[str]) -> Iterator[Claim]:
    """What is still granted to namespaces whose object is gone counts too."""
    for core, hard in sorted(seen.quotas.items()):
        if core not in declared:
            yield Claim(f"/{core}", None, hard)


def _counts(tenant: Subject[TenantSpec], namespace: Subject[NamespaceSpec], seen: Seen) -> bool:
    return not namespace.meta.deleting and _of(tenant, namespace.name, seen) is not Ownership.TAKEN


def _of(tenant: Subject[TenantSpec], namespace: str, seen: Seen) -> Ownership:
    core = seen.cores.get(names.core_namespace(tenant.name, namespace))
    return ownership(core, tenant.name, tenant.meta.uid)
