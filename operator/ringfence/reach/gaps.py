"""Openings of a tenant's own policies that are for somebody they should not be for.

Law: a policy is judged by whom it could ever let through, not by which namespaces there are today: each tenant's fence
must hold alone, whatever the other side's policies are, and whoever comes tomorrow.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ringfence import names
from ringfence.model.tenant_network import TenantNetwork
from ringfence.reach.addresses import Block
from ringfence.reach.declared import Declarations, exceptions_of, with_addresses, with_namespace
from ringfence.reach.kinds import BREACHES, Kind
from ringfence.reach.policies import Anyone, Direction, Opening
from ringfence.reach.selectors import Operator, Requirement, Selector, forbid, require, witness
from ringfence.reach.tenancy import Tenancy
from ringfence.reach.world import NAME_LABEL, World


@dataclass(frozen=True, slots=True)
class Gap:
    """An opening in the fence of a namespace, and for whom it should not be, or may not be."""

    namespace: str
    tenant: str
    opening: Opening
    admits: tuple[Kind, ...]

    @property
    def is_breach(self) -> bool:
        """Whether it surely should not be."""
        return not BREACHES.isdisjoint(self.admits)

    @property
    def pods(self) -> str:
        """Whose pods, as a selector in words; empty for all of the namespace."""
        if self.opening.policy:
            return str(self.opening.pods)
        return str(Selector.of(witness((), self.opening.avoided) or {}))


_NOT_MEANT: Final = BREACHES | {Kind.UNDECIDED}
_EVERYBODY: Final = (Kind.OTHER_TENANT, Kind.OTHER_ENVIRONMENT, Kind.UNDECLARED)


def gaps(world: World, declarations: Declarations, namespace: str, tenancy: Tenancy) -> Iterator[Gap]:
    """The gaps in the fence of one namespace."""
    network = exceptions_of(declarations, tenancy)
    for direction in Direction:
        for opening in world.openings(namespace, direction):
            if admits := tuple(_admits(network, tenancy, opening)):
                yield Gap(namespace, tenancy.tenant, opening, admits)


def _admits(network: TenantNetwork | None, own: Tenancy, opening: Opening) -> Iterator[Kind]:
    if not opening.policy:
        yield Kind.UNFENCED
    elif isinstance(opening.peer, Anyone):
        yield from _EVERYBODY
    elif isinstance(opening.peer, Block):
        if (kind := with_addresses(network, opening)) in _NOT_MEANT:
            yield kind
    elif opening.peer.namespaces is not None:
        yield from _strangers(network, own, opening, opening.peer.namespaces)


def _strangers(network: TenantNetwork | None, own: Tenancy, opening: Opening, wanted: Selector) -> Iterator[Kind]:
    """Whom a selector of namespaces could match that it should not."""
    is_tenants = Requirement(names.TENANT_LABEL, Operator.EXISTS)
    if witness([wanted, Selector((is_tenants, forbid(names.TENANT_LABEL, own.tenant)))]) is not None:
        yield Kind.OTHER_TENANT
    elsewhere = (
        require(names.TENANT_LABEL, own.tenant),
        Requirement(names.HOME_LABEL, Operator.DOES_NOT_EXIST),
        Requirement(names.ENVIRONMENT_LABEL, Operator.EXISTS),
        forbid(names.ENVIRONMENT_LABEL, own.environment),
    )
    if not own.is_home and witness([wanted, Selector(elsewhere)]) is not None:
        yield Kind.OTHER_ENVIRONMENT
    if _leaves_undeclared(network, opening, wanted):
        yield Kind.UNDECLARED if network else Kind.UNDECIDED


def _leaves_undeclared(network: TenantNetwork | None, opening: Opening, wanted: Selector) -> bool:
    """Whether a namespace that is no tenant's could match and is not declared."""
    named = {names.OPERATOR_NAMESPACE}
    if network:
        named |= {network.dns.namespace, *(source.namespace for source in network.ingress_from)}
    declared = sorted(name for name in named if with_namespace(network, opening, name) not in _NOT_MEANT)
    outside = Requirement(names.TENANT_LABEL, Operator.DOES_NOT_EXIST)
    named_otherwise = (Requirement(NAME_LABEL, Operator.EXISTS), forbid(NAME_LABEL, *declared))
    return witness([wanted, Selector((outside, *named_otherwise))]) is not None
