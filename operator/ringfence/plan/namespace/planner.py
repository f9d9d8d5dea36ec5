"""Namespace: from the object to its fenced core namespace.

Law: a Namespace is planned for as long as it stands; what it may not have is left out, never the fence.
"""

from dataclasses import replace

from ringfence.model.namespace import NamespaceSpec
from ringfence.model.subject import Subject
from ringfence.plan import prune, stages, timers, verdict
from ringfence.plan.difference import difference
from ringfence.plan.namespace import departure, gates
from ringfence.plan.namespace.desire import Desire, desire
from ringfence.plan.namespace.site import Site
from ringfence.plan.ownership import Ownership
from ringfence.plan.plan import Condition, Finalizer, Finding, Plan
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.plan.release import last_guardrail
from ringfence.plan.seen import Seen


def plan_namespace(namespace: Subject[NamespaceSpec], seen: Seen) -> Plan:
    """The plan for one Namespace object."""
    if namespace.meta.deleting:
        return _addressed(departure.plan(namespace, seen), namespace, seen)
    stop = gates.first_failure(namespace, seen)
    site = Site.of(namespace, seen)
    if stop is not None or site is None:
        return _addressed(_refused(namespace, (stop,) if stop else (), seen), namespace, seen)
    found = gates.failures(site, seen)
    if found and not site.stands:
        return _addressed(_refused(namespace, found, seen), namespace, seen)
    return _addressed(_reconciled(site, found, seen), namespace, seen)


def _reconciled(site: Site, found: tuple[Finding, ...], seen: Seen) -> Plan:
    if site.owner.meta.deleting:
        return departure.plan_with_tenant_leaving(site, desire(site, seen), seen)
    desired = desire(site, seen)
    surplus = prune.surplus(seen.live, desired.objects, quarantined=site.quarantined)
    paused = None if site.quarantined else timers.paused_until((site.subject.meta, site.owner.meta), seen.now)
    findings = (*_remarks(site, seen), *found, *desired.findings)
    return Plan(
        conditions=_conditions(site, findings, seen),
        stages=stages.reconcile(desired.namespace, desired.fence, desired.access, surplus, seen.live),
        findings=findings,
        status=_status(site, desired, len(surplus), seen, paused=paused is not None),
        finalizer=Finalizer.HOLD,
        questions=desired.secrets.questions,
        look_again_at=timers.next_moment(seen.now, paused),
        repair=paused is None,
    )


def _refused(namespace: Subject[NamespaceSpec], found: tuple[Finding, ...], seen: Seen) -> Plan:
    """Nothing is written but the release of a Guardrail that is the last thing in a terminating namespace."""
    core = seen.cores.get(f"{namespace.ref.namespace}-{namespace.name}")
    good = {ConditionType.ACCEPTED: (Reason.RESOLVED, "everything that is referenced is there")}
    wrong = {finding.condition for finding in found}
    asserted = {kind: text for kind, text in good.items() if kind in wrong}
    return Plan(
        conditions=verdict.conditions(found, ready="", asserted=asserted),
        stages=last_guardrail(core, seen.tenant, seen.live),
        findings=found,
    )


def _remarks(site: Site, seen: Seen) -> tuple[Finding, ...]:
    refused = timers.refused_pause(site.subject.meta, seen.now)
    if site.ownership is Ownership.ADOPTABLE:
        adopted = Finding(Reason.ADOPTED, f"namespace {site.place.core} was taken over, as its annotation asks")
        return (adopted, refused) if refused else (adopted,)
    return (refused,) if refused else ()


def _conditions(site: Site, findings: tuple[Finding, ...], seen: Seen) -> tuple[Condition, ...]:
    core = site.place.core
    if site.quarantined:
        message = f"an incident is declared: namespace {core} is closed, its members read only"
        findings = (Finding(Reason.QUARANTINED, message), *findings)
    asserted = {
        ConditionType.ACCEPTED: (Reason.RESOLVED, "everything that is referenced is granted"),
        ConditionType.ISOLATED: (Reason.FENCED, f"the fence of namespace {core} stands"),
        ConditionType.SECRETS_RESOLVED: (Reason.RESOLVED, "every secret reference points to something that exists"),
        ConditionType.BUDGET_EXCEEDED: (Reason.WITHIN_BUDGET, _within_budget(site)),
    }
    paused = timers.paused_until((site.subject.meta, site.owner.meta), seen.now)
    return verdict.conditions(
        findings,
        ready=f"namespace {core} is as wanted",
        asserted=asserted,
        others=(_rotation(site, seen), None if site.quarantined else timers.paused(paused)),
    )


def _within_budget(site: Site) -> str:
    unasked = sorted(set(site.tenant.budget.hard) - set(site.spec.quota.hard))
    closed = f"; not asked for, therefore 0: {', '.join(unasked)}" if unasked else ""
    return f"the asked quota is granted{closed}"


def _rotation(site: Site, seen: Seen) -> Condition | None:
    return timers.due(
        ConditionType.ROTATION_DUE,
        (
            timers.Deadline(f"secret {each.name} is to be rotated every {each.rotate_every}; its age is unknown", None)
            for each in site.spec.secrets
            if each.rotate_every
        ),
        seen.now,
    )


def _status(site: Site, desired: Desire, surplus: int, seen: Seen, *, paused: bool) -> dict[str, object]:
    children = desired.objects
    drifted = 0
    if paused:
        live = (seen.live.get(child.ref) for child in children[1:])
        pairs = zip(children[1:], live, strict=True)
        drifted = surplus + sum(
            found is None or bool(difference(child.manifest, found.content)) for child, found in pairs
        )
    return {
        "coreNamespace": site.place.core,
        "children": {"applied": len(children) - min(drifted, len(children)), "drifted": drifted},
    }


def _addressed(plan: Plan, namespace: Subject[NamespaceSpec], seen: Seen) -> Plan:
    """The plan with what a record needs: whose it is, and where."""
    return replace(
        plan,
        tenant=namespace.ref.namespace if seen.tenant else "",
        log=seen.tenant.meta.uid if seen.tenant else "platform",
        environment=namespace.spec.environment if namespace.spec else "",
        region=(namespace.spec.region or "") if namespace.spec else "",
    )
