"""Checks that a Tenant must pass before its home namespace is touched.

Law: a gate answers with a finding or with nothing, and a gate that can't judge answers with a finding.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from ringfence import names
from ringfence.model.subject import Subject
from ringfence.model.tenant import TenantSpec
from ringfence.plan import verdict
from ringfence.plan.ownership import Ownership, ownership
from ringfence.plan.plan import Finding
from ringfence.plan.reasons import Reason
from ringfence.plan.seen import Seen

Gate: TypeAlias = Callable[[Subject[TenantSpec], Seen], Finding | None]


def spec_is_valid(tenant: Subject[TenantSpec], seen: Seen) -> Finding | None:
    """An object that breaks a rule of its kind is not half understood."""
    return verdict.invalid(tenant.problems) if tenant.spec is None else None


def home_is_free_or_ours(tenant: Subject[TenantSpec], seen: Seen) -> Finding | None:
    """Refuse to adopt a namespace that somebody else made: adoption is how isolation leaks."""
    if ownership(seen.cores.get(tenant.name), tenant.name, tenant.meta.uid) is not Ownership.TAKEN:
        return None
    return Finding(
        Reason.NAME_TAKEN,
        f"namespace {tenant.name} exists and is not this Tenant's; delete it, or have someone who may create Tenants "
        f"label it {names.TENANT_LABEL}={tenant.name} and annotate it {names.ADOPT_ANNOTATION}={tenant.name}",
    )


def home_is_not_terminating(tenant: Subject[TenantSpec], seen: Seen) -> Finding | None:
    """In a terminating namespace nothing can be made, and nothing is repaired."""
    home = seen.cores.get(tenant.name)
    if home is None or not home.deleting:
        return None
    left = f"; left in it: {', '.join(home.remaining)}" if home.remaining else ""
    return Finding(Reason.WAITING_FOR_NAMESPACE, f"namespace {home.name} is being removed{left}; it is made anew then")


def policies_are_in_force(tenant: Subject[TenantSpec], seen: Seen) -> Finding | None:
    """No tenant is let in while its fence has a hole; one that is in stays, and is kept in repair."""
    if ownership(seen.cores.get(tenant.name), tenant.name, tenant.meta.uid) is Ownership.OURS:
        return None
    return verdict.closed(f"home namespace {tenant.name}", seen.facts.enforcement)


GATES: Final[tuple[Gate, ...]] = (
    spec_is_valid,
    home_is_free_or_ours,
    home_is_not_terminating,
    policies_are_in_force,
)


def first_failure(tenant: Subject[TenantSpec], seen: Seen) -> Finding | None:
    """The first finding of ``GATES``."""
    return next((finding for gate in GATES if (finding := gate(tenant, seen)) is not None), None)
