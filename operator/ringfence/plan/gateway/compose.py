"""From a Tenant and what was seen around it to what its gateway serves.

Law: everything that is served was judged here, and what could not be judged is not served. Objects in another order
give the same gateway.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from ringfence import names
from ringfence.gateway.served import Gateway, Issuer, Probe, Upstream
from ringfence.model.modelroute import Consumers, ModelRouteSpec
from ringfence.model.subject import Subject
from ringfence.model.tenant import TenantSpec
from ringfence.plan.gateway.backend import authority_of
from ringfence.plan.gateway.callers import Offer, callers
from ringfence.plan.gateway.private import plaintext
from ringfence.plan.gateway.room import MOST_ROUTES, Wanted, fitting
from ringfence.plan.gateway.targets import most_bytes, resolved
from ringfence.plan.modelroute.history import by_route
from ringfence.plan.modelroute.placement import Placement, placements
from ringfence.plan.plan import Finding
from ringfence.plan.seen import Authority, Facts, Seen

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
class _Placed:
    """A route, and what it is in each environment."""

    route: Subject[ModelRouteSpec]
    placements: tuple[Placement, ...]

    @property
    def wanted(self) -> Wanted:
        """The same revision in another environment has the same clusters."""
        named = (each.service_accounts for placement in self.placements for each in self.callers_of(placement))
        revisions = {placement.revision: placement.content for placement in self.placements}
        own = (len(each.backends) for each in revisions.values() if each.limits.max_parallel is not None)
        return Wanted(accounts=frozenset().union(*named), clusters=sum(own))

    def callers_of(self, placement: Placement) -> tuple[Consumers, Consumers]:
        """Who may call a placement is named by its revision and, still, by the spec."""
        then, now = placement.content.consumers, self.route.spec.consumers if self.route.spec else None
        return then or Consumers(), now or Consumers()


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
    placed = tuple(_placed(tenant.spec, routes[:most], seen))
    fit = fitting(each.wanted for each in placed)
    spec, served = tenant.spec, tuple(_served(tenant, tenant.spec, placed[:fit], seen))
    asked = {question for each in spec.providers if (question := authority_of(tenant.name, each)) is not None}
    return Composed(
        gateway=_gateway(tenant, spec, served, seen),
        refused=tuple(plaintext(spec)),
        serving=_by_route(served),
        questions=tuple(sorted(asked)),
        left_out=tuple(each.name for each in routes[fit:]),
    )


def _placed(spec: TenantSpec, routes: Iterable[Subject[ModelRouteSpec]], seen: Seen) -> Iterator[_Placed]:
    histories = by_route(seen.live)
    for route in routes:
        history = histories.get(route.meta.uid, {})
        yield _Placed(route, placements(route, spec, history, seen.facts.enforcement).served)


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


def _served(tenant: Subject[TenantSpec], spec: TenantSpec, placed: Iterable[_Placed], seen: Seen) -> Iterator[_Served]:
    """One model has one route in an environment: that of the oldest object, even while nothing of it may be used."""
    taken: set[tuple[str, str]] = set()
    for each in placed:
        for placement in each.placements:
            model = (placement.environment, placement.content.model)
            found = None if model in taken else resolved(each.route.name, placement, tenant, spec, seen)
            taken.add(model)
            if found and found.route:
                offer = Offer(found.route, *each.callers_of(placement))
                yield _Served(placement.environment, offer, found.upstreams)


def _by_route(served: tuple[_Served, ...]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for each in sorted(served, key=lambda one: (one.offer.route.name, one.environment)):
        found.setdefault(each.offer.route.name, {})[each.environment] = each.offer.route.revision
    return found
