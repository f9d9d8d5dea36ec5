"""Gather what one plan rests on from the engine's cache.

Law: it reads everything that the planner of this kind may need, once, and decides nothing.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from ringfence import names
from ringfence.model.kinds import MODEL_ROUTE, NAMESPACE, RESOURCE_QUOTA, RETENTION_POLICY, TENANT, Ref
from ringfence.plan.ownership import owns
from ringfence.plan.seen import AnySubject, CoreNamespace, Existence, Facts, Live, Question, Seen, View


def look(
    ref: Ref, view: View, *, now: datetime, facts: Facts, answers: Mapping[Question, Existence | int]
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
        quotas=_quotas(view, tenant, cores.values()) if ref.type in (TENANT, NAMESPACE) else {},
        answers=answers,
    )
    return subject, seen


def _cores(view: View, home: str, namespaces: Iterable[AnySubject]) -> dict[str, CoreNamespace]:
    declared = (names.core_namespace(home, namespace.name) for namespace in namespaces)
    found = (view.core_namespace(name) for name in (home, *declared))
    known = {core.name: core for core in found if core is not None}
    return known | {core.name: core for core in view.core_namespaces_of(home)}


def _live(
    ref: Ref,
    view: View,
    tenant: AnySubject | None,
    namespaces: Iterable[AnySubject],
    cores: Iterable[CoreNamespace],
) -> Mapping[Ref, Live]:
    """Objects of the namespaces that ``ref`` answers for.

    One's own; a Tenant's home, what has no Namespace object (any more), and everything when the Tenant is deleted.
    """
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


def _quotas(view: View, tenant: AnySubject | None, cores: Iterable[CoreNamespace]) -> dict[str, Mapping[str, str]]:
    if tenant is None:
        return {}
    refs = (
        (core, Ref(RESOURCE_QUOTA, core.name, names.QUOTA))
        for core in cores
        if owns(core, tenant.name, tenant.meta.uid)
    )
    found = ((core.name, view.live(core.name).get(ref)) for core, ref in refs if core.name != tenant.name)
    return {name: _hard(quota.content) for name, quota in found if quota is not None}


def _hard(content: Mapping[str, Any]) -> Mapping[str, str]:
    hard: Mapping[str, str] = content.get("spec", {}).get("hard", {})
    return hard
