"""Routes in the engine: one for each revision in each environment that it is served in, with its limits beside it.

Law: a route matches a model's exact name and a verified caller, both or nothing. It has one rule with one match, so
that whatever is counted is counted in one place.
"""

from typing import Any, Final

from ringfence import names
from ringfence.gateway.envoy_ai import callers
from ringfence.gateway.envoy_ai.backends import name_of
from ringfence.gateway.envoy_ai.engine import (
    AI_GATEWAY_ROUTE,
    BACKEND_TRAFFIC_POLICY,
    GATEWAY,
    HTTP_ROUTE,
    Engine,
    Resource,
    seconds,
)
from ringfence.gateway.served import Gateway, Route, Upstream

MODEL_HEADER: Final = "x-ai-eg-model"
"""In it the engine writes the model that stands in the body."""
_OWNER: Final = "ringfence"
_TOKENS: Final = "llm_total_token"
_USAGE: Final = "io.envoy.ai_gateway"
_TRIED_AGAIN: Final = {
    "httpStatusCodes": [429, 500, 502, 503, 504],
    "triggers": ["connect-failure", "reset", "retriable-status-codes"],
}
"""What makes the next pool be asked, as of the other data plane."""


def routes(gateway: Gateway, engine: Engine, route: Route) -> list[Resource]:
    """AIGatewayRoute and BackendTrafficPolicy of one route."""
    name = "-".join(filter(None, ("ringfence", route.name, route.revision.removeprefix("rev-"), route.environment)))
    policy = {
        "targetRefs": [{"group": GATEWAY.group, "kind": HTTP_ROUTE, "name": name}],
        **_traffic(gateway, engine, route),
    }
    return [
        Resource(AI_GATEWAY_ROUTE, name, {"spec": _route(gateway, engine, route)}),
        Resource(BACKEND_TRAFFIC_POLICY, name, {"spec": policy}),
    ]


def _route(gateway: Gateway, engine: Engine, route: Route) -> dict[str, Any]:
    parent = {"group": GATEWAY.group, "kind": GATEWAY.kind, "name": names.GATEWAY}
    spec: dict[str, Any] = {"parentRefs": [parent], "rules": [_rule(gateway, route)]}
    if route.limits.tokens_per_minute:
        spec["llmRequestCosts"] = [{"metadataKey": _TOKENS, "type": "TotalToken"}]
    return spec


def _rule(gateway: Gateway, route: Route) -> dict[str, Any]:
    upstreams = {each.name: each for each in gateway.upstreams}
    matched = [
        {"type": "Exact", "name": MODEL_HEADER, "value": route.model},
        {"type": "RegularExpression", "name": callers.HEADER, "value": callers.of_route(gateway, route)},
    ]
    return {
        "matches": [{"headers": matched}],
        "backendRefs": [
            _backend(upstreams[target.upstream], target.model, target.weight, priority)
            for priority, pool in enumerate(route.pools)
            for target in pool
        ],
        "timeouts": {"request": seconds(route.limits.timeout)},
        "streamIdleTimeout": seconds(route.limits.idle_timeout),
        "modelsOwnedBy": _OWNER,
    }


def _backend(upstream: Upstream, model: str, weight: int, priority: int) -> dict[str, Any]:
    return {"name": name_of(upstream), "modelNameOverride": model, "weight": weight, "priority": priority}


def _traffic(gateway: Gateway, engine: Engine, route: Route) -> dict[str, Any]:
    largest = min(route.limits.max_request_bytes, gateway.max_request_bytes)
    spec: dict[str, Any] = {"requestBuffer": {"limit": str(largest)}}
    if limits := _limits(gateway, engine, route):
        spec["rateLimit"] = limits
    if route.limits.max_parallel:
        spec["circuitBreaker"] = {"maxParallelRequests": _part(gateway, route.limits.max_parallel)}
    if further := len(route.pools) - 1:
        spec["retry"] = {"numAttemptsPerPriority": 1, "numRetries": further, "retryOn": _TRIED_AGAIN}
    return spec


def _limits(gateway: Gateway, engine: Engine, route: Route) -> dict[str, Any]:
    requests, tokens = route.limits.requests_per_minute, route.limits.tokens_per_minute
    if engine.counts_globally:
        counted = [_limit(requests)] if requests else []
        metered = [{**_limit(tokens), "cost": _cost()}] if tokens else []
        return {"global": {"rules": [*counted, *metered]}} if counted or metered else {}
    return {"local": {"rules": [_limit(_part(gateway, requests))]}} if requests else {}


def _limit(number: int) -> dict[str, Any]:
    return {"limit": {"requests": number, "unit": "Minute"}}


def _cost() -> dict[str, Any]:
    """A request costs nothing until its answer says how many tokens it took."""
    used = {"from": "Metadata", "metadata": {"namespace": _USAGE, "key": _TOKENS}}
    return {"request": {"from": "Number", "number": 0}, "response": used}


def _part(gateway: Gateway, number: int) -> int:
    """Each replica counts by itself."""
    return max(1, number // gateway.replicas)
