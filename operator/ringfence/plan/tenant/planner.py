"""Tenant: from the object to its home namespace.

Law: a Tenant answers for its home namespace; what stands in its Namespaces is theirs, until it is deleted.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from ringfence.model.kinds import CONTROLLER_REVISION, Ref
from ringfence.model.subject import Subject
from ringfence.model.tenant import TenantSpec
from ringfence.plan import access, confirmations, episode, orphan, prune, ranges, stages, timers, verdict
from ringfence.plan.modelroute.history import route_of
from ringfence.plan.ownership import Ownership, ownership, owns
from ringfence.plan.place import Place
from ringfence.plan.plan import Condition, Finalizer, Finding, Plan, Stage
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.plan.release import last_guardrail
from ringfence.plan.seen import CoreNamespace, Live, Seen
from ringfence.plan.tenant import departure, gates
from ringfence.plan.tenant.desire import desire
from ringfence.plan.tenant.reviews import dates, reviews
from ringfence.plan.tenant.status import status


def plan_tenant(tenant: Subject[TenantSpec], seen: Seen) -> Plan:
    """The plan for one Tenant object."""
    if tenant.meta.deleting:
        plan = departure.plan(tenant, seen)
    elif (stop := gates.first_failure(tenant, seen)) is not None or tenant.spec is None:
        plan = _refused(tenant, (stop,) if stop else (), seen)
    else:
        plan = _reconciled(tenant, tenant.spec, seen)
    region = tenant.spec.residency.regions[0] if tenant.spec and tenant.spec.residency else ""
    return replace(
        plan,
        tenant=tenant.name,
        log=tenant.meta.uid,
        region=region,
        incidents=episode.incidents(tenant),
        stale=confirmations.stale(tenant),
    )


def _reconciled(tenant: Subject[TenantSpec], spec: TenantSpec, seen: Seen) -> Plan:
    quarantined = spec.isolation == "Quarantined"
    desired = desire(Place.home(tenant.name, tenant.meta.uid), tenant, access.granted(spec, seen.foreign), seen)
    gateway = desired.gateway
    home = _home(tenant, seen)
    surplus = prune.surplus(home, desired.objects, prune.Standing(quarantined=quarantined))
    paused = None if quarantined else timers.paused_until((tenant.meta,), seen.now)
    findings = (*_findings(tenant, spec, seen), *gateway.findings)
    moments = (paused, _settled(tenant, seen), gateway.next_change, *dates(tenant, spec))
    return Plan(
        conditions=_conditions(tenant, spec, findings, gateway.condition, seen),
        stages=(
            *gateway.stopping,
            *stages.reconcile(desired.namespace, desired.fence, desired.access, surplus, home, gateway=gateway.stages),
            *_forsaken(tenant, seen),
        ),
        findings=findings,
        status=status(tenant, spec, seen) | _gateway(tenant, gateway.status),
        finalizer=Finalizer.HOLD,
        questions=gateway.questions,
        look_again_at=timers.next_moment(seen.now, *moments),
        configuration=gateway.configuration,
        repair=paused is None,
    )


def _home(tenant: Subject[TenantSpec], seen: Seen) -> dict[Ref, Live]:
    """What stands in the home namespace and is the Tenant's to keep: routes answer for their own revisions."""
    routes = {route.name for route in seen.routes}
    inside = ((ref, live) for ref, live in seen.live.items() if ref.namespace == tenant.name)
    return {ref: live for ref, live in inside if ref.type != CONTROLLER_REVISION or route_of(live) not in routes}


def _refused(tenant: Subject[TenantSpec], found: tuple[Finding, ...], seen: Seen) -> Plan:
    return Plan(
        conditions=verdict.refused(found),
        stages=(*last_guardrail(seen.cores.get(tenant.name), tenant, seen.live), *_forsaken(tenant, seen)),
        findings=found,
    )


def _forsaken(tenant: Subject[TenantSpec], seen: Seen) -> tuple[Stage, ...]:
    """Nobody else answers for namespaces whose Namespace object is gone.

    Terminating ones still hold their Guardrail. Others were left by somebody who took the finalizer off by force; they
    are retained, whatever the Tenant says: nobody confirmed that they should be destroyed.
    """
    forsaken = _undeclared(tenant, seen)
    left = orphan.leave(tenant, _left(tenant, seen), seen.live)
    return (*(stage for core in forsaken for stage in last_guardrail(core, tenant, seen.live)), *left)


def _undeclared(tenant: Subject[TenantSpec], seen: Seen) -> tuple[CoreNamespace, ...]:
    declared = {f"{tenant.name}-{namespace.name}" for namespace in seen.namespaces} | {tenant.name}
    return tuple(core for name, core in sorted(seen.cores.items()) if name not in declared)


def _left(tenant: Subject[TenantSpec], seen: Seen) -> tuple[CoreNamespace, ...]:
    uid = tenant.meta.uid
    return tuple(core for core in _undeclared(tenant, seen) if not core.deleting and owns(core, tenant.name, uid))


def _settled(tenant: Subject[TenantSpec], seen: Seen) -> datetime | None:
    """When to look whether the access to what was left is gone."""
    return seen.now + orphan.SETTLING if orphan.has_access(_left(tenant, seen), seen.live) else None


def _findings(tenant: Subject[TenantSpec], spec: TenantSpec, seen: Seen) -> tuple[Finding, ...]:
    found = list(ranges.refusals(spec.network.egress, seen.facts))
    if left := [core.name for core in _left(tenant, seen)]:
        message = f"no Namespace object speaks for {', '.join(left)}; these namespaces stay, fenced and without access"
        found.append(Finding(Reason.ORPHANED, message))
    if refused := access.refused_workloads(spec, seen.foreign):
        message = (
            f"{', '.join(refused)}: ServiceAccounts of tenants' namespaces get no rights; name people or a platform's"
        )
        found.append(Finding(Reason.WORKLOAD_REFUSED, message, ConditionType.ACCEPTED))
    if ownership(seen.cores.get(tenant.name), tenant.name, tenant.meta.uid) is Ownership.ADOPTABLE:
        found.append(Finding(Reason.ADOPTED, f"namespace {tenant.name} was taken over, as its annotation asks"))
    if spec.isolation == "Quarantined":
        why = f"{spec.incident.id}: {spec.incident.reason}" if spec.incident else "an incident is declared"
        message = f"{why}; every namespace of Tenant {tenant.name} is closed, its members read only"
        found.append(Finding(Reason.QUARANTINED, message))
    return tuple(found)


def _conditions(
    tenant: Subject[TenantSpec],
    spec: TenantSpec,
    findings: tuple[Finding, ...],
    gateway: Condition | None,
    seen: Seen,
) -> tuple[Condition, ...]:
    paused = None if spec.isolation == "Quarantined" else timers.paused_until((tenant.meta,), seen.now)
    return verdict.conditions(
        findings,
        ready=f"home namespace {tenant.name} is as wanted",
        asserted={
            ConditionType.ACCEPTED: (Reason.RESOLVED, "everything that the spec asks for is granted"),
        },
        others=(
            verdict.isolated(tenant.name, paused=paused is not None, enforcement=seen.facts.enforcement),
            gateway,
            *reviews(tenant, spec, seen.now),
            timers.paused(paused, timers.refused_pause(tenant.meta, seen.now)),
        ),
    )


def _gateway(tenant: Subject[TenantSpec], told: Mapping[str, Any]) -> dict[str, Any]:
    """The gateway's part of the status; what it said of a gateway that is no more goes."""
    return {"gateway": told} if told or tenant.status.get("gateway") else {}
