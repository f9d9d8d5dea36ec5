"""Checks that a Namespace must pass.

Law: a gate answers with a finding or with nothing, and a gate that can't judge answers with a finding. The first of
``BEFORE_ANYTHING`` that fails stops every write. What ``BEFORE_CREATION`` finds keeps a namespace from being made; one
that stands already keeps its fence, read in the strictest way.
"""

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from ringfence import names
from ringfence.model.namespace import NamespaceSpec
from ringfence.model.subject import Subject
from ringfence.plan import keys, proxies, shares, verdict
from ringfence.plan.namespace.site import Site
from ringfence.plan.ownership import Ownership, ownership
from ringfence.plan.plan import Finding
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.plan.seen import Seen

Gate: TypeAlias = Callable[[Subject[NamespaceSpec], Seen], Finding | None]
SiteGate: TypeAlias = Callable[[Site, Seen], Finding | None]


def spec_is_valid(namespace: Subject[NamespaceSpec], seen: Seen) -> Finding | None:
    """An object that breaks a rule of its kind is not half understood."""
    return verdict.invalid(namespace.problems) if namespace.spec is None else None


def tenant_exists(namespace: Subject[NamespaceSpec], seen: Seen) -> Finding | None:
    """A Namespace belongs to the Tenant whose home it is written in."""
    if seen.tenant is not None:
        return None
    home = namespace.ref.namespace
    return Finding(Reason.TENANT_NOT_FOUND, f"there is no Tenant {home}; namespace {home} must be the home of one")


def tenant_is_valid(namespace: Subject[NamespaceSpec], seen: Seen) -> Finding | None:
    """Without its Tenant's grants nothing can be decided."""
    if seen.tenant is None or seen.tenant.spec is not None:
        return None
    return Finding(Reason.TENANT_INVALID, f"Tenant {seen.tenant.name} breaks a rule of its kind; see its conditions")


def home_is_the_tenants(namespace: Subject[NamespaceSpec], seen: Seen) -> Finding | None:
    """Who can write into a namespace that only looks like a home must not get anything made."""
    tenant = seen.tenant
    if tenant is None:
        return None
    home = seen.cores.get(tenant.name)
    if ownership(home, tenant.name, tenant.meta.uid) is Ownership.OURS:
        return None
    return Finding(Reason.WAITING_FOR_NAMESPACE, f"home namespace {tenant.name} is not Tenant {tenant.name}'s yet")


def name_is_free_or_ours(namespace: Subject[NamespaceSpec], seen: Seen) -> Finding | None:
    """Refuse to adopt a namespace that somebody else made: adoption is how isolation leaks."""
    tenant = seen.tenant
    if tenant is None:
        return None
    core = names.core_namespace(tenant.name, namespace.name)
    if ownership(seen.cores.get(core), tenant.name, tenant.meta.uid) is not Ownership.TAKEN:
        return None
    return Finding(
        Reason.NAME_TAKEN,
        f"namespace {core} exists and is not Tenant {tenant.name}'s; rename this Namespace, delete the other one, or "
        f"have someone who may create Tenants label it {names.TENANT_LABEL}={tenant.name} and annotate it "
        f"{names.ADOPT_ANNOTATION}={tenant.name}",
    )


def core_is_not_terminating(namespace: Subject[NamespaceSpec], seen: Seen) -> Finding | None:
    """In a terminating namespace nothing can be made, and nothing is repaired."""
    tenant = seen.tenant
    core = seen.cores.get(names.core_namespace(tenant.name, namespace.name)) if tenant else None
    if core is None or not core.deleting:
        return None
    left = f"; left in it: {', '.join(core.remaining)}" if core.remaining else ""
    return Finding(Reason.WAITING_FOR_NAMESPACE, f"namespace {core.name} is being removed{left}; it is made anew then")


BEFORE_ANYTHING: Final[tuple[Gate, ...]] = (
    spec_is_valid,
    tenant_exists,
    tenant_is_valid,
    home_is_the_tenants,
    name_is_free_or_ours,
    core_is_not_terminating,
)


def environment_exists(site: Site, seen: Seen) -> Finding | None:
    """Peers, providers and approvals go by environment."""
    if site.environment is not None:
        return None
    known = ", ".join(environment.name for environment in site.tenant.environments)
    message = f"Tenant {site.owner.name} has no environment {site.spec.environment}; it has {known}"
    return Finding(Reason.UNKNOWN_ENVIRONMENT, message, ConditionType.ACCEPTED)


def region_is_the_tenants(site: Site, seen: Seen) -> Finding | None:
    """A region must be one of the Tenant's, and is to be chosen where there are several."""
    region, known = site.spec.region, site.regions
    if region in known or (region is None and len(known) < 2):  # noqa: PLR2004 - one region needs no choice
        return None
    asked = f"region {region} is none of Tenant {site.owner.name}'s" if region else "spec.region is missing"
    message = f"{asked}; choose one of: {', '.join(known) or 'none, the Tenant pins no region'}"
    return Finding(Reason.UNKNOWN_REGION, message, ConditionType.ACCEPTED)


def pod_security_is_allowed(site: Site, seen: Seen) -> Finding | None:
    """A level weaker than restricted is the platform team's to allow."""
    if site.spec.pod_security in site.tenant.pod_security.allow:
        return None
    allowed = ", ".join(site.tenant.pod_security.allow)
    message = f"Tenant {site.owner.name} does not allow Pod Security level {site.spec.pod_security}; allowed: {allowed}"
    return Finding(Reason.POD_SECURITY_NOT_ALLOWED, message, ConditionType.ACCEPTED)


def keys_suit_the_environment(site: Site, seen: Seen) -> Finding | None:
    """A key for trying things out is left out where two persons decide; the namespace itself is made all the same."""
    return keys.refused(site.spec, protected=site.protected) if site.environment else None


def places_can_be_told(site: Site, seen: Seen) -> Finding | None:
    """A key that is bound to a place is left out while anybody may claim that place."""
    return proxies.refused(site.spec, seen.facts)


def budget_has_a_place(site: Site, seen: Seen) -> Finding | None:
    """A Tenant has only so many Namespaces; the oldest have them."""
    if site.subject.name not in shares.crowded_out(site.owner, site.tenant, seen):
        return None
    most = site.tenant.budget.namespaces
    message = f"Tenant {site.owner.name} may have {most} Namespaces; delete one or raise spec.budget.namespaces"
    return Finding(Reason.TOO_MANY_NAMESPACES, message, ConditionType.BUDGET_EXCEEDED)


def policies_are_in_force(site: Site, seen: Seen) -> Finding | None:
    """No namespace is opened while its fence has a hole; one that stands is kept in repair."""
    return None if site.stands else verdict.closed(f"namespace {site.place.core}", seen.facts.enforcement)


BEFORE_CREATION: Final[tuple[SiteGate, ...]] = (
    environment_exists,
    region_is_the_tenants,
    pod_security_is_allowed,
    budget_has_a_place,
    policies_are_in_force,
)


def first_failure(
    namespace: Subject[NamespaceSpec], seen: Seen, gates: Iterable[Gate] = BEFORE_ANYTHING
) -> Finding | None:
    """The first finding of ``gates``."""
    return next((finding for gate in gates if (finding := gate(namespace, seen)) is not None), None)


def failures(site: Site, seen: Seen) -> tuple[Finding, ...]:
    """All findings of ``BEFORE_CREATION``."""
    return tuple(finding for gate in BEFORE_CREATION if (finding := gate(site, seen)) is not None)
