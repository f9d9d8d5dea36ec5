"""How many requests pass: a bucket for the tenant and one for each route, refilled once a minute.

Each replica counts by itself, so each has its part. Source: local rate limit filter of Envoy.
"""

import math
from collections.abc import Iterator
from typing import Final

from ringfence.gateway.served import Gateway
from ringfence.gateway.typed import HTTP, SOURCE, Json, named

FILTER: Final = "envoy.filters.http.local_ratelimit"
_ALWAYS: Final = {"default_value": {"numerator": 100}}
_UNLIMITED: Final = 4_000_000_000


def local_rate_limit(gateway: Gateway) -> Json:
    """The filter; a request takes one from the tenant's bucket and one from its route's."""
    return named(
        FILTER,
        f"{HTTP}.local_ratelimit.v3.LocalRateLimit",
        stat_prefix="ringfence",
        token_bucket=_bucket(_UNLIMITED),
        always_consume_default_token_bucket=False,
        filter_enabled=_ALWAYS,
        filter_enforced=_ALWAYS,
        enable_x_ratelimit_headers="DRAFT_VERSION_03",
        rate_limits=[{"actions": [_noted(key)]} for key in ("tenant", "limit")],
        descriptors=list(_descriptors(gateway)),
    )


def limit_name(route: str, revision: str) -> str:
    """What a route's bucket is known by: two revisions of it, in two environments, have one each."""
    return f"{route}/{revision}"


def _descriptors(gateway: Gateway) -> Iterator[Json]:
    if gateway.requests_per_minute:
        yield _descriptor("tenant", gateway.tenant, _part(gateway, gateway.requests_per_minute))
    for route in gateway.routes:
        if route.limits.requests_per_minute:
            part = _part(gateway, route.limits.requests_per_minute)
            yield _descriptor("limit", limit_name(route.name, route.revision), part)


def _part(gateway: Gateway, number: int) -> int:
    return max(1, math.floor(number / gateway.replicas))


def _descriptor(key: str, value: str, number: int) -> Json:
    return {"entries": [{"key": key, "value": value}], "token_bucket": _bucket(number)}


def _bucket(number: int) -> Json:
    return {"max_tokens": number, "tokens_per_fill": number, "fill_interval": "60s"}


def _noted(key: str) -> Json:
    """What the route says of itself under ``key``."""
    metadata_key = {"key": SOURCE, "path": [{"key": key}]}
    return {"metadata": {"descriptor_key": key, "source": "ROUTE_ENTRY", "metadata_key": metadata_key}}
