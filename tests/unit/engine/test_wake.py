"""A change wakes who depends on it, in whatever they are doing."""

import asyncio
import copy

import pytest

from ringfence.engine.cause import Cause
from ringfence.engine.pace import BURST
from ringfence.engine.queue import WorkQueue
from ringfence.engine.wake import Waker
from ringfence.lineage.runs import Trigger
from ringfence.model.kinds import MODEL_ROUTE, RESOURCE_QUOTA, Ref
from tests.sample_world import ACME, WEB, edit, settled
from tests.simulation import Simulation
from tests.unit.engine.conftest import LoopClock
from tests.waiting import eventually_async


@pytest.fixture
def world() -> Simulation:
    return settled()


def waker_of(queue: WorkQueue, world: Simulation) -> Waker:
    waker = Waker(queue, LoopClock(), lambda: world)
    waker.awake = True
    return waker


async def busy_with(queue: WorkQueue, ref: Ref) -> None:
    queue.add(ref, Cause(Trigger.SPEC, 0.0))
    assert (await queue.take())[0] == ref


async def test_who_is_being_worked_on_is_looked_at_again(world: Simulation) -> None:
    """Its plan was made before the change: skipped, its status would stay behind until the next restart."""
    queue = WorkQueue()
    await busy_with(queue, ACME)
    before = world.subject(WEB)
    changed = copy.deepcopy(world.objects[WEB])
    changed["status"]["conditions"][0] |= {"status": "False"}
    world.put(changed)
    waker_of(queue, world).subject_changed(WEB, before, world.subject(WEB), ours=True)
    await eventually_async(lambda: len(queue))
    queue.done(ACME)
    assert (await queue.take())[0] == ACME


async def test_what_somebody_asks_for_between_a_look_and_the_report_is_not_taken_for_the_report(
    world: Simulation,
) -> None:
    """The answer to a status write has the new spec, and its own event is older: nothing else would tell of it."""
    queue = WorkQueue()
    await busy_with(queue, WEB)
    before = world.subject(WEB)
    changed = copy.deepcopy(world.objects[WEB])
    changed["status"]["conditions"][0] |= {"status": "False"}
    world.put(changed)
    waker = waker_of(queue, world)
    waker.subject_changed(WEB, before, world.subject(WEB), ours=True)
    queue.done(WEB)
    assert not queue.expects(WEB), "our own report alone is no news to us"
    changed["spec"]["labels"] = {"asked": "meanwhile"}
    await busy_with(queue, WEB)
    world.put(changed)
    waker.subject_changed(WEB, before, world.subject(WEB), ours=True)
    queue.done(WEB)
    assert queue.expects(WEB)


@pytest.mark.parametrize("contained", [ACME, WEB])
async def test_who_is_to_be_contained_delays_that_by_no_flood_of_his(world: Simulation, contained: Ref) -> None:
    """Nor who is to lose his access: what the platform changes of a Tenant is followed at once, wherever it leads."""
    queue = WorkQueue()
    waker = waker_of(queue, world)
    flooded = [*(Ref(MODEL_ROUTE, "acme", f"r{number}") for number in range(20)), WEB]
    for _ in range(BURST + 2):
        waker.wake(flooded, Trigger.SPEC)
        while queue._waiting:
            queue.done((await queue.take())[0])
    assert WEB in queue._soon
    before = world.subject(contained)
    edit(contained, {"isolation": "Quarantined", "incident": {"id": "INC-1", "reason": "drill"}})(world)
    waker.subject_changed(contained, before, world.subject(contained), ours=False)
    assert queue._waiting.keys() >= {contained, WEB}


async def test_a_write_wakes_everybody_but_the_one_it_was_made_for(world: Simulation) -> None:
    """A Namespace's own quota is news to its Tenant, not to itself."""
    queue = WorkQueue()
    await busy_with(queue, WEB)
    quota = Ref(RESOURCE_QUOTA, "acme-web", "ringfence")
    labels = world.objects[quota]["metadata"]["labels"]
    waker_of(queue, world).child_changed(quota, labels, (), by=WEB)
    assert (await asyncio.wait_for(queue.take(), 5))[0] == ACME
    queue.done(WEB)
    queue.done(ACME)
    assert len(queue) == 0
