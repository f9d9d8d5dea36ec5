"""What a home namespace should look like, composed of the builders.

Law: this is the whole of it. Nothing runs in a home namespace but the tenant's gateway.
"""

from dataclasses import dataclass
from typing import Final

from ringfence.model.resources import ContainerLimits
from ringfence.model.subject import Subject
from ringfence.model.tenant import TenantSpec
from ringfence.plan import access
from ringfence.plan.children import (
    allow_dns,
    allow_gateway,
    core_namespace,
    deny_all,
    guardrail,
    limits,
    quota,
    service_account,
)
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired
from ringfence.plan.seen import Seen
from ringfence.plan.tenant.gateway import TenantGateway
from ringfence.plan.tenant.gateway import gateway as desired_gateway

_BUILT_IN_LIMITS: Final = ContainerLimits()


@dataclass(frozen=True, slots=True)
class HomeDesire:
    """The objects of one home namespace."""

    namespace: Desired
    fence: tuple[Desired, ...]
    access: tuple[Desired, ...]
    gateway: TenantGateway

    @property
    def objects(self) -> tuple[Desired, ...]:
        """All of them."""
        return (self.namespace, *self.fence, *self.access, *self.gateway.objects)


def desire(place: Place, tenant: Subject[TenantSpec], spec: TenantSpec, seen: Seen) -> HomeDesire:
    """Everything that should be there, and nothing else. ``spec`` is what is granted of the Tenant's."""
    quarantined = spec.isolation == "Quarantined"
    members = _members(spec, quarantined=quarantined)
    closed = (
        guardrail.make(place, spec, seen.facts),
        deny_all.make(place),
        quota.make_home(place),
        limits.make(place, _BUILT_IN_LIMITS),
        service_account.make(place),
    )
    gateway = desired_gateway(place, tenant, spec, seen)
    openings = () if quarantined else (*_openings(place, spec, seen), *gateway.openings)
    return HomeDesire(
        namespace=core_namespace.make(place, seen.cores.get(place.core)),
        fence=(*closed, *openings),
        access=access.bindings(place, members),
        gateway=gateway,
    )


def _openings(place: Place, spec: TenantSpec, seen: Seen) -> tuple[Desired, ...]:
    shared = [source.namespace for source in spec.network.ingress_from]
    return (
        allow_dns.make(place, spec.network.dns),
        allow_gateway.make_home(place, operator_namespace=seen.facts.operator_namespace, shared=shared),
    )


def _members(spec: TenantSpec, *, quarantined: bool) -> access.Members:
    """In an incident nobody approves anything."""
    members = access.tenant_members(spec.access)
    return access.read_only(members) if quarantined else access.with_approvers(members, spec.environments)
