"""Quarantine, pause and broken glass: each beginning and each end is on record once, whatever happens."""

from datetime import timedelta
from typing import Any, Final

import pytest

from ringfence import names
from ringfence.model import kinds
from ringfence.model.kinds import Ref
from ringfence.ports.ledger import LedgerUnavailableError
from tests.unit.engine.conftest import Bench, LoopClock, namespace, tenant

INCIDENT: Final[dict[str, Any]] = {"isolation": "Quarantined", "incident": {"id": "INC-7", "reason": "key leak"}}
POLICY = Ref(kinds.NETWORK_POLICY, "acme-web", names.DENY_ALL)


def annotated(thing: dict[str, Any], **annotations: str) -> dict[str, Any]:
    """The object with annotations of ours, ``paused_until`` for ``ringfence.dev/paused-until``."""
    ours = {f"ringfence.dev/{name.replace('_', '-')}": text for name, text in annotations.items()}
    return {**thing, "metadata": {**thing["metadata"], "annotations": ours}}


def told(bench: Bench) -> list[tuple[str, str, str, bool]]:
    """Every event of an episode: its kind, its object, START or how it ended, and whether it was told late."""
    return [_told(event) for event in bench.records() if "ringfence_episode" in event["run"]["facets"]]


def _told(event: dict[str, Any]) -> tuple[str, str, str, bool]:
    facet = event["run"]["facets"]["ringfence_episode"]
    end = facet.get("end", {})
    late = end.get("late", False) if end else facet.get("late", False)
    return facet["kind"], facet["object"]["name"], end.get("how", event["eventType"]), late


def end_of(bench: Bench, kind: str) -> dict[str, Any]:
    """How the last episode of a kind ended."""
    facets = [event["run"]["facets"].get("ringfence_episode", {}) for event in bench.records()]
    ends: list[dict[str, Any]] = [facet["end"] for facet in facets if facet.get("kind") == kind and "end" in facet]
    return ends[-1]


def _ahead(**span: float) -> str:
    """A moment ahead, as the annotation has it."""
    return (LoopClock().now() + timedelta(**span)).isoformat(timespec="milliseconds")


async def _served(bench: Bench) -> None:
    bench.cluster.put(kinds.TENANT, tenant())
    bench.cluster.put(kinds.NAMESPACE, namespace())
    async with bench.running():
        await bench.until(bench.is_ready)
        await bench.settled()


async def test_a_quarantine_is_told_when_it_begins_and_when_it_is_lifted(bench: Bench) -> None:
    """With the incident, who declared it, who confirmed its end and who lifted it."""
    await _served(bench)
    async with bench.running():
        await bench.settled()
        bench.cluster.put(kinds.TENANT, annotated(tenant(**INCIDENT), requested_by="ann"))
        await bench.until(lambda: told(bench))
        bench.cluster.put(kinds.TENANT, annotated(tenant(**INCIDENT), requested_by="ann", confirm_release_by="ben"))
        await bench.settled()
        bench.cluster.put(kinds.TENANT, annotated(tenant(), requested_by="cleo"))
        await bench.until(lambda: len(told(bench)) == 2)
    assert told(bench) == [("Quarantine", "acme", "START", False), ("Quarantine", "acme", "Lifted", False)]
    begun = next(event for event in bench.records() if "ringfence_episode" in event["run"]["facets"])
    facet = begun["run"]["facets"]["ringfence_episode"]
    assert (facet["incident"], facet["reason"], facet["actor"]["requestedBy"]) == ("INC-7", "key leak", "ann")
    end = end_of(bench, "Quarantine")
    assert (end["actor"]["requestedBy"], end["confirmedBy"]) == ("cleo", "ben")


async def test_what_is_done_for_an_incident_carries_its_id(bench: Bench) -> None:
    """Of the Tenant and of each of its Namespaces; what is done before and after carries none."""
    await _served(bench)
    before = len(bench.records())
    async with bench.running():
        await bench.settled()
        bench.cluster.put(kinds.TENANT, tenant(**INCIDENT))
        await bench.until(lambda: bench.ready(kinds.NAMESPACE, "acme", "web")[1] == "Quarantined")
        await bench.settled()
    facets = [event["run"]["facets"].get("ringfence_reconcile", {}) for event in bench.records()]
    assert not any("incidents" in facet for facet in facets[:before])
    marked = [facet for facet in facets if facet.get("incidents") == ["INC-7"]]
    assert {facet.get("namespace", "") for facet in marked if facet.get("outcome", {}).get("changed")} == {"", "web"}


async def test_a_namespace_that_names_no_incident_goes_by_its_own_name(bench: Bench) -> None:
    await _served(bench)
    async with bench.running():
        await bench.settled()
        bench.cluster.put(kinds.NAMESPACE, namespace(isolation="Quarantined"))
        await bench.until(lambda: told(bench))
    facets = [event["run"]["facets"].get("ringfence_episode", {}) for event in bench.records()]
    assert [facet["incident"] for facet in facets if facet] == ["acme/web"]


async def test_a_pause_that_expires_is_told_with_its_own_time(bench: Bench) -> None:
    """Nobody ended it, so nobody is named."""
    await _served(bench)
    async with bench.running():
        await bench.settled()
        until = _ahead(seconds=0.4)
        pause = annotated(namespace(), paused_until=until, break_glass="looking for it", paused_by="ann")
        bench.cluster.put(kinds.NAMESPACE, pause)
        await bench.until(lambda: ("Pause", "web", "Expired", False) in told(bench))
    end = end_of(bench, "Pause")
    assert end["at"] == until.replace("+00:00", "Z")
    assert "actor" not in end


async def test_a_pause_that_ended_while_nobody_watched_is_told_late(bench: Bench) -> None:
    """The next process finds it over, and says that it did not see it happen."""
    await _served(bench)
    far = _ahead(hours=2)
    async with bench.running():
        await bench.settled()
        bench.cluster.put(kinds.NAMESPACE, annotated(namespace(), paused_until=far))
        await bench.until(lambda: told(bench))
        await bench.settled()
    bench.cluster.put(kinds.NAMESPACE, namespace())
    async with bench.running():
        await bench.settled()
    assert told(bench) == [("Pause", "web", "START", False), ("Pause", "web", "Lifted", True)]


async def test_a_quarantine_declared_while_nobody_watched_is_told_late(bench: Bench) -> None:
    await _served(bench)
    bench.cluster.put(kinds.TENANT, tenant(**INCIDENT))
    async with bench.running():
        await bench.settled()
    assert told(bench) == [("Quarantine", "acme", "START", True)]


async def test_a_longer_pause_takes_the_place_of_the_one_before(bench: Bench) -> None:
    await _served(bench)
    async with bench.running():
        await bench.settled()
        for hours in (1, 2):
            until = _ahead(hours=hours)
            bench.cluster.put(kinds.NAMESPACE, annotated(namespace(), paused_until=until))
            await bench.until(lambda hours=hours: len(told(bench)) >= hours)  # type: ignore[misc]
            await bench.settled()
    assert [how for _, _, how, _ in told(bench)] == ["START", "Changed", "START"]


async def test_a_quarantine_overtakes_a_pause(bench: Bench) -> None:
    """And the pause begins anew where the quarantine ends before its time."""
    await _served(bench)
    until = _ahead(hours=1)
    async with bench.running():
        await bench.settled()
        bench.cluster.put(kinds.TENANT, annotated(tenant(), paused_until=until))
        await bench.until(lambda: len(told(bench)) == 1)
        bench.cluster.put(kinds.TENANT, annotated(tenant(**INCIDENT), paused_until=until))
        await bench.until(lambda: len(told(bench)) == 3)
        bench.cluster.put(kinds.TENANT, annotated(tenant(), paused_until=until))
        await bench.until(lambda: len(told(bench)) == 5)
    assert [(kind, how) for kind, _, how, _ in told(bench)] == [
        ("Pause", "START"),
        ("Quarantine", "START"),
        ("Pause", "Overtaken"),
        ("Quarantine", "Lifted"),
        ("Pause", "START"),
    ]


async def test_a_broken_glass_is_told_and_so_is_what_went_by_force(bench: Bench) -> None:
    """Annotated and deleted at once: the look that follows sees neither, the record has both."""
    await _served(bench)
    async with bench.running():
        await bench.settled()
        policy = annotated(bench.cluster.objects[POLICY], break_glass="cut off by mistake")
        bench.cluster.put(kinds.NETWORK_POLICY, policy)
        bench.cluster.remove(POLICY)
        await bench.until(lambda: len(told(bench)) == 2)
        await bench.until(lambda: POLICY in bench.cluster.objects)
    assert told(bench) == [
        ("BreakGlass", names.DENY_ALL, "START", False),
        ("BreakGlass", names.DENY_ALL, "Vanished", False),
    ]


@pytest.mark.parametrize("where", ["tenant", "namespace", "core namespace"])
async def test_a_broken_glass_is_seen_on_our_own_kinds_too(bench: Bench, where: str) -> None:
    await _served(bench)
    async with bench.running():
        await bench.settled()
        whole, kind = {
            "tenant": (tenant(), kinds.TENANT),
            "namespace": (namespace(), kinds.NAMESPACE),
            "core namespace": (bench.cluster.objects[Ref(kinds.CORE_NAMESPACE, "", "acme-web")], kinds.CORE_NAMESPACE),
        }[where]
        bench.cluster.put(kind, annotated(whole, break_glass="an emergency"))
        await bench.until(lambda: len(told(bench)) == 1)
        bench.cluster.put(kind, annotated(whole))
        await bench.until(lambda: len(told(bench)) == 2)
    assert [(kind, how) for kind, _, how, _ in told(bench)] == [("BreakGlass", "START"), ("BreakGlass", "Lifted")]


async def test_a_restart_tells_nothing_twice(bench: Bench) -> None:
    """Whatever lasts goes on in the same run of the record."""
    await _served(bench)
    bench.cluster.put(kinds.TENANT, tenant(**INCIDENT))
    until = _ahead(hours=1)
    for _ in range(3):
        async with bench.running():
            await bench.settled()
            bench.cluster.put(kinds.NAMESPACE, annotated(namespace(), paused_until=until, break_glass="why"))
            await bench.settled()
    assert sorted(each[:3] for each in told(bench)) == [("BreakGlass", "web", "START"), ("Quarantine", "acme", "START")]
    assert len(await bench.ledger.open_runs()) == 2


async def test_killed_at_any_write_of_a_quarantine_it_is_declared_once(bench: Bench) -> None:
    """And nobody's rights are wider than before in between: what goes first is access."""
    for after in range(0, 40, 4):
        world = Bench()
        await _served(world)
        world.cluster.put(kinds.TENANT, tenant(**INCIDENT))
        struck = await world.run_until_power_fails(after)
        async with world.running():
            await world.settled()
        assert [how for _, _, how, _ in told(world)] == ["START"], f"killed after write {after}"
        if not struck:
            break
    assert after > 3


async def test_what_the_ledger_does_not_take_follows(bench: Bench) -> None:
    """A quarantine waits for no record."""
    await _served(bench)
    async with bench.running():
        await bench.settled()
        bench.ledger.failure = LedgerUnavailableError("full")
        bench.cluster.put(kinds.TENANT, tenant(**INCIDENT))
        await bench.until(lambda: Ref(kinds.NETWORK_POLICY, "acme-web", names.ALLOW_DNS) not in bench.cluster.objects)
        assert told(bench) == []
        bench.ledger.failure = None
        await bench.until(lambda: told(bench))
    assert told(bench) == [("Quarantine", "acme", "START", False)]
