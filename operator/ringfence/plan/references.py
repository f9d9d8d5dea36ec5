"""What ModelRoutes and RetentionPolicies have in common: they refer into their Tenant, and are not served yet.

Law: a reference that can't be followed is named, with whoever can make it good.
"""

from collections.abc import Iterable

from ringfence.model.subject import Subject
from ringfence.plan import verdict
from ringfence.plan.plan import Finding, Plan
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.plan.seen import AnySubject, Seen


def unreadable(subject: AnySubject, seen: Seen) -> tuple[Finding, ...]:
    """Why the object can't be judged at all."""
    home = subject.ref.namespace
    if subject.spec is None:
        return (verdict.invalid(subject.problems),)
    if seen.tenant is None:
        message = f"there is no Tenant {home}; namespace {home} must be the home of one"
        return (Finding(Reason.TENANT_NOT_FOUND, message, ConditionType.ACCEPTED),)
    if seen.tenant.spec is None:
        message = f"Tenant {home} breaks a rule of its kind; see its conditions"
        return (Finding(Reason.TENANT_INVALID, message, ConditionType.ACCEPTED),)
    return ()


def unknown_namespaces(asked: Iterable[str], seen: Seen, field: str) -> tuple[Finding, ...]:
    """The Namespace objects in ``asked`` that the tenant does not have."""
    known = {namespace.name for namespace in seen.namespaces}
    missing = sorted(set(asked) - known)
    if not missing:
        return ()
    message = f"{field} names what the tenant does not have: Namespace {', '.join(missing)}"
    return (Finding(Reason.UNKNOWN_NAMESPACE, message, ConditionType.ACCEPTED),)


def not_served(subject: Subject[object], found: tuple[Finding, ...], seen: Seen, message: str) -> Plan:
    """The plan for an object that is judged, and honestly not served."""
    findings = (*found, Finding(Reason.NOT_SERVED_YET, message))
    good = {ConditionType.ACCEPTED: (Reason.RESOLVED, "everything that is referenced is granted")}
    judged = subject.spec is not None
    return Plan(
        conditions=verdict.conditions(findings, ready="", asserted=good if judged else {}),
        findings=found,
        tenant=subject.ref.namespace if seen.tenant else "",
        log=seen.tenant.meta.uid if seen.tenant else "platform",
    )
