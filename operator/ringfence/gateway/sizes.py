"""How large a request may be: at most what the gateway takes, and less where a route says so.

Law: counted is what the client sent. A whole body is read before anything is decided by it.
"""

from typing import Final

from ringfence.gateway.typed import HTTP, LENGTH_HEADER, Json, named, typed

FILTER: Final = "ringfence.route-size"
TOO_LARGE: Final = "size"
"""The rule of that filter; the details of a refusal name it."""


def of_gateway(max_request_bytes: int) -> Json:
    """The filter that holds a body until it is whole, and notes its length even if it came in pieces.

    Not `body_size_limit`: that writes the path of what it refuses, which is a client's text, to Envoy's log.
    """
    return named("ringfence.size", f"{HTTP}.buffer.v3.Buffer", max_request_bytes=max_request_bytes)


def of_routes() -> Json:
    """The filter for routes; the routes say how much. What its model is, is known when all of a body is read."""
    return named(FILTER, f"{HTTP}.rbac.v3.RBAC")


def of_this_route(max_request_bytes: int) -> Json:
    """How much, for one route."""
    fits = {"header": {"name": LENGTH_HEADER, "range_match": {"start": 0, "end": max_request_bytes + 1}}}
    policy = {"permissions": [{"not_rule": fits}], "principals": [{"any": True}]}
    rules = {"action": "DENY", "policies": {TOO_LARGE: policy}}
    return typed(f"{HTTP}.rbac.v3.RBACPerRoute", rbac={"rules": rules})
