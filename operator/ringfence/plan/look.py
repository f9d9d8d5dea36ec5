"""Gather what one plan rests on from the engine's cache.

Law: it reads everything that the planner of this kind may need, once, and decides nothing.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from ringfence import names
from ringfence.model.kinds import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    MODEL_ROUTE,
    NAMESPACE,
    RETENTION_POLICY,
    SERVICE_ACCOUNT,
    TENANT,
    Ref,
)
from ringfence.plan import access, frontends
from ringfence.plan.children import gateway_routes
from ringfence.plan.modelroute.history import is_revision_of
from ringfence.plan.ownership import is_orphan, owns
from ringfence.plan.seen import Answer, AnySubject, CoreNamespace, Facts, Live, Question, Seen, View


def look(
    ref: Ref, view: View, *, now: datetime, facts: Facts, answers: Mapping[Question, Answer]
) -> tuple[AnySubject | None, Seen]:
    """The object that ``ref`` names (None where it is gone) and its neighbourhood."""
    subject = view.subject(ref)
    home = ref.name if ref.type == TENANT else ref.namespace
    tenant = view.subject(Ref(TENANT, "", home))
    namespaces = view.subjects(NAMESPACE, home)
    cores = _cores(view, home, namespaces)
    seen = Seen(
        now=now,
        facts=facts,
        tenant=tenant,
        namespaces=namespaces,
        routes=view.subjects(MODEL_ROUTE, home) if ref.type in (TENANT, MODEL_ROUTE) else (),
        policies=view.subjects(RETENTION_POLICY, home),
        cores=cores,
        live=_live(ref, view, tenant, namespaces, cores.values()),
        foreign=_foreign(view, tenant),
        quotas=_quotas(view, tenant, cores.values()) if ref.type in (TENANT, NAMESPACE) else {},
        answers=answers,
        probed=view.probed(home) if ref.type in (TENANT, MODEL_ROUTE) else None,
        gateway=_gateway(view, home) if ref.type == NAMESPACE else {},
        keys=_keys(view, cores.values()) if ref.type == TENANT else {},
        services=_services(view, tenant),
    )
    return subject, seen


def _cores(view: View, home: str, namespaces: Iterable[AnySubject]) -> dict[str, CoreNamespace]:
    """Every core namespace of the tenant by label and name, and those whose names it wants, whoever has them.

    A namespace that carries the label and can't be the tenant's by its name is left out: nothing is done to it.
    """
    labelled = view.core_namespaces_of(home)
    cores = {core.name: core for core in labelled if names.split_core_namespace(core.name)[0] == home}
    wanted = (home, *(names.core_namespace(home, namespace.name) for namespace in namespaces))
    others = (view.core_namespace(name) for name in wanted if name not in cores)
    return cores | {core.name: core for core in others if core is not None}


def _foreign(view: View, tenant: AnySubject | None) -> frozenset[str]:
    """Namespaces of other tenants, orphaned ones too, whose ServiceAccounts the Tenant names."""
    if tenant is None or tenant.spec is None:
        return frozenset()
    named = {account.namespace for account in access.service_accounts(tenant.spec.access)}
    return frozenset(name for name in named if _is_a_tenants(view, name))


def _is_a_tenants(view: View, name: str) -> bool:
    core = view.core_namespace(name)
    owner = Ref(TENANT, "", names.split_core_namespace(name)[0])
    return view.subject(owner) is not None or (core is not None and names.TENANT_LABEL in core.labels)


def _live(
    ref: Ref,
    view: View,
    tenant: AnySubject | None,
    namespaces: Iterable[AnySubject],
    cores: Iterable[CoreNamespace],
) -> Mapping[Ref, Live]:
    """Objects of the namespaces that ``ref`` answers for.

    One's own; a Tenant's home, what has no Namespace object (any more), and everything when the Tenant is deleted. Of a
    route its revisions, and what the gateway is told to serve.
    """
    if ref.type == MODEL_ROUTE:
        return _of_route(ref, view.live(ref.namespace))
    if ref.type == NAMESPACE:
        return view.live(names.core_namespace(ref.namespace, ref.name))
    if ref.type != TENANT:
        return {}
    live = dict(view.live(ref.name))
    declared = {names.core_namespace(ref.name, namespace.name) for namespace in namespaces}
    for core in cores:
        leaving = core.deleting or core.name not in declared or (tenant is not None and tenant.meta.deleting)
        if core.name != ref.name and leaving:
            live.update(view.live(core.name))
    return live


def _of_route(route: Ref, home: Mapping[Ref, Live]) -> dict[Ref, Live]:
    """Looked up by name: a home namespace has thousands of revisions, and only what is asked for is parsed."""
    mine = [ref for ref in home if ref.type == CONTROLLER_REVISION and is_revision_of(route.name, ref.name)]
    told = gateway_routes.ref(route.namespace)
    return {ref: home[ref] for ref in (*mine, *((told,) if told in home else ()))}


def _keys(view: View, cores: Iterable[CoreNamespace]) -> dict[str, Mapping[str, str]]:
    """Uids of the ServiceAccounts of gateway keys; a Namespace's own plan says which of them are wanted."""
    return {core.name: found for core in cores if (found := _keys_in(view.live(core.name)))}


def _keys_in(live: Mapping[Ref, Live]) -> dict[str, str]:
    keys = [ref for ref in live if ref.type == SERVICE_ACCOUNT and names.is_gateway_key(ref.name)]
    return {ref.name: live[ref].uid for ref in keys if live[ref].ours and not live[ref].deleting}


def _services(view: View, tenant: AnySubject | None) -> dict[Ref, Live]:
    """Those that the Tenant's providers name."""
    wanted = frontends.services(tenant.name, tenant.spec) if tenant and tenant.spec else frozenset()
    found = ((ref, view.live(ref.namespace).get(ref)) for ref in wanted)
    return {ref: live for ref, live in found if live is not None}


def _gateway(view: View, home: str) -> Mapping[str, str]:
    """What the home namespace tells of the gateway; Namespaces tell their workloads the same."""
    told = view.live(home).get(Ref(CONFIG_MAP, home, names.GATEWAY_CONFIG_MAP))
    return told.content.get("data", {}) if told and told.ours else {}


def _quotas(view: View, tenant: AnySubject | None, cores: Iterable[CoreNamespace]) -> dict[str, Mapping[str, str]]:
    """Quotas of the tenant's own namespaces but the home, and of those that it left behind: what runs there still runs.

    Without a budget nobody asks for them.
    """
    if tenant is None or tenant.spec is None or not tenant.spec.budget.hard:
        return {}
    counted = (core.name for core in cores if is_orphan(core) or owns(core, tenant.name, tenant.meta.uid))
    found = ((name, view.quota(name)) for name in counted if name != tenant.name)
    return {name: hard for name, hard in found if hard is not None}
