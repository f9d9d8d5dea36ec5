"""Every connection that a tenant's namespaces can have, judged.

Law: nothing is left out and nothing is guessed: what is possible is listed with the policies that open it, what should
not be is a finding, and what can't be known is said. A world without a tenant's namespace proves nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from ringfence.reach.addresses import Block
from ringfence.reach.declared import Declarations, exceptions_of, with_addresses, with_namespace
from ringfence.reach.gaps import Gap, gaps
from ringfence.reach.kinds import BREACHES, Kind
from ringfence.reach.paths import Path, others, paths
from ringfence.reach.policies import Direction, Opening, Pods
from ringfence.reach.ports import Ports
from ringfence.reach.selectors import Labels, Selector, witness
from ringfence.reach.tenancy import Tenancy
from ringfence.reach.world import World

ANY_ADDRESS: Final = "any address"


@dataclass(frozen=True, slots=True)
class Place:
    """One end of a connection: pods of a namespace, or addresses outside the cluster."""

    namespace: str = ""
    pods: str = ""
    """A selector of the pods in words; empty for all of them."""
    addresses: str = ""

    def __str__(self) -> str:
        return self.addresses or (f"{self.namespace} ({self.pods})" if self.pods else self.namespace)


@dataclass(frozen=True, slots=True)
class Connection:
    """What is possible between two places, what it is, and the policies that open it."""

    kind: Kind
    tenant: str
    source: Place
    target: Place
    ports: Ports
    policies: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """What was found."""

    tenants: Mapping[str, tuple[str, ...]]
    """Namespaces by tenant."""
    connections: tuple[Connection, ...]
    gaps: tuple[Gap, ...]
    unknown: tuple[str, ...]
    """What can't be known, each with why."""

    @cached_property
    def breaches(self) -> tuple[Connection, ...]:
        """The connections that should not be possible."""
        return tuple(each for each in self.connections if each.kind in BREACHES)

    @property
    def is_broken(self) -> bool:
        """Whether anything should not be as it is."""
        return bool(self.breaches or self.gaps)


def verify(world: World, declarations: Declarations, unknown: Iterable[str] = ()) -> Report:
    """Judge all namespaces of all tenants; ``unknown`` is what the reader already could not tell."""
    owned = {name: own for name, each in sorted(world.namespaces.items()) if (own := Tenancy.of(each.labels))}
    judge = _Judge(world, declarations, owned)
    connections = dict.fromkeys(each for name in owned for each in judge.connections(name))
    openings = [gap for name, tenancy in owned.items() for gap in gaps(world, declarations, name, tenancy)]
    tenants = {
        tenant: tuple(name for name, tenancy in owned.items() if tenancy.tenant == tenant)
        for tenant in sorted({tenancy.tenant for tenancy in owned.values()})
    }
    doubts = (*unknown, *judge.doubts(), *_undecided(connections, openings))
    breaches = tuple(gap for gap in openings if gap.is_breach)
    return Report(tenants, tuple(connections), breaches, tuple(dict.fromkeys(doubts)))


@dataclass(frozen=True, slots=True)
class _Judge:
    """Looks at the world from a tenant's namespace."""

    world: World
    declarations: Declarations
    owned: Mapping[str, Tenancy]

    def connections(self, namespace: str) -> Iterator[Connection]:
        """All of a namespace: out of it, and into it where the other end is no tenant's."""
        for opening in self.world.openings(namespace, Direction.EGRESS):
            for other in others(self.world, namespace, opening):
                for path in paths(self.world, namespace, other, out=[opening]):
                    yield self._judged(path, namespace, opening, other)
            yield from self._outside(namespace, opening)
        for opening in self.world.openings(namespace, Direction.INGRESS):
            for other in others(self.world, namespace, opening):
                if other not in self.owned:
                    for path in paths(self.world, other, namespace, into=[opening]):
                        yield self._judged(path, namespace, opening, other)
            yield from self._outside(namespace, opening)

    def doubts(self) -> Iterator[str]:
        """What is not known of the tenants' namespaces."""
        if not self.owned:
            yield "no namespace bears the labels of a tenant: there is nothing to judge"
        for name in self.owned:
            for pod in self.world.pods.get(name, ()):
                if pod.host_network:
                    yield f"{pod} is on the network of its node: NetworkPolicies don't say whom it reaches"
        for name in sorted(self.world.policies.keys() - self.world.namespaces.keys()):
            yield f"namespace {name} has NetworkPolicies, but its labels are not known: it was judged as no tenant's"

    def _judged(self, path: Path, own: str, opening: Opening, other: str) -> Connection:
        source, target = _place(path.source, path.source_labels), _place(path.target, path.target_labels)
        kind = self._kind(own, opening, other)
        return Connection(kind, self.owned[own].tenant, source, target, path.ports, path.policies)

    def _kind(self, own: str, opening: Opening, other: str) -> Kind:
        here, there = self.owned[own], self.owned.get(other)
        if there is None:
            return with_namespace(exceptions_of(self.declarations, here), opening, other)
        if not here.is_one_with(there):
            return Kind.OTHER_TENANT
        if own == other:
            return Kind.WITHIN
        if here.is_home or there.is_home:
            return Kind.GATEWAY
        return Kind.PEERS if here.environment == there.environment else Kind.OTHER_ENVIRONMENT

    def _outside(self, namespace: str, opening: Opening) -> Iterator[Connection]:
        if isinstance(opening.peer, Pods):
            return
        tenancy = self.owned[namespace]
        kind = with_addresses(exceptions_of(self.declarations, tenancy), opening)
        here = _place(namespace, witness([opening.pods], opening.avoided) or {})
        there = Place(addresses=str(opening.peer) if isinstance(opening.peer, Block) else ANY_ADDRESS)
        ends = (here, there) if opening.direction is Direction.EGRESS else (there, here)
        policies = (opening.policy,) if opening.policy else ()
        yield Connection(kind, tenancy.tenant, *ends, opening.ports, policies)


def _undecided(connections: Iterable[Connection], openings: Iterable[Gap]) -> Iterator[str]:
    tenants = {each.tenant for each in connections if each.kind is Kind.UNDECIDED}
    tenants |= {each.tenant for each in openings if Kind.UNDECIDED in each.admits}
    for tenant in sorted(tenants):
        yield f"Tenant {tenant} is not there to be asked which connections out of the tenant it declares"


def _place(namespace: str, labels: Labels) -> Place:
    return Place(namespace, str(Selector.of(labels)))
