"""Which request goes where: by the caller's namespace, then the endpoint, then the model, then the account.

Law: a tree of exact matches, never a list: what is found nowhere is refused, and a thousand routes cost as much as one
(measured: at 5,000 routes 0.29 ms a request, and 13.5 ms with a list).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ringfence.gateway import identity, replies
from ringfence.gateway.limits import limit_name
from ringfence.gateway.served import Gateway, Grant, Route, Target
from ringfence.gateway.typed import (
    ACCOUNT_HEADER,
    HTTP,
    MODEL_HEADER,
    NAMESPACE_HEADER,
    SOURCE,
    Json,
    named,
    seconds,
    typed,
)

NAME: Final = "models"
ENDPOINTS: Final = ("/v1/chat/completions", "/v1/completions", "/v1/embeddings")
"""POST, with a `model` in a body of JSON. `/v1/responses` is not among them: a provider stores what comes that way."""
MODELS: Final = "/v1/models"
_TRIED_AGAIN: Final = "connect-failure,reset,5xx,retriable-status-codes"
_BUSY: Final = 429


def route_configuration(gateway: Gateway, revision: str) -> Json:
    """All routes of the gateway; ``revision`` is that of the whole configuration."""
    namespaces = {name: _subtree(_endpoints(gateway, name, each.grants)) for name, each in gateway.callers.items()}
    unknown = replies.direct(replies.CALLER_UNKNOWN, "refused/caller")
    host = {
        "name": NAME,
        "domains": ["*"],
        "metadata": {"filter_metadata": {SOURCE: {"config_rev": revision}}},
        "matcher": _by_header(NAMESPACE_HEADER, namespaces, otherwise=unknown),
    }
    return typed(
        "envoy.config.route.v3.RouteConfiguration",
        name=NAME,
        virtual_hosts=[host],
        validate_clusters=False,
    )


def _endpoints(gateway: Gateway, namespace: str, grants: Sequence[Grant]) -> Json:
    models = _subtree(_models(gateway, namespace, grants))
    found = dict.fromkeys(ENDPOINTS, models) | {MODELS: _leaf(_listing(namespace, grants))}
    return _by_header(":path", found, otherwise=replies.direct(replies.ENDPOINT_UNKNOWN, "refused/endpoint"))


def _listing(namespace: str, grants: Sequence[Grant]) -> Json:
    """The answer to `GET /v1/models`."""
    listed = [{"id": grant.route.model, "object": "model", "created": 0, "owned_by": "ringfence"} for grant in grants]
    return replies.answered(f"models/{namespace}", 200, {"object": "list", "data": listed})


def _models(gateway: Gateway, namespace: str, grants: Iterable[Grant]) -> Json:
    refused = replies.direct(replies.MODEL_NOT_ALLOWED, "refused/model")
    found = {grant.route.model: _for_accounts(grant, _route(gateway, namespace, grant.route)) for grant in grants}
    return _by_header(MODEL_HEADER, found, otherwise=refused)


def _for_accounts(grant: Grant, route: Json) -> Json:
    if not grant.accounts:
        return _leaf(route)
    refused = replies.direct(replies.MODEL_NOT_ALLOWED, "refused/account")
    return _subtree(_by_header(ACCOUNT_HEADER, {name: _leaf(route) for name in sorted(grant.accounts)}, refused))


# --- one route


def _route(gateway: Gateway, namespace: str, route: Route) -> Json:
    noted = {
        "tenant": gateway.tenant,
        "route": route.name,
        "model": route.model,
        "revision": route.revision,
        "limit": limit_name(route.name, route.revision),
    }
    return {
        "name": f"{namespace}/{route.name}",
        "match": {"prefix": "/", "headers": [{"name": ":method", "string_match": {"exact": "POST"}}]},
        "route": _action(route),
        "metadata": {"filter_metadata": {SOURCE: noted}},
        "typed_per_filter_config": {
            "envoy.filters.http.rbac": typed(f"{HTTP}.rbac.v3.RBACPerRoute", rbac=identity.called_from(namespace)),
            "ringfence.placeholder": typed(
                f"{HTTP}.transform.v3.TransformConfig",
                request_transformation={
                    "body_transformation": {"body_format": {"json_format": {"model": "rf:model"}}, "action": "MERGE"}
                },
            ),
            "ringfence.route-size": typed(
                f"{HTTP}.buffer.v3.BufferPerRoute",
                buffer={"max_request_bytes": min(gateway.max_request_bytes, route.limits.max_request_bytes)},
            ),
        },
    }


def _action(route: Route) -> Json:
    timeouts = {
        "timeout": seconds(route.limits.timeout),
        "idle_timeout": seconds(route.limits.idle_timeout),
        "auto_host_rewrite": True,
    }
    if len(route.targets) == 1:
        return {"cluster": route.targets[0].cluster, **timeouts}
    return {**_by_priority(route), **timeouts, **_fallback(route)}


def _by_priority(route: Route) -> Json:
    groups = [{"name": f"priority-{n}", "clusters": list(map(_weighted, pool))} for n, pool in enumerate(route.pools)]
    message = "envoy.extensions.router.cluster_specifiers.priority_group.v3.PriorityGroupClusterSpecifier"
    return {"inline_cluster_specifier_plugin": {"extension": named("ringfence.pools", message, priority_groups=groups)}}


def _weighted(target: Target) -> Json:
    return {"cluster_name": target.cluster, "weight": target.weight}


def _fallback(route: Route) -> Json:
    """Before the first byte of an answer only, once for each further pool."""
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


# --- the tree


def _by_header(name: str, found: Mapping[str, Json], otherwise: Json) -> Json:
    """A choice by the exact value of a header."""
    if not found:
        return {"on_no_match": _leaf(otherwise)}
    message = "envoy.type.matcher.v3.HttpRequestHeaderMatchInput"
    tree: dict[str, Any] = {
        "input": named("header", message, header_name=name),
        "exact_match_map": {"map": dict(found)},
    }
    return {"matcher_tree": tree, "on_no_match": _leaf(otherwise)}


def _leaf(route: Json) -> Json:
    return {"action": named("route", "envoy.config.route.v3.Route", **route)}


def _subtree(matcher: Json) -> Json:
    return {"matcher": matcher}
