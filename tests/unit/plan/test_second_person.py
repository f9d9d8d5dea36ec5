"""In no protected environment serves anything for which one person stands alone, however it came there."""

from typing import Final

import pytest

from ringfence import names
from tests.gateway_world import (
    ACME,
    ANN,
    BEN,
    CHAT,
    OPENAI,
    Json,
    approve,
    change,
    composed,
    kept,
    manifest,
    promote,
    revision,
    serving,
    settle,
    world,
)
from tests.simulation import Simulation
from tests.told import message, told

ALONE: Final = [{"name": "prod", "protected": True}]
"""Environments of a tenant with one."""
TENANT: Final[Json] = {"providers": [OPENAI]}
ROUTE: Final[Json] = {"backends": [{"provider": "openai", "model": "gpt-4o"}]}


@pytest.fixture(scope="module")
def one_environment() -> Simulation:
    """Protected from the beginning."""
    return world({**TENANT, "environments": ALONE}, ROUTE, {"live": "prod"})


@pytest.fixture
def alone(one_environment: Simulation) -> Simulation:
    return one_environment.fork()


@pytest.fixture(scope="module")
def three_environments() -> Simulation:
    made = world(TENANT, ROUTE, {"web": "dev", "live": "prod"})
    for environment in ("staging", "prod"):
        promote(made, environment, revision(made))
    approve(made, "prod", revision(made))
    return made


@pytest.fixture
def everywhere(three_environments: Simulation) -> Simulation:
    """A route with its first revision in every environment; prod is protected."""
    return three_environments.fork()


def staged(**edits: Json) -> list[Json]:
    """The three environments, some of them otherwise."""
    plain: dict[str, Json] = {"dev": {}, "staging": {}, "prod": {"protected": True}}
    return [{"name": name, **each, **edits.get(name, {})} for name, each in plain.items()]


def test_a_protected_first_environment_does_not_follow_the_spec(alone: Simulation) -> None:
    """What is only written serves nowhere, and the reason names the revision and the command."""
    assert serving(alone) == {}
    assert told(alone, CHAT) == ("False", "AwaitingPromotion")
    assert f"promote {revision(alone)}: `ringfence promote chat --to prod" in message(alone, CHAT)
    assert revision(alone) in kept(alone)


def test_a_protected_first_environment_serves_what_two_persons_want(alone: Simulation) -> None:
    """Nothing is before it in which a revision could serve first; nobody is spared the approval."""
    first = revision(alone)
    promote(alone, "prod", first)
    assert (serving(alone), told(alone, CHAT)) == ({}, ("False", "AwaitingApproval"))
    approve(alone, "prod", first, by=ANN)
    assert serving(alone) == {}
    change(alone, CHAT, {"approvals": []})
    approve(alone, "prod", first, by=BEN)
    assert (serving(alone), told(alone, CHAT)) == ({"prod": first}, ("True", "Reconciled"))
    change(alone, CHAT, {"limits": {"requestsPerMinute": 7}})
    assert revision(alone) != first
    assert serving(alone) == {"prod": first}


def test_what_serves_unapproved_ends_when_its_environment_is_protected(everywhere: Simulation) -> None:
    """Who promoted it stood for it alone."""
    first = revision(everywhere)
    change(everywhere, ACME, {"environments": staged(staging={"protected": True})})
    assert serving(everywhere) == {"dev": first, "prod": first}
    assert told(everywhere, CHAT) == ("False", "AwaitingApproval")
    approve(everywhere, "staging", first)
    assert serving(everywhere) == dict.fromkeys(("dev", "staging", "prod"), first)


def test_what_is_approved_serves_on_when_its_environment_is_protected(everywhere: Simulation) -> None:
    """An approval may be there first: so nothing has to be interrupted."""
    approve(everywhere, "staging", revision(everywhere))
    change(everywhere, ACME, {"environments": staged(staging={"protected": True})})
    assert serving(everywhere) == dict.fromkeys(("dev", "staging", "prod"), revision(everywhere))
    assert told(everywhere, CHAT) == ("True", "Reconciled")


def test_what_followed_the_spec_ends_when_its_environment_is_protected(everywhere: Simulation) -> None:
    change(everywhere, ACME, {"environments": staged(dev={"protected": True})})
    assert "dev" not in serving(everywhere)
    assert told(everywhere, CHAT) == ("False", "AwaitingPromotion")


def test_an_environment_put_before_a_protected_one_takes_nothing_back(alone: Simulation) -> None:
    """What serves was approved when it came."""
    first = revision(alone)
    promote(alone, "prod", first)
    approve(alone, "prod", first)
    change(alone, CHAT, {"approvals": []})
    change(alone, ACME, {"environments": [{"name": "dev"}, *ALONE]})
    assert serving(alone) == {"dev": first, "prod": first}


def test_an_old_revision_serves_on_only_while_somebody_approved_it(everywhere: Simulation) -> None:
    """Whatever waits beside it."""
    change(everywhere, CHAT, {"limits": {"requestsPerMinute": 7}})
    promote(everywhere, "staging", "rev-0123456789abcdef")
    assert "staging" in serving(everywhere)
    change(everywhere, ACME, {"environments": staged(staging={"protected": True})})
    assert "staging" not in serving(everywhere)


def test_a_route_made_anew_has_no_history(everywhere: Simulation) -> None:
    """One of the same name and content: nobody saw it serve, and nobody approved it."""
    first = revision(everywhere)
    (former,) = kept(everywhere).values()
    everywhere.delete(CHAT)
    made = manifest(CHAT, {"model": "chat", **ROUTE, "promotions": {"staging": first, "prod": first}})
    made["metadata"]["annotations"] = {f"{names.PROMOTED_BY_PREFIX}{name}": ANN for name in ("staging", "prod")}
    everywhere.put(made)
    assert serving(everywhere) == {"dev": first}
    settle(everywhere)
    assert serving(everywhere) == {"dev": first, "staging": first}
    assert told(everywhere, CHAT) == ("False", "AwaitingApproval")
    (kept_now,) = kept(everywhere).values()
    assert kept_now["metadata"]["labels"][names.ROUTE_UID_LABEL] != former["metadata"]["labels"][names.ROUTE_UID_LABEL]


def test_revisions_of_a_former_route_of_the_name_go(everywhere: Simulation) -> None:
    """It can't go back to what it never was."""
    first = revision(everywhere)
    everywhere.delete(CHAT)
    everywhere.put(manifest(CHAT, {"model": "talk", **ROUTE}))
    settle(everywhere)
    assert list(kept(everywhere)) == [revision(everywhere)]
    promote(everywhere, "staging", first)
    assert told(everywhere, CHAT) == ("False", "UnknownRevision")


def grants(made: Simulation, core: str) -> dict[str, frozenset[str]]:
    """Which ServiceAccounts of a core namespace may call which model; all where none is named."""
    found = composed(made).gateway.callers[core]
    return {grant.route.model: grant.accounts for grant in found.grants}


def test_one_person_lets_nobody_call_in_a_protected_environment(everywhere: Simulation) -> None:
    """Whoever is added to the consumers is in the next revision, and that waits for its approval."""
    change(everywhere, CHAT, {"consumers": {"namespaces": ["web"]}})
    narrowed = revision(everywhere)
    for environment in ("staging", "prod"):
        promote(everywhere, environment, narrowed)
    approve(everywhere, "prod", narrowed)
    assert (serving(everywhere)["prod"], grants(everywhere, "acme-live")) == (narrowed, {})
    for wider in ({}, {"namespaces": ["web", "live"]}):
        change(everywhere, CHAT, {"consumers": wider})
        assert revision(everywhere) != narrowed
        assert grants(everywhere, "acme-live") == {}
    promote(everywhere, "staging", revision(everywhere))
    promote(everywhere, "prod", revision(everywhere))
    assert grants(everywhere, "acme-live") == {}
    approve(everywhere, "prod", revision(everywhere))
    assert grants(everywhere, "acme-live") == {"chat": frozenset()}


@pytest.mark.parametrize(
    ("consumers", "left"),
    [
        ({"namespaces": ["web"]}, {}),
        ({"serviceAccounts": [{"namespace": "live", "name": "ui"}]}, {"chat": frozenset({"ui"})}),
    ],
)
def test_whoever_is_taken_off_is_turned_away_at_once(everywhere: Simulation, consumers: Json, left: Json) -> None:
    """Everywhere, by one person: an approval says who may call, and never that somebody must be able to."""
    before = serving(everywhere)["prod"]
    assert grants(everywhere, "acme-live") == {"chat": frozenset()}
    change(everywhere, CHAT, {"consumers": consumers})
    assert serving(everywhere)["prod"] == before
    assert grants(everywhere, "acme-live") == left


def test_of_named_accounts_those_call_whom_both_name(everywhere: Simulation) -> None:
    """The revision that was approved, and the spec as it is now."""
    accounts = [{"namespace": "live", "name": name} for name in ("ui", "batch", "other")]
    change(everywhere, CHAT, {"consumers": {"serviceAccounts": accounts[:2]}})
    for environment in ("staging", "prod"):
        promote(everywhere, environment, revision(everywhere))
    approve(everywhere, "prod", revision(everywhere))
    assert grants(everywhere, "acme-live") == {"chat": frozenset({"ui", "batch"})}
    change(everywhere, CHAT, {"consumers": {"serviceAccounts": accounts[1:]}})
    assert grants(everywhere, "acme-live") == {"chat": frozenset({"batch"})}
    change(everywhere, CHAT, {"consumers": {"namespaces": ["live"]}})
    assert grants(everywhere, "acme-live") == {"chat": frozenset({"ui", "batch"})}
