"""RetentionPolicy: judged against its Tenant; what sweeps comes later.

Law: a hold stands from the moment it is seen, whether or not anything else is served.
"""

from collections.abc import Iterable
from dataclasses import replace

from ringfence.model.retentionpolicy import RetentionPolicySpec
from ringfence.model.subject import Subject
from ringfence.plan import references
from ringfence.plan.plan import Plan
from ringfence.plan.seen import Seen


def plan_policy(policy: Subject[RetentionPolicySpec], seen: Seen) -> Plan:
    """The plan for one RetentionPolicy: conditions, and nothing to write."""
    found = references.unreadable(policy, seen)
    if not found and policy.spec is not None:
        found = references.unknown_namespaces(_named(policy.spec), seen, "spec")
    message = "this release holds what is held, and does not sweep or export yet"
    plan = references.not_served(policy, found, seen, message)
    return replace(plan, status={"holds": len(policy.spec.legal_holds)}) if policy.spec else plan


def _named(spec: RetentionPolicySpec) -> Iterable[str]:
    for rule in spec.rules:
        if rule.select is not None:
            yield from rule.select.namespaces
    for hold in spec.legal_holds:
        if hold.scope is not None:
            yield from hold.scope.namespaces
