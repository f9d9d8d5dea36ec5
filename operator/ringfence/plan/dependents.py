"""Whose plan may change when an object changes.

Law: waking one too many costs a look, waking one too few costs correctness; yet a change of status alone wakes only
those whose plan reads that status.
"""

from collections.abc import Iterable, Mapping

from ringfence import names
from ringfence.model.kinds import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    MODEL_ROUTE,
    NAMESPACE,
    RESOURCE_QUOTA,
    RETENTION_POLICY,
    SERVICE,
    SERVICE_ACCOUNT,
    TENANT,
    Ref,
    ResourceType,
)
from ringfence.plan import access, frontends
from ringfence.plan.namespace.peers import declared_by
from ringfence.plan.reasons import ConditionType
from ringfence.plan.seen import AnySubject, View
from ringfence.plan.tenant.status import is_ready

_HOME_KINDS = (NAMESPACE, MODEL_ROUTE, RETENTION_POLICY)


def of_subject(ref: Ref, before: AnySubject | None, after: AnySubject | None, view: View) -> frozenset[Ref]:
    """The objects to look at again, besides ``ref`` itself, when it went from ``before`` to ``after``."""
    if ref.type == TENANT:
        return _of_tenant(ref, before, after, view)
    tenant = Ref(TENANT, "", ref.namespace)
    if not _changed(before, after):
        ready = ref.type == NAMESPACE and before and after and is_ready(before) != is_ready(after)
        return frozenset({tenant} if ready else ())
    if ref.type == NAMESPACE:
        return frozenset(
            {
                tenant,
                *_siblings(ref, before, after, view),
                *_refs(view, MODEL_ROUTE, ref),
                *_refs(view, RETENTION_POLICY, ref),
            }
        )
    if ref.type == MODEL_ROUTE:
        return frozenset({tenant, *_refs(view, MODEL_ROUTE, ref)}) - {ref}
    return frozenset({tenant, *(each.ref for each in view.subjects(NAMESPACE, ref.namespace) if each.meta.deleting)})


def of_child(ref: Ref, labels: Mapping[str, str], view: View) -> frozenset[Ref]:
    """The objects to look at again when an object in a tenant namespace changed: whoever answers for it.

    What a home tells of the gateway is told again in each of the tenant's Namespaces. What the gateway was told to
    serve is what routes wait for, also where it changes no byte of its files: an environment may have no callers yet.
    A quota given back lets others have it; the Tenant divides anew and wakes those who wait. A revision is its route's,
    and what the Tenant's gateway serves. A tenant's own Service concerns nobody unless a provider names it: then all go
    by the port that it leads to.
    """
    owners = _owners(ref.namespace)
    tenant, _ = names.split_core_namespace(ref.namespace)
    ours = labels.get(names.MANAGED_BY_LABEL) == names.MANAGED_BY
    if ours and (ref.type == RESOURCE_QUOTA or _is_key(ref)):
        return owners | {Ref(TENANT, "", tenant)}
    if ours and ref.type == CONTROLLER_REVISION and names.ROUTE_LABEL in labels:
        return owners | {Ref(MODEL_ROUTE, tenant, labels[names.ROUTE_LABEL])}
    if is_tenants_own(ref, labels):
        return frozenset(_who_go_by(ref, tenant, view))
    if ref == Ref(CONFIG_MAP, tenant, names.GATEWAY_CONFIG_MAP):
        return owners.union(_refs(view, NAMESPACE, ref))
    if ref == Ref(CONFIG_MAP, tenant, names.GATEWAY_ROUTES):
        return owners.union(_unseen(view, tenant))
    return owners


def is_tenants_own(ref: Ref, labels: Mapping[str, str]) -> bool:
    """Whether a change of this object is no drift: people make it, where workloads run, as they like."""
    _, namespace = names.split_core_namespace(ref.namespace)
    return ref.type == SERVICE and bool(namespace) and labels.get(names.MANAGED_BY_LABEL) != names.MANAGED_BY


def _who_go_by(service: Ref, tenant: str, view: View) -> Iterable[Ref]:
    owner = view.subject(Ref(TENANT, "", tenant))
    if owner and owner.spec and service in frontends.services(tenant, owner.spec):
        yield owner.ref
        yield from (each.ref for kind in (NAMESPACE, MODEL_ROUTE) for each in view.subjects(kind, tenant))


def _is_key(ref: Ref) -> bool:
    """Whether it stands for a gateway key: the Tenant's gateway knows its uid."""
    return ref.type == SERVICE_ACCOUNT and names.is_gateway_key(ref.name)


def of_core_namespace(name: str, labels: Mapping[str, str]) -> frozenset[Ref]:
    """The objects to look at again when a core namespace came, changed or went: whoever wants that name."""
    tenant = labels.get(names.TENANT_LABEL) or names.split_core_namespace(name)[0]
    return _owners(name) | {Ref(TENANT, "", tenant)}


def _of_tenant(ref: Ref, before: AnySubject | None, after: AnySubject | None, view: View) -> frozenset[Ref]:
    if _changed(before, after) or _ready(before) != _ready(after):
        others = _who_name_workloads_of(ref.name, view) if before is None or after is None else ()
        return frozenset(each.ref for kind in _HOME_KINDS for each in view.subjects(kind, ref.name)).union(others)
    return frozenset(
        {*_waiting_for_budget(ref, before, after, view), *_waiting_for_the_gateway(ref, before, after, view)}
    )


def _waiting_for_budget(ref: Ref, before: AnySubject | None, after: AnySubject | None, view: View) -> Iterable[Ref]:
    if _allocated(before) == _allocated(after):
        return ()
    return (each.ref for each in view.subjects(NAMESPACE, ref.name) if _waits_for_budget(each))


def _waiting_for_the_gateway(
    ref: Ref, before: AnySubject | None, after: AnySubject | None, view: View
) -> Iterable[Ref]:
    """Routes whose revisions were not seen to be served; all of them where the gateway failed, or serves again."""
    if _gateway(before) == _gateway(after):
        return ()
    if _served(before) == _served(after):
        return _unseen(view, ref.name)
    return (each.ref for each in view.subjects(MODEL_ROUTE, ref.name))


def _unseen(view: View, tenant: str) -> Iterable[Ref]:
    """Routes of which something was not seen to be served."""
    return (each.ref for each in view.subjects(MODEL_ROUTE, tenant) if not is_seen_served(each))


def is_seen_served(route: AnySubject) -> bool:
    """Whether all that a route's status tells of was seen to be served."""
    environments = route.status.get("environments", ())
    return bool(environments) and all(each.get("served") == "True" for each in environments)


def _who_name_workloads_of(name: str, view: View) -> Iterable[Ref]:
    """Tenants that give rights to ServiceAccounts of the namespaces of a Tenant of that name, with their Namespaces."""
    for tenant in view.subjects(TENANT, ""):
        accounts = access.service_accounts(tenant.spec.access) if tenant.spec else ()
        if any(names.split_core_namespace(account.namespace)[0] == name for account in accounts):
            yield tenant.ref
            yield from (each.ref for each in view.subjects(NAMESPACE, tenant.name))


def _siblings(ref: Ref, before: AnySubject | None, after: AnySubject | None, view: View) -> Iterable[Ref]:
    """Peers that this Namespace names or that name it, and whoever waits for a share of the budget."""
    named = {peer for each in (before, after) if each is not None and each.spec for peer in declared_by(each.spec)}
    for sibling in view.subjects(NAMESPACE, ref.namespace):
        names_it = sibling.spec is not None and ref.name in declared_by(sibling.spec)
        if sibling.ref != ref and (sibling.name in named or names_it or _waits_for_budget(sibling)):
            yield sibling.ref


def _refs(view: View, kind: ResourceType, ref: Ref) -> Iterable[Ref]:
    return (each.ref for each in view.subjects(kind, ref.namespace))


def _owners(core: str) -> frozenset[Ref]:
    tenant, namespace = names.split_core_namespace(core)
    return frozenset({Ref(NAMESPACE, tenant, namespace) if namespace else Ref(TENANT, "", tenant)})


def _changed(before: AnySubject | None, after: AnySubject | None) -> bool:
    """Whether more than the status differs."""
    if before is None or after is None:
        return before is not after
    one, other = before.meta, after.meta
    return (one.uid, one.generation, one.deleting, one.annotations) != (
        other.uid,
        other.generation,
        other.deleting,
        other.annotations,
    )


def _ready(subject: AnySubject | None) -> tuple[str, str] | None:
    condition = _condition(subject, ConditionType.READY)
    return (condition["status"], condition["reason"]) if condition else None


def _waits_for_budget(namespace: AnySubject) -> bool:
    condition = _condition(namespace, ConditionType.BUDGET_EXCEEDED)
    return condition is not None and condition["status"] == "True"


def _condition(subject: AnySubject | None, kind: ConditionType) -> Mapping[str, str] | None:
    conditions = subject.status.get("conditions", ()) if subject else ()
    return next((condition for condition in conditions if condition["type"] == kind), None)


def _allocated(tenant: AnySubject | None) -> object:
    return tenant.status.get("budget") if tenant else None


def _gateway(tenant: AnySubject | None) -> object:
    return (tenant.status.get("gateway"), _condition(tenant, ConditionType.GATEWAY_READY)) if tenant else None


def _served(tenant: AnySubject | None) -> str:
    condition = _condition(tenant, ConditionType.GATEWAY_READY)
    return condition["status"] if condition else ""
