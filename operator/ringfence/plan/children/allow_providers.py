"""The gateway's ways out: to approved providers outside of the cluster, and to the tenant's own model frontends.

A NetworkPolicy has no host names: to which host a connection goes is pinned by Envoy (SNI and verified name).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ringfence import names
from ringfence.plan.children.allow_egress import Opening, block
from ringfence.plan.children.network_policies import GATEWAY_PODS, PodPort, Rule, foreign_namespace, policy, ports
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired
from ringfence.plan.seen import Facts


@dataclass(frozen=True, slots=True)
class Frontends:
    """Model frontends in one of the tenant's Namespaces."""

    namespace: str
    environment: str
    ports: frozenset[PodPort]
    """Of their pods."""


def make(place: Place, outside: Sequence[Opening], frontends: Iterable[Frontends], facts: Facts) -> Desired:
    """Egress of the gateway's pods; none at all where nothing is approved."""
    rules: list[Rule] = [{"to": [{"ipBlock": block(each)}], "ports": ports(each.ports)} for each in sorted(outside)]
    rules += [_inside(place, each) for each in sorted(frontends, key=lambda each: each.namespace)]
    if facts.rate_limit_service:
        peer = {"namespaceSelector": foreign_namespace(facts.operator_namespace)}
        rules.append({"to": [peer], "ports": ports([facts.rate_limit_service.port])})
    return policy(place, names.ALLOW_PROVIDERS, egress=rules, pods=GATEWAY_PODS)


def _inside(place: Place, frontends: Frontends) -> Rule:
    peer = Place.of(place.tenant, place.owner_uid, frontends.namespace, frontends.environment)
    return {"to": [{"namespaceSelector": peer.selector}], "ports": ports(frontends.ports)}
