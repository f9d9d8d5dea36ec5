"""The end of a Tenant, as its deletion policy says.

Law: access goes first, everywhere. Retain leaves all namespaces fenced and disowned; Delete removes the core
namespaces, then the home, unless data would be lost that nobody confirmed to lose, or a legal hold stands.
"""

from ringfence.model.subject import Subject
from ringfence.model.tenant import TenantSpec
from ringfence.plan import orphan, stages, timers, verdict
from ringfence.plan.destruction import Judgement, destruction_is_confirmed
from ringfence.plan.ownership import owns
from ringfence.plan.place import Place
from ringfence.plan.plan import Finalizer, Finding, Plan, Stage
from ringfence.plan.reasons import Reason
from ringfence.plan.release import last_guardrail
from ringfence.plan.seen import CoreNamespace, Seen


def plan(tenant: Subject[TenantSpec], seen: Seen) -> Plan:
    """The plan for a Tenant object that is being deleted. A Tenant that can't be read is retained."""
    owned = tuple(core for _, core in sorted(seen.cores.items()) if owns(core, tenant.name, tenant.meta.uid))
    if not owned:
        finding = Finding(Reason.DELETING, "no namespace is left")
        return Plan(conditions=verdict.summary((finding,)), finalizer=Finalizer.RELEASE)
    leaving = tuple(core for core in owned if core.deleting)
    standing = tuple(core for core in owned if not core.deleting)
    if tenant.spec is None or tenant.spec.deletion_policy == "Retain":
        return _retained(tenant, standing, leaving, seen)
    return _removed(tenant, standing, leaving, seen)


def _retained(
    tenant: Subject[TenantSpec], standing: tuple[CoreNamespace, ...], leaving: tuple[CoreNamespace, ...], seen: Seen
) -> Plan:
    steps = (*orphan.leave(tenant, standing, seen.live), *_last_guardrails(tenant, leaving, seen))
    withdrawing = orphan.has_access(standing, seen.live)
    kept = "" if withdrawing else ", ".join(core.name for core in standing)
    findings = (Finding(Reason.ORPHANED, f"these namespaces stay, fenced and without access: {kept}"),) if kept else ()
    return Plan(
        conditions=verdict.summary((_deleting(leaving or standing),)),
        stages=_some(steps),
        findings=findings,
        finalizer=Finalizer.HOLD if leaving or withdrawing else Finalizer.RELEASE,
        look_again_at=seen.now + orphan.SETTLING if withdrawing else None,
    )


def _removed(
    tenant: Subject[TenantSpec], standing: tuple[CoreNamespace, ...], leaving: tuple[CoreNamespace, ...], seen: Seen
) -> Plan:
    judgement = destruction_is_confirmed(tenant, standing, None, seen) if standing else None
    if judgement is not None and judgement.finding is not None:
        return Plan(
            conditions=verdict.summary((judgement.finding,)),
            stages=_some((*_withdrawn(judgement, seen), *_last_guardrails(tenant, leaving, seen))),
            findings=(judgement.finding,),
            finalizer=Finalizer.HOLD,
            questions=judgement.questions,
            look_again_at=seen.now + timers.RECHECK,
        )
    workloads = tuple(core for core in standing if core.name != tenant.name)
    next_ = workloads or (standing if not leaving else ())  # the home goes when nothing else is left
    steps = (
        stages.withdraw_bindings(seen.live),
        Stage("remove", delete=tuple(_place(tenant, core).ref for core in next_)),
        *_last_guardrails(tenant, leaving, seen),
    )
    return Plan(
        conditions=verdict.summary((_deleting((*standing, *leaving)),)),
        stages=_some(steps),
        finalizer=Finalizer.HOLD,
        questions=judgement.questions if judgement else (),
    )


def _withdrawn(judgement: Judgement, seen: Seen) -> tuple[Stage, ...]:
    """In an incident nobody waits for its end with the access that he had."""
    return (stages.withdraw_bindings(seen.live),) if judgement.frozen else ()


def _last_guardrails(tenant: Subject[TenantSpec], leaving: tuple[CoreNamespace, ...], seen: Seen) -> tuple[Stage, ...]:
    return tuple(stage for core in leaving for stage in last_guardrail(core, tenant, seen.live))


def _place(tenant: Subject[TenantSpec], core: CoreNamespace) -> Place:
    return Place(tenant.name, tenant.meta.uid, core.name)


def _deleting(cores: tuple[CoreNamespace, ...]) -> Finding:
    return Finding(Reason.DELETING, f"waiting for namespaces: {', '.join(core.name for core in cores)}")


def _some(steps: tuple[Stage, ...]) -> tuple[Stage, ...]:
    return tuple(step for step in steps if step.apply or step.delete or step.release)
