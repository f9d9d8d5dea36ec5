"""Connections between Namespaces of one tenant and environment."""

from collections.abc import Sequence
from dataclasses import dataclass

from ringfence import names
from ringfence.plan.children.network_policies import Rule, policy, ports
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired


@dataclass(frozen=True, slots=True, order=True)
class Connection:
    """What two Namespaces agreed on, seen from one of them: the other one and the ports of whoever is reached."""

    namespace: str
    ports: tuple[int, ...]


def make(place: Place, *, ingress: Sequence[Connection], egress: Sequence[Connection]) -> Desired:
    """The policy for everything that both sides declared."""
    return policy(
        place,
        names.ALLOW_PEERS,
        ingress=[_rule("from", place, connection) for connection in sorted(ingress)] if ingress else None,
        egress=[_rule("to", place, connection) for connection in sorted(egress)] if egress else None,
    )


def _rule(side: str, place: Place, connection: Connection) -> Rule:
    peer = Place.of(place.tenant, place.owner_uid, connection.namespace, place.environment)
    return {side: [{"namespaceSelector": peer.selector}], "ports": ports(connection.ports)}
