"""What a ModelRoute's status tells: which revision each environment serves, since when, and whether that was seen.

Law: nobody claims what was not seen. What was seen stays true while the gateway is told to serve it and nothing says
otherwise, so that somebody else's change of the gateway is no news of this route.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ringfence.model.modelroute import ModelRouteSpec
from ringfence.model.subject import Subject
from ringfence.plan.children import gateway_config, gateway_routes
from ringfence.plan.modelroute.placement import Placement
from ringfence.plan.plan import Finding
from ringfence.plan.reasons import Reason
from ringfence.plan.seen import Live, Probed, Seen

Verdict: TypeAlias = Literal["True", "False", "Unknown"]


@dataclass(frozen=True, slots=True)
class Witness:
    """What the gateway was told to serve, and what a look at it has found."""

    route: Subject[ModelRouteSpec]
    told: Live | None
    probed: Probed | None
    seen_before: frozenset[str] = frozenset()
    """Environments that were seen to serve what they serve, since it was put there."""

    @classmethod
    def of(cls, route: Subject[ModelRouteSpec], seen: Seen, seen_before: frozenset[str]) -> "Witness":
        """Whoever can tell of ``route``."""
        return cls(route, seen.live.get(gateway_routes.ref(route.ref.namespace)), seen.probed, seen_before)

    @property
    def configuration(self) -> str:
        """The revision of the configuration that the gateway was told to serve."""
        return gateway_routes.configuration(self.told)

    def saw(self, placement: Placement) -> Verdict:
        """Whether the environment was seen to serve that revision."""
        told = gateway_routes.revision(self.told, placement.environment, self.route.name)
        if told != placement.revision:
            return "False"
        already = placement.environment in self.seen_before
        if self.probed is None:
            return "True" if already else "Unknown"
        if not self.probed.reachable:
            return "Unknown"
        serves = not self.probed.problem and self.probed.revision == self.configuration
        return "True" if already or serves else "False"


def entries(placed: Sequence[Placement], since: Mapping[str, str], witness: Witness) -> list[dict[str, Any]]:
    """``status.environments``; ``since`` are the times by environment."""
    return [
        {
            "name": each.environment,
            "revision": each.revision,
            "since": since[each.environment],
            "served": witness.saw(each),
        }
        for each in placed
    ]


def status(current: str, environments: Sequence[Mapping[str, Any]], witness: Witness) -> dict[str, Any]:
    """All of the status but conditions. ``current`` is the revision of the spec, empty where it has none.

    The hash is that of the configuration by which this came to be so: others' changes are told by the Tenant. Where no
    environment is to be served by any, there is none.
    """
    before = witness.route.status
    known = before.get("gateway", {}).get("configHash", "") if before.get("environments") == environments else ""
    told = any(each["served"] != "False" for each in environments)
    configuration = (known or witness.configuration) if told else ""
    return {
        "environments": list(environments),
        "gateway": {
            "url": gateway_config.url(witness.route.ref.namespace),
            **({"configHash": configuration} if configuration else {}),
        },
        **({"revision": current} if current else {}),
    }


def unseen(environments: Sequence[Mapping[str, Any]], witness: Witness) -> Iterator[Finding]:
    """What is not known to be served, in one finding: they wait for the same gateway."""
    waiting = [f"{each['name']} ({each['revision']})" for each in environments if each["served"] != "True"]
    if waiting:
        why = _why(witness.probed)
        yield Finding(Reason.NOT_SERVED, f"not seen to be served yet: {', '.join(waiting)}{why}")


def _why(probed: Probed | None) -> str:
    if probed is not None and probed.problem:
        return f"; {probed.problem}"
    return "" if probed is None or probed.reachable else "; the gateway can't be reached from the operator"
