"""Checks of a ModelRoute against its Tenant.

Law: a route refers only to what the platform team approved, and says so while it does not.
"""

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from ringfence.model.modelroute import ModelRouteSpec
from ringfence.model.subject import Subject
from ringfence.model.tenant import TenantSpec
from ringfence.plan import references
from ringfence.plan.gateway.backend import provider_of
from ringfence.plan.modelroute.steps import following, steps
from ringfence.plan.plan import Finding
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.plan.seen import Seen

Gate: TypeAlias = Callable[[Subject[ModelRouteSpec], ModelRouteSpec, TenantSpec, Seen], Iterable[Finding]]


def failures(
    route: Subject[ModelRouteSpec], spec: ModelRouteSpec, tenant: TenantSpec, seen: Seen
) -> tuple[Finding, ...]:
    """Everything that ``GATES`` find."""
    return tuple(finding for gate in GATES for finding in gate(route, spec, tenant, seen))


def providers_are_approved(
    route: Subject[ModelRouteSpec], spec: ModelRouteSpec, tenant: TenantSpec, seen: Seen
) -> Iterable[Finding]:
    """Every backend is a provider of the Tenant with that very model."""
    judged = (provider_of(route.ref.namespace, tenant, backend) for backend in spec.backends)
    yield from (found for found in judged if isinstance(found, Finding))


def promotions_lead_somewhere(
    route: Subject[ModelRouteSpec], spec: ModelRouteSpec, tenant: TenantSpec, seen: Seen
) -> Iterable[Finding]:
    """A revision is promoted to an environment of the Tenant that does not follow the spec."""
    known = {environment.name for environment in tenant.environments}
    possible = {step.environment.name for step in steps(tenant.environments)}
    for environment in sorted(spec.promotions):
        if environment not in possible:
            why = "follows the spec" if environment in known else f"is no environment of Tenant {route.ref.namespace}"
            yield _refused(Reason.UNKNOWN_ENVIRONMENT, f"nothing can be promoted to {environment}: it {why}")


def consumers_exist(
    route: Subject[ModelRouteSpec], spec: ModelRouteSpec, tenant: TenantSpec, seen: Seen
) -> Iterable[Finding]:
    """Consumers are Namespaces of the same tenant."""
    asked = {*spec.consumers.namespaces, *(account.namespace for account in spec.consumers.service_accounts)}
    yield from references.unknown_namespaces(asked, seen, "spec.consumers")


def model_is_free(
    route: Subject[ModelRouteSpec], spec: ModelRouteSpec, tenant: TenantSpec, seen: Seen
) -> Iterable[Finding]:
    """One model has one route in an environment: the oldest."""
    environments = _environments(spec, tenant)
    for other in seen.routes:  # oldest first
        rival = other.spec if other.age_key < route.age_key and not other.meta.deleting else None
        both = environments & _environments(rival, tenant) if rival and rival.model == spec.model else frozenset()
        if both:
            where = ", ".join(sorted(both))
            yield _refused(
                Reason.MODEL_TAKEN, f"the older ModelRoute {other.name} serves model {spec.model} in {where}"
            )


GATES: Final[tuple[Gate, ...]] = (providers_are_approved, promotions_lead_somewhere, consumers_exist, model_is_free)


def _environments(spec: ModelRouteSpec, tenant: TenantSpec) -> frozenset[str]:
    first = following(tenant.environments)
    return frozenset(spec.promotions) | ({first.name} if first else frozenset())


def _refused(reason: Reason, message: str) -> Finding:
    return Finding(reason, message, ConditionType.ACCEPTED)
