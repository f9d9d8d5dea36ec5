"""From a Tenant and what was seen around it to what its gateway serves.

Law: everything that is served was judged here, and what could not be judged is not served. Objects in another order
give the same gateway.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ringfence import names
from ringfence.gateway.served import Gateway, Issuer, Probe, Upstream
from ringfence.model.modelroute import ModelRouteSpec
from ringfence.model.subject import Subject
from ringfence.model.tenant import TenantSpec
from ringfence.plan.gateway.backend import authority_of
from ringfence.plan.gateway.callers import Offer, callers
from ringfence.plan.gateway.private import plaintext
from ringfence.plan.gateway.targets import most_bytes, resolved
from ringfence.plan.modelroute.history import by_route
from ringfence.plan.modelroute.placement import placements
from ringfence.plan.plan import Finding
from ringfence.plan.seen import Authority, Facts, Seen

MOST_ROUTES: Final = 800
"""Of one tenant; what is newer waits. Whoever may make routes must not hold up the operator, or others' routes."""
MOST_ACCOUNTS: Final = 256
"""That all these routes name together: each may be told of other models."""
_NOBODY: Final = Issuer(url="", jwks='{"keys":[]}')
"""Vouches for no one."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A gateway, and what was found on the way."""

    gateway: Gateway
    refused: tuple[Finding, ...] = ()
    """What is wrong with the Tenant's providers; what is wrong with a route is told by the route."""
    serving: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The revision by ModelRoute and environment, of everything that is served."""
    questions: tuple[Authority, ...] = ()
    """What must be asked before this is final."""
    left_out: tuple[str, ...] = ()
    """Names of the ModelRoutes that are too many, the oldest first."""


@dataclass(frozen=True, slots=True)
class _Served:
    """A route in an environment, that nobody older has the model of."""

    environment: str
    offer: Offer
    upstreams: Mapping[str, Upstream]


def compose(tenant: Subject[TenantSpec], seen: Seen, most: int = MOST_ROUTES) -> Composed:
    """What the gateway of ``tenant`` serves: of its oldest routes, ``most`` of them.

    Raises ValueError where the Tenant itself can't be read.
    """
    if tenant.spec is None:
        raise ValueError(f"Tenant {tenant.name} breaks a rule of its kind")
    routes = sorted(seen.routes, key=lambda each: each.age_key)
    fitting = _fitting(routes, most)
    spec, served = tenant.spec, tuple(_served(tenant, tenant.spec, routes[:fitting], seen))
    asked = {question for each in spec.providers if (question := authority_of(tenant.name, each)) is not None}
    return Composed(
        gateway=_gateway(tenant, spec, served, seen),
        refused=tuple(plaintext(spec)),
        serving=_by_route(served),
        questions=tuple(sorted(asked)),
        left_out=tuple(each.name for each in routes[fitting:]),
    )


def _fitting(routes: Sequence[Subject[ModelRouteSpec]], most: int) -> int:
    """How many of the oldest routes are looked at: none that is newer than one that is not."""
    accounts: set[tuple[str, str]] = set()
    for number, route in enumerate(routes[:most]):
        named = route.spec.consumers.service_accounts if route.spec else ()
        accounts |= {(each.namespace, each.name) for each in named}
        if len(accounts) > MOST_ACCOUNTS:
            return number
    return min(most, len(routes))


def _gateway(tenant: Subject[TenantSpec], spec: TenantSpec, served: tuple[_Served, ...], seen: Seen) -> Gateway:
    upstreams = {name: upstream for each in served for name, upstream in each.upstreams.items()}
    offers: dict[str, list[Offer]] = {}
    for each in sorted(served, key=lambda one: one.offer.route.model):
        offers.setdefault(each.environment, []).append(each.offer)
    return Gateway(
        tenant=tenant.name,
        issuer=seen.facts.issuer or _NOBODY,
        upstreams=tuple(upstreams[name] for name in sorted(upstreams)),
        callers=callers(tenant, spec, offers, seen),
        probe=Probe(seen.facts.operator_namespace, names.PROBE),
        replicas=spec.gateway.replicas,
        requests_per_minute=spec.gateway.requests_per_minute,
        max_request_bytes=most_bytes(spec),
        trusted_proxies=seen.facts.trusted_proxies,
        rate_limit_service=_counting(seen.facts),
    )


def _counting(facts: Facts) -> str:
    """Where tokens are counted; empty where they are estimated."""
    service = facts.rate_limit_service
    return f"{service.name}.{facts.operator_namespace}.svc:{service.port}" if service else ""


def _served(
    tenant: Subject[TenantSpec], spec: TenantSpec, routes: Sequence[Subject[ModelRouteSpec]], seen: Seen
) -> Iterator[_Served]:
    """One model has one route in an environment: that of the oldest object, even while nothing of it may be used."""
    histories = by_route(seen.live)
    taken: set[tuple[str, str]] = set()
    for route in routes:
        placed = placements(route, spec, histories.get(route.meta.uid, {}), seen.facts.enforcement)
        for placement in placed.served:
            model = (placement.environment, placement.content.model)
            found = None if model in taken else resolved(route.name, placement, tenant, spec, seen)
            taken.add(model)
            if found and found.route and route.spec:
                yield _Served(placement.environment, Offer(found.route, route.spec.consumers), found.upstreams)


def _by_route(served: tuple[_Served, ...]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for each in sorted(served, key=lambda one: (one.offer.route.name, one.environment)):
        found.setdefault(each.offer.route.name, {})[each.environment] = each.offer.route.revision
    return found
