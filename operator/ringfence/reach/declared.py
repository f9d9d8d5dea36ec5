"""What a Tenant declared about connections that leave it.

Law: a declaration covers an opening only as a whole: every pod, address and port of the opening.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Final

from ringfence import names
from ringfence.model.tenant_network import Dns, TenantNetwork
from ringfence.reach.addresses import Block, Network, within
from ringfence.reach.kinds import Kind
from ringfence.reach.policies import Direction, Opening, Pods
from ringfence.reach.ports import PortRange, Ports, covers, merged
from ringfence.reach.selectors import Selector, implies
from ringfence.reach.tenancy import Tenancy

_HTTPS: Final = 443


@dataclass(frozen=True, slots=True)
class Declaration:
    """A Tenant's exceptions; ``uid`` is empty where the object comes from a file."""

    uid: str
    network: TenantNetwork


Declarations = Mapping[str, Declaration]
"""By the Tenant's name; one that could not be read is missing."""


def exceptions_of(declarations: Declarations, tenancy: Tenancy) -> TenantNetwork | None:
    """What the namespace's own Tenant declared; None where that is not known."""
    found = declarations.get(tenancy.tenant)
    return found.network if found and found.uid in ("", tenancy.owner_uid) else None


def with_namespace(network: TenantNetwork | None, opening: Opening, other: str) -> Kind:
    """What a connection with a namespace that is no tenant's is."""
    if network is None:
        return Kind.UNDECIDED
    if isinstance(opening.peer, Block):
        return with_addresses(network, opening)
    if other == names.OPERATOR_NAMESPACE and _is_operators(opening):
        return Kind.GATEWAY
    if opening.direction is Direction.EGRESS:
        return Kind.DNS if _is_dns(network.dns, opening, other) else Kind.UNDECLARED
    declared = any(source.namespace == other for source in network.ingress_from)
    return Kind.SHARED_INGRESS if declared and isinstance(opening.peer, Pods) else Kind.UNDECLARED


def with_addresses(network: TenantNetwork | None, opening: Opening) -> Kind:
    """What a connection with machines outside the cluster is."""
    if network is None:
        return Kind.UNDECIDED
    if not isinstance(opening.peer, Block) or opening.direction is Direction.INGRESS:
        return Kind.UNDECLARED
    block = opening.peer.network
    if covers(_both(network.dns.ports), opening.ports) and _is_in(block, network.dns.cidrs):
        return Kind.DNS
    if _is_gateways(opening) and covers(_tcp((_HTTPS,)), opening.ports):
        return Kind.GATEWAY
    fitting = [each.cidr for each in network.egress if covers(_tcp(each.ports), opening.ports)]
    return Kind.EGRESS_EXCEPTION if _is_in(block, fitting) else Kind.UNDECLARED


def _is_operators(opening: Opening) -> bool:
    """Whether a gateway has its tokens counted, or the operator asks it whether it serves, and what it counted."""
    if opening.direction is Direction.EGRESS:
        return _is_gateways(opening) and all(each.protocol == "TCP" for each in opening.ports)
    return (
        _is_gateways(opening)
        and isinstance(opening.peer, Pods)
        and implies(opening.peer.pods, Selector.of(names.OPERATOR_PODS))
        and covers(_tcp((names.GATEWAY_PORT, names.GATEWAY_METRICS_PORT, names.GATEWAY_USAGE_PORT)), opening.ports)
    )


def _is_gateways(opening: Opening) -> bool:
    """Whether it is for a gateway's pods alone; to which host one of those speaks is pinned by Envoy, not here."""
    return implies(opening.pods, Selector.of({names.GATEWAY_LABEL: "true"}))


def _is_dns(dns: Dns, opening: Opening, other: str) -> bool:
    servers = Selector.of(dns.pod_selector)
    return (
        isinstance(opening.peer, Pods)
        and other == dns.namespace
        and implies(opening.peer.pods, servers)
        and covers(_both(dns.ports), opening.ports)
    )


def _is_in(network: Network, cidrs: Iterable[str]) -> bool:
    return any(within(network, ip_network(cidr)) for cidr in cidrs)


def _tcp(ports: Iterable[int]) -> Ports:
    return merged(PortRange("TCP", port, port) for port in ports)


def _both(ports: Iterable[int]) -> Ports:
    return merged(PortRange(protocol, port, port) for port in ports for protocol in ("TCP", "UDP"))
