"""Who may call which model, and what a request for it becomes."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from ringfence.gateway.served import Callers, Grant, Limits, Route, Target
from ringfence.gateway.targets import clusters, pools_of
from ringfence.gateway.typed import seconds
from tests.unit.gateway import full, parts
from tests.unit.gateway.full import Json


def allowed(files: Json, caller: str) -> set[str]:
    """The models of somebody, as the tree of routes would choose."""
    found: Json = {}
    for group in reversed(parts.groups(files)):
        if re.fullmatch(_expression(group), caller):
            found |= group["on_match"]["matcher"]["matcher_tree"]["exact_match_map"]["map"]
    return set(found)


def listed(files: Json, caller: str) -> list[str]:
    """The models that somebody is told of."""
    tree = next(each for each in parts.host(files)["matcher"]["matcher_list"]["matchers"] if "/v1/models" in str(each))
    cases = tree["on_match"]["matcher"]["matcher_list"]["matchers"]
    found = next(each["on_match"] for each in cases if re.fullmatch(_expression(each), caller))
    answer = json.loads(found["action"]["typed_config"]["direct_response"]["body"]["inline_string"])
    return [each["id"] for each in answer["data"]]


def _expression(case: Json) -> str:
    match: Json = case["predicate"]["single_predicate"]["value_match"]
    return str(match["safe_regex"]["regex"]) if "safe_regex" in match else re.escape(match["exact"])


@pytest.mark.parametrize(
    ("caller", "models"),
    [
        ("acme-dev/anybody", {"chat", "limited", "claude"}),
        ("acme-dev/chat-ui", {"chat", "limited", "claude", "llama"}),
        ("acme-web/batch", {"chat", "limited", "claude", "llama"}),
        ("acme-prod/chat-ui", {"chat"}),
        ("acme-devil/anybody", set()),
        ("acme-dev/", set()),
        ("xacme-dev/anybody", set()),
        ("ringfence-system/ringfence-probe", set()),
    ],
)
def test_a_caller_has_the_models_of_its_namespace_and_account(caller: str, models: set[str]) -> None:
    """And is told of just these."""
    files = full.rendered()
    assert allowed(files, caller) == models
    if models:
        assert set(listed(files, caller)) == models


def test_an_environment_has_its_own_revision() -> None:
    """One model, one name, two revisions."""
    files = full.rendered()
    assert parts.providers(files, parts.route(files, "chat", "rev-0")) == {"second"}
    assert parts.providers(files, parts.route(files, "chat", "rev-1")) == {"first", "second"}


def tried(matcher: Json) -> int:
    """How many predicates Envoy tries one after the other for a request, at most."""
    found = matcher.get("matcher_list", {}).get("matchers", [])
    ways = [each["on_match"] for each in found]
    ways += matcher.get("matcher_tree", {}).get("exact_match_map", {}).get("map", {}).values()
    ways += [matcher["on_no_match"]] if "on_no_match" in matcher else []
    return len(found) + max((tried(way["matcher"]) for way in ways if "matcher" in way), default=0)


def test_eight_hundred_routes_are_looked_up_as_fast_as_one() -> None:
    """No predicate more is tried for a request: a route is looked up by its model, not looked for."""
    many = tuple(Grant(replace(full.CHAT, name=f"chat-{n}", model=f"model-{n}")) for n in range(800))
    one, other = (full.rendered(callers={"acme-dev": Callers("dev", grants)}) for grants in (many[:1], many))
    assert allowed(other, "acme-dev/anybody") == {each.route.model for each in many}
    assert tried(parts.host(other)["matcher"]) == tried(parts.host(one)["matcher"]) > 0


def test_dots_of_accounts_are_no_wildcards() -> None:
    """A ServiceAccount's name may have them."""
    grants = (Grant(full.CHAT, frozenset({"batch.v2"})),)
    files = full.rendered(callers={"acme-dev": Callers("dev", grants)})
    assert allowed(files, "acme-dev/batch.v2") == {"chat"}
    assert allowed(files, "acme-dev/batchxv2") == set()


def test_targets_of_one_provider_have_clusters_of_their_own() -> None:
    """What is asked for at each stands in the route."""
    files = full.rendered()
    route = parts.route(files, "chat", "rev-1")
    asked = {"first": "gpt-4o", "second": "gpt-x", "first/2": "gpt-4o-mini"}
    assert route["metadata"]["filter_metadata"]["ringfence.target"] == asked


def test_a_model_s_name_is_quoted_before_it_gets_into_a_body() -> None:
    """It is put there as it is."""
    odd = Route("odd", "odd", "rev-9", ((Target("first", 'a"b\\c'),),))
    files = full.rendered(callers={"acme-dev": Callers("dev", (Grant(odd),))})
    asked = parts.route(files, "odd", "rev-9")["metadata"]["filter_metadata"]["ringfence.target"]
    assert json.loads(f'"{asked["first"]}"') == 'a"b\\c'


def test_parallel_requests_are_shared_by_weight_and_replicas() -> None:
    """A pool's targets have the limit together, and so have the replicas."""
    shared = Route("shared", "shared", "rev-9", ((full.GPT, full.SPARE),), Limits(max_parallel=8))
    (pool,) = pools_of(full.gateway(replicas=2), shared)
    assert [reached.cluster.max_parallel for reached in pool] == [3, 1]


def test_an_environment_with_other_providers_has_limits_of_its_own() -> None:
    """Of one revision: each counts by itself, and the share of a target is of the targets that are there."""
    here = replace(full.CHAT, pools=((full.SPARE,),), limits=full.STRICT, environment="prod")
    there = replace(here, pools=((replace(full.GPT, weight=1), full.SPARE),), environment="dev")
    callers = {f"acme-{each.environment}": Callers(each.environment, (Grant(each),)) for each in (here, there)}
    gateway = full.gateway(callers=callers)
    assert {each.name: each.max_parallel for each in clusters(gateway)} == {
        "second@prod/chat": 8,
        "first@dev/chat": 4,
        "second@dev/chat": 4,
    }
    files = full.rendered(callers=callers, rate_limit_service=full.SERVICE)
    counted = parts.host(files)["typed_per_filter_config"]["ringfence.route-limit"]["descriptors"]
    assert [each["entries"][0]["value"] for each in counted] == ["dev/chat", "prod/chat"]
    assert {asked(each) for each in parts.forwarding(files)} == {
        ("acme", each, "chat", "rev-1") for each in ("dev", "prod")
    }


def asked(route: Json) -> tuple[str, ...]:
    """What the rate limit service is told of a route."""
    (about,) = {
        tuple(action["generic_key"]["descriptor_value"] for action in each["actions"])
        for each in route["typed_per_filter_config"]["ringfence.token-limit"]["rate_limits"]
    }
    return about


def test_only_clusters_that_are_led_to_are_there() -> None:
    """A provider that no route names is not connected to."""
    assert [each.name for each in clusters(full.gateway(callers={}))] == []
    assert parts.cluster(full.rendered(), "first")


def test_a_fallback_is_tried_once_for_each_further_pool() -> None:
    """In a part of the time each; a route without one is not tried again."""
    spare = ((full.GPT,), (full.SPARE,), (Target("first", "last"),))
    deep = Route("deep", "deep", "rev-9", spare, Limits(timeout=30))
    files = full.rendered(callers={"acme-dev": Callers("dev", (Grant(deep), Grant(full.LIMITED)))})
    retries = parts.route(files, "deep", "rev-9")["route"]["retry_policy"]
    assert (retries["num_retries"], retries["per_try_timeout"]) == (2, "10s")
    assert parts.route(files, "limited", "rev-2")["route"]["retry_policy"] == {"num_retries": 0}


@pytest.mark.parametrize(
    ("number", "text"),
    [(120, "120s"), (0.5, "0.5s"), (100 / 3, "33.333s"), (7_776_000, "7776000s"), (10**11, "315360000s")],
)
def test_durations_are_written_as_envoy_reads_them(number: float, text: str) -> None:
    """One that it does not read would have it refuse all routes of the tenant."""
    assert seconds(number) == text


@pytest.mark.parametrize(
    ("wanted", "number"), [({}, 10), ({"replicas": 3}, 3), ({"replicas": 40}, 1)], ids=["one", "three", "forty"]
)
def test_each_replica_has_its_part_of_a_limit(wanted: dict[str, Any], number: int) -> None:
    """Since each counts by itself; none is left without any."""
    bucket = limit(full.rendered(**wanted), "requests")
    assert bucket == {"max_tokens": number, "tokens_per_fill": number, "fill_interval": "60s"}


def test_tokens_are_estimated_unless_a_service_counts_them() -> None:
    """By four bytes a token."""
    assert limit(full.rendered(), "tokens")["max_tokens"] == 4 * 1000
    exact = full.rendered(rate_limit_service=full.SERVICE)
    asked = parts.route(exact, "limited", "rev-2")["typed_per_filter_config"]["ringfence.token-limit"]["rate_limits"]
    assert limit(exact, "tokens") == {}
    assert {each["limit"]["rate_limit"]["requests_per_unit"] for each in asked} == {1000}


def limit(files: Json, kind: str) -> Json:
    """The bucket of a route."""
    descriptors = parts.host(files)["typed_per_filter_config"]["ringfence.route-limit"]["descriptors"]
    wanted = [{"key": kind, "value": "dev/limited"}]
    return next((each["token_bucket"] for each in descriptors if each["entries"] == wanted), {})
