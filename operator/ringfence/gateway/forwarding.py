"""What is done with a request for a model that the caller may use: where it is sent, how long, how often tried again.

Law: another provider is tried before the first byte of an answer only, and never one that the route does not name.
"""

import json
from collections.abc import Iterator
from typing import Final

from ringfence.gateway import limits, replies, sizes, translation, tree
from ringfence.gateway.served import TIMEOUT, Gateway, Route
from ringfence.gateway.targets import Pools, Reached, pools_of
from ringfence.gateway.typed import CHAT, SOURCE, STREAM_HEADER, USAGE_HEADER, Json, named, seconds

MODEL_NAMES: Final = "ringfence.target"
"""The filter of an upstream that says the provider's own name of a model; the route tells it by this name."""
_TRIED_AGAIN: Final = "connect-failure,reset,5xx,retriable-status-codes"
_BUSY: Final = 429
_LONGEST_ANSWER: Final = 16 << 20
"""Bytes of an answer that is not streamed: it is held until its usage is read. Envoy has one bound for both directions,
which the filter that holds bodies sets to the greatest request; when a route is chosen, that has been read."""


def refusals(gateway: Gateway, route: Route) -> Iterator[tuple[Json, replies.Refusal]]:
    """What a route can't answer as it is asked: it is refused, never sent on as something else."""
    stream = tree.both(tree.matches(STREAM_HEADER, "(?s).*"), tree.unless(tree.equals(STREAM_HEADER, "false")))
    if translation.is_translated(gateway, route):
        yield tree.unless(tree.equals(":path", CHAT)), replies.NO_SUCH_USE
        yield stream, replies.NO_STREAMING
    if limits.is_exact(gateway, route):
        yield tree.both(stream, tree.unless(tree.equals(USAGE_HEADER, "true"))), replies.USAGE_UNTOLD


def forwarded(gateway: Gateway, route: Route) -> Json:
    """The route for those who may call it."""
    pools = pools_of(gateway, route)
    found = {
        "match": {"prefix": "/"},
        "route": _action(route, pools),
        "request_body_buffer_limit": _LONGEST_ANSWER,
        "metadata": {"filter_metadata": _metadata(route, pools)},
    }
    if filters := _filters(gateway, route):
        found["typed_per_filter_config"] = filters
    return found


def _metadata(route: Route, pools: Pools) -> Json:
    noted = {"route": route.name, "model": route.model, "revision": route.revision, **limits.noted(route)}
    asked = {reached.cluster.name: _quotable(reached.target.model) for pool in pools for reached in pool}
    return {SOURCE: noted, MODEL_NAMES: asked}


def _quotable(model: str) -> str:
    """As it stands between quotes in JSON: it is put into a body as it is."""
    return json.dumps(model)[1:-1]


def _filters(gateway: Gateway, route: Route) -> dict[str, Json]:
    found = limits.of_this_route(gateway, route)
    if route.limits.max_request_bytes < gateway.max_request_bytes:
        found[sizes.FILTER] = sizes.of_this_route(route.limits.max_request_bytes)
    if translation.is_translated(gateway, route):
        found[translation.FILTER] = translation.of_this_route()
    return found


def _action(route: Route, pools: Pools) -> Json:
    return {
        **_destination(pools),
        "timeout": seconds(route.limits.timeout),
        "idle_timeout": seconds(route.limits.idle_timeout),
        "auto_host_rewrite": True,
        **_fallback(route),
    }


def _destination(pools: Pools) -> Json:
    if len(pools) == 1 and len(pools[0]) == 1:
        return {"cluster": pools[0][0].cluster.name}
    return {"cluster_specifier_plugin": _name(pools)}


def plugins(gateway: Gateway) -> list[Json]:
    """Every choice among clusters that some route makes, once, by name."""
    choosing = (pools_of(gateway, route) for route in gateway.routes if len(route.targets) > 1)
    chosen = {_name(pools): pools for pools in choosing}
    return [{"extension": _by_priority(name, pools)} for name, pools in sorted(chosen.items())]


def _name(pools: Pools) -> str:
    """Says all of it: what differs has another name."""
    return ">".join(",".join(f"{each.cluster.name}:{each.target.weight}" for each in pool) for pool in pools)


def _by_priority(name: str, pools: Pools) -> Json:
    groups = [{"name": f"{number}", "clusters": list(map(_weighted, pool))} for number, pool in enumerate(pools)]
    message = "envoy.extensions.router.cluster_specifiers.priority_group.v3.PriorityGroupClusterSpecifier"
    return named(name, message, priority_groups=groups)


def _weighted(reached: Reached) -> Json:
    return {"cluster_name": reached.cluster.name, "weight": reached.target.weight}


def _fallback(route: Route) -> Json:
    """Once for each further pool."""
    if len(route.pools) == 1:
        return {"retry_policy": {"num_retries": 0}}
    policy = _retries(len(route.pools) - 1, route.limits.timeout)
    return {} if policy == DEFAULT_RETRIES else {"retry_policy": policy}


def _retries(number: int, timeout: float) -> Json:
    return {
        "retry_on": _TRIED_AGAIN,
        "retriable_status_codes": [_BUSY],
        "num_retries": number,
        "per_try_timeout": seconds(timeout / (number + 1)),
        "refresh_cluster_on_retry": True,
    }


DEFAULT_RETRIES: Final = _retries(1, TIMEOUT)
"""Of all routes that say nothing else: one fallback, with half of the time for each."""
