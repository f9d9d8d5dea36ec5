"""What a leader does, from the first moment to the last.

Laws: nothing is looked at before the record is taken up, or was tried to be; who stops begins nothing more, finishes
what it began and publishes its checkpoints.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from ringfence.engine.cause import Cause
from ringfence.engine.episodes import Episodes
from ringfence.engine.gateways import Watch
from ringfence.engine.health import Health
from ringfence.engine.lookout import Lookout
from ringfence.engine.publish import Publisher
from ringfence.engine.queue import WorkQueue
from ringfence.engine.reconcile import Reconciler
from ringfence.engine.stopping import unless
from ringfence.engine.succession import Succession
from ringfence.engine.tuning import Tuning
from ringfence.engine.usage import Usage
from ringfence.engine.world import World
from ringfence.lineage.runs import Trigger
from ringfence.ports.clock import Clock

log = structlog.get_logger(__name__)

FIRST_ANSWERS: Final = 5.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Duties:
    """Everything that only the leader does."""

    world: World
    queue: WorkQueue
    reconciler: Reconciler
    episodes: Episodes
    succession: Succession
    publisher: Publisher
    lookout: Lookout | None
    """None where nobody asks whether admission policies are in force."""
    usage: Usage | None
    """None where there is nowhere to keep it."""
    watch: Watch | None
    """None where nobody looks whether gateways serve."""
    health: Health
    clock: Clock
    tuning: Tuning

    async def fulfil(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set.

        Raises:
            ForkRefusedError: another process writes the ledger.
        """
        async with asyncio.TaskGroup() as tasks:
            succeeding = tasks.create_task(self.succession.run(), name="succession")
            await unless(stop, self._first_attempt())
            looking = tasks.create_task(self._look_out(), name="lookout")
            watching = tasks.create_task(self._watch_gateways(), name="gateways")
            await unless(stop, self._first_answers())
            self._wake()
            workers = [tasks.create_task(self._worker(), name=f"worker {n}") for n in range(self.tuning.workers)]
            others = [
                succeeding,
                looking,
                watching,
                tasks.create_task(self.world.witness.run(self.episodes)),
                tasks.create_task(self._resync()),
                tasks.create_task(self.publisher.run()),
                tasks.create_task(self._count_usage(), name="usage"),
            ]
            await stop.wait()
            self.world.waker.awake = False
            self.queue.close()
            await self._finish()
            for task in (*workers, *others):
                task.cancel()
        await self.publisher.publish()

    async def _first_attempt(self) -> None:
        await self.succession.attempted.wait()

    async def _look_out(self) -> None:
        if self.lookout is None:
            log.error(
                "nobody asks whether admission policies are in force: what the API server itself should refuse, "
                "nothing may refuse"
            )
        else:
            await self.lookout.run()

    async def _count_usage(self) -> None:
        if self.usage is not None:
            await self.usage.run()

    async def _watch_gateways(self) -> None:
        if self.watch is not None:
            await self.watch.run()

    async def _first_answers(self) -> None:
        """Wait for the first round of whoever looks, for what it finds decides of every object; not for a slow one.

        Without it, a restart would tell everybody that gateways are unknown, and a moment later that they serve.
        """
        rounds = [each for each in (self.lookout and self.lookout.asked, self.watch and self.watch.looked) if each]
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_ANSWERS):
                await asyncio.gather(*(each.wait() for each in rounds))

    def _wake(self) -> None:
        self.world.waker.awake = True
        self.world.look_at_all(Trigger.RESUME)

    async def _worker(self) -> None:
        while True:
            ref, cause = await self.queue.take()
            try:
                await self.reconciler.reconcile(ref, cause)
            finally:
                self.queue.done(ref)
                self.health.moved()

    async def _resync(self) -> None:
        """Look at every object once in a while, evenly spread, whether or not anything was heard of it."""
        while True:
            refs = self.world.subjects.refs()
            pause = self.tuning.resync / max(1, len(refs))
            for ref in refs or (None,):
                await asyncio.sleep(pause)
                if ref is not None:
                    self.queue.add(ref, Cause(Trigger.RESYNC, self.clock.monotonic()))

    async def _finish(self) -> None:
        """Let busy workers come to an end of what they do, for as long as the grace allows."""
        try:
            async with asyncio.timeout(self.tuning.grace):
                await self.queue.idle()
                await self.world.witness.told()
        except TimeoutError:
            log.warning("stopped in the middle; the next leader closes what is open", objects=self.queue.working)
