"""What goes wrong stays where it goes wrong, is told, and is tried again."""

from typing import Any

import pytest

from ringfence import names
from ringfence.engine import planning
from ringfence.model import kinds
from ringfence.model.kinds import Ref
from ringfence.plan.make import make_plan
from ringfence.plan.plan import Plan
from ringfence.plan.seen import AnySubject, Seen
from ringfence.ports.cluster import ClusterError, NotJudgedError, RefusedError, ThrottledError, UnreachableError
from ringfence.ports.ledger import LedgerUnavailableError
from tests.unit.engine.conftest import Bench, namespace, tenant

DENY_ALL = Ref(kinds.NETWORK_POLICY, "acme-web", names.DENY_ALL)


def refuse_quotas_of(core: str) -> Any:
    def failing(verb: str, ref: Ref) -> ClusterError | None:
        refused = verb in ("create", "apply", "dry-run") and ref.type == kinds.RESOURCE_QUOTA and ref.namespace == core
        return RefusedError("quota is invalid: must be so and so", status=422) if refused else None

    return failing


async def test_a_refused_write_is_told_in_the_condition_with_the_servers_words(bench: Bench) -> None:
    """Ready is False with reason ApplyFailed, and the message is the API server's own."""
    bench.cluster.failing = refuse_quotas_of("acme-web")
    async with bench.running():
        bench.cluster.put(kinds.TENANT, tenant())
        bench.cluster.put(kinds.NAMESPACE, namespace())
        await bench.until(lambda: bench.ready(kinds.NAMESPACE, "acme", "web") == ("False", "ApplyFailed"))
        message = (bench.get(kinds.NAMESPACE, "acme", "web") or {})["status"]["conditions"][0]["message"]
        assert "must be so and so" in message
        assert "ResourceQuota/acme-web/ringfence" in message


async def test_a_refused_write_is_on_record_once_and_rehearsed_from_then_on(bench: Bench) -> None:
    """Retries of what was refused are dry runs: the log does not grow by them. When it is let through, all is well."""
    bench.cluster.failing = refuse_quotas_of("acme-web")
    async with bench.running():
        bench.cluster.put(kinds.TENANT, tenant())
        bench.cluster.put(kinds.NAMESPACE, namespace())
        await bench.until(lambda: any(sent.verb == "dry-run" for sent in bench.cluster.sent))
        failed = [event for event in bench.records() if "'Failed'" in str(event)]
        quotas = [
            write
            for write in bench.writes()
            if write.ref.type == kinds.RESOURCE_QUOTA and write.ref.namespace == "acme-web"
        ]
        assert len(quotas) == 1
        assert len(failed) == 1
        bench.cluster.failing = lambda verb, ref: None
        await bench.until(bench.is_ready)


async def test_a_thousand_good_objects_and_one_poisoned(bench: Bench) -> None:
    """The good ones are all served, whatever becomes of the bad one."""
    bench.cluster.failing = refuse_quotas_of("tenant3-n7")
    bench.cluster.page_size = 500
    homes = [f"tenant{n}" for n in range(20)]
    async with bench.running():
        for home in homes:
            bench.cluster.put(kinds.TENANT, tenant(home))
            for n in range(50):
                bench.cluster.put(kinds.NAMESPACE, namespace(f"n{n}", home))
        good = [(f"n{n}", home) for home in homes for n in range(50) if (n, home) != (7, "tenant3")]
        await bench.until(lambda: all(bench.is_ready(name, home) for name, home in good), seconds=120)
        assert bench.ready(kinds.NAMESPACE, "tenant3", "n7") == ("False", "ApplyFailed")


async def test_a_planner_that_fails_at_one_object_stops_no_other(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect of ours is told at the object, without its details, and the others are served."""

    def sometimes(subject: AnySubject, seen: Seen) -> Plan:
        if subject.name == "bad":
            raise ZeroDivisionError("a detail")
        return make_plan(subject, seen)

    monkeypatch.setattr(planning, "make_plan", sometimes)
    async with bench.running():
        bench.cluster.put(kinds.TENANT, tenant())
        for name in ("bad", "good"):
            bench.cluster.put(kinds.NAMESPACE, namespace(name))
        await bench.until(lambda: bench.is_ready("good"))
        await bench.until(lambda: bench.ready(kinds.NAMESPACE, "acme", "bad") == ("False", "InternalError"))
        assert "a detail" not in str(bench.get(kinds.NAMESPACE, "acme", "bad"))


async def test_an_object_that_can_not_be_parsed_stops_no_other(bench: Bench) -> None:
    """Not even at the start, when everything must be known before anything is decided."""
    bench.cluster.put(kinds.NAMESPACE, {**namespace("odd"), "spec": 7, "status": "none"})
    bench.cluster.put(kinds.TENANT, tenant())
    bench.cluster.put(kinds.NAMESPACE, namespace("good"))
    async with bench.running():
        await bench.until(lambda: bench.is_ready("good"))


async def test_without_a_ledger_nothing_changes_and_the_object_says_why(bench: Bench) -> None:
    """LineageRecorded is False until the ledger takes records again; then everything is made up for."""
    async with bench.running():
        await bench.settled()
        bench.ledger.failure = LedgerUnavailableError("the disk is full: make room")
        bench.cluster.put(kinds.TENANT, tenant())
        bench.cluster.put(kinds.NAMESPACE, namespace())
        await bench.until(lambda: bench.ready(kinds.TENANT, "", "acme") == ("False", "LedgerUnavailable"))
        conditions = (bench.get(kinds.TENANT, "", "acme") or {})["status"]["conditions"]
        recorded = next(condition for condition in conditions if condition["type"] == "LineageRecorded")
        assert (recorded["status"], recorded["message"]) == ("False", "the disk is full: make room")
        assert bench.writes() == []
        bench.ledger.failure = None
        await bench.until(bench.is_ready)


async def test_without_a_ledger_the_fence_is_restored_all_the_same_and_recorded_later(bench: Bench) -> None:
    """What only tightens goes ahead; its record follows, marked as deferred."""
    async with bench.running():
        bench.cluster.put(kinds.TENANT, tenant())
        bench.cluster.put(kinds.NAMESPACE, namespace())
        await bench.until(bench.is_ready)
        await bench.settled()
        bench.ledger.failure = LedgerUnavailableError("the disk is full")
        bench.cluster.remove(DENY_ALL)
        await bench.until(lambda: DENY_ALL in bench.cluster.objects)
        bench.ledger.failure = None
        await bench.until(lambda: bench.engine._recorder.deferred == 0)
        await bench.settled()
    deferred = [
        event for event in bench.records() if event["run"]["facets"].get("ringfence_reconcile", {}).get("deferred")
    ]
    assert [event["eventType"] for event in deferred] == ["START", "COMPLETE"]
    assert deferred[0]["outputs"][0]["name"].endswith(str(DENY_ALL))


@pytest.mark.parametrize(
    "error",
    [
        UnreachableError("connection refused"),
        ThrottledError("slow down", status=429, retry_after=0.2),
        NotJudgedError("failed to configure policy: failed to find resource referenced by paramKind", status=403),
    ],
)
async def test_trouble_of_the_api_server_is_waited_out(bench: Bench, error: ClusterError) -> None:
    """Every call fails for a while; nothing is lost."""
    async with bench.running():
        await bench.settled()
        bench.cluster.put(kinds.TENANT, tenant())
        bench.cluster.put(kinds.NAMESPACE, namespace())
        bench.cluster.failing = lambda verb, ref: error if ref.type != kinds.LEASE else None
        await bench.until(lambda: bench.engine._queue.attempts(Ref(kinds.TENANT, "", "acme")) > 1)
        bench.cluster.failing = lambda verb, ref: None
        await bench.until(bench.is_ready)


async def test_a_denial_is_recorded_when_it_is_new_and_not_again(bench: Bench) -> None:
    """A name that is taken is on record once, for the tenant and for the platform, however often it is looked at."""
    async with bench.running(resync=0.05):
        bench.cluster.put(kinds.CORE_NAMESPACE, {"metadata": {"name": "acme-web"}})
        bench.cluster.put(kinds.TENANT, tenant())
        bench.cluster.put(kinds.NAMESPACE, namespace())
        await bench.until(lambda: bench.ready(kinds.NAMESPACE, "acme", "web") == ("False", "NameTaken"))
        await bench.until(lambda: bench.engine._recorder.passes(Ref(kinds.NAMESPACE, "acme", "web")) > 3)
        denials = [log for log, kept in bench.ledger.content.items() for e in kept.entries if b"NameTaken" in e.body]
        acme = bench.get(kinds.TENANT, "", "acme") or {}
        assert sorted(denials) == sorted([acme["metadata"]["uid"], "platform"])
        bench.cluster.remove(Ref(kinds.CORE_NAMESPACE, "", "acme-web"))
        await bench.until(bench.is_ready)
