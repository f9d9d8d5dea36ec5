"""From one object and what was seen around it to a plan.

Law: the kind decides who plans, and nothing else does.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ringfence.model.kinds import MODEL_ROUTE, NAMESPACE, RETENTION_POLICY, TENANT, ResourceType
from ringfence.plan.modelroute.planner import plan_route
from ringfence.plan.namespace.planner import plan_namespace
from ringfence.plan.plan import Plan
from ringfence.plan.retentionpolicy.planner import plan_policy
from ringfence.plan.seen import AnySubject, Seen
from ringfence.plan.tenant.planner import plan_tenant

_PLANNERS: Final[Mapping[ResourceType, Callable[[Any, Seen], Plan]]] = {
    TENANT: plan_tenant,
    NAMESPACE: plan_namespace,
    MODEL_ROUTE: plan_route,
    RETENTION_POLICY: plan_policy,
}


def make_plan(subject: AnySubject, seen: Seen) -> Plan:
    """The plan for ``subject``; raises KeyError for a kind that has no planner."""
    return _PLANNERS[subject.ref.type](subject, seen)
