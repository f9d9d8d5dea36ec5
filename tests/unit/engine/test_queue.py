"""Which object is looked at next."""

import asyncio

import pytest

from ringfence.engine.cause import Cause
from ringfence.engine.queue import LONGEST_BACKOFF, WorkQueue, backoff
from ringfence.lineage.runs import Trigger
from ringfence.model.kinds import NAMESPACE, Ref

WEB, API = Ref(NAMESPACE, "acme", "web"), Ref(NAMESPACE, "acme", "api")
SHOP = Ref(NAMESPACE, "globex", "shop")


def cause(trigger: Trigger = Trigger.SPEC, since: float = 0.0, *managers: str) -> Cause:
    return Cause(trigger, since, managers)


@pytest.fixture
async def queue() -> WorkQueue:
    return WorkQueue()


async def test_causes_that_come_together_are_one_look(queue: WorkQueue) -> None:
    """It is told by the strongest cause, the first moment and everybody who had a hand in it."""
    queue.add(WEB, cause(Trigger.RESYNC, 2.0, "kubectl"))
    queue.add(WEB, cause(Trigger.DRIFT, 1.0, "helm"))
    assert len(queue) == 1
    assert await queue.take() == (WEB, cause(Trigger.DRIFT, 1.0, "kubectl", "helm"))
    assert len(queue) == 0


async def test_an_object_is_worked_on_by_one_worker_at_a_time(queue: WorkQueue) -> None:
    """What happens meanwhile is one more look, when that work is done."""
    queue.add(WEB, cause())
    await queue.take()
    queue.add(WEB, cause(Trigger.DRIFT))
    queue.add(WEB, cause(Trigger.RESYNC))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.take(), 0.01)
    queue.done(WEB)
    assert await asyncio.wait_for(queue.take(), 1) == (WEB, cause(Trigger.DRIFT))


async def test_tenants_take_turns(queue: WorkQueue) -> None:
    """A flood of one tenant delays another by one object, not by the flood."""
    for number in range(100):
        queue.add(Ref(NAMESPACE, "acme", f"n{number}"), cause())
    queue.add(SHOP, cause())
    taken = [(await queue.take())[0] for _ in range(2)]
    assert SHOP in taken


async def test_one_tenant_leaves_workers_to_the_others() -> None:
    """However much of its own waits: what another asks for is begun at once."""
    queue = WorkQueue(share=2)
    for number in range(5):
        queue.add(Ref(NAMESPACE, "acme", f"n{number}"), cause())
    first, second = [(await queue.take())[0] for _ in range(2)]
    third = asyncio.create_task(queue.take())
    other = asyncio.create_task(queue.take())
    queue.add(SHOP, cause())
    assert (await asyncio.wait_for(third, 1))[0] == SHOP
    assert not other.done()
    queue.done(first)
    assert (await asyncio.wait_for(other, 1))[0].namespace == "acme"
    queue.done(second)


async def test_a_worker_that_ends_while_it_waits_takes_nothing_with_it(queue: WorkQueue) -> None:
    """Also where it was given an object in the same moment."""
    waiting = asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    queue.add(WEB, cause())
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await asyncio.wait_for(queue.take(), 1) == (WEB, cause())
    queue.done(WEB)
    await asyncio.wait_for(queue.idle(), 1)


async def test_who_fails_waits_longer_each_time_and_begins_anew_after_success(queue: WorkQueue) -> None:
    """With jitter, never shorter than was asked for, never longer than five minutes."""
    delays = [queue.retry(WEB, cause(Trigger.RETRY)) for _ in range(5)]
    assert delays == sorted(delays)
    assert queue.attempts(WEB) == 5
    queue.succeeded(WEB)
    assert queue.attempts(WEB) == 0
    assert queue.retry(WEB, cause(Trigger.RETRY), least=60) >= 60
    assert backoff(1000, jitter=lambda: 0.5) == LONGEST_BACKOFF
    assert backoff(1000, least=1, most=4, jitter=lambda: 0.5) == 4
    queue.close()


async def test_an_appointment_is_kept_and_the_latest_one_counts(queue: WorkQueue) -> None:
    """An appointment is no work that waits, until its time has come."""
    queue.add_later(WEB, cause(Trigger.RESYNC), 3600)
    assert len(queue) == 0
    queue.add_later(WEB, cause(Trigger.RESYNC), 0.001)
    assert await asyncio.wait_for(queue.take(), 1) == (WEB, cause(Trigger.RESYNC))


async def test_success_cancels_what_a_failure_had_appointed(queue: WorkQueue) -> None:
    """Another cause may have solved it meanwhile."""
    queue.retry(WEB, cause(Trigger.RETRY))
    queue.succeeded(WEB)
    queue.add_later(API, cause(), 0.2)
    assert (await asyncio.wait_for(queue.take(), 1))[0] == API
    assert len(queue) == 0


async def test_a_closed_queue_gives_no_work_and_forgets_what_waits(queue: WorkQueue) -> None:
    """What a worker has begun may end; nothing new begins."""
    queue.add(WEB, cause())
    await queue.take()
    queue.add(API, cause())
    queue.close()
    queue.add(SHOP, cause())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.take(), 0.01)
    queue.done(WEB)
    await asyncio.wait_for(queue.idle(), 1)
