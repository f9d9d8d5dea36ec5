"""What serves in which environment: promotions, approvals, and what was seen."""

import copy
from dataclasses import replace

import pytest

from ringfence import names
from ringfence.model.kinds import CONTROLLER_REVISION, MODEL_ROUTE, Ref
from ringfence.plan.enforcement import NOT_ASKED
from ringfence.plan.modelroute.revision import RouteRevision
from tests.gateway_world import (
    ACME,
    ANN,
    BEN,
    CHAT,
    ROUTE_SPEC,
    approve,
    change,
    kept,
    look_at_gateway,
    manifest,
    promote,
    revision,
    serving,
    settle,
    world,
)
from tests.simulation import Simulation
from tests.told import message, told

UNKNOWN = "rev-0123456789abcdef"


@pytest.fixture(scope="module")
def settled() -> Simulation:
    return world(namespaces={"models": "dev"})


@pytest.fixture
def cluster(settled: Simulation) -> Simulation:
    """The tenant with a route that serves in the first environment."""
    return settled.fork()


@pytest.fixture(scope="module")
def promoted_once(settled: Simulation) -> Simulation:
    made = settled.fork()
    first = revision(made)
    promote(made, "staging", first)
    promote(made, "prod", first)
    approve(made, "prod", first)
    return made


@pytest.fixture
def promoted(promoted_once: Simulation) -> Simulation:
    """The same, with its revision in every environment."""
    return promoted_once.fork()


def second(made: Simulation) -> str:
    """Change the route; its new revision serves in the first environment and, promoted, in the second."""
    change(made, CHAT, {"limits": {"requestsPerMinute": 7}})
    promote(made, "staging", revision(made))
    return revision(made)


def entries(made: Simulation) -> dict[str, dict[str, str]]:
    """``status.environments`` by name."""
    return {each["name"]: each for each in made.objects[CHAT]["status"]["environments"]}


def test_the_first_environment_follows_the_spec(cluster: Simulation) -> None:
    before = revision(cluster)
    change(cluster, CHAT, {"limits": {"requestsPerMinute": 7}})
    assert revision(cluster) != before
    assert serving(cluster) == {"dev": revision(cluster)}
    assert told(cluster, CHAT) == ("True", "Reconciled")


def test_every_revision_is_kept_as_it_was(cluster: Simulation) -> None:
    """With its content, and the number that says in which order they were made."""
    before = revision(cluster)
    change(cluster, CHAT, {"model": "talk"})
    first, new = kept(cluster).values()
    assert list(kept(cluster)) == [before, revision(cluster)]
    assert (first["revision"], new["revision"]) == (1, 2)
    assert (first["data"]["model"], new["data"]["model"]) == ("chat", "talk")
    assert first["data"]["backends"][0]["host"] == "api.openai.com"


def test_what_was_seen_to_serve_is_promoted(cluster: Simulation) -> None:
    promote(cluster, "staging", revision(cluster))
    assert serving(cluster) == dict.fromkeys(("dev", "staging"), revision(cluster))
    assert entries(cluster)["staging"]["served"] == "True"


def test_what_was_not_seen_to_serve_waits(cluster: Simulation) -> None:
    """A configuration that was published is no gateway that serves it."""
    cluster.put(manifest(CHAT, {**ROUTE_SPEC, "limits": {"maxParallel": 3}}))
    cluster.settle()
    look_at_gateway(cluster, problem="replica one does not answer")
    cluster.settle()
    assert entries(cluster)["dev"]["served"] == "False"
    assert "replica one does not answer" in message(cluster, CHAT)
    new = revision(cluster)
    cluster.put(manifest(CHAT, {**cluster.objects[CHAT]["spec"], "promotions": {"staging": new}}))
    cluster.settle()
    assert told(cluster, CHAT) == ("False", "NotServedBefore")
    assert serving(cluster) == {"dev": new}
    settle(cluster)
    assert serving(cluster) == {"dev": new, "staging": new}


def test_what_nobody_can_see_is_unknown_and_goes_no_further(cluster: Simulation) -> None:
    """Out of the cluster's network the operator knows of no gateway what it serves."""
    cluster.put(manifest(CHAT, {**ROUTE_SPEC, "limits": {"maxParallel": 3}}))
    look_at_gateway(cluster, reachable=False)
    cluster.settle()
    assert entries(cluster)["dev"]["served"] == "Unknown"
    assert told(cluster, CHAT) == ("False", "NotServed")
    assert "can't be reached" in message(cluster, CHAT)


def test_what_was_seen_stays_so_when_the_gateway_is_out_of_sight_for_a_while(promoted: Simulation) -> None:
    """Unknown meanwhile; then true again, also while another change of the gateway is on its way."""
    look_at_gateway(promoted, reachable=False)
    promoted.settle()
    assert {each["served"] for each in entries(promoted).values()} == {"Unknown"}
    look_at_gateway(promoted, problem="pod two serves another revision")
    promoted.settle()
    assert {each["served"] for each in entries(promoted).values()} == {"True"}
    assert told(promoted, CHAT) == ("True", "Reconciled")


def test_a_protected_environment_waits_for_a_second_person(promoted: Simulation) -> None:
    """Meanwhile it serves what it served."""
    old = revision(promoted)
    new = second(promoted)
    promote(promoted, "prod", new)
    assert serving(promoted) == {"dev": new, "staging": new, "prod": old}
    assert told(promoted, CHAT) == ("False", "AwaitingApproval")
    assert told(promoted, CHAT, "Reconciling") is None
    assert "ringfence approve chat --environment prod --tenant acme" in message(promoted, CHAT)
    approve(promoted, "prod", new)
    assert serving(promoted) == dict.fromkeys(("dev", "staging", "prod"), new)
    assert told(promoted, CHAT) == ("True", "Reconciled")


@pytest.mark.parametrize("nobody", [ANN, "system:serviceaccount:ci:robot"])
def test_whoever_promoted_it_can_not_approve_it(promoted: Simulation, nobody: str) -> None:
    """Whatever admission let pass: neither the promoter nor a machine is a second person."""
    new = second(promoted)
    promote(promoted, "prod", new, by=ANN)
    approve(promoted, "prod", new, by=nobody)
    assert serving(promoted)["prod"] != new
    allowed = promoted.objects[CHAT]["spec"]["approvals"]
    change(promoted, CHAT, {"approvals": allowed[:-1]})
    approve(promoted, "prod", new, by=BEN)
    assert serving(promoted)["prod"] == new


def test_a_promotion_that_nobody_signed_is_approved_by_nobody(promoted: Simulation) -> None:
    """Without its promoter's name the second person might be the first."""
    new = second(promoted)
    promote(promoted, "prod", new, by="")
    approve(promoted, "prod", new)
    assert serving(promoted)["prod"] != new
    promote(promoted, "prod", new, by=ANN)
    assert serving(promoted)["prod"] == new


def test_an_approval_is_of_one_revision_in_one_environment(promoted: Simulation) -> None:
    old, new = revision(promoted), second(promoted)
    promote(promoted, "prod", new)
    approve(promoted, "staging", new)
    approve(promoted, "prod", UNKNOWN)
    assert serving(promoted)["prod"] == old
    approve(promoted, "prod", new)
    assert serving(promoted)["prod"] == new


def test_no_environment_is_skipped(cluster: Simulation) -> None:
    """Approved or not: what never served in staging is not for prod."""
    first = revision(cluster)
    promote(cluster, "prod", first)
    approve(cluster, "prod", first)
    assert serving(cluster) == {"dev": first}
    assert told(cluster, CHAT) == ("False", "NotServedBefore")
    promote(cluster, "staging", first)
    assert serving(cluster) == dict.fromkeys(("dev", "staging", "prod"), first)


def test_a_revision_that_never_was_waits_and_the_old_one_serves(promoted: Simulation) -> None:
    old = revision(promoted)
    promote(promoted, "staging", UNKNOWN)
    assert serving(promoted)["staging"] == old
    assert told(promoted, CHAT) == ("False", "UnknownRevision")


def test_what_is_not_promoted_any_more_does_not_serve(promoted: Simulation) -> None:
    """And does not come back as the old one while the next promotion waits."""
    change(promoted, CHAT, {"promotions": {"staging": revision(promoted)}})
    assert "prod" not in serving(promoted)
    new = second(promoted)
    promote(promoted, "prod", new)
    assert "prod" not in serving(promoted)
    approve(promoted, "prod", new)
    assert serving(promoted)["prod"] == new


def test_going_back_needs_no_new_approval(promoted: Simulation) -> None:
    """It was approved there before, by somebody else than whoever goes back now."""
    old, new = revision(promoted), second(promoted)
    promote(promoted, "prod", new)
    approve(promoted, "prod", new)
    promote(promoted, "prod", old, by="oidc:carl")
    assert serving(promoted)["prod"] == old
    assert entries(promoted)["prod"]["served"] == "True"


def test_an_approval_that_is_taken_back_takes_nothing_back(promoted: Simulation) -> None:
    """What serves was approved when it came; a removal of the promotion is what ends it."""
    change(promoted, CHAT, {"approvals": []})
    assert serving(promoted)["prod"] == revision(promoted)


def test_nothing_new_is_let_into_prod_while_policies_are_not_in_force(promoted: Simulation) -> None:
    """Stamps and approvals are as good as the policies that see to them."""
    old, new = revision(promoted), second(promoted)
    promoted.facts = replace(promoted.facts, enforcement=NOT_ASKED)
    promote(promoted, "prod", new)
    approve(promoted, "prod", new)
    assert serving(promoted) == {"dev": new, "staging": new, "prod": old}
    assert told(promoted, CHAT) == ("False", "PoliciesInactive")
    promoted.facts = replace(promoted.facts, enforcement=replace(NOT_ASKED, silent=()))
    settle(promoted)
    assert serving(promoted)["prod"] == new


def test_a_revision_that_is_not_what_its_name_says_is_not_believed(promoted: Simulation) -> None:
    """Somebody with more rights than anybody should have made it anew with another content."""
    old = revision(promoted)
    second(promoted)
    forged = Ref(CONTROLLER_REVISION, "acme", names.route_revision("chat", old))
    thing = copy.deepcopy(promoted.objects[forged])
    thing["data"]["backends"][0]["model"] = "gpt-4o-mini"
    promoted.put(thing)
    assert "prod" not in serving(promoted)
    promoted.put({**thing, "data": {**thing["data"], "backends": None}})
    assert "prod" not in serving(promoted)


def test_two_contents_of_one_name_serve_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever approved that name read one of them, and the other would have served."""
    monkeypatch.setattr(RouteRevision, "name", property(lambda _: UNKNOWN))
    made = world(namespaces={"models": "dev"})
    promote(made, "staging", UNKNOWN)
    assert serving(made) == dict.fromkeys(("dev", "staging"), UNKNOWN)
    change(made, CHAT, {"model": "talk"})
    assert serving(made) == {}
    assert told(made, CHAT) == ("False", "UnknownRevision")
    assert "another content" in message(made, CHAT)
    assert kept(made)[UNKNOWN]["data"]["model"] == "chat"
    change(made, CHAT, {"model": "chat"})
    assert serving(made) == dict.fromkeys(("dev", "staging"), UNKNOWN)


def test_only_so_many_revisions_are_kept(promoted: Simulation) -> None:
    """Ten to go back to, and those that serve or are promoted."""
    old = revision(promoted)
    for number in range(1, 13):
        change(promoted, CHAT, {"limits": {"requestsPerMinute": number}})
    assert len(kept(promoted)) == 12
    assert old in kept(promoted)
    assert revision(promoted) in kept(promoted)


def test_revisions_go_with_their_route_and_with_no_other(promoted: Simulation) -> None:
    """Not even with one whose name begins in the same way."""
    other = promoted.put(manifest(Ref(MODEL_ROUTE, "acme", "chat2"), {**ROUTE_SPEC, "model": "other"}))
    settle(promoted)
    assert kept(promoted, other)
    promoted.delete(CHAT)
    settle(promoted)
    assert not kept(promoted)
    assert len(kept(promoted, other)) == 1


def test_since_is_when_it_began_to_serve(promoted: Simulation) -> None:
    """A later look changes nothing."""
    before = entries(promoted)
    promoted.now = promoted.now.replace(year=2027)
    settle(promoted)
    assert entries(promoted) == before
    new = second(promoted)
    assert entries(promoted)["dev"]["since"].startswith("2027")
    assert entries(promoted)["prod"] == before["prod"]
    assert entries(promoted)["staging"]["revision"] == new


def test_what_somebody_writes_beside_a_revision_is_put_back(promoted: Simulation) -> None:
    """Where a revision serves is not for others to say."""
    ref = Ref(CONTROLLER_REVISION, "acme", names.route_revision("chat", revision(promoted)))
    good = promoted.objects[ref]["metadata"]["annotations"]
    promoted.annotate(ref, {names.SERVED_ANNOTATION: '{"prod":"2020-01-01T00:00:00Z"}', names.SERVES_ANNOTATION: "no"})
    settle(promoted)
    assert set(promoted.objects[ref]["metadata"]["annotations"]) == set(good)
    assert names.SERVES_ANNOTATION in good
    assert promoted.objects[ref]["metadata"]["annotations"][names.SERVES_ANNOTATION].count("Z") == 3


def test_a_tenant_without_a_gateway_serves_nothing_and_says_so(cluster: Simulation) -> None:
    change(cluster, ACME, {"gateway": {"dataPlane": "None"}})
    assert told(cluster, CHAT) == ("False", "NoGateway")
    assert told(cluster, CHAT, "Accepted") == ("True", "Resolved")
    change(cluster, ACME, {"gateway": {"dataPlane": "Envoy"}})
    assert told(cluster, CHAT) == ("True", "Reconciled")
