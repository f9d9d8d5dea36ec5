"""All resources of a tenant's gateway for the engine.

Law: the same gateway gives the same resources; only what a served route needs is rendered.
"""

from dataclasses import dataclass

from ringfence.gateway.envoy_ai import refusals
from ringfence.gateway.envoy_ai.backends import backends
from ringfence.gateway.envoy_ai.engine import Engine, Resource
from ringfence.gateway.envoy_ai.entrance import entrance
from ringfence.gateway.envoy_ai.refusals import Refused
from ringfence.gateway.envoy_ai.routes import routes
from ringfence.gateway.served import Gateway


@dataclass(frozen=True, slots=True)
class Rendered:
    """Resources of one home namespace, and what was left out."""

    resources: tuple[Resource, ...] = ()
    refused: tuple[Refused, ...] = ()


def render(gateway: Gateway, engine: Engine) -> Rendered:
    """Resources for ``gateway``: none at all where what holds for every route can't be promised."""
    if everything := tuple(refusals.of_gateway(gateway)):
        return Rendered(refused=everything)
    found = {route: tuple(refusals.of_route(gateway, engine, route)) for route in gateway.routes}
    served = [route for route, refused in found.items() if not refused]
    reached = {target.upstream for route in served for target in route.targets}
    resources = [
        *entrance(gateway, engine),
        *(each for upstream in gateway.upstreams if upstream.name in reached for each in backends(upstream, engine)),
        *(each for route in served for each in routes(gateway, engine, route)),
    ]
    ordered = sorted(resources, key=lambda each: (each.type, each.name))
    return Rendered(tuple(ordered), tuple(each for refused in found.values() for each in refused))
