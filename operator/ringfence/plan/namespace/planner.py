"""Namespace: from the object to its fenced core namespace.

Law: a Namespace is planned for as long as it stands; what it may not have is left out, never the fence.
"""

from dataclasses import replace
from datetime import datetime

from ringfence import names
from ringfence.model.namespace import NamespaceSpec
from ringfence.model.subject import Subject
from ringfence.plan import confirmations, episode, prune, stages, timers, verdict
from ringfence.plan.namespace import departure, gates, report
from ringfence.plan.namespace.desire import desire
from ringfence.plan.namespace.site import Site
from ringfence.plan.ownership import Ownership
from ringfence.plan.plan import Finalizer, Finding, Plan
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.plan.release import last_guardrail
from ringfence.plan.seen import Seen


def plan_namespace(namespace: Subject[NamespaceSpec], seen: Seen) -> Plan:
    """The plan for one Namespace object, with what a record needs: whose it is, and where."""
    return replace(
        _plan(namespace, seen),
        tenant=namespace.ref.namespace if seen.tenant else "",
        log=seen.tenant.meta.uid if seen.tenant else "platform",
        environment=namespace.spec.environment if namespace.spec else "",
        region=(namespace.spec.region or "") if namespace.spec else "",
        incidents=episode.incidents(seen.tenant, namespace),
        stale=confirmations.stale(namespace),
    )


def _plan(namespace: Subject[NamespaceSpec], seen: Seen) -> Plan:
    if namespace.meta.deleting:
        return departure.plan(namespace, seen)
    stop = gates.first_failure(namespace, seen)
    site = Site.of(namespace, seen)
    if stop is not None or site is None:
        return _refused(namespace, (stop,) if stop else (), seen)
    found = gates.failures(site, seen)
    if found and not site.stands:
        return _refused(namespace, found, seen)
    if site.owner.meta.deleting:
        return departure.plan_with_tenant_leaving(site, desire(site, seen), seen)
    return _reconciled(site, found, seen)


def _reconciled(site: Site, found: tuple[Finding, ...], seen: Seen) -> Plan:
    desired = desire(site, seen)
    surplus = prune.surplus(seen.live, desired.objects, site.standing)
    findings = (*_remarks(site, seen), *found, *desired.findings)
    until = report.pause(site, seen)
    return Plan(
        conditions=report.conditions(site, findings, seen),
        stages=stages.reconcile(desired.namespace, desired.fence, desired.access, surplus, seen.live),
        findings=findings,
        status=report.status(site, desired, len(surplus), seen),
        finalizer=Finalizer.HOLD,
        questions=desired.secrets.questions,
        look_again_at=timers.next_moment(seen.now, until, _recheck(findings, seen)),
        repair=until is None,
    )


def _refused(namespace: Subject[NamespaceSpec], found: tuple[Finding, ...], seen: Seen) -> Plan:
    """Nothing is written but the release of a Guardrail that is the last thing in a terminating namespace."""
    core = seen.cores.get(names.core_namespace(namespace.ref.namespace, namespace.name))
    return Plan(
        conditions=verdict.refused(found),
        stages=last_guardrail(core, seen.tenant, seen.live),
        findings=found,
    )


def _remarks(site: Site, seen: Seen) -> tuple[Finding, ...]:
    """What is worth a record before anything else is said."""
    core = site.place.core
    found: list[Finding] = []
    if site.ownership is Ownership.ADOPTABLE:
        found.append(Finding(Reason.ADOPTED, f"namespace {core} was taken over, as its annotation asks"))
    if site.quarantined:
        message = f"an incident is declared: namespace {core} is closed, its members read only"
        found.append(Finding(Reason.QUARANTINED, message))
    return tuple(found)


def _recheck(findings: tuple[Finding, ...], seen: Seen) -> datetime | None:
    """No event announces a Secret that Ringfence may not watch."""
    waiting = any(finding.condition is ConditionType.SECRETS_RESOLVED for finding in findings)
    return seen.now + timers.RECHECK if waiting else None
