"""What a Namespace should look like, composed of the builders.

Law: this is the whole of it. What is not composed here does not belong into the core namespace.
"""

from dataclasses import dataclass

from ringfence.plan import access, frontends, keys, ranges, shares
from ringfence.plan.budget import Grant
from ringfence.plan.children import (
    allow_dns,
    allow_egress,
    allow_gateway,
    allow_ingress,
    allow_peers,
    core_namespace,
    deny_all,
    gateway_config,
    guardrail,
    limits,
    quota,
    service_account,
)
from ringfence.plan.namespace import gates
from ringfence.plan.namespace.peers import Peers, peers
from ringfence.plan.namespace.secrets import Secrets, secrets
from ringfence.plan.namespace.site import Site
from ringfence.plan.plan import Desired, Finding
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.plan.seen import Seen


@dataclass(frozen=True, slots=True)
class Desire:
    """The objects of one core namespace, and what was found on the way."""

    namespace: Desired
    fence: tuple[Desired, ...]
    access: tuple[Desired, ...]
    secrets: Secrets
    findings: tuple[Finding, ...]

    @property
    def objects(self) -> tuple[Desired, ...]:
        """All of them."""
        return (self.namespace, *self.fence, *self.access)


def desire(site: Site, seen: Seen) -> Desire:
    """Everything that should be there, and nothing else."""
    grant = shares.allocation(site.owner, site.tenant, seen).grant(site.subject.name)
    found = peers(site, seen)
    references = secrets(site, seen)
    openings = () if site.quarantined else _openings(site, found, seen)
    return Desire(
        namespace=core_namespace.make(
            site.place, seen.cores.get(site.place.core), pod_security=site.pod_security, labels=site.spec.labels
        ),
        # Orders for secrets stay in an incident: with the order its Secret would go, and with it evidence.
        fence=(*_closed(site, seen, grant), *openings, *references.children),
        access=access.bindings(site.place, _members(site)),
        secrets=references,
        findings=(
            *_unknown_subjects(site),
            *_refused_keys(site, seen),
            *_over_budget(site, grant),
            *found.findings,
            *references.findings,
        ),
    )


def _closed(site: Site, seen: Seen, grant: Grant) -> tuple[Desired, ...]:
    """The fence without a gate in it."""
    return (
        guardrail.make(site.place, site.tenant, seen.facts, site.spec),
        deny_all.make(site.place),
        quota.make(site.place, grant.hard),
        limits.make(site.place, site.spec.limits),
        service_account.make(site.place),
        gateway_config.copy(site.place, seen.gateway),
        *(service_account.make_key(site.place, key.name) for key in keys.served(site.spec, protected=site.protected)),
    )


def _openings(site: Site, found: Peers, seen: Seen) -> tuple[Desired, ...]:
    """The gates in the fence."""
    network = site.tenant.network
    inward = frontends.pod_ports(site.owner.name, site.tenant, site.subject.name, seen)
    policies = [allow_dns.make(site.place, network.dns), allow_gateway.make(site.place, frontends=inward)]
    if found.ingress or found.egress:
        policies.append(allow_peers.make(site.place, ingress=found.ingress, egress=found.egress))
    if openings := ranges.openings(network.egress, seen.facts):
        policies.append(allow_egress.make(site.place, openings))
    if network.ingress_from and not frontends.run_in(site.tenant, site.subject.name):
        policies.append(allow_ingress.make(site.place, [source.namespace for source in network.ingress_from]))
    return tuple(policies)


def _members(site: Site) -> access.Members:
    members = access.namespace_members(site.tenant.access, site.spec.access)
    if site.quarantined:
        return access.read_only(members)
    return access.with_shells(members) if guardrail.exec_allowed(site.place, site.tenant, site.spec) else members


def _unknown_subjects(site: Site) -> tuple[Finding, ...]:
    strangers = access.strangers(site.tenant.access, site.spec.access)
    if not strangers:
        return ()
    message = f"Tenant {site.owner.name} does not know whom {', '.join(strangers)} names; add them to its spec.access"
    return (Finding(Reason.UNKNOWN_SUBJECT, message, ConditionType.ACCEPTED),)


def _refused_keys(site: Site, seen: Seen) -> tuple[Finding, ...]:
    found = (gates.keys_suit_the_environment(site, seen), gates.places_can_be_told(site, seen))
    return tuple(finding for finding in found if finding)


def _over_budget(site: Site, grant: Grant) -> tuple[Finding, ...]:
    if not grant.exceeded:
        return ()
    granted = ", ".join(f"{name}={grant.hard.get(name, '0')}" for name in grant.exceeded)
    message = (
        f"Tenant {site.owner.name} has not enough left of {', '.join(grant.exceeded)}; granted stays {granted}; "
        "ask for less, shrink another Namespace or raise spec.budget.hard of the Tenant"
    )
    return (Finding(Reason.BUDGET_EXCEEDED, message, ConditionType.BUDGET_EXCEEDED),)
