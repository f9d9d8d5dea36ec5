"""Which cluster of Envoy a target is: as few as can be, since each stands in the configuration.

Law: a cluster leads to one provider. Routes share the clusters of a provider; which model is asked for there stands in
the route. A route that limits its parallel requests has clusters of its own in each environment, since they are what is
counted.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from ringfence.gateway.served import Gateway, Route, Target


@dataclass(frozen=True, slots=True)
class Cluster:
    """One way to a provider."""

    name: str
    upstream: str
    max_parallel: int | None = None
    """Requests at once; as many as come, where it is None."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A target of a route, and the way to it."""

    target: Target
    cluster: Cluster


Pools: TypeAlias = tuple[tuple[Reached, ...], ...]


def pools_of(gateway: Gateway, route: Route) -> Pools:
    """The targets of ``route`` by priority, each with its cluster: no two of a route have the same."""
    times: Counter[str] = Counter()
    return tuple(tuple(_reached(gateway, route, pool, times)) for pool in route.pools)


def clusters(gateway: Gateway) -> tuple[Cluster, ...]:
    """Every cluster that some route leads to, once, by name."""
    found = {
        reached.cluster.name: reached.cluster
        for route in gateway.routes
        for pool in pools_of(gateway, route)
        for reached in pool
    }
    return tuple(cluster for _, cluster in sorted(found.items()))


def _reached(gateway: Gateway, route: Route, pool: tuple[Target, ...], times: Counter[str]) -> Iterator[Reached]:
    whole = sum(target.weight for target in pool)
    for target in pool:
        times[target.upstream] += 1
        number = times[target.upstream]
        name = target.upstream if number == 1 else f"{target.upstream}/{number}"
        parallel = _parallel(gateway, route, target.weight / whole)
        if parallel:
            name = f"{name}@{route.counter}"
        yield Reached(target, Cluster(name, target.upstream, parallel))


def _parallel(gateway: Gateway, route: Route, share: float) -> int | None:
    """What one replica lets through to one target, so that a pool's targets have the limit together."""
    if route.limits.max_parallel is None:
        return None
    return max(1, math.ceil(route.limits.max_parallel * share / gateway.replicas))
