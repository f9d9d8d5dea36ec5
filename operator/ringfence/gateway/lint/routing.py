"""Where requests may go.

Law: a request is sent on only where its caller and its model were both matched, and what is matched nowhere is refused.
Every place that it is sent to is a cluster that is there.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from ringfence.gateway.lint.finding import Finding
from ringfence.gateway.lint.parsed import ROUTES, Json, Parsed, nodes, type_of

_CALLER: Final = "x-rf-caller"
_MODEL: Final = "x-rf-model"
_LABEL: Final = r"[a-z0-9](?:[a-z0-9.]|\\-|\\\.)*"
_ACCOUNTS: Final = rf"\[\^/\]\+|\(\?:{_LABEL}(?:\|{_LABEL})*\)|{_LABEL}"
_CALLERS: Final = re.compile(rf"{_LABEL}/(?:{_ACCOUNTS})(?:\|{_LABEL}/(?:{_ACCOUNTS}))*")
"""One namespace after the other, each with any of its accounts or with some by name."""
_REFUSALS: Final = range(400, 500)


def routing(parsed: Parsed) -> Iterator[Finding]:
    """Routes that lead further than they should."""
    hosts = parsed.routes.get("virtual_hosts", [])
    if len(hosts) != 1 or "routes" in hosts[0] or "matcher" not in hosts[0]:
        yield Finding("routes", ROUTES, "there must be one tree of routes and nothing beside it")
        return
    if not _refuses(hosts[0]["matcher"].get("on_no_match")):
        yield Finding("routes", ROUTES, "what is matched nowhere must be refused")
    clusters = {each.get("name") for each in parsed.clusters}
    plugins = parsed.routes.get("cluster_specifier_plugins", [])
    choices = {each["extension"]["name"]: _chosen(each) for each in plugins}
    known = {**{name: [name] for name in clusters}, **choices}
    for where, headers, route in _ends(hosts[0]["matcher"], f"{ROUTES}/matcher", ()):
        yield from _end(where, headers, route, known, clusters)


def _chosen(plugin: Json) -> list[Any]:
    return [value for _, field, value in nodes(plugin, "") if field == "cluster_name"]


def _refuses(end: Any) -> bool:
    route = (end or {}).get("action", {}).get("typed_config", {})
    return route.get("direct_response", {}).get("status") in _REFUSALS


def _ends(matcher: Json, where: str, headers: Sequence[str]) -> Iterator[tuple[str, Sequence[str], Json]]:
    """Every route in a tree, with the headers that were matched on the way."""
    yield from _after(matcher.get("on_no_match"), f"{where}/otherwise", headers)
    for number, each in enumerate(matcher.get("matcher_list", {}).get("matchers", [])):
        matched = (*headers, *_matched(each.get("predicate", {})))
        yield from _after(each.get("on_match"), f"{where}/{number}", matched)
    tree = matcher.get("matcher_tree", {})
    for value, then in tree.get("exact_match_map", {}).get("map", {}).items():
        name = tree.get("input", {}).get("typed_config", {}).get("header_name", "")
        yield from _after(then, f"{where}/{value[:64]}", (*headers, name))


def _after(then: Any, where: str, headers: Sequence[str]) -> Iterator[tuple[str, Sequence[str], Json]]:
    if then and "matcher" in then:
        yield from _ends(then["matcher"], where, headers)
    elif then:
        yield where, headers, then.get("action", {}).get("typed_config", {})


def _matched(predicate: Json) -> Iterator[str]:
    """Headers whose value a predicate pins down."""
    for each in predicate.get("and_matcher", {}).get("predicate", []):
        yield from _matched(each)
    single = predicate.get("single_predicate", {})
    header = single.get("input", {}).get("typed_config", {}).get("header_name")
    expression = single.get("value_match", {}).get("safe_regex", {}).get("regex", "")
    if header and (header != _CALLER or _CALLERS.fullmatch(expression)):
        yield header


def _end(
    where: str, headers: Sequence[str], route: Json, known: dict[str, list[Any]], clusters: set[Any]
) -> Iterator[Finding]:
    if not type_of(route).endswith(".Route") or route.get("match") != {"prefix": "/"}:
        yield Finding("routes", where, "a tree must end in routes that ask nothing more")
    if "direct_response" in route and "route" not in route:
        return
    if _CALLER not in headers or _MODEL not in headers:
        yield Finding("routes", where, "a request is sent on without its caller and its model being matched")
    action = route.get("route", {})
    leads = known.get(action.get("cluster") or action.get("cluster_specifier_plugin"), [None])
    if not leads or not set(leads) <= clusters:
        yield Finding("routes", where, "it leads to nothing that is there")
    asked = route.get("metadata", {}).get("filter_metadata", {}).get("ringfence.target", {})
    if set(asked) != set(leads):
        yield Finding("routes", where, "it does not say which model is asked for at each place that it leads to")
