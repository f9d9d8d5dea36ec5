"""How large a request may be: at most what the gateway takes, and less where a route says so.

Law: counted is what the client sent. A whole body is read before anything is decided by it.
"""

from typing import Final

from ringfence.gateway.typed import HTTP, LENGTH_HEADER, Json, named, typed

FILTER: Final = "ringfence.route-size"
TOO_LARGE: Final = "size"
"""The rule of that filter; the details of a refusal name it."""

_ROOM: Final = 1 << 10
"""Bytes by which a body may grow on its way: a provider's name of a model may be longer than the callers' own."""


def of_gateway(max_request_bytes: int) -> Json:
    """The filter that holds a body until it is whole, and notes its length even if it came in pieces.

    Not `body_size_limit`: that writes the path of what it refuses, which is a client's text, to Envoy's log.
    """
    return named("ringfence.size", f"{HTTP}.buffer.v3.Buffer", max_request_bytes=max_request_bytes + _ROOM)


def of_routes(max_request_bytes: int) -> Json:
    """The filter for what is larger than this, or than the routes say: whose it is, is known when all of it is read."""
    return named(FILTER, f"{HTTP}.rbac.v3.RBAC", rules=_rules(max_request_bytes))


def of_this_route(max_request_bytes: int) -> Json:
    """How much, for one route."""
    return typed(f"{HTTP}.rbac.v3.RBACPerRoute", rbac={"rules": _rules(max_request_bytes)})


def _rules(max_request_bytes: int) -> Json:
    counted = {"header": {"name": LENGTH_HEADER, "present_match": True}}
    fits = {"header": {"name": LENGTH_HEADER, "range_match": {"start": 0, "end": max_request_bytes + 1}}}
    larger = {"and_rules": {"rules": [counted, {"not_rule": fits}]}}
    return {"action": "DENY", "policies": {TOO_LARGE: {"permissions": [larger], "principals": [{"any": True}]}}}
