"""Records that could not be written at once are neither lost, nor repeated, nor in another log's way."""

import asyncio
from typing import Any

import orjson
import pytest

from ringfence.engine.cause import Cause
from ringfence.engine.deferred import Deferred
from ringfence.engine.metrics import Metrics
from ringfence.engine.record import Recorder, Run
from ringfence.lineage.runs import Outcome, Result, Trigger
from ringfence.model import kinds
from ringfence.model.kinds import Ref
from ringfence.model.subject import Meta, Subject
from ringfence.plan.plan import Plan
from ringfence.ports.ledger import LedgerUnavailableError
from tests.fakes.ledger import MemoryLedger
from tests.lineage_samples import DIGEST, OPERATOR, started
from tests.unit.engine.conftest import LoopClock

BROKEN = LedgerUnavailableError("the file is damaged")
APPLIED = Outcome(Result.APPLIED, changed=1)


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


@pytest.fixture
def recorder(ledger: MemoryLedger) -> Recorder:
    return Recorder(ledger, LoopClock(), operator=lambda: OPERATOR, spec_digest=lambda _: DIGEST, metrics=Metrics())


def _run(recorder: Recorder, log: str) -> Run:
    subject: Subject[Any] = Subject(Ref(kinds.TENANT, "", log), Meta(f"uid-{log}", 1, "2026-01-01T00:00:00Z"), None)
    return recorder.run_of(subject, Plan((), tenant=log, log=log), Cause(Trigger.SPEC, 0), attempt=1)


def _events(ledger: MemoryLedger, log: str) -> list[dict[str, Any]]:
    return [orjson.loads(entry.body) for entry in ledger.content[log].entries]


async def _tighten_unrecorded(recorder: Recorder, ledger: MemoryLedger, log: str) -> Run:
    run = _run(recorder, log)
    ledger.failures[log] = BROKEN
    recorder.defer(run, (), APPLIED, ())
    return run


async def test_one_logs_waiting_records_are_in_no_other_logs_way(recorder: Recorder, ledger: MemoryLedger) -> None:
    """A tenant whose file is broken must not stop the platform."""
    await _tighten_unrecorded(recorder, ledger, "acme")
    good = _run(recorder, "globex")
    await recorder.start(good, ())
    await recorder.tell_deferred("globex")
    assert recorder.deferred == 2
    with pytest.raises(LedgerUnavailableError):
        await recorder.start(_run(recorder, "acme"), ())


async def test_what_waits_goes_before_what_comes(recorder: Recorder, ledger: MemoryLedger) -> None:
    run = await _tighten_unrecorded(recorder, ledger, "acme")
    ledger.failures.clear()
    later = _run(recorder, "acme")
    await recorder.start(later, ())
    assert [event["run"]["runId"] for event in _events(ledger, "acme")] == [run.id, run.id, later.id]
    assert recorder.deferred == 0


async def test_tasks_that_tell_at_once_lose_nothing_and_repeat_nothing(
    recorder: Recorder, ledger: MemoryLedger
) -> None:
    runs = [await _tighten_unrecorded(recorder, ledger, "acme") for _ in range(5)]
    ledger.failures.clear()
    await asyncio.gather(*(recorder.tell_deferred("acme") for _ in range(8)))
    told = [event["run"]["runId"] for event in _events(ledger, "acme")]
    assert told == [run.id for run in runs for _ in range(2)]
    assert recorder.deferred == 0


async def test_looks_that_a_log_did_not_take_are_counted_on(recorder: Recorder, ledger: MemoryLedger) -> None:
    """And the other logs' looks are told all the same."""
    for log in ("acme", "globex"):
        for _ in range(3):
            recorder.unchanged(_run(recorder, log), Ref(kinds.TENANT, "", log))
    ledger.failures["acme"] = BROKEN
    await recorder.tell_unchanged()
    recorder.unchanged(_run(recorder, "acme"), Ref(kinds.TENANT, "", "acme"))
    ledger.failures.clear()
    await recorder.tell_unchanged()
    await recorder.tell_unchanged()
    counts = {
        log: [event["run"]["facets"]["ringfence_reconcile"]["coalesced"]["count"] for event in _events(ledger, log)]
        for log in ("acme", "globex")
    }
    assert counts == {"acme": [4], "globex": [3]}


async def test_the_hourly_round_tells_what_waits_as_well(recorder: Recorder, ledger: MemoryLedger) -> None:
    await _tighten_unrecorded(recorder, ledger, "acme")
    ledger.failures.clear()
    await recorder.tell_unchanged()
    assert recorder.deferred == 0
    assert len(_events(ledger, "acme")) == 2


def test_memory_is_bounded_and_the_longest_queue_pays_for_it() -> None:
    deferred = Deferred(3)
    first, *others = [started() for _ in range(3)]
    assert all(deferred.keep("acme", entry) for entry in (first, *others))
    newest = started()
    assert not deferred.keep("globex", newest)
    assert deferred.of("acme") == tuple(others)
    assert deferred.of("globex") == (newest,)
    deferred.told("acme", (first, *others))
    assert deferred.logs() == ("globex",)
