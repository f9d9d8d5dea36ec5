"""A collector's life: it goes on counting, and waits at the end for whoever really comes."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
from aiohttp import ClientSession

from ringfence.adapters.collector import process as module
from ringfence.adapters.collector.counting import Counting
from ringfence.adapters.collector.log import AccessLog
from ringfence.adapters.collector.metrics import Metrics
from ringfence.adapters.collector.process import CollectorProcess
from ringfence.adapters.collector.server import Address
from ringfence.adapters.collector.state import State
from tests.gateway.pod import free_port
from tests.usage_samples import line
from tests.waiting import eventually_async

LOCAL: Final = "127.0.0.1"


@dataclass
class World:
    """A collector that runs, and whoever asks it."""

    counting: Counting
    port: int = field(default_factory=free_port)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def runs(self, linger: float) -> AsyncIterator[asyncio.Task[None]]:
        """Let it run, with so many seconds to wait at the end."""
        process = CollectorProcess(self.counting, linger=linger)
        running = asyncio.create_task(process.run(Address(LOCAL, self.port), self.stop))
        async with asyncio.timeout(10):
            while not await self._listens():  # noqa: ASYNC110 -- a port sets no event
                await asyncio.sleep(0.01)
            yield running
            self.stop.set()
            await running

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(LOCAL, self.port)
        except OSError:
            return False
        writer.close()
        return True

    async def page(self, after: str = "") -> dict[str, Any]:
        async with ClientSession(f"http://{LOCAL}:{self.port}") as session:
            answer = await session.get("/usage", params={"after": after})
            found: dict[str, Any] = orjson.loads(await answer.read())
            return found

    async def health(self) -> str:
        async with ClientSession(f"http://{LOCAL}:{self.port}") as session:
            return (await (await session.get("/healthz")).text()).strip()

    async def counts(self, sequence: int) -> None:
        """Wait until so much was counted."""
        await eventually_async(lambda: self.counting.state.sequence == sequence)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The access log, with one line."""
    (tmp_path / "access.log").write_bytes(line() + b"\n")
    return tmp_path / "access.log"


@pytest.fixture
def world(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A collector that is in a hurry."""
    monkeypatch.setattr(module, "EVERY", 0.01)
    monkeypatch.setattr(module, "RETRY", 0.01)
    with closing(AccessLog(path)) as lines, closing(State.open(path.with_name("usage.db"))) as state:
        yield World(Counting(lines, state, Metrics()))


async def test_one_that_was_asked_for_all_of_it_goes_at_once(world: World) -> None:
    """And does not wait for as long as it might."""
    async with world.runs(linger=60) as running:
        await world.counts(1)
        cursor = (await world.page())["cursor"]
        world.stop.set()
        await asyncio.wait([running], timeout=0.2)
        assert not running.done()
        await world.page(cursor)
        await asyncio.wait([running], timeout=5)
        assert running.done()


@pytest.mark.parametrize("number", ["99999", "9999999999999999"])
async def test_a_cursor_that_somebody_made_up_does_not_let_it_go(world: World, number: str) -> None:
    """It stands after what was never counted; who holds the right one still finds the collector there."""
    async with world.runs(linger=60) as running:
        await world.counts(1)
        told = await world.page()
        await world.page(f"{told['instance']}.{number}")
        world.stop.set()
        await asyncio.wait([running], timeout=0.2)
        assert not running.done()
        await world.page(told["cursor"])


async def test_a_defect_ends_neither_the_counting_nor_its_truth(
    world: World, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says that it does not count, repeats nothing of a line, and goes on when it can."""
    count, broken = Counting.step, [True]

    def step(counting: Counting) -> int:
        if broken:
            raise KeyError("a line's words")
        return count(counting)

    monkeypatch.setattr(Counting, "step", step)
    async with world.runs(linger=0.1):
        async with asyncio.timeout(5):
            while await world.health() != "not counting: KeyError":  # noqa: ASYNC110 -- a process sets no event
                await asyncio.sleep(0.01)
        broken.clear()
        await world.counts(1)
        assert await world.health() == "counting"
