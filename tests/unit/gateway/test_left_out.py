"""Accounts that a route for all of a namespace is not for."""

import json
import re

import pytest

from ringfence.gateway.files import configuration
from ringfence.gateway.lint import lint
from ringfence.gateway.served import Callers, Grant
from tests.unit.gateway import full, parts
from tests.unit.gateway.full import Json

KEY = full.LIVE.account
NAMED = full.TRIAL.account
CALLERS = {
    "acme-dev": Callers("dev", (Grant(full.CHAT), Grant(full.LIMITED)), (full.LIVE,)),
    "acme-prod": Callers(
        "prod",
        (Grant(full.CHAT, without=frozenset({KEY})), Grant(full.LIMITED, without=frozenset({KEY, NAMED}))),
        (full.LIVE, full.TRIAL),
    ),
    "acme-web": Callers("dev", (Grant(full.CHAT), Grant(full.LIMITED, frozenset({"ui"})))),
}


@pytest.fixture(scope="module")
def files() -> Json:
    return full.rendered(callers=CALLERS)


def holds(predicate: Json, caller: str) -> bool:
    """As Envoy judges it."""
    if "and_matcher" in predicate:
        return all(holds(each, caller) for each in predicate["and_matcher"]["predicate"])
    if "not_matcher" in predicate:
        return not holds(predicate["not_matcher"], caller)
    match = predicate["single_predicate"]["value_match"]
    if "exact" in match:
        return bool(match["exact"] == caller)
    return re.fullmatch(match["safe_regex"]["regex"], caller) is not None


def called(files: Json, caller: str) -> set[str]:
    found = (group for group in parts.groups(files) if holds(group["predicate"], caller))
    return {model for each in found for model in each["on_match"]["matcher"]["matcher_tree"]["exact_match_map"]["map"]}


def listed(files: Json, caller: str) -> set[str]:
    tree = next(each for each in parts.host(files)["matcher"]["matcher_list"]["matchers"] if "/v1/models" in str(each))
    cases = tree["on_match"]["matcher"]["matcher_list"]["matchers"]
    found = next(each["on_match"] for each in cases if holds(each["predicate"], caller))
    answer = json.loads(found["action"]["typed_config"]["direct_response"]["body"]["inline_string"])
    return {each["id"] for each in answer["data"]}


@pytest.mark.parametrize(
    ("caller", "models"),
    [
        ("acme-prod/anybody", {"chat", "limited"}),
        (f"acme-prod/{KEY}", set()),
        (f"acme-prod/{NAMED}", {"chat"}),
        (f"acme-prod/{KEY}2", {"chat", "limited"}),
        (f"acme-dev/{KEY}", {"chat", "limited"}),
        ("acme-web/ui", {"chat", "limited"}),
        ("acme-web/other", {"chat"}),
    ],
)
def test_who_is_left_out_calls_nothing_and_is_told_of_nothing(files: Json, caller: str, models: set[str]) -> None:
    """He alone, in that namespace alone; a list by name goes before that of all others."""
    assert called(files, caller) == models
    assert listed(files, caller) == models


def test_the_linter_follows_who_is_left_out() -> None:
    """The caller is matched by name all the same."""
    assert lint(configuration(full.gateway(callers=CALLERS)).files) == ()
