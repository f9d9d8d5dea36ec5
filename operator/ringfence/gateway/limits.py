"""How many requests and tokens pass in a minute: of the tenant, and of each route in each environment.

Law: a limit that is written is enforced. Each replica counts by itself, so each has its part. The counters of routes
begin anew with each new configuration of the routes; the tenant's goes on.

Envoy's local rate limit counts before an answer is there, so tokens are estimated by the size of the request. With a
rate limit service they are counted exactly, by what the provider said; the request that passes the limit is the last.
"""

from collections.abc import Iterator
from typing import Final

from ringfence.gateway import access_log
from ringfence.gateway.served import Gateway, Route
from ringfence.gateway.typed import HTTP, LENGTH_HEADER, SOURCE, Json, named, typed

TENANT: Final = "ringfence.tenant-limit"
ROUTES: Final = "ringfence.route-limit"
SERVICE: Final = "ringfence.token-limit"
SERVICE_CLUSTER: Final = "ringfence.rate-limit-service"
BYTES_PER_TOKEN: Final = 4
"""An estimate for English text; other languages and code have fewer."""
_LOCAL: Final = f"{HTTP}.local_ratelimit.v3.LocalRateLimit"
_ALWAYS: Final = {"default_value": {"numerator": 100}}
_MOST: Final = 4_000_000_000  # what the type of Envoy's buckets holds
_COUNTED: Final = "counted"
_REQUESTS: Final = "requests"
_TOKENS: Final = "tokens"


def of_tenant(gateway: Gateway) -> Iterator[Json]:
    """The filter that every request of the tenant's callers takes one from."""
    if gateway.requests_per_minute:
        yield named(TENANT, _LOCAL, **_local("tenant", _part(gateway, gateway.requests_per_minute)))


def of_routes() -> Json:
    """The filter for routes; the routes themselves say how many."""
    return named(ROUTES, _LOCAL, stat_prefix="routes")


def of_these_routes(gateway: Gateway) -> Json:
    """How many, by route."""
    estimated = {"hits_addend": {"format": f"%REQ({LENGTH_HEADER})%"}, "actions": [_noted(_TOKENS)]}
    return typed(
        _LOCAL,
        **_local("routes", _MOST),
        always_consume_default_token_bucket=False,
        rate_limits=[{"actions": [_noted(_REQUESTS)]}, estimated],
        descriptors=list(_descriptors(gateway)),
    )


def noted(route: Route) -> dict[str, str]:
    """What a route's metadata say, so that its requests are counted."""
    return {_COUNTED: route.counter} if route.limits.requests_per_minute or route.limits.tokens_per_minute else {}


def _descriptors(gateway: Gateway) -> Iterator[Json]:
    for route in gateway.routes:
        if route.limits.requests_per_minute:
            yield _descriptor(_REQUESTS, route, _part(gateway, route.limits.requests_per_minute))
        if route.limits.tokens_per_minute and not gateway.rate_limit_service:
            yield _descriptor(_TOKENS, route, _part(gateway, BYTES_PER_TOKEN * route.limits.tokens_per_minute))


def _part(gateway: Gateway, number: int) -> int:
    return min(_MOST, max(1, number // gateway.replicas))


def _descriptor(key: str, route: Route, number: int) -> Json:
    return {"entries": [{"key": key, "value": route.counter}], "token_bucket": _bucket(number)}


def _local(name: str, number: int) -> Json:
    return {
        "stat_prefix": name,
        "token_bucket": _bucket(number),
        "filter_enabled": _ALWAYS,
        "filter_enforced": _ALWAYS,
        "enable_retry_after_header": True,
    }


def _bucket(number: int) -> Json:
    return {"max_tokens": number, "tokens_per_fill": number, "fill_interval": "60s"}


def _noted(key: str) -> Json:
    """The route's own name for what is counted; where it has none, nothing is counted."""
    metadata_key = {"key": SOURCE, "path": [{"key": _COUNTED}]}
    return {"metadata": {"descriptor_key": key, "source": "ROUTE_ENTRY", "metadata_key": metadata_key}}


# --- exactly, by a service


def by_service(gateway: Gateway) -> Iterator[Json]:
    """The filter that asks the rate limit service, where there is one."""
    if gateway.rate_limit_service:
        service = {"transport_api_version": "V3", "grpc_service": {"envoy_grpc": {"cluster_name": SERVICE_CLUSTER}}}
        yield named(
            SERVICE,
            f"{HTTP}.ratelimit.v3.RateLimit",
            domain="ringfence",
            timeout="0.5s",
            # A limit that is counted and not enforced is none: while the service is silent, its routes are closed.
            failure_mode_deny=True,
            rate_limit_service=service,
            enable_retry_after_header=True,
            disable_x_envoy_ratelimited_header=True,
        )


def is_exact(gateway: Gateway, route: Route) -> bool:
    """Whether a route's tokens are counted by what its providers say; a stream must say it, then, too."""
    return bool(gateway.rate_limit_service and route.limits.tokens_per_minute)


def of_this_route(gateway: Gateway, route: Route) -> dict[str, Json]:
    """What is asked of the service for one route."""
    if not is_exact(gateway, route):
        return {}
    about = [
        _told("tenant", gateway.tenant),
        _told("environment", route.environment),
        _told("route", route.name),
        _told("revision", route.revision),
    ]
    limit = {"rate_limit": {"requests_per_unit": route.limits.tokens_per_minute, "unit": "MINUTE"}}
    asked = {"actions": about, "limit": limit}
    used = {"format": f"%DYNAMIC_METADATA({access_log.USAGE}:total_tokens)%"}
    rates = [{**asked, "hits_addend": {"number": 0}}, {**asked, "hits_addend": used, "apply_on_stream_done": True}]
    return {SERVICE: typed(f"{HTTP}.ratelimit.v3.RateLimitPerRoute", rate_limits=rates)}


def _told(key: str, value: str) -> Json:
    return {"generic_key": {"descriptor_key": key, "descriptor_value": value}}
