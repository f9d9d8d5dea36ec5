"""Which request goes where: by the endpoint, then who calls, then the model.

Law: what is found nowhere is refused. Each route stands here once, whoever may call it; once in each environment where
limits of its own are counted. Callers of the same routes are one group, of which there are few; within it a model is
found by one look-up, so that a thousand of them cost as much as one (measured: at 5,000 routes 0.29 ms a request, and
13.5 ms with a list of routes).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from ringfence.gateway import callers, identity, limits, replies, tree
from ringfence.gateway.forwarding import DEFAULT_RETRIES, forwarded, plugins, refusals
from ringfence.gateway.served import Callers, Gateway, Grant, Route
from ringfence.gateway.typed import CALLER_HEADER, CHAT, MODEL_HEADER, SOURCE, Json, typed

NAME: Final = "models"
ENDPOINTS: Final = (CHAT, "/v1/completions", "/v1/embeddings")
"""POST, with a `model` in a body of JSON. `/v1/responses` is not among them: a provider stores what comes that way."""
MODELS: Final = "/v1/models"
REVISION_HEADER: Final = "x-ringfence-revision"
"""Of the answer to the probe: which configuration is served."""
_PATH: Final = ":path"
_METHOD: Final = ":method"
_LONGEST_ANSWER: Final = 1 << 20
_LEAKING: Final = ("set-cookie", "openai-organization", "openai-project", "alt-svc")
"""Headers of a provider's answer that say who pays it, or that a client would keep."""
_MODEL_REFUSED: Final = tree.route(replies.direct(replies.MODEL_NOT_ALLOWED, "refused/model"))


def route_configuration(gateway: Gateway, revision: str) -> Json:
    """All routes of the gateway; ``revision`` is that of the whole configuration."""
    host = {
        "name": NAME,
        "domains": ["*"],
        "metadata": {"filter_metadata": {SOURCE: {"config_rev": revision}}},
        "matcher": _endpoints(gateway, revision),
        "retry_policy": DEFAULT_RETRIES,
        "response_headers_to_remove": list(_LEAKING),
        # A provider's own name for the request would lead nowhere; this one leads to the access log.
        "response_headers_to_add": [replies.header("x-request-id", identity.REQUEST_ID)],
        "typed_per_filter_config": {
            callers.FILTER: callers.admitted(gateway),
            limits.ROUTES: limits.of_these_routes(gateway),
        },
    }
    return typed(
        "envoy.config.route.v3.RouteConfiguration",
        name=NAME,
        virtual_hosts=[host],
        cluster_specifier_plugins=plugins(gateway),
        max_direct_response_body_size_bytes=_LONGEST_ANSWER,
        # A cluster that is new comes with the same swap of files, and perhaps a moment later.
        validate_clusters=False,
    )


def _endpoints(gateway: Gateway, revision: str) -> Json:
    asked = tree.both(tree.equals(_METHOD, "POST"), tree.matches(_PATH, tree.any_of(ENDPOINTS)))
    listed = tree.both(tree.equals(_METHOD, "GET"), tree.equals(_PATH, MODELS))
    return tree.in_order(
        (asked, tree.further(_models(gateway))),
        (listed, tree.further(_listings(gateway, revision))),
        otherwise=tree.route(replies.direct(replies.ENDPOINT_UNKNOWN, "refused/endpoint")),
    )


# --- a model


def _models(gateway: Gateway) -> Json:
    cases = [_of_group(gateway, *who, routes) for who, routes in _groups(gateway).items()]
    return tree.in_order(*cases, otherwise=_MODEL_REFUSED) if cases else {"on_no_match": _MODEL_REFUSED}


def _groups(gateway: Gateway) -> Mapping[tuple[str, str], list[Route]]:
    """Routes by an expression for those who may call them, and one for those of them who may not."""
    granted: dict[Route, list[str]] = defaultdict(list)
    denied: dict[Route, list[str]] = defaultdict(list)
    for namespace, each in sorted(gateway.callers.items()):
        for grant in each.grants:
            route = _shared(grant.route)
            granted[route].append(_granted(namespace, grant))
            denied[route] += [f"{namespace}/{account}" for account in grant.without]
    groups: dict[tuple[str, str], list[Route]] = defaultdict(list)
    for route, callers_of_it in granted.items():
        groups["|".join(sorted(callers_of_it)), tree.any_of(denied[route])].append(route)
    return dict(sorted(groups.items()))


def _shared(route: Route) -> Route:
    """The same in all environments, where none of its limits has to be counted in each."""
    return route if route.limits.are_counted else replace(route, environment="")


def _granted(namespace: str, grant: Grant) -> str:
    """An expression for the callers in one namespace."""
    accounts = f"(?:{tree.any_of(grant.accounts)})" if grant.accounts else "[^/]+"
    return f"{tree.any_of([namespace])}/{accounts}"


def _of_group(gateway: Gateway, who: str, without: str, routes: list[Route]) -> tuple[Json, Json]:
    chosen = {route.model: _chosen(gateway, route) for route in routes}
    case = tree.matches(CALLER_HEADER, who)
    if without:
        case = tree.both(case, tree.unless(tree.matches(CALLER_HEADER, without)))
    return case, tree.further(tree.by_value(MODEL_HEADER, chosen))


def _chosen(gateway: Gateway, route: Route) -> Json:
    found = tree.route(forwarded(gateway, route))
    unfit = [(case, tree.route(replies.direct(why, f"refused/{why.code}"))) for case, why in refusals(gateway, route)]
    return tree.further(tree.in_order(*unfit, otherwise=found)) if unfit else found


# --- the list of models


def _listings(gateway: Gateway, revision: str) -> Json:
    """One answer for all callers with the same models."""
    groups: dict[tuple[bool, tuple[str, ...]], list[str]] = defaultdict(list)
    for namespace, each in sorted(gateway.callers.items()):
        for others, grants, expression in _seen(namespace, each):
            groups[others, _names(grants)].append(expression)
    found = sorted(groups.items())  # whoever is meant by name before all others of the namespace
    cases = [(tree.matches(CALLER_HEADER, "|".join(who)), _listing(models)) for (_, models), who in found]
    if gateway.probe:
        probe = f"{gateway.probe.namespace}/{gateway.probe.account}"
        cases.append((tree.equals(CALLER_HEADER, probe), _listing((), x_ringfence_revision=revision)))
    return tree.in_order(*cases, otherwise=_listing(())) if cases else {"on_no_match": _listing(())}


def _seen(namespace: str, each: Callers) -> Iterator[tuple[bool, Iterable[Grant], str]]:
    """What is listed for whom: for accounts that some route lets in or leaves out, and for all others."""
    chosen = sorted({account for grant in each.grants for account in grant.accounts | grant.without})
    for account in chosen:
        yield False, (grant for grant in each.grants if grant.lets(account)), tree.any_of([f"{namespace}/{account}"])
    yield True, (grant for grant in each.grants if not grant.accounts), f"{tree.any_of([namespace])}/[^/]+"


def _names(grants: Iterable[Grant]) -> tuple[str, ...]:
    return tuple(sorted(grant.route.model for grant in grants))


def _listing(models: Iterable[str], **headers: str) -> Json:
    data = [{"id": model, "object": "model", "created": 0, "owned_by": "ringfence"} for model in models]
    return tree.route(replies.answered(MODELS, 200, {"object": "list", "data": data}, **headers))
