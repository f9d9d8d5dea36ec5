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
    block: dict[str, object] = {"cidr": opening.cidr}
    if opening.excluded:
        block["except"] = list(opening.excluded)
    return {"to": [{"ipBlock": block}], "ports": ports(opening.ports)}
