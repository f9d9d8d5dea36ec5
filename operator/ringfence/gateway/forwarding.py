"""What is done with a request for a model that the caller may use: where it is sent, how long, how often tried again.

Law: another provider is tried before the first byte of an answer only, and never one that the route does not name.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from ringfence.gateway import limits, replies, targets, translation, tree
from ringfence.gateway.served import Gateway, Route
from ringfence.gateway.targets import Reached
from ringfence.gateway.typed import HTTP, SOURCE, STREAM_HEADER, Json, named, seconds, typed

SIZE: Final = "ringfence.route-size"
MODEL_NAMES: Final = "ringfence.target"
"""The filter of an upstream that says the provider's own name of a model; the route tells it by this name."""
_TRIED_AGAIN: Final = "connect-failure,reset,5xx,retriable-status-codes"
_BUSY: Final = 429
_CHAT: Final = "/v1/chat/completions"


def refusals(gateway: Gateway, route: Route) -> Iterator[tuple[Json, replies.Refusal]]:
    """What no target of a route that is translated can answer: it is refused, never sent on as something else."""
    if translation.is_translated(gateway, route):
        yield tree.unless(tree.equals(":path", _CHAT)), replies.NO_SUCH_USE
        wanted = tree.matches(STREAM_HEADER, "(?s).*")
        yield tree.both(wanted, tree.unless(tree.equals(STREAM_HEADER, "false"))), replies.NO_STREAMING


def forwarded(gateway: Gateway, route: Route) -> Json:
    """The route for those who may call it."""
    pools = targets.pools(gateway, route)
    found = {
        "name": f"{route.name}/{route.revision}",
        "match": {"prefix": "/"},
        "route": _action(route, pools),
        "metadata": {"filter_metadata": _metadata(gateway, route, pools)},
    }
    if filters := _filters(gateway, route):
        found["typed_per_filter_config"] = filters
    return found


def _metadata(gateway: Gateway, route: Route, pools: Sequence[Sequence[Reached]]) -> Json:
    noted = {"route": route.name, "model": route.model, "revision": route.revision, **limits.noted(gateway, route)}
    asked = {reached.cluster.name: reached.target.model for pool in pools for reached in pool}
    return {SOURCE: noted, MODEL_NAMES: asked}


def _filters(gateway: Gateway, route: Route) -> dict[str, Json]:
    found = limits.of_this_route(gateway, route)
    if route.limits.max_request_bytes < gateway.max_request_bytes:
        buffer = {"max_request_bytes": route.limits.max_request_bytes}
        found[SIZE] = typed(f"{HTTP}.buffer.v3.BufferPerRoute", buffer=buffer)
    if translation.is_translated(gateway, route):
        found[translation.FILTER] = translation.of_this_route()
    return found


def _action(route: Route, pools: Sequence[Sequence[Reached]]) -> Json:
    common = {
        "timeout": seconds(route.limits.timeout),
        "idle_timeout": seconds(route.limits.idle_timeout),
        "auto_host_rewrite": True,
    }
    if len(route.targets) == 1:
        return {"cluster": pools[0][0].cluster.name, **common}
    return {**_by_priority(pools), **common, **_fallback(route)}


def _by_priority(pools: Sequence[Sequence[Reached]]) -> Json:
    groups = [{"name": f"{number}", "clusters": list(map(_weighted, pool))} for number, pool in enumerate(pools)]
    message = "envoy.extensions.router.cluster_specifiers.priority_group.v3.PriorityGroupClusterSpecifier"
    return {"inline_cluster_specifier_plugin": {"extension": named("pools", message, priority_groups=groups)}}


def _weighted(reached: Reached) -> Json:
    return {"cluster_name": reached.cluster.name, "weight": reached.target.weight}


def _fallback(route: Route) -> Json:
    """Once for each further pool."""
    if len(route.pools) == 1:
        return {}
    policy = {
        "retry_on": _TRIED_AGAIN,
        "retriable_status_codes": [_BUSY],
        "num_retries": len(route.pools) - 1,
        "per_try_timeout": seconds(route.limits.timeout / len(route.pools)),
        "refresh_cluster_on_retry": True,
    }
    return {"retry_policy": policy}
