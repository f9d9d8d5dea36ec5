"""Who may write: the holder of a lease, for as long as nobody else can have taken it."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ringfence import names
from ringfence.engine.budget import MOST_IN_FLIGHT, Budget
from ringfence.engine.election import Candidate, Terms
from ringfence.model.kinds import LEASE, Ref
from tests.fakes.cluster import MemoryCluster
from tests.waiting import eventually_async

TERMS: Final = Terms(duration=15, renew_deadline=10, retry=0.01)


@dataclass
class HandClock:
    """Time that passes when the test says so."""

    seconds: float = 100.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds


def candidate(cluster: MemoryCluster, clock: HandClock, identity: str) -> Candidate:
    lease = Ref(LEASE, names.OPERATOR_NAMESPACE, names.LEASE)
    return Candidate(cluster, clock, ref=lease, identity=identity, terms=TERMS)


async def test_a_holder_is_sure_until_it_could_not_renew_for_the_deadline() -> None:
    """The deadline is before the lease's end, so that nobody else leads yet when it stops writing."""
    clock = HandClock()
    holder = candidate(MemoryCluster(), clock, "one")
    assert not holder.sure()
    await holder.win()
    clock.seconds += TERMS.renew_deadline - 0.1
    assert holder.sure()
    clock.seconds += 0.2
    assert not holder.sure()


async def test_a_candidate_waits_until_the_lease_has_run_out_by_its_own_clock() -> None:
    """Seen held for the whole duration without a change, not a moment less."""
    cluster, clock = MemoryCluster(), HandClock()
    await candidate(cluster, clock, "one").win()
    next_one = candidate(cluster, clock, "two")
    winning = asyncio.create_task(next_one.win())
    await asyncio.sleep(5 * TERMS.retry)
    clock.seconds += TERMS.duration
    await asyncio.sleep(5 * TERMS.retry)
    assert not winning.done()
    clock.seconds += 0.1
    await asyncio.wait_for(winning, 5)
    assert next_one.sure()


async def test_a_write_waits_while_it_is_not_sure_that_we_lead() -> None:
    """It goes on when the lease was renewed after all."""
    leads = False
    budget = Budget(per_second=1000, burst=10, allowed=lambda: leads)

    async def write() -> None:
        async with budget.spend():
            pass

    writing = asyncio.create_task(write())
    await eventually_async(lambda: budget._slots < MOST_IN_FLIGHT)
    assert not writing.done()
    leads = True
    await asyncio.wait_for(writing, 5)
