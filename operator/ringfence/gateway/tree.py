"""Matchers of requests: by one header's exact value where there are many, in order where there are few.

Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/intro/arch_overview/advanced/matching/matching_api
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ringfence.gateway.typed import Json, named


def route(action: Json) -> Json:
    """The end of a way through the tree."""
    return {"action": named("route", "envoy.config.route.v3.Route", **action)}


def further(matcher: Json) -> Json:
    """A way on; where it leads to nothing, the next case around it is looked at."""
    return {"matcher": matcher}


def by_value(header: str, found: Mapping[str, Json]) -> Json:
    """A choice among many: one look-up, however many there are."""
    tree: dict[str, Any] = {"input": _header(header), "exact_match_map": {"map": dict(found)}}
    return {"matcher_tree": tree}


def in_order(*cases: tuple[Json, Json], otherwise: Json | None = None) -> Json:
    """A choice among few: what the first predicate that holds says."""
    matchers = [{"predicate": predicate, "on_match": then} for predicate, then in cases]
    found: Json = {"matcher_list": {"matchers": matchers}}
    return {**found, "on_no_match": otherwise} if otherwise else found


def equals(header: str, value: str) -> Json:
    """That a header is exactly this."""
    return _predicate(header, {"exact": value})


def matches(header: str, expression: str) -> Json:
    """That the whole of a header matches a regular expression (RE2); a header that is not there matches none."""
    return _predicate(header, {"safe_regex": {"google_re2": {}, "regex": expression}})


def both(*predicates: Json) -> Json:
    """That all of them hold."""
    return {"and_matcher": {"predicate": list(predicates)}}


def unless(predicate: Json) -> Json:
    """That it does not hold."""
    return {"not_matcher": predicate}


def any_of(values: Iterable[str]) -> str:
    """An expression for each of these texts and nothing else."""
    return "|".join(map(re.escape, sorted(values)))


def _predicate(header: str, value: Json) -> Json:
    return {"single_predicate": {"input": _header(header), "value_match": value}}


def _header(name: str) -> Json:
    return named("header", "envoy.type.matcher.v3.HttpRequestHeaderMatchInput", header_name=name)
