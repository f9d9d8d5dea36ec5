"""Who is quick waits for nobody who is slow, and nobody is visited twice at a time."""

import asyncio
from dataclasses import dataclass, field

import pytest

from ringfence.engine.visits import AT_ONCE, SLOW, Visits
from tests.unit.engine.conftest import LoopClock
from tests.waiting import eventually_async


@dataclass
class Clock(LoopClock):
    """Time that passes only when somebody says so."""

    seconds: float = 0.0

    def monotonic(self) -> float:
        return self.seconds


@dataclass
class World:
    """Many tenants, of whom some let a visitor wait."""

    clock: Clock = field(default_factory=Clock)
    silent: dict[str, asyncio.Event] = field(default_factory=dict)
    came: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.visits = Visits(self._visit, self.clock)

    async def _visit(self, home: str) -> None:
        self.came.append(home)
        if home in self.silent:
            await self.silent[home].wait()
        self.left.append(home)

    async def comes(self, *homes: str) -> None:
        """Wait until the visitor came to these."""
        await eventually_async(lambda: set(homes) <= set(self.came))

    async def all(self, *homes: str) -> None:
        """Visit these, and wait for the end of it."""
        async with asyncio.TaskGroup() as tasks:
            self.visits.begin(homes, tasks)


HOLES = tuple(f"hole{number}" for number in range(AT_ONCE + 4))


@pytest.fixture
async def slow() -> World:
    """A world in which more tenants than there are places have shown themselves to be slow."""
    world = World(silent={home: asyncio.Event() for home in HOLES})
    for some in (HOLES[:AT_ONCE], HOLES[AT_ONCE:]):
        visiting = asyncio.create_task(world.all(*some))
        await world.comes(*some)
        world.clock.seconds += SLOW + 1
        for home in some:
            world.silent[home].set()
        await visiting
    for event in world.silent.values():
        event.clear()
    return world


async def test_who_is_quick_waits_for_nobody_who_is_slow(slow: World) -> None:
    """However many of them there are."""
    holding = asyncio.create_task(slow.all(*HOLES))
    await eventually_async(lambda: len(slow.came) == len(HOLES) + AT_ONCE)
    async with asyncio.timeout(5):
        await slow.all("acme", "globex")
    assert slow.left[-2:] == ["acme", "globex"]
    for event in slow.silent.values():
        event.set()
    await holding


async def test_who_is_quick_again_is_among_the_quick(slow: World) -> None:
    """One good visit is enough."""
    quick, *others = HOLES
    slow.silent.pop(quick)
    await slow.all(quick)
    holding = asyncio.create_task(slow.all(*others))
    await eventually_async(lambda: len(slow.came) == len(HOLES) + 1 + AT_ONCE)
    async with asyncio.timeout(5):
        await slow.all(quick)
    for event in slow.silent.values():
        event.set()
    await holding


async def test_nobody_is_visited_twice_at_a_time() -> None:
    """But again as soon as a visit is over."""
    world = World(silent={"acme": asyncio.Event()})
    visiting = asyncio.create_task(world.all("acme"))
    await eventually_async(lambda: world.came == ["acme"])
    async with asyncio.timeout(5):
        await world.all("acme", "globex")
    assert world.came == ["acme", "globex"]
    world.silent["acme"].set()
    await visiting
    await world.all("acme")
    assert world.came == ["acme", "globex", "acme"]


async def test_no_more_are_visited_at_a_time_than_said() -> None:
    """A start with a thousand tenants is no storm."""
    world = World(silent={home: asyncio.Event() for home in HOLES})
    visiting = asyncio.create_task(world.all(*HOLES))
    await eventually_async(lambda: len(world.came) == AT_ONCE)
    assert len(world.came) == AT_ONCE
    for event in world.silent.values():
        event.set()
    await visiting
    assert sorted(world.left) == sorted(HOLES)


async def test_what_ends_everything_ends_the_visits() -> None:
    """Whoever raises is heard at once."""

    async def refuse(home: str) -> None:
        raise LookupError(home)

    visits = Visits(refuse, LoopClock())
    with pytest.RaisesGroup(LookupError):
        async with asyncio.TaskGroup() as tasks:
            visits.begin(["acme"], tasks)
            await asyncio.Event().wait()
