"""The end of a Namespace, as its Tenant's deletion policy says.

Law: access goes first. Retain leaves the namespace fenced and disowned; Delete removes it, unless data would be lost
that nobody confirmed to lose, or a legal hold stands. A Guardrail goes when nothing else is left.
"""

from dataclasses import replace

from ringfence import names
from ringfence.model.kinds import GUARDRAIL, ROLE_BINDING
from ringfence.model.namespace import NamespaceSpec
from ringfence.model.subject import Subject
from ringfence.model.tenant import TenantSpec
from ringfence.plan import orphan, prune, stages, timers, verdict
from ringfence.plan.destruction import destruction_is_confirmed
from ringfence.plan.namespace.desire import Desire
from ringfence.plan.namespace.site import Site
from ringfence.plan.ownership import owns
from ringfence.plan.place import Place
from ringfence.plan.plan import Finalizer, Finding, Plan, Stage
from ringfence.plan.reasons import Reason
from ringfence.plan.release import last_guardrail
from ringfence.plan.seen import CoreNamespace, Seen


def plan(namespace: Subject[NamespaceSpec], seen: Seen) -> Plan:
    """The plan for a Namespace object that is being deleted."""
    tenant = seen.tenant
    core = seen.cores.get(names.core_namespace(namespace.ref.namespace, namespace.name))
    if tenant is None or core is None or not owns(core, tenant.name, tenant.meta.uid):
        return _released("nothing of it is left")
    if core.deleting:
        left = f"; left in it: {', '.join(core.remaining)}" if core.remaining else ""
        return _waiting(f"namespace {core.name} is being removed{left}", last_guardrail(core, tenant, seen.live))
    if tenant.meta.deleting:
        return _waiting(f"Tenant {tenant.name} is being deleted and decides about namespace {core.name}")
    if tenant.spec is None or tenant.spec.deletion_policy == "Retain":
        return _retained(tenant, core, seen)
    return _removed(namespace, core, seen)


def plan_with_tenant_leaving(site: Site, desired: Desire, seen: Seen) -> Plan:
    """The plan while the Tenant is being deleted: its planner withdraws access and decides; here the fence is kept.

    The Guardrail is left alone, so that it is not held again after it was released.
    """
    fence = tuple(child for child in desired.fence if child.ref.type != GUARDRAIL)
    surplus = (ref for ref in prune.surplus(seen.live, desired.objects, site.standing) if ref.type != ROLE_BINDING)
    kept = stages.reconcile(desired.namespace, fence, (), tuple(surplus), seen.live)
    finding = Finding(Reason.DELETING, f"Tenant {site.owner.name} is being deleted; nothing is granted any more")
    return Plan(
        conditions=verdict.summary((finding,)),
        stages=tuple(stage for stage in kept if stage.name != "namespace") if site.stands else (),
        findings=(finding,),
        status={"coreNamespace": site.place.core},
    )


def _retained(tenant: Subject[TenantSpec], core: CoreNamespace, seen: Seen) -> Plan:
    if orphan.has_access((core,), seen.live):
        waiting = _waiting(
            f"the access to namespace {core.name} is being withdrawn", orphan.leave(tenant, (core,), seen.live)
        )
        return replace(waiting, look_again_at=seen.now + orphan.SETTLING)
    finding = Finding(
        Reason.ORPHANED,
        f"namespace {core.name} stays, fenced and without access; to take it over again, annotate it "
        f"{names.ADOPT_ANNOTATION}={tenant.name}",
    )
    return Plan(
        conditions=verdict.summary((Finding(Reason.DELETING, finding.message),)),
        stages=orphan.leave(tenant, (core,), seen.live),
        findings=(finding,),
        finalizer=Finalizer.RELEASE,
    )


def _removed(namespace: Subject[NamespaceSpec], core: CoreNamespace, seen: Seen) -> Plan:
    judgement = destruction_is_confirmed(namespace, (core,), namespace.name, seen)
    if judgement.finding is not None:
        return Plan(
            conditions=verdict.summary((judgement.finding,)),
            stages=stages.close(seen.live) if judgement.frozen else (),
            findings=(judgement.finding,),
            finalizer=Finalizer.HOLD,
            questions=judgement.questions,
            look_again_at=seen.now + timers.RECHECK,
        )
    place = Place(core.name.partition("-")[0], "", core.name)
    steps = (stages.withdraw_bindings(seen.live), Stage("remove", delete=(place.ref,)))
    return _waiting(f"namespace {core.name} is being removed", tuple(step for step in steps if step.delete))


def _waiting(message: str, steps: tuple[Stage, ...] = ()) -> Plan:
    finding = Finding(Reason.DELETING, message)
    return Plan(
        conditions=verdict.summary((finding,)),
        stages=steps,
        findings=(finding,),
        finalizer=Finalizer.HOLD,
        repair=bool(steps),
    )


def _released(message: str) -> Plan:
    finding = Finding(Reason.DELETING, message)
    return Plan(conditions=verdict.summary((finding,)), findings=(), finalizer=Finalizer.RELEASE)
