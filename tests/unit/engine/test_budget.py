"""Whose call is the next, and how many there are at once and in a second."""

import asyncio

import pytest

from ringfence.engine.budget import Budget


class Calls:
    """Calls that last until they are ended, in the order in which they began."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.begun: list[str] = []
        self.end = asyncio.Semaphore(0)
        self.tasks: list[asyncio.Task[None]] = []

    def make(self, lane: str, number: int = 1) -> None:
        """Begin as soon as may be."""
        self.tasks += [asyncio.create_task(self._call(lane)) for _ in range(number)]

    async def _call(self, lane: str) -> None:
        async with self.budget.spend(lane):
            self.begun.append(lane)
            await self.end.acquire()


async def settled() -> None:
    """Everybody who can go on has gone on."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
async def calls() -> Calls:
    return Calls(Budget(per_second=1e6, burst=1000, in_flight=2))


async def test_tenants_take_turns(calls: Calls) -> None:
    """Whoever comes while another has a long line of calls waits for one of them and not for all."""
    calls.make("acme", 100)
    await settled()
    calls.make("globex", 2)
    await settled()
    assert calls.begun == ["acme", "acme"]
    for _ in range(4):
        calls.end.release()
    await settled()
    assert calls.begun[2:6].count("globex") == 2
    for task in calls.tasks:
        task.cancel()


async def test_a_call_that_is_given_up_gives_its_place_to_the_next(calls: Calls) -> None:
    """Whether it waited or had just been given its turn."""
    calls.make("acme", 4)
    await settled()
    calls.tasks[2].cancel()  # it waits
    calls.end.release()
    await asyncio.sleep(0)
    calls.tasks[3].cancel()  # it has its turn, or is about to
    await settled()
    calls.end.release()
    calls.make("globex", 2)
    await settled()
    assert calls.begun == ["acme", "acme", "globex", "globex"]
    assert calls.budget.in_flight == 2
    for task in calls.tasks:
        task.cancel()


async def test_a_second_has_so_many_calls_and_no_more() -> None:
    """After the first ones, which come at once."""
    calls = Calls(Budget(per_second=20, burst=2, in_flight=100))
    began = asyncio.get_running_loop().time()
    calls.make("acme", 6)
    await settled()
    assert len(calls.begun) == 2
    for _ in range(6):
        calls.end.release()
    await asyncio.gather(*calls.tasks)
    assert asyncio.get_running_loop().time() - began >= 0.19
