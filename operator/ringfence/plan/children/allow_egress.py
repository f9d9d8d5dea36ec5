"""Networks outside the cluster that the platform team opened."""

from collections.abc import Sequence
from dataclasses import dataclass

from ringfence import names
from ringfence.plan.children.network_policies import Rule, policy, ports
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired


@dataclass(frozen=True, slots=True, order=True)
class Opening:
    """A network that may be reached, but for what lies inside it and is protected."""

    cidr: str
    excluded: tuple[str, ...]
    ports: tuple[int, ...]


def make(place: Place, openings: Sequence[Opening]) -> Desired:
    """Egress of every pod to these networks."""
    return policy(place, names.ALLOW_EGRESS, egress=[_rule(opening) for opening in sorted(openings)])


def _rule(opening: Opening) -> Rule:
    return {"to": [{"ipBlock": block(opening)}], "ports": ports(opening.ports)}


def block(opening: Opening) -> dict[str, object]:
    """The network as a NetworkPolicy writes it."""
    found: dict[str, object] = {"cidr": opening.cidr}
    return {**found, "except": list(opening.excluded)} if opening.excluded else found
