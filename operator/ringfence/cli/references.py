"""What objects in files say of their Tenant: the operator's own gates, asked without a cluster.

Law: only gates that rest on the Tenant alone are asked, and only where the Tenant is among the files.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from ringfence.model.kinds import MODEL_ROUTE, NAMESPACE, TENANT
from ringfence.model.subject import Problem, Subject
from ringfence.plan.modelroute import gates as routes
from ringfence.plan.namespace import gates as namespaces
from ringfence.plan.namespace.site import Site
from ringfence.plan.seen import Facts, Seen

_ANY_TIME: Final = datetime.min.replace(tzinfo=UTC)
_ANY_CLUSTER: Final = Facts(cluster_uid="", operator_namespace="")

# Which field a gate judges.
_NAMESPACE_GATES: Final = (
    (namespaces.environment_exists, "spec.environment"),
    (namespaces.region_is_the_tenants, "spec.region"),
    (namespaces.pod_security_is_allowed, "spec.podSecurity"),
    (namespaces.keys_suit_the_environment, "spec.gatewayKeys"),
)
_ROUTE_GATES: Final = (
    (routes.providers_are_approved, "spec.backends"),
    (routes.promotions_lead_somewhere, "spec.promotions"),
)


class Mismatch(NamedTuple):
    """What does not fit the Tenant; ``place`` is the object's among the subjects."""

    place: int
    problem: Problem


def mismatches(subjects: Sequence[Subject[Any]]) -> Iterator[Mismatch]:
    """Everything in ``subjects`` that its Tenant, where it is among them, does not grant."""
    tenants = {subject.name: subject for subject in subjects if subject.ref.type == TENANT and subject.spec}
    for place, subject in enumerate(subjects):
        tenant = tenants.get(subject.ref.namespace)
        if tenant and subject.spec:
            yield from (Mismatch(place, problem) for problem in _judge(subject, tenant))


def _judge(subject: Subject[Any], tenant: Subject[Any]) -> Iterator[Problem]:
    seen = Seen(_ANY_TIME, _ANY_CLUSTER, tenant)
    if subject.ref.type == NAMESPACE and (site := Site.of(subject, seen)):
        for check, field in _NAMESPACE_GATES:
            if finding := check(site, seen):
                yield Problem(field, finding.message)
    elif subject.ref.type == MODEL_ROUTE and subject.spec and tenant.spec:
        for judge, field in _ROUTE_GATES:
            yield from (Problem(field, finding.message) for finding in judge(subject, subject.spec, tenant.spec, seen))
