"""What a look at a gateway's replicas says of it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ringfence.plan.gateway.sight import Sight, judge
from ringfence.plan.seen import Probed
from tests.fakes.gateways import refusing, serving

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ONE = serving("pod-1", "aaaa")
TWO = serving("pod-2", "aaaa")


def test_a_gateway_serves_what_all_of_its_replicas_serve() -> None:
    """All is well when each of them answers as it should, with one revision."""
    assert judge((ONE, TWO), NOW) == Probed(NOW, reachable=True, revision="aaaa")


def test_replicas_of_different_revisions_serve_none() -> None:
    """While a change is on its way nothing is wrong, and nothing is claimed."""
    assert judge((ONE, serving("pod-2", "bbbb")), NOW) == Probed(NOW, reachable=True)


def test_a_gateway_without_replicas_is_not_judged() -> None:
    """Where there is nobody to ask, nothing is known."""
    assert judge((), NOW) is None


def test_one_replica_that_cannot_be_reached_leaves_all_unknown() -> None:
    """A caller may come to that one."""
    found = judge((ONE, Sight("pod-2", unreachable="no route to host")), NOW)
    assert found == Probed(NOW, problem="pod pod-2: no route to host")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (replace(TWO, stranger=200), "pod-2 answers a request without a token by 200, and not by 401"),
        (replace(TWO, probe=401), "pod-2 answers the probe's request for its models by 401, and not by 200"),
        (replace(TWO, unapproved=200), "a request for a model that is approved for nobody by 200, and not by 403"),
        (refusing("pod-2", "aaaa", "lds", "9999"), "pod-2 serves revision aaaa and has not taken it for lds"),
        (replace(TWO, taken=frozenset()), "pod-2 does not tell which configuration it has taken"),
    ],
    ids=["open to strangers", "closed to the probe", "open to any model", "refused an update", "silent"],
)
def test_a_replica_that_answers_otherwise_is_named_with_what_it_did(wrong: Sight, told: str) -> None:
    """One such replica among good ones is enough."""
    found = judge((ONE, wrong), NOW)
    assert found is not None
    assert found.reachable
    assert told in found.problem
    assert not found.serves("aaaa")


def test_a_secret_that_is_not_there_keeps_nothing_else_from_serving() -> None:
    """Whether it is taken says nothing of the configuration, which is served without it."""
    found = judge((ONE, refusing("pod-2", "aaaa", "sds gateway", "", rejected=True)), NOW, "aaaa")
    assert found is not None
    assert "sds gateway" in found.problem
    assert (found.lacks_secrets, found.refused) == (True, "")
    assert found.serves("aaaa")


@pytest.mark.parametrize(("part", "word"), [("lds", "listener"), ("cds", "clusters"), ("rds", "routes")])
def test_a_configuration_is_refused_when_a_replica_refused_a_part_of_it(part: str, word: str) -> None:
    """Although the others serve it, or can't be reached."""
    wrong = refusing("pod-2", "aaaa", part, "9999", rejected=True)
    for other in (ONE, Sight("pod-1", unreachable="no route to host")):
        found = judge((other, wrong), NOW, "aaaa")
        assert found is not None
        assert found.refused == "aaaa"
        assert found.problem == f"pod pod-2: Envoy refused revision aaaa, of its {word}"
        assert not found.serves("aaaa")


@pytest.mark.parametrize(
    ("sight", "published"),
    [
        (refusing("pod-2", "aaaa", "lds", "9999", rejected=True), ""),
        (refusing("pod-2", "aaaa", "lds", "9999"), "aaaa"),
        (refusing("pod-2", "aaaa", "lds", "9999", rejected=True), "bbbb"),
        (replace(TWO, rejected=frozenset({"lds", "cds", "rds"})), "aaaa"),
        (Sight("pod-2", unreachable="no route to host"), "aaaa"),
    ],
    ids=["nobody asks", "on its way", "not here yet", "another one, before", "out of reach"],
)
def test_nothing_is_refused_of_which_that_is_not_known(sight: Sight, published: str) -> None:
    """What is on its way, what never came, and what was refused of an older one."""
    found = judge((ONE, sight), NOW, published)
    assert found is not None
    assert found.refused == ""
