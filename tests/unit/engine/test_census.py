"""Counting what the watch of custom resources does not account for."""

import asyncio
from typing import Any

import pytest

from ringfence.engine import census
from ringfence.engine.census import Census
from ringfence.engine.subjects import Subjects
from ringfence.model.kinds import PRIMARY_TYPES, TENANT, Ref
from ringfence.plan.seen import AnySubject
from tests.fakes.cluster import MemoryCluster
from tests.unit.engine.conftest import tenant
from tests.waiting import eventually_async

ACME = Ref(TENANT, "", "acme")


class World:
    """A cluster, what is known of it, and a census every now and then."""

    def __init__(self) -> None:
        self.cluster = MemoryCluster()
        self.left: list[Ref] = []
        self.subjects = Subjects(changed=self._changed)
        self.census = Census(self.cluster, self.subjects)

    def _changed(self, ref: Ref, before: AnySubject | None, after: AnySubject | None, *, ours: bool) -> None:
        if after is None:
            self.left.append(ref)

    def make(self) -> dict[str, Any]:
        return self.cluster.put(TENANT, tenant())


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(census, "EVERY", 0.01)
    monkeypatch.setattr(census, "RETRY", 0.01)
    return World()


async def test_nothing_is_known_before_everything_that_exists_is(world: World) -> None:
    """An object that the watch has not brought yet holds everybody back."""
    thing = world.make()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(world.census.run())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(world.census.synced.wait(), 0.1)
        world.subjects.seen(thing)
        await asyncio.wait_for(world.census.synced.wait(), 5)
        running.cancel()


async def test_a_deletion_that_the_watch_missed_is_noticed(world: World) -> None:
    """It happened while the watch was disconnected, and nobody will tell it again."""
    world.subjects.seen(world.make())
    world.cluster.remove(ACME)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(world.census.run())
        await eventually_async(lambda: world.left == [ACME])
        running.cancel()
    assert world.subjects.get(ACME) is None


async def test_a_watch_that_brings_nothing_is_told_and_forgiven(world: World) -> None:
    """Two counts that find the same object unknown are no coincidence; readiness says so until it is known."""
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(world.census.run())
        await world.census.synced.wait()
        thing = world.make()
        await eventually_async(lambda: world.census.blind == {TENANT})
        world.subjects.seen(thing)
        await eventually_async(lambda: not world.census.blind)
        running.cancel()


async def test_a_missing_definition_is_waited_for(world: World) -> None:
    """Nothing is decided meanwhile."""
    world.cluster.unserved |= set(PRIMARY_TYPES)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(world.census.run())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(world.census.synced.wait(), 0.1)
        world.cluster.unserved -= set(PRIMARY_TYPES)
        await asyncio.wait_for(world.census.synced.wait(), 5)
        running.cancel()
