"""Whom a route is for once its callers change, and what a key may call where two persons decide."""

import pytest

from ringfence.model.kinds import NAMESPACE, Ref
from tests.gateway_world import CHAT, Json, approve, change, composed, promote, revision, world
from tests.objects import GONE
from tests.simulation import Simulation

UI = "ui"
KEY = "ringfence-key-app"
LIVE = Ref(NAMESPACE, "acme", "live")
WEB = Ref(NAMESPACE, "acme", "web")


@pytest.fixture(scope="module")
def settled() -> Simulation:
    return world(namespaces={"web": "dev", "models": "dev", "stage": "staging", "live": "prod"})


@pytest.fixture
def cluster(settled: Simulation) -> Simulation:
    """Four namespaces in three environments, the last of which is protected."""
    return settled.fork()


def may_call(made: Simulation, core: str, account: str) -> bool:
    return any(grant.lets(account) for grant in composed(made).gateway.callers[core].grants)


def named(*callers: tuple[str, str], namespaces: tuple[str, ...] = ()) -> Json:
    accounts = [{"namespace": namespace, "name": name} for namespace, name in callers]
    return {"namespaces": list(namespaces), "serviceAccounts": accounts}


def serve_to(made: Simulation, consumers: Json) -> None:
    """In every environment, in the protected one by two persons' word."""
    change(made, CHAT, {"consumers": consumers})
    promote(made, "staging", revision(made))
    promote(made, "prod", revision(made))
    approve(made, "prod", revision(made))


def test_the_last_one_who_is_taken_out_is_turned_away(cluster: Simulation) -> None:
    """By a revision that named callers; what follows the spec is for all, as is written there."""
    serve_to(cluster, named(("live", UI), ("web", UI)))
    assert may_call(cluster, "acme-live", UI)
    assert not may_call(cluster, "acme-web", "other")
    change(cluster, CHAT, {"consumers": {}})
    assert not may_call(cluster, "acme-live", UI)
    assert may_call(cluster, "acme-web", "other")


def test_a_route_for_all_is_for_all_once_it_is_promoted(cluster: Simulation) -> None:
    """Until then the environment serves nobody."""
    serve_to(cluster, named(("live", UI)))
    change(cluster, CHAT, {"consumers": GONE})
    assert not may_call(cluster, "acme-live", UI)
    assert not may_call(cluster, "acme-live", "other")
    serve_to(cluster, {})
    assert may_call(cluster, "acme-live", "other")


def declare(made: Simulation, namespace: Ref) -> None:
    change(made, namespace, {"gatewayKeys": [{"name": "app", "mode": "Live"}]})


@pytest.mark.parametrize("consumers", [{}, named(namespaces=("live",))], ids=["all", "the Namespace"])
def test_one_person_lets_no_key_into_a_protected_environment(cluster: Simulation, consumers: Json) -> None:
    """Whoever declares a live key there gets nothing by it that is for the Namespace's own workloads."""
    serve_to(cluster, consumers)
    declare(cluster, LIVE)
    assert [key.account for key in composed(cluster).gateway.callers["acme-live"].keys] == [KEY]
    assert may_call(cluster, "acme-live", UI)
    assert not may_call(cluster, "acme-live", KEY)


def test_a_key_that_two_persons_name_calls(cluster: Simulation) -> None:
    """Beside all workloads of its Namespace; until it is taken out, by one person."""
    serve_to(cluster, named(("live", KEY), namespaces=("live",)))
    declare(cluster, LIVE)
    assert may_call(cluster, "acme-live", KEY)
    assert may_call(cluster, "acme-live", UI)
    change(cluster, CHAT, {"consumers": named(namespaces=("live",))})
    assert not may_call(cluster, "acme-live", KEY)
    assert may_call(cluster, "acme-live", UI)


def test_to_name_a_key_after_the_approval_lets_it_in_nowhere(cluster: Simulation) -> None:
    """Nor does it shut the others out."""
    serve_to(cluster, named(namespaces=("live",)))
    declare(cluster, LIVE)
    change(cluster, CHAT, {"consumers": named(("live", KEY), ("live", UI))})
    assert may_call(cluster, "acme-live", UI)
    assert not may_call(cluster, "acme-live", KEY)


def test_elsewhere_a_key_is_part_of_its_namespace(cluster: Simulation) -> None:
    """An environment that one person changes has its keys by one person's word."""
    declare(cluster, WEB)
    assert may_call(cluster, "acme-web", KEY)
    change(cluster, CHAT, {"consumers": named(namespaces=("web",))})
    assert may_call(cluster, "acme-web", KEY)
